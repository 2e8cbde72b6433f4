/** Requests on their way to the library and the sign-in site, and answers on their way back. */
import { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Fault } from '../base/fault.ts'

/**
 * The whole body.
 * @throws {Fault} `too_large`; `cancelled` when the sender is gone.
 */
export async function readBody(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = (): Fault => {
    const message = `The body is over the limit of ${bytesMax} bytes; it was not read.`
    return new Fault('too_large', message, { facts: { reason: 'body', bytesMax } })
  }
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    req.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= bytesMax) {
        chunks.push(chunk)
        return
      }
      // The rest is read and dropped until the listener's time is over: a client that is still
      // sending would not see an answer on a connection closed under it.
      chunks.length = 0
      reject(tooLarge())
    })
    req.on('end', () => resolve(Buffer.concat(chunks)))
    const gone = (): void => reject(new Fault('cancelled', 'The client closed the connection.'))
    req.on('close', gone)
    req.on('error', gone)
  })
}

/** A request of our own making, whose body has been read. Destroying it leaves the socket alone. */
class Replayed extends IncomingMessage {
  override _read(): void {}
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error)
  }
}

export interface Mount {
  /** Origin of the gateway, as clients see it. */
  readonly publicUrl: string
  /** Path under which the library believes itself to be: `/oauth`. */
  readonly base: string
}

/**
 * The request as the library is to see it: below its own path, and of this gateway's origin, whatever
 * the sender's Host or forwarding headers say. Addresses in its answers are made from these.
 * @param path below `base`, with query.
 */
export function toLibrary(
  req: IncomingMessage,
  { publicUrl, base }: Mount,
  path: string,
  body: Uint8Array,
): IncomingMessage {
  const { protocol, host } = new URL(publicUrl)
  const headers: IncomingHttpHeaders = {}
  for (const [name, value] of Object.entries(req.headers)) {
    const isHop = name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'expect'
    if (!isHop && name !== 'transfer-encoding') headers[name] = value
  }
  headers.host = host
  headers['x-forwarded-proto'] = protocol.slice(0, -1)
  delete headers['content-length']
  if (body.length > 0) headers['content-length'] = String(body.length)
  const made = new Replayed(req.socket)
  made.method = req.method ?? 'GET'
  made.url = path
  // Without it the metadata names endpoints that lack the base.
  Object.assign(made, { originalUrl: `${base}${path}`, headers })
  made.complete = true
  if (body.length > 0) made.push(body)
  made.push(null)
  return made
}

/** The same request for what speaks in fetch's terms. */
export function toFetch(req: IncomingMessage, publicUrl: string, body: Buffer): Request {
  const headers = new Headers()
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] ?? ''
    // HTTP/2 pseudo headers and the like are not for `Headers`.
    if (/^[\w-]+$/.test(name)) headers.append(name, req.rawHeaders[i + 1] ?? '')
  }
  const method = req.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(new URL(req.url ?? '/', publicUrl), {
    method,
    headers,
    ...(hasBody ? { body: new Uint8Array(body) } : {}),
  })
}

/** Sends an answer of fetch's terms. */
export async function sendFetched(res: ServerResponse, answer: Response): Promise<void> {
  for (const [name, value] of answer.headers) {
    if (name !== 'set-cookie') res.setHeader(name, value)
  }
  const cookies = answer.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  res.writeHead(answer.status)
  res.end(Buffer.from(await answer.arrayBuffer()))
}

export function send(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  const body = Buffer.from(text)
  res.writeHead(status, { ...headers, 'content-length': String(body.length) })
  res.end(body)
}

/** An error of the token and registration endpoints (RFC 6749 §5.2, RFC 7591 §3.2.2). */
export function sendError(
  res: ServerResponse,
  status: number,
  error: string,
  description: string,
): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  send(res, status, headers, JSON.stringify({ error, error_description: description }))
}

/**
 * Whether a form was sent by a page of this very origin.
 * `Origin` must be ours; `Sec-Fetch-Site`, where the browser sends it, must say so as well: a sibling
 * below the same domain is a stranger.
 */
export function isSameOrigin(req: IncomingMessage, publicUrl: string): boolean {
  const site = req.headers['sec-fetch-site']
  return req.headers.origin === publicUrl && (site === undefined || site === 'same-origin')
}
