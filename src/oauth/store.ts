/**
 * All that the authorization server must not forget, in tables of its own in `state.sqlite`: grants,
 * clients, codes, refresh tokens, browser sessions, sign-ins under way.
 *
 * Codes, refresh tokens and cookies are nowhere in clear (`sealed.ts`). What a row belongs to stands
 * beside it, since grants and persons are ended by that. `uid` is the other name of a session, and
 * the network that began an interaction; `consumed_s` is when a code or refresh token was used, and
 * when a client was first granted something.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { rowId, seal, unseal } from './sealed.ts'

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS oauth_rows (
    model TEXT, id TEXT, payload BLOB, grant_id TEXT, account TEXT, client TEXT, uid TEXT,
    made_ms INTEGER, expires_ms INTEGER, consumed_s INTEGER,
    PRIMARY KEY (model, id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS oauth_grant ON oauth_rows (grant_id);
  CREATE INDEX IF NOT EXISTS oauth_account ON oauth_rows (account);
  CREATE INDEX IF NOT EXISTS oauth_named ON oauth_rows (uid, model, account, made_ms);
  CREATE INDEX IF NOT EXISTS oauth_expires ON oauth_rows (expires_ms);
  CREATE INDEX IF NOT EXISTS oauth_oldest ON oauth_rows (model, account, consumed_s, made_ms);
`

/** One person's yes to one client, and all tokens that came of it. */
export interface GrantRow {
  /** `gid` of its access tokens. */
  readonly id: string
  /** `pr_…` of the person. */
  readonly account: string
  readonly client: string
  readonly madeMs: number
  readonly expiresMs: number
}

export interface ClientRow {
  readonly id: string
  readonly madeMs: number
  /** Forgotten then unless it is used before. */
  readonly expiresMs: number
}

export interface StoreOptions {
  /** `state.sqlite`, or `:memory:`. */
  readonly file: string
  readonly nowMs: () => number
  /** A registered client nobody uses is forgotten after this time: one that was granted something,
   *  and one that never was. */
  readonly clientIdleMs: number
  readonly newClientIdleMs: number
  /** Sign-ins under way: in all, and begun from one network. The oldest go, those of nobody first. */
  readonly interactionsMax: number
  readonly interactionsPerNetworkMax: number
  /** Where the request at hand comes from, in a word. */
  readonly network: () => string
  /** Before a client is kept; what it throws keeps the client out. */
  readonly onClient: (client: AdapterPayload) => Promise<void>
  /** The library ended a grant: a code or refresh token was used twice, or revoked. */
  readonly onGrantEnded: (grant: GrantRow) => void
  /** The error for whoever comes second with a code or refresh token. */
  readonly usedTwice: () => Error
}

/** Their payloads hold nothing that lets anybody in. */
const open: ReadonlySet<string> = new Set(['Client', 'Grant'])
/** A client's new end is written once it is off by this part of its time. */
const touchPart = 1 / 24

export class Store {
  readonly #db: DatabaseSync
  readonly #options: StoreOptions
  readonly #prepared = new Map<string, StatementSync>()

  constructor(options: StoreOptions) {
    if (options.file !== ':memory:') closeSync(openSync(options.file, 'a', 0o600))
    this.#options = options
    this.#db = new DatabaseSync(options.file)
    this.#db.exec(schema)
  }

  /** What `oidc-provider` asks for each of its models. */
  adapter(model: string): Adapter {
    return {
      upsert: (id, payload, expiresInS) => this.#upsert(model, id, payload, expiresInS),
      find: async (id) => this.#find(model, id),
      findByUid: async (uid) => this.#findSession(uid),
      findByUserCode: async () => undefined, // The device flow is off.
      consume: async (id) => this.#consume(model, id),
      destroy: async (id) => this.#destroy(model, id),
      revokeByGrantId: async (grantId) => {
        // The library calls this once per model and destroys the grant itself.
        this.#run('DELETE FROM oauth_rows WHERE model = ? AND grant_id = ?', model, grantId)
      },
    }
  }

  /** Grants in force of a person, or all. */
  grants(account?: string): GrantRow[] {
    const all = `SELECT * FROM oauth_rows WHERE model = 'Grant' AND expires_ms > ?`
    const nowMs = this.#options.nowMs()
    const rows =
      account === undefined
        ? this.#all(`${all} ORDER BY made_ms`, nowMs)
        : this.#all(`${all} AND account = ? ORDER BY made_ms`, nowMs, account)
    return rows.map(asGrant)
  }

  /** Clients that registered themselves, by age. */
  clients(): ClientRow[] {
    const rows = this.#all(`SELECT * FROM oauth_rows WHERE model = 'Client' ORDER BY made_ms`)
    return rows.map((row) => ({
      id: textOf(row['client']),
      madeMs: Number(row['made_ms']),
      expiresMs: Number(row['expires_ms']),
    }))
  }

  clientCount(): number {
    return this.#count(`model = 'Client'`)
  }

  /**
   * Drops the oldest clients that were never granted anything, until one more may come.
   * @returns false when all there are were.
   */
  makeRoomForClient(clientsMax: number): boolean {
    let over = this.clientCount() - clientsMax + 1
    if (over <= 0) return true
    over -= this.sweep('Client')
    return over <= 0 || this.#dropUnowned('Client', over) === over
  }

  /** Ends a grant with its codes and refresh tokens; undefined where there is none. */
  endGrant(id: string): GrantRow | undefined {
    const grant = this.#grant(id)
    this.#run('DELETE FROM oauth_rows WHERE grant_id = ?', id)
    return grant
  }

  /** Forgets all of a person: sessions, sign-ins under way, codes, refresh tokens, grants.
   *  @returns rows that are gone. */
  forget(account: string): number {
    return this.#run('DELETE FROM oauth_rows WHERE account = ?', account)
  }

  /** Browser sessions of a person. */
  sessionCount(account: string): number {
    return this.#count(`model = 'Session' AND account = ?`, account)
  }

  removeClient(id: string): boolean {
    return this.#run(`DELETE FROM oauth_rows WHERE model = 'Client' AND client = ?`, id) > 0
  }

  /** Keeps a mark that something was told once. @returns whether it is new. */
  mark(name: string, ttlMs: number): boolean {
    const nowMs = this.#options.nowMs()
    const sql = `INSERT INTO oauth_rows (model, id, made_ms, expires_ms) VALUES ('Mark', ?, ?, ?)
      ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms, made_ms = excluded.made_ms
      WHERE oauth_rows.expires_ms <= excluded.made_ms`
    return this.#run(sql, rowId('Mark', name), nowMs, nowMs + ttlMs) > 0
  }

  /** Drops what has expired, of all or one kind. @returns how much. */
  sweep(model?: string): number {
    const expired = 'DELETE FROM oauth_rows WHERE expires_ms <= ?'
    const nowMs = this.#options.nowMs()
    return model === undefined
      ? this.#run(expired, nowMs)
      : this.#run(`${expired} AND model = ?`, nowMs, model)
  }

  close(): void {
    this.#db.close()
  }

  async #upsert(
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresInS?: number,
  ): Promise<void> {
    const { network, newClientIdleMs, nowMs: now, onClient } = this.#options
    if (model === 'Client') await onClient(payload)
    const nowMs = now()
    const lifeMs = model === 'Client' ? newClientIdleMs : (expiresInS ?? 3600) * 1000
    const uid = model === 'Interaction' ? rowId('network', network()) : otherName(model, payload)
    if (model === 'Interaction' && uid !== null) this.#makeRoomForInteraction(id, uid)
    if (model === 'Grant') this.#useClient(payload.clientId ?? '')
    // `jti` is the id itself: it must not lie beside the row.
    const text = JSON.stringify({ ...payload, jti: undefined })
    this.#run(
      `INSERT INTO oauth_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET payload = excluded.payload, account = excluded.account,
         uid = excluded.uid, expires_ms = excluded.expires_ms`,
      model,
      rowId(model, id),
      open.has(model) ? Buffer.from(text) : seal(model, id, text),
      model === 'Grant' ? id : (payload.grantId ?? null),
      payload.accountId ?? payload.session?.accountId ?? null,
      model === 'Client' ? id : (payload.clientId ?? null),
      uid,
      nowMs,
      nowMs + lifeMs,
      null,
    )
  }

  #find(model: string, id: string): AdapterPayload | undefined {
    const row = this.#row(model, id)
    const bytes = row?.['payload']
    if (row === undefined || !(bytes instanceof Uint8Array)) return undefined
    const text = open.has(model) ? Buffer.from(bytes).toString() : unseal(model, id, bytes)
    const payload: unknown = text === undefined ? undefined : JSON.parse(text)
    if (!isPayload(payload)) return undefined
    if (model === 'Client') {
      this.#touch(row)
      return payload
    }
    const consumed = row['consumed_s'] === null ? {} : { consumed: Number(row['consumed_s']) }
    return { ...payload, jti: id, ...consumed }
  }

  /** Who a session belongs to, all that is asked of it by this name. */
  #findSession(uid: string): AdapterPayload | undefined {
    const sql = `SELECT * FROM oauth_rows WHERE model = 'Session' AND uid = ? AND expires_ms > ?`
    const [row] = this.#all(sql, rowId('uid', uid), this.#options.nowMs())
    if (row === undefined) return undefined
    const account = row['account']
    return {
      uid,
      kind: 'Session',
      exp: Math.floor(Number(row['expires_ms']) / 1000),
      ...(typeof account === 'string' ? { accountId: account } : {}),
    }
  }

  /** Exactly one caller gets through, however many come at once. */
  #consume(model: string, id: string): void {
    const nowS = Math.floor(this.#options.nowMs() / 1000)
    const sql =
      'UPDATE oauth_rows SET consumed_s = ? WHERE model = ? AND id = ? AND consumed_s IS NULL'
    if (this.#run(sql, nowS, model, rowId(model, id)) === 1) return
    // Two came at once and the other was first. One of them has no right to it: both lose it all.
    const grantId = this.#row(model, id)?.['grant_id']
    if (typeof grantId === 'string') {
      const grant = this.endGrant(grantId)
      if (grant !== undefined) this.#options.onGrantEnded(grant)
    }
    throw this.#options.usedTwice()
  }

  #destroy(model: string, id: string): void {
    const grant = model === 'Grant' ? this.#grant(id) : undefined
    this.#run('DELETE FROM oauth_rows WHERE model = ? AND id = ?', model, rowId(model, id))
    if (grant !== undefined) this.#options.onGrantEnded(grant)
  }

  #grant(id: string): GrantRow | undefined {
    const row = this.#row('Grant', id)
    return row === undefined ? undefined : asGrant(row)
  }

  #row(model: string, id: string): Row | undefined {
    const sql = 'SELECT * FROM oauth_rows WHERE model = ? AND id = ? AND expires_ms > ?'
    return this.#all(sql, model, rowId(model, id), this.#options.nowMs())[0]
  }

  /** A client in use lives on. Not written each time. */
  #touch(row: Row): void {
    const { clientIdleMs, newClientIdleMs, nowMs } = this.#options
    const idleMs = row['consumed_s'] === null ? newClientIdleMs : clientIdleMs
    const untilMs = nowMs() + idleMs
    if (untilMs - Number(row['expires_ms']) < idleMs * touchPart) return
    const sql = `UPDATE oauth_rows SET expires_ms = ? WHERE model = 'Client' AND id = ?`
    this.#run(sql, untilMs, textOf(row['id']))
  }

  /** Somebody has allowed it something: it is no stranger that may be dropped. */
  #useClient(id: string): void {
    const nowMs = this.#options.nowMs()
    const sql = `UPDATE oauth_rows SET consumed_s = coalesce(consumed_s, ?), expires_ms = ?
      WHERE model = 'Client' AND id = ?`
    const untilMs = nowMs + this.#options.clientIdleMs
    this.#run(sql, Math.floor(nowMs / 1000), untilMs, rowId('Client', id))
  }

  /** Requests cost nobody anything, and each leaves a row: there are so many, and then the oldest go. */
  #makeRoomForInteraction(id: string, network: string): void {
    const { interactionsMax, interactionsPerNetworkMax } = this.#options
    if (this.#row('Interaction', id) !== undefined) return // It is kept anew, in its own place.
    const ofNetwork = `model = 'Interaction' AND uid = ?`
    const near = this.#count(ofNetwork, network) - interactionsPerNetworkMax + 1
    if (near > 0) {
      const oldest = `SELECT id FROM oauth_rows WHERE ${ofNetwork}
        ORDER BY account IS NOT NULL, made_ms LIMIT ?`
      this.#run(
        `DELETE FROM oauth_rows WHERE model = 'Interaction' AND id IN (${oldest})`,
        network,
        near,
      )
    }
    const over = this.#count(`model = 'Interaction'`) - interactionsMax + 1
    if (over <= 0 || this.#dropUnowned('Interaction', over) === over) return
    // All of them are of people who are signed in: the oldest all the same.
    const oldest = `SELECT id FROM oauth_rows WHERE model = 'Interaction' ORDER BY made_ms LIMIT ?`
    this.#run(`DELETE FROM oauth_rows WHERE model = 'Interaction' AND id IN (${oldest})`, 1)
  }

  /** The oldest rows that belong to nobody: clients without a grant, requests without a person.
   *  @returns how many there were, `rowsMax` at most. */
  #dropUnowned(model: 'Client' | 'Interaction', rowsMax: number): number {
    const oldest = `SELECT id FROM oauth_rows WHERE model = ? AND account IS NULL
      AND consumed_s IS NULL ORDER BY made_ms LIMIT ?`
    const sql = `DELETE FROM oauth_rows WHERE model = ? AND id IN (${oldest})`
    return this.#run(sql, model, model, rowsMax)
  }

  #count(where: string, ...values: SQLInputValue[]): number {
    const [row] = this.#all(`SELECT count(*) AS n FROM oauth_rows WHERE ${where}`, ...values)
    return Number(row?.['n'])
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values)
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}

type Row = Readonly<Record<string, unknown>>

function otherName(model: string, { uid }: AdapterPayload): string | null {
  return model === 'Session' && uid !== undefined ? rowId('uid', uid) : null
}

function asGrant(row: Row): GrantRow {
  return {
    id: textOf(row['grant_id']),
    account: textOf(row['account']),
    client: textOf(row['client']),
    madeMs: Number(row['made_ms']),
    expiresMs: Number(row['expires_ms']),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isPayload(value: unknown): value is AdapterPayload {
  return typeof value === 'object' && value !== null
}
