/** People at the console of a whole gateway: signing in, passkeys, sessions, stops. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { missingChromium } from '../peers/chromium.ts'
import type { Page, Seat } from '../peers/chromium.ts'
import { until } from '../system/program.ts'
import { answerSignIn, openPlace, password, scimSecret, signIn, tabTo } from './people.ts'
import type { Place } from './people.ts'

const skip = missingChromium() ?? false

let place: Place
before(async () => {
  if (skip === false) place = await openPlace()
})
after(async () => {
  if (skip === false) await place.close()
})

/** A browser tells of a page that came with a status of refusal. */
const isRefusal = (text: string): boolean => /status of 4\d\d/.test(text)

async function sit(t: TestContext, at: Place = place): Promise<Seat> {
  const seat = await at.seat(isRefusal)
  t.after(() => seat.leave())
  return seat
}

/** Somebody signed in, on a page. */
async function at(
  t: TestContext,
  name: string,
  roles: readonly string[] = [],
  path = '/',
): Promise<Seat> {
  await place.account(name, roles)
  const seat = await sit(t)
  await signIn(place, seat.page, name, path)
  return seat
}

async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name, level: 1, exact: true }).waitFor()
}

async function statusOf(page: Page, path: string): Promise<number> {
  const status: unknown = await page.evaluate(
    `fetch(${JSON.stringify(path)}, { headers: { 'x-background': '1' } }).then((r) => r.status)`,
  )
  return Number(status)
}

test(
  'somebody signs in by password, with a cookie that only this host gets',
  { skip },
  async (t) => {
    const { page } = await at(t, 'ada')
    await heading(page, 'In force')
    const cookies = await page.context().cookies()
    const cookie = cookies.find(({ name }) => name === '__Host-sallyport-session')
    assert.ok(cookie?.httpOnly && cookie.secure)
    assert.deepEqual([cookie.path, cookie.sameSite, cookie.domain], ['/', 'Lax', 'localhost'])
    const accepted = (await place.told('signin.accepted')).at(-1)
    assert.deepEqual([accepted?.['at'], accepted?.['method']], ['console', 'people'])
  },
)

test('all pages are used by keyboard alone', { skip }, async (t) => {
  const { page } = await at(t, 'kay', ['gateway-admin'])
  await place.account('zed')
  const stranger = await sit(t)
  await signIn(place, stranger.page, 'zed')
  for (const [link, title] of [
    ['Stops', 'Stops'],
    ['You', 'You'],
    ['In force', 'In force'],
  ] as const) {
    await tabTo(page, link)
    await page.keyboard.press('Enter')
    await heading(page, title)
  }
  await tabTo(page, 'Stops')
  await page.keyboard.press('Enter')
  await heading(page, 'Stops')
  await tabTo(page, 'Whom to stop')
  await page.keyboard.type('zed')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Stop zed' }).waitFor()
  await tabTo(page, 'Stop zed')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Stop zed' }).waitFor()
  await page.keyboard.press('Escape')
  // Focus is back where it was.
  await page.keyboard.press('Enter')
  await page.keyboard.type('left the company')
  await page.keyboard.press('Enter')
  await page.getByRole('cell', { name: 'left the company' }).waitFor()
  await tabTo(page, 'Sign out')
  await page.keyboard.press('Enter')
  await heading(page, 'Signed out')
  assert.equal(await statusOf(page, '/api/me'), 401)
})

test('a passkey is added, signs in, and is removed', { skip }, async (t) => {
  const { page } = await at(t, 'pat', [], '/me')
  await page.getByLabel('Its name').fill('Laptop')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('rowheader', { name: 'Laptop' }).waitFor()
  const [enrolled] = (await place.told('passkey.changed')).slice(-1)
  assert.deepEqual([enrolled?.['what'], enrolled?.['ofSubject']], ['enrolled', 'pat'])
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await heading(page, 'In force')
  await page.getByRole('link', { name: 'You' }).click()
  await page.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('You have no passkey').waitFor()
  assert.equal((await place.told('passkey.changed')).at(-1)?.['what'], 'removed')
})

test('a session elsewhere is ended from here', { skip }, async (t) => {
  const here = await at(t, 'eve')
  const there = await sit(t)
  await signIn(place, there.page, 'eve')
  await here.page.goto(`${place.origin}/me`)
  await here.page.getByRole('button', { name: 'End' }).click()
  await here.page.getByRole('button', { name: 'End' }).waitFor({ state: 'detached' })
  assert.equal(await statusOf(there.page, '/api/me'), 401)
  assert.equal(await statusOf(here.page, '/api/me'), 200)
})

test(
  'a new proof of identity gives a new id, and the one before is no session any more',
  { skip },
  async (t) => {
    const { page } = await at(t, 'fay')
    const context = page.context()
    const [before] = (await context.cookies()).filter(
      ({ name }) => name === '__Host-sallyport-session',
    )
    await page.goto(`${place.origin}/again?to=/me`)
    await answerSignIn(page, 'fay')
    await heading(page, 'You')
    const [now] = (await context.cookies()).filter(
      ({ name }) => name === '__Host-sallyport-session',
    )
    assert.ok(before && now)
    assert.notEqual(now.value, before.value)
    const headers = { cookie: `${before.name}=${before.value}` }
    assert.equal((await fetch(`${place.origin}/api/me`, { headers })).status, 401)
    assert.ok((await place.told('signin.accepted')).at(-1)?.['isFresh'])
  },
)

test('a code of somebody else’s sign-in signs nobody in', { skip }, async (t) => {
  await place.account('mal')
  const own = await sit(t)
  let code = ''
  await own.page.route('**/signed-in?*', async (route) => {
    code = route.request().url()
    await route.abort()
  })
  await own.page.goto(`${place.origin}/`)
  await answerSignIn(own.page, 'mal')
  await until(() => code !== '')
  const victim = await sit(t)
  await victim.page.goto(code)
  await heading(victim.page, 'Not signed in')
  assert.deepEqual(
    (await victim.page.context().cookies()).filter(({ name }) => name.includes('session')),
    [],
  )
})

test('a stop needs another admin to be lifted', { skip }, async (t) => {
  await at(t, 'gus')
  const one = await at(t, 'ann', ['gateway-admin'], '/stops')
  await one.page.getByLabel('Whom to stop').fill('gus')
  await one.page.getByRole('button', { name: 'Find' }).click()
  await one.page.getByRole('button', { name: 'Stop gus' }).click()
  await one.page.getByLabel('Reason').fill('lost laptop')
  await one.page.getByRole('button', { name: 'Do it' }).click()
  const row = one.page.getByRole('row').filter({ hasText: 'lost laptop' })
  await row.getByText('By another admin').waitFor()
  const other = await at(t, 'ben', ['gateway-admin'], '/stops')
  const same = other.page.getByRole('row').filter({ hasText: 'lost laptop' })
  await same.getByRole('button', { name: 'Lift' }).click()
  await other.page.getByLabel('Reason').fill('found again')
  await other.page.getByRole('button', { name: 'Do it' }).click()
  await same.waitFor({ state: 'detached' })
  const lifted = (await place.told('revocation.lifted')).at(-1)
  assert.match(String(lifted?.['by']), / ben$/)
  assert.equal(lifted?.['reason'], 'found again')
})

test(
  'the session of who is stopped ends within a second, and they do not come back',
  { skip },
  async (t) => {
    const { page } = await at(t, 'hal')
    const issuer = place.house.gateway.local?.issuer ?? ''
    const target = { kind: 'principal', issuer, subject: 'hal' } as const
    const began = performance.now()
    await place.house.gateway.stops.stop({ target, reason: 'r', by: 'alex', source: 'cli' })
    assert.equal(await statusOf(page, '/api/me'), 401)
    assert.ok(performance.now() - began < 1000)
    assert.equal((await place.told('signin.ended')).at(-1)?.['reason'], 'revoked')
    await page.goto(`${place.origin}/`)
    await answerSignIn(page, 'hal')
    await page.getByText('Access was revoked').waitFor()
  },
)

test('who leaves by the directory is signed out here', { skip }, async (t) => {
  const { page } = await at(t, 'ivy')
  const user = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'ivy',
    externalId: 'ivy',
    active: false,
  }
  const answer = await fetch(`${place.origin}/scim/v2/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${scimSecret}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify(user),
  })
  assert.equal(answer.status, 201, await answer.text())
  assert.equal(await statusOf(page, '/api/me'), 401)
})

test('roles that exclude each other: who is admin does not approve', { skip }, async (t) => {
  const { page } = await at(t, 'joy', ['gateway-admin', 'reviewer'], '/me')
  const roles = page.locator('dt', { hasText: 'Roles' }).locator('xpath=following-sibling::dd[1]')
  assert.equal(await roles.textContent(), 'admin')
})

test('without a role there is no page of stops', { skip }, async (t) => {
  const { page } = await at(t, 'kim')
  assert.equal(await page.getByRole('link', { name: 'Stops' }).count(), 0)
  await page.goto(`${place.origin}/stops`)
  await heading(page, 'Not possible')
})

test('a form of another site changes nothing', { skip }, async (t) => {
  const { page } = await at(t, 'lou', ['gateway-admin'])
  const evil = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(`
      <form method="post" action="${place.origin}/sign-out"><button>Out</button></form>
      <form method="post" enctype="text/plain" action="${place.origin}/api/revocations">
        <input name='{"everything":true,"reason":"' value='"}'><button>Stop</button></form>`),
  )
  await new Promise<void>((done) => evil.listen(0, '127.0.0.1', done))
  t.after(() => evil.close())
  const address = evil.address()
  const port = typeof address === 'object' ? address?.port : 0
  // At an address it is another site, at the console's name a sibling on another port.
  for (const host of ['127.0.0.1', 'localhost']) {
    for (const button of ['Out', 'Stop']) {
      await page.goto(`http://${host}:${port}/`)
      await page.getByRole('button', { name: button }).click()
      await page.waitForURL(`${place.origin}/**`)
    }
  }
  await page.goto(`${place.origin}/`)
  await heading(page, 'In force')
  const stops = place.house.gateway.stops
  assert.ok(stops)
  const listed: unknown = await page.evaluate('fetch("/api/revocations").then((r) => r.text())')
  assert.doesNotMatch(String(listed), /everything/)
})

test(
  'a program with a token for the console uses the API, one for a connection does not',
  { skip },
  async () => {
    const { house, origin } = place
    const who = { subject: 'ci', kind: 'service', roles: ['gateway-admin'] } as const
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${origin}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status
    const { publicUrl } = house.gateway.config
    assert.equal(
      await ask(
        await house.token({ ...who, roles: [...who.roles], audience: `${publicUrl}/console` }),
      ),
      200,
    )
    assert.equal(
      await ask(
        await house.token({ ...who, roles: [...who.roles], audience: `${publicUrl}/mcp/shop` }),
      ),
      401,
    )
    assert.equal(await ask('x.y.z'), 401)
    const refused = (await place.told('signin.refused')).slice(-2)
    assert.deepEqual(
      refused.map(({ reason }) => reason),
      ['audience', 'malformed'],
    )
  },
)

test('a session outlives the gateway’s restart', { skip }, async (t) => {
  const first = await openPlace()
  await first.account('ray')
  const seat = await first.seat()
  await signIn(first, seat.page, 'ray')
  const cookies = await seat.page.context().cookies()
  await seat.leave()
  const { dataDir } = first.house
  await first.house.gateway.stop('restart')
  const second = await openPlace(dataDir)
  t.after(async () => {
    await second.close()
    await first.close()
  })
  const { name = '', value = '' } = cookies.find((one) => one.name.includes('session')) ?? {}
  const headers = { cookie: `${name}=${value}` }
  assert.equal((await fetch(`${second.origin}/api/me`, { headers })).status, 200)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the pages keep nobody out, ${colorScheme}`, { skip }, async (t) => {
    const seat = await at(t, `may-${colorScheme}`, ['gateway-admin'])
    const { page } = seat
    await page.emulateMedia({ colorScheme })
    await page.goto(`${place.origin}/me`)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('rowheader', { name: 'Passkey' }).waitFor()
    for (const path of ['/', '/me', '/stops', '/signed-out', '/signed-in?c=x']) {
      await page.goto(`${place.origin}${path}`)
      await seat.look()
    }
    await page.goto(`${place.origin}/stops`)
    await page.getByLabel('Whom to stop').fill(`may-${colorScheme}`)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /^Stop may/ }).click()
    await page.getByRole('dialog').waitFor()
    await seat.look()
    const shade = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(shade === 'rgb(255, 255, 255)', colorScheme === 'light', String(shade))
  })
}

test('nothing secret is in the record or the log', { skip }, async () => {
  const { house } = place
  const bytes = `${house.allBytes()}${house.log()}`
  for (const secret of [password, scimSecret]) assert.ok(!bytes.includes(secret))
})
