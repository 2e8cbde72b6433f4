/** Connections to MCP servers: requests out, with our credential; answers back, as they come. */
import { Pool } from 'undici'
import { Fault } from '../base/fault.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import { checkHost, guardedLookup } from './address.ts'
import type { Answer } from './answer.ts'
import { Call } from './call.ts'
import type { CallFrame } from './call.ts'
import { valueSource } from './credential.ts'
import type { Caller, Credential, CredentialSource, HeaderPairs } from './credential.ts'
import { cancelledFault } from './faults.ts'
import { requestFilter, responsePick } from './headers.ts'
import { readUpstreamTls } from './tls.ts'
import type { UpstreamTls } from './tls.ts'

/** One request for a server. */
export interface Outgoing {
  /** Names the call; permit and intent must be for it. */
  readonly digest: string
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** The client's headers, names in lower case; only those of the allow-list are sent on. */
  readonly headers: Iterable<[string, string]>
  readonly body?: Uint8Array
  /** Destroys the request when it fires. */
  readonly signal: AbortSignal
  /** Sending it twice harms nobody (lists, discovery): once more if a kept connection just closed. */
  readonly safe?: boolean
  /** Who asks, for credentials that are got by its own token. */
  readonly caller?: Caller
  /**
   * Called right before the first byte leaves where a credential had to be waited for: what was
   * looked at before `send` may have changed meanwhile. What it throws stops the request.
   */
  readonly stillMay?: () => void
}

export interface Upstream {
  /**
   * Sends one request and resolves with the head of its answer.
   * @throws {Fault} `refused` when permit or intent are not for this very request, or the permit was
   *   spent; `cancelled`; `secret_missing`, or `refused` with a reason `credential_…`, when there is
   *   no credential to be had for it; what `stillMay` throws; `upstream_down`, `upstream_timeout`, `upstream_bad` with
   *   `facts.reason` and `facts.isSent` (the server may have acted). The same come from its body.
   */
  send(out: Outgoing, permit: Permit, intent: Durable): Promise<Answer>
  /** Breaks what still runs and closes all sockets. */
  close(): Promise<void>
}

export interface Timeouts {
  readonly connectMs: number
  /** From sending to the head of the answer: how long a tool may work before it says anything. */
  readonly headersMs: number
  readonly idleMs: number
  /** Default 0: an event stream may be silent as long as it likes. */
  readonly sseIdleMs?: number
  /** Default 0: no limit on a whole call. */
  readonly totalMs?: number
}

export interface ConnectOptions {
  /** For messages: the configured name. The URL never stands in one. */
  readonly name: string
  readonly url: string
  /** A value of ours, or where one comes from. */
  readonly credential: Credential | CredentialSource
  readonly tls?: UpstreamTls
  readonly timeouts: Timeouts
  /** Header names let through besides those MCP needs. */
  readonly headers?: { readonly request: readonly string[]; readonly response: readonly string[] }
  /** Bytes of a compressed answer after decoding, at most. */
  readonly answerBytesMax: number
  /** Sockets at once; an open event stream holds one. Further requests wait. Default 4096, which is
   *  as many as the listener has: a client holds one of ours at most, so that none waits. */
  readonly socketsMax?: number
}

/**
 * Sets up a connection; no socket is opened before the first request.
 * @throws {Fault} `config_bad` for a URL, credential, header rule or TLS file that cannot work.
 */
export function connect(options: ConnectOptions): Upstream {
  return new HttpUpstream(options)
}

class HttpUpstream implements Upstream {
  readonly #pool: Pool
  readonly #path: string
  readonly #credential: CredentialSource | undefined
  readonly #filter: (headers: Iterable<[string, string]>) => string[]
  readonly #frame: CallFrame

  constructor(options: ConnectOptions) {
    const { name, timeouts, headers = { request: [], response: [] } } = options
    const url = checkedUrl(name, options.url)
    this.#path = `${url.pathname}${url.search}`
    const { credential } = options
    this.#credential = 'names' in credential ? credential : valueSource(name, credential)
    this.#filter = requestFilter(name, headers.request, this.#credential?.names ?? [])
    this.#frame = {
      connection: name,
      times: { sseIdleMs: 0, totalMs: 0, ...timeouts },
      answerBytesMax: options.answerBytesMax,
      pick: responsePick(name, headers.response),
    }
    const tls = options.tls === undefined ? {} : readUpstreamTls(name, options.tls)
    this.#pool = new Pool(url.origin, {
      connections: options.socketsMax ?? 4096,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: timeouts.connectMs, lookup: guardedLookup(url.hostname), ...tls },
      headersTimeout: 0, // The times are kept by `Call`, which knows what kind of answer it is.
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
      keepAliveTimeout: 4000, // Under the 5 s of a Node server, which then resets what comes late.
    })
  }

  async send(out: Outgoing, permit: Permit, intent: Durable): Promise<Answer> {
    if (!permit.covers(out.digest) || !intent.covers(out.digest)) {
      const message = 'The permit or the recorded intent is for another request; nothing was sent.'
      throw new Fault('refused', message, { facts: { reason: 'foreign_evidence' } })
    }
    const headers = this.#filter(out.headers)
    headers.push('accept-encoding', 'identity', 'user-agent', 'sallyport')
    const source = this.#credential
    if (source === undefined) {
      permit.spend()
      return this.#dispatch(out, headers)
    }
    const ownFrom = headers.length
    const asked = source.headers(out, headers)
    const isAwaited = isPromise(asked)
    const shown = isAwaited ? await whileWanted(asked, out.signal) : asked
    if (isAwaited) out.stillMay?.()
    headers.push(...shown)
    permit.spend()
    const answered = this.#dispatch(out, headers)
    if (source.refused === undefined) return answered
    const answer = await answered
    // A call that may act is not sent a second time: the new credential is for the next one.
    if (answer.status !== 401 || !source.refused(shown) || out.safe !== true) return answer
    const plain = headers.slice(0, ownFrom)
    const anew = await this.#renewed(out, source, plain)
    if (anew === undefined) return answer
    out.stillMay?.()
    answer.discard()
    return await this.#dispatch(out, [...plain, ...anew])
  }

  async #renewed(
    out: Outgoing,
    source: CredentialSource,
    plain: HeaderPairs,
  ): Promise<HeaderPairs | undefined> {
    try {
      return await whileWanted(Promise.resolve(source.headers(out, plain)), out.signal)
    } catch (error) {
      // Going on is safe: what the server answered is passed on, and the next call tells why.
      if (error instanceof Fault) return undefined
      throw error
    }
  }

  #dispatch(out: Outgoing, headers: string[]): Promise<Answer> {
    const { body = null, method, safe, signal } = out
    const request = { path: this.#path, method, headers, body }
    const dispatch = (call: Call): void => {
      if (!call.isOver) this.#pool.dispatch(request, call)
    }
    const call = new Call(this.#frame, signal, safe === true ? dispatch : undefined)
    dispatch(call)
    return call.answered
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function isPromise(asked: HeaderPairs | Promise<HeaderPairs>): asked is Promise<HeaderPairs> {
  return asked instanceof Promise
}

const notSent = { isSent: false, isAnswered: false }

/**
 * Waits for a credential no longer than somebody waits for the call.
 * @throws {Fault} `cancelled` when the signal fired.
 */
async function whileWanted(asked: Promise<HeaderPairs>, signal: AbortSignal): Promise<HeaderPairs> {
  const cancelled = Promise.withResolvers<never>()
  const leave = (): void => cancelled.reject(cancelledFault(notSent))
  signal.addEventListener('abort', leave, { once: true })
  try {
    if (signal.aborted) leave()
    return await Promise.race([asked, cancelled.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

function checkedUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (url !== undefined && isHttp && url.username === '' && url.password === '') {
    checkHost(name, url)
    return url
  }
  const message = `connection "${name}": url must be http:// or https:// without user and password; use credential.`
  throw new Fault('config_bad', message)
}
