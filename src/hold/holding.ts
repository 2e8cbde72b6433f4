/** Holding a call, finding it again, and consuming its approval: once at most, ever. */
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { holds } from '../policy/who.ts'
import { approvalOf } from './approval.ts'
import { commitmentOf } from './commitment.ts'
import { aboutRequester, createdDetails } from './entries.ts'
import { openArgs, sealArgs } from './keys.ts'
import type { Ledger } from './ledger.ts'
import { marksOf } from './marks.ts'
import { isReceipted } from './receipts.ts'
import { approversOf, filled } from './reviewers.ts'
import type { People } from './reviewers.ts'
import { quorumOf, ticketForm } from './rows.ts'
import type { TicketDoc, TicketRow } from './rows.ts'
import type { HeldCall, Ticket } from './ticket.ts'
import type { BoundNow, Identical, Taken } from './tickets.ts'

const argsBytesMax = 1024 * 1024
const ofOneMax = 32
const inAllMax = 1000

export class Holding {
  readonly #ledger: Ledger
  readonly #people: People

  constructor(ledger: Ledger, people: People) {
    this.#ledger = ledger
    this.#people = people
  }

  async open(call: HeldCall): Promise<Ticket> {
    this.#checkHoldable(call)
    const same = this.#same(call, call)
    if (same !== undefined) {
      return (await this.#ledger.opening.get(same.id)) ?? this.#ledger.ticket(same)
    }
    this.#checkRoom(call.owner)
    const row = this.#insert(call)
    // A crash from here to the end of the entry leaves a row that the next start makes void.
    const opening = this.#record(row)
    this.#ledger.opening.set(row.id, opening)
    try {
      return await opening
    } finally {
      this.#ledger.opening.delete(row.id)
    }
  }

  find(call: Identical): Ticket | undefined {
    const row = this.#same(call)
    return row === undefined || (row.state === 'pending' && !row.told)
      ? undefined
      : this.#ledger.ticket(row)
  }

  take(id: string, now: BoundNow): Taken | undefined {
    const ledger = this.#ledger
    const row = ledger.row(id)
    const { clientId = null, owner } = now
    if (row.owner !== owner || row.client !== clientId) {
      throw other('ticket_of_another', 'This held call belongs to another caller.')
    }
    const isSame =
      row.connection === now.connection && row.method === now.method && row.tool === now.tool
    if (!isSame) throw other('ticket_of_another_call', 'This ticket is for another call.')
    if (row.state !== 'approved' || !row.told) return undefined
    const gone = this.#gone(row, now)
    if (gone !== undefined) {
      ledger.end(id, ['approved'], gone.state, { why: gone.why })
      return undefined
    }
    return this.#consume(row, now)
  }

  /** Why an approved ticket must not run after all. */
  #gone(
    row: TicketRow,
    now: BoundNow,
  ): { state: 'expired' | 'void' | 'revoked'; why: string } | undefined {
    const late = this.#ledger.outOfTime(row)
    if (late !== undefined) return { state: 'expired', why: late }
    const changed = [
      row.connection_revision !== now.connectionRevision && 'the connection',
      isOtherTool(row, now.toolSha256) && "the tool's description",
      row.policy_revision !== now.policyRevision && 'the policy',
    ].filter((what) => typeof what === 'string')
    if (changed.length > 0) {
      const why = `Since it was held there has been a change of ${changed.join(' and ')}. Call again.`
      return { state: 'void', why }
    }
    const why = 'Who approved it may not do so any more.'
    return this.#isStillApproved(row) ? undefined : { state: 'revoked', why }
  }

  /** The rights of those who said yes, as they are now. */
  #isStillApproved(row: TicketRow): boolean {
    const decisions = this.#ledger.decisions(row.id)
    const key = this.#ledger.options.signingKey()
    // What lets it run is what was signed, not what a row says.
    if (decisions.length === 0 || !decisions.every((each) => isReceipted(each, row, key))) {
      return false
    }
    if (row.emergency_by !== null) {
      const who = this.#ledger.options.holds().emergency
      const person = this.#people.reviewer(row.emergency_by)
      return who !== undefined && person !== undefined && holds(who, person.bearer)
    }
    const { terms } = row.doc
    const yes = approversOf(decisions, this.#people)
    return filled(terms, yes) >= quorumOf(terms)
  }

  #consume(row: TicketRow, now: BoundNow): Taken | undefined {
    const { id } = row
    const { table } = this.#ledger
    const kept = this.#kept(row, now)
    if (kept === undefined) {
      const why = 'What was kept of it is not what was approved. It is not run.'
      this.#ledger.end(id, ['approved'], 'void', { why })
      return undefined
    }
    const { args, commitment, key } = kept
    const live = now.args === undefined ? commitment : commitmentOf(key, { ...now, args: now.args })
    if (!live.equals(commitment)) {
      throw other('ticket_of_another_call', 'This ticket is for a call with other arguments.')
    }
    const nowMs = this.#ledger.nowMs()
    const sql = `UPDATE ticket SET state = 'executing', args = NULL, changed_ms = max(changed_ms, ?)
      WHERE id = ? AND state = 'approved' AND told = 1 AND not_after_ms > ?`
    if (table.run(sql, nowMs, id, nowMs) !== 1) return undefined
    // Durable. A crash from here on leaves it `unknown`: it may have run, and never runs again.
    const ticket = this.#ledger.ticket({ ...row, state: 'executing', args: null })
    this.#ledger.waiters.wake(ticket)
    const isEmergency = row.emergency !== null
    return { ticket, approval: approvalOf({ id, isEmergency, key, commitment }), args }
  }

  /** Key and arguments of an approved ticket; undefined where they are not those approved. */
  #kept(
    row: TicketRow,
    now: BoundNow,
  ): { key: Buffer; args: Buffer; commitment: Buffer } | undefined {
    if (row.key === null || row.args === null) return undefined
    try {
      const key = this.#ledger.keys.unwrap(row.id, row.key)
      const args = openArgs(row.id, key, row.args)
      const commitment = commitmentOf(key, { ...now, args })
      return commitment.equals(row.commitment) ? { key, args, commitment } : undefined
    } catch (error) {
      if (error instanceof Fault) return undefined
      throw error
    }
  }

  /** An open row of the same call by the same caller, also while its first entry is written. */
  #same(call: Identical, now?: HeldCall): TicketRow | undefined {
    const { keys, table } = this.#ledger
    const sql = 'SELECT * FROM ticket WHERE holder = ? AND key IS NOT NULL ORDER BY number'
    for (const row of table.rows(ticketForm, sql, this.#holder(call))) {
      if (row.key === null || row.args_bytes !== call.args.length) continue
      const key = keys.unwrap(row.id, row.key)
      if (!commitmentOf(key, call).equals(row.commitment)) continue
      if (row.state === 'executing') return row
      const late = this.#ledger.outOfTime(row)
      if (late !== undefined) {
        this.#ledger.end(row.id, [row.state], 'expired', { why: late })
        continue
      }
      const isStale =
        now !== undefined &&
        (row.policy_revision !== now.policyRevision || isOtherTool(row, now.toolSha256))
      if (!isStale) return row
      const why = 'The policy or the tool changed, and the call was asked again.'
      this.#ledger.end(row.id, [row.state], 'void', { why })
    }
    return undefined
  }

  #holder({ connection, method, owner, principal, tool }: Identical): string {
    return this.#ledger.keys.indexOf('holder', owner, principal.clientId, connection, method, tool)
  }

  #checkHoldable({ args, hasSensitiveAuth, method, tool }: HeldCall): void {
    const { masker } = this.#ledger.options
    const names = masker.words([tool, method]).value
    if (hasSensitiveAuth || names[0] !== tool || names[1] !== method) {
      const message =
        'The call holds card verification values, PINs, track data, or a card number in its name. Such a call is never kept, so it cannot wait for a reviewer. Leave these out.'
      throw other('held_sensitive_data', message)
    }
    if (args.length > argsBytesMax) {
      const message = `The call has ${args.length} bytes of arguments, and waits for a person, who can judge ${argsBytesMax} at most. Make it smaller.`
      throw other('held_too_large', message)
    }
  }

  #checkRoom(owner: string): void {
    const count = (where: string, ...values: string[]): number => {
      const sql = `SELECT number FROM ticket WHERE key IS NOT NULL ${where} LIMIT ${inAllMax}`
      return this.#ledger.table.count(sql, ...values)
    }
    const isFull = count('AND owner = ?', owner) >= ofOneMax
    if (!isFull && count('') < inAllMax) return
    const message = isFull
      ? `You have ${ofOneMax} calls that wait for a reviewer. Wait for a decision, or withdraw one.`
      : `${inAllMax} calls wait for reviewers here, so this one cannot. Try again later.`
    throw new Fault('busy', message, { facts: { reason: 'tickets_full' } })
  }

  #insert(call: HeldCall): TicketRow {
    const { keys, options, table } = this.#ledger
    const { masker } = options
    // 26 letters of 5 random bits each.
    const id = newId('tk') + newId('x').slice(2, 4)
    const { key, wrapped } = keys.make(id)
    const nowMs = this.#ledger.nowMs()
    const { clientId } = call.principal
    const { exchange, facts, matched, reason, session, terms } = call
    const client = clientId === undefined ? {} : { client: clientId }
    const requester = { ...call.who.value, ...client }
    const source = call.source.ip
    const masked = masker.words({ requester, source, facts, matched, reason }).value
    // Terms are the configuration's own words, and decide: they stay as they are.
    const doc: TicketDoc = { ...masked, terms, exchange, session }
    const shown = new TextDecoder('utf-8', { ignoreBOM: true }).decode(call.shown.value)
    const { expiresMs } = call.terms
    const columns = {
      id,
      state: 'pending',
      told: 0,
      holder: this.#holder(call),
      owner: call.owner,
      client: clientId ?? null,
      connection: call.connection,
      connection_revision: call.connectionRevision,
      method: call.method,
      tool: call.tool,
      tool_sha256: call.toolSha256,
      policy_revision: call.policyRevision,
      commitment: commitmentOf(key, call),
      args_bytes: call.args.length,
      args: sealArgs(id, key, call.args),
      key: wrapped,
      doc: JSON.stringify(doc),
      shown,
      marks: JSON.stringify(this.#people.hashed(this.#requesterMarks(call))),
      created_ms: nowMs,
      not_after_ms: nowMs + expiresMs,
      changed_ms: nowMs,
      seen_ms: nowMs,
      reminded: 0,
      ended: '',
      outcome: '',
    }
    key.fill(0)
    const names = Object.keys(columns)
    const sql = `INSERT INTO ticket (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
    table.run(sql, ...Object.values(columns))
    this.#ledger.waits(id, expiresMs)
    const [row] = table.rows(ticketForm, 'SELECT * FROM ticket WHERE id = ?', id)
    assert(row !== undefined, 'a ticket that was written is there')
    return row
  }

  /** The entry of a new ticket. A row that cannot be told of is taken back. */
  async #record(row: TicketRow): Promise<Ticket> {
    const { opening, options, table } = this.#ledger
    const { id } = row
    try {
      await options.note('ticket.created', aboutRequester(row), createdDetails(row))
    } catch (error) {
      table.run('DELETE FROM ticket WHERE id = ?', id)
      throw error
    }
    const sql = "UPDATE ticket SET told = 1 WHERE id = ? AND state = 'pending'"
    const isOpen = table.run(sql, id) === 1
    opening.delete(id)
    // Everything may have been stopped meanwhile: then its end is told too.
    if (!isOpen) await this.#ledger.tell(id)
    const ticket = this.#ledger.ticket(this.#ledger.row(id))
    if (isOpen) this.#ledger.emit('created', ticket)
    return ticket
  }

  /** What its requester, and whoever answers for it, is known by. */
  #requesterMarks({ principal }: HeldCall): string[] {
    const { known, knownById } = this.#ledger.options
    const entry = known(principal.issuer, principal.subject)
    const marks = marksOf(principal, entry)
    for (const id of new Set([principal.owner, entry?.owner])) {
      const owner = id === undefined ? undefined : knownById(id)
      if (owner !== undefined) marks.push(...marksOf(owner, owner))
    }
    return marks
  }
}

function other(reason: string, message: string): Fault {
  return new Fault('refused', message, { facts: { reason } })
}

/** A tool that no list had when the call was held is pinned at first sight, which is no change of it. */
function isOtherTool({ tool_sha256: held }: TicketRow, now: string): boolean {
  return held !== '' && held !== now
}
