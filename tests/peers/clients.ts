/**
 * The clients people use, each behind one small interface: the v1 SDK, the v2 SDK in its three ways
 * of finding a version, and the Inspector's command line. All send a bearer token.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client'
import type { ClientOptions } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** `v2-auto` asks for the modern era first; `v2-modern` insists on it. */
export type ClientKind = 'v1' | 'v2-legacy' | 'v2-auto' | 'v2-modern'
export const clientKinds: readonly ClientKind[] = ['v1', 'v2-legacy', 'v2-auto', 'v2-modern']

/** What a tool gave back: all its text blocks joined, and the whole result as JSON. */
export interface ToolOutcome {
  readonly text: string
  readonly isError: boolean
  readonly json: string
}

/** A connected client. Refusals and transport errors are thrown as the client throws them. */
export interface TestClient {
  readonly kind: ClientKind
  /** The protocol revision that was agreed. */
  readonly version: string | undefined
  listTools(): Promise<string[]>
  callTool(name: string, args?: Record<string, unknown>): Promise<ToolOutcome>
  listResources(): Promise<string[]>
  readResource(uri: string): Promise<string>
  listPrompts(): Promise<string[]>
  close(): Promise<void>
}

/** How to reach a connection. */
export interface Reach {
  readonly url: string
  readonly token?: string
}

const identity = { name: 'sallyport-tests', version: '1.0.0' }
const timeout = 20_000

/** Connects a client of a kind. The caller closes it. */
export function connectClient(kind: ClientKind, reach: Reach): Promise<TestClient> {
  return kind === 'v1' ? connectV1(reach) : connectV2(kind, reach)
}

/** A bearer header, or none where there is no token. */
function bearer({ token }: Reach): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

function connectV1(reach: Reach): Promise<TestClient> {
  const requestInit = { headers: bearer(reach) }
  return overV1(new TransportV1(new URL(reach.url), { requestInit }))
}

/** Connects the v1 SDK over a transport of its own. */
export async function overV1(transport: TransportV1): Promise<TestClient> {
  const client = new ClientV1(identity)
  // The SDK declares `sessionId` in a way that `exactOptionalPropertyTypes` does not take.
  await client.connect(transport as Parameters<ClientV1['connect']>[0], { timeout })
  return {
    kind: 'v1',
    version: transport.protocolVersion,
    listTools: async () => (await client.listTools({}, { timeout })).tools.map(({ name }) => name),
    callTool: async (name, args = {}) =>
      outcome(await client.callTool({ name, arguments: args }, undefined, { timeout })),
    listResources: async () =>
      (await client.listResources({}, { timeout })).resources.map(({ uri }) => uri),
    readResource: async (uri) => JSON.stringify(await client.readResource({ uri }, { timeout })),
    listPrompts: async () =>
      (await client.listPrompts({}, { timeout })).prompts.map(({ name }) => name),
    close: () => client.close(),
  }
}

type KindV2 = Exclude<ClientKind, 'v1'>

function connectV2(kind: KindV2, reach: Reach): Promise<TestClient> {
  const requestInit = { headers: bearer(reach) }
  return overV2(kind, new TransportV2(new URL(reach.url), { requestInit }))
}

/** The same for the v2 SDK. */
export async function overV2(kind: KindV2, transport: TransportV2): Promise<TestClient> {
  const modes: Record<typeof kind, ClientOptions['versionNegotiation']> = {
    'v2-legacy': { mode: 'legacy' },
    'v2-auto': { mode: 'auto' },
    'v2-modern': { mode: { pin: '2026-07-28' } },
  }
  const versionNegotiation = modes[kind]
  const client = new ClientV2(
    identity,
    versionNegotiation === undefined ? {} : { versionNegotiation },
  )
  await client.connect(transport, { timeout })
  return {
    kind,
    version: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools({}, { timeout })).tools.map(({ name }) => name),
    callTool: async (name, args = {}) =>
      outcome(await client.callTool({ name, arguments: args }, { timeout })),
    listResources: async () =>
      (await client.listResources({}, { timeout })).resources.map(({ uri }) => uri),
    readResource: async (uri) => JSON.stringify(await client.readResource({ uri }, { timeout })),
    listPrompts: async () =>
      (await client.listPrompts({}, { timeout })).prompts.map(({ name }) => name),
    close: () => client.close(),
  }
}

function outcome(result: object): ToolOutcome {
  const content: unknown = Reflect.get(result, 'content')
  const texts = (Array.isArray(content) ? content : []).flatMap((block: unknown) => {
    const text: unknown =
      typeof block === 'object' && block !== null ? Reflect.get(block, 'text') : ''
    return typeof text === 'string' ? [text] : []
  })
  const isError = Reflect.get(result, 'isError') === true
  return { text: texts.join('\n'), isError, json: JSON.stringify(result) }
}

/** What the Inspector's command line printed, and its exit code (5: a tool's error, or no such tool). */
export interface InspectorRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const inspectorEntry = join(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)

/**
 * Runs the Inspector's command line once.
 * @param args after the address, such as `['--method', 'tools/list']`; see {@link inspectTool}.
 */
export async function inspect(reach: Reach, args: readonly string[]): Promise<InspectorRun> {
  // It keeps a catalogue of servers, which must not be that of whoever runs the tests.
  const home = mkdtempSync(join(tmpdir(), 'sallyport-inspector-'))
  const header =
    reach.token === undefined ? [] : ['--header', `Authorization: Bearer ${reach.token}`]
  const all = [inspectorEntry, '--cli', reach.url, '--transport', 'http', ...header, ...args]
  const env = {
    PATH: dirname(process.execPath),
    HOME: home,
    MCP_CATALOG_PATH: join(home, 'catalog.json'),
  }
  try {
    return await new Promise((done) => {
      const options = { env, cwd: home, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 }
      execFile(process.execPath, all, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        done({ code, stdout, stderr })
      })
    })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Calls a tool by the Inspector; arguments travel exactly as they are (no guessing of numbers). */
export function inspectTool(
  reach: Reach,
  name: string,
  args: Record<string, unknown>,
  era: 'legacy' | 'modern' | 'auto' = 'legacy',
): Promise<InspectorRun> {
  const call = ['--method', 'tools/call', '--tool-name', name]
  return inspect(reach, [...call, '--tool-args-json', JSON.stringify(args), '--protocol-era', era])
}
