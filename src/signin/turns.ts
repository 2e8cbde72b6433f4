/**
 * Turns at work that costs much: a few at a time, a short queue behind them, and in that queue a few
 * of one address at most, so that one address alone never fills it.
 */
import { Fault } from '../base/fault.ts'
import { networkOf } from '../base/network.ts'

export interface TurnsOptions {
  readonly atOnceMax: number
  readonly waitingMax: number
  /** Of one address (IPv6 by its network), at work and waiting together. */
  readonly ofOneMax: number
  /** The machine's word for a full queue. */
  readonly reason: string
}

export class Turns {
  readonly #options: TurnsOptions
  readonly #waiting: (() => void)[] = []
  readonly #places = new Map<string, number>()
  #running = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /**
   * Does one piece of work when it is its turn.
   * @param ip whose it is; without one only the whole queue counts.
   * @throws {Fault} `busy` where too many wait already; nothing was begun then.
   */
  async take<T>(work: () => Promise<T>, ip?: string): Promise<T> {
    const place = ip === undefined ? undefined : networkOf(ip)
    this.#enter(place)
    try {
      await this.#turn()
      try {
        return await work()
      } finally {
        // Whoever waits takes this place over; nobody can come between.
        const next = this.#waiting.shift()
        if (next === undefined) this.#running--
        else next()
      }
    } finally {
      this.#leave(place)
    }
  }

  #enter(place: string | undefined): void {
    const { atOnceMax, ofOneMax, reason, waitingMax } = this.#options
    const own = place === undefined ? 0 : (this.#places.get(place) ?? 0)
    const isFull = this.#running >= atOnceMax && this.#waiting.length >= waitingMax
    if (isFull || own >= ofOneMax) {
      const sentence = 'Too many people sign in at this moment. Try again in a minute.'
      throw new Fault('busy', sentence, { facts: { reason } })
    }
    if (place !== undefined) this.#places.set(place, own + 1)
  }

  #leave(place: string | undefined): void {
    if (place === undefined) return
    const left = (this.#places.get(place) ?? 0) - 1
    if (left > 0) this.#places.set(place, left)
    else this.#places.delete(place)
  }

  async #turn(): Promise<void> {
    if (this.#running < this.#options.atOnceMax) {
      this.#running++
      return
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
