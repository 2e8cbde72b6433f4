import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
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
import { graphClient, graphThrottled } from '../../tests/peers/graph-fake.ts'
import type { EntraIssuerConfig } from '../config/types.ts'
import { createGraph } from './graph.ts'
import { createIdentity } from './identify.ts'
import type { Identity, IdentityOptions, Principal } from './identify.ts'
import { Standing, makeKey, reasonFor, sign } from './tokens.fixture.ts'
import type { Key } from './tokens.fixture.ts'

const resource = 'https://mcp.example.com/mcp/payments'
let key: Key
let old: Key
let entra: Entra
let clock = new Standing()

before(async () => {
  ;[key, old] = await Promise.all([makeKey('new'), makeKey('old')])
})
beforeEach(async () => {
  clock = new Standing()
  entra = await startEntra()
  entra.keys.v2 = [{ ...key.jwk, issuer: `${entra.origin}/{tenantid}/v2.0` }]
  entra.keys.v1 = [old.jwk]
  closing.push(entra)
})
const closing: Entra[] = []
after(async () => {
  await Promise.all(closing.map((each) => each.close()))
})

interface Wish {
  readonly row?: Partial<EntraIssuerConfig>
  readonly options?: Partial<IdentityOptions>
}

function open({ row = {}, options = {} }: Wish = {}): Identity {
  return createIdentity({
    issuers: [entraRow(entra.origin, row)],
    publicUrl: 'https://mcp.example.com',
    clock,
    graphSecret: graphSecrets,
    groupsNamed: [group(1), group(2), group(3)],
    ...options,
  })
}
type Claims = Record<string, unknown>
const v2 = (over: Claims = {}): Claims => ({ ...personV2(entra.origin, clock), ...over })
const v1 = (over: Claims = {}): Claims => ({ ...personV1(entra.origin, clock), ...over })
const app = (over: Claims = {}): Claims => ({ ...application(entra.origin, clock), ...over })
const identify = async (at: Identity, claims: Claims, by = key): Promise<Principal> =>
  at.identify([`Bearer ${await sign(by, claims)}`], resource)
const reason = async (claims: Claims, wish: Wish = {}, by = key): Promise<unknown> =>
  reasonFor(open(wish), await sign(by, claims), resource)

const refused: readonly [what: string, claims: () => Claims, reason: string][] = [
  ['another tenant', () => v2({ iss: `${entra.origin}/${otherTenant}/v2.0` }), 'issuer'],
  ['the tenant common', () => v2({ iss: `${entra.origin}/common/v2.0` }), 'issuer'],
  ['the template as issuer', () => v2({ iss: `${entra.origin}/{tenantid}/v2.0` }), 'issuer'],
  [
    'the tenant in capitals',
    () => v2({ iss: `${entra.origin}/${tenant.toUpperCase()}/v2.0` }),
    'issuer',
  ],
  ['a slash behind a v2 issuer', () => v2({ iss: `${entra.origin}/${tenant}/v2.0/` }), 'issuer'],
  ['a v1 issuer without its slash', () => v1({ iss: `${entra.origin}/v1/${tenant}` }), 'issuer'],
  ['a tid that is not its issuer’s', () => v2({ tid: otherTenant }), 'tenant'],
  ['no tid', () => v2({ tid: undefined }), 'tenant'],
  ['a tid that is a list', () => v2({ tid: [tenant] }), 'tenant'],
  ['version 1 under an issuer of version 2', () => v2({ ver: '1.0' }), 'version'],
  ['no version', () => v2({ ver: undefined }), 'version'],
  ['a version that is a number', () => v2({ ver: 2 }), 'version'],
  ['no oid', () => v2({ oid: undefined }), 'claims'],
  ['an oid that is no GUID', () => v2({ oid: 'ada@acme.example' }), 'claims'],
  ['an oid with a path behind it', () => v2({ oid: `${oid}/../x` }), 'claims'],
  ['no scope, as an ID token', () => v2({ scp: undefined }), 'type'],
  ['a nonce, as an ID token', () => v2({ nonce: 'n' }), 'type'],
  ['an empty scope', () => v2({ scp: ' ' }), 'claims'],
  ['a scope that is a list', () => v2({ scp: ['mcp'] }), 'claims'],
  ['idtyp app and a scope', () => v2({ idtyp: 'app' }), 'claims'],
  ['an idtyp nobody knows', () => v2({ idtyp: 'device' }), 'claims'],
  ['idtyp user, no scope, and the sub of an application', () => app({ idtyp: 'user' }), 'type'],
  ['the audience of another application', () => v2({ aud: clientApp }), 'audience'],
  ['the audience of Graph', () => v2({ aud: 'https://graph.microsoft.com' }), 'audience'],
  ['a life of more than 24 h', () => v2({ exp: clock.s + 86_401 }), 'lifetime'],
  [
    'more than 28 h for a client with cp1',
    () => v2({ exp: clock.s + 100_801, xms_cc: ['cp1'] }),
    'lifetime',
  ],
  [
    '24 h and a capability that is not cp1',
    () => v2({ exp: clock.s + 86_401, xms_cc: ['cp2'] }),
    'lifetime',
  ],
  ['an application without a role', () => app({ roles: undefined }), 'role'],
  ['an application with an empty list of roles', () => app({ roles: [] }), 'role'],
  ['an application with a role we cannot read', () => app({ roles: [7] }), 'role'],
  [
    'an application by its subject alone',
    () => app({ roles: undefined, idtyp: undefined }),
    'role',
  ],
  ['a name that says app', () => v2({ scp: undefined, name: 'idtyp: app' }), 'type'],
]
for (const [what, claims, wanted] of refused) {
  test(`a token of Entra with ${what} is refused: ${wanted}`, async () => {
    assert.equal(await reason(claims()), wanted)
    assert.equal(entra.count(/Groups$/), 0)
  })
}

test('personal accounts are refused, also where their tenant is configured', async () => {
  const issuer = `${entra.origin}/${consumerTenant}/v2.0`
  const claims = v2({ iss: issuer, tid: consumerTenant })
  assert.equal(await reason(claims, { row: { tenants: [consumerTenant, tenant] } }), 'issuer')
  assert.equal(entra.asked.length, 0)
})

test('a version that is not configured is refused without a fetch', async () => {
  assert.equal(await reason(v1(), { row: { versions: ['2.0'] } }, old), 'issuer')
  assert.equal(await reason(v2(), { row: { versions: ['1.0'] } }), 'issuer')
  assert.equal(entra.asked.length, 0)
})

test('a key of one version signs nothing of the other, a key of another tenant nothing here', async () => {
  assert.equal(await reason(v1(), {}, key), 'key_unknown')
  assert.equal(await reason(v2(), {}, old), 'key_unknown')
  entra.keys.v1 = [{ ...old.jwk, issuer: `${entra.origin}/{tenantid}/v2.0` }, key.jwk]
  assert.equal(await reason(v1(), {}, old), 'key_unknown')
  for (const named of [`${entra.origin}/${consumerTenant}/v2.0`, `${entra.origin}/v2.0`, '', 7]) {
    entra.keys.v2 = [{ ...key.jwk, issuer: named }]
    assert.equal(await reason(v2()), 'key_unknown')
  }
  entra.keys.v2 = [{ ...key.jwk, issuer: `${entra.origin}/${tenant}/v2.0` }]
  assert.equal(await reason(v2()), 'accepted')
})

test('each version is verified by the documents of its own tenant', async () => {
  const at = open()
  await identify(at, v2())
  await identify(at, v1(), old)
  assert.deepEqual(
    entra.asked.map(({ path, query }) => `${path} ${query.get('appid') ?? ''}`),
    [
      `/${tenant}/v2.0/.well-known/openid-configuration `,
      `/${tenant}/discovery/v2.0/keys `,
      `/${tenant}/v2.0/.well-known/openid-configuration ${appId}`,
      `/${tenant}/.well-known/openid-configuration `,
      `/${tenant}/discovery/keys `,
      `/${tenant}/.well-known/openid-configuration ${appId}`,
    ],
  )
})

test('an application whose claims are mapped has keys of its own, besides those of everybody', async () => {
  const own = await makeKey('own')
  assert.equal(await reason(v2(), {}, own), 'key_unknown')
  entra.keys.apps.set(appId, [own.jwk, { ...old.jwk, kid: 'new' }])
  assert.equal(await reason(v2(), {}, own), 'accepted')
  assert.equal(await reason(v2()), 'accepted')
  entra.once(/well-known/, (answer) => answer)
  entra.once(/well-known/, 'reset')
  assert.equal(await reason(v2()), 'identity_down')
  entra.once(/well-known/, (answer) => answer)
  entra.once(/well-known/, { status: 400, body: {} })
  assert.equal(await reason(v2()), 'accepted')
  assert.equal(await reason(v2(), { row: { audience: [appId, clientApp] } }, own), 'key_unknown')
})

test('an application id may be written in capitals in the configuration', async () => {
  assert.equal(await reason(v2(), { row: { audience: [appId.toUpperCase()] } }), 'accepted')
})

test('a person is tenant and object id, the same one in tokens of both versions', async () => {
  const at = open()
  const groups = [group(1).toUpperCase(), 'Domain Admins', group(2), 7]
  const wids = ['62e90394-69f5-4237-9190-012177145e10']
  const found = await identify(
    at,
    v2({ groups, wids, roles: ['analyst'], acct: 1, idp: 'https://x/' }),
  )
  const { claims, ...rest } = found
  assert.deepEqual(rest, {
    issuer: `${entra.origin}/${tenant}/v2.0`,
    subject: oid,
    name: 'Ada',
    kind: 'person',
    groups: [group(1), group(2)],
    roles: ['analyst'],
    clientId: clientApp,
    expiresAtMs: (clock.s + 4000) * 1000,
    issuedAtMs: clock.ms,
    tokenId: 'uti-1',
    signInId: 'sid-1',
  })
  assert.deepEqual(
    [claims?.['acct'], claims?.['idp'], claims?.['groups']],
    [1, 'https://x/', undefined],
  )
  const early = await identify(at, v1({ oid: oid.toUpperCase(), name: undefined }), old)
  assert.deepEqual([early.issuer, early.subject, early.clientId], [found.issuer, oid, clientApp])
  assert.equal(early.name, 'ada@acme.example')
})

test('an application with a role, or one that is registered, is a service', async () => {
  const found = await identify(open(), app())
  assert.deepEqual([found.kind, found.subject, found.roles], ['service', appOid, ['batch.run']])
  const asked: string[] = []
  const isRegistered = (issuer: string, subject: string): boolean => {
    asked.push(`${issuer} ${subject}`)
    return true
  }
  for (const claims of [app({ roles: undefined }), app({ roles: undefined, idtyp: undefined })]) {
    const registered = await identify(open({ options: { isRegistered } }), claims)
    assert.deepEqual([registered.kind, registered.roles], ['service', []])
  }
  assert.equal(asked[0], `${entra.origin}/${tenant}/v2.0 ${appOid}`)
})

test('clients are those of azp or appid, as the version has them', async () => {
  const row = { clients: [clientApp.toUpperCase()] }
  assert.equal(await reason(v2(), { row }), 'accepted')
  assert.equal(await reason(v1(), { row }, old), 'accepted')
  assert.equal(await reason(v2({ azp: appOid }), { row }), 'client')
  assert.equal(await reason(v2({ azp: undefined, appid: clientApp }), { row }), 'client')
  assert.equal(await reason(v1({ appid: undefined, azp: clientApp }), { row }, old), 'client')
  assert.equal(await reason(app({ azp: appOid }), { row }), 'client')
})

test('a client that declares cp1 may hold a token for 28 hours', async () => {
  assert.equal(await reason(v2({ exp: clock.s + 100_800, xms_cc: ['CP1'] })), 'accepted')
})

test('a missing groups claim without a marker is no group and no question', async () => {
  const found = await identify(open({ row: { graph: undefined as never } }), v2())
  assert.deepEqual(found.groups, [])
  assert.equal(entra.count(/Groups$/), 0)
})

test('more than 200 groups are asked of Graph, in questions of 20, and only those that are named', async () => {
  const named = Array.from({ length: 45 }, (_, i) => group(i))
  const mine = [...Array.from({ length: 300 }, (_, i) => group(i + 40)), 'not a GUID']
  entra.users.set(oid, mine)
  const at = open({ options: { groupsNamed: [...named, 'engineers', group(3).toUpperCase()] } })
  const found = await identify(at, v2(overage() as Claims))
  assert.deepEqual(found.groups, [40, 41, 42, 43, 44].map(group))
  const sizes = entra.asked.flatMap(({ path, json }) =>
    path === `/v1.0/users/${oid}/checkMemberGroups`
      ? [(json?.['groupIds'] as unknown[] | undefined)?.length]
      : [],
  )
  assert.deepEqual(sizes, [20, 20, 5])
  assert.equal(entra.count(/oauth2/), 1)
  assert.deepEqual(entra.faults, [])
})

test('somebody in more than 11,000 groups has those of the configuration', async () => {
  entra.users.set(
    oid,
    Array.from({ length: 11_001 }, (_, i) => group(i)),
  )
  assert.deepEqual((await identify(open(), v2(overage() as Claims))).groups, [1, 2, 3].map(group))
})

test('each marker of too many groups is seen, also beside a claim', async () => {
  entra.users.set(oid, [group(2)])
  const markers = [{ hasgroups: true }, { hasgroups: 'true' }, { ...overage(), groups: [group(1)] }]
  for (const marker of markers) {
    assert.deepEqual((await identify(open(), v2(marker))).groups, [group(2)])
  }
})

test('the groups of an application are asked for as those of a service principal', async () => {
  entra.applications.set(appOid, [group(3)])
  assert.deepEqual((await identify(open(), app(overage() as Claims))).groups, [group(3)])
  assert.equal(entra.count(new RegExp(`servicePrincipals/${appOid}/check`)), 1)
})

test('Graph is asked about somebody once in five minutes, and for a token once in its life', async () => {
  entra.users.set(oid, [group(1)])
  const at = open()
  const claims = (): Claims => v2({ ...overage(), exp: clock.s + 4000, iat: clock.s })
  await Promise.all(Array.from({ length: 50 }, () => identify(at, claims())))
  clock.pass(299)
  await identify(at, claims())
  assert.deepEqual([entra.count(/Groups$/), entra.count(/oauth2/)], [1, 1])
  clock.pass(2)
  entra.users.set(oid, [])
  assert.deepEqual((await identify(at, claims())).groups, [])
  assert.deepEqual([entra.count(/Groups$/), entra.count(/oauth2/)], [2, 1])
  clock.pass(3600)
  await identify(at, claims())
  assert.deepEqual([entra.count(/Groups$/), entra.count(/oauth2/)], [3, 2])
})

test('two tenants have tokens of their own for Graph, and members of their own', async () => {
  entra.users.set(oid, [group(1)])
  const at = open({ row: { tenants: [tenant, otherTenant] } })
  await identify(at, v2(overage() as Claims))
  const iss = `${entra.origin}/${otherTenant}/v2.0`
  const there = await identify(at, v2({ ...overage(), tid: otherTenant, iss }))
  assert.equal(there.issuer, iss)
  assert.deepEqual([...entra.tokens.values()], [tenant, otherTenant])
  assert.equal(entra.count(/Groups$/), 2)
})

test('a token for Graph that was withdrawn is replaced once', async () => {
  entra.users.set(oid, [group(1)])
  const at = open()
  await identify(at, v2(overage() as Claims))
  entra.tokens.clear()
  clock.pass(301)
  assert.deepEqual((await identify(at, v2(overage() as Claims))).groups, [group(1)])
  assert.equal(entra.count(/oauth2/), 2)
})

const troubles: readonly [what: string, trouble: () => void][] = [
  ['Graph is down', () => entra.once(/Groups$/, 'reset')],
  ['Graph answers nonsense', () => entra.once(/Groups$/, { status: 200, body: { value: 'x' } })],
  ['Graph answers half', () => entra.once(/Groups$/, 'truncated')],
  ['Graph answers without end', () => entra.once(/Groups$/, 'huge')],
  ['Graph answers names', () => entra.once(/Groups$/, { status: 200, body: { value: ['g'] } })],
  ['Graph fails', () => entra.once(/Groups$/, { status: 503, body: {} })],
  [
    'Graph redirects',
    () => entra.once(/Groups$/, { status: 302, body: {}, headers: { location: '/v1.0/x' } }),
  ],
  ['there is no consent', () => entra.consents.clear()],
  [
    'no token is given',
    () => entra.once(/oauth2/, { status: 401, body: { error: 'invalid_client' } }),
  ],
  [
    'the token has no time',
    () => entra.once(/oauth2/, { status: 200, body: { access_token: 'x' } }),
  ],
  [
    'the token breaks the line',
    () =>
      entra.once(/oauth2/, { status: 200, body: { access_token: 'x\r\ny: z', expires_in: 3600 } }),
  ],
]
for (const [what, trouble] of troubles) {
  test(`with too many groups and ${what}, nobody is let in, and it is not the caller's fault`, async () => {
    entra.users.set(oid, [group(1)])
    trouble()
    const at = open()
    await assert.rejects(identify(at, v2(overage() as Claims)), {
      code: 'identity_down',
      facts: { reason: 'groups_unknown', issuer: 'entra' },
    })
    // Others are let in meanwhile, and Graph is left alone for a moment.
    const count = entra.asked.length
    assert.deepEqual((await identify(at, v2({ groups: [group(2)], uti: 'x' }))).groups, [group(2)])
    await assert.rejects(identify(at, v2(overage() as Claims)), { code: 'identity_down' })
    assert.equal(entra.asked.length, count)
    entra.consents.add('GroupMember.Read.All').add('User.Read.All')
    clock.pass(2)
    assert.deepEqual((await identify(at, v2(overage() as Claims))).groups, [group(1)])
  })
}

test('Graph that has had enough is left alone for as long as it asks, for everybody', async () => {
  entra.users.set(oid, [group(1)])
  entra.users.set(appOid, [group(2)])
  entra.once(/Groups$/, graphThrottled(30))
  const at = open()
  const claims = (of: string): Claims => v2({ ...overage(), oid: of, exp: clock.s + 4000 })
  await assert.rejects(identify(at, claims(oid)), /too many questions/)
  clock.pass(29)
  await assert.rejects(identify(at, claims(appOid)), { code: 'identity_down' })
  assert.equal(entra.count(/Groups$/), 1)
  clock.pass(2)
  assert.deepEqual((await identify(at, claims(appOid))).groups, [group(2)])
})

test('too many groups and no Graph in the configuration: refused, with a reason of its own', async () => {
  const { graph: _, ...row } = entraRow(entra.origin)
  const at = createIdentity({ issuers: [row], clock, groupsNamed: [group(1)] })
  const sent = await sign(key, v2(overage() as Claims))
  assert.equal(await reasonFor(at, sent, resource), 'groups_unknown')
})

test('somebody Graph does not know is refused, and asked about again after half a minute', async () => {
  const at = open()
  const sent = await sign(key, v2(overage() as Claims))
  for (let i = 0; i < 3; i++) assert.equal(await reasonFor(at, sent, resource), 'groups_unknown')
  assert.equal(entra.count(/Groups$/), 1)
  clock.pass(30)
  entra.users.set(oid, [group(1)])
  assert.equal(await reasonFor(at, sent, resource), 'accepted')
})

test('the address in a token is never asked, nor is Graph for a token made for somebody else', async () => {
  const other = await startEntra()
  closing.push(other)
  entra.users.set(oid, [group(1)])
  await identify(open(), v2(overage(`${other.origin}/getMemberObjects`) as Claims))
  assert.equal(other.asked.length, 0)
  const count = entra.count(/Groups$/)
  assert.equal(await reason(v2({ ...overage(), aud: clientApp })), 'audience')
  assert.equal(entra.count(/Groups$/), count)
})

test('whether Graph can be asked is found out by asking about nobody', async () => {
  const graph = createGraph({
    name: 'entra',
    authority: entra.origin,
    url: entra.origin,
    clientId: graphClient,
    secret: graphSecrets(),
    groups: [],
    fetch: globalThis.fetch,
  })
  await graph.probe(tenant, clock.ms)
  entra.consents.delete('User.Read.All')
  await assert.rejects(graph.probe(tenant, clock.ms), /no consent to ask/)
  await assert.rejects(graph.probe('common', clock.ms), { code: 'identity_down' })
  assert.deepEqual(entra.faults, ['its tenant is a GUID'])
})

test('no secret of ours stands in a message', async () => {
  entra.once(/oauth2/, { status: 401, body: { error: 'invalid_client' } })
  const fault: unknown = await identify(open(), v2(overage() as Claims)).catch((error) => error)
  assert.ok(fault instanceof Error)
  assert.doesNotMatch(`${fault.stack} ${JSON.stringify(fault)}`, /a-graph-secret|c0ffee/)
})
