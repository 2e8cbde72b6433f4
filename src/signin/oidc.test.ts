/** Sign-in at a real OpenID provider, and at one that speaks as Entra does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { EntraSignInConfig, OidcSignInConfig, SignInConfig } from '../config/types.ts'
import { provenByOidc } from './oidc-claims.ts'
import { openIdp } from './provider.fixture.ts'
import type { Idp } from './provider.fixture.ts'
import { open, Robot } from './site.fixture.ts'
import type { Opened } from './site.fixture.ts'
import type { SignInOptions } from './site.ts'

const clientSecret = { from: 'env', name: 'S' } as const
const tenant = '11111111-2222-3333-4444-cccccccccccc'
const oid = 'AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee'
const group = 'aaaaaaaa-8888-7777-6666-bbbbbbbbbbbb'

function oidc(issuer: string, name = 'corp'): OidcSignInConfig {
  const claims = { groupsClaim: 'groups', rolesClaim: 'roles', nameClaim: 'name' }
  const client = { clientId: 'sallyport', clientSecret, scopes: ['profile'] }
  return { type: 'oidc', name, label: name, issuer, ...client, ...claims }
}

function entra(authority: string): EntraSignInConfig {
  const client = { clientId: 'sallyport', clientSecret, scopes: ['profile'] }
  return { type: 'entra', name: 'entra', label: 'Entra', tenant, authority, ...client }
}

async function pair(
  t: TestContext,
  configs: (idp: Idp) => readonly SignInConfig[],
  path = '',
  more: Partial<SignInOptions> = {},
): Promise<{ at: Opened; idp: Idp }> {
  const idp = await openIdp(t, path)
  const at = await open(t, configs(idp), more)
  idp.serve(configs(idp).map(({ name }) => `${at.origin}${at.base}/callback/${name}`))
  return { at, idp }
}
const one = (idp: Idp): readonly SignInConfig[] => [oidc(idp.issuer)]
const asEntra = (idp: Idp): readonly SignInConfig[] => [entra(idp.origin)]
const entraPath = `/${tenant}/v2.0`
const person = { tid: tenant, oid, name: 'Ada Lovelace' }

/** Goes from the site to the provider and stops at the address of the answer. */
async function answered(at: Opened, robot: Robot, address = at.start()): Promise<URL> {
  let next = new URL(address)
  for (let i = 0; i < 9 && !next.pathname.includes('/callback/'); i++) {
    const answer = await robot.ask(next.href)
    assert.equal(answer.status, 303, await answer.text())
    next = new URL(answer.headers.get('location') ?? '', next)
  }
  return next
}

/** Whether a browser that comes back by this address is signed in. */
async function comesIn(at: Opened, robot: Robot, address: URL): Promise<boolean> {
  const { answer } = await robot.go(address.href)
  return (await answer.text()) === 'in'
}

function changed(url: URL, change: (query: URLSearchParams) => void): URL {
  const made = new URL(url)
  change(made.searchParams)
  return made
}

type Attack = (url: URL, other: URL) => URL
const attacks: readonly [name: string, attack: Attack, reason: string][] = [
  ['without a state', (url) => changed(url, (q) => q.delete('state')), 'unknown_or_over'],
  [
    'with a cut state',
    (url) => changed(url, (q) => q.set('state', q.get('state')?.slice(0, -1) ?? '')),
    'state_other',
  ],
  [
    'with another code of the same provider',
    (url, other) => changed(url, (q) => q.set('code', other.searchParams.get('code') ?? '')),
    'provider_token_refused',
  ],
  ['without a code', (url) => changed(url, (q) => q.delete('code')), 'provider_answer_bad'],
  [
    'of another issuer',
    (url) => changed(url, (q) => q.set('iss', 'https://evil.example')),
    'provider_answer_bad',
  ],
  ['without its issuer', (url) => changed(url, (q) => q.delete('iss')), 'provider_answer_bad'],
  [
    'with a second state',
    (url, other) => changed(url, (q) => q.append('state', other.searchParams.get('state') ?? '')),
    'provider_answer_bad',
  ],
  [
    'that says no',
    (url) =>
      changed(url, (q) => {
        q.delete('code')
        q.set('error', 'access_denied')
      }),
    'provider_said_no',
  ],
]
for (const [name, attack, reason] of attacks) {
  test(`an answer ${name} signs nobody in`, async (t) => {
    const { at } = await pair(t, one)
    const [robot, other] = [new Robot(), new Robot()]
    const url = await answered(at, robot)
    const stolen = await answered(at, other)
    assert.equal(await comesIn(at, robot, attack(url, stolen)), false)
    assert.deepEqual(at.reasons(), [reason])
    // What waited for an answer has had it: the right one comes too late.
    if (reason !== 'unknown_or_over') assert.equal(await comesIn(at, robot, url), false)
  })
}

test('an answer in another browser signs nobody in, there or here', async (t) => {
  const { at } = await pair(t, one)
  const [own, other] = [new Robot(), new Robot()]
  const url = await answered(at, own)
  assert.equal(await comesIn(at, other, url), false)
  await other.ask(at.start())
  assert.equal(await comesIn(at, other, url), false)
  assert.deepEqual(at.reasons(), ['other_browser', 'other_browser'])
})

test('an answer is taken once', async (t) => {
  const { at } = await pair(t, one)
  const robot = new Robot()
  const url = await answered(at, robot)
  assert.equal(await comesIn(at, robot, url), true)
  assert.equal(await comesIn(at, robot, url), false)
})

test('an answer of one provider is not taken for that of another', async (t) => {
  const { at } = await pair(t, (idp) => [oidc(idp.issuer), oidc(idp.issuer, 'other')])
  const robot = new Robot()
  const url = await answered(at, robot, at.start({ method: 'corp' }))
  url.pathname = url.pathname.replace('corp', 'other')
  assert.equal(await comesIn(at, robot, url), false)
  assert.deepEqual(at.reasons(), ['provider_mixed_up'])
})

test('an ID token with the nonce of another sign-in is refused', async (t) => {
  const { at } = await pair(t, one)
  const robot = new Robot()
  // The attacker hands the victim's browser a request of the attacker's own making to follow.
  const first = await robot.ask(at.start())
  const asked = new URL(first.headers.get('location') ?? '')
  asked.searchParams.set('nonce', 'another-nonce-altogether')
  let next = asked
  while (!next.pathname.includes('/callback/')) {
    next = new URL((await robot.ask(next.href)).headers.get('location') ?? '', next)
  }
  assert.equal(await comesIn(at, robot, next), false)
  assert.deepEqual(at.reasons(), ['provider_answer_bad'])
})

test('the request has PKCE, state and nonce, and asks for an answer our cookie comes with', async (t) => {
  const { at, idp } = await pair(t, one)
  await answered(at, new Robot())
  const { asked } = idp
  assert.equal(asked.get('code_challenge_method'), 'S256')
  assert.match(asked.get('code_challenge') ?? '', /^[\w-]{43}$/)
  assert.equal(asked.get('response_mode'), 'query')
  assert.equal(asked.get('scope'), 'openid profile')
  assert.equal(asked.get('prompt'), null)
  for (const name of ['state', 'nonce']) assert.ok((asked.get(name) ?? '').length >= 43, name)
})

test('a person comes in with what the provider says of them', async (t) => {
  const { at, idp } = await pair(t, one)
  idp.claims = { name: 'Ada', groups: ['ops', 'dev'], roles: 'admin', email: 'ada@corp.example' }
  const robot = new Robot()
  assert.equal(await comesIn(at, robot, await answered(at, robot)), true)
  const { person: who, method, type } = at.last() ?? assert.fail()
  assert.deepEqual([method, type], ['corp', 'oidc'])
  assert.deepEqual([who.issuer, who.subject, who.name], [idp.issuer, 'person-1', 'Ada'])
  assert.deepEqual(
    [who.groups, who.roles, who.email],
    [['ops', 'dev'], ['admin'], 'ada@corp.example'],
  )
  assert.equal(who.claims['nonce'], undefined)
  assert.equal(JSON.stringify(at.notes).includes('code'), false)
})

test('what the ID token lacks is asked of the user info endpoint', async (t) => {
  const idp = await openIdp(t)
  const at = await open(t, one(idp))
  idp.serve([`${at.origin}${at.base}/callback/corp`], { conformIdTokenClaims: true })
  idp.claims = { groups: ['ops'] }
  const robot = new Robot()
  assert.equal(await comesIn(at, robot, await answered(at, robot)), true)
  assert.deepEqual(at.last()?.person.groups, ['ops'])
  assert.ok(idp.requests.includes('GET /me'))
})

test('a fresh sign-in is asked for, and an old one is not taken for it', async (t) => {
  const { at, idp } = await pair(t, one)
  const robot = new Robot()
  assert.equal(
    await comesIn(at, robot, await answered(at, robot, at.start({ isFresh: true }))),
    true,
  )
  assert.deepEqual([idp.asked.get('prompt'), idp.asked.get('max_age')], ['login', '0'])
  idp.signedInAt = Math.floor(Date.now() / 1000) - 3600
  // The question to do it anew is taken out on the way.
  const first = await robot.ask(at.start({ isFresh: true }))
  const asked = changed(new URL(first.headers.get('location') ?? ''), (q) => {
    q.delete('prompt')
    q.delete('max_age')
  })
  const old = new Robot()
  old.jar.set(new URL(at.origin).host, robot.jar.get(new URL(at.origin).host) ?? new Map())
  let next = asked
  while (!next.pathname.includes('/callback/')) {
    next = new URL((await old.ask(next.href)).headers.get('location') ?? '', next)
  }
  assert.equal(await comesIn(at, old, next), false)
  assert.deepEqual(at.reasons(), ['not_fresh'])
})

const outages: readonly [what: string, path: string, how: 'down' | 'dead', reason: string][] = [
  ['discovery fails', 'openid-configuration', 'down', 'provider_discovery'],
  ['discovery breaks off', 'openid-configuration', 'dead', 'provider_discovery'],
  ['token endpoint fails', '/token', 'down', 'provider_failing'],
  ['token endpoint breaks off', '/token', 'dead', 'provider_unreachable'],
  ['keys fail', '/jwks', 'down', 'provider_failing'],
  ['keys break off', '/jwks', 'dead', 'provider_unreachable'],
]
for (const [what, path, how, reason] of outages) {
  test(`while a provider's ${what} nobody comes in, and it is said`, async (t) => {
    const { at, idp } = await pair(t, one)
    idp[how] = path
    const robot = new Robot()
    const { answer } = await robot.go(at.start())
    assert.match(await answer.text(), /company’s sign-in cannot be reached/)
    assert.equal(answer.status, 503)
    assert.deepEqual(at.reasons(), [reason])
    // It comes back by itself.
    idp[how] = undefined
    assert.equal(await comesIn(at, robot, await answered(at, robot)), true)
  })
}

test('what is known of a provider serves for a day while it is down, and is read each hour', async (t) => {
  const { at, idp } = await pair(t, one)
  const count = (): number => idp.requests.filter((line) => line.includes('well-known')).length
  const robot = new Robot()
  await answered(at, robot)
  await answered(at, robot)
  assert.equal(count(), 1)
  idp.down = 'openid-configuration'
  at.clock.pass(3_600_000)
  await answered(at, robot)
  assert.equal(count(), 2)
  at.clock.pass(24 * 3_600_000)
  assert.equal((await robot.ask(at.start())).status, 503)
})

const wrongTokens: readonly [what: string, claims: Record<string, unknown>, reason: string][] = [
  ['of another tenant', { ...person, tid: group }, 'tenant_other'],
  ['without a tenant', { oid, name: 'x' }, 'tenant_other'],
  ['without an object id', { tid: tenant, name: 'x' }, 'oid_missing'],
  ['with an object id that is none', { tid: tenant, oid: 'ada@corp.example' }, 'oid_missing'],
  ['whose groups are names', { ...person, groups: ['Domain Admins'] }, 'groups_not_guids'],
  [
    'with too many groups, where nobody asks Graph',
    { ...person, _claim_names: { groups: 'src1' } },
    'groups_too_many',
  ],
  ['with too many groups, by the other mark', { ...person, hasgroups: true }, 'groups_too_many'],
]
for (const [what, claims, reason] of wrongTokens) {
  test(`an Entra token ${what} lets nobody in`, async (t) => {
    const { at, idp } = await pair(t, asEntra, entraPath)
    idp.claims = claims
    const robot = new Robot()
    assert.equal(await comesIn(at, robot, await answered(at, robot)), false)
    assert.deepEqual(at.reasons(), [reason])
  })
}

test('at Entra a person is tenant and object id, with groups as GUIDs', async (t) => {
  const { at, idp } = await pair(t, asEntra, entraPath)
  idp.claims = { ...person, groups: [group.toUpperCase()], roles: ['Payments.Read'] }
  const robot = new Robot()
  assert.equal(await comesIn(at, robot, await answered(at, robot)), true)
  const { person: who } = at.last() ?? assert.fail()
  assert.deepEqual([who.issuer, who.subject], [idp.issuer, oid.toLowerCase()])
  assert.deepEqual([who.groups, who.roles], [[group], ['Payments.Read']])
})

test('a person with too many groups has them from Graph, or does not come in', async (t) => {
  let answer: () => Promise<readonly string[]> = () => Promise.resolve([group])
  const asked: unknown[] = []
  const groupsOf: SignInOptions['groupsOf'] = () => (tid, id) => {
    asked.push([tid, id])
    return answer()
  }
  const { at, idp } = await pair(t, asEntra, entraPath, { groupsOf })
  const endpoint = `${idp.origin}/stolen`
  idp.claims = {
    ...person,
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint } },
  }
  const robot = new Robot()
  assert.equal(await comesIn(at, robot, await answered(at, robot)), true)
  assert.deepEqual(at.last()?.person.groups, [group])
  assert.deepEqual(asked, [[tenant, oid.toLowerCase()]])
  answer = () => Promise.reject(new Error('down'))
  assert.equal(await comesIn(at, robot, await answered(at, robot)), false)
  assert.deepEqual(at.reasons(), ['groups_unresolved'])
  assert.ok(!idp.requests.some((line) => line.includes('stolen')))
})

test('a provider over plain HTTP elsewhere is refused at the start', async (t) => {
  await assert.rejects(open(t, [oidc('http://idp.example')]), { code: 'config_bad' })
})

test('who was signed out everywhere is asked for a proof that is newer', async (t) => {
  const { at, idp } = await pair(t, one)
  const beforeMs = Date.now() - 2_000 // Tokens have whole seconds.
  const target = {
    kind: 'tokens-before',
    issuer: idp.issuer,
    subject: 'person-1',
    beforeMs,
  } as const
  const of = {
    reason: 'test',
    by: 'test',
    source: 'cli',
    madeMs: beforeMs,
    fromMs: beforeMs,
  } as const
  at.revocations.add({ target, ...of })
  const robot = new Robot()
  idp.signedInAt = Math.floor(beforeMs / 1000) - 30
  // The provider is asked a second time. This one brings the same again: nobody is let in.
  assert.equal(await comesIn(at, robot, await answered(at, robot)), false)
  assert.equal(idp.asked.get('prompt'), 'login')
  assert.deepEqual(at.reasons(), ['signed_out_since'])
  idp.signedInAt = Math.floor(beforeMs / 1000) + 1
  const other = new Robot()
  assert.equal(await comesIn(at, other, await answered(at, other)), true)
})

const losses: readonly [when: string, laterMs: number, groups: readonly string[]][] = [
  ['after the provider issued it', 1, ['staff']],
  ['before', -5_000, ['staff', 'payments']],
]
for (const [when, laterMs, groups] of losses) {
  test(`an answer that was held back, of a group lost ${when}, gives ${groups.join(' and ')}`, async (t) => {
    const { at, idp } = await pair(t, one)
    idp.claims = { groups: ['staff', 'payments'] }
    const robot = new Robot()
    const held = await answered(at, robot)
    at.directory.loseGroup(idp.issuer, 'person-1', 'payments', Date.now() + laterMs)
    // The provider issues its token when the code comes: this one says of an earlier moment.
    assert.equal(await comesIn(at, robot, held), true)
    assert.deepEqual(at.last()?.person.groups, groups)
    assert.deepEqual(at.directory.find(idp.issuer, 'person-1')?.groups, groups)
  })
}

const came = { askedMs: 0, nowMs: 1_000_000_000, isFresh: false }
const said = { iss: 'https://idp.example', sub: 'ada', iat: 999_000 }
test('where a provider does not say when it saw them, it was when it issued the token', () => {
  const config = oidc('https://idp.example')
  const early = provenByOidc(config, { ...came, claims: said })
  assert.deepEqual([early.authenticatedMs, early.provenMs], [999_000_000, 999_000_000])
  const seen = provenByOidc(config, { ...came, claims: { ...said, auth_time: 998_000 } })
  assert.deepEqual([seen.authenticatedMs, seen.provenMs], [998_000_000, 999_000_000])
  const ahead = provenByOidc(config, { ...came, claims: { ...said, iat: 1_000_030 } })
  assert.deepEqual([ahead.authenticatedMs, ahead.provenMs], [came.nowMs, came.nowMs])
  const { iat: _, ...undated } = said
  assert.throws(() => provenByOidc(config, { ...came, claims: undated }), { code: 'refused' })
})

test('an answer that was held back over a sign-out everywhere is asked for anew', async (t) => {
  const { at, idp } = await pair(t, one)
  const robot = new Robot()
  const held = await answered(at, robot)
  const beforeMs = Date.now() + 5_000 // As if the token had been issued five seconds ago.
  const target = {
    kind: 'tokens-before',
    issuer: idp.issuer,
    subject: 'person-1',
    beforeMs,
  } as const
  at.revocations.add({ target, reason: 'test', by: 'x', source: 'cli', madeMs: 0, fromMs: 0 })
  at.clock.pass(6_000)
  assert.equal(await comesIn(at, robot, held), false)
  assert.equal(idp.asked.get('prompt'), 'login')
})
