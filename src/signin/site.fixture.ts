/** For tests: a sign-in site on a real port, its tables in memory, and browsers that keep cookies. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Clock } from '../base/clock.ts'
import type { SignInConfig } from '../config/types.ts'
import { openDirectory } from '../identity/directory-store.ts'
import type { Directory } from '../identity/directory.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { Details } from '../record/entry.ts'
import type { About, Note } from '../record/notes.ts'
import { Secret } from '../secrets/secret.ts'
import { openAccounts } from './accounts.ts'
import type { Accounts } from './accounts.ts'
import { openPasskeys } from './passkeys.ts'
import type { Passkeys } from './passkeys.ts'
import { openReplays } from './saml-replays.ts'
import { createSignInSite } from './site.ts'
import type { SignInOptions } from './site.ts'
import type { SignedIn, SignInSite, StartOptions } from './signed-in.ts'

/** A clock that stands until it is moved. It begins at the machine's time, as providers' tokens do. */
export class TestClock implements Clock {
  #aheadMs = 0
  nowUs(): number {
    return (Date.now() + this.#aheadMs) * 1000
  }
  monotonicMs(): number {
    return Date.now() + this.#aheadMs
  }
  pass(ms: number): void {
    this.#aheadMs += ms
  }
}

export interface Noted {
  readonly type: string
  readonly about: About
  readonly details: Details
}

export interface Opened {
  readonly origin: string
  readonly base: string
  readonly site: SignInSite
  readonly accounts: Accounts
  readonly passkeys: Passkeys
  readonly directory: Directory
  readonly revocations: Revocations
  readonly clock: TestClock
  readonly notes: Noted[]
  readonly warnings: string[]
  /** The address that requests seem to come from; may be changed. */
  readonly from: { ip: string }
  /** Begins a sign-in. @returns its address. */
  start(options?: Partial<StartOptions>): string
  /** Reasons of the refusals that were recorded. */
  reasons(): unknown[]
  /** What the last code to arrive at `/done` stood for; its page says `in` or `out`. */
  last(): SignedIn | undefined
}

export const issuer = 'https://gw.example/local'
export const accountsOnly: readonly SignInConfig[] = [
  { type: 'accounts', name: 'accounts', label: 'Account', passwords: true },
]

/** @param signIn what is configured, where the address of the site is known. */
export async function open(
  t: Pick<TestContext, 'after'>,
  signIn: readonly SignInConfig[] | ((origin: string) => readonly SignInConfig[]) = accountsOnly,
  more: Partial<SignInOptions> & { readonly host?: string } = {},
): Promise<Opened> {
  const { host = 'localhost' } = more
  const clock = new TestClock()
  const notes: Noted[] = []
  const warnings: string[] = []
  const from = { ip: '192.0.2.1' }
  let last: SignedIn | undefined
  // oxlint-disable-next-line require-await -- as the record's, which waits for its disk.
  const note: Note = async (type, about, details) => {
    notes.push({ type, about, details })
  }
  const directory = openDirectory(':memory:', { clock })
  const revocations = openRevocations(':memory:', { clock })
  const accounts = openAccounts(':memory:', { clock, issuer })
  const replays = openReplays(':memory:')
  const { onto, port } = await serving(t, host)
  const origin = `http://${host}:${port}`
  const base = '/oauth/login'
  const passkeys = openPasskeys(':memory:', {
    clock,
    rpId: 'localhost',
    origins: [`http://localhost:${port}`],
    directory,
    note,
  })
  const site = createSignInSite({
    origin,
    base,
    at: 'gateway',
    signIn: typeof signIn === 'function' ? signIn(origin) : signIn,
    accounts,
    passkeys,
    directory,
    revocations,
    note,
    clock,
    replays,
    warn: (message) => void warnings.push(message),
    loggedOut: () => Promise.resolve(),
    secrets: { open: () => ({ read: () => new Secret('client-secret') }) },
    groupsOf: () => undefined,
    sameAs: () => undefined,
    refusalsPerMinuteMax: 1000,
    ...more,
  })
  onto(async (request) => {
    const url = new URL(request.url)
    if (url.pathname !== '/done') return await site.fetch(request, { ...from, port: 4711 })
    last = site.redeem(url.searchParams.get('c') ?? '', request.headers.get('cookie') ?? undefined)
    return new Response(last ? 'in' : 'out', { headers: { 'content-type': 'text/html' } })
  })
  t.after(() => {
    for (const table of [accounts, passkeys, directory, revocations, replays]) table.close()
  })
  const start = (options?: Partial<StartOptions>): string =>
    `${origin}${site.start({ returnTo: '/done', ...options })}`
  const reasons = (): unknown[] =>
    notes.filter(({ type }) => type === 'signin.refused').map(({ details }) => details['reason'])
  const parts = { accounts, passkeys, directory, revocations, clock, notes, warnings, from }
  return { origin, base, site, ...parts, start, reasons, last: () => last }
}

/** A port whose requests are answered by whoever is put onto it. */
async function serving(
  t: Pick<TestContext, 'after'>,
  host: string,
): Promise<{ port: number; onto: (answer: (request: Request) => Promise<Response>) => void }> {
  let listener: ReturnType<typeof getRequestListener> | undefined
  const server = createServer((request, response) => void listener?.(request, response))
  server.listen(0, host === '127.0.0.1' ? host : 'localhost')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { port: address.port, onto: (answer) => (listener = getRequestListener(answer)) }
}

/** A browser without a screen: keeps cookies by host, follows redirects by hand. */
export class Robot {
  readonly jar: Map<string, Map<string, string>> = new Map()

  /** One request; no redirect is followed. */
  async ask(address: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(address)
    const kept = this.jar.get(host) ?? new Map<string, string>()
    const cookie = [...kept].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = new Headers(init.headers)
    if (cookie !== '') headers.set('cookie', cookie)
    const answer = await fetch(address, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') kept.delete(name)
      else kept.set(name, value)
    }
    this.jar.set(host, kept)
    return answer
  }

  /** Follows redirects to the first page. @returns it, with its address. */
  async go(address: string, init: RequestInit = {}): Promise<{ at: URL; answer: Response }> {
    let at = new URL(address)
    let answer = await this.ask(at.href, init)
    for (let i = 0; i < 20 && answer.status >= 300 && answer.status < 400; i++) {
      at = new URL(answer.headers.get('location') ?? '', at)
      await answer.body?.cancel()
      answer = await this.ask(at.href)
    }
    return { at, answer }
  }

  /** Posts a form as a page of an origin would. */
  async post(
    address: string,
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const own = { origin: new URL(address).origin, 'sec-fetch-site': 'same-origin' }
    const body = new URLSearchParams(form)
    return await this.ask(address, { method: 'POST', body, headers: { ...own, ...headers } })
  }
}

/** The id of a sign-in, from its address. */
export function flowOf(address: string): string {
  return new URL(address).searchParams.get('f') ?? ''
}

/** An account that is ready, with a password. */
export async function withPassword(
  { accounts }: Pick<Opened, 'accounts'>,
  name: string,
  password: string,
  isBreakGlass = false,
): Promise<void> {
  const secret = accounts.add({ name, title: undefined, groups: ['ops'], roles: [], isBreakGlass })
  await accounts.setPassword(secret, password)
}
