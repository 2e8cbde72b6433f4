/**
 * One greeting to a connection's server, to learn whether it answers: `server/discover`, else
 * `initialize`. Only a person at the command line causes it; nothing of a client is in it, no tool is
 * called, and of the answer nothing is shown but its protocol version.
 */
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { Fault } from '../base/fault.ts'
import type { ConnectionConfig } from '../config/types.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { checkHost, guardedLookup } from '../upstream/address.ts'
import { valueSource } from '../upstream/credential.ts'
import type { CredentialSource } from '../upstream/credential.ts'
import { readUpstreamTls } from '../upstream/tls.ts'
import { SseReader } from '../wire/sse.ts'
import { sourceOf, tlsOf } from './connections.ts'
import type { CredentialMeans } from './connections.ts'

/** What came of it. `message` is ours, without a word of the server. */
export interface Greeting {
  readonly isUp: boolean
  readonly message: string
  /** The server's `Date` header, where it sent one. */
  readonly date?: string | undefined
}

const answerBytesMax = 1024 * 1024
const waitMsMax = 15_000
const client = { name: 'sallyport-check', version: '1' }

/**
 * @param where the connection's key in the configuration, for messages.
 * @throws {Fault} `secret_missing`, `config_bad` before anything is sent.
 */
export async function greet(
  config: ConnectionConfig,
  where: string,
  secrets: Secrets,
  means: CredentialMeans,
): Promise<Greeting> {
  const credential = sourceOf(config, where, secrets, means)
  const source = 'names' in credential ? credential : valueSource(config.name, credential)
  const tls = readUpstreamTls(config.name, tlsOf(config, where, secrets))
  const url = new URL(config.url)
  checkHost(config.name, url)
  const { connectMs, headersMs, idleMs } = config.timeouts
  const pool = new Pool(url.origin, {
    connect: {
      lookup: guardedLookup(url.hostname),
      ...tls,
      timeout: Math.min(connectMs, waitMsMax),
    },
    headersTimeout: Math.min(headersMs, waitMsMax),
    bodyTimeout: Math.min(idleMs, waitMsMax),
  })
  try {
    const { type } = config.credential
    const isPerCaller = type === 'token-exchange' || type === 'on-behalf-of'
    return await ask({ pool, path: `${url.pathname}${url.search}`, source, isPerCaller })
  } catch (error) {
    if (error instanceof Fault) throw error // There is no credential to be had: it says why.
    return { isUp: false, message: `does not answer (${causeOf(error)})` }
  } finally {
    await pool.destroy()
  }
}

interface Line {
  readonly pool: Pool
  readonly path: string
  readonly source: CredentialSource | undefined
  /** It wants a token of a caller, and here is none: refusing us shows that it is there. */
  readonly isPerCaller: boolean
}

async function ask(line: Line): Promise<Greeting> {
  const modern = await post(line, discover, {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'server/discover',
  })
  if (modern.refusal !== undefined) return modern.refusal
  const { date } = modern
  if (modern.result !== undefined) return { isUp: true, message: 'answers MCP 2026-07-28', date }
  const legacy = await post(line, initialize, {})
  if (legacy.refusal !== undefined) return legacy.refusal
  if (legacy.sessionId !== undefined) await leave(line, legacy.sessionId)
  const version: unknown =
    legacy.result === undefined ? undefined : Reflect.get(legacy.result, 'protocolVersion')
  if (typeof version !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(version)) {
    const message = `answers with status ${legacy.status}, but not as an MCP server; is the path of its url right?`
    return { isUp: false, message, date }
  }
  return { isUp: true, message: `answers MCP ${version}`, date }
}

const discover = {
  jsonrpc: '2.0',
  id: 1,
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': client,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
}
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client },
}

interface Posted {
  readonly status: number
  readonly result?: object | undefined
  readonly sessionId?: string | undefined
  readonly date?: string | undefined
  /** Set where asking on is of no use. */
  readonly refusal?: Greeting
}

async function post(
  line: Line,
  message: object,
  more: Readonly<Record<string, string>>,
): Promise<Posted> {
  const body = Buffer.from(JSON.stringify(message))
  const plain = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...more,
  }
  const answer = await line.pool.request({
    method: 'POST',
    path: line.path,
    headers: await headersOf(line, 'POST', plain, body),
    body,
    signal: AbortSignal.timeout(waitMsMax),
  })
  const status = answer.statusCode
  const date = one(answer.headers['date'])
  const result = status === 200 ? await resultOf(answer) : undefined
  if (status !== 200) await answer.body.dump()
  const isExpected = line.isPerCaller && (status === 401 || status === 403)
  const why = isExpected ? undefined : refusals(status)
  const asks = 'is there, and asks for a token of a caller, as it should'
  const refusal =
    why !== undefined
      ? { refusal: { isUp: false, message: why, date } }
      : isExpected
        ? { refusal: { isUp: true, message: asks, date } }
        : {}
  return { status, result, date, sessionId: one(answer.headers['mcp-session-id']), ...refusal }
}

/** With the credential, where it needs no caller. */
async function headersOf(
  { isPerCaller, source }: Line,
  method: string,
  plain: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Promise<string[]> {
  const pairs = Object.entries(plain).flat()
  if (source === undefined || isPerCaller) return pairs
  const of = body === undefined ? { method } : { method, body }
  return [...pairs, ...(await source.headers(of, pairs))]
}

function refusals(status: number): string | undefined {
  if (status === 401 || status === 403) {
    return `refuses the gateway's credential (status ${status}); check credential`
  }
  if (status >= 300 && status < 400) {
    return `answers with a redirect (status ${status}), which is never followed; put its goal into url`
  }
  return undefined
}

/** A session that was opened by asking is closed; whether the server cares is its own affair. */
async function leave(line: Line, sessionId: string): Promise<void> {
  try {
    const headers = await headersOf(line, 'DELETE', { 'mcp-session-id': sessionId })
    const answer = await line.pool.request({ method: 'DELETE', path: line.path, headers })
    await answer.body.dump()
  } catch {
    // It answered before, which is all that was asked.
  }
}

async function resultOf(answer: Dispatcher.ResponseData): Promise<object | undefined> {
  const isStream = one(answer.headers['content-type'])?.startsWith('text/event-stream') ?? false
  const reader = new SseReader({ eventBytesMax: answerBytesMax })
  const parts: Uint8Array[] = []
  let size = 0
  const body: AsyncIterable<Uint8Array> = answer.body
  for await (const part of body) {
    size += part.length
    if (size > answerBytesMax) return undefined
    parts.push(part)
    if (!isStream) continue
    for (const { data } of reader.push(part)) {
      const found = data === undefined ? undefined : resultIn(data)
      if (found !== undefined) return found
    }
  }
  return isStream ? undefined : resultIn(Buffer.concat(parts))
}

function resultIn(bytes: Uint8Array): object | undefined {
  try {
    const message: unknown = JSON.parse(Buffer.from(bytes).toString())
    if (typeof message !== 'object' || message === null) return undefined
    const result: unknown = Reflect.get(message, 'result')
    return typeof result === 'object' && result !== null ? result : undefined
  } catch {
    return undefined // Told as "not an MCP server".
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** The code of a network error; its message may hold what the server sent. */
function causeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'too slow'
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'broken answer'
}
