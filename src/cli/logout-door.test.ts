import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { startJsonFake } from '../../tests/peers/json-fake.ts'
import type { JsonFake } from '../../tests/peers/json-fake.ts'
import { legacyCall, openHouse } from '../../tests/system/house.ts'
import type { House } from '../../tests/system/house.ts'
import { until } from '../../tests/system/program.ts'
import { Fault } from '../base/fault.ts'
import { makeKey, sign } from '../identity/tokens.fixture.ts'
import type { Key } from '../identity/tokens.fixture.ts'
import { stopLoggedOut } from './logout-door.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const audience = 'api://sallyport'
let key: Key
let stranger: Key
let company: JsonFake
before(async () => {
  ;[key, stranger] = await Promise.all([makeKey('one'), makeKey('one')])
  company = await startJsonFake(({ path }) => {
    const document = { issuer: company.origin, jwks_uri: `${company.origin}/jwks` }
    return { status: 200, body: path === '/jwks' ? { keys: [key.jwk] } : document }
  })
})
after(() => company.close())

async function open(t: TestContext): Promise<House> {
  const house = await openHouse({
    identity: `
  issuers:
    - { name: local, type: local }
    - { name: company, type: oidc, issuer: "${company.origin}", audience: "${audience}" }`,
    extra: 'limits: { refusals_per_minute_max: 1000 }',
  })
  t.after(() => house.stop())
  return house
}

type Claims = Readonly<Record<string, unknown>>
const nowS = (): number => Math.floor(Date.now() / 1000)

/** An access token of Alice's. */
function access(over: Claims = {}): Promise<string> {
  const claims = { iss: company.origin, sub: 'alice', aud: audience, groups: ['staff'], sid: 's-1' }
  const times = { iat: nowS() - 10, exp: nowS() + 600 }
  return sign(key, { ...claims, ...times, jti: 'access-1', ...over }, { typ: 'at+jwt' })
}

let made = 0
function logout(
  over: Claims = {},
  header: Claims = { typ: 'logout+jwt' },
  by = key,
): Promise<string> {
  made += 1
  const claims = { iss: company.origin, aud: audience, jti: `logout-${made}`, sub: 'alice' }
  const times = { iat: nowS(), exp: nowS() + 120 }
  return sign(by, { ...claims, ...times, events: { [event]: {} }, ...over }, header)
}

async function send(house: House, token: string, name = 'company'): Promise<Response> {
  return await fetch(`${house.gateway.gatewayUrl}/backchannel-logout/${name}`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  })
}

async function ask(house: House, token: string): Promise<number> {
  const body = legacyCall('tools/call', '{"name":"read","arguments":{}}')
  const answer = await house.post(body, { authorization: `Bearer ${token}` })
  await answer.text()
  return answer.status
}

async function reasons(house: House): Promise<unknown[]> {
  return (await house.entries())
    .filter(({ type }) => type === 'signin.refused')
    .map(({ details }) => (details as Record<string, unknown>)['reason'])
}

const refused: readonly [what: string, token: () => Promise<string>, reason: string][] = [
  ['nothing', () => Promise.resolve(''), 'malformed'],
  ['what is no token', () => Promise.resolve('a.b'), 'malformed'],
  ['one that another key signed', () => logout({}, undefined, stranger), 'signature'],
  ['one for another client', () => logout({ aud: 'api://other' }), 'audience'],
  ['one for us and another client', () => logout({ aud: [audience, 'api://other'] }), 'audience'],
  ['an ID token', () => logout({ nonce: 'n', events: undefined }, { typ: 'JWT' }), 'claims'],
  ['an ID token with the event', () => logout({ nonce: 'n' }, { typ: 'JWT' }), 'type'],
  ['an access token', () => access(), 'type'],
  ['one of an issuer nobody believes', () => logout({ iss: 'https://other.example' }), 'issuer'],
  ['one that is ten minutes old', () => logout({ iat: nowS() - 660, exp: nowS() - 61 }), 'expired'],
  ['one about nobody', () => logout({ sub: undefined }), 'claims'],
]
test('what is no logout token for us is answered 400, changes nothing, and is recorded', async (t) => {
  const house = await open(t)
  const token = await access()
  for (const [what, make] of refused) {
    const answer = await send(house, await make())
    assert.deepEqual(
      [answer.status, await answer.text()],
      [400, '{"error":"invalid_request"}\n'],
      what,
    )
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  }
  for (const name of ['local', 'nobody']) {
    assert.equal((await send(house, await logout(), name)).status, 400, name)
  }
  assert.equal((await send(house, 'x'.repeat(33_000))).status, 400)
  const address = `${house.gateway.gatewayUrl}/backchannel-logout/company`
  const got = await fetch(`${address}?logout_token=${await logout()}`)
  assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST'])
  assert.equal(await ask(house, token), 200)
  assert.deepEqual(await reasons(house), [
    ...refused.map(([, , reason]) => reason),
    'issuer',
    'issuer',
    'body',
  ])
  const entries = await house.entries()
  assert.deepEqual(
    entries.filter(({ type }) => type === 'principal.revoked'),
    [],
  )
})

test('a logout token stops the tokens issued before it, once, and none that come after', async (t) => {
  const house = await open(t)
  const [token, ofBob] = await Promise.all([access(), access({ sub: 'bob', sid: 's-2' })])
  assert.equal(await ask(house, token), 200)
  const told = await logout({ sid: 's-1' })
  const answer = await send(house, told)
  assert.deepEqual([answer.status, await answer.text()], [200, ''])
  assert.equal(await ask(house, token), 401)
  assert.equal(await ask(house, ofBob), 200)
  const fresh = { iat: nowS() + 5, jti: 'access-2', sid: 's-3' }
  assert.equal(await ask(house, await access(fresh)), 200, 'they signed in anew')
  const stops = (await house.entries())
    .filter(({ type }) => type === 'principal.revoked')
    .map(({ details }) => details as Record<string, unknown>)
  assert.deepEqual(
    stops.map(({ by, of, source, what }) => [what, of, by, source]),
    [
      ['sign-in', 's-1', company.origin, 'logout'],
      ['tokens-before', `${company.origin} alice`, company.origin, 'logout'],
    ],
  )
  assert.equal((await send(house, told)).status, 400, 'it was used')
  assert.deepEqual(await reasons(house), ['replayed'])
})

test('a used logout token stays used when other issuers come into force', async (t) => {
  const house = await open(t)
  const told = await logout()
  assert.equal((await send(house, told)).status, 200)
  const file = join(house.dataDir, 'sallyport.yaml')
  const more = '    - { name: more, type: oidc, issuer: "http://127.0.0.1:9/x" }\n'
  writeFileSync(file, readFileSync(file, 'utf8').replace('issuers:\n', `issuers:\n${more}`))
  process.emit('SIGHUP', 'SIGHUP')
  const changes = async (): Promise<number> =>
    (await house.entries()).filter(({ type }) => type === 'config.changed').length
  await until(async () => (await changes()) === 2)
  assert.equal((await send(house, told)).status, 400)
  assert.deepEqual(await reasons(house), ['replayed'])
})

test('while the keys of the issuer cannot be had, the provider is to try again', async (t) => {
  const house = await open(t)
  company.once(/jwks/, 'reset')
  const told = await logout()
  assert.equal((await send(house, told)).status, 503)
  await until(async () => (await send(house, told)).status === 200)
})

test('where one of two stops fails, the other is made all the same, and the failure is told', async () => {
  const stopped: string[] = []
  const stop = ({ target }: { readonly target: { readonly kind: string } }): Promise<never> => {
    stopped.push(target.kind)
    return Promise.reject(new Fault('record_down', `no entry for ${target.kind}`))
  }
  const who = { issuer: 'https://login.example', subject: 'alice', signInId: 's-1' }
  await assert.rejects(stopLoggedOut(who, 1, { stop }), { message: 'no entry for sign-in' })
  assert.deepEqual(stopped, ['sign-in', 'tokens-before'])
})
