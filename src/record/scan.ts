/**
 * Reading a segment batch by batch, checking each one whole. It says where the valid part ends and
 * whether what follows is nothing, a torn tail, or damage.
 */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Fault } from '../base/fault.ts'
import {
  batchBytes,
  batchHeaderBytes,
  carryFrame,
  entryFrame,
  isZero,
  readBatchHeader,
  readFrames,
  tokensFrame,
} from './frames.ts'
import { isTokens } from './tokens.ts'
import { isObject } from './unfinished.ts'
import type { DiskFile } from '../base/disk.ts'
import type { Link } from './batch.ts'
import type { BatchHeader, Frame } from './frames.ts'

/** An entry as it stands in the log, and the body it names, as stored. */
export interface ScannedEntry {
  readonly line: Buffer
  readonly value: Readonly<Record<string, unknown>>
  readonly body: Buffer | undefined
  /** The payload of the tokens frame behind it. */
  readonly tokens: Buffer | undefined
}

/** A valid batch. */
export interface ScannedBatch {
  readonly offset: number
  readonly header: BatchHeader
  readonly link: Link
  readonly carry: unknown
  readonly entries: readonly ScannedEntry[]
}

/** What stands at an offset: a batch, nothing more (only zeros), or bytes that are no batch. */
export type Found = ScannedBatch | 'end' | 'torn'

/** The lines of a batch without its bodies. */
export interface ScannedLines {
  readonly header: BatchHeader
  readonly link: Link
  readonly lines: readonly Buffer[]
}

const chunkBytesDefault = 1_048_576
/** Longer than any batch the writer makes; a header that says more is not believed. */
const batchBytesMax = 1_073_741_824

/** Memory that is used again for each read: otherwise a large log makes garbage faster than it goes. */
export class ReadRoom {
  #bytes: Buffer = Buffer.alloc(0)

  of(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length)
    return this.#bytes
  }
}

/** A segment file read in chunks, front to back. */
export class SegmentReader {
  readonly #file: DiskFile
  readonly #name: string
  readonly #chunkBytes: number
  readonly #room: ReadRoom | undefined
  #chunk: Buffer = Buffer.alloc(0)
  #start = 0

  /**
   * @param name for messages: the path below the log folder.
   * @param reading.chunkBytes read at a time.
   * @param reading.room is read into again and again: whoever gets a batch is done with it before
   *   the next is asked for.
   */
  constructor(
    file: DiskFile,
    name: string,
    reading: { readonly chunkBytes?: number; readonly room?: ReadRoom } = {},
  ) {
    this.#file = file
    this.#name = name
    this.#chunkBytes = reading.chunkBytes ?? chunkBytesDefault
    this.#room = reading.room
  }

  /**
   * The batch at `offset`, checked: header and frames by CRC, bodies by the SHA-256 in their entry.
   * @throws {Fault} `record_down` with reason `newer_version` for a format we do not know.
   */
  async batchAt(offset: number): Promise<Found> {
    const read = readBatchHeader(await this.#bytes(offset, batchHeaderBytes))
    if (read === 'newer') throw this.#newer(offset)
    if (read === 'short' || read === 'zero') {
      return (await this.lastNonZero(offset)) === offset ? 'end' : 'torn'
    }
    if (read === 'bad' || batchBytes(read.header) > batchBytesMax) return 'torn'
    const { crc, header } = read
    const whole = await this.#bytes(offset, batchBytes(header))
    if (whole.length < batchBytes(header)) return 'torn'
    const bodiesAt = batchHeaderBytes + header.framesBytes
    const frames = whole.subarray(batchHeaderBytes, bodiesAt)
    if (crc32(frames) !== header.framesCrc) return 'torn'
    const parsed = parseBatch(frames, whole.subarray(bodiesAt), header)
    return parsed ? { offset, header, link: { sequence: header.sequence, crc }, ...parsed } : 'torn'
  }

  /** The header at `offset`, checked by its CRC; undefined when there is none. */
  async headerAt(offset: number): Promise<BatchHeader | undefined> {
    const read = readBatchHeader(await this.#bytes(offset, batchHeaderBytes))
    if (read === 'newer') throw this.#newer(offset)
    return typeof read === 'string' ? undefined : read.header
  }

  /** The lines of the batch at `offset`, checked by CRC; undefined when there is no such batch. Its
   *  bodies are not read. @throws as `batchAt`. */
  async linesAt(offset: number): Promise<ScannedLines | undefined> {
    const read = readBatchHeader(await this.#bytes(offset, batchHeaderBytes))
    if (read === 'newer') throw this.#newer(offset)
    if (typeof read === 'string') return undefined
    const { crc, header } = read
    const frames = await this.#bytes(offset + batchHeaderBytes, header.framesBytes)
    const isWhole = frames.length === header.framesBytes && crc32(frames) === header.framesCrc
    const lines = isWhole ? linesOf(frames) : undefined
    if (lines?.length !== header.entries) return undefined
    return { header, link: { sequence: header.sequence, crc }, lines }
  }

  /**
   * Headers alone, hop by hop from the start: the chain without what it holds.
   * @throws {Fault} `record_down` with reason `damaged` when anything stands behind the last batch.
   */
  async lastLink(): Promise<{ link: Link; nextIndex: number } | undefined> {
    let last: { link: Link; nextIndex: number } | undefined
    for (let offset = 0; ;) {
      const read = readBatchHeader(await this.#bytes(offset, batchHeaderBytes))
      if (typeof read === 'string') {
        if ((await this.lastNonZero(offset)) === offset) return last
        throw this.damaged(offset, 'no valid batch, though a later segment exists')
      }
      const { crc, header } = read
      const link = { sequence: header.sequence, crc }
      last = { link, nextIndex: header.firstIndex + header.entries }
      offset += batchBytes(header)
    }
  }

  /** One past the last byte that is not zero, at or behind `offset`. */
  async lastNonZero(offset: number): Promise<number> {
    let last = offset
    for (let at = offset; ;) {
      const chunk = await this.#bytes(at, chunkBytesDefault)
      if (chunk.length === 0) return last
      if (!isZero(chunk)) {
        let end = chunk.length
        while (chunk[end - 1] === 0) end--
        last = at + end
      }
      at += chunk.length
    }
  }

  /**
   * Where a batch later than `sequence` begins behind `offset`, if one does. Its header was only
   * written after the batch at `offset` was durable, so that one was damaged afterwards. Only headers
   * of this segment count: bodies hold what others said, and that may look like a header.
   * @param segmentId as the batches before have it; undefined at the first one.
   */
  async laterBatch(
    offset: number,
    sequence: number,
    segmentId: string | undefined,
  ): Promise<number | undefined> {
    const own = segmentId ?? (await this.headerAt(offset))?.segmentId
    const mark = Buffer.from('SPB1', 'latin1')
    for (let at = offset + 1; ;) {
      const chunk = await this.#bytes(at, chunkBytesDefault)
      if (chunk.length < batchHeaderBytes) return undefined
      for (let i = chunk.indexOf(mark); i >= 0; i = chunk.indexOf(mark, i + 1)) {
        const read = readBatchHeader(await this.#bytes(at + i, batchHeaderBytes))
        if (typeof read === 'string' || read.header.sequence <= sequence) continue
        if (own === undefined || read.header.segmentId === own) return at + i
      }
      // Chunks overlap, so that a mark across their border is seen.
      at += chunk.length - batchHeaderBytes + 1
    }
  }

  /** Forgets what was read: the writer may have gone on since. */
  forget(): void {
    this.#chunk = Buffer.alloc(0)
  }

  /** A damage nobody can have made by stopping: the exact place, and what to do. */
  damaged(offset: number, what: string): Fault {
    return new Fault(
      'record_down',
      `The record is damaged: ${this.#name}, byte ${offset}: ${what}. Batches behind it show that ` +
        'it was once whole, so this is no unfinished write and nothing was repaired. Keep the ' +
        'folder as evidence, restore this segment from a copy, or begin a new data folder.',
      { facts: { reason: 'damaged', segment: this.#name, offset } },
    )
  }

  #newer(offset: number): Fault {
    return new Fault(
      'record_down',
      `The record was written by a newer version: ${this.#name}, byte ${offset}. Nothing was ` +
        'changed. Start that version, or begin a new data folder.',
      { facts: { reason: 'newer_version', segment: this.#name, offset } },
    )
  }

  /** Up to `length` bytes from `offset`, fewer at the end of the file. */
  async #bytes(offset: number, length: number): Promise<Buffer> {
    const inside = offset - this.#start
    if (inside >= 0 && inside + length <= this.#chunk.length) {
      return this.#chunk.subarray(inside, inside + length)
    }
    const wanted = Math.max(length, this.#chunkBytes)
    const fresh = this.#room?.of(wanted) ?? Buffer.allocUnsafe(wanted)
    const got = await this.#file.read(fresh, offset)
    this.#chunk = fresh.subarray(0, got)
    this.#start = offset
    return this.#chunk.subarray(0, length)
  }
}

/** Whether a batch names the one before it and goes on with its indexes. */
export function follows(header: BatchHeader, before: Link, nextIndex: number): boolean {
  const isNext = header.sequence === before.sequence + 1 && header.previousCrc === before.crc
  return isNext && header.firstIndex === nextIndex
}

function parseBatch(
  framesBytes: Buffer,
  bodies: Buffer,
  header: BatchHeader,
): { carry: unknown; entries: ScannedEntry[] } | undefined {
  const frames = readFrames(framesBytes)
  if (!frames) return undefined
  const entries: ScannedEntry[] = []
  let carry: unknown
  let bodyAt = 0 // Invariant: bodies[0, bodyAt) belong to entries already taken.
  for (const [i, { kind, payload }] of frames.entries()) {
    if (kind === tokensFrame && frames[i - 1]?.kind !== entryFrame) return undefined
    if (kind !== entryFrame && kind !== carryFrame) continue // Kept for later versions.
    const value = parseObject(payload)
    if (!value) return undefined
    if (kind === carryFrame) {
      carry = value
      continue
    }
    const body = bodyOf(value, bodies.subarray(bodyAt))
    if (body === 'bad') return undefined
    bodyAt += body?.length ?? 0
    const tokens = tokensOf(frames[i + 1], body)
    if (tokens === 'bad') return undefined
    entries.push({ line: payload, value, body, tokens })
  }
  if (bodyAt !== bodies.length || entries.length !== header.entries) return undefined
  return { carry, entries }
}

/** What stands behind an entry: the tokens of its body, if it is that. */
function tokensOf(next: Frame | undefined, body: Buffer | undefined): Buffer | undefined | 'bad' {
  if (next?.kind !== tokensFrame) return undefined
  return body && isTokens(next.payload) ? next.payload : 'bad'
}

function linesOf(frames: Buffer): Buffer[] | undefined {
  const found = readFrames(frames)
  return found?.flatMap(({ kind, payload }) => (kind === entryFrame ? [payload] : []))
}

function bodyOf(
  entry: Readonly<Record<string, unknown>>,
  bodies: Buffer,
): Buffer | undefined | 'bad' {
  const reference = entry['body']
  if (reference === undefined) return undefined
  if (!isObject(reference)) return 'bad'
  const { sha256, size } = reference
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1) return 'bad'
  const body = bodies.subarray(0, size)
  return body.length === size && hash('sha256', body) === sha256 ? body : 'bad'
}

function parseObject(payload: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    // The CRC fitted, so this is no torn write; the caller finds what comes of it: it is refused.
    return undefined
  }
}
