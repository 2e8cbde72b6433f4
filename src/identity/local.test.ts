import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { SignJWT, importJWK } from 'jose'
import { systemClock } from '../base/clock.ts'
import { challenge, metadataAddress } from './challenge.ts'
import { createIdentity } from './identify.ts'
import type { Identity } from './identify.ts'
import { localKeyFile, makeLocalKey, openLocalIssuer } from './local.ts'
import type { LocalIssuer } from './local.ts'
import { hasTokenInQuery } from './bearer.ts'
import { statusOf } from './reasons.ts'

const publicUrl = 'http://127.0.0.1:4100'
const issuer = `${publicUrl}/oauth`
const resource = `${publicUrl}/mcp/shop`
const clock = systemClock()
const who = {
  subject: 'mallory',
  name: 'Mallory M.',
  kind: 'person',
  groups: ['engineers'],
  roles: ['analyst'],
  audience: publicUrl,
  ttlSeconds: 60,
} as const

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

async function open(): Promise<{ local: LocalIssuer; identity: Identity }> {
  await makeLocalKey(dataDir)
  const local = await openLocalIssuer({ dataDir, issuer, clock })
  const issuers = [{ type: 'local', name: 'local', issuer, audience: [publicUrl] } as const]
  const fetch = (): never => assert.fail('the local issuer needs no network')
  return { local, identity: createIdentity({ issuers, publicUrl, clock, local, fetch }) }
}

test('a local issuer without its key is told at start-up', async () => {
  await assert.rejects(openLocalIssuer({ dataDir, issuer, clock }), { code: 'secret_missing' })
  const issuers = [{ type: 'local', name: 'local', issuer, audience: [publicUrl] } as const]
  assert.throws(() => createIdentity({ issuers, publicUrl, clock }), { code: 'config_bad' })
})

test('a key file that others can read, or that holds no key, is refused', async () => {
  await makeLocalKey(dataDir)
  const file = localKeyFile(dataDir)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(dataDir, 'keys')).mode & 0o777, 0o700)
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(file, mode)
    await assert.rejects(openLocalIssuer({ dataDir, issuer, clock }), /others than its owner/)
  }
  chmodSync(file, 0o600)
  for (const text of ['', '{}', '{"keys":[]}', '{"keys":[{"kty":"EC"}]}', 'null', '[]']) {
    writeFileSync(file, text)
    await assert.rejects(openLocalIssuer({ dataDir, issuer, clock }), { code: 'secret_missing' })
  }
})

test('a key that is there is never written over', async () => {
  assert.equal(await makeLocalKey(dataDir), true)
  const before = readFileSync(localKeyFile(dataDir))
  assert.equal(await makeLocalKey(dataDir), false)
  assert.deepEqual(readFileSync(localKeyFile(dataDir)), before)
})

test('a minted token is verified without network and names whom it was minted for', async () => {
  const { local, identity } = await open()
  const principal = await identity.identify([`Bearer ${await local.mint(who)}`], resource)
  const { claims, expiresAtMs, issuedAtMs = 0, tokenId, ...rest } = principal
  assert.deepEqual(rest, {
    issuer,
    subject: 'mallory',
    name: 'Mallory M.',
    kind: 'person',
    groups: ['engineers'],
    roles: ['analyst'],
    clientId: 'sallyport',
  })
  assert.ok(Math.abs(expiresAtMs - Date.now() - 60_000) < 5_000)
  assert.equal(expiresAtMs - issuedAtMs, 60_000)
  assert.equal(tokenId, claims?.['jti'])
  assert.deepEqual([claims?.['kind'], claims?.['groups']], ['person', undefined])
})

test('a token minted for one connection is refused at another', async () => {
  const { local, identity } = await open()
  const token = await local.mint({ ...who, audience: resource })
  assert.equal((await identity.identify([`Bearer ${token}`], resource)).subject, 'mallory')
  const other = identity.identify([`Bearer ${token}`], `${publicUrl}/mcp/other`)
  await assert.rejects(other, { facts: { reason: 'audience', issuer: 'local' } })
})

test('a token with the local key but without its type is refused', async () => {
  const { identity } = await open()
  const [jwk] = JSON.parse(readFileSync(localKeyFile(dataDir), 'utf8')).keys
  const token = await new SignJWT({ kind: 'person' })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject('x')
    .setAudience(publicUrl)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(await importJWK(jwk, 'ES256'))
  await assert.rejects(identity.identify([`Bearer ${token}`], resource), {
    facts: { reason: 'type', issuer: 'local' },
  })
})

test('what is served for the local issuer holds no private key', async () => {
  const { local } = await open()
  const documents = local.documents()
  assert.deepEqual(Object.keys(documents), [
    '/oauth/.well-known/openid-configuration',
    '/.well-known/openid-configuration/oauth',
    '/.well-known/oauth-authorization-server/oauth',
    '/oauth/jwks',
  ])
  const { d } = JSON.parse(readFileSync(localKeyFile(dataDir), 'utf8')).keys[0]
  assert.ok(d.length > 40 && !JSON.stringify(documents).includes(d))
  assert.ok(!JSON.stringify(local).includes(d))
  assert.equal(Reflect.get(documents['/oauth/jwks'] ?? {}, 'keys').length, 1)
})

test('an oidc row verifies the local issuer by the documents served for it', async () => {
  const { local } = await open()
  const documents = local.documents()
  const fetch: typeof globalThis.fetch = async (address) => {
    const document = documents[new URL(address instanceof Request ? address.url : address).pathname]
    return document ? Response.json(document) : new Response(null, { status: 404 })
  }
  const row = {
    type: 'oidc',
    name: 'far',
    issuer,
    audience: [publicUrl],
    algorithms: ['ES256'],
    clients: [],
    groupsClaim: 'groups',
    rolesClaim: 'roles',
    nameClaim: 'name',
    kind: 'auto',
  } as const
  const identity = createIdentity({ issuers: [row], publicUrl, clock, fetch })
  const principal = await identity.identify([`Bearer ${await local.mint(who)}`], resource)
  assert.deepEqual(principal.groups, ['engineers'])
})

test('the metadata of a connection names it, its issuers and its scope (RFC 9728)', async () => {
  const { identity } = await open()
  assert.deepEqual(identity.metadata('/mcp/shop'), {
    resource,
    authorization_servers: [issuer],
    scopes_supported: ['mcp'],
    bearer_methods_supported: ['header'],
    resource_name: 'Sallyport /mcp/shop',
  })
})

test('the metadata lies between host and path', () => {
  const base = 'https://gw/.well-known/oauth-protected-resource'
  assert.equal(metadataAddress('https://gw/x/mcp'), `${base}/x/mcp`)
  assert.equal(metadataAddress('https://gw/'), base)
})

test('a challenge names an error only if a token was presented (RFC 6750 §3)', async () => {
  const { identity } = await open()
  const address = `${publicUrl}/.well-known/oauth-protected-resource/mcp/shop`
  const plain = `Bearer resource_metadata="${address}", scope="mcp"`
  assert.equal(identity.challenge(resource), plain)
  assert.equal(identity.challenge(resource, 'missing'), plain)
  assert.equal(identity.challenge('/mcp/shop', 'no such reason'), plain)
  const expired = identity.challenge(resource, 'expired')
  assert.match(
    expired,
    /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata=/,
  )
  assert.match(identity.challenge(resource, 'two_tokens'), /^Bearer error="invalid_request", /)
})

test('a path cannot break out of the challenge', () => {
  const header = challenge('http://gw/mcp/a", error="x\r\nset-cookie: a', 'expired')
  assert.match(
    header,
    /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="[^"\s]+", scope="mcp"$/,
  )
})

test('malformed requests are 400, everything else 401', () => {
  assert.deepEqual(
    ['two_tokens', 'query', 'missing', 'expired', 'x'].map(statusOf),
    [400, 400, 401, 401, 401],
  )
})

test('a token in the address is seen under any of its names', async () => {
  const { local } = await open()
  const token = await local.mint(who)
  for (const query of ['access_token=x', '?a=1&ACCESS_TOKEN=x', 'access%5Ftoken=x', `t=${token}`]) {
    assert.equal(hasTokenInQuery(query), true)
  }
  for (const query of ['', '?', 'sessionId=abc', 'token_kind=access_token']) {
    assert.equal(hasTokenInQuery(query), false)
  }
})
