/**
 * Floods of bad requests: each address may have a few refusals recorded one by one; beyond that they
 * are answered with 429 and counted, and the counts go to the record as one signed entry at a time.
 */
import type { Clock } from '../base/clock.ts'

const addressesMax = 10_000

interface Bucket {
  tokens: number
  atMs: number
}

/** What was counted and not recorded one by one. */
export interface FloodCount {
  readonly fromUs: number
  readonly toUs: number
  /** Refusals by reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly addresses: number
}

export class Floods {
  readonly #clock: Clock
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()
  #refused = new Map<string, number>()
  #addresses = new Set<string>()
  #fromUs = 0

  /** @param perMinute how many refusals of one address are recorded one by one in a minute. */
  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock
    this.#burst = perMinute
  }

  /**
   * Notes a refusal of an address.
   * @returns true when it is to be recorded by itself, false when it was counted.
   */
  admit(ip: string, reason: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const bucket = this.#buckets.get(ip) ?? { tokens: this.#burst, atMs: nowMs }
    const refill = ((nowMs - bucket.atMs) / 60_000) * this.#burst
    bucket.tokens = Math.min(this.#burst, bucket.tokens + refill)
    bucket.atMs = nowMs
    this.#keep(ip, bucket)
    if (bucket.tokens >= 1) {
      bucket.tokens--
      return true
    }
    if (this.#refused.size === 0) this.#fromUs = this.#clock.nowUs()
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
    if (this.#addresses.size < addressesMax) this.#addresses.add(ip)
    return false
  }

  /** Takes what was counted since the last time; undefined when there was nothing. */
  take(): FloodCount | undefined {
    if (this.#refused.size === 0) return undefined
    const refused = Object.fromEntries(this.#refused)
    const addresses = this.#addresses.size
    this.#refused = new Map()
    this.#addresses = new Set()
    return { fromUs: this.#fromUs, toUs: this.#clock.nowUs(), refused, addresses }
  }

  /** The map is bounded: the address that was quiet for longest goes first. */
  #keep(ip: string, bucket: Bucket): void {
    this.#buckets.delete(ip)
    this.#buckets.set(ip, bucket)
    if (this.#buckets.size <= addressesMax) return
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}
