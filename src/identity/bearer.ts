/** Where a token may stand in a request: one `Authorization` header, nowhere else. */
import { refusal } from './reasons.ts'

const tokenCharactersMax = 16 * 1024

/** A compact JWS; the last part is empty in an unsigned one, which is refused by its algorithm. */
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/

/**
 * The token of a request.
 * @param authorization the values of all its `Authorization` headers, as they came.
 * @throws {Fault} `no_identity`: `missing`, `two_tokens`, `scheme` or `malformed`.
 *   Source: RFC 6750 §2.1, RFC 9110 §11.1 (the scheme is case-insensitive).
 */
export function bearerToken(authorization: readonly string[]): string {
  const [value] = authorization
  if (value === undefined) throw refusal('missing')
  if (authorization.length > 1) throw refusal('two_tokens')
  const space = value.indexOf(' ')
  if (space !== 6 || value.slice(0, 6).toLowerCase() !== 'bearer') throw refusal('scheme')
  const token = value.slice(7).trim()
  if (token.length > tokenCharactersMax) throw refusal('malformed')
  return token
}

/** Whether a token is a compact JWS. Apart from `bearerToken`, since a token seen before is one. */
export function isCompact(token: string): boolean {
  return token.length <= tokenCharactersMax && compact.test(token)
}

/**
 * Whether a query carries an access token (RFC 6750 §2.3, which MCP forbids).
 * @param query the part after `?`, with or without it, as it came.
 */
export function hasTokenInQuery(query: string): boolean {
  if (query === '' || query === '?') return false
  for (const [name, value] of new URLSearchParams(query)) {
    if (/^(access_token|bearer|authorization|id_token)$/i.test(name)) return true
    if (/^eyJ[\w-]+\.eyJ[\w-]+\./.test(value)) return true
  }
  return false
}
