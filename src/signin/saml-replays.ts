/**
 * Messages that are good once: which ones were used. A table of `state.sqlite` on a connection of
 * its own, which syncs each write: a message taken before a power cut is not taken after it.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS replay (key BLOB PRIMARY KEY, ends INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS replay_ends ON replay (ends);
`

export interface ReplayStore {
  /**
   * Takes all the names, or none of them: true once they are durably taken, false when one of them
   * was before. Of several calls at a time with one name, in however many processes, one gets true.
   * @param names what the message is called, such as `assertion ISSUER ID`; kept as SHA-256 only.
   * @param endsMs when the message is refused for its age anyway, milliseconds since 1970.
   */
  take(names: readonly string[], endsMs: number, nowMs: number): boolean
  close(): void
}

/** @param file the path of `state.sqlite`, or `:memory:`; the table is made where it is missing. */
export function openReplays(file: string): ReplayStore {
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file, { timeout: 5_000 })
  db.exec(schema)
  const drop = db.prepare('DELETE FROM replay WHERE ends < ?')
  const insert = db.prepare('INSERT OR IGNORE INTO replay VALUES (?, ?)')
  const isNew = (name: string, endsMs: number): boolean =>
    insert.run(createHash('sha256').update(name).digest(), Math.ceil(endsMs)).changes === 1
  return {
    take(names, endsMs, nowMs): boolean {
      db.exec('BEGIN IMMEDIATE')
      // A crash before the commit leaves nothing: the message was not taken, and may come again.
      let isTaken = false
      try {
        drop.run(Math.floor(nowMs))
        isTaken = names.every((name) => isNew(name, endsMs))
      } finally {
        db.exec(isTaken ? 'COMMIT' : 'ROLLBACK')
      }
      return isTaken
    },
    close: () => db.close(),
  }
}
