/** How HashiCorp Vault (or OpenBao) is reached: by the environment variables of its own tools. */
import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { addressOf, createAsk } from './ask.ts'
import type { Ask, Patience } from './ask.ts'
import type { TokenSource } from './kept-token.ts'
import type { Env } from './token-file.ts'
import type { Blame } from './trouble.ts'
import { vaultTokens } from './vault-token.ts'

export interface VaultClient {
  /** From `VAULT_ADDR`. */
  readonly origin: string
  /** On every request: the namespace among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly ask: Ask
  readonly tokens: TokenSource
}

export interface VaultDeps {
  readonly env: Env
  readonly clock: Clock
  readonly hide: (value: string) => void
  readonly patience?: Patience | undefined
}

/**
 * Nothing is sent; the file of `VAULT_CACERT` is read.
 * @throws {Fault} blamed on `settings` for a variable that is missing or cannot be meant.
 */
export function vaultClient(deps: VaultDeps, blame: Blame): VaultClient {
  const { env, patience } = deps
  const address = env['VAULT_ADDR']
  if (address === undefined) throw blame('settings', 'VAULT_ADDR is not set')
  const { origin } = addressOf(blame, address, 'VAULT_ADDR')
  const ask = createAsk({ blame, ca: authorityOf(env, blame), patience })
  // Vault Agent may ask for the second one, so that no browser can be made to call it.
  const headers = { ...namespaceOf(env, blame), 'x-vault-request': 'true' }
  const tokens = vaultTokens(origin, headers, { ...deps, ask, blame })
  return { origin, headers, ask, tokens }
}

function authorityOf(env: Env, blame: Blame): string | undefined {
  const path = env['VAULT_CACERT']
  if (path === undefined) return undefined
  try {
    const pem = readFileSync(path, 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  } catch {
    // Said below, by the name of the setting.
  }
  throw blame('settings', 'the file of VAULT_CACERT cannot be read or holds no certificate')
}

function namespaceOf(env: Env, blame: Blame): Record<string, string> {
  const namespace = env['VAULT_NAMESPACE']
  if (namespace === undefined) return {}
  if (/^[\w./-]{1,256}$/.test(namespace)) return { 'x-vault-namespace': namespace }
  throw blame('settings', 'VAULT_NAMESPACE is no namespace')
}
