/** The services that keep secrets, each with one identity for all that is asked of it. */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { SecretRef } from '../config/types.ts'
import { createAsk } from './ask.ts'
import type { Patience } from './ask.ts'
import { azureTokens } from './azure-token.ts'
import type { TokenSource } from './kept-token.ts'
import { keyVaultFetch, keyVaultPlace } from './keyvault-secret.ts'
import type { Fetched } from './remote-secret.ts'
import type { Env } from './token-file.ts'
import { isPassing } from './trouble.ts'
import type { Blame } from './trouble.ts'
import { vaultClient } from './vault-client.ts'
import type { VaultClient } from './vault-client.ts'
import { vaultFetch } from './vault-secret.ts'

export type RemoteRef = Extract<SecretRef, { from: 'keyvault' | 'vault' }>

export const services = { keyvault: 'Azure Key Vault', vault: 'Vault' } as const

export interface RemoteDeps {
  readonly env: Env
  readonly clock: Clock
  /** Told every token used, so that no log shows it. */
  readonly hide: (value: string) => void
  readonly patience?: Patience | undefined
}

/** The message is a clause: who uses the secret says which one it is. */
const blame: Blame = (trouble, why, cause) => {
  const facts = { reason: `secret_${trouble}`, isTransient: isPassing(trouble) }
  return new Fault('secret_missing', why, { cause, facts })
}

/**
 * Makes what fetches a secret. Nothing is asked before the first fetch; each rejects with a `Fault`
 * whose message is a clause that says why.
 */
export function remoteFetches(deps: RemoteDeps): (ref: RemoteRef) => () => Promise<Fetched> {
  const ask = createAsk({ blame, patience: deps.patience })
  const identities = new Map<string, TokenSource>()
  let vault: VaultClient | undefined
  const identityFor = (resource: string): TokenSource => {
    const tokens = identities.get(resource) ?? azureTokens(resource, { ...deps, ask, blame })
    identities.set(resource, tokens)
    return tokens
  }
  const fetchOf = (ref: RemoteRef): (() => Promise<Fetched>) => {
    if (ref.from === 'vault') return vaultFetch(ref, (vault ??= vaultClient(deps, blame)), blame)
    const place = keyVaultPlace(ref.vault, deps.env, blame)
    return keyVaultFetch(ref, place, { ask, blame, tokens: identityFor(place.resource) })
  }
  return (ref) => {
    let fetch: (() => Promise<Fetched>) | undefined
    return async () => await (fetch ??= fetchOf(ref))()
  }
}
