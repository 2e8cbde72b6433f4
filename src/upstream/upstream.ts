/** Connections to MCP servers: requests out, with our credential; answers back, as they come. */
import { Pool } from 'undici'
import { Fault } from '../base/fault.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import type { Answer } from './answer.ts'
import { Call } from './call.ts'
import type { CallFrame } from './call.ts'
import { credentialHeader } from './credential.ts'
import type { Credential, CredentialHeader } from './credential.ts'
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
}

export interface Upstream {
  /**
   * Sends one request and resolves with the head of its answer.
   * @throws {Fault} `refused` when permit or intent are not for this very request, or the permit was
   *   spent; `cancelled`; `secret_missing`; `upstream_down`, `upstream_timeout`, `upstream_bad` with
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
  readonly credential: Credential
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
  readonly #credential: CredentialHeader | undefined
  readonly #filter: (headers: Iterable<[string, string]>) => string[]
  readonly #frame: CallFrame

  constructor(options: ConnectOptions) {
    const { name, timeouts, headers = { request: [], response: [] } } = options
    const url = checkedUrl(name, options.url)
    this.#path = `${url.pathname}${url.search}`
    this.#credential = credentialHeader(name, options.credential)
    this.#filter = requestFilter(name, headers.request, this.#credential?.name)
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
      connect: { timeout: timeouts.connectMs, ...tls },
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
    if (this.#credential !== undefined)
      headers.push(this.#credential.name, this.#credential.value())
    permit.spend()
    const { method, body = null } = out
    const request = { path: this.#path, method, headers, body }
    const dispatch = (call: Call): void => {
      if (!call.isOver) this.#pool.dispatch(request, call)
    }
    const call = new Call(this.#frame, out.signal, out.safe === true ? dispatch : undefined)
    dispatch(call)
    return call.answered
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function checkedUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (url !== undefined && isHttp && url.username === '' && url.password === '') return url
  const message = `connection "${name}": url must be http:// or https:// without user and password; use credential.`
  throw new Fault('config_bad', message)
}
