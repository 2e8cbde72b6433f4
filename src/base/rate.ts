/** How often one address may do something. */
import type { Clock } from './clock.ts'
import { networkOf } from './network.ts'

export interface RateOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly timesMax: number
  readonly windowMs: number
  /** How much of an IPv6 address names its network; 64 unless told. */
  readonly networkBits?: 48 | 64
}

const addressesMax = 10_000

/**
 * Counts by address (IPv6 by its network) in windows of fixed length. Where it knows too many it
 * forgets the oldest: whoever has very many addresses has as many budgets, and shuts nobody out.
 */
export class Rate {
  readonly #options: RateOptions
  readonly #seen = new Map<string, { sinceMs: number; times: number }>()

  constructor(options: RateOptions) {
    this.#options = options
  }

  /** Counts one more. @returns false when it is one too many. */
  take(ip: string): boolean {
    const { clock, networkBits, timesMax, windowMs } = this.#options
    const nowMs = clock.monotonicMs()
    const key = networkOf(ip, networkBits)
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

  /** Takes one back that should not have counted. */
  giveBack(ip: string): void {
    const known = this.#seen.get(networkOf(ip, this.#options.networkBits))
    if (known !== undefined && known.times > 0) known.times--
  }
}
