/**
 * What goes at the end of its time, in whole months: the content of calls by destroying the key of
 * its bodies, later the month itself, whose tiles stay. Each is in the record before and after.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { share } from './entry.ts'
import { isHeld } from './holds.ts'
import { LineReader } from './lines.ts'
import { destroyMonthKey, listMonthKeys, monthOf } from './months.ts'
import { SegmentReader } from './scan.ts'
import { listSegments, segmentPath } from './segment.ts'
import type { Disk } from '../base/disk.ts'
import type { RetentionRemoved } from './entry.ts'
import type { Hold } from './holds.ts'
import type { KeyPlace } from './months.ts'
import type { Recorder } from './record.ts'
import type { SegmentName } from './segment.ts'

export interface RetentionPlace {
  readonly disk: Disk
  /** The writer's folder. */
  readonly folder: string
  readonly keys: KeyPlace
}

export interface RetentionRules {
  /** After the end of a month. */
  readonly retentionMs: number
  readonly contentRetentionMs: number
  readonly holds: readonly Hold[]
}

/** What is due for one month, or would be if nothing held it. */
export interface DueMonth {
  readonly month: string
  readonly what: 'content' | 'month'
  /** Its first entry, and one past its last. */
  readonly first: number
  readonly end: number
  readonly segments: number
  readonly bytes: number
  /** Ids of the holds that keep it. */
  readonly heldBy: readonly string[]
}

/** When a month was over: the first moment of the next, milliseconds since 1970. */
function endOfMonth(month: string): number {
  return Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)))
}

/** What is due at a time, oldest first. Reads the entries of a month only where a hold may keep it. */
export async function dueMonths(
  at: RetentionPlace,
  rules: RetentionRules,
  nowUs: number,
): Promise<DueMonth[]> {
  const names = await listSegments(at.disk, join(at.folder, 'log'))
  const withKey = new Set(await listMonthKeys(at.keys))
  const due: DueMonth[] = []
  for (const month of new Set(names.map((name) => name.month))) {
    const ageMs = nowUs / 1000 - endOfMonth(month)
    const isOver = month < monthOf(nowUs)
    const isContentDue = ageMs >= rules.contentRetentionMs && withKey.has(month)
    const what = ageMs >= rules.retentionMs ? 'month' : isContentDue ? 'content' : undefined
    if (!isOver || what === undefined) continue
    const own = names.filter((name) => name.month === month)
    due.push(await dueOf(at, what, own, rules.holds))
  }
  return due
}

async function dueOf(
  at: RetentionPlace,
  what: DueMonth['what'],
  names: readonly SegmentName[],
  holds: readonly Hold[],
): Promise<DueMonth> {
  const month = names[0]?.month ?? ''
  const { bytes, end, first } = await extentOf(at, names)
  const heldBy: string[] = []
  for (const hold of holds) {
    const lines = new LineReader(at.disk, join(at.folder, 'log'), first)
    try {
      if (await isHeld(hold, month, lines, end)) heldBy.push(hold.id)
    } finally {
      await lines.close()
    }
  }
  return { month, what, first, end, segments: names.length, bytes, heldBy }
}

/**
 * Takes one month's content or all of it, recorded before and after. A crash in between leaves a
 * part, and the month is due again at the next run.
 * @param signedSize entries under the newest checkpoint: what is not signed yet never goes.
 * @param forget takes it out of the index.
 * @throws {Fault} `refused` when a hold keeps the month or its entries are not signed; `record_down`
 *   and `record_full` when it cannot be recorded.
 */
export async function remove(
  due: DueMonth,
  at: RetentionPlace,
  by: { recorder: Recorder; reason: string; signedSize: number; forget: () => Promise<void> },
): Promise<void> {
  const { end, first, heldBy, month, segments, what } = due
  if (heldBy.length > 0) throw refused(month, 'a legal hold keeps it')
  if (by.signedSize < end) throw refused(month, 'not all of its entries are under a checkpoint yet')
  const names = (await listSegments(at.disk, join(at.folder, 'log'))).filter(
    (name) => name.month === month,
  )
  const sha256 = await digestOf(at, names)
  const entry = { type: 'retention.removed', what, month, first, end, segments, sha256 } as const
  const tell = async (phase: RetentionRemoved['phase']): Promise<void> => {
    const told = { ...entry, phase, reason: by.reason }
    await by.recorder.append('retention', share({}), [{ entry: told }])
  }
  await tell('begun')
  await destroyMonthKey(at.keys, month)
  await by.forget()
  if (what === 'month') await removeSegments(at, names)
  await tell('done')
}

/** Oldest first: what a crash leaves is the end of the month, and the log goes on from there. */
async function removeSegments(at: RetentionPlace, names: readonly SegmentName[]): Promise<void> {
  const log = join(at.folder, 'log')
  for (const name of names) await at.disk.remove(join(log, segmentPath(name)))
  const month = names[0]?.month
  if (month === undefined) return
  await at.disk.syncFolder(join(log, month))
  // Tails that were cut off in this month: the entries that name them are gone.
  const aside = join(at.folder, 'torn')
  const tails = (await at.disk.list(aside)).filter((name) => name.startsWith(`${month}.`))
  for (const name of tails) await at.disk.remove(join(aside, name))
  if (tails.length > 0) await at.disk.syncFolder(aside)
}

async function extentOf(
  at: RetentionPlace,
  names: readonly SegmentName[],
): Promise<{ bytes: number; first: number; end: number }> {
  let first: number | undefined
  let end = 0
  let bytes = 0
  for (const name of names) {
    const path = segmentPath(name)
    const file = await at.disk.open(join(at.folder, 'log', path), 'read')
    try {
      bytes += await file.size()
      const reader = new SegmentReader(file, path)
      first ??= (await reader.headerAt(0))?.firstIndex
      end = (await reader.lastLink())?.nextIndex ?? end
    } finally {
      await file.close()
    }
  }
  return { bytes, first: first ?? 0, end }
}

const chunkBytes = 1_048_576

/** SHA-256 over the lines `path size sha256`, so that a copy of the month can be known again. */
async function digestOf(at: RetentionPlace, names: readonly SegmentName[]): Promise<string> {
  const all = createHash('sha256')
  for (const name of names) {
    const path = segmentPath(name)
    const file = await at.disk.open(join(at.folder, 'log', path), 'read')
    try {
      const one = createHash('sha256')
      let size = 0
      for (let chunk = Buffer.alloc(chunkBytes); ;) {
        const got = await file.read(chunk, size)
        one.update(chunk.subarray(0, got))
        size += got
        if (got === 0) break
      }
      all.update(`${path} ${size} ${one.digest('hex')}\n`)
    } finally {
      await file.close()
    }
  }
  return all.digest('hex')
}

function refused(month: string, why: string): Fault {
  return new Fault('refused', `Nothing of ${month} was removed: ${why}.`, {
    facts: { reason: 'retention' },
  })
}
