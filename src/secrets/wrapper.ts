/** The wrapper that the configuration asks for, put together. */
import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { addressOf, createAsk } from './ask.ts'
import type { Patience } from './ask.ts'
import { azureTokens } from './azure-token.ts'
import type { Env } from './token-file.ts'
import { vaultTokens } from './vault-token.ts'
import { fileWrapper } from './wrap-file.ts'
import { keyVaultWrapper, parseKeyVaultKey } from './wrap-keyvault.ts'
import { parseTransitKey, vaultWrapper } from './wrap-vault.ts'
import { wrapFault } from './wrapping.ts'
import type { KeyWrapper } from './wrapping.ts'

/** Where the key-encryption key is kept. */
export type WrapperSpec =
  /** A file of ours, as `makeKeyFile` makes it. */
  | { readonly kind: 'file'; readonly file: string }
  /** `vault/name`, `vault/name/version` or the key's identifier. */
  | { readonly kind: 'keyvault'; readonly key: string }
  /** `mount/name`; address, namespace and authority are those of `VAULT_ADDR` and its kin. */
  | { readonly kind: 'vault'; readonly key: string }

export interface WrapperDeps {
  readonly env: Env
  readonly clock: Clock
  /** Told every token used, so that no log shows it: `Secrets` has it. */
  readonly hide: (value: string) => void
  readonly patience?: Patience
}

/**
 * Nothing is read or sent before the first call, but for settings and the file of `VAULT_CACERT`.
 * @throws {Fault} `config_bad`, reason `kek_settings`, for a key or a setting that cannot be meant.
 */
export function createWrapper(spec: WrapperSpec, deps: WrapperDeps): KeyWrapper {
  switch (spec.kind) {
    case 'file':
      return fileWrapper(spec.file)
    case 'keyvault': {
      const key = parseKeyVaultKey(spec.key)
      const ask = createAsk({ kind: 'keyvault', patience: deps.patience })
      return keyVaultWrapper(key, ask, azureTokens(key.resource, { ...deps, ask }))
    }
    case 'vault':
      return transit(spec.key, deps)
  }
}

function transit(named: string, deps: WrapperDeps): KeyWrapper {
  const key = parseTransitKey(named)
  const { env, patience } = deps
  const address = env['VAULT_ADDR']
  if (address === undefined) throw settings('VAULT_ADDR is not set')
  const { origin } = addressOf('vault', address, 'VAULT_ADDR')
  const ask = createAsk({ kind: 'vault', ca: authorityOf(env), patience })
  // Vault Agent may ask for the second one, so that no browser can be made to call it.
  const headers = { ...namespaceOf(env), 'x-vault-request': 'true' }
  const tokens = vaultTokens(origin, headers, { ...deps, ask })
  return vaultWrapper(key, { origin, headers, ask, tokens })
}

function authorityOf(env: Env): string | undefined {
  const path = env['VAULT_CACERT']
  if (path === undefined) return undefined
  try {
    const pem = readFileSync(path, 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  } catch {
    // Said below, by the name of the setting.
  }
  throw settings('the file of VAULT_CACERT cannot be read or holds no certificate')
}

function namespaceOf(env: Env): Record<string, string> {
  const namespace = env['VAULT_NAMESPACE']
  if (namespace === undefined) return {}
  if (/^[\w./-]{1,256}$/.test(namespace)) return { 'x-vault-namespace': namespace }
  throw settings('VAULT_NAMESPACE is no namespace')
}

function settings(why: string): Error {
  return wrapFault('kek_settings', why, { kind: 'vault' })
}
