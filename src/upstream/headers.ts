/** Which headers pass: lists of what may, in both directions; what is not named stays out. */
import { Fault } from '../base/fault.ts'

/** MCP's own (all `mcp-*`, unknown `Mcp-Param-*` too: MCP 2026-07-28, Transports) besides these. */
const asked: readonly string[] = [
  'accept',
  'content-type',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
]

const answered: readonly string[] = [
  'content-type',
  'mcp-session-id',
  'cache-control',
  'x-accel-buffering',
  'allow',
  'retry-after',
]

/** Never passed on, whatever the configuration says: credentials, addresses, and one hop's framing. */
const never =
  /^(?:authorization|cookie|set-cookie2?|www-authenticate|authentication-info|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|content-encoding|accept-encoding|forwarded|via|location|server|proxy-.*|x-forwarded-.*|x-real-ip)$/

/** Values longer than this, or not plain ASCII, are dropped from answers. */
const valueLengthMax = 1024

/**
 * Returns the filter for a client's headers. Repeated ones stay repeated.
 * @param own names of the headers that carry our credential, lower case; never an `mcp-` one.
 * @throws {Fault} `config_bad` when a rule names a header that must never pass.
 */
export function requestFilter(
  connection: string,
  extra: readonly string[],
  own: readonly string[],
): (headers: Iterable<[string, string]>) => string[] {
  const passes = new Set([...asked, ...checked(connection, extra)])
  for (const name of own) passes.delete(name)
  return (headers) => {
    const out: string[] = []
    let named = ''
    for (const [name, value] of headers) {
      if (passes.has(name) || name.startsWith('mcp-')) out.push(name, value)
      else if (name === 'connection') named += `,${value}`
    }
    return named === '' || isUsual(named) ? out : withoutNamed(out, named)
  }
}

/**
 * Returns the pick from a server's headers: one value each, joined by commas where it was repeated.
 * @throws {Fault} `config_bad` when a rule names a header that must never pass.
 */
export function responsePick(
  connection: string,
  extra: readonly string[],
): (headers: Readonly<Record<string, string | string[] | undefined>>) => Record<string, string> {
  const names = [...new Set([...answered, ...checked(connection, extra)])]
  return (headers) => {
    const out: Record<string, string> = {}
    for (const name of names) {
      const value = headers[name]
      if (value === undefined) continue
      const text = typeof value === 'string' ? value : value.join(', ')
      if (text.length <= valueLengthMax && isPlain(text)) out[name] = text
    }
    return out
  }
}

function checked(connection: string, names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (!never.test(name.toLowerCase())) continue
    const message = `connection "${connection}": header "${name}" is never passed on; take it out of headers.`
    throw new Fault('config_bad', message)
  }
  return names.map((name) => name.toLowerCase())
}

function isUsual(named: string): boolean {
  return /^[\s,]*(?:keep-alive|close)?[\s,]*$/i.test(named)
}

/** What `Connection` names is meant for this hop alone (RFC 9110 §7.6.1). */
function withoutNamed(pairs: readonly string[], named: string): string[] {
  const gone = new Set(named.split(',').map((name) => name.trim().toLowerCase()))
  return pairs.filter((_, i) => !gone.has(pairs[i - (i % 2)] ?? ''))
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text)
}
