/**
 * The sign-in site: a table of its routes, mounted below one path of one origin.
 *
 *     GET  BASE/start?f=           binds the sign-in to this browser; the way, or a choice of ways
 *     GET  BASE/go/NAME?f=         to a provider, or to the page of local accounts
 *     GET  BASE/callback/NAME      back from an OpenID provider
 *     POST BASE/saml/NAME          back from a SAML provider, cross-site and without cookies
 *     GET  BASE/saml/NAME/finish   the same browser, with its cookie again
 *     GET  BASE/saml/NAME/metadata what a SAML provider is given
 *     POST BASE/password, BASE/passkey…, BASE/invite…    local accounts
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { Rate } from '../base/rate.ts'
import type { AccountsSignInConfig, SignInConfig } from '../config/types.ts'
import { addAccountRoutes, localPage } from './account-routes.ts'
import type { Accounts } from './accounts.ts'
import { answerRefused, show } from './desk.ts'
import type { Desk, Local, SiteContext, SiteEnv } from './desk.ts'
import { Flows } from './flows.ts'
import type { Flow } from './flows.ts'
import { guarded, ownPostsOnly } from './guard.ts'
import { addInviteRoutes } from './invite-routes.ts'
import { openProviders } from './providers.ts'
import type { ProviderParts } from './providers.ts'
import { addProviderRoutes, leave } from './provider-routes.ts'
import { choicePage } from './pages.ts'
import { isCovered } from './passkeys.ts'
import type { Passkeys } from './passkeys.ts'
import { isLoopback, pathOn } from './paths.ts'
import { script } from './script.ts'
import type { SignInSite, StartOptions } from './signed-in.ts'
import { style } from './style.ts'

export interface SignInOptions
  extends
    Pick<Desk, 'directory' | 'revocations' | 'providerSessions' | 'note' | 'warn' | 'loggedOut'>,
    Pick<ProviderParts, 'secrets' | 'groupsOf' | 'replays' | 'sameAs'> {
  /** `https://gw.example`; plain HTTP on this machine only. */
  readonly origin: string
  /** `/oauth/login`: no slash at its end. */
  readonly base: string
  /** Which site it is, for the record: `gateway`, `console`. */
  readonly at: string
  readonly signIn: readonly SignInConfig[]
  /** Of the one `state.sqlite`; both are there where `signIn` has local accounts. */
  readonly accounts?: Accounts | undefined
  readonly passkeys?: Passkeys | undefined
  readonly clock: Clock
  /** Refusals of one address that get an entry of their own, in a minute. */
  readonly refusalsPerMinuteMax: number
  /** Whether people come in while everything is stopped: where that is lifted. Not if left out. */
  readonly isOpenWhenStopped?: boolean
  /** Ends what is open of somebody whose password was set anew; `loggedOut` where it is missing. */
  readonly endOpen?: Desk['endOpen']
}

/** What a form or a passkey's answer holds at most; a SAML response may be larger. */
const bodyBytesMax = 64 * 1024
const samlBytesMax = 512 * 1024
const minuteMs = 60_000
/** What one address may ask for in a minute, pages and all: many people may stand behind it. */
const requestsPerMinuteMax = 600
/** Each costs this thread a tenth of a second at most. */
const samlFailuresPerMinuteMax = 10

/**
 * @throws {Fault} `config_bad` for an origin that browsers keep no secure cookies for, or local
 *   accounts without their tables.
 */
export function createSignInSite(options: SignInOptions): SignInSite {
  const { base, origin } = options
  checkOrigin(origin)
  const flows = new Flows(options.clock)
  const local = localOf(options)
  const desk = deskOf(options, flows, local)
  const app = routesOf(desk, options)
  return {
    fetch: async (request, source) => {
      // An answer is due whatever happens: what a route throws is answered inside, by `onError`.
      return await app.fetch(request, { source })
    },
    start: (asked) => `${base}/start?f=${begin(flows, asked, options).id}`,
    redeem: (code, cookie) => flows.redeem(code, cookie),
  }
}

function deskOf(options: SignInOptions, flows: Flows, local: Local | undefined): Desk {
  const { clock, isOpenWhenStopped = false, loggedOut, refusalsPerMinuteMax } = options
  const inMinute = (timesMax: number): Rate => new Rate({ clock, timesMax, windowMs: minuteMs })
  // A budget of entries for each address: whoever sends rubbish shall not fill the record.
  const entries = inMinute(refusalsPerMinuteMax)
  return {
    ...options,
    flows,
    local,
    isOpenWhenStopped,
    endOpen: options.endOpen ?? ((who, source) => loggedOut(who, source)),
    admits: (ip) => entries.take(ip),
    requests: inMinute(requestsPerMinuteMax),
    samlPosts: inMinute(samlFailuresPerMinuteMax),
  }
}

function begin(flows: Flows, asked: StartOptions, { origin, signIn }: SignInOptions): Flow {
  const { isFresh = false, method } = asked
  const returnTo = pathOn(origin, asked.returnTo)
  if (returnTo === undefined)
    throw new Fault('bad_request', 'A sign-in comes back to a path on its own origin.')
  const isKnown = method === undefined || signIn.some(({ name }) => name === method)
  if (!isKnown) throw new Fault('bad_request', 'There is no sign-in of this name.')
  return flows.start({ returnTo, isFresh, method })
}

function routesOf(desk: Desk, options: SignInOptions): Hono<SiteEnv> {
  const { base, origin } = desk
  const { local } = desk
  const app = new Hono<SiteEnv>().basePath(base)
  const providers = openProviders(options)
  app.use(guarded)
  app.use(async (c, next) => {
    if (!desk.requests.take(c.env.source.ip)) {
      const message = 'There were too many requests from this network. Try again in a minute.'
      throw new Fault('rate_limited', message, { facts: { reason: 'too_many_requests' } })
    }
    await next()
  })
  app.get('/style.css', (c) => asset(c, style, 'text/css; charset=utf-8'))
  app.get('/passkey.js', (c) => asset(c, script, 'text/javascript; charset=utf-8'))
  // The one post from another site comes first: its sender is the provider.
  app.use('/saml/:name', limitOf(samlBytesMax))
  addProviderRoutes(app, desk, providers)
  app.use(limitOf(bodyBytesMax))
  app.post('*', ownPostsOnly(origin))
  app.get('/start', async (c) => {
    const { flow, setCookie } = desk.flows.open(
      c.req.query('f') ?? '',
      c.req.header('cookie'),
      c.env.source.ip,
    )
    if (setCookie !== undefined) c.header('set-cookie', setCookie)
    return await chosen(c, flow)
  })
  app.get('/go/:name', async (c) => {
    const flow = desk.flows.find(c.req.query('f') ?? '', c.req.header('cookie'))
    return await go(c, flow, c.req.param('name'))
  })
  if (local) {
    addAccountRoutes(app, desk, local)
    addInviteRoutes(app, desk, local)
  }
  app.notFound((c) => answerRefused(desk, c, new Fault('path_unknown', 'There is no such page.')))
  app.onError((error, c) => answerRefused(desk, c, error))
  return app

  async function chosen(c: SiteContext, flow: Flow): Promise<Response> {
    const { signIn } = options
    const [first] = signIn
    const name = flow.method ?? (signIn.length === 1 ? first?.name : undefined)
    if (name !== undefined) return await go(c, flow, name)
    return await show(c, choicePage(desk, flow.id, signIn))
  }

  async function go(c: SiteContext, flow: Flow, name: string): Promise<Response> {
    if (local?.name === name) return await show(c, localPage(desk, local, flow))
    const provider = providers.get(name)
    if (provider) return await leave(c, flow, provider)
    throw new Fault('path_unknown', 'There is no such sign-in.')
  }
}

function limitOf(bytesMax: number): ReturnType<typeof bodyLimit> {
  return bodyLimit({
    maxSize: bytesMax,
    onError: () => {
      throw new Fault('too_large', 'That is more than a sign-in holds.')
    },
  })
}

function asset(c: SiteContext, text: string, type: string): Response {
  return c.body(text, 200, { 'content-type': type, 'cache-control': 'public, max-age=300' })
}

function checkOrigin(origin: string): void {
  const url = URL.parse(origin)
  const isSecure =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url?.origin === origin && isSecure) return
  const message =
    'People sign in over HTTPS, or over plain HTTP on this machine itself: browsers keep the cookie of a sign-in nowhere else. Set public_url to an https:// address.'
  throw new Fault('config_bad', message)
}

function localOf({ accounts, origin, passkeys, signIn }: SignInOptions): Local | undefined {
  const config = signIn.find((one): one is AccountsSignInConfig => one.type === 'accounts')
  if (config === undefined) return undefined
  if (accounts === undefined)
    throw new Fault('config_bad', 'Local accounts need the tables they lie in.')
  const { hostname } = new URL(origin)
  const isUsable = passkeys !== undefined && isCovered(hostname, passkeys.rpId)
  const { label, name, passwords } = config
  return { name, label, passwords, accounts, passkeys: isUsable ? passkeys : undefined }
}
