/**
 * Room for messages in flight: each is held in memory whole until it is masked and durable, so the
 * sum of them has a limit, and whoever would pass it waits. Waiting is what passes back-pressure on:
 * the socket behind is not read meanwhile.
 */
import { Fault } from '../base/fault.ts'

export class Budget {
  readonly #bytesMax: number
  readonly #waitMs: number
  #used = 0
  #waiting: { bytes: number; go: () => void }[] = []

  /**
   * @param bytesMax how many bytes may be in flight at once.
   * @param waitMs how long a message waits for room before it is refused.
   */
  constructor(bytesMax: number, waitMs = 10_000) {
    this.#bytesMax = bytesMax
    this.#waitMs = waitMs
  }

  get usedBytes(): number {
    return this.#used
  }

  /** Whether messages in flight fill more than half of the room. */
  get isCrowded(): boolean {
    return this.#used > this.#bytesMax / 2
  }

  /** Opens an account for one message; `end` gives everything back, once. */
  open(): Account {
    let held = 0
    return {
      take: async (bytes) => {
        if (this.#used + bytes > this.#bytesMax) await this.#wait(bytes)
        this.#used += bytes
        held += bytes
      },
      end: () => {
        this.#used -= held
        held = 0
        this.#wake()
      },
    }
  }

  async #wait(bytes: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const entry = { bytes, go: resolve }
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== entry)
        reject(
          new Fault(
            'busy',
            'The gateway holds as many message bytes as it may (limits.in_flight_bytes_max). Try again in a moment.',
            { facts: { reason: 'in_flight_bytes' } },
          ),
        )
      }, this.#waitMs)
      entry.go = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.push(entry)
    })
  }

  /** First come, first served: a large message is not overtaken for ever by small ones. */
  #wake(): void {
    let room = this.#bytesMax - this.#used
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting
      if (first === undefined || first.bytes > room) return
      this.#waiting.shift()
      room -= first.bytes
      first.go()
    }
  }
}

/** The bytes one message holds. */
export interface Account {
  /** Waits for room. @throws {Fault} `busy` after a time without any. */
  take(bytes: number): Promise<void>
  end(): void
}

/** How many streams each principal holds open at once. */
export class StreamCount {
  readonly #max: number
  readonly #open = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** @returns a function that gives the place back. @throws {Fault} `busy` when all are taken. */
  take(owner: string): () => void {
    const open = this.#open.get(owner) ?? 0
    if (open >= this.#max) {
      throw new Fault(
        'busy',
        `You hold ${open} open streams, which is as many as a principal may (limits.streams_per_principal_max). Close some.`,
        { facts: { reason: 'streams_per_principal' } },
      )
    }
    this.#open.set(owner, open + 1)
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      const left = (this.#open.get(owner) ?? 1) - 1
      if (left > 0) this.#open.set(owner, left)
      else this.#open.delete(owner)
    }
  }
}
