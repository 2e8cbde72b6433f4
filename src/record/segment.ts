/** The segment files of one writer: their names, the one being written, and the change to the next. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { assert } from '../base/assert.ts'
import { alignedBytes, blockBytes } from '../base/disk.ts'
import { commit } from './durable.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Batch, Link } from './batch.ts'

/** A segment's place below the writer's `log` folder. */
export interface SegmentName {
  /** `YYYY-MM`, UTC. */
  readonly month: string
  readonly number: number
}

/** Where writing goes on. */
export interface Tip {
  readonly name: SegmentName
  readonly file: DiskFile
  readonly segmentId: string
  /** One past the last byte of the last batch. */
  readonly end: number
  /** The bytes from the last border of a block to `end`. */
  readonly lead: Uint8Array
}

/** Batches up to this size are put together in one room and written as whole blocks. What is larger
 *  has one body that nearly fills it, which the disk reads where it is. */
const roomBytesMax = 8_388_608
const roomBytesMin = 262_144

/** Batches up to this size bring zeros along: laid out ahead, a sync need not also write where the
 *  file ends and which blocks it has, which halves its time. A large batch gains little by it. */
const smallBatchBytesMax = 262_144
/** How much is laid out at a time. */
export const layOutBytesDefault = 2_097_152

export class Segments {
  readonly #disk: Disk
  readonly #folder: string
  readonly #zeros: Uint8Array
  #room: Buffer = Buffer.alloc(0) // Of the one batch that is being written.
  #tip: Tip | undefined
  #end = 0
  readonly #lead: Buffer = Buffer.alloc(blockBytes) // Begins with what stands from the last border of a block to #end.
  #laidOut = 0 // Invariant: the file ends here, and holds zeros from #end on.
  #link: Link

  /** @param at.folder the writer's `log` folder. @param link names the last batch before. */
  constructor(
    at: { disk: Disk; folder: string; layOutBytes: number },
    tip: Tip | undefined,
    link: Link,
  ) {
    this.#disk = at.disk
    this.#folder = at.folder
    this.#zeros = alignedBytes(toBlocks(at.layOutBytes))
    this.#link = link
    this.#setTip(tip)
  }

  /**
   * Writes one batch and hands out its receipts. `done` comes before any waiter goes on.
   * @param mayLayOut whether the disk has room for zeros.
   */
  write(
    batch: Batch,
    mayLayOut: boolean,
    done: (error: Error | null, bytes: number) => void,
  ): void {
    if (batch.isFirst) void this.#writeFirst(batch, mayLayOut, done)
    else this.#writeNext(batch, mayLayOut, done)
  }

  async #writeFirst(
    batch: Batch,
    mayLayOut: boolean,
    done: (error: Error | null, bytes: number) => void,
  ): Promise<void> {
    try {
      await this.#begin(batch.month)
    } catch (error) {
      return done(toError(error), 0)
    }
    this.#writeNext(batch, mayLayOut, done)
  }

  #writeNext(
    batch: Batch,
    mayLayOut: boolean,
    done: (error: Error | null, bytes: number) => void,
  ): void {
    try {
      this.#commit(batch, mayLayOut, done)
    } catch (error) {
      // A broken assertion: nothing was handed to the disk, and the record latches.
      done(toError(error), 0)
    }
  }

  /** Cuts off the zeros and closes the file. */
  async close(): Promise<void> {
    const tip = this.#tip
    this.#tip = undefined
    if (!tip) return
    try {
      if (this.#laidOut > this.#end) await tip.file.truncate(this.#end)
    } finally {
      await tip.file.close()
    }
  }

  /** Closes the file as it is: after a failure nothing is known about it. */
  async abandon(): Promise<void> {
    await this.#tip?.file.close()
    this.#tip = undefined
  }

  #commit(
    batch: Batch,
    mayLayOut: boolean,
    done: (error: Error | null, bytes: number) => void,
  ): void {
    const tip = this.#tip
    assert(tip !== undefined && tip.name.month === batch.month, 'a batch lies in its month')
    const { parts, link } = batch.finish(tip.segmentId, this.#link)
    const end = this.#end + batch.bytes
    const crosses = end > this.#laidOut && this.#zeros.length > 0
    const lays = crosses && mayLayOut && batch.bytes <= smallBatchBytesMax
    const write = this.#blocks(parts, end, lays)
    this.#link = link
    this.#end = end
    this.#laidOut = Math.max(this.#laidOut, write.end)
    // A crash in here leaves any part of this batch and of nothing else: the block in which it begins
    // is written anew with the same bytes before it, as the page cache would do. No waiter has gone
    // on, so nothing was released; recovery cuts the batch off, or keeps it if it is whole.
    commit(tip.file, write.parts, write.start, batch.waiters, (error) => done(error, batch.bytes))
  }

  /**
   * What to write for a batch that ends at `end`, and where.
   *
   *     border       #end                       end          border
   *       |   #lead   |  header, frames, bodies  |   zeros    |   zeros laid out …
   */
  #blocks(
    parts: readonly Uint8Array[],
    end: number,
    lays: boolean,
  ): { parts: Uint8Array[]; start: number; end: number } {
    const start = this.#end - (this.#end % blockBytes)
    const length = toBlocks(end - start)
    const next = end % blockBytes
    if (length > roomBytesMax) {
      this.#lead.set(lastOf(parts, next))
      return { parts: [...parts], start: this.#end, end }
    }
    const room = this.#roomFor(length)
    room.set(this.#lead.subarray(0, this.#end - start), 0)
    let at = this.#end - start // Invariant: room[0, at) is what will stand from `start` on.
    for (const part of parts) {
      room.set(part, at)
      at += part.length
    }
    assert(start + at === end, 'a batch is as long as it said')
    room.fill(0, at, length)
    this.#lead.set(room.subarray(at - next, at))
    const blocks = room.subarray(0, length)
    if (!lays) return { parts: [blocks], start, end: start + length }
    return { parts: [blocks, this.#zeros], start, end: start + length + this.#zeros.length }
  }

  #roomFor(length: number): Buffer {
    if (this.#room.length < length) {
      this.#room = alignedBytes(Math.max(roomBytesMin, 2 ** Math.ceil(Math.log2(length))))
    }
    return this.#room
  }

  async #begin(month: string): Promise<void> {
    const before = this.#tip?.name
    await this.close()
    const folder = join(this.#folder, month)
    await this.#disk.makeFolder(folder)
    const number = before?.month === month ? before.number + 1 : await this.#nextNumber(month)
    const name = { month, number }
    const file = await this.#disk.create(join(this.#folder, segmentPath(name)))
    // A crash in here leaves an empty file, or none; recovery removes it. Nothing is in it yet.
    await this.#disk.syncFolder(folder)
    this.#setTip({
      name,
      file,
      segmentId: randomBytes(8).toString('hex'),
      end: 0,
      lead: new Uint8Array(0),
    })
  }

  async #nextNumber(month: string): Promise<number> {
    const names = await segmentsOf(this.#disk, this.#folder, month)
    return (names.at(-1)?.number ?? 0) + 1
  }

  #setTip(tip: Tip | undefined): void {
    this.#tip = tip
    this.#end = this.#laidOut = tip?.end ?? 0
    const lead = tip?.lead ?? new Uint8Array(0)
    assert(lead.length === this.#end % blockBytes, 'a lead begins at the border of a block')
    this.#lead.set(lead)
  }
}

/** `2026-11/0001.seg`, as it stands below `log/`. */
export function segmentPath({ month, number }: SegmentName): string {
  return `${month}/${String(number).padStart(4, '0')}.seg`
}

/** The segment that stands at such a path. */
export function parseSegmentPath(path: string): SegmentName {
  const parts = /^(\d{4}-\d\d)\/(\d{4,9})\.seg$/.exec(path)
  assert(parts?.[1] !== undefined && parts[2] !== undefined, 'a segment has such a path')
  return { month: parts[1], number: Number(parts[2]) }
}

/** All segments of a writer in the order they were written. */
export async function listSegments(disk: Disk, folder: string): Promise<SegmentName[]> {
  const all: SegmentName[] = []
  for (const month of await disk.list(folder)) {
    if (/^\d{4}-\d\d$/.test(month)) all.push(...(await segmentsOf(disk, folder, month)))
  }
  return all
}

async function segmentsOf(disk: Disk, folder: string, month: string): Promise<SegmentName[]> {
  const names = await disk.list(join(folder, month))
  return names
    .filter((name) => /^\d{4,9}\.seg$/.test(name))
    .map((name) => ({ month, number: Number(name.slice(0, -4)) }))
    .toSorted((a, b) => a.number - b.number)
}

/** Rounded up to whole blocks. */
function toBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes
}

/** The last `length` bytes of the parts, fewer if they are not as long. */
function lastOf(parts: readonly Uint8Array[], length: number): Uint8Array {
  const last: Uint8Array[] = []
  let left = length
  for (const part of parts.toReversed()) {
    if (left === 0) break
    const end = part.subarray(Math.max(0, part.length - left))
    last.unshift(end)
    left -= end.length
  }
  return Buffer.concat(last)
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('not an error')
}
