/** ID-JAGs: a company's issuer says that somebody may get a token of ours for one of its clients. */
import { audiencesOf, frozenClaims, isWord, wordAt } from './claims.ts'
import { refusal } from './reasons.ts'
import type { UsedTokens } from './replay.ts'
import type { IssuerRow } from './row.ts'
import { toleranceS, verifySigned } from './verify.ts'

/** What an ID-JAG proves. That the client is the one that sent it, is for the token endpoint to see. */
export interface Assertion {
  /** As it stands in a principal. */
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  /** The resource a token is wanted for; whether it is one of ours, is for the token endpoint. */
  readonly resource: string
  readonly scope?: string
  readonly jti: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
  readonly claims: Readonly<Record<string, unknown>>
}

const kind = {
  types: ['oauth-id-jag+jwt', 'application/oauth-id-jag+jwt'],
  requiredClaims: ['exp', 'iat', 'sub', 'aud', 'jti', 'client_id', 'resource'],
  lifetimeMaxS: 300,
}
const lengthMax = 2048

/**
 * Verifies an ID-JAG, and uses it up.
 * @param audience the identifier of our authorization server.
 * @throws {Fault} `no_identity` with its reason, to be answered by 400 `invalid_grant`;
 *   `identity_down`. Source: draft-ietf-oauth-identity-assertion-authz-grant, RFC 7523 §3.
 */
export async function readAssertion(
  token: string,
  row: IssuerRow,
  audience: string,
  { used, nowMs }: { readonly used: UsedTokens; readonly nowMs: number },
): Promise<Assertion> {
  const { claims } = await verifySigned(token, row, kind, nowMs)
  const named = audiencesOf(claims)
  // Byte for byte and alone: another server that is named could send it here.
  if (named.length !== 1 || named[0] !== audience) throw refusal('audience', row.name)
  const { exp = 0, jti, resource } = claims
  const subject = row.subjectOf(claims)
  const clientId = wordAt(claims, 'client_id') ?? documentOf(claims['client_id'])
  if (subject === undefined || clientId === undefined || !isWord(jti) || !isAddress(resource)) {
    throw refusal('claims', row.name)
  }
  const { scope } = claims
  if (scope !== undefined && !isScope(scope)) throw refusal('claims', row.name)
  const isFirst = await used.use(`jag ${row.issuer} ${jti}`, (exp + toleranceS) * 1000, nowMs)
  if (!isFirst) throw refusal('replayed', row.name)
  return Object.freeze({
    issuer: row.principalIssuer,
    subject,
    clientId,
    resource,
    ...(isScope(scope) ? { scope } : {}),
    jti,
    expiresMs: exp * 1000,
    claims: frozenClaims(claims),
  })
}

/** A client id may be the address of a document, and longer than a word. */
function documentOf(value: unknown): string | undefined {
  return isAddress(value) && value.startsWith('https:') ? value : undefined
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= lengthMax && URL.canParse(value)
}

/** RFC 6749 §3.3. */
function isScope(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > lengthMax) return false
  return /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(value)
}
