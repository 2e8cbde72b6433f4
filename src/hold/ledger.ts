/**
 * The states of tickets: each change is one conditional update, durable before anybody hears of it.
 *
 * What ends a ticket is in force before its entry is written, and what lets it run only after: a
 * row says by `told` whether the entry of its state is in the record. Entries that could not be
 * written are written later, by `tellDue`; a crash in between loses none.
 */
import { Fault } from '../base/fault.ts'
import { aboutRequester } from './entries.ts'
import type { TicketKeys } from './keys.ts'
import { decisionForm, openColumns, openForm, quorumOf, ticketForm, ticketOf } from './rows.ts'
import type { DecisionRow, OpenRow, TicketRow } from './rows.ts'
import { iso } from './statement.ts'
import type { TicketTable } from './table.ts'
import type { Ticket, TicketState } from './ticket.ts'
import type { TicketEvent, TicketsOptions } from './tickets.ts'
import { Waiters } from './waiters.ts'

/** Corrections of the clock that are believed; further back nobody can tell what is in time. */
const clockSlackMs = 60_000

type Listener = (event: TicketEvent, ticket: Ticket) => void

/** Events that follow from a state, once it is in the record. */
const eventOf: Partial<Record<TicketState, TicketEvent>> = {
  approved: 'approved',
  denied: 'denied',
  expired: 'expired',
  withdrawn: 'withdrawn',
}

export class Ledger {
  readonly table: TicketTable
  readonly keys: TicketKeys
  readonly options: TicketsOptions
  readonly waiters: Waiters = new Waiters()
  /** Tickets whose first entry is being written, with what comes of it. */
  readonly opening: Map<string, Promise<Ticket>> = new Map()
  readonly #listeners = new Set<Listener>()
  /** By id the monotonic end of what waits: a wall clock that stands still holds nobody in time. */
  readonly #ends = new Map<string, number>()
  readonly #telling = new Map<string, Promise<void>>()
  #hasEnded = false

  constructor(table: TicketTable, keys: TicketKeys, options: TicketsOptions) {
    this.table = table
    this.keys = keys
    this.options = options
    this.#recover()
  }

  nowMs(): number {
    return Math.floor(this.options.clock.nowUs() / 1000)
  }

  /** @throws {Fault} `path_unknown`. */
  row(id: string): TicketRow {
    const row = this.find(id)
    if (row !== undefined) return row
    const message = 'There is no such held call. It may have been one of another gateway.'
    throw new Fault('path_unknown', message, { facts: { reason: 'ticket_unknown' } })
  }

  /** Undefined also while its first entry is not in the record. */
  find(id: string): TicketRow | undefined {
    const [row] = this.table.rows(ticketForm, 'SELECT * FROM ticket WHERE id = ?', id)
    return row?.state === 'pending' && !row.told ? undefined : row
  }

  decisions(id: string): DecisionRow[] {
    const sql = 'SELECT * FROM ticket_decision WHERE ticket = ? ORDER BY ordinal'
    return this.table.rows(decisionForm, sql, id)
  }

  ticket(row: TicketRow): Ticket {
    return ticketOf(row, this.decisions(row.id))
  }

  /** Notes until when a ticket waits, by the clock that cannot be set. */
  waits(id: string, forMs: number): void {
    this.#ends.set(id, this.options.clock.monotonicMs() + forMs)
  }

  /** Why a ticket that is open is not in time; undefined where it is. */
  outOfTime(row: OpenRow): string | undefined {
    const nowMs = this.nowMs()
    const ends = this.#ends.get(row.id) ?? 0
    if (nowMs >= row.not_after_ms || this.options.clock.monotonicMs() >= ends) {
      return row.state === 'pending'
        ? 'Nobody decided in time.'
        : 'It was approved, and nobody came for it in time.'
    }
    if (nowMs + clockSlackMs >= Math.max(row.seen_ms, row.changed_ms)) return undefined
    return 'The clock went back, so nobody can tell whether it is still in time.'
  }

  /** Open tickets: `pending` and `approved`, or more. */
  open(where = "state IN ('pending', 'approved')", ...values: readonly string[]): OpenRow[] {
    const sql = `SELECT ${openColumns} FROM ticket WHERE key IS NOT NULL AND ${where}`
    return this.table.rows(openForm, sql, ...values)
  }

  /**
   * In force on return; keys are destroyed, waiters hear of it, its entry follows.
   * @returns false where it was in none of these states any more.
   */
  end(id: string, from: readonly TicketState[], to: TicketState, of: Ended): boolean {
    if (!this.endRow(id, from, to, of)) return false
    // A crash from here on leaves it ended, and its entry due.
    this.ended(id)
    return true
  }

  /** The row alone, for who has more to write in the same transaction, and calls `ended` then. */
  endRow(id: string, from: readonly TicketState[], to: TicketState, of: Ended): boolean {
    const nowMs = this.nowMs()
    const marks = from.map(() => '?').join(', ')
    const sql = `UPDATE ticket SET state = ?, told = 0, key = NULL, args = NULL, ended = ?,
      outcome = ?, changed_ms = max(changed_ms, ?) WHERE id = ? AND state IN (${marks})`
    const { outcome = '', why = '' } = of
    return this.table.run(sql, to, why, outcome, nowMs, id, ...from) === 1
  }

  ended(id: string): void {
    this.#ends.delete(id)
    this.#hasEnded = true
    if (this.opening.has(id)) return
    const row = this.find(id)
    if (row !== undefined) this.waiters.wake(this.ticket(row))
    void this.tell(id).catch(() => undefined) // It stays due, and is told with the next tick.
  }

  /** Writes the entry of a ticket's state. @throws {Fault} `record_down`: it stays due then. */
  async tell(id: string): Promise<void> {
    const before = this.#telling.get(id)
    const telling = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => await this.#tell(id))
    this.#telling.set(id, telling)
    try {
      await telling
    } finally {
      if (this.#telling.get(id) === telling) this.#telling.delete(id)
    }
  }

  /** Entries that are due, after a crash or while the record was down. */
  async tellDue(countMax = 100): Promise<void> {
    const sql = `SELECT ${openColumns} FROM ticket
      WHERE told = 0 AND state <> 'pending' ORDER BY number LIMIT ?`
    for (const { id, state } of this.table.rows(openForm, sql, countMax)) {
      const isAtWork = this.opening.has(id) || this.#telling.has(id)
      if (!isAtWork && state !== 'executing') await this.tell(id)
    }
    if (this.#hasEnded && this.#telling.size === 0) {
      this.table.forget()
      this.#hasEnded = false
    }
  }

  /** Told of what happens, once it is in the record. @returns off. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(event: TicketEvent, ticket: Ticket): void {
    for (const listener of this.#listeners) {
      try {
        listener(event, ticket)
      } catch {
        // Whoever listens is told, and decides nothing: the ticket stands as it is.
      }
    }
  }

  async #tell(id: string): Promise<void> {
    const row = this.find(id)
    if (row === undefined || row.told || row.state === 'pending' || row.state === 'executing')
      return
    const { ended, outcome, state } = row
    const { note } = this.options
    const about = aboutRequester(row)
    if (state === 'approved') {
      const by = this.decisions(id).map(({ by: who }) => who.name ?? who.subject)
      const isEmergency = row.emergency !== null
      const need = quorumOf(row.doc.terms)
      const until = iso(row.not_after_ms)
      await note('ticket.approved', about, { ticket: id, by, need, isEmergency, until })
    } else if (state === 'executed') {
      await note('ticket.executed', about, { ticket: id, outcome })
    } else {
      await note('ticket.ended', about, { ticket: id, state, why: ended })
    }
    const sql = 'UPDATE ticket SET told = 1 WHERE id = ? AND state = ? AND told = 0'
    // A crash before this leaves the entry twice, which says the same.
    if (this.table.run(sql, id, state) !== 1) return
    const ticket = this.ticket({ ...row, told: true })
    if (state === 'approved') this.waiters.wake(ticket)
    const event = state === 'approved' && row.emergency !== null ? 'emergency' : eventOf[state]
    if (event !== undefined) this.emit(event, ticket)
  }

  /** What a crash or a stop left. */
  #recover(): void {
    const nowMs = this.nowMs()
    for (const row of this.open('TRUE')) {
      const { id, state } = row
      this.find(id) // One that cannot be read is not passed over.
      // No longer than it had left; shorter, if the clock ran on meanwhile.
      this.#ends.set(id, this.options.clock.monotonicMs() + Math.max(0, row.not_after_ms - nowMs))
      if (state === 'executing') {
        const why =
          'The gateway stopped while it ran: nobody knows whether it did. It is not run again.'
        this.#endQuietly(id, 'executing', 'unknown', why)
      } else if (state === 'pending' && !row.told) {
        this.#endQuietly(id, 'pending', 'void', 'The gateway stopped before the call was held.')
      } else {
        const late = this.outOfTime(row)
        if (late !== undefined) this.#endQuietly(id, state, 'expired', late)
      }
    }
  }

  /** Its entry is due: `tellDue` writes it. */
  #endQuietly(id: string, from: TicketState, to: TicketState, why: string): void {
    const sql = `UPDATE ticket SET state = ?, told = 0, key = NULL, args = NULL, ended = ?
      WHERE id = ? AND state = ?`
    this.table.run(sql, to, why, id, from)
    this.#ends.delete(id)
    this.#hasEnded = true
  }
}

/** What is told of an end: why, for people, or what came of the execution. */
interface Ended {
  readonly why?: string
  readonly outcome?: string
}
