import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { startKeyVault, throttled, vaultError } from '../../tests/peers/keyvault-fake.ts'
import type { KeyVaultFake } from '../../tests/peers/keyvault-fake.ts'
import type { Answer, Mishap } from '../../tests/peers/json-fake.ts'
import { createWrapper } from './wrapper.ts'
import { place, rejectsFor } from './wrapper.fixture.ts'
import type { KeyWrapper, WrapReason } from './wrapping.ts'

const key = randomBytes(32)
const patience = { tryMs: 5_000, againMs: [5, 5] as const, wishMsMax: 1_000 }
/** For silence alone: whoever waits for an answer that comes must not run out of patience. */
const hasty = { ...patience, tryMs: 400 }
let fake: KeyVaultFake
let wrapper: KeyWrapper
const seen: string[] = []
const make = (version = '', within = patience): KeyWrapper => {
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.origin }
  const spec = { kind: 'keyvault', key: `${fake.origin}/keys/records${version}` } as const
  const hide = (value: string): unknown => seen.push(value)
  return createWrapper(spec, { env, clock: systemClock(), hide, patience: within })
}
beforeEach(async () => {
  seen.length = 0
  fake = await startKeyVault()
  wrapper = make()
})
afterEach(() => fake.close())

const wrapping = /\/wrapkey$/
const unwrapping = /\/unwrapkey$/
const reading = /\/keys\/records$/
const withBody =
  (change: object) =>
  (answer: Answer): Answer => ({
    ...answer,
    body: { ...(answer.body as object), ...change },
  })
const down = vaultError(500, 'InternalServerError', 'An error occurred.')

const mishaps: readonly [what: string, path: RegExp, mishap: Mishap, reason: WrapReason][] = [
  ['a wrapping cut off in its middle', wrapping, 'truncated', 'kek_answer'],
  ['a wrapping of 1 MiB', wrapping, 'huge', 'kek_answer'],
  ['a wrapping by another key', wrapping, withBody({ kid: 'https://x/keys/y' }), 'kek_answer'],
  ['a wrapping without its value', wrapping, withBody({ value: undefined }), 'kek_answer'],
  ['a wrapping that is no base64url', wrapping, withBody({ value: 'a+b' }), 'kek_answer'],
  ['a wrapping that is too short', wrapping, withBody({ value: 'AAAA' }), 'kek_answer'],
  ['a wrapping of something else', wrapping, withBody({ value: 'A'.repeat(342) }), 'wrapped_bad'],
  ['a redirect', wrapping, { status: 307, body: {}, headers: { location: '/' } }, 'kek_answer'],
  ['an answer that is a list', wrapping, { status: 200, body: [] }, 'kek_answer'],
  [
    'an unwrapping to another key',
    unwrapping,
    withBody({ value: 'A'.repeat(86) }),
    'wrapped_elsewhere',
  ],
  [
    'an unwrapping to too few bytes',
    unwrapping,
    withBody({ value: 'A'.repeat(43) }),
    'wrapped_bad',
  ],
  ['an unwrapping by another key', unwrapping, withBody({ kid: 'https://x/keys/y' }), 'kek_answer'],
  ['a key that is cut off', reading, 'truncated', 'kek_answer'],
  ['a key without an id', reading, withBody({ key: {} }), 'kek_answer'],
  [
    'a key of another vault',
    reading,
    withBody({ key: { kid: 'https://x/keys/y/z' } }),
    'kek_answer',
  ],
  ['a key without attributes', reading, withBody({ attributes: undefined }), 'kek_disabled'],
  ['throttling for longer than we wait', wrapping, throttled(3), 'kek_throttled'],
]
for (const [what, path, mishap, reason] of mishaps) {
  test(`${what} is refused`, async () => {
    fake.once(path, mishap)
    await rejectsFor(reason, wrapper.wrap(key, place))
  })
}

test('a wrapper that hands back another key of the same place is found out', async () => {
  const other = await wrapper.wrap(randomBytes(32), place)
  fake.once(wrapping, withBody({ value: other.wrapped }))
  await rejectsFor('kek_answer', wrapper.wrap(key, place))
})

const unfit: readonly [what: string, change: (fake: KeyVaultFake) => void, reason: WrapReason][] = [
  ['a disabled key', ({ versions: [v] }) => v && (v.enabled = false), 'kek_disabled'],
  ['an exportable key', ({ versions: [v] }) => v && (v.exportable = true), 'kek_unfit'],
  ['an elliptic key', ({ versions: [v] }) => v && (v.kty = 'EC'), 'kek_unfit'],
  ['a key of 1,024 bits', (it) => it.rotate(1024), 'kek_unfit'],
  ['a key that only wraps', ({ versions: [v] }) => v && (v.operations = ['wrapKey']), 'kek_unfit'],
  [
    'a key that unwraps only',
    ({ versions: [v] }) => v && (v.operations = ['unwrapKey']),
    'kek_unfit',
  ],
  ['an identity that may not read', ({ rights }) => rights.delete('get'), 'kek_denied'],
  ['an identity that may not wrap', ({ rights }) => rights.delete('wrapKey'), 'kek_denied'],
  ['an identity that may not unwrap', ({ rights }) => rights.delete('unwrapKey'), 'kek_denied'],
  ['a vault without the key', ({ versions }) => versions.splice(0), 'kek_unknown'],
]
for (const [what, change, reason] of unfit) {
  test(`${what} wraps nothing`, async () => {
    change(fake)
    await rejectsFor(reason, wrapper.wrap(key, place))
  })
}
test('a key that was disabled between looking and wrapping wraps nothing', async () => {
  fake.once(reading, (answer) => {
    for (const version of fake.versions) version.enabled = false
    return answer
  })
  await rejectsFor('kek_disabled', wrapper.wrap(key, place))
  assert.equal(fake.count(wrapping), 1)
})
test('what a disabled version wrapped does not unwrap until it is enabled', async () => {
  const wrapped = await wrapper.wrap(key, place)
  const [version] = fake.versions
  assert.ok(version)
  version.enabled = false
  await rejectsFor('kek_disabled', wrapper.unwrap(wrapped, place))
  version.enabled = true
  assert.deepEqual(Buffer.from(await wrapper.unwrap(wrapped, place)), key)
})
test('of an answer no more than 64 KiB are read', async () => {
  fake.once(wrapping, 'huge')
  const fault = await rejectsFor('kek_answer', wrapper.wrap(key, place))
  assert.match(fault.message, /more than 65536 bytes/)
})
test('the firewall of a vault is named', async () => {
  const denied = vaultError(
    403,
    'Forbidden',
    'Client address is not authorized.',
    'ForbiddenByFirewall',
  )
  fake.once(reading, denied)
  assert.match((await rejectsFor('kek_denied', wrapper.current())).message, /firewall/)
})

const patienceFor = (mishap: Mishap): KeyWrapper =>
  mishap === 'silent' || mishap === 'stalled' ? make('', hasty) : wrapper

const passing: readonly [what: string, mishap: Mishap][] = [
  ['an error of the server', down],
  ['throttling', throttled(0)],
  ['a torn connection', 'reset'],
  ['silence', 'silent'],
  ['an answer that stalls', 'stalled'],
]
for (const [what, mishap] of passing) {
  test(`${what} is overcome when it passes within three tries`, async () => {
    for (const path of [wrapping, unwrapping]) {
      fake.once(path, mishap)
      fake.once(path, mishap)
    }
    const waiting = patienceFor(mishap)
    const wrapped = await waiting.wrap(key, place)
    assert.deepEqual(Buffer.from(await waiting.unwrap(wrapped, place)), key)
    assert.equal(fake.count(wrapping), 3)
  })
}
const lasting: readonly [what: string, mishap: Mishap, reason: WrapReason][] = [
  ['an error of the server', down, 'kek_down'],
  ['throttling', throttled(0), 'kek_throttled'],
  ['a torn connection', 'reset', 'kek_down'],
  ['silence', 'silent', 'kek_timeout'],
  ['an answer that stalls', 'stalled', 'kek_timeout'],
]
for (const [what, mishap, reason] of lasting) {
  test(`${what} that lasts is told as one that may pass, after three tries`, async () => {
    for (let i = 0; i < 3; i++) fake.once(wrapping, mishap)
    const fault = await rejectsFor(reason, patienceFor(mishap).wrap(key, place))
    assert.equal(fault.facts['isTransient'], true)
    assert.equal(fake.count(wrapping), 3)
  })
}
test('a refusal is not tried again', async () => {
  fake.rights.delete('wrapKey')
  await rejectsFor('kek_denied', wrapper.wrap(key, place))
  assert.equal(fake.count(wrapping), 1)
})
test('a vault that is not there is down', async () => {
  const wrapped = await wrapper.wrap(key, place)
  await fake.close()
  await rejectsFor('kek_down', wrapper.unwrap(wrapped, place))
})

test('a wrapped key that names another address is refused before a token leaves', async () => {
  const wrapped = await wrapper.wrap(key, place)
  const before = fake.asked.length
  const elsewhere = [
    wrapped.by.replace('127.0.0.1', 'evil.example'),
    wrapped.by.replace('/records/', '/other/'),
    wrapped.by.replace('http:', 'https:'),
    `${wrapped.by}/../../other`,
    `${wrapped.by}?x=1`,
    `${fake.origin}/keys/records/latest`,
    `${fake.origin}/keys/records/`,
  ]
  for (const by of elsewhere) {
    await rejectsFor('wrapped_foreign', wrapper.unwrap({ ...wrapped, by }, place))
  }
  assert.equal(fake.asked.length, before)
})
test('a version that is named wraps although there is a newer one', async () => {
  const [first] = fake.versions
  fake.rotate()
  const pinned = make(`/${first?.id}`)
  const wrapped = await pinned.wrap(key, place)
  assert.equal(wrapped.by, `${fake.origin}/keys/records/${first?.id}`)
  const newest = await wrapper.wrap(key, place)
  assert.notEqual(newest.by, wrapped.by)
  assert.deepEqual(Buffer.from(await pinned.unwrap(newest, place)), key)
})
test('another version than the one that is named is refused', async () => {
  const [first] = fake.versions
  const second = fake.rotate()
  const pinned = make(`/${first?.id}`)
  const lie = { key: { kid: `${fake.origin}/keys/records/${second.id}` } }
  fake.once(/\/keys\/records\/[0-9a-f]+$/, withBody(lie))
  await rejectsFor('kek_answer', pinned.current())
})
test('every request carries the version of the API and a token that logs will not show', async () => {
  await wrapper.wrap(key, place)
  const toVault = fake.asked.filter(({ path }) => path.startsWith('/keys/'))
  assert.deepEqual(
    toVault.map(({ method }) => method),
    ['GET', 'POST', 'POST'],
  )
  for (const { query, headers } of toVault) {
    assert.equal(query.get('api-version'), '7.4')
    assert.ok(seen.includes((headers.authorization ?? '').slice('Bearer '.length)))
  }
})
test('what is sent to be wrapped is packed with its place', async () => {
  await wrapper.wrap(key, place)
  const sent = fake.asked.find(({ path }) => wrapping.test(path))?.json
  assert.equal(sent?.['alg'], 'RSA-OAEP-256')
  const bytes = Buffer.from(String(sent?.['value']), 'base64url')
  assert.equal(bytes.length, 64)
  assert.deepEqual(bytes.subarray(0, 32), key)
})
