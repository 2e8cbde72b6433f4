import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { CompactSign, exportSPKI, importJWK } from 'jose'
import {
  appId,
  appOid,
  application,
  clientApp,
  consumerTenant,
  entraRow,
  graphSecrets,
  group,
  oid,
  otherTenant,
  overage,
  personV1,
  personV2,
  startEntra,
  tenant,
} from '../../tests/peers/entra-fake.ts'
import type { Entra } from '../../tests/peers/entra-fake.ts'
import { startJsonFake } from '../../tests/peers/json-fake.ts'
import type { JsonFake } from '../../tests/peers/json-fake.ts'
import { hasTokenInQuery } from './bearer.ts'
import { openDirectory } from './directory-store.ts'
import type { Directory } from './directory.ts'
import { createIdentity } from './identify.ts'
import type { Identity } from './identify.ts'
import { makeLocalKey, openLocalIssuer } from './local.ts'
import type { LocalIssuer } from './local.ts'
import { statusOf } from './reasons.ts'
import { Standing, makeKey, reasonFor, reasonOf, sign } from './tokens.fixture.ts'
import type { Key } from './tokens.fixture.ts'

/**
 * Attacks on the gateway as a resource server, one by one: with issuers of every type trusted at once,
 * an attacker who runs a server, has keys, and gets good tokens for other things from Entra.
 */
const publicUrl = 'https://mcp.example.com'
const resource = `${publicUrl}/mcp/payments`
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const clock = new Standing()
let company: Key
let theirs: Key // Of the attacker, with the name of the company's.
let old: Key
let spki = ''
let localSpki = ''
let entra: Entra
let attacker: JsonFake
let dataDir = ''
let local: LocalIssuer
let directory: Directory
let knownId = ''
let at: Identity

before(async () => {
  ;[company, theirs, old] = await Promise.all([makeKey('one'), makeKey('one'), makeKey('old')])
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-'))
  await makeLocalKey(dataDir)
  local = await openLocalIssuer({ dataDir, issuer: `${publicUrl}/oauth`, clock })
  spki = await spkiOf(company.jwk)
  localSpki = await spkiOf(local.jwks().keys[0] ?? {})
  attacker = await startJsonFake(() => ({
    status: 200,
    body: {
      issuer: attacker.origin,
      jwks_uri: `${attacker.origin}/jwks`,
      keys: [theirs.jwk],
      value: [group(1)],
    },
  }))
})
const closing: Entra[] = []
after(async () => {
  rmSync(dataDir, { recursive: true })
  await Promise.all([attacker.close(), ...closing.map((each) => each.close())])
})
beforeEach(async () => {
  entra = await startEntra()
  closing.push(entra)
  entra.keys.v2 = [{ ...company.jwk, issuer: `${entra.origin}/{tenantid}/v2.0` }]
  entra.keys.v1 = [{ ...company.jwk, issuer: `${entra.origin}/{tenantid}/v2.0` }, old.jwk]
  directory = openDirectory(':memory:', { clock })
  const told = {
    issuer: 'https://idp.example',
    subject: 'root',
    kind: 'person',
    roles: ['admin'],
  } as const
  knownId = directory.tell(told, 'sign-in', clock.ms).id
  at = createIdentity({
    issuers: [
      entraRow(entra.origin, { clients: [clientApp] }),
      {
        type: 'oidc',
        name: 'company',
        issuer: `${entra.origin}/${otherTenant}/v2.0`,
        audience: [publicUrl],
        algorithms: ['RS256', 'ES256'],
        clients: [],
        groupsClaim: 'groups',
        rolesClaim: 'roles',
        nameClaim: 'name',
        kind: 'auto',
      },
      {
        type: 'github-actions',
        name: 'ci',
        issuer: `${entra.origin}/${appOid}/v2.0`,
        audience: [publicUrl],
        allow: [{ repositoryId: '74', events: [] }],
      },
      { type: 'local', name: 'local', issuer: local.issuer, audience: [publicUrl] },
    ],
    publicUrl,
    clock,
    local,
    directory,
    graphSecret: graphSecrets,
    groupsNamed: [group(1)],
  })
})

async function spkiOf(jwk: object): Promise<string> {
  const key = await importJWK({ ...jwk })
  assert.ok(!(key instanceof Uint8Array))
  return exportSPKI(key)
}

type Claims = Record<string, unknown>
const person = (over: Claims = {}): Claims => ({ ...personV2(entra.origin, clock), ...over })
const good = (over: Claims = {}, header: Claims = {}): Promise<string> =>
  sign(company, person(over), header)
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with any header and payload, the second part as text where it is one. */
function forged(header: object, claims: object, secret?: string): string {
  const input = `${base64(header)}.${base64(claims)}`
  const mac =
    secret === undefined ? '' : createHmac('sha256', secret).update(input).digest('base64url')
  return `${input}.${mac}`
}
/** A good signature over a payload that no library would write. */
const signedText = (text: string): Promise<string> =>
  new CompactSign(Buffer.from(text))
    .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'JWT' })
    .sign(company.privateKey)
const textOf = (claims: Claims, more: string): string =>
  `${JSON.stringify(claims).slice(0, -1)},${more}}`
const atLocal = (over: Claims = {}): Claims => ({
  iss: local.issuer,
  sub: 'root',
  aud: publicUrl,
  iat: clock.s,
  exp: clock.s + 60,
  ...over,
})
const atCompany = (over: Claims = {}): Claims => ({
  ...atLocal(),
  iss: `${entra.origin}/${otherTenant}/v2.0`,
  ...over,
})
const job = (over: Claims = {}): Claims => ({
  ...atLocal({
    iss: `${entra.origin}/${appOid}/v2.0`,
    sub: 'repo:acme/deploy:ref:refs/heads/main',
  }),
  jti: 'job-1',
  repository: 'acme/deploy',
  repository_id: '74',
  repository_owner: 'acme',
  event_name: 'push',
  ...over,
})

type Row = readonly [attack: string, make: () => string | Promise<string>, reason: string]

/** Refused by what stands in the token alone: nobody is asked for a key. */
const beforeAnyKey: readonly Row[] = [
  ['alg none', () => forged({ alg: 'none', kid: 'one' }, person()), 'algorithm'],
  ['alg none in other letters', () => forged({ alg: 'NoNe', kid: 'one' }, person()), 'algorithm'],
  [
    'alg none at the local issuer',
    () => forged({ alg: 'none', kid: 'one', typ: 'at+jwt' }, atLocal()),
    'algorithm',
  ],
  [
    'HS256 with the RSA public key',
    () => forged({ alg: 'HS256', kid: 'one' }, person(), spki),
    'algorithm',
  ],
  [
    'HS256 with the EC public key',
    () =>
      forged({ alg: 'HS256', kid: local.jwks().keys[0]?.kid, typ: 'at+jwt' }, atLocal(), localSpki),
    'algorithm',
  ],
  ['an unknown critical header', () => good({}, { crit: ['urn:odd'], 'urn:odd': 1 }), 'critical'],
  [
    'an unencoded payload',
    () => forged({ alg: 'RS256', kid: 'one', crit: ['b64'], b64: false }, person()),
    'critical',
  ],
  ['a very long kid', () => good({}, { kid: 'k'.repeat(5_000) }), 'key_id'],
  ['a kid of control characters', () => good({}, { kid: 'one\r\nx: y' }), 'key_id'],
  ['an ID-JAG', () => good({}, { typ: 'oauth-id-jag+jwt' }), 'type'],
  ['a logout token', () => good({}, { typ: 'logout+jwt' }), 'type'],
  ['a type with blanks', () => good({}, { typ: ' JWT' }), 'type'],
  [
    'a token of another tenant',
    () => good({ iss: `${entra.origin}/${consumerTenant}/v2.0` }),
    'issuer',
  ],
  [
    'an issuer that is the attacker’s',
    () => sign(theirs, person({ iss: attacker.origin })),
    'issuer',
  ],
  [
    'an issuer that begins like ours',
    () => good({ iss: `${entra.origin}/${tenant}/v2.0@x` }),
    'issuer',
  ],
  [
    'an issuer with a dot path',
    () => good({ iss: `${entra.origin}/x/../${tenant}/v2.0` }),
    'issuer',
  ],
  ['an issuer that is a list', () => good({ iss: [`${entra.origin}/${tenant}/v2.0`] }), 'issuer'],
  ['an issuer that is inherited', () => good({ iss: '__proto__' }), 'issuer'],
  ['an encrypted token', () => `${base64({ alg: 'RSA-OAEP' })}.a.b.c.d`, 'malformed'],
  ['a token of 17,000 characters', () => good({ name: 'x'.repeat(17_000) }), 'malformed'],
  ['a key of a service account that is none', () => `sp_k_1_${'a'.repeat(43)}`, 'malformed'],
]
for (const [attack, make, reason] of beforeAnyKey) {
  test(`${attack}: refused, and no key is fetched`, async () => {
    assert.equal(await reasonFor(at, await make(), resource), reason)
    assert.equal(statusOf(reason), 401)
    assert.deepEqual([entra.asked.length, attacker.asked.length], [0, 0])
  })
}

/** Refused with the keys at hand. */
const withKeys: readonly Row[] = [
  ['a kid that is a path', () => good({}, { kid: '../../../etc/passwd' }), 'key_unknown'],
  ['a kid that is SQL', () => good({}, { kid: "' OR '1'='1" }), 'key_unknown'],
  ['a kid that is an address', () => good({}, { kid: `${attacker.origin}/jwks` }), 'key_unknown'],
  ['jku', () => sign(theirs, person(), { jku: `${attacker.origin}/jwks` }), 'signature'],
  ['x5u', () => sign(theirs, person(), { x5u: `${attacker.origin}/x5u` }), 'signature'],
  ['a key in the header', () => sign(theirs, person(), { jwk: theirs.jwk }), 'signature'],
  ['a certificate in the header', () => sign(theirs, person(), { x5c: ['AAAA'] }), 'signature'],
  [
    'jku and a kid of its own',
    () => sign(theirs, person(), { jku: attacker.origin, kid: 'x' }),
    'key_unknown',
  ],
  ['the wrong audience', () => good({ aud: 'https://other.example' }), 'audience'],
  ['the audience of another connection', () => good({ aud: `${publicUrl}/mcp/other` }), 'audience'],
  ['an audience below ours', () => good({ aud: `${resource}/x/` }), 'audience'],
  ['an audience with two slashes', () => good({ aud: `${resource}//` }), 'audience'],
  ['our audience among others', () => good({ aud: [appId, 'https://other.example'] }), 'audience'],
  ['an audience with something that is no text', () => good({ aud: [appId, 7] }), 'audience'],
  ['a token for Graph', () => good({ aud: '00000003-0000-0000-c000-000000000000' }), 'audience'],
  ['an ID token', () => good({ scp: undefined, nonce: 'n' }), 'type'],
  ['an ID token without nonce', () => good({ scp: undefined }), 'type'],
  ['an ID-JAG that says JWT', () => good({ scp: undefined, client_id: 'x', resource }), 'type'],
  ['a logout token that says JWT', () => good({ events: { [logoutEvent]: {} } }), 'type'],
  ['a tid that is not the issuer’s', () => good({ tid: otherTenant }), 'tenant'],
  ['the consumer tenant as tid', () => good({ tid: consumerTenant }), 'tenant'],
  [
    'a v1 issuer with a key of v2',
    () => sign(company, personV1(entra.origin, clock)),
    'key_unknown',
  ],
  ['expired 60 s ago', () => good({ exp: clock.s - 60, iat: clock.s - 600 }), 'expired'],
  ['expired 61 s ago', () => good({ exp: clock.s - 61, iat: clock.s - 600 }), 'expired'],
  ['nbf in 61 s', () => good({ nbf: clock.s + 61 }), 'not_yet'],
  ['iat in 61 s', () => good({ iat: clock.s + 61 }), 'not_yet'],
  ['no exp', () => good({ exp: undefined }), 'claims'],
  [
    'an exp without end',
    () => signedText(textOf(person({ exp: undefined }), '"exp":1e400')),
    'claims',
  ],
  ['an exp that is negative', () => good({ exp: -1 }), 'expired'],
  ['an iat far before', () => good({ iat: 1 }), 'lifetime'],
  [
    'a second tid behind the first',
    () => signedText(textOf(person(), `"tid":"${otherTenant}"`)),
    'tenant',
  ],
  [
    'a second issuer behind the first',
    () => signedText(textOf(person(), `"iss":"${attacker.origin}"`)),
    'issuer',
  ],
  ['a client that is not allowed', () => good({ azp: appOid }), 'client'],
  ['no client', () => good({ azp: undefined }), 'client'],
  [
    'an application without a role',
    () => sign(company, { ...application(entra.origin, clock), roles: undefined }),
    'role',
  ],
  [
    'a name that says it is an application',
    () => good({ scp: undefined, name: '"idtyp":"app"' }),
    'type',
  ],
  ['a bond to a key', () => good({ cnf: { jkt: 'x' } }), 'bound'],
  ['a subject that breaks the line', () => good({ sub: 'x\n' }), 'claims'],
  [
    'the company’s key for the local issuer',
    () => sign(company, atLocal(), { typ: 'at+jwt' }),
    'algorithm',
  ],
  ['a job of another repository', () => sign(company, job({ repository_id: '75' })), 'workflow'],
  [
    'a person where a job belongs',
    () => sign(company, { ...person({ exp: clock.s + 60 }), iss: job()['iss'], aud: publicUrl }),
    'claims',
  ],
  [
    'a job where a person belongs',
    () => sign(company, { ...job(), iss: person()['iss'], aud: appId }),
    'version',
  ],
]
for (const [attack, make, reason] of withKeys) {
  test(`${attack}: refused, and the attacker is not asked`, async () => {
    const sent = await make()
    assert.equal(await reasonFor(at, sent, resource), reason)
    assert.notEqual(await reasonFor(at, sent, resource), 'accepted') // Nor the second time.
    assert.equal(attacker.asked.length, 0)
    assert.equal(entra.count(/Groups$|oauth2/), 0)
  })
}

test('within the tolerance of 59 s nobody is refused', async () => {
  const times = [
    { exp: clock.s - 59, iat: clock.s - 600 },
    { nbf: clock.s + 59 },
    { iat: clock.s + 59 },
  ]
  for (const over of times)
    assert.equal(await reasonFor(at, await good(over), resource), 'accepted')
})

test('an issuer cannot name people of the directory, nor those of another issuer', async () => {
  const claims = atCompany({ sub: knownId, sp: true, oid, tid: tenant, gid: 'g' })
  const found = await at.identify([`Bearer ${await sign(company, claims)}`], resource)
  assert.deepEqual([found.issuer, found.subject, found.roles], [claims['iss'], knownId, []])
  const [header = '', , signature = ''] = (await sign(company, claims)).split('.')
  const moved = `${header}.${base64(atLocal({ sub: knownId, sp: true }))}.${signature}`
  assert.notEqual(await reasonFor(at, moved, resource), 'accepted')
})

test('what is inherited by every object is in no claim', async () => {
  const text = textOf(
    person(),
    '"__proto__":{"roles":["admin"],"groups":["g"]},"constructor":{"name":"x"}',
  )
  const found = await at.identify([`Bearer ${await signedText(text)}`], resource)
  assert.deepEqual([found.roles, found.groups], [[], []])
  assert.equal(Object.hasOwn(found.claims ?? {}, '__proto__'), false)
})

const headers: readonly [
  what: string,
  values: (token: string) => string[],
  reason: string,
  status: number,
][] = [
  [
    'two Authorization headers',
    (token) => [`Bearer ${token}`, `Bearer ${token}`],
    'two_tokens',
    400,
  ],
  ['two tokens in one header', (token) => [`Bearer ${token}, Bearer ${token}`], 'malformed', 401],
  ['a scheme that is glued on', (token) => [`Bearer${token}`], 'scheme', 401],
  ['a tab behind the scheme', (token) => [`Bearer\t${token}`], 'scheme', 401],
  ['a blank before the scheme', (token) => [` Bearer ${token}`], 'scheme', 401],
  ['another scheme', (token) => [`DPoP ${token}`], 'scheme', 401],
  ['a token alone', (token) => [token], 'scheme', 401],
  [
    'a blank inside the token',
    (token) => [`Bearer ${token.slice(0, 9)} ${token.slice(9)}`],
    'malformed',
    401,
  ],
]
for (const [what, values, reason, status] of headers) {
  test(`a good token in ${what} is refused with ${status}`, async () => {
    const sent = await good()
    assert.equal(await reasonOf(() => at.identify(values(sent), resource)), reason)
    assert.equal(statusOf(reason), status)
  })
}

test('a scheme in lower case, with blanks behind it, is the same scheme', async () => {
  const sent = await good()
  assert.equal((await at.identify([`bearer   ${sent} `], resource)).subject, oid)
})

test('a token in the address is seen, whatever it is called', async () => {
  const sent = await good()
  for (const query of [`?access_token=${sent}`, `x=1&Bearer=${sent}`, `anything=${sent}`]) {
    assert.equal(hasTokenInQuery(query), true)
  }
})

test('too many groups, Graph down, and the attacker’s address in the token: nobody is let in', async () => {
  const claims = { ...overage(`${attacker.origin}/getMemberObjects`) } as Claims
  entra.once(/Groups$/, 'reset')
  assert.equal(await reasonFor(at, await good(claims), resource), 'identity_down')
  entra.users.set(oid, [])
  clock.pass(3)
  const found = await at.identify([`Bearer ${await good(claims)}`], resource)
  assert.deepEqual(found.groups, [])
  assert.equal(attacker.asked.length, 0)
})

test('a hundred bad tokens at once cost one look at the keys', async () => {
  const sent = await Promise.all(Array.from({ length: 100 }, (_, i) => good({}, { kid: `k${i}` })))
  const found = await Promise.all(sent.map((each) => reasonFor(at, each, resource)))
  assert.deepEqual([...new Set(found)], ['key_unknown'])
  assert.equal(entra.count(/discovery/), 1)
})
