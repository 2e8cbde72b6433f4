/** Accounts of programs for which nobody answers any more (PCI DSS v4.0.1 req. 8.6.1, 7.2.5). */
import type { PrincipalKind } from '../config/types.ts'
import type { Directory } from './directory.ts'
import type { Revocations } from './revocations.ts'
import { serviceIssuer } from './service-accounts.ts'
import type { ServiceAccounts } from './service-accounts.ts'

/** What became of the owner. */
export type Loss = 'unknown' | 'ended' | 'stopped'

export interface Ownerless {
  readonly issuer: string
  readonly subject: string
  readonly kind: PrincipalKind
  /** Id in the directory of who answered for it. */
  readonly owner: string
  readonly why: Loss
  /** Since when, in milliseconds since 1970; missing where nobody knows. */
  readonly sinceMs?: number
}

type Known = Pick<Directory, 'byId' | 'hasEnded'>
type Stops = Pick<Revocations, 'find'>

/**
 * What became of somebody who answers for accounts; undefined where they still can. O(1), no I/O.
 * @param owner id of the directory.
 */
export function ownerLoss(
  owner: string,
  { directory, revocations }: { readonly directory: Known; readonly revocations: Stops },
  nowMs: number,
): Pick<Ownerless, 'why' | 'sinceMs'> | undefined {
  const person = directory.byId(owner)
  if (person === undefined) return { why: 'unknown' }
  const { endsMs, issuer, subject } = person
  // A sign-out everywhere does not make anybody leave.
  const stop = revocations.find({ issuer, subject, issuedAtMs: Infinity }, undefined, nowMs)
  if (stop?.target.kind === 'principal') return { why: 'stopped', sinceMs: stop.fromMs }
  if (endsMs === undefined || !directory.hasEnded(issuer, subject, nowMs)) return undefined
  return { why: 'ended', sinceMs: endsMs }
}

/** For the report: every service account, and every principal with an owner, whose owner is gone. */
export function ownerlessAccounts(
  at: {
    readonly directory: Known & Pick<Directory, 'list'>
    readonly serviceAccounts: Pick<ServiceAccounts, 'list'>
    readonly revocations: Stops
  },
  nowMs: number,
): readonly Ownerless[] {
  const owned = [
    ...at.directory.list().flatMap(({ issuer, kind, owner, subject }) => {
      const isOwned = owner !== undefined && issuer !== serviceIssuer
      return isOwned ? [{ issuer, subject, kind, owner }] : []
    }),
    ...at.serviceAccounts.list().map(({ name, owner }) => {
      return { issuer: serviceIssuer, subject: name, kind: 'service' as const, owner }
    }),
  ]
  return owned.flatMap((account) => {
    const loss = ownerLoss(account.owner, at, nowMs)
    return loss === undefined ? [] : [{ ...account, ...loss }]
  })
}
