/** What the gateway's own verification is made with, for one token that is only looked at. */
import { existsSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Config } from '../config/config.ts'
import type { GraphSecret } from '../identity/graph.ts'
import type { IdentityOptions } from '../identity/identify.ts'
import { localKeyFile, openLocalIssuer } from '../identity/local.ts'
import { secretRefsIn } from '../secrets/references.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { groupsNamedIn } from './identities.ts'
import type { SeenState } from './live-state.ts'
import { doubt } from './live-token-words.ts'
import type { Step } from './live-token-words.ts'

export interface TokenMeans {
  readonly dataDir: string
  readonly clock: Clock
  readonly state: SeenState | undefined
  readonly secrets: Secrets
  readonly trouble: Step[]
}

/** As the gateway makes them, but for a local issuer without a key and secrets that are missing. */
export async function identityOptions(
  config: Config,
  { clock, dataDir, secrets, state, trouble }: TokenMeans,
): Promise<IdentityOptions> {
  const { authorizationServer, issuers } = config.identity
  const hasKey = existsSync(localKeyFile(dataDir))
  const own = issuers.find(({ type }) => type === 'local')
  const issuer = own?.type === 'local' && hasKey ? own.issuer : undefined
  const graph = new Map<string, GraphSecret>()
  for (const [index, row] of issuers.entries()) {
    if (row.type !== 'entra' || row.graph === undefined) continue
    const where = `identity.issuers[${index}].graph.client_secret`
    try {
      await secrets.ready(secretRefsIn(row.graph, `identity.issuers[${index}].graph`))
      graph.set(row.name, secrets.open(row.graph.clientSecret, 'header', where))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      trouble.push(doubt('graph', error.message, ['identity', 'issuers', index, 'graph']))
    }
  }
  return {
    issuers: issuers.filter(({ type }) => type !== 'local' || hasKey),
    publicUrl: config.publicUrl,
    clock,
    local: issuer === undefined ? undefined : await openLocalIssuer({ dataDir, issuer, clock }),
    directory: state?.directory,
    isAuthorizationServerOn: authorizationServer !== undefined,
    isRegistered: (of, subject) => state?.directory.find(of, subject)?.owner !== undefined,
    groupsNamed: groupsNamedIn(config),
    graphSecret: (name) => graph.get(name),
  }
}
