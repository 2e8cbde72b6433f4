/** What strangers try at the authorization server: each must fail, and leave nothing behind. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, beforeEach, test } from 'node:test'
import { Browser, offOf } from './browser.fixture.ts'
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
after(async () => {
  await desk.close()
  assert.deepEqual(desk.defects, [])
})
beforeEach(() => {
  desk.who = person()
})

const refusedRedirects: readonly [what: string, uris: unknown, type?: string][] = [
  ['plain http', ['http://app.example.com/cb']],
  ['plain http, of a native client', ['http://app.example.com/cb'], 'native'],
  ['plain http beside loopback', [redirectUri, 'http://app.example.com/cb']],
  ['a name that only begins like loopback', ['http://localhost.evil.example/cb']],
  ['loopback as somebody’s user name', ['http://127.0.0.1@evil.example/cb']],
  ['a wildcard in the host', ['https://*.example.com/cb']],
  ['a wildcard in the path', ['https://example.com/*']],
  ['a fragment', ['https://example.com/cb#x']],
  ['credentials', ['https://me:pw@example.com/cb']],
  ['a script', ['javascript:alert(1)//cb']],
  ['a script of a native client', ['javascript:alert(1)//cb'], 'native'],
  ['a data address', ['data:text/html,x'], 'native'],
  ['a file', ['file:///etc/passwd'], 'native'],
  ['a backslash', ['https://example.com\\@evil.example/cb']],
  ['a line break', ['https://example.com/\ncb']],
  ['no address', ['cb']],
  ['a number', [1]],
  ['none', []],
  ['no list', 'https://example.com/cb'],
  ['eleven of them', Array.from({ length: 11 }, (_, i) => `https://example.com/${i}`)],
  ['a very long one', [`https://example.com/${'x'.repeat(3000)}`]],
  ['https on loopback', ['https://localhost/cb']],
]
for (const [what, redirect_uris, application_type] of refusedRedirects) {
  test(`a client is not registered with ${what} for a redirect`, async () => {
    const count = desk.server.clients().length
    const made = await register(desk, {
      redirect_uris,
      ...(application_type === undefined ? {} : { application_type }),
    })
    assert.deepEqual([made.status, made.body['error']], [400, 'invalid_redirect_uri'])
    assert.equal(desk.server.clients().length, count)
  })
}

test('bodies that are no registration are refused', async () => {
  const bodies: readonly [type: string, body: string][] = [
    ['application/json', '[]'],
    ['application/json', 'null'],
    ['application/json', '{'],
    ['application/json', ''],
    ['text/plain', JSON.stringify({ redirect_uris: [redirectUri] })],
    ['application/x-www-form-urlencoded', 'redirect_uris=x'],
  ]
  for (const [type, body] of bodies) {
    const headers = { 'content-type': type }
    const answer = await fetch(`${desk.publicUrl}/oauth/reg`, { method: 'POST', headers, body })
    assert.equal(answer.status, 400, body)
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client_metadata')
  }
})

for (const path of ['/oauth/reg', '/oauth/token', '/oauth/token/revocation', '/oauth/login/x']) {
  test(`a body of a mebibyte and more is refused at ${path}`, async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const answer = await fetch(desk.publicUrl + path, {
      ...init,
      body: 'x'.repeat(1024 * 1024 + 1),
    })
    assert.equal(answer.status, 413)
  })
}
test('a body without an end is refused as soon as it is over the limit', async () => {
  const status = await new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const req = request(`${desk.publicUrl}/oauth/reg`, options, (res) => {
      resolve(res.statusCode)
      req.destroy()
    })
    req.on('error', reject)
    req.write('x'.repeat(20_000)) // In chunks, and never ended.
  })
  assert.equal(status, 413)
})

test('whoever registers gets no secret, no scope that is not ours, and nothing it asked for besides', async () => {
  const made = await register(desk, {
    scope: 'mcp files:read admin',
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', 'implicit'],
    response_types: ['code', 'token'],
    jwks_uri: 'https://127.0.0.1/keys',
    sector_identifier_uri: 'https://127.0.0.1/sector',
    client_id: 'chosen',
    software_id: 'x',
    __proto__: { x: 1 },
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.equal(made.body['token_endpoint_auth_method'], 'none')
  assert.equal(made.body['client_secret'], undefined)
  assert.equal(made.body['scope'], 'openid offline_access mcp')
  assert.deepEqual(made.body['grant_types'], ['authorization_code', 'refresh_token'])
  assert.deepEqual(made.body['response_types'], ['code'])
  assert.equal(made.body['jwks_uri'], undefined)
  assert.equal(made.body['registration_access_token'], undefined)
  assert.notEqual(made.body['client_id'], 'chosen')
})

test('one address registers so many clients an hour, and another may meanwhile', async () => {
  const few = await openDesk({ registrationsPerHourMax: 2 })
  try {
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await register(few)).status)
    assert.deepEqual(statuses, [201, 201, 429])
    const other = await register(few, {}, { 'x-test-ip': '198.51.100.7' })
    assert.equal(other.status, 201)
    few.aheadMs = 3_600_001
    assert.equal((await register(few)).status, 201)
  } finally {
    await few.close()
  }
})

test('with registration off there is no such address, and the metadata does not name it', async () => {
  const closed = await openDesk({ dynamicRegistration: false })
  try {
    const answer = await fetch(`${closed.publicUrl}/oauth/reg`, { method: 'POST', body: '{}' })
    assert.equal(answer.status, 404)
    const found = await fetch(`${closed.publicUrl}/oauth/.well-known/openid-configuration`)
    assert.equal('registration_endpoint' in ((await found.json()) as object), false)
  } finally {
    await closed.close()
  }
})

const badRequests: readonly [
  what: string,
  over: Record<string, string | undefined>,
  seen: string | 400,
][] = [
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a token in the address', { response_type: 'token' }, 'unsupported_response_type'],
  ['an ID token', { response_type: 'id_token', nonce: 'n' }, 'unsupported_response_type'],
  ['another redirect', { redirect_uri: 'http://127.0.0.1:3333/other' }, 400],
  ['a redirect of another host', { redirect_uri: 'https://evil.example/cb' }, 400],
  ['a redirect that only begins alike', { redirect_uri: `${redirectUri}.evil.example` }, 400],
  ['a redirect with a query', { redirect_uri: `${redirectUri}?x=1` }, 400],
  ['no redirect', { redirect_uri: undefined }, 400],
  ['an unknown client', { client_id: 'cl_nobody' }, 400],
  ['a client that is an address inside', { client_id: 'https://127.0.0.1/client' }, 400],
  ['an answer by form', { response_mode: 'form_post' }, 400],
  ['an answer in the fragment', { response_mode: 'fragment' }, 400],
  ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
  ['a request by address', { request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
]
for (const [what, over, seen] of badRequests) {
  test(`a request with ${what} is refused`, async () => {
    const client = await clientId(desk)
    const end = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client, over))
    if (seen === 400) {
      assert.equal(end.status, 400)
      assert.equal(end.headers.get('location'), null)
      assert.match(end.headers.get('content-security-policy') ?? '', /default-src 'none'/)
      assert.doesNotMatch(end.text, /<script|https?:\/\/(?!127\.0\.0\.1)[^"]*\.(css|woff)/)
      return
    }
    // Nobody has looked at this client: the browser stays, and the person is told.
    assert.equal(end.status, 400)
    assert.equal(end.headers.get('location'), null)
    assert.match(end.text, new RegExp(`<code>${seen}</code>`))
    const to = offOf(end)
    assert.equal(to?.href.startsWith(redirectUri), true)
    // Errors of answers by fragment go there (OAuth 2.0 Multiple Response Types §5).
    const said = new URLSearchParams(to.search || to.hash.slice(1))
    assert.equal(said.get('error'), seen)
    assert.equal(said.get('iss'), `${desk.publicUrl}/oauth`) // Mix-up, RFC 9207.
  })
}

test('any port of loopback is taken of a client that said nothing of its kind, the path is not', async () => {
  const client = await clientId(desk, { redirect_uris: ['http://localhost/cb'] })
  const url = authorizeUrl(desk, client, { redirect_uri: 'http://localhost:49152/cb' })
  const page = await new Browser(desk.publicUrl).visit(url)
  assert.match(page.text, /localhost:49152/)
  const other = authorizeUrl(desk, client, { redirect_uri: 'http://localhost:49152/else' })
  assert.equal((await new Browser(desk.publicUrl).visit(other)).status, 400)
})
test('a scheme of a program’s own is registered without saying so, and warned of', async () => {
  const uri = 'cursor://anysphere.cursor/oauth'
  const client = await clientId(desk, { redirect_uris: [uri] })
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client, { redirect_uri: uri }))
  assert.match(page.text, /class="warning"/)
  const end = await browser.press(page, 'allow')
  assert.equal(end.url.protocol, 'cursor:')
})

const badExchanges: readonly [what: string, over: Record<string, string>, error: string][] = [
  ['a wrong verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
  ['no verifier', { code_verifier: '' }, 'invalid_grant'],
  ['another redirect', { redirect_uri: 'http://127.0.0.1:4444/cb' }, 'invalid_grant'],
  ['a resource nobody asked for', { resource: '/mcp/payments' }, 'invalid_target'],
  ['a resource elsewhere', { resource: 'https://evil.example/' }, 'invalid_target'],
  ['a code nobody made', { code: 'x'.repeat(43) }, 'invalid_grant'],
]
for (const [what, over, error] of badExchanges) {
  test(`a code is not exchanged with ${what}`, async () => {
    const client = await clientId(desk)
    const resource = over['resource']?.startsWith('/')
      ? { resource: desk.publicUrl + over['resource'] }
      : {}
    const made = await token(desk, {
      grant_type: 'authorization_code',
      client_id: client,
      code: await codeFor(desk, client),
      code_verifier: verifier,
      redirect_uri: redirectUri,
      ...over,
      ...resource,
    })
    assert.equal(made.status, 400)
    assert.equal(made.body['error'], error)
    assert.equal(made.body['access_token'], undefined)
  })
}

test('another client can use neither a code nor a refresh token', async () => {
  const [client, thief] = [await clientId(desk), await clientId(desk)]
  const made = await token(desk, {
    grant_type: 'authorization_code',
    client_id: thief,
    code: await codeFor(desk, client),
    code_verifier: verifier,
    redirect_uri: redirectUri,
  })
  assert.deepEqual([made.status, made.body['error']], [400, 'invalid_grant'])
  const tokens = await tokensFor(desk, client)
  assert.equal((await refresh(desk, thief, tokens['refresh_token'])).status, 400)
  const body = new URLSearchParams({ client_id: thief, token: String(tokens['refresh_token']) })
  await fetch(`${desk.publicUrl}/oauth/token/revocation`, { method: 'POST', body })
  assert.equal((await refresh(desk, client, tokens['refresh_token'])).status, 200)
})

for (const grant_type of [
  'client_credentials',
  'password',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:device_code',
]) {
  test(`there is no grant ${grant_type}`, async () => {
    const made = await token(desk, { grant_type, client_id: await clientId(desk), assertion: 'x' })
    assert.deepEqual([made.status, made.body['error']], [400, 'unsupported_grant_type'])
  })
}

test('a second browser can neither see, nor answer, nor finish what another began', async () => {
  const client = await clientId(desk)
  const victim = new Browser(desk.publicUrl)
  const page = await victim.visit(authorizeUrl(desk, client))
  const uid = /\/oauth\/i\/([\w-]+)/.exec(page.text)?.[1] ?? ''
  assert.ok(uid)
  const other = new Browser(desk.publicUrl)
  await other.visit(authorizeUrl(desk, client)) // It has cookies of its own.
  for (const path of [`/oauth/i/${uid}`, `/oauth/i/${uid}/back?c=x`, `/oauth/auth/${uid}`]) {
    assert.equal((await other.visit(path)).status, 400, path)
  }
  assert.equal((await other.press(page, 'allow')).status, 400)
  assert.equal(desk.server.grants(desk.who.id).length, 0)
  assert.ok((await victim.press(page, 'allow')).url.searchParams.get('code'))
})

test('an interaction is answered under its own address only', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const [one, two] = [
    await browser.visit(authorizeUrl(desk, client)),
    await browser.visit(authorizeUrl(desk, client)),
  ]
  const other = two.url.pathname
  const cookie = browser.cookies(one.url.pathname) // As planted by a sibling of the same domain.
  const seen = await fetch(desk.publicUrl + other, { headers: { cookie } })
  assert.equal(seen.status, 400)
  assert.equal((await fetch(one.url, { headers: { cookie } })).status, 200)
})

test('a prepared link does not sign the victim in as the attacker, nor the attacker as the victim', async () => {
  const client = await clientId(desk)
  const [attacker, victim] = [new Browser(desk.publicUrl), new Browser(desk.publicUrl)]
  const first = await attacker.send(authorizeUrl(desk, client))
  const second = await attacker.send(first.headers.get('location') ?? '')
  const third = await attacker.send(second.headers.get('location') ?? '')
  const back = third.headers.get('location') ?? ''
  assert.match(back, /^\/oauth\/i\/[\w-]+\/back\?c=/)
  assert.equal((await victim.visit(back)).status, 400)
  // The victim has an interaction of its own: the attacker's code is still worth nothing there.
  const own = await victim.send(authorizeUrl(desk, client))
  const uid = own.headers.get('location')?.split('/').at(-1)
  const code = back.split('?c=')[1]
  const seen = await victim.visit(`/oauth/i/${uid}/back?c=${code}`)
  assert.equal(seen.status, 400)
  assert.match(seen.text, /not signed in/)
})

const forgeries: readonly [what: string, headers: Record<string, string>, token?: string][] = [
  ['a page of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another site whose browser says nothing of it', { origin: 'https://evil.example' }],
  ['a sibling of the same domain', { 'sec-fetch-site': 'same-site' }],
  ['a page without an origin', { origin: 'null' }],
  ['a form without the page’s token', {}, ''],
  ['a form with another token', {}, 'x'.repeat(43)],
  ['a text', { 'content-type': 'text/plain' }],
  ['JSON', { 'content-type': 'application/json' }],
]
for (const [what, headers, forged] of forgeries) {
  test(`an answer sent by ${what} allows nothing`, async () => {
    const client = await clientId(desk)
    const browser = new Browser(desk.publicUrl)
    const page = await browser.visit(authorizeUrl(desk, client))
    const text =
      forged === undefined
        ? page.text
        : page.text.replace(/(name="token" value=")[^"]+/, `$1${forged}`)
    const init = { ...page, text }
    assert.equal((await browser.post(init, 'allow', headers)).status, 403)
    assert.equal(desk.server.grants(desk.who.id).length, 0)
  })
}
test('an answer is not taken by GET, and not twice', async () => {
  const client = await clientId(desk)
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, client))
  const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const form = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const seen = await browser.send(`${action}?token=${form}&answer=allow`)
  assert.equal(seen.status, 405)
  assert.ok((await browser.press(page, 'allow')).url.searchParams.get('code'))
  assert.equal((await browser.press(page, 'allow')).status, 400)
  assert.equal(desk.server.grants(desk.who.id).length, 1)
})
test('an answer of neither kind allows nothing', async () => {
  const browser = new Browser(desk.publicUrl)
  const page = await browser.visit(authorizeUrl(desk, await clientId(desk)))
  assert.equal((await browser.post(page, 'perhaps')).status, 403)
})

test('what a program calls itself is text on the page, whatever it holds', async () => {
  const client_name = '</strong><script>alert(1)</script>\u202egnp.exe"\u200b'
  const client = await clientId(desk, { client_name })
  const page = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client))
  assert.match(page.text, /&lt;script&gt;alert\(1\)/)
  assert.doesNotMatch(page.text, /<script|\u202e|\u200b/)
  assert.match(page.text, /\[U\+202E\]/)
})
test('the page says who asks, for what, where the answer goes and who is asked', async () => {
  const client = await clientId(desk)
  const page = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, client))
  for (const text of [
    'Tester',
    client,
    'shop',
    '127.0.0.1:3333',
    'Ada',
    'registered itself',
    'on this computer',
  ]) {
    assert.ok(page.text.includes(text), text)
  }
  const whole = authorizeUrl(desk, client, { resource: undefined })
  assert.match((await new Browser(desk.publicUrl).visit(whole)).text, /every connection/)
})
test('no page may be framed, run a script, or load anything of others', async () => {
  const page = await new Browser(desk.publicUrl).visit(authorizeUrl(desk, await clientId(desk)))
  const policy = page.headers.get('content-security-policy') ?? ''
  for (const part of [
    "default-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ]) {
    assert.ok(policy.includes(part), part)
  }
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.equal(page.headers.get('referrer-policy'), 'same-origin')
})

test('a browser’s page of another origin gets no token, one of the client’s own origin does', async () => {
  const client = await clientId(desk, { redirect_uris: ['https://app.example.com/cb'] })
  const over = { redirect_uri: 'https://app.example.com/cb' }
  for (const [origin, status] of [
    ['https://evil.example', 400],
    ['https://app.example.com', 200],
  ] as const) {
    const params = {
      grant_type: 'authorization_code',
      client_id: client,
      code: await codeFor(desk, client, over),
      code_verifier: verifier,
      ...over,
    }
    assert.equal((await token(desk, params, { origin })).status, status, origin)
  }
})

test('an address that asks without end is told to wait', async () => {
  const busy = await openDesk()
  try {
    const headers = { 'x-test-ip': '2001:db8:1:2::5' }
    const ask = async (ip: string): Promise<number> => {
      const answer = await fetch(`${busy.publicUrl}/oauth/style.css`, {
        headers: { 'x-test-ip': ip },
      })
      await answer.arrayBuffer()
      return answer.status
    }
    for (let i = 0; i < 600; i++) await ask(headers['x-test-ip'])
    assert.equal(await ask('2001:db8:1:2:ffff::1'), 429) // The same network.
    assert.equal(await ask('2001:db8:1:3::1'), 200)
    busy.aheadMs = 60_001
    assert.equal(await ask(headers['x-test-ip']), 200)
  } finally {
    await busy.close()
  }
})

test('paths that only look like ours are none', async () => {
  const paths = [
    '/oauth',
    '/oauth/',
    '/oauth//auth',
    '/oauth/auth/',
    '/oauth/i/',
    '/oauth/i/x/../../token',
    '/oauth/%61uth',
    '/oauth/reg/cl_x',
    '/oauth/me',
    '/oauth/token/introspection',
    '/oauth/request',
    '/oauth/device',
  ]
  for (const path of paths) {
    const status = await new Promise<number | undefined>((resolve) => {
      request(desk.publicUrl, { path }, (res) => {
        res.resume()
        resolve(res.statusCode)
      }).end()
    })
    assert.ok([400, 404, 405].includes(Number(status)), `${path} ${status}`)
  }
})

/** What comes back to a method that `fetch` would not send. */
async function knock(
  method: string,
  path: string,
): Promise<[number | undefined, string | undefined]> {
  return await new Promise((resolve, reject) => {
    const req = request(desk.publicUrl, { method, path }, (res) => {
      res.resume()
      resolve([res.statusCode, res.headers.allow])
    })
    req.on('error', reject)
    req.end()
  })
}
for (const method of ['TRACE', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'PURGE', 'M-SEARCH']) {
  test(`${method} is answered by nothing here, and is no defect`, async () => {
    const visits = desk.visits.length
    const paths = [
      'login',
      'login/acs',
      'auth',
      'auth/x',
      'token',
      'reg',
      'i/x',
      'style.css',
      'none',
    ]
    for (const path of paths.map((one) => `/oauth/${one}`)) {
      assert.deepEqual(await knock(method, path), [405, 'GET, HEAD, POST, OPTIONS'], path)
    }
    assert.equal(desk.visits.length, visits)
    assert.deepEqual(desk.defects, [])
  })
}

test('a request of more than 4 KiB is refused on a page, and nothing of it is kept', async () => {
  const client = await clientId(desk)
  const ask = async (state: string): Promise<Response> =>
    await fetch(authorizeUrl(desk, client, { state }), { redirect: 'manual' })
  const room = 4096 - authorizeUrl(desk, client, { state: '' }).search.length
  const [most, more] = [await ask('x'.repeat(room)), await ask('x'.repeat(room + 1))]
  assert.deepEqual([most.status, more.status], [303, 414])
  assert.deepEqual(more.headers.getSetCookie(), [])
  assert.equal(more.headers.get('location'), null)
  assert.match(await more.text(), /over 4096 bytes/)
})

test('a sign-in under way is counted for the network it was begun from', async () => {
  const client = await clientId(desk)
  const ask = async (ip: string): Promise<unknown> => {
    const init = { redirect: 'manual', headers: { 'x-test-ip': ip } } as const
    return await (await fetch(authorizeUrl(desk, client), init)).text()
  }
  const db = new DatabaseSync(join(desk.dataDir, 'state.sqlite'))
  const networks = (): number =>
    Number(
      db
        .prepare(`SELECT count(DISTINCT uid) AS n FROM oauth_rows WHERE model = 'Interaction'`)
        .get()?.['n'],
    )
  const before = networks()
  for (const ip of ['203.0.113.1', '203.0.113.2', '2001:db8:7::1', '2001:db8:7::2']) await ask(ip)
  assert.equal(networks() - before, 3)
  db.close()
})
