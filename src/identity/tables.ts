/**
 * A few tables of `state.sqlite` on a connection of their own. What is written here has to outlive a
 * power cut: a stop that comes undone lets somebody in again. So each change is synced before it is
 * told (`synchronous=FULL`), but what is written behind.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import type { z } from 'zod'
import { Fault } from '../base/fault.ts'

/** How long another process may hold the file before an access fails. */
const busyMs = 500

export class Tables {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  /**
   * @param file the path of `state.sqlite`, or `:memory:`; made for its owner alone where missing.
   * @param schema SQL which makes the tables where they are missing.
   * @param names of these tables: they are checked for damage.
   * @throws {Fault} `identity_down`, reason `state_file`: the file or one of the tables cannot be
   *   read. Nobody knows then who is stopped, so nothing may start.
   */
  static open(file: string, schema: string, names: readonly string[]): Tables {
    let db: DatabaseSync | undefined
    try {
      // SQLite gives the files it keeps beside this one the same mode.
      if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
      db = new DatabaseSync(file, { timeout: busyMs })
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`)
      for (const name of names) {
        const found = db.prepare(`PRAGMA quick_check('${name}')`).get()
        if (found?.['quick_check'] !== 'ok') throw damaged(name)
      }
      return new Tables(db)
    } catch (cause) {
      db?.close()
      if (cause instanceof Fault) throw cause
      throw unreadable(cause)
    }
  }

  private constructor(db: DatabaseSync) {
    this.#db = db
  }

  /**
   * All rows of a table, each of them checked; none is passed over.
   * @param sql selects them.
   * @param values of its parameters.
   * @throws {Fault} `identity_down`, reason `state_file`, with the table and the number of the row.
   */
  rows<T>(name: string, sql: string, form: z.ZodType<T>, ...values: readonly SQLInputValue[]): T[] {
    let found: Record<string, unknown>[]
    try {
      found = this.#statement(sql).all(...values)
    } catch (cause) {
      throw unreadable(cause)
    }
    return found.map((row, i) => {
      const { data, success } = form.safeParse(row)
      if (!success) throw damaged(name, i + 1)
      return data
    })
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

  /** The same for what may be lost with the power: it is synced with the next change that must not,
   *  for the log of SQLite is one. */
  behind(work: () => void): void {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      this.atOnce(work)
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
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
    'The file state.sqlite in the data folder cannot be read, so it is not known who is stopped and nothing starts. Look at its rights, or restore it from a backup.'
  return new Fault('identity_down', message, { cause, facts })
}

function unwritten(cause: unknown): Fault {
  const message =
    'The file state.sqlite in the data folder cannot be written, so this change will not outlive a restart. Look at its rights and at the room on its disk, then repeat the change.'
  return new Fault('record_down', message, { cause, facts })
}

/** @param row counted from 1; missing where the table as a whole is broken. */
function damaged(table: string, row?: number): Fault {
  const where = row === undefined ? '' : `, row ${row}`
  const message = `The file state.sqlite in the data folder is damaged (table ${table}${where}). It is not known who is stopped, so nothing starts. Restore it from a backup.`
  return new Fault('identity_down', message, { facts: { ...facts, table, row: row ?? 0 } })
}
