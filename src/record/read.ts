/**
 * Reading the record from front to back, checked while it is read: batches by their CRC and their
 * place in the chain, bodies by the SHA-256 in their entry. Reads only, so it may look at a folder
 * whose writer runs; it ends where the last whole batch ends.
 */
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { Fault } from '../base/fault.ts'
import { batchBytes } from './frames.ts'
import { follows, SegmentReader } from './scan.ts'
import { listSegments, segmentPath } from './segment.ts'
import { storedEntry } from './stored.ts'
import { isObject } from './unfinished.ts'
import type { Disk } from '../base/disk.ts'
import type { Link } from './batch.ts'
import type { ScannedBatch, ScannedEntry } from './scan.ts'
import type { SegmentName } from './segment.ts'
import type { StoredEntry } from './stored.ts'

/** An entry, its canonical bytes, and its body. */
export interface RecordedEntry extends StoredEntry {
  /** The canonical JSON as it stands in the log. */
  readonly line: Buffer
  /** The masked message, decompressed; undefined when there is none. */
  body(): Uint8Array | undefined
}

/** Where the record is: `DATA/record` and the writer's name. */
export interface RecordPlace {
  readonly disk: Disk
  readonly dir: string
  readonly writer: string
}

/** No stored body may grow beyond this when it is decompressed. */
const bodyBytesMax = 268_435_456

/** The writers whose records lie below `DATA/record`, by name. */
export async function listWriters(disk: Disk, dir: string): Promise<string[]> {
  const names = await disk.list(dir)
  return names.filter((name) => /^[a-z0-9][a-z0-9-]{0,31}$/.test(name))
}

/**
 * Every entry of one writer, in order.
 * @throws {Fault} `record_down` with reason `damaged` or `newer_version`, and the place.
 */
export async function* readRecord(at: RecordPlace): AsyncGenerator<RecordedEntry> {
  for await (const batch of readBatches(at)) {
    for (const scanned of batch.entries) yield recorded(scanned, batch)
  }
}

/** Every batch of one writer, in order. @throws as `readRecord`. */
export async function* readBatches(at: RecordPlace): AsyncGenerator<ScannedBatch> {
  const { disk } = at
  const log = join(at.dir, at.writer, 'log')
  let before: Before | undefined
  let name = await nextSegment(disk, log, undefined)
  while (name) {
    const file = await disk.open(join(log, segmentPath(name)), 'read')
    try {
      const reader = new SegmentReader(file, segmentPath(name))
      let offset = 0
      for (;;) {
        const found = await batchOrEnd(reader, offset, before)
        if (found) {
          before = checkChain(reader, found, before)
          offset += batchBytes(found.header)
          yield found
          continue
        }
        const next = await nextSegment(disk, log, name)
        // What comes after the last whole batch is torn, or is being written.
        if (!next) return
        // A segment is complete before the next begins, so now it must end here, or go on.
        const again = await reader.batchAt(offset)
        if (again === 'torn') throw reader.damaged(offset, 'no valid batch')
        if (again !== 'end') continue
        name = next
        break
      }
    } finally {
      await file.close()
    }
  }
}

interface Before {
  readonly link: Link
  readonly nextIndex: number
}

function checkChain(
  reader: SegmentReader,
  found: ScannedBatch,
  before: Before | undefined,
): Before {
  if (before && !follows(found.header, before.link, before.nextIndex)) {
    throw reader.damaged(found.offset, 'this batch does not follow the one before it')
  }
  const { entries, firstIndex } = found.header
  return { link: found.link, nextIndex: firstIndex + entries }
}

async function batchOrEnd(
  reader: SegmentReader,
  offset: number,
  before: Before | undefined,
): Promise<ScannedBatch | undefined> {
  for (let attempt = 0; ; attempt++) {
    const found = await reader.batchAt(offset)
    if (typeof found === 'object') return found
    const later = await reader.laterBatch(offset, (before?.link.sequence ?? 0) + 1)
    reader.forget()
    // The writer may have gone on between two looks. What has a successor is complete by now.
    if (attempt === 0) continue
    if (later === undefined) return undefined
    if (attempt > 1) throw reader.damaged(offset, `no valid batch, but one at ${later}`)
  }
}

async function nextSegment(
  disk: Disk,
  log: string,
  done: SegmentName | undefined,
): Promise<SegmentName | undefined> {
  const names = await listSegments(disk, log)
  if (!done) return names[0]
  return names.find(({ month, number }) => {
    return month > done.month || (month === done.month && number > done.number)
  })
}

function recorded(scanned: ScannedEntry, batch: ScannedBatch): RecordedEntry {
  const entry = storedEntry(scanned.value)
  if (!entry) {
    throw new Fault('record_down', 'An entry of the record lacks what every entry has.', {
      facts: { reason: 'damaged', sequence: batch.header.sequence },
    })
  }
  return { ...entry, line: scanned.line, body: () => plainBody(scanned) }
}

function plainBody({ body, value }: ScannedEntry): Uint8Array | undefined {
  const reference = value['body']
  if (!body || !isObject(reference)) return undefined
  if (reference['encoding'] === 'identity') return body
  if (reference['encoding'] === 'zstd') {
    return zstdDecompressSync(body, { maxOutputLength: bodyBytesMax })
  }
  throw new Fault('record_down', 'A body of the record has an encoding of a newer version.', {
    facts: { reason: 'newer_version' },
  })
}
