/** Reviewers who let somebody else decide for them, until a date. Nobody passes it on. */
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import type { Who } from '../record/entry.ts'
import type { Ledger } from './ledger.ts'
import { shareMark } from './marks.ts'
import { reviewerMarks } from './reviewers.ts'
import { delegationForm } from './rows.ts'
import { iso } from './statement.ts'
import type { Delegation, Reviewer } from './tickets.ts'
import { justified } from './words.ts'

const dayMs = 86_400_000
const untilMsMax = 90 * dayMs
const ofOneMax = 10

export class Delegations {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  async delegate(
    personId: string,
    to: string,
    untilMs: number,
    reason: string,
  ): Promise<Delegation> {
    const { masker, note, reviewer } = this.#ledger.options
    const from = reviewer(personId)
    const other = reviewer(to)
    const nowMs = this.#ledger.nowMs()
    const why = masker.words(justified(reason)).value
    if (from === undefined || !from.roles.has('approver') || from.roles.has('admin')) {
      throw refused('not_approver', 'Only who may decide can let others decide for them.')
    }
    if (other === undefined || other.principal.kind !== 'person' || other.roles.has('admin')) {
      throw refused(
        'delegate_unfit',
        'They must be a person of the directory, and no administrator.',
      )
    }
    if (shareMark(reviewerMarks(from), reviewerMarks(other))) {
      throw refused('delegate_unfit', 'This is yourself, by another account.')
    }
    if (!(untilMs > nowMs && untilMs <= nowMs + untilMsMax)) {
      throw refused('delegate_until', 'It ends in the future, and after 90 days at the latest.')
    }
    if (this.list(personId).length >= ofOneMax) {
      throw refused('delegations_full', `You take part in ${ofOneMax} of them. End one first.`)
    }
    const made = { id: newId('dg'), from: personId, to, reason: why, madeMs: nowMs, untilMs }
    const until = iso(untilMs)
    const told = {
      delegation: made.id,
      what: 'made',
      to,
      toName: nameOf(other),
      until,
      reason: why,
    }
    await note('delegation.changed', { principal: whoOf(from) }, told)
    const sql = 'INSERT INTO delegation VALUES (?, ?, ?, ?, ?, ?, NULL)'
    this.#ledger.table.run(sql, made.id, personId, to, why, nowMs, Math.floor(untilMs))
    return made
  }

  async end(personId: string, id: string): Promise<void> {
    const { note, reviewer } = this.#ledger.options
    const found = this.list(personId).find((each) => each.id === id)
    if (found === undefined) {
      throw new Fault('path_unknown', 'There is no such delegation of or to you in force.')
    }
    // It ends before it is told: what cannot be recorded must not go on giving a right.
    const sql = 'UPDATE delegation SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL'
    this.#ledger.table.run(sql, this.#ledger.nowMs(), id)
    const person = reviewer(personId)
    const about = person === undefined ? {} : { principal: whoOf(person) }
    await note('delegation.changed', about, { delegation: id, what: 'ended', to: found.to })
  }

  /** Those in force. */
  list(personId?: string): Delegation[] {
    const nowMs = this.#ledger.nowMs()
    const sql = `SELECT * FROM delegation WHERE ended_ms IS NULL AND until_ms > ? AND made_ms <= ?
      ORDER BY made_ms, id`
    const all = this.#ledger.table.rows(delegationForm, sql, nowMs, nowMs)
    return all.filter(({ from, to }) => personId === undefined || [from, to].includes(personId))
  }

  isDelegated(from: string, to: string): boolean {
    return this.list(from).some((each) => each.from === from && each.to === to)
  }
}

/** Somebody of the directory, for an entry or a statement. */
export function whoOf({ principal: { issuer, kind, name, subject } }: Reviewer): Who {
  return { issuer, subject, kind, ...(name === undefined ? {} : { name }) }
}

function nameOf({ principal: { name, subject } }: Reviewer): string {
  return name ?? subject
}

function refused(reason: string, message: string): Fault {
  return new Fault('refused', message, { facts: { reason } })
}
