/**
 * What a failure behind us is called. The library's errors carry addresses, paths and, in `data`,
 * bytes of the answer. So only their codes come through: the errors themselves are dropped here and
 * stand in no `cause`.
 */
import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'
import { forbiddenCode } from './address.ts'

/** How far the call had come when it failed. */
export interface Progress {
  /** Bytes of the request may have left: the server may have acted on it. */
  readonly isSent: boolean
  /** The head of the answer had come. */
  readonly isAnswered: boolean
}

/** The code of an error, if it looks like one: a constant of the library, never input. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : ''
}

/** Whether the connection broke before any byte of an answer: a keep-alive connection that the
 *  server was closing just then looks so (RFC 9112 §9.5). */
export function isReset(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
}

/** What each reason says, after `The MCP server of connection "name" `. */
const says = {
  refused: 'accepts no connection; it may be stopped or its address wrong.',
  unreachable: 'cannot be reached over the network.',
  dns: 'has a host name that does not resolve.',
  address:
    'has a host name that leads to a link-local address, a metadata service or this machine.',
  reset: 'closed the connection without an answer.',
  tls: 'cannot be reached over TLS: check its certificate, tls.ca_file and the client certificate.',
  connect: 'did not accept a connection within timeouts.connect.',
  first_byte: 'did not answer within timeouts.headers.',
  idle: 'stopped in the middle of its answer for longer than timeouts.idle.',
  total: 'did not finish its answer within the time a call may take.',
  cut: 'broke off in the middle of its answer.',
  http: 'answered something that is not HTTP as we read it.',
  length: 'answered another number of bytes than it announced.',
  redirect: 'answered with a redirect, which is not followed: a credential would go along.',
  encoding: 'answered in a content encoding that is unknown or broken.',
  content_type: 'answered with more than one Content-Type.',
  session_id: 'answered with an Mcp-Session-Id that the protocol does not allow.',
  headers: 'answered with more header bytes than the limit.',
  size: 'answered more bytes than the limit; the answer is withheld.',
} as const

export type UpstreamReason = keyof typeof says

const codes: Readonly<Record<UpstreamReason, FaultCode>> = {
  refused: 'upstream_down',
  unreachable: 'upstream_down',
  dns: 'upstream_down',
  address: 'upstream_down',
  reset: 'upstream_down',
  tls: 'upstream_down',
  connect: 'upstream_timeout',
  first_byte: 'upstream_timeout',
  idle: 'upstream_timeout',
  total: 'upstream_timeout',
  cut: 'upstream_bad',
  http: 'upstream_bad',
  length: 'upstream_bad',
  redirect: 'upstream_bad',
  encoding: 'upstream_bad',
  content_type: 'upstream_bad',
  session_id: 'upstream_bad',
  headers: 'upstream_bad',
  size: 'answer_too_large',
}

/**
 * The fault for one reason. Its facts: `reason`, `isSent` (the server may have acted), and `detail`,
 * the library's code where there is one.
 * @param connection the configured name of the connection; no address stands in the message.
 */
export function upstreamFault(
  connection: string,
  reason: UpstreamReason,
  { isSent }: Progress,
  error?: unknown,
): Fault {
  const ran = isSent ? ' The call may have run.' : ' Nothing was sent.'
  const message = `The MCP server of connection "${connection}" ${says[reason]}${ran}`
  const detail = codeOf(error)
  const facts = detail === '' ? { reason, isSent } : { reason, isSent, detail }
  return new Fault(codes[reason], message, { facts })
}

/** The client is gone, or the call was cancelled: nobody waits for the answer any more. */
export function cancelledFault({ isSent }: Progress): Fault {
  const message = isSent
    ? 'The call was cancelled after it was sent; it may have run.'
    : 'The call was cancelled before it was sent.'
  return new Fault('cancelled', message, { facts: { reason: 'cancelled', isSent } })
}

/** The fault for an error of the HTTP client. */
export function faultOf(connection: string, error: unknown, progress: Progress): Fault {
  if (error instanceof Fault) return error
  const code = codeOf(error)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    const message = 'The gateway is stopping; the call was not completed.'
    const facts = { reason: 'stopping', isSent: progress.isSent }
    return new Fault('stopping', message, { facts })
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    const message = 'A header of the request cannot be sent on; nothing was sent.'
    const facts = { reason: 'header', isSent: progress.isSent }
    return new Fault('bad_request', message, { facts })
  }
  // The parser's errors carry their code only now and then, but always their name.
  const isParser = error instanceof Error && error.name === 'HTTPParserError'
  return upstreamFault(connection, isParser ? 'http' : reasonOf(code, progress), progress, error)
}

const unreachable = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL'])

function reasonOf(code: string, { isAnswered }: Progress): UpstreamReason {
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'dns'
  if (code === forbiddenCode) return 'address'
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'connect'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'headers'
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'length'
  if (/^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|EPROTO)/.test(code)) {
    return 'tls'
  }
  if (isAnswered) return 'cut'
  return unreachable.has(code) ? 'unreachable' : 'reset'
}
