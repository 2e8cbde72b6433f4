/**
 * What people, their browsers and their directories come to: sign-in, authorization server, console,
 * SCIM. Opened after the record, since nobody signs in without an entry.
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { getRequestListener } from '@hono/node-server'
import type { Config } from '../config/config.ts'
import type { EntraIssuerConfig, GraphConfig } from '../config/types.ts'
import { createConsole } from '../console/console.ts'
import type { Console } from '../console/console.ts'
import type { InForce } from '../console/parts.ts'
import { ConsoleSessions } from '../console/sessions.ts'
import { readiness } from '../exchange/asides.ts'
import type { Stops } from '../exchange/stop.ts'
import { frames } from '../exchange/refuse.ts'
import { identifyForConsole } from '../identity/console-token.ts'
import { createGraph } from '../identity/graph.ts'
import type { Revocation, Stop } from '../identity/revocations.ts'
import { createAuthorizationServer } from '../oauth/server.ts'
import type { AuthorizationServer } from '../oauth/options.ts'
import type { Incoming } from '../listener/incoming.ts'
import { rolesOf } from '../policy/roles.ts'
import type { Source } from '../record/entry.ts'
import { createLook } from '../record/looks.ts'
import { createScim, scimPath } from '../scim/scim.ts'
import type { Scim } from '../scim/scim.ts'
import { ownStops } from '../scim/stops.ts'
import { openScimStore } from '../scim/store.ts'
import type { ScimStore } from '../scim/store.ts'
import { openAccounts } from '../signin/accounts.ts'
import type { Accounts } from '../signin/accounts.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import type { ReplayStore } from '../signin/saml-replays.ts'
import { openProviderSessions } from '../signin/provider-sessions.ts'
import type { ProviderSessions } from '../signin/provider-sessions.ts'
import type { ResolveGroups } from '../signin/saml-person.ts'
import type { SignInSite } from '../signin/signed-in.ts'
import { createSignInSite } from '../signin/site.ts'
import type { SignInOptions } from '../signin/site.ts'
import type { Built } from './build.ts'
import { groupsNamedIn } from './identities.ts'
import { named, serveLogout, stopLoggedOut } from './logout-door.ts'
import { version } from './version.ts'

export interface Front {
  readonly accounts: Accounts | undefined
  readonly passkeys: Passkeys | undefined
  readonly authorization: AuthorizationServer | undefined
  readonly console: Console | undefined
  /** Answers what is not a connection's. @returns false for a path that is none of these. */
  serveGateway(incoming: Incoming): Promise<boolean>
  serveConsole(incoming: Incoming): Promise<boolean>
  /** Called every second. */
  tick(): Promise<void>
  close(): Promise<void>
}

/** What has expired at the authorization server is dropped once in so many seconds. */
const sweepEvery = 60

export interface FrontParts {
  readonly config: Config
  readonly dataDir: string
  readonly built: Built
  readonly stops: Stops
  readonly log: Logger
}

/** @throws {Fault} `config_bad`, `secret_missing` as its parts. */
export async function openFront(parts: FrontParts): Promise<Front> {
  const { built, config, dataDir, stops } = parts
  const file = join(dataDir, 'state.sqlite')
  const { clock } = built.at
  const isOpen = config.identity.signIn.length > 0
  const { passkeys } = built.holding
  const accounts =
    built.local && isOpen ? openAccounts(file, { clock, issuer: built.local.issuer }) : undefined
  const { replays } = built
  const providerSessions = isOpen ? openProviderSessions(file, { clock }) : undefined
  const own = { passkeys, accounts, replays, providerSessions }
  let ticks = 0
  const authorization = await openAuthorization(parts, own)
  const sessions = new ConsoleSessions(file, {
    clock,
    idleMs: config.console.sessionIdleMs,
    maxMs: config.console.sessionMaxMs,
  })
  const console = isOpen ? openConsole(parts, own, sessions) : undefined
  const scimStore = config.identity.scim && openScimStore(file)
  const scim = scimStore && openScim(parts, scimStore)
  stops.heed(async (revocation) => {
    await endStopped(revocation, built, authorization)
    await tellOwned(revocation, built)
    await console?.tick()
  })
  const consoleListener = console && fetching((r, s) => console.fetch(r, s), parts.log)
  const scimListener = scim && fetching((r, s) => scim.fetch(r, s), parts.log)
  return {
    accounts,
    passkeys,
    authorization,
    console,
    serveGateway: async (incoming) =>
      (await serveLogout(incoming, { at: built.at, stops, note: built.note, providerSessions })) ||
      (authorization !== undefined && (await serveAuthorization(incoming, authorization))),
    serveConsole: async (incoming) => {
      const isScim = incoming.path === scimPath || incoming.path.startsWith(`${scimPath}/`)
      const listener = isScim ? scimListener : consoleListener
      await listener?.(incoming)
      return listener !== undefined
    },
    tick: async () => {
      await console?.tick()
      if (++ticks % sweepEvery === 0) authorization?.sweep()
    },
    close: async () => {
      await authorization?.close()
      sessions.close()
      const stores = [accounts, providerSessions, scimStore]
      for (const one of stores) one?.close()
    },
  }
}

/** So many people in a minute leave no company: a directory that says so is broken, or not itself. */
const leaversPerMinute = 20

/** Stops whom the directory names, and raises an alert when it names many at once. */
function watchedStop(stop: Stop, { at, note }: Built, log: Logger): Stop {
  let [sinceMs, count] = [0, 0]
  return async (of) => {
    const nowMs = at.clock.monotonicMs()
    if (nowMs - sinceMs > 60_000) [sinceMs, count] = [nowMs, 0]
    const stopped = await stop(of)
    if (++count === leaversPerMinute) {
      log.warn({ count }, 'the directory stops many people at once')
      await note('alert.raised', {}, { what: 'many_stopped', by: of.by, count })
    }
    return stopped
  }
}

/** What is the authorization server's; a path below `/oauth` that is none is answered 404. */
async function serveAuthorization(
  incoming: Incoming,
  authorization: AuthorizationServer,
): Promise<boolean> {
  const { path } = incoming
  const isOwn = path.startsWith('/oauth/') || path === '/oauth' || wellKnown.test(path)
  if (!isOwn) return false
  const { req, res, done } = incoming.native()
  if (!(await authorization.handle(req, res, incoming.source))) {
    res.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not_found"}')
  }
  await done
  return true
}

const wellKnown = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/oauth)?$/

function openScim({ built, config, log, stops }: FrontParts, store: ScimStore): Scim | undefined {
  const { scim } = config.identity
  if (scim === undefined) return undefined
  const { note, secrets, known, at } = built
  return createScim({
    config: scim,
    tokens: scim.tokens.map((ref, i) => secrets.open(ref, 'header', `identity.scim.tokens[${i}]`)),
    directory: known.directory,
    stop: watchedStop(stops.stop, built, log),
    own: ownStops(known.revocations, note),
    note,
    store,
    clock: at.clock,
    publicUrl: config.console.publicUrl,
    onFailure: (error) => log.error(defectOf(error), 'scim'),
  })
}

/** Whoever is stopped may hold keys of programs, which go on: somebody must look at them. */
async function tellOwned({ id, target }: Revocation, { known, note }: Built): Promise<void> {
  if (target.kind !== 'principal') return
  const person = known.directory.find(target.issuer, target.subject)
  const owned = known.serviceAccounts.list().filter(({ owner }) => owner === person?.id)
  if (owned.length === 0) return
  const accounts = owned.map(({ name }) => name)
  const of = `${target.issuer} ${target.subject}`
  await note('alert.raised', {}, { what: 'owner_stopped', of, accounts, revocation: id })
}

/** Grants, refresh tokens and browser sessions of whom a stop is about. */
async function endStopped(
  { target }: Revocation,
  { known }: Built,
  authorization: AuthorizationServer | undefined,
): Promise<void> {
  if (authorization === undefined) return
  if (target.kind === 'principal' || target.kind === 'tokens-before') {
    const person = known.directory.find(target.issuer, target.subject)
    if (person !== undefined) await authorization.revokePerson(person.id)
  } else if (target.kind === 'client') await authorization.revokeClient(target.client)
  else if (target.kind === 'sign-in') await authorization.endGrant(target.signIn, 'ended_by_admin')
}

interface Own {
  readonly passkeys: Passkeys | undefined
  readonly accounts: Accounts | undefined
  readonly replays: ReplayStore
  readonly providerSessions: ProviderSessions | undefined
}

function openSite(
  parts: FrontParts,
  own: Own,
  of: Pick<SignInOptions, 'origin' | 'base' | 'at' | 'isOpenWhenStopped'>,
): SignInSite {
  const { built, config, log, stops } = parts
  const { directory, revocations, clock } = built.at
  return createSignInSite({
    ...of,
    ...own,
    signIn: config.identity.signIn,
    directory,
    revocations,
    note: built.note,
    warn: (message) => log.warn({}, message),
    loggedOut: async ({ issuer, providerSession: signInId, subject }) => {
      const nowMs = Math.floor(clock.nowUs() / 1000)
      const who = {
        issuer,
        ...(signInId === undefined ? {} : { signInId }),
        ...(subject === undefined ? {} : { subject }),
      }
      await stopLoggedOut(named(who, own.providerSessions), nowMs, stops)
    },
    endOpen: async ({ issuer, subject }) => {
      const beforeMs = Math.floor(clock.nowUs() / 1000)
      const target = { kind: 'tokens-before' as const, issuer, subject, beforeMs }
      const reason = 'the account was set up anew'
      await stops.stop({ target, reason, by: `${issuer} ${subject}`, source: 'console' })
    },
    secrets: built.secrets,
    groupsOf: (name) => groupsOf(name, parts),
    sameAs: (name) => entraNamed(name, config),
    clock,
    refusalsPerMinuteMax: config.limits.refusalsPerMinuteMax,
  })
}

function entraNamed(name: string, { identity }: Config): EntraIssuerConfig | undefined {
  const found = identity.issuers.find((one) => one.name === name)
  return found?.type === 'entra' ? found : undefined
}

/** What asks Graph for the groups of somebody who signs in; undefined where none is configured. */
function groupsOf(name: string, { built, config }: FrontParts): ResolveGroups | undefined {
  const index = config.identity.signIn.findIndex((one) => one.name === name)
  const signIn = config.identity.signIn[index]
  if (signIn?.type !== 'entra' && signIn?.type !== 'saml') return undefined
  const same = signIn.type === 'saml' ? entraNamed(signIn.sameAs ?? '', config) : undefined
  const graph: GraphConfig | undefined = signIn.graph ?? same?.graph
  const authority = signIn.type === 'entra' ? signIn.authority : same?.authority
  if (graph === undefined || authority === undefined) return undefined
  const where = `identity.sign_in[${index}].graph.client_secret`
  const secret = built.secrets.open(graph.clientSecret, 'header', where)
  const asking = createGraph({
    name,
    authority,
    url: graph.url,
    clientId: graph.clientId,
    secret,
    fetch: globalThis.fetch,
    groups: groupsNamedIn(config),
  })
  const { clock } = built.at
  return async (tenant, oid) =>
    await asking.memberOf({ tenant, oid, bearer: 'person' }, clock.nowUs() / 1000)
}

async function openAuthorization(
  parts: FrontParts,
  own: Own,
): Promise<AuthorizationServer | undefined> {
  const { built, config, dataDir, log, stops } = parts
  const { authorizationServer } = config.identity
  if (authorizationServer === undefined || built.local === undefined) return undefined
  const { directory, revocations, clock, identity } = built.at
  const site = openSite(parts, own, {
    origin: config.publicUrl,
    base: '/oauth/login',
    at: 'authorization_server',
  })
  return await createAuthorizationServer({
    config: authorizationServer,
    publicUrl: config.publicUrl,
    connections: config.connections.map(({ name }) => name),
    dataDir,
    local: built.local,
    site,
    directory,
    revocations,
    stop: stops.stop,
    note: built.note,
    secretOf: (ref) =>
      built.secrets.open(ref, 'header', 'identity.authorization_server.clients').read().reveal(),
    verifyAssertion: (token, to) => identity.verifyAssertion(token, to),
    clock,
    onDefect: (error) => log.error(defectOf(error), 'authorization server'),
  })
}

function openConsole(parts: FrontParts, own: Own, sessions: ConsoleSessions): Console {
  const { built, config, stops, log } = parts
  const { directory, revocations, clock, identity } = built.at
  const origin = config.console.publicUrl
  return createConsole({
    origin,
    site: openSite(parts, own, { origin, base: '/login', at: 'console', isOpenWhenStopped: true }),
    sessions,
    passkeys: own.passkeys,
    directory,
    revocations,
    serviceAccounts: built.known.serviceAccounts,
    clock,
    note: built.note,
    stop: stops.stop,
    lift: (id, by, reason) => stops.lift(id, by, reason),
    rolesOf: (bearer) =>
      rolesOf(bearer, built.live.now.config.console.roles, (role, because) => {
        log.warn({ role, because }, 'a role does not count beside another')
      }),
    identify: (authorization) =>
      identifyForConsole(identity, authorization, `${config.publicUrl}/console`),
    tickets: built.holding.tickets,
    pins: built.holding.pins,
    look: createLook(built.at.recorder, built.at.masker),
    inForce: () => inForce(built),
  })
}

function inForce({ at, vkeys }: Built): InForce {
  const { status } = readiness(at)
  return {
    version,
    status: status === 200 ? 'running' : at.isStopping() ? 'stopping' : 'not ready',
    record: at.recorder.state(),
    sessions: at.sessions.openCount,
    connections: [...at.connections.values()].map(({ name, resource }) => ({ name, resource })),
    vkey: vkeys[0] ?? '',
  }
}

/** A Fetch handler under node's listener. */
function fetching(
  fetch: (request: Request, source: Source) => Promise<Response>,
  log: Logger,
): (incoming: Incoming) => Promise<void> {
  return async (incoming) => {
    const { req, res, done } = incoming.native()
    const listener = getRequestListener((request) => fetch(request, incoming.source), {
      overrideGlobalObjects: false,
      errorHandler: (error) => {
        log.error(defectOf(error), 'defect')
        return new Response('The gateway met a defect of its own.\n', { status: 500 })
      },
    })
    await listener(req, res)
    await done
  }
}

function defectOf(error: unknown): { kind: string; stack: string[] } {
  const isError = error instanceof Error
  return {
    kind: isError ? error.constructor.name : typeof error,
    stack: isError ? frames(error) : [],
  }
}
