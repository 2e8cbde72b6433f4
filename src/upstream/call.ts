/** One request on its way to a server and back: the events of the HTTP client, made an `Answer`. */
import type { Dispatcher } from 'undici'
import type { Fault } from '../base/fault.ts'
import { answerType } from './answer.ts'
import type { Answer, AnswerType } from './answer.ts'
import { Body } from './body.ts'
import type { Flow } from './body.ts'
import { decoder, isPlainEncoding } from './decode.ts'
import type { Decoder } from './decode.ts'
import { cancelledFault, faultOf, isReset, upstreamFault } from './faults.ts'
import type { Progress, UpstreamReason } from './faults.ts'

/** Times of one call, in milliseconds; 0 is no limit. */
export interface CallTimes {
  /** From sending to the head of the answer, connecting and queueing included. */
  readonly headersMs: number
  /** Between two pieces of an answer which is no event stream. */
  readonly idleMs: number
  /** The same in an event stream. */
  readonly sseIdleMs: number
  /** From sending to the last byte; looked at with each piece, so up to one idle time late. */
  readonly totalMs: number
}

export interface CallFrame {
  readonly connection: string
  readonly times: CallTimes
  /** Decoded bytes of a compressed answer at most, event streams aside. */
  readonly answerBytesMax: number
  readonly pick: (headers: Headers) => Record<string, string>
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A body nobody asked for (with 202, say) is read up to here, so that its connection stays usable. */
const ignoredBytesMax = 64 * 1024
const sessionId = /^[\x21-\x7e]{1,1024}$/ // MCP 2025-11-25, Transports: visible ASCII

export class Call implements Dispatcher.DispatchHandler, Progress, Flow {
  readonly answered: Promise<Answer>
  isSent = false
  isAnswered = false
  readonly #frame: CallFrame
  readonly #signal: AbortSignal
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (fault: Fault) => void
  readonly #startedMs: number
  #again: (() => void) | undefined
  #controller: Dispatcher.DispatchController | undefined
  #body: Body | undefined
  #decoder: Decoder | undefined
  #type: AnswerType = 'other'
  #ignoredBytes = 0
  #timer: NodeJS.Timeout | undefined
  #fault: Fault | undefined
  #isOver = false
  // Who asks the server to wait: the reader, or a decoder that is full.
  #isHeldByReader = false
  #isHeldByDecoder = false

  /** @param again sends the same request once more; given only where that is harmless. */
  constructor(frame: CallFrame, signal: AbortSignal, again: ((call: Call) => void) | undefined) {
    this.#frame = frame
    this.#signal = signal
    this.#again = again && (() => again(this))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.answered = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#startedMs = performance.now()
    this.#arm(frame.times.headersMs, 'first_byte')
    signal.addEventListener('abort', this, { once: true })
    if (signal.aborted) this.handleEvent()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The caller's signal fired. A listener object spares a closure for each call. */
  handleEvent(): void {
    this.#fail(cancelledFault(this))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Aborted before it was begun, the client writes nothing.
    if (this.#isOver) controller.abort(this.#fault ?? cancelledFault(this))
    else this.isSent = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    if (status < 200 || this.#isOver) return // 1xx: more is to come (RFC 9110 §15.2)
    this.isAnswered = true
    const { connection, times } = this.#frame
    const problem = unfit(status, headers)
    if (problem !== undefined) {
      this.#fail(upstreamFault(connection, problem, this))
      return
    }
    this.#type = answerType(status, one(headers['content-type']), one(headers['content-length']))
    const body = new Body(this)
    this.#body = body
    if (!this.#decodes(headers['content-encoding'])) return
    this.#arm(this.#type === 'sse' ? times.sseIdleMs : times.idleMs, 'idle')
    if (this.#type === 'none') body.end()
    this.#resolve({
      status,
      headers: this.#frame.pick(headers),
      type: this.#type,
      body,
      bytes: (bytesMax) => body.whole(bytesMax),
      discard: () => body.discard(),
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return
    if (this.#type === 'none') {
      this.#ignoredBytes += chunk.length
      if (this.#ignoredBytes > ignoredBytesMax) this.cancel()
      return
    }
    this.#timer?.refresh()
    if (this.#leftMs() <= 0) this.#timeOut('total')
    else if (this.#decoder !== undefined) this.#decoder.write(chunk)
    else this.#body?.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    if (this.#decoder !== undefined) {
      this.#stopTimer() // The server is done; what is left is our own work and the reader's.
      this.#decoder.end()
      return
    }
    this.#over()
    this.#body?.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    const again = this.#again
    if (again !== undefined && !this.isAnswered && isReset(error)) {
      this.#again = undefined // Once.
      again()
      return
    }
    this.#fail(faultOf(this.#frame.connection, error, this))
  }

  /** The reader is slower than the server. Meanwhile the server's silence is our doing. */
  pause(): void {
    if (this.#decoder !== undefined) this.#decoder.pause()
    else this.#hold(true, this.#isHeldByDecoder)
  }

  resume(): void {
    if (this.#decoder !== undefined) this.#decoder.resume()
    else this.#hold(false, this.#isHeldByDecoder)
  }

  /** The reader has what it wants; the request is destroyed. */
  cancel(): void {
    if (this.#isOver) return
    this.#over()
    this.#decoder?.destroy()
    this.#controller?.abort(cancelledFault(this))
  }

  #hold(byReader: boolean, byDecoder: boolean): void {
    this.#isHeldByReader = byReader
    this.#isHeldByDecoder = byDecoder
    if (this.#isOver) return
    const { times } = this.#frame
    if (byReader || byDecoder) {
      this.#stopTimer()
      this.#controller?.pause()
    } else {
      this.#arm(this.#type === 'sse' ? times.sseIdleMs : times.idleMs, 'idle')
      this.#controller?.resume()
    }
  }

  /** Puts a decoder in the way where one is needed; false when the encoding is not one we take. */
  #decodes(header: string | string[] | undefined): boolean {
    const encoding = Array.isArray(header) ? header.join(',') : header
    if (encoding === undefined || isPlainEncoding(encoding) || this.#type === 'none') return true
    const fail = (reason: UpstreamReason, cause?: unknown): void => {
      this.#fail(upstreamFault(this.#frame.connection, reason, this, cause))
    }
    const limit = this.#type === 'sse' ? 0 : this.#frame.answerBytesMax
    this.#decoder = decoder(encoding, limit, {
      bytes: (chunk) => this.#body?.push(chunk),
      failed: fail,
      full: (isFull) => this.#hold(this.#isHeldByReader, isFull),
      ended: () => {
        this.#over()
        this.#body?.end()
      },
    })
    if (this.#decoder === undefined) fail('encoding')
    return this.#decoder !== undefined
  }

  #leftMs(): number {
    const { totalMs } = this.#frame.times
    return totalMs === 0 ? Infinity : totalMs - (performance.now() - this.#startedMs)
  }

  #arm(phaseMs: number, reason: UpstreamReason): void {
    this.#stopTimer()
    const leftMs = this.#leftMs()
    const phase = phaseMs === 0 ? Infinity : phaseMs
    const delayMs = Math.min(phase, Math.max(1, leftMs))
    if (delayMs === Infinity) return
    const isTotal = leftMs <= phase
    this.#timer = setTimeout(() => this.#timeOut(isTotal ? 'total' : reason), delayMs)
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #timeOut(reason: UpstreamReason): void {
    this.#fail(upstreamFault(this.#frame.connection, reason, this))
  }

  #fail(fault: Fault): void {
    if (this.#isOver) return
    this.#fault = fault
    this.#over()
    this.#reject(fault)
    this.#body?.fail(fault)
    this.#controller?.abort(fault)
  }

  #over(): void {
    this.#isOver = true
    this.#stopTimer()
    this.#signal.removeEventListener('abort', this)
    if (this.#fault !== undefined) this.#decoder?.destroy()
  }
}

/** What makes an answer unusable as soon as its head is seen. */
function unfit(status: number, headers: Headers): UpstreamReason | undefined {
  if (status < 400 && status >= 300) return 'redirect'
  if (Array.isArray(headers['content-type'])) return 'content_type'
  const session = headers['mcp-session-id']
  if (session === undefined) return undefined
  return typeof session === 'string' && sessionId.test(session) ? undefined : 'session_id'
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
