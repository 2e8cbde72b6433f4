/**
 * The whole way of every request. The one file that knows it, written as a table of steps:
 *
 * | step          | call, batch | notification, answer | GET stream | DELETE |
 * | ------------- | ----------- | -------------------- | ---------- | ------ |
 * | identify      | x           | x                    | x          | x      |
 * | read the body | x           | x                    |            |        |
 * | join session  | x           | x                    | x          | x      |
 * | mask the call | x           | x                    |            |        |
 * | decide        | x           | x                    | x          | x      |
 * | not stopped   | x           | x                    | x          | x      |
 * | record intent | x           | x                    | x          | x      |
 * | not stopped   | x           | x                    | x          | x      |
 * | send          | x           | x                    | x          | x      |
 * | respond       | messages    | 202                  | messages   | status |
 *
 * Each step needs what an earlier one made, so none can be moved: `send` takes a `Permit` (policy)
 * and a `Durable` intent (record); `respond` releases only what is `Deliverable` (mask) and durable.
 * A batch (MCP 2025-03-26) is one request with an exchange for each element: all go, or none.
 * What is refused or fails leaves through the one `catch`, which records it and answers it.
 */
import { Fault } from '../base/fault.ts'
import { bearerToken } from '../identity/bearer.ts'
import { isServiceKey } from '../identity/service-accounts.ts'
import { claimedIssuer } from '../identity/verify.ts'
import type { Incoming } from '../listener/incoming.ts'
import { decide } from '../policy/permit.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import type { Answer } from '../upstream/answer.ts'
import type { Caller } from '../upstream/credential.ts'
import { bareLeg, identify, join, legsOf, newWay, readBody } from './arrive.ts'
import { askedOf, maskAsked, noteCancelled, notePending } from './asked.ts'
import { recordIntent } from './account.ts'
import { endSession } from './closing.ts'
import { sentHeaders } from './outside.ts'
import { refuse } from './refuse.ts'
import { respond } from './respond.ts'
import type { Stations } from './stations.ts'
import { checkStopped } from './stopped.ts'
import type { Known, Way } from './way.ts'

/** Serves one HTTP request of the gateway listener; it never throws. */
export async function serve(incoming: Incoming, at: Stations): Promise<void> {
  const way = newWay(incoming, at)
  at.underway.add(way)
  try {
    if (incoming.method === 'POST') await servePost(way, at)
    else if (incoming.method === 'GET') await serveBare(way, 'stream', at)
    else if (incoming.method === 'DELETE') await serveBare(way, 'end', at)
    else await serveNothing(way, at)
  } catch (error) {
    await refuse(way, error, at)
  } finally {
    at.underway.delete(way)
    for (const undo of way.undo) undo()
  }
}

/** A call, a notification, the answer to a question of the server, or a batch of them. */
async function servePost(way: Way, at: Stations): Promise<void> {
  const known = await identify(way, at)
  const { posted, bytes } = await readBody(way, known, at)
  const session = join(way, known, posted, at)
  const legs = legsOf(way, known, session, posted, at)
  const asked = maskAsked(posted, known, at)
  const digest = digestOf(way, known, bytes, at)
  const permit = decide(known.access, digest, askedOf(posted, legs, known, at))
  const { grants } = permit
  checkStopped(way, known, at)
  const intent = await recordIntent(way, asked, { digest, grants }, at)
  notePending(way, legs, at)
  noteCancelled(posted, session, at)
  const answer = await send(way, known, { digest, bytes, permit, intent }, at)
  await respond(way, known, answer, at)
}

/** GET opens or resumes a stream of a legacy session, DELETE ends the session. */
async function serveBare(way: Way, kind: 'stream' | 'end', at: Stations): Promise<void> {
  const known = await identify(way, at)
  const session = join(way, known, null, at)
  const { target } = bareLeg(way, known, session, kind, at)
  const digest = digestOf(way, known, new Uint8Array(0), at)
  const permit = decide(known.access, digest, [{ kind, method: undefined, target }])
  const { grants } = permit
  checkStopped(way, known, at)
  const intent = await recordIntent(way, [], { digest, grants }, at)
  const answer = await send(way, known, { digest, bytes: undefined, permit, intent }, at)
  if (kind === 'end' && answer.status < 300) await endSession(session, 'ended_by_client', true, at)
  await respond(way, known, answer, at)
}

/** Any other verb is refused like the rest: after host and token, with an entry. */
async function serveNothing(way: Way, at: Stations): Promise<void> {
  await identify(way, at)
  throw new Fault('method_not_allowed', 'A connection takes GET, POST and DELETE.')
}

function digestOf(way: Way, known: Known, body: Uint8Array, at: Stations): string {
  return at.digest(known.connection.name, way.incoming.method, way.sid ?? '', body)
}

/** What `send` needs: the bytes, and the evidence that they may go. */
interface Sending {
  readonly digest: string
  readonly bytes: Uint8Array | undefined
  readonly permit: Permit
  readonly intent: Durable
}

/**
 * A closed stream cancels a call of the modern era, and a GET stream of any. A legacy call goes on
 * without its client: only `notifications/cancelled` stops it (MCP 2025-11-25, Transports).
 */
async function send(way: Way, known: Known, sending: Sending, at: Stations): Promise<Answer> {
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
