/** What this gateway knows of identities, read for a look: nobody is seen or changed by it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Directory } from '../identity/directory.ts'
import { openDirectory } from '../identity/directory-store.ts'
import type { Revocations } from '../identity/revocations.ts'
import { openRevocations } from '../identity/revocation-store.ts'

export interface SeenState {
  readonly directory: Directory
  readonly revocations: Pick<Revocations, 'find'>
  close(): void
}

/**
 * @returns undefined where no gateway has run on this data folder yet.
 * @throws {Fault} `identity_down`, `record_down` where the file cannot be read.
 */
export function openState(dataDir: string, clock: Clock): SeenState | undefined {
  const file = join(dataDir, 'state.sqlite')
  if (!existsSync(file)) return undefined
  const directory = openDirectory(file, { clock })
  try {
    const revocations = openRevocations(file, { clock })
    const close = (): void => {
      directory.close()
      revocations.close()
    }
    return { directory: withoutSights(directory), revocations, close }
  } catch (error) {
    directory.close()
    throw error
  }
}

/** Whoever is only looked at was not here: when somebody was last seen decides who is idle. */
function withoutSights(directory: Directory): Directory {
  return new Proxy(directory, {
    get(whole, name): unknown {
      if (name === 'seen') return () => undefined
      const member: unknown = Reflect.get(whole, name, whole)
      return typeof member === 'function' ? member.bind(whole) : member
    },
  })
}
