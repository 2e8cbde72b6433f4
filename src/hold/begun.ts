/** Statements that wait for their signature: in memory, for five minutes, each good once. */
import { Fault } from '../base/fault.ts'
import type { AskedDecision } from './tickets.ts'

export const signMs: number = 5 * 60_000
const begunMax = 5000
const unitsMax = 64 * 1024 * 1024

export interface BegunDecision {
  readonly challenge: string
  readonly statement: string
  readonly ticket: string
  readonly person: string
  readonly asked: AskedDecision
  /** Masked. */
  readonly justification: string
  readonly atMs: number
  /** As the statement says it. */
  readonly notAfterMs: number
  /** Monotonic. */
  readonly endsMs: number
}

export class BegunDecisions {
  readonly #all = new Map<string, BegunDecision>()
  /** One of a person for a ticket: the newest. */
  readonly #newest = new Map<string, string>()
  /** Of all statements, in UTF-16 units. */
  #units = 0

  add(begun: BegunDecision): void {
    const key = keyOf(begun)
    const before = this.#all.get(this.#newest.get(key) ?? '')
    if (before !== undefined) this.#forget(before)
    this.#newest.set(key, begun.challenge)
    this.#all.set(begun.challenge, begun)
    this.#units += begun.statement.length
    for (const oldest of this.#all.values()) {
      if (this.#all.size <= begunMax && this.#units <= unitsMax) break
      this.#forget(oldest)
    }
  }

  /** Takes it out, whatever becomes of it: nothing is tried twice. */
  take(challenge: string, monotonicMs: number): BegunDecision {
    const begun = this.#all.get(challenge)
    if (begun !== undefined) this.#forget(begun)
    if (begun !== undefined && monotonicMs < begun.endsMs) return begun
    const message =
      'This decision was not begun here, was signed already, or waited for over five minutes. Nothing was decided. Open the ticket and decide anew.'
    throw new Fault('refused', message, { facts: { reason: 'statement_unknown' } })
  }

  #forget(begun: BegunDecision): void {
    this.#all.delete(begun.challenge)
    this.#units -= begun.statement.length
    const key = keyOf(begun)
    if (this.#newest.get(key) === begun.challenge) this.#newest.delete(key)
  }
}

function keyOf({ person, ticket }: BegunDecision): string {
  return `${ticket} ${person}`
}
