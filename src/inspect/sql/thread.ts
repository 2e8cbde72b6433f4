/** The thread that reads statements, as the reader sees it. */
import { Worker } from 'node:worker_threads'
import type { Dialect } from '../facts.ts'
import type { Statement, Unreadable } from './statement.ts'

export interface ToWorker {
  readonly text: string
  readonly dialect: Dialect
}

export interface FromWorker {
  readonly answer: readonly Statement[] | Unreadable
  /** The parser did not survive: the thread is to be ended. */
  readonly isBroken: boolean
}

export interface ThreadBounds {
  /** A statement that takes longer is `too_slow`, and the thread is started anew. */
  readonly withinMs: number
  /** Statements that may wait for the thread; one more is `too_slow` at once. */
  readonly waitingMax: number
}

/** The first statement also waits for the thread and the parser to be loaded. */
const startMs = 5000
/** The thread ends when it had nothing to do for so long. */
const idleMs = 60_000
const heapMbMax = 256
/** Room for statements that nest deeply; the gateway's own thread has one. */
const stackMb = 16

type Answer = readonly Statement[] | Unreadable

interface Job extends ToWorker {
  readonly done: (answer: Answer) => void
}

/** Asks one statement at a time, so that the one that is too slow is known. */
export class ReadingThread {
  readonly #bounds: ThreadBounds
  readonly #jobs: Job[] = []
  #worker: Worker | undefined
  #busy: Job | undefined
  #isWarm = false
  #isClosed = false
  #idle: NodeJS.Timeout | undefined
  #late: NodeJS.Timeout | undefined

  constructor(bounds: ThreadBounds) {
    this.#bounds = bounds
  }

  /** Never rejects. */
  ask(text: string, dialect: Dialect): Promise<Answer> {
    if (this.#isClosed || this.#jobs.length >= this.#bounds.waitingMax) {
      return Promise.resolve({ problem: 'too_slow' })
    }
    return new Promise((done) => {
      this.#jobs.push({ text, dialect, done })
      this.#next()
    })
  }

  /** Ends the thread; whoever waits is told `too_slow`. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const job of this.#jobs.splice(0)) job.done({ problem: 'too_slow' })
    this.#finish({ problem: 'too_slow' })
    await this.#end()
  }

  #next(): void {
    if (this.#busy) return
    const job = this.#jobs.shift()
    if (!job) return this.#rest()
    clearTimeout(this.#idle)
    this.#busy = job
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    const withinMs = this.#bounds.withinMs + (this.#isWarm ? 0 : startMs)
    this.#late = setTimeout(() => this.#fail({ problem: 'too_slow' }), withinMs)
    worker.postMessage({ text: job.text, dialect: job.dialect } satisfies ToWorker)
  }

  #rest(): void {
    this.#worker?.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#end(), idleMs).unref()
  }

  #start(): Worker {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    const worker = new Worker(new URL(`./worker${extension}`, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax, stackSizeMb: stackMb },
    })
    this.#isWarm = false
    // A thread that was ended on purpose is no longer ours; what it still says concerns nobody.
    const isOurs = () => worker === this.#worker
    worker.on('message', ({ answer, isBroken }: FromWorker) => {
      if (!isOurs()) return
      this.#isWarm = true
      if (isBroken) this.#fail(answer)
      else this.#finish(answer)
    })
    worker.on('error', () => isOurs() && this.#fail({ problem: 'too_deep' }))
    worker.on('exit', () => isOurs() && this.#fail({ problem: 'too_deep' }))
    return worker
  }

  #finish(answer: Answer): void {
    clearTimeout(this.#late)
    const job = this.#busy
    this.#busy = undefined
    job?.done(answer)
    if (!this.#isClosed) this.#next()
  }

  #fail(answer: Answer): void {
    void this.#end()
    this.#finish(answer)
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
