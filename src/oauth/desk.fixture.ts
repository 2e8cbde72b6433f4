/** A gateway's authorization server on a port of its own. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { AuthorizationServerConfig } from '../config/types.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { makeLocalKey, openLocalIssuer } from '../identity/local.ts'
import type { Revocation, Stoppable } from '../identity/revocations.ts'
import type { Details, NotedType } from '../record/entry.ts'
import type { SignedIn, SignInSite } from '../signin/signed-in.ts'
import type { AuthorizationServer, AuthorizationServerOptions } from './options.ts'
import { createAuthorizationServer } from './server.ts'

export interface Noted {
  readonly type: NotedType
  readonly subject: string | undefined
  readonly connection: string | undefined
  readonly details: Details
}

/** What a test may turn while it runs. */
export class Desk {
  readonly publicUrl: string
  /** Where it listens: `publicUrl`, unless a proxy is imagined in between. */
  readonly address: string
  readonly dataDir: string = mkdtempSync(join(tmpdir(), 'sallyport-oauth-'))
  readonly notes: Noted[] = []
  /** Sign-ins that were stopped, by name. */
  readonly stopped: string[] = []
  readonly defects: unknown[] = []
  readonly people: Map<string, KnownPrincipal> = new Map()
  /** Requests to the sign-in, as it saw them. */
  readonly visits: Request[] = []
  /** Whoever the sign-in says it is next. */
  who: KnownPrincipal = person()
  isBreakGlass = false
  /** What is revoked. */
  isStopped: (who: Stoppable) => boolean = () => false
  /** Clock of our own code; the library has the machine's. */
  aheadMs = 0
  /** Whether entries can be written. */
  isRecordDown = false
  readonly clock: Clock
  readonly #listening: Server
  readonly #make: (desk: Desk) => Promise<AuthorizationServer>
  #server: AuthorizationServer | undefined

  constructor(
    listening: Server,
    publicUrl: string | undefined,
    make: (desk: Desk) => Promise<AuthorizationServer>,
  ) {
    const real = systemClock()
    this.clock = {
      nowUs: () => real.nowUs() + this.aheadMs * 1000,
      monotonicMs: () => real.monotonicMs() + this.aheadMs,
    }
    this.#listening = listening
    const at = listening.address()
    this.address = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`
    this.publicUrl = publicUrl ?? this.address
    this.#make = make
    listening.on('request', (req, res) => void this.#answer(req, res))
  }

  get server(): AuthorizationServer {
    assert.ok(this.#server)
    return this.#server
  }

  async open(): Promise<void> {
    this.#server = await this.#make(this)
  }

  /** Opens the same folder anew, as after a restart. */
  async reopen(): Promise<void> {
    await this.#server?.close()
    await this.open()
  }

  async close(): Promise<void> {
    this.#listening.closeAllConnections()
    await new Promise((done) => this.#listening.close(done))
    await this.#server?.close()
    rmSync(this.dataDir, { recursive: true })
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const source = { ip: String(req.headers['x-test-ip'] ?? '192.0.2.1'), port: 1 }
    if (await this.server.handle(req, res, source)) return
    const path = /^\/\.well-known\/oauth-protected-resource(.*)$/.exec(req.url ?? '')?.[1]
    if (path === undefined) {
      res.writeHead(404).end('another station')
      return
    }
    const resource = this.publicUrl + path
    const metadata = { resource, authorization_servers: [`${this.publicUrl}/oauth`] }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ ...metadata, scopes_supported: ['mcp'] }))
  }
}

const hourMs = 3_600_000

export function person(over: Partial<KnownPrincipal> = {}): KnownPrincipal {
  return {
    id: newId('pr'),
    issuer: 'https://idp.example.com',
    subject: 'ada',
    name: 'Ada',
    kind: 'person',
    groups: [],
    roles: [],
    claims: {},
    madeMs: 0,
    seenMs: 0,
    source: 'sign-in',
    ...over,
  }
}

/** @param over of the configuration; @param more options, such as documents; @param real stations
 *  that want to know the address. */
export async function openDesk(
  over: Partial<AuthorizationServerConfig> = {},
  more: Partial<AuthorizationServerOptions> = {},
  real: (desk: Desk) => Partial<AuthorizationServerOptions> = () => ({}),
): Promise<Desk> {
  const listening = createServer()
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done))
  const desk = new Desk(listening, more.publicUrl, async (at) => {
    const { clock, dataDir, publicUrl } = at
    return await createAuthorizationServer({
      config: { ...defaults, ...over },
      publicUrl,
      connections: ['shop', 'payments'],
      dataDir,
      local: await openLocalIssuer({ dataDir, issuer: `${publicUrl}/oauth`, clock }),
      site: siteOf(at),
      clock,
      ...stations(at),
      ...more,
      ...real(at),
    })
  })
  await makeLocalKey(desk.dataDir)
  try {
    await desk.open()
    return desk
  } catch (error) {
    await desk.close()
    throw error
  }
}

const defaults: AuthorizationServerConfig = {
  accessTokenMs: 300_000,
  refreshTokenMs: 8 * hourMs,
  sessionMs: 8 * hourMs,
  dynamicRegistration: true,
  documentHosts: [],
  registrationsPerHourMax: 1000,
  clients: [],
  assertionIssuers: [],
}

function stations(
  desk: Desk,
): Pick<
  AuthorizationServerOptions,
  'directory' | 'revocations' | 'stop' | 'note' | 'secretOf' | 'onDefect'
> {
  const revocation: Revocation = {
    id: 'rv_1',
    target: { kind: 'everything' },
    reason: 'test',
    by: 'test',
    source: 'cli',
    madeMs: 0,
    fromMs: 0,
  }
  return {
    directory: {
      byId: (id) => desk.people.get(id),
      find: (issuer, subject) =>
        [...desk.people.values()].find((one) => one.issuer === issuer && one.subject === subject),
      tell: (told, source) => {
        const made = person({ ...told, source })
        desk.people.set(made.id, made)
        return made
      },
    },
    revocations: { find: (who) => (desk.isStopped(who) ? revocation : undefined) },
    stop: async ({ target }) => {
      desk.stopped.push(target.kind === 'sign-in' ? target.signIn : target.kind)
      return { revocation, cut: { calls: 0, streams: 0, sessions: 0 } }
    },
    note: async (type, about, details) => {
      if (desk.isRecordDown) throw new Error('the record is down')
      const subject = about.principal?.subject
      desk.notes.push({ type, subject, connection: about.connection, details })
    },
    secretOf: (ref) => (ref.from === 'env' ? `secret-of-${ref.name}` : ''),
    onDefect: (error) => desk.defects.push(error),
  }
}

/** A sign-in that asks nothing: it says whoever `desk.who` is, to the browser that came. */
function siteOf(desk: Desk): SignInSite {
  const codes = new Map<string, { secret: string; signed: SignedIn }>()
  return {
    start: ({ returnTo }) => `/oauth/login/start?to=${encodeURIComponent(returnTo)}`,
    fetch: async (request) => {
      desk.visits.push(request)
      const to = new URL(request.url).searchParams.get('to')
      if (to === null) return new Response('a page of the sign-in', { status: 200 })
      const [secret, code] = [newId('s'), newId('c')]
      desk.people.set(desk.who.id, desk.who)
      const signed = {
        person: desk.who,
        method: 'test',
        type: 'oidc',
        authenticatedMs: Date.now(),
        amr: ['mfa'],
        isBreakGlass: desk.isBreakGlass,
      } as const
      codes.set(code, { secret, signed })
      const headers = new Headers({ location: `${to}?c=${code}` })
      headers.append('set-cookie', `login=${secret}; Path=/; HttpOnly`)
      headers.append('set-cookie', 'other=1; Path=/oauth/login')
      return new Response(null, { status: 303, headers })
    },
    redeem: (code, cookie) => {
      const kept = codes.get(code)
      codes.delete(code)
      const isSame = cookie?.includes(`login=${kept?.secret}`) ?? false
      return isSame ? kept?.signed : undefined
    },
  }
}
