/**
 * The evidence that people said yes to exactly one call. Only this file makes an `Approval`, and only
 * from a ticket that was just consumed.
 */
import { timingSafeEqual } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { commitmentOf } from './commitment.ts'
import type { Committed } from './commitment.ts'

class TicketApproval {
  readonly ticket: string
  readonly isEmergency: boolean
  readonly #key: Uint8Array
  readonly #commitment: Uint8Array
  #isSpent = false

  constructor(ticket: string, isEmergency: boolean, key: Uint8Array, commitment: Uint8Array) {
    this.ticket = ticket
    this.isEmergency = isEmergency
    this.#key = key
    this.#commitment = commitment
  }

  /** Whether this is the call that was approved: its connection, method, tool, and every byte. */
  covers(call: Committed): boolean {
    return timingSafeEqual(commitmentOf(this.#key, call), this.#commitment)
  }

  /** Takes it out of use, before the first byte leaves. @throws {Fault} `refused` if it was. */
  spend(): void {
    if (this.#isSpent) {
      throw new Fault('refused', 'An approval is good for one sending; it was spent.')
    }
    this.#isSpent = true
    this.#key.fill(0)
  }
}
/** The type leaves the file, the constructor never does. */
export type Approval = TicketApproval

/** What the store took out of `approved`. */
export interface Consumed {
  readonly id: string
  readonly isEmergency: boolean
  readonly key: Uint8Array
  readonly commitment: Uint8Array
}

/** Called by the store alone, once the row has become `executing` by its one update. */
export function approvalOf({ commitment, id, isEmergency, key }: Consumed): Approval {
  return new TicketApproval(id, isEmergency, key, commitment)
}
