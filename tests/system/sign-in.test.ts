/**
 * Programs that sign people in by themselves, told nothing but a connection's address: both official
 * SDKs, a company's providers, a real browser, and the card shop behind the gateway.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose'
import { missingChromium } from '../peers/chromium.ts'
import type { Seat } from '../peers/chromium.ts'
import { connectClient } from '../peers/clients.ts'
import type { ClientKind, TestClient } from '../peers/clients.ts'
import { isSentAway, Program } from '../peers/program.ts'
import type { ProgramOptions } from '../peers/program.ts'
import { missingServer } from '../peers/servers.ts'
import { answer, look, looked, makeAccount, openCompany, password, signIn } from './company.ts'
import { ways, willing } from './company.ts'
import type { Company } from './company.ts'
import { until } from './program.ts'

const skip = missingChromium() ?? missingServer('shop') ?? false

let company: Company
before(async () => {
  if (skip === false) company = await openCompany()
})
after(async () => {
  if (skip === false) await company.close()
})

/** Codes, tokens and passwords that went over the wire. */
const handedOut: string[] = [password]
const query = { sql: 'select holder, pan, cvv from cards order by id limit 20' }

async function start(
  t: TestContext,
  kind: ClientKind = 'v2-auto',
  options: ProgramOptions = {},
): Promise<Program> {
  const program = await Program.start(kind, company.house.mcp, options)
  t.after(async () => {
    handedOut.push(...program.secrets)
    await program.close()
  })
  return program
}

async function sit(t: TestContext, isTold?: (text: string) => boolean): Promise<Seat> {
  const seat = await company.seat(isTold)
  t.after(() => seat.leave())
  return seat
}

/** A program that somebody has let in. */
async function letIn(
  t: TestContext,
  name: string,
): Promise<{ program: Program; seat: Seat; client: TestClient }> {
  const [program, seat] = [await start(t), await sit(t, isRefusal)]
  const client = await program.connect(willing(seat, program, 'company', name))
  t.after(() => client.close())
  return { program, seat, client }
}

/** A browser tells of a page that came with a status of refusal. */
const isRefusal = (text: string): boolean => /status of 4\d\d/.test(text)

function clientOf(program: Program): string {
  return program.kept.client?.client_id ?? ''
}

function tokenOf(program: Program): string {
  return program.kept.tokens?.access_token ?? ''
}

/** What the gateway says to a token, without any SDK in between. */
async function knock(token: string): Promise<{ status: number; challenge: string }> {
  const { mcp } = company.house
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(mcp, { method: 'POST', body: '{}', headers })
  await answer.body?.cancel()
  return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' }
}

async function refresh(
  program: Program,
  refreshToken: string,
): Promise<{ status: number; said: Record<string, unknown> }> {
  const grant = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const body = new URLSearchParams({ ...grant, client_id: clientOf(program) })
  const answer = await fetch(`${company.origin}/oauth/token`, { method: 'POST', body })
  return { status: answer.status, said: (await answer.json()) as Record<string, unknown> }
}

test('who says no gives nothing: the program is told, and holds no token', { skip }, async (t) => {
  const [program, seat] = [await start(t), await sit(t)]
  await assert.rejects(
    program.connect(async (address) => {
      await seat.page.goto(address.href)
      await signIn(seat, 'company', 'cleo')
      await answer(seat, program, 'Deny')
    }),
    { message: 'access_denied' },
  )
  assert.equal(program.kept.tokens, undefined)
  const client = clientOf(program)
  assert.equal((await company.entries('client.registered', { client })).length, 1)
  assert.equal((await company.entries('signin.accepted', { subject: 'sub-cleo' })).length, 1)
  assert.deepEqual(await company.entries('consent.given', { client }), [])
  assert.deepEqual(await company.entries('auth.accepted', { client }), [])
})

test('somebody outside the group may sign in, and gets nothing for it', { skip }, async (t) => {
  const [program, seat] = [await start(t), await sit(t)]
  const person = willing(seat, program, 'company', 'bert')
  await assert.rejects(program.connect(person), (error) => !isSentAway(error))
  assert.equal((await knock(tokenOf(program))).status, 403)
  const subject = 'sub-bert'
  assert.equal((await company.entries('consent.given', { subject })).length, 1)
  assert.deepEqual(await company.entries('call.dispatched', { subject }), [])
  assert.ok((await company.entries('call.denied', { subject })).length > 0)
})

test('a question that one browser was asked is not answered in another', { skip }, async (t) => {
  const [program, seat, other] = [await start(t), await sit(t), await sit(t, isRefusal)]
  await program.connect(async (address) => {
    await seat.page.goto(address.href)
    await signIn(seat, 'company')
    await seat.page.getByRole('heading', { name: 'Allow this program?' }).waitFor()
    await other.page.goto(seat.page.url())
    await other.page.getByRole('heading', { name: 'There is nothing to answer here' }).waitFor()
    await look(other)
    await answer(seat, program, 'Allow')
  })
})

test('a document that lies inside the network makes no program known', { skip }, async (t) => {
  const documentUrl = 'https://localhost/program.json'
  const [program, seat] = [await start(t, 'v2-auto', { documentUrl }), await sit(t, isRefusal)]
  const stays = new Error('the browser stays')
  await assert.rejects(
    program.connect(async (address) => {
      assert.equal(address.searchParams.get('client_id'), documentUrl)
      await seat.page.goto(address.href)
      await seat.page.getByRole('heading', { name: 'This did not work' }).waitFor()
      await look(seat)
      throw stays
    }),
    stays,
  )
  assert.deepEqual(await company.entries('client.registered', { client: documentUrl }), [])
})

for (const kind of ['v1', 'v2-auto'] as const) {
  for (const way of ways) {
    const title = `the ${kind === 'v1' ? 'v1' : 'v2'} SDK knows an address alone, by ${way}`
    test(`${title}: it asks, a person says yes, it calls`, { skip }, async (t) => {
      const name = way === 'company' || way === 'works' ? 'ada' : `${way}-${kind}`
      const program = await start(t, kind, { name: `Program <b>${way}</b>` })
      const seat = await sit(t)
      if (way === 'password' || way === 'passkey') await makeAccount(company, seat, way, name)
      const { issuer, subject } = company.who(way, name)
      const client = await program.connect(async (address) => {
        await seat.page.goto(address.href)
        await signIn(seat, way, name)
        await answer(seat, program, 'Allow', async (page) => {
          const text = (await page.locator('main').textContent()) ?? ''
          const { host } = new URL(program.redirectUrl)
          const told = [program.name, 'shop', host, issuer, clientOf(program)]
          for (const word of told) assert.ok(text.includes(word), `the question names ${word}`)
        })
      })
      t.after(() => client.close())
      assert.deepEqual(await client.listTools(), ['execute_sql', 'search_objects'])
      const { isError, text } = await client.callTool('execute_sql', query)
      assert.equal(isError, false)
      assert.match(text, /"pan": "\*{12}\d{4}"/)
      assert.doesNotMatch(text, /\d{12}/)
      await assertTold({ issuer, subject }, program, way)
    })
  }
}

/** The record says who it was, by which program, on whose word. */
async function assertTold(
  who: { issuer: string; subject: string },
  program: Program,
  way: (typeof ways)[number],
): Promise<void> {
  const client = clientOf(program)
  const method = way === 'company' || way === 'works' ? way : 'people'
  const { gid } = decodeJwt(tokenOf(program))
  const [registered] = await company.entries('client.registered', { client })
  assert.ok(registered)
  assert.equal(registered['principal'], null)
  const rows = [
    ['signin.accepted', { ...who, method, at: 'authorization_server' }],
    ['consent.given', { ...who, client, name: program.name }],
    ['auth.accepted', { ...who, client, signIn: gid }],
  ] as const
  for (const [type, wanted] of rows) {
    const found = await company.entries(type, wanted)
    assert.equal(found.length > 0, true, `${type} of ${who.subject}`)
  }
  const [accepted] = await company.entries('auth.accepted', { client })
  const exchange = accepted?.['exchange']
  assert.ok(typeof exchange === 'string')
  const [opened] = await company.entries('session.opened', { exchange })
  assert.deepEqual(opened?.['principal'], accepted?.['principal'])
}

test('a browser that is signed in is asked again for each program', { skip }, async (t) => {
  const seat = await sit(t)
  const first = await start(t, 'v2-auto', { name: 'The first' })
  await first.authorize(willing(seat, first, 'company'))
  const second = await start(t, 'v1', { name: 'The second' })
  await second.authorize(async (address) => {
    await seat.page.goto(address.href)
    await answer(seat, second, 'Allow', async (page) => {
      assert.match((await page.locator('main').textContent()) ?? '', /The second.*Ada Lovelace/s)
    })
  })
  const [one, other] = [first, second].map((program) => decodeJwt(tokenOf(program)))
  assert.equal(one?.sub, other?.sub)
  assert.notEqual(one?.['gid'], other?.['gid'])
  // Each yes is a grant of its own: what ends one leaves the other alone.
  await refresh(first, first.kept.tokens?.refresh_token ?? '')
  await refresh(first, first.kept.tokens?.refresh_token ?? '')
  assert.equal((await knock(tokenOf(first))).status, 401)
  assert.notEqual((await knock(tokenOf(second))).status, 401)
})

test('nobody was asked for more than the two addresses of discovery', { skip }, async (t) => {
  for (const kind of ['v1', 'v2-auto'] as const) {
    const [program, seat] = [await start(t, kind), await sit(t)]
    await program.authorize(willing(seat, program, 'company'))
    const sent = program.sent.map(({ method, url, status, type }) =>
      [method, url.pathname, status, type].join(' '),
    )
    assert.deepEqual(sent, [
      'POST /mcp/shop 401 application/json',
      'GET /.well-known/oauth-protected-resource/mcp/shop 200 application/json',
      'GET /.well-known/oauth-authorization-server/oauth 200 application/json',
      'POST /oauth/reg 201 application/json',
      'POST /oauth/token 200 application/json',
    ])
  }
})

test('a token that has run out is renewed without the person', { skip }, async (t) => {
  const { client, program } = await letIn(t, 'ada')
  const before = program.kept.tokens
  assert.ok(before)
  program.saveTokens({ ...before, access_token: await ranOut(before.access_token) })
  const spoilt = await knock(tokenOf(program))
  assert.equal(spoilt.status, 401)
  assert.match(spoilt.challenge, /error="invalid_token"/)
  assert.equal((await client.callTool('execute_sql', query)).isError, false)
  assert.notEqual(program.kept.tokens?.refresh_token, before.refresh_token)
  assert.equal((await knock(tokenOf(program))).status === 401, false)
  const [first, second] = [before.access_token, tokenOf(program)].map((token) => decodeJwt(token))
  assert.equal(first?.['gid'], second?.['gid'])
})

/** A token of the gateway's own as it was ten minutes ago. */
async function ranOut(token: string): Promise<string> {
  const [key] = company.house.gateway.local?.privateKeys() ?? []
  assert.ok(key)
  const { iat = 0, exp = 0, ...claims } = decodeJwt(token)
  const { alg = '', ...header } = decodeProtectedHeader(token)
  return await new SignJWT({ ...claims, iat: iat - 600, exp: exp - 600 })
    .setProtectedHeader({ alg, ...header })
    .sign(await importJWK({ ...key }, 'ES256'))
}

test('a refresh token used twice ends the grant, and it is told', { skip }, async (t) => {
  const { client, program } = await letIn(t, 'ada')
  const before = program.kept.tokens
  assert.ok(before?.refresh_token)
  const renewed = await refresh(program, before.refresh_token)
  assert.equal(renewed.status, 200)
  const thief = await refresh(program, before.refresh_token)
  assert.deepEqual([thief.status, thief.said['error']], [400, 'invalid_grant'])
  const late = await refresh(program, String(renewed.said['refresh_token']))
  assert.deepEqual([late.status, late.said['error']], [400, 'invalid_grant'])
  for (const token of [before.access_token, String(renewed.said['access_token'])])
    assert.equal((await knock(token)).status, 401)
  const [client_, why] = [clientOf(program), 'refresh_token_reused']
  const ended = await company.entries('grant.ended', { client: client_, reason: why })
  const alerts = await company.entries('alert.raised', { client: client_, what: why })
  assert.deepEqual([ended.length, alerts.length], [1, 1])
  // The program finds out, and there is nothing left to go on with but the person.
  await assert.rejects(client.callTool('execute_sql', query), isSentAway)
  assert.ok(program.asked)
})

test('who is stopped is out at once, and does not come back', { skip }, async (t) => {
  const { client, program, seat } = await letIn(t, 'dora')
  const [access, renewal] = [tokenOf(program), program.kept.tokens?.refresh_token ?? '']
  const { issuer, subject } = company.who('company', 'dora')
  const target = { kind: 'principal', issuer, subject } as const
  const { gateway } = company.house
  const of = { reason: 'left', by: 'test', source: 'cli' } as const
  const { cut, revocation } = await gateway.stops.stop({ target, ...of })
  t.after(() => gateway.stops.lift(revocation.id, 'test', 'the test is over'))
  assert.ok(cut.sessions > 0 || client.version === '2026-07-28')
  assert.equal((await knock(access)).status, 401)
  const { status, said } = await refresh(program, renewal)
  assert.deepEqual([status, said['error']], [400, 'invalid_grant'])
  await assert.rejects(client.callTool('execute_sql', query), isSentAway)
  const ended = { subject, reason: 'person_stopped' }
  assert.equal((await company.entries('grant.ended', ended)).length, 1)
  // The provider still knows them and asks nothing; the gateway does not.
  const stays = new Error('the browser stays')
  await assert.rejects(
    program.connect(async (address) => {
      await seat.page.goto(address.href)
      await seat.page.getByRole('link', { name: 'Company account' }).click()
      await seat.page.getByRole('heading', { name: 'Not signed in' }).waitFor()
      await look(seat)
      throw stays
    }),
    stays,
  )
  assert.equal((await company.entries('signin.refused', { subject, reason: 'revoked' })).length, 1)
})

test('who signed out at the provider signs in anew', { skip }, async (t) => {
  const { program, seat } = await letIn(t, 'cleo')
  const before = program.kept.tokens
  const { subject } = company.who('company', 'cleo')
  const forged = await company.oidc.logoutToken(subject, { iss: company.saml.entityId })
  assert.equal(await signOut(forged), 400)
  assert.notEqual((await knock(tokenOf(program))).status, 401)
  const token = await company.oidc.logoutToken(subject)
  assert.equal(await signOut(token), 200)
  assert.equal(await signOut(token), 400)
  assert.equal((await knock(tokenOf(program))).status, 401)
  const { status, said } = await refresh(program, before?.refresh_token ?? '')
  assert.deepEqual([status, said['error']], [400, 'invalid_grant'])
  const [stop] = await company.entries('principal.revoked', { source: 'logout' })
  assert.ok(stop)
  // Tokens tell whole seconds: one of this second would be taken for one from before.
  const second = Math.floor(Date.now() / 1000)
  await until(() => Math.floor(Date.now() / 1000) > second, 2000)
  program.kept = {}
  // The provider still has a session with this browser; it is asked to look anew.
  await program.authorize(async (address) => {
    const { page } = seat
    await page.goto(address.href)
    await page.getByRole('link', { name: 'Company account' }).click()
    await page.getByLabel('User').fill('cleo')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await answer(seat, program, 'Allow')
  })
  assert.notEqual((await knock(tokenOf(program))).status, 401)
})

async function signOut(token: string): Promise<number> {
  const body = new URLSearchParams({ logout_token: token })
  const answer = await fetch(`${company.origin}/backchannel-logout/company`, {
    method: 'POST',
    body,
  })
  await answer.body?.cancel()
  return answer.status
}

test('a program of 2025-03-26 finds the same server at the root', { skip }, async (t) => {
  const [program, seat] = [await start(t), await sit(t)]
  const read = async (url: string, init?: RequestInit): Promise<Record<string, string>> =>
    (await (await fetch(url, init)).json()) as Record<string, string>
  const found = await read(`${company.origin}/.well-known/oauth-authorization-server`)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(program.clientMetadata)
  const made = await read(found['registration_endpoint'] ?? '', { method: 'POST', headers, body })
  const { client_id = '' } = made
  const code_verifier = 'v'.repeat(43)
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(code_verifier))
  const code_challenge = Buffer.from(digest).toString('base64url')
  // No scope, no resource, no state: none of them was asked for then.
  const pkce = { code_challenge, code_challenge_method: 'S256' }
  const { redirectUrl: redirect_uri } = program
  const asked = { response_type: 'code', client_id, redirect_uri, ...pkce }
  const query = new URLSearchParams(asked).toString()
  await seat.page.goto(`${found['authorization_endpoint']}?${query}`)
  await signIn(seat, 'company')
  await answer(seat, program, 'Allow', async (page) => {
    assert.match((await page.locator('main').textContent()) ?? '', /every connection/)
  })
  const code = new URL(seat.page.url()).searchParams.get('code') ?? ''
  const grant = { grant_type: 'authorization_code', code, code_verifier, client_id, redirect_uri }
  const form = new URLSearchParams(grant)
  const tokens = await read(found['token_endpoint'] ?? '', { method: 'POST', body: form })
  const client = await connectClient('v1', {
    url: company.house.mcp,
    token: tokens['access_token'] ?? '',
  })
  assert.deepEqual(await client.listTools(), ['execute_sql', 'search_objects'])
  await client.close()
})

/** What real clients were seen to ask for, of all ages: there, or plainly not there. */
const discovery: readonly [method: string, path: string, status: number][] = [
  ['GET', '/.well-known/oauth-protected-resource/mcp/shop', 200],
  ['GET', '/.well-known/oauth-authorization-server/oauth', 200],
  ['GET', '/.well-known/openid-configuration/oauth', 200],
  ['GET', '/oauth/.well-known/openid-configuration', 200],
  ['GET', '/oauth/.well-known/oauth-authorization-server', 200],
  ['GET', '/.well-known/oauth-authorization-server', 200],
  ['GET', '/.well-known/openid-configuration', 404],
  ['GET', '/.well-known/oauth-protected-resource', 404],
  ['GET', '/.well-known/oauth-protected-resource/mcp/other', 404],
  ['GET', '/.well-known/oauth-authorization-server/mcp/shop', 404],
  ['GET', '/.well-known/openid-configuration/mcp/shop', 404],
  ['GET', '/mcp/shop/.well-known/oauth-protected-resource', 404],
  ['GET', '/mcp/shop/.well-known/openid-configuration', 404],
  ['GET', '/register', 404],
  ['POST', '/register', 404],
  ['GET', '/authorize', 404],
  ['POST', '/token', 404],
  ['GET', '/favicon.ico', 404],
]

test('whatever clients look for is there, or plainly is not', { skip }, async () => {
  for (const [method, path, status] of discovery) {
    const answer = await fetch(`${company.origin}${path}`, { method })
    assert.equal(answer.status, status, path)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, path)
    assert.ok(answer.body === null || typeof (await answer.json()) === 'object', path)
  }
})

test('each page on the way was there, and keeps nobody out', { skip }, () => {
  const pages = [
    '/oauth/auth This did not work',
    '/oauth/i Allow this program?',
    '/oauth/i There is nothing to answer here',
    '/oauth/login/callback/company Not signed in',
    '/oauth/login/go/people Sign in',
    '/oauth/login/invite Set up your account',
    '/oauth/login/invite Your account',
    '/oauth/login/invite/password Your account is ready',
    '/oauth/login/invite/ready Your account is ready',
    '/oauth/login/start Sign in',
  ]
  const found = [...looked].map((page) => page.replace(' · Sallyport', ''))
  assert.deepEqual(found.toSorted(), pages)
})

test('nothing that was handed out stands in a file or a log of ours', { skip }, () => {
  const { house } = company
  const text = house.allBytes() + house.log()
  assert.ok(handedOut.length > 20)
  for (const secret of handedOut) assert.equal(text.includes(secret), false)
})
