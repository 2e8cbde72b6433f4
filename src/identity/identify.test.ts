import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import type { webcrypto } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import type { JWK, JWTHeaderParameters } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { OidcIssuerConfig } from '../config/types.ts'
import { createIdentity } from './identify.ts'
import type { Identity, IdentityOptions, Principal } from './identify.ts'

/** A clock that stands until it is moved. */
class Standing implements Clock {
  ms = Date.UTC(2026, 10, 21, 12)
  nowUs(): number {
    return this.ms * 1000
  }
  monotonicMs(): number {
    return this.ms
  }
  pass(seconds: number): void {
    this.ms += seconds * 1000
  }
}

interface Key {
  readonly kid: string
  readonly alg: string
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
  readonly jwk: JWK
}

async function makeKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { kid, alg, privateKey, publicKey, jwk }
}

const resource = 'https://mcp.example.com/mcp/payments'
let one: Key
let two: Key
let stranger: Key
let published: JWK[] = []
let answers: 'well' | 'down' | 'slowly' = 'well'
const hits: string[] = []
const attackerHits: string[] = []
let issuer = ''
let attacker = ''
let clock = new Standing()

const issuerServer = createServer((request, response) => {
  hits.push(request.url ?? '')
  if (answers === 'down') return response.destroy()
  const document = request.url?.endsWith('/jwks')
    ? { keys: published }
    : { issuer, jwks_uri: `${issuer}/jwks` }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
})
const attackerServer = createServer((request, response) => {
  attackerHits.push(request.url ?? '')
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({ keys: [stranger.jwk], issuer: attacker, jwks_uri: `${attacker}/j` }),
  )
})
const listening = async (server: ReturnType<typeof createServer>): Promise<string> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

before(async () => {
  ;[one, two, stranger] = await Promise.all([makeKey('one'), makeKey('two'), makeKey('one')])
  issuer = await listening(issuerServer)
  attacker = await listening(attackerServer)
})
after(() => {
  issuerServer.close()
  attackerServer.close()
})
beforeEach(() => {
  published = [one.jwk]
  answers = 'well'
  hits.length = 0
  attackerHits.length = 0
  clock = new Standing()
})

function row(over: Partial<OidcIssuerConfig> = {}): OidcIssuerConfig {
  return {
    type: 'oidc',
    name: 'company',
    issuer,
    audience: ['api://sallyport'],
    algorithms: ['RS256'],
    clients: [],
    groupsClaim: 'groups',
    rolesClaim: 'roles',
    nameClaim: 'name',
    kind: 'auto',
    ...over,
  }
}

function identity(
  over: Partial<OidcIssuerConfig> = {},
  more: Partial<IdentityOptions> = {},
): Identity {
  return createIdentity({
    issuers: [row(over)],
    publicUrl: 'https://mcp.example.com',
    clock,
    ...more,
  })
}

interface Wish {
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
  readonly key?: Key
}

/** A good token but for what is wished; `undefined` takes a claim or header out. */
async function token({ claims = {}, header = {}, key = one }: Wish = {}): Promise<string> {
  const nowS = Math.floor(clock.ms / 1000)
  const usual = { iss: issuer, sub: 'alice', aud: resource, iat: nowS, exp: nowS + 600 }
  const head = { alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }
  const clean = Object.fromEntries(Object.entries(head).filter(([, value]) => value !== undefined))
  const payload = Object.fromEntries(
    Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined),
  )
  return new SignJWT(payload)
    .setProtectedHeader(clean as JWTHeaderParameters)
    .sign(key.privateKey, { crit: { 'urn:odd': true } })
}

const addressOf = (asked: string | URL | Request): string =>
  asked instanceof Request ? asked.url : asked.toString()
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with any header and any signature. */
function forged(header: object, sign: (input: string) => string, claims: object = {}): string {
  const nowS = Math.floor(clock.ms / 1000)
  const usual = { iss: issuer, sub: 'alice', aud: resource, iat: nowS, exp: nowS + 600 }
  const input = `${base64(header)}.${base64({ ...usual, ...claims })}`
  return `${input}.${sign(input)}`
}

async function reasonFor(at: Identity, sent: string, of = resource): Promise<unknown> {
  try {
    await at.identify([`Bearer ${sent}`], of)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    assert.ok(!error.message.includes(sent.slice(0, 20)))
    return error.code === 'no_identity' ? error.facts['reason'] : error.code
  }
  return 'accepted'
}

const now = (): number => Math.floor(clock.ms / 1000)
const withoutNetwork: readonly [
  what: string,
  make: () => string | Promise<string>,
  reason: string,
][] = [
  ['alg none', () => forged({ alg: 'none', kid: 'one' }, () => ''), 'algorithm'],
  ['alg None in another case', () => forged({ alg: 'nOnE', kid: 'one' }, () => 'AA'), 'algorithm'],
  ['no algorithm', () => forged({ kid: 'one' }, () => 'AA'), 'algorithm'],
  ['an issuer nobody trusts', () => token({ claims: { iss: attacker } }), 'issuer'],
  ['an issuer that differs by a slash', () => token({ claims: { iss: `${issuer}/` } }), 'issuer'],
  ['no issuer', () => token({ claims: { iss: undefined } }), 'issuer'],
  ['an issuer that is a list', () => token({ claims: { iss: [issuer] } }), 'issuer'],
  ['no key id', () => token({ header: { kid: undefined } }), 'key_id'],
  ['a very long key id', () => token({ header: { kid: 'k'.repeat(300) } }), 'key_id'],
  [
    'an unknown critical header',
    () => token({ header: { crit: ['urn:odd'], 'urn:odd': 1 } }),
    'critical',
  ],
  ['a logout token', () => token({ header: { typ: 'logout+jwt' } }), 'type'],
  ['an ID-JAG', () => token({ header: { typ: 'oauth-id-jag+jwt' } }), 'type'],
  ['a DPoP proof', () => token({ header: { typ: 'dpop+jwt' } }), 'type'],
  ['a header that is no object', () => `${base64('x')}.${base64({ iss: 'x' })}.AA`, 'issuer'],
  ['a payload that is no JSON', () => 'eyJhbGciOiJSUzI1NiJ9.bm8.AA', 'malformed'],
]
for (const [what, make, reason] of withoutNetwork) {
  test(`a token with ${what} is refused${reason === 'signature' ? '' : ' and nothing is fetched'}`, async () => {
    const found = await reasonFor(identity(), await make())
    if (reason === 'signature') return assert.notEqual(found, 'accepted')
    assert.equal(found, reason)
    assert.deepEqual(hits, [])
  })
}

const refused: readonly [what: string, make: () => string | Promise<string>, reason: string][] = [
  ['a key of the same name by somebody else', () => token({ key: stranger }), 'signature'],
  ['a signature cut short', async () => (await token()).slice(0, -8), 'signature'],
  [
    'a changed subject',
    async () => {
      const [head = '', , signature = ''] = (await token()).split('.')
      const nowS = now()
      const payload = base64({ iss: issuer, sub: 'bob', aud: resource, iat: nowS, exp: nowS + 600 })
      return `${head}.${payload}.${signature}`
    },
    'signature',
  ],
  ['a key id that is a path', () => token({ header: { kid: '../../etc/passwd' } }), 'key_unknown'],
  ['a key id that is SQL', () => token({ header: { kid: "x' OR 1=1 --" } }), 'key_unknown'],
  ['no exp', () => token({ claims: { exp: undefined } }), 'claims'],
  ['no iat', () => token({ claims: { iat: undefined } }), 'claims'],
  ['no sub', () => token({ claims: { sub: undefined } }), 'claims'],
  ['an empty sub', () => token({ claims: { sub: '' } }), 'claims'],
  ['a sub with a line break', () => token({ claims: { sub: 'alice\nroot' } }), 'claims'],
  ['a sub of 257 characters', () => token({ claims: { sub: 'a'.repeat(257) } }), 'claims'],
  ['a sub that is a number', () => token({ claims: { sub: 7 } }), 'claims'],
  ['an exp that is a text', () => token({ claims: { exp: '9999999999' } }), 'claims'],
  ['an iat that is a text', () => token({ claims: { iat: '1' } }), 'claims'],
  ['exp 60 s ago', () => token({ claims: { exp: now() - 60, iat: now() - 600 } }), 'expired'],
  ['exp 61 s ago', () => token({ claims: { exp: now() - 61, iat: now() - 600 } }), 'expired'],
  ['nbf in 61 s', () => token({ claims: { nbf: now() + 61 } }), 'not_yet'],
  ['iat in 61 s', () => token({ claims: { iat: now() + 61 } }), 'not_yet'],
  ['a life of 24 h and 1 s', () => token({ claims: { exp: now() + 86_401 } }), 'lifetime'],
  ['another audience', () => token({ claims: { aud: 'https://other.example' } }), 'audience'],
  ['another connection as audience', () => token({ claims: { aud: `${resource}2` } }), 'audience'],
  ['no audience', () => token({ claims: { aud: undefined } }), 'audience'],
  ['an empty list of audiences', () => token({ claims: { aud: [] } }), 'audience'],
  ['our audience and a foreign one', () => token({ claims: { aud: [resource, 'x'] } }), 'audience'],
  ['an audience that is a number', () => token({ claims: { aud: 7 } }), 'audience'],
  [
    'an audience in other letters',
    () => token({ claims: { aud: resource.toUpperCase() } }),
    'audience',
  ],
  ['a bond to a DPoP key', () => token({ claims: { cnf: { jkt: 'x' } } }), 'bound'],
  [
    'a nonce and no type, as an ID token',
    () => token({ header: { typ: 'JWT' }, claims: { nonce: 'n' } }),
    'type',
  ],
  [
    'an at_hash, as an ID token',
    () => token({ header: { typ: undefined }, claims: { at_hash: 'h' } }),
    'type',
  ],
  ['token_use id', () => token({ header: { typ: 'JWT' }, claims: { token_use: 'id' } }), 'type'],
  [
    'typ Refresh in its claims',
    () => token({ header: { typ: 'JWT' }, claims: { typ: 'Refresh' } }),
    'type',
  ],
  [
    'events, as a logout token',
    () => token({ header: { typ: 'JWT' }, claims: { events: {} } }),
    'type',
  ],
]
for (const [what, make, reason] of refused) {
  test(`a token with ${what} is refused`, async () => {
    assert.equal(await reasonFor(identity(), await make()), reason)
    assert.deepEqual(attackerHits, [])
  })
}

const accepted: readonly [what: string, wish: () => Wish][] = [
  ['exp 59 s ago', () => ({ claims: { exp: now() - 59, iat: now() - 600 } })],
  ['nbf in 59 s', () => ({ claims: { nbf: now() + 59 } })],
  ['iat in 60 s', () => ({ claims: { iat: now() + 60 } })],
  ['a life of 24 h', () => ({ claims: { exp: now() + 86_400 } })],
  ['a slash behind its audience', () => ({ claims: { aud: `${resource}/` } })],
  ['the audience of the whole gateway', () => ({ claims: { aud: 'api://sallyport' } })],
  ['two audiences that are both ours', () => ({ claims: { aud: [resource, 'api://sallyport'] } })],
  ['typ JWT', () => ({ header: { typ: 'JWT' } })],
  ['no typ', () => ({ header: { typ: undefined } })],
  ['typ application/at+jwt', () => ({ header: { typ: 'application/AT+JWT' } })],
]
for (const [what, wish] of accepted) {
  test(`a token with ${what} is accepted`, async () => {
    assert.equal(await reasonFor(identity(), await token(wish())), 'accepted')
  })
}

const headers: readonly [what: string, values: string[], reason: string][] = [
  ['no header', [], 'missing'],
  ['two headers', ['Bearer a.b.c', 'Bearer a.b.c'], 'two_tokens'],
  ['an empty header', [''], 'scheme'],
  ['another scheme', ['Basic dTpw'], 'scheme'],
  ['a scheme without token', ['Bearer'], 'scheme'],
  ['a blank token', ['Bearer  '], 'malformed'],
  ['two tokens with a comma', ['Bearer a.b.c, Bearer a.b.c'], 'malformed'],
  ['an encrypted token of five parts', ['Bearer a.b.c.d.e'], 'malformed'],
  ['an opaque token', ['Bearer 2YotnFZFEjr1zCsicMWpAA'], 'malformed'],
  ['a token that is too long', [`Bearer ${'a'.repeat(17_000)}.b.c`], 'malformed'],
]
for (const [what, values, reason] of headers) {
  test(`a request with ${what} has no identity`, async () => {
    await assert.rejects(identity().identify(values, resource), {
      code: 'no_identity',
      facts: { reason },
    })
    assert.deepEqual(hits, [])
  })
}

test('the scheme may be written in any case, with blanks around the token', async () => {
  const at = identity()
  const sent = await token()
  assert.equal((await at.identify([`bEaReR   ${sent} `], resource)).subject, 'alice')
})

test('HS256 with the public key as secret is refused without a fetch', async () => {
  const secret = await exportSPKI(one.publicKey)
  const sign = (input: string): string =>
    createHmac('sha256', secret).update(input).digest('base64url')
  const sent = forged({ alg: 'HS256', kid: 'one', typ: 'at+jwt' }, sign)
  assert.equal(await reasonFor(identity(), sent), 'algorithm')
  assert.deepEqual(hits, [])
})

test('keys offered in the header are not looked at, their addresses never asked', async () => {
  const offers: Record<string, unknown>[] = [
    { jku: `${attacker}/jku` },
    { x5u: `${attacker}/x5u` },
    { jwk: stranger.jwk },
    { x5c: ['AAAA'] },
  ]
  for (const offer of offers) {
    const at = identity()
    assert.equal(await reasonFor(at, await token({ key: stranger, header: offer })), 'signature')
    const header = { ...offer, kid: 'other' }
    assert.equal(await reasonFor(at, await token({ key: stranger, header })), 'key_unknown')
  }
  assert.deepEqual(attackerHits, [])
})

test('a symmetric key among the published ones verifies nothing', async () => {
  published = [
    one.jwk,
    { kty: 'oct', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0', kid: 'sym', alg: 'HS256' },
  ]
  const sign = (input: string): string =>
    createHmac('sha256', 'secretsecretsecretsecret').update(input).digest('base64url')
  const sent = forged({ alg: 'HS256', kid: 'sym' }, sign)
  assert.equal(await reasonFor(identity(), sent), 'algorithm')
})

test('an RSA key of 1,024 bits verifies nothing', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  published = [{ ...publicKey.export({ format: 'jwk' }), kid: 'small', alg: 'RS256' } as JWK]
  const { sign } = await import('node:crypto')
  const sent = forged({ alg: 'RS256', kid: 'small', typ: 'at+jwt' }, (input) =>
    sign('sha256', Buffer.from(input), privateKey).toString('base64url'),
  )
  assert.equal(await reasonFor(identity(), sent), 'key_unknown')
})

test('two published keys of one name verify nothing', async () => {
  published = [one.jwk, { ...two.jwk, kid: 'one' }]
  assert.equal(await reasonFor(identity(), await token()), 'key_unknown')
})

test('twenty tokens with unknown keys cost one more fetch of the keys', async () => {
  const at = identity()
  await at.identify([`Bearer ${await token()}`], resource)
  const before = hits.length
  clock.pass(31)
  for (let i = 0; i < 20; i++) {
    assert.equal(await reasonFor(at, await token({ header: { kid: `k${i}` } })), 'key_unknown')
  }
  assert.equal(hits.slice(before).filter((url) => url.endsWith('/jwks')).length, 1)
})

test('tokens with unknown keys that come at once share one fetch', async () => {
  const at = identity()
  await at.identify([`Bearer ${await token()}`], resource)
  const before = hits.length
  clock.pass(31)
  const sent = await Promise.all([1, 2, 3, 4].map((i) => token({ header: { kid: `k${i}` } })))
  const found = await Promise.all(sent.map((each) => reasonFor(at, each)))
  assert.deepEqual(
    found,
    Array.from({ length: 4 }, () => 'key_unknown'),
  )
  assert.equal(hits.slice(before).filter((url) => url.endsWith('/jwks')).length, 1)
})

test('a new key is found as soon as a token names it, and an old one fails when withdrawn', async () => {
  const at = identity()
  const old = await token()
  await at.identify([`Bearer ${old}`], resource)
  published = [two.jwk]
  clock.pass(31)
  assert.equal(await reasonFor(at, await token({ key: two })), 'accepted')
  // It was verified less than a minute ago, but its key is gone since.
  assert.equal(await reasonFor(at, old), 'key_unknown')
})

test('keys are fetched again after ten minutes', async () => {
  const at = identity()
  await at.identify([`Bearer ${await token()}`], resource)
  published = [two.jwk]
  clock.pass(601)
  assert.equal(await reasonFor(at, await token()), 'key_unknown')
})

test('an issuer that is down is our trouble: 503, never 401', async () => {
  answers = 'down'
  const at = identity()
  assert.equal(await reasonFor(at, await token()), 'identity_down')
  answers = 'well'
  clock.pass(3)
  assert.equal(await reasonFor(at, await token()), 'accepted')
})

test('while an issuer is down its last keys hold for a day, and an unknown key is not called bad', async () => {
  const at = identity()
  await at.identify([`Bearer ${await token()}`], resource)
  answers = 'down'
  clock.pass(3600)
  assert.equal(await reasonFor(at, await token()), 'accepted')
  assert.equal(await reasonFor(at, await token({ key: two })), 'identity_down')
  clock.pass(24 * 3600)
  assert.equal(await reasonFor(at, await token()), 'identity_down')
})

test('a thousand requests for a silent issuer start one fetch', async () => {
  const at = identity()
  const sent = await token()
  const all = Array.from({ length: 1000 }, () => at.identify([`Bearer ${sent}`], resource))
  await Promise.all(all)
  assert.equal(hits.length, 2)
})

test('a discovery document of another issuer is not believed', async () => {
  const fetch: typeof globalThis.fetch = async (address) =>
    Response.json(
      addressOf(address).endsWith('/jwks')
        ? { keys: [stranger.jwk] }
        : { issuer: attacker, jwks_uri: `${attacker}/jwks` },
    )
  assert.equal(
    await reasonFor(identity({}, { fetch }), await token({ key: stranger })),
    'identity_down',
  )
  assert.deepEqual(attackerHits, [])
})

test('a redirect of the keys is not followed', async () => {
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = async (address, options) => {
    asked.push(`${addressOf(address)} ${options?.redirect}`)
    return new Response(null, { status: 302, headers: { location: `${attacker}/j` } })
  }
  const at = identity({ jwksUri: `${issuer}/keys` }, { fetch })
  assert.equal(await reasonFor(at, await token()), 'identity_down')
  assert.deepEqual(asked, [`${issuer}/keys manual`])
  assert.deepEqual(attackerHits, [])
})

test('keys without end are cut off', async () => {
  const endless = (): Response =>
    new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65_536)) }))
  const at = identity({ jwksUri: `${issuer}/keys` }, { fetch: async () => endless() })
  assert.equal(await reasonFor(at, await token()), 'identity_down')
})

test('a client that is not on the list is refused, one that is is not', async () => {
  const at = identity({ clients: ['app-1'] })
  assert.equal(await reasonFor(at, await token({ claims: { azp: 'app-2' } })), 'client')
  assert.equal(await reasonFor(at, await token()), 'client')
  assert.equal(await reasonFor(at, await token({ claims: { azp: 'app-1' } })), 'accepted')
  assert.equal(await reasonFor(at, await token({ claims: { client_id: 'app-1' } })), 'accepted')
})

test('a token for one connection is refused at another, also when it was seen before', async () => {
  const at = identity()
  const sent = await token()
  assert.equal(await reasonFor(at, sent), 'accepted')
  assert.equal(await reasonFor(at, sent, 'https://mcp.example.com/mcp/other'), 'audience')
})

test('a token seen before is verified anew after a minute, and never outlives its exp', async () => {
  const at = identity()
  const sent = await token({ claims: { exp: now() + 30 } })
  assert.equal(await reasonFor(at, sent), 'accepted')
  clock.pass(89)
  assert.equal(await reasonFor(at, sent), 'accepted') // Within the tolerance of 60 s.
  clock.pass(1)
  assert.equal(await reasonFor(at, sent), 'expired')
})

test('the cache of verified tokens has a bound', async () => {
  const at = identity({}, { cachedTokensMax: 2 })
  const sent = await Promise.all(['a', 'b', 'c'].map((sub) => token({ claims: { sub } })))
  const first: Principal[] = []
  for (const each of sent) first.push(await at.identify([`Bearer ${each}`], resource))
  const again: Principal[] = []
  for (const each of sent.toReversed())
    again.unshift(await at.identify([`Bearer ${each}`], resource))
  assert.equal(again[2], first[2])
  assert.equal(again[1], first[1])
  assert.notEqual(again[0], first[0])
})

test('a principal is made of issuer, subject and what the claims say', async () => {
  const at = identity({
    rolesClaim: '/realm_access/roles',
    groupsClaim: 'https://acme.example/groups',
  })
  const claims = {
    name: 'Alice',
    azp: 'app-1',
    jti: 'token-1',
    sid: 'session-1',
    realm_access: { roles: ['analyst', 'analyst'] },
    'https://acme.example/groups': 'payments',
  }
  const sent = await token({ claims })
  const { 'https://acme.example/groups': _, ...others } = claims
  assert.deepEqual(await at.identify([`Bearer ${sent}`], resource), {
    issuer,
    subject: 'alice',
    name: 'Alice',
    kind: 'person',
    groups: ['payments'],
    roles: ['analyst'],
    clientId: 'app-1',
    expiresAtMs: (now() + 600) * 1000,
    issuedAtMs: now() * 1000,
    tokenId: 'token-1',
    signInId: 'session-1',
    // Not the groups: some may be lost while the token still names them.
    claims: { iss: issuer, sub: 'alice', aud: resource, iat: now(), exp: now() + 600, ...others },
  })
})

test('claims are frozen all the way down, and without what is too much', async () => {
  const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } }
  const wide = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`m${i}`, i]))
  const claims = {
    deep,
    wide,
    long: 'x'.repeat(1025),
    list: [{ a: 1 }],
    realm: { groups: ['g'], x: 1 },
  }
  const sent = await token({ claims })
  const found = await identity({ groupsClaim: '/realm/groups' }).identify(
    [`Bearer ${sent}`],
    resource,
  )
  assert.deepEqual(found.groups, ['g'])
  const { deep: less, long, realm, wide: narrow } = found.claims ?? {}
  assert.deepEqual([realm, long], [{ x: 1 }, undefined])
  assert.deepEqual(less, { a: { b: { c: { d: {} } } } })
  assert.equal(Object.keys(Object(narrow)).length, 100)
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen))
  assert.ok(isFrozen(found))
})

test('groups of a form we cannot read give no group, and a bad name gives no name', async () => {
  const at = identity()
  for (const groups of [
    { a: 1 },
    ['a', 7],
    ['a', 'b\n'],
    Array.from({ length: 1001 }, (_, i) => `g${i}`),
  ]) {
    const sent = await token({ claims: { groups, name: 'x\u0000y' } })
    const { groups: found, name } = await at.identify([`Bearer ${sent}`], resource)
    assert.deepEqual([found, name], [[], undefined])
  }
})

test('an inherited property is no claim', async () => {
  const at = identity({ groupsClaim: 'constructor', rolesClaim: '/realm/constructor/name' })
  const sent = await token({ claims: { realm: {} } })
  const found = await at.identify([`Bearer ${sent}`], resource)
  assert.deepEqual([found.groups, found.roles], [[], []])
})

test('a client that speaks for itself is a service, a name that says so is not', async () => {
  const kinds: [claims: Record<string, unknown>, kind: string][] = [
    [{ sub: 'svc', client_id: 'svc' }, 'service'],
    [{ idtyp: 'app' }, 'service'],
    [{ gty: 'client-credentials' }, 'service'],
    [{ name: 'idtyp app', azp: 'app-1' }, 'person'],
  ]
  const at = identity()
  for (const [claims, kind] of kinds) {
    const sent = await token({ claims })
    assert.equal((await at.identify([`Bearer ${sent}`], resource)).kind, kind)
  }
  const fixed = identity({ kind: 'workload' })
  assert.equal((await fixed.identify([`Bearer ${await token()}`], resource)).kind, 'workload')
})

test('two trusted issuers never answer for each other', async () => {
  const other = row({ name: 'other', issuer: attacker })
  const at = createIdentity({
    issuers: [row(), other],
    publicUrl: 'https://mcp.example.com',
    clock,
  })
  // `attacker` is trusted here, with keys of its own: its key signs only for itself.
  assert.equal(await reasonFor(at, await token({ key: stranger })), 'signature')
  attackerHits.length = 0
})

test('a flood of one bad token costs one verification in five seconds', async () => {
  const at = identity()
  const bad = await token({ key: stranger })
  const faults = new Set<unknown>()
  for (let i = 0; i < 3; i++)
    await at.identify([`Bearer ${bad}`], resource).catch((e) => faults.add(e))
  assert.equal(faults.size, 1)
  clock.pass(5)
  await at.identify([`Bearer ${bad}`], resource).catch((e) => faults.add(e))
  assert.equal(faults.size, 2)
})
