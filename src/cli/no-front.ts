/** Where nobody signs in and no directory tells anything: what is left of `front`, and loads nothing. */
import type { Front, FrontParts } from './front.ts'
import { serveLogout } from './logout-door.ts'

export function noFront({ built, stops }: Pick<FrontParts, 'built' | 'stops'>): Front {
  const { at, note } = built
  const door = { at, stops, note, providerSessions: undefined }
  return {
    accounts: undefined,
    passkeys: undefined,
    authorization: undefined,
    console: undefined,
    serveGateway: (incoming) => serveLogout(incoming, door),
    serveConsole: () => Promise.resolve(false),
    tick: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
