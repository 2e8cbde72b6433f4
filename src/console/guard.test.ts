/** Who gets in, and which requests are not a page's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Browser, issuer, openRoom, origin, reasonOf } from './console.fixture.ts'

type Headers = Readonly<Record<string, string | undefined>>
const foreign: readonly [name: string, headers: Headers, status: number, reason: string][] = [
  [
    'a form of another site',
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    403,
    'foreign_post',
  ],
  [
    'a sibling of the same site',
    { origin: 'http://x.localhost:4101', 'sec-fetch-site': 'same-site' },
    403,
    'foreign_post',
  ],
  ['our origin, said by a sibling', { 'sec-fetch-site': 'same-site' }, 403, 'foreign_post'],
  ['nobody’s origin', { origin: undefined, 'sec-fetch-site': undefined }, 403, 'foreign_post'],
  ['an origin without a name', { origin: 'null' }, 403, 'foreign_post'],
  ['another port', { origin: 'http://localhost:4100' }, 403, 'foreign_post'],
  ['no token of the session', { 'x-sallyport-csrf': undefined }, 403, 'foreign_post'],
  ['another session’s token', { 'x-sallyport-csrf': 'x' }, 403, 'foreign_post'],
  ['an empty token', { 'x-sallyport-csrf': '' }, 403, 'foreign_post'],
  ['JSON as plain text', { 'content-type': 'text/plain' }, 415, 'media'],
  ['JSON of no type', { 'content-type': undefined }, 415, 'media'],
  ['JSON as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'media'],
]
for (const [name, headers, status, reason] of foreign) {
  test(`a stop from ${name} is refused, and nobody is stopped`, async (t) => {
    const room = openRoom(t)
    const admin = await room.browser(room.person('ada', ['admin']))
    const bob = room.person('bob')
    const body = { principal: bob.id, reason: 'left' }
    const answer = await admin.change('POST', '/api/revocations', body, headers)
    assert.deepEqual(await reasonOf(answer), [status, reason])
    assert.deepEqual(room.revocations.list(), [])
  })
}

test('without a Sec-Fetch-Site the origin alone says it, and a change is made', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const body = { principal: room.person('bob').id, reason: 'left' }
  const headers = { 'sec-fetch-site': undefined }
  assert.equal((await admin.change('POST', '/api/revocations', body, headers)).status, 201)
})

for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS', 'QUERY']) {
  test(`${method} stops nobody, ends nothing and lifts nothing`, async (t) => {
    const room = openRoom(t)
    const admin = await room.browser(room.person('ada', ['admin']))
    const bob = room.person('bob')
    const target = { kind: 'principal', issuer, subject: 'bob' } as const
    const of = { target, reason: 'r', by: 'x', source: 'cli', madeMs: 0, fromMs: 0 } as const
    const { id } = room.revocations.add(of)
    for (const path of [
      `/api/revocations?principal=${bob.id}&reason=x`,
      `/api/revocations/${id}`,
      '/sign-out',
      `/api/me/sessions/x`,
    ]) {
      const isRead = method === 'GET' || method === 'HEAD'
      const { status } = isRead
        ? await room.ask(path, { method, headers: { cookie: admin.cookie } })
        : await admin.change(method, path)
      assert.ok(status === 404 || (isRead && status === 200), `${path}: ${status}`)
    }
    assert.equal(room.revocations.list().length, 1)
    assert.equal((await admin.get('/api/me')).status, 200)
  })
}

test('a change without a session is refused before anything of it is read', async (t) => {
  const room = openRoom(t)
  const nobody = new Browser(room)
  const answer = await nobody.change('POST', '/api/revocations', { everything: true, reason: 'x' })
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  assert.deepEqual(await reasonOf(answer), [401, 'missing'])
  assert.deepEqual(room.revocations.list(), [])
})

test('a body beyond its bound is not read, whoever sends it', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const body = { everything: true, reason: 'x'.repeat(200_000) }
  assert.deepEqual(await reasonOf(await admin.change('POST', '/api/revocations', body)), [
    413,
    'size',
  ])
})

test('a body without a length is read, up to the same bound', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const stream = (reason: string): ReadableStream =>
    ReadableStream.from(
      (`{"everything":true,"reason":"${reason}"}`.match(/.{1,1000}/gu) ?? []).map((part) =>
        Buffer.from(part),
      ),
    )
  const headers = {
    cookie: admin.cookie,
    origin,
    'content-type': 'application/json',
    'x-sallyport-csrf': admin.csrf,
  }
  const post = async (reason: string): Promise<number> => {
    const init = { method: 'POST', headers, body: stream(reason), duplex: 'half' } as const
    return (await room.ask('/api/revocations', init)).status
  }
  assert.equal(await post('x'.repeat(200_000)), 413)
  assert.equal(await post('\ud800'), 201)
  assert.equal(await post('left'), 201)
})

test('every answer has one shape, and unknown paths too', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  for (const path of ['/api', '/api/none', '/api/me/none', '/api/me/passkeys/none']) {
    const answer = await admin.get(path)
    const body: unknown = await answer.json()
    assert.equal(answer.status, 404)
    assert.deepEqual(Object.keys(body as object).toSorted(), ['error', 'reason'])
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  }
  assert.equal((await admin.get('/none')).status, 404)
})

test('the cookie is for this host alone, for HTTP alone, and over TLS', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  const [line = ''] = browser.answer?.headers.getSetCookie() ?? []
  const [value, ...flags] = line.split('; ')
  assert.match(value ?? '', /^__Host-sallyport-session=[\w-]{43}$/)
  assert.deepEqual(flags.toSorted(), ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'])
})

test('each sign-in gives a new id and ends the session before it in that browser', async (t) => {
  const room = openRoom(t)
  const [ada, bob] = [room.person('ada'), room.person('bob')]
  const browser = await room.browser(ada)
  const { cookie, csrf } = browser
  await browser.signIn(ada)
  assert.notEqual(browser.cookie, cookie)
  assert.notEqual(browser.csrf, csrf)
  const old = { headers: { cookie } }
  assert.equal((await room.ask('/api/me', old)).status, 401)
  await browser.signIn(bob)
  assert.deepEqual(
    room.told('signin.ended').map(({ reason }) => reason),
    ['signed_in_again', 'signed_in_again'],
  )
})

test('an id that somebody else set is never a session', async (t) => {
  const room = openRoom(t)
  const browser = new Browser(room)
  browser.cookie = '__Host-sallyport-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const planted = browser.cookie
  await browser.signIn(room.person('ada'))
  assert.notEqual(browser.cookie, planted)
  assert.equal((await room.ask('/api/me', { headers: { cookie: planted } })).status, 401)
})

test('a code is good once, and a wrong one signs nobody in', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  assert.equal(browser.answer?.status, 303)
  for (const path of [
    '/signed-in',
    '/signed-in?c=',
    '/signed-in?c=sc_none',
    '/signed-in?c=sc_1&c=x',
  ]) {
    const answer = await room.ask(path)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.headers.getSetCookie(), [])
  }
})

const elsewhere = [
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  'https:evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  '/%09/evil.example\t//x',
  '/\t/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  'http://localhost:4101@evil.example/',
  '',
]
for (const to of elsewhere) {
  test(`after a sign-in nobody is sent to ${JSON.stringify(to)}`, async (t) => {
    const room = openRoom(t)
    const browser = new Browser(room)
    await browser.signIn(room.person('ada'), {}, to)
    await browser.get(`/again?to=${encodeURIComponent(to)}`)
    const nobody = new Browser(room)
    await nobody.get('/me')
    const places = [
      browser.answer?.headers.get('location') ?? '',
      ...room.started.map(({ returnTo }) => new URL(returnTo, origin).searchParams.get('to') ?? ''),
    ]
    for (const place of places) assert.equal(new URL(place, origin).origin, origin)
    assert.equal(places[0], '/')
  })
}

test('whoever is not signed in is led to sign in and back, and to a fresh proof by a link', async (t) => {
  const room = openRoom(t)
  const answer = await room.ask('/stops?x=1')
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/login/start?f=x')
  await room.ask('/again?to=/me')
  assert.deepEqual(room.started, [
    { returnTo: '/signed-in?to=%2Fstops', isFresh: false },
    { returnTo: '/signed-in?to=%2Fme', isFresh: true },
  ])
})

test('who signs out is out, and only a page of ours signs somebody out', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-sallyport-csrf': undefined,
  }
  const post = (csrf: string, more = {}): Promise<Response> =>
    browser.change('POST', '/sign-out', `csrf=${csrf}`, { ...form, ...more })
  assert.equal((await post('x')).status, 403)
  assert.equal((await post(browser.csrf, { 'sec-fetch-site': 'cross-site' })).status, 403)
  const answer = await post(browser.csrf)
  assert.equal(answer.headers.get('location'), '/signed-out')
  assert.match(answer.headers.getSetCookie()[0] ?? '', /^__Host-sallyport-session=;.*Max-Age=0/)
  assert.equal((await browser.get('/api/me')).status, 401)
  assert.deepEqual(
    room.told('signin.ended').map(({ reason }) => reason),
    ['signed_out'],
  )
})

const stops: readonly [name: string, target: object, before: number, isOut: boolean][] = [
  ['the person', { kind: 'principal', issuer, subject: 'ada' }, 0, true],
  ['another person', { kind: 'principal', issuer, subject: 'bob' }, 0, false],
  [
    'the same name of another issuer',
    { kind: 'principal', issuer: 'https://x', subject: 'ada' },
    0,
    false,
  ],
  ['the sign-in at the provider', { kind: 'sign-in', signIn: 'sid-1' }, 0, true],
  ['another sign-in', { kind: 'sign-in', signIn: 'sid-2' }, 0, false],
  ['all tokens of before', { kind: 'tokens-before', issuer, subject: 'ada' }, 0, true],
  ['tokens of before the sign-in', { kind: 'tokens-before', issuer, subject: 'ada' }, -1, false],
  ['a connection', { kind: 'connection', connection: 'shop' }, 0, false],
  ['a client', { kind: 'client', client: 'c' }, 0, false],
]
for (const isAll of [false, true]) {
  for (const [name, target, before, isOut] of stops) {
    const also = isAll ? ', with everything stopped besides' : ''
    test(`a stop of ${name} ${isOut ? 'ends' : 'leaves'} a session${also}`, async (t) => {
      const room = openRoom(t)
      const browser = await room.browser(room.person('ada', ['admin']), {
        providerSession: 'sid-1',
      })
      const madeMs = room.clock.nowUs() / 1000
      const of = { reason: 'r', by: 'x', source: 'cli', madeMs, fromMs: madeMs } as const
      if (isAll) room.revocations.add({ ...of, target: { kind: 'everything' } })
      const timed = 'issuer' in target ? { ...target, beforeMs: madeMs + before } : target
      room.revocations.add({ ...of, target: timed as never })
      assert.equal((await browser.get('/api/me')).status, isOut ? 401 : 200)
      await room.console.tick()
      assert.deepEqual(
        room.told('signin.ended').map(({ reason }) => reason),
        isOut ? ['revoked'] : [],
      )
    })
  }
}

test('with everything stopped the console stays open to those who lift that', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const of = { reason: 'r', by: 'x', source: 'cli', madeMs: 0, fromMs: 0 } as const
  const { id } = room.revocations.add({ ...of, target: { kind: 'everything' } })
  assert.equal(
    (await admin.change('DELETE', `/api/revocations/${id}`, { reason: 'ok' })).status,
    204,
  )
  assert.deepEqual(room.revocations.list(), [])
})

test('a planned stop ends a session when its time has come', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  const madeMs = room.clock.nowUs() / 1000
  const of = { reason: 'r', by: 'x', source: 'cli', madeMs, fromMs: madeMs + 60_000 } as const
  room.revocations.add({ ...of, target: { kind: 'principal', issuer, subject: 'ada' } })
  room.revocations.add({ ...of, target: { kind: 'everything' }, fromMs: madeMs })
  assert.equal((await browser.get('/api/me')).status, 200)
  room.clock.pass(60_000)
  assert.equal((await browser.get('/api/me')).status, 401)
})

test('access that has ended ends the session', async (t) => {
  const room = openRoom(t)
  const ada = room.person('ada')
  const browser = await room.browser(ada)
  room.directory.change(ada.id, { endsMs: room.clock.nowUs() / 1000 })
  assert.equal((await browser.get('/api/me')).status, 401)
  await room.console.tick()
  assert.equal(room.told('signin.ended').length, 1)
})

test('sessions end although their entries cannot be written, all of them', async (t) => {
  const room = openRoom(t)
  const browsers = [await room.browser(room.person('ada')), await room.browser(room.person('bob'))]
  room.clock.pass(15 * 60_000)
  room.isRecordDown = true
  await assert.rejects(room.console.tick(), { code: 'record_down' })
  room.isRecordDown = false
  await room.console.tick()
  for (const browser of browsers) assert.equal((await browser.get('/api/me')).status, 401)
})
