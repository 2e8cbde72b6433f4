/**
 * Which ticket the last identical call of a caller was told of, so that a denial or an end reaches it
 * when it comes back, in place of a new ticket. Kept in memory: after a restart it asks anew.
 */
import type { Clock } from '../../base/clock.ts'

const followedMs = 30 * 60_000
const followedMax = 10_000

export class Followed {
  readonly #clock: Clock
  readonly #all = new Map<string, { readonly ticket: string; readonly atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param identity a keyed hash of who calls what, with which bytes. */
  note(identity: string, ticket: string): void {
    const atMs = this.#clock.monotonicMs()
    this.#all.delete(identity)
    this.#all.set(identity, { ticket, atMs })
    for (const [key, one] of this.#all) {
      if (this.#all.size <= followedMax && atMs - one.atMs <= followedMs) break
      this.#all.delete(key)
    }
  }

  /** The ticket it was told of last; it is told of its end once. */
  take(identity: string): string | undefined {
    const found = this.#all.get(identity)
    this.#all.delete(identity)
    const isFresh = found !== undefined && this.#clock.monotonicMs() - found.atMs <= followedMs
    return isFresh ? found.ticket : undefined
  }
}
