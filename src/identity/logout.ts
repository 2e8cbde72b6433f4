/** Back-channel logout: an issuer says that somebody has signed out, or was signed out there. */
import { audiencesOf, isRecord, isSameAudience, isWord } from './claims.ts'
import { refusal } from './reasons.ts'
import type { UsedTokens } from './replay.ts'
import type { IssuerRow } from './row.ts'
import { toleranceS, verifySigned } from './verify.ts'

/** Whom it is about: a subject, one sign-in, or both. */
export interface LoggedOut {
  readonly issuer: string
  readonly subject?: string
  readonly signInId?: string
}

const event = 'http://schemas.openid.net/event/backchannel-logout'
const kind = {
  types: ['logout+jwt', 'application/logout+jwt', 'jwt', 'application/jwt'],
  requiredClaims: ['exp', 'iat', 'aud', 'jti', 'events'],
  lifetimeMaxS: 600, // Two minutes are advised: it is sent the moment it is made.
}
const ageMaxS = 600

/**
 * Verifies a logout token.
 * @param row the issuer it claims, one that may log people out.
 * @param audiences client ids by which people sign in there, and the row's own audiences.
 * @throws {Fault} `no_identity` with its reason, to be answered by 400 `invalid_request`;
 *   `identity_down`. Source: OpenID Connect Back-Channel Logout 1.0 §2.4 to §2.8.
 */
export async function readLogout(
  token: string,
  row: IssuerRow,
  audiences: readonly string[],
  { used, nowMs }: { readonly used: UsedTokens; readonly nowMs: number },
): Promise<LoggedOut> {
  const { claims } = await verifySigned(token, row, kind, nowMs)
  const named = audiencesOf(claims)
  const isOurs = (one: string): boolean => audiences.some((each) => isSameAudience(one, each))
  if (named.length === 0 || !named.every(isOurs)) throw refusal('audience', row.name)
  const { events, iat = 0, exp = 0, jti } = claims
  // An ID token has a nonce and no such event: it says that somebody is there, not that they went.
  if (!isRecord(events) || !isRecord(events[event]) || 'nonce' in claims) {
    throw refusal('type', row.name)
  }
  if (iat < Math.floor(nowMs / 1000) - ageMaxS) throw refusal('expired', row.name)
  const subject = row.subjectOf(claims)
  const signInId = isWord(claims['sid']) ? claims['sid'] : undefined
  if (!isWord(jti) || (subject === undefined && signInId === undefined)) {
    throw refusal('claims', row.name)
  }
  // Last, so that nothing but a good token uses up an id.
  const isFirst = await used.use(`logout ${row.issuer} ${jti}`, (exp + toleranceS) * 1000, nowMs)
  if (!isFirst) throw refusal('replayed', row.name)
  return Object.freeze({
    issuer: row.principalIssuer,
    ...(subject === undefined ? {} : { subject }),
    ...(signInId === undefined ? {} : { signInId }),
  })
}
