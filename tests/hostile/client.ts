/** An HTTP client that keeps every byte which reaches its sockets. */
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Heard {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The JSON-RPC messages of the body: of each event, or the one there is. */
  readonly messages: unknown[]
}

export interface Client {
  send(
    method: 'POST' | 'GET' | 'DELETE',
    headers: Record<string, string>,
    body?: string,
  ): Promise<Heard>
  /** All that came on each socket. */
  raw(): string[]
  close(): void
}

/** @param token the bearer token of whoever it speaks for. */
export function openClient(url: string, token: string): Client {
  const sockets: Buffer[][] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  agent.createConnection = (options): Duplex => {
    const socket: Socket = connect({ port: Number(options.port), host: String(options.host) })
    const chunks: Buffer[] = []
    sockets.push(chunks)
    socket.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)))
    return socket
  }
  return {
    send: (method, headers, body) =>
      new Promise((resolve, reject) => {
        const out = request(url, { method, agent, headers: { ...base(token), ...headers } })
        out.on('error', reject)
        out.on('response', (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const { statusCode: status = 0, headers: heads } = answer
            resolve({ status, headers: heads, body: text, messages: messagesIn(heads, text) })
          })
        })
        out.end(body)
      }),
    raw: () => sockets.map((chunks) => Buffer.concat(chunks).toString('latin1')),
    close: () => agent.destroy(),
  }
}

const base = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
})

function messagesIn(headers: IncomingHttpHeaders, body: string): unknown[] {
  const type = headers['content-type'] ?? ''
  if (type.includes('json')) return body === '' ? [] : [JSON.parse(body)]
  if (!type.includes('event-stream')) return []
  return body
    .split(/\n\n|\r\n\r\n|\r\r/)
    .map((event) =>
      event
        .split(/\r\n|\r|\n/)
        .flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
        .join('\n'),
    )
    .filter((data) => data !== '')
    .map((data): unknown => JSON.parse(data))
}
