/** People before the console of a gateway in this process, in a real browser. */
import assert from 'node:assert/strict'
import { startChromium, takeSeat } from '../peers/chromium.ts'
import type { Browser, Page, Seat } from '../peers/chromium.ts'
import { openHouse } from '../system/house.ts'
import type { House } from '../system/house.ts'

export const password = 'correct horse 4 battery'
export const scimSecret = 'a-secret-of-the-directory-of-thirty-two-bytes-or-more'

export interface Place {
  readonly house: House
  /** Of the console. */
  readonly origin: string
  seat(isTold?: (text: string) => boolean): Promise<Seat>
  /** An account with a password. @param roles of the account, such as `gateway-admin`. */
  account(name: string, roles?: readonly string[], isBreakGlass?: boolean): Promise<void>
  /** Details of the entries of a type. */
  told(type: string): Promise<Readonly<Record<string, unknown>>[]>
  close(): Promise<void>
}

/** @param dataDir of a place that was closed before, to go on in it. */
export async function openPlace(dataDir?: string): Promise<Place> {
  const house = await openHouse({
    ...(dataDir === undefined ? {} : { dataDir }),
    identity: `
  issuers: [{ name: local, type: local }]
  sign_in: [{ name: people, type: accounts, passwords: true }]
  scim: { issuer: local, tokens: ["\${env:SCIM_SECRET}"] }`,
    extra: `
console:
  roles:
    admin: { role: gateway-admin }
    approver: { role: reviewer }
    analyst: { role: fraud-analyst }`,
    env: { SCIM_SECRET: scimSecret },
  })
  const browser: Browser = await startChromium()
  const { consoleUrl: origin } = house.gateway
  return {
    house,
    origin,
    seat: async (isTold) => {
      const seat = await takeSeat(browser, [origin], isTold)
      seat.page.setDefaultTimeout(15_000)
      return seat
    },
    account: async (name, roles = [], isBreakGlass = false) => {
      const { accounts } = house.gateway
      assert.ok(accounts)
      const secret = accounts.add({ name, title: undefined, groups: [], roles, isBreakGlass })
      await accounts.setPassword(secret, password)
    },
    told: async (type) =>
      (await house.entries())
        .filter((entry) => entry['type'] === type)
        .map(({ details }) => details as Record<string, unknown>),
    close: async () => {
      await house.stop()
      await browser.close()
    },
  }
}

/** Signs in by password, from whatever page of the console; waits for the page that follows. */
export async function signIn(
  { origin }: Place,
  page: Page,
  name: string,
  path = '/',
): Promise<void> {
  await page.goto(`${origin}${path}`)
  await answerSignIn(page, name)
  await page.waitForURL(`${origin}${path}`)
}

/** The page of a sign-in, by keyboard. */
export async function answerSignIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Account').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
}

/** Goes on by Tab until a named thing has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const walked: string[] = []
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(
      `(() => { const one = document.activeElement
        return one?.getAttribute('aria-label') ?? one?.labels?.[0]?.textContent ?? one?.textContent ?? '' })()`,
    )
    const text = String(focused).trim()
    if (text.startsWith(name)) return
    walked.push(text)
  }
  assert.fail(`${name} is not reached by Tab: ${walked.join(' | ')}`)
}
