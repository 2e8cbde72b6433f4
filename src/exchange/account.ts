/** Writes the way of an exchange into the record: received, sent, each message, one end. */
import { Fault } from '../base/fault.ts'
import type { Masked } from '../mask/masked.ts'
import type { Maskings } from '../mask/masker.ts'
import type { Durable } from '../record/durable.ts'
import type { CallFinished, CallOutcome, EntryInput, Item, RpcKind } from '../record/entry.ts'
import { statusOf } from './answer.ts'
import { noteOpened, sharedOf } from './shared.ts'
import type { Stations } from './stations.ts'
import type { Leg, Way } from './way.ts'

/** What the record keeps of one message of a client. */
export interface AskedMasked {
  readonly kept: Masked<Uint8Array>
  readonly maskings: Maskings
}

/**
 * Before anything is sent: that it was received, from whom, what it says, why it may go, and that it
 * goes. A crash behind this commit means "may have run"; recovery ends the exchange as `unknown`.
 * @returns the receipt without which `upstream` sends nothing.
 */
export async function recordIntent(
  way: Way,
  asked: readonly (AskedMasked | undefined)[],
  of: { digest: string; grants: readonly string[] },
  at: Stations,
): Promise<Durable> {
  const { era, version } = way.spoken ?? { era: 'legacy' as const, version: '2025-03-26' }
  const commits = way.legs.map(async (leg, index) => {
    const masked = asked[index]
    const received: EntryInput = {
      type: 'call.received',
      era,
      version,
      rpcKind: leg.kind,
      method: leg.maskedMethod,
      target: leg.maskedTarget,
      bytes: leg.bytesIn,
      decision: 'allow',
      rule: of.grants.join(' '),
    }
    const items: Item[] = index === 0 ? [...way.opening] : []
    const tokens = masked?.maskings.tokens()
    items.push({ entry: received, body: masked?.kept, tokens })
    if (masked !== undefined && masked.maskings.count > 0) {
      const groups = masked.maskings.groups()
      items.push({ entry: { type: 'mask.applied', of: 'call', groups, delivered: 'masked' } })
    }
    items.push({ entry: { type: 'call.dispatched', host: leg.connection.host, attempt: 1 } })
    const receipt = await at.recorder.append(of.digest, leg.shared, items)
    leg.isReceived = true
    leg.session.calls++
    leg.session.underway++
    at.meters.received(leg.connection.name)
    return receipt
  })
  const [first, ...others] = await Promise.all(commits)
  if (first === undefined || others.some((receipt) => !receipt.covers(of.digest))) {
    throw new Fault('record_down', 'The record gave no receipt; nothing was sent.')
  }
  noteIfOpened(way)
  return first
}

function noteIfOpened(way: Way): void {
  const { session } = way
  const isOpened = way.opening.some(({ entry }) => entry.type === 'session.opened')
  way.opening = []
  if (isOpened && session !== undefined) noteOpened(session, sharedOf(way, undefined))
}

/** One message of the server, as the record keeps it. */
export interface Told {
  readonly rpcKind: RpcKind
  readonly method: Masked<string> | undefined
  readonly bytes: number
  readonly kept: Masked<Uint8Array> | undefined
  readonly maskings: Maskings | undefined
  readonly delivered: 'masked' | 'revealed'
  readonly eventId: Masked<string> | undefined
  readonly isAgain: boolean
}

/** The name of a message's receipt: its exchange and its number there. */
export function receiptName(leg: Leg): string {
  return `${leg.exchange}#${leg.seq}`
}

/**
 * A message of the server, before it is released; with the end of its exchange where it is the last.
 * @returns the receipt, which covers `receiptName(leg)` as it is after this call.
 */
export async function recordMessage(
  leg: Leg,
  told: Told,
  end: Pick<CallFinished, 'outcome' | 'httpStatus'> | undefined,
  at: Stations,
): Promise<Durable> {
  leg.seq++
  const { rpcKind, method, bytes, kept, maskings, eventId, isAgain, delivered } = told
  const event: EntryInput = {
    type: 'response.event',
    seq: leg.seq,
    rpcKind,
    method,
    bytes,
    again: isAgain ? true : undefined,
    eventId,
  }
  const items: Item[] = [{ entry: event, body: kept, tokens: maskings?.tokens() }]
  if (maskings !== undefined && maskings.count > 0) {
    const groups = maskings.groups()
    items.push({ entry: { type: 'mask.applied', of: 'answer', seq: leg.seq, groups, delivered } })
    for (const { kind, each } of groups) at.meters.masked(kind, each.length)
  }
  if (end !== undefined) items.push({ entry: finish(leg, end, at) })
  return await at.recorder.append(receiptName(leg), leg.shared, items)
}

/** The end of an exchange as an entry; from here on it is over. */
function finish(
  leg: Leg,
  end: Pick<CallFinished, 'outcome' | 'httpStatus' | 'reason'>,
  at: Stations,
): CallFinished {
  leg.isFinished = true
  leg.session.underway--
  at.pending.delete(pendingKey(leg))
  const durationUs = Math.round((at.clock.monotonicMs() - leg.startedMs) * 1000)
  at.meters.finished(leg.connection.name, end.outcome, durationUs)
  const { bytesIn, bytesOut, messages } = leg
  return { type: 'call.finished', ...end, durationUs, bytesIn, bytesOut, messages }
}

/** Ends an exchange that has no further message. Does nothing where it has ended before. */
export async function recordEnd(
  leg: Leg,
  end: Pick<CallFinished, 'outcome' | 'httpStatus' | 'reason'>,
  at: Stations,
): Promise<Durable | undefined> {
  if (!leg.isReceived || leg.isFinished) return undefined
  return await at.recorder.append(leg.exchange, leg.shared, [{ entry: finish(leg, end, at) }])
}

export function pendingKey(leg: Pick<Leg, 'session' | 'idKey'>): string {
  return `${leg.session.id}\n${leg.idKey ?? ''}`
}

/**
 * A request that was refused before it was received.
 * @returns a receipt that covers the way's exchange; undefined when it was counted as part of a flood.
 */
export async function recordRefusal(
  way: Way,
  fault: Fault,
  at: Stations,
): Promise<Durable | undefined> {
  const reason = reasonOf(fault)
  const status = statusOf(fault)
  at.meters.refused(reason)
  if (!at.floods.admit(way.incoming.source.ip, reason)) return undefined
  const isAuth = fault.code === 'no_identity' || fault.code === 'identity_down'
  const claimed = fault.facts['issuerClaimed']
  const leg = way.legs[0]
  const entry: EntryInput = isAuth
    ? {
        type: 'auth.refused',
        reason,
        issuerClaimed: typeof claimed === 'string' ? at.masker.word(claimed) : undefined,
        httpStatus: status,
      }
    : {
        type: 'call.denied',
        rpcKind: leg?.kind ?? way.message?.kind,
        method: leg?.maskedMethod ?? maskedMethodOf(way, at),
        target: leg?.maskedTarget,
        reason,
        code: fault.code,
        status,
        rule: undefined,
      }
  const items = [...way.opening, { entry }]
  const receipt = await at.recorder.append(way.exchange, sharedOf(way, way.exchange), items)
  noteIfOpened(way)
  return receipt
}

function maskedMethodOf(way: Way, at: Stations): Masked<string> | undefined {
  const method = way.message?.method
  return method === undefined ? undefined : at.masker.word(method)
}

/** The machine's word for a fault: its own reason, else its code. */
export function reasonOf(fault: Fault): string {
  const { reason } = fault.facts
  return typeof reason === 'string' ? reason : fault.code
}

const stops: ReadonlySet<string> = new Set(['no_identity', 'connection_stopped', 'all_stopped'])

/** How an exchange that was received ends when a fault stops it. */
export function outcomeOf({ code, facts }: Fault): CallOutcome {
  if (code === 'mask_failed' || code === 'answer_too_large') return 'withheld'
  if (code === 'cancelled') return 'cancelled'
  const isOut = code.startsWith('upstream_') || facts['reason'] === 'grant_ended' || stops.has(code)
  const isUpstream = isOut && facts['isSent'] !== false
  // If it went out, what became of it is not known.
  return isUpstream || code === 'stopping' || code === 'defect' ? 'unknown' : 'failed'
}
