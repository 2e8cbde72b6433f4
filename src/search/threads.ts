/**
 * The index beside the gateway: a thread writes it behind the log, another searches it, and the
 * gateway's own waits for neither.
 */
import { Worker } from 'node:worker_threads'
import { Fault } from '../base/fault.ts'
import type { KeyWrapper } from '../secrets/wrapping.ts'
import type { Found, SearchOptions } from './item.ts'
import type { Ask, PlainFault, ReadState, Setting, Tell } from './messages.ts'
import type { Query } from './query.ts'
import type { WordKind } from './schema.ts'

export interface IndexPlace {
  /** `DATA/index` and `DATA/record`. */
  readonly indexDir: string
  readonly recordDir: string
  /** `DATA/keys/months` and what unwraps the keys in it; without it only bodies in clear are read. */
  readonly keys?: { readonly dir: string; readonly wrapper: KeyWrapper } | undefined
  /** `record.index_outputs`. */
  readonly indexOutputs: boolean
  /** `record.card_search`; not unless given. */
  readonly cardSearch?: boolean | undefined
  /** By writer, the index behind its last durable entry: for the lag. */
  readonly durable: () => Readonly<Record<string, number>>
  /** A search that takes longer is ended; 10 seconds by default. */
  readonly searchMsMax?: number | undefined
}

/** A page of results and how far the index was behind the log, in entries, when it was made. */
export type FoundWithLag = Found & { readonly lag: number }

export interface IndexFigures {
  /** Durable entries that are not in the index yet. */
  readonly lag: number
  /** Entries taken in since the start. */
  readonly entries: number
  /** Why it waits, by a fault's code and reason; undefined while all is well. */
  readonly fault: PlainFault | undefined
}

/** The index of a running gateway. All faults of `search` are as for `RecordIndex`. */
export interface IndexThreads {
  search(query: Query, options?: Omit<SearchOptions, 'deadlineMs'>): Promise<FoundWithLag>
  /** Names that begin with `start`, to complete a query by. */
  names(of: WordKind, start: string, limit: number): Promise<readonly string[]>
  figures(): IndexFigures
  /** Reads the log to its end now, rather than within a second. */
  catchUp(): Promise<void>
  /** Makes everything anew from the log; searches find what is in meanwhile. */
  rebuild(): Promise<void>
  /** After a month's bodies were shredded. */
  forgetText(month: string): Promise<void>
  /** After a month was removed from the record. */
  removeMonth(month: string): Promise<void>
  /** Ends both threads, the one that writes after its transaction. */
  stop(): Promise<void>
}

const searchMsDefault = 10_000
/** SQLite is asked to end at the deadline; where it does not hear, its thread goes this much later. */
const graceMs = 2000
/** A thread that ended by itself is started again after this. */
const restartMs = 5000
/** Beyond this a thread ends rather than take the gateway's memory. */
const heapMbMax = 256
const youngMbMax = 16
/** The thread that searches ends when nobody has for so long: it holds memory. */
const idleMs = 60_000
const writeCacheKib = 8192
const searchCacheKib = 16_384

/** Starts the thread that writes; the other one starts with the first search. */
export function startIndexThreads(place: IndexPlace): IndexThreads {
  return new Threads(place)
}

class Threads implements IndexThreads {
  readonly #place: IndexPlace
  #writer: Thread
  #isStopping = false
  #searcher: Thread | undefined
  #idle: NodeJS.Timeout | undefined
  #state: ReadState = { next: {}, entries: 0, fault: undefined }

  constructor(place: IndexPlace) {
    this.#place = place
    this.#writer = this.#startWriter()
  }

  async search(query: Query, options: SearchOptions = {}): Promise<FoundWithLag> {
    const deadlineMs = this.#place.searchMsMax ?? searchMsDefault
    const lag = this.figures().lag
    const ask = { kind: 'search', query, options: { ...options, deadlineMs } } as const
    const found = await this.#searching(ask, deadlineMs + graceMs)
    if (!found || !('items' in found)) throw ended()
    return { ...found, lag }
  }

  async names(of: WordKind, start: string, limit: number): Promise<readonly string[]> {
    const found = await this.#searching({ kind: 'names', of, start, limit }, searchMsDefault)
    return found && !('items' in found) ? found : []
  }

  figures(): IndexFigures {
    let lag = 0
    for (const [writer, next] of Object.entries(this.#place.durable())) {
      lag += Math.max(0, next - (this.#state.next[writer] ?? 0))
    }
    return { lag, entries: this.#state.entries, fault: this.#state.fault }
  }

  async catchUp(): Promise<void> {
    await this.#writer.ask({ kind: 'read' })
  }

  async rebuild(): Promise<void> {
    await this.#writer.ask({ kind: 'rebuild' })
  }

  async forgetText(month: string): Promise<void> {
    await this.#writer.ask({ kind: 'forget', month })
  }

  async removeMonth(month: string): Promise<void> {
    await this.#writer.ask({ kind: 'remove', month })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#idle)
    await Promise.all([this.#searcher?.end(), this.#writer.stop()])
  }

  async #searching(ask: Question, withinMs: number): Promise<Value> {
    if (this.#isStopping) throw ended()
    clearTimeout(this.#idle)
    if (this.#searcher?.isAlive !== true) this.#searcher = this.#start('search', searchCacheKib)
    const searcher = this.#searcher
    const late = setTimeout(() => void searcher.end(), withinMs)
    try {
      return await searcher.ask(ask)
    } catch (error) {
      this.#mend(error)
      throw error
    } finally {
      clearTimeout(late)
      clearTimeout(this.#idle)
      this.#idle = setTimeout(() => void searcher.end(), idleMs).unref()
    }
  }

  /** A month that turned out damaged is made anew by the thread that writes. */
  #mend(error: unknown): void {
    if (!(error instanceof Fault) || error.facts['reason'] !== 'index_damaged') return
    const month = String(error.facts['month'])
    // The search has failed already; whether the mending does is told by the state.
    this.#writer.ask({ kind: 'aside', month }).then(() => this.catchUp(), noteNothing)
  }

  /** Should it ever end by itself, another one goes on from the position that is kept. */
  #startWriter(): Thread {
    const writer = this.#start('write', writeCacheKib)
    void writer.ended.then(() => {
      if (this.#isStopping) return
      setTimeout(() => {
        if (!this.#isStopping) this.#writer = this.#startWriter()
      }, restartMs).unref()
    })
    return writer
  }

  #start(role: Setting['role'], cacheKib: number): Thread {
    const { cardSearch = false, indexDir, indexOutputs, keys, recordDir } = this.#place
    const setting: Setting = {
      role,
      indexDir,
      recordDir,
      keysDir: keys?.dir,
      wrapperKind: keys?.wrapper.kind ?? 'file',
      indexOutputs,
      cardSearch,
      cacheKib,
    }
    return new Thread(setting, keys?.wrapper, (state) => (this.#state = state))
  }
}

type Value = Extract<Tell, { kind: 'done' }>['value']
/** Omits from each kind by itself. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never
type Question = Without<Exclude<Ask, { kind: 'unwrapped' }>, 'id'>

interface Waiting {
  resolve(value: Value): void
  reject(error: Error): void
}

/** One worker and who waits for it. */
class Thread {
  readonly #worker: Worker
  readonly #wrapper: KeyWrapper | undefined
  readonly #onState: (state: ReadState) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly ended: Promise<void>
  #lastId = 0
  isAlive = true

  constructor(
    setting: Setting,
    wrapper: KeyWrapper | undefined,
    onState: (state: ReadState) => void,
  ) {
    this.#wrapper = wrapper
    this.#onState = onState
    // The published build has .js beside .js, the sources .ts beside .ts.
    const source = new URL('./worker.ts', import.meta.url)
    const isBuilt = import.meta.url.endsWith('.js')
    this.#worker = new Worker(isBuilt ? new URL('./worker.js', source) : source, {
      workerData: setting,
      name: `index ${setting.role}`,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax, maxYoungGenerationSizeMb: youngMbMax },
    })
    this.#worker.unref()
    this.#worker.on('message', (message: Tell) => this.#hear(message))
    this.#worker.on('error', () => this.#end())
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end()
        resolve()
      })
    })
  }

  ask(question: Question): Promise<Value> {
    if (!this.isAlive) return Promise.reject(ended())
    const id = ++this.#lastId
    // While somebody waits the process does not end.
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ ...question, id })
    })
  }

  /** Lets it end what it is at. */
  async stop(): Promise<void> {
    if (!this.isAlive) return
    await this.ask({ kind: 'stop' })
    // The answer let go of the process; the thread still has to end.
    this.#worker.ref()
    await this.ended
  }

  /** Ends it now. */
  async end(): Promise<void> {
    this.#end()
    await this.#worker.terminate()
  }

  #hear(message: Tell): void {
    switch (message.kind) {
      case 'state':
        return this.#onState(message.state)
      case 'unwrap':
        return void this.#unwrap(message)
      case 'done':
        return this.#take(message.id)?.resolve(message.value)
      case 'failed': {
        const { code, facts, message: text } = message.fault
        return this.#take(message.id)?.reject(new Fault(code, text, { facts }))
      }
      default:
        return message satisfies never
    }
  }

  async #unwrap({ context, id, wrapped }: Extract<Tell, { kind: 'unwrap' }>): Promise<void> {
    // Why it failed is known where the wrapper is; the index only waits and asks again.
    const found = await this.#wrapper?.unwrap(wrapped, context).catch(noteNothing)
    // A view would take along the whole memory it looks at.
    const key = found && Uint8Array.from(found)
    this.#worker.postMessage({ kind: 'unwrapped', id, key } satisfies Ask)
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker.unref()
    return waiting
  }

  #end(): void {
    this.isAlive = false
    for (const waiting of this.#waiting.values()) waiting.reject(ended())
    this.#waiting.clear()
  }
}

function ended(): Fault {
  return new Fault(
    'busy',
    'The search was ended: it took too long, or the gateway is stopping. Try a narrower one.',
    { facts: { reason: 'index_ended' } },
  )
}

function noteNothing(): undefined {
  return undefined
}
