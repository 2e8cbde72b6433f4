/**
 * What is stopped gets nothing further. Looked at on entry, before the intent is recorded, before
 * the first byte leaves, and before anything is released: no wait in between lets a call through.
 */
import { Fault } from '../base/fault.ts'
import type { Target } from '../identity/revocations.ts'
import type { Stations } from './stations.ts'
import type { Known, Way } from './way.ts'

/** On entry: who is stopped learns nothing more. A stopped connection is told once the request is
 *  read, in the form it asks for. @throws {Fault} as `checkStopped`. */
export function checkEntry(way: Way, principal: Known['principal'], at: Stations): void {
  check(way, principal, undefined, at)
}

/** @throws {Fault} `no_identity` (`revoked`), `connection_stopped` or `all_stopped`. */
export function checkStopped(way: Way, known: Known, at: Stations): void {
  check(way, known.principal, known.connection.name, at)
}

function check(
  way: Way,
  principal: Known['principal'],
  connection: string | undefined,
  at: Stations,
): void {
  if (way.stopped !== undefined) throw stoppedFault(way.stopped, way.isSent)
  const why = stopOf(principal, connection, at.clock.nowUs() / 1000, at)
  if (why === undefined) return
  way.stopped = why
  throw stoppedFault(why, way.isSent)
}

/** Why somebody gets nothing on a connection at this moment; undefined where nothing stops them. */
export function stopOf(
  principal: Known['principal'],
  connection: string | undefined,
  nowMs: number,
  at: Pick<Stations, 'revocations' | 'directory'>,
): Why | undefined {
  const found = at.revocations.find(principal, connection, nowMs)
  if (found !== undefined) return found.target.kind
  return at.directory.hasEnded(principal.issuer, principal.subject, nowMs) ? 'ended' : undefined
}

/** What the stop is about; `ended`: the date until which somebody has access has passed; `grant`:
 *  the grants it rested on hold no more; `distrusted`: tokens like theirs are believed no more;
 *  `expired`: a stream outlived its token. */
export type Why = Target['kind'] | 'ended' | 'grant' | 'distrusted' | 'expired'

const asksAgain = 'Ask whoever keeps the access list; signing in anew does not help.'

/** @param isSent whether the server may have got the call. */
export function stoppedFault(why: Why, isSent: boolean): Fault {
  const ran = isSent ? ' The call may have run.' : ' Nothing was sent.'
  if (why === 'everything') {
    const message = `All access through this gateway is stopped for now.${ran}`
    return new Fault('all_stopped', message, { facts: { reason: 'all_stopped', isSent } })
  }
  if (why === 'connection') {
    const message = `This connection is stopped for now.${ran} Ask whoever keeps it.`
    return new Fault('connection_stopped', message, {
      facts: { reason: 'connection_stopped', isSent },
    })
  }
  if (why === 'grant') {
    const message = `The grant of this connection has ended.${ran} ${asksAgain}`
    return new Fault('connection_refused', message, { facts: { reason: 'grant_ended', isSent } })
  }
  if (why === 'expired') {
    const message = `The access token of this stream has expired.${ran} Open it again with a new one.`
    return new Fault('no_identity', message, { facts: { reason: 'expired', isSent } })
  }
  const reasons = { ended: 'access_ended', distrusted: 'not_believed' }
  const reason = why === 'ended' || why === 'distrusted' ? reasons[why] : 'revoked'
  return new Fault('no_identity', `Access was stopped.${ran} ${asksAgain}`, {
    facts: { reason, isSent },
  })
}
