/** What a client without identity is told: where tokens for this resource come from. */
import { isSameAudience } from './claims.ts'
import { isMalformedRequest, sentenceOf } from './reasons.ts'
import type { IssuerRow } from './row.ts'

const scope = 'mcp'
const wellKnown = '/.well-known/oauth-protected-resource'

/** Where a client gets tokens for one resource, and for which scope it asks there. */
export interface TokenSources {
  /** Identifiers of authorization servers, the one to be preferred first. */
  readonly issuers: readonly string[]
  readonly scope: string
}

/**
 * The issuers a client can really use: the gateway's own where it hands out tokens, OpenID providers,
 * and Entra where the resource is an App ID URI of the application. Entra takes the `resource`
 * parameter of MCP clients in that case alone, and reads a short scope as one of Microsoft Graph.
 * GitHub is none: its tokens are made for jobs, not for whoever asks.
 * @param rows of the table. @param isServed whether the local issuer hands out tokens.
 */
export function tokenSources(
  resource: string,
  rows: Iterable<IssuerRow>,
  isServed: boolean,
): TokenSources {
  const all = [...rows]
  const local = all.filter(({ type }) => type === 'local').map(({ issuer }) => issuer)
  const open = all.filter(({ type }) => type === 'oidc').map(({ issuer }) => issuer)
  const direct = all.filter(
    ({ type, audience }) =>
      type === 'entra' && audience.some((one) => isSameAudience(one, resource)),
  )
  const tenants = direct.map(({ principalIssuer }) => principalIssuer)
  const issuers = [...new Set([...(isServed ? local : []), ...tenants, ...open])]
  if (issuers.length === 0) return { issuers: local, scope } // It has documents, if no endpoint.
  const first = direct.find(({ principalIssuer }) => principalIssuer === issuers[0])
  const uri = first?.audience.find((one) => isSameAudience(one, resource))
  return { issuers, scope: uri === undefined ? scope : `${uri.replace(/\/$/, '')}/${scope}` }
}

/** `https://gw/mcp/a` as `https://gw/.well-known/oauth-protected-resource/mcp/a` (RFC 9728 §3.1). */
export function metadataAddress(resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}${wellKnown}${pathname === '/' ? '' : pathname}`
}

/** Protected resource metadata (RFC 9728 §2; §3.2 wants no empty list). */
export function resourceMetadata(resource: string, from: TokenSources): object {
  return {
    resource,
    ...(from.issuers.length === 0 ? {} : { authorization_servers: from.issuers }),
    scopes_supported: [from.scope],
    bearer_methods_supported: ['header'],
    resource_name: `Sallyport ${new URL(resource).pathname}`,
  }
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1). Never `insufficient_scope`: no issuer
 * grants by a scope what a grant is missing, and a client would sign in again for nothing.
 * @param reason of the `no_identity` fault. An error is named only if a token was presented.
 */
export function challenge(resource: string, reason = 'missing', wanted: string = scope): string {
  const parts = [`resource_metadata="${metadataAddress(resource)}"`, `scope="${wanted}"`]
  const sentence = sentenceOf(reason)
  if (reason !== 'missing' && sentence !== undefined) {
    const error = isMalformedRequest(reason) ? 'invalid_request' : 'invalid_token'
    const description = sentence.replaceAll('"', "'") // A quoted-string without escapes.
    parts.unshift(`error="${error}"`, `error_description="${description}"`)
  }
  return `Bearer ${parts.join(', ')}`
}
