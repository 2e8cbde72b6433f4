/**
 * What a client gets for each fault: HTTP status, JSON-RPC code, or a tool result with `isError`.
 * No other file of the data path chooses a status.
 *
 * Codes of JSON-RPC 2.0 §5.1 and MCP where they say it; our own stand outside −32768…−32000
 * (MCP 2026-07-28, Base protocol: error codes). −32000 and −32001 are what servers of the legacy
 * era answer in the same place.
 */
import type { Fault, FaultCode } from '../base/fault.ts'
import { statusOf as identityStatus } from '../identity/reasons.ts'
import { rpcError, rpcResult } from '../wire/text.ts'
import type { Json } from '../wire/text.ts'

interface Answer {
  readonly status: number
  readonly code: number
  /** A `tools/call` answered so that the model can read it: 200, a result with `isError`. */
  readonly asToolResult?: true
  /** In the modern era the code differs. */
  readonly modernCode?: number
  readonly retryAfterSeconds?: number
}

const answers: Readonly<Record<FaultCode, Answer>> = {
  no_identity: { status: 401, code: 1401 },
  identity_down: { status: 503, code: 1503, retryAfterSeconds: 5 },
  connection_refused: { status: 403, code: 1403 },
  connection_unknown: { status: 404, code: 1404 },
  connection_stopped: { status: 200, code: 1403, asToolResult: true },
  all_stopped: { status: 503, code: 1503, retryAfterSeconds: 60 },
  tool_unknown: { status: 200, code: -32602 },
  target_unknown: { status: 200, code: -32602 },
  refused: { status: 200, code: 1403, asToolResult: true },
  bad_json: { status: 400, code: -32700 },
  bad_request: { status: 400, code: -32600 },
  bad_params: { status: 400, code: -32602 },
  header_mismatch: { status: 400, code: -32020 },
  version_unsupported: { status: 400, code: -32000, modernCode: -32022 },
  batch_refused: { status: 400, code: -32600 },
  host_refused: { status: 403, code: 1403 },
  origin_refused: { status: 403, code: 1403 },
  media_unsupported: { status: 415, code: -32000 },
  not_acceptable: { status: 406, code: -32000 },
  method_not_allowed: { status: 405, code: -32000 },
  path_unknown: { status: 404, code: 1404 },
  too_large: { status: 413, code: 1413 },
  too_slow: { status: 408, code: 1408 },
  rate_limited: { status: 429, code: 1429, retryAfterSeconds: 10 },
  session_unknown: { status: 404, code: -32001 },
  session_missing: { status: 400, code: -32000 },
  busy: { status: 503, code: 1503, retryAfterSeconds: 2 },
  stopping: { status: 503, code: 1503, retryAfterSeconds: 10 },
  record_down: { status: 503, code: 1503, retryAfterSeconds: 60 },
  record_full: { status: 503, code: 1503, retryAfterSeconds: 30 },
  mask_failed: { status: 200, code: 1500, asToolResult: true },
  span_outside: { status: 500, code: -32603 },
  span_overlap: { status: 500, code: -32603 },
  config_bad: { status: 500, code: -32603 },
  secret_missing: { status: 503, code: 1503 },
  defect: { status: 500, code: -32603 },
  upstream_down: { status: 200, code: 1502 },
  upstream_timeout: { status: 200, code: 1504 },
  upstream_bad: { status: 200, code: 1502 },
  answer_too_large: { status: 200, code: 1500, asToolResult: true },
  answer_suspicious: { status: 200, code: 1500, asToolResult: true },
  cancelled: { status: 200, code: 1499 },
}

/** A refusal as it goes out, still to be scanned and released. */
export interface Refusal {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** What a refusal is told in: whose request, in which era. */
export interface Told {
  readonly exchange: string
  /** The raw id token of the request; undefined where there is none to answer. */
  readonly idRaw: string | undefined
  readonly isToolCall: boolean
  readonly era: 'modern' | 'legacy' | undefined
  /** `WWW-Authenticate`, for a 401. */
  readonly challenge?: string
}

/** The HTTP status a fault is answered with. */
export function statusOf(fault: Fault): number {
  const { reason } = fault.facts
  if (fault.code === 'no_identity' && typeof reason === 'string') return identityStatus(reason)
  return answers[fault.code].status
}

/** The whole HTTP answer for a fault. The body is a JSON-RPC object in every case. */
export function refusal(fault: Fault, told: Told): Refusal {
  const { retryAfterSeconds } = answers[fault.code]
  const status = statusOf(fault)
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  if (told.challenge !== undefined) headers['www-authenticate'] = told.challenge
  if (fault.code === 'method_not_allowed') headers['allow'] = 'GET, POST, DELETE'
  // Without an id a request cannot be answered by a 200: whoever sent it waits for nothing.
  const http = status === 200 && told.idRaw === undefined ? 400 : status
  return { status: http, headers, body: refusalMessage(fault, told) }
}

/** The JSON-RPC message for a fault, as it stands in a body, a batch or an event of a stream. */
export function refusalMessage(fault: Fault, told: Told): Uint8Array {
  const { asToolResult } = answers[fault.code]
  const isResult = asToolResult === true && told.isToolCall && told.idRaw !== undefined
  return isResult ? toolResult(fault, told.idRaw, told) : errorMessage(fault, told)
}

/** `{"jsonrpc":"2.0","id":…,"result":{"content":[…],"isError":true}}`; a model reads the text. */
function toolResult(fault: Fault, idRaw: string, told: Told): Uint8Array {
  const text = `${fault.message} (exchange ${told.exchange})`
  return rpcResult(idRaw, {
    content: [{ type: 'text', text }],
    isError: true,
    resultType: told.era === 'modern' ? 'complete' : undefined,
    _meta: { 'dev.sallyport/refusal': factsOf(fault, told) },
  })
}

function errorMessage(fault: Fault, told: Told): Uint8Array {
  const { code: plain, modernCode } = answers[fault.code]
  const isModern = (fault.facts['era'] ?? told.era) === 'modern'
  const code = isModern && modernCode !== undefined ? modernCode : plain
  return rpcError(told.idRaw, { code, message: fault.message, data: factsOf(fault, told) })
}

/** The facts of a fault are codes, counts and names of ours; the exchange id finds it in the record. */
function factsOf(fault: Fault, told: Told): Json {
  return { ...fault.facts, exchange: told.exchange }
}
