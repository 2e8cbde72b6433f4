/** A batch while it is made: entries and bodies of many callers, to be written as one unit. */
import { crc32 } from 'node:zlib'
import { assert } from '../base/assert.ts'
import {
  batchHeaderBytes,
  carryFrame,
  entryFrame,
  frameHeaderBytes,
  tokensFrame,
  writeBatchHeader,
  writeFrameHeader,
} from './frames.ts'
import { entryBytesMax } from './encode.ts'
import type { Waiter } from './durable.ts'
import type { FrameKind } from './frames.ts'

const framesRoomBytes = 16_384

/** By what a batch names the one before it. */
export interface Link {
  readonly sequence: number
  readonly crc: number
}

/**
 *     parts   [ header | frames ]  [ body ]  [ body ] …
 *                one buffer         as they were handed in
 */
export class Batch {
  readonly firstIndex: number
  readonly timeUs: number
  /** `YYYY-MM` of all its entries, and whether it is the first batch of a new segment. */
  readonly month: string
  readonly isFirst: boolean
  readonly waiters: Waiter[] = []
  #entries = 0
  #frames: Buffer
  #framesEnd = batchHeaderBytes // Invariant: frames stand in [batchHeaderBytes, framesEnd).
  readonly #bodies: Uint8Array[] = []
  #bodiesBytes = 0

  /** @param room is written over: a buffer that an earlier batch is done with. */
  constructor(
    start: { firstIndex: number; timeUs: number; month: string; isFirst: boolean },
    room: Buffer = Buffer.allocUnsafe(framesRoomBytes),
  ) {
    this.#frames = room
    this.firstIndex = start.firstIndex
    this.timeUs = start.timeUs
    this.month = start.month
    this.isFirst = start.isFirst
  }

  get entries(): number {
    return this.#entries
  }

  /** Bytes of the whole batch, its header included. */
  get bytes(): number {
    return this.#framesEnd + this.#bodiesBytes
  }

  addEntry(line: string): void {
    this.#addFrame(entryFrame, line)
    this.#entries++
  }

  /** What was open when this segment began; only in its first batch, before all entries. */
  addCarry(text: string): void {
    assert(this.isFirst && this.#entries === 0, 'a carry comes first in a segment')
    this.#addFrame(carryFrame, text)
  }

  /** Of the entry that was added last: a payload as `encryptTokens` makes it. */
  addTokens(payload: Uint8Array): void {
    assert(this.#entries > 0, 'tokens stand behind their entry')
    this.#reserve(frameHeaderBytes + payload.length)
    this.#frames.set(payload, this.#framesEnd + frameHeaderBytes)
    this.#endFrame(tokensFrame, payload.length)
  }

  /** In the order of the entries that name them. */
  addBody(bytes: Uint8Array): void {
    this.#bodiesBytes += bytes.length
    this.#bodies.push(bytes)
  }

  /** Where the frames stood; for another batch, once this one is written. */
  get room(): Buffer {
    return this.#frames
  }

  /** Writes the header; afterwards nothing may be added. */
  finish(segmentId: string, previous: Link): { parts: Uint8Array[]; link: Link } {
    const whole = this.#frames.subarray(0, this.#framesEnd)
    const sequence = previous.sequence + 1
    const crc = writeBatchHeader(whole, {
      segmentId,
      sequence,
      firstIndex: this.firstIndex,
      entries: this.#entries,
      framesBytes: this.#framesEnd - batchHeaderBytes,
      bodiesBytes: this.#bodiesBytes,
      framesCrc: crc32(whole.subarray(batchHeaderBytes)),
      previousCrc: previous.crc,
      timeUs: this.timeUs,
    })
    return { parts: [whole, ...this.#bodies], link: { sequence, crc } }
  }

  #addFrame(kind: FrameKind, text: string): void {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    this.#reserve(frameHeaderBytes + text.length * 3)
    const start = this.#framesEnd + frameHeaderBytes
    this.#endFrame(kind, this.#frames.write(text, start, 'utf8'))
  }

  /** The payload is in its place; its header goes before it. */
  #endFrame(kind: FrameKind, length: number): void {
    assert(length > 0, 'a frame is not empty')
    writeFrameHeader(this.#frames, this.#framesEnd, kind, length)
    this.#framesEnd += frameHeaderBytes + length
  }

  #reserve(bytes: number): void {
    const needed = this.#framesEnd + bytes
    if (needed <= this.#frames.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#frames.length * 2))
    this.#frames.copy(larger, 0, 0, this.#framesEnd)
    this.#frames = larger
  }
}

/** States that a line is a possible entry, before anything of its append goes into a batch. */
export function assertEntrySize(line: string): void {
  const fits = line.length * 3 < entryBytesMax || Buffer.byteLength(line) < entryBytesMax
  assert(fits, 'an entry stays below 32 KiB')
}
