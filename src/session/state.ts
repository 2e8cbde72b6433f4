/**
 * What must outlive a restart about sessions: whose they are, and which exchange each stream event
 * and each awaited answer belongs to. One SQLite file, `state.sqlite`.
 *
 * Identifiers that servers and clients made up (session ids, event ids, JSON-RPC ids, task ids) are
 * kept only as keyed hashes: some of them are secrets, and any of them could hold a card number.
 *
 * Write-ahead log with `synchronous=NORMAL`: what was written survives the death of the process. A
 * power cut may lose the last moments; a client then has to open a new session, and no answer can
 * reach anybody but its owner.
 */
import { createHmac } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS binding (
    connection TEXT, sid TEXT, owner TEXT, version TEXT, session TEXT, at INTEGER,
    PRIMARY KEY (connection, sid)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event (
    sid TEXT, id TEXT, exchange TEXT, at INTEGER, PRIMARY KEY (sid, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS awaited (
    sid TEXT, id TEXT, side TEXT, exchange TEXT, method TEXT, at INTEGER,
    PRIMARY KEY (sid, id, side)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS task (
    connection TEXT, id TEXT, owner TEXT, at INTEGER, PRIMARY KEY (connection, id)) WITHOUT ROWID;
`

/** A session id of an upstream, and the one principal who may use it. */
export interface Binding {
  readonly owner: string
  readonly version: string
  /** The recorded session it belonged to last. */
  readonly session: string
}

/** What somebody waits for: `client` an answer of the server, `server` an answer of the client. */
export interface Awaited {
  readonly exchange: string
  readonly method: string
}
export type Side = 'client' | 'server'

export class SessionState {
  readonly #db: DatabaseSync
  readonly #key: Uint8Array
  readonly #prepared = new Map<string, StatementSync>()

  /**
   * @param file the path of `state.sqlite`, or `:memory:`.
   * @param key 32 bytes; the keyed hashes of identifiers are made with it.
   */
  constructor(file: string, key: Uint8Array) {
    // SQLite gives the files it keeps beside this one the same mode.
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    this.#db = new DatabaseSync(file)
    this.#key = key
    this.#db.exec(schema)
  }

  /** A keyed hash of an identifier, 32 letters: equal for equal ones, and no way back. */
  hash(id: string): string {
    return createHmac('sha256', this.#key).update(id).digest('base64url').slice(0, 32)
  }

  bind(connection: string, sid: string, binding: Binding, nowMs: number): void {
    const { owner, version, session } = binding
    this.#run(
      'INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?, ?, ?)',
      connection,
      this.hash(sid),
      owner,
      version,
      session,
      nowMs,
    )
  }

  binding(connection: string, sid: string): Binding | undefined {
    const row = this.#get(
      'SELECT owner, version, session FROM binding WHERE connection = ? AND sid = ?',
      connection,
      this.hash(sid),
    )
    if (row === undefined) return undefined
    return {
      owner: text(row['owner']),
      version: text(row['version']),
      session: text(row['session']),
    }
  }

  unbind(connection: string, sid: string): void {
    const hash = this.hash(sid)
    this.#run('DELETE FROM binding WHERE connection = ? AND sid = ?', connection, hash)
    this.#run('DELETE FROM event WHERE sid = ?', hash)
    this.#run('DELETE FROM awaited WHERE sid = ?', hash)
  }

  /** Notes that a stream event belongs to an exchange. @returns false if it was known before. */
  noteEvent(sid: string, eventId: string, exchange: string, nowMs: number): boolean {
    const done = this.#run(
      'INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)',
      this.hash(sid),
      this.hash(eventId),
      exchange,
      nowMs,
    )
    return done > 0
  }

  exchangeOfEvent(sid: string, eventId: string): string | undefined {
    const row = this.#get(
      'SELECT exchange FROM event WHERE sid = ? AND id = ?',
      this.hash(sid),
      this.hash(eventId),
    )
    return row === undefined ? undefined : text(row['exchange'])
  }

  await(sid: string, idRaw: string, side: Side, awaited: Awaited, nowMs: number): void {
    this.#run(
      'INSERT OR REPLACE INTO awaited VALUES (?, ?, ?, ?, ?, ?)',
      this.hash(sid),
      this.hash(idRaw),
      side,
      awaited.exchange,
      awaited.method,
      nowMs,
    )
  }

  awaited(sid: string, idRaw: string, side: Side): Awaited | undefined {
    const row = this.#get(
      'SELECT exchange, method FROM awaited WHERE sid = ? AND id = ? AND side = ?',
      this.hash(sid),
      this.hash(idRaw),
      side,
    )
    if (row === undefined) return undefined
    return { exchange: text(row['exchange']), method: text(row['method']) }
  }

  settle(sid: string, idRaw: string, side: Side): void {
    this.#run(
      'DELETE FROM awaited WHERE sid = ? AND id = ? AND side = ?',
      this.hash(sid),
      this.hash(idRaw),
      side,
    )
  }

  ownTask(connection: string, taskId: string, owner: string, nowMs: number): void {
    this.#run(
      'INSERT OR IGNORE INTO task VALUES (?, ?, ?, ?)',
      connection,
      this.hash(taskId),
      owner,
      nowMs,
    )
  }

  ownerOfTask(connection: string, taskId: string): string | undefined {
    const row = this.#get(
      'SELECT owner FROM task WHERE connection = ? AND id = ?',
      connection,
      this.hash(taskId),
    )
    return row === undefined ? undefined : text(row['owner'])
  }

  /** Forgets what is older than a moment, in milliseconds since 1970. Its sessions answer 404 then. */
  forgetBefore(ms: number): void {
    for (const table of ['binding', 'event', 'awaited', 'task']) {
      this.#run(`DELETE FROM ${table} WHERE at < ?`, ms)
    }
  }

  close(): void {
    this.#db.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }

  #get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values)
  }

  #run(sql: string, ...values: (string | number)[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
