/** The segments of a log, batch by batch, with words for whatever is not as it must be. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { batchBytes, batchHeaderBytes } from '../record/frames.ts'
import { follows, ReadRoom, SegmentReader } from '../record/scan.ts'
import { listSegments, segmentPath } from '../record/segment.ts'
import { isObject } from '../record/unfinished.ts'
import { placeOf } from './walk.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Link } from '../record/batch.ts'
import type { ScannedBatch } from '../record/scan.ts'
import type { SegmentName } from '../record/segment.ts'
import type { Findings } from './findings.ts'

/** Entries of one batch, or a stretch of entries whose segments are not there. */
export type LogPiece =
  | {
      readonly what: 'lines'
      readonly firstIndex: number
      readonly lines: readonly Buffer[]
      /** `YYYY-MM` of the segment. */
      readonly month: string
      readonly bytesDone: number
      readonly bytesTotal: number
    }
  | { readonly what: 'gap'; readonly from: number; readonly to: number }

interface Before {
  readonly link: Link
  readonly nextIndex: number
}

/** Reads up to the first batch that is damaged, which becomes a finding; what is behind it cannot
 *  be put in order any more. */
export async function* readLog(
  at: { readonly disk: Disk; readonly dir: string; readonly writer: string },
  findings: Findings,
): AsyncGenerator<LogPiece> {
  const log = join(at.dir, at.writer, 'log')
  const names = await listSegments(at.disk, log)
  await checkNames(at.disk, log, names, findings)
  const bytesTotal = await sizeOf(at.disk, log, names)
  const room = new ReadRoom()
  let before: Before | undefined
  let bytesDone = 0
  for (const [i, name] of names.entries()) {
    const file = await at.disk.open(join(log, segmentPath(name)), 'read')
    try {
      const reader = new SegmentReader(file, segmentPath(name), { room })
      let segmentId: string | undefined
      for (let offset = 0; ;) {
        const found = await reader.batchAt(offset)
        if (found === 'end') break
        const place = `log/${segmentPath(name)}, byte ${offset}`
        if (found === 'torn') {
          await tellTorn(reader, file, offset, place, i === names.length - 1, findings)
          return
        }
        const { header } = found
        if (offset === 0 && found.carry === undefined) {
          findings.add('wrong', place, 'The segment does not begin with what was open.')
        }
        if (!before && header.firstIndex > 0) yield { what: 'gap', from: 0, to: header.firstIndex }
        else if (before && header.firstIndex > before.nextIndex) {
          yield { what: 'gap', from: before.nextIndex, to: header.firstIndex }
        } else if (before && !follows(header, before.link, before.nextIndex)) {
          findings.add('wrong', place, 'This batch does not follow the one before it.')
          return
        }
        if (segmentId !== undefined && header.segmentId !== segmentId) {
          findings.add('wrong', place, 'This batch belongs to another segment.')
        }
        segmentId = header.segmentId
        before = { link: found.link, nextIndex: header.firstIndex + header.entries }
        offset += batchBytes(header)
        bytesDone += batchBytes(header)
        const lines = found.entries.map(({ line }) => line)
        const { firstIndex } = header
        yield { what: 'lines', firstIndex, lines, month: name.month, bytesDone, bytesTotal }
        checkTime(found, place, findings)
      }
    } finally {
      await file.close()
    }
  }
}

/** The header repeats the time of its first entry. */
function checkTime({ entries, header }: ScannedBatch, place: string, findings: Findings): void {
  const time = entries[0]?.value['time']
  if (typeof time !== 'string') return
  const us = Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26))
  if (us !== header.timeUs)
    findings.add('wrong', place, 'The batch names another time than its entry.')
}

/** Files that no writer made. */
async function checkNames(
  disk: Disk,
  log: string,
  names: readonly SegmentName[],
  findings: Findings,
): Promise<void> {
  const known = new Set(names.map(segmentPath))
  for (const month of await disk.list(log)) {
    for (const name of await disk.list(join(log, month)).catch(() => [''])) {
      const path = `${month}/${name}`
      if (!known.has(path)) findings.add('wrong', `log/${path}`, 'No writer makes such a file.')
    }
  }
}

/** Why a batch cannot be read, as exactly as its bytes still tell. */
async function tellTorn(
  reader: SegmentReader,
  file: DiskFile,
  offset: number,
  place: string,
  isLast: boolean,
  findings: Findings,
): Promise<void> {
  const header = await reader.headerAt(offset)
  if (!header) {
    const later = await reader.laterBatch(offset, 0, undefined)
    if (later === undefined && isLast) {
      const words =
        'Bytes that are no batch: an unfinished write, which the next start sets aside, or damage.'
      findings.add('unsure', place, words)
    } else findings.add('wrong', place, 'The header of this batch was changed.')
    return
  }
  const lines = await reader.linesAt(offset)
  if (!lines) {
    const words = `Entries ${header.firstIndex} to ${header.firstIndex + header.entries - 1} were changed, or are cut short.`
    findings.add('wrong', place, words)
    return
  }
  const bodiesAt = offset + batchHeaderBytes + header.framesBytes
  const index = await changedBody(file, bodiesAt, lines.lines, header.firstIndex)
  findings.add('wrong', place, `The body of ${placeOf(index)} is not the one its entry names.`)
}

async function changedBody(
  file: DiskFile,
  start: number,
  lines: readonly Buffer[],
  firstIndex: number,
): Promise<number> {
  let at = start
  for (const [i, line] of lines.entries()) {
    const body = bodyOf(line)
    if (!body) continue
    const bytes = Buffer.alloc(body.size)
    const got = await file.read(bytes, at)
    at += body.size
    if (got < body.size || hash('sha256', bytes) !== body.sha256) return firstIndex + i
  }
  return firstIndex
}

/** What an entry says of its body; undefined when it has none. */
function bodyOf(line: Buffer): { sha256: unknown; size: number } | undefined {
  const entry: unknown = JSON.parse(line.toString())
  const body: unknown = Object(entry).body
  if (!isObject(body) || typeof body['size'] !== 'number') return undefined
  return { sha256: body['sha256'], size: body['size'] }
}

async function sizeOf(disk: Disk, log: string, names: readonly SegmentName[]): Promise<number> {
  let bytes = 0
  for (const name of names) {
    const file = await disk.open(join(log, segmentPath(name)), 'read')
    try {
      bytes += await file.size()
    } finally {
      await file.close()
    }
  }
  return bytes
}
