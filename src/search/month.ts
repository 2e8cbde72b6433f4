/** The index of one month: one SQLite file, its rows, and how far it has come. */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '../base/fault.ts'
import { Dictionary } from './dictionary.ts'
import { Rows } from './rows.ts'
import { createTables, dropText, forgottenState, isCurrent, prepare, sweep } from './schema.ts'
import type { StatementSync } from 'node:sqlite'
import type { Position } from '../record/read.ts'
import type { FileMode } from './schema.ts'
import type { Month } from './where.ts'

/** Words that name fewer items than this are looked up item by item. */
const rareMax = 2000

/** An item of this month whose call had not ended when the month had, or that ended later. */
export interface Late {
  readonly writer: string
  readonly exchange: string
  readonly open: number
  /** Index of the last entry that was folded in. */
  readonly last: number
  /** Index of the entry that ended it. */
  readonly closedBy: number | undefined
}

export class MonthFile implements Month {
  readonly name: string
  readonly db: DatabaseSync
  readonly dictionary: Dictionary
  readonly #statements = new Map<string, StatementSync>()
  #rows: Rows | undefined
  #deadlineMs = Infinity

  private constructor(name: string, db: DatabaseSync) {
    this.name = name
    this.db = db
    this.dictionary = new Dictionary(db)
    // SQLite asks this now and then while a statement runs; a throw ends the statement.
    db.function('in_time', () => {
      if (performance.now() > this.#deadlineMs) throw tooSlow()
      return 1
    })
  }

  /**
   * Opens the file, or makes it where that is allowed (mode 0600).
   * @returns undefined when it was made by another version or with other settings.
   * @throws SQLite's error when it is damaged, or when it is not there and may not be made.
   */
  static open(path: string, name: string, mode: FileMode): MonthFile | undefined {
    const isNew = !mode.isReadOnly && !existsSync(path)
    if (isNew) closeSync(openSync(path, 'wx', 0o600))
    const db = new DatabaseSync(path, { readOnly: mode.isReadOnly })
    try {
      prepare(db, mode)
      if (isNew) createTables(db, mode)
      else if (!isCurrent(db, mode)) {
        db.close()
        return undefined
      }
      // Files of a log and of shared memory get the rights of the file they belong to.
      if (!mode.isReadOnly) chmodSync(path, 0o600)
      if (!mode.isReadOnly && forgottenState(db) === 1) sweep(db)
      return new MonthFile(name, db)
    } catch (error) {
      if (db.isOpen) db.close()
      throw error
    }
  }

  get rows(): Rows {
    this.#rows ??= new Rows(this.db, this.name, this.dictionary)
    return this.#rows
  }

  /** Whether the texts of this month were taken away for good. */
  get isForgotten(): boolean {
    return forgottenState(this.db) > 0
  }

  /** Runs `work` in one transaction: all of it is in the file afterwards, or nothing. */
  transaction(work: () => void): void {
    this.db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.db.exec('COMMIT')
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      this.dictionary.forget()
      throw error
    }
  }

  /** Entries of the writer below this index are in this file, as far as they belong into it. */
  applied(writer: string): number {
    const row = this.prepared('SELECT applied FROM progress WHERE writer = ?').get(writer)
    return Number(row?.['applied'] ?? 0)
  }

  /** Where reading goes on, by what this file knows. */
  position(writer: string): Position | undefined {
    const row = this.prepared('SELECT * FROM progress WHERE writer = ?').get(writer)
    const { next_index: nextIndex, offset, segment } = row ?? {}
    if (typeof segment !== 'string') return undefined
    return { segment, offset: Number(offset), nextIndex: Number(nextIndex) }
  }

  writers(): string[] {
    const rows = this.prepared('SELECT writer FROM progress').all()
    return rows.map(({ writer }) => String(writer))
  }

  /** Notes, within a transaction, what is in; `next` only where it is in every file. */
  advance(writer: string, applied: number, next: Position | undefined): void {
    this.prepared(
      `INSERT INTO progress(writer, applied) VALUES (?1, ?2) ON CONFLICT(writer)
        DO UPDATE SET applied = max(applied, ?2)`,
    ).run(writer, applied)
    if (!next) return
    this.prepared(
      'UPDATE progress SET segment = ?, offset = ?, next_index = ? WHERE writer = ?',
    ).run(next.segment, next.offset, next.nextIndex, writer)
  }

  /** Items that entries of later months may still belong to. */
  late(): Late[] {
    const rows = this.prepared(
      `SELECT p.writer, p.exchange, p.open, p.closed_by, i.last FROM pending AS p
        JOIN item AS i ON i.id = p.item`,
    ).all()
    return rows.map(({ closed_by: closedBy, exchange, last, open, writer }) => ({
      writer: String(writer),
      exchange: String(exchange),
      open: Number(open),
      last: Number(last),
      closedBy: typeof closedBy === 'number' ? closedBy : undefined,
    }))
  }

  isRare(words: readonly number[]): boolean {
    const sql =
      'SELECT count(*) AS count FROM (SELECT 1 FROM named WHERE word IN (SELECT value FROM json_each(?)) LIMIT ?)'
    const row = this.prepared(sql).get(JSON.stringify(words), rareMax)
    return Number(row?.['count']) < rareMax
  }

  /** Statements that run from here on end with a fault after `deadlineMs` (`performance.now()`). */
  limit(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs
  }

  prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Takes all text away. The file is to be closed and opened again afterwards. */
  forgetText(): void {
    dropText(this.db)
  }

  close(): void {
    if (this.db.isOpen) this.db.close()
  }
}

function tooSlow(): Fault {
  return new Fault(
    'bad_params',
    'The search took too long and was ended. Narrow it: a shorter time (from:, to:), or a field.',
    { facts: { reason: 'query_slow' } },
  )
}
