/** One small JSON answer of a service that keeps keys, secrets or tokens: bounded in time, size and
 *  tries. */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Dispatcher } from 'undici'
import type { Blame } from './trouble.ts'

export interface Question {
  readonly method: 'GET' | 'POST'
  /** From the settings, never out of an answer. */
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: object
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>>
  /** False where a second sending could do something a second time. */
  readonly isRepeatable: boolean
  /** Further statuses which mean "later": those of Azure's metadata service. */
  readonly laterStatuses?: readonly number[]
}

export interface Answered {
  readonly status: number
  /** The parsed body; undefined when it is no JSON. */
  readonly body: unknown
}

/** Bounds in milliseconds. */
export interface Patience {
  /** For one try, connecting included. */
  readonly tryMs: number
  /** How long to wait before the second and the third try, where the service names no time. */
  readonly againMs: readonly [number, number]
  /** The longest time to wait at a service's wish; a longer wish is a fault at once. */
  readonly wishMsMax: number
}

const usualPatience: Patience = { tryMs: 10_000, againMs: [500, 2_000], wishMsMax: 10_000 }

/** Asks. @throws {Fault} blamed on `down`, `timeout`, `throttled`, `answer` or `settings`. */
export type Ask = (question: Question) => Promise<Answered>

export interface AskOptions {
  readonly blame: Blame
  /** PEM of the only authorities believed; without it, those that node brings. */
  readonly ca?: string | undefined
  readonly patience?: Patience | undefined
  /** Sockets to one service at once; further questions wait for one. */
  readonly socketsMax?: number | undefined
}

const bytesMax = 64 * 1_024

/** A try's end: an answer, or why there was none. `waitMs` is the service's own wish. */
interface Tried {
  readonly answered?: Answered
  readonly trouble?: 'down' | 'timeout' | 'answer'
  readonly cause?: unknown
  readonly isLater?: boolean
  readonly waitMs?: number | undefined
}

/** Redirects are never followed: a token would go along. No proxy of the environment is used. */
export function createAsk(options: AskOptions): Ask {
  const { blame, ca, patience = usualPatience, socketsMax = 4 } = options
  const connect = { timeout: patience.tryMs, ...(ca === undefined ? {} : { ca }) }
  const dispatcher = new Agent({ connect, connections: socketsMax })
  return async (question) => {
    checkAddress(blame, question.url)
    for (let tries = 0; ; tries++) {
      const tried = await tryOnce(question, dispatcher, patience.tryMs)
      const waitMs = tried.waitMs ?? patience.againMs[tries]
      const isOver = tries >= patience.againMs.length || !question.isRepeatable
      const isFinal = isOver || !tried.isLater || waitMs === undefined
      if (isFinal || waitMs > patience.wishMsMax) return lastWord(blame, tried)
      await delay(waitMs)
    }
  }
}

function lastWord(blame: Blame, { answered, trouble, cause }: Tried): Answered {
  if (trouble === 'timeout') throw blame(trouble, 'its service did not answer in time', cause)
  if (trouble === 'answer') {
    throw blame(trouble, `its service answered more than ${bytesMax} bytes`)
  }
  if (answered === undefined) throw blame('down', 'its service cannot be reached', cause)
  if (answered.status === 429) {
    throw blame('throttled', 'its service has had too many requests')
  }
  return answered
}

async function tryOnce(question: Question, to: Dispatcher, tryMs: number): Promise<Tried> {
  const signal = AbortSignal.timeout(tryMs)
  try {
    const { statusCode, headers, body } = await request(question.url, {
      ...contentOf(question),
      method: question.method,
      dispatcher: to,
      signal,
    })
    const text = await boundedText(body)
    if (text === undefined) return { trouble: 'answer' }
    const isLater = isLaterStatus(statusCode, question.laterStatuses)
    const waitMs = secondsOf(headers['retry-after'])
    return { answered: { status: statusCode, body: parsed(text) }, isLater, waitMs }
  } catch (cause) {
    // The cause may quote addresses; it is kept for a debugger and never printed.
    return { trouble: signal.aborted ? 'timeout' : 'down', cause, isLater: true }
  }
}

function contentOf({ json, form, headers }: Question): {
  headers: Record<string, string>
  body?: string
} {
  const all = { accept: 'application/json', ...headers }
  if (json !== undefined) {
    return { headers: { ...all, 'content-type': 'application/json' }, body: JSON.stringify(json) }
  }
  if (form === undefined) return { headers: all }
  const type = 'application/x-www-form-urlencoded'
  return { headers: { ...all, 'content-type': type }, body: new URLSearchParams(form).toString() }
}

/** A 503 of a sealed Vault is later too: it is unsealed by people, but standbys answer meanwhile. */
function isLaterStatus(status: number, more: readonly number[] = []): boolean {
  return status === 429 || status >= 500 || more.includes(status)
}

/** RFC 9110 §10.2.3 in seconds; the form with a date is not what these services send. */
function secondsOf(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : undefined
}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > bytesMax) return undefined // Leaving the loop destroys the body and its socket.
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Whoever reads the answer misses its members, and says so.
  }
}

/** Azure's metadata service: plain HTTP, but never beyond the machine it runs on. */
const metadataHost = '169.254.169.254'
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

function checkAddress(blame: Blame, url: URL): void {
  const isNear = loopback.test(url.hostname) || url.hostname === metadataHost
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isNear)) return
  throw blame('settings', 'its service must be reached over https')
}

/** @param what the setting, for the message. @throws {Fault} `config_bad` for no address. */
export function addressOf(blame: Blame, text: string, what: string): URL {
  const url = URL.parse(text)
  if (url !== null && url.username === '' && url.password === '') {
    checkAddress(blame, url)
    return url
  }
  throw blame('settings', `${what} is no address such as https://host:port`)
}
