/** Opens the held calls of an installation: everything of `tickets.ts`, over `state.sqlite`. */
import { Deciding } from './deciding.ts'
import { Delegations } from './delegations.ts'
import { aboutRequester } from './entries.ts'
import { Holding } from './holding.ts'
import { TicketKeys } from './keys.ts'
import { Ledger } from './ledger.ts'
import { shareMark } from './marks.ts'
import { proofOf } from './proof.ts'
import type { ApprovalProof } from './proof-format.ts'
import { isRefusal, refused, reviewerMarks } from './reviewers.ts'
import type { People } from './reviewers.ts'
import { ticketForm } from './rows.ts'
import type { OpenRow, TicketRow } from './rows.ts'
import { iso } from './statement.ts'
import { TicketTable } from './table.ts'
import type { HeldCall, Ticket, TicketState } from './ticket.ts'
import type {
  AskedDecision,
  Begun,
  BoundNow,
  Delegation,
  Identical,
  Refusal,
  Signed,
  Taken,
  TicketEvent,
  TicketFilter,
  Tickets,
  TicketsOf,
  TicketsOptions,
} from './tickets.ts'

const open = ['pending', 'approved'] as const
/** How often it is noted that tickets still wait. */
const seenEveryMs = 60_000

/**
 * @param file the path of `state.sqlite`, or `:memory:`. What ran when the gateway stopped is
 *   `unknown` from now on.
 * @throws {Fault} `record_down`, reason `state_file`: the tables cannot be read in full.
 */
export function openTickets(file: string, options: TicketsOptions): Tickets {
  const table = new TicketTable(file)
  try {
    return new TicketDesk(new Ledger(table, new TicketKeys(options.masterKey), options))
  } catch (error) {
    table.close()
    throw error
  }
}

class TicketDesk implements Tickets {
  readonly #ledger: Ledger
  readonly #holding: Holding
  readonly #deciding: Deciding
  readonly #delegations: Delegations
  readonly #people: People
  #ticking: Promise<void> | undefined
  #seenMs = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    this.#delegations = new Delegations(ledger)
    this.#people = {
      reviewer: ledger.options.reviewer,
      hashed: (marks) => marks.map((mark) => ledger.keys.indexOf('mark', mark)),
      isDelegated: (from, to) => this.#delegations.isDelegated(from, to),
    }
    this.#holding = new Holding(ledger, this.#people)
    this.#deciding = new Deciding(ledger, this.#people)
  }

  async open(call: HeldCall): Promise<Ticket> {
    return await this.#holding.open(call)
  }

  find(call: Identical): Ticket | undefined {
    return this.#holding.find(call)
  }

  byId(id: string): Ticket | undefined {
    const row = this.#ledger.find(id)
    return row && this.#ledger.ticket(row)
  }

  list(filter: TicketFilter = {}): readonly Ticket[] {
    const { before, connection, isUnreviewed, limit = 100, owner, states } = filter
    const conditions = ["(told = 1 OR state <> 'pending')"]
    const values: (string | number)[] = []
    const add = (condition: string, ...more: readonly (string | number)[]): void => {
      conditions.push(condition)
      values.push(...more)
    }
    if (states !== undefined) {
      const shown = "CASE WHEN state = 'approved' AND told = 0 THEN 'pending' ELSE state END"
      add(`${shown} IN (${states.map(() => '?').join(', ')})`, ...states)
    }
    if (owner !== undefined) add('owner = ?', owner)
    if (connection !== undefined) add('connection = ?', connection)
    if (isUnreviewed === true) add('emergency IS NOT NULL AND reviewed_by IS NULL')
    if (before !== undefined) add('number < (SELECT number FROM ticket WHERE id = ?)', before)
    const sql = `SELECT * FROM ticket WHERE ${conditions.join(' AND ')}
      ORDER BY number DESC LIMIT ?`
    const count = Math.min(1000, Math.max(1, Math.floor(limit)))
    const rows = this.#ledger.table.rows(ticketForm, sql, ...values, count)
    return rows.map((row) => this.#ledger.ticket(row))
  }

  async changed(id: string, signal: AbortSignal, from?: TicketState): Promise<Ticket> {
    const ticket = this.#ledger.ticket(this.#ledger.row(id))
    if (from !== undefined && ticket.state !== from) return ticket
    return await this.#ledger.waiters.wait(id, signal)
  }

  onEvent(listener: (event: TicketEvent, ticket: Ticket) => void): () => void {
    return this.#ledger.listen(listener)
  }

  refusalOf(id: string, personId: string, onBehalfOf?: string): Refusal | undefined {
    const asked = { decision: 'approve', onBehalfOf } as const
    const standing = this.#deciding.standing(this.#ledger.row(id), personId, asked)
    return isRefusal(standing) ? standing : undefined
  }

  mayActFor(id: string, personId: string): readonly string[] {
    const given = this.#delegations.list(personId).filter(({ to }) => to === personId)
    const from = [...new Set(given.map((each) => each.from))]
    return from.filter((person) => this.refusalOf(id, personId, person) === undefined)
  }

  mayRunInEmergency(id: string, personId: string): boolean {
    const asked = { decision: 'approve', isEmergency: true } as const
    return !isRefusal(this.#deciding.standing(this.#ledger.row(id), personId, asked))
  }

  async beginDecision(id: string, personId: string, asked: AskedDecision): Promise<Begun> {
    return await this.#deciding.begin(id, personId, asked)
  }

  async finishDecision(challenge: string, personId: string, signed: Signed): Promise<Ticket> {
    return await this.#deciding.finish(challenge, personId, signed)
  }

  async review(id: string, personId: string, words: string): Promise<Ticket> {
    return await this.#deciding.review(id, personId, words)
  }

  async delegate(
    personId: string,
    to: string,
    untilMs: number,
    reason: string,
  ): Promise<Delegation> {
    return await this.#delegations.delegate(personId, to, untilMs, reason)
  }

  async endDelegation(personId: string, delegationId: string): Promise<void> {
    await this.#delegations.end(personId, delegationId)
  }

  delegations(personId?: string): readonly Delegation[] {
    return this.#delegations.list(personId)
  }

  async withdraw(id: string, owner: string): Promise<Ticket> {
    const row = this.#ledger.row(id)
    if (row.owner !== owner) throw refused(notYours)
    return await this.#withdrawn(row)
  }

  async withdrawBy(id: string, personId: string): Promise<Ticket> {
    const row = this.#ledger.row(id)
    const person = this.#people.reviewer(personId)
    const marks = person === undefined ? [] : this.#people.hashed(reviewerMarks(person))
    if (!shareMark(marks, row.marks)) throw refused(notYours)
    return await this.#withdrawn(row)
  }

  async #withdrawn(row: TicketRow): Promise<Ticket> {
    if (!this.#ledger.end(row.id, open, 'withdrawn', { why: 'Its requester withdrew it.' })) {
      const { state } = this.#ledger.row(row.id)
      const words = `It cannot be withdrawn any more: it is ${state}.`
      throw refused({ reason: `ticket_${state}`, words })
    }
    // In force; where the record is down its entry follows with a later tick.
    await this.#ledger.tell(row.id).catch(() => undefined)
    return this.#ledger.ticket(this.#ledger.row(row.id))
  }

  take(id: string, now: BoundNow): Taken | undefined {
    return this.#holding.take(id, now)
  }

  async executed(id: string, outcome: string): Promise<void> {
    if (!this.#ledger.end(id, ['executing'], 'executed', { outcome })) return
    await this.#ledger.tell(id)
  }

  end(id: string, state: 'expired' | 'revoked' | 'void' | 'unknown', why: string): boolean {
    const wasUnderWay = state === 'unknown' ? [] : open
    const from = state === 'expired' ? open : [...wasUnderWay, 'executing' as const]
    return this.#ledger.end(id, from, state, { why })
  }

  endAll(of: TicketsOf, why: string): number {
    const rows =
      'owner' in of
        ? this.#ledger.open('owner = ?', of.owner)
        : 'connection' in of
          ? this.#ledger.open('connection = ?', of.connection)
          : this.#ledger.open()
    return rows.filter(({ id }) => this.#ledger.end(id, open, 'revoked', { why })).length
  }

  async tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => (this.#ticking = undefined))
    await this.#ticking
  }

  async #tick(): Promise<void> {
    const waiting = this.#ledger.open()
    for (const row of waiting) {
      const why = this.#ledger.outOfTime(row)
      if (why !== undefined) this.#ledger.end(row.id, [row.state], 'expired', { why })
    }
    const nowMs = this.#ledger.nowMs()
    if (waiting.length > 0 && Math.abs(nowMs - this.#seenMs) >= seenEveryMs) {
      this.#seenMs = nowMs
      this.#ledger.table.run(
        'UPDATE ticket SET seen_ms = max(seen_ms, ?) WHERE key IS NOT NULL',
        nowMs,
      )
    }
    await this.#ledger.tellDue()
    for (const row of waiting) await this.#remind(row, nowMs)
  }

  async #remind(row: OpenRow, nowMs: number): Promise<void> {
    const { remindAfterMs } = this.#ledger.options.holds()
    if (remindAfterMs === undefined || row.reminded || row.state !== 'pending' || !row.told) return
    if (nowMs < row.created_ms + remindAfterMs) return
    const sql = "UPDATE ticket SET reminded = 1 WHERE id = ? AND state = 'pending' AND reminded = 0"
    // A crash from here on leaves it reminded without having been: once at most is what is wanted.
    if (this.#ledger.table.run(sql, row.id) !== 1) return
    const whole = this.#ledger.row(row.id)
    const told = { ticket: row.id, expires: iso(row.not_after_ms) }
    await this.#ledger.options.note('ticket.reminded', aboutRequester(whole), told)
    this.#ledger.emit('reminded', this.#ledger.ticket(whole))
  }

  approvalProof(id: string): ApprovalProof {
    const { gateway, signingKey } = this.#ledger.options
    const of = { gateway, key: signingKey(), nowMs: this.#ledger.nowMs() }
    return proofOf(this.#ledger.row(id), this.#ledger.decisions(id), of)
  }

  close(): void {
    this.#ledger.table.close()
  }
}

const notYours: Refusal = {
  reason: 'ticket_of_another',
  words: 'Only who asked for a call withdraws it.',
}
