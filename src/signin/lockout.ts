/**
 * Wrong passwords, counted by account and source: after ten the pair waits for half an hour (PCI DSS
 * v4.0.1 req. 8.3.4). By both, since else anybody could lock anybody out.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { networkOf } from '../base/network.ts'

const triesMax = 10
/** From all sources together: guessing with many addresses ends here, at a speed that is no use. */
const triesOfAllMax = 100
const lockedMs = 30 * 60_000
const pairsMax = 50_000

interface Tries {
  count: number
  sinceMs: number
}

export class Lockout {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #pairs = new Map<string, Tries>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /**
   * Whether no more passwords are looked at.
   * @param ip the source's address.
   * @param isKeyNext a security key follows the password. Guessing it with many addresses leads
   *   nowhere then, and must not keep everybody from the account for emergencies.
   */
  isLocked(account: string, ip: string, isKeyNext = false): boolean {
    if (this.#count(keyOf(account, ip)) >= triesMax) return true
    return !isKeyNext && this.#count(keyOf(account)) >= triesOfAllMax
  }

  /** One more try. Counted before the password is looked at, so tries at once count as well. */
  tried(account: string, ip: string): void {
    for (const key of [keyOf(account, ip), keyOf(account)]) {
      const tries = { count: this.#count(key) + 1, sinceMs: this.#clock.monotonicMs() }
      this.#pairs.delete(key)
      this.#pairs.set(key, tries)
    }
    for (const oldest of this.#pairs.keys()) {
      if (this.#pairs.size <= pairsMax) break
      this.#pairs.delete(oldest)
    }
  }

  /** Takes a try back: its password was not looked at. */
  untried(account: string, ip: string): void {
    for (const key of [keyOf(account, ip), keyOf(account)]) {
      const tries = this.#pairs.get(key)
      if (tries !== undefined) tries.count = Math.max(0, tries.count - 1)
    }
  }

  /** The password was right: this source begins anew. */
  passed(account: string, ip: string): void {
    this.#pairs.delete(keyOf(account, ip))
    const all = this.#pairs.get(keyOf(account))
    if (all !== undefined) all.count = Math.max(0, all.count - 1)
  }

  #count(key: string): number {
    const tries = this.#pairs.get(key)
    if (tries === undefined) return 0
    return this.#clock.monotonicMs() - tries.sinceMs < lockedMs ? tries.count : 0
  }
}

function keyOf(account: string, ip?: string): string {
  const place = ip === undefined ? '' : networkOf(ip)
  return createHash('sha256').update(`${account}\n${place}`).digest('base64url')
}
