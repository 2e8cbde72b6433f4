import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { openServiceAccounts } from './service-account-store.ts'
import { isServiceKey, serviceIssuer } from './service-accounts.ts'
import type { ServiceAccounts } from './service-accounts.ts'

const now = 1_800_000_000_000
const clock: Clock = { nowUs: () => now * 1000, monotonicMs: () => 0 }
const secret = new Uint8Array(32).fill(7)
const etl = { name: 'etl', owner: 'pr_a', groups: ['g'], roles: ['r'], connections: ['crm'] }
const ttlMs = 3_600_000

function newFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-accounts-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

function again(file: string): ServiceAccounts {
  return openServiceAccounts(file, { clock, key: secret })
}

/** Another letter in one place. */
function turned(key: string, at: number): string {
  return `${key.slice(0, at)}${key.charAt(at) === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`
}

/** The last letter of 43 holds two bits that are none of the 32 bytes. */
function respelled(key: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(key.slice(-1))
  return key.slice(0, -1) + letters.charAt(last ^ 1)
}

const wrong: readonly [what: string, of: (key: string, other: string) => string][] = [
  ['nothing', () => ''],
  ['a key with another first letter of its secret', (key) => turned(key, 30)],
  ['a key with another last letter', (key) => turned(key, key.length - 1)],
  ['other letters for the same bytes', respelled],
  ['a key with another id', (key) => turned(key, 6)],
  ['the secret of another key', (key, other) => key.slice(0, -43) + other.slice(-43)],
  ['a key and a blank', (key) => `${key} `],
  ['a key and a line end', (key) => `${key}\n`],
  ['a key cut short', (key) => key.slice(0, -1)],
  ['its id alone', (key) => key.slice(0, -44)],
  ['an id from the prototype of objects', (key) => `sp_k_constructor_${key.slice(-43)}`],
]
for (const [what, of] of wrong) {
  test(`${what} is no key`, () => {
    const accounts = again(':memory:')
    accounts.make(etl, now)
    const { key } = accounts.issueKey('etl', ttlMs, now)
    const { key: other } = accounts.issueKey('etl', ttlMs, now)
    assert.throws(() => accounts.verify(of(key, other), now), {
      code: 'no_identity',
      facts: { reason: 'signature', issuer: 'service-accounts' },
    })
  })
}

const names = ['', '4711', 'a/b', 'a b', 'é', '-a', 'a\n', `a${'b'.repeat(64)}`]
for (const name of names) {
  test(`${JSON.stringify(name)} is no name of an account`, () => {
    const accounts = again(':memory:')
    assert.throws(() => accounts.make({ ...etl, name }, now), { code: 'config_bad' })
    assert.deepEqual(accounts.list(), [])
  })
}

const broken: readonly [what: string, sql: string][] = [
  ['connections that are no list', `UPDATE service_account SET connections = '"crm"'`],
  ['connections that are no JSON', `UPDATE service_account SET connections = 'crm'`],
  ['roles that are no words', `UPDATE service_account SET roles = '[{}]'`],
  ['an HMAC of another length', `UPDATE service_key SET mac = x'00'`],
  ['an id that is none of ours', `UPDATE service_key SET id = 'k-1'`],
]
for (const [what, sql] of broken) {
  test(`accounts with ${what} do not open`, (t) => {
    const file = newFile(t)
    const accounts = again(file)
    accounts.make(etl, now)
    accounts.issueKey('etl', ttlMs, now)
    accounts.close()
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
    assert.throws(() => again(file), { name: 'Fault', code: 'identity_down' })
  })
}

test('a key under another key of the installation is none', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const { key } = accounts.issueKey('etl', ttlMs, now)
  const other = openServiceAccounts(file, { clock, key: new Uint8Array(32) })
  assert.throws(() => other.verify(key, now), { code: 'no_identity' })
})

test('a key is good until its last millisecond, and says expired from then on', () => {
  const accounts = again(':memory:')
  accounts.make(etl, now)
  const { key, made } = accounts.issueKey('etl', ttlMs, now + 0.7)
  assert.equal(made.expiresMs, now + ttlMs)
  accounts.verify(key, now + ttlMs - 1)
  assert.throws(() => accounts.verify(key, now + ttlMs), {
    facts: { reason: 'expired', issuer: 'service-accounts' },
  })
})

test('a key names its account, owner, connections and itself, after a restart too', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const { key, made } = accounts.issueKey('etl', ttlMs, now)
  assert.ok(isServiceKey(key) && key.startsWith(`sp_${made.id}_`))
  const principal = again(file).verify(key, now)
  assert.deepEqual(principal, {
    issuer: serviceIssuer,
    subject: 'etl',
    name: 'etl',
    kind: 'service',
    groups: ['g'],
    roles: ['r'],
    connections: ['crm'],
    owner: 'pr_a',
    expiresAtMs: now + ttlMs,
    issuedAtMs: now,
    tokenId: made.id,
  })
  assert.equal(accounts.verify(key, now), accounts.verify(key, now))
})

test('an account for all connections has no list of them, after a restart either', (t) => {
  const file = newFile(t)
  const { connections: _, ...all } = etl
  again(file).make(all, now)
  assert.ok(!('connections' in (again(file).list()[0] ?? etl)))
})

test('the secret of a key stands nowhere in the files', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const { key, made } = accounts.issueKey('etl', ttlMs, now)
  const bytes = Buffer.concat([readFileSync(file), readFileSync(`${file}-wal`)])
  assert.ok(bytes.includes(made.id))
  assert.ok(!bytes.includes(key.slice(-43)))
  assert.ok(!bytes.includes(Buffer.from(key.slice(-43), 'base64url')))
})

test('an ended key and those of a removed account are good for nothing, after a restart too', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  accounts.make({ ...etl, name: 'other' }, now)
  const [one, two, three] = ['etl', 'etl', 'other'].map((name) =>
    accounts.issueKey(name, ttlMs, now),
  )
  assert.ok(one && two && three)
  assert.ok(accounts.endKey(one.made.id))
  assert.ok(!accounts.endKey(one.made.id))
  assert.ok(accounts.remove('etl'))
  assert.ok(!accounts.remove('etl'))
  for (const each of [accounts, again(file)]) {
    assert.throws(() => each.verify(one.key, now), { code: 'no_identity' })
    assert.throws(() => each.verify(two.key, now), { code: 'no_identity' })
    each.verify(three.key, now)
    assert.deepEqual(
      each.list().map(({ name }) => name),
      ['other'],
    )
    assert.throws(() => each.make(etl, now), { code: 'config_bad', facts: { reason: 'taken' } })
  }
})

test('an HMAC put into the row of another key makes none good', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const [one, two] = [1, 2].map(() => accounts.issueKey('etl', ttlMs, now))
  assert.ok(one && two)
  accounts.close()
  const db = new DatabaseSync(file)
  db.prepare('UPDATE service_key SET mac = (SELECT mac FROM service_key WHERE id = ?)').run(
    two.made.id,
  )
  db.close()
  const forged = one.key.slice(0, -43) + two.key.slice(-43)
  assert.throws(() => again(file).verify(forged, now), { code: 'no_identity' })
})

test('nothing is left of the keys of a removed account', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  accounts.issueKey('etl', ttlMs, now)
  accounts.remove('etl')
  const db = new DatabaseSync(file)
  assert.equal(db.prepare('SELECT count(*) AS n FROM service_key').get()?.['n'], 0)
  db.close()
})

test('a key that cannot be written is not handed out; one that cannot be ended has ended', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const { key, made } = accounts.issueKey('etl', ttlMs, now)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  t.after(() => other.close())
  assert.throws(() => accounts.issueKey('etl', ttlMs, now), { code: 'record_down' })
  assert.equal(accounts.list()[0]?.keys.length, 1)
  assert.throws(() => accounts.endKey(made.id), { code: 'record_down' })
  assert.throws(() => accounts.verify(key, now), { code: 'no_identity' })
})

test('a key for no account, or for no time, is not made', () => {
  const accounts = again(':memory:')
  accounts.make(etl, now)
  assert.throws(() => accounts.issueKey('eve', ttlMs, now), { code: 'path_unknown' })
  for (const wrongMs of [0, -1, Infinity, Number.NaN]) {
    assert.throws(() => accounts.issueKey('etl', wrongMs, now))
  }
})

test('uses are noted once a minute and outlive a restart and the end of the key', (t) => {
  const file = newFile(t)
  const accounts = again(file)
  accounts.make(etl, now)
  const { key, made } = accounts.issueKey('etl', ttlMs, now)
  accounts.verify(key, now + 1000.5)
  accounts.verify(key, now + 60_999)
  assert.equal(accounts.list()[0]?.usedMs, now + 1000)
  assert.equal(again(file).list()[0]?.usedMs, 0)
  accounts.flush()
  const [kept] = again(file).list()
  assert.deepEqual([kept?.usedMs, kept?.keys[0]?.usedMs], [now + 1000, now + 1000])
  accounts.verify(key, now + 90_000)
  accounts.endKey(made.id)
  assert.equal(accounts.list()[0]?.usedMs, now + 90_000)
  assert.equal(again(file).list()[0]?.usedMs, now + 90_000)
})
