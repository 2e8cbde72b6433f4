/** A held call, and what becomes of it. */
import type { HoldTerms, Matched } from '../policy/verdict.ts'
import type { Inspected } from '../inspect/facts.ts'
import type { Masked } from '../mask/masked.ts'
import type { Who } from '../record/entry.ts'

/**
 * pending -> approved -> executing -> executed
 *     \         \             \-> unknown   (a crash between the consumption and the answer)
 *      \         \-> expired, withdrawn, revoked, void
 *       \-> denied, expired, withdrawn, revoked, void
 *
 * `void`: what it was bound to has changed (connection, policy, tool). Every end destroys the key.
 */
export type TicketState =
  | 'pending'
  | 'approved'
  | 'executing'
  | 'executed'
  | 'denied'
  | 'expired'
  | 'withdrawn'
  | 'revoked'
  | 'void'
  | 'unknown'

/** What is to be held. */
export interface HeldCall {
  readonly exchange: string
  readonly session: string
  /** Issuer, subject and a line end between: as `Known.owner`. */
  readonly owner: string
  readonly principal: {
    readonly issuer: string
    readonly subject: string
    readonly name?: string
    readonly kind: string
    readonly clientId?: string
    /** Who answers for it, where it is a program. */
    readonly owner?: string
    readonly claims?: Readonly<Record<string, unknown>>
  }
  readonly who: Masked<Who>
  readonly source: { readonly ip: string }
  readonly connection: string
  /** Changes with the connection's address and credential reference. */
  readonly connectionRevision: string
  readonly method: string
  readonly tool: string
  /** Pin of the tool; empty where it is not known. */
  readonly toolSha256: string
  /** The raw bytes of `params.arguments`, as they came; empty where there are none. */
  readonly args: Uint8Array
  /** Verification values, PINs or tracks were found in it: such a call is never held. */
  readonly hasSensitiveAuth: boolean
  /** The same masked, as raw JSON text: what reviewers see and what the statement holds. */
  readonly shown: Masked<Uint8Array>
  readonly facts: Inspected
  readonly matched: readonly Matched[]
  readonly reason: string
  readonly terms: HoldTerms
  readonly policyRevision: string
}

/** A ticket as its requester and reviewers may see it. */
export interface Ticket {
  /** `tk_…`, 128 random bits. */
  readonly id: string
  readonly state: TicketState
  readonly owner: string
  readonly requester: Who & { readonly client?: string }
  readonly source: string
  readonly connection: string
  readonly connectionRevision: string
  readonly method: string
  readonly tool: string
  readonly toolSha256: string
  /** Masked arguments as raw JSON text. */
  readonly shown: string
  readonly facts: Inspected
  readonly matched: readonly Matched[]
  readonly reason: string
  readonly terms: HoldTerms
  readonly policyRevision: string
  readonly exchange: string
  readonly session: string
  readonly createdMs: number
  /** Until when it may be decided; once approved, until when it may be executed. */
  readonly notAfterMs: number
  /** How many different people must say yes, over all groups of `terms`. */
  readonly quorum: number
  readonly decisions: readonly Decision[]
  /** Run without approval by its requester; still to be reviewed, or by whom it was. */
  readonly emergency?: { readonly justification: string; readonly reviewedBy?: string }
  /** Why it ended, for people; empty while it has not. */
  readonly ended: string
  /** What came of the execution, once it is `executed`; empty before. */
  readonly outcome: string
}

export interface Decision {
  readonly decision: 'approve' | 'deny'
  readonly by: Who
  /** Id in the directory. */
  readonly person: string
  /** On whose behalf, where it was delegated. */
  readonly onBehalfOf?: string
  readonly method: 'passkey' | 'session'
  readonly justification: string
  readonly atMs: number
  /** SHA-256 of the signed statement, hex. */
  readonly statementSha256: string
}
