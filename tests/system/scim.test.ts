/** Whom the directory makes inactive is stopped here, in the middle of things, before it is answered. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { makeKey, sign } from '../../src/identity/tokens.fixture.ts'
import type { Key } from '../../src/identity/tokens.fixture.ts'
import { appId, group, oid, personV2, startEntra, tenant } from '../peers/entra-fake.ts'
import type { Entra } from '../peers/entra-fake.ts'
import { assertStopped, keepBusy } from './busy.ts'
import { legacyCall, openHouse } from './house.ts'
import type { House, HouseOptions } from './house.ts'
import { readEntries } from './program.ts'
import type { Told } from './program.ts'

const secret = 'a-scim-secret-of-44-characters-for-the-tests'
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User'
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const read = legacyCall('tools/call', '{"name":"read","arguments":{}}')

let key: Key
let entra: Entra
before(async () => {
  key = await makeKey('one')
  entra = await startEntra()
  entra.keys.v2 = [key.jwk]
})
after(() => entra.close())

async function open(t: TestContext, options: HouseOptions = {}): Promise<House> {
  const house = await openHouse({
    env: { SCIM_TOKEN: secret },
    identity: `
  issuers:
    - { name: local, type: local }
    - { name: entra, type: entra, tenant: ${tenant}, audience: ${appId}, authority: "${entra.origin}" }
  scim: { tokens: ["\${env:SCIM_TOKEN}"], issuer: entra }`,
    access: `  - { who: { issuer: entra, group: ${group(7)} }, may: { connection: shop } }`,
    extra: 'limits: { refusals_per_minute_max: 100000 }',
    ...options,
  })
  t.after(() => house.stop())
  return house
}

function person(subject = oid): Promise<string> {
  const s = Math.floor(Date.now() / 1000)
  const claims = { ...personV2(entra.origin, { s }), oid: subject, groups: [group(7)] }
  return sign(key, claims)
}

interface Scim {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** @param path below `/scim/v2`. */
async function scim(
  { gateway }: House,
  method: string,
  path: string,
  body?: object,
  bearer = secret,
): Promise<Scim> {
  const answer = await fetch(`${gateway.consoleUrl}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/scim+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Scim['body']) }
}

async function makeUser(house: House, externalId = oid): Promise<string> {
  const userName = `${externalId.slice(0, 8)}@acme.example`
  const user = { schemas: [userSchema], externalId, userName, active: true }
  const made = await scim(house, 'POST', '/Users', user)
  assert.equal(made.status, 201)
  return String(made.body['id'])
}

const patch = (...Operations: object[]): object => ({ schemas: [patchSchema], Operations })
/** As Entra says it without its compliance flag. */
const leaves = patch({ op: 'Replace', path: 'active', value: 'False' })

async function ask(house: House, token: string): Promise<number> {
  const answer = await house.post(read, { authorization: `Bearer ${token}` })
  await answer.text()
  return answer.status
}

function detailsOf(entry: Told | undefined): Record<string, unknown> {
  return (entry?.['details'] ?? {}) as Record<string, unknown>
}

async function types(house: House, wanted: RegExp): Promise<unknown[]> {
  return (await house.entries()).map(({ type }) => type).filter((type) => wanted.test(String(type)))
}

test('somebody made inactive is stopped in the middle of a stream, a slow call and 500 calls', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  const token = await person()
  const busy = keepBusy(house.mcp, token, house.behind)
  await busy.begun
  const answer = await scim(house, 'PATCH', `/Users/${id}`, leaves)
  // The answer comes after the stop: entry and cut are there, and nothing leaves any more.
  const begun = busy.begunCalls()
  const soFar = await types(house, /^(principal\.revoked|revocation\.cut|scim\.changed)$/)
  assert.deepEqual([answer.status, answer.body['active']], [200, false])
  assert.deepEqual(soFar, ['scim.changed', 'principal.revoked', 'revocation.cut', 'scim.changed'])
  const entries = await assertStopped(busy, house.dataDir, begun)
  const { by, of, source } = detailsOf(entries.find(({ type }) => type === 'principal.revoked'))
  assert.deepEqual([by, source], ['scim', 'scim'])
  assert.equal(of, `${entra.origin}/${tenant}/v2.0 ${oid}`)
  assert.equal(await ask(house, await person()), 401, 'a new token of theirs is no better')
})

test('deleting a user stops them, and making them active again lets them in', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  const token = await person()
  assert.equal(await ask(house, token), 200)
  assert.equal((await scim(house, 'PATCH', `/Users/${id}`, leaves)).status, 200)
  assert.equal(await ask(house, token), 401)
  const back = patch({ op: 'Replace', path: 'active', value: 'True' })
  assert.equal((await scim(house, 'PATCH', `/Users/${id}`, back)).status, 200)
  assert.equal(await ask(house, token), 200)
  assert.equal((await scim(house, 'DELETE', `/Users/${id}`)).status, 204)
  assert.equal(await ask(house, token), 401)
  assert.deepEqual(await types(house, /^(principal\.revoked|revocation\.lifted)$/), [
    'principal.revoked',
    'revocation.lifted',
    'principal.revoked',
  ])
})

test('a stop by somebody else is not taken back by the directory', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  const issuer = `${entra.origin}/${tenant}/v2.0`
  const target = { kind: 'principal', issuer, subject: oid } as const
  await house.gateway.stops.stop({ target, reason: 'suspected', by: 'alex', source: 'cli' })
  const back = patch({ op: 'Replace', path: 'active', value: 'True' })
  assert.equal((await scim(house, 'PATCH', `/Users/${id}`, leaves)).status, 200)
  assert.equal((await scim(house, 'PATCH', `/Users/${id}`, back)).status, 200)
  assert.equal(await ask(house, await person()), 401)
})

test('somebody taken out of a group loses what it gave, in the token they have', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  const made = await scim(house, 'POST', '/Groups', {
    schemas: [groupSchema],
    externalId: group(7),
    displayName: 'Payments',
    members: [{ value: id }],
  })
  assert.equal(made.status, 201)
  const token = await person()
  assert.equal(await ask(house, token), 200)
  const out = patch({ op: 'Remove', path: 'members', value: [{ value: id }] })
  const { status } = await scim(house, 'PATCH', `/Groups/${String(made.body['id'])}`, out)
  assert.ok(status === 200 || status === 204)
  assert.equal(await ask(house, token), 403)
  const change = (await readEntries(house.dataDir)).findLast(({ type }) => type === 'scim.changed')
  const { removed } = detailsOf(change)
  assert.deepEqual(removed, [oid])
})

test('whoever was stopped by the directory stays so after a restart', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  const token = await person()
  await scim(house, 'PATCH', `/Users/${id}`, leaves)
  const { dataDir } = house
  await house.gateway.stop('test')
  const again = await open(t, { dataDir })
  assert.equal(await ask(again, token), 401)
  const back = patch({ op: 'Replace', path: 'active', value: 'True' })
  assert.equal((await scim(again, 'PATCH', `/Users/${id}`, back)).status, 200)
  assert.equal(await ask(again, token), 200)
})

const strangers: readonly [what: string, bearer: string][] = [
  ['another secret', 'b-scim-secret-of-44-characters-for-the-tests'],
  ['none', ''],
  ['a token of a person', 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl'],
]
test('without the secret nothing is told and nothing done, and the record says who tried', async (t) => {
  const house = await open(t)
  const id = await makeUser(house)
  for (const [what, bearer] of strangers) {
    const answer = await scim(house, 'PATCH', `/Users/${id}`, leaves, bearer)
    assert.equal(answer.status, 401, what)
  }
  const atGateway = await fetch(`${house.gateway.gatewayUrl}/scim/v2/Users`, {
    headers: { authorization: `Bearer ${secret}` },
  })
  assert.equal(atGateway.status, 404, 'the door is the console’s')
  assert.equal(await ask(house, await person()), 200)
  const refused = (await house.entries()).filter(({ type }) => type === 'signin.refused')
  assert.deepEqual(
    refused.map(({ details }) => (details as Record<string, unknown>)['reason']),
    ['token_wrong', 'token_missing', 'token_wrong'],
  )
  assert.ok(!house.allBytes().includes(secret) && !house.log().includes(secret))
})
