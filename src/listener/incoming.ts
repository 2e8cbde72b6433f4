/** One HTTP request and its answer, as `serve` sees them, over node's two objects. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import { headersOf } from './headers.ts'
import type { RequestHeaders } from './headers.ts'
import type { Source } from './source.ts'

export interface Incoming {
  readonly method: string
  /** The part before `?`, as it came: nothing is decoded. */
  readonly path: string
  /** The part after `?`, or empty. */
  readonly query: string
  readonly headers: RequestHeaders
  readonly source: Source
  /**
   * Fires when the client closed its side before the answer ended. A half-closed client counts as
   * gone: most that stop sending have stopped listening.
   */
  readonly gone: AbortSignal
  /**
   * The whole body, or no bytes for a request without one.
   * @throws {Fault} `too_large` (declared or counted), `too_slow` when it does not arrive in time,
   *   `bad_request` when its framing breaks, `cancelled` when the client is gone.
   */
  body(bytesMax: number): Promise<Uint8Array>
  /**
   * Starts the answer; may be called once. The head leaves at once for `text/event-stream`, else
   * with the first bytes: an answer which only `end`s is sent whole, with its Content-Length.
   */
  begin(status: number, headers: Readonly<Record<string, string>>): Reply
  /**
   * Node's own two objects, for a library which serves the request itself. Asked for once, and then
   * nothing else of this is used but what it says of the request.
   */
  native(): Native
}

export interface Native {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Resolves when the answer has ended or the client is gone. */
  readonly done: Promise<void>
}

export interface Reply {
  /**
   * Hands bytes to the client and waits while its side is full.
   * @throws {Fault} `cancelled` when the client is gone, or takes nothing for too long.
   */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the answer; whatever comes after it is ignored. */
  end(bytes?: Uint8Array): void
  /** Breaks the connection, so that the client cannot take what it has for the whole answer. */
  destroy(): void
}

/** What the request needs to know of its connection and listener. */
export interface Around {
  readonly source: (headers: RequestHeaders) => Source
  /** How long a client may take nothing while bytes wait for it. */
  readonly writeStallMs: number
  readonly isClosing: () => boolean
}

const nothing = new Uint8Array(0)
const settled = Promise.resolve()

/** Shared by one request and its answer: one object, since there are thousands a second. */
export class HttpExchange implements Incoming, Reply {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: RequestHeaders
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #around: Around
  #source: Source | undefined
  #gone: AbortController | undefined
  #status = 0 // 0: not begun
  #head: string[] = []
  #isHeadSent = false
  #isEnded = false
  #isLost = false
  #expectsContinue: boolean
  #refusal: Fault | undefined // Why the rest of the body will never come.
  #failBody: ((fault: Fault) => void) | undefined
  #drain: PromiseWithResolvers<void> | undefined

  constructor(req: IncomingMessage, res: ServerResponse, around: Around, expectsContinue: boolean) {
    this.#req = req
    this.#res = res
    this.#around = around
    this.#expectsContinue = expectsContinue
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    this.method = req.method ?? ''
    this.path = mark < 0 ? url : url.slice(0, mark)
    this.query = mark < 0 ? '' : url.slice(mark + 1)
    this.headers = headersOf(req.rawHeaders)
  }

  get source(): Source {
    this.#source ??= this.#around.source(this.headers)
    return this.#source
  }

  /** Made when asked for: most requests end before anybody wonders. */
  get gone(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController()
      if (this.#isLost) this.#gone.abort(cancelled())
    }
    return this.#gone.signal
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get isBegun(): boolean {
    return this.#status !== 0
  }

  /** Whether bytes of an ended answer still wait for the client to take them. */
  get isFlushing(): boolean {
    return this.#isEnded && !this.#res.writableFinished
  }

  /** Whether the request has arrived to its last byte. */
  get isComplete(): boolean {
    return this.#req.complete
  }

  body(bytesMax: number): Promise<Uint8Array> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    const declared = this.headers.get('content-length')
    if (declared === undefined && this.headers.get('transfer-encoding') === undefined) {
      return Promise.resolve(nothing)
    }
    // The parser has refused all but digits, and a length beside a transfer coding (RFC 9112 §6.3).
    if (declared !== undefined && Number(declared) > bytesMax) {
      return Promise.reject(tooLarge(bytesMax))
    }
    if (this.#expectsContinue) this.#res.writeContinue()
    this.#expectsContinue = false
    return new Promise((resolve, reject) => this.#read(bytesMax, resolve, reject))
  }

  #read(
    bytesMax: number,
    resolve: (bytes: Uint8Array) => void,
    reject: (fault: Fault) => void,
  ): void {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    this.#failBody = reject
    this.#req.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= bytesMax) {
        chunks.push(chunk)
        return
      }
      // The rest is read and dropped, until the request's time is over: a client that is still
      // sending would not see an answer on a connection closed under it.
      chunks.length = 0
      this.#failBody = undefined
      reject(tooLarge(bytesMax))
    })
    this.#req.on('end', () => {
      this.#failBody = undefined
      const [only] = chunks
      // Most bodies come in one piece, which node has copied out of its socket buffer for us.
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, sizeBytes))
    })
  }

  begin(status: number, headers: Readonly<Record<string, string>>): Reply {
    assert(this.#status === 0, 'an answer is begun once')
    this.#status = status
    for (const name in headers) this.#head.push(name, headers[name] ?? '')
    if (headers['content-type']?.startsWith('text/event-stream') === true) {
      this.#sendHead()
      if (!this.#isLost) this.#res.flushHeaders()
    }
    return this
  }

  native(): Native {
    assert(this.#status === 0, 'an answer is begun once')
    this.#status = 200 // Whatever it becomes: it is begun.
    const [req, res] = [this.#req, this.#res]
    const done = new Promise<void>((resolve) => {
      const end = (): void => {
        this.#isEnded = true
        resolve()
      }
      res.once('finish', end)
      res.once('close', end)
    })
    if (this.#expectsContinue) res.writeContinue()
    this.#expectsContinue = false
    return { req, res, done }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isLost || this.#isEnded) return Promise.reject(cancelled())
    if (!this.#isHeadSent) this.#sendHead()
    if (bytes.length === 0 || this.#res.write(bytes)) return settled
    // Node lets this timer pass as long as the kernel takes some of the bytes, and then destroys.
    this.#req.socket.setTimeout(this.#around.writeStallMs)
    return this.#waitForDrain()
  }

  /** One promise for all who wait: a drain is for the whole connection. */
  #waitForDrain(): Promise<void> {
    if (this.#drain !== undefined) return this.#drain.promise
    const drain = Promise.withResolvers<void>()
    this.#drain = drain
    this.#res.once('drain', () => {
      this.#drain = undefined
      this.#req.socket.setTimeout(0)
      drain.resolve()
    })
    return drain.promise
  }

  end(bytes?: Uint8Array): void {
    if (this.#isEnded || this.#isLost) return
    this.#isEnded = true
    if (!this.#isHeadSent) this.#sendHead(bytes?.length ?? 0)
    if (bytes === undefined || bytes.length === 0) this.#res.end()
    else this.#res.end(bytes)
  }

  destroy(): void {
    if (!this.#res.writableFinished) this.#req.socket.destroy()
  }

  /** @param length of the whole body where it is known; without it the body goes out in chunks. */
  #sendHead(length?: number): void {
    assert(this.#status !== 0, 'an answer is begun before it is written')
    this.#isHeadSent = true
    if (this.#isLost) return
    const isBodiless = this.#status === 204 || this.#status === 304
    if (length !== undefined && !isBodiless) this.#head.push('content-length', String(length))
    // Who waits for our 100 may send its body or not: the next bytes could be either.
    const isLast = this.#refusal !== undefined || this.#expectsContinue || this.#around.isClosing()
    if (isLast) this.#res.shouldKeepAlive = false
    this.#res.writeHead(this.#status, this.#head)
  }

  /** The rest of the request will not come, or nothing after it is to be read: this answer is the last. */
  refuseRest(fault: Fault): void {
    this.#refusal = fault
    this.#res.shouldKeepAlive = false
    this.#failBody?.(fault)
    this.#failBody = undefined
  }

  /** Calls back once the client's kernel or ours has taken all of an ended answer. */
  onFlushed(then: () => void): void {
    this.#res.once('finish', then)
  }

  /** This answer is the last of its connection. */
  makeLast(): void {
    this.#res.shouldKeepAlive = false
  }

  /** The client is gone. Whoever waits for it is told; nothing happens when the answer has ended. */
  lose(): void {
    if (this.#isLost || this.#isEnded) return
    this.#isLost = true
    const fault = cancelled()
    this.refuseRest(fault)
    this.#drain?.reject(fault)
    this.#drain = undefined
    this.#gone?.abort(fault)
  }
}

function cancelled(): Fault {
  return new Fault(
    'cancelled',
    'The client closed the connection before its answer was complete.',
    {
      facts: { reason: 'client_gone' },
    },
  )
}

function tooLarge(bytesMax: number): Fault {
  const message = `The body is over the limit of ${bytesMax} bytes; nothing was forwarded.`
  return new Fault('too_large', message, { facts: { reason: 'body', bytesMax } })
}
