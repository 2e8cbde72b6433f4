/**
 * Opening a log after any stop. Only the last batch can be unfinished: a later one is written only
 * after it was durable. So a bad last batch is cut off, and anything bad before it is damage, which
 * is reported with its place and never repaired.
 */
import { hash } from 'node:crypto'
import { basename, join } from 'node:path'
import { assert } from '../base/assert.ts'
import { blockBytes, commitWhole, readWhole, writeWhole } from '../base/disk.ts'
import { batchBytes } from './frames.ts'
import { follows, SegmentReader } from './scan.ts'
import { listSegments, segmentPath } from './segment.ts'
import { storedEntry } from './stored.ts'
import { sharedOf, Unfinished } from './unfinished.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Link } from './batch.ts'
import type { TornTail } from './entry.ts'
import type { ScannedBatch } from './scan.ts'
import type { SegmentName, Tip } from './segment.ts'

/** Where the log stands, and what its last process left open. */
export interface LogState {
  readonly tip: Tip | undefined
  readonly link: Link
  readonly nextIndex: number
  /** Time of the last entry, microseconds since 1970; 0 in an empty log. */
  readonly lastUs: number
  readonly unfinished: Unfinished
  /** Tails cut off now, or by an earlier start that died before it could record them. */
  readonly torn: readonly TornTail[]
}

const beginning: Link = { sequence: 0, crc: 0 }

/**
 * Reads the last segment whole, and of the one before it the batch headers. What is older is for
 * `checkRecord` to verify; it is not needed to go on.
 * @param folder the writer's folder.
 * @throws {Fault} `record_down` with reason `damaged` or `newer_version`; nothing is changed then.
 */
export async function recoverLog(disk: Disk, folder: string): Promise<LogState> {
  const log = join(folder, 'log')
  const names = await listSegments(disk, log)
  const last = names.at(-1)
  const torn: TornTail[] = await pendingTails(disk, folder)
  for (let name = names.pop(); name; name = names.pop()) {
    const before = await endOf(disk, log, names.at(-1))
    const file = await disk.open(join(log, segmentPath(name)), 'write')
    let keeps = false
    try {
      const walk = await walkSegment(file, name, before)
      // Only the last segment can have a torn tail: this one was complete when a later one began.
      if (walk.isTorn && name !== last) throw walk.reader.damaged(walk.end, 'no valid batch')
      const tail = await cutTail({ disk, folder, file, name, walk })
      if (tail && !torn.some((known) => known.sha256 === tail.sha256)) torn.push(tail)
      if (walk.batches > 0) {
        await rewrite(file, walk.lastAt, walk.end)
        const lead = await leadOf(file, walk.end)
        keeps = true
        return { ...walk, tip: { ...walk, name, file, lead }, torn }
      }
    } finally {
      if (!keeps) await file.close()
    }
    // It never had a batch that was acknowledged: its maker died at the first.
    await disk.remove(join(log, segmentPath(name)))
    await disk.syncFolder(join(log, name.month))
  }
  const unfinished = new Unfinished()
  return { tip: undefined, link: beginning, nextIndex: 0, lastUs: 0, unfinished, torn }
}

/** Marks the cut tails as recorded: called once `gateway.recovered` is durable. */
export async function settleTails(disk: Disk, folder: string): Promise<void> {
  const aside = join(folder, 'torn')
  const pending = (await disk.list(aside)).filter((name) => name.endsWith('.pending'))
  for (const name of pending) {
    await disk.rename(join(aside, name), join(aside, `${basename(name, '.pending')}.tail`))
  }
  if (pending.length > 0) await disk.syncFolder(aside)
}

/**
 * Writes the last batch once more: what was read may stand in memory alone, if its process died
 * before the sync, or the sync failed and Linux called the pages clean. What comes next rests on it.
 */
async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  const bytes = new Uint8Array(to - from)
  const got = await file.read(bytes, from)
  assert(got === bytes.length, 'the batch that was found lies in the file')
  await commitWhole(file, bytes, from)
}

/** Of the segment that is walked, once it has shown a batch. */
function idOf({ batches, segmentId }: Walk): string | undefined {
  return batches > 0 ? segmentId : undefined
}

interface Walk {
  segmentId: string
  lastAt: number
  end: number
  link: Link
  nextIndex: number
  lastUs: number
  unfinished: Unfinished
  batches: number
  isTorn: boolean
  reader: SegmentReader
}

async function walkSegment(
  file: DiskFile,
  name: SegmentName,
  before: { link: Link; nextIndex: number } | undefined,
): Promise<Walk> {
  const reader = new SegmentReader(file, segmentPath(name))
  const walk: Walk = {
    segmentId: '',
    lastAt: 0,
    end: 0,
    link: before?.link ?? beginning,
    nextIndex: before?.nextIndex ?? 0,
    lastUs: 0,
    unfinished: new Unfinished(),
    batches: 0,
    isTorn: false,
    reader,
  }
  for (;;) {
    const found = await reader.batchAt(walk.end)
    if (found === 'end') return walk
    if (found === 'torn') {
      const later = await reader.laterBatch(walk.end, walk.link.sequence + 1, idOf(walk))
      if (later !== undefined) throw reader.damaged(walk.end, `no valid batch, but one at ${later}`)
      walk.isTorn = true
      return walk
    }
    takeBatch(walk, found, before !== undefined)
  }
}

/** Checks that a batch follows the one before it, and notes what it opens and ends. */
function takeBatch(walk: Walk, batch: ScannedBatch, isBeforeKnown: boolean): void {
  const { header, offset } = batch
  const isFirst = walk.batches === 0
  // The segments before may have been removed at the end of their retention.
  if (!isFirst || isBeforeKnown || header.sequence === 1) {
    const isNext = follows(header, walk.link, walk.nextIndex)
    if (!isNext || (!isFirst && header.segmentId !== walk.segmentId))
      throw walk.reader.damaged(offset, 'this batch does not follow the one before it')
  }
  if (isFirst && !walk.unfinished.load(batch.carry)) {
    throw walk.reader.damaged(offset, 'the segment does not begin with what was open')
  }
  for (const { value } of batch.entries) {
    const entry = storedEntry(value)
    if (!entry) throw walk.reader.damaged(offset, 'an entry lacks what every entry has')
    walk.unfinished.note(entry.type, sharedOf(value), entry.timeUs)
    walk.lastUs = entry.timeUs
  }
  walk.batches++
  walk.segmentId = header.segmentId
  walk.link = batch.link
  walk.nextIndex = header.firstIndex + header.entries
  walk.lastAt = offset
  walk.end = offset + batchBytes(header)
}

/**
 * Keeps a copy of what follows the last valid batch, then cuts it off. The order bears a crash at
 * any point: before the copy has its name the tail is still there and is copied again; after it,
 * the copy waits as `.pending` until `gateway.recovered` names it.
 */
async function cutTail(at: {
  disk: Disk
  folder: string
  file: DiskFile
  name: SegmentName
  walk: Walk
}): Promise<TornTail | undefined> {
  const { disk, folder, file, name, walk } = at
  if (!walk.isTorn) {
    // Zeros laid out ahead: cut, so that only one place knows about them.
    if ((await file.size()) > walk.end) await file.truncate(walk.end)
    return undefined
  }
  const last = await walk.reader.lastNonZero(walk.end)
  const bytes = new Uint8Array(last - walk.end)
  await file.read(bytes, walk.end)
  const sha256 = hash('sha256', bytes)
  const aside = join(folder, 'torn')
  await disk.makeFolder(aside)
  const copy = `${name.month}.${name.number}.${walk.end}.${sha256.slice(0, 16)}.pending`
  await writeWhole(disk, join(aside, copy), bytes)
  await file.truncate(walk.end)
  return { segment: segmentPath(name), offset: walk.end, bytes: bytes.length, sha256 }
}

/** What stands between the last border of a block and `end`: it is written anew with what follows. */
async function leadOf(file: DiskFile, end: number): Promise<Uint8Array> {
  const lead = new Uint8Array(end % blockBytes)
  const got = await file.read(lead, end - lead.length)
  assert(got === lead.length, 'the end that was found lies in the file')
  return lead
}

/** Tails which an earlier start cut off and did not live to record. */
async function pendingTails(disk: Disk, folder: string): Promise<TornTail[]> {
  const aside = join(folder, 'torn')
  const tails: TornTail[] = []
  for (const copy of await disk.list(aside)) {
    const [month = '', number, offset, , ending] = copy.split('.')
    if (ending !== 'pending') continue
    const bytes = await readWhole(disk, join(aside, copy))
    const segment = segmentPath({ month, number: Number(number) })
    const sha256 = hash('sha256', bytes)
    tails.push({ segment, offset: Number(offset), bytes: bytes.length, sha256 })
  }
  return tails
}

/** The end of the segment before the last, from its batch headers. */
async function endOf(
  disk: Disk,
  log: string,
  name: SegmentName | undefined,
): Promise<{ link: Link; nextIndex: number } | undefined> {
  if (!name) return undefined
  const file = await disk.open(join(log, segmentPath(name)), 'read')
  try {
    const reader = new SegmentReader(file, segmentPath(name))
    const last = await reader.lastLink()
    if (!last) throw reader.damaged(0, 'it holds no batch, though a later segment exists')
    return last
  } finally {
    await file.close()
  }
}
