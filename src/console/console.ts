/** The console: pages and API under one roof. `cli` mounts it on the console's listener. */
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { setCookie } from 'hono/cookie'
import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { Revocation } from '../identity/revocations.ts'
import type { Source } from '../record/entry.ts'
import { guarded } from '../signin/guard.ts'
import { pathOn } from '../signin/paths.ts'
import { isOwnStop, peopleApi } from './api.ts'
import { addApprovals } from './approvals.ts'
import { endAll, endSession, endStopped } from './ends.ts'
import { browserOf, having, ownChange, sessionCookie, sessionIn, signedIn } from './guard.ts'
import { plainPage, stopReaders } from './frame.ts'
import { homePage, mePage, stopsPage } from './pages.ts'
import type { Carried, ConsoleParts, ConsoleRoom } from './parts.ts'
import { passkeysApi } from './passkeys-api.ts'
import { createPrograms } from './programs.ts'
import { script } from './script.ts'
import { style } from './style.ts'

export interface Console {
  /** Answers a request of the console's listener. */
  fetch(request: Request, source: Source): Promise<Response>
  /** The roles of a browser's session, by the `Cookie` header; none where nobody is signed in. */
  rolesOf(cookie: string | undefined): ReadonlySet<ConsoleRole>
  /** Ends sessions that are idle, too old, or whose people were stopped; called every second. */
  tick(): Promise<void>
}

/** What may be said of a fault, with its status. Anything else is a defect. */
const statuses: Readonly<Partial<Record<FaultCode, ContentfulStatusCode>>> = {
  no_identity: 401,
  identity_down: 503,
  refused: 403,
  origin_refused: 403,
  path_unknown: 404,
  bad_params: 400,
  bad_request: 400,
  config_bad: 400,
  too_large: 413,
  media_unsupported: 415,
  rate_limited: 429,
  record_down: 503,
  record_full: 503,
}

/** Of one person; beyond, the oldest ends. */
const sessionsPerPersonMax = 20

export function createConsole(given: ConsoleParts): Console {
  const parts: ConsoleRoom = { ...given, programOf: createPrograms(given) }
  const app = new Hono<Carried>()
  app.use('*', guarded)
  app.onError((error, c) => answerFault(error, c, parts))
  app.notFound((c) => {
    const message = 'Nothing is served at this path.'
    return isApi(c)
      ? c.json({ error: message, reason: 'unknown' }, 404)
      : c.text(`${message}\n`, 404)
  })
  app.get('/style.css', (c) => c.body(style, 200, { 'content-type': 'text/css; charset=utf-8' }))
  app.get('/console.js', (c) =>
    c.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  )
  app.all('/login/*', async (c) => await parts.site.fetch(c.req.raw, c.env.source))
  addSignIn(app, parts)
  addPages(app, parts)
  const { passkeys } = parts
  if (passkeys) app.route('/api/me/passkeys', passkeysApi({ ...parts, passkeys }))
  const tickApprovals = addApprovals(app, parts)
  app.route('/api', peopleApi(parts))
  return {
    fetch: async (request, source) => await app.fetch(request, { source }),
    rolesOf: (cookie) => browserOf(cookie, true, parts)?.roles ?? new Set(),
    tick: async () => {
      await endAll(parts, parts.sessions.over())
      await endStopped(parts)
      tickApprovals()
    },
  }
}

function isApi(c: Context<Carried>): boolean {
  return /^\/api(\/|$)/.test(c.req.path)
}

/** JSON for the API, a page for people; who is not signed in is sent to where they can. */
function answerFault(
  error: Error,
  c: Context<Carried>,
  parts: ConsoleParts,
): Response | Promise<Response> {
  const status = error instanceof Fault ? statuses[error.code] : undefined
  if (!(error instanceof Fault) || status === undefined) throw error
  if (isApi(c)) {
    if (status === 401) c.header('www-authenticate', 'Bearer')
    return c.json({ error: error.message, reason: error.facts['reason'] ?? error.code }, status)
  }
  if (status === 401) return c.redirect(startAt(parts, pathOf(c)), 303)
  return c.html(plainPage('Not possible', error.message), status)
}

function pathOf(c: Context<Carried>): string {
  return c.req.method === 'GET' ? c.req.path : '/'
}

/** Where a browser signs in, to come back to a page of ours. */
function startAt(parts: ConsoleParts, to: string, isFresh = false): string {
  const path = pathOn(parts.origin, to) ?? '/'
  return parts.site.start({ returnTo: `/signed-in?to=${encodeURIComponent(path)}`, isFresh })
}

function addSignIn(app: Hono<Carried>, parts: ConsoleRoom): void {
  app.get('/signed-in', async (c) => {
    const code = c.req.query('c') ?? ''
    const cookie = c.req.header('cookie')
    const who = parts.site.redeem(code, cookie)
    if (who === undefined) {
      return c.html(
        plainPage('Not signed in', 'This sign-in is over. Begin again.', 'Sign in'),
        400,
      )
    }
    await endFormer(parts, cookie, who.person.id)
    const { id } = parts.sessions.open({
      person: who.person.id,
      method: who.method,
      amr: who.amr,
      authenticatedMs: who.authenticatedMs,
      providerSession: who.providerSession,
      isBreakGlass: who.isBreakGlass,
      ip: c.env.source.ip,
      userAgent: (c.req.header('user-agent') ?? '').slice(0, 256),
    })
    setCookie(c, sessionCookie, id, { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' })
    return c.redirect(pathOn(parts.origin, c.req.query('to') ?? '/') ?? '/', 303)
  })
  // A link, by GET: the way leads to another origin, where a form may not go.
  app.get('/again', (c) => c.redirect(startAt(parts, c.req.query('to') ?? '/', true), 303))
  app.post('/sign-out', signedIn(parts), ownChange(parts), async (c) => {
    const { session } = c.get('asker')
    if (session !== undefined) await endSession(parts, session.key, 'signed_out', c.get('asker'))
    setCookie(c, sessionCookie, '', { path: '/', secure: true, httpOnly: true, maxAge: 0 })
    return c.redirect('/signed-out', 303)
  })
  app.get('/signed-out', (c) => c.html(plainPage('Signed out', 'You are signed out.', 'Sign in')))
}

/** A sign-in leaves no session of before in its browser: with each proof the id is a new one. */
async function endFormer(
  parts: ConsoleRoom,
  cookie: string | undefined,
  person: string,
): Promise<void> {
  const former = sessionIn(cookie, parts)
  const own = parts.sessions.of(person).filter(({ key }) => key !== former?.key)
  const tooMany = own.slice(0, Math.max(0, own.length + 1 - sessionsPerPersonMax))
  await endAll(parts, [
    ...(former === undefined ? [] : [[former.key, 'signed_in_again'] as const]),
    ...tooMany.map(({ key }) => [key, 'too_many'] as const),
  ])
}

function addPages(app: Hono<Carried>, parts: ConsoleRoom): void {
  app.get('/', signedIn(parts), (c) => c.html(homePage(c.get('asker'), parts.inForce())))
  app.get('/me', signedIn(parts), (c) => {
    const asker = c.get('asker')
    const person = parts.directory.byId(asker.id)
    if (person === undefined) throw new Fault('path_unknown', 'Nothing is known of you here yet.')
    const passkeys = parts.passkeys?.listPasskeys(asker.id)
    return c.html(mePage(asker, { person, passkeys, sessions: parts.sessions.of(asker.id) }))
  })
  app.get('/stops', signedIn(parts), having(...stopReaders), (c) => {
    const asker = c.get('asker')
    const mayLift = (stop: Revocation): boolean =>
      asker.roles.has('admin') && !isOwnStop(stop, asker, parts)
    return c.html(stopsPage(asker, parts.revocations.list(), mayLift))
  })
}
