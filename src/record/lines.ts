/**
 * The lines of the log behind the writer: entries alone, in order, without their bodies and without
 * the checks that `readRecord` makes. For what follows the log all the time and must be cheap.
 */
import { join } from 'node:path'
import { batchBytes } from './frames.ts'
import { SegmentReader } from './scan.ts'
import { listSegments, segmentPath } from './segment.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { ScannedLines } from './scan.ts'
import type { SegmentName } from './segment.ts'

/** Little more than the frames of a batch: bodies are hopped over. */
const chunkBytes = 65_536

/** Lines of one batch. */
export interface Lines {
  readonly firstIndex: number
  readonly lines: readonly Buffer[]
}

export class LineReader {
  readonly #disk: Disk
  readonly #folder: string
  #file: DiskFile | undefined
  #reader: SegmentReader | undefined
  #offset = 0
  #nextIndex: number

  /** @param folder the writer's `log` folder. @param index of the first entry that is wanted. */
  constructor(disk: Disk, folder: string, index: number) {
    this.#disk = disk
    this.#folder = folder
    this.#nextIndex = index
  }

  /** Index of the next entry. */
  get nextIndex(): number {
    return this.#nextIndex
  }

  /**
   * The lines of the next batch that has any; of the first batch only those from the wanted index on.
   * Ask only while the log is known to hold entry `nextIndex` durably.
   * @returns undefined when the entry is not there: its month was removed, or the log is damaged.
   */
  async next(): Promise<Lines | undefined> {
    for (let isNewSegment = this.#reader === undefined; ;) {
      if (!this.#reader && !(await this.#openAt(this.#nextIndex))) return undefined
      const found = await this.#linesHere()
      if (!found) {
        // Here the segment ends: what is wanted stands in the next one, or nowhere.
        await this.close()
        if (isNewSegment) return undefined
        isNewSegment = true
        continue
      }
      const { firstIndex, entries } = found.header
      this.#offset += batchBytes(found.header)
      const skipped = this.#nextIndex - firstIndex
      if (skipped < 0) return undefined
      if (skipped >= entries) continue
      const from = this.#nextIndex
      this.#nextIndex = firstIndex + entries
      return { firstIndex: from, lines: found.lines.slice(skipped) }
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = this.#reader = undefined
  }

  /** Opens the segment that holds an entry, at the batch in which it stands. */
  async #openAt(index: number): Promise<boolean> {
    const names = await listSegments(this.#disk, this.#folder)
    for (const name of names.toReversed()) {
      await this.#open(name)
      const first = await this.#reader?.headerAt(0)
      if (first && first.firstIndex <= index) {
        await this.#hopTo(index)
        return true
      }
      await this.close()
    }
    return false
  }

  async #open(name: SegmentName): Promise<void> {
    this.#file = await this.#disk.open(join(this.#folder, segmentPath(name)), 'read')
    this.#reader = new SegmentReader(this.#file, segmentPath(name), { chunkBytes })
    this.#offset = 0
  }

  async #linesHere(): Promise<ScannedLines | undefined> {
    const found = await this.#reader?.linesAt(this.#offset)
    if (found) return found
    // What was read ahead may be older than what the writer has put there since.
    this.#reader?.forget()
    return await this.#reader?.linesAt(this.#offset)
  }

  async #hopTo(index: number): Promise<void> {
    for (;;) {
      const header = await this.#reader?.headerAt(this.#offset)
      if (!header || header.firstIndex + header.entries > index) return
      this.#offset += batchBytes(header)
    }
  }
}
