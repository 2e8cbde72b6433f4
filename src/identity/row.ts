/** One row of the table of trusted issuers: what every type of issuer has to say about itself. */
import type { JWTPayload } from 'jose'
import type { Clock } from '../base/clock.ts'
import type { IssuerConfig } from '../config/types.ts'
import type { Directory } from './directory.ts'
import type { Fetch } from './fetch-json.ts'
import type { GraphSecret } from './graph.ts'
import type { IssuerKeys } from './keys.ts'
import type { LocalIssuer } from './local.ts'
import type { Principal } from './principal.ts'

/** A trusted issuer. A configured one may be several: Entra's tenants, and versions of its tokens. */
export interface IssuerRow {
  readonly type: IssuerConfig['type']
  /** Its name in the configuration; rows of one configured issuer share it. */
  readonly name: string
  /** Equal to `iss`, byte for byte. */
  readonly issuer: string
  /** Of its principals: not `issuer` where one issuer writes its name in two ways. */
  readonly principalIssuer: string
  /** Audiences believed besides the connection's own address. */
  readonly audience: readonly string[]
  readonly algorithms: readonly string[]
  /** Whether an access token may leave `typ` out, or say `JWT` (RFC 9068 §2.1 wants `at+jwt`). */
  readonly isTypeOptional: boolean
  /** From `iat` to `exp` at most. */
  readonly lifetimeMaxS: number
  readonly keys: IssuerKeys
  /**
   * Whom the claims of an access token name, after this type's own checks. Signature, issuer, times
   * and audience were checked before; `sub` is a word, `exp` and `iat` are numbers.
   * @throws {Fault} `no_identity` with a reason, `identity_down` when a question about somebody
   *   cannot be asked.
   */
  read(claims: JWTPayload, nowMs: number): Principal | Promise<Principal>
  /** The subject of a logout token or an ID-JAG; undefined where it names nobody of ours. */
  subjectOf(claims: JWTPayload): string | undefined
}

/** What the rows are made with. */
export interface RowParts {
  readonly clock: Clock
  readonly fetch: Fetch
  /** The local issuer; needed where one of type local is configured. */
  readonly local?: LocalIssuer | undefined
  readonly directory?: Directory | undefined
  /** Whether somebody asked for this application to be let in although it has no role. */
  readonly isRegistered?: ((issuer: string, subject: string) => boolean) | undefined
  /** Ids of the groups that the configuration names: Graph is asked about no other. */
  readonly groupsNamed?: readonly string[] | undefined
  /** The secret by which Graph is asked, by the issuer's name. */
  readonly graphSecret?: ((issuerName: string) => GraphSecret | undefined) | undefined
}

export const dayS: number = 24 * 3600
