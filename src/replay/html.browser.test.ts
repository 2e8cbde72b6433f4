/** The page of a replay in a real browser, as a file from the disk. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { replay } from './replay.ts'
import { crashed, from, hostile, hostileLog, log, proofOf } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(executablePath)
  ? false
  : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'

let dir = ''
let browser: Browser | undefined
before(async () => {
  if (skip !== false) return
  dir = await mkdtemp(join(tmpdir(), 'replay-'))
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => {
  await browser?.close()
  if (dir !== '') await rm(dir, { recursive: true })
})

/** Opens a replay and fails on whatever it loads, runs, asks or is denied. */
async function opened(
  of: readonly RecordedEntry[],
  scheme: 'light' | 'dark' = 'light',
): Promise<Page> {
  const options = { format: 'html', shows: () => true, title: 'A replay', proof: proofOf } as const
  const file = join(dir, `${scheme}.html`)
  await writeFile(file, (await Array.fromAsync(replay(from(of), options))).join(''))
  assert.ok(browser)
  const page = await browser.newPage({ colorScheme: scheme })
  const { href } = pathToFileURL(file)
  page.on('dialog', () => assert.fail('something asked'))
  page.on('console', (message) => assert.fail(message.text()))
  page.on('request', (request) => assert.equal(request.url(), href))
  await page.goto(href)
  return page
}

test('what others said makes no element, attribute or request of its own', { skip }, async () => {
  const names = async (page: Page): Promise<string[]> =>
    await page.evaluate(
      `[...document.querySelectorAll(':not(.odd)')].map((one) => [one.tagName, ...one.getAttributeNames()].join(' '))`,
    )
  // One after the other in one page, since opening a page is slow.
  const joined = (words: readonly string[]): RecordedEntry[] =>
    words.flatMap((word, i) =>
      hostileLog(word).map((one) => ({ ...one, index: one.index + 8 * i })),
    )
  const plain = hostile.map((_, i) => `word ${i}`)
  assert.deepEqual(
    await names(await opened(joined(hostile))),
    await names(await opened(joined(plain))),
  )
})

test('a query reads in the browser as it was written', { skip }, async () => {
  const page = await opened(hostileLog('SELECT "a" <b>\n\tFROM x & y;\n'))
  const texts = await page.locator('#e1 pre').allTextContents()
  assert.ok(texts.includes('SELECT "a" <b>\n\tFROM x & y;\n'))
})

test('the style is in force, and an address leads to its entry', { skip }, async () => {
  const page = await opened(log)
  assert.equal(await page.locator('h1').count(), 1)
  const shade = async (): Promise<string> =>
    await page.evaluate('getComputedStyle(document.body).backgroundColor')
  assert.equal(await shade(), 'rgb(255, 255, 255)')
  await page.emulateMedia({ colorScheme: 'dark' })
  assert.equal(await shade(), 'rgb(22, 24, 27)')
  await page.getByRole('table', { name: 'Calls' }).getByRole('link', { name: '7' }).click()
  assert.match(page.url(), /#e7$/)
  assert.ok(await page.locator('#e7:target').isVisible())
})

for (const scheme of ['light', 'dark'] as const) {
  test(`a page has nothing that keeps somebody out, ${scheme}`, { skip }, async () => {
    const page = await opened(
      [...log, ...crashed.map((one) => ({ ...one, index: one.index + 9 }))],
      scheme,
    )
    await page.evaluate(axe.source)
    const found: unknown = await page.evaluate(
      'axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))',
    )
    assert.deepEqual(found, [])
  })
}

test('on paper folded texts are open', { skip }, async () => {
  const page = await opened(log)
  const height = async (): Promise<number> =>
    await page.locator('#e1 details').evaluate((one) => one.getBoundingClientRect().height)
  const folded = await height()
  await page.emulateMedia({ media: 'print' })
  assert.ok((await height()) > folded + 20)
})
