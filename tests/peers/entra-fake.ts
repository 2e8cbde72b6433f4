/** Entra ID over HTTP: documents and keys of its two versions for any tenant, and Graph beside them. */
import type { EntraIssuerConfig } from '../../src/config/types.ts'
import { graphClient, graphSecret, startGraph } from './graph-fake.ts'
import type { GraphFake } from './graph-fake.ts'
import type { Answer, Asked } from './json-fake.ts'

/** Seconds since 1970. */
interface Seconds {
  readonly s: number
}

export const tenant = '1a1a1a1a-2222-4333-8444-55555555abcd'
export const otherTenant = '9b9b9b9b-2222-4333-8444-55555555abcd'
export const consumerTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
/** The application that is the gateway, and one that calls it. */
export const appId = 'aaaaaaaa-0000-4000-8000-000000000001'
export const clientApp = 'bbbbbbbb-0000-4000-8000-000000000002'
export const oid = 'cccccccc-0000-4000-8000-000000000003'
export const appOid = 'dddddddd-0000-4000-8000-000000000004'

/** A GUID for a number: the id of some group. */
export function group(number: number): string {
  return `eeeeeeee-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** Entra ID for several tenants, Graph included, at one origin. */
export interface Entra extends GraphFake {
  /** What is published under version 2 and under version 1; `{tenantid}` is Entra's own way. */
  readonly keys: Keys
}

interface Keys {
  v1: object[]
  v2: object[]
  /** Those of one application, by its id; its documents are told by `?appid=`. */
  readonly apps: Map<string, object[]>
}

export async function startEntra(): Promise<Entra> {
  const keys: Keys = { v1: [], v2: [], apps: new Map() }
  const fake = await startGraph((asked, origin) => documents(keys, asked, origin))
  return Object.assign(fake, { keys })
}

function documents(keys: Keys, { path, query }: Asked, origin: string): Answer | undefined {
  const [, tid = '', ...rest] = path.split('/')
  const appid = query.get('appid') ?? ''
  const own = keys.apps.get(appid)
  const suffix = own === undefined ? '' : `?appid=${appid}`
  const found = {
    '.well-known/openid-configuration': {
      issuer: `${origin}/v1/${tid}/`,
      jwks_uri: `${origin}/${tid}/discovery/keys${suffix}`,
    },
    'v2.0/.well-known/openid-configuration': {
      issuer: `${origin}/${tid}/v2.0`,
      jwks_uri: `${origin}/${tid}/discovery/v2.0/keys${suffix}`,
    },
    'discovery/keys': { keys: own ?? keys.v1 },
    'discovery/v2.0/keys': { keys: own ?? keys.v2 },
  }[rest.join('/')]
  return found && { status: 200, body: found }
}

export function entraRow(origin: string, over: Partial<EntraIssuerConfig> = {}): EntraIssuerConfig {
  return {
    type: 'entra',
    name: 'entra',
    tenants: [tenant],
    authority: origin,
    authorityV1: `${origin}/v1`,
    audience: [appId, 'api://sallyport'],
    versions: ['1.0', '2.0'],
    clients: [],
    graph: {
      url: origin,
      clientId: graphClient,
      clientSecret: { from: 'env', name: 'GRAPH_SECRET' },
    },
    ...over,
  }
}

export const graphSecrets = (): { read(): { reveal(): string } } => ({
  read: () => ({ reveal: () => graphSecret }),
})

/** Claims of a person's token as Entra makes them. */
export function personV2(origin: string, clock: Seconds): Record<string, unknown> {
  return {
    ...common(clock),
    aud: appId,
    iss: `${origin}/${tenant}/v2.0`,
    ver: '2.0',
    azp: clientApp,
    azpacr: '0',
    preferred_username: 'ada@acme.example',
    scp: 'mcp',
  }
}

export function personV1(origin: string, clock: Seconds): Record<string, unknown> {
  return {
    ...common(clock),
    aud: 'api://sallyport',
    iss: `${origin}/v1/${tenant}/`,
    ver: '1.0',
    appid: clientApp,
    appidacr: '0',
    upn: 'ada@acme.example',
    scp: 'mcp',
  }
}

/** Claims of a token that an application got for itself. */
export function application(origin: string, clock: Seconds): Record<string, unknown> {
  const { name: _, sid: __, ...rest } = common(clock)
  return {
    ...rest,
    aud: appId,
    iss: `${origin}/${tenant}/v2.0`,
    ver: '2.0',
    azp: clientApp,
    azpacr: '1',
    oid: appOid,
    sub: appOid,
    idtyp: 'app',
    roles: ['batch.run'],
  }
}

function common(clock: Seconds): Record<string, unknown> {
  return {
    tid: tenant,
    oid,
    sub: 'pairwise-for-this-application',
    name: 'Ada',
    uti: 'uti-1',
    sid: 'sid-1',
    iat: clock.s,
    nbf: clock.s,
    exp: clock.s + 4000,
  }
}

/** What stands in a token where the groups are too many for it. */
export function overage(endpoint = 'https://graph.windows.net/x/getMemberObjects'): object {
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } }
}
