/**
 * A relay in front of the gateway, for clients that cannot send a token (neither conformance suite
 * can): it passes everything on as it came, header by header and byte by byte, `Host` and `Origin`
 * included, without waiting for the end of anything; it changes the headers it is told to change.
 */
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** From one list of header names and values in turn to another. */
export type HeaderChange = (raw: readonly string[]) => readonly string[]

/** Where a relay sends to. */
export interface Aim {
  readonly port: number
  readonly host?: string
  /** Changes the client's headers, given as names and values in turn; without it they stay. */
  readonly headers?: HeaderChange
  /** Replaces the path; otherwise the client's stays. */
  readonly path?: string
}

export interface Relay {
  readonly port: number
  /** Must be called before the first request; a request without an aim gets 503. */
  aim(at: Aim): void
  close(): Promise<void>
}

/** Opens a relay on a free loopback port. */
export async function openRelay(): Promise<Relay> {
  let aim: Aim | undefined
  const server = createServer(
    { insecureHTTPParser: false, requireHostHeader: false },
    (req, res) => {
      if (aim === undefined) res.writeHead(503).end()
      else pass(req, res, aim)
    },
  )
  // A stream may be silent for as long as its server likes.
  server.requestTimeout = 0
  server.headersTimeout = 0
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    aim: (at) => void (aim = at),
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}

function pass(req: IncomingMessage, res: ServerResponse, aim: Aim): void {
  const headers = aim.headers?.(req.rawHeaders) ?? req.rawHeaders
  const onward = request({
    host: aim.host ?? '127.0.0.1',
    port: aim.port,
    method: req.method,
    path: aim.path ?? req.url,
    headers,
    setHost: false,
    agent: false,
  })
  onward.on('response', (answer) => {
    res.sendDate = false
    res.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
    res.flushHeaders()
    answer.on('data', (chunk: Uint8Array) => {
      if (!res.write(chunk)) answer.pause()
    })
    res.on('drain', () => answer.resume())
    answer.on('end', () => res.end())
    answer.on('error', () => res.destroy())
  })
  onward.on('error', () => {
    // A gateway that is gone looks as it would without a relay: the connection breaks.
    res.destroy()
  })
  res.on('close', () => onward.destroy())
  req.pipe(onward)
}

/** Puts our token in the place of the client's `Authorization`. */
export function withToken(token: string): HeaderChange {
  return withHeader('Authorization', `Bearer ${token}`)
}

/** Puts a header in the place of the client's own of that name, or takes that away. */
export function withHeader(name: string, value?: string): HeaderChange {
  return (raw) => {
    const kept: string[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const [key = '', old = ''] = raw.slice(i, i + 2)
      if (key.toLowerCase() !== name.toLowerCase()) kept.push(key, old)
    }
    return value === undefined ? kept : [...kept, name, value]
  }
}
