/**
 * The measure of all figures: a reverse proxy of the same two parts as the gateway, `node:http` in
 * and `undici` out, which streams what comes and does nothing else. No check, no copy, no record.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool } from 'undici'

const upstreamPort = Number(process.argv[2])
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 128, pipelining: 1 })
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'upgrade', 'te'])

function forwarded(request: IncomingMessage): string[] {
  const kept: string[] = []
  const raw = request.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '')
  }
  return kept
}

function proxy(request: IncomingMessage, response: ServerResponse): void {
  const sent = pool.stream(
    {
      path: request.url ?? '/',
      method: 'POST',
      headers: forwarded(request),
      body: request,
      opaque: response,
    },
    ({ statusCode, headers }) => {
      response.writeHead(statusCode, headers)
      return response
    },
  )
  sent.catch(() => response.destroy())
}

const server = createServer(proxy)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
