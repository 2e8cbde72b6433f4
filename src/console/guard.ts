/** Who asks, and whether they may: looked at before each page and each line of the API. */
import type { Context, MiddlewareHandler } from 'hono'
import { parse } from 'hono/utils/cookie'
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import { isOwnPost } from '../signin/guard.ts'
import type { Revocation } from '../identity/revocations.ts'
import { textOf } from './body.ts'
import type { Asker, Carried, ConsoleParts, ConsoleRoom } from './parts.ts'
import type { ConsoleSession } from './sessions.ts'

export const sessionCookie = '__Host-sallyport-session'

/** Asked by pages alone, by what cannot send a header. */
const livePath = '/api/tickets/events'

/** Within this time after a proof of identity, what changes access needs no new one. */
const freshMs = 5 * 60_000

/** The asker of a request; undefined where nobody is signed in. */
async function askerOf(c: Context<Carried>, parts: ConsoleRoom): Promise<Asker | undefined> {
  const { source } = c.env
  const authorization = c.req.header('authorization')
  if (authorization !== undefined) return await parts.programOf(authorization, source)
  // What a page asks by itself keeps nobody signed in (PCI DSS v4.0.1 req. 8.2.8).
  const isUse = c.req.header('x-background') === undefined && c.req.path !== livePath
  const browser = browserOf(c.req.header('cookie'), isUse, parts)
  return browser === undefined ? undefined : { ...browser, source }
}

/** Who is signed in in a browser. @param isUse false for what a page asks by itself. */
export function browserOf(
  cookie: string | undefined,
  isUse: boolean,
  parts: ConsoleParts,
): Omit<Asker, 'source'> | undefined {
  const session = sessionIn(cookie, parts, isUse)
  if (session === undefined) return undefined
  const person = parts.directory.byId(session.person)
  if (person === undefined || isStopped(session, parts)) return undefined
  const roles = parts.rolesOf(person)
  return {
    bearer: person,
    id: person.id,
    name: person.name ?? person.subject,
    kind: person.kind,
    roles: session.isBreakGlass ? withoutApproval(roles) : roles,
    session,
  }
}

/** The session that a `Cookie` header names, whoever it is of. */
export function sessionIn(
  cookie: string | undefined,
  { sessions }: ConsoleParts,
  isUse = false,
): ConsoleSession | undefined {
  const id = parse(cookie ?? '', sessionCookie)[sessionCookie]
  return id === undefined ? undefined : sessions.find(id, isUse)
}

/** The emergency account sets things up and stops people; it never decides held calls. */
function withoutApproval(roles: ReadonlySet<ConsoleRole>): ReadonlySet<ConsoleRole> {
  return new Set([...roles, 'admin' as const].filter((role) => role !== 'approver'))
}

/** Whether a session's person, or the sign-in it came from, has been stopped. */
export function isStopped(session: ConsoleSession, parts: ConsoleParts): boolean {
  const person = parts.directory.byId(session.person)
  if (person === undefined) return true
  const { issuer, subject } = person
  const nowMs = parts.clock.nowUs() / 1000
  const signIn = session.providerSession
  const of = {
    issuer,
    subject,
    issuedAtMs: session.authenticatedMs,
    ...(signIn === undefined ? {} : { signInId: signIn }),
  }
  const stop = parts.revocations.find(of, undefined, nowMs)
  if (parts.directory.hasEnded(issuer, subject, nowMs)) return true
  if (stop?.target.kind !== 'everything') return stop !== undefined
  // With everything stopped the console stays open: it is where that is lifted. But not for whoever
  // is stopped besides, whom `find` does not name then: it names the stop that reaches furthest.
  return parts.revocations.list().some((one) => isAbout(one, of, nowMs))
}

/** Whether a stop is in force for a session by itself. */
function isAbout(
  { fromMs, target }: Revocation,
  of: { issuer: string; subject: string; issuedAtMs: number; signInId?: string },
  nowMs: number,
): boolean {
  if (fromMs > nowMs) return false
  if (target.kind === 'sign-in') return target.signIn === of.signInId
  if (target.kind !== 'principal' && target.kind !== 'tokens-before') return false
  const isTheirs = target.issuer === of.issuer && target.subject === of.subject
  return isTheirs && (target.kind === 'principal' || of.issuedAtMs <= target.beforeMs)
}

/** Lets in who is signed in. @throws {Fault} `no_identity`. */
export function signedIn(parts: ConsoleRoom): MiddlewareHandler<Carried> {
  return async (c, next) => {
    const asker = await askerOf(c, parts)
    if (asker === undefined) {
      throw new Fault('no_identity', 'Nobody is signed in here.', { facts: { reason: 'missing' } })
    }
    c.set('asker', asker)
    await next()
  }
}

/** Lets in who has one of the roles. @throws {Fault} `refused`. */
export function having(...wanted: readonly ConsoleRole[]): MiddlewareHandler<Carried> {
  return async (c, next) => {
    const { roles } = c.get('asker')
    if (!wanted.some((role) => roles.has(role))) {
      const message = `This is for the roles ${wanted.join(', ')}. Nothing was done.`
      throw new Fault('refused', message, { facts: { reason: 'role' } })
    }
    await next()
  }
}

/**
 * For everything that changes something: made by a page of ours, with the session's own token in
 * `x-sallyport-csrf` or the form's `csrf`. Programs with a token carry no cookie and need neither.
 * @throws {Fault} `origin_refused`.
 */
export function ownChange(parts: ConsoleParts): MiddlewareHandler<Carried> {
  return async (c, next) => {
    const { session } = c.get('asker')
    const isChange = c.req.method !== 'GET' && c.req.method !== 'HEAD'
    if (isChange && session !== undefined) {
      const isOwn = isOwnPost(c.req.raw.headers, parts.origin)
      if (!isOwn || (await csrfOf(c)) !== session.csrf) {
        const message = 'This was not sent by a page of the console. Nothing was done.'
        throw new Fault('origin_refused', message, { facts: { reason: 'foreign_post' } })
      }
    }
    await next()
  }
}

async function csrfOf(c: Context<Carried>): Promise<string | undefined> {
  const told = c.req.header('x-sallyport-csrf')
  const isForm = c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded')
  if (told !== undefined || isForm !== true) return told
  return new URLSearchParams(await textOf(c.req.raw)).get('csrf') ?? undefined
}

/**
 * For what changes access: who asks has proved just now who they are. A person's token proves that for
 * nobody: the programs they use hold it too. Programs of their own right have nothing else to show.
 * @throws {Fault} `refused`.
 */
export function freshly(parts: ConsoleParts): MiddlewareHandler<Carried> {
  return async (c, next) => {
    const { kind, session } = c.get('asker')
    if (session === undefined && kind === 'person') {
      const message = 'People change access in the console, signed in. Nothing was done.'
      throw new Fault('refused', message, { facts: { reason: 'not_signed_in' } })
    }
    const nowMs = parts.clock.nowUs() / 1000
    if (session !== undefined && nowMs - session.authenticatedMs > freshMs) {
      const message = 'Sign in again first: this changes who has access. Nothing was done.'
      throw new Fault('refused', message, { facts: { reason: 'reauthenticate' } })
    }
    await next()
  }
}
