/** What the directory adds to what a token says: the end of an access, its owner, groups lost. */
import type { Directory, KnownPrincipal } from './directory.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'

/** A principal, and until when it may be used without looking again. */
export interface Settled {
  readonly principal: Principal
  /** Milliseconds since 1970; infinite where nothing is known to end. */
  readonly untilMs: number
}

/**
 * @param name of the issuer in the configuration, for the fault.
 * @throws {Fault} `no_identity` (`ended`) from the moment on that was set for this access.
 */
export function settle(
  principal: Principal,
  directory: Directory | undefined,
  { name, nowMs }: { readonly name: string; readonly nowMs: number },
): Settled {
  const known = directory?.find(principal.issuer, principal.subject)
  const untilMs = known?.endsMs ?? Number.POSITIVE_INFINITY
  if (nowMs >= untilMs) throw refusal('ended', name)
  const lost = directory?.lostGroups(principal.issuer, principal.subject)
  const groups = lost === undefined ? principal.groups : kept(principal, lost)
  return { principal: merged(principal, groups, known), untilMs }
}

/** A token speaks of the groups there were when it was issued. */
function kept(principal: Principal, lost: ReadonlyMap<string, number>): readonly string[] {
  const { groups, issuedAtMs = 0 } = principal
  const isLost = (group: string): boolean => issuedAtMs < (lost.get(group) ?? 0)
  return groups.some(isLost) ? Object.freeze(groups.filter((group) => !isLost(group))) : groups
}

function merged(
  principal: Principal,
  groups: readonly string[],
  known: KnownPrincipal | undefined,
): Principal {
  const owner = principal.owner ?? known?.owner
  if (groups === principal.groups && owner === principal.owner) return principal
  return Object.freeze({ ...principal, groups, ...(owner === undefined ? {} : { owner }) })
}
