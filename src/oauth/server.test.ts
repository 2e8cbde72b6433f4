/** What clients and people get when all is well, and that it ends when it must. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { Fault } from '../base/fault.ts'
import { rotateLocalKey } from '../identity/local-keys.ts'
import { Browser, refusalOf } from './browser.fixture.ts'
import { openDesk, person } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import {
  authorizeUrl,
  clientId,
  codeFor,
  redirectUri,
  refresh,
  register,
  token,
  tokensFor,
  verifier,
} from './flow.fixture.ts'

let desk: Desk
before(async () => {
  desk = await openDesk()
})
after(() => desk.close())
beforeEach(() => {
  desk.who = person({ subject: 'ada' })
  desk.isStopped = () => false
  desk.isBreakGlass = false
  desk.isRecordDown = false
  desk.notes.length = 0
  desk.stopped.length = 0
})

test('a client gets through registration, sign-in and consent to a token for one connection', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  const access = String(tokens['access_token'])
  const jwks = createRemoteJWKSet(new URL(`${desk.publicUrl}/oauth/jwks`))
  const { payload, protectedHeader } = await jwtVerify(access, jwks, {
    issuer: `${desk.publicUrl}/oauth`,
    audience: `${desk.publicUrl}/mcp/shop`,
    typ: 'at+jwt',
    algorithms: ['ES256'],
  })
  assert.ok(protectedHeader.kid)
  const { sub, client_id, scope, sp, gid, sid, iat = 0, exp = 0 } = payload
  assert.deepEqual(
    { sub, client_id, scope, sp },
    { sub: desk.who.id, client_id: client, scope: 'mcp', sp: true },
  )
  assert.equal(exp - iat, 300)
  assert.equal(gid, desk.server.grants(desk.who.id)[0]?.id)
  assert.equal(typeof sid, 'string')
  assert.deepEqual(
    desk.notes.map(({ type, subject, connection }) => [type, subject, connection]),
    [
      ['client.registered', undefined, undefined],
      ['consent.given', 'ada', 'shop'],
    ],
  )
  assert.deepEqual(desk.notes[0]?.details, {
    client,
    name: 'Tester',
    how: 'dynamic',
    redirects: ['127.0.0.1:3333'],
  })
  assert.equal(desk.notes[1]?.details['redirect'], '127.0.0.1:3333')
  assert.deepEqual(desk.defects, [])
})

test('the redirect carries code, state and issuer, whether the answer is yes or no', async () => {
  const client = await clientId(desk)
  for (const answer of ['allow', 'deny'] as const) {
    const browser = new Browser(desk.publicUrl)
    const end = await browser.press(await browser.visit(authorizeUrl(desk, client)), answer)
    assert.equal(`${end.url.origin}${end.url.pathname}`, redirectUri)
    const params = Object.fromEntries(end.url.searchParams)
    assert.equal(params['iss'], `${desk.publicUrl}/oauth`)
    assert.equal(params['state'], 'st')
    assert.equal(params['error'], answer === 'deny' ? 'access_denied' : undefined)
    assert.equal('code' in params, answer === 'allow')
  }
})

test('a no is recorded with who said it, to which program and where that would have been told', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  await browser.press(await browser.visit(authorizeUrl(desk, client)), 'deny')
  const { type, subject, details } = desk.notes.at(-1) ?? {}
  assert.deepEqual([type, subject], ['consent.refused', 'ada'])
  assert.deepEqual(details, { client, name: 'Tester', redirect: '127.0.0.1:3333' })
  assert.equal(desk.server.grants(desk.who.id).length, 0)
})

test('the metadata is the same at each address where clients look for it', async () => {
  const addresses = [
    '/.well-known/oauth-authorization-server/oauth',
    '/.well-known/openid-configuration/oauth',
    '/oauth/.well-known/openid-configuration',
    '/oauth/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server',
  ]
  const texts = await Promise.all(
    addresses.map(async (path) => {
      // Whoever writes such headers must not decide where clients send their codes.
      const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' }
      const answer = await fetch(`${desk.publicUrl}${path}`, { headers })
      assert.equal(answer.status, 200, path)
      return await answer.text()
    }),
  )
  assert.equal(new Set(texts).size, 1)
  const at = `${desk.publicUrl}/oauth`
  const found = JSON.parse(texts[0] ?? '')
  assert.deepEqual(found.code_challenge_methods_supported, ['S256'])
  assert.equal(found.authorization_response_iss_parameter_supported, true)
  assert.deepEqual(found.scopes_supported, ['openid', 'offline_access', 'mcp'])
  assert.deepEqual(found.response_types_supported, ['code'])
  assert.deepEqual(found.response_modes_supported, ['query'])
  assert.deepEqual(found.grant_types_supported, ['authorization_code', 'refresh_token'])
  assert.equal(found.client_id_metadata_document_supported, undefined)
  assert.deepEqual(
    [found.issuer, found.authorization_endpoint, found.token_endpoint, found.jwks_uri],
    [at, `${at}/auth`, `${at}/token`, `${at}/jwks`],
  )
  assert.deepEqual(
    [found.registration_endpoint, found.revocation_endpoint],
    [`${at}/reg`, `${at}/token/revocation`],
  )
  for (const off of [
    'userinfo',
    'introspection',
    'end_session',
    'device_authorization',
    'pushed_authorization_request',
  ]) {
    assert.equal(found[`${off}_endpoint`], undefined, off)
  }
})

test('paths of other stations are let be, and those of the library that are off are not there', async () => {
  const [other, off, wrong] = await Promise.all([
    fetch(`${desk.publicUrl}/mcp/shop`),
    fetch(`${desk.publicUrl}/oauth/session/end/confirm`, { method: 'POST' }),
    fetch(`${desk.publicUrl}/oauth/token`),
  ])
  assert.equal(await other.text(), 'another station')
  assert.deepEqual([off.status, wrong.status], [404, 405])
})

const resources: readonly [asked: string | undefined, audience: string | undefined][] = [
  ['/mcp/shop', '/mcp/shop'],
  ['/mcp/shop/', '/mcp/shop'],
  ['', ''],
  ['/', ''],
  [undefined, ''],
  ['/mcp/other', undefined],
  ['/mcp/shop//', undefined],
  ['/mcp/SHOP', undefined],
  ['/mcp/shop?x=1', undefined],
  ['/mcp/shop/../payments', undefined],
  ['/mcp/payments%2f', undefined],
  ['/mcp', undefined],
]
for (const [asked, audience] of resources) {
  test(`a token for ${asked ?? 'nothing in particular'} is ${audience === undefined ? 'refused' : `for ${audience || 'the gateway'}`}`, async () => {
    const client = await clientId(desk)
    const resource = asked === undefined ? undefined : desk.publicUrl + asked
    if (audience === undefined) {
      const end = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client, { resource }))
      assert.equal(refusalOf(end), 'invalid_target')
      return
    }
    const made = await token(desk, {
      grant_type: 'authorization_code',
      client_id: client,
      code: await codeFor(desk, client, { resource }),
      code_verifier: verifier,
      redirect_uri: redirectUri,
      ...(resource === undefined ? {} : { resource }),
    })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    assert.equal(decodeJwt(String(made.body['access_token'])).aud, desk.publicUrl + audience)
  })
}
for (const scope of [undefined, '', 'mcp', 'files:read', 'mcp files:read offline_access']) {
  test(`a client that asks for ${scope === undefined ? 'no scope' : `the scope "${scope}"`} gets mcp`, async () => {
    const client = await clientId(desk)
    const made = await token(desk, {
      grant_type: 'authorization_code',
      client_id: client,
      code: await codeFor(desk, client, { scope }),
      code_verifier: verifier,
      redirect_uri: redirectUri,
    })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    assert.equal(decodeJwt(String(made.body['access_token']))['scope'], 'mcp')
  })
}
test('an ID token is for the client, and no access token', async () => {
  const client = await clientId(desk)
  const made = await token(desk, {
    grant_type: 'authorization_code',
    client_id: client,
    code: await codeFor(desk, client, { scope: 'openid mcp', nonce: 'n' }),
    code_verifier: verifier,
    redirect_uri: redirectUri,
  })
  const id = String(made.body['id_token'])
  const { aud, sub, nonce, sp } = decodeJwt(id)
  assert.deepEqual(
    { aud, sub, nonce, sp },
    { aud: client, sub: desk.who.id, nonce: 'n', sp: undefined },
  )
  assert.notEqual(decodeProtectedHeader(id).typ, 'at+jwt')
  assert.equal(decodeJwt(String(made.body['access_token'])).aud, `${desk.publicUrl}/mcp/shop`)
})
test('a resource of another origin is refused', async () => {
  const client = await clientId(desk)
  const resource = 'https://elsewhere.example/mcp/shop'
  const end = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client, { resource }))
  assert.equal(refusalOf(end), 'invalid_target')
})

test('a refresh token is good once; used again it ends the grant, the new one with it', async () => {
  const client = await clientId(desk)
  const first = await tokensFor(desk, client)
  const second = await refresh(desk, client, first['refresh_token'])
  assert.equal(second.status, 200, JSON.stringify(second.body))
  assert.notEqual(second.body['refresh_token'], first['refresh_token'])
  assert.equal(decodeJwt(String(second.body['access_token'])).aud, `${desk.publicUrl}/mcp/shop`)
  desk.notes.length = 0
  const again = await refresh(desk, client, first['refresh_token'])
  assert.deepEqual([again.status, again.body['error']], [400, 'invalid_grant'])
  const newer = await refresh(desk, client, second.body['refresh_token'])
  assert.deepEqual([newer.status, newer.body['error']], [400, 'invalid_grant'])
  const gid = decodeJwt(String(first['access_token']))['gid']
  assert.deepEqual(desk.stopped, [gid]) // The access tokens that are out.
  assert.deepEqual(
    desk.notes.map(({ type, details, subject }) => [
      type,
      subject,
      details['what'] ?? details['reason'],
      details['grant'],
    ]),
    [
      ['alert.raised', 'ada', 'refresh_token_reused', gid],
      ['grant.ended', 'ada', 'refresh_token_reused', gid],
    ],
  )
  assert.equal(desk.server.grants(desk.who.id).length, 0)
})

test('of many who come with one refresh token at once, one gets tokens at most, and the grant ends', async () => {
  const client = await clientId(desk)
  const first = await tokensFor(desk, client)
  const all = await Promise.all(
    Array.from({ length: 8 }, () => refresh(desk, client, first['refresh_token'])),
  )
  const good = all.filter(({ status }) => status === 200)
  assert.ok(good.length <= 1, `${good.length} got tokens`)
  for (const { body } of good) {
    assert.equal((await refresh(desk, client, body['refresh_token'])).status, 400)
  }
  assert.equal(desk.server.grants(desk.who.id).length, 0)
  assert.equal(desk.notes.filter(({ type }) => type === 'grant.ended').length, 1)
  assert.deepEqual(desk.defects, [])
})

test('a code is good once; used again it ends the grant and its refresh token', async () => {
  const client = await clientId(desk)
  const code = await codeFor(desk, client)
  const params = {
    grant_type: 'authorization_code',
    client_id: client,
    code,
    code_verifier: verifier,
    redirect_uri: redirectUri,
  }
  const first = await token(desk, params)
  assert.equal(first.status, 200)
  const second = await token(desk, params)
  assert.deepEqual([second.status, second.body['error']], [400, 'invalid_grant'])
  assert.equal((await refresh(desk, client, first.body['refresh_token'])).status, 400)
  const ended = desk.notes.find(({ type }) => type === 'grant.ended')
  assert.equal(ended?.details['reason'], 'code_reused')
})

test('a client gives its refresh token back, and the grant is over', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  const body = new URLSearchParams({ client_id: client, token: String(tokens['refresh_token']) })
  const init = { method: 'POST', body }
  const answer = await fetch(`${desk.publicUrl}/oauth/token/revocation`, init)
  assert.equal(answer.status, 200)
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 400)
  assert.equal(desk.notes.at(-1)?.details['reason'], 'revoked_by_client')
  assert.equal(
    desk.notes.some(({ type }) => type === 'alert.raised'),
    false,
  )
  assert.equal(desk.stopped.length, 1)
})

test('all of it is still there after a restart, and nothing that lets anybody in lies on the disk', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  const code = await codeFor(desk, client)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  await desk.reopen()
  const files = ['state.sqlite', 'state.sqlite-wal'].map((name) => {
    try {
      return readFileSync(join(desk.dataDir, name)).toString('latin1')
    } catch {
      return ''
    }
  })
  const cookies = browser.cookies(`/oauth/i/x`).matchAll(/=([\w-]{20,})/g)
  const secrets = [tokens['refresh_token'], code, ...[...cookies].map(([, value]) => value)]
  assert.ok(secrets.length >= 3)
  for (const secret of secrets) {
    for (const text of files) assert.equal(text.includes(String(secret)), false)
  }
  assert.ok(files.join('').includes(client)) // It was looked for in the right place.
  const refreshed = await refresh(desk, client, tokens['refresh_token'])
  assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body))
  const end = await browser.press(page, 'allow')
  assert.ok(end.url.searchParams.get('code'))
})

const stops: readonly [what: string, stop: (who: { issuer: string; subject: string }) => void][] = [
  ['is stopped', ({ subject }) => (desk.isStopped = (one) => one.subject === subject)],
  ['has ended', () => desk.people.set(desk.who.id, { ...desk.who, endsMs: Date.now() - 1 })],
  ['is unknown', () => desk.people.delete(desk.who.id)],
]
for (const [what, stop] of stops) {
  test(`a person who ${what} gets no token for a code, and none for a refresh token`, async () => {
    const client = await clientId(desk)
    const tokens = await tokensFor(desk, client)
    const code = await codeFor(desk, client)
    stop(desk.who)
    const made = await token(desk, {
      grant_type: 'authorization_code',
      client_id: client,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    })
    assert.deepEqual([made.status, made.body['error']], [400, 'invalid_grant'])
    const again = await refresh(desk, client, tokens['refresh_token'])
    assert.deepEqual([again.status, again.body['error']], [400, 'invalid_grant'])
  })
}

test('a person who is stopped is sent back with access_denied, signed in here before or not', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  await browser.press(await browser.visit(authorizeUrl(desk, client)), 'allow')
  desk.isStopped = ({ subject }) => subject === 'ada'
  for (const one of [browser, new Browser(desk.publicUrl)]) {
    const end = await one.visit(authorizeUrl(desk, client))
    assert.equal(refusalOf(end), 'access_denied')
  }
  assert.deepEqual(desk.defects, [])
})

test('who was signed out everywhere a while ago signs in and allows a program', async () => {
  const client = await clientId(desk)
  const beforeMs = Date.now() - 5_000
  desk.isStopped = ({ issuedAtMs = 0, subject }) => subject === 'ada' && issuedAtMs <= beforeMs
  assert.ok((await tokensFor(desk, client))['access_token'])
})

test('whoever is stopped between question and answer has allowed nothing', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  desk.isStopped = ({ subject }) => subject === 'ada'
  const end = await browser.press(page, 'allow')
  assert.equal(end.status, 400)
  assert.equal(desk.server.grants(desk.who.id).length, 0)
})

test('a client that is stopped gets nothing for anybody', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  desk.isStopped = (who) => who.clientId === client
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 400)
  const end = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client))
  assert.equal(refusalOf(end), 'access_denied')
})

test('who signed out everywhere has refresh tokens of before no more, and gets new ones', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  const beforeMs = Date.now() + 500
  desk.isStopped = ({ issuedAtMs = Infinity }) => issuedAtMs <= beforeMs
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 400)
})

test('while nobody can say who is stopped, nobody gets in, and no client is told its grant is bad', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  desk.isStopped = () => {
    throw new Fault('identity_down', 'the list cannot be read')
  }
  const made = await refresh(desk, client, tokens['refresh_token'])
  assert.deepEqual([made.status, made.body['error']], [503, 'temporarily_unavailable'])
  const end = await browser.post(page, 'allow', { accept: 'text/html' })
  assert.equal(end.status, 503)
  assert.match(end.text, /Nothing was allowed/)
  const other = await browser.visit(authorizeUrl(desk, client))
  assert.equal(refusalOf(other), 'temporarily_unavailable')
  desk.isStopped = () => false
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 200)
  assert.equal(desk.defects.length, 3)
  desk.defects.length = 0
})

test('a break-glass account lends itself to no program', async () => {
  desk.isBreakGlass = true
  const end = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, await clientId(desk)))
  assert.equal(refusalOf(end), 'access_denied')
})

test('ending a person ends sessions, grants, codes and refresh tokens, and says so', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const tokens = await tokensFor(desk, client)
  const end = await browser.press(await browser.visit(authorizeUrl(desk, client)), 'allow')
  const code = end.url.searchParams.get('code') ?? ''
  const pending = await browser.visit(authorizeUrl(desk, client))
  desk.notes.length = 0
  assert.deepEqual(await desk.server.revokePerson(desk.who.id), { grants: 2, sessions: 2 })
  assert.deepEqual(
    desk.notes.map(({ type, details }) => [type, details['reason']]),
    [
      ['grant.ended', 'person_stopped'],
      ['grant.ended', 'person_stopped'],
    ],
  )
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 400)
  const params = { grant_type: 'authorization_code', client_id: client, code }
  const made = await token(desk, { ...params, code_verifier: verifier, redirect_uri: redirectUri })
  assert.equal(made.status, 400)
  assert.equal((await browser.press(pending, 'allow')).status, 400)
})

test('one person’s end is not another’s', async () => {
  const client = await clientId(desk)
  const adas = await tokensFor(desk, client)
  desk.who = person({ subject: 'bob' })
  await tokensFor(desk, client)
  await desk.server.revokePerson(desk.who.id)
  assert.equal((await refresh(desk, client, adas['refresh_token'])).status, 200)
})

test('ending one grant leaves the person’s other device alone', async () => {
  const client = await clientId(desk)
  const [one, two] = [await tokensFor(desk, client), await tokensFor(desk, client)]
  const [first] = desk.server.grants(desk.who.id)
  assert.equal(await desk.server.endGrant(first?.id ?? '', 'ended_by_person'), true)
  assert.equal(await desk.server.endGrant(first?.id ?? '', 'ended_by_person'), false)
  assert.deepEqual(desk.stopped, [first?.id])
  assert.equal((await refresh(desk, client, one['refresh_token'])).status, 400)
  assert.equal((await refresh(desk, client, two['refresh_token'])).status, 200)
})

test('ending a client ends its grants, and it is unknown from then on', async () => {
  const client = await clientId(desk)
  const tokens = await tokensFor(desk, client)
  assert.deepEqual(await desk.server.revokeClient(client), { grants: 1, sessions: 0 })
  const again = await refresh(desk, client, tokens['refresh_token'])
  assert.deepEqual([again.status, again.body['error']], [401, 'invalid_client'])
})

test('a yes that cannot be recorded is none, and neither is a registration', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  desk.isRecordDown = true
  const end = await browser.press(page, 'allow')
  assert.equal(end.status, 500)
  assert.equal(desk.server.grants(desk.who.id).length, 0)
  const count = desk.server.clients().length
  assert.equal((await register(desk)).status, 500)
  assert.equal(desk.server.clients().length, count)
  desk.defects.length = 0
})

test('refresh tokens end with the time of the first, however often they are rotated', async () => {
  const client = await clientId(desk)
  const first = await tokensFor(desk, client)
  try {
    desk.aheadMs = 7 * 3_600_000
    const second = await refresh(desk, client, first['refresh_token'])
    assert.equal(second.status, 200)
    desk.aheadMs = 8 * 3_600_000 + 120_000
    assert.equal((await refresh(desk, client, second.body['refresh_token'])).status, 400)
    assert.ok(desk.server.sweep() >= 2)
    assert.equal(desk.server.grants(desk.who.id).length, 0)
  } finally {
    desk.aheadMs = 0
  }
})

test('a client nobody uses is forgotten: after a day, or thirty once somebody allowed it', async () => {
  const [granted, idle] = [await clientId(desk), await clientId(desk)]
  await codeFor(desk, granted)
  await codeFor(desk, idle)
  const [asked, fresh] = [await clientId(desk), await clientId(desk)]
  const hourMs = 3_600_000
  const kept = (): boolean[] => {
    desk.server.sweep()
    const ids = desk.server.clients().map(({ id }) => id)
    return [granted, idle, asked, fresh].map((id) => ids.includes(id))
  }
  const ask = (id: string): Promise<unknown> =>
    new Browser(desk.publicUrl).visit(authorizeUrl(desk, id))
  try {
    desk.aheadMs = 23 * hourMs
    await ask(asked)
    desk.aheadMs = 25 * hourMs
    assert.deepEqual(kept(), [true, true, true, false])
    desk.aheadMs = 48 * hourMs
    assert.deepEqual(kept(), [true, true, false, false])
    desk.aheadMs = 29 * 24 * hourMs
    await ask(granted)
    desk.aheadMs = 31 * 24 * hourMs
    assert.deepEqual(kept(), [true, false, false, false])
  } finally {
    desk.aheadMs = 0
  }
})

test('a sign-in that takes more than ten minutes ends on a page that says so', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  try {
    desk.aheadMs = 601_000
    const end = await browser.post(page, 'allow')
    assert.equal(end.status, 400)
    assert.match(end.text, /older than ten minutes/)
  } finally {
    desk.aheadMs = 0
  }
})

test('a rotated key is published before it signs, signs without a restart, and the old one still verifies', async () => {
  const desk = await openDesk()
  const client = await clientId(desk)
  const before = await tokensFor(desk, client)
  const kidOf = (tokens: Record<string, unknown>): unknown =>
    decodeProtectedHeader(String(tokens['access_token'])).kid
  const published = async (): Promise<string[]> => {
    const answer = await fetch(`${desk.publicUrl}/oauth/jwks`)
    const { keys } = (await answer.json()) as { keys: Record<string, string>[] }
    for (const key of keys) assert.equal('d' in key, false)
    return keys.map(({ kid = '' }) => kid).toSorted()
  }
  const rotated = await rotateLocalKey(desk.dataDir, Date.now(), 60_000)
  try {
    desk.aheadMs = 5_000
    const early = await tokensFor(desk, client)
    assert.equal(kidOf(early), kidOf(before))
    assert.deepEqual(await published(), [String(kidOf(before)), rotated.kid].toSorted())
    desk.aheadMs = 70_000
    const late = await refresh(desk, client, early['refresh_token'])
    assert.equal(kidOf(late.body), rotated.kid)
    assert.deepEqual(await published(), [String(kidOf(before)), rotated.kid].toSorted())
  } finally {
    await desk.close()
  }
})

test('who is signed in is not asked to sign in again, but always whether the program may', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  await browser.press(await browser.visit(authorizeUrl(desk, client)), 'allow')
  desk.who = person({ subject: 'mallory' }) // Whoever the sign-in would name, were it asked.
  const page = await browser.visit(authorizeUrl(desk, client))
  assert.match(page.text, /Allow this program/)
  assert.match(page.text, /<bdi>Ada<\/bdi>/)
  const silent = await browser.visit(authorizeUrl(desk, client, { prompt: 'none' }))
  assert.equal(refusalOf(silent), 'consent_required')
})

test('another person signs in where one was signed in: the first one’s session is over', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  await browser.press(await browser.visit(authorizeUrl(desk, client)), 'allow')
  const ada = desk.who
  desk.who = person({ subject: 'bob', name: 'Bob' })
  const page = await browser.visit(authorizeUrl(desk, client, { prompt: 'login' }))
  assert.match(page.text, /<bdi>Bob<\/bdi>/, page.text)
  const end = await browser.press(page, 'allow')
  assert.ok(end.url.searchParams.get('code'))
  assert.deepEqual(desk.server.grants(desk.who.id).length, 1)
  assert.equal((await desk.server.revokePerson(ada.id)).sessions, 0)
})
