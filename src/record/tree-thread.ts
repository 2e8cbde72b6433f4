/** The thread that keeps the tree of one log, as the gateway sees it. */
import { Worker } from 'node:worker_threads'
import { Fault } from '../base/fault.ts'
import type { SigningKeys } from './tree-keys.ts'

/** What the thread is given. */
export interface TreeWork {
  /** One 64-bit number: how many entries are durable. */
  readonly durable: SharedArrayBuffer
  /** The writer's folder, and that of all writers. */
  readonly folder: string
  readonly recordDir: string
  readonly origin: string
  readonly keys: SigningKeys
}

export type ToTree =
  | { readonly what: 'stop' }
  /** Sign what is durable now. */
  | { readonly what: 'sign'; readonly ask: number }

export type FromTree =
  | { readonly what: 'ready'; readonly size: number }
  | { readonly what: 'signed'; readonly size: number; readonly atMs: number }
  | { readonly what: 'answer'; readonly ask: number; readonly size: number }
  | { readonly what: 'trouble'; readonly reason: string; readonly message: string }
  | { readonly what: 'well' | 'stopped' }

/** Told when checkpoints cannot be signed, and when they can again. `tree_differs` is for good: the
 *  record contradicts what was signed about it. */
export type OnTree = (trouble: { reason: string; message: string } | undefined) => void

/** Must the gateway wait for its last checkpoint? Not longer than this. */
const stopMsMax = 20_000

export class TreeThread {
  readonly #worker: Worker
  readonly #index: BigInt64Array
  readonly #asked = new Map<number, (size: number) => void>()
  #asks = 0
  #size = 0
  #signedAtMs: number | undefined
  #isOver = false
  #whenStopped: () => void = () => undefined

  private constructor(worker: Worker, durable: SharedArrayBuffer, onTree: OnTree) {
    this.#worker = worker
    this.#index = new BigInt64Array(durable)
    worker.on('message', (message: FromTree) => this.#take(message, onTree))
    worker.on('error', (error: Error) => onTree({ reason: 'defect', message: error.name }))
    worker.on('exit', () => {
      this.#isOver = true
      for (const resolve of this.#asked.values()) resolve(this.#size)
      this.#asked.clear()
      this.#whenStopped()
    })
  }

  /**
   * Starts the thread and waits until the log was found to be the one that was signed.
   * @param durableIndex how many entries the log holds.
   * @throws {Fault} `record_down` with the reasons of `LogTree.open`.
   */
  static async start(
    work: Omit<TreeWork, 'durable'>,
    durableIndex: number,
    onTree: OnTree,
  ): Promise<TreeThread> {
    const durable = new SharedArrayBuffer(8)
    Atomics.store(new BigInt64Array(durable), 0, BigInt(durableIndex))
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    const worker = new Worker(new URL(`./tree-worker${extension}`, import.meta.url), {
      workerData: { ...work, durable } satisfies TreeWork,
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    })
    await new Promise<void>((resolve, reject) => {
      worker.once('message', (message: FromTree) => {
        if (message.what !== 'trouble') return resolve()
        const { message: text, reason } = message
        reject(new Fault('record_down', text, { facts: { reason } }))
      })
      worker.once('error', reject)
    })
    return new TreeThread(worker, durable, onTree)
  }

  /** Told after each commit. */
  readonly onDurable = (durableIndex: number): void => {
    Atomics.store(this.#index, 0, BigInt(durableIndex))
  }

  /** Entries under the newest checkpoint, and when it was signed by this process. */
  figures(): { readonly size: number; readonly signedAtMs: number | undefined } {
    return { size: this.#size, signedAtMs: this.#signedAtMs }
  }

  /** Signs what is durable now. @returns how many entries are signed then. */
  signNow(): Promise<number> {
    if (this.#isOver) return Promise.resolve(this.#size)
    return new Promise((resolve) => {
      const ask = ++this.#asks
      this.#asked.set(ask, resolve)
      this.#worker.postMessage({ what: 'sign', ask } satisfies ToTree)
    })
  }

  /** Signs all that is durable, then ends the thread. Never rejects. */
  async stop(): Promise<void> {
    if (this.#isOver) return
    const stopped = new Promise<void>((resolve) => (this.#whenStopped = resolve))
    this.#worker.postMessage({ what: 'stop' } satisfies ToTree)
    const late = setTimeout(() => void this.#worker.terminate(), stopMsMax)
    await stopped
    clearTimeout(late)
    await this.#worker.terminate()
  }

  #take(message: FromTree, onTree: OnTree): void {
    if (message.what === 'signed') {
      this.#size = message.size
      this.#signedAtMs = message.atMs
    } else if (message.what === 'answer') {
      this.#asked.get(message.ask)?.(message.size)
      this.#asked.delete(message.ask)
    } else if (message.what === 'trouble') onTree(message)
    else if (message.what === 'well') onTree(undefined)
    else if (message.what === 'stopped') this.#whenStopped()
  }
}
