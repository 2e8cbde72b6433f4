/**
 * Reading the record from front to back, checked while it is read: batches by their CRC and their
 * place in the chain, bodies by the SHA-256 in their entry. Reads only, so it may look at a folder
 * whose writer runs; it ends where the last whole batch ends.
 */
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { readWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { bodyKeyOf, decryptBody } from './cipher.ts'
import { batchBytes } from './frames.ts'
import { monthKeyReader } from './months.ts'
import { follows, SegmentReader } from './scan.ts'
import { listSegments, parseSegmentPath, segmentPath } from './segment.ts'
import { storedEntry } from './stored.ts'
import { decryptTokens } from './tokens.ts'
import { isObject } from './unfinished.ts'
import type { KeyObject } from 'node:crypto'
import type { Disk } from '../base/disk.ts'
import type { BatchHeader } from './frames.ts'
import type { BodyKeys, KeyGone } from './months.ts'
import type { Link } from './batch.ts'
import type { ScannedBatch, ScannedEntry } from './scan.ts'
import type { SegmentName } from './segment.ts'
import type { StoredEntry } from './stored.ts'

/** Whether a body can be read: there is none, it can, its month was shredded, or its key is not to
 *  be had here. */
export type BodyState = 'none' | 'readable' | KeyGone

/** An entry, its canonical bytes, and its body. */
export interface RecordedEntry extends StoredEntry {
  /** The canonical JSON as it stands in the log. */
  readonly line: Buffer
  readonly bodyState: BodyState
  /** The masked message, decrypted and decompressed; undefined unless it is readable. */
  body(): Uint8Array | undefined
  /** The tokens of the card numbers in its message, where some were kept and its body is readable;
   *  else none. @throws {Fault} `record_down`, `tokens_key`, when they do not open. */
  tokens(): readonly Uint8Array[]
  /** The body as it stands in the segment. */
  readonly storedBody: Uint8Array | undefined
  /** Where the batch behind this entry's begins: from there reading can go on. */
  readonly next: Position
}

/** A place between two batches. */
export interface Position {
  /** `2026-11/0001.seg`. */
  readonly segment: string
  readonly offset: number
  /** Index of the first entry behind it. */
  readonly nextIndex: number
}

/** Where the record is: `DATA/record` and the writer's name. */
export interface RecordPlace {
  readonly disk: Disk
  readonly dir: string
  readonly writer: string
  /** What opens bodies. Without it those which are encrypted are `locked`. */
  readonly bodyKeys?: BodyKeys | undefined
}

/** No stored body may grow beyond this when it is decompressed. */
const bodyBytesMax = 268_435_456

/** The writers whose records lie below `DATA/record`, by name. */
export async function listWriters(disk: Disk, dir: string): Promise<string[]> {
  const names = await disk.list(dir)
  return names.filter((name) => /^[a-z0-9][a-z0-9-]{0,31}$/.test(name) && name !== 'heads')
}

/** The log's name for the world; undefined when the folder has no record. */
export async function readOrigin({ dir, disk, writer }: RecordPlace): Promise<string | undefined> {
  const names = await disk.list(join(dir, writer))
  if (!names.includes('origin')) return undefined
  const bytes = await readWhole(disk, join(dir, writer, 'origin'))
  return Buffer.from(bytes).toString('utf8').trim()
}

/**
 * Every entry of one writer, in order.
 * @param from where to begin; the first entry unless given.
 * @throws {Fault} `record_down` with reason `damaged` or `newer_version`, and the place.
 */
export async function* readRecord(at: RecordPlace, from?: Position): AsyncGenerator<RecordedEntry> {
  const { bodyKeys, disk } = at
  const origin = (await readOrigin(at)) ?? ''
  const keyOf = bodyKeys && monthKeyReader({ ...bodyKeys, disk, origin })
  for await (const batch of readBatches(at, from)) {
    const next = {
      segment: batch.segment,
      offset: batch.offset + batchBytes(batch.header),
      nextIndex: batch.header.firstIndex + batch.header.entries,
    }
    for (const scanned of batch.entries) {
      const id = bodyKeyId(scanned)
      const key = id === undefined ? undefined : await keyOf?.(id)
      yield recorded(scanned, { header: batch.header, key: key ?? 'locked', next, origin })
    }
  }
}

/** A batch and the segment in which it stands. */
export interface PlacedBatch extends ScannedBatch {
  readonly segment: string
}

/** Every batch of one writer, in order. @param from as for `readRecord`. @throws as `readRecord`. */
export async function* readBatches(at: RecordPlace, from?: Position): AsyncGenerator<PlacedBatch> {
  const { disk } = at
  const log = join(at.dir, at.writer, 'log')
  let before: Before | undefined
  let start = from
  let name = from ? parseSegmentPath(from.segment) : await nextSegment(disk, log, undefined)
  while (name) {
    const file = await disk.open(join(log, segmentPath(name)), 'read')
    try {
      const segment = segmentPath(name)
      const reader = new SegmentReader(file, segment)
      let offset = start?.offset ?? 0
      let expected = start?.nextIndex
      start = undefined
      for (;;) {
        const found = await batchOrEnd(reader, offset, before)
        if (found) {
          if (expected !== undefined && found.header.firstIndex !== expected) {
            throw reader.damaged(offset, 'another entry stands here than before')
          }
          expected = undefined
          before = checkChain(reader, name, found, before)
          offset += batchBytes(found.header)
          yield { ...found, segment }
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
  readonly name: SegmentName
  readonly segmentId: string
}

function checkChain(
  reader: SegmentReader,
  name: SegmentName,
  found: ScannedBatch,
  before: Before | undefined,
): Before {
  const { header, link, offset } = found
  if (before && !follows(header, before.link, before.nextIndex)) {
    if (!isBehindGap(name, found, before)) {
      throw reader.damaged(offset, 'this batch does not follow the one before it')
    }
  }
  if (offset === 0 && found.carry === undefined) {
    throw reader.damaged(offset, 'the segment does not begin with what was open')
  }
  const nextIndex = header.firstIndex + header.entries
  return { link, nextIndex, name, segmentId: header.segmentId }
}

/** Whole months between, or the first segments of this one, went at the end of their retention;
 *  whether they did is for `verify` to say. */
function isBehindGap(
  name: SegmentName,
  { header, offset }: ScannedBatch,
  { link, name: last, nextIndex }: Before,
): boolean {
  const isLater = header.sequence > link.sequence + 1 && header.firstIndex > nextIndex
  const isPart = name.month > last.month && name.number > 1
  return offset === 0 && isLater && (isPart || monthNumber(name) > monthNumber(last) + 1)
}

function monthNumber({ month }: SegmentName): number {
  return Number(month.slice(0, 4)) * 12 + Number(month.slice(5))
}

async function batchOrEnd(
  reader: SegmentReader,
  offset: number,
  before: Before | undefined,
): Promise<ScannedBatch | undefined> {
  const idHere = offset > 0 ? before?.segmentId : undefined
  for (let attempt = 0; ; attempt++) {
    const found = await reader.batchAt(offset)
    if (typeof found === 'object') return found
    const later = await reader.laterBatch(offset, (before?.link.sequence ?? 0) + 1, idHere)
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

interface Around {
  readonly header: BatchHeader
  readonly key: KeyObject | KeyGone
  readonly next: Position
  readonly origin: string
}

function recorded(scanned: ScannedEntry, around: Around): RecordedEntry {
  const entry = storedEntry(scanned.value)
  if (!entry) {
    throw new Fault('record_down', 'An entry of the record lacks what every entry has.', {
      facts: { reason: 'damaged', sequence: around.header.sequence },
    })
  }
  const bodyState = bodyStateOf(scanned, around.key)
  return {
    ...entry,
    line: scanned.line,
    bodyState,
    body: () => (bodyState === 'readable' ? plainBody(scanned, around) : undefined),
    tokens: () => tokensIn(scanned, around, entry.index),
    storedBody: scanned.body,
    next: around.next,
  }
}

function bodyStateOf(scanned: ScannedEntry, key: KeyObject | KeyGone): BodyState {
  if (!scanned.body) return 'none'
  if (bodyKeyId(scanned) === undefined) return 'readable'
  return typeof key === 'string' ? key : 'readable'
}

/** Id of the month key that encrypts the body; undefined when it is in clear or there is none. */
function bodyKeyId({ value }: ScannedEntry): string | undefined {
  const reference = value['body']
  const id = isObject(reference) ? reference['key'] : undefined
  return typeof id === 'string' ? id : undefined
}

function plainBody(scanned: ScannedEntry, { key, origin }: Around): Uint8Array | undefined {
  const { body, value } = scanned
  const reference = value['body']
  if (!body || !isObject(reference)) return undefined
  const { encoding } = reference
  const id = bodyKeyId(scanned)
  let inner: Uint8Array | undefined = body
  if (id !== undefined) {
    if (typeof key === 'string' || typeof encoding !== 'string') return undefined
    inner = decryptBody(body, bodyKeyOf(key, body), { origin, key: id, encoding })
  }
  if (!inner) throw sealedElsewhere()
  if (encoding === 'identity') return inner
  if (encoding === 'zstd') return zstdDecompressSync(inner, { maxOutputLength: bodyBytesMax })
  throw new Fault('record_down', 'A body of the record has an encoding of a newer version.', {
    facts: { reason: 'newer_version' },
  })
}

function tokensIn(
  scanned: ScannedEntry,
  { key, origin }: Around,
  index: number,
): readonly Uint8Array[] {
  const id = bodyKeyId(scanned)
  if (!scanned.tokens || id === undefined || typeof key === 'string') return []
  const tokens = decryptTokens(scanned.tokens, key, { origin, key: id, index })
  if (tokens) return tokens
  throw new Fault(
    'record_down',
    'The card tokens of an entry do not open with the key of its month: the key file in keys/months ' +
      'is another one, or they were changed. Restore them from a backup, or turn record.card_search ' +
      'off: nothing else needs them.',
    { facts: { reason: 'tokens_key', index } },
  )
}

/** Its SHA-256 fitted, so these are the bytes that were recorded; the key is another one. */
function sealedElsewhere(): Fault {
  return new Fault(
    'record_down',
    'A body of the record does not open with the key of its month. The key file in keys/months ' +
      'is not the one it was recorded under: restore it from a backup.',
    { facts: { reason: 'body_key' } },
  )
}
