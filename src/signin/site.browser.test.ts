/** Sign-in in a real Chromium: passkeys by a virtual authenticator, the policy of the pages, axe. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { accountsOnly, open, withPassword } from './site.fixture.ts'
import type { Opened } from './site.fixture.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(executablePath)
  ? false
  : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'
const password = 'correct horse 4 battery'

let browser: Browser | undefined
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => await browser?.close())

interface Seat {
  readonly page: Page
  readonly cdp: CDPSession
  readonly authenticator: string
}

/** A browser of its own with an authenticator. What the policy denies fails the test. */
async function seat(t: TestContext, transport: 'internal' | 'usb' = 'internal'): Promise<Seat> {
  assert.ok(browser)
  const context = await browser.newContext()
  t.after(async () => await context.close())
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    // A refusal's status is logged by the browser itself.
    if (!message.text().startsWith('Failed to load resource')) troubles.push(message.text())
  })
  t.after(() => assert.deepEqual(troubles, []))
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { page, cdp, authenticator: authenticatorId }
}

async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  const found: unknown = await page.evaluate(
    'axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))',
  )
  assert.deepEqual(found, [])
}

/** Sets up an account with a passkey by its link. */
async function enrol(
  at: Opened,
  { page }: Seat,
  name = 'ada',
  isBreakGlass = false,
): Promise<void> {
  const account = { name, title: undefined, groups: [], roles: [], isBreakGlass }
  const secret = at.accounts.add(account)
  await page.goto(`${at.origin}${at.base}/invite#${secret}`)
  assert.equal(new URL(page.url()).hash, '')
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page
    .getByRole('button', { name: isBreakGlass ? 'Add the security key' : 'Add a passkey' })
    .click()
  if (isBreakGlass) {
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Set the password' }).click()
  }
  await page.getByRole('heading', { name: 'Your account is ready' }).waitFor()
}

test('a link leads to a passkey, once, and the passkey signs in', { skip }, async (t) => {
  const at = await open(t)
  const sitting = await seat(t)
  await enrol(at, sitting)
  const { page } = sitting
  const [made] = at.passkeys.listPasskeys(at.directory.find(at.accounts.issuer, 'ada')?.id ?? '')
  assert.equal(made?.attestation, 'packed')
  await page.goto(at.start())
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL('**/done?c=*')
  assert.equal(await page.locator('body').textContent(), 'in')
  assert.equal(at.last()?.person.subject, 'ada')
  assert.ok(at.last()?.amr.includes('mfa'))
  assert.deepEqual(
    at.notes.map(({ type }) => type),
    ['passkey.changed', 'signin.accepted'],
  )
})

test('a link that was used shows the one page, and makes nothing', { skip }, async (t) => {
  const at = await open(t)
  const sitting = await seat(t)
  const account = { name: 'ada', title: undefined, groups: [], roles: [], isBreakGlass: false }
  const secret = at.accounts.add(account)
  at.accounts.spend(secret)
  const { page } = sitting
  await page.goto(`${at.origin}${at.base}/invite#${secret}`)
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('heading', { name: 'Not signed in' }).waitFor()
  assert.deepEqual(at.reasons(), ['invite_over'])
})

test(
  'without user verification nobody signs in, whatever the page asks for',
  { skip },
  async (t) => {
    const at = await open(t)
    const sitting = await seat(t)
    await enrol(at, sitting)
    const { authenticator: authenticatorId, cdp, page } = sitting
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    await page.goto(at.start())
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByText('The passkey was not used').waitFor()
    // A page that was tampered with asks the authenticator for less.
    await page.route('**/passkey/options', async (route) => {
      const answer = await route.fetch()
      const options: object = await answer.json()
      await route.fulfill({ json: { ...options, userVerification: 'discouraged' } })
    })
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByText('This passkey was not accepted').waitFor()
    assert.deepEqual(at.reasons(), ['passkey_unverified'])
  },
)

test('a passkey of somebody who is no account of ours does not sign in', { skip }, async (t) => {
  const at = await open(t)
  const sitting = await seat(t)
  await enrol(at, sitting)
  at.accounts.remove('ada')
  const { page } = sitting
  await page.goto(at.start())
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('This passkey does not sign in here').waitFor()
  assert.deepEqual(at.reasons(), ['passkey_of_no_account'])
})

test(
  'for emergencies password and security key are both needed, and it raises an alert',
  { skip },
  async (t) => {
    const config = { ...accountsOnly[0], passwords: false } as (typeof accountsOnly)[0]
    const at = await open(t, [config])
    const sitting = await seat(t, 'usb')
    await enrol(at, sitting, 'glass', true)
    const { page } = sitting
    await page.goto(at.start())
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByText('This passkey does not sign in here').waitFor()
    await page.getByRole('link', { name: 'Emergency access' }).click()
    await accessible(page)
    await page.getByLabel('Account').fill('glass')
    await page.getByLabel('Password').fill(password)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Use the security key' }).click()
    await page.waitForURL('**/done?c=*')
    assert.equal(at.last()?.isBreakGlass, true)
    assert.deepEqual(at.last()?.amr, ['pwd', 'hwk', 'user', 'mfa'])
    assert.deepEqual(at.reasons(), ['password_missing'])
    const types = at.notes.map(({ type }) => type)
    assert.ok(types.indexOf('alert.raised') < types.indexOf('signin.accepted'))
    assert.ok(types.includes('alert.raised'))
    assert.equal(at.warnings.length, 1)
  },
)

test('the key of another account does not open a break-glass account', { skip }, async (t) => {
  const at = await open(t)
  const [own, other] = [await seat(t, 'usb'), await seat(t, 'usb')]
  await enrol(at, own, 'glass', true)
  await enrol(at, other, 'eve')
  const { page } = other
  await page.goto(at.start())
  await page.getByLabel('Account').fill('glass')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  // The browser would not offer this key: the page is made to ask for any.
  await page.route('**/passkey/options', async (route) => {
    const answer = await route.fetch()
    const options: object = await answer.json()
    await route.fulfill({ json: { ...options, allowCredentials: [] } })
  })
  await page.getByRole('button', { name: 'Use the security key' }).click()
  await page.getByText('This passkey was not accepted').waitFor()
  assert.deepEqual(at.reasons(), ['passkey_of_another'])
  const alert = at.notes.find(({ type }) => type === 'alert.raised')
  assert.equal(alert?.about.principal?.subject, 'glass')
})

test('a sign-in by password goes on to an address of a program', { skip }, async (t) => {
  const at = await open(t)
  await withPassword(at, 'ada', password)
  // As a code of the authorization server does: back to a port of the person's own machine.
  const program = createServer((_, response) => response.end('at the program'))
  await new Promise<void>((done) => program.listen(0, '127.0.0.1', done))
  t.after(() => program.close())
  const address = program.address()
  const port = typeof address === 'object' ? address?.port : 0
  const { page } = await seat(t)
  await page.route('**/done?c=*', async (route) => {
    const headers = { location: `http://127.0.0.1:${port}/cb` }
    await route.fulfill({ status: 303, headers })
  })
  await page.goto(at.start())
  await page.getByLabel('Account').fill('ada')
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL(`http://127.0.0.1:${port}/cb`)
})

test('a form of another site posts nothing here', { skip }, async (t) => {
  const at = await open(t)
  await withPassword(at, 'ada', password)
  const { page } = await seat(t)
  const address = at.start()
  await page.goto(address)
  const f = new URL(address).searchParams.get('f') ?? ''
  const form = `<form method="post" action="${at.origin}${at.base}/password">
    <input name="f" value="${f}"><input name="name" value="ada">
    <input name="password" value="${password}"><button>Go</button></form>`
  const evil = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(form),
  )
  await new Promise<void>((done) => evil.listen(0, '127.0.0.1', done))
  t.after(() => evil.close())
  const other = evil.address()
  await page.goto(`http://127.0.0.1:${typeof other === 'object' ? other?.port : 0}/`)
  await page.getByRole('button', { name: 'Go' }).click()
  await page.getByRole('heading', { name: 'Not signed in' }).waitFor()
  assert.deepEqual(at.reasons(), ['foreign_post'])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the pages keep nobody out, ${colorScheme}`, { skip }, async (t) => {
    const second = {
      type: 'oidc',
      name: 'corp',
      label: 'Company account',
      issuer: 'https://i.example',
    } as const
    const rest = { clientId: 'x', scopes: [], groupsClaim: 'g', rolesClaim: 'r', nameClaim: 'n' }
    const at = await open(t, [...accountsOnly, { ...second, ...rest }])
    await withPassword(at, 'ada', password)
    const { page } = await seat(t)
    await page.emulateMedia({ colorScheme })
    await page.goto(at.start())
    await accessible(page)
    const shade = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(shade, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 24, 27)')
    // By keyboard alone: the first way is a local account.
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
    await accessible(page)
    await page.getByLabel('Account').fill('ada')
    await page.getByLabel('Password').fill('wrong 1 wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('do not let you in').waitFor()
    await accessible(page)
    await page.goto(`${at.origin}${at.base}/invite#x`)
    await accessible(page)
    await page.goto(`${at.origin}${at.base}/none`)
    await accessible(page)
  })
}

test('at an address passkeys are not offered, and it is said why', { skip }, async (t) => {
  const at = await open(t, undefined, { host: '127.0.0.1' })
  const { page } = await seat(t)
  await page.goto(at.start())
  await page.getByText('Passkeys do not work at this address').waitFor()
  assert.equal(await page.getByRole('button', { name: /passkey/ }).count(), 0)
})
