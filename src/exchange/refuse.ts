/** The way out of what was refused or failed: recorded, then answered in the client's era. */
import { Fault } from '../base/fault.ts'
import { writeSse } from '../wire/sse.ts'
import { outcomeOf, reasonOf, recordEnd, recordRefusal } from './account.ts'
import { refusal, refusalMessage, statusOf } from './answer.ts'
import type { Told } from './answer.ts'
import { release, releaseUnrecorded, sendPart, sendWhole } from './release.ts'
import type { Released } from './release.ts'
import type { Stations } from './stations.ts'
import { stoppedFault } from './stopped.ts'
import type { Leg, Way } from './way.ts'

/** Ends a request that a fault stopped. It never throws: what cannot be answered is cut. */
export async function refuse(way: Way, error: unknown, at: Stations): Promise<void> {
  const fault = asFault(error, way, at)
  try {
    if (way.legs.some((leg) => leg.isReceived)) await endReceived(way, fault, at)
    else await answerRefused(way, fault, at)
  } catch (second) {
    // The record or the client is gone as well. Nothing more may be said; the socket is cut.
    at.log.error({ exchange: way.exchange, code: asFault(second, way, at).code }, 'cut')
    if (way.reply === undefined) answerBare(way, fault, at)
    else way.reply.destroy()
  }
}

/** Everything that is not a `Fault` is a defect of ours: its text may hold what was sent. */
function asFault(error: unknown, way: Way, at: Stations): Fault {
  const isCancelled = error instanceof Fault && error.code === 'cancelled'
  if (way.stopped !== undefined && isCancelled && !way.incoming.gone.aborted) {
    return stoppedFault(way.stopped, error.facts['isSent'] !== false)
  }
  if (way.work.signal.aborted && at.isStopping()) {
    return new Fault('stopping', 'The gateway stopped before the answer; the call may have run.')
  }
  if (error instanceof Fault) return error
  const kind = error instanceof Error ? error.constructor.name : typeof error
  const stack = error instanceof Error ? frames(error) : []
  at.log.error({ exchange: way.exchange, kind, stack }, 'defect')
  return new Fault('defect', 'The gateway met a defect of its own; nothing further was done.', {
    cause: error,
  })
}

/** The frames of a stack without its first line, which repeats the message. */
export function frames(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n')
  return lines.filter((line) => line.startsWith('    at ')).slice(0, 8)
}

/** Refused before anything was received: one entry with the reason, then the answer. */
async function answerRefused(way: Way, fault: Fault, at: Stations): Promise<void> {
  const { body, ...head } = whole(way, fault, at)
  const shown = at.masker.ours(body)
  const recorded = await recordIfUp(way, fault, at)
  if (recorded === 'counted') {
    const slow = new Fault(
      'rate_limited',
      'Too many bad requests from this address; they are counted, not answered.',
    )
    const answer = whole(way, slow, at)
    sendWhole(way, answer, releaseUnrecorded(at.masker.ours(answer.body)))
    return
  }
  const released =
    recorded === 'down' ? releaseUnrecorded(shown) : release(shown, recorded, way.exchange)
  at.log.info({ exchange: way.exchange, code: fault.code, reason: reasonOf(fault) }, 'refused')
  if (way.incoming.gone.aborted) cut(way)
  else sendWhole(way, head, released)
}

async function recordIfUp(
  way: Way,
  fault: Fault,
  at: Stations,
): Promise<'down' | 'counted' | NonNullable<Awaited<ReturnType<typeof recordRefusal>>>> {
  // A refusal because of the record itself cannot be recorded; nothing was sent.
  if (fault.code === 'record_down' || fault.code === 'record_full') return 'down'
  try {
    return (await recordRefusal(way, fault, at)) ?? 'counted'
  } catch (error) {
    // Going on is safe: a refusal is answered either way, and the record's state is shown elsewhere.
    if (error instanceof Fault) return 'down'
    throw error
  }
}

function answerBare(way: Way, fault: Fault, at: Stations): void {
  if (way.incoming.gone.aborted) {
    cut(way)
    return
  }
  const { body, ...head } = whole(way, fault, at)
  sendWhole(way, head, releaseUnrecorded(at.masker.ours(body)))
}

function whole(way: Way, fault: Fault, at: Stations): ReturnType<typeof refusal> {
  return refusal(fault, told(way, way.legs[0], fault, at))
}

function told(way: Way, leg: Leg | undefined, fault: Fault, at: Stations): Told {
  const { message, spoken, connectionName } = way
  const isAuth = fault.code === 'no_identity'
  const isRequest = (leg?.kind ?? message?.kind) === 'request'
  return {
    exchange: leg?.exchange ?? way.exchange,
    idRaw: isRequest ? (leg?.idRaw ?? message?.idRaw) : undefined,
    isToolCall: (leg?.method ?? message?.method) === 'tools/call',
    era:
      spoken?.era ??
      (way.incoming.headers.get('mcp-protocol-version') === '2026-07-28' ? 'modern' : undefined),
    // For any name alike: who has not signed in does not learn which connections there are.
    ...(isAuth && connectionName !== undefined
      ? { challenge: at.identity.challenge(way.incoming.path, reasonOf(fault)) }
      : {}),
  }
}

/** It was received, and perhaps sent: its end is recorded, and the client gets the error. */
async function endReceived(way: Way, fault: Fault, at: Stations): Promise<void> {
  const isBegun = way.began === 'stream'
  const open = way.legs.filter((leg) => !leg.isFinished)
  const httpStatus = isBegun ? 200 : statusOf(fault)
  const outcome = way.legs.some((leg) => leg.isCancelled) ? 'cancelled' : outcomeOf(fault)
  at.log.info(
    { exchange: way.exchange, code: fault.code, reason: reasonOf(fault), outcome },
    'ended',
  )
  const released: Released[] = []
  for (const leg of open) {
    // A client that closes its GET stream has done nothing unusual.
    const isLeft = leg.kind === 'stream' && fault.code === 'cancelled'
    const end = { outcome: isLeft ? ('ok' as const) : outcome, httpStatus, reason: reasonOf(fault) }
    const receipt = await recordEnd(leg, end, at)
    const message = refusalMessage(fault, told(way, leg, fault, at))
    const shown = at.masker.ours(isBegun ? writeSse({ data: message, event: 'message' }) : message)
    if (receipt !== undefined && leg.kind === 'request')
      released.push(release(shown, receipt, leg.exchange))
    else if (!isBegun) released.push(releaseUnrecorded(shown))
  }
  if (way.incoming.gone.aborted) cut(way)
  else if (isBegun) await endBegun(way, released)
  else if (way.began === undefined) sendReceived(way, fault, released, at)
  else cut(way)
}

/** Breaks the connection: nobody is there, or nothing true can be said on it any more. */
function cut(way: Way): void {
  const reply = way.reply ?? way.incoming.begin(499, {})
  way.reply = reply
  reply.destroy()
}

async function endBegun(way: Way, released: readonly Released[]): Promise<void> {
  for (const part of released) await sendPart(way, part)
  way.reply?.end()
}

function sendReceived(way: Way, fault: Fault, released: readonly Released[], at: Stations): void {
  const { body, ...head } = whole(way, fault, at)
  // A batch that failed as a whole is answered by its first error: the others read the same. There is
  // none where the end itself could not be recorded.
  sendWhole(way, head, released[0] ?? releaseUnrecorded(at.masker.ours(body)))
}
