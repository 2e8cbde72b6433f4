/** What the authorization server is given, and what it gives. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { AuthorizationServerConfig, SecretRef } from '../config/types.ts'
import type { Directory, KnownPrincipal } from '../identity/directory.ts'
import type { LocalIssuer } from '../identity/local.ts'
import type { Revocations, Stop } from '../identity/revocations.ts'
import type { Source } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { SignInSite } from '../signin/signed-in.ts'
import type { GetDocument } from './documents.ts'
import type { ClientRow, GrantRow } from './store.ts'

/** What an ID-JAG proves (draft-ietf-oauth-identity-assertion-authz-grant). */
export interface Asserted {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly resource: string
  readonly scope?: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Verifies an ID-JAG and uses it up. @param to names of the issuers believed, our own identifier.
 * @throws {Fault} `no_identity`, `identity_down`.
 */
export type VerifyAssertion = (
  token: string,
  to: { readonly issuers: readonly string[]; readonly audience: string },
) => Promise<Asserted>

export interface AuthorizationServerOptions {
  readonly config: AuthorizationServerConfig
  /** Origin of the gateway, without a slash at its end. */
  readonly publicUrl: string
  /** Names of the connections. */
  readonly connections: readonly string[]
  readonly dataDir: string
  /** Its issuer must be `{publicUrl}/oauth`. */
  readonly local: LocalIssuer
  /** Mounted at `/oauth/login`. */
  readonly site: SignInSite
  readonly directory: Pick<Directory, 'byId' | 'find' | 'tell'>
  readonly revocations: Pick<Revocations, 'find'>
  /** Stops the tokens of a grant that are out; asked for when one of its secrets is used twice. */
  readonly stop: Stop
  readonly note: Note
  /** The value of a configured client's secret. */
  readonly secretOf: (ref: SecretRef) => string
  /** Needed where the configuration names `assertionIssuers`. */
  readonly verifyAssertion?: VerifyAssertion
  readonly clock: Clock
  /** Client metadata documents in tests; else the network. */
  readonly getDocument?: GetDocument
  /** Told of an error that is none of the caller's making. */
  readonly onDefect?: (error: unknown) => void
}

/** Why a grant ended, as it stands in the record. */
export type EndReason =
  | 'code_reused'
  | 'refresh_token_reused'
  | 'revoked_by_client'
  | 'person_stopped'
  | 'client_stopped'
  | 'ended_by_person'
  | 'ended_by_admin'

export interface Ended {
  readonly grants: number
  readonly sessions: number
}

export interface AuthorizationServer {
  /** `{publicUrl}/oauth`. */
  readonly issuer: string
  /**
   * Answers what is below `/oauth`, and the well-known addresses of its metadata.
   * @returns false for a path that is none of its own; nothing was done then.
   */
  handle(req: IncomingMessage, res: ServerResponse, source: Source): Promise<boolean>
  /**
   * Ends all that a person has here: browser sessions, grants, codes, refresh tokens. In force at
   * once; access tokens that are out are for the revocation list.
   * @param personId `pr_…`
   */
  revokePerson(personId: string, reason?: EndReason): Promise<Ended>
  /** The same for everything a client was granted; its registration goes as well. */
  revokeClient(clientId: string): Promise<Ended>
  /** Ends one grant. @returns false where there is none. */
  endGrant(grantId: string, reason: EndReason): Promise<boolean>
  /** Grants in force: of a person, or all. */
  grants(personId?: string): readonly GrantRow[]
  /** Clients that registered themselves. */
  clients(): readonly ClientRow[]
  /** Drops what has expired. To be called now and then. @returns how much. */
  sweep(): number
  close(): Promise<void>
}

/** Whether a person may act now. @throws {Fault} `identity_down` when that cannot be known. */
export function mayAct(
  person: KnownPrincipal | undefined,
  revocations: Pick<Revocations, 'find'>,
  at: { readonly clientId?: string; readonly issuedAtMs?: number; readonly nowMs: number },
): person is KnownPrincipal {
  if (person === undefined) return false
  if (person.endsMs !== undefined && person.endsMs <= at.nowMs) return false
  const { issuer, subject } = person
  const { nowMs, ...token } = at
  return revocations.find({ issuer, subject, ...token }, undefined, nowMs) === undefined
}
