/** A real MCP server of both eras, on the official SDK, that counts what it is made to do. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import {
  classifyInboundRequest,
  createMcpHandler,
  McpServer,
  ProtocolError,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import type { ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { newId } from '../../src/base/ids.ts'
import { pan } from '../cards.ts'

type Handler = (req: IncomingMessage, res: ServerResponse, body?: unknown) => Promise<void>

export interface Counter {
  readonly url: string
  /** How often something was done for a row. */
  count(row: number | string): number
  /** Sessions of the legacy era that were opened. */
  readonly sessions: ReadonlySet<string>
  /** What a call waits for before it answers; nothing where it is undefined. */
  gate: Promise<void> | undefined
  close(): Promise<void>
}

/** @param isStateless without sessions in the legacy era, as many servers are. */
export async function startCounter(isStateless = false): Promise<Counter> {
  const counts = new Map<string, number>()
  const state: { gate: Promise<void> | undefined } = { gate: undefined }
  const add = (row: string): void => void counts.set(row, (counts.get(row) ?? 0) + 1)
  const make = (): McpServer => makeServer(add, () => state.gate)
  const modern = toNodeHandler(createMcpHandler(make)) as Handler
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>()
  const open = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport(
      isStateless
        ? {}
        : {
            sessionIdGenerator: () => newId('session'),
            onsessioninitialized: (id) => void sessions.set(id, transport),
          },
    )
    await make().connect(transport)
    return transport
  }
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body: unknown = req.method === 'POST' ? JSON.parse(await textOf(req)) : undefined
    const version = one(req.headers['mcp-protocol-version'])
    const method = one(req.headers['mcp-method'])
    const route = classifyInboundRequest({
      httpMethod: req.method ?? 'POST',
      ...(version === undefined ? {} : { protocolVersionHeader: version }),
      ...(method === undefined ? {} : { mcpMethodHeader: method }),
      body,
    })
    if (req.method === 'POST' && route.kind !== 'legacy') return modern(req, res, body)
    const id = one(req.headers['mcp-session-id'])
    const transport = id === undefined ? await open() : sessions.get(id)
    if (transport === undefined) return void res.writeHead(404).end()
    return transport.handleRequest(req, res, body)
  }
  const server = createServer((req, res) => {
    serve(req, res).catch(() => res.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    count: (row) => counts.get(String(row)) ?? 0,
    get sessions() {
      return new Set(sessions.keys())
    },
    get gate() {
      return state.gate
    },
    set gate(gate) {
      state.gate = gate
    },
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}

type Result = { content: { type: 'text'; text: string }[]; isError?: boolean }
const text = (words: string): Result => ({ content: [{ type: 'text', text: words }] })

function makeServer(add: (row: string) => void, gate: () => Promise<void> | undefined): McpServer {
  const mcp = new McpServer(
    { name: 'counter', version: '1.0.0' },
    { capabilities: { tools: {}, resources: {}, prompts: {} } },
  )
  const inputSchema = z.object({
    row: z.union([z.number(), z.string()]),
    note: z.string().optional(),
  })
  type Run = (row: string, ctx: ServerContext) => Promise<Result> | Result
  const tool = (name: string, run: Run): void => {
    mcp.registerTool(name, { description: `Does ${name}`, inputSchema }, async ({ row }, ctx) => {
      add(String(row))
      await gate()
      return await run(String(row), ctx)
    })
  }
  tool('add', (row) => text(`row ${row}`))
  tool('add_late', async (row) => {
    await pause(1500)
    return text(`row ${row}`)
  })
  tool('add_fails', (row) => ({ ...text(`row ${row} failed`), isError: true }))
  tool('add_throws', () => {
    throw new ProtocolError(-32602, 'no such row')
  })
  tool('add_card', (row) => text(`row ${row} card ${pan('4', 16)}`))
  tool('add_tells', async (row, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken
    for (const progress of progressToken === undefined ? [] : [0, 0.5, 1]) {
      const params = { progressToken: progressToken ?? '', progress, total: 1 }
      await ctx.mcpReq.notify({ method: 'notifications/progress', params })
    }
    return text(`row ${row}`)
  })
  mcp.registerResource(
    'rows',
    new ResourceTemplate('row://held/{row}', { list: undefined }),
    {},
    (uri) => {
      add(uri.href)
      return { contents: [{ uri: uri.href, text: `read ${uri.href}` }] }
    },
  )
  mcp.registerPrompt('held', { argsSchema: z.object({ row: z.string() }) }, ({ row }) => {
    add(`prompt ${row}`)
    return { messages: [{ role: 'user', content: { type: 'text', text: `prompt ${row}` } }] }
  })
  return mcp
}

async function textOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of req) if (Buffer.isBuffer(part)) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value
