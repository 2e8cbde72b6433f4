/**
 * The whole way of every request. The one file that knows it, written as a table of steps:
 *
 * | step          | call, batch | held call | poll of a held one | notification, answer | GET stream | DELETE |
 * | ------------- | ----------- | --------- | ------------------ | -------------------- | ---------- | ------ |
 * | identify      | x           | x         | x                  | x                    | x          | x      |
 * | read the body | x           | x         | x                  | x                    |            |        |
 * | join session  | x           | x         | x                  | x                    | x          | x      |
 * | mask the call | x           | x         | x                  | x                    |            |        |
 * | grants        | x           | x         | x                  | x                    | x          | x      |
 * | inspect       | x           | x         |                    | x                    |            |        |
 * | judge         | x           | x         |                    | x                    |            |        |
 * | hold          |             | x         |                    |                      |            |        |
 * | not stopped   | x           | x         | x                  | x                    | x          | x      |
 * | record intent | x           | x         |                    | x                    | x          | x      |
 * | not stopped   | x           | x         |                    | x                    | x          | x      |
 * | send          | x           | x         |                    | x                    | x          | x      |
 * | respond       | messages    | messages  | task               | 202                  | messages   | status |
 *
 * Each step needs what an earlier one made, so none can be moved: `send` takes a `Permit` (policy)
 * and a `Durable` intent (record); `respond` releases only what is `Deliverable` (mask) and durable.
 * What is held is recorded by `hold` before it waits, and goes by an `Approval` of exactly that call.
 * A batch (MCP 2025-03-26) is one request with an exchange for each element: all go, or none.
 * What is refused or fails leaves through the one `catch`, which records it and answers it.
 */
import { Fault } from '../base/fault.ts'
import type { Incoming } from '../listener/incoming.ts'
import { decide, permit, permitApproved } from '../policy/permit.ts'
import { bareLeg, identify, join, legsOf, newWay, readBody } from './arrive.ts'
import type { Body } from './arrive.ts'
import { askedOf, maskAsked, noteCancelled, notePending } from './asked.ts'
import { recordDispatch, recordIntent, recordReceived } from './account.ts'
import { endSession } from './closing.ts'
import { finish } from './held/finish.ts'
import { hold } from './held/hold.ts'
import type { Asking } from './held/hold.ts'
import { callOf } from './held/run.ts'
import { answerTask, ticketOfTask } from './held/tasks.ts'
import type { Poll } from './held/poll.ts'
import { inspectAsked } from './inspected.ts'
import { dutiful, judge, nothingAsked, ruleNames } from './judged.ts'
import { refuse } from './refuse.ts'
import { respond } from './respond.ts'
import { digestOf, send } from './send.ts'
import type { Stations } from './stations.ts'
import { checkStopped } from './stopped.ts'
import type { Way } from './way.ts'

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
  const caller = await identify(way, at)
  const { posted, bytes } = await readBody(way, caller, at)
  const session = join(way, caller, posted, at)
  const legs = legsOf(way, caller, session, posted, at)
  way.asked = maskAsked(posted, caller, at)
  const digest = digestOf(way, caller, bytes, at)
  const granted = decide(caller.access, digest, askedOf(posted, legs, caller, at))
  const [leg] = legs
  if (leg?.target.kind === 'task' && posted.kind === 'one') {
    const poll = { way, known: caller, message: posted.message, leg, granted }
    if (await servePoll(poll, at)) return
  }
  way.inspected = await inspectAsked(posted, way, caller, at)
  const verdict = await judge(way, caller, { posted, inspected: way.inspected }, at)
  way.matched = verdict.matched.map(({ rule }) => rule)
  const known = dutiful(caller, verdict)
  if (verdict.effect === 'hold' && leg !== undefined && posted.kind === 'one') {
    const [asked] = way.asked
    const [inspected] = way.inspected
    if (asked === undefined || inspected === undefined) throw lost()
    const { message } = posted
    const asking = { way, known, message, leg, asked, inspected, verdict, granted }
    await serveHeld(asking, { digest, bytes }, at)
    return
  }
  const allowed = permit(granted, verdict)
  checkStopped(way, known, at)
  const received = { digest, decision: 'allow' as const, rule: ruleNames(allowed.grants, verdict) }
  const intent = await recordIntent(
    way,
    way.asked,
    { ...received, inspected: way.inspected, notes: verdict.duties.notes },
    at,
  )
  notePending(way, legs, at)
  noteCancelled(posted, session, at)
  const answer = await send(way, known, { digest, bytes, permit: allowed, intent }, at)
  await respond(way, known, answer, at)
}

/** A call that waits for a person: it is sent by their approval, or answered by us. */
async function serveHeld(
  asking: Asking,
  { bytes, digest }: { bytes: Body['bytes']; digest: string },
  at: Stations,
): Promise<void> {
  const { granted, known, leg, way } = asking
  const held = await hold(asking, at)
  if (held.kind === 'answer') {
    await respond(way, known, held.answer, at)
    return
  }
  const { claim, taken, verdict } = held
  const { ticket } = taken
  leg.keep = (message) => claim.keep(message)
  let error: unknown
  try {
    const by = { approval: taken.approval, call: callOf(taken), digest }
    const allowed = permitApproved(granted, verdict, by)
    checkStopped(way, known, at)
    const intent = await recordDispatch(way, digest, at)
    notePending(way, [leg], at)
    const answer = await send(way, known, { digest, bytes, permit: allowed, intent }, at)
    await respond(way, known, answer, at)
  } catch (thrown) {
    error = thrown
    throw thrown
  } finally {
    await finish({ way, ticket, claim, error, isDelivered: !way.incoming.gone.aborted }, at)
  }
}

/** What a caller asks of the task that its held call became. @returns false for tasks of servers. */
async function servePoll(poll: Poll, at: Stations): Promise<boolean> {
  const { known, leg, way } = poll
  const ticket = leg.kind === 'request' ? ticketOfTask(leg.target.name, known, at) : undefined
  if (ticket === undefined) return false
  leg.ticket = ticket.id
  checkStopped(way, known, at)
  const rule = known.access.grants.join(' ')
  const of = { digest: leg.exchange, decision: 'allow' as const, rule, inspected: [] }
  await recordReceived(way, way.asked, { ...of, ticket: ticket.id }, at)
  const { answer, known: shown } = await answerTask(ticket, poll, at)
  await respond(way, shown, answer, at)
  return true
}

/** GET opens or resumes a stream of a legacy session, DELETE ends the session. */
async function serveBare(way: Way, kind: 'stream' | 'end', at: Stations): Promise<void> {
  const known = await identify(way, at)
  const session = join(way, known, null, at)
  const { target } = bareLeg(way, known, session, kind, at)
  const digest = digestOf(way, known, new Uint8Array(0), at)
  const granted = decide(known.access, digest, [{ kind, method: undefined, target }])
  const allowed = permit(granted, nothingAsked)
  checkStopped(way, known, at)
  const rule = allowed.grants.join(' ')
  const received = { digest, decision: 'allow' as const, rule, inspected: [] }
  const intent = await recordIntent(way, [], received, at)
  const sending = { digest, bytes: undefined, permit: allowed, intent }
  const answer = await send(way, known, sending, at)
  if (kind === 'end' && answer.status < 300) await endSession(session, 'ended_by_client', true, at)
  await respond(way, known, answer, at)
}

/** Any other verb is refused like the rest: after host and token, with an entry. */
async function serveNothing(way: Way, at: Stations): Promise<void> {
  await identify(way, at)
  throw new Fault('method_not_allowed', 'A connection takes GET, POST and DELETE.')
}

function lost(): Fault {
  return new Fault('defect', 'A message was lost on the way.')
}
