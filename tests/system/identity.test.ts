/**
 * Who comes with what: groups too many for a token, runs of workflows, keys of service accounts.
 * Through a whole gateway, with the issuers at the other end of real sockets.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { makeKey, sign } from '../../src/identity/tokens.fixture.ts'
import type { Key } from '../../src/identity/tokens.fixture.ts'
import {
  appId,
  group,
  oid,
  otherTenant,
  overage,
  personV2,
  startEntra,
  tenant,
} from '../peers/entra-fake.ts'
import type { Entra } from '../peers/entra-fake.ts'
import { graphClient, graphSecret } from '../peers/graph-fake.ts'
import { startJsonFake } from '../peers/json-fake.ts'
import type { JsonFake } from '../peers/json-fake.ts'
import { legacyCall, openHouse, startBehind } from './house.ts'
import type { House, HouseOptions } from './house.ts'
import { run, until } from './program.ts'

let key: Key
let stranger: Key
let entra: Entra
let github: JsonFake
before(async () => {
  ;[key, stranger] = await Promise.all([makeKey('one'), makeKey('one')])
  entra = await startEntra()
  entra.keys.v2 = [key.jwk]
  github = await startJsonFake(({ path }) => {
    const issuer = `${github.origin}/_services/token`
    const document = { issuer, jwks_uri: `${issuer}/.well-known/jwks` }
    return { status: 200, body: path.endsWith('/jwks') ? { keys: [key.jwk] } : document }
  })
})
after(async () => {
  await Promise.all([entra.close(), github.close()])
})

async function open(t: TestContext, options: HouseOptions): Promise<House> {
  const house = await openHouse(options)
  t.after(() => house.stop())
  return house
}

const nowS = (): { s: number } => ({ s: Math.floor(Date.now() / 1000) })
const read = legacyCall('tools/call', '{"name":"read","arguments":{}}')
const drop = legacyCall('tools/call', '{"name":"drop","arguments":{}}')

/** Why callers were refused before they were anybody. */
async function refusals(house: House): Promise<unknown[]> {
  return (await told(house, 'auth.refused')).map(({ httpStatus, reason }) => [reason, httpStatus])
}

async function told(house: House, type: string): Promise<Record<string, unknown>[]> {
  return (await house.entries()).filter((entry) => entry['type'] === type)
}

function detailsOf(entry: Record<string, unknown> | undefined): Record<string, unknown> {
  return (entry?.['details'] ?? {}) as Record<string, unknown>
}

interface Answered {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(house: House, token: string, body = read): Promise<Answered> {
  const answer = await house.post(body, { authorization: `Bearer ${token}` })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

/* Somebody with more groups than a token holds. */

/** Of those 300 one gives something here; 301 is a group they are not in. */
const entraHouse = (): HouseOptions => ({
  env: { GRAPH_SECRET: graphSecret },
  identity: `
  issuers:
    - { name: local, type: local }
    - name: entra
      type: entra
      tenant: ${tenant}
      audience: ${appId}
      authority: ${entra.origin}
      graph: { url: "${entra.origin}", client_id: ${graphClient}, client_secret: "\${env:GRAPH_SECRET}" }`,
  access: `
  - { name: readers, who: { issuer: entra, group: ${group(7)} }, may: { connection: shop, tools: [read] } }
  - { name: droppers, who: { issuer: entra, group: ${group(301)} }, may: { connection: shop, tools: [drop] } }`,
})

const many = Array.from({ length: 300 }, (_, i) => group(i + 1))

function person(of: Record<string, unknown>): Promise<string> {
  return sign(key, { ...personV2(entra.origin, nowS()), ...of })
}

/** Another one each time: nothing is remembered of them. */
let people = 0
function newOid(): string {
  people += 1
  return `cccccccc-0000-4000-8000-${String(people).padStart(12, 'f')}`
}

const markers: readonly [what: string, of: (trap: string) => object][] = [
  ['_claim_names with an address of the token’s own', (trap) => overage(`${trap}/groups`)],
  ['hasgroups', () => ({ hasgroups: true })],
  [
    'both, and a group in the token besides',
    (trap) => ({ ...overage(trap), hasgroups: 'true', groups: [group(301)] }),
  ],
]
for (const [what, marker] of markers) {
  test(`with 300 groups, told by ${what}, Graph says which, and the right grant decides`, async (t) => {
    const trap = await startJsonFake(() => ({ status: 200, body: { value: [group(301)] } }))
    t.after(() => trap.close())
    const house = await open(t, entraHouse())
    const who = newOid()
    entra.users.set(who, many)
    const token = await person({ oid: who, ...marker(trap.origin) })
    assert.equal((await ask(house, token)).status, 200)
    const refused = await ask(house, token, drop)
    assert.equal(refused.status, 200)
    assert.match(refused.text, /Unknown tool/)
    assert.equal(house.behind.got.length, 1)
    assert.deepEqual(
      (await told(house, 'call.received')).map(({ rule }) => rule),
      ['readers'],
    )
    // Only about the groups that decide something here, and nobody asks where a token points to.
    const question = entra.asked.findLast(({ path }) => path.includes(who))
    assert.deepEqual(question?.json, { groupIds: [group(7), group(301)] })
    assert.deepEqual([trap.asked.length, entra.faults], [0, []])
    assert.doesNotMatch(house.allBytes(), /_claim_sources/)
  })
}

const troubles: readonly [what: string, path: RegExp, mishap: Parameters<Entra['once']>[1]][] = [
  ['resets', /checkMemberGroups$/, 'reset'],
  ['answers half', /checkMemberGroups$/, 'truncated'],
  ['says something else', /checkMemberGroups$/, { status: 200, body: { value: 'all' } }],
  ['has no consent', /checkMemberGroups$/, { status: 403, body: { error: {} } }],
  ['gives no token', /oauth2\/v2\.0\/token$/, { status: 500, body: {} }],
]
for (const [what, path, mishap] of troubles) {
  test(`while Graph ${what} nobody with 300 groups passes, and afterwards they do`, async (t) => {
    const house = await open(t, entraHouse())
    const who = newOid()
    entra.users.set(who, many)
    entra.once(path, mishap)
    const token = await person({ oid: who, ...overage() })
    // The first finds out; for the others it is left alone for a moment.
    const answers = [
      await ask(house, token),
      await ask(house, token),
      await ask(house, token, drop),
    ]
    for (const { headers, status, text } of answers) {
      assert.equal(status, 503)
      assert.match(text, /Microsoft Graph, which knows them, cannot be asked/)
      assert.match(headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(headers.get('www-authenticate'), null, 'a client would throw a good token away')
    }
    assert.equal(house.behind.got.length, 0)
    const few = await person({ oid: newOid(), groups: [group(7)] })
    assert.equal((await ask(house, few)).status, 200, 'others are let in by their tokens')
    assert.deepEqual(
      await refusals(house),
      answers.map(() => ['groups_unknown', 503]),
    )
    await until(async () => (await ask(house, token)).status === 200)
    assert.equal(house.behind.got.length, 2)
    assert.deepEqual(entra.faults, [])
  })
}

test('somebody Graph does not know is refused, and without Graph so is everybody with 300 groups', async (t) => {
  const house = await open(t, entraHouse())
  const unknown = await ask(house, await person({ oid: newOid(), ...overage() }))
  assert.equal(unknown.status, 401)
  const without = await open(t, {
    ...entraHouse(),
    identity: `{ issuers: [{ name: local, type: local }, { name: entra, type: entra, tenant: ${tenant}, audience: ${appId}, authority: "${entra.origin}" }] }`,
  })
  entra.users.set(oid, many)
  const refused = await ask(without, await person(overage() as Record<string, unknown>))
  assert.equal(refused.status, 401)
  for (const each of [house, without]) {
    assert.deepEqual(await refusals(each), [['groups_unknown', 401]])
    assert.equal(each.behind.got.length, 0)
  }
})

test('a token of another tenant, or one nobody here signed, is refused before Graph is asked', async (t) => {
  const house = await open(t, entraHouse())
  const before = entra.count(/checkMemberGroups/)
  const foreign = { iss: `${entra.origin}/${otherTenant}/v2.0`, tid: otherTenant, ...overage() }
  const forged = await sign(stranger, { ...personV2(entra.origin, nowS()), ...overage() })
  for (const token of [await person(foreign), await person({ tid: otherTenant }), forged]) {
    assert.equal((await ask(house, token)).status, 401)
  }
  const reasons = ['issuer', 'tenant', 'signature']
  assert.deepEqual(
    await refusals(house),
    reasons.map((reason) => [reason, 401]),
  )
  assert.equal(entra.count(/checkMemberGroups/), before)
})

/* Runs of workflows. */

const audience = 'https://mcp.acme.example'
const sha = 'a1b2c3d4'.repeat(5)

const ciHouse = (): HouseOptions => ({
  identity: `
  issuers:
    - { name: local, type: local }
    - name: ci
      type: github-actions
      issuer: "${github.origin}/_services/token"
      audience: ${audience}
      allow:
        - { repository: acme/deploy, repository_id: "74", environment: production, ref: refs/heads/main }`,
  access: '  - { name: ci, who: { issuer: ci, kind: workload }, may: { connection: shop } }',
})

/** As GitHub documents it, for a job of `acme/deploy` in its environment `production`. */
function job(over: Record<string, unknown> = {}): Promise<string> {
  const { s } = nowS()
  const ship = 'acme/deploy/.github/workflows/ship.yml@refs/heads/main'
  return sign(key, {
    jti: 'example-id',
    sub: 'repo:acme@65/deploy@74:environment:production',
    environment: 'production',
    aud: audience,
    ref: 'refs/heads/main',
    sha,
    repository: 'acme/deploy',
    repository_owner: 'acme',
    repository_id: '74',
    repository_owner_id: '65',
    actor: 'octocat',
    actor_id: '12',
    run_id: '9001',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    workflow: 'ship',
    workflow_ref: ship,
    job_workflow_ref: ship,
    event_name: 'push',
    iss: `${github.origin}/_services/token`,
    nbf: s - 600,
    exp: s + 300,
    iat: s,
    ...over,
  })
}

const jobs: readonly [what: string, over: Record<string, unknown>, reason: string][] = [
  ['another repository', { repository: 'acme/other', repository_id: '75' }, 'workflow'],
  ['a stranger’s repository of the same name', { repository_id: '75' }, 'workflow'],
  ['another branch', { ref: 'refs/heads/feature' }, 'workflow'],
  ['another environment', { environment: 'staging' }, 'workflow'],
  ['no environment', { environment: undefined }, 'workflow'],
  ['a pull request', { event_name: 'pull_request' }, 'workflow'],
  ['a pull request, run for its target', { event_name: 'pull_request_target' }, 'workflow'],
  ['the URL of its owner as audience', { aud: 'https://github.com/acme' }, 'audience'],
  [
    'that URL beside the right audience',
    { aud: [audience, 'https://github.com/acme'] },
    'audience',
  ],
  ['no id', { jti: undefined }, 'claims'],
]
test('a job with anything else than what is let in is refused, and the record says why', async (t) => {
  const house = await open(t, ciHouse())
  for (const [what, over] of jobs) {
    const { headers, status, text } = await ask(house, await job(over))
    assert.equal(status, 401, what)
    assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    assert.doesNotMatch(text, /acme|refs\/|production|octocat/, 'nothing is told that would help')
  }
  assert.deepEqual(
    await refusals(house),
    jobs.map(([, , reason]) => [reason, 401]),
  )
  assert.equal(house.behind.got.length, 0)
})

test('the right job passes, and the record names its run, branch and commit', async (t) => {
  const house = await open(t, ciHouse())
  const token = await job()
  assert.equal((await ask(house, token)).status, 200)
  assert.equal(house.behind.got.length, 1)
  assert.equal(house.behind.got[0]?.headers.authorization, undefined, 'the token goes no further')
  const [accepted] = await told(house, 'auth.accepted')
  const { kind, subject } = (accepted?.['principal'] ?? {}) as Record<string, unknown>
  assert.deepEqual([kind, subject], ['workload', '74:production'])
  assert.deepEqual(detailsOf(accepted), {
    token: 'example-id',
    repository: 'acme/deploy',
    ref: 'refs/heads/main',
    sha,
    workflow: 'ship',
    run_id: '9001',
    run_attempt: '2',
    actor_id: '12',
  })
  for (const part of token.split('.').slice(1)) assert.ok(!house.allBytes().includes(part))
})

/* Keys of service accounts. */

test('a key of a service account works for its connections only, and ended it is refused', async (t) => {
  const till = await startBehind()
  t.after(() => till.close())
  const house = await open(t, {
    connection: `credential: { type: none }\n  - { name: till, url: "${till.url}" }`,
    access: '  - { who: { group: staff }, may: { connection: till } }',
  })
  assert.equal((await house.post(read)).status, 200, 'sam is seen')
  const at = ['-c', join(house.dataDir, 'sallyport.yaml')]
  const sallyport = async (...args: string[]): Promise<string> => {
    const { code, stderr, stdout } = await run([...args, ...at])
    assert.equal(code, 0, stderr)
    return stdout.trim()
  }
  const made = await run([
    'service-account',
    'add',
    'etl',
    '--owner',
    'nobody',
    '--connection',
    'shop',
    ...at,
  ])
  assert.deepEqual([made.code, made.stdout], [1, ''], 'without an owner there is no account')
  const add = ['service-account', 'add', 'etl', '--owner', 'sam', '--group', 'staff']
  const secret = await sallyport(...add, '--connection', 'shop')
  assert.equal((await ask(house, secret)).status, 200)
  const elsewhere = await fetch(house.mcp.replace(/shop$/, 'till'), {
    method: 'POST',
    body: read,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${secret}`,
    },
  })
  assert.deepEqual([elsewhere.status, till.got.length], [403, 0])
  const id = /^sp_(k_[^_]+)_/.exec(secret)?.[1] ?? ''
  await sallyport('service-account', 'end', id)
  const { headers, status } = await ask(house, secret)
  assert.equal(status, 401)
  assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  const wrong = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A')
  assert.equal((await ask(house, wrong)).status, 401)

  const changes = (await told(house, 'account.changed')).map(detailsOf)
  assert.deepEqual(
    changes.map(({ change }) => change),
    ['made', 'key made', 'key ended'],
  )
  assert.equal(changes[0]?.['owner'], `${house.gateway.local?.issuer} sam`)
  assert.deepEqual(
    (await told(house, 'call.denied')).map(({ reason }) => reason),
    ['no_grant'],
  )
  assert.deepEqual(await refusals(house), [
    ['signature', 401],
    ['signature', 401],
  ])
  assert.ok(!house.allBytes().includes(secret.slice(-43)), 'the key is kept nowhere')
  assert.ok(!house.log().includes(secret.slice(-43)))
})
