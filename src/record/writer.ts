/**
 * Group commit: entries and bodies of many callers go into batches, each batch is one write and one
 * sync, and only then do its callers go on. One batch is under way at a time; what arrives meanwhile
 * forms the next, so batches grow with the load and nobody waits for a timer.
 */
import { join } from 'node:path'
import { assert } from '../base/assert.ts'
import { isoMicros } from '../base/clock.ts'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { assertEntrySize, Batch } from './batch.ts'
import { encodeEntry, takesBody } from './encode.ts'
import { SealCounter } from './seal.ts'
import { layOutBytesDefault, Segments } from './segment.ts'
import { splitMasking } from './split.ts'
import { storeBody } from './store.ts'
import { encryptTokens } from './tokens.ts'
import type { Durable } from './durable.ts'
import type { SealStamp, Stamp, StoredBody, Writable } from './encode.ts'
import type { EntryType, Item, Shared } from './entry.ts'
import type { Release } from './lock.ts'
import type { RecordOptions, Recorder, RecorderFigures, RecorderState } from './record.ts'
import type { MonthKeys } from './months.ts'
import type { LogState } from './recover.ts'
import type { Room } from './room.ts'
import type { Unfinished } from './unfinished.ts'

/** A clock may step back by this much; entries then keep the last time. Beyond, the record latches. */
export const clockBackUsMax: number = 5_000_000
/** A batch that has reached this size gets nothing more. */
const batchBytesMax = 4_194_304
/** A batch of this size is written without waiting for more. */
const earlyBytes = 65_536
/** A buffer that grew beyond this is not kept for the next batch. */
const spareRoomBytesMax = 262_144
const pendingBytesMaxDefault = 268_435_456

/** Entries that only end what was begun: the space between the floors is kept for them. */
const ending: ReadonlySet<EntryType> = new Set<EntryType>([
  'response.event',
  'mask.applied',
  'call.finished',
  'session.closed',
  'seal',
  'gateway.stopped',
  'gateway.recovered',
  'retention.removed', // It makes room.
  'control.failed',
  'control.restored',
])

/** The one that appends. Opened by `openRecord`, which has recovered the log before. */
export class SegmentRecorder implements Recorder {
  readonly #options: RecordOptions
  readonly #segments: Segments
  readonly #room: Room
  readonly #release: Release
  readonly #unfinished: Unfinished
  readonly #seals: SealCounter
  readonly #months: MonthKeys | undefined
  readonly #origin: string
  readonly #timer: NodeJS.Timeout
  readonly #queue: Batch[] = [] // The last one still grows.
  #state: RecorderState = 'open'
  #fault: Fault | undefined
  #isWriting = false
  #isDue = false // A write will begin in this turn of the loop.
  #whenIdle: (() => void) | undefined
  #nextIndex: number
  #durableIndex: number
  #lastUs: number
  #month: string | undefined // Of the segment into which the newest batch goes, and
  #segmentBytes: number // its size once all batches but the newest are written.
  #spareRoom: Buffer | undefined
  #pendingBytes = 0
  #entries = 0
  #batches = 0
  #bytes = 0

  constructor(options: RecordOptions, { folder, log, months, origin, release, room }: Opened) {
    this.#options = options
    this.#months = months
    this.#origin = origin
    const layOutBytes = options.layOutBytes ?? layOutBytesDefault
    const at = { disk: options.disk, folder: join(folder, 'log'), layOutBytes }
    this.#segments = new Segments(at, log.tip, log.link)
    this.#room = room
    this.#release = release
    this.#unfinished = log.unfinished
    this.#seals = new SealCounter(log.nextIndex, options.clock.nowUs())
    this.#nextIndex = this.#durableIndex = log.nextIndex
    this.#lastUs = log.lastUs
    this.#month = log.tip?.name.month
    this.#segmentBytes = log.tip?.end ?? 0
    this.#timer = setInterval(() => void this.#look(), options.freeCheckMs ?? 1000)
    this.#timer.unref()
    this.#noteRoom()
  }

  state(): RecorderState {
    return this.#state
  }

  latch(reason: string): void {
    this.#latch(reason, new Error(reason))
  }

  figures(): RecorderFigures {
    return {
      entries: this.#entries,
      batches: this.#batches,
      bytes: this.#bytes,
      nextIndex: this.#nextIndex,
      durableIndex: this.#durableIndex,
      pendingBytes: this.#pendingBytes,
      freeBytes: this.#room.freeBytes,
    }
  }

  append(digest: string, shared: Shared, items: readonly Item[]): Promise<Durable> {
    try {
      this.#admit(items)
      const timeUs = this.#stampTime()
      // All lines are made before the first is taken in: an append is whole or not at all.
      const time = isoMicros(timeUs)
      const lines = this.#encode(shared, items, time)
      const batch = this.#batchFor(timeUs, time.slice(0, 7))
      const before = batch.bytes
      for (const { body, line, tokens } of lines) {
        batch.addEntry(line)
        if (tokens) batch.addTokens(tokens)
        if (body) batch.addBody(body.bytes)
      }
      for (const { entry } of items) {
        this.#unfinished.note(entry.type, shared, timeUs)
        this.#seals.note(entry.type, this.#nextIndex, timeUs)
      }
      this.#nextIndex += lines.length
      this.#pendingBytes += batch.bytes - before
      this.#lastUs = timeUs
      return new Promise((resolve, reject) => {
        batch.waiters.push({ digest, resolve, reject })
        this.#kick()
      })
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error('not an error'))
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const wasLatched = this.#state === 'latched'
    this.#setState('closed', undefined)
    clearInterval(this.#timer)
    if (this.#isWriting || this.#queue.length > 0) {
      await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    }
    // Nothing is acknowledged by closing: if it fails, the next start recovers.
    await (wasLatched || this.#fault ? this.#segments.abandon() : this.#segments.close()).catch(
      ignore,
    )
    await this.#release().catch(ignore)
  }

  #admit(items: readonly Item[]): void {
    assert(items.length > 0, 'an append has at least one entry')
    if (this.#state === 'latched' || this.#state === 'closed') throw this.#down()
    if (this.#state === 'full') {
      const isEnding = items.every(({ entry }) => ending.has(entry.type))
      if (!isEnding || this.#room.isExhausted) throw this.#room.fault()
    }
    const max = this.#options.pendingBytesMax ?? pendingBytesMaxDefault
    if (this.#pendingBytes >= max) {
      throw new Fault('busy', 'More waits to be recorded than may wait; try again shortly.', {
        facts: { reason: 'record_queue' },
      })
    }
  }

  #encode(shared: Shared, items: readonly Item[], time: string): Line[] {
    const lines: Line[] = []
    const storing = {
      compressFromBytes: this.#options.compressFromBytes ?? Infinity,
      origin: this.#origin,
      key: this.#months?.of(time.slice(0, 7)),
    }
    for (const { entry, body: masked, tokens } of items) {
      const body = masked && masked.value.length > 0 ? storeBody(masked.value, storing) : undefined
      assert(!body || takesBody(entry.type), 'only messages have bodies')
      for (const part of entry.type === 'mask.applied' ? splitMasking(entry) : [entry]) {
        const index = this.#nextIndex + lines.length
        const seal = part.type === 'seal' ? this.#sealStamp(items.length) : undefined
        const line = this.#line(part, { shared, time, body, index, seal })
        lines.push({ line, body, tokens: this.#sealTokens(tokens?.value, body, index) })
      }
    }
    return lines
  }

  #line(entry: Writable, stamp: Stamp): string {
    const line = encodeEntry(entry, stamp)
    assertEntrySize(line)
    return line
  }

  /** Tokens are worth as much protection as the body they tell of: without a key none are kept. */
  #sealTokens(
    tokens: readonly Uint8Array[] | undefined,
    body: StoredBody | undefined,
    index: number,
  ): Buffer | undefined {
    const key = body?.key === undefined ? undefined : this.#months?.of(body.key)
    if (!key || tokens === undefined || tokens.length === 0) return undefined
    return encryptTokens(tokens, key.secret, { origin: this.#origin, key: key.id, index })
  }

  #sealStamp(items: number): SealStamp {
    assert(items === 1, 'a seal is appended alone: it covers what came before it')
    return { ...this.#seals.counts, inFlight: this.#unfinished.openCalls() }
  }

  /** Times in the record never decrease. A clock far behind them is not to be believed. */
  #stampTime(): number {
    const now = this.#options.clock.nowUs()
    if (now < this.#lastUs - clockBackUsMax) {
      this.#latch('clock_behind', new Error('the clock stepped back'))
      throw this.#down()
    }
    return Math.max(now, this.#lastUs)
  }

  /** The batch that still grows, or a new one: in a new segment when the month or the size says so. */
  #batchFor(timeUs: number, month: string): Batch {
    const newest = this.#queue.at(-1)
    if (newest && newest.month === month && newest.bytes < batchBytesMax) return newest
    if (newest) this.#segmentBytes += newest.bytes
    const isFirst = month !== this.#month || this.#segmentBytes >= this.#options.segmentBytesMax
    if (isFirst) this.#segmentBytes = 0
    this.#month = month
    const batch = new Batch(
      { firstIndex: this.#nextIndex, timeUs, month, isFirst },
      this.#spareRoom,
    )
    this.#spareRoom = undefined
    if (isFirst) batch.addCarry(this.#unfinished.carry())
    this.#queue.push(batch)
    return batch
  }

  /**
   * Sees to it that the next batch is written. Not at once: whoever is woken by the same event of
   * the loop gets into the same batch. But what is large enough goes while the others still append,
   * so that disk and processor work at the same time.
   */
  #kick(): void {
    const next = this.#queue[0]
    if (this.#isWriting || !next) return
    if (next.bytes >= earlyBytes) this.#writeNext()
    else if (!this.#isDue) {
      this.#isDue = true
      setImmediate(() => {
        this.#isDue = false
        if (!this.#isWriting) this.#writeNext()
      })
    }
  }

  #writeNext(): void {
    const batch = this.#queue.shift()
    if (!batch) return
    this.#isWriting = true
    if (this.#queue.length === 0) this.#segmentBytes += batch.bytes
    this.#segments.write(batch, this.#room.isAmple, (error, bytes) => {
      if (error) return this.#fail(batch, error)
      if (batch.room.length <= spareRoomBytesMax) this.#spareRoom = batch.room
      this.#entries += batch.entries
      this.#durableIndex = batch.firstIndex + batch.entries
      this.#options.onDurable?.(this.#durableIndex)
      this.#batches++
      this.#bytes += bytes
      this.#pendingBytes = this.#queue.reduce((sum, { bytes: each }) => sum + each, 0)
      if (this.#room.wrote(bytes)) void this.#look()
      this.#idle()
    })
  }

  #idle(): void {
    this.#isWriting = false
    if (this.#queue.length === 0) this.#whenIdle?.()
    else this.#kick()
  }

  /** A write or sync failed: nobody knows what is on the disk, and trying again would hide it. */
  #fail(batch: Batch, error: Error): void {
    this.#latch('write_failed', error)
    for (const failed of [batch, ...this.#queue.splice(0)]) {
      for (const waiter of failed.waiters) waiter.reject(this.#down())
    }
    this.#pendingBytes = 0
    this.#idle()
  }

  #latch(reason: string, cause: Error): void {
    if (this.#fault) return
    const code = errorCode(cause)
    this.#fault = new Fault(
      'record_down',
      'The record cannot be written any more, so no call is forwarded and no answer released. ' +
        'Look at the disk, then restart: start-up repairs the record and says what it found.',
      { cause, facts: { reason, ...(code !== undefined && { code }) } },
    )
    if (this.#state !== 'closed') this.#setState('latched', this.#fault)
  }

  #down(): Fault {
    if (this.#fault) return this.#fault
    return new Fault('record_down', 'The record is closed; the gateway is stopping.', {
      facts: { reason: 'closed' },
    })
  }

  async #look(): Promise<void> {
    this.#months?.prepare(this.#options.clock.nowUs()).catch((error: unknown) => {
      // Going on is safe: without its key no entry of that month is taken.
      if (error instanceof Fault) this.#options.onKeyTrouble?.(error)
    })
    await this.#room.look()
    this.#noteRoom()
  }

  #noteRoom(): void {
    if (this.#state !== 'open' && this.#state !== 'full') return
    const state = this.#room.isLow ? 'full' : 'open'
    if (state !== this.#state)
      this.#setState(state, this.#room.isLow ? this.#room.fault() : undefined)
  }

  #setState(state: RecorderState, why: Fault | undefined): void {
    this.#state = state
    this.#options.onState?.(state, why)
  }
}

/** What start-up found and took. */
export interface Opened {
  /** The writer's folder. */
  readonly folder: string
  readonly log: LogState
  readonly months: MonthKeys | undefined
  readonly origin: string
  readonly room: Room
  readonly release: Release
}

interface Line {
  readonly line: string
  readonly body: StoredBody | undefined
  /** A payload as `encryptTokens` makes it. */
  readonly tokens: Uint8Array | undefined
}

/** For closing: what fails there is found by the next start. */
function ignore(): void {}
