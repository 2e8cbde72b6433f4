/** The way through the pages in a real browser, under the policy they are served with. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { after, before, test } from 'node:test'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { openDesk } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import { authorizeUrl, clientId } from './flow.fixture.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(executablePath)
  ? false
  : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'

let desk: Desk
let browser: Browser | undefined
let program: Server
let redirect_uri = ''
before(async () => {
  if (skip !== false) return
  desk = await openDesk()
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  // The program that waits for its code, on a port it has not registered.
  program = createServer((req, res) => res.end(`got ${req.url}`))
  await new Promise<void>((done) => program.listen(0, '127.0.0.1', done))
  const at = program.address()
  redirect_uri = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/cb`
})
after(async () => {
  if (skip !== false) return
  await browser?.close()
  program.closeAllConnections()
  program.close()
  await desk.close()
})

async function asked(colorScheme: 'light' | 'dark'): Promise<Page> {
  assert.ok(browser)
  const context = await browser.newContext({ colorScheme })
  const page = await context.newPage()
  page.on('console', (message) => {
    if (!message.text().includes('favicon')) assert.fail(message.text())
  })
  const client = await clientId(desk, { redirect_uris: ['http://127.0.0.1/cb'] })
  await page.goto(authorizeUrl(desk, client, { redirect_uri }).href)
  return page
}

for (const scheme of ['light', 'dark'] as const) {
  test(`the page that asks can be read by everybody, ${scheme}`, { skip }, async () => {
    const page = await asked(scheme)
    await page.evaluate(axe.source)
    const found = await page.evaluate<string[]>(
      `axe.run().then(({ violations }) => violations.map(({ id }) => id))`,
    )
    assert.deepEqual(found, [])
    const style = await page.evaluate<string>('getComputedStyle(document.body).maxWidth')
    assert.notEqual(style, 'none') // The stylesheet came through the policy.
    await page.context().close()
  })
}

for (const [button, wanted] of [
  ['Allow', /[?&]code=/],
  ['Deny', /[?&]error=access_denied/],
] as const) {
  test(
    `${button}, by keyboard alone, leads to the program on this computer`,
    { skip },
    async () => {
      const page = await asked('light')
      await page.getByRole('button', { name: button }).focus()
      await page.keyboard.press('Enter')
      await page.waitForURL(`${redirect_uri}*`)
      assert.match(page.url(), wanted)
      assert.match(await page.content(), /got \/cb\?/)
      await page.context().close()
    },
  )
}
