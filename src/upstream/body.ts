import { Fault } from '../base/fault.ts'

/** Whatever the bytes come from, as the body steers it. */
export interface Flow {
  pause(): void
  resume(): void
  /** The reader wants no more; the rest need not be sent. */
  cancel(): void
}

/** Bytes held for a reader who is slower than the server; beyond, the server is made to wait. */
const heldBytesMax = 256 * 1024

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void
  readonly reject: (fault: Fault) => void
}

interface Gathering {
  readonly bytesMax: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (fault: Fault) => void
}

/**
 * The bytes of one answer between the server, who pushes, and one reader, who takes them chunk by
 * chunk or whole.
 *
 *     push ──▶ [ chunk | chunk | chunk ] ──▶ next()      held > heldBytesMax: pause; < half: resume
 *     push ──▶ [ chunk | chunk | ... end ] ──▶ whole()   never paused: bounded by bytesMax
 */
export class Body implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #flow: Flow
  #chunks: Uint8Array[] = []
  #heldBytes = 0
  #isPaused = false
  #isEnded = false
  #fault: Fault | undefined
  #waiting: Waiting | undefined
  #gathering: Gathering | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  push(chunk: Uint8Array): void {
    if (this.#isEnded || this.#fault !== undefined) return
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve({ done: false, value: chunk })
      return
    }
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#gathering !== undefined) this.#checkGathered(this.#gathering)
    else if (this.#heldBytes > heldBytesMax && !this.#isPaused) {
      this.#isPaused = true
      this.#flow.pause()
    }
  }

  end(): void {
    if (this.#isEnded || this.#fault !== undefined) return
    this.#isEnded = true
    this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
    this.#gathering?.resolve(this.#joined())
    this.#gathering = undefined
  }

  /** What was held is dropped: a broken answer is not to be read as if it were one. */
  fail(fault: Fault): void {
    if (this.#isEnded || this.#fault !== undefined) return
    this.#fault = fault
    this.#chunks = []
    this.#heldBytes = 0
    this.#waiting?.reject(fault)
    this.#waiting = undefined
    this.#gathering?.reject(fault)
    this.#gathering = undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#heldBytes -= chunk.length
      if (this.#isPaused && this.#heldBytes < heldBytesMax / 2) this.#resume()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#fault !== undefined) return Promise.reject(this.#fault)
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.discard()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends the reading; a server which is still sending is cut off. */
  discard(): void {
    this.#chunks = []
    this.#heldBytes = 0
    if (this.#isEnded || this.#fault !== undefined) return
    this.end()
    this.#flow.cancel()
  }

  /**
   * All bytes, or none.
   * @throws {Fault} `answer_too_large` over the limit, and what the answer failed with.
   */
  whole(bytesMax: number): Promise<Uint8Array> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      const gathering = { bytesMax, resolve, reject }
      if (!this.#checkGathered(gathering)) return
      if (this.#isEnded) {
        resolve(this.#joined())
        return
      }
      this.#gathering = gathering
      if (this.#isPaused) this.#resume()
    })
  }

  #checkGathered({ bytesMax, reject }: Gathering): boolean {
    if (this.#heldBytes <= bytesMax) return true
    this.#gathering = undefined
    this.discard()
    const message = `The server's answer is over the limit of ${bytesMax} bytes; it is withheld.`
    reject(new Fault('answer_too_large', message, { facts: { reason: 'size', isSent: true } }))
    return false
  }

  #resume(): void {
    this.#isPaused = false
    this.#flow.resume()
  }

  #joined(): Uint8Array {
    const [only] = this.#chunks
    const whole =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#heldBytes = 0
    return whole
  }
}
