/** Whether each issuer can be asked for its keys, and is the one that was meant. */
import { existsSync } from 'node:fs'
import type { JWK } from 'jose'
import type { Path } from '../config/config.ts'
import type {
  EntraIssuerConfig,
  GithubIssuerConfig,
  LocalIssuerConfig,
  OidcIssuerConfig,
} from '../config/types.ts'
import { entraKeySources } from '../identity/entra.ts'
import { askJson } from '../identity/fetch-json.ts'
import { discoveryAddresses, loadKeys } from '../identity/keys.ts'
import type { KeySource } from '../identity/keys.ts'
import { localKeyFile, openLocalIssuer } from '../identity/local.ts'
import { isEntraHost, knownGraphHosts } from './live-entra-words.ts'
import { graphLooks } from './live-graph.ts'
import { wrong } from './live-look.ts'
import type { Look, LookParts, Seen } from './live-look.ts'

export function issuerLooks(parts: LookParts): Look[] {
  return parts.config.identity.issuers.flatMap((row, index): Look[] => {
    const path = ['identity', 'issuers', index]
    switch (row.type) {
      case 'oidc':
      case 'github-actions':
        return [keysLook(row, path, parts)]
      case 'entra':
        return [...entraLooks(row, path, parts), ...graphLooksOf(row, path, parts)]
      case 'local':
        return [localLook(row, path, parts)]
    }
  })
}

function localLook(row: LocalIssuerConfig, path: Path, { clock, dataDir }: LookParts): Look {
  const look = async (): Promise<string> => {
    if (!existsSync(localKeyFile(dataDir))) return 'has no key yet; the first start makes one'
    await openLocalIssuer({ dataDir, issuer: row.issuer, clock })
    return 'has its key'
  }
  return { what: `issuer ${row.name}`, path: [...path, 'issuer'], look }
}

function keysLook(
  row: OidcIssuerConfig | GithubIssuerConfig,
  path: Path,
  { fetch }: LookParts,
): Look {
  const algorithms = row.type === 'oidc' ? row.algorithms : ['RS256']
  const look = async (): Promise<Seen> => {
    const { keys } = await loadKeys(row, fetch)
    const said = told(keys, algorithms, 'jwksUri' in row ? row.jwksUri : undefined, row)
    if (row.type !== 'oidc' || !isEntraHost(new URL(row.issuer).hostname)) return said
    const doubt = `${said}; it is Microsoft Entra ID, for which type oidc checks no tenant, no object id and no overage of groups: take type: entra`
    return { doubt }
  }
  return { what: `issuer ${row.name}`, path: [...path, 'issuer'], look }
}

function told(
  keys: readonly JWK[],
  algorithms: readonly string[],
  jwksUri: string | undefined,
  { addresses, issuer }: Pick<KeySource, 'addresses' | 'issuer'>,
): string {
  const usable = keys.filter(({ alg }) => alg === undefined || algorithms.includes(alg))
  if (usable.length === 0) {
    throw wrong(`publishes no key for the algorithms ${algorithms.join(', ')}; add its own`)
  }
  const from = jwksUri ?? addresses?.[0] ?? discoveryAddresses(issuer)[0] ?? issuer
  return `publishes ${usable.length} usable ${usable.length === 1 ? 'key' : 'keys'} (${from})`
}

/** One look for each tenant and version: each has documents and keys of its own. */
function entraLooks(row: EntraIssuerConfig, path: Path, { fetch }: LookParts): Look[] {
  const sources = entraKeySources(row)
  return sources.map((source): Look => {
    const tenant = row.tenants.find((id) => source.issuer.includes(`/${id}/`)) ?? ''
    const version = source.issuer.endsWith('/v2.0') ? '2.0' : '1.0'
    const short = row.tenants.length > 1 ? ` ${tenant.slice(0, 8)}` : ''
    const at = row.tenants.length > 1 ? ['tenant', row.tenants.indexOf(tenant)] : ['tenant']
    const look = async (): Promise<Seen> => {
      await askTenant(source, row, fetch)
      const { keys } = await loadKeys(source, fetch)
      if (keys.length === 0) throw wrong(noKeys)
      return told(keys, ['RS256'], undefined, source)
    }
    return { what: `issuer ${row.name}${short} ${version}`, path: [...path, ...at], look }
  })
}

const noKeys =
  'publishes keys, but none that may sign for this tenant (their member issuer names others); are tenant and authority of one cloud?'

/** Says more than "no document" where Entra says more. @throws {Fault} */
async function askTenant(
  { addresses = [], issuer }: KeySource,
  row: EntraIssuerConfig,
  fetch: LookParts['fetch'],
): Promise<void> {
  const [address = ''] = addresses
  let answer: Awaited<ReturnType<typeof askJson>>
  try {
    answer = await askJson(address, fetch)
  } catch (cause) {
    throw wrong(
      `Entra does not answer at ${row.authority}; look at authority, proxy and firewall`,
      cause,
    )
  }
  const { status, value } = answer
  if (status === 400 || status === 404) {
    throw wrong(
      `Entra knows no tenant of this id at ${row.authority} (status ${status}). Copy "Directory (tenant) ID" from the overview of the app registration; in a national cloud set authority too`,
    )
  }
  if (status !== 200 || value === undefined) {
    throw wrong(`Entra answers with status ${status} and no document; try again`)
  }
  const named: unknown = Reflect.get(value, 'issuer')
  if (named !== issuer) throw wrong(mismatchOf(named, issuer))
  const graphHost: unknown = Reflect.get(value, 'msgraph_host')
  if (row.graph === undefined || typeof graphHost !== 'string') return
  const isOther = graphHost !== new URL(row.graph.url).host
  // Only hosts that are known are said again: the rest is a server's word.
  if (isOther && knownGraphHosts.includes(graphHost)) {
    throw wrong(`is in another cloud than graph: set graph.url to https://${graphHost}`)
  }
}

function mismatchOf(named: unknown, issuer: string): string {
  const isTemplate = typeof named === 'string' && named.includes('{tenantid}')
  const why = isTemplate
    ? 'its document is that of many tenants (common, organizations); name one tenant by its id'
    : `its document names another issuer than ${issuer}`
  const where = issuer.endsWith('/v2.0') ? 'authority' : 'authority_v1'
  return `${why}; look at ${where}, which differs in national clouds`
}

function graphLooksOf(row: EntraIssuerConfig, path: Path, parts: LookParts): Look[] {
  const { authority, graph, name, tenants } = row
  if (graph === undefined) return []
  return tenants.flatMap((tenant) => {
    const short = tenants.length > 1 ? ` ${tenant.slice(0, 8)}` : ''
    const of = { what: `graph of ${name}${short}`, name, authority, tenant, graph }
    return graphLooks(of, [...path, 'graph'], parts)
  })
}
