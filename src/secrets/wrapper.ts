/** The wrapper that the configuration asks for, put together. */
import type { Clock } from '../base/clock.ts'
import { createAsk } from './ask.ts'
import type { Patience } from './ask.ts'
import { azureTokens } from './azure-token.ts'
import type { Env } from './token-file.ts'
import { vaultClient } from './vault-client.ts'
import { fileWrapper } from './wrap-file.ts'
import { keyVaultWrapper, parseKeyVaultKey } from './wrap-keyvault.ts'
import { parseTransitKey, vaultWrapper } from './wrap-vault.ts'
import { wrapBlame } from './wrapping.ts'
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
      const blame = wrapBlame('keyvault')
      const ask = createAsk({ blame, patience: deps.patience })
      return keyVaultWrapper(key, ask, azureTokens(key.resource, { ...deps, ask, blame }))
    }
    case 'vault':
      return vaultWrapper(parseTransitKey(spec.key), vaultClient(deps, wrapBlame('vault')))
  }
}
