/** One request on its way to its server, with the evidence that it may go. */
import { bearerToken } from '../identity/bearer.ts'
import { isServiceKey } from '../identity/service-accounts.ts'
import { claimedIssuer } from '../identity/verify.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import type { Answer } from '../upstream/answer.ts'
import type { Caller } from '../upstream/credential.ts'
import { sentHeaders } from './outside.ts'
import type { Stations } from './stations.ts'
import { checkStopped } from './stopped.ts'
import type { Known, Way } from './way.ts'

/** Names the bytes that a permit and a receipt are for. */
export function digestOf(way: Way, known: Known, body: Uint8Array, at: Stations): string {
  return at.digest(known.connection.name, way.incoming.method, way.sid ?? '', body)
}

/** What `send` needs: the bytes, and the evidence that they may go. */
export interface Sending {
  readonly digest: string
  readonly bytes: Uint8Array | undefined
  readonly permit: Permit
  readonly intent: Durable
}

/**
 * A closed stream cancels a call of the modern era, and a GET stream of any. A legacy call goes on
 * without its client: only `notifications/cancelled` stops it (MCP 2025-11-25, Transports).
 */
export async function send(
  way: Way,
  known: Known,
  sending: Sending,
  at: Stations,
): Promise<Answer> {
  const { digest, bytes, permit, intent } = sending
  const { incoming, work } = way
  const isBound = way.spoken?.era === 'modern' || incoming.method !== 'POST'
  const leave = (): void => {
    if (isBound || way.isResumable) work.abort()
  }
  if (incoming.gone.aborted) leave()
  else incoming.gone.addEventListener('abort', leave, { once: true })
  const method =
    incoming.method === 'GET' || incoming.method === 'DELETE' ? incoming.method : 'POST'
  const headers = sentHeaders(way, known, at)
  const stillMay = (): void => checkStopped(way, known, at)
  const caller = callerOf(way, known, at)
  const out = { digest, method, headers, signal: work.signal, caller, stillMay } as const
  const whole = bytes === undefined ? out : { ...out, body: bytes }
  checkStopped(way, known, at) // The record took its time: a stop may have come meanwhile.
  way.isSent = true
  return await known.connection.upstream.send(whole, permit, intent)
}

/** Whose call it is, for a credential that is got in their name. */
function callerOf({ incoming }: Way, { owner }: Known, at: Stations): Caller {
  return {
    key: owner,
    token: () => {
      const token = bearerToken(incoming.headers.all('authorization'))
      // A key or token of our own is of no use anywhere else, and must not leave.
      const isOwn = isServiceKey(token) || claimedIssuer(token) === at.ownIssuer
      return isOwn ? undefined : token
    },
  }
}
