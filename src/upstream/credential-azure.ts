/**
 * The managed identity of the machine or container the gateway runs in. Its tokens are for one
 * resource, of the identity alone, and kept by the platform for up to a day.
 */
import { createAsk } from '../secrets/ask.ts'
import { azureFresh } from '../secrets/azure-token.ts'
import type { Env } from '../secrets/token-file.ts'
import type { CredentialSource } from './credential.ts'
import { tokenSource } from './credential-oauth.ts'
import type { TokenMeans } from './credential-oauth.ts'
import { credentialBlame } from './token-endpoint.ts'

export interface ManagedIdentity {
  /** App ID URI of the server; `/.default` at its end is taken off. */
  readonly resource: string
  /** Of a user-assigned identity. */
  readonly clientId?: string
}

/**
 * @param env says which platform it is: workload identity (`AZURE_FEDERATED_TOKEN_FILE`), App Service
 *   (`IDENTITY_ENDPOINT`), else a virtual machine. A client secret in it is not looked at: that is
 *   an identity of another kind.
 */
export function managedIdentitySource(
  connection: string,
  { clientId, resource }: ManagedIdentity,
  means: TokenMeans & { readonly env: Env },
): CredentialSource {
  const blame = credentialBlame(connection)
  const { AZURE_CLIENT_SECRET: _, ...platform } = means.env
  const env = clientId === undefined ? platform : { ...platform, AZURE_CLIENT_ID: clientId }
  const ask = createAsk({ blame, patience: means.patience })
  const plain = resource.replace(/\/\.default$/, '')
  const askAnew = azureFresh(plain, { env, clock: means.clock, ask, blame })
  const key = JSON.stringify([connection, 'shared', plain])
  return tokenSource(means, () => ({ key, askAnew }))
}
