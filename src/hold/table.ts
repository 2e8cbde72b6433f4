/**
 * Held calls as they lie in `state.sqlite`, on a connection of their own. Each change is synced
 * before it is told (`synchronous=FULL`), and what is taken out is overwritten (`secure_delete`).
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import type { z } from 'zod'
import { Fault } from '../base/fault.ts'
import { schema, tableNames } from './rows.ts'

/** How long another process may hold the file before an access fails. */
const busyMs = 2000

export class TicketTable {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  /**
   * @param file the path of `state.sqlite`, or `:memory:`; made for its owner alone where missing.
   * @param isReader changes nothing, and may be one beside a gateway that runs.
   * @throws {Fault} `record_down`, reason `state_file`: one of the tables cannot be read.
   */
  constructor(file: string, isReader = false) {
    let db: DatabaseSync | undefined
    try {
      if (file !== ':memory:' && !isReader) closeSync(openSync(file, 'a', 0o600))
      db = new DatabaseSync(file, { timeout: busyMs, readOnly: isReader })
      this.#db = db
      if (isReader) return
      const modes =
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;'
      db.exec(`${modes} ${schema}`)
      for (const name of tableNames) {
        const found = db.prepare(`PRAGMA quick_check('${name}')`).get()
        if (found?.['quick_check'] !== 'ok') throw damaged(name)
      }
    } catch (cause) {
      db?.close()
      throw cause instanceof Fault ? cause : unreadable(cause)
    }
  }

  /** Rows, each of them checked; none is passed over. @throws {Fault} `record_down`, `state_file`. */
  rows<T>(form: z.ZodType<T>, sql: string, ...values: readonly SQLInputValue[]): T[] {
    let found: Record<string, unknown>[]
    try {
      found = this.#statement(sql).all(...values)
    } catch (cause) {
      throw unreadable(cause)
    }
    return found.map((row) => {
      const { data, success } = form.safeParse(row)
      if (!success) throw damaged(/FROM (\w+)/.exec(sql)?.[1] ?? 'ticket')
      return data
    })
  }

  /** How many rows a query gives. @throws {Fault} as `rows`. */
  count(sql: string, ...values: readonly SQLInputValue[]): number {
    try {
      return this.#statement(sql).all(...values).length
    } catch (cause) {
      throw unreadable(cause)
    }
  }

  /** @returns how many rows changed. @throws {Fault} `record_down`, reason `state_file`. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    try {
      return Number(this.#statement(sql).run(...values).changes)
    } catch (cause) {
      throw unwritten(cause)
    }
  }

  /** Everything or nothing of it is written. @throws {Fault} as `run`, and what `work` throws. */
  atOnce<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
    } catch (cause) {
      throw unwritten(cause)
    }
    try {
      const done = work()
      this.#db.exec('COMMIT')
      return done
    } catch (error) {
      // A disk that is full may have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error instanceof Fault ? error : unwritten(error)
    }
  }

  /** Empties the log of changes, in which keys that were destroyed may still lie. */
  forget(): void {
    this.#db.exec('PRAGMA busy_timeout = 0')
    try {
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // Going on is safe: somebody else reads at this moment, and the next end does it.
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${busyMs}`)
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }
}

const facts = { reason: 'state_file' }

function unreadable(cause: unknown): Fault {
  const message =
    'The file state.sqlite in the data folder cannot be read, so it is not known which calls are held, and nothing runs. Look at its rights, or restore it from a backup.'
  return new Fault('record_down', message, { cause, facts })
}

function unwritten(cause: unknown): Fault {
  const message =
    'The file state.sqlite in the data folder cannot be written, so nothing of this held call changed. Look at its rights and at the room on its disk, then try again.'
  return new Fault('record_down', message, { cause, facts })
}

function damaged(table: string): Fault {
  const message = `The file state.sqlite in the data folder is damaged (table ${table}). It is not known which calls are held, so nothing runs. Restore it from a backup.`
  return new Fault('record_down', message, { facts: { ...facts, table } })
}
