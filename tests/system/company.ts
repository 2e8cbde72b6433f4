/**
 * A company: its OpenID provider, its SAML provider, the card shop behind a gateway in this process,
 * and people in front of a real browser.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChromium, takeSeat } from '../peers/chromium.ts'
import type { Browser, Page, Seat } from '../peers/chromium.ts'
import { startOidcIdp } from '../peers/oidc-idp.ts'
import type { OidcIdp } from '../peers/oidc-idp.ts'
import { Program } from '../peers/program.ts'
import type { Person } from '../peers/program.ts'
import { startSamlIdp } from '../peers/saml-idp.ts'
import type { SamlIdp } from '../peers/saml-idp.ts'
import { startServer } from '../peers/servers.ts'
import type { RunningServer } from '../peers/servers.ts'
import { openHouse } from './house.ts'
import type { House } from './house.ts'

export type Way = 'company' | 'works' | 'password' | 'passkey'
export const ways: readonly Way[] = ['company', 'works', 'password', 'passkey']

export const password = 'correct horse 4 battery'
const groupsAttribute = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups'

export type Entry = Readonly<Record<string, unknown>>

export interface Company {
  readonly house: House
  readonly oidc: OidcIdp
  readonly saml: SamlIdp
  readonly origin: string
  /** Issuer and subject in the record of who signs in by a way. */
  who(way: Way, name?: string): { issuer: string; subject: string }
  seat(isTold?: (text: string) => boolean): Promise<Seat>
  /** Entries of a type and whatever else is named, at any depth of one. */
  entries(type: string, wanted?: Readonly<Record<string, unknown>>): Promise<Entry[]>
  close(): Promise<void>
}

/** Pages may be slow beside other tests; nobody waits longer for one than this. */
const pageMs = 15_000

export async function openCompany(): Promise<Company> {
  const browser = await startChromium()
  const shop = await startServer('shop')
  const oidc = await startOidcIdp({
    ada: { name: 'Ada Lovelace', email: 'ada@company.example', groups: ['payments', 'all'] },
    bert: { name: 'Bert', groups: ['all'] },
    cleo: { name: 'Cleo', groups: ['payments'] },
    dora: { name: 'Dora', groups: ['payments'] },
  })
  const saml = await startSamlIdp({
    users: {
      ada: { nameId: 'saml-ada', attributes: { [groupsAttribute]: ['payments', 'all'] } },
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-company-'))
  const certificate = join(dir, 'works.pem')
  writeFileSync(certificate, saml.certificatePem)
  const house = await openHouse({
    host: 'localhost', // Passkeys want a name; and the providers are at an address, so another site.
    identity: identityOf(oidc, saml, certificate),
    upstream: shop.url,
    access: ['company', 'works', 'people']
      .map((name) => `  - { who: { issuer: ${name}, group: payments }, may: { connection: shop } }`)
      .join('\n'),
    env: { CLIENT_SECRET: oidc.clientSecret },
  })
  oidc.serve([`${house.gateway.gatewayUrl}/oauth/login/callback/company`])
  return companyOf({ browser, dir, house, oidc, saml, shop })
}

function identityOf(oidc: OidcIdp, saml: SamlIdp, certificate: string): string {
  return `
  issuers:
    - { name: local, type: local }
    # So that it may say who has signed out there. Its own access tokens are for others.
    - { name: company, type: oidc, issuer: "${oidc.issuer}", audience: https://elsewhere.example }
  sign_in:
    - { name: company, type: oidc, label: Company account, issuer: "${oidc.issuer}", client_id: ${oidc.clientId}, client_secret: "\${env:CLIENT_SECRET}" }
    - { name: works, type: saml, label: Works account, idp_issuer: "${saml.entityId}", entry_point: "${saml.entryPoint}", certificates: ["${certificate}"] }
    - { name: people, type: accounts, label: Local account, passwords: true }
  authorization_server: { access_token: 1m, registrations_per_hour_max: 1000 }`
}

interface Parts {
  readonly browser: Browser
  readonly dir: string
  readonly house: House
  readonly oidc: OidcIdp
  readonly saml: SamlIdp
  readonly shop: RunningServer
}

function companyOf({ browser, dir, house, oidc, saml, shop }: Parts): Company {
  const origin = house.gateway.gatewayUrl
  const local = house.gateway.local?.issuer ?? ''
  const subjects: Record<Way, (name: string) => { issuer: string; subject: string }> = {
    company: (name) => ({ issuer: oidc.issuer, subject: `sub-${name}` }),
    works: (name) => ({ issuer: saml.entityId, subject: `saml-${name}` }),
    password: (name) => ({ issuer: local, subject: name }),
    passkey: (name) => ({ issuer: local, subject: name }),
  }
  return {
    house,
    oidc,
    saml,
    origin,
    who: (way, name = 'ada') => subjects[way](name),
    seat: async (isTold) => {
      const seat = await takeSeat(browser, [origin], isTold)
      seat.page.setDefaultTimeout(pageMs)
      return seat
    },
    entries: async (type, wanted = {}) =>
      (await house.entries()).filter(
        (entry) => entry['type'] === type && holds(entry, Object.entries(wanted)),
      ),
    close: async () => {
      await house.stop()
      await Promise.all([browser.close(), shop.close(), oidc.close(), saml.close()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Whether each named member stands somewhere in the entry with this value. */
function holds(entry: unknown, wanted: readonly (readonly [string, unknown])[]): boolean {
  return wanted.every(([name, value]) => valuesOf(entry, name).includes(value))
}

function valuesOf(of: unknown, name: string): unknown[] {
  if (typeof of !== 'object' || of === null) return []
  return Object.entries(of).flatMap(([key, value]: [string, unknown]) => [
    ...(key === name ? [value] : []),
    ...valuesOf(value, name),
  ])
}

/** Pages of ours that were met on the way, by path without ids; each is tried with axe once. */
export const looked: Set<string> = new Set()

export async function look(seat: Seat): Promise<void> {
  const { pathname } = new URL(seat.page.url())
  const page = `${pathname.replace(/\/i\/.*/, '/i')} ${await seat.page.title()}`
  if (looked.has(page)) return
  looked.add(page)
  await seat.look()
}

/** From the first page of a sign-in to its end, by the buttons. @param name at the provider. */
export async function signIn(seat: Seat, way: Way, name = 'ada'): Promise<void> {
  const { page } = seat
  const labels = { company: 'Company account', works: 'Works account' }
  const label = way === 'company' || way === 'works' ? labels[way] : 'Local account'
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await look(seat)
  await page.getByRole('link', { name: label }).click()
  if (way === 'company' || way === 'works') {
    await page.getByRole('heading', { name: 'Company sign-in' }).waitFor()
    await page.getByLabel('User').fill(name)
    await page.getByRole('button', { name: 'Sign in' }).click()
    return
  }
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
  await look(seat)
  if (way === 'passkey')
    return await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByLabel('Account').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Waits for the question, reads it, and presses a button; then the browser is at the program. */
export async function answer(
  seat: Seat,
  program: Program,
  button: 'Allow' | 'Deny',
  read: (page: Page) => Promise<void> = async () => {},
): Promise<void> {
  const { page } = seat
  await page.getByRole('heading', { name: 'Allow this program?' }).waitFor()
  await look(seat)
  await read(page)
  await page.getByRole('button', { name: button }).click()
  await page.waitForURL(`${program.redirectUrl}?*`)
  await page.getByRole('heading', { name: 'Back to the program' }).waitFor()
}

/** Somebody who signs in and says yes. */
export function willing(seat: Seat, program: Program, way: Way, name?: string): Person {
  return async (address) => {
    await seat.page.goto(address.href)
    await signIn(seat, way, name)
    await answer(seat, program, 'Allow')
  }
}

/** Makes a local account, with a password or with a passkey of this browser. */
export async function makeAccount(
  { house, origin }: Company,
  seat: Seat,
  way: 'password' | 'passkey',
  name: string,
): Promise<void> {
  const { accounts } = house.gateway
  assert.ok(accounts)
  const groups = ['payments']
  const secret = accounts.add({ name, title: undefined, groups, roles: [], isBreakGlass: false })
  const { page } = seat
  await page.goto(`${origin}/oauth/login/invite#${secret}`)
  await look(seat)
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('heading', { name: 'Set up your account' }).waitFor()
  await look(seat)
  if (way === 'passkey') await page.getByRole('button', { name: 'Add a passkey' }).click()
  else {
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Set the password' }).click()
  }
  await page.getByRole('heading', { name: 'Your account is ready' }).waitFor()
  await look(seat)
}
