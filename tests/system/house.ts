/** A whole gateway in this process, with a server behind it that does what the test says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { systemClock } from '../../src/base/clock.ts'
import type { Clock } from '../../src/base/clock.ts'
import { realDisk } from '../../src/base/disk.ts'
import type { Disk } from '../../src/base/disk.ts'
import { startGateway } from '../../src/cli/start.ts'
import type { Gateway } from '../../src/cli/start.ts'
import { readConfig } from '../../src/config/config.ts'
import { readRecord } from '../../src/record/read.ts'
import { filesOf } from './program.ts'

/** A request as the server behind the gateway got it. */
export interface Got {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly body: string
}

export type Script = (got: Got, res: ServerResponse, req: IncomingMessage) => void | Promise<void>

export interface Behind {
  readonly url: string
  readonly got: Got[]
  /** What the server does with the next requests. */
  script: Script
  close(): Promise<void>
}

/** Answers every request with an empty tool result. */
export const answerEmpty: Script = (got, res) => answerResult(got, res, '{"content":[]}')

export function answerResult(got: Got, res: ServerResponse, result: string): void {
  const id = /"id":\s*("[^"]*"|-?\d+)/.exec(got.body)?.[1] ?? '1'
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
}

export async function startBehind(): Promise<Behind> {
  const got: Got[] = []
  const behind = { script: answerEmpty }
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('error', () => undefined)
    res.on('error', () => undefined)
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = req
      const one = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() }
      got.push(one)
      void behind.script(one, res, req)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(behind, {
    url: `http://127.0.0.1:${port}/mcp`,
    got,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

export interface House {
  readonly gateway: Gateway
  readonly behind: Behind
  readonly dataDir: string
  readonly mcp: string
  /** What the gateway logged so far. */
  log(): string
  token(who: {
    subject: string
    groups?: string[]
    roles?: string[]
    kind?: 'person' | 'service'
    audience?: string
    ttlSeconds?: number
  }): Promise<string>
  /** Posts to the connection as a member of `staff`, who may use all of it. */
  post(body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>
  /** Every entry of the record so far, in order. */
  entries(): Promise<Record<string, unknown>[]>
  /** Every byte of every file of the data folder, as latin1 text. */
  allBytes(): string
  stop(): Promise<void>
}

export interface HouseOptions {
  /** What the gateway listens on; 127.0.0.1 where it is missing. Browsers need a name for passkeys. */
  readonly host?: string
  /** The value of `identity`; one local issuer where it is missing. */
  readonly identity?: string
  /** Address of the server behind `shop`; the scripted one where it is missing. */
  readonly upstream?: string
  /** Further lines of the configuration. */
  readonly extra?: string
  readonly connection?: string
  readonly access?: string
  readonly env?: Record<string, string>
  readonly dataDir?: string
  /** The machine's clock and disk where they are missing. */
  readonly clock?: Clock
  readonly disk?: Disk
}

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  const behind = await startBehind()
  const text = `
listen: { gateway: ${options.host ?? '127.0.0.1'}:0, console: 127.0.0.1:0 }
data_dir: ${dataDir}
identity: ${options.identity ?? '{ issuers: [{ name: local, type: local }] }'}
connections:
  - name: shop
    url: ${options.upstream ?? behind.url}
    ${options.connection ?? 'credential: { type: none }'}
access:
  - { who: { group: staff }, may: { connection: shop } }
${options.access ?? ''}
${options.extra ?? ''}
`
  const file = join(dataDir, 'sallyport.yaml')
  writeFileSync(file, text)
  const logged: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk))
      done()
    },
  })
  const gateway = await start(text, file).catch(async (error: unknown) => {
    await behind.close()
    throw error
  })
  async function start(text: string, file: string): Promise<Gateway> {
    const log = pino({ level: 'debug' }, sink)
    return await startGateway({
      checked: readConfig(text, file),
      dataDir,
      env: options.env ?? {},
      log,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.disk === undefined ? {} : { disk: options.disk }),
    })
  }
  const mcp = `${gateway.gatewayUrl}/mcp/shop`
  const token: House['token'] = async ({ kind = 'person', audience, ttlSeconds = 600, ...who }) => {
    if (gateway.local === undefined) throw new Error('no local issuer')
    const to = audience ?? gateway.config.publicUrl
    return await gateway.local.mint({ ...who, kind, audience: to, ttlSeconds })
  }
  const staff = await token({ subject: 'sam', groups: ['staff'] })
  return {
    gateway,
    behind,
    dataDir,
    mcp,
    token,
    log: () => Buffer.concat(logged).toString(),
    post: (body, headers = {}) =>
      fetch(mcp, {
        method: 'POST',
        body: typeof body === 'string' ? body : Buffer.from(body),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${staff}`,
          ...headers,
        },
      }),
    entries: () => readEntries(dataDir),
    allBytes: () => allBytes(dataDir),
    stop: async () => {
      await behind.close()
      await gateway.stop('test')
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function readEntries(dataDir: string): Promise<Record<string, unknown>[]> {
  const entries: Record<string, unknown>[] = []
  const at = { disk: realDisk, dir: join(dataDir, 'record'), writer: 'w1' }
  for await (const { line } of readRecord(at)) {
    entries.push(JSON.parse(line.toString()) as Record<string, unknown>)
  }
  return entries
}

function allBytes(dir: string): string {
  return filesOf(dir)
    .map(({ text }) => text)
    .join('\n')
}

/** A modern `tools/call` as a body and its headers. */
export function modernCall(
  tool: string,
  args: string,
  id = '1',
): { body: string; headers: Record<string, string> } {
  const meta =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
  return {
    body: `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${JSON.stringify(tool)},"arguments":${args},${meta}}}`,
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
  }
}

/** A legacy request without a session. */
export const legacyCall = (method: string, params: string, id = '1'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`

/** Time that passes as it does, from another moment on, and leaps when it is told to. */
export class MovedClock implements Clock {
  readonly #real = systemClock()
  #aheadMs: number
  /** @param startMs what it shows now, in milliseconds since 1970. */
  constructor(startMs: number) {
    this.#aheadMs = startMs - Date.now()
  }
  nowUs(): number {
    return this.#real.nowUs() + this.#aheadMs * 1000
  }
  monotonicMs(): number {
    return this.#real.monotonicMs() + this.#aheadMs
  }
  pass(ms: number): void {
    this.#aheadMs += ms
  }
}
