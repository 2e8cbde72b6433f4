import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { startKeyVault } from '../../tests/peers/keyvault-fake.ts'
import { rootToken, startVault, transitKey } from '../../tests/peers/vault-fake.ts'
import { makeKeyFile, rotateFile } from './key-file.ts'
import { createWrapper } from './wrapper.ts'
import type { WrapperSpec } from './wrapper.ts'
import { behavesAsWrapper } from './wrapper.fixture.ts'
import type { Kept } from './wrapper.fixture.ts'
import type { Env } from './token-file.ts'

const clock = systemClock()
const hide = (): void => {}
const parts = { disk: realDisk, clock }

behavesAsWrapper('file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const file = join(folder, 'keys', 'kek')
  await makeKeyFile(file, parts)
  return {
    wrapper: createWrapper({ kind: 'file', file }, { env: {}, clock, hide }),
    rotate: () => rotateFile(file, parts),
    close: () => rm(folder, { recursive: true }),
  }
})
behavesAsWrapper('keyvault', async () => {
  const fake = await startKeyVault()
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.origin }
  const key = `${fake.origin}/keys/records`
  return {
    wrapper: createWrapper({ kind: 'keyvault', key }, { env, clock, hide }),
    rotate: async () => fake.rotate(),
    close: () => fake.close(),
  }
})
const openVault = async (isDerived: boolean): Promise<Kept> => {
  const fake = await startVault()
  fake.key.derived = isDerived
  const env = { VAULT_ADDR: fake.origin, VAULT_TOKEN: rootToken }
  return {
    wrapper: createWrapper({ kind: 'vault', key: transitKey }, { env, clock, hide }),
    rotate: async () => fake.rotate(),
    close: () => fake.close(),
  }
}
behavesAsWrapper('vault', () => openVault(false))
behavesAsWrapper('vault, derived', () => openVault(true), 'wrapped_bad')

const vault = { VAULT_ADDR: 'https://vault.example.com:8200', VAULT_TOKEN: 'hvs.x' }
const wrong: readonly [what: string, spec: WrapperSpec, env: Env, why: RegExp][] = [
  ['a vault without a key', { kind: 'keyvault', key: 'prod' }, {}, /vault\/name/],
  ['a vault with an empty key', { kind: 'keyvault', key: 'prod/' }, {}, /vault\/name/],
  ['a version that is none', { kind: 'keyvault', key: 'prod/key/latest' }, {}, /vault\/name/],
  ['more than a version', { kind: 'keyvault', key: `prod/key/${'a'.repeat(32)}/x` }, {}, /vault\//],
  ['a key with a query', { kind: 'keyvault', key: 'prod/key?x=1' }, {}, /vault\/name/],
  ['a host that is no vault', { kind: 'keyvault', key: 'https://a.example/keys/k' }, {}, /host/],
  [
    'a host that only looks like one',
    { kind: 'keyvault', key: 'https://a.vault.azure.net.example/keys/k' },
    {},
    /host/,
  ],
  [
    'a suffix without its dot',
    { kind: 'keyvault', key: 'https://evilvault.azure.net/keys/k' },
    {},
    /host/,
  ],
  ['a vault over http', { kind: 'keyvault', key: 'http://a.vault.azure.net/keys/k' }, {}, /https/],
  [
    'a vault on another port',
    { kind: 'keyvault', key: 'https://a.vault.azure.net:444/keys/k' },
    {},
    /host/,
  ],
  [
    'an address with a user',
    { kind: 'keyvault', key: 'https://u@a.vault.azure.net/keys/k' },
    {},
    /address/,
  ],
  [
    'an address with a password',
    { kind: 'keyvault', key: 'https://:p@a.vault.azure.net/keys/k' },
    {},
    /address/,
  ],
  ['a transit key without a mount', { kind: 'vault', key: 'sallyport' }, vault, /mount\/name/],
  ['a transit key that climbs', { kind: 'vault', key: 'transit/../sys' }, vault, /mount\/name/],
  ['a transit key that is a dot', { kind: 'vault', key: 'transit/..' }, vault, /mount\/name/],
  ['no address', { kind: 'vault', key: transitKey }, { VAULT_TOKEN: 'x' }, /VAULT_ADDR is not set/],
  [
    'an address that is none',
    { kind: 'vault', key: transitKey },
    { ...vault, VAULT_ADDR: 'vault:x' },
    /https/,
  ],
  [
    'http beyond this machine',
    { kind: 'vault', key: transitKey },
    { ...vault, VAULT_ADDR: 'http://vault.example.com:8200' },
    /https/,
  ],
  [
    'http to a name like a loopback',
    { kind: 'vault', key: transitKey },
    { ...vault, VAULT_ADDR: 'http://localhost.example.com' },
    /https/,
  ],
  [
    'a namespace with a line end',
    { kind: 'vault', key: transitKey },
    { ...vault, VAULT_NAMESPACE: 'a\nb' },
    /VAULT_NAMESPACE/,
  ],
  [
    'an authority that is not there',
    { kind: 'vault', key: transitKey },
    { ...vault, VAULT_CACERT: '/nowhere/ca.pem' },
    /VAULT_CACERT/,
  ],
  [
    'no way to log in',
    { kind: 'vault', key: transitKey },
    { VAULT_ADDR: vault.VAULT_ADDR },
    /none of VAULT_TOKEN_FILE/,
  ],
  [
    'a mount for logins that climbs',
    { kind: 'vault', key: transitKey },
    { VAULT_ADDR: vault.VAULT_ADDR, VAULT_ROLE_ID: 'x', VAULT_AUTH_MOUNT: '../sys' },
    /VAULT_AUTH_MOUNT/,
  ],
]
for (const [what, spec, env, why] of wrong) {
  test(`${what} is refused before anything is sent`, () => {
    const made = (): unknown => createWrapper(spec, { env, clock, hide })
    assert.throws(made, { name: 'Fault', code: 'config_bad', message: why })
  })
}
test('a vault’s short name, its identifier and those of other clouds are taken', () => {
  const keys = [
    'prod-west2/record-keys',
    `prod-west2/record-keys/${'0aB1'.repeat(8)}`,
    'https://prod-west2.vault.azure.net/keys/record-keys',
    'https://prod.vault.usgovcloudapi.net/keys/record-keys',
    'https://hsm.managedhsm.azure.net/keys/record-keys',
  ]
  for (const key of keys) createWrapper({ kind: 'keyvault', key }, { env: {}, clock, hide })
  createWrapper({ kind: 'vault', key: 'team/a/transit/key.1' }, { env: vault, clock, hide })
})
