/**
 * Accounts of the gateway's own: a table of `state.sqlite`. A name is never given twice, since
 * (issuer, name) is an identity; who is removed stays as a row.
 *
 *     add ──► link, 24 hours, once ──► passkey, password where it is wanted ──► ready
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Told } from '../identity/directory.ts'
import { Lockout } from './lockout.ts'
import { Passwords, weakness } from './passwords.ts'

export interface Account {
  readonly name: string
  /** For people to read. */
  readonly title: string | undefined
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** For emergencies: password and security key, an alert at each use, an hour at most. */
  readonly isBreakGlass: boolean
  readonly hasPassword: boolean
  /** Milliseconds since 1970. */
  readonly madeMs: number
  /** Until when its link can be used; missing where there is none. */
  readonly invitedUntilMs: number | undefined
}

export type NewAccount = Pick<Account, 'name' | 'title' | 'groups' | 'roles' | 'isBreakGlass'>

/** Why a password does not let in, for the record. */
export type PasswordRefusal = 'account_unknown' | 'password_wrong' | 'password_unset' | 'locked_out'

export interface Accounts {
  /** Identifier of the issuer whose subjects the accounts are. */
  readonly issuer: string
  /**
   * @returns the secret of its link, shown once.
   * @throws {Fault} `refused` for a name that has not the form or was given before.
   */
  add(account: NewAccount): string
  /**
   * A new link for an account; the one before is void.
   * @param isReset its password goes. Its passkeys are the caller's to remove.
   * @throws {Fault} `path_unknown` where there is no such account.
   */
  invite(name: string, isReset: boolean): string
  /** The account a link is for, while it can be used. */
  invited(secret: string): Account | undefined
  /** Spends a link. @returns false when it was spent or has ended meanwhile. */
  spend(secret: string): boolean
  /**
   * Sets the password of the account a link is for, and spends the link.
   * @returns false when it was spent or has ended meanwhile.
   * @throws {Fault} `refused`, with a sentence for people, where it is too weak; `busy`.
   */
  setPassword(secret: string, password: string): Promise<boolean>
  /**
   * The account of a name and its password. Takes as long for an account that is not there.
   * @param ip address of the source; after ten tries the two wait for half an hour.
   * @throws {Fault} `busy`.
   */
  check(name: string, password: string, ip: string): Promise<Account | PasswordRefusal>
  find(name: string): Account | undefined
  /** @throws {Fault} `path_unknown` where there is no such account. */
  remove(name: string): void
  list(): readonly Account[]
  close(): void
}

export interface AccountsOptions {
  readonly clock: Clock
  readonly issuer: string
}

const inviteMs = 24 * 3_600_000
const nameForm = /^[a-z0-9][a-z0-9._@-]{0,63}$/

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY, title TEXT, groups TEXT NOT NULL, roles TEXT NOT NULL,
    is_break_glass INTEGER NOT NULL, password TEXT, made_ms INTEGER NOT NULL, removed_ms INTEGER,
    invite TEXT UNIQUE, invite_until_ms INTEGER) STRICT, WITHOUT ROWID;
`

/** @param file the path of `state.sqlite`, or `:memory:`. */
export function openAccounts(file: string, options: AccountsOptions): Accounts {
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file)
  db.exec(schema)
  return new AccountTable(db, options)
}

/** What the directory is told of an account at each sign-in. */
export function toldOf(account: Account, issuer: string): Told {
  const { groups, name, roles, title } = account
  const told = { issuer, subject: name, kind: 'person' as const, groups, roles, claims: {} }
  return title === undefined ? { ...told, name } : { ...told, name: title }
}

class AccountTable implements Accounts {
  readonly issuer: string
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #passwords = new Passwords()
  readonly #lockout: Lockout

  constructor(db: DatabaseSync, { clock, issuer }: AccountsOptions) {
    this.issuer = issuer
    this.#db = db
    this.#clock = clock
    this.#lockout = new Lockout(clock)
  }

  add({ groups, isBreakGlass, name, roles, title }: NewAccount): string {
    if (!nameForm.test(name)) {
      const form = 'small letters, digits and . _ @ -, 64 at most, a letter or digit first'
      throw new Fault('refused', `A name of an account has ${form}.`)
    }
    const words = [JSON.stringify(groups), JSON.stringify(roles)] as const
    const row = [name, title ?? null, ...words, isBreakGlass ? 1 : 0, this.#nowMs()]
    const made = this.#run(
      `INSERT INTO accounts (name, title, groups, roles, is_break_glass, made_ms)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      ...row,
    )
    if (made === 1) return this.invite(name, false)
    const message = 'There is or was an account of this name; a name is never given twice.'
    throw new Fault('refused', message)
  }

  invite(name: string, isReset: boolean): string {
    const secret = randomBytes(32).toString('base64url')
    const done = this.#run(
      `UPDATE accounts SET invite = ?, invite_until_ms = ?,
       password = CASE ? WHEN 1 THEN NULL ELSE password END
       WHERE name = ? AND removed_ms IS NULL`,
      hashOf(secret),
      this.#nowMs() + inviteMs,
      isReset ? 1 : 0,
      name,
    )
    if (done !== 1) throw unknown()
    return secret
  }

  invited(secret: string): Account | undefined {
    return this.#one('invite = ? AND invite_until_ms > ?', hashOf(secret), this.#nowMs())
  }

  spend(secret: string): boolean {
    const done = this.#run(
      `UPDATE accounts SET invite = NULL, invite_until_ms = NULL
       WHERE invite = ? AND invite_until_ms > ? AND removed_ms IS NULL`,
      hashOf(secret),
      this.#nowMs(),
    )
    return done === 1
  }

  async setPassword(secret: string, password: string): Promise<boolean> {
    const account = this.invited(secret)
    if (account === undefined) return false
    const weak = weakness(password, account.name)
    if (weak !== undefined) throw new Fault('refused', weak, { facts: { reason: 'weak_password' } })
    const hash = await this.#passwords.hash(password)
    const done = this.#run(
      `UPDATE accounts SET password = ?, invite = NULL, invite_until_ms = NULL
       WHERE invite = ? AND invite_until_ms > ? AND removed_ms IS NULL`,
      hash,
      hashOf(secret),
      this.#nowMs(),
    )
    return done === 1
  }

  async check(name: string, password: string, ip: string): Promise<Account | PasswordRefusal> {
    const account = this.find(name)
    // Locked out is looked at first and costs nothing: whoever guesses shall not keep us busy.
    if (this.#lockout.isLocked(name, ip, account?.isBreakGlass)) return 'locked_out'
    this.#lockout.tried(name, ip)
    const hash = account && this.#passwordOf(name)
    if (!(await this.#isRight(password, hash, { name, ip }))) {
      if (account === undefined) return 'account_unknown'
      return hash === undefined ? 'password_unset' : 'password_wrong'
    }
    this.#lockout.passed(name, ip)
    // It may have been removed or have got another password while this one was looked at.
    if (this.#passwordOf(name) !== hash) return 'password_wrong'
    return this.find(name) ?? 'account_unknown'
  }

  async #isRight(
    password: string,
    hash: string | undefined,
    { name, ip }: { readonly name: string; readonly ip: string },
  ): Promise<boolean> {
    try {
      return await this.#passwords.check(password, hash, ip)
    } catch (error) {
      // Nobody looked at it, so nobody learnt anything by it.
      this.#lockout.untried(name, ip)
      throw error
    }
  }

  find(name: string): Account | undefined {
    return this.#one('name = ?', name)
  }

  remove(name: string): void {
    const done = this.#run(
      `UPDATE accounts SET removed_ms = ?, password = NULL, invite = NULL, invite_until_ms = NULL
       WHERE name = ? AND removed_ms IS NULL`,
      this.#nowMs(),
      name,
    )
    if (done !== 1) throw unknown()
  }

  list(): readonly Account[] {
    const sql = 'SELECT * FROM accounts WHERE removed_ms IS NULL ORDER BY name'
    return this.#db.prepare(sql).all().map(accountOf)
  }

  close(): void {
    this.#db.close()
  }

  #one(where: string, ...values: SQLInputValue[]): Account | undefined {
    const sql = `SELECT * FROM accounts WHERE removed_ms IS NULL AND ${where}`
    const row = this.#db.prepare(sql).get(...values)
    return row && accountOf(row)
  }

  #passwordOf(name: string): string | undefined {
    const row = this.#db.prepare('SELECT password FROM accounts WHERE name = ?').get(name)
    return typeof row?.['password'] === 'string' ? row['password'] : undefined
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#db.prepare(sql).run(...values).changes)
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000)
  }
}

function accountOf(row: Record<string, unknown>): Account {
  const { invite_until_ms: until, title } = row
  return {
    name: String(row['name']),
    title: typeof title === 'string' ? title : undefined,
    groups: wordsIn(row['groups']),
    roles: wordsIn(row['roles']),
    isBreakGlass: row['is_break_glass'] === 1,
    hasPassword: row['password'] !== null,
    madeMs: Number(row['made_ms']),
    invitedUntilMs: until === null ? undefined : Number(until),
  }
}

function wordsIn(text: unknown): readonly string[] {
  const list: unknown = JSON.parse(String(text))
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
}

function unknown(): Fault {
  return new Fault('path_unknown', 'There is no account of this name. List them all first.')
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
