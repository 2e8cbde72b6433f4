/** Who is calling: made from verified claims only, by the issuer's own file. */
import type { JWTPayload } from 'jose'
import type { PrincipalKind } from '../config/types.ts'

export { isWord } from './claims.ts'

/** Its identity is (issuer, subject); everything else may change from token to token. */
export interface Principal {
  readonly issuer: string
  readonly subject: string
  /** For people to read; whoever holds the account can choose it. */
  readonly name?: string
  readonly kind: PrincipalKind
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly clientId?: string
  /** `exp` of the token, milliseconds since 1970. */
  readonly expiresAtMs: number
  /** `iat` of the token, milliseconds since 1970. */
  readonly issuedAtMs?: number
  /** `jti` or `uti`: names the token. */
  readonly tokenId?: string
  /** `sid`, or the grant of the authorization server: names the sign-in it came from. */
  readonly signInId?: string
  /** Verified claims, for conditions of grants; frozen. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Who answers for a service account; counts as the requester where somebody must approve. */
  readonly owner?: string
  /** Connections a service account's key is for; all that its grants give where it is missing. */
  readonly connections?: readonly string[]
}

/** What an issuer's file says of somebody; what is undefined is left out. */
export interface Said {
  readonly issuer: string
  readonly subject: string
  readonly name?: string | undefined
  readonly kind: PrincipalKind
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly clientId?: string | undefined
  readonly tokenId?: string | undefined
  readonly signInId?: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
}

/** A frozen principal. @param times claims whose `exp` and `iat` were found to be numbers. */
export function makePrincipal(said: Said, times: Pick<JWTPayload, 'exp' | 'iat'>): Principal {
  const { name, clientId, tokenId, signInId } = said
  return Object.freeze({
    issuer: said.issuer,
    subject: said.subject,
    ...(name === undefined ? {} : { name }),
    kind: said.kind,
    groups: said.groups,
    roles: said.roles,
    ...(clientId === undefined ? {} : { clientId }),
    expiresAtMs: (times.exp ?? 0) * 1000,
    issuedAtMs: (times.iat ?? 0) * 1000,
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(signInId === undefined ? {} : { signInId }),
    claims: said.claims,
  })
}
