/**
 * Whether Microsoft Graph can be asked for the groups of people who have too many for a token: is the
 * secret right, and was consent given for reading memberships. Nobody real is asked about.
 */
import type { Path } from '../config/config.ts'
import type { GraphConfig } from '../config/types.ts'
import { askJson } from '../identity/fetch-json.ts'
import type { AskedJson } from '../identity/fetch-json.ts'
import { createGraph } from '../identity/graph.ts'
import { meaningOf } from './live-entra-words.ts'
import { nowMsOf, wrong } from './live-look.ts'
import type { Look, LookParts } from './live-look.ts'

export interface AskedGraph {
  readonly what: string
  readonly name: string
  readonly authority: string
  readonly tenant: string
  readonly graph: GraphConfig
}

/** @param path of `graph` in the configuration. */
export function graphLooks(of: AskedGraph, path: Path, parts: LookParts): Look[] {
  return [{ what: of.what, path, look: () => askGraph(of, whereOf(path), parts) }]
}

function whereOf(path: Path): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
  return `${parts.join('').slice(1)}.client_secret`
}

async function askGraph(of: AskedGraph, where: string, parts: LookParts): Promise<string> {
  const { clock, fetch, secrets } = parts
  await secrets.ready([{ ref: of.graph.clientSecret, where }])
  const secret = secrets.open(of.graph.clientSecret, 'header', where)
  await askToken(of, secret.read().reveal(), fetch)
  // From here on by what the gateway itself asks with.
  const { authority, graph, name, tenant } = of
  const asking = createGraph({ ...graph, name, authority, secret, groups: [], fetch })
  try {
    await asking.probe(tenant, nowMsOf({ clock }))
  } catch (cause) {
    throw wrong(whyNot(cause, of.graph), cause)
  }
  return 'may be asked who belongs to which groups'
}

function whyNot(cause: unknown, { clientId, url }: GraphConfig): string {
  const isRefused = cause instanceof Error && cause.message.includes('no consent')
  if (!isRefused) {
    return `has a token, but ${url} does not answer the question for memberships; nobody with too many groups is let in until it does`
  }
  return `has a token, but no consent to read memberships (status 403). Give the application ${clientId} the application permissions GroupMember.Read.All and User.Read.All for Microsoft Graph, and "Grant admin consent"; without it nobody with too many groups is let in`
}

/** OAuth 2.0 client credentials, as the gateway asks; the token is dropped. */
async function askToken(
  { authority, graph, tenant }: AskedGraph,
  secret: string,
  fetch: LookParts['fetch'],
): Promise<void> {
  const form = {
    grant_type: 'client_credentials',
    client_id: graph.clientId,
    client_secret: secret,
    scope: `${graph.url}/.default`,
  }
  let answer: AskedJson
  try {
    answer = await askJson(`${authority}/${tenant}/oauth2/v2.0/token`, fetch, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
  } catch (cause) {
    throw wrong(`the token endpoint at ${authority} does not answer`, cause)
  }
  if (answer.status === 200) return
  const meaning = meaningOf(answer.value) ?? wordsFor(answer)
  throw wrong(`gets no token for Graph: ${meaning}`)
}

function wordsFor({ status, value }: AskedJson): string {
  const word: unknown = value && Reflect.get(value, 'error')
  if (word === 'invalid_client') return 'client_id or client_secret is wrong or has expired'
  if (word === 'unauthorized_client') return 'the tenant knows no application of this client_id'
  if (word === 'invalid_scope' || word === 'invalid_resource') {
    return 'graph.url is not that of this cloud'
  }
  return `the token endpoint answered with status ${status}`
}
