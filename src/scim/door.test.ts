import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { createDoor } from './door.ts'
import type { Door } from './door.ts'

const good = 'first-secret-of-the-directory-0001'
const other = 'other-secret-of-the-directory-0002'
const here = { ip: '10.1.2.3', port: 1 }

interface Told {
  readonly door: Door
  readonly told: unknown[]
  nowMs: number
}

function open(allowFrom: readonly string[] = [], secrets: readonly string[] = [good, other]): Told {
  const told: unknown[] = []
  const at: Told = {
    told,
    nowMs: 0,
    door: createDoor({
      allowFrom,
      clock: { monotonicMs: () => at.nowMs },
      tokens: secrets.map((secret) => ({ read: () => ({ reveal: () => secret }) })),
      note: async (type, about, details) => void told.push([type, about.source?.ip, details]),
    }),
  }
  return at
}

const refused: readonly [what: string, header: string | null, reason: string][] = [
  ['nothing', null, 'token_missing'],
  ['an empty header', '', 'token_missing'],
  ['the scheme alone', 'Bearer', 'token_missing'],
  ['the scheme and spaces', 'Bearer   ', 'token_missing'],
  ['the secret alone', good, 'token_missing'],
  ['another scheme', `Basic ${good}`, 'token_missing'],
  ['two secrets', `Bearer ${good}, Bearer ${good}`, 'token_missing'],
  ['one in which a letter is missing', `Bearer ${good.slice(1)}`, 'token_wrong'],
  ['one with a letter more', `Bearer ${good}x`, 'token_wrong'],
  ['one in capitals', `Bearer ${good.toUpperCase()}`, 'token_wrong'],
  ['a part of one', `Bearer ${good.slice(0, 20)}`, 'token_wrong'],
]
for (const [what, header, reason] of refused) {
  test(`a request with ${what} is refused and recorded, without what it sent`, async () => {
    const { door, told } = open()
    await assert.rejects(door(header, here), { code: 'no_identity' })
    assert.deepEqual(told, [['signin.refused', here.ip, { method: 'scim', reason }]])
  })
}

for (const header of [`Bearer ${good}`, `bearer  ${other} `]) {
  test(`both secrets are good, and the scheme in any case: ${header.slice(0, 7)}`, async () => {
    const { door, told } = open()
    await door(header, here)
    assert.deepEqual(told, [])
  })
}

const addresses: readonly [ip: string, isIn: boolean][] = [
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['10.2.0.0', false],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['2001:db8::1', true],
  ['2001:db9::1', false],
  ['rubbish', false],
]
for (const [ip, isIn] of addresses) {
  test(`a right secret from ${ip} is ${isIn ? 'let in' : 'refused'} by the ranges`, async () => {
    const { door, told } = open(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32'])
    if (isIn) return door(`Bearer ${good}`, { ip, port: 1 })
    await assert.rejects(door(`Bearer ${good}`, { ip, port: 1 }), { code: 'no_identity' })
    assert.deepEqual(told, [['signin.refused', ip, { method: 'scim', reason: 'address' }]])
  })
}

test('ten failures a minute are recorded, then 429; a right secret passes all the while', async () => {
  const at = open()
  const fail = (): Promise<void> => at.door('Bearer wrong', here)
  for (let i = 0; i < 10; i++) await assert.rejects(fail, { code: 'no_identity' })
  for (let i = 0; i < 5; i++) await assert.rejects(fail, { code: 'rate_limited' })
  await at.door(`Bearer ${good}`, here)
  await assert.rejects(at.door('Bearer wrong', { ip: '10.9.9.9', port: 1 }), {
    code: 'no_identity',
  })
  const last = { method: 'scim', reason: 'token_wrong', notRecorded: 5 }
  assert.deepEqual(at.told.at(-1), ['signin.refused', '10.9.9.9', last])
  at.nowMs = 59_999
  await assert.rejects(fail, { code: 'rate_limited' })
  at.nowMs = 60_000
  await assert.rejects(fail, { code: 'no_identity' })
  assert.equal(at.told.length, 12)
})

test('a short secret, or none, is refused at start-up', () => {
  for (const secrets of [[], [''], ['x'.repeat(31)], [good, 'short']]) {
    assert.throws(() => open([], secrets), { code: 'config_bad' })
  }
  open([], ['x'.repeat(32)])
})

test('a secret that becomes short or cannot be read lets nobody in, and the other one still does', async () => {
  let first = (): string => good
  const door = createDoor({
    allowFrom: [],
    clock: { monotonicMs: () => 0 },
    note: () => Promise.resolve(),
    tokens: [
      { read: () => ({ reveal: () => first() }) },
      { read: () => ({ reveal: () => other }) },
    ],
  })
  first = () => 'x'
  await assert.rejects(door('Bearer x', here), { code: 'no_identity' })
  first = () => {
    throw new Fault('secret_missing', 'The secret is gone.')
  }
  await door(`Bearer ${other}`, here)
  await assert.rejects(door(`Bearer ${good}`, here), { code: 'secret_missing' })
})

test('a refusal that cannot be recorded lets nobody in', async () => {
  const door = createDoor({
    allowFrom: [],
    clock: { monotonicMs: () => 0 },
    note: () => Promise.reject(new Fault('record_down', 'The record is down.')),
    tokens: [{ read: () => ({ reveal: () => good }) }],
  })
  await assert.rejects(door('Bearer x', here), { code: 'record_down' })
})
