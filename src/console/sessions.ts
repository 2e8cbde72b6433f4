/**
 * Sessions of browsers at the console, kept in `state.sqlite` so that a restart signs nobody out. A
 * session's id is known to its browser alone: here lies its hash.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'

export interface ConsoleSession {
  /** Hash of the id; names the session where people end it. */
  readonly key: string
  /** Id of the person in the directory. */
  readonly person: string
  readonly method: string
  readonly amr: readonly string[]
  /** When the person last proved who they are, milliseconds since 1970. */
  readonly authenticatedMs: number
  readonly providerSession: string | undefined
  readonly isBreakGlass: boolean
  readonly ip: string
  readonly userAgent: string
  /** What changes must carry, besides the cookie. */
  readonly csrf: string
  readonly madeMs: number
  usedMs: number
}

/** The emergency account's sessions are short, whatever is configured. */
const breakGlassMs = 3_600_000
const sessionsMax = 10_000
/** How far behind the last use on disk may be. */
const writeEveryMs = 60_000

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS console_session (
    key TEXT PRIMARY KEY, session TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
`

export class ConsoleSessions {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #maxMs: number
  readonly #open = new Map<string, ConsoleSession>()
  readonly #written = new Map<string, number>()

  /** @param file `state.sqlite`, or `:memory:`. */
  constructor(file: string, of: { clock: Clock; idleMs: number; maxMs: number }) {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    this.#db = new DatabaseSync(file)
    this.#db.exec(schema)
    this.#clock = of.clock
    this.#idleMs = of.idleMs
    this.#maxMs = of.maxMs
    for (const row of this.#db.prepare('SELECT session, used FROM console_session').all()) {
      const session = readSession(row['session'], row['used'])
      if (session !== undefined) this.#open.set(session.key, session)
    }
  }

  /** A new session. @returns it, and the id for the cookie, which is kept nowhere. */
  open(of: Omit<ConsoleSession, 'key' | 'csrf' | 'madeMs' | 'usedMs'>): {
    session: ConsoleSession
    id: string
  } {
    const id = randomBytes(32).toString('base64url')
    const nowMs = this.#nowMs()
    const csrf = randomBytes(32).toString('base64url')
    const session = { ...of, key: keyOf(id), csrf, madeMs: nowMs, usedMs: nowMs }
    if (this.#open.size >= sessionsMax) this.#endOldest()
    this.#open.set(session.key, session)
    this.#write(session)
    return { session, id }
  }

  /** The session of an id, if it is still good. @param isUse false for what a page asks by itself. */
  find(id: string, isUse: boolean): ConsoleSession | undefined {
    const session = this.#open.get(keyOf(id))
    if (session === undefined || this.#isOver(session)) return undefined
    if (isUse) {
      session.usedMs = this.#nowMs()
      if (session.usedMs - (this.#written.get(session.key) ?? 0) > writeEveryMs) {
        this.#write(session)
      }
    }
    return session
  }

  /** @returns the session ended, if there was one. */
  end(key: string): ConsoleSession | undefined {
    const session = this.#open.get(key)
    this.#open.delete(key)
    this.#written.delete(key)
    this.#db.prepare('DELETE FROM console_session WHERE key = ?').run(key)
    return session
  }

  of(person: string): readonly ConsoleSession[] {
    return [...this.#open.values()].filter(
      (session) => session.person === person && !this.#isOver(session),
    )
  }

  list(): readonly ConsoleSession[] {
    return [...this.#open.values()]
  }

  /** Sessions that are idle for too long or too old, to be ended, each with why. */
  over(): readonly (readonly [key: string, why: 'idle' | 'too_old'])[] {
    return this.list().flatMap((session) => {
      const why = this.#whyOver(session)
      return why === undefined ? [] : [[session.key, why] as const]
    })
  }

  close(): void {
    for (const session of this.#open.values()) this.#write(session)
    this.#db.close()
  }

  #isOver(session: ConsoleSession): boolean {
    return this.#whyOver(session) !== undefined
  }

  #whyOver({ isBreakGlass, madeMs, usedMs }: ConsoleSession): 'idle' | 'too_old' | undefined {
    const nowMs = this.#nowMs()
    const maxMs = isBreakGlass ? Math.min(breakGlassMs, this.#maxMs) : this.#maxMs
    if (nowMs - madeMs >= maxMs) return 'too_old'
    return nowMs - usedMs >= this.#idleMs ? 'idle' : undefined
  }

  #endOldest(): void {
    for (const key of this.#open.keys()) {
      this.end(key)
      break
    }
  }

  #write(session: ConsoleSession): void {
    this.#written.set(session.key, session.usedMs)
    this.#db
      .prepare('INSERT OR REPLACE INTO console_session VALUES (?, ?, ?)')
      .run(session.key, JSON.stringify(session), session.usedMs)
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000)
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(`sallyport console session\n${id}`).digest('base64url')
}

/** A row that is no session signs nobody in. */
function readSession(text: unknown, used: unknown): ConsoleSession | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
    if (!isSession(value) || typeof used !== 'number') return undefined
    return { ...value, usedMs: used }
  } catch {
    return undefined // No JSON.
  }
}

function isSession(value: unknown): value is ConsoleSession {
  if (typeof value !== 'object' || value === null) return false
  const words = ['key', 'person', 'method', 'ip', 'userAgent', 'csrf']
  const times = ['authenticatedMs', 'madeMs', 'usedMs']
  return (
    words.every((name) => typeof Reflect.get(value, name) === 'string') &&
    times.every((name) => typeof Reflect.get(value, name) === 'number') &&
    typeof Reflect.get(value, 'isBreakGlass') === 'boolean' &&
    Array.isArray(Reflect.get(value, 'amr'))
  )
}
