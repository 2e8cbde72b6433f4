/** Secrets that Azure Key Vault and HashiCorp Vault keep, over real sockets. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Fault } from '../base/fault.ts'
import type { SecretRef } from '../config/types.ts'
import { startKeyVault, throttled, vaultError } from '../../tests/peers/keyvault-fake.ts'
import type { KeyVaultFake } from '../../tests/peers/keyvault-fake.ts'
import type { Mishap } from '../../tests/peers/json-fake.ts'
import { namespace, refused, rootToken, startVault } from '../../tests/peers/vault-fake.ts'
import type { VaultFake } from '../../tests/peers/vault-fake.ts'
import { secretRefsIn } from './references.ts'
import { createSecrets } from './secrets.ts'
import type { Secrets } from './secrets.ts'
import { vaultSecretPath } from './vault-secret.ts'

const patience = { tryMs: 2_000, againMs: [5, 5] as const, wishMsMax: 100 }
const startMs = Date.UTC(2026, 10, 21)
const period = 300_000
let keyVault: KeyVaultFake
let vault: VaultFake
let nowMs = 0
const clock = { nowUs: () => (startMs + nowMs) * 1000, monotonicMs: () => nowMs }
const trouble: Fault[] = []
const rotated: string[] = []
const opened: Secrets[] = []

beforeEach(async () => {
  keyVault = await startKeyVault()
  vault = await startVault({ namespace })
  nowMs = 0
  trouble.length = 0
  rotated.length = 0
})
afterEach(async () => {
  for (const secrets of opened.splice(0)) secrets.close()
  await Promise.all([keyVault.close(), vault.close()])
})

function make(env: Record<string, string | undefined> = {}): Secrets {
  const secrets = createSecrets({
    env: {
      AZURE_KEYVAULT_ORIGIN: keyVault.origin,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: keyVault.origin,
      VAULT_ADDR: vault.origin,
      VAULT_NAMESPACE: namespace,
      VAULT_TOKEN: rootToken,
      ...env,
    },
    clock,
    patience,
    onTrouble: (fault) => trouble.push(fault),
    onRotated: (where, from) => rotated.push(`${where} ${from}`),
  })
  opened.push(secrets)
  return secrets
}

const inKeyVault: SecretRef = { from: 'keyvault', vault: 'prod', name: 'shop-token' }
const inVault: SecretRef = { from: 'vault', path: 'secret/shop', key: 'token' }
const where = 'connections[0].credential.value'

/** Sees to it that nothing of what a service said or we hold is told. */
function isClean(fault: Fault): boolean {
  const told = fault.message + JSON.stringify(fault.facts)
  const values = ['value-1', 'value-2', rootToken, keyVault.origin, vault.origin]
  return fault.code === 'secret_missing' && values.every((value) => !told.includes(value))
}

const unhad: readonly [what: string, ref: SecretRef, before: () => void, why: RegExp][] = [
  ['a secret that is not there', inKeyVault, () => {}, /no such secret or version \(404\)/],
  [
    'a version that is not there',
    { ...inKeyVault, version: 'f'.repeat(32) },
    () => keyVault.keep('shop-token', 'value-1'),
    /no such secret or version/,
  ],
  [
    'a disabled secret',
    inKeyVault,
    () => keyVault.keep('shop-token', 'value-1', { enabled: false }),
    /is disabled; enable it/,
  ],
  [
    'a secret whose time has ended',
    inKeyVault,
    () => keyVault.keep('shop-token', 'value-1', { exp: startMs / 1000 }),
    /its time has ended/,
  ],
  [
    'a secret whose time has not begun',
    inKeyVault,
    () => keyVault.keep('shop-token', 'value-1', { nbf: startMs / 1000 + 1 }),
    /its time has not begun/,
  ],
  [
    'a secret without a right to it',
    inKeyVault,
    () => (keyVault.keep('shop-token', 'value-1'), keyVault.rights.delete('getSecret')),
    /no right to it \(403\)/,
  ],
  ['an empty secret', inKeyVault, () => keyVault.keep('shop-token', '\n'), /is empty/],
  [
    'a secret with a line break',
    inKeyVault,
    () => keyVault.keep('shop-token', 'value-1\r\nX-Evil: 1'),
    /holds line breaks/,
  ],
  [
    'a vault with a name that is none',
    { ...inKeyVault, vault: 'a.b' },
    () => {},
    /name of its vault/,
  ],
  [
    'a secret with a name that is none',
    { ...inKeyVault, name: '../keys' },
    () => {},
    /name or version/,
  ],
  ['a path that is not there', inVault, () => {}, /no such mount, path or version \(404\)/],
  [
    'a key that is not there',
    inVault,
    () => vault.put('secret/shop', { other: 'value-1' }),
    /no such key at its path/,
  ],
  [
    'a key that is inherited',
    { ...inVault, key: 'toString' },
    () => vault.put('secret/shop', { other: 'value-1' }),
    /no such key at its path/,
  ],
  [
    'a value that is no text',
    inVault,
    () => vault.put('secret/shop', { token: { deep: 'value-1' } }),
    /is no text/,
  ],
  [
    'a deleted version',
    inVault,
    () => {
      vault.put('secret/shop', { token: 'value-1' })
      Object.assign(vault.entries.get('secret/shop') ?? {}, { isDeleted: true })
    },
    /newest version was deleted \(404\)/,
  ],
  [
    'a path without a right to it',
    inVault,
    () => vault.rights.delete('data'),
    /no right to read its path \(403\)/,
  ],
  ['a sealed vault', inVault, () => (vault.isSealed = true), /is sealed/],
  ['a path that climbs', { ...inVault, path: 'secret/../sys' }, () => {}, /must be mount\/path/],
  ['a mount without a path', { ...inVault, path: 'secret' }, () => {}, /must be mount\/path/],
]
for (const [what, ref, before, why] of unhad) {
  test(`${what} stops the start, and the message names its place alone`, async () => {
    before()
    const secrets = make()
    const live = secrets.open(ref, 'header', where)
    const named = new RegExp(`^The secret of ${where.replaceAll(/[[\].]/g, '\\$&')} cannot be used`)
    await assert.rejects(secrets.ready(), (fault: Fault) => {
      assert.match(fault.message, named)
      assert.match(fault.message, why)
      return isClean(fault)
    })
    assert.throws(() => live.read(), { code: 'secret_missing' })
  })
}

const mishaps: readonly [what: string, mishap: Mishap, why: RegExp][] = [
  ['silence', 'stalled', /did not answer in time/],
  ['a connection that breaks', 'reset', /cannot be reached/],
  ['1 MiB', 'huge', /more than 65536 bytes/],
  ['half an answer', 'truncated', /not of the secret asked for/],
  ['an error', vaultError(500, 'Oops', 'value-1'), /error \(500\)/],
  ['a flood', throttled(0), /too many requests/],
  ['one that is disabled', (answer) => changed(answer, { enabled: false }), /is disabled/],
  [
    'one with a time that is none',
    (answer) => changed(answer, { enabled: true, exp: 'soon' }),
    /tells its time/,
  ],
  ['another secret', (answer) => renamed(answer), /not of the secret asked for/],
  [
    'a redirect',
    { status: 302, body: {}, headers: { location: 'http://x/' } },
    /refuses the request/,
  ],
]
function renamed(answer: { status: number; body: unknown }): { status: number; body: unknown } {
  const id = `${keyVault.origin}/secrets/other/${'a'.repeat(32)}`
  return { ...answer, body: { ...(answer.body as object), id } }
}
function changed(
  answer: { status: number; body: unknown },
  attributes: object,
): { status: number; body: unknown } {
  return { ...answer, body: { ...(answer.body as object), attributes } }
}
for (const [what, mishap, why] of mishaps) {
  test(`${what} in place of an answer keeps the last good value, and is told once`, async () => {
    keyVault.keep('shop-token', 'value-1')
    const secrets = createSecrets({
      env: {
        AZURE_KEYVAULT_ORIGIN: keyVault.origin,
        AZURE_POD_IDENTITY_AUTHORITY_HOST: keyVault.origin,
      },
      clock,
      patience: { ...patience, tryMs: 100 },
      onTrouble: (fault) => trouble.push(fault),
    })
    opened.push(secrets)
    const live = secrets.open(inKeyVault, 'header', where)
    await secrets.ready()
    keyVault.keep('shop-token', 'value-2')
    for (const round of [1, 2]) {
      for (let i = 0; i < 3; i++) keyVault.once(/^\/secrets/, mishap)
      nowMs += period
      await secrets.refresh()
      assert.equal(live.read().reveal(), 'value-1', `round ${round}`)
    }
    assert.equal(trouble.length, 1)
    assert.match(trouble[0]?.message ?? '', why)
    assert.ok(trouble.every(isClean))
    assert.equal(trouble[0]?.facts['where'], where)
  })
}

test('a new version comes into force without a restart, and the rotation is seen', async () => {
  const first = keyVault.keep('shop-token', 'value-1')
  vault.put('secret/shop', { token: 'word-1' })
  const secrets = make()
  const live = secrets.open(inKeyVault, 'header', where)
  const other = secrets.open(inVault, 'header', 'connections[1].credential.password')
  await secrets.ready()
  assert.deepEqual([live.read().reveal(), other.read().reveal()], ['value-1', 'word-1'])
  assert.deepEqual(secrets.rotations(), [
    { where, from: 'keyvault', atMs: startMs, version: first.id },
    { where: 'connections[1].credential.password', from: 'vault', atMs: startMs, version: '1' },
  ])
  const second = keyVault.keep('shop-token', 'value-2')
  vault.put('secret/shop', { token: 'word-2' })
  nowMs = period - 1
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-1')
  nowMs = period
  await secrets.refresh()
  assert.deepEqual([live.read().reveal(), other.read().reveal()], ['value-2', 'word-2'])
  assert.deepEqual(rotated.toSorted(), [
    'connections[0].credential.value keyvault',
    'connections[1].credential.password vault',
  ])
  assert.deepEqual(
    secrets.rotations().map(({ atMs, version }) => [atMs, version]),
    [
      [startMs + period, second.id],
      [startMs + period, '2'],
    ],
  )
  assert.equal(secrets.redactText('value-1 value-2'), 'value-1 value-2') // Seven characters each.
})

test('reading alone brings a new version, in the background', async () => {
  vault.put('secret/shop', { token: 'word-1' })
  const secrets = make()
  const live = secrets.open(inVault, 'header', where)
  await secrets.ready()
  vault.put('secret/shop', { token: 'word-2' })
  nowMs = period
  assert.equal(live.read().reveal(), 'word-1')
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'word-2')
})

test('a pinned version stays when there is a newer one', async () => {
  const { id: version } = keyVault.keep('shop-token', 'value-1')
  keyVault.keep('shop-token', 'value-2')
  const secrets = make()
  const live = secrets.open({ ...inKeyVault, version }, 'header', where)
  await secrets.ready()
  nowMs = period
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-1')
})

test('a value is used to its end and not after, and what replaces it is found before', async () => {
  const exp = startMs / 1000 + 100
  keyVault.keep('shop-token', 'value-1', { exp })
  const secrets = make()
  const live = secrets.open(inKeyVault, 'header', where)
  await secrets.ready()
  nowMs = 50_000 // Half of what was left: looked at long before the period.
  keyVault.keep('shop-token', 'value-2', { exp, nbf: exp - 10 })
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-1')
  assert.match(trouble[0]?.message ?? '', /not begun/)
  nowMs = 90_000 // The moment it begins.
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-2')
  nowMs = 99_999
  assert.equal(live.read().reveal(), 'value-2')
  nowMs = 100_000
  assert.throws(() => live.read(), /its time in Azure Key Vault has ended/)
  keyVault.keep('shop-token', 'value-3')
  nowMs = 120_000
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-3')
})

test('many places that use one secret fetch it once, and each is told of its rotation', async () => {
  keyVault.keep('shop-token', 'value-1')
  const secrets = make()
  const lives = Array.from({ length: 100 }, (_, i) => secrets.open(inKeyVault, 'header', `c[${i}]`))
  await Promise.all([secrets.ready(), secrets.ready(), secrets.ready()])
  assert.equal(keyVault.count(/^\/secrets/), 1)
  keyVault.keep('shop-token', 'value-2')
  nowMs = period
  for (const live of lives) live.read() // Under load: all find it due at once.
  await secrets.refresh()
  assert.equal(keyVault.count(/^\/secrets/), 2)
  assert.ok(lives.every((live) => live.read().reveal() === 'value-2'))
  assert.equal(rotated.length, 100)
})

test('a new value that one place cannot use stays out there, and comes into force elsewhere', async () => {
  const pem = '-----BEGIN PRIVATE KEY-----'
  keyVault.keep('shop-token', pem)
  const secrets = make()
  const asPem = secrets.open(inKeyVault, 'pem', 'connections[0].tls.key')
  const asWord = secrets.open(inKeyVault, 'header', where)
  await secrets.ready()
  keyVault.keep('shop-token', 'value-2')
  nowMs = period
  await secrets.refresh()
  assert.equal(asPem.read().reveal(), pem)
  assert.equal(asWord.read().reveal(), 'value-2')
  assert.deepEqual(rotated, [`${where} keyvault`])
  assert.match(trouble[0]?.message ?? '', /connections\[0\]\.tls\.key .* not in PEM form/)
})

test('a value the server refused is looked at anew, but not at every refusal', async () => {
  keyVault.keep('shop-token', 'value-1')
  const secrets = make()
  const live = secrets.open(inKeyVault, 'header', where)
  await secrets.ready()
  keyVault.keep('shop-token', 'value-2')
  nowMs = 15_000
  for (let i = 0; i < 20; i++) live.doubt?.()
  await secrets.refresh()
  nowMs = 29_999
  live.doubt?.()
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-2')
  assert.equal(keyVault.count(/^\/secrets/), 2)
})

test('a token the service does not take any more is replaced once', async () => {
  keyVault.keep('shop-token', 'value-1')
  const secrets = make()
  const live = secrets.open(inKeyVault, 'header', where)
  await secrets.ready()
  keyVault.tokens.clear()
  keyVault.keep('shop-token', 'value-2')
  nowMs = period
  await secrets.refresh()
  assert.equal(live.read().reveal(), 'value-2')
  assert.equal(trouble.length, 0)
})

test('what is told to be ready beforehand can be opened and read at once', async () => {
  keyVault.keep('shop-token', 'value-1')
  const config = {
    listen: { tls: { certFile: 'c.pem', key: inKeyVault } },
    identity: { scim: { tokens: [inVault, { from: 'env', name: 'NONE' }] } },
    note: { from: 'vault' }, // No reference: it names nothing.
  }
  assert.deepEqual(
    secretRefsIn(config).map((one) => one.where),
    ['listen.tls.key', 'identity.scim.tokens[0]', 'identity.scim.tokens[1]'],
  )
  const secrets = make()
  await assert.rejects(secrets.ready(secretRefsIn(config)), /identity\.scim\.tokens\[0\]/)
  vault.put('secret/shop', { token: 'word-1' })
  await secrets.ready(secretRefsIn(config))
  assert.equal(secrets.open(inKeyVault, 'header', where).read().reveal(), 'value-1')
  assert.throws(() => secrets.open(inVault, 'pem', where), /not in PEM form/)
})

test('settings that cannot be meant are told when a secret needs them', async () => {
  const settings: readonly [Record<string, string | undefined>, SecretRef, RegExp][] = [
    [{ AZURE_KEYVAULT_ORIGIN: 'https://evil.example' }, inKeyVault, /not one of Azure Key Vault/],
    [{ AZURE_KEYVAULT_ORIGIN: 'http://prod.vault.azure.net' }, inKeyVault, /over https/],
    [{ VAULT_ADDR: undefined }, inVault, /VAULT_ADDR is not set/],
    [{ VAULT_ADDR: 'http://vault.example:8200' }, inVault, /over https/],
    [{ VAULT_TOKEN: undefined }, inVault, /none of VAULT_TOKEN_FILE/],
  ]
  for (const [env, ref, why] of settings) {
    const secrets = make(env)
    secrets.open(ref, 'header', where)
    await assert.rejects(secrets.ready(), why)
  }
  assert.equal(keyVault.asked.length + vault.asked.length, 0)
})

test('a mount of several parts is told by the path of the API', async () => {
  vault.put('team/kv/shop', { token: 'word-1' })
  const secrets = make()
  const ref: SecretRef = { from: 'vault', path: 'team/kv/data/shop', key: 'token' }
  const live = secrets.open(ref, 'header', where)
  await secrets.ready()
  assert.equal(live.read().reveal(), 'word-1')
})

test('of any path, what is asked for lies below its mount', () => {
  const part = fc.stringMatching(/^[\w.-]{1,12}$/)
  const blame = (): Fault => new Fault('secret_missing', 'no')
  const stays = fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
    let path: string
    try {
      path = vaultSecretPath(parts.join('/'), blame)
    } catch {
      return
    }
    assert.equal(new URL(path, 'http://v').pathname, path)
    assert.ok(path.startsWith(`/v1/${parts[0]}/`) && path.split('/').includes('data'))
  })
  fc.assert(stays)
})

test('no value, token or reference of a service shows when secrets are printed', async () => {
  const long = 'a-long-value-of-the-key-vault'
  keyVault.keep('shop-token', long)
  const secrets = make()
  const live = secrets.open(inKeyVault, 'header', where)
  await secrets.ready()
  const shown = [
    inspect(secrets, { depth: 20, showHidden: true }),
    inspect(live, { depth: 20, showHidden: true }),
    inspect(live.read(), { depth: 20 }),
    JSON.stringify([secrets, live, live.read(), secrets.rotations()]),
  ].join()
  assert.ok(!shown.includes(long))
  const [token = ''] = keyVault.tokens
  assert.ok(token.length > 20 && !shown.includes(token))
  assert.equal(secrets.redactText(`${long} ${token}`), '[secret] [secret]')
  assert.equal(refused(403).status, 403)
})
