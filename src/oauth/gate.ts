/** What is looked at before the library sees a request: its address, its size, what a client says. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { scopes, tidyMetadata } from './metadata.ts'
import { errorPage, pageHeaders } from './pages.ts'
import { send, sendError } from './requests.ts'

/** Of an authorization request: it is kept for ten minutes, whoever sends it. */
const queryBytesMax = 4096

/** What is answered by this server at all: `TRACE` and the like are not even read. */
const methodsHere: readonly string[] = ['GET', 'HEAD', 'POST', 'OPTIONS']

/** What is answered by the library, by method, with the most bytes of a body; nothing else of it can
 *  be reached. */
const rows: readonly (readonly [path: RegExp, methods: readonly string[], bodyBytesMax: number])[] =
  [
    [/^\/auth$/, ['GET'], 0],
    [/^\/auth\/[\w-]+$/, ['GET'], 0],
    [/^\/token$/, ['POST', 'OPTIONS'], 48 * 1024],
    [/^\/token\/revocation$/, ['POST', 'OPTIONS'], 16 * 1024],
    [/^\/reg$/, ['POST', 'OPTIONS'], 16 * 1024],
    [/^\/jwks$/, ['GET', 'HEAD', 'OPTIONS'], 0],
    [
      /^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/,
      ['GET', 'HEAD', 'OPTIONS'],
      0,
    ],
  ]

/** @returns false when the answer has been given: whatever the address is, not by this method. */
export function isMethodHere(req: IncomingMessage, res: ServerResponse): boolean {
  if (methodsHere.includes(req.method ?? '')) return true
  refuseMethod(res, methodsHere)
  return false
}

function refuseMethod(res: ServerResponse, methods: readonly string[]): void {
  res.setHeader('allow', methods.join(', '))
  sendError(res, 405, 'invalid_request', 'not with this method')
}

/**
 * @param path below `/oauth`, without query.
 * @returns the most bytes its body may have; undefined when the answer has been given: there is no
 *   such address, or not by this method.
 */
export function letIn(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  query: string,
): number | undefined {
  const row = rows.find(([pattern]) => pattern.test(path))
  if (row === undefined) {
    send(res, 404, pageHeaders, errorPage('There is nothing here', 'Look at the address.'))
    return undefined
  }
  const [, methods, bodyBytesMax] = row
  if (!methods.includes(req.method ?? '')) {
    refuseMethod(res, methods)
    return undefined
  }
  if (path === '/auth' && query.length > queryBytesMax) {
    const sentence = `The program asked with an address of over ${queryBytesMax} bytes, which is more than is taken here.`
    send(res, 414, pageHeaders, errorPage('This did not work', sentence, 'invalid_request'))
    return undefined
  }
  const modes = path === '/auth' ? new URLSearchParams(query).getAll('response_mode') : []
  if (modes.some((mode) => mode !== 'query')) {
    // The others are pages with a script of their own, or put the code where scripts can read it.
    const sentence = 'The program asked for its answer in a form that is not offered here.'
    const text = errorPage('This did not work', sentence, 'invalid_request')
    send(res, 400, pageHeaders, text)
    return undefined
  }
  return bodyBytesMax
}

/**
 * The query of an authorization request, with the one scope there is: who names none means it (RFC
 * 6749 §3.3), and who names others of its own making gets it instead.
 * @param query with its question mark, or empty.
 */
export function tidyScope(query: string): string {
  const params = new URLSearchParams(query)
  const said = params.getAll('scope')
  if (said.length > 1) return query // The library says that once is enough.
  const words = said.join(' ').split(' ')
  const kept = scopes.filter((scope) => scope === 'mcp' || words.includes(scope))
  params.set('scope', kept.join(' '))
  return `?${params.toString()}`
}

/**
 * A registration as the library may see it.
 * @returns undefined when it has been refused.
 */
export function tidyRegistration(
  req: IncomingMessage,
  res: ServerResponse,
  body: Buffer,
): Buffer | undefined {
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  const said = type === 'application/json' ? parsed(body) : undefined
  const made = tidyMetadata(said, 'dynamic')
  if ('metadata' in made) return Buffer.from(JSON.stringify(made.metadata))
  sendError(res, 400, made.error, made.why)
  return undefined
}

/** A client that runs in a browser asks first. There is nothing in the answer to steal. */
export function allowOrigins(res: ServerResponse): void {
  const headers = {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, mcp-protocol-version',
    'access-control-max-age': '3600',
  }
  send(res, 204, headers, '')
}

/** The library says that it can do more than is let in here. */
export function tidyDiscovery(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('response_modes_supported' in body)) return
  body.response_modes_supported = ['query']
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
