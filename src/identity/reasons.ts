/** Why somebody is not let in: fixed words for the record, fixed sentences for the client. */
import { Fault } from '../base/fault.ts'

const sentences = {
  missing: 'No access token was sent. Send one as "Authorization: Bearer".',
  two_tokens: 'More than one Authorization header was sent. Send one.',
  query: 'An access token stands in the address, where logs keep it. Send it as a header.',
  scheme: 'The Authorization header is not of the scheme Bearer.',
  malformed: 'The access token is no signed JWT.',
  issuer: 'The access token comes from an issuer this gateway does not trust.',
  algorithm: 'The access token is signed in a way this gateway does not accept.',
  type: 'This is a token of another kind, not an access token.',
  bound: 'The access token is bound to a key of its client and cannot be sent as a bearer token.',
  critical: 'The access token asks for an extension this gateway does not know.',
  key_id: 'The access token does not name its key.',
  key_unknown: 'The access token is signed with a key its issuer does not publish.',
  signature: 'The signature of the access token is wrong.',
  expired: 'The access token has expired.',
  not_yet: 'The access token is not valid yet.',
  lifetime: 'The access token is valid for more than 24 hours.',
  claims: 'The access token lacks a claim (exp, iat, sub), or one has a wrong form.',
  audience: 'The access token was made for another resource, or for more than one.',
  client: 'The access token was given to a client that is not allowed here.',
  version: 'The access token is of a version this gateway does not accept.',
  tenant: 'The access token comes from a tenant this gateway does not trust.',
  role: 'The application has no role here. Somebody must assign it one, or register it.',
  groups_unknown:
    'This account is in too many groups for its token, and the gateway cannot ask for them.',
  workflow: 'No rule of this gateway lets in this run: repository, ref, environment or event.',
  principal_unknown: 'The access token names nobody this gateway knows. Sign in again.',
  ended: 'The access of this account has ended.',
  revoked: 'Access was revoked.',
  replayed: 'This token may be used once, and was used before.',
} as const

const texts: ReadonlyMap<string, string> = new Map(Object.entries(sentences))

/** The machine's word for why a caller has no identity. */
export type Reason = keyof typeof sentences

/** The sentence for a reason; undefined for a word that is none. */
export function sentenceOf(reason: string): string | undefined {
  return texts.get(reason)
}

/** Reasons that lie in the request itself, not in the token: RFC 6750 §3.1 `invalid_request`. */
export function isMalformedRequest(reason: string): boolean {
  return reason === 'two_tokens' || reason === 'query'
}

/**
 * HTTP status of a `no_identity` fault: 400 where the request is malformed, else 401 (RFC 6750 §3.1;
 * MCP 2026-07-28, Authorization, "Error Handling").
 */
export function statusOf(reason: string): 400 | 401 {
  return isMalformedRequest(reason) ? 400 : 401
}

/** A `no_identity` fault. @param issuer the configured name of the issuer, where one was chosen. */
export function refusal(reason: Reason, issuer?: string, cause?: unknown): Fault {
  return new Fault('no_identity', sentences[reason], {
    cause,
    facts: issuer === undefined ? { reason } : { reason, issuer },
  })
}
