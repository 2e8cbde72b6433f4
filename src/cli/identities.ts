/** Opens what the gateway knows of identities: who is believed, who is known, who is stopped. */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import { identifiersOf } from '../config/settle.ts'
import type { OidcIssuerConfig } from '../config/types.ts'
import type { Directory } from '../identity/directory.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { createIdentity } from '../identity/identify.ts'
import type { Identity, IdentityOptions } from '../identity/identify.ts'
import type { LocalIssuer } from '../identity/local.ts'
import type { UsedTokens } from '../identity/replay.ts'
import type { Revocations } from '../identity/revocations.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import type { ServiceAccounts } from '../identity/service-accounts.ts'
import { openServiceAccounts } from '../identity/service-account-store.ts'
import type { Secrets } from '../secrets/secrets.ts'

/** The lists of the data folder, whether a gateway runs on it or a command works alone. */
export interface Known {
  readonly directory: Directory
  readonly revocations: Revocations
  readonly serviceAccounts: ServiceAccounts
  close(): void
}

/** @param key 32 bytes, with which keys of service accounts are hashed. */
export function openKnown(dataDir: string, clock: Clock, key: Uint8Array): Known {
  const file = join(dataDir, 'state.sqlite')
  const directory = openDirectory(file, { clock })
  const revocations = openRevocations(file, { clock })
  const serviceAccounts = openServiceAccounts(file, { clock, key })
  const close = (): void => {
    const trouble: unknown[] = []
    for (const one of [directory, revocations, serviceAccounts]) {
      try {
        one.close()
      } catch (error) {
        trouble.push(error) // The others are closed all the same.
      }
    }
    if (trouble.length > 0) throw trouble[0]
  }
  return { directory, revocations, serviceAccounts, close }
}

export interface IdentityParts {
  readonly config: Config
  readonly clock: Clock
  readonly known: Known
  readonly local: LocalIssuer | undefined
  readonly secrets: Secrets
  /** The same for each: what may be used once is used up, whatever file is in force. */
  readonly usedTokens: UsedTokens
}

/**
 * Makes an identity of each configuration. Where nothing differs that it knows of, it is the one before:
 * keys and groups that were fetched stay, and a provider that is down just now keeps nobody out.
 */
export function identities(parts: Omit<IdentityParts, 'config'>): (config: Config) => Identity {
  let last: { readonly about: unknown; readonly made: Identity } | undefined
  return (config) => {
    const { identity, publicUrl } = config
    const about = { identity, publicUrl, groups: groupsNamedIn(config) }
    if (last !== undefined && isDeepStrictEqual(about, last.about)) return last.made
    last = { about, made: openIdentity({ ...parts, config }) }
    return last.made
  }
}

function openIdentity(of: IdentityParts): Identity {
  const { clock, config, known, local, secrets, usedTokens } = of
  const { issuers, authorizationServer } = config.identity
  const { directory, serviceAccounts } = known
  const options: IdentityOptions = {
    issuers,
    publicUrl: config.publicUrl,
    clock,
    local,
    directory,
    serviceAccounts,
    usedTokens,
    isAuthorizationServerOn: authorizationServer !== undefined,
    isRegistered: (issuer, subject) => directory.find(issuer, subject)?.owner !== undefined,
    groupsNamed: groupsNamedIn(config),
    graphSecret: (name) => {
      const index = issuers.findIndex((one) => one.name === name)
      const row = issuers[index]
      if (row?.type !== 'entra' || row.graph === undefined) return undefined
      const where = `identity.issuers[${index}].graph.client_secret`
      return secrets.open(row.graph.clientSecret, 'header', where)
    },
    signInClients: signInClients(config),
    signInIssuers: signInIssuers(config),
  }
  return createIdentity(options)
}

/** Groups that decide something here: nobody is asked about others. */
export function groupsNamedIn({ access, console }: Pick<Config, 'access' | 'console'>): string[] {
  const whos = [...access.map(({ who }) => who), ...Object.values(console.roles)]
  return [...new Set(whos.flatMap(({ group }) => group ?? []))]
}

/** By which clients people sign in here: logout tokens name these. */
function signInClients({ identity }: Config): ReadonlyMap<string, readonly string[]> {
  const clients = new Map<string, string[]>()
  for (const signIn of identity.signIn) {
    if (signIn.type !== 'oidc' && signIn.type !== 'entra') continue
    const issuer =
      signIn.type === 'oidc' ? signIn.issuer : `${signIn.authority}/${signIn.tenant}/v2.0`
    clients.set(issuer, [...(clients.get(issuer) ?? []), signIn.clientId])
  }
  return clients
}

/** OpenID providers people sign in at whose access tokens nobody believes: they may sign people out. */
function signInIssuers({ identity }: Config): OidcIssuerConfig[] {
  const believed = new Set(identity.issuers.flatMap((issuer) => identifiersOf(issuer)))
  return identity.signIn.flatMap((signIn): OidcIssuerConfig[] => {
    if (signIn.type !== 'oidc' || believed.has(signIn.issuer)) return []
    const { clientId, groupsClaim, issuer, name, nameClaim, rolesClaim } = signIn
    const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
    const of = { type: 'oidc', kind: 'auto', name, issuer, algorithms, clients: [] } as const
    return [{ ...of, audience: [clientId], groupsClaim, nameClaim, rolesClaim }]
  })
}
