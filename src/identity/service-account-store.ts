/**
 * Service accounts and their keys, in two tables of `state.sqlite`.
 *
 * A key is `sp_k_{24 letters}_{43 of base64url}`: the letters name it, the rest are 32 random bytes.
 * Kept is only an HMAC-SHA-256 of the whole under a key of the installation. So much chance needs no
 * slow hash, and neither the file alone nor the installation's key alone tells whether a guess is right.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { words } from './directory-rows.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { isServiceKey, serviceIssuer, serviceIssuerName } from './service-accounts.ts'
import type { ServiceAccount, ServiceAccounts, ServiceKey } from './service-accounts.ts'
import { Tables } from './tables.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS service_account (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, groups TEXT NOT NULL, roles TEXT NOT NULL,
    connections TEXT, made_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, removed_ms INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS service_key (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, mac BLOB NOT NULL, made_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL) STRICT;
`

/** Uses of one key closer than this are one. */
const usedEveryMs = 60_000

/**
 * @param file the path of `state.sqlite`, or `:memory:`.
 * @param options.key 32 bytes: the HMACs of keys are made with it.
 * @throws {Fault} `identity_down`, reason `state_file`: the accounts cannot be read in full.
 */
export function openServiceAccounts(
  file: string,
  { clock, key }: { readonly clock: Clock; readonly key: Uint8Array },
): ServiceAccounts {
  assert(key.length === 32, 'the key of service keys has 32 bytes')
  const tables = Tables.open(file, schema, ['service_account', 'service_key'])
  try {
    return new StoredAccounts(tables, clock, key)
  } catch (error) {
    tables.close()
    throw error
  }
}

type Account = Omit<ServiceAccount, 'keys'>

interface Kept {
  readonly account: string
  readonly mac: Uint8Array
  key: ServiceKey
  /** Made once: what others keep beside a principal they find again with the next call. */
  readonly principal: Principal
}

class StoredAccounts implements ServiceAccounts {
  readonly #tables: Tables
  readonly #clock: Clock
  readonly #secret: Uint8Array
  /** Names that were given once: (issuer, name) is an identity, so they are never given again. */
  readonly #removed = new Set<string>()
  readonly #accounts = new Map<string, Account>()
  readonly #keys = new Map<string, Kept>()
  /** Ids of keys whose use is not written yet. */
  readonly #used = new Set<string>()

  constructor(tables: Tables, clock: Clock, secret: Uint8Array) {
    this.#tables = tables
    this.#clock = clock
    this.#secret = secret
    const sql = 'SELECT * FROM service_account ORDER BY rowid'
    for (const { account, isRemoved } of tables.rows('service_account', sql, accountForm)) {
      if (isRemoved) this.#removed.add(account.name)
      else this.#accounts.set(account.name, account)
    }
    const keys = 'SELECT * FROM service_key ORDER BY rowid'
    for (const { account, key, mac } of tables.rows('service_key', keys, keyForm)) {
      // A key whose account is gone is good for nothing: a crash cannot leave one.
      const of = this.#accounts.get(account)
      if (of !== undefined) this.#keep(of, key, mac)
    }
  }

  make(of: Omit<Account, 'madeMs' | 'usedMs'>, nowMs: number): ServiceAccount {
    const { connections, groups, name, owner, roles } = of
    checkName(name, this.#accounts.has(name) || this.#removed.has(name))
    const account: Account = Object.freeze({
      name,
      owner,
      groups: Object.freeze([...groups]),
      roles: Object.freeze([...roles]),
      ...(connections === undefined ? {} : { connections: Object.freeze([...connections]) }),
      madeMs: Math.floor(nowMs),
      usedMs: 0,
    })
    const lists = [JSON.stringify(groups), JSON.stringify(roles)]
    const only = connections === undefined ? null : JSON.stringify(connections)
    const sql = 'INSERT INTO service_account VALUES (?, ?, ?, ?, ?, ?, ?, NULL)'
    this.#tables.run(sql, name, owner, ...lists, only, account.madeMs, 0)
    this.#accounts.set(name, account)
    return this.#whole(account)
  }

  issueKey(name: string, ttlMs: number, nowMs: number): { key: string; made: ServiceKey } {
    const account = this.#accounts.get(name)
    if (account === undefined) throw unknownAccount()
    assert(Number.isSafeInteger(ttlMs) && ttlMs > 0, 'a key is good for a while')
    const id = newId('k')
    const key = `sp_${id}_${randomBytes(32).toString('base64url')}`
    assert(isServiceKey(key), 'a key of ours has the form of one')
    const madeMs = Math.floor(nowMs)
    const made = Object.freeze({ id, madeMs, expiresMs: madeMs + ttlMs, usedMs: 0 })
    const mac = this.#macOf(key)
    const sql = 'INSERT INTO service_key VALUES (?, ?, ?, ?, ?, ?)'
    this.#tables.run(sql, id, name, mac, madeMs, made.expiresMs, 0)
    // A crash from here on leaves a key that nobody has seen.
    this.#keep(account, made, mac)
    return { key, made }
  }

  endKey(id: string): boolean {
    const kept = this.#keys.get(id)
    if (kept === undefined) return false
    this.#keys.delete(id)
    this.#used.delete(id)
    const { account, key } = kept
    this.#tables.atOnce(() => {
      this.#tables.run('DELETE FROM service_key WHERE id = ?', id)
      this.#writeUse(account, key.usedMs)
    })
    return true
  }

  remove(name: string): boolean {
    if (!this.#accounts.delete(name)) return false
    this.#removed.add(name)
    for (const [id, { account }] of this.#keys) {
      if (account !== name) continue
      this.#keys.delete(id)
      this.#used.delete(id)
    }
    this.#tables.atOnce(() => {
      this.#tables.run('DELETE FROM service_key WHERE account = ?', name)
      const sql = 'UPDATE service_account SET removed_ms = ? WHERE name = ?'
      this.#tables.run(sql, Math.floor(this.#clock.nowUs() / 1000), name)
    })
    return true
  }

  list(): readonly ServiceAccount[] {
    return [...this.#accounts.values()].map((account) => this.#whole(account))
  }

  verify(key: string, nowMs: number): Principal {
    // The first underscore is that of `sp_`, the second that of `k_`, the third ends the id.
    const kept = isServiceKey(key) ? this.#keys.get(key.slice(3, key.indexOf('_', 5))) : undefined
    if (kept === undefined || !timingSafeEqual(kept.mac, this.#macOf(key))) {
      throw refusal('signature', serviceIssuerName)
    }
    if (nowMs >= kept.key.expiresMs) throw refusal('expired', serviceIssuerName)
    if (nowMs >= kept.key.usedMs + usedEveryMs) this.#use(kept, nowMs)
    return kept.principal
  }

  flush(): void {
    if (this.#used.size === 0) return
    this.#tables.behind(() => {
      for (const id of this.#used) {
        const kept = this.#keys.get(id)
        if (kept === undefined) continue
        const { account, key } = kept
        this.#tables.run('UPDATE service_key SET used_ms = ? WHERE id = ?', key.usedMs, id)
        this.#writeUse(account, key.usedMs)
      }
    })
    this.#used.clear()
  }

  close(): void {
    try {
      this.flush()
    } finally {
      this.#tables.close()
    }
  }

  #writeUse(account: string, usedMs: number): void {
    const sql = 'UPDATE service_account SET used_ms = max(used_ms, ?) WHERE name = ?'
    this.#tables.run(sql, usedMs, account)
  }

  #use(kept: Kept, nowMs: number): void {
    const atMs = Math.floor(nowMs)
    kept.key = Object.freeze({ ...kept.key, usedMs: atMs })
    const account = this.#accounts.get(kept.account)
    if (account !== undefined) {
      const usedMs = Math.max(account.usedMs, atMs)
      this.#accounts.set(account.name, Object.freeze({ ...account, usedMs }))
    }
    this.#used.add(kept.key.id)
  }

  #keep(account: Account, key: ServiceKey, mac: Uint8Array): void {
    const principal = principalOf(account, key)
    this.#keys.set(key.id, { account: account.name, mac, key, principal })
  }

  #whole(account: Account): ServiceAccount {
    const keys = [...this.#keys.values()].filter((kept) => kept.account === account.name)
    return { ...account, keys: keys.map(({ key }) => key) }
  }

  /** Over the text: other spellings of the same bytes in base64url are other keys, and none. */
  #macOf(key: string): Uint8Array {
    return createHmac('sha256', this.#secret).update(key).digest()
  }
}

function principalOf(account: Account, key: ServiceKey): Principal {
  const { connections, groups, name, owner, roles } = account
  return Object.freeze({
    issuer: serviceIssuer,
    subject: name,
    name,
    kind: 'service',
    groups,
    roles,
    expiresAtMs: key.expiresMs,
    issuedAtMs: key.madeMs,
    tokenId: key.id,
    owner,
    ...(connections === undefined ? {} : { connections }),
  })
}

const nameForm = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/

function checkName(name: string, isTaken: boolean): void {
  if (!nameForm.test(name)) {
    const message =
      'A service account has a name of up to 64 letters, digits, dots, underscores and hyphens, with a letter first.'
    throw new Fault('config_bad', message, { facts: { reason: 'name' } })
  }
  if (!isTaken) return
  const message = 'There is or was a service account of this name. Names are never given twice.'
  throw new Fault('config_bad', message, { facts: { reason: 'taken' } })
}

function unknownAccount(): Fault {
  const message =
    'There is no service account of this name. List them with "sallyport service-account list".'
  return new Fault('path_unknown', message)
}

const text = z.string()
const whole = z.int()

const accountForm: z.ZodType<{ account: Account; isRemoved: boolean }> = z
  .strictObject({
    name: text.regex(nameForm),
    owner: text.min(1),
    groups: words,
    roles: words,
    // Invariant: a list that cannot be read is not taken for "all connections".
    connections: z.union([words, z.null()]),
    made_ms: whole,
    used_ms: whole,
    removed_ms: whole.nullable(),
  })
  .transform(({ connections, groups, made_ms, name, owner, removed_ms, roles, used_ms }) => ({
    isRemoved: removed_ms !== null,
    account: Object.freeze({
      name,
      owner,
      groups,
      roles,
      madeMs: made_ms,
      usedMs: used_ms,
      ...(connections === null ? {} : { connections }),
    }),
  }))

const keyForm: z.ZodType<Pick<Kept, 'account' | 'mac' | 'key'>> = z
  .strictObject({
    id: text.regex(/^k_[0-9A-Za-z]+$/),
    account: text,
    mac: z.instanceof(Uint8Array).refine((bytes) => bytes.length === 32),
    made_ms: whole,
    expires_ms: whole,
    used_ms: whole,
  })
  .transform(({ account, expires_ms, id, mac, made_ms, used_ms }) => ({
    account,
    mac,
    key: Object.freeze({ id, madeMs: made_ms, expiresMs: expires_ms, usedMs: used_ms }),
  }))
