/**
 * The MCP server behind every measured thing: it answers `tools/call` with a prepared message.
 *
 * It speaks HTTP by hand on bare sockets, since whatever it spends is spent in front of every
 * measured proxy alike and would draw their figures together.
 */
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { makeAnswers } from './answers.ts'

const prepared = new Map<string, Buffer>()
for (const { tool, body } of makeAnswers().values()) {
  prepared.set(tool, Buffer.concat([head(body.length), body]))
}
const tools = [...prepared.keys()].map((name) => ({
  name,
  description: 'Rows of a prepared query.',
  inputSchema: { type: 'object' },
}))

function head(length: number): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`,
  )
}

/** The few methods besides `tools/call` that a gateway may ask when it comes to know a server. */
function answerSlowly(body: string): Buffer {
  const message: { id?: unknown; method?: string } = JSON.parse(body)
  if (message.id === undefined)
    return Buffer.from('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n')
  if (message.method === 'subscriptions/listen') return openStream(message.id)
  const capabilities = { tools: {} }
  const serverInfo = { name: 'bench', version: '1.0.0' }
  const results: Record<string, object> = {
    'server/discover': { supportedVersions: ['2026-07-28'], capabilities, serverInfo },
    initialize: { protocolVersion: '2025-11-25', capabilities, serverInfo },
    'tools/list': { tools },
    ping: {},
  }
  const cached = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  const result = { ...results[message.method ?? ''], ...cached }
  const text = Buffer.from(JSON.stringify({ result, jsonrpc: '2.0', id: message.id }))
  return Buffer.concat([head(text.length), text])
}

/** A stream that is acknowledged and then says nothing, until its reader goes. */
function openStream(id: unknown): Buffer {
  const meta = { 'io.modelcontextprotocol/subscriptionId': id }
  const params = { notifications: { toolsListChanged: true }, _meta: meta }
  const method = 'notifications/subscriptions/acknowledged'
  const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`
  return Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n' +
      `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`,
  )
}

function answer(body: string): Buffer {
  const at = body.indexOf('"name":"rows_')
  if (at < 0) return answerSlowly(body)
  const end = body.indexOf('"', at + 8)
  return prepared.get(body.slice(at + 8, end)) ?? answerSlowly(body)
}

/** Reads one request after the other; a proxy never pipelines, but its body may come in pieces. */
function serve(socket: Socket): void {
  let waiting = ''
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    waiting += chunk
    for (;;) {
      const headEnd = waiting.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const request = readRequest(waiting, headEnd)
      if (request === undefined) return
      waiting = waiting.slice(request.end)
      socket.write(answer(request.body))
    }
  })
}

function readRequest(text: string, headEnd: number): { body: string; end: number } | undefined {
  const headers = text.slice(0, headEnd + 2).toLowerCase()
  const from = headEnd + 4
  const length = /\r\ncontent-length: *(\d+)\r\n/.exec(headers)?.[1]
  if (length !== undefined) {
    const end = from + Number(length)
    return text.length < end ? undefined : { body: text.slice(from, end), end }
  }
  if (!headers.includes('\r\ntransfer-encoding:')) return { body: '', end: from }
  let body = ''
  for (let at = from; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { body, end: next }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = next
  }
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
