/** A local HTTP server that answers JSON, and can be told to misbehave: under the fakes of services. */
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** As it was sent. */
  readonly text: string
  /** `text` as JSON, or undefined. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What goes wrong with one request, instead of or after its right answer. */
export type Mishap =
  | Answer
  /** Changes the right answer. */
  | ((answer: Answer, asked: Asked) => Answer)
  /** No byte of an answer; half of one and then nothing; half of one and then its end; 1 MiB. */
  | 'silent'
  | 'stalled'
  | 'truncated'
  | 'huge'
  /** The connection is torn down. */
  | 'reset'

export interface JsonFake {
  readonly origin: string
  /** Every request so far. */
  readonly asked: Asked[]
  /** For the next request whose path fits. Several for one path happen in their order. */
  once(path: RegExp, mishap: Mishap): void
  /** How many requests had such a path. */
  count(path: RegExp): number
  close(): Promise<void>
}

/** @param tls PEM of key and certificate, to listen as `https://localhost`. */
export async function startJsonFake(
  answer: (asked: Asked) => Answer | Promise<Answer>,
  tls?: { readonly key: string; readonly cert: string },
): Promise<JsonFake> {
  const asked: Asked[] = []
  const mishaps: { path: RegExp; mishap: Mishap }[] = []
  const take = (path: string): Mishap | undefined => {
    const at = mishaps.findIndex((each) => each.path.test(path))
    return at < 0 ? undefined : mishaps.splice(at, 1)[0]?.mishap
  }
  const listener: RequestListener = (request, response) => {
    void read(request).then(async (one) => {
      asked.push(one)
      const mishap = take(one.path)
      misbehave(response, one, await answer(one), mishap)
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    asked,
    once: (path, mishap) => mishaps.push({ path, mishap }),
    count: (path) => asked.filter((each) => path.test(each.path)).length,
    close: () => closed(server),
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const part of request) text += String(part)
  const url = new URL(request.url ?? '/', 'http://fake')
  const { method = '', headers } = request
  return { method, path: url.pathname, query: url.searchParams, headers, text, json: jsonOf(text) }
}

function jsonOf(text: string): Asked['json'] {
  try {
    return JSON.parse(text) as Asked['json']
  } catch {
    return undefined
  }
}

function misbehave(to: ServerResponse, asked: Asked, right: Answer, mishap?: Mishap): void {
  if (mishap === undefined) return send(to, right)
  if (typeof mishap === 'function') return send(to, mishap(right, asked))
  if (typeof mishap === 'object') return send(to, mishap)
  const text = JSON.stringify(right.body)
  const half = text.slice(0, text.length / 2)
  if (mishap === 'reset') to.destroy()
  else if (mishap === 'huge') send(to, { status: 200, body: { filler: 'x'.repeat(1024 * 1024) } })
  else if (mishap === 'truncated') to.writeHead(right.status).end(half)
  else if (mishap === 'stalled') to.writeHead(right.status).write(half)
}

function send(to: ServerResponse, { status, body, headers }: Answer): void {
  to.writeHead(status, { 'content-type': 'application/json', ...headers })
  to.end(body === undefined ? '' : JSON.stringify(body))
}
