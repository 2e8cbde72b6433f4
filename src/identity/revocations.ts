/** Who and what is stopped: looked at for every call, whatever is cached elsewhere. */
import type { Principal } from './principal.ts'

/** What is stopped. */
export type Target =
  | { readonly kind: 'principal'; readonly issuer: string; readonly subject: string }
  /** Every token that was given to this client id. */
  | { readonly kind: 'client'; readonly client: string }
  /** One token, by `jti` or `uti`. */
  | { readonly kind: 'token'; readonly token: string }
  /** Every token of one sign-in: `sid`, or the grant of the authorization server. */
  | { readonly kind: 'sign-in'; readonly signIn: string }
  /** Tokens of a principal that were issued up to a moment: signed out everywhere. */
  | {
      readonly kind: 'tokens-before'
      readonly issuer: string
      readonly subject: string
      readonly beforeMs: number
    }
  | { readonly kind: 'connection'; readonly connection: string }
  | { readonly kind: 'everything' }

/** Where a stop came from. */
export type StopSource = 'cli' | 'console' | 'api' | 'scim' | 'logout' | 'idle' | 'replay'

/** One stop. It covers tokens issued before and after it, until it is lifted. */
export interface Revocation {
  /** `rv_…` */
  readonly id: string
  readonly target: Target
  readonly reason: string
  /** Who asked for it. */
  readonly by: string
  readonly source: StopSource
  readonly madeMs: number
  /** In force from here on; later than `madeMs` where it was planned. */
  readonly fromMs: number
  /** May be forgotten after this moment: what it stops has ended by itself. */
  readonly untilMs?: number
}

/** The parts of a principal that a stop may name. */
export type Stoppable = Pick<
  Principal,
  'issuer' | 'subject' | 'clientId' | 'tokenId' | 'signInId' | 'issuedAtMs'
>

export interface Revocations {
  /**
   * What stops a principal now, if anything does. O(1), no I/O.
   * @throws {Fault} `identity_down` while the list cannot be relied on.
   */
  find(principal: Stoppable, connection: string | undefined, nowMs: number): Revocation | undefined
  /**
   * In force in this process at once; durable on return. Moments are rounded to whole milliseconds.
   * @throws {Fault} `record_down` where it cannot be written: it is in force, and written with a later
   *   `tick` if that can be, but a restart before would lose it.
   */
  add(revocation: Omit<Revocation, 'id'>): Revocation
  /**
   * Takes a stop back; undefined where there is none of this id. Durable on return.
   * @throws {Fault} `record_down` where it cannot be written; it stays in force then.
   */
  lift(id: string): Revocation | undefined
  /** All in force or planned, newest first. */
  list(): readonly Revocation[]
  /** Forgets what has ended by itself. @returns those that have come into force since the last call. */
  tick(nowMs: number): readonly Revocation[]
  /** Notes that the entry of a stop is durable. */
  recorded(id: string): void
  /** Those without: a crash came between the list and the record. */
  unrecorded(): readonly Revocation[]
  close(): void
}

/**
 * Stops somebody or something, everywhere: in force at once, durable in the list and in the record
 * (`principal.revoked`), then what is open is cut. Resolves when all that is done.
 */
export type Stop = (
  of: Pick<Revocation, 'target' | 'reason' | 'by' | 'source' | 'untilMs'> & {
    readonly fromMs?: number
  },
) => Promise<Stopped>

export interface Stopped {
  readonly revocation: Revocation
  /** What was open and was cut. */
  readonly cut: { readonly calls: number; readonly streams: number; readonly sessions: number }
}
