/**
 * The demo's risky call, as a newcomer tries it: an engineer's client waits while a reviewer signs in
 * with her password, makes a passkey, and approves or denies it with it in a real browser.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { missingChromium, startChromium, takeSeat } from '../peers/chromium.ts'
import type { Browser, Page, Seat } from '../peers/chromium.ts'
import { connectClient } from '../peers/clients.ts'
import { missingServer } from '../peers/servers.ts'
import { makeFolder, readEntries, run, start, until } from './program.ts'
import type { Running } from './program.ts'

interface Ready {
  readonly console: string
  readonly connections: { readonly shop: string }
  readonly tokens: { readonly engineer: string }
  readonly logins: Readonly<
    Record<'reviewer', { readonly user: string; readonly password: string }>
  >
}

const skip = missingChromium() ?? missingServer('shop') ?? missingServer('everything') ?? false
const { dir, remove } = makeFolder()
const readyFile = join(dir, 'demo', 'ready.json')
const pageMs = 20_000

let demo: Running
let ready: Ready
let browser: Browser
let seat: Seat

before(async () => {
  if (skip !== false) return
  demo = start(['demo', '--data', dir, '--port', '0', '--console-port', '0'])
  await until(() => existsSync(readyFile) || demo.ended !== undefined, 60_000)
  assert.equal(demo.ended, undefined, demo.output.stderr)
  ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready
  browser = await startChromium()
  seat = await takeSeat(browser, [ready.console])
  seat.page.setDefaultTimeout(pageMs)
})
after(async () => {
  if (skip === false) {
    await seat.leave()
    await browser.close()
    await demo.stop('SIGTERM')
  }
  remove()
})

/** How many cards of a number the shop has. */
function cardsOf(id: number): number {
  const db = new DatabaseSync(join(dir, 'demo', 'shop.db'), { readOnly: true })
  try {
    return Number(db.prepare('select count(*) as n from cards where id = ?').get(id)?.['n'])
  } finally {
    db.close()
  }
}

interface Waiting {
  readonly ticket: string
  readonly answer: Promise<{ text: string; isError: boolean; json: string }>
  readonly close: () => Promise<void>
}

/** The engineer's client, with a call that waits. */
async function ask(sql: string, kind: 'v1' | 'v2-auto'): Promise<Waiting> {
  const reach = { url: ready.connections.shop, token: ready.tokens.engineer }
  const client = await connectClient(kind, reach)
  const before = await created()
  const answer = client.callTool('execute_sql', { sql })
  let now: readonly string[] = []
  await until(async () => (now = await created()).length > before.length)
  return { ticket: now.at(-1) ?? '', answer, close: () => client.close() }
}

/** Tickets in the order in which they were made. */
async function created(): Promise<string[]> {
  const entries = await readEntries(dir)
  return entries
    .filter(({ type }) => type === 'ticket.created')
    .map(({ details }) => (details as { ticket: string }).ticket)
}

async function signIn(page: Page): Promise<void> {
  const { password, user } = ready.logins.reviewer
  await page.getByLabel('Account').fill(user)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
}

async function decide(ticket: string, button: 'Approve' | 'Deny', then: RegExp): Promise<void> {
  const { page } = seat
  await page.goto(`${ready.console}/approvals/${ticket}`)
  await page.getByLabel('Justification').fill('Agreed in CHG-7, I looked at the row.')
  await page.getByRole('button', { name: `${button} with passkey` }).click()
  await page.getByText(then).first().waitFor()
}

test('a reviewer signs in with her password and makes a passkey', { skip }, async () => {
  const { page } = seat
  await page.goto(`${ready.console}/me`)
  await signIn(page)
  await page.waitForURL(`${ready.console}/me`)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('button', { name: 'Remove' }).waitFor()
  await seat.look()
})

let approved = ''
test('a deletion waits, is approved with the passkey, and runs once', { skip }, async () => {
  assert.equal(cardsOf(7), 1)
  const { answer, close, ticket } = await ask('DELETE FROM cards WHERE id = 7', 'v1')
  approved = ticket
  assert.equal(cardsOf(7), 1, 'it waits')
  const { page } = seat
  await page.goto(`${ready.console}/approvals/${ticket}`)
  await page.getByText('DELETE FROM cards WHERE id = 7', { exact: true }).waitFor()
  await seat.look()
  await decide(ticket, 'Approve', /It is approved|It has run|It is running/)
  const { isError, text } = await answer
  assert.equal(isError, false, text)
  assert.equal(cardsOf(7), 0)
  await close()
})
test('another one is denied, and its client is told', { skip }, async () => {
  const { answer, close, ticket } = await ask('DELETE FROM cards WHERE id = 8', 'v2-auto')
  await decide(ticket, 'Deny', /It was denied/)
  const { isError, text } = await answer
  assert.equal(isError, true)
  assert.match(text, /denied this call; it was not sent/)
  assert.equal(cardsOf(8), 1)
  await close()
})
test('what only reads goes at once', { skip }, async () => {
  const reach = { url: ready.connections.shop, token: ready.tokens.engineer }
  const client = await connectClient('v2-auto', reach)
  const { isError } = await client.callTool('execute_sql', {
    sql: 'select brand from cards limit 3',
  })
  assert.equal(isError, false)
  await client.close()
})
test('one search tells the ticket’s whole story', { skip }, async () => {
  const found = await run(['search', `ticket:${approved}`, '--json', '--data', dir])
  assert.equal(found.code, 0, found.stderr)
  for (const type of [
    'ticket.created',
    'call.received',
    'ticket.decided',
    'ticket.approved',
    'call.dispatched',
    'ticket.executed',
  ]) {
    assert.ok(found.stdout.includes(type), `${type} is missing in ${found.stdout.slice(0, 2000)}`)
  }
})
test('the proof from the page verifies, and one altered byte does not', { skip }, async () => {
  const { page } = seat
  await page.goto(`${ready.console}/approvals/${approved}`)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download the proof' }).click(),
  ])
  const file = join(dir, 'approval.json')
  await download.saveAs(file)
  const verified = await run(['audit', 'verify-approval', file])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  assert.match(verified.stdout, /Rita Reviewer/)
  const text = readFileSync(file, 'utf8')
  for (const [from, to] of [
    ['CHG-7', 'CHG-8'],
    ['approve', 'approvf'],
    ['"signature": "', '"signature": "A'],
  ] as const) {
    const altered = join(dir, `altered-${from.replace(/\W/g, '')}.json`)
    writeFileSync(altered, text.replace(from, to))
    const told = await run(['audit', 'verify-approval', altered])
    assert.equal(told.code, 1, `${from}: ${told.stdout}`)
  }
})
