/**
 * The review of access: what was granted and not used, who has it, who answers for it. It proposes and
 * decides nothing (PCI DSS v4.0.1 req. 7.2.4, 7.2.5.1, 8.2.6).
 */
import type { ConsoleRole, ConsoleRoles, GrantConfig } from '../config/types.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Ownerless } from '../identity/ownerless.ts'
import type { ServiceAccount } from '../identity/service-accounts.ts'
import { serviceIssuer } from '../identity/service-accounts.ts'
import { grantWords } from './change.ts'
import { compileGrant } from './grants.ts'
import type { Compiled, Nameable } from './grants.ts'
import { assignedRoles, excluding } from './roles.ts'
import { principalKey, Usage } from './usage.ts'
import type { GrantUse, SignedOff, UsedEntry } from './usage.ts'

export interface ReviewOf {
  readonly grants: readonly GrantConfig[]
  readonly roles: ConsoleRoles
  readonly principals: readonly KnownPrincipal[]
  readonly accounts: readonly ServiceAccount[]
  readonly ownerless: readonly Ownerless[]
  /** Milliseconds since 1970: what was used from here on counts, up to now. */
  readonly sinceMs: number
  readonly nowMs: number
  /** Tools a connection is known to have; undefined where nobody has seen its list. */
  readonly toolsOf?: (connection: string) => readonly string[] | undefined
  /** Names of connections, for `toolsOf`. */
  readonly connections: readonly string[]
}

/** All times are RFC 3339 in UTC; what never happened has none. */
export interface Review {
  readonly v: 1
  readonly from: string
  readonly to: string
  readonly lastReview?: SignedOff
  /** When the next one is due: half a year behind the last, at once where there was none. */
  readonly dueBy: string
  readonly figures: Figures
  readonly grants: readonly GrantReview[]
  /** Principals who have access and have not used it. */
  readonly idle: readonly IdlePrincipal[]
  readonly accounts: readonly AccountReview[]
  readonly ownerless: readonly Ownerless[]
  readonly conflicts: readonly Conflict[]
}

export type Figures = Readonly<
  Record<
    | 'grants'
    | 'grantsUnused'
    | 'namesUnused'
    | 'revealsUnused'
    | 'principals'
    | 'neverSeen'
    | 'notSeen'
    | 'accounts'
    | 'accountsUnused'
    | 'ownerless'
    | 'conflicts',
    number
  >
>

export interface GrantReview {
  readonly grant: string
  /** What it says, part by part. */
  readonly says: readonly string[]
  /** Uses before this moment could not be told. */
  readonly countedSince: string
  readonly calls: number
  readonly lastUsed?: string
  readonly isEnded: boolean
  /** Patterns that no call fitted: `tool drop_*`. */
  readonly namesUnused: readonly string[]
  /** Tools the server is known to have, which the grant covers and nobody called. */
  readonly toolsUnused: readonly string[]
  readonly used: readonly { readonly name: string; readonly calls: number }[]
  /** Calls of further names. */
  readonly othersUsed: number
  readonly reveals?: number
  /** Principals of the directory for whom it holds, wherever and whenever. */
  readonly holders: number
}

interface Named {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly name?: string
}

export interface IdlePrincipal extends Named {
  readonly madeAt: string
  readonly lastSeen?: string
  /** Grants that hold for them. */
  readonly grants: readonly string[]
}

export interface AccountReview {
  readonly account: string
  readonly owner: string
  readonly lastUsed?: string
  readonly madeAt: string
  readonly keys: number
  readonly isUnused: boolean
  readonly grants: readonly string[]
}

export interface Conflict extends Named {
  readonly roles: readonly [ConsoleRole, ConsoleRole]
}

const reviewEveryMs = 180 * 86_400_000

/**
 * Reads a record from front to back.
 * @param entries all of them, in order; only those since `sinceMs` are counted.
 * @throws {Fault} `config_bad` as `compileGrants`; whatever reading throws.
 */
export async function reviewAccess(
  entries: AsyncIterable<UsedEntry>,
  of: ReviewOf,
): Promise<Review> {
  const usage = new Usage(of.grants, of.sinceMs * 1000)
  for await (const entry of entries) usage.take(entry)
  const compiled = of.grants.map((grant, index) => compileGrant(grant, index))
  const grants = compiled.map((grant) => grantReview(grant, usage, of))
  const idle = idleOf(compiled, usage, of)
  const accounts = of.accounts.map((account) => accountReview(account, compiled, usage, of))
  const conflicts = conflictsIn(of)
  const { lastReview } = usage
  const parts = { grants, idle, accounts, ownerless: of.ownerless, conflicts }
  const dueMs = lastReview ? lastReview.timeUs / 1000 + reviewEveryMs : of.nowMs
  return {
    v: 1,
    from: iso(of.sinceMs),
    to: iso(of.nowMs),
    ...(lastReview && { lastReview }),
    dueBy: iso(dueMs),
    figures: figuresOf(parts, of),
    ...parts,
  }
}

type Parts = Pick<Review, 'grants' | 'idle' | 'accounts' | 'ownerless' | 'conflicts'>

function figuresOf({ accounts, conflicts, grants, idle, ownerless }: Parts, of: ReviewOf): Figures {
  const count = <T>(all: readonly T[], is: (one: T) => boolean): number => all.filter(is).length
  const sum = (of: (grant: GrantReview) => number): number =>
    grants.reduce((total, grant) => total + of(grant), 0)
  return {
    grants: grants.length,
    grantsUnused: count(grants, ({ calls }) => calls === 0),
    namesUnused: sum(({ namesUnused }) => namesUnused.length),
    revealsUnused: count(grants, ({ reveals }) => reveals === 0),
    principals: of.principals.length,
    neverSeen: count(idle, ({ lastSeen }) => lastSeen === undefined),
    notSeen: count(idle, ({ lastSeen }) => lastSeen !== undefined),
    accounts: accounts.length,
    accountsUnused: count(accounts, ({ isUnused }) => isUnused),
    ownerless: ownerless.length,
    conflicts: conflicts.length,
  }
}

const usedShown = 50
const kinds: readonly Nameable[] = ['tool', 'resource', 'prompt', 'method']

function grantReview(grant: Compiled, usage: Usage, of: ReviewOf): GrantReview {
  const { expiresMs, name, reveal } = grant
  const use = usage.grants.get(name)
  const byCalls = [...(use?.byName ?? [])].toSorted(([, a], [, b]) => b - a)
  const sinceMs =
    grant.grant.name === undefined ? Math.round(usage.unnamedSinceUs / 1000) : of.sinceMs
  return {
    grant: name,
    says: grantWords(grant.grant),
    countedSince: iso(sinceMs),
    calls: use?.calls ?? 0,
    ...(use && use.calls > 0 ? { lastUsed: iso(use.lastUs / 1000) } : {}),
    isEnded: expiresMs <= of.nowMs,
    namesUnused: namesUnused(grant, use),
    toolsUnused: toolsUnused(grant, use, of),
    used: byCalls.slice(0, usedShown).map(([each, calls]) => ({ name: each, calls })),
    othersUsed:
      byCalls.slice(usedShown).reduce((sum, [, calls]) => sum + calls, 0) + (use?.others ?? 0),
    ...(reveal === 'pan' ? { reveals: use?.reveals ?? 0 } : {}),
    holders: of.principals.filter((known) => isHeldBy(grant, known)).length,
  }
}

/** Patterns that are written out: of one that is not, "nothing was used" says all there is. */
function namesUnused({ grant: { may }, names }: Compiled, use: GrantUse | undefined): string[] {
  const written = {
    tool: may.tools,
    resource: may.resources,
    prompt: may.prompts,
    method: may.methods,
  }
  return kinds.flatMap((kind) =>
    names[kind].flatMap((pattern, index) => {
      const source = written[kind]?.[index]
      if (source === undefined) return []
      const isUsed = usedNames(use, kind).some((name) => pattern.matches(name))
      return isUsed ? [] : [`${kind} ${source}`]
    }),
  )
}

function toolsUnused(grant: Compiled, use: GrantUse | undefined, of: ReviewOf): string[] {
  const called = new Set(usedNames(use, 'tool'))
  const known = of.connections
    .filter((connection) => grant.connection.matches(connection))
    .flatMap((connection) => of.toolsOf?.(connection) ?? [])
  return [...new Set(known)].filter(
    (tool) => !called.has(tool) && grant.names.tool.some((pattern) => pattern.matches(tool)),
  )
}

function usedNames(use: GrantUse | undefined, kind: Nameable): string[] {
  const start = `${kind} `
  return [...(use?.byName.keys() ?? [])].flatMap((name) =>
    name.startsWith(start) ? [name.slice(start.length)] : [],
  )
}

/** A condition on the client is left out: which one somebody uses, their next token tells. */
function isHeldBy({ grant, who }: Compiled, known: KnownPrincipal): boolean {
  const { client } = grant.who
  const bearer = client === undefined ? known : { ...known, clientId: client }
  return who.every((check) => check.holds(bearer))
}

function idleOf(compiled: readonly Compiled[], usage: Usage, of: ReviewOf): IdlePrincipal[] {
  return of.principals.flatMap((known) => {
    const { endsMs, issuer, madeMs, subject } = known
    if (issuer === serviceIssuer || (endsMs !== undefined && endsMs <= of.nowMs)) return []
    const usedMs = (usage.principals.get(principalKey(issuer, subject))?.lastUs ?? 0) / 1000
    const seenMs = Math.max(known.seenMs, usedMs)
    // Whoever was made known just now has had no time to come.
    if (seenMs >= of.sinceMs || (seenMs === 0 && madeMs >= of.sinceMs)) return []
    const grants = compiled.filter((grant) => isHeldBy(grant, known)).map(({ name }) => name)
    if (grants.length === 0) return []
    const lastSeen = seenMs === 0 ? {} : { lastSeen: iso(seenMs) }
    return [{ ...named(known), madeAt: iso(madeMs), ...lastSeen, grants }]
  })
}

function accountReview(
  account: ServiceAccount,
  compiled: readonly Compiled[],
  usage: Usage,
  of: ReviewOf,
): AccountReview {
  const { connections, groups, keys, madeMs, name, owner, roles } = account
  const recordedMs = (usage.principals.get(principalKey(serviceIssuer, name))?.lastUs ?? 0) / 1000
  const usedMs = Math.max(recordedMs, account.usedMs, ...keys.map((key) => key.usedMs))
  const bearer = { issuer: serviceIssuer, subject: name, kind: 'service', groups, roles, owner }
  const holding = compiled.filter(({ connection, who }) => {
    const isReached = connections?.some((each) => connection.matches(each)) ?? true
    return isReached && who.every((check) => check.holds(bearer))
  })
  return {
    account: name,
    owner,
    ...(usedMs === 0 ? {} : { lastUsed: iso(usedMs) }),
    madeAt: iso(madeMs),
    keys: keys.filter(({ expiresMs }) => expiresMs > of.nowMs).length,
    isUnused: Math.max(usedMs, madeMs) < of.sinceMs,
    grants: holding.map((grant) => grant.name),
  }
}

function conflictsIn({ principals, roles }: ReviewOf): Conflict[] {
  return principals.flatMap((known) => {
    const assigned = assignedRoles(known, roles)
    const pairs = excluding.filter(([has, loses]) => assigned.has(has) && assigned.has(loses))
    return pairs.map((pair) => ({ ...named(known), roles: pair }))
  })
}

function named({ id, issuer, name, subject }: KnownPrincipal): Named {
  return { id, issuer, subject, ...(name === undefined ? {} : { name }) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
