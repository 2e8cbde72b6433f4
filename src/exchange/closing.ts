/** The end of sessions, and of what they leave behind; called by the way and by a timer. */
import type { Shared } from '../record/entry.ts'
import type { Session } from '../session/sessions.ts'
import { recordEnd } from './account.ts'
import { openedAs } from './shared.ts'
import type { Stations } from './stations.ts'

/** Ends a session and records it, with its exact duration. @param forget as in `Sessions.close`. */
export async function endSession(
  session: Session,
  reason: string,
  forget: boolean,
  at: Stations,
): Promise<void> {
  if (session.closedFor !== undefined) return
  at.sessions.close(session, reason, forget)
  await recordClosed(session, at)
}

async function recordClosed(session: Session, at: Stations): Promise<void> {
  for (const leg of at.pending.values()) {
    if (leg.session !== session || leg.leftMs === undefined) continue
    await recordEnd(leg, { outcome: 'unknown', httpStatus: 200, reason: 'stream_not_resumed' }, at)
  }
  const shared = openedAs(session)
  if (shared === undefined) return
  const { lastUs, openedUs, calls, closedFor } = session
  const reason = closedFor ?? 'closed'
  const endUs = reason === 'idle' ? lastUs : at.clock.nowUs()
  const entry = { type: 'session.closed' as const, durationUs: endUs - openedUs, reason, calls }
  await at.recorder.append(session.id, shared, [{ entry }])
}

/** How often `sweep` is called. */
export const sweepMs = 5000

/** How long an exchange waits for its stream to be resumed before it ends as unknown. */
const leftMaxMs = 15 * 60_000

/** Every few seconds: what nobody resumed, sessions gone idle, and what floods were counted. */
export async function sweep(share: Shared, at: Stations): Promise<void> {
  const nowMs = at.clock.monotonicMs()
  for (const leg of at.pending.values()) {
    if (leg.leftMs === undefined || nowMs - leg.leftMs < leftMaxMs) continue
    await recordEnd(leg, { outcome: 'unknown', httpStatus: 200, reason: 'stream_not_resumed' }, at)
  }
  for (const session of at.sessions.closeIdle()) await recordClosed(session, at)
  await recordSeal(share, at)
}

/** At a stop: every session ends. */
export async function closeSessions(reason: string, at: Stations): Promise<void> {
  for (const session of at.sessions.closeAll(reason)) await recordClosed(session, at)
}

/** At least one seal in this time while the gateway runs; each says so. */
const sealEveryMs = 60_000

/**
 * Writes a seal when one is due: after a minute, or when refusals were only counted. So an hour in
 * which nothing happened has sixty entries that say so.
 * @param isLast at a stop, whatever the time.
 */
export async function recordSeal(share: Shared, at: Stations, isLast = false): Promise<void> {
  const nowMs = at.clock.monotonicMs()
  const counted = at.floods.take()
  const isDue = nowMs - at.sealed.atMs >= sealEveryMs - sweepMs
  if (counted === undefined && !isDue && !isLast) return
  at.sealed.atMs = nowMs
  const entry = { type: 'seal' as const, everyMs: sealEveryMs, refused: counted?.refused ?? {} }
  await at.recorder.append('seal', share, [{ entry }])
}
