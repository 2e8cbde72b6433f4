/** How often one address may do something. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../base/clock.ts'

export interface RateOptions {
  readonly clock: Clock
  readonly timesMax: number
  readonly windowMs: number
  /** How much of an IPv6 address names its network; 64 unless told. */
  readonly networkBits?: 48 | 64
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
}

/**
 * What stands for a subscriber: an address of IPv4; of IPv6 the first 64 bits, since one subscriber
 * has all addresses below at least (RFC 6177), or 48, which is what a site gets.
 */
export function networkOf(ip: string, bits: 48 | 64 = 64): string {
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups
    .slice(0, bits / 16)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
