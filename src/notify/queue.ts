/**
 * What is still to be told, in memory and in tables of `state.sqlite`. What was put here is on disk
 * before `put` returns. What was told is remembered for a while, so that an event that is put twice
 * (after a restart) is told once.
 */
import { z } from 'zod'
import { newId } from '../base/ids.ts'
import { json } from '../identity/directory-rows.ts'
import { Tables } from '../identity/tables.ts'
import { summaryForm } from './event.ts'
import type { Summary } from './event.ts'

/** One event for one receiver. */
export interface Waiting {
  readonly id: string
  readonly receiver: string
  readonly summary: Summary
  /** Tries so far. */
  tries: number
  /** Not tried again before that, in milliseconds since 1970. */
  nextMs: number
}

/** All that waits for one receiver. */
export interface Backlog {
  /** By id, in the order in which they came. */
  readonly waiting: Map<string, Waiting>
  /** Calls that came when there was no more room: only their number is known. */
  more: number
  /** Other events that came then, since the start: nobody is told of them. */
  dropped: number
}

const schema = `
  CREATE TABLE IF NOT EXISTS notice (
    id TEXT PRIMARY KEY, receiver TEXT NOT NULL, summary TEXT NOT NULL, tries INTEGER NOT NULL,
    next_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS notice_told (
    receiver TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (receiver, kind, subject)) STRICT;
  CREATE TABLE IF NOT EXISTS notice_more (
    receiver TEXT PRIMARY KEY, calls INTEGER NOT NULL) STRICT;
`
const waitingForm = z.strictObject({
  id: z.string(),
  receiver: z.string(),
  summary: json.pipe(summaryForm),
  tries: z.int(),
  next_ms: z.int(),
})
const toldForm = z.strictObject({
  receiver: z.string(),
  kind: z.string(),
  subject: z.string(),
  at_ms: z.int(),
})
const moreForm = z.strictObject({ receiver: z.string(), calls: z.int() })

/** Of how many events it is remembered that they were told. */
const toldMax = 20_000
const droppedAtOnce = 1_000
/** An emergency finds room where calls that wait do not. */
const urgentRoom = 200

export class NoticeQueue {
  readonly #tables: Tables
  readonly #waitingMax: number
  readonly #backlogs = new Map<string, Backlog>()
  /** Oldest first: the key, and where it stands on disk. */
  readonly #told = new Map<string, Told>()

  /**
   * @param file the path of `state.sqlite`, or `:memory:`. @param waitingMax for each receiver.
   * @throws {Fault} `identity_down`, reason `state_file`: it cannot be read in full.
   */
  constructor(file: string, waitingMax: number) {
    this.#waitingMax = waitingMax
    this.#tables = Tables.open(file, schema, ['notice', 'notice_told', 'notice_more'])
    try {
      const byAge = 'SELECT * FROM notice ORDER BY rowid'
      for (const { next_ms: nextMs, ...row } of this.#tables.rows('notice', byAge, waitingForm)) {
        this.backlog(row.receiver).waiting.set(row.id, { ...row, nextMs })
      }
      const told = 'SELECT * FROM notice_told ORDER BY at_ms, rowid'
      for (const row of this.#tables.rows('notice_told', told, toldForm)) {
        this.#told.set(keyOf(row), row)
      }
      for (const row of this.#tables.rows('notice_more', 'SELECT * FROM notice_more', moreForm)) {
        this.backlog(row.receiver).more = row.calls
      }
    } catch (error) {
      this.#tables.close()
      throw error
    }
  }

  /** Of which anything waits, or waited. */
  receivers(): readonly string[] {
    return [...this.#backlogs.keys()]
  }

  backlog(receiver: string): Backlog {
    const known = this.#backlogs.get(receiver)
    if (known !== undefined) return known
    const made = { waiting: new Map<string, Waiting>(), more: 0, dropped: 0 }
    this.#backlogs.set(receiver, made)
    return made
  }

  /**
   * Keeps each event for each receiver that was not told of it yet. Durable on return.
   * @throws {Fault} `record_down` where it cannot be written; all stays as it was.
   */
  put(events: readonly Summary[], receivers: readonly string[]): void {
    const plan = receivers.map((receiver) => this.#plan(receiver, events))
    this.#tables.atOnce(() => {
      for (const { gone, more, receiver, told, waiting } of plan) {
        for (const row of told) this.#writeTold(row)
        for (const row of waiting) this.#write(row)
        for (const id of gone) this.#tables.run('DELETE FROM notice WHERE id = ?', id)
        if (more !== this.backlog(receiver).more) this.#writeMore(receiver, more)
      }
    })
    for (const { dropped, gone, more, receiver, told, waiting } of plan) {
      const backlog = this.backlog(receiver)
      for (const id of gone) backlog.waiting.delete(id)
      for (const row of waiting) backlog.waiting.set(row.id, row)
      for (const row of told) this.#told.set(keyOf(row), row)
      backlog.more = more
      backlog.dropped += dropped
    }
  }

  /**
   * They are told, or never will be. @param more so many of those without a row, too.
   * @throws {Fault} `record_down`: they are told again after a restart.
   */
  done(receiver: string, ids: readonly string[], more: number): void {
    const backlog = this.backlog(receiver)
    for (const id of ids) backlog.waiting.delete(id)
    backlog.more = Math.max(0, backlog.more - more)
    // Lost with the power they are told a second time, under the same number.
    this.#tables.behind(() => {
      for (const id of ids) this.#tables.run('DELETE FROM notice WHERE id = ?', id)
      if (more > 0) this.#writeMore(receiver, backlog.more)
    })
  }

  /** They were tried in vain. @throws {Fault} `record_down`: after a restart they are tried at once. */
  later(rows: readonly Waiting[], nextMs: number): void {
    for (const row of rows) {
      row.tries++
      row.nextMs = Math.floor(nextMs)
    }
    this.#tables.behind(() => {
      const sql = 'UPDATE notice SET tries = ?, next_ms = ? WHERE id = ?'
      for (const { id, nextMs: at, tries } of rows) this.#tables.run(sql, tries, at, id)
    })
  }

  /** Forgets the oldest of what was told. @throws {Fault} `record_down`: it grows until that works. */
  prune(): void {
    if (this.#told.size <= toldMax) return
    const many = this.#told.size - toldMax + droppedAtOnce
    const oldest = [...this.#told.values()].slice(0, many)
    this.#tables.behind(() => {
      const sql = 'DELETE FROM notice_told WHERE receiver = ? AND kind = ? AND subject = ?'
      for (const { kind, receiver, subject } of oldest) {
        this.#tables.run(sql, receiver, kind, subject)
      }
    })
    for (const row of oldest) this.#told.delete(keyOf(row))
  }

  close(): void {
    this.#tables.close()
  }

  /** What `put` would change for one receiver. */
  #plan(receiver: string, events: readonly Summary[]): Plan {
    const backlog = this.backlog(receiver)
    const { more } = backlog
    const plan: Plan = { receiver, waiting: [], told: [], gone: new Set(), more, dropped: 0 }
    const told = new Set<string>()
    for (const summary of events) {
      const { atMs, kind, subject } = summary
      const row = { receiver, kind, subject, at_ms: atMs }
      const key = keyOf(row)
      if (this.#told.has(key) || told.has(key)) continue
      if (isEnd(kind)) this.#overtake(plan, subject)
      const count = backlog.waiting.size - plan.gone.size + plan.waiting.length
      if (count >= this.#waitingMax + (kind === 'emergency' ? urgentRoom : 0)) {
        if (kind === 'created' || kind === 'emergency') plan.more++
        else plan.dropped++
        continue
      }
      told.add(key)
      plan.told.push(row)
      plan.waiting.push({ id: newId('no'), receiver, summary, tries: 0, nextMs: 0 })
    }
    return plan
  }

  /** That a call waits need not be told any more once it does not. */
  #overtake(plan: Plan, subject: string): void {
    const isPast = ({ summary }: Waiting): boolean =>
      summary.subject === subject && (summary.kind === 'created' || summary.kind === 'reminded')
    for (const row of this.backlog(plan.receiver).waiting.values()) {
      if (isPast(row)) plan.gone.add(row.id)
    }
    plan.waiting = plan.waiting.filter((row) => !isPast(row))
  }

  #write({ id, nextMs, receiver, summary, tries }: Waiting): void {
    const sql = 'INSERT INTO notice VALUES (?, ?, ?, ?, ?)'
    this.#tables.run(sql, id, receiver, JSON.stringify(summary), tries, nextMs)
  }

  #writeTold({ at_ms: atMs, kind, receiver, subject }: Told): void {
    const sql = 'REPLACE INTO notice_told VALUES (?, ?, ?, ?)'
    this.#tables.run(sql, receiver, kind, subject, atMs)
  }

  #writeMore(receiver: string, more: number): void {
    this.#tables.run('REPLACE INTO notice_more VALUES (?, ?)', receiver, more)
  }
}

type Told = z.infer<typeof toldForm>

interface Plan {
  readonly receiver: string
  waiting: Waiting[]
  readonly told: Told[]
  readonly gone: Set<string>
  more: number
  dropped: number
}

function isEnd(kind: Summary['kind']): boolean {
  return kind === 'approved' || kind === 'denied' || kind === 'expired' || kind === 'withdrawn'
}

function keyOf({ kind, receiver, subject }: Pick<Told, 'kind' | 'receiver' | 'subject'>): string {
  return `${receiver}\n${kind}\n${subject}`
}
