/**
 * Where an OpenID provider tells that it signed somebody out: `POST /backchannel-logout/{issuer}`
 * with a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8). Nobody needs a token
 * for it: the logout token is the proof.
 */
import { Fault } from '../base/fault.ts'
import type { Stations } from '../exchange/stations.ts'
import type { Stops } from '../exchange/stop.ts'
import type { LoggedOut } from '../identity/logout.ts'
import type { Target } from '../identity/revocations.ts'
import type { Incoming } from '../listener/incoming.ts'
import type { Note } from '../record/notes.ts'
import type { ProviderSessions } from '../signin/provider-sessions.ts'

const route = /^\/backchannel-logout\/([a-z][a-z0-9-]{0,62})$/
const bodyBytesMax = 32 * 1024
/** Nothing that was signed in before a logout lives longer: the stop may be forgotten then. */
const outlivedMs = 91 * 86_400_000

export interface LogoutDoorParts {
  readonly at: Pick<Stations, 'identity' | 'clock' | 'floods'>
  readonly stops: Pick<Stops, 'stop'>
  readonly note: Note
  readonly providerSessions: Pick<ProviderSessions, 'subjectOf'> | undefined
}

/** @returns false for a path that is another's; nothing was done then. */
export async function serveLogout(incoming: Incoming, parts: LogoutDoorParts): Promise<boolean> {
  const name = route.exec(incoming.path)?.[1]
  if (name === undefined) return false
  const status = await logOut(incoming, name, parts)
  const body = status === 200 ? '' : '{"error":"invalid_request"}\n'
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'POST' } : {}),
  }
  incoming.begin(status, headers).end(Buffer.from(body))
  return true
}

async function logOut(
  incoming: Incoming,
  name: string,
  { at, note, providerSessions, stops }: LogoutDoorParts,
): Promise<200 | 400 | 405 | 503> {
  if (incoming.method !== 'POST') return 405
  try {
    const form = new URLSearchParams(Buffer.from(await incoming.body(bodyBytesMax)).toString())
    const who = await at.identity.verifyLogout(name, form.get('logout_token') ?? '')
    const nowMs = Math.floor(at.clock.nowUs() / 1000)
    await stopLoggedOut(named(who, providerSessions), nowMs, stops)
    return 200
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { ip } = incoming.source
    const reason = String(error.facts['reason'] ?? error.code)
    if (at.floods.admit(ip, reason)) {
      const details = { method: 'backchannel_logout', issuer: name, reason }
      await note('signin.refused', { source: incoming.source }, details).catch(() => undefined)
    }
    // Ours: the provider may try again. Theirs: it need not.
    return error.code === 'no_identity' || error.code === 'too_large' ? 400 : 503
  }
}

/** What came of a provider's session here is known by its person, who need not be named. */
export function named(
  who: LoggedOut,
  sessions: Pick<ProviderSessions, 'subjectOf'> | undefined,
): LoggedOut {
  const { issuer, signInId } = who
  if (who.subject !== undefined || signInId === undefined) return who
  const subject = sessions?.subjectOf(issuer, signInId)
  return subject === undefined ? who : { ...who, subject }
}

/**
 * Stops the sign-in where it is named; and all tokens that are out where the person is.
 * @throws what the first stop that failed threw. Each is tried: whoever told us may not tell again,
 *   since a logout token is good for one use.
 */
export async function stopLoggedOut(
  who: LoggedOut,
  nowMs: number,
  { stop }: Pick<Stops, 'stop'>,
): Promise<void> {
  const untilMs = nowMs + outlivedMs
  const reason = 'logged out at the provider'
  const of = { reason, by: who.issuer, source: 'logout', untilMs } as const
  const stops = targetsOf(who, nowMs).map((target) => stop({ target, ...of }))
  const failed = (await Promise.allSettled(stops)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

function targetsOf({ issuer, signInId, subject }: LoggedOut, nowMs: number): Target[] {
  return [
    ...(signInId === undefined ? [] : [{ kind: 'sign-in' as const, signIn: signInId }]),
    ...(subject === undefined
      ? []
      : [{ kind: 'tokens-before' as const, issuer, subject, beforeMs: nowMs }]),
  ]
}
