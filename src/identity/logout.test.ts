import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { entraRow, oid, personV2, startEntra, tenant } from '../../tests/peers/entra-fake.ts'
import type { Entra } from '../../tests/peers/entra-fake.ts'
import { startJsonFake } from '../../tests/peers/json-fake.ts'
import type { JsonFake } from '../../tests/peers/json-fake.ts'
import { createIdentity } from './identify.ts'
import type { Identity, IdentityOptions } from './identify.ts'
import { createUsedTokens } from './replay.ts'
import { Standing, makeKey, reasonFor, reasonOf, sign } from './tokens.fixture.ts'
import type { Key } from './tokens.fixture.ts'

/** Tokens that are no access tokens: logout tokens, and ID-JAGs. */
const resource = 'https://mcp.example.com/mcp/payments'
const ours = 'https://mcp.example.com/oauth'
const event = 'http://schemas.openid.net/event/backchannel-logout'
let key: Key
let stranger: Key
let company: JsonFake
let entra: Entra
let clock = new Standing()

before(async () => {
  ;[key, stranger] = await Promise.all([makeKey('one'), makeKey('one')])
  entra = await startEntra()
  entra.keys.v2 = [key.jwk]
  company = await startJsonFake(({ path }) => {
    const document = { issuer: company.origin, jwks_uri: `${company.origin}/jwks` }
    return { status: 200, body: path === '/jwks' ? { keys: [key.jwk] } : document }
  })
})
after(async () => {
  await Promise.all([company.close(), entra.close()])
})
beforeEach(() => {
  clock = new Standing()
})

function open(options: Partial<IdentityOptions> = {}): Identity {
  const row = {
    type: 'oidc',
    name: 'company',
    issuer: company.origin,
    audience: ['api://sallyport'],
    algorithms: ['RS256'],
    clients: [],
    groupsClaim: 'groups',
    rolesClaim: 'roles',
    nameClaim: 'name',
    kind: 'auto',
  } as const
  return createIdentity({
    issuers: [row, entraRow(entra.origin)],
    publicUrl: 'https://mcp.example.com',
    clock,
    signInClients: new Map([[company.origin, ['console']]]),
    ...options,
  })
}

type Claims = Record<string, unknown>
const logout = (over: Claims = {}): Claims => ({
  iss: company.origin,
  aud: 'console',
  iat: clock.s,
  exp: clock.s + 120,
  jti: 'logout-1',
  events: { [event]: {} },
  sub: 'alice',
  sid: 'session-1',
  ...over,
})
const verifyLogout = async (
  claims: Claims,
  { at = open(), header = { typ: 'logout+jwt' } as Claims, by = key, name = 'company' } = {},
): Promise<unknown> => at.verifyLogout(name, await sign(by, claims, header))

const refusedLogouts: readonly [what: string, claims: () => Claims, reason: string][] = [
  ['no event', () => logout({ events: undefined }), 'claims'],
  ['another event', () => logout({ events: { 'urn:other': {} } }), 'type'],
  ['events that are a text', () => logout({ events: event }), 'type'],
  ['an event that is a text', () => logout({ events: { [event]: 'x' } }), 'type'],
  ['a nonce', () => logout({ nonce: 'n' }), 'type'],
  ['no jti', () => logout({ jti: undefined }), 'claims'],
  ['a jti that is a number', () => logout({ jti: 7 }), 'claims'],
  ['no iat', () => logout({ iat: undefined }), 'claims'],
  ['no exp', () => logout({ exp: undefined }), 'claims'],
  ['neither subject nor session', () => logout({ sub: undefined, sid: undefined }), 'claims'],
  ['no audience', () => logout({ aud: undefined }), 'claims'],
  ['another audience', () => logout({ aud: 'another' }), 'audience'],
  ['our audience and another', () => logout({ aud: ['console', 'another'] }), 'audience'],
  ['an issuer nobody trusts', () => logout({ iss: 'https://evil.example' }), 'issuer'],
  ['an issuer of another name', () => logout({ iss: `${entra.origin}/${tenant}/v2.0` }), 'issuer'],
  ['exp 60 s ago', () => logout({ iat: clock.s - 100, exp: clock.s - 60 }), 'expired'],
  ['iat in 61 s', () => logout({ iat: clock.s + 61, exp: clock.s + 120 }), 'not_yet'],
  ['a life of more than 10 minutes', () => logout({ exp: clock.s + 601 }), 'lifetime'],
  [
    'an age of more than 10 minutes',
    () => logout({ iat: clock.s - 601, exp: clock.s - 59 }),
    'expired',
  ],
]
for (const [what, claims, wanted] of refusedLogouts) {
  test(`a logout token with ${what} logs nobody out`, async () => {
    assert.equal(await reasonOf(() => verifyLogout(claims())), wanted)
  })
}

test('a forged logout token logs nobody out', async () => {
  assert.equal(await reasonOf(() => verifyLogout(logout(), { by: stranger })), 'signature')
  assert.equal(await reasonOf(() => open().verifyLogout('company', 'x')), 'malformed')
  const long = logout({ filler: 'x'.repeat(17_000) })
  assert.equal(await reasonOf(() => verifyLogout(long)), 'malformed')
  assert.equal(await reasonOf(() => verifyLogout(logout(), { name: 'nobody' })), 'issuer')
  for (const typ of ['at+jwt', 'oauth-id-jag+jwt', 'dpop+jwt']) {
    assert.equal(await reasonOf(() => verifyLogout(logout(), { header: { typ } })), 'type')
  }
  const header = { typ: 'logout+jwt', crit: ['urn:odd'], 'urn:odd': 1 }
  assert.equal(await reasonOf(() => verifyLogout(logout(), { header })), 'critical')
})

test('a logout token names a subject, a session, or both, and is good once', async () => {
  const at = open()
  const issuer = company.origin
  const both = { issuer, subject: 'alice', signInId: 'session-1' }
  assert.deepEqual(await verifyLogout(logout(), { at }), both)
  assert.equal(await reasonOf(() => verifyLogout(logout(), { at })), 'replayed')
  const session = logout({ jti: '2', sub: undefined, aud: ['console', 'api://sallyport'] })
  assert.deepEqual(await verifyLogout(session, { at }), { issuer, signInId: 'session-1' })
  const subject = logout({ jti: '3', sid: undefined })
  assert.deepEqual(await verifyLogout(subject, { at, header: {} }), { issuer, subject: 'alice' })
})

test('a logout token is not used up while it could be sent again', async () => {
  const at = open()
  const sent = await sign(key, logout(), { typ: 'logout+jwt' })
  await at.verifyLogout('company', sent)
  clock.pass(179)
  assert.equal(await reasonOf(() => at.verifyLogout('company', sent)), 'replayed')
  clock.pass(1)
  assert.equal(await reasonOf(() => at.verifyLogout('company', sent)), 'expired')
})

test('a token that is refused does not use up the id of a good one', async () => {
  const at = open()
  await reasonOf(() => verifyLogout(logout(), { at, by: stranger }))
  await reasonOf(() => verifyLogout(logout({ aud: 'x' }), { at }))
  await verifyLogout(logout(), { at })
})

test('a logout token of Entra names a person by tenant and object id, never by its sub', async () => {
  const iss = `${entra.origin}/${tenant}/v2.0`
  const claims = logout({ iss, aud: entraRow(entra.origin).audience[0], tid: tenant, oid })
  const at = open()
  const found = await verifyLogout(claims, { at, name: 'entra' })
  assert.deepEqual(found, { issuer: iss, subject: oid, signInId: 'session-1' })
  const pairwise = { ...claims, oid: undefined, jti: '2' }
  assert.deepEqual(await verifyLogout(pairwise, { at, name: 'entra' }), {
    issuer: iss,
    signInId: 'session-1',
  })
  const none = { ...claims, tid: undefined, sid: undefined, jti: '3' }
  assert.equal(await reasonOf(() => verifyLogout(none, { at, name: 'entra' })), 'claims')
})

const jag = (over: Claims = {}): Claims => ({
  iss: company.origin,
  sub: 'alice',
  aud: ours,
  resource,
  client_id: 'https://client.example/app.json',
  scope: 'mcp',
  jti: 'jag-1',
  iat: clock.s,
  exp: clock.s + 300,
  ...over,
})
const jagType = { typ: 'oauth-id-jag+jwt' }
const verifyJag = async (
  claims: Claims,
  { at = open(), header = jagType as Claims, by = key, issuers = ['company', 'entra'] } = {},
): Promise<unknown> =>
  at.verifyAssertion(await sign(by, claims, header), { issuers, audience: ours })

const refusedJags: readonly [what: string, claims: () => Claims, reason: string][] = [
  ['a life of 301 s', () => jag({ exp: clock.s + 301 }), 'lifetime'],
  ['exp 60 s ago', () => jag({ iat: clock.s - 200, exp: clock.s - 60 }), 'expired'],
  ['iat in 61 s', () => jag({ iat: clock.s + 61 }), 'not_yet'],
  ['another audience', () => jag({ aud: resource }), 'audience'],
  ['our audience with a slash', () => jag({ aud: `${ours}/` }), 'audience'],
  ['two audiences', () => jag({ aud: [ours, resource] }), 'audience'],
  ['no client', () => jag({ client_id: undefined }), 'claims'],
  ['a client that is a list', () => jag({ client_id: ['a'] }), 'claims'],
  ['no resource', () => jag({ resource: undefined }), 'claims'],
  ['a resource that is no address', () => jag({ resource: 'payments' }), 'claims'],
  ['two resources', () => jag({ resource: [resource, resource] }), 'claims'],
  ['no jti', () => jag({ jti: undefined }), 'claims'],
  ['no sub', () => jag({ sub: undefined }), 'claims'],
  ['a scope that is a list', () => jag({ scope: ['mcp'] }), 'claims'],
  ['a scope with a quote', () => jag({ scope: 'a "b"' }), 'claims'],
  ['a bond to a key', () => jag({ cnf: { jkt: 'x' } }), 'bound'],
  ['an issuer nobody trusts', () => jag({ iss: 'https://evil.example' }), 'issuer'],
]
for (const [what, claims, wanted] of refusedJags) {
  test(`an ID-JAG with ${what} is refused`, async () => {
    assert.equal(await reasonOf(() => verifyJag(claims())), wanted)
  })
}

test('an ID-JAG of another type, key or issuer is refused', async () => {
  for (const typ of ['JWT', 'at+jwt', 'logout+jwt', undefined]) {
    assert.equal(await reasonOf(() => verifyJag(jag(), { header: { typ } })), 'type')
  }
  assert.equal(await reasonOf(() => verifyJag(jag(), { by: stranger })), 'signature')
  assert.equal(await reasonOf(() => verifyJag(jag(), { issuers: ['entra'] })), 'issuer')
  assert.equal(await reasonOf(() => verifyJag(jag(), { issuers: [] })), 'issuer')
})

test('an ID-JAG tells who, for which client and resource, and is good once', async () => {
  const at = open()
  assert.deepEqual(await verifyJag(jag(), { at }), {
    issuer: company.origin,
    subject: 'alice',
    clientId: 'https://client.example/app.json',
    resource,
    scope: 'mcp',
    jti: 'jag-1',
    expiresMs: (clock.s + 300) * 1000,
    claims: jag(),
  })
  const found = await Promise.all([1, 2, 3].map(() => reasonOf(() => verifyJag(jag(), { at }))))
  assert.deepEqual(found, ['replayed', 'replayed', 'replayed'])
  // The id of another issuer's is another id; three at once are one.
  const iss = `${entra.origin}/${tenant}/v2.0`
  const there = jag({ iss, tid: tenant, oid })
  const race = await Promise.all([1, 2, 3].map(() => reasonOf(() => verifyJag(there, { at }))))
  assert.equal(race.filter((each) => each === 'accepted').length, 1)
  assert.equal(race.filter((each) => each === 'replayed').length, 2)
  const noOid = jag({ iss, tid: tenant, jti: '4' })
  assert.equal(await reasonOf(() => verifyJag(noOid, { at })), 'claims')
})

test('an ID-JAG is not used up while it could be sent again', async () => {
  const at = open()
  const sent = await sign(key, jag(), jagType)
  const from = { issuers: ['company'], audience: ours }
  await at.verifyAssertion(sent, from)
  clock.pass(359)
  assert.equal(await reasonOf(() => at.verifyAssertion(sent, from)), 'replayed')
  clock.pass(1)
  assert.equal(await reasonOf(() => at.verifyAssertion(sent, from)), 'expired')
})

test('neither of them is a bearer token', async () => {
  const at = open()
  const aud = 'api://sallyport'
  assert.equal(await reasonFor(at, await sign(key, jag({ aud }), jagType), resource), 'type')
  assert.equal(
    await reasonFor(at, await sign(key, logout({ aud }), { typ: 'JWT' }), resource),
    'type',
  )
  const iss = `${entra.origin}/${tenant}/v2.0`
  const mixed = { ...personV2(entra.origin, clock), events: { [event]: {} }, iss }
  assert.equal(await reasonFor(at, await sign(key, mixed), resource), 'type')
})

test('used tokens that are all still good leave no room for another', () => {
  const used = createUsedTokens(2)
  assert.deepEqual(
    [used.use('a', 10, 0), used.use('a', 10, 9), used.use('b', 20, 9)],
    [true, false, true],
  )
  assert.throws(() => used.use('c', 30, 9), { code: 'identity_down' })
  assert.equal(used.use('b', 20, 9), false)
  assert.equal(used.use('c', 30, 10), true)
  assert.equal(used.use('a', 40, 20), true)
  const roomy = createUsedTokens()
  assert.deepEqual([roomy.use('a', 10, 0), roomy.use('a', 30, 10)], [true, true])
})
