import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { importJWK } from 'jose'
import { startJsonFake } from '../../tests/peers/json-fake.ts'
import type { JsonFake } from '../../tests/peers/json-fake.ts'
import { openDirectory } from './directory-store.ts'
import type { Directory } from './directory.ts'
import { createIdentity } from './identify.ts'
import type { Identity, IdentityOptions } from './identify.ts'
import { localKeyFile, makeLocalKey, openLocalIssuer } from './local.ts'
import type { LocalIssuer } from './local.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { serviceIssuer } from './service-accounts.ts'
import { Standing, makeKey, reasonFor, sign } from './tokens.fixture.ts'
import type { Key } from './tokens.fixture.ts'

/** What the directory and the service accounts add, outside what a token proves. */
const publicUrl = 'https://mcp.example.com'
const resource = `${publicUrl}/mcp/payments`
const issuer = `${publicUrl}/oauth`
let key: Key
let localKey: Key
let company: JsonFake
let dataDir = ''
let local: LocalIssuer
let directory: Directory
let clock = new Standing()

before(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-'))
  await makeLocalKey(dataDir)
  const [jwk] = JSON.parse(readFileSync(localKeyFile(dataDir), 'utf8')).keys
  const privateKey = await importJWK(jwk, 'ES256')
  assert.ok(!(privateKey instanceof Uint8Array))
  localKey = { kid: jwk.kid, alg: 'ES256', privateKey, jwk }
  key = await makeKey('one')
  company = await startJsonFake(({ path }) => {
    const document = { issuer: company.origin, jwks_uri: `${company.origin}/jwks` }
    return { status: 200, body: path === '/jwks' ? { keys: [key.jwk] } : document }
  })
})
after(async () => {
  rmSync(dataDir, { recursive: true })
  await company.close()
})
beforeEach(async () => {
  clock = new Standing()
  local = await openLocalIssuer({ dataDir, issuer, clock })
  directory = openDirectory(':memory:', { clock })
})

const row = {
  type: 'oidc',
  name: 'company',
  audience: [publicUrl],
  algorithms: ['RS256'],
  clients: [],
  groupsClaim: 'groups',
  rolesClaim: 'roles',
  nameClaim: 'name',
  kind: 'auto',
} as const

function open(options: Partial<IdentityOptions> = {}): Identity {
  return createIdentity({
    issuers: [
      { ...row, issuer: company.origin },
      { type: 'local', name: 'local', issuer, audience: [publicUrl] },
    ],
    publicUrl,
    clock,
    local,
    directory,
    ...options,
  })
}

type Claims = Record<string, unknown>
const atCompany = (over: Claims = {}): Promise<string> =>
  sign(key, {
    iss: company.origin,
    sub: 'alice',
    aud: publicUrl,
    iat: clock.s,
    exp: clock.s + 7200,
    groups: ['staff', 'payments'],
    ...over,
  })
/** As the authorization server makes them. */
const granted = (over: Claims = {}): Promise<string> =>
  sign(
    localKey,
    {
      iss: issuer,
      aud: resource,
      client_id: 'editor',
      jti: 'at-1',
      gid: 'grant-1',
      sp: true,
      iat: clock.s,
      exp: clock.s + 300,
      ...over,
    },
    { typ: 'at+jwt' },
  )
/** As the way does, which notes who was seen once it is clear that they have a grant. */
const identify = async (at: Identity, sent: string): Promise<Principal> => {
  const principal = await at.identify([`Bearer ${sent}`], resource)
  directory.seen(principal, clock.ms)
  return principal
}

function alice(): { id: string } {
  return directory.tell(
    {
      issuer: 'https://idp.example',
      subject: 'a-1',
      kind: 'person',
      name: 'Alice',
      groups: ['staff'],
      roles: ['analyst'],
      claims: { department: 'cards' },
    },
    'sign-in',
    clock.ms,
  )
}

const notGranted: readonly [what: string, over: () => Claims, reason: string][] = [
  ['an id nobody has', () => ({ sub: 'pr_nobody' }), 'principal_unknown'],
  ['a subject that is no id', () => ({ sub: 'a-1' }), 'claims'],
  ['sp as a text', () => ({ sub: alice().id, sp: 'true' }), 'claims'],
  ['sp false', () => ({ sub: alice().id, sp: false }), 'claims'],
]
for (const [what, over, wanted] of notGranted) {
  test(`a token of the authorization server with ${what} is refused`, async () => {
    assert.equal(await reasonFor(open(), await granted(over()), resource), wanted)
  })
}

test('a token of the authorization server names whom the directory knows by its id', async () => {
  const { id } = alice()
  const sent = await granted({ sub: id, groups: ['admins'], roles: ['admin'], kind: 'service' })
  assert.deepEqual(await identify(open(), sent), {
    issuer: 'https://idp.example',
    subject: 'a-1',
    name: 'Alice',
    kind: 'person',
    groups: ['staff'],
    roles: ['analyst'],
    clientId: 'editor',
    expiresAtMs: (clock.s + 300) * 1000,
    issuedAtMs: clock.ms,
    tokenId: 'at-1',
    signInId: 'grant-1',
    claims: { department: 'cards' },
  })
  assert.equal(await reasonFor(open({ directory: undefined }), sent, resource), 'principal_unknown')
})

test('what changes in the directory holds for a token that was seen before', async () => {
  const at = open()
  const { id } = alice()
  const sent = await granted({ sub: id })
  const first = await identify(at, sent)
  assert.equal(await identify(at, sent), first)
  const told = { issuer: 'https://idp.example', subject: 'a-1', kind: 'person', roles: [] } as const
  directory.tell(told, 'scim', clock.ms)
  assert.deepEqual((await identify(at, sent)).roles, [])
})

test('a token of the command is what it says, also where its subject looks like an id', async () => {
  const who = { kind: 'person', groups: ['g'], audience: publicUrl, ttlSeconds: 60 } as const
  const found = await identify(open(), await local.mint({ ...who, subject: alice().id }))
  assert.deepEqual([found.issuer, found.groups], [issuer, ['g']])
})

test('a group that was lost is in no token issued before, and in those issued after', async () => {
  const at = open()
  const sent = await atCompany()
  assert.deepEqual((await identify(at, sent)).groups, ['staff', 'payments'])
  clock.pass(10)
  directory.loseGroup(company.origin, 'alice', 'payments', clock.ms)
  const less = await identify(at, sent)
  assert.deepEqual(less.groups, ['staff'])
  assert.ok(Object.isFrozen(less) && Object.isFrozen(less.groups))
  assert.equal(await identify(at, sent), less) // Made once, not for each call.
  assert.deepEqual((await identify(at, await atCompany({ sub: 'bob' }))).groups, [
    'staff',
    'payments',
  ])
  assert.deepEqual((await identify(at, await atCompany({ iat: clock.s + 1 }))).groups.length, 2)
  directory.gainGroup(company.origin, 'alice', 'payments')
  assert.deepEqual((await identify(at, sent)).groups, ['staff', 'payments'])
})

test('an access that has an end is over at that moment, although its token was seen before', async () => {
  const at = open()
  const sent = await atCompany()
  await identify(at, sent)
  const known = directory.find(company.origin, 'alice')
  assert.ok(known)
  directory.change(known.id, { endsMs: clock.ms + 5_000 })
  clock.pass(4)
  assert.equal(await reasonFor(at, sent, resource), 'accepted')
  clock.pass(1)
  assert.equal(await reasonFor(at, sent, resource), 'ended')
  directory.change(known.id, { endsMs: undefined })
  assert.equal(await reasonFor(at, sent, resource), 'accepted')
})

test('who answers for a workload comes from the directory', async () => {
  const owner = alice()
  const at = open()
  const sent = await atCompany({ sub: 'batch', azp: 'batch' })
  assert.equal((await identify(at, sent)).owner, undefined)
  const known = directory.find(company.origin, 'batch')
  assert.ok(known)
  directory.change(known.id, { owner: owner.id })
  assert.equal((await identify(at, sent)).owner, owner.id)
})

const secret = `sp_k_1a_${'x'.repeat(43)}`
const account: Principal = {
  issuer: serviceIssuer,
  subject: 'nightly',
  kind: 'service',
  groups: [],
  roles: ['batch'],
  owner: 'pr_1',
  connections: ['payments'],
  expiresAtMs: Number.MAX_SAFE_INTEGER,
}

test('a key of a service account is asked for at each call, and never of an issuer', async () => {
  const keys: string[] = []
  let isGood = true
  const serviceAccounts = {
    verify(sent: string): Principal {
      keys.push(sent)
      if (!isGood) throw refusal('expired')
      return account
    },
  }
  const at = open({ serviceAccounts })
  assert.equal(await identify(at, secret), account)
  assert.equal(await identify(at, secret), account)
  isGood = false
  assert.equal(await reasonFor(at, secret, resource), 'expired')
  assert.equal(keys.length, 3)
  for (const other of [`${secret}x`, 'sp_k_1a_', `SP_k_1a_${'x'.repeat(43)}`, `${secret}.a.b`]) {
    assert.equal(await reasonFor(at, other, resource), 'malformed')
  }
  assert.equal(keys.length, 3)
  assert.equal(await reasonFor(open(), secret, resource), 'malformed')
})

test('a service account whose access has ended is refused', async () => {
  const at = open({ serviceAccounts: { verify: () => account } })
  await identify(at, secret)
  const known = directory.find(serviceIssuer, 'nightly')
  assert.ok(known)
  directory.change(known.id, { endsMs: clock.ms })
  assert.equal(await reasonFor(at, secret, resource), 'ended')
})
