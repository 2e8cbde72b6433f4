import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import {
  clientId,
  clientSecret,
  federatedToken,
  identityHeader,
  startKeyVault,
  tenant,
} from '../../tests/peers/keyvault-fake.ts'
import type { KeyVaultFake } from '../../tests/peers/keyvault-fake.ts'
import type { Mishap } from '../../tests/peers/json-fake.ts'
import { createAsk } from './ask.ts'
import { azureTokens } from './azure-token.ts'
import type { TokenSource } from './kept-token.ts'
import type { Env } from './token-file.ts'
import { rejectsFor } from './wrapper.fixture.ts'
import { createWrapper } from './wrapper.ts'
import { wrapBlame } from './wrapping.ts'
import type { WrapReason } from './wrapping.ts'

const patience = { tryMs: 5_000, againMs: [5, 5] as const, wishMsMax: 100 }
const issuing = /token$/
let fake: KeyVaultFake
let folder = ''
let nowMs = 0
const hidden: string[] = []
const clock = { nowUs: () => Date.now() * 1000, monotonicMs: () => nowMs }
beforeEach(async () => {
  fake = await startKeyVault()
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  nowMs = 0
  hidden.length = 0
})
afterEach(async () => {
  await fake.close()
  rmSync(folder, { recursive: true })
})

function tokens(env: Env, resource = 'https://vault.azure.net'): TokenSource {
  const blame = wrapBlame('keyvault')
  const ask = createAsk({ blame, patience })
  return azureTokens(resource, { env, clock, ask, blame, hide: (value) => hidden.push(value) })
}
const entra = (): Record<string, string> => ({
  AZURE_AUTHORITY_HOST: fake.origin,
  AZURE_TENANT_ID: tenant,
  AZURE_CLIENT_ID: clientId,
})
const machine = (): Env => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.origin })
function tokenFile(text: string): string {
  const path = join(folder, 'token')
  writeFileSync(path, text, { mode: 0o644 })
  return path
}

const ways: readonly [what: string, env: () => Env, path: string][] = [
  ['a machine', machine, '/metadata/identity/oauth2/token'],
  [
    'a container app',
    () => ({ IDENTITY_ENDPOINT: `${fake.origin}/msi/token`, IDENTITY_HEADER: identityHeader }),
    '/msi/token',
  ],
  [
    'a client with its secret',
    () => ({ ...entra(), AZURE_CLIENT_SECRET: clientSecret }),
    `/${tenant}/oauth2/v2.0/token`,
  ],
  [
    'a workload with its token',
    () => ({ ...entra(), AZURE_FEDERATED_TOKEN_FILE: tokenFile(`${federatedToken}\n`) }),
    `/${tenant}/oauth2/v2.0/token`,
  ],
]
for (const [what, env, path] of ways) {
  test(`${what} gets a token, which is hidden and kept for half of its time`, async () => {
    const source = tokens(env())
    const token = await source.token()
    assert.ok(fake.tokens.has(token))
    assert.deepEqual(hidden, [token])
    nowMs = 1_798_000 // Of 3,600 s; one way tells only the second in which it ends.
    assert.equal(await source.token(), token)
    nowMs = 1_801_000
    assert.notEqual(await source.token(), token)
    assert.deepEqual(
      fake.asked.map((each) => each.path),
      [path, path],
    )
  })
}
test('a token that was forgotten is asked for again', async () => {
  const source = tokens(machine())
  const token = await source.token()
  source.forget()
  assert.notEqual(await source.token(), token)
})
test('a workload’s token is read anew each time', async () => {
  const env = { ...entra(), AZURE_FEDERATED_TOKEN_FILE: tokenFile('an.old.token') }
  const source = tokens(env)
  await rejectsFor('kek_denied', source.token())
  tokenFile(federatedToken)
  await source.token()
})
test('an identity that the machine has besides others is named', async () => {
  await tokens({ ...machine(), AZURE_CLIENT_ID: clientId }).token()
  assert.equal(fake.asked[0]?.query.get('client_id'), clientId)
})

const refused: readonly [what: string, env: () => Env, reason: WrapReason][] = [
  ['a wrong secret', () => ({ ...entra(), AZURE_CLIENT_SECRET: 'wrong' }), 'kek_denied'],
  [
    'a secret without a tenant',
    () => ({ ...entra(), AZURE_TENANT_ID: undefined, AZURE_CLIENT_SECRET: clientSecret }),
    'kek_settings',
  ],
  [
    'a tenant that is a path',
    () => ({ ...entra(), AZURE_TENANT_ID: '..', AZURE_CLIENT_SECRET: clientSecret }),
    'kek_settings',
  ],
  [
    'a secret without a client',
    () => ({ ...entra(), AZURE_CLIENT_ID: undefined, AZURE_CLIENT_SECRET: clientSecret }),
    'kek_settings',
  ],
  [
    'a workload without its file',
    () => ({ ...entra(), AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token' }),
    'kek_settings',
  ],
  [
    'a workload with an empty file',
    () => ({ ...entra(), AZURE_FEDERATED_TOKEN_FILE: tokenFile('\n') }),
    'kek_settings',
  ],
  [
    'a workload with a file of two lines',
    () => ({ ...entra(), AZURE_FEDERATED_TOKEN_FILE: tokenFile('a\nb') }),
    'kek_settings',
  ],
  [
    'an issuer over http beyond this machine',
    () => ({
      ...entra(),
      AZURE_AUTHORITY_HOST: 'http://login.example.com',
      AZURE_CLIENT_SECRET: clientSecret,
    }),
    'kek_settings',
  ],
  [
    'a wrong identity header',
    () => ({ IDENTITY_ENDPOINT: `${fake.origin}/msi/token`, IDENTITY_HEADER: 'wrong' }),
    'kek_denied',
  ],
]
for (const [what, env, reason] of refused) {
  test(`${what} gets no token, and the message holds no value`, async () => {
    const fault = await rejectsFor(reason, tokens(env()).token())
    for (const value of [clientSecret, 'wrong', federatedToken, tenant, folder]) {
      assert.ok(!fault.message.includes(value))
    }
  })
}
test('a resource that is not known is refused', async () => {
  await rejectsFor('kek_denied', tokens(machine(), 'https://x.example').token())
})

const token = (body: object): Mishap => ({ status: 200, body })
const odd: readonly [what: string, mishap: Mishap, reason: WrapReason][] = [
  ['without a token', token({ expires_in: 3600 }), 'kek_answer'],
  ['with a line end in its token', token({ access_token: 'a\nb', expires_in: 9 }), 'kek_answer'],
  ['without an end', token({ access_token: 'a' }), 'kek_answer'],
  ['with a token that has ended', token({ access_token: 'a', expires_in: 0 }), 'kek_answer'],
  ['that ended long ago', token({ access_token: 'a', expires_on: '1' }), 'kek_answer'],
  ['that is cut off', 'truncated', 'kek_answer'],
]
for (const [what, mishap, reason] of odd) {
  test(`an answer ${what} is refused`, async () => {
    fake.once(issuing, mishap)
    await rejectsFor(reason, tokens(machine()).token())
  })
}
for (const status of [404, 410, 429, 500, 503]) {
  test(`the metadata service is asked again after ${status}, and no more than twice`, async () => {
    fake.once(issuing, { status, body: { error: 'updating' } })
    fake.once(issuing, { status, body: { error: 'updating' } })
    await tokens(machine()).token()
    assert.equal(fake.asked.length, 3)
    for (let i = 0; i < 3; i++) fake.once(issuing, { status, body: { error: 'updating' } })
    const reason = status === 429 ? 'kek_throttled' : 'kek_down'
    await rejectsFor(reason, tokens(machine()).token())
    assert.equal(fake.asked.length, 6)
  })
}
test('a token that Key Vault no longer takes is replaced, once', async () => {
  const spec = { kind: 'keyvault', key: `${fake.origin}/keys/records` } as const
  const wrapper = createWrapper(spec, { env: machine(), clock, hide() {}, patience })
  await wrapper.current()
  fake.tokens.clear()
  await wrapper.current()
  assert.equal(fake.count(issuing), 2)
  const challenge: Mishap = { status: 401, body: {} }
  fake.once(/^\/keys/, challenge)
  fake.once(/^\/keys/, challenge)
  await rejectsFor('kek_denied', wrapper.current())
  assert.equal(fake.count(issuing), 3)
})
