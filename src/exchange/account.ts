/** Writes the way of an exchange into the record: received, sent, each message, one end. */
import { Fault } from '../base/fault.ts'
import type { Finding, Inspected } from '../inspect/facts.ts'
import type { Masked } from '../mask/masked.ts'
import type { Maskings } from '../mask/masker.ts'
import type { Durable } from '../record/durable.ts'
import type { CallFinished, CallOutcome, EntryInput, Item, RpcKind } from '../record/entry.ts'
import { statusOf } from './answer.ts'
import { foundDetails, recordedFacts } from './inspected.ts'
import { noteOpened, sharedOf } from './shared.ts'
import type { Stations } from './stations.ts'
import type { Leg, Way } from './way.ts'

/** What the record keeps of one message of a client. */
export interface AskedMasked {
  readonly kept: Masked<Uint8Array>
  readonly maskings: Maskings
}

/** Why a request may go, or what it waits for. */
export interface Received {
  /** What the receipt is for. */
  readonly digest: string
  readonly decision: 'allow' | 'hold'
  /** Grants and rules by name. */
  readonly rule: string
  /** By message, as `inspected` is. */
  readonly inspected: readonly Inspected[]
  readonly ticket?: string | undefined
  /** What rules want noted. */
  readonly notes?: readonly string[] | undefined
}

/**
 * Before anything is sent: that it was received, from whom, what it says, why it may go, and that it
 * goes. A crash behind this commit means "may have run"; recovery ends the exchange as `unknown`.
 * @returns the receipt without which `upstream` sends nothing.
 */
export async function recordIntent(
  way: Way,
  asked: readonly (AskedMasked | undefined)[],
  of: Received,
  at: Stations,
): Promise<Durable> {
  return await recordEach(way, of.digest, at, (leg, index) => {
    const items = receivedItems(way, leg, { ...of, asked: asked[index], index }, at)
    return [...items, dispatchedItem(leg)]
  })
}

/** That a request was received and is not sent on: it waits for a person, or the gateway answers. */
export async function recordReceived(
  way: Way,
  asked: readonly (AskedMasked | undefined)[],
  of: Received,
  at: Stations,
): Promise<Durable> {
  return await recordEach(way, of.digest, at, (leg, index) =>
    receivedItems(way, leg, { ...of, asked: asked[index], index }, at),
  )
}

/** That a call goes which was received before. @returns as `recordIntent`. */
export async function recordDispatch(way: Way, digest: string, at: Stations): Promise<Durable> {
  return await recordEach(way, digest, at, (leg) => [dispatchedItem(leg)])
}

async function recordEach(
  way: Way,
  digest: string,
  at: Stations,
  itemsOf: (leg: Leg, index: number) => Item[],
): Promise<Durable> {
  const commits = way.legs.map(async (leg, index) => {
    const items = itemsOf(leg, index)
    const receipt = await at.recorder.append(digest, leg.shared, items)
    if (!leg.isReceived) {
      leg.isReceived = true
      leg.session.calls++
      leg.session.underway++
      at.meters.received(leg.connection.name)
    }
    return receipt
  })
  const [first, ...others] = await Promise.all(commits)
  if (first === undefined || others.some((receipt) => !receipt.covers(digest))) {
    throw new Fault('record_down', 'The record gave no receipt; nothing was sent.')
  }
  noteIfOpened(way)
  return first
}

type Asked = Received & { readonly asked: AskedMasked | undefined; readonly index: number }

function receivedItems(way: Way, leg: Leg, of: Asked, at: Stations): Item[] {
  const { era, version } = way.spoken ?? { era: 'legacy' as const, version: '2025-03-26' }
  const { asked: masked, decision, index, rule, ticket } = of
  const inspected = of.inspected[index]
  const received: EntryInput = {
    type: 'call.received',
    era,
    version,
    rpcKind: leg.kind,
    method: leg.maskedMethod,
    target: leg.maskedTarget,
    bytes: leg.bytesIn,
    decision,
    rule,
    facts: inspected && recordedFacts(inspected, at),
    notes: of.notes,
    ticket,
  }
  const opening = index === 0 ? way.opening : []
  return [...opening, { entry: received, ...keptOf(masked) }, ...besides(masked, inspected, at)]
}

/** The masked text of a message, with the tokens of its card numbers. */
function keptOf(masked: AskedMasked | undefined): Pick<Item, 'body' | 'tokens'> {
  return { body: masked?.kept, tokens: masked?.maskings.tokens() }
}

/** What was masked in a client's message, and what inspection found in it. */
function besides(
  masked: AskedMasked | undefined,
  inspected: Inspected | undefined,
  at: Stations,
): Item[] {
  const items: Item[] = []
  if (masked !== undefined && masked.maskings.count > 0) {
    const groups = masked.maskings.groups()
    items.push({ entry: { type: 'mask.applied', of: 'call', groups, delivered: 'masked' } })
  }
  const found = inspected && foundDetails('call', inspected.findings)
  if (found !== undefined) {
    items.push({ entry: { type: 'inspect.found', details: at.masker.words(found) } })
  }
  return items
}

function dispatchedItem(leg: Leg): Item {
  const { connection, ticket } = leg
  return { entry: { type: 'call.dispatched', host: connection.host, attempt: 1, ticket } }
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
  /** What its text says to a model. */
  readonly findings?: readonly Finding[] | undefined
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
  const found = foundDetails('answer', told.findings ?? [])
  if (found !== undefined) {
    items.push({ entry: { type: 'inspect.found', details: at.masker.words(found) } })
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
  leg.ended = end.outcome
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
  const [leg] = way.legs
  const [asked] = way.asked
  const [inspected] = way.inspected
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
        rule: way.matched.length === 0 ? undefined : way.matched.join(' '),
        facts: inspected && recordedFacts(inspected, at),
      }
  const items: Item[] = [...way.opening, isAuth ? { entry } : { entry, ...keptOf(asked) }]
  if (!isAuth) items.push(...besides(asked, inspected, at))
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

const withheld: ReadonlySet<string> = new Set([
  'mask_failed',
  'answer_too_large',
  'answer_suspicious',
])

/** How an exchange that was received ends when a fault stops it. */
export function outcomeOf({ code, facts }: Fault): CallOutcome {
  if (code === 'refused' && facts['ticket'] !== undefined) return 'denied'
  if (withheld.has(code)) return 'withheld'
  if (code === 'cancelled') return 'cancelled'
  const isOut = code.startsWith('upstream_') || facts['reason'] === 'grant_ended' || stops.has(code)
  const isUpstream = isOut && facts['isSent'] !== false
  // If it went out, what became of it is not known.
  return isUpstream || code === 'stopping' || code === 'defect' ? 'unknown' : 'failed'
}
