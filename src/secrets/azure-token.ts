/**
 * Access tokens of Microsoft Entra ID for the identity this gateway runs under, in the ways and by the environment variables
 * that Azure's own libraries know. The first that applies is taken:
 *
 * 1. workload identity: `AZURE_FEDERATED_TOKEN_FILE`, with tenant and client id;
 * 2. client credentials: `AZURE_CLIENT_SECRET`, with tenant and client id;
 * 3. App Service and Container Apps: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`;
 * 4. managed identity of a virtual machine, by its metadata service.
 *
 * Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow"; "How to use
 * managed identities for Azure resources on an Azure VM to acquire an access token".
 */
import type { Clock } from '../base/clock.ts'
import { addressOf } from './ask.ts'
import type { Answered, Question } from './ask.ts'
import { keptToken } from './kept-token.ts'
import type { FreshToken, TokenParts, TokenSource } from './kept-token.ts'
import { readTokenFile } from './token-file.ts'
import type { Env } from './token-file.ts'
import type { Blame } from './trouble.ts'
import { memberOf } from './wrapping.ts'

/** The metadata service is being updated, says its documentation. */
const metadataBusy: readonly number[] = [404, 410]
const metadata = 'http://169.254.169.254'
/** A GUID, or a tenant by its domain. */
const idForm = /^[0-9a-zA-Z](?:[0-9a-zA-Z.-]{0,126}[0-9a-zA-Z])?$/

/** @param resource such as `https://vault.azure.net`, without a slash at its end. */
export function azureTokens(resource: string, parts: TokenParts): TokenSource {
  return keptToken(parts, azureFresh(resource, parts))
}

/** Asks for a new token each time. @param resource as above. */
export function azureFresh(
  resource: string,
  { ask, blame, clock, env }: Omit<TokenParts, 'hide'>,
): () => Promise<FreshToken> {
  return async () => tokenIn(await ask(questionOf(resource, env, blame)), clock, blame)
}

/** Federated tokens are short-lived, so their file is read each time. */
function questionOf(resource: string, env: Env, blame: Blame): Question {
  if (env['AZURE_FEDERATED_TOKEN_FILE'] !== undefined) {
    return fromEntra(resource, env, blame, {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: readTokenFile(env, 'AZURE_FEDERATED_TOKEN_FILE', blame),
    })
  }
  if (env['AZURE_CLIENT_SECRET'] !== undefined) {
    return fromEntra(resource, env, blame, { client_secret: env['AZURE_CLIENT_SECRET'] })
  }
  const clientId =
    env['AZURE_CLIENT_ID'] === undefined ? {} : { client_id: idOf(env, 'CLIENT', blame) }
  if (env['IDENTITY_ENDPOINT'] !== undefined && env['IDENTITY_HEADER'] !== undefined) {
    const url = addressOf(blame, env['IDENTITY_ENDPOINT'], 'IDENTITY_ENDPOINT')
    url.search = queryOf({ 'api-version': '2019-08-01', resource, ...clientId })
    const headers = { 'x-identity-header': env['IDENTITY_HEADER'] }
    return { method: 'GET', url, headers, isRepeatable: true }
  }
  const host = env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? metadata
  const url = addressOf(blame, host, 'AZURE_POD_IDENTITY_AUTHORITY_HOST')
  url.pathname = '/metadata/identity/oauth2/token'
  url.search = queryOf({ 'api-version': '2018-02-01', resource, ...clientId })
  const laterStatuses = metadataBusy
  return { method: 'GET', url, headers: { metadata: 'true' }, isRepeatable: true, laterStatuses }
}

/** A token is made anew at each asking and changes nothing there: repeatable. */
function fromEntra(
  resource: string,
  env: Env,
  blame: Blame,
  proof: Record<string, string>,
): Question {
  const host = env['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com'
  const url = addressOf(blame, host, 'AZURE_AUTHORITY_HOST')
  url.pathname = `/${idOf(env, 'TENANT', blame)}/oauth2/v2.0/token`
  const form = {
    grant_type: 'client_credentials',
    client_id: idOf(env, 'CLIENT', blame),
    scope: `${resource}/.default`,
    ...proof,
  }
  return { method: 'POST', url, form, isRepeatable: true }
}

function queryOf(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString()
}

function idOf(env: Env, of: 'TENANT' | 'CLIENT', blame: Blame): string {
  const name = `AZURE_${of}_ID`
  const value = env[name]
  if (value !== undefined && idForm.test(value)) return value
  throw blame('settings', `${name} is not set or is no id`)
}

/** RFC 6749 §5.1; the metadata service sends its numbers as text. */
function tokenIn({ status, body }: Answered, clock: Clock, blame: Blame): FreshToken {
  if (status >= 500 || metadataBusy.includes(status)) {
    throw blame('down', `its identity gets no token (${status})`)
  }
  if (status !== 200) {
    const why = `its identity is refused a token (${status}); see to tenant, client and credential`
    throw blame('denied', why)
  }
  const value = memberOf(body, 'access_token')
  // App Service tells only when the token ends, in seconds since 1970.
  const ends = Number(memberOf(body, 'expires_on')) - clock.nowUs() / 1_000_000
  const lives = Number(memberOf(body, 'expires_in') ?? ends)
  if (typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value) && lives > 0) {
    return { value, livesMs: Math.min(lives, 86_400) * 1_000 }
  }
  throw blame('answer', 'the answer for a token holds none')
}
