/**
 * An MCP server of our own on the official SDK: both eras on one URL, sessions with resumable
 * streams in the legacy one, with every tool, resource and prompt the conformance suites ask for.
 *
 * Run by itself it listens on a free loopback port and prints `{"url"}`.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import {
  classifyInboundRequest,
  createMcpHandler,
  isInitializeRequest,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'
import { newId } from '../../src/base/ids.ts'
import { addPrompts, addResources } from './fixture-content.ts'
import { text } from './fixture-kit.ts'
import type { FixtureTool, ToolAnswer } from './fixture-kit.ts'
import { roundTools, stateCodec } from './fixture-rounds.ts'
import { serveTasks, tasksExtension, taskTools } from './fixture-tasks.ts'
import { plainTools } from './fixture-tools.ts'

/** The SDK's type of a request is not quite node's under `exactOptionalPropertyTypes`. */
type Handler = (req: IncomingMessage, res: ServerResponse, body?: unknown) => Promise<void>

const bodyBytesMax = 8 * 1024 * 1024
const retryMs = 200

const modern = createMcpHandler(() => fixture())
const serveModern = toNodeHandler(modern) as Handler
const sessions = new Map<string, NodeStreamableHTTPServerTransport>()
const hostIsOurs = localhostHostValidation()
const originIsOurs = localhostOriginValidation()

/** What the `subscriptions/listen` and GET streams hear about. */
function changeTools(mcp: McpServer): readonly FixtureTool[] {
  return [
    {
      name: 'test_trigger_tool_change',
      description: 'Tells listeners that the tools have changed',
      run: () => {
        modern.notify.toolsChanged()
        mcp.sendToolListChanged()
        return text('Told.')
      },
    },
    {
      name: 'test_trigger_prompt_change',
      description: 'Tells listeners that the prompts have changed',
      run: () => {
        modern.notify.promptsChanged()
        mcp.sendPromptListChanged()
        return text('Told.')
      },
    },
  ]
}

function fixture(): McpServer {
  const mcp = new McpServer(
    { name: 'sallyport-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
        extensions: { [tasksExtension]: {} },
      },
      requestState: { verify: (state, ctx) => stateCodec.verify(state, ctx) },
    },
  )
  const tools = new Map<string, FixtureTool>()
  for (const tool of [...plainTools, ...roundTools, ...taskTools, ...changeTools(mcp)]) {
    const { name, description, inputSchema } = tool
    tools.set(name, tool)
    // The SDK lists it and checks its mirrored headers; it is run below.
    if (inputSchema === undefined) mcp.registerTool(name, { description }, () => text(''))
    else mcp.registerTool(name, { description, inputSchema }, () => text(''))
  }
  // The SDK's own handler turns every error into a tool result; tasks need protocol errors.
  mcp.server.setRequestHandler('tools/call', ({ params }, ctx) => {
    const tool = tools.get(params.name)
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
    return runTool(tool, params.arguments ?? {}, ctx)
  })
  addResources(mcp)
  addPrompts(mcp)
  serveTasks(mcp)
  return mcp
}

async function runTool(
  tool: FixtureTool,
  args: Record<string, unknown>,
  ctx: Parameters<FixtureTool['run']>[1],
): Promise<ToolAnswer> {
  try {
    const checked = await tool.inputSchema?.['~standard'].validate(args)
    if (checked?.issues !== undefined) {
      return { ...text('The arguments do not fit the schema.'), isError: true }
    }
    return await tool.run(args, ctx)
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    const words = error instanceof Error ? error.message : 'The tool failed.'
    return { ...text(words), isError: true }
  }
}

/** Keeps the events of one session so that a client may come back for them. */
function eventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = []
  return {
    storeEvent: async (streamId, message) => {
      const id = `${events.length}-${newId('ev')}`
      events.push({ id, streamId, message })
      return id
    },
    getStreamIdForEventId: async (id) => events.find((event) => event.id === id)?.streamId,
    replayEventsAfter: async (lastId, { send }) => {
      const from = events.findIndex((event) => event.id === lastId)
      const streamId = events[from]?.streamId ?? ''
      for (const event of events.slice(from + 1)) {
        // A priming event has no message and is not for replay.
        const hasMessage = Object.keys(event.message).length > 0
        if (event.streamId === streamId && hasMessage) await send(event.id, event.message)
      }
      return streamId
    },
  }
}

async function openSession(): Promise<NodeStreamableHTTPServerTransport> {
  const mcp = fixture()
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => newId('session'),
    eventStore: eventStore(),
    retryInterval: retryMs,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await mcp.connect(transport)
  return transport
}

function refuse(res: ServerResponse, status: number, code: number, message: string): void {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }))
}

async function readBody(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of req) {
    if (!Buffer.isBuffer(part)) continue
    size += part.length
    if (size > bodyBytesMax) throw new Error('body too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (!hostIsOurs(req, res) || !originIsOurs(req, res)) return
  if (new URL(req.url ?? '/', 'http://x').pathname !== '/mcp')
    return refuse(res, 404, -32000, 'No such path')
  const sessionId = one(req.headers['mcp-session-id'])
  let body: unknown
  if (req.method === 'POST') {
    const raw = await readBody(req)
    try {
      body = JSON.parse(raw)
    } catch {
      return refuse(res, 400, -32700, 'Parse error')
    }
    const version = one(req.headers['mcp-protocol-version'])
    const method = one(req.headers['mcp-method'])
    const route = classifyInboundRequest({
      httpMethod: 'POST',
      ...(version !== undefined && { protocolVersionHeader: version }),
      ...(method !== undefined && { mcpMethodHeader: method }),
      body,
    })
    if (route.kind !== 'legacy') return serveModern(req, res, body)
    if (sessionId === undefined && isInitializeRequest(body)) {
      return (await openSession()).handleRequest(req, res, body)
    }
  }
  if (sessionId === undefined) return refuse(res, 400, -32000, 'A session id is required')
  const transport = sessions.get(sessionId)
  if (transport === undefined) return refuse(res, 404, -32001, 'Session not found')
  return transport.handleRequest(req, res, body)
}

/** Starts the fixture on a free loopback port. */
export async function serveFixture(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    serve(req, res).catch(() => {
      if (res.headersSent) res.destroy()
      else refuse(res, 500, -32603, 'Internal error')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}

if (import.meta.main) {
  const { url } = await serveFixture()
  process.stdout.write(`${JSON.stringify({ url })}\n`)
  // Started with a channel: ends with its parent, however that ended.
  process.on('disconnect', () => process.exit(0))
}
