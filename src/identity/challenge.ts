/** What a client without identity is told: where tokens for this resource come from. */
import { isMalformedRequest, sentenceOf } from './reasons.ts'

const scope = 'mcp'
const wellKnown = '/.well-known/oauth-protected-resource'

/** `https://gw/mcp/a` as `https://gw/.well-known/oauth-protected-resource/mcp/a` (RFC 9728 §3.1). */
export function metadataAddress(resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}${wellKnown}${pathname === '/' ? '' : pathname}`
}

/** Protected resource metadata (RFC 9728 §2). */
export function resourceMetadata(resource: string, issuers: readonly string[]): object {
  return {
    resource,
    authorization_servers: issuers,
    scopes_supported: [scope],
    bearer_methods_supported: ['header'],
    resource_name: `Sallyport ${new URL(resource).pathname}`,
  }
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1).
 * @param reason of the `no_identity` fault. An error is named only if a token was presented.
 */
export function challenge(resource: string, reason = 'missing'): string {
  const parts = [`resource_metadata="${metadataAddress(resource)}"`, `scope="${scope}"`]
  const sentence = sentenceOf(reason)
  if (reason !== 'missing' && sentence !== undefined) {
    const error = isMalformedRequest(reason) ? 'invalid_request' : 'invalid_token'
    const description = sentence.replaceAll('"', "'") // A quoted-string without escapes.
    parts.unshift(`error="${error}"`, `error_description="${description}"`)
  }
  return `Bearer ${parts.join(', ')}`
}
