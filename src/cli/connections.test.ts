/** From configuration to what a server sees: credentials of every kind, kept where they may be. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import type { ConnectionConfig, CredentialConfig, SecretRef } from '../config/types.ts'
import { secretRefsIn } from '../secrets/references.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { intentFor, permitFor } from '../upstream/evidence.fixture.ts'
import { json, serverOf } from '../upstream/server.fixture.ts'
import { startKeyVault } from '../../tests/peers/keyvault-fake.ts'
import type { KeyVaultFake } from '../../tests/peers/keyvault-fake.ts'
import { clientId, clientSecret, oauthError, startOAuth } from '../../tests/peers/oauth-fake.ts'
import type { OAuthFake } from '../../tests/peers/oauth-fake.ts'
import { openConnections, tryCredential } from './connections.ts'
import type { CredentialMeans } from './connections.ts'

const patience = { tryMs: 2_000, againMs: [5, 5] as const, wishMsMax: 100 }
let keyVault: KeyVaultFake
let oauth: OAuthFake
let secrets: Secrets
let nowMs = 0
const clock = { ...systemClock(), monotonicMs: () => nowMs }
let means: CredentialMeans
const trouble: Fault[] = []

beforeEach(async () => {
  nowMs = 0
  trouble.length = 0
  keyVault = await startKeyVault()
  oauth = await startOAuth()
  const env = {
    AZURE_KEYVAULT_ORIGIN: keyVault.origin,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: keyVault.origin,
    SHOP_TOKEN: 'token-of-the-shop',
    CLIENT_SECRET: clientSecret,
    ACCESS_KEY: 'AKIDEXAMPLE',
  }
  const onTrouble = (fault: Fault): void => void trouble.push(fault)
  secrets = createSecrets({ env, clock, patience, onTrouble })
  means = { env, clock, onTrouble }
})
afterEach(async () => {
  secrets.close()
  await Promise.all([keyVault.close(), oauth.close()])
})

const variable = (name: string): SecretRef => ({ from: 'env', name })
const kept: SecretRef = { from: 'keyvault', vault: 'prod', name: 'shop-token' }

function configOf(credential: CredentialConfig, url = 'http://127.0.0.1:1/mcp'): ConnectionConfig {
  return {
    name: 'shop',
    url,
    credential,
    tls: {},
    timeouts: { connectMs: 1_000, headersMs: 5_000, idleMs: 5_000 },
    headers: { request: [], response: [] },
    cardholderData: { columns: [], tables: [] },
    sql: { tools: {}, schema: {} },
    mask: { threshold: 'medium', also: [], patterns: [], testNumbers: 'mask', base64: 'text' },
    profile: {
      name: 'none',
      sha256: '',
      otherwise: 'allow',
      suspicious: 'medium',
      exposureDays: 30,
      answers: { inspect: 'off', withhold: 'never' },
      rules: [],
    },
    answerBytesMax: 100_000,
  }
}

const asked = (): CredentialConfig => ({
  type: 'client-credentials',
  tokenUrl: oauth.tokenUrl,
  clientId,
  clientAuth: 'basic',
  clientSecret: variable('CLIENT_SECRET'),
})

const tried: readonly [what: string, credential: () => CredentialConfig, says: RegExp][] = [
  ['none', () => ({ type: 'none' }), /sends no credential/],
  ['a bearer token', () => ({ type: 'bearer', value: variable('SHOP_TOKEN') }), /is there/],
  [
    'a password',
    () => ({ type: 'basic', username: 'me', password: variable('SHOP_TOKEN') }),
    /is there/,
  ],
  [
    'a header',
    () => ({ type: 'header', name: 'x-key', value: variable('SHOP_TOKEN') }),
    /is there/,
  ],
  ['client credentials', asked, /a token was got/],
  [
    'token exchange',
    () => ({ ...asked(), type: 'token-exchange' }) as CredentialConfig,
    /each caller/,
  ],
  [
    'a managed identity',
    () => ({ type: 'managed-identity', resource: 'https://vault.azure.net' }),
    /a token was got/,
  ],
  [
    'keys of AWS',
    () => ({
      type: 'aws-sigv4',
      region: 'eu-west-1',
      service: 'execute-api',
      accessKeyId: variable('ACCESS_KEY'),
      secretAccessKey: variable('SHOP_TOKEN'),
    }),
    /sign/,
  ],
]
for (const [what, credential, says] of tried) {
  test(`a credential that works is tried without a server: ${what}`, async () => {
    assert.match(
      await tryCredential(configOf(credential()), 'connections[0]', secrets, means),
      says,
    )
  })
}

const broken: readonly [what: string, credential: () => CredentialConfig, says: RegExp][] = [
  [
    'no variable',
    () => ({ type: 'bearer', value: variable('NONE') }),
    /connections\[3\]\.credential\.value/,
  ],
  [
    'no secret in the vault',
    () => ({ type: 'bearer', value: kept }),
    /credential\.value .*no such secret/,
  ],
  [
    'no client secret',
    () => ({ ...asked(), clientSecret: variable('NONE') }) as CredentialConfig,
    /connections\[3\]\.credential\.client_secret/,
  ],
  [
    'a wrong client secret',
    () => ({ ...asked(), clientSecret: variable('SHOP_TOKEN') }) as CredentialConfig,
    /does not accept client_id and client_secret/,
  ],
  [
    'an identity without the right',
    () => ({ type: 'managed-identity', resource: 'api://other' }),
    /is refused a token/,
  ],
]
for (const [what, credential, says] of broken) {
  test(`a credential that does not work is told: ${what}`, async () => {
    const trying = tryCredential(configOf(credential()), 'connections[3]', secrets, means)
    await assert.rejects(trying, (fault: Fault) => {
      assert.match(fault.message, says)
      return !fault.message.includes('token-of-the-shop') && !fault.message.includes(clientSecret)
    })
  })
}

test('a secret rotated under load: each request has the old or the new one, and none is lost', async (t) => {
  keyVault.keep('shop-token', 'first-value-in-the-vault')
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const config = configOf({ type: 'bearer', value: kept }, server.url)
  await secrets.ready(secretRefsIn([config]))
  const open = openConnections([config], 'https://gateway.example', secrets, means)
  const upstream = open.get('shop')?.upstream
  t.after(() => upstream?.close())
  const send = async (): Promise<number | undefined> => {
    const signal = new AbortController().signal
    const out = {
      digest: 'd',
      method: 'POST',
      headers: [],
      body: Buffer.from('{}'),
      signal,
    } as const
    const answer = await upstream?.send(out, permitFor('d'), intentFor('d'))
    await answer?.bytes(100)
    return answer?.status
  }
  const statuses: (number | undefined)[] = []
  for (let round = 0; round < 10; round++) {
    if (round === 4) {
      keyVault.keep('shop-token', 'second-value-in-the-vault')
      nowMs = 300_000
    }
    statuses.push(...(await Promise.all(Array.from({ length: 20 }, send))))
    if (round === 6) await secrets.refresh()
  }
  assert.deepEqual(new Set(statuses), new Set([200]))
  const sent = server.requests.map((request) => /Bearer (\w+)-value/.exec(request)?.[1])
  assert.ok(sent.slice(0, 80).every((one) => one === 'first'))
  assert.ok(sent.slice(140).every((one) => one === 'second'))
  assert.equal(keyVault.count(/^\/secrets/), 2)
  assert.deepEqual(trouble, [])
})

test('two connections never show each other’s credential, although both fail over and over', async (t) => {
  const other = await startOAuth()
  t.after(() => other.close())
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const one = configOf(asked(), server.url)
  const two = {
    ...configOf({ ...asked(), tokenUrl: other.tokenUrl } as CredentialConfig, server.url),
    name: 'two',
  }
  const open = openConnections([one, two], 'https://gateway.example', secrets, means)
  t.after(() => Promise.all([...open.values()].map(({ upstream }) => upstream.close())))
  const send = async (name: string): Promise<void> => {
    const signal = new AbortController().signal
    const headers: [string, string][] = [['mcp-name', name]]
    const out = { digest: 'd', method: 'POST', headers, signal } as const
    const answer = await open.get(name)?.upstream.send(out, permitFor('d'), intentFor('d'))
    await answer?.bytes(100)
  }
  oauth.once(/token$/, oauthError(401, 'invalid_client'))
  await assert.rejects(send('shop'), { code: 'secret_missing' })
  await send('two')
  await assert.rejects(send('shop'), { code: 'secret_missing' })
  nowMs = 2_000
  await send('shop')
  const seen = server.requests.map((request) => {
    const token = /Bearer (\S+)/.exec(request)?.[1] ?? ''
    return [/mcp-name: (\w+)/i.exec(request)?.[1], oauth.issued.has(token), other.issued.has(token)]
  })
  assert.deepEqual(seen, [
    ['two', false, true],
    ['shop', true, false],
  ])
  // What was got is taken out of whatever a server echoes.
  for (const request of server.requests)
    assert.doesNotMatch(secrets.redactText(request), /issued\./)
})
