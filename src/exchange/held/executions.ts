/**
 * Approved calls under way, and what came of them. One caller executes a ticket; whoever else waits
 * for it gets the same answer, and so does its requester who lost the first one. Kept in memory alone,
 * for a while: a lost answer is no reason to run a call twice.
 */
import type { Clock } from '../../base/clock.ts'
import type { Verdict } from '../../policy/verdict.ts'

/** What came of an execution. */
export interface Ran {
  /** The server's final message, as it came (redacted); undefined where there was none, or it is gone. */
  readonly message: Uint8Array | undefined
  /** What rules wanted done with it: it holds for whoever gets it later. */
  readonly duties: Verdict['duties']
  /** Whether it left whole to the caller who executed. */
  isDelivered: boolean
}

/** Held by the one caller who may execute. */
export interface Claim {
  /** Keeps the server's final message. */
  keep(message: Uint8Array): void
  /** It is over. @param didRun false where nothing was sent: the next may claim it. */
  over(of: { didRun: boolean; isDelivered: boolean }): void
}

interface Execution {
  readonly done: Promise<Ran | undefined>
  readonly duties: Verdict['duties']
  message: Uint8Array | undefined
  ran: Ran | undefined
  endedMs: number
}

/** How long an answer is kept for whoever lost it. */
export const keptMs: number = 10 * 60_000
const keptMax = 1000
const keptBytesMax = 64 * 1_048_576

export class Executions {
  readonly #clock: Clock
  readonly #all = new Map<string, Execution>()
  #bytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Makes the caller the one who executes a ticket; undefined where another one does, or did. */
  claim(ticket: string, duties: Verdict['duties'] = {}): Claim | undefined {
    this.#tidy()
    if (this.#all.has(ticket)) return undefined
    const { promise, resolve } = Promise.withResolvers<Ran | undefined>()
    const fresh = { message: undefined, ran: undefined, endedMs: 0 }
    const execution: Execution = { done: promise, duties, ...fresh }
    this.#all.set(ticket, execution)
    return {
      keep: (message) => void (execution.message = Uint8Array.from(message)),
      over: ({ didRun, isDelivered }) => {
        if (!didRun) this.#all.delete(ticket)
        else this.#end(execution, isDelivered)
        resolve(execution.ran)
      },
    }
  }

  /** Resolves when the ticket's execution is over; with undefined where nothing was sent. Undefined
   *  where none is known here. */
  of(ticket: string): Promise<Ran | undefined> | undefined {
    return this.#all.get(ticket)?.done
  }

  /** What came of it, where it is over. */
  ended(ticket: string): Ran | undefined {
    return this.#all.get(ticket)?.ran
  }

  #end(execution: Execution, isDelivered: boolean): void {
    const { duties, message } = execution
    execution.ran = { message, duties, isDelivered }
    execution.endedMs = this.#clock.monotonicMs()
    this.#bytes += execution.message?.length ?? 0
    this.#tidy()
  }

  /** The oldest go first: a map keeps the order in which they began. */
  #tidy(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [ticket, execution] of this.#all) {
      const isOver = execution.ran !== undefined
      const isOld = isOver && nowMs - execution.endedMs > keptMs
      const isTooMuch = this.#all.size > keptMax || this.#bytes > keptBytesMax
      if (!isOld && !isTooMuch) break
      if (!isOver) continue
      this.#bytes -= execution.message?.length ?? 0
      this.#all.delete(ticket)
    }
  }
}
