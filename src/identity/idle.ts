/**
 * Accounts nobody uses (PCI DSS v4.0.1 req. 8.2.6): whom to stop, and whom to warn of first.
 *
 * Nobody is stopped who was not warned of for the whole warning time. So a gateway that was off for
 * months, or a clock that was set wrong, first warns of everybody whose time has passed meanwhile.
 */
import type { PrincipalKind } from '../config/types.ts'
import type { Directory } from './directory.ts'
import type { Revocations } from './revocations.ts'
import { serviceIssuer } from './service-accounts.ts'
import type { ServiceAccounts } from './service-accounts.ts'

/** All moments in milliseconds since 1970. */
export interface IdleAccount {
  readonly issuer: string
  readonly subject: string
  /** Of the directory; service accounts need not have one. */
  readonly id?: string
  readonly name?: string
  readonly kind: PrincipalKind
  /** When it was seen last, or made where it never was. */
  readonly idleSinceMs: number
  /** When it was warned of first: now, where that is to be done now. */
  readonly warnedMs: number
  readonly isNew: boolean
  /** When it is stopped unless it is used before. */
  readonly stopsMs: number
}

export interface IdleRules {
  readonly nowMs: number
  readonly idleMs: number
  readonly warningMs: number
  /** Ids of the directory that are never stopped for this: the break-glass accounts. */
  readonly exempt: ReadonlySet<string>
  /** When an account was warned of. */
  readonly warnedMs: (issuer: string, subject: string) => number | undefined
  readonly revocations: Pick<Revocations, 'find'>
}

export interface Idle {
  readonly stop: readonly IdleAccount[]
  /** All under warning; those with `isNew` are to be reported. */
  readonly warn: readonly IdleAccount[]
}

type Account = Pick<IdleAccount, 'issuer' | 'subject' | 'id' | 'name' | 'kind' | 'idleSinceMs'>

/**
 * Reads only. Whoever acts on it reports what is new, keeps `[...stop, ...warn]` as the warnings now
 * (`IdleWarnings.keep`), then stops. What is kept no more was used again or stopped; an account whose
 * stop is lifted is therefore warned of anew. Those who are stopped already, or whose access ended,
 * are in neither list.
 */
export function idleAccounts(
  directory: Pick<Directory, 'list' | 'hasEnded'>,
  serviceAccounts: Pick<ServiceAccounts, 'list'>,
  rules: IdleRules,
): Idle {
  const { exempt, idleMs, nowMs, revocations, warnedMs, warningMs } = rules
  const stop: IdleAccount[] = []
  const warn: IdleAccount[] = []
  for (const account of accountsOf(directory, serviceAccounts)) {
    const { id, idleSinceMs, issuer, subject } = account
    if (nowMs < idleSinceMs + idleMs - warningMs) continue
    if (id !== undefined && exempt.has(id)) continue
    if (directory.hasEnded(issuer, subject, nowMs)) continue
    // A sign-out everywhere stops old tokens, and nobody who comes with a new one.
    if (revocations.find({ issuer, subject, issuedAtMs: Infinity }, undefined, nowMs)) continue
    const before = warnedMs(issuer, subject)
    const isNew = before === undefined || before < idleSinceMs // It was used since.
    const at = isNew ? nowMs : before
    const stopsMs = Math.max(idleSinceMs + idleMs, at + warningMs)
    const found: IdleAccount = { ...account, warnedMs: at, isNew, stopsMs }
    if (!isNew && nowMs >= stopsMs) stop.push(found)
    else warn.push(found)
  }
  return { stop, warn }
}

function* accountsOf(
  directory: Pick<Directory, 'list'>,
  serviceAccounts: Pick<ServiceAccounts, 'list'>,
): Generator<Account> {
  for (const { id, issuer, kind, madeMs, name, seenMs, subject } of directory.list()) {
    if (issuer === serviceIssuer) continue // Their list knows them better.
    const idleSinceMs = seenMs === 0 ? madeMs : seenMs
    yield { issuer, subject, id, kind, idleSinceMs, ...(name === undefined ? {} : { name }) }
  }
  for (const { madeMs, name, usedMs } of serviceAccounts.list()) {
    const idleSinceMs = usedMs === 0 ? madeMs : usedMs
    yield { issuer: serviceIssuer, subject: name, kind: 'service', idleSinceMs }
  }
}
