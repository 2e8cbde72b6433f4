/**
 * Microsoft Graph over HTTP, with the token endpoint before it: who belongs to which groups, the
 * limits of its questions, and its refusals, word for word where the documentation shows them.
 *
 * Sources: Graph v1.0, "directoryObject: checkMemberGroups", "directoryObject: getMemberGroups",
 * "Microsoft Graph throttling guidance"; "OAuth 2.0 client credentials flow".
 */
import { randomBytes } from 'node:crypto'
import { startJsonFake } from './json-fake.ts'
import type { Answer, Asked, JsonFake } from './json-fake.ts'

export interface GraphFake extends JsonFake {
  /** Ids of groups by the id of a user, or of a service principal. */
  readonly users: Map<string, readonly string[]>
  readonly applications: Map<string, readonly string[]>
  /** Tokens that are let in, with the tenant they are for; emptying it withdraws them. */
  readonly tokens: Map<string, string>
  /** Permissions the application was given consent for. */
  readonly consents: Set<string>
  /** What was wrong with the questions so far; empty where all were as documented. */
  readonly faults: string[]
  /** Seconds that a token lives. */
  livesS: number
}

export const graphClient = 'c0ffee00-0000-4000-8000-00000000aaaa'
export const graphSecret = 'a-graph-secret-of-the-fake'

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const sizeMax = 11_000

/** @param other answers what is neither Graph nor the token endpoint, at the same origin. */
export async function startGraph(
  other: (asked: Asked, origin: string) => Answer | undefined = () => undefined,
): Promise<GraphFake> {
  const state = {
    users: new Map<string, readonly string[]>(),
    applications: new Map<string, readonly string[]>(),
    tokens: new Map<string, string>(),
    consents: new Set(['User.Read.All', 'GroupMember.Read.All', 'Application.Read.All']),
    faults: [] as string[],
    livesS: 3599,
  }
  const fake: JsonFake = await startJsonFake((asked) => {
    const answer = tokenAnswer(made, asked) ?? graphAnswer(made, asked) ?? other(asked, fake.origin)
    return answer ?? error(404, 'ResourceNotFound', 'Resource not found for the segment.')
  })
  const made: GraphFake = Object.assign(state, fake)
  return made
}

function tokenAnswer(fake: GraphFake, asked: Asked): Answer | undefined {
  const tenant = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(asked.path)?.[1]
  if (tenant === undefined) return undefined
  const form = new URLSearchParams(asked.text)
  expect(fake, asked.method === 'POST', 'a token is asked for by POST')
  const type = asked.headers['content-type'] ?? ''
  expect(fake, type.startsWith('application/x-www-form-urlencoded'), 'its question is a form')
  expect(fake, guid.test(tenant), 'its tenant is a GUID')
  expect(fake, asked.query.size === 0, 'nothing stands in its query')
  if (form.get('grant_type') !== 'client_credentials') return denied(400, 'unsupported_grant_type')
  if (form.get('scope') !== `${fake.origin}/.default`) return denied(400, 'invalid_scope')
  const isProved =
    form.get('client_id') === graphClient && form.get('client_secret') === graphSecret
  if (!isProved) return denied(401, 'invalid_client')
  const token = randomBytes(24).toString('base64url')
  fake.tokens.set(token, tenant)
  const body = { token_type: 'Bearer', expires_in: fake.livesS, access_token: token }
  return { status: 200, body }
}

function graphAnswer(fake: GraphFake, asked: Asked): Answer | undefined {
  const [, version, folder, id = '', action] = asked.path.split('/')
  if (version !== 'v1.0') return undefined
  const token = /^Bearer (\S+)$/.exec(asked.headers.authorization ?? '')?.[1] ?? ''
  if (!fake.tokens.has(token)) {
    return error(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.')
  }
  expect(fake, asked.method === 'POST', 'membership is asked for by POST')
  expect(fake, asked.headers['content-type'] === 'application/json', 'its question is JSON')
  expect(fake, asked.headers.accept === 'application/json', 'its answer is to be JSON')
  const isUser = folder === 'users'
  if (
    !fake.consents.has('GroupMember.Read.All') ||
    (isUser && !fake.consents.has('User.Read.All'))
  ) {
    const message = 'Insufficient privileges to complete the operation.'
    return error(403, 'Authorization_RequestDenied', message)
  }
  const groups = (isUser ? fake.users : fake.applications).get(id)
  if (groups === undefined) {
    const message = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`
    return error(404, 'Request_ResourceNotFound', message)
  }
  return action === 'checkMemberGroups' ? check(asked, groups) : all(groups)
}

function check(asked: Asked, groups: readonly string[]): Answer {
  const ids = asked.json?.['groupIds']
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > 20) {
    const message = 'The number of group IDs must be greater than 0 and no more than 20.'
    return error(400, 'Request_BadRequest', message)
  }
  if (!ids.every((id) => guid.test(String(id)))) {
    return error(400, 'Request_BadRequest', 'Invalid GUID specified.')
  }
  return { status: 200, body: { value: ids.filter((id) => groups.includes(String(id))) } }
}

/** `getMemberGroups`: not for those who are in more groups than it returns. */
function all(groups: readonly string[]): Answer {
  if (groups.length <= sizeMax) return { status: 200, body: { value: groups } }
  const message = 'The result set is too large.'
  return error(400, 'Directory_ResultSizeLimitExceeded', message)
}

function expect(fake: GraphFake, isSo: boolean, what: string): void {
  if (!isSo) fake.faults.push(what)
}

/** As Graph words it; `retryAfterS` in seconds. */
export function graphThrottled(retryAfterS: number): Answer {
  const answer = error(429, 'TooManyRequests', 'Too many requests.')
  return { ...answer, headers: { 'retry-after': String(retryAfterS) } }
}

function denied(status: number, word: string): Answer {
  return { status, body: { error: word, error_description: 'AADSTS: refused by the fake' } }
}

function error(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message, innerError: { date: '2026-11-21T12:00:00' } } } }
}
