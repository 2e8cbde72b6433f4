/**
 * Secrets of Azure Key Vault.
 * Source: "Azure Key Vault REST API, Secrets": Get Secret, api-version 7.4. The service hands out a
 * secret outside its own time as well, so `nbf` and `exp` are ours to keep.
 */
import type { Answered, Ask } from './ask.ts'
import type { TokenSource } from './kept-token.ts'
import type { Fetched } from './remote-secret.ts'
import type { Env } from './token-file.ts'
import type { Blame } from './trouble.ts'
import { resourceOf } from './wrap-keyvault.ts'
import { memberOf } from './wrapping.ts'
import { addressOf } from './ask.ts'

const apiVersion = '7.4'
const vaultForm = /^[a-zA-Z](?:-?[a-zA-Z0-9]){2,23}$/
const nameForm = /^[0-9a-zA-Z-]{1,127}$/
const versionForm = /^[0-9a-fA-F]{32}$/

export interface KeyVaultSecret {
  readonly vault: string
  readonly name: string
  readonly version?: string
}

export interface KeyVaultPlace {
  readonly origin: string
  /** What tokens for it are asked for. */
  readonly resource: string
}

/**
 * Where a vault is: `https://VAULT.vault.azure.net`, or as `AZURE_KEYVAULT_ORIGIN` says, in which
 * `{vault}` stands for the name: `https://{vault}.vault.azure.cn`.
 * @throws {Fault} blamed on `settings` for a host that is none of Key Vault; a token goes nowhere else.
 */
export function keyVaultPlace(vault: string, env: Env, blame: Blame): KeyVaultPlace {
  if (!vaultForm.test(vault)) throw blame('settings', 'the name of its vault is none')
  const pattern = env['AZURE_KEYVAULT_ORIGIN'] ?? 'https://{vault}.vault.azure.net'
  const url = addressOf(blame, pattern.replaceAll('{vault}', vault), 'AZURE_KEYVAULT_ORIGIN')
  const resource = resourceOf(url)
  if (resource !== undefined) return { origin: url.origin, resource }
  throw blame('settings', 'the host of AZURE_KEYVAULT_ORIGIN is not one of Azure Key Vault')
}

/** @throws {Fault} blamed on `settings` at once for a name or version that is none. */
export function keyVaultFetch(
  { name, version }: KeyVaultSecret,
  { origin }: KeyVaultPlace,
  { ask, blame, tokens }: { ask: Ask; blame: Blame; tokens: TokenSource },
): () => Promise<Fetched> {
  if (!nameForm.test(name) || (version !== undefined && !versionForm.test(version))) {
    throw blame('settings', 'its name or version is none of Key Vault')
  }
  const path = `/secrets/${name}${version === undefined ? '' : `/${version}`}`
  const once = async (): Promise<Answered> => {
    const url = new URL(`${path}?api-version=${apiVersion}`, origin)
    const headers = { authorization: `Bearer ${await tokens.token()}` }
    return ask({ method: 'GET', url, headers, isRepeatable: true })
  }
  return async () => {
    let answered = await once()
    if (answered.status === 401) {
      tokens.forget() // It may have been revoked before its time: once more with a new one.
      answered = await once()
    }
    if (answered.status !== 200) throw refusal(answered, blame)
    return fetchedIn(answered.body, `${origin}/secrets/${name}/`, blame)
  }
}

function fetchedIn(body: unknown, prefix: string, blame: Blame): Fetched {
  const value = memberOf(body, 'value')
  const id = memberOf(body, 'id')
  // What is shown to one server must not be another one's secret, whatever stands in between.
  const isOurs = typeof id === 'string' && id.toLowerCase().startsWith(prefix.toLowerCase())
  if (typeof value !== 'string' || !isOurs) {
    throw blame('answer', 'the answer is not of the secret asked for')
  }
  const attributes = memberOf(body, 'attributes')
  if (memberOf(attributes, 'enabled') !== true) throw blame('disabled', 'it is disabled')
  return {
    value: value.replace(/\r?\n$/, ''),
    version: id.slice(prefix.length),
    fromMs: secondsOf(memberOf(attributes, 'nbf'), blame),
    untilMs: secondsOf(memberOf(attributes, 'exp'), blame),
  }
}

function secondsOf(value: unknown, blame: Blame): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000
  throw blame('answer', 'the answer tells its time in a way we cannot read')
}

/** Only known words of the answer are acted upon, and none is repeated. */
function refusal({ body, status }: Answered, blame: Blame): Error {
  const error = memberOf(body, 'error')
  const inner = memberOf(error, 'innererror') ?? memberOf(error, 'innerError')
  const code = memberOf(inner, 'code') ?? memberOf(error, 'code')
  if (code === 'SecretDisabled') return blame('disabled', 'it is disabled; enable it in the vault')
  if (code === 'ForbiddenByFirewall' || code === 'ForbiddenByConnection') {
    return blame('denied', 'the firewall of its vault does not let this machine in')
  }
  if (status === 401) return blame('denied', 'it does not accept our token (401)')
  if (status === 403) {
    const rights = 'give it "Key Vault Secrets User", or the secret permission get'
    return blame('denied', `our identity has no right to it (403); ${rights}`)
  }
  if (status === 404) return blame('unknown', 'the vault has no such secret or version (404)')
  if (status >= 500) return blame('down', `it answers with an error (${status})`)
  return blame('answer', `it refuses the request (${status})`)
}
