/** For tests: servers written by hand, which do what no server should, and an upstream to them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { Answer } from './answer.ts'
import { intentFor, permitFor } from './evidence.fixture.ts'
import { connect } from './upstream.ts'
import type { ConnectOptions, Outgoing, Timeouts, Upstream } from './upstream.ts'

export const timeouts: Timeouts = { connectMs: 1000, headersMs: 5000, idleMs: 5000 }

export interface Server {
  readonly url: string
  /** Head and body of each request, as text. */
  readonly requests: string[]
  readonly sockets: Socket[]
}

/** Answers each request by hand: `answer` writes what it likes. */
export async function serverOf(
  t: TestContext,
  answer: (socket: Socket, request: string, count: number) => void,
): Promise<Server> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    let waiting = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (data: string) => {
      waiting += data
      const end = waiting.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(waiting)?.[1] ?? 0)
      if (end < 0 || waiting.length < end + 4 + length) return
      const request = waiting
      waiting = ''
      requests.push(request)
      answer(socket, request, requests.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { url: `http://127.0.0.1:${address.port}/mcp`, requests, sockets }
}

export function upstreamOf(
  t: TestContext,
  url: string,
  more: Partial<ConnectOptions> = {},
): Upstream {
  const credential = { type: 'none' } as const
  const upstream = connect({
    name: 'shop',
    url,
    credential,
    timeouts,
    answerBytesMax: 100_000,
    ...more,
  })
  t.after(() => upstream.close())
  return upstream
}

export function send(upstream: Upstream, out: Partial<Outgoing> = {}): Promise<Answer> {
  const signal = new AbortController().signal
  const body = Buffer.from('{}')
  const full: Outgoing = { digest: 'd', method: 'POST', headers: [], body, signal, ...out }
  return upstream.send(full, permitFor('d'), intentFor('d'))
}

export const text = async (answer: Answer): Promise<string> =>
  Buffer.from(await answer.bytes(200_000)).toString('latin1')
export const json = (body: string | Buffer, more = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}`),
    Buffer.from(`content-length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ])
export const event = (data: string): string => {
  const bytes = `data: ${data}\n\n`
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`
}
export const sse: string =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

/** Waits for the end of a connection, in whatever way it came. */
export function closeOf(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}
