/**
 * One POST of a notice: bounded in time, TLS verified, no redirect followed, the answer's body not
 * read. The address is a secret: it stands in no outcome, and the client's errors are dropped here.
 */
import { Agent, buildConnector, request } from 'undici'
import { Fault } from '../base/fault.ts'
import { hostOf, isLoopbackHost } from '../config/units.ts'
import { forbiddenHost, guardedLookup } from '../upstream/address.ts'
import { failed, reasonOf } from './outcome.ts'
import type { Outcome } from './outcome.ts'

export interface PostParts {
  readonly tryMs: number
  /** PEM; the only authorities believed, in place of those node brings. */
  readonly ca?: string | undefined
}

/**
 * @param where the key of the configuration, for the message.
 * @throws {Fault} `config_bad` unless it is https, or http on this machine, without user name.
 */
export function noticeUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isClear = url?.protocol === 'http:' && isLoopbackHost(hostOf(url))
  const isGood = url?.protocol === 'https:' || isClear
  if (url === undefined || !isGood || url.username !== '' || url.password !== '') {
    const what = `${where} must be an address that begins with https:// and names no user; http:// is taken only on this machine.`
    throw new Fault('config_bad', `${what} Nothing is sent there.`)
  }
  if (forbiddenHost(url.hostname)) {
    const what = `${where} leads to a link-local address or a metadata service. Nothing is sent there.`
    throw new Fault('config_bad', what)
  }
  url.hash = ''
  return url
}

/** How much of an answer is taken off the wire before its connection is dropped. */
const answerBytesMax = 16_384
const afterMsMax = 3_600_000

/** @param signal ends it at once. */
export async function post(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  { signal, ...parts }: PostParts & { readonly signal: AbortSignal },
): Promise<Outcome> {
  const inTime = AbortSignal.timeout(parts.tryMs)
  const dispatcher = new Agent({
    connect: connectOf(url, parts),
    allowH2: false,
    maxHeaderSize: 16_384,
  })
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'sallyport', ...headers },
      body,
      dispatcher, // Without an interceptor of its own it follows no redirect.
      signal: AbortSignal.any([inTime, signal]),
    })
    // The head says it all. What the body does afterwards changes nothing of it.
    await answer.body.dump({ limit: answerBytesMax, signal: inTime }).catch(() => undefined)
    return judged(answer.statusCode, answer.headers['retry-after'])
  } catch (error) {
    return failed(inTime.aborted ? 'timeout' : reasonOf(error))
  } finally {
    await dispatcher.destroy()
  }
}

/** Connects as `post` does and sends nothing. @returns undefined where that works, or why not. */
export function connects(url: URL, parts: PostParts): Promise<string | undefined> {
  const connect = buildConnector(connectOf(url, parts))
  const { host, protocol } = url
  const port = url.port === '' ? (protocol === 'https:' ? '443' : '80') : url.port
  return new Promise((resolve) => {
    connect({ hostname: hostOf(url), host, protocol, port }, (error, socket) => {
      socket?.destroy()
      resolve(error === null ? undefined : reasonOf(error))
    })
  })
}

function connectOf(url: URL, { ca, tryMs }: PostParts): buildConnector.BuildOptions {
  const lookup = guardedLookup(url.hostname)
  return { timeout: tryMs, lookup, ...(ca === undefined ? {} : { ca }) }
}

function judged(status: number, retryAfter: string | string[] | undefined): Outcome {
  if (status >= 200 && status < 300) return { isSent: true }
  const reason = `status_${status}`
  if (status >= 300 && status < 400) return failed('redirect')
  const afterMs = afterMsOf(retryAfter)
  const later = afterMs === undefined ? {} : { afterMs }
  if (status === 429) return failed('rate_limited', later)
  const isRefused = status === 400 || status === 413 || status === 415 || status === 422
  return failed(reason, { isRefused, ...later })
}

/** RFC 9110 §10.2.3: seconds or a date. An hour at most: a receiver cannot put us off for ever. */
function afterMsOf(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), afterMsMax) : undefined
}
