/** One signed token against one issuer: everything about it that does not depend on the resource. */
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { JWTPayload, ProtectedHeaderParameters } from 'jose'
import { audiencesOf, isWord } from './claims.ts'
import type { KeySet } from './keys.ts'
import { refusal } from './reasons.ts'
import type { Reason } from './reasons.ts'
import type { IssuerRow } from './row.ts'

/** What a token proves: its claims are its issuer's, now. */
export interface ProvenToken {
  readonly claims: JWTPayload
  readonly audiences: readonly string[]
  /** Of the issuer's keys when it was verified. */
  readonly revision: number
}

/** What kind of token is expected. */
export interface TokenKind {
  /** `typ` of its header, lower case; `jwt` also stands for none. */
  readonly types: readonly string[]
  readonly requiredClaims: readonly string[]
  readonly lifetimeMaxS: number
}

export const toleranceS = 60

/** Access tokens say so (RFC 9068 §2.1) or say nothing; logout tokens, ID-JAGs, DPoP proofs, security
 *  events and whatever else is a JWT carry a type of their own. */
const accessTypes: readonly string[] = ['at+jwt', 'application/at+jwt']
const silentTypes: readonly string[] = ['jwt', 'application/jwt']

/** The unverified `iss` of a token: good for choosing a row, for nothing else.
 *  @throws {Fault} `no_identity` (`malformed`) */
export function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch (cause) {
    throw refusal('malformed', undefined, cause)
  }
}

/**
 * Verifies an access token with the keys of its row.
 * @param nowMs milliseconds since 1970.
 * @throws {Fault} `no_identity` with its reason; `identity_down` when the keys cannot be had.
 *   Source: RFC 9068 §4.
 */
export async function verifyAccessToken(
  token: string,
  row: IssuerRow,
  nowMs: number,
): Promise<ProvenToken> {
  const kind = {
    types: row.isTypeOptional ? [...accessTypes, ...silentTypes] : accessTypes,
    requiredClaims: ['exp', 'iat', 'sub'],
    lifetimeMaxS: row.lifetimeMaxS,
  }
  const { type, ...proven } = await verifySigned(token, row, kind, nowMs)
  if (!isWord(proven.claims.sub)) throw refusal('claims', row.name)
  if (!accessTypes.includes(type) && isOtherToken(proven.claims)) throw refusal('type', row.name)
  return proven
}

/**
 * Verifies a token of any kind: header, signature, issuer, times. It is bound to no key.
 * @returns with the `type` of its header, lower case, `jwt` where it has none.
 * @throws {Fault} `no_identity` with its reason; `identity_down` when the keys cannot be had.
 *   Source: RFC 7515, 7519, 8725.
 */
export async function verifySigned(
  token: string,
  row: IssuerRow,
  kind: TokenKind,
  nowMs: number,
): Promise<ProvenToken & { readonly type: string }> {
  const type = checkHeader(token, row, kind) // Before any key is asked for.
  const set = await row.keys.current()
  try {
    return { type, ...(await verifyWith(set, token, row, { kind, nowMs })) }
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw asRefusal(error, row)
  }
  const newer = await row.keys.again()
  if (newer.revision === set.revision) throw refusal('key_unknown', row.name)
  try {
    return { type, ...(await verifyWith(newer, token, row, { kind, nowMs })) }
  } catch (error) {
    throw asRefusal(error, row)
  }
}

function checkHeader(token: string, { name, algorithms }: IssuerRow, { types }: TokenKind): string {
  const refuse = (reason: Reason): never => {
    throw refusal(reason, name)
  }
  let header: ProtectedHeaderParameters
  try {
    header = decodeProtectedHeader(token)
  } catch (cause) {
    throw refusal('malformed', name, cause)
  }
  if (!algorithms.includes(String(header.alg))) refuse('algorithm')
  if (header.crit !== undefined) refuse('critical')
  if (!isWord(header.kid)) refuse('key_id')
  const type = header.typ === undefined ? 'jwt' : String(header.typ).toLowerCase()
  if (!types.includes(type)) refuse('type')
  return type
}

interface Expected {
  readonly kind: TokenKind
  readonly nowMs: number
}

async function verifyWith(
  set: KeySet,
  token: string,
  row: IssuerRow,
  { kind, nowMs }: Expected,
): Promise<ProvenToken> {
  const { payload } = await jwtVerify(token, set.find, {
    issuer: row.issuer,
    algorithms: [...row.algorithms],
    clockTolerance: toleranceS,
    requiredClaims: [...kind.requiredClaims],
    currentDate: new Date(nowMs),
  })
  const reason = findFlaw(payload, kind, Math.floor(nowMs / 1000))
  if (reason !== undefined) throw refusal(reason, row.name)
  return { claims: payload, audiences: audiencesOf(payload), revision: set.revision }
}

/** What jose does not look at. */
function findFlaw(claims: JWTPayload, kind: TokenKind, nowS: number): Reason | undefined {
  const { exp, iat } = claims
  if (!Number.isFinite(exp) || !Number.isFinite(iat)) return 'claims'
  if (exp === undefined || iat === undefined) return 'claims'
  if (iat > nowS + toleranceS) return 'not_yet'
  if (exp - iat > kind.lifetimeMaxS) return 'lifetime'
  // RFC 9449 §7.1, RFC 8705 §3: a bound token says nothing about a bearer who shows no key.
  return claims['cnf'] === undefined ? undefined : 'bound'
}

/** Marks of ID, refresh and logout tokens among those whose header is silent: OpenID Connect Core 1.0
 *  §2 and §3.3.2.11, Back-Channel Logout 1.0 §2.4, and the words Keycloak and Cognito use. */
function isOtherToken(claims: JWTPayload): boolean {
  if (['nonce', 'at_hash', 'c_hash', 's_hash', 'events'].some((name) => name in claims)) return true
  const use = claims['token_use']
  const type = claims['typ']
  return (
    (use !== undefined && use !== 'access') ||
    (typeof type === 'string' && !['bearer', 'jwt', 'at+jwt'].includes(type.toLowerCase()))
  )
}

/** jose's findings in our words. What is not jose's passes on as it is. */
function asRefusal(error: unknown, { name }: IssuerRow): unknown {
  if (error instanceof errors.JOSEError) return refusal(reasonOf(error), name, error)
  // jose throws a TypeError for a published key it cannot use, such as RSA with under 2048 bits.
  if (error instanceof TypeError) return refusal('key_unknown', name, error)
  return error
}

function reasonOf(error: errors.JOSEError): Reason {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'issuer'
    return error.claim === 'nbf' && error.reason === 'check_failed' ? 'not_yet' : 'claims'
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm'
  if (error instanceof errors.JOSENotSupported) return 'critical'
  if (error instanceof errors.JWKSNoMatchingKey) return 'key_unknown'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'key_unknown'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  return 'malformed'
}
