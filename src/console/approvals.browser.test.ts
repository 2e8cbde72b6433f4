/** The reviewers' pages in a real Chromium: a passkey by a virtual authenticator, axe, a phone. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { Ticket } from '../hold/ticket.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { learn, openTicketRoom } from './tickets.fixture.ts'
import type { TicketRoom } from './tickets.fixture.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(executablePath)
  ? false
  : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'

let browser: Browser | undefined
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => await browser?.close())

interface Site extends TicketRoom {
  readonly origin: string
}

/** The console on a real port, at the machine's time. */
async function open(t: TestContext): Promise<Site> {
  let listener: ReturnType<typeof getRequestListener> | undefined
  const server = createServer((request, response) => void listener?.(request, response))
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const origin = `http://localhost:${address.port}`
  const room = openTicketRoom(t, origin)
  room.clock.pass(Date.now() - room.clock.nowUs() / 1000)
  const source = { ip: '192.0.2.1', port: 4711 }
  listener = getRequestListener(async (request) => await room.console.fetch(request, source))
  return Object.assign(room, { origin })
}

interface Seat {
  readonly page: Page
  readonly cdp: CDPSession
  readonly authenticator: string
}

/** A browser of its own with an authenticator. What the policy denies fails the test. */
async function seat(t: TestContext, options: object = {}): Promise<Seat> {
  assert.ok(browser)
  const context = await browser.newContext(options)
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
      transport: 'internal',
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

let codes = 0

/** Opens a path; where that leads to the sign-in, signs somebody in and comes back as it says. */
async function goto(site: Site, page: Page, path: string, person: KnownPrincipal): Promise<void> {
  const before = site.started.length
  await page.goto(`${site.origin}${path}`)
  const asked = site.started[before]
  if (asked === undefined) return
  const code = `browser_${++codes}`
  const authenticatedMs = site.clock.nowUs() / 1000
  const who = { person, method: 'corp', type: 'oidc', amr: ['pwd'], isBreakGlass: false } as const
  site.codes.set(code, { ...who, authenticatedMs })
  await page.goto(`${site.origin}${asked.returnTo}&c=${code}`)
  assert.equal(new URL(page.url()).pathname, path)
}

/** Signs somebody in and gives them a passkey by the page. */
async function enrolled(site: Site, { page }: Seat, person: KnownPrincipal): Promise<void> {
  await goto(site, page, '/me', person)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('button', { name: 'Remove' }).waitFor()
}

async function approve(page: Page, why = 'agreed in CHG-1'): Promise<void> {
  await page.getByLabel('Justification').fill(why)
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.getByText('It is approved').first().waitFor()
}

function stateOf(site: Site, { id }: Ticket): string | undefined {
  return site.tickets.byId(id)?.state
}

test(
  'a deep link leads over the sign-in to the call, which a passkey approves',
  { skip },
  async (t) => {
    const site = await open(t)
    const ada = site.person('ada', ['approver'])
    const sitting = await seat(t)
    await enrolled(site, sitting, ada)
    await sitting.page.context().clearCookies()
    const ticket = await site.hold(site.person('bob'))
    const { page } = sitting
    await goto(site, page, `/approvals/${ticket.id}`, ada)
    await page.getByRole('heading', { name: 'execute_sql on shop', level: 1 }).waitFor()
    await page.getByText('DELETE FROM cards WHERE id = 7', { exact: true }).waitFor()
    await page.getByText('It changes cardholder data.').waitFor()
    await page.getByText('0 of 1 approval.').waitFor()
    await page.getByText(/min \d+ s left/).waitFor()
    // Nothing is sent without a justification, and it is said beside the field.
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByText('Fill in “Justification”').waitFor()
    const field = page.getByLabel('Justification')
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    assert.equal(await page.evaluate('document.activeElement.id'), 'justification')
    await field.fill('ok')
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByText('Say why, with 5 letters at least').waitFor()
    assert.equal(stateOf(site, ticket), 'pending')
    await approve(page)
    assert.equal(stateOf(site, ticket), 'approved')
    const [decision] = site.tickets.byId(ticket.id)?.decisions ?? []
    assert.deepEqual([decision?.method, decision?.justification], ['passkey', 'agreed in CHG-1'])
    // What happened stands there, and has the focus.
    const focused: unknown = await page.evaluate('document.activeElement.textContent')
    assert.match(String(focused), /It is approved/)
    assert.equal(await page.getByRole('button', { name: /Approve/ }).count(), 0)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download the proof' }).click(),
    ])
    assert.equal(download.suggestedFilename(), `approval-${ticket.id}.json`)
    await accessible(page)
  },
)

test('a denial ends it, and a passkey that is not used decides nothing', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const sitting = await seat(t)
  await enrolled(site, sitting, ada)
  const { authenticator: authenticatorId, cdp, page } = sitting
  const ticket = await site.hold(site.person('bob'))
  await goto(site, page, '/approvals', ada)
  await page.getByRole('heading', { name: 'Waits for you (1)' }).waitFor()
  await page.getByRole('link', { name: 'execute_sql on shop' }).click()
  await page.getByLabel('Justification').fill('not on a Friday')
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await page.getByRole('button', { name: 'Deny with passkey' }).click()
  await page.getByText('The passkey was not used, so nothing was done').waitFor()
  assert.equal(stateOf(site, ticket), 'pending')
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  await page.getByRole('button', { name: 'Deny with passkey' }).click()
  await page.getByText('It was denied. Nothing was sent.').waitFor()
  assert.equal(stateOf(site, ticket), 'denied')
})

test('by keyboard alone a call is found, read and denied', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const sitting = await seat(t)
  await enrolled(site, sitting, ada)
  const ticket = await site.hold(site.person('bob'))
  const { page } = sitting
  await goto(site, page, '/approvals', ada)
  const tabTo = async (what: string): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      const at: unknown = await page.evaluate(
        '(document.activeElement.name || "") + " " + document.activeElement.textContent',
      )
      if (String(at).includes(what)) return
    }
    assert.fail(`no way to ${what} by Tab`)
  }
  await tabTo('execute_sql on shop')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Decide' }).waitFor()
  await tabTo('justification')
  await page.keyboard.type('not on a Friday')
  await tabTo('Deny')
  await page.keyboard.press('Space')
  await page.getByText('It was denied').first().waitFor()
  assert.equal(stateOf(site, ticket), 'denied')
})

test('what others do is said in the status region, and the form shuts', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const sitting = await seat(t)
  await enrolled(site, sitting, ada)
  const bob = site.person('bob')
  const ticket = await site.hold(bob)
  const { page } = sitting
  const watching = page.waitForResponse((answer) => answer.url().endsWith('/api/tickets/events'))
  await goto(site, page, `/approvals/${ticket.id}`, ada)
  await watching
  await page.getByLabel('Justification').fill('half a thought')
  await site.tickets.withdraw(ticket.id, `${bob.issuer}\n${bob.subject}`)
  await page.getByRole('status').getByText('Its requester took it back').waitFor()
  assert.equal(await page.getByRole('button', { name: /Approve/ }).isDisabled(), true)
  assert.equal(await page.getByLabel('Justification').inputValue(), 'half a thought')
  await page.getByRole('link', { name: 'Show it as it is now' }).click()
  await page.getByText('Its requester took it back').waitFor()
  await goto(site, page, '/approvals', ada)
  await page.getByText('Nothing waits for you').waitFor()
  await site.hold(bob, { args: '{"n":2}' })
  await page.getByRole('status').getByText('A held call is new here').waitFor()
})

test('when its time is over the page says so, and nothing can be decided', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const sitting = await seat(t)
  await enrolled(site, sitting, ada)
  const ticket = await site.hold(site.person('bob'))
  const { page } = sitting
  await goto(site, page, `/approvals/${ticket.id}`, ada)
  await page.getByRole('button', { name: /Approve/ }).waitFor()
  site.clock.pass(600_001)
  await site.tickets.tick()
  await site.console.tick()
  await page.getByRole('status').getByText('Its time is over').waitFor()
  assert.equal(await page.getByRole('button', { name: /Approve/ }).isDisabled(), true)
  assert.equal(stateOf(site, ticket), 'expired')
})

test('a role that goes while the page is open lets nobody decide', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const sitting = await seat(t)
  await enrolled(site, sitting, ada)
  const ticket = await site.hold(site.person('bob'))
  const { page } = sitting
  await goto(site, page, `/approvals/${ticket.id}`, ada)
  await page.getByLabel('Justification').fill('agreed in CHG-1')
  site.person('ada', [])
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.getByText('This held call is for other people to see').waitFor()
  assert.equal(stateOf(site, ticket), 'pending')
})

test('what nobody would see is shown by its code point, markup as text', { skip }, async (t) => {
  const site = await open(t)
  const ada = site.person('ada', ['approver'])
  const { page } = await seat(t)
  const sql = 'DELETE FROM c\u0430rds -- \u202e<img src=x onerror=alert(1)>\u200b'
  const ticket = await site.hold(site.person('bob'), { args: JSON.stringify({ sql }) })
  await goto(site, page, `/approvals/${ticket.id}`, ada)
  const shown = await page.locator('pre').first().textContent()
  assert.equal(shown, 'DELETE FROM c\u0430U+0430rds -- U+202E<img src=x onerror=alert(1)>U+200B')
  await page.getByText('There are characters in it which nobody sees').waitFor()
  assert.equal(await page.locator('img').count(), 0)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(
    `on a phone nothing moves sideways, and the pages keep nobody out, ${colorScheme}`,
    { skip },
    async (t) => {
      const site = await open(t)
      const ada = site.person('ada', ['approver', 'oncall' as never])
      const sitting = await seat(t, { viewport: { width: 360, height: 740 }, colorScheme })
      await enrolled(site, sitting, ada)
      const { page } = sitting
      const narrow = async (): Promise<void> => {
        const width: unknown = await page.evaluate('document.documentElement.scrollWidth')
        assert.ok(typeof width === 'number' && width <= 360, `${String(width)} px wide`)
        await accessible(page)
      }
      await goto(site, page, '/approvals', ada)
      await narrow()
      const long = `{"sql":"${'DELETE FROM a_table_with_a_long_name_'.repeat(20)}"}`
      const bob = site.person('bob')
      const ticket = await site.hold(bob, { args: long, tool: 'x'.repeat(120) })
      const own = await site.hold(ada)
      const tool = { name: 'pay', description: 'Pays a bill.', inputSchema: { type: 'object' } }
      await learn(site.pins, tool)
      await learn(site.pins, { ...tool, description: `Pays. ${'y'.repeat(300)}` })
      await site.tickets.delegate(
        ada.id,
        site.person('eve').id,
        Date.now() + 86_400_000,
        'on leave now',
      )
      await goto(site, page, '/approvals', ada)
      await page.getByRole('heading', { name: 'Tools that changed (1)' }).waitFor()
      await narrow()
      await goto(site, page, `/approvals/${ticket.id}`, ada)
      await narrow()
      await page.getByRole('button', { name: 'Approve with passkey' }).click()
      await page.getByText('Fill in “Justification”').waitFor()
      await narrow()
      await goto(site, page, `/approvals/${own.id}`, ada)
      await page.getByText('Run it now, without an approval').click()
      await page.getByRole('button', { name: 'Take it back' }).waitFor()
      await narrow()
      await page.getByRole('button', { name: 'Take it back' }).click()
      await page.getByText('Its requester took it back').waitFor()
      await narrow()
      const stranger = site.person('mallory')
      await page.context().clearCookies()
      await goto(site, page, `/approvals/${ticket.id}`, stranger)
      await page.getByText('This held call is for other people to see').waitFor()
      await narrow()
    },
  )
}

test(
  'a tool’s difference is accepted, a delegation made and ended, an emergency run and reviewed',
  { skip },
  async (t) => {
    const site = await open(t)
    const ada = site.person('ada', ['approver'])
    const eve = site.person('eve', ['approver', 'oncall' as never])
    const [sitting, other] = [await seat(t), await seat(t)]
    await enrolled(site, sitting, ada)
    const { page } = sitting
    const tool = { name: 'pay', description: 'Pays a bill.', inputSchema: { type: 'object' } }
    await learn(site.pins, tool)
    await learn(site.pins, { ...tool, description: 'Pays two bills.' })
    await goto(site, page, '/approvals', ada)
    await page.getByRole('button', { name: 'Accept the new form' }).click()
    await page.getByText('Fill in “Why it is good').waitFor()
    await page.getByLabel('Why it is good').fill('read it with the vendor')
    await page.getByRole('button', { name: 'Accept the new form' }).click()
    await page
      .getByRole('heading', { name: 'Tools that changed (1)' })
      .waitFor({ state: 'detached' })
    assert.deepEqual(site.pins.changes(), [])
    const at = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16)
    await page.getByLabel('Who decides for you').fill('nobody')
    await page.getByLabel('Until').fill(at)
    await page.getByLabel('Why, for the record').fill('on leave this week')
    await page.getByRole('button', { name: 'Let them decide' }).click()
    await page.getByText('Nobody of this name is known here').waitFor()
    await page.getByLabel('Who decides for you').fill('eve')
    await page.getByRole('button', { name: 'Let them decide' }).click()
    await page.getByText('eve decides for you').waitFor()
    await page.getByRole('button', { name: 'End: eve decides for ada' }).click()
    await page.getByText('Nobody decides for you').waitFor()
    await enrolled(site, other, eve)
    const ticket = await site.hold(eve)
    await goto(site, other.page, `/approvals/${ticket.id}`, eve)
    await other.page.getByText('Run it now, without an approval').click()
    await other.page.getByLabel('Why it cannot wait').fill('payments are down')
    await other.page.getByRole('button', { name: 'Run it in an emergency' }).click()
    await other.page.getByText('Nobody has reviewed that yet').waitFor()
    await goto(site, page, `/approvals/${ticket.id}`, ada)
    await page.locator('form[data-review] textarea').fill('it was needed')
    await page.getByRole('button', { name: 'It is reviewed' }).click()
    await page.getByText('Reviewed by ada').waitFor()
  },
)
