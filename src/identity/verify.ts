/** One token against one issuer: everything about it that does not depend on the resource. */
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { JWTPayload, ProtectedHeaderParameters } from 'jose'
import type { IssuerConfig } from '../config/types.ts'
import type { IssuerKeys, KeySet } from './keys.ts'
import { clientOf, isWord, toPrincipal } from './principal.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import type { Reason } from './reasons.ts'

/** A row of the table of trusted issuers. */
export interface IssuerRow {
  readonly config: IssuerConfig
  readonly keys: IssuerKeys
}

/** What a token proves, for whichever resource. */
export interface VerifiedToken {
  readonly principal: Principal
  readonly audiences: readonly string[]
  readonly revision: number
}

const toleranceS = 60
const lifetimeMaxS = 24 * 3600

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
 * Verifies a token with the keys of its row.
 * @param nowMs milliseconds since 1970.
 * @throws {Fault} `no_identity` with its reason; `identity_down` when the keys cannot be had.
 *   Source: RFC 7515, 7519, 8725, 9068 §4.
 */
export async function verifyToken(
  token: string,
  row: IssuerRow,
  nowMs: number,
): Promise<VerifiedToken> {
  checkHeader(token, row.config) // Before any key is asked for.
  const set = await row.keys.current()
  try {
    return await verifyWith(set, token, row, nowMs)
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw asRefusal(error, row)
  }
  const newer = await row.keys.again()
  if (newer.revision === set.revision) throw refusal('key_unknown', row.config.name)
  try {
    return await verifyWith(newer, token, row, nowMs)
  } catch (error) {
    throw asRefusal(error, row)
  }
}

function checkHeader(token: string, config: IssuerConfig): void {
  const refuse = (reason: Reason): never => {
    throw refusal(reason, config.name)
  }
  let header: ProtectedHeaderParameters
  try {
    header = decodeProtectedHeader(token)
  } catch (cause) {
    throw refusal('malformed', config.name, cause)
  }
  if (!algorithmsOf(config).includes(String(header.alg))) refuse('algorithm')
  if (header.crit !== undefined) refuse('critical')
  if (!isWord(header.kid)) refuse('key_id')
  const type = header.typ === undefined ? 'jwt' : String(header.typ).toLowerCase()
  const types = config.type === 'local' ? accessTypes : [...accessTypes, ...silentTypes]
  if (!types.includes(type)) refuse('type')
}

function algorithmsOf(config: IssuerConfig): readonly string[] {
  return config.type === 'local' ? ['ES256'] : config.algorithms
}

async function verifyWith(
  set: KeySet,
  token: string,
  { config }: IssuerRow,
  nowMs: number,
): Promise<VerifiedToken> {
  const { payload, protectedHeader } = await jwtVerify(token, set.find, {
    issuer: config.issuer,
    algorithms: [...algorithmsOf(config)],
    clockTolerance: toleranceS,
    requiredClaims: ['exp', 'iat', 'sub'],
    currentDate: new Date(nowMs),
  })
  const reason = findFlaw(payload, config, Math.floor(nowMs / 1000))
  if (reason !== undefined) throw refusal(reason, config.name)
  const says = accessTypes.includes(String(protectedHeader.typ).toLowerCase())
  if (!says && isOtherToken(payload)) throw refusal('type', config.name)
  return {
    principal: toPrincipal(payload, config),
    audiences: audiencesOf(payload),
    revision: set.revision,
  }
}

/** What jose does not look at. */
function findFlaw(claims: JWTPayload, config: IssuerConfig, nowS: number): Reason | undefined {
  const { exp, iat, sub } = claims
  if (!isWord(sub) || typeof exp !== 'number' || typeof iat !== 'number') return 'claims'
  if (!Number.isFinite(exp) || !Number.isFinite(iat)) return 'claims'
  if (iat > nowS + toleranceS) return 'not_yet'
  if (exp - iat > lifetimeMaxS) return 'lifetime'
  // RFC 9449 §7.1, RFC 8705 §3: a bound token says nothing about a bearer who shows no key.
  if (claims['cnf'] !== undefined) return 'bound'
  if (config.type === 'oidc' && config.clients.length > 0) {
    const client = clientOf(claims)
    if (client === undefined || !config.clients.includes(client)) return 'client'
  }
  return undefined
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

function audiencesOf({ aud }: JWTPayload): readonly string[] {
  return typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
}

/** jose's findings in our words. What is not jose's passes on as it is. */
function asRefusal(error: unknown, { config }: IssuerRow): unknown {
  if (error instanceof errors.JOSEError) return refusal(reasonOf(error), config.name, error)
  // jose throws a TypeError for a published key it cannot use, such as RSA with under 2048 bits.
  if (error instanceof TypeError) return refusal('key_unknown', config.name, error)
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
