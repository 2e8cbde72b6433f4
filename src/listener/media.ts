import { Fault } from '../base/fault.ts'
import type { RequestHeaders } from './headers.ts'

/**
 * A request must come as its plain bytes: a compressed one would be read by nobody but the server
 * behind us.
 * @throws {Fault} `media_unsupported` for any Content-Encoding but `identity` (RFC 9110 §8.4, §15.5.16).
 */
export function checkPlain(headers: Pick<RequestHeaders, 'all'>): void {
  for (const value of headers.all('content-encoding')) {
    if (/^\s*(identity)?\s*$/i.test(value)) continue
    const message = 'Content-Encoding is not accepted on requests; send the body as it is.'
    throw new Fault('media_unsupported', message, { facts: { reason: 'content_encoding' } })
  }
}

/**
 * A posted message is one `application/json` in UTF-8 (MCP 2025-11-25, Transports: the body MUST be
 * JSON; RFC 8259 §8.1).
 * @throws {Fault} `media_unsupported` when the type is absent, sent twice, another one, or names
 *   another charset.
 */
export function checkJson(headers: Pick<RequestHeaders, 'all'>): void {
  const [type, ...others] = headers.all('content-type')
  if (type !== undefined && others.length === 0 && isJson(type)) return
  const message = 'The body must be sent once and plainly as Content-Type: application/json, UTF-8.'
  throw new Fault('media_unsupported', message, { facts: { reason: 'content_type' } })
}

function isJson(type: string): boolean {
  if (type === 'application/json') return true // The common case, without a pattern.
  return /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?;?\s*$/i.test(type.trim())
}
