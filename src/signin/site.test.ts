/** The site around all ways to sign in: which browser, once, where to, and who may post. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieName } from './browser.ts'
import { flowOf, issuer, open, Robot, withPassword } from './site.fixture.ts'
import type { Opened } from './site.fixture.ts'

const password = 'correct horse 4 battery'

/** Signs in with a password. @returns the address to which the browser is sent. */
async function signIn(at: Opened, robot: Robot, address: string): Promise<URL> {
  await robot.ask(address)
  const answer = await robot.post(`${at.origin}${at.base}/password`, {
    f: flowOf(address),
    name: 'ada',
    password,
  })
  return new URL(onward(await answer.text()), at.origin)
}

function onward(page: string): string {
  return (/content="0;url=([^"]+)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&')
}

async function ready(t: Parameters<typeof open>[0]): Promise<Opened> {
  const at = await open(t)
  await withPassword(at, 'ada', password)
  return at
}

test('another browser neither opens a sign-in that was begun, nor redeems its code', async (t) => {
  const at = await ready(t)
  const [own, other] = [new Robot(), new Robot()]
  const address = at.start()
  assert.equal((await own.ask(address)).status, 200)
  assert.equal((await other.ask(address)).status, 403)
  const code = (await signIn(at, own, address)).searchParams.get('c') ?? ''
  assert.match(code, /^sc_/)
  const stranger = await other.ask(`${at.origin}/done?c=${code}`)
  assert.equal(await stranger.text(), 'out')
  assert.equal(await (await own.ask(`${at.origin}/done?c=${code}`)).text(), 'in')
  assert.deepEqual(at.reasons(), ['other_browser'])
})

test('a form that was filled in another browser signs nobody in', async (t) => {
  const at = await ready(t)
  const [own, other] = [new Robot(), new Robot()]
  const address = at.start()
  await own.ask(address)
  await other.ask(at.start()) // It has a cookie, of a sign-in of its own.
  const form = { f: flowOf(address), name: 'ada', password }
  const answer = await other.post(`${at.origin}${at.base}/password`, form)
  assert.equal(answer.status, 403)
  assert.ok(!at.notes.some(({ type }) => type === 'signin.accepted'))
})

test('a cookie that was planted beforehand does not name the sign-in', async (t) => {
  const at = await ready(t)
  const [victim, attacker] = [new Robot(), new Robot()]
  await attacker.ask(at.start()) // The attacker has a cookie of the site, and plants it.
  const { host } = new URL(at.origin)
  const planted = attacker.jar.get(host)?.get(cookieName) ?? ''
  victim.jar.set(host, new Map([[cookieName, planted]]))
  const next = await signIn(at, victim, at.start())
  assert.equal(await (await attacker.ask(next.href)).text(), 'out')
  assert.equal(await (await victim.ask(next.href)).text(), 'in')
})

test('a code is redeemed once, and not after a minute', async (t) => {
  const at = await ready(t)
  const robot = new Robot()
  const first = await signIn(at, robot, at.start())
  assert.equal(await (await robot.ask(first.href)).text(), 'in')
  assert.equal(await (await robot.ask(first.href)).text(), 'out')
  const late = await signIn(at, robot, at.start())
  at.clock.pass(60_000)
  assert.equal(await (await robot.ask(late.href)).text(), 'out')
})

test('a sign-in is over after ten minutes, and at its end', async (t) => {
  const at = await ready(t)
  const robot = new Robot()
  const done = at.start()
  await signIn(at, robot, done)
  assert.equal((await robot.ask(done)).status, 400)
  const late = at.start()
  at.clock.pass(600_000)
  assert.equal((await robot.ask(late)).status, 400)
  assert.deepEqual(at.reasons(), ['unknown_or_over', 'unknown_or_over'])
})

const foreign: readonly [who: string, headers: Record<string, string>][] = [
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['a sibling domain', { origin: 'https://x.gw.example', 'sec-fetch-site': 'same-site' }],
  ['a page without an origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ['who hides the origin', { origin: '', 'sec-fetch-site': 'same-origin' }],
  ['our origin, as the browser says from elsewhere', { 'sec-fetch-site': 'same-site' }],
]
for (const [who, headers] of foreign) {
  test(`a post of ${who} is refused`, async (t) => {
    const at = await ready(t)
    const robot = new Robot()
    const address = at.start()
    await robot.ask(address)
    const form = { f: flowOf(address), name: 'ada', password }
    const answer = await robot.post(`${at.origin}${at.base}/password`, form, headers)
    assert.equal(answer.status, 403)
    assert.deepEqual(at.reasons(), ['foreign_post'])
  })
}

test('a sign-in leads to a path on its own origin, and nowhere else', async (t) => {
  const at = await ready(t)
  const away = ['//evil.example', '/\\evil.example', 'https:evil.example', 'https://evil.example/']
  const hidden = [
    '/\t/evil.example',
    'javascript:alert(1)',
    '',
    'done',
    '/.//evil.example',
    '/%0d\r\n',
  ]
  for (const returnTo of [...away, ...hidden]) {
    assert.throws(() => at.start({ returnTo }), { code: 'bad_request' }, returnTo)
  }
  assert.throws(() => at.start({ method: 'none' }), { code: 'bad_request' })
  const next = await signIn(at, new Robot(), at.start({ returnTo: '/done?c=planted&x=1' }))
  assert.deepEqual(next.searchParams.getAll('c').length, 1)
  assert.equal(next.searchParams.get('x'), '1')
})

test('every answer has the headers that keep foreign code and frames out', async (t) => {
  const at = await ready(t)
  for (const path of ['/start?f=sf_none', '/style.css', '/none', '/invite']) {
    const answer = await new Robot().ask(`${at.origin}${at.base}${path}`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; /)
    assert.match(
      policy,
      /frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'$/,
    )
    assert.equal(answer.headers.get('referrer-policy'), 'same-origin')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  }
})

test('the cookie is for this host, for secure connections, and for no script', async (t) => {
  const at = await ready(t)
  const [line = ''] = (await new Robot().ask(at.start())).headers.getSetCookie()
  assert.match(line, /^__Host-sallyport-login=[\w-]{43}; /)
  for (const word of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax'])
    assert.ok(line.includes(word))
  assert.ok(!line.includes('Domain'))
})

test('tabs of one browser sign in one beside the other', async (t) => {
  const at = await ready(t)
  const robot = new Robot()
  const tabs = [at.start(), at.start(), at.start()]
  for (const address of tabs) await robot.ask(address)
  for (const address of tabs) {
    assert.equal(await (await robot.ask((await signIn(at, robot, address)).href)).text(), 'in')
  }
})

test('who was stopped is not signed in, and the record has the reason', async (t) => {
  const at = await ready(t)
  const target = { kind: 'principal', issuer: at.accounts.issuer, subject: 'ada' } as const
  at.revocations.add({ target, reason: 'left', by: 'me', source: 'cli', madeMs: 0, fromMs: 0 })
  const next = await signIn(at, new Robot(), at.start())
  assert.equal(next.searchParams.get('c'), null)
  assert.deepEqual(at.reasons(), ['revoked'])
  assert.equal(at.notes.at(-1)?.about.principal?.subject, 'ada')
})

const stopOf = { reason: 'x', by: 'me', source: 'cli', madeMs: 0, fromMs: 0 } as const
const everything = { ...stopOf, target: { kind: 'everything' } } as const
const theirs = { kind: 'principal', issuer, subject: 'ada' } as const
const before = { kind: 'tokens-before', issuer, subject: 'ada', beforeMs: 9e15 } as const
const planned = { ...stopOf, target: theirs, fromMs: 9e15 }
const stopped: readonly [
  what: string,
  stops: readonly Parameters<Opened['revocations']['add']>[0][],
  isOpenWhenStopped: boolean | undefined,
  isIn: boolean,
][] = [
  ['everything is stopped', [everything], undefined, false],
  ['everything is stopped', [everything], true, true],
  ['everything and they are stopped', [everything, { ...stopOf, target: theirs }], true, false],
  ['they and everything are stopped', [{ ...stopOf, target: theirs }, everything], true, false],
  [
    'everything is stopped and they signed out',
    [everything, { ...stopOf, target: before }],
    true,
    false,
  ],
  ['they alone are stopped', [{ ...stopOf, target: theirs }], true, false],
  ['all is stopped and they will be', [everything, planned], true, true],
  [
    'everything is stopped, and others',
    [
      everything,
      { ...stopOf, target: { ...theirs, subject: 'bob' } },
      { ...stopOf, target: { ...theirs, issuer: 'x' } },
    ],
    true,
    true,
  ],
]
for (const [what, stops, isOpenWhenStopped, isIn] of stopped) {
  const where = isOpenWhenStopped === true ? 'where stops are lifted' : 'elsewhere'
  test(`while ${what}, ${where} they come ${isIn ? 'in' : 'not in'}`, async (t) => {
    const at = await open(
      t,
      undefined,
      isOpenWhenStopped === undefined ? {} : { isOpenWhenStopped },
    )
    await withPassword(at, 'ada', password)
    for (const stop of stops) at.revocations.add(stop)
    const next = await signIn(at, new Robot(), at.start())
    assert.equal(next.searchParams.has('c'), isIn)
    assert.equal(
      at.notes.some(({ type }) => type === 'signin.accepted'),
      isIn,
    )
  })
}

test('a newer proof does not help who is stopped besides being signed out', async (t) => {
  const at = await ready(t)
  for (const target of [before, theirs, before]) at.revocations.add({ ...stopOf, target })
  await signIn(at, new Robot(), at.start())
  assert.deepEqual(at.reasons(), ['revoked'])
})

test('one address is answered six hundred times in a minute, pages and all', async (t) => {
  const at = await open(t, undefined, { refusalsPerMinuteMax: 1 })
  const ask = async (): Promise<Response> =>
    await at.site.fetch(new Request(`${at.origin}${at.base}/style.css`), { ...at.from, port: 1 })
  for (let i = 0; i < 600; i++) {
    at.from.ip = `2001:db8::${i.toString(16)}`
    assert.equal((await ask()).status, 200)
  }
  assert.equal((await ask()).status, 429)
  assert.deepEqual(at.reasons(), ['too_many_requests'])
  at.from.ip = '2001:db8:0:1::1'
  assert.equal((await ask()).status, 200)
  at.from.ip = '2001:db8::1'
  at.clock.pass(60_000)
  assert.equal((await ask()).status, 200)
})

test('however many addresses are refused, the next one still gets its entry', async (t) => {
  const at = await open(t)
  const ask = async (ip: string): Promise<Response> =>
    await at.site.fetch(new Request(`${at.origin}${at.base}/start?f=x`), { ip, port: 1 })
  for (let i = 0; i < 10_001; i++) await ask(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  const count = at.reasons().length
  await ask('192.0.2.200')
  assert.equal(at.reasons().length, count + 1)
})

test('nobody is signed in while the record is down', async (t) => {
  const at = await open(t, undefined, { note: () => Promise.reject(new Error('no disk')) })
  await withPassword(at, 'ada', password)
  const next = await signIn(at, new Robot(), at.start())
  assert.equal(next.searchParams.get('c'), null)
})

test('what signed in is told whole', async (t) => {
  const at = await ready(t)
  const robot = new Robot()
  await robot.ask((await signIn(at, robot, at.start({ isFresh: true }))).href)
  const { person, authenticatedMs: _, ...rest } = at.last() ?? assert.fail()
  assert.deepEqual(rest, {
    method: 'accounts',
    type: 'accounts',
    amr: ['pwd'],
    isBreakGlass: false,
  })
  assert.deepEqual(
    [person.issuer, person.subject, person.groups],
    [at.accounts.issuer, 'ada', ['ops']],
  )
  const { details, type } = at.notes.at(-1) ?? assert.fail()
  assert.equal(type, 'signin.accepted')
  assert.equal(details['isFresh'], true)
})

test('a site over plain HTTP elsewhere than on this machine does not open', async (t) => {
  const wrong = [
    'http://gw.example',
    'https://gw.example/',
    'https://gw.example/x',
    'gw.example',
    'ftp://localhost',
  ]
  for (const origin of wrong) {
    await assert.rejects(open(t, undefined, { origin }), { code: 'config_bad' }, origin)
  }
})

test('refusals beyond a budget are answered and get no entry', async (t) => {
  const at = await open(t, undefined, { refusalsPerMinuteMax: 2 })
  for (let i = 0; i < 4; i++) await new Robot().ask(`${at.origin}${at.base}/start?f=x`)
  assert.equal(at.reasons().length, 2)
  at.clock.pass(60_000)
  await new Robot().ask(`${at.origin}${at.base}/start?f=x`)
  assert.equal(at.reasons().length, 3)
})
