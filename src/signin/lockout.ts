/**
 * Wrong passwords, counted by account and source: after ten the pair waits for half an hour (PCI DSS
 * v4.0.1 req. 8.3.4). By both, since else anybody could lock anybody out.
 */
import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Clock } from '../base/clock.ts'

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

  /** Whether no more passwords are looked at. @param ip the source's address. */
  isLocked(account: string, ip: string): boolean {
    return (
      this.#count(keyOf(account, ip)) >= triesMax || this.#count(keyOf(account)) >= triesOfAllMax
    )
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

/** An IPv6 source is its /64: one machine has as many addresses in there as it likes. */
function keyOf(account: string, ip?: string): string {
  const place = ip === undefined ? '' : isIPv6(ip) ? networkOf(ip) : ip
  return createHash('sha256').update(`${account}\n${place}`).digest('base64url')
}

function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = ip.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4)
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}
