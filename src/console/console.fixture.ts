/** For tests: a console over requests and answers, its tables in memory, and people before it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import { openDirectory } from '../identity/directory-store.ts'
import type { Directory, KnownPrincipal, Told } from '../identity/directory.ts'
import type { Principal } from '../identity/principal.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { Details } from '../record/entry.ts'
import type { Look, LookedAt } from '../record/looks.ts'
import type { About, Note } from '../record/notes.ts'
import { openPasskeys } from '../signin/passkeys.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import type { SignedIn, SignInSite, StartOptions } from '../signin/signed-in.ts'
import { createConsole } from './console.ts'
import type { Console } from './console.ts'
import type { ConsoleParts } from './parts.ts'
import { ConsoleSessions } from './sessions.ts'

export const origin = 'http://localhost:4101'
export const issuer = 'https://login.example'
const source = { ip: '192.0.2.1', port: 4711 }

/** Stands until it is moved. */
class StillClock implements Clock {
  #ms = Date.UTC(2026, 10, 21, 8)
  nowUs(): number {
    return this.#ms * 1000
  }
  monotonicMs(): number {
    return this.#ms
  }
  pass(ms: number): void {
    this.#ms += ms
  }
}

interface NotedEntry {
  readonly type: string
  readonly about: About
  readonly details: Details
}

export interface Room {
  readonly console: Console
  readonly clock: StillClock
  readonly directory: Directory
  readonly revocations: Revocations
  readonly passkeys: Passkeys
  readonly notes: NotedEntry[]
  /** Looks at held calls, and proofs taken away. */
  readonly looks: (LookedAt & { readonly about: About })[]
  /** What sign-ins were asked for. */
  readonly started: StartOptions[]
  /** What the codes stand for with which browsers come back. */
  readonly codes: Map<string, SignedIn>
  /** What a bearer token stands for. */
  readonly tokens: Map<string, Principal>
  /** The next entries fail. */
  isRecordDown: boolean
  /** Makes somebody known. Their groups are their roles. */
  person(subject: string, groups?: readonly ConsoleRole[], more?: Partial<Told>): KnownPrincipal
  /** A browser in which somebody just signed in. */
  browser(person: KnownPrincipal, more?: Partial<SignedIn>): Promise<Browser>
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Entries of a type. */
  told(type: string): Details[]
}

type Own = Pick<Room, 'clock' | 'directory' | 'passkeys' | 'revocations'> & { readonly note: Note }

/**
 * @param file of the sessions, so that another console can have them later.
 * @param more of what is held and pinned: nothing where it is missing.
 * @param at its origin.
 */
export function openRoom(
  t: Pick<TestContext, 'after'>,
  file = ':memory:',
  more: (own: Own) => Pick<ConsoleParts, 'tickets' | 'pins'> = () => ({
    tickets: undefined,
    pins: undefined,
  }),
  at: string = origin,
): Room {
  const clock = new StillClock()
  const directory = openDirectory(':memory:', { clock })
  const revocations = openRevocations(':memory:', { clock })
  const { look, looks, note, notes } = recording(() => room.isRecordDown)
  const started: StartOptions[] = []
  const codes = new Map<string, SignedIn>()
  const tokens = new Map<string, Principal>()
  const passkeys = openPasskeys(':memory:', {
    clock,
    rpId: 'localhost',
    origins: [at],
    directory,
    note,
  })
  const sessions = new ConsoleSessions(file, { clock, idleMs: 15 * 60_000, maxMs: 8 * 3_600_000 })
  const own = { sessions, passkeys, directory, revocations, clock, note }
  const console = createConsole({
    ...own,
    ...more(own),
    look,
    origin: at,
    site: siteOf(started, codes),
    ...stopping(own),
    ...standing,
    identify: identifying(tokens),
  } satisfies ConsoleParts)
  t.after(() => {
    for (const table of [passkeys, directory, revocations, sessions]) table.close()
  })
  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    await console.fetch(new Request(`${at}${path}`, init), source)
  const room: Room = {
    ...own,
    console,
    notes,
    looks,
    started,
    codes,
    tokens,
    ask,
    isRecordDown: false,
    person: (subject, groups = [], more = {}) =>
      directory.tell(
        { issuer, subject, kind: 'person', name: subject, groups, ...more },
        'sign-in',
        clock.nowUs() / 1000,
      ),
    browser: async (person, more = {}) => {
      const browser = new Browser(room)
      await browser.signIn(person, more)
      return browser
    },
    told: (type) => notes.filter((one) => one.type === type).map(({ details }) => details),
  }
  return room
}

/** As the record, in memory. */
function recording(isDown: () => boolean): Pick<Room, 'looks' | 'notes'> & {
  readonly note: Note
  readonly look: Look
} {
  const notes: NotedEntry[] = []
  const looks: Room['looks'][number][] = []
  const check = (): void => {
    if (isDown()) throw new Fault('record_down', 'The record is down.')
  }
  return {
    notes,
    looks,
    // oxlint-disable-next-line require-await -- as the record's, which waits for its disk.
    note: async (type, about, details) => {
      check()
      notes.push({ type, about, details })
    },
    // oxlint-disable-next-line require-await -- as the record's, which waits for its disk.
    look: async (about, looked) => {
      check()
      looks.push({ about, ...looked })
    },
  }
}

function identifying(tokens: ReadonlyMap<string, Principal>): ConsoleParts['identify'] {
  // oxlint-disable-next-line require-await -- as the house's, which may fetch keys.
  return async ([header = '']) => {
    const found = tokens.get(header.replace(/^Bearer /, ''))
    if (found !== undefined) return found
    throw new Fault('no_identity', 'A good token is needed.', { facts: { reason: 'signature' } })
  }
}

type Stopping = Pick<ConsoleParts, 'clock' | 'note' | 'revocations'>

/** As the house stops, without anything to cut. */
function stopping({ clock, note, revocations }: Stopping): Pick<ConsoleParts, 'stop' | 'lift'> {
  return {
    stop: async ({ fromMs, ...of }) => {
      const nowMs = clock.nowUs() / 1000
      const revocation = revocations.add({ ...of, madeMs: nowMs, fromMs: fromMs ?? nowMs })
      await note('principal.revoked', {}, { id: revocation.id, by: of.by, reason: of.reason })
      return { revocation, cut: { calls: 1, streams: 2, sessions: 0 } }
    },
    lift: async (id, by, reason) => {
      await note('revocation.lifted', {}, { id, by, reason })
      return revocations.lift(id)
    },
  }
}

const roles: readonly ConsoleRole[] = ['admin', 'approver', 'analyst', 'compliance', 'auditor']
const inForce = {
  version: '1',
  status: 'running',
  record: 'open',
  sessions: 0,
  connections: [{ name: 'shop', resource: 'http://localhost/mcp/shop' }],
  vkey: 'gw+1+x',
}

export const standing: Pick<ConsoleParts, 'inForce' | 'rolesOf' | 'serviceAccounts'> = {
  serviceAccounts: { list: () => [] },
  rolesOf: ({ groups }) => new Set(roles.filter((role) => groups.includes(role))),
  inForce: () => inForce,
}

function siteOf(started: StartOptions[], codes: Map<string, SignedIn>): SignInSite {
  return {
    fetch: async () => await Promise.resolve(new Response('sign in here')),
    start: (options) => {
      started.push(options)
      return '/login/start?f=x'
    },
    redeem: (code) => {
      const found = codes.get(code)
      codes.delete(code)
      return found
    },
  }
}

let codesMade = 0

/** A browser: keeps the session's cookie, and sends what browsers send. */
export class Browser {
  readonly #room: Room
  cookie = ''
  csrf = ''
  /** What it answered to the last sign-in. */
  answer: Response | undefined

  constructor(room: Room) {
    this.#room = room
  }

  async signIn(person: KnownPrincipal, more: Partial<SignedIn> = {}, to = '/'): Promise<void> {
    const code = `sc_${++codesMade}`
    const authenticatedMs = this.#room.clock.nowUs() / 1000
    const who = { person, method: 'corp', type: 'oidc', amr: [], isBreakGlass: false } as const
    this.#room.codes.set(code, { ...who, authenticatedMs, ...more })
    const path = `/signed-in?to=${encodeURIComponent(to)}&c=${code}`
    this.answer = await this.get(path)
    const [line = ''] = this.answer.headers.getSetCookie()
    if (line === '') return
    this.cookie = line.slice(0, line.indexOf(';'))
    const me: unknown = await (await this.get('/api/me', { 'x-background': '1' })).json()
    const csrf: unknown = me instanceof Object ? Reflect.get(me, 'csrf') : undefined
    this.csrf = String(csrf)
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return await this.#room.ask(path, { headers: { ...this.#cookies(), ...headers } })
  }

  /** A change as the console's script makes it; what is undefined in `headers` is not sent. */
  async change(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Response> {
    const own = {
      ...this.#cookies(),
      origin,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
      'x-sallyport-csrf': this.csrf,
      ...headers,
    }
    const sent = Object.entries(own).filter((one): one is [string, string] => one[1] !== undefined)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const init = body === undefined ? {} : { body: text }
    return await this.#room.ask(path, { method, headers: sent, ...init })
  }

  #cookies(): Record<string, string> {
    return this.cookie === '' ? {} : { cookie: this.cookie }
  }
}

/** Status and machine's word of an answer of the API. */
export async function reasonOf(answer: Response): Promise<[status: number, reason: unknown]> {
  const text = await answer.text()
  if (text === '') return [answer.status, undefined]
  const value: unknown = JSON.parse(text)
  assert.ok(value instanceof Object)
  return [answer.status, Reflect.get(value, 'reason')]
}
