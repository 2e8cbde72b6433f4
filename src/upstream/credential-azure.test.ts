/** The managed identity of the machine the gateway runs on, by each platform's own service. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Fault } from '../base/fault.ts'
import {
  clientId,
  clientSecret,
  federatedToken,
  identityHeader,
  startKeyVault,
  tenant,
} from '../../tests/peers/keyvault-fake.ts'
import type { KeyVaultFake } from '../../tests/peers/keyvault-fake.ts'
import { managedIdentitySource } from './credential-azure.ts'
import { json, send, serverOf, text, upstreamOf } from './server.fixture.ts'

const patience = { tryMs: 2_000, againMs: [5, 5] as const, wishMsMax: 100 }
const clock = { nowUs: () => Date.now() * 1000, monotonicMs: () => 0 }
const resource = 'https://vault.azure.net' // The one which the fake issues tokens for.

async function fakeOf(t: TestContext): Promise<{ fake: KeyVaultFake; file: string }> {
  const fake = await startKeyVault()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(async () => {
    await fake.close()
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'token')
  writeFileSync(file, `${federatedToken}\n`, { mode: 0o644 })
  return { fake, file }
}

type Env = Record<string, string>
const platforms: readonly [
  what: string,
  env: (origin: string, file: string) => Env,
  path: string,
][] = [
  [
    'a virtual machine',
    (origin) => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: origin }),
    '/metadata/identity/oauth2/token',
  ],
  [
    'App Service',
    (origin) => ({ IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: identityHeader }),
    '/msi/token',
  ],
  [
    'a workload of Kubernetes',
    (origin, file) => ({
      AZURE_AUTHORITY_HOST: origin,
      AZURE_TENANT_ID: tenant,
      AZURE_FEDERATED_TOKEN_FILE: file,
    }),
    `/${tenant}/oauth2/v2.0/token`,
  ],
]
for (const [what, envOf, path] of platforms) {
  test(`the identity of ${what} gets one token for a hundred calls`, async (t) => {
    const { fake, file } = await fakeOf(t)
    const hidden: string[] = []
    // A secret of another identity is there as well, and must not be used.
    const env = { ...envOf(fake.origin, file), AZURE_CLIENT_SECRET: clientSecret }
    const means = { clock, patience, env, hide: (value: string) => void hidden.push(value) }
    const source = managedIdentitySource(
      'shop',
      { resource: `${resource}/.default`, clientId },
      means,
    )
    const server = await serverOf(t, (socket) => socket.write(json('{}')))
    const upstream = upstreamOf(t, server.url, { credential: source })
    await Promise.all(Array.from({ length: 100 }, async () => text(await send(upstream))))
    assert.deepEqual(
      fake.asked.map((asked) => asked.path),
      [path],
    )
    const [token = ''] = fake.tokens
    assert.ok(server.requests.every((request) => request.includes(`Bearer ${token}\r\n`)))
    assert.deepEqual(hidden, [token])
    const [asked] = fake.asked
    assert.match(`${asked?.query.toString()}&${asked?.text}`, new RegExp(`client_id=${clientId}`))
    assert.doesNotMatch(asked?.text ?? '', /client_secret/)
  })
}

test('a machine without an identity sends nothing, and nothing of the answer is told', async (t) => {
  const { fake } = await fakeOf(t)
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.origin }
  const means = { clock, patience, env, hide: () => {} }
  const source = managedIdentitySource('shop', { resource: 'api://other' }, means)
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const upstream = upstreamOf(t, server.url, { credential: source })
  await assert.rejects(send(upstream), (fault: Fault) => {
    assert.match(fault.message, /^connection "shop": its credential cannot be had: its identity/)
    return fault.code === 'secret_missing' && !/AADSTS|127\.0/.test(fault.message)
  })
  assert.equal(server.requests.length, 0)
})
