/** What is answered when a request of a directory is refused (RFC 7644 §3.12). */
import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'

/** The words of RFC 7644 §3.12, table 9, that are used here. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'uniqueness'

const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** Of a fault thrown below. What is not here is ours to look at: 500, without its text. */
const statuses: Partial<Record<FaultCode, number>> = {
  bad_json: 400,
  bad_request: 400,
  busy: 503,
  media_unsupported: 415,
  method_not_allowed: 405,
  no_identity: 401,
  path_unknown: 404,
  rate_limited: 429,
  too_large: 413,
}

const failed =
  'The gateway could not do this. Nothing of it was kept; the same request may be sent again.'

/** A request that is refused for what it says: 409 for `uniqueness`, else 400. */
export function bad(scimType: ScimType, message: string): Fault {
  const status = scimType === 'uniqueness' ? 409 : 400
  return new Fault('bad_request', message, { facts: { scimType, status } })
}

/** A request that another status says more about: 412, 501, 403. */
export function refused(status: number, message: string): Fault {
  return new Fault('bad_request', message, { facts: { status } })
}

export function notFound(): Fault {
  return new Fault('path_unknown', 'There is no such resource.')
}

/** Every answer is of this type, whatever was asked for (RFC 7644 §3.1). */
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  const type = {
    'content-type': 'application/scim+json; charset=utf-8',
    'cache-control': 'no-store',
  }
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } })
}

/** The answer to whatever was thrown: a text of ours, or none. */
export function errorAnswer(error: unknown): Response {
  const known = error instanceof Fault ? statuses[error.code] : undefined
  if (!(error instanceof Fault) || known === undefined) return errorBody(500, failed)
  const { scimType, status } = error.facts
  const type = typeof scimType === 'string' ? scimType : undefined
  const isSyntax = error.code === 'bad_json'
  return errorBody(
    typeof status === 'number' ? status : known,
    error.message,
    isSyntax ? 'invalidSyntax' : type,
  )
}

function errorBody(status: number, detail: string, scimType?: string): Response {
  const challenge = { 'www-authenticate': 'Bearer realm="scim"' }
  const wait = { 'retry-after': '60' }
  const type = scimType === undefined ? {} : { scimType }
  const body = { schemas: [errorSchema], status: String(status), ...type, detail }
  return json(status, body, status === 401 ? challenge : status === 429 ? wait : {})
}
