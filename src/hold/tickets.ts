/** Held calls: what others may ask of them. `store.ts` keeps them in `state.sqlite`. */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { HoldsConfig } from '../config/policy-types.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Masker } from '../mask/masker.ts'
import type { Bearer } from '../policy/who.ts'
import type { Note } from '../record/notes.ts'
import type { Approval } from './approval.ts'
import type { ApprovalProof } from './proof-format.ts'
import type { HeldCall, Ticket, TicketState } from './ticket.ts'

/** Somebody who may decide, as they are at this moment. */
export interface Reviewer {
  readonly principal: KnownPrincipal
  /** The same person as rules look at them. */
  readonly bearer: Bearer
  /** Console roles that count now; one who is an admin has no `approver` among them. */
  readonly roles: ReadonlySet<ConsoleRole>
}

/** A signature by a passkey, verified; `Asserted` of sign-in fits. */
export interface AssertedPasskey {
  readonly passkey: { readonly id: string; readonly madeMs: number }
  readonly person: { readonly id: string }
  readonly evidence: {
    readonly credential: string
    readonly publicKey: Uint8Array
    readonly authenticatorData: string
    readonly clientData: string
    readonly signature: string
    readonly registration: {
      readonly attestationObject: Uint8Array
      readonly clientData: Uint8Array
      readonly origin: string
      readonly rpId: string
    }
  }
}

/** The part of sign-in's passkeys which decisions need. */
export interface PasskeyCheck {
  readonly rpId: string
  readonly origins: readonly string[]
  /** With user verification. @throws {Fault} `refused` with a `reason`. */
  check(response: unknown, challenge: string, personId: string): Promise<AssertedPasskey>
  listPasskeys(personId: string): readonly unknown[]
}

export interface TicketsOptions {
  readonly clock: Clock
  readonly note: Note
  readonly masker: Pick<Masker, 'words'>
  /** 32 bytes: wraps the tickets' keys. */
  readonly masterKey: Uint8Array
  /** Ed25519, private: signs that a decision was made here, and proofs. The record's own will do. */
  readonly signingKey: () => KeyObject
  /** Names this installation in statements: the record's origin. */
  readonly gateway: string
  /** As it is in force now. */
  readonly holds: () => HoldsConfig
  /** Undefined without a console: then nobody can decide by passkey. */
  readonly passkeys: PasskeyCheck | undefined
  /** Somebody of the directory as they are now; undefined for who is unknown, stopped or at an end. */
  readonly reviewer: (personId: string) => Reviewer | undefined
  /** The directory's entry of somebody, stopped or not: to find other accounts of one person. */
  readonly known: (issuer: string, subject: string) => KnownPrincipal | undefined
  readonly knownById: (id: string) => KnownPrincipal | undefined
}

/** What an approval is bound to, as it is now. */
export interface BoundNow {
  /** As in `HeldCall`: the call is picked up by who made it, or by nobody. */
  readonly owner: string
  readonly clientId: string | undefined
  readonly connection: string
  readonly connectionRevision: string
  readonly method: string
  readonly tool: string
  readonly toolSha256: string
  readonly policyRevision: string
  /** Raw bytes of the live call's arguments; left out where only the ticket has them (a task). */
  readonly args?: Uint8Array
}

/** An approved call on its way: it is nobody else's from now on. */
export interface Taken {
  readonly ticket: Ticket
  readonly approval: Approval
  /** The raw bytes of `params.arguments` that were approved: send these. */
  readonly args: Uint8Array
}

/** What identifies a held call of somebody. */
export type Identical = Pick<HeldCall, 'owner' | 'connection' | 'method' | 'tool' | 'args'> & {
  readonly principal: Pick<HeldCall['principal'], 'clientId'>
  readonly connectionRevision: string
}

export interface AskedDecision {
  readonly decision: 'approve' | 'deny'
  /** At least `justificationLengthMin` characters once trimmed; masked before it is kept. */
  readonly justification: string
  /** How it will be signed. `session` needs `session`. */
  readonly method: 'passkey' | 'session'
  /** The console session it is made in: goes into a statement of method `session`. */
  readonly session?: SessionFacts | undefined
  /** Id of the person who delegated; the reviewer decides by their rights. */
  readonly onBehalfOf?: string | undefined
  /** The requester runs their own call at once, to be reviewed afterwards. `decision` is `approve`. */
  readonly isEmergency?: boolean | undefined
}

export interface SessionFacts {
  /** Hash of the session's id. */
  readonly key: string
  readonly amr: readonly string[]
  readonly authenticatedMs: number
}

/** A statement that waits for its signature; good once, for five minutes. */
export interface Begun {
  /** SHA-256 of the statement, base64url: the WebAuthn challenge, and the name for `finishDecision`. */
  readonly challenge: string
  /** Canonical JSON: exactly what is signed. Show it. */
  readonly statement: string
  readonly method: 'passkey' | 'session'
  readonly expiresMs: number
}

/** How a decision is signed: the browser's answer as JSON, or by the session it was begun in. */
export type Signed =
  | { readonly method: 'passkey'; readonly assertion: unknown }
  | { readonly method: 'session'; readonly session: SessionFacts }

export interface Delegation {
  /** `dg_…` */
  readonly id: string
  /** Ids of persons: who may decide, for whom. */
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly madeMs: number
  readonly untilMs: number
}

export interface TicketFilter {
  readonly states?: readonly TicketState[] | undefined
  /** Those of one requester: `HeldCall.owner`. */
  readonly owner?: string | undefined
  readonly connection?: string | undefined
  /** Run in an emergency, and not reviewed yet. */
  readonly isUnreviewed?: boolean | undefined
  /** Only tickets made before this one, for the next page. */
  readonly before?: string | undefined
  /** 100 where it is missing, 1,000 at most. */
  readonly limit?: number | undefined
}

export type TicketEvent =
  | 'created'
  | 'approved'
  | 'denied'
  | 'expired'
  | 'withdrawn'
  | 'emergency'
  | 'reminded'
  | 'reviewed'

/** Which tickets end: of one requester, of one connection, or all. */
export type TicketsOf =
  | { readonly owner: string }
  | { readonly connection: string }
  | { readonly everything: true }

/** Why somebody may not decide, as a code for programs and a sentence for people. */
export interface Refusal {
  readonly reason: string
  readonly words: string
}

export interface Tickets {
  /**
   * Holds a call; durable and in the record when it resolves. An identical ticket of the same
   * requester that is pending, approved or executing is given back instead.
   * @throws {Fault} `refused` with reason `held_sensitive_data`, `held_too_large`; `busy` where too
   *   many are open; `record_down`, and nothing is held.
   */
  open(call: HeldCall): Promise<Ticket>
  /** The ticket of an identical call by the same requester: pending, approved or executing. */
  find(call: Identical): Ticket | undefined
  byId(id: string): Ticket | undefined
  /** The newest first. */
  list(filter?: TicketFilter): readonly Ticket[]
  /**
   * Resolves with the ticket when its state is, or becomes, another than `from`.
   * @param from the state the caller knows; the one it has now where it is missing.
   * @throws {Fault} `path_unknown`, `cancelled` by the signal, `busy` with too many waiters.
   */
  changed(id: string, signal: AbortSignal, from?: TicketState): Promise<Ticket>
  /** Told of each event once its entry is durable; what a listener throws is dropped. @returns off. */
  onEvent(listener: (event: TicketEvent, ticket: Ticket) => void): () => void

  /** Why this person may not decide on a ticket now; undefined where they may. For pages. */
  refusalOf(id: string, personId: string, onBehalfOf?: string): Refusal | undefined
  /** Those who let this person decide on a ticket for them, by id. */
  mayActFor(id: string, personId: string): readonly string[]
  /** Whether this person may run the ticket as an emergency. */
  mayRunInEmergency(id: string, personId: string): boolean
  /** @throws {Fault} `refused` with a `reason`, recorded; `path_unknown`. */
  beginDecision(id: string, personId: string, asked: AskedDecision): Promise<Begun>
  /**
   * Verifies the signature and decides. @param personId of the signed-in person.
   * @returns the ticket after it. @throws {Fault} `refused` with a `reason`, recorded; nothing
   *   changed then. `record_down`.
   */
  finishDecision(challenge: string, personId: string, signed: Signed): Promise<Ticket>
  /** A look at what ran in an emergency, by a reviewer. @throws {Fault} `refused`, `path_unknown`. */
  review(id: string, personId: string, words: string): Promise<Ticket>
  /**
   * Recorded, then in force. @throws {Fault} `refused` with a `reason`.
   * @param personId who asks: the delegator themselves.
   */
  delegate(personId: string, to: string, untilMs: number, reason: string): Promise<Delegation>
  /** By either of the two. @throws {Fault} `path_unknown`, `record_down`. */
  endDelegation(personId: string, delegationId: string): Promise<void>
  /** Those in force, of and to a person; all of them without one. */
  delegations(personId?: string): readonly Delegation[]

  /** By its requester. @param owner as in `HeldCall`. @throws {Fault} `refused`, `path_unknown`. */
  withdraw(id: string, owner: string): Promise<Ticket>
  /** The same by the person, where they are the requester or answer for it. */
  withdrawBy(id: string, personId: string): Promise<Ticket>
  /**
   * `approved` -> `executing`, at most once ever, durable on return; synchronous. Where something it
   * is bound to has changed the ticket becomes `void`; where a reviewer is gone, `revoked`.
   * @returns undefined where there is nothing to take (now): look at its state.
   * @throws {Fault} `refused` where the caller is not its requester, or the call another one.
   */
  take(id: string, now: BoundNow): Taken | undefined
  /** It ran. @param outcome a word of the record: `ok`, `tool_error`, … @throws {Fault} `record_down`. */
  executed(id: string, outcome: string): Promise<void>
  /**
   * Ends a ticket: in force on return, its entry follows. From `executing` only `unknown` (it may
   * have run), or `void` and `revoked` (nothing was sent).
   * @returns false where it had ended, or cannot end so.
   */
  end(id: string, state: 'expired' | 'revoked' | 'void' | 'unknown', why: string): boolean
  /** Ends pending and approved tickets as `revoked`: in force on return. @returns how many. */
  endAll(of: TicketsOf, why: string): number
  /** Expires, reminds, and writes entries that are due. Call it each second. */
  tick(): Promise<void>
  /** Everything that proves a ticket's decisions to others. @throws {Fault} `path_unknown`. */
  approvalProof(id: string): ApprovalProof
  close(): void
}
