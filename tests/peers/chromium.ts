/** A person in front of a real browser, who sees only pages that anybody can use. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'

export type { Browser, Page }

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Why a test with a browser has to be skipped; else undefined. */
export function missingChromium(): string | undefined {
  if (existsSync(executablePath)) return undefined
  return 'no Chromium: apt-get install chromium, or name it in CHROMIUM'
}

export async function startChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

export interface Seat {
  readonly page: Page
  /** Tries the page that is open with axe: nobody is to be kept out. */
  look(): Promise<void>
  /** Fails with everything that the browser complained of, and leaves. */
  leave(): Promise<void>
}

/**
 * A browser of somebody's own: no cookie of others, and a built-in authenticator with their finger on
 * it. Whatever a page of `own` writes to the console is a trouble: a policy's violation, an error.
 * @param own origins whose pages are ours. @param isTold what the person is prepared to see there.
 */
export async function takeSeat(
  browser: Browser,
  own: readonly string[],
  isTold: (text: string) => boolean = () => false,
): Promise<Seat> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    const { url } = message.location()
    if (url.endsWith('/favicon.ico')) return // Asked for by the browser itself, not by a page.
    const isOurs = own.some((origin) => url.startsWith(origin) || page.url().startsWith(origin))
    if (isOurs && !isTold(message.text())) troubles.push(`${url} ${message.text()}`)
  })
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
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
  return {
    page,
    look: async () => {
      await page.evaluate(axe.source)
      const found: unknown = await page.evaluate(
        'axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))',
      )
      assert.deepEqual(found, [], page.url())
    },
    leave: async () => {
      await context.close()
      assert.deepEqual(troubles, [])
    },
  }
}
