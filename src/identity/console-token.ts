/** Which tokens are good at the console's API and for the log: not those that MCP clients hold. */
import { decodeJwt } from 'jose'
import { bearerToken } from './bearer.ts'
import type { Identity } from './identify.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { isServiceKey } from './service-accounts.ts'

/**
 * The principal of a token for the console. A person's token must be made for the console and
 * nothing else: every MCP client of theirs holds one for the gateway, and what a client may do with
 * it is not what they may do. For the same reason none is taken that the authorization server gave.
 * @param resource the console's own audience, `{public_url}/console`.
 * @throws {Fault} as `identify`; `no_identity` (`audience`).
 */
export async function identifyForConsole(
  identity: Pick<Identity, 'identify'>,
  authorization: readonly string[],
  resource: string,
): Promise<Principal> {
  const principal = await identity.identify(authorization, resource)
  const token = bearerToken(authorization)
  if (isServiceKey(token)) return principal
  const { aud, sp } = decodeJwt(token) // Verified above.
  const audiences = typeof aud === 'string' ? [aud] : (aud ?? [])
  const isForConsole = audiences.length === 1 && audiences[0] === resource
  if (sp === undefined && (isForConsole || principal.kind !== 'person')) return principal
  throw refusal('audience')
}
