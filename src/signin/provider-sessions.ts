/**
 * Whose a provider's session is. A logout may name the session alone (OpenID Connect Back-Channel
 * Logout 1.0 §2.4, SAML 2.0 profiles §4.4.4), and what came of it here is known by the person. A
 * table of `state.sqlite`; ids are kept as hashes, since some of them are secrets.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'

export interface ProviderSessions {
  /** Durable on return. */
  keep(issuer: string, session: string, subject: string): void
  /** The subject who signed in by it; undefined where none is known. */
  subjectOf(issuer: string, session: string): string | undefined
  close(): void
}

/** Longer than any session here that could come of one. */
const keptMs = 31 * 86_400_000

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS provider_session (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** @param file the path of `state.sqlite`, or `:memory:`. */
export function openProviderSessions(file: string, { clock }: { clock: Clock }): ProviderSessions {
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file)
  db.exec(schema)
  const nowMs = (): number => Math.floor(clock.nowUs() / 1000)
  return {
    keep(issuer, session, subject): void {
      db.prepare('DELETE FROM provider_session WHERE at < ?').run(nowMs() - keptMs)
      db.prepare('INSERT OR REPLACE INTO provider_session VALUES (?, ?, ?)').run(
        idOf(issuer, session),
        subject,
        nowMs(),
      )
    },
    subjectOf(issuer, session): string | undefined {
      const found = db
        .prepare('SELECT subject FROM provider_session WHERE id = ?')
        .get(idOf(issuer, session))
      const subject = found?.['subject']
      return typeof subject === 'string' ? subject : undefined
    },
    close: () => db.close(),
  }
}

function idOf(issuer: string, session: string): string {
  return createHash('sha256').update(`${issuer}\n${session}`).digest('base64url')
}
