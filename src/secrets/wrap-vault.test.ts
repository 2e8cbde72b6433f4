import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import {
  namespace,
  refused,
  roleId,
  rootToken,
  secretId,
  serviceAccountToken,
  startVault,
  transitKey,
} from '../../tests/peers/vault-fake.ts'
import type { VaultFake, VaultFakeOptions } from '../../tests/peers/vault-fake.ts'
import type { Answer, Mishap } from '../../tests/peers/json-fake.ts'
import { createWrapper } from './wrapper.ts'
import { place, rejectsFor } from './wrapper.fixture.ts'
import type { Env } from './token-file.ts'
import type { KeyWrapper, WrapReason } from './wrapping.ts'

const key = randomBytes(32)
const patience = { tryMs: 5_000, againMs: [5, 5] as const, wishMsMax: 1_000 }
/** For silence alone: whoever waits for an answer that comes must not run out of patience. */
const hasty = { ...patience, tryMs: 400 }
let fake: VaultFake
let wrapper: KeyWrapper
let folder = ''
let nowMs = 0
const hidden: string[] = []
const clock = { nowUs: () => nowMs * 1000, monotonicMs: () => nowMs }
const make = (env: Env = { VAULT_TOKEN: rootToken }, within = patience): KeyWrapper =>
  createWrapper(
    { kind: 'vault', key: transitKey },
    {
      env: { VAULT_ADDR: fake.origin, ...env },
      clock,
      hide: (value) => hidden.push(value),
      patience: within,
    },
  )
async function restart(options: VaultFakeOptions): Promise<void> {
  await fake.close()
  fake = await startVault(options)
}
beforeEach(async () => {
  nowMs = 0
  hidden.length = 0
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  fake = await startVault()
  wrapper = make()
})
afterEach(async () => {
  await fake.close()
  rmSync(folder, { recursive: true })
})

const encrypting = /\/encrypt\//
const decrypting = /\/decrypt\//
const reading = /\/keys\//
const logins = /\/login$/
const withData =
  (change: object) =>
  (answer: Answer): Answer => {
    const body = answer.body as { data: object }
    return { ...answer, body: { ...body, data: { ...body.data, ...change } } }
  }
const plain = (size: number): object => ({ plaintext: Buffer.alloc(size).toString('base64') })

const mishaps: readonly [what: string, path: RegExp, mishap: Mishap, reason: WrapReason][] = [
  ['a ciphertext cut off in its middle', encrypting, 'truncated', 'kek_answer'],
  ['a ciphertext of 1 MiB', encrypting, 'huge', 'kek_answer'],
  ['no ciphertext', encrypting, withData({ ciphertext: undefined }), 'kek_answer'],
  ['a ciphertext of no version', encrypting, withData({ ciphertext: 'vault:AA' }), 'kek_answer'],
  ['a short ciphertext', encrypting, withData({ ciphertext: 'vault:v1:AA==' }), 'kek_answer'],
  ['a redirect', encrypting, { status: 307, body: {} }, 'kek_settings'],
  ['an unknown key', encrypting, refused(400, 'encryption key not found'), 'kek_answer'],
  ['a plaintext of something else', decrypting, withData(plain(64)), 'wrapped_elsewhere'],
  ['a plaintext of other size', decrypting, withData(plain(32)), 'wrapped_bad'],
  ['no plaintext', decrypting, withData({ plaintext: null }), 'kek_answer'],
  ['a plaintext that is no base64', decrypting, withData({ plaintext: '*' }), 'kek_answer'],
  ['a key without versions', reading, withData({ latest_version: 0 }), 'kek_answer'],
  ['half a version', reading, withData({ latest_version: 1.5 }), 'kek_answer'],
  ['a key that says nothing of leaving', reading, withData({ exportable: null }), 'kek_unfit'],
  ['an answer without data', reading, { status: 200, body: {} }, 'kek_unfit'],
  [
    'a rate limit',
    encrypting,
    { ...refused(429), headers: { 'retry-after': '3' } },
    'kek_throttled',
  ],
]
for (const [what, path, mishap, reason] of mishaps) {
  test(`${what} in the answer wraps nothing`, async () => {
    fake.once(path, mishap)
    await rejectsFor(reason, wrapper.wrap(key, place))
  })
}
test('an encryption of another key of the same place is found out', async () => {
  const other = await wrapper.wrap(randomBytes(32), place)
  fake.once(encrypting, withData({ ciphertext: other.wrapped }))
  await rejectsFor('kek_answer', wrapper.wrap(key, place))
})
test('a rewrapping to another key of the same place is found out', async () => {
  const other = await wrapper.wrap(randomBytes(32), place)
  const wrapped = await wrapper.wrap(key, place)
  fake.rotate()
  fake.once(/\/rewrap\//, withData({ ciphertext: other.wrapped }))
  await rejectsFor('kek_answer', wrapper.rewrap(wrapped, place))
})

const unfit: readonly [what: string, change: (it: VaultFake) => unknown, reason: WrapReason][] = [
  ['an exportable key', ({ key: it }) => (it.exportable = true), 'kek_unfit'],
  [
    'a key with plaintext backups',
    ({ key: it }) => (it.allow_plaintext_backup = true),
    'kek_unfit',
  ],
  ['a key of 128 bits', ({ key: it }) => (it.type = 'aes128-gcm96'), 'kek_unfit'],
  ['a signing key', ({ key: it }) => (it.type = 'ed25519'), 'kek_unfit'],
  ['a policy without read', ({ rights }) => rights.delete('read'), 'kek_denied'],
  ['a policy without encrypt', ({ rights }) => rights.delete('encrypt'), 'kek_denied'],
  ['a policy without decrypt', ({ rights }) => rights.delete('decrypt'), 'kek_denied'],
  ['a revoked token', ({ tokens }) => tokens.clear(), 'kek_denied'],
  ['a sealed Vault', (it) => (it.isSealed = true), 'kek_sealed'],
]
for (const [what, change, reason] of unfit) {
  test(`${what} wraps nothing`, async () => {
    change(fake)
    const fault = await rejectsFor(reason, wrapper.wrap(key, place))
    assert.equal(fault.facts['isTransient'], reason === 'kek_sealed')
    assert.ok(!fault.message.includes(rootToken))
  })
}
test('a key that is not there, and a mount that is not, are told', async () => {
  const env = { VAULT_ADDR: fake.origin, VAULT_TOKEN: rootToken }
  for (const named of ['transit/other', 'other/sallyport']) {
    const absent = createWrapper({ kind: 'vault', key: named }, { env, clock, hide() {}, patience })
    await rejectsFor('kek_unknown', absent.wrap(key, place))
  }
  assert.equal(fake.count(encrypting), 0) // Encrypting could make a key where policy lets it.
})
test('a version below the oldest that decrypts does not unwrap', async () => {
  const wrapped = await wrapper.wrap(key, place)
  fake.rotate()
  fake.key.min_decryption_version = 2
  await rejectsFor('wrapped_bad', wrapper.unwrap(wrapped, place))
})
test('without the right to rewrap, the old one stays and still unwraps', async () => {
  const wrapped = await wrapper.wrap(key, place)
  fake.rotate()
  fake.rights.delete('rewrap')
  await rejectsFor('kek_denied', wrapper.rewrap(wrapped, place))
  assert.deepEqual(Buffer.from(await wrapper.unwrap(wrapped, place)), key)
})
test('a wrapped key of another name or version is refused before anything is sent', async () => {
  const wrapped = await wrapper.wrap(key, place)
  const before = fake.asked.length
  for (const by of ['transit/other/1', 'transit/sallyport/2', 'transit/sallyport', 'x']) {
    await rejectsFor('wrapped_foreign', wrapper.unwrap({ ...wrapped, by }, place))
  }
  for (const text of [
    'vault:v0:AAAA',
    'vault:v1:',
    wrapped.wrapped.slice(6),
    `${wrapped.wrapped}\n`,
  ]) {
    await rejectsFor('wrapped_bad', wrapper.unwrap({ ...wrapped, wrapped: text }, place))
  }
  assert.equal(fake.asked.length, before)
})
test('silence, tearing and errors are overcome when they pass', async () => {
  for (const mishap of ['silent', 'reset', 'stalled', refused(500, 'internal error')] as const) {
    fake.once(encrypting, mishap)
    fake.once(decrypting, mishap)
    await make(undefined, hasty).wrap(key, place)
  }
  fake.once(encrypting, refused(503, 'Vault is sealed'))
  await wrapper.wrap(key, place)
})

const kubernetes = (): Env => {
  const path = join(folder, 'jwt')
  writeFileSync(path, `${serviceAccountToken}\n`, { mode: 0o644 })
  return { VAULT_K8S_ROLE: 'sallyport', VAULT_K8S_TOKEN_FILE: path }
}
const secretFile = (): Env => {
  const path = join(folder, 'secret-id')
  writeFileSync(path, secretId, { mode: 0o600 })
  return { VAULT_ROLE_ID: roleId, VAULT_SECRET_ID_FILE: path }
}
const approle = (): Env => ({ VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId })
for (const [what, env] of [
  ['AppRole', approle],
  ['AppRole with its secret in a file', secretFile],
  ['Kubernetes', kubernetes],
] as const) {
  test(`a login by ${what} is kept for half of its lease, and its token hidden`, async () => {
    const loggedIn = make(env())
    await loggedIn.wrap(key, place)
    nowMs = 1_799_000
    await loggedIn.current()
    assert.equal(fake.count(logins), 1)
    nowMs = 1_800_000
    await loggedIn.current()
    assert.equal(fake.count(logins), 2)
    const used = new Set(fake.asked.flatMap(({ headers }) => headers['x-vault-token'] ?? []))
    assert.deepEqual([...used], hidden)
  })
}
test('a token that was revoked is replaced by a new login, once', async () => {
  const loggedIn = make(approle())
  await loggedIn.current()
  fake.tokens.clear()
  await loggedIn.current()
  assert.equal(fake.count(logins), 2)
  fake.rights.clear()
  await rejectsFor('kek_denied', loggedIn.current())
  assert.equal(fake.count(logins), 3)
})
test('many who start at once log in once, and again after a login that failed', async () => {
  fake.secretIdUses = 1
  const loggedIn = make(approle())
  await Promise.all(Array.from({ length: 8 }, () => loggedIn.current()))
  assert.equal(fake.count(logins), 1)
  fake.tokens.clear()
  await rejectsFor('kek_denied', loggedIn.current())
  fake.secretIdUses = 1
  await loggedIn.current()
})
test('a login is never sent twice: its secret id may be good for one', async () => {
  for (const mishap of ['silent', 'reset', refused(500, 'internal error')] as const) {
    const before = fake.count(logins)
    fake.once(logins, mishap)
    await assert.rejects(make(approle(), hasty).current(), { name: 'Fault' })
    assert.equal(fake.count(logins), before + 1)
  }
})
const logged: readonly [
  what: string,
  env: () => Env,
  mishap: Mishap | undefined,
  reason: WrapReason,
][] = [
  [
    'a wrong secret id',
    () => ({ VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: 'x' }),
    undefined,
    'kek_denied',
  ],
  ['no secret id', () => ({ VAULT_ROLE_ID: roleId }), undefined, 'kek_settings'],
  [
    'a role that is none',
    () => ({ ...kubernetes(), VAULT_K8S_ROLE: 'x' }),
    undefined,
    'kek_denied',
  ],
  [
    'a token of the pod of 70 kB',
    () => {
      writeFileSync(join(folder, 'large'), 'x'.repeat(70_000))
      return { VAULT_K8S_ROLE: 'x', VAULT_K8S_TOKEN_FILE: join(folder, 'large') }
    },
    undefined,
    'kek_settings',
  ],
  [
    'no token of the pod',
    () => ({ VAULT_K8S_ROLE: 'x', VAULT_K8S_TOKEN_FILE: '/no' }),
    undefined,
    'kek_settings',
  ],
  ['another mount', () => ({ ...approle(), VAULT_AUTH_MOUNT: 'ci' }), undefined, 'kek_denied'],
  ['an answer without a token', approle, { status: 200, body: { auth: null } }, 'kek_answer'],
  ['an answer cut off', approle, 'truncated', 'kek_answer'],
  ['a broken Vault', approle, refused(500, 'internal error'), 'kek_down'],
]
for (const [what, env, mishap, reason] of logged) {
  test(`a login with ${what} is refused`, async () => {
    if (mishap !== undefined) fake.once(logins, mishap)
    const fault = await rejectsFor(reason, make(env()).current())
    for (const value of [roleId, secretId, serviceAccountToken, folder]) {
      assert.ok(!fault.message.includes(value))
    }
  })
}
test('a lease without end is renewed once a day', async () => {
  fake.livesS = 0
  const loggedIn = make(approle())
  await loggedIn.current()
  nowMs = 43_199_000
  await loggedIn.current()
  assert.equal(fake.count(logins), 1)
  nowMs = 43_200_000
  await loggedIn.current()
  assert.equal(fake.count(logins), 2)
})
test('a token in a file is read anew each time, before any other way', async () => {
  const path = join(folder, 'sink')
  writeFileSync(path, rootToken)
  const byFile = make({ VAULT_TOKEN_FILE: path, VAULT_TOKEN: 'x', ...approle() })
  await byFile.current()
  writeFileSync(path, 'hvs.another')
  await rejectsFor('kek_denied', byFile.current())
  writeFileSync(path, 'x'.repeat(70_000))
  await rejectsFor('kek_settings', byFile.current())
  assert.equal(fake.count(logins), 0)
})
test('an empty token, or one with a line end, is sent nowhere', async () => {
  for (const VAULT_TOKEN of ['', 'a\nb']) {
    await rejectsFor('kek_settings', make({ VAULT_TOKEN }).current())
  }
  assert.equal(fake.asked.length, 0)
})
test('the namespace goes along with every request, logins too', async () => {
  await restart({ namespace })
  await rejectsFor('kek_denied', make().current())
  await make({ ...approle(), VAULT_NAMESPACE: namespace }).wrap(key, place)
})
test('what is sent to be wrapped is packed with its place', async () => {
  await wrapper.wrap(key, place)
  const sent = fake.asked.find(({ path }) => encrypting.test(path))?.json
  const bytes = Buffer.from(String(sent?.['plaintext']), 'base64')
  assert.equal(bytes.length, 64)
  assert.deepEqual(bytes.subarray(0, 32), key)
  assert.ok(hidden.includes(rootToken))
  assert.equal(sent?.['context'], Buffer.from(place).toString('base64'))
})

const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
const skip = hasOpenssl ? false : 'openssl is not installed (Debian: apt-get install openssl)'
test('over TLS only the authority that was named is believed', { skip }, async () => {
  const certificate = (name: string): { cert: string; key: string } => {
    const paths = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
    const form = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' ')
    const out = ['-keyout', paths.key, '-out', paths.cert, '-subj', `/CN=${name}`]
    const forName = ['-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', ['req', ...form, ...out, ...forName], { stdio: 'ignore' })
    return paths
  }
  const [ours, other] = [certificate('ours'), certificate('other')]
  await restart({
    tls: { key: readFileSync(ours.key, 'utf8'), cert: readFileSync(ours.cert, 'utf8') },
  })
  const trusting = (VAULT_CACERT: string): KeyWrapper =>
    make({ VAULT_TOKEN: rootToken, VAULT_CACERT })
  await rejectsFor('kek_down', make().current())
  await rejectsFor('kek_down', trusting(other.cert).current())
  assert.equal(fake.asked.length, 0)
  await trusting(ours.cert).wrap(key, place)
  assert.throws(() => trusting(ours.key), { code: 'config_bad', message: /VAULT_CACERT/ })
})
