/** Whether each connection has its credential, and its server answers. */
import type { ConnectionConfig } from '../config/types.ts'
import { secretRefsIn } from '../secrets/references.ts'
import { tryCredential } from './connections.ts'
import { greet } from './hello.ts'
import { wrong } from './live-look.ts'
import type { Look, LookParts } from './live-look.ts'

export function connectionLooks(parts: LookParts): Look[] {
  return parts.config.connections.flatMap((connection, index) => {
    const credential = credentialLook(connection, index, parts)
    return [...(isPlain(connection) ? [] : [credential]), serverLook(connection, index, parts)]
  })
}

/** A credential that is a value of ours is tried with the server itself. */
function isPlain({ credential: { type } }: ConnectionConfig): boolean {
  return type === 'none' || type === 'bearer' || type === 'header' || type === 'basic'
}

function credentialLook(
  connection: ConnectionConfig,
  index: number,
  { clock, env, secrets }: LookParts,
): Look {
  return {
    what: `credential of ${connection.name}`,
    path: ['connections', index, 'credential'],
    look: () => tryCredential(connection, `connections[${index}]`, secrets, { clock, env }),
  }
}

function serverLook(connection: ConnectionConfig, index: number, parts: LookParts): Look {
  const { clock, env, noteDate, secrets } = parts
  return {
    what: `connection ${connection.name}`,
    path: ['connections', index, 'url'],
    async look(): Promise<string> {
      const where = `connections[${index}]`
      await secrets.ready(secretRefsIn(connection, where))
      const { isUp, message, date } = await greet(connection, where, secrets, { clock, env })
      if (date !== undefined) noteDate(date)
      if (!isUp) throw wrong(message)
      return message
    },
  }
}
