/** How often one address may do something. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../base/clock.ts'

export interface RateOptions {
  readonly clock: Clock
  readonly timesMax: number
  readonly windowMs: number
}

const addressesMax = 10_000

/** Counts by address in windows of fixed length. Forgets the oldest address when it knows too many. */
export class Rate {
  readonly #options: RateOptions
  readonly #seen = new Map<string, { sinceMs: number; times: number }>()

  constructor(options: RateOptions) {
    this.#options = options
  }

  /** Counts one more. @returns false when it is one too many. */
  take(ip: string): boolean {
    const { clock, timesMax, windowMs } = this.#options
    const nowMs = clock.monotonicMs()
    const key = isIPv6(ip) ? network(ip) : ip
    const known = this.#seen.get(key)
    if (known !== undefined && nowMs - known.sinceMs < windowMs) {
      known.times++
      return known.times <= timesMax
    }
    this.#seen.delete(key)
    this.#seen.set(key, { sinceMs: nowMs, times: 1 })
    if (this.#seen.size > addressesMax) {
      const oldest = this.#seen.keys().next()
      if (!oldest.done) this.#seen.delete(oldest.value)
    }
    return timesMax > 0
  }
}

/** The first 64 bits: one subscriber has that many addresses at least (RFC 6177). */
function network(ip: string): string {
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
