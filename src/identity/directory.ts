/** What the gateway knows of principals besides their tokens: kept in `state.sqlite`. */
import type { PrincipalKind } from '../config/types.ts'
import type { Principal } from './principal.ts'

/** One principal, as it was last seen, signed in, or told of by SCIM. */
export interface KnownPrincipal {
  /** `pr_…`, ours; the subject of tokens of the authorization server. Never used twice. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly name?: string
  /** For people to find somebody; nothing is ever decided by it. */
  readonly email?: string
  readonly kind: PrincipalKind
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** Claims of the last sign-in, for conditions of grants. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970; `seenMs` is 0 for one that was never seen. */
  readonly madeMs: number
  readonly seenMs: number
  /** Who made it known first. */
  readonly source: 'token' | 'sign-in' | 'scim' | 'command'
  /** From this moment on it is refused (PCI DSS v4.0.1 req. 8.2.7). */
  readonly endsMs?: number
  /** Id of the person who answers for it: service accounts and workloads. */
  readonly owner?: string
}

/** What a sign-in, a token or SCIM says of a principal now. */
export type Told = Pick<KnownPrincipal, 'issuer' | 'subject' | 'kind'> &
  Partial<Pick<KnownPrincipal, 'name' | 'email' | 'groups' | 'roles' | 'claims'>>

/** What people may change of a principal; `undefined` takes it away. */
export interface Change {
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly endsMs?: number | undefined
  readonly owner?: string | undefined
}

export interface Directory {
  /** Grows with each change that a token seen before must be looked at again for. */
  readonly revision: number
  /**
   * Makes a principal known, or brings it up to date; what is not told stays. Durable on return.
   * @throws {Fault} `bad_request` for an issuer or subject that names nobody, `record_down` where it
   *   cannot be written; nothing has changed then.
   */
  tell(told: Told, source: KnownPrincipal['source'], nowMs: number): KnownPrincipal
  /**
   * A good token was seen; it makes an unknown principal known. Cheap: written behind, at most once a
   * minute for each principal. What a sign-in or SCIM told of groups, roles and name is left alone.
   */
  seen(principal: Principal, nowMs: number): void
  byId(id: string): KnownPrincipal | undefined
  find(issuer: string, subject: string): KnownPrincipal | undefined
  /** Those whose id, subject, `issuer subject`, name or e-mail is exactly this text; the case of a name
   *  and of an e-mail does not matter. */
  search(text: string): readonly KnownPrincipal[]
  /**
   * Durable on return.
   * @throws {Fault} `path_unknown` for an id that is none, `bad_request` for an owner who is not a
   *   person of the directory, `record_down` where it cannot be written; nothing has changed then.
   */
  change(id: string, change: Change): KnownPrincipal
  /** Whether its access ended at or before this moment. O(1), no I/O. */
  hasEnded(issuer: string, subject: string, nowMs: number): boolean
  /** Those whose access ended after one moment, and up to another: what they have open must go. */
  ended(afterMs: number, upToMs: number): readonly KnownPrincipal[]
  /**
   * SCIM took somebody out of a group: tokens issued before this moment do not give it any more, and
   * it is no longer among the groups known. In force at once, durable on return.
   */
  loseGroup(issuer: string, subject: string, group: string, nowMs: number): void
  /** Takes such a loss back; the next token or sign-in gives the group. Durable on return. */
  gainGroup(issuer: string, subject: string, group: string): void
  /** Groups lost, with the moment; undefined for most principals. */
  lostGroups(issuer: string, subject: string): ReadonlyMap<string, number> | undefined
  list(): readonly KnownPrincipal[]
  /** Writes what is written behind. @throws {Fault} `record_down`; it is kept for the next time. */
  flush(): void
  close(): void
}
