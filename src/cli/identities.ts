/** Opens what the gateway knows of identities: who is believed, who is known, who is stopped. */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import type { Directory } from '../identity/directory.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { createIdentity } from '../identity/identify.ts'
import type { Identity, IdentityOptions } from '../identity/identify.ts'
import type { LocalIssuer } from '../identity/local.ts'
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
}

export function openIdentity({ clock, config, known, local, secrets }: IdentityParts): Identity {
  const { issuers, authorizationServer } = config.identity
  const { directory, serviceAccounts } = known
  const options: IdentityOptions = {
    issuers,
    publicUrl: config.publicUrl,
    clock,
    local,
    directory,
    serviceAccounts,
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
