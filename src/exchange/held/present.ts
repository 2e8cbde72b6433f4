/** Whether a caller is still there: nothing is done for one who has left, cancelled, or is stopped. */
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../base/fault.ts'
import type { Leg, Way } from '../way.ts'

/** Nothing was sent for a caller who left before. */
export function leftFault(): Fault {
  const message = 'The caller left, or cancelled the call, while it was held; nothing was sent.'
  return new Fault('cancelled', message, { facts: { reason: 'left_while_held', isSent: false } })
}

/** @throws {Fault} `cancelled` for a caller who has left, or cancelled the call. */
export function checkPresent({ incoming, legs, work }: Way): void {
  const isCancelled = legs.some((leg) => leg.isCancelled)
  if (isCancelled || incoming.gone.aborted || work.signal.aborted) throw leftFault()
}

/**
 * Calls back once the caller leaves, is stopped, or cancels the call.
 * @returns off.
 */
export function whenGone({ incoming, work }: Way, leg: Leg, then: () => void): () => void {
  const signals = [incoming.gone, work.signal]
  for (const signal of signals) signal.addEventListener('abort', then, { once: true })
  leg.cancel = then
  if (leg.isCancelled || signals.some(({ aborted }) => aborted)) then()
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', then)
    leg.cancel = undefined
  }
}

/**
 * What somebody else is about to have, while this caller is there.
 * @returns undefined where there is nothing to wait for, or the time was up.
 * @throws {Fault} `cancelled` when the caller leaves first.
 */
export async function whilePresent<T>(
  of: Promise<T> | undefined,
  way: Way,
  leg: Leg,
  ms: number = Infinity,
): Promise<T | undefined> {
  const { promise, reject } = Promise.withResolvers<never>()
  const off = whenGone(way, leg, () => reject(leftFault()))
  try {
    return await Promise.race([promise, within(of ?? Promise.resolve(undefined), ms)])
  } finally {
    off()
  }
}

/** What a promise gives, or undefined after a time. */
export async function within<T>(of: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms === Infinity) return await of
  const over = new AbortController()
  const late = pause(ms, undefined, { signal: over.signal }).catch(() => undefined)
  try {
    return await Promise.race([of, late])
  } finally {
    over.abort()
  }
}
