/**
 * Sketches of which card numbers each principal was shown, by UTC day: two tables of `state.sqlite`,
 * on a connection of their own, so that a command may open them without the rest, to read only.
 *
 * A principal's key is a keyed hash of its issuer and subject. Its words stand beside it as the
 * record has them, masked. What a sketch holds is for its maker to say; here it is bytes.
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS exposed (
    key TEXT PRIMARY KEY, issuer TEXT, subject TEXT, name TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS exposure (
    key TEXT, day INTEGER, kind TEXT, sketch BLOB, PRIMARY KEY (key, day, kind));
  CREATE INDEX IF NOT EXISTS exposure_day ON exposure (day);
`

/** How a card number was shown: as it is, or masked. */
export type ShownKind = 'clear' | 'masked'

/** A principal for people to read. */
export interface Exposed {
  readonly key: string
  readonly issuer: string
  readonly subject: string
  readonly name: string | undefined
}

export interface DaySketch {
  /** UTC days since 1970-01-01. */
  readonly day: number
  readonly kind: ShownKind
  readonly bytes: Uint8Array
}

export class ExposureStore {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  /** @param file the path of `state.sqlite`, or `:memory:`; tables are made where they are missing. */
  static open(file: string): ExposureStore {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    const db = new DatabaseSync(file)
    db.exec(schema)
    return new ExposureStore(db)
  }

  /**
   * Opens a file that another process may be writing, or one in a folder that cannot be written.
   * @returns undefined when there is no such file, or no exposure in it yet.
   */
  static openToRead(file: string): ExposureStore | undefined {
    if (!existsSync(file)) return undefined
    const store = new ExposureStore(openReadOnly(file))
    const tables = store.#all(
      "SELECT name FROM sqlite_schema WHERE name IN ('exposed', 'exposure')",
    )
    if (tables.length === 2) return store
    store.close()
    return undefined
  }

  private constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The sketches of a principal on the days [from, to], by day. */
  sketches(key: string, from: number, to: number): DaySketch[] {
    const rows = this.#all(
      'SELECT day, kind, sketch FROM exposure WHERE key = ? AND day BETWEEN ? AND ? ORDER BY day',
      key,
      from,
      to,
    )
    return rows.map(({ day, kind, sketch }) => ({
      day: Number(day),
      kind: kind === 'clear' ? 'clear' : 'masked',
      bytes: sketch instanceof Uint8Array ? sketch : new Uint8Array(0),
    }))
  }

  /** Up to `countMax` principals behind a key, in the order of their keys. '' is before all. */
  principals(after: string, countMax: number): Exposed[] {
    const rows = this.#all(
      'SELECT key, issuer, subject, name FROM exposed WHERE key > ? ORDER BY key LIMIT ?',
      after,
      countMax,
    )
    return rows.map(({ key, issuer, subject, name }) => ({
      key: text(key),
      issuer: text(issuer),
      subject: text(subject),
      name: typeof name === 'string' ? name : undefined,
    }))
  }

  /** Writes sketches in place of those of the same day and kind; all of them, or none. */
  save(all: readonly { readonly who: Exposed; readonly sketches: readonly DaySketch[] }[]): void {
    this.#atOnce(() => {
      for (const { who, sketches } of all) {
        const { key, issuer, subject, name } = who
        const named = [key, issuer, subject, name ?? null]
        this.#run('INSERT OR REPLACE INTO exposed VALUES (?, ?, ?, ?)', ...named)
        for (const { day, kind, bytes } of sketches) {
          this.#run('INSERT OR REPLACE INTO exposure VALUES (?, ?, ?, ?)', key, day, kind, bytes)
        }
      }
    })
  }

  /**
   * Forgets days before `day`, and who has none left.
   * @param countMax how many sketches at most go in one call.
   * @returns false when there may be more of them.
   */
  forgetBefore(day: number, countMax: number): boolean {
    return this.#atOnce(() => {
      const gone = this.#run(
        'DELETE FROM exposure WHERE rowid IN (SELECT rowid FROM exposure WHERE day < ? LIMIT ?)',
        day,
        countMax,
      )
      if (gone === countMax) return false
      this.#run(
        'DELETE FROM exposed WHERE NOT EXISTS (SELECT 1 FROM exposure e WHERE e.key = exposed.key)',
      )
      return true
    })
  }

  close(): void {
    this.#db.close()
  }

  #atOnce<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const done = work()
      this.#db.exec('COMMIT')
      return done
    } catch (error) {
      // A disk that is full may have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }

  #all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values)
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }
}

/** SQLite wants to write beside a file with a write-ahead log even to read it. Where it cannot and
 *  nothing is left in such a log, the file alone is all there is. */
function openReadOnly(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    db.prepare('SELECT 1 FROM sqlite_schema').get()
    return db
  } catch (error) {
    db.close()
    if (existsSync(`${file}-wal`)) throw error
    const url = pathToFileURL(file)
    url.searchParams.set('immutable', '1')
    return new DatabaseSync(url, { readOnly: true })
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
