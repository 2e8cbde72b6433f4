/**
 * Where an OpenID provider tells that it signed somebody out: `POST /backchannel-logout/{issuer}`
 * with a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8). Nobody needs a token
 * for it: the logout token is the proof.
 */
import { Fault } from '../base/fault.ts'
import type { Stations } from '../exchange/stations.ts'
import type { Stops } from '../exchange/stop.ts'
import type { LoggedOut } from '../identity/logout.ts'
import type { Incoming } from '../listener/incoming.ts'
import type { Note } from '../record/notes.ts'

const route = /^\/backchannel-logout\/([a-z][a-z0-9-]{0,62})$/
const bodyBytesMax = 32 * 1024

export interface LogoutDoorParts {
  readonly at: Pick<Stations, 'identity' | 'clock' | 'floods'>
  readonly stops: Pick<Stops, 'stop'>
  readonly note: Note
}

/** @returns false for a path that is another's; nothing was done then. */
export async function serveLogout(incoming: Incoming, parts: LogoutDoorParts): Promise<boolean> {
  const name = route.exec(incoming.path)?.[1]
  if (name === undefined) return false
  const status = await logOut(incoming, name, parts)
  const body = status === 200 ? '' : '{"error":"invalid_request"}\n'
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  incoming.begin(status, headers).end(Buffer.from(body))
  return true
}

async function logOut(
  incoming: Incoming,
  name: string,
  { at, note, stops }: LogoutDoorParts,
): Promise<200 | 400 | 405 | 503> {
  if (incoming.method !== 'POST') return 405
  try {
    const form = new URLSearchParams(Buffer.from(await incoming.body(bodyBytesMax)).toString())
    const who = await at.identity.verifyLogout(name, form.get('logout_token') ?? '')
    const nowMs = Math.floor(at.clock.nowUs() / 1000)
    const of = { reason: 'logged out at the provider', by: who.issuer, source: 'logout' } as const
    for (const target of targetsOf(who, nowMs)) await stops.stop({ target, ...of })
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

/** The sign-in where it is named; and all tokens that are out where the person is. */
export function targetsOf(
  { issuer, signInId, subject }: LoggedOut,
  nowMs: number,
): Parameters<Stops['stop']>[0]['target'][] {
  return [
    ...(signInId === undefined ? [] : [{ kind: 'sign-in' as const, signIn: signInId }]),
    ...(subject === undefined
      ? []
      : [{ kind: 'tokens-before' as const, issuer, subject, beforeMs: nowMs }]),
  ]
}
