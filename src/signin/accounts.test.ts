/** Local accounts: their table, their passwords, and how often one may guess. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { openAccounts } from './accounts.ts'
import type { Accounts } from './accounts.ts'
import { Lockout } from './lockout.ts'
import { Passwords, weakness } from './passwords.ts'
import { issuer, TestClock } from './site.fixture.ts'

const password = 'correct horse 4 battery'
const ip = '192.0.2.7'
const ada = { name: 'ada', title: 'Ada', groups: ['ops'], roles: ['admin'], isBreakGlass: false }

function opened(file = ':memory:'): { accounts: Accounts; clock: TestClock } {
  const clock = new TestClock()
  return { accounts: openAccounts(file, { clock, issuer }), clock }
}

const badNames = ['', 'Ada', 'a b', '-a', 'ада', 'a/b', 'a\n', 'x'.repeat(65), '../a']
for (const name of badNames) {
  test(`an account is not named ${JSON.stringify(name.slice(0, 8))}`, () => {
    assert.throws(() => opened().accounts.add({ ...ada, name }), { code: 'refused' })
  })
}

test('a name is never given twice, not even after its account went', () => {
  const { accounts } = opened()
  accounts.add(ada)
  assert.throws(() => accounts.add(ada), { code: 'refused' })
  accounts.remove('ada')
  assert.throws(() => accounts.add(ada), { code: 'refused' })
  assert.throws(() => accounts.remove('ada'), { code: 'path_unknown' })
  assert.throws(() => accounts.invite('ada', false), { code: 'path_unknown' })
  assert.deepEqual([accounts.find('ada'), accounts.list()], [undefined, []])
})

test('a link is good for a day, once, and until the next one', async () => {
  const { accounts, clock } = opened()
  const first = accounts.add(ada)
  assert.equal(accounts.invited(first)?.name, 'ada')
  const second = accounts.invite('ada', false)
  assert.equal(accounts.invited(first), undefined)
  assert.equal(accounts.spend(first), false)
  assert.equal(accounts.spend(second), true)
  assert.equal(accounts.spend(second), false)
  assert.equal(await accounts.setPassword(second, password), false)
  const third = accounts.invite('ada', false)
  clock.pass(24 * 3_600_000)
  assert.equal(accounts.invited(third), undefined)
  assert.equal(await accounts.setPassword(third, password), false)
})

test('of two who set a password by one link one does', async () => {
  const { accounts } = opened()
  const link = accounts.add(ada)
  const all = await Promise.all([1, 2, 3].map((i) => accounts.setPassword(link, `${password}${i}`)))
  assert.equal(all.filter(Boolean).length, 1)
})

test('neither a password nor the secret of a link stands in the file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'accounts-'))
  const file = join(dir, 'state.sqlite')
  const { accounts } = opened(file)
  const link = accounts.add(ada)
  await accounts.setPassword(link, password)
  const next = accounts.invite('ada', false)
  accounts.close()
  const text = readFileSync(file, 'latin1')
  for (const secret of [link, next, password]) assert.ok(!text.includes(secret))
  assert.ok(text.includes('$argon2id$v=19$m=19456,t=2,p=1$'))
  assert.equal(statSync(file).mode & 0o077, 0)
  rmSync(dir, { recursive: true })
})

test('what is written is there when it is opened again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'accounts-'))
  const file = join(dir, 'state.sqlite')
  const before = opened(file).accounts
  await before.setPassword(before.add(ada), password)
  before.close()
  const { accounts } = opened(file)
  const { madeMs: _, ...found } = accounts.find('ada') ?? assert.fail()
  assert.deepEqual(found, { ...ada, hasPassword: true, invitedUntilMs: undefined })
  assert.equal(typeof (await accounts.check('ada', password, ip)), 'object')
  accounts.close()
  rmSync(dir, { recursive: true })
})

test('a wrong password, no password and no account are told apart for the record alone', async () => {
  const { accounts } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  accounts.add({ ...ada, name: 'bob' })
  assert.equal(await accounts.check('ada', `${password}!`, ip), 'password_wrong')
  assert.equal(await accounts.check('bob', password, ip), 'password_unset')
  assert.equal(await accounts.check('eve', password, ip), 'account_unknown')
  accounts.remove('ada')
  assert.equal(await accounts.check('ada', password, ip), 'account_unknown')
})

test('a reset takes the password away', async () => {
  const { accounts } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  accounts.invite('ada', false)
  assert.equal(typeof (await accounts.check('ada', password, ip)), 'object')
  accounts.invite('ada', true)
  assert.equal(await accounts.check('ada', password, ip), 'password_unset')
})

test('ten tries lock an account for its source, for half an hour, and for no other source', async () => {
  const { accounts, clock } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  for (let i = 0; i < 10; i++) assert.equal(await accounts.check('ada', 'x', ip), 'password_wrong')
  assert.equal(await accounts.check('ada', password, ip), 'locked_out')
  assert.equal(typeof (await accounts.check('ada', password, '192.0.2.8')), 'object')
  clock.pass(30 * 60_000 - 1000)
  assert.equal(await accounts.check('ada', password, ip), 'locked_out')
  clock.pass(1000)
  assert.equal(typeof (await accounts.check('ada', password, ip)), 'object')
})

test('tries at the same time count as well', async () => {
  const { accounts } = opened()
  accounts.add(ada)
  const all = await Promise.all(Array.from({ length: 20 }, () => accounts.check('ada', 'x', ip)))
  assert.equal(all.filter((one) => one === 'locked_out').length, 10)
})

test('an IPv6 source is its network, and IPv4 in IPv6 is IPv4', () => {
  const lockout = new Lockout(new TestClock())
  for (let i = 0; i < 10; i++) lockout.tried('ada', `2001:db8:0:1::${i}`)
  assert.ok(lockout.isLocked('ada', '2001:db8:0:1:ffff::9'))
  assert.ok(lockout.isLocked('ada', '2001:DB8::1:0:0:0:9'))
  assert.ok(!lockout.isLocked('ada', '2001:db8:0:2::1'))
  for (let i = 0; i < 10; i++) lockout.tried('bob', '::ffff:192.0.2.1')
  assert.ok(lockout.isLocked('bob', '192.0.2.1'))
  assert.ok(!lockout.isLocked('bob', '192.0.2.2'))
})

test('many sources together come to an end too', () => {
  const lockout = new Lockout(new TestClock())
  for (let i = 0; i < 100; i++) lockout.tried('ada', `198.51.100.${i}`)
  assert.ok(lockout.isLocked('ada', '203.0.113.1'))
  assert.ok(!lockout.isLocked('bob', '203.0.113.1'))
})

test('guessing with many addresses keeps nobody from the account for emergencies', async () => {
  const { accounts } = opened()
  const glass = { ...ada, name: 'glass', isBreakGlass: true }
  await accounts.setPassword(accounts.add(glass), password)
  for (let i = 0; i < 100; i++) {
    const from = `203.0.113.${Math.floor(i / 10)}`
    assert.equal(await accounts.check('glass', 'x', from), 'password_wrong')
  }
  assert.equal(await accounts.check('glass', password, '203.0.113.1'), 'locked_out')
  assert.equal(typeof (await accounts.check('glass', password, '198.51.100.7')), 'object')
})

test('a try that was turned away as busy is none', async () => {
  const { accounts } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  await accounts.check('nobody', 'x', ip) // The first makes the hash it is compared with.
  const flood = Array.from({ length: 60 }, (_, i) =>
    accounts.check(`nobody${i}`, 'x', `203.0.113.${i}`).catch(() => 'busy'),
  )
  await setImmediate() // Until all of these are in the queue.
  const mine = await Promise.allSettled(
    Array.from({ length: 10 }, () => accounts.check('ada', password, '198.51.100.7')),
  )
  assert.ok((await Promise.all(flood)).includes('busy'))
  assert.ok(mine.every(({ status }) => status === 'rejected'))
  assert.equal(typeof (await accounts.check('ada', password, '198.51.100.7')), 'object')
})

test('one address alone does not fill the queue of passwords', async () => {
  const { accounts } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  const flood = Array.from({ length: 60 }, (_, i) =>
    accounts.check(`nobody${i}`, 'x', '2001:db8::1').catch(() => 'busy'),
  )
  assert.equal(typeof (await accounts.check('ada', password, '2001:db8:0:1::1')), 'object')
  assert.equal((await Promise.all(flood)).filter((one) => one === 'busy').length, 50)
})

test('a password that was changed while it was looked at does not let in', async () => {
  const { accounts } = opened()
  const link = accounts.add(ada)
  await accounts.setPassword(link, password)
  const looked = accounts.check('ada', password, ip)
  accounts.invite('ada', true)
  assert.equal(await looked, 'password_wrong')
})

test('what an unknown name is compared with is made anew where that failed', async () => {
  const passwords = new Passwords()
  const full = Array.from({ length: 34 }, () => passwords.hash('x'))
  await assert.rejects(passwords.check('x', undefined), { code: 'busy' })
  await Promise.all(full)
  assert.equal(await passwords.check('x', undefined), false)
})

const weak: readonly [what: string, password: string][] = [
  ['eleven characters', 'a1b2c3d4e5f'],
  ['no digit', 'abcdefghijklmnop'],
  ['no letter', '12345678901 345'],
  ['the account’s name', 'ADA and 12 more'],
  ['more than 256 characters', `a1${'x'.repeat(255)}`],
]
for (const [what, text] of weak) {
  test(`a password with ${what} is refused, and the link stays good`, async () => {
    const { accounts } = opened()
    const link = accounts.add(ada)
    await assert.rejects(accounts.setPassword(link, text), { code: 'refused' })
    assert.equal(await accounts.setPassword(link, password), true)
  })
}
test('twelve characters with a letter and a digit are enough', () => {
  assert.equal(weakness('a1b2c3d4e5f6', 'ada'), undefined)
})

test('a password is itself alone, in whichever normal form', async () => {
  const passwords = new Passwords()
  const text = 'pässwörd with 1 é'
  const hash = await passwords.hash(text.normalize('NFC'))
  assert.equal(await passwords.check(text.normalize('NFD'), hash), true)
  const others = fc.asyncProperty(fc.string({ maxLength: 20 }), async (other) => {
    assert.equal(await passwords.check(other, hash), other.normalize('NFC') === text)
  })
  await fc.assert(others, { numRuns: 10 })
})

test('a hash with other parameters is looked at with those, and one that is none is wrong', async () => {
  const passwords = new Passwords()
  const made = await passwords.hash(password)
  assert.equal(await passwords.check(password, made.replace('t=2', 't=3')), false)
  for (const hash of ['', '$argon2id$', 'plain', made.replace('argon2id', 'argon2i')]) {
    assert.equal(await passwords.check(password, hash), false)
  }
})

test('an account that is not there takes as long as one that is', async () => {
  const { accounts } = opened()
  await accounts.setPassword(accounts.add(ada), password)
  await accounts.check('nobody', password, ip) // The first makes the hash it is compared with.
  const time = async (name: string): Promise<number> => {
    const from = performance.now()
    for (let i = 0; i < 4; i++) await accounts.check(name, `${password}x`, ip)
    return performance.now() - from
  }
  const [known, unknown] = [await time('ada'), await time('nobody')]
  // Without the work it would be a hundred times less.
  assert.ok(unknown > known / 5, `${unknown} ms against ${known} ms`)
})

test('more than a queue of passwords at a time is refused', async () => {
  const passwords = new Passwords()
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => passwords.hash('x')))
  const refused = all.filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 6)
  assert.equal((await passwords.hash('x')).startsWith('$argon2id'), true)
})
