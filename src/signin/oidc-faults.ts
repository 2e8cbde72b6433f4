/** What went wrong at an OpenID provider, in words of ours. Texts of the library hold what came. */
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client'
import { Fault } from '../base/fault.ts'
import { providerDown, providerRefused } from './provider-faults.ts'

/** Error words of OAuth 2.0 and OpenID Connect (RFC 6749 §4.1.2.1, §5.2; Core §3.1.2.6). */
const words = new Set([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'login_required',
  'server_error',
  'temporarily_unavailable',
  'unauthorized_client',
  'unsupported_response_type',
])

/** A fault for whatever `openid-client` threw; a fault stays what it is. */
export function oidcFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (error instanceof AuthorizationResponseError)
    return providerRefused('provider_said_no', error, wordOf(error.error))
  const status = statusOf(error)
  if (status !== undefined && status >= 500) return providerDown('provider_failing', error)
  if (error instanceof ResponseBodyError)
    return providerRefused('provider_token_refused', error, wordOf(error.error))
  const code = codeOf(error)
  if (code === undefined) return providerDown('provider_unreachable', error)
  if (code === 'OAUTH_TIMEOUT') return providerDown('provider_timeout', error)
  return providerRefused('provider_answer_bad', error, code)
}

/** Status of the answer at the bottom of an error, if there was one. */
function statusOf(error: unknown, depth = 0): number | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined
  // By its form: a server library may have put a class of its own in the place of `Response`.
  const status: unknown = Reflect.get(error, 'status')
  if (typeof status === 'number') return status
  return error instanceof Error ? statusOf(error.cause, depth + 1) : undefined
}

function wordOf(word: string): string {
  return words.has(word) ? word : 'other'
}

/** The library's word for what was wrong with an answer; none where there was no answer. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof ClientError)) return undefined
  const { code } = error
  return code !== undefined && /^OAUTH_[A-Z_]{1,64}$/.test(code) ? code : undefined
}
