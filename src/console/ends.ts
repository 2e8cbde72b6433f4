/** Sessions that end, and who did something, as the record has it. */
import { isStopped } from './guard.ts'
import type { Asker, ConsoleParts } from './parts.ts'

/** Who did it, for an entry. */
export function aboutOf({ bearer, kind, name, source }: Asker): {
  principal: { issuer: string; subject: string; name: string; kind: Asker['kind'] }
  source: Asker['source']
} {
  return { principal: { issuer: bearer.issuer, subject: bearer.subject, name, kind }, source }
}

/** Ends one session and records it. */
export async function endSession(
  parts: ConsoleParts,
  key: string,
  reason: string,
  asker: Pick<Asker, 'source'> | undefined,
): Promise<void> {
  const session = parts.sessions.end(key)
  if (session === undefined) return
  const person = parts.directory.byId(session.person)
  const { issuer = 'unknown', subject = session.person } = person ?? {}
  const about = { principal: { issuer, subject, kind: 'person' as const }, source: asker?.source }
  const seconds = Math.round((session.usedMs - session.madeMs) / 1000)
  await parts.note('signin.ended', about, { where: 'console', reason, seconds })
}

/** Ends the sessions of everybody who is stopped; called with each stop and every second. */
export async function endStopped(parts: ConsoleParts): Promise<void> {
  const stopped = parts.sessions.list().filter((session) => isStopped(session, parts))
  await endAll(
    parts,
    stopped.map(({ key }) => [key, 'revoked']),
  )
}

/**
 * Ends all of these, each with its reason, whatever becomes of the entry of one.
 * @throws {Fault} what `note` threw first.
 */
export async function endAll(
  parts: ConsoleParts,
  those: readonly (readonly [key: string, reason: string])[],
): Promise<void> {
  // Each is ended before its entry is begun, so none waits for another's.
  await Promise.all(those.map(([key, reason]) => endSession(parts, key, reason, undefined)))
}
