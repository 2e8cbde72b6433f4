/** Answers to what is not HTTP, or no HTTP we read: no request comes of it, so `serve` never sees it. */

/** Something refused below the level of requests, for the record (or its flood count). */
export interface BadHttp {
  /** A word of ours: `syntax`, `header_too_large`, `too_slow`, `pipelined`, `too_many_sockets`, `tls`,
   *  `connect`, `expectation`. */
  readonly reason: string
  /** The parser's or TLS library's code where it has one, such as `HPE_INVALID_METHOD`. */
  readonly detail?: string
  readonly source: { readonly ip: string; readonly port: number }
  /** The HTTP status answered; 0 when nothing could be answered. */
  readonly status: number
}

interface BadAnswer {
  readonly reason: string
  readonly status: number
  readonly bytes: Buffer
}

const syntax = answer(
  'syntax',
  400,
  'Bad Request',
  'This is no HTTP/1.1 request the gateway reads.',
)
/** For a head over the limit, of bytes or of fields. */
export const tooManyHeaders: BadAnswer = answer(
  'header_too_large',
  431,
  'Request Header Fields Too Large',
  'The header section is over the limit.',
)
const slow = answer('too_slow', 408, 'Request Timeout', 'The request did not arrive in time.')
export const refusedConnect: BadAnswer = answer(
  'connect',
  405,
  'Method Not Allowed',
  'This is no proxy for CONNECT.',
)

/** What to answer for an error of node's parser, by its code. */
export function badAnswer(code: string): BadAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') return tooManyHeaders
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? slow : syntax
}

/** The code of an error, if it looks like one: a constant of the library, never input. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : ''
}

/** A JSON-RPC error without an id: clients of either era read it (JSON-RPC 2.0 §5). */
function answer(reason: string, status: number, phrase: string, message: string): BadAnswer {
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32600, message } })
  const head =
    `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  return { reason, status, bytes: Buffer.from(head + body, 'latin1') }
}
