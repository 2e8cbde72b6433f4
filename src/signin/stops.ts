/** What stops somebody who proves who they are. */
import type { Revocation, Revocations, Target } from '../identity/revocations.ts'

export interface StopParts {
  readonly revocations: Pick<Revocations, 'find' | 'list'>
  /** Whether a stop of everything is passed over. */
  readonly isOpenWhenStopped: boolean
}

export interface Proof {
  readonly issuer: string
  readonly subject: string
  /** When it was made, milliseconds since 1970. */
  readonly issuedAtMs: number
}

/**
 * The kind of stop that is in force for a proof; undefined where there is none. `tokens-before` where
 * a newer proof would do: another stop goes before it.
 * @throws {Fault} `identity_down` while the list of stops cannot be relied on.
 */
export function stopOf(
  of: Proof,
  nowMs: number,
  { isOpenWhenStopped, revocations }: StopParts,
): Target['kind'] | undefined {
  // Looked at first, and always: it knows whether the list can be relied on.
  const first = revocations.find(of, undefined, nowMs)?.target.kind
  if (first === undefined || (first === 'everything' && !isOpenWhenStopped)) return first
  // It names the stop that reaches furthest, behind which there may be another.
  const kinds = revocations.list().flatMap((stop) => kindOf(stop, of, nowMs) ?? [])
  const found = kinds.find((kind) => kind !== 'tokens-before') ?? kinds[0]
  return found ?? (first === 'everything' ? undefined : first)
}

/** Its kind, where a stop is in force for somebody by themselves. */
function kindOf(
  { fromMs, target }: Revocation,
  of: Proof,
  nowMs: number,
): Target['kind'] | undefined {
  if (fromMs > nowMs) return undefined
  if (target.kind !== 'principal' && target.kind !== 'tokens-before') return undefined
  if (target.issuer !== of.issuer || target.subject !== of.subject) return undefined
  const isNewer = target.kind === 'tokens-before' && of.issuedAtMs > target.beforeMs
  return isNewer ? undefined : target.kind
}
