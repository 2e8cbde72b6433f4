/** Callers that wait for a ticket's next change. */
import { Fault } from '../base/fault.ts'
import type { Ticket } from './ticket.ts'

const ofOneMax = 1000
const inAllMax = 10_000

interface Waiter {
  wake(ticket: Ticket): void
}

export class Waiters {
  readonly #of = new Map<string, Set<Waiter>>()
  #count = 0

  /** @throws {Fault} `busy` with too many of them, `cancelled` by the signal. */
  async wait(id: string, signal: AbortSignal): Promise<Ticket> {
    if (signal.aborted) throw cancelled()
    const waiting = this.#of.get(id) ?? new Set<Waiter>()
    if (waiting.size >= ofOneMax || this.#count >= inAllMax) {
      const message =
        'Too many callers wait for held calls. This one was not kept waiting; its ticket stands.'
      throw new Fault('busy', message, { facts: { reason: 'waiters_full' } })
    }
    const { promise, reject, resolve } = Promise.withResolvers<Ticket>()
    const waiter = { wake: resolve }
    const off = (): void => reject(cancelled())
    signal.addEventListener('abort', off, { once: true })
    this.#of.set(id, waiting.add(waiter))
    this.#count++
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', off)
      this.#count--
      waiting.delete(waiter)
      if (waiting.size === 0 && this.#of.get(id) === waiting) this.#of.delete(id)
    }
  }

  /** Whether anybody waits for it. */
  has(id: string): boolean {
    return this.#of.has(id)
  }

  wake(ticket: Ticket): void {
    const waiting = this.#of.get(ticket.id)
    // Whoever waits again from here on waits for the change after this one.
    this.#of.delete(ticket.id)
    for (const waiter of waiting ?? []) waiter.wake(ticket)
  }
}

function cancelled(): Fault {
  const message = 'The caller does not wait any more; its ticket stands.'
  return new Fault('cancelled', message)
}
