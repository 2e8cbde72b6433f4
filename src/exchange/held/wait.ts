/** Waiting for a reviewer, as long as the caller's own patience allows, and telling it meanwhile. */
import { Fault } from '../../base/fault.ts'
import type { Ticket } from '../../hold/ticket.ts'
import type { Durable } from '../../record/durable.ts'
import { NONE, readJson, stringAt } from '../../wire/json.ts'
import type { Message } from '../../wire/message.ts'
import { beginStream, releaseAsEvent, sendPart } from '../release.ts'
import type { Stations } from '../stations.ts'
import { checkStopped } from '../stopped.ts'
import type { Known, Leg, Way } from '../way.ts'
import { leftFault, whenGone, within } from './present.ts'

const progressMs = 10_000
/** Whoever stops somebody breaks off their way at once; a stop of the gateway is seen by looking. */
const lookMs = 500

export interface Waiting {
  readonly way: Way
  readonly known: Known
  readonly leg: Leg
  readonly message: Message
  /** That it is held stands in the record: nothing is said of it before. */
  readonly receipt: Durable
}

/**
 * Waits until a ticket is not pending any more, the time is up, or the gateway stops. Nobody is kept
 * where there is no room for one more who waits.
 * @returns the ticket as it is then.
 * @throws {Fault} `cancelled` when the caller is gone or cancelled the call, what `checkStopped` throws.
 */
export async function waitFor(
  ticket: Ticket,
  waitMs: number,
  of: Waiting,
  at: Stations,
): Promise<Ticket> {
  const giveBack = placeFor(of.known, at)
  if (giveBack === undefined) return ticket
  const { leg, way } = of
  const work = new AbortController()
  const off = whenGone(way, leg, () => work.abort())
  try {
    // Asked for once: it is there as soon as the state is another one.
    const changed = at.tickets.changed(ticket.id, work.signal, ticket.state)
    changed.catch(() => undefined) // Looked at below, unless something ends the wait before.
    return (await look(changed, waitMs, of, at)) ?? at.tickets.byId(ticket.id) ?? ticket
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'cancelled') throw leftFault()
    if (error.code !== 'busy') throw error
    return ticket // As many wait for it as may: this caller is told its number at once.
  } finally {
    off()
    work.abort()
    giveBack()
  }
}

/** Looks at who waits, again and again, until the change is there or the time is up. */
async function look(
  changed: Promise<Ticket>,
  waitMs: number,
  of: Waiting,
  at: Stations,
): Promise<Ticket | undefined> {
  const { known, leg, way } = of
  const until = at.clock.monotonicMs() + waitMs
  const tell = progressOf(of, at)
  let tellMs = 0
  for (;;) {
    checkStopped(way, known, at)
    if (leg.isCancelled) throw leftFault()
    const nowMs = at.clock.monotonicMs()
    if (nowMs >= until || at.isStopping()) return undefined
    if (tell !== undefined && nowMs >= tellMs) {
      tellMs = nowMs + progressMs
      await tell()
    }
    const next = await within(changed, Math.min(until - nowMs, lookMs))
    if (next !== undefined) return next
  }
}

/**
 * A place among those who wait: each takes one of the streams that its principal may hold, and none
 * is given while messages in flight fill half of their room, since whoever waits keeps its own there.
 */
export function placeFor({ owner }: Known, at: Stations): (() => void) | undefined {
  if (at.budget.isCrowded) return undefined
  try {
    return at.streams.take(owner)
  } catch (error) {
    if (error instanceof Fault && error.code === 'busy') return undefined
    throw error
  }
}

/**
 * Progress notifications for a caller that asked for them (MCP, Progress). Their values rise from -1
 * towards 0, so that whatever the server says later is still higher.
 */
function progressOf(
  { known, leg, message, receipt, way }: Waiting,
  at: Stations,
): (() => Promise<void>) | undefined {
  const token = hearsProgress(message, way) ? tokenOf(message) : undefined
  if (token === undefined) return undefined
  let told = 0
  return async () => {
    if (way.began === undefined) {
      beginStream(way, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    }
    const text = 'Waiting for a person to approve this call.'
    const progress = (-1 + Math.min(told++, 999_999) / 1_000_000).toFixed(6)
    const data = Buffer.from(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${progress},"message":"${text}"}}`,
    )
    const limits = { bytesMax: data.length, depthMax: 8 }
    const { shown } = at.masker.answer(readJson(data, limits), known.plan, known.binding)
    await sendPart(way, releaseAsEvent(shown, receipt, leg.exchange))
  }
}

/** The raw token, as the caller spelt it; undefined where there is none of a good kind. */
function tokenOf({ params, tree }: Message): string | undefined {
  const token = tree.get(tree.get(params, '_meta'), 'progressToken')
  if (token === NONE) return undefined
  const isWord = tree.kind(token) === 'string' && stringAt(tree, token) !== undefined
  if (!isWord && tree.kind(token) !== 'number') return undefined
  return Buffer.from(tree.raw(token)).toString('utf8')
}

/** Whether the caller hears of progress while it waits. */
export function hearsProgress(message: Message, way: Way): boolean {
  const takesStream = (way.incoming.headers.get('accept') ?? '').includes('text/event-stream')
  return takesStream && tokenOf(message) !== undefined
}
