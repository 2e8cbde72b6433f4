/**
 * Decisions: begun with a statement, finished with its signature.
 *
 *     begin ──► statement, challenge ──► finish: signature ──► entry ──► one transaction
 *
 * Everything is asked anew at the end: who they are, what they may, and the ticket's state. A refused
 * try is an entry as well, and changes nothing.
 */
import { Fault } from '../base/fault.ts'
import { holds } from '../policy/who.ts'
import type { Details, Who } from '../record/entry.ts'
import { rawPublicKey } from '../tlog/keys.ts'
import { BegunDecisions, signMs } from './begun.ts'
import type { BegunDecision } from './begun.ts'
import { whoOf } from './delegations.ts'
import { aboutRequester } from './entries.ts'
import type { Ledger } from './ledger.ts'
import { shareMark } from './marks.ts'
import { evidenceOf } from './proof.ts'
import { base64url } from './proof-format.ts'
import type { Evidence } from './proof-format.ts'
import { receiptOf } from './receipts.ts'
import { approversOf, filled, isRefusal, refused, reviewerMarks, standingOf } from './reviewers.ts'
import type { People, Standing } from './reviewers.ts'
import { quorumOf } from './rows.ts'
import type { DecisionRow, TicketRow } from './rows.ts'
import { challengeOf, makeStatement } from './statement.ts'
import type { Ticket } from './ticket.ts'
import type { AskedDecision, Begun, Refusal, Signed } from './tickets.ts'
import { justified } from './words.ts'

export class Deciding {
  readonly #ledger: Ledger
  readonly #people: People
  readonly #begun = new BegunDecisions()
  /** By ticket the decision at work: one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(ledger: Ledger, people: People) {
    this.#ledger = ledger
    this.#people = people
  }

  /** Whether this person may decide so now. */
  standing(row: TicketRow, personId: string, asked: Asked): Standing | Refusal {
    const late = this.#closed(row)
    if (late !== undefined) return late
    const { decision, isEmergency, onBehalfOf } = asked
    if (isEmergency === true) return this.#emergency(row, personId, asked)
    const decisions = this.#ledger.decisions(row.id)
    return standingOf({ ticket: row, decisions, personId, onBehalfOf, decision }, this.#people)
  }

  async begin(id: string, personId: string, asked: AskedDecision): Promise<Begun> {
    const row = this.#ledger.row(id)
    return await this.#orTold(row, personId, asked.decision, () => {
      const { clock, gateway, masker } = this.#ledger.options
      const justification = masker.words(justified(asked.justification)).value
      const standing = this.standing(row, personId, asked)
      if (isRefusal(standing)) throw refused(standing)
      this.#checkMethod(row, personId, asked)
      const nowMs = this.#ledger.nowMs()
      const notAfterMs = Math.min(row.not_after_ms, nowMs + signMs)
      const { person, right } = standing
      const statement = makeStatement({
        gateway,
        row,
        asked,
        justification,
        approver: masker.words(named(whoOf(person), person.principal.id)).value,
        onBehalfOf:
          right === person
            ? undefined
            : masker.words(named(whoOf(right), right.principal.id)).value,
        ordinal: this.#ledger.decisions(id).length + 1,
        nowMs,
        notAfterMs,
      })
      const challenge = challengeOf(statement)
      const endsMs = clock.monotonicMs() + (notAfterMs - nowMs)
      const begun = { challenge, statement, ticket: id, person: personId, asked, justification }
      this.#begun.add({ ...begun, atMs: nowMs, notAfterMs, endsMs })
      return { challenge, statement, method: asked.method, expiresMs: notAfterMs }
    })
  }

  async finish(challenge: string, personId: string, signed: Signed): Promise<Ticket> {
    const begun = await this.#take(challenge, personId)
    const row = this.#ledger.row(begun.ticket)
    const { asked, ticket } = begun
    return await this.#orTold(row, personId, asked.decision, async () => {
      if (begun.person !== personId) {
        throw no('decision_of_another', 'This decision was begun by somebody else.')
      }
      const evidence = await this.#verified(begun, personId, signed)
      return await this.#inTurn(ticket, async () => await this.#decide(begun, evidence))
    })
  }

  async review(id: string, personId: string, words: string): Promise<Ticket> {
    const { masker, note } = this.#ledger.options
    const row = this.#ledger.row(id)
    const text = masker.words(justified(words)).value
    const refusal = reviewRefusal(row)
    if (refusal !== undefined) throw refused(refusal)
    const asked = { ticket: row, decisions: [], personId, decision: 'review' } as const
    const standing = standingOf(asked, this.#people)
    if (isRefusal(standing)) throw refused(standing)
    return await this.#inTurn(id, async () => {
      const by = whoOf(standing.person)
      const about = { ...aboutRequester(row), principal: by }
      await note('ticket.reviewed', about, { ticket: id, words: text })
      const sql = `UPDATE ticket SET reviewed_by = ?, review = ?
        WHERE id = ? AND emergency IS NOT NULL AND reviewed_by IS NULL`
      const name = masker.words(by.name ?? by.subject).value
      if (this.#ledger.table.run(sql, name, text, id) !== 1) throw refused(reviewed)
      const ticket = this.#ledger.ticket(this.#ledger.row(id))
      this.#ledger.emit('reviewed', ticket)
      return ticket
    })
  }

  /** Undefined while a ticket can be decided on. */
  #closed(row: TicketRow): Refusal | undefined {
    if (row.state !== 'pending') {
      const words = `This ticket is decided or over: it is ${row.state}. Nothing changed.`
      return { reason: `ticket_${row.state}`, words }
    }
    const words = this.#ledger.outOfTime(row)
    return words === undefined ? undefined : { reason: 'ticket_late', words }
  }

  /** The requester, or who answers for the requesting program, where the configuration lets them. */
  #emergency(
    row: TicketRow,
    personId: string,
    { decision, onBehalfOf }: Asked,
  ): Standing | Refusal {
    const who = this.#ledger.options.holds().emergency
    const person = this.#people.reviewer(personId)
    if (who === undefined || person === undefined || !holds(who, person.bearer)) {
      const words = 'You may not run calls without a reviewer, not even in an emergency.'
      return { reason: 'emergency_refused', words }
    }
    const marks = this.#people.hashed(reviewerMarks(person))
    const isOwn = person.principal.kind === 'person' && shareMark(marks, row.marks)
    if (isOwn && decision === 'approve' && onBehalfOf === undefined) {
      return { person, right: person, marks }
    }
    const words = 'In an emergency people run calls of their own, and of programs they answer for.'
    return { reason: 'emergency_not_own', words }
  }

  #checkMethod(row: TicketRow, personId: string, { method, session }: AskedDecision): void {
    const { holds: config, passkeys } = this.#ledger.options
    if (method === 'passkey') {
      if (passkeys !== undefined) return
      throw no('no_passkeys', 'Passkeys are not set up here, so nothing can be signed by one.')
    }
    if (!config().sessionDecisions || row.doc.terms.needsPasskey || session === undefined) {
      throw no('passkey_needed', 'This decision must be signed with a passkey. Enrol one first.')
    }
    if ((passkeys?.listPasskeys(personId).length ?? 0) > 0) {
      throw no('passkey_enrolled', 'You have a passkey: sign this decision with it.')
    }
  }

  async #take(challenge: string, personId: string): Promise<BegunDecision> {
    try {
      return this.#begun.take(challenge, this.#ledger.options.clock.monotonicMs())
    } catch (error) {
      const person = this.#people.reviewer(personId)
      const about = person === undefined ? {} : { principal: whoOf(person) }
      await this.#ledger.options.note('ticket.decided', about, refusalDetails(error))
      throw error
    }
  }

  async #verified(
    { asked, challenge }: BegunDecision,
    personId: string,
    signed: Signed,
  ): Promise<Evidence | null> {
    const { passkeys } = this.#ledger.options
    if (signed.method !== asked.method) {
      throw no('method_other', 'This decision was begun to be signed in another way.')
    }
    if (signed.method === 'session') {
      if (signed.session.key === asked.session?.key) return null
      throw no('session_other', 'This decision was begun in another session.')
    }
    if (passkeys === undefined) throw no('no_passkeys', 'Passkeys are not set up here.')
    const asserted = await passkeys.check(signed.assertion, challenge, personId)
    if (asserted.person.id !== personId) {
      throw no('passkey_of_another', 'This passkey belongs to somebody else.')
    }
    return evidenceOf(asserted, passkeys)
  }

  /** Entry first, then the row: what could not be recorded is not decided. */
  async #decide(begun: BegunDecision, evidence: Evidence | null): Promise<Ticket> {
    const { asked, person: personId, ticket: id } = begun
    const { note } = this.#ledger.options
    const standing = this.#check(begun)
    const row = this.#ledger.row(id)
    const about = { ...aboutRequester(row), principal: whoOf(standing.person) }
    const onBehalfOf = standing.right === standing.person ? undefined : whoOf(standing.right)
    const details = {
      ticket: id,
      decision: asked.decision,
      method: asked.method,
      justification: begun.justification,
      onBehalfOf: onBehalfOf && (onBehalfOf.name ?? onBehalfOf.subject),
      isEmergency: asked.isEmergency === true,
      statementSha256: begun.challenge,
      credentialSha256: evidence === null ? undefined : challengeOf(evidence.credential),
      passkeyEnrolled: evidence?.enrolled_at,
    }
    await note('ticket.decided', about, details)
    if (asked.isEmergency === true) {
      await note('alert.raised', about, { reason: 'emergency_call', ticket: id })
    }
    // A crash here leaves a ticket that waits, and an entry of a decision which nobody was told of.
    const now = this.#check(begun)
    const decided = this.#rowOf(begun, now, evidence)
    const next = this.#ledger.table.atOnce(() => this.#write(decided, asked, personId))
    // Durable. A crash from here on leaves it decided; the entry of its new state is due.
    if (next === 'denied') this.#ledger.ended(id)
    else if (next === 'approved') {
      this.#ledger.waits(id, this.#ledger.row(id).not_after_ms - this.#ledger.nowMs())
      // Not consumed before it is told; where that fails the next tick tells it.
      await this.#ledger.tell(id).catch(() => undefined)
    }
    return this.#ledger.ticket(this.#ledger.row(id))
  }

  #check({ asked, atMs, notAfterMs, person, ticket }: BegunDecision): Standing {
    const row = this.#ledger.row(ticket)
    const standing = this.standing(row, person, asked)
    if (isRefusal(standing)) throw refused(standing)
    this.#checkMethod(row, person, asked)
    const nowMs = this.#ledger.nowMs()
    if (nowMs > notAfterMs) throw no('statement_late', 'This decision was begun too long ago.')
    if (nowMs >= atMs) return standing
    throw no('clock_back', 'The clock went back since this decision was begun. Begin it anew.')
  }

  #rowOf(
    begun: BegunDecision,
    { marks, person, right }: Standing,
    evidence: Evidence | null,
  ): DecisionRow {
    const { asked, challenge, justification, statement, ticket } = begun
    const { masker, signingKey } = this.#ledger.options
    const key = signingKey()
    const atMs = this.#ledger.nowMs()
    const { method } = asked
    const id = person.principal.id
    const of = { ticket, person: id, statement, evidence, method, atMs }
    return {
      ticket,
      ordinal: this.#ledger.decisions(ticket).length + 1,
      challenge,
      decision: asked.decision,
      person: id,
      on_behalf_of: right === person ? null : right.principal.id,
      method,
      justification,
      by: masker.words(whoOf(person)).value,
      at_ms: atMs,
      statement,
      evidence,
      receipt: receiptOf(of, key),
      receipt_key: base64url(rawPublicKey(key)),
      marks,
    }
  }

  /** In one transaction. @returns what the ticket has become. */
  #write(
    row: DecisionRow,
    asked: AskedDecision,
    personId: string,
  ): 'pending' | 'approved' | 'denied' {
    const { table } = this.#ledger
    const ticket = this.#ledger.row(row.ticket)
    const closed = this.#closed(ticket)
    if (closed !== undefined) throw refused(closed)
    const earlier = this.#ledger.decisions(row.ticket)
    const sql = `INSERT INTO ticket_decision (ticket, ordinal, challenge, decision, person,
      on_behalf_of, method, justification, by, at_ms, statement, evidence, receipt, receipt_key,
      marks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    const { challenge, decision, justification, method, on_behalf_of, ordinal, person } = row
    const about = [row.ticket, ordinal, challenge, decision, person, on_behalf_of, method]
    const said = [justification, JSON.stringify(row.by), row.at_ms, row.statement]
    const signed = [JSON.stringify(row.evidence), row.receipt, row.receipt_key]
    table.run(sql, ...about, ...said, ...signed, JSON.stringify(row.marks))
    if (decision === 'deny') {
      const why = on_behalf_of === null ? 'A reviewer said no.' : 'A delegate said no.'
      this.#ledger.endRow(row.ticket, ['pending'], 'denied', { why })
      return 'denied'
    }
    const { terms } = ticket.doc
    const isEmergency = asked.isEmergency === true
    const yes = approversOf([...earlier, row], this.#people)
    if (!isEmergency && filled(terms, yes) < quorumOf(terms)) return 'pending'
    const nowMs = this.#ledger.nowMs()
    const untilMs = nowMs + this.#ledger.options.holds().approvalMs
    const update = `UPDATE ticket SET state = 'approved', told = 0, not_after_ms = ?, changed_ms = ?,
      seen_ms = ?, emergency = ?, emergency_by = ? WHERE id = ? AND state = 'pending'`
    const emergency = isEmergency ? [justification, personId] : [null, null]
    table.run(update, untilMs, nowMs, nowMs, ...emergency, row.ticket)
    return 'approved'
  }

  /** A refusal is recorded before it is told. */
  async #orTold<T>(
    row: TicketRow,
    personId: string,
    decision: string,
    work: () => T | Promise<T>,
  ): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'refused') throw error
      const person = this.#people.reviewer(personId)
      const about = { ...aboutRequester(row), principal: person && whoOf(person) }
      const details = { ...refusalDetails(error), ticket: row.id, decision }
      await this.#ledger.options.note('ticket.decided', about, details)
      throw error
    }
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve()
    const turn = before.catch(() => undefined).then(work)
    this.#turns.set(id, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    }
  }
}

type Asked = Pick<AskedDecision, 'decision' | 'isEmergency' | 'onBehalfOf'>

const reviewed: Refusal = { reason: 'reviewed', words: 'Somebody has reviewed it already.' }

function reviewRefusal(row: TicketRow): Refusal | undefined {
  if (row.emergency === null) {
    const words = 'Only what ran in an emergency is reviewed afterwards.'
    return { reason: 'no_emergency', words }
  }
  return row.reviewed_by === null ? undefined : reviewed
}

function named(who: Who, person: string): Who & { readonly person: string } {
  return { ...who, person }
}

function refusalDetails(error: unknown): Details {
  const reason = error instanceof Fault ? error.facts['reason'] : undefined
  return { outcome: 'refused', reason: typeof reason === 'string' ? reason : 'defect' }
}

function no(reason: string, message: string): Fault {
  return new Fault('refused', message, { facts: { reason } })
}
