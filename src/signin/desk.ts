/** What the routes of a site share: who may in, what is recorded of it, what is said to the others. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'
import type { Rate } from '../base/rate.ts'
import type { Directory, Told } from '../identity/directory.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { Source, Who } from '../record/entry.ts'
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { Accounts } from './accounts.ts'
import type { Flow, Flows, Proven } from './flows.ts'
import { refusedPage } from './pages.ts'
import type { Here, Markup } from './pages.ts'
import type { Passkeys } from './passkeys.ts'
import { withQuery } from './paths.ts'
import type { ProviderSessions } from './provider-sessions.ts'
import type { LoggedOut } from './providers.ts'
import type { SignedIn } from './signed-in.ts'
import { stopOf } from './stops.ts'

export interface SiteEnv {
  readonly Bindings: { readonly source: Source }
}
export type SiteContext = Context<SiteEnv>

/** Where local accounts are let in. */
export interface Local {
  readonly name: string
  readonly label: string
  readonly passwords: boolean
  readonly accounts: Accounts
  readonly passkeys: Passkeys | undefined
}

export interface Desk extends Here {
  readonly origin: string
  /** The site's name in the record. */
  readonly at: string
  readonly flows: Flows
  readonly clock: Clock
  readonly directory: Pick<Directory, 'tell' | 'byId' | 'find' | 'lostGroups'>
  readonly revocations: Pick<Revocations, 'find' | 'list'>
  /** Whether people come in while everything is stopped. */
  readonly isOpenWhenStopped: boolean
  /** By which a logout that names the provider's session alone finds the person. */
  readonly providerSessions?: Pick<ProviderSessions, 'keep'> | undefined
  readonly note: Note
  /** One line for the log: an alert that somebody must see. */
  readonly warn: (message: string) => void
  /** A SAML provider signed somebody out: ends their sessions, and records it. */
  readonly loggedOut: (who: LoggedOut, source: Source) => Promise<void>
  /** Whether a refusal of this address gets an entry of its own. */
  readonly admits: (ip: string) => boolean
  /** Requests of all kinds, and SAML responses that were not taken, by address. */
  readonly requests: Pick<Rate, 'take'>
  readonly samlPosts: Pick<Rate, 'take' | 'giveBack'>
  /** Ends what is open of an account whose password was set anew, and records it. */
  readonly endOpen: (
    who: { readonly issuer: string; readonly subject: string },
    source: Source,
  ) => Promise<void>
  readonly local: Local | undefined
}

/**
 * Lets somebody in: not if they are stopped, and not before it is recorded.
 * @returns the path to which the browser goes on: with the code, or to the same way once more where
 *   the proof is older than a sign-out everywhere.
 * @throws {Fault} `refused`; `identity_down`, `record_down` where nobody can be let in.
 */
export async function letIn(
  desk: Desk,
  flow: Flow,
  proven: Proven,
  method: Pick<SignedIn, 'method' | 'type'>,
  source: Source,
): Promise<string> {
  const nowMs = Math.floor(desk.clock.nowUs() / 1000)
  const { amr, authenticatedMs, isBreakGlass = false, provenMs, providerSession, told } = proven
  const { issuer, kind, name, subject } = told
  const principal: Who = { issuer, subject, kind, name }
  // A proof that was held back is as old as it is, and so is what it says.
  const issuedAtMs = Math.min(authenticatedMs, provenMs)
  const stop = stopOf({ issuer, subject, issuedAtMs }, nowMs, desk)
  if (stop && stop !== 'tokens-before') throw refusal('revoked', 'Access was revoked.', principal)
  if (stop) {
    // Signed out everywhere since they proved it: the provider's own session will not do.
    if (flow.isFresh) throw refusal('signed_out_since', signedOutSince, principal)
    flow.isFresh = true
    return `${desk.base}/go/${encodeURIComponent(method.method)}?f=${flow.id}`
  }
  const person = desk.directory.tell(withoutLost(told, provenMs, desk), 'sign-in', nowMs)
  if (person.endsMs !== undefined && person.endsMs <= nowMs)
    throw refusal('ended', 'This access has ended.', principal)
  const about = { principal, source }
  const details: Details = { ...method, at: desk.at, amr, isFresh: flow.isFresh, person: person.id }
  if (isBreakGlass) await raise(desk, about, details)
  await desk.note('signin.accepted', about, { ...details, isBreakGlass })
  if (providerSession !== undefined) desk.providerSessions?.keep(issuer, providerSession, subject)
  const session = providerSession === undefined ? {} : { providerSession }
  const signedIn = { person, ...method, authenticatedMs, amr, isBreakGlass, ...session }
  return withQuery(flow.returnTo, 'c', desk.flows.finish(flow, signedIn))
}

/** Without the groups that were lost since the proof was made: it speaks of those there were then. */
function withoutLost(told: Told, provenMs: number, { directory }: Desk): Told {
  const lost = directory.lostGroups(told.issuer, told.subject)
  const { groups } = told
  if (lost === undefined || groups === undefined) return told
  return { ...told, groups: groups.filter((group) => provenMs >= (lost.get(group) ?? 0)) }
}

const signedOutSince =
  'You were signed out everywhere since you signed in there. Sign in there anew.'

/** The alert goes first: without it nobody is let in. */
async function raise(desk: Desk, about: Parameters<Note>[1], details: Details): Promise<void> {
  const reason = 'break_glass_used'
  await desk.note('alert.raised', about, { ...details, reason })
  desk.warn('A break-glass account signed in. See alert.raised in the record.')
}

/** Refusals that know more for the record than is said to the browser. */
const known = new WeakMap<Fault, Who>()

/** @param principal who it would have been, where that is proven. */
export function refusal(reason: string, sentence: string, principal?: Who): Fault {
  const fault = new Fault('refused', sentence, { facts: { reason } })
  if (principal) known.set(fault, principal)
  return fault
}

const statuses: Readonly<Partial<Record<FaultCode, ContentfulStatusCode>>> = {
  bad_request: 400,
  refused: 403,
  no_identity: 403,
  origin_refused: 403,
  path_unknown: 404,
  too_large: 413,
  media_unsupported: 415,
  rate_limited: 429,
  busy: 503,
  identity_down: 503,
  record_down: 503,
  record_full: 503,
}

/** Records why, and what is said. A fault's text is for people; of anything else nothing is told. */
export async function refuse(
  desk: Desk,
  c: SiteContext,
  error: unknown,
): Promise<{ status: ContentfulStatusCode; sentence: string }> {
  const fault = error instanceof Fault ? error : undefined
  const status = (fault && statuses[fault.code]) ?? 500
  if (status === 500) desk.warn(`A sign-in failed by a defect: ${nameOf(error)}.`)
  const reason = fault ? String(fault.facts['reason'] ?? fault.code) : 'defect'
  const { source } = c.env
  const ip = source.ip
  const about = { source, principal: fault && known.get(fault) }
  if (status !== 404 && desk.admits(ip)) {
    const detail = fault?.facts['detail']
    const details = {
      at: desk.at,
      reason,
      detail: detail === undefined ? undefined : String(detail),
    }
    // The browser is refused either way, so a record that is down changes nothing for it.
    await desk.note('signin.refused', about, details).catch(() => undefined)
  }
  const unsure = 'That did not work. Try again in a few minutes.'
  return { status, sentence: status === 500 || !fault ? unsure : fault.message }
}

/** Answers with a page. */
export function show(
  c: SiteContext,
  markup: Markup,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> {
  return c.html(markup, status)
}

/** Answers a fault: as JSON to the script, as the one page to people. */
export async function answerRefused(desk: Desk, c: SiteContext, error: unknown): Promise<Response> {
  const { sentence, status } = await refuse(desk, c, error)
  const isScript = c.req.header('content-type')?.startsWith('application/json') === true
  if (isScript) return c.json({ error: sentence }, status)
  return await show(c, refusedPage(desk, sentence), status)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

export function wordIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value.length <= 4096) return value
  const facts = { reason: 'form_incomplete' }
  throw new Fault('bad_request', 'Something is missing in what was sent. Begin again.', { facts })
}
