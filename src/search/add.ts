/**
 * Taking batches of the log into the files of their months, so that a stop at any point is made good
 * by reading on from the position that is kept.
 *
 * An item lies in the month of its first entry. While its call goes on, later entries go there too,
 * even from the next month's segments. Two files cannot be changed in one transaction, so the older
 * one goes first and notes up to which index it has all (`applied`); the position goes last. A stop
 * in between leaves the position behind: the same entries come again, and the older file, which
 * knows them, leaves them out.
 */
import { exchangeOf, fold, isLeftOut } from './fold.ts'
import { monthOf } from './month-time.ts'
import type { Position } from '../record/read.ts'
import type { IndexedEntry } from './fold.ts'
import type { Late, MonthFile } from './month.ts'
import type { Row } from './rows.ts'

/** Entries of one writer that became durable together. */
export interface LogBatch {
  readonly writer: string
  /** Where the batch begins; undefined for the writer's first. */
  readonly place: Position | undefined
  /** Where the next one begins. */
  readonly next: Position
  readonly entries: readonly IndexedEntry[]
}

/** What adding needs of the index. */
export interface Months {
  readonly withOutputs: boolean
  /** Whether tokens of card numbers are kept. */
  readonly withCards: boolean
  /** The file of a month, made if it is not there. */
  file(month: string): MonthFile
  /** By exchange the items of months before this one to which entries may still belong. The map is
   *  kept: what is noted in it stands there the next time. */
  late(writer: string, month: string): LateItems
}

/** Items that stand in a month before the one at hand. */
export type LateItems = Map<string, Late & { readonly month: string }>

/** @param batches of one writer, each beginning where the one before it ends; at least one. */
export function addBatches(batches: readonly LogBatch[], months: Months): void {
  for (const [month, those] of byMonth(batches)) addMonth(month, those, months)
}

interface Placed {
  readonly entry: IndexedEntry
  readonly place: Position | undefined
}

interface Share {
  readonly writer: string
  readonly entries: Placed[]
  /** Where all of this is in. */
  next: Position
}

/** The record begins a segment with each month, so a batch is of one. */
function byMonth(batches: readonly LogBatch[]): Map<string, Share> {
  const shares = new Map<string, Share>()
  for (const { entries, next, place, writer } of batches) {
    const [first] = entries
    if (!first) continue
    const month = monthOf(first.timeUs)
    const share = shares.get(month) ?? { writer, entries: [], next }
    share.entries.push(...entries.map((entry) => ({ entry, place })))
    share.next = next
    shares.set(month, share)
  }
  return shares
}

function addMonth(month: string, share: Share, months: Months): void {
  const { next, writer } = share
  const own: Placed[] = []
  const older = new Map<string, Placed[]>()
  const known = months.late(writer, month)
  for (const placed of share.entries) {
    const late = lateOf(placed.entry, known)
    if (late === undefined) own.push(placed)
    else older.set(late, [...(older.get(late) ?? []), placed])
  }
  for (const [before, entries] of older) {
    const file = months.file(before)
    // What this file knows must not be lost when the position, in the other, is not.
    file.db.exec('PRAGMA synchronous = FULL')
    file.transaction(() => {
      write(file, writer, entries, months, true)
      file.advance(writer, next.nextIndex, undefined)
    })
    // A stop here: the older file has these entries, and leaves them out when they come again.
  }
  const file = months.file(month)
  file.transaction(() => {
    write(file, writer, own, months, false)
    file.advance(writer, next.nextIndex, next)
  })
}

/** The older month to whose open item an entry belongs. It follows the calls as they end. */
function lateOf(entry: IndexedEntry, late: LateItems): string | undefined {
  const exchange = exchangeOf(entry)
  const known = exchange === undefined ? undefined : late.get(exchange)
  if (!known) return undefined
  if (known.closedBy !== undefined) {
    return entry.index <= known.closedBy ? known.month : undefined
  }
  if (entry.index > known.last) {
    const open = known.open + changeOf(entry)
    const closedBy = open > 0 ? undefined : entry.index
    late.set(known.exchange, { ...known, open, closedBy, last: entry.index })
  }
  return known.month
}

function changeOf({ type }: IndexedEntry): number {
  if (type === 'call.received') return 1
  return type === 'call.finished' || type === 'call.denied' ? -1 : 0
}

function write(
  file: MonthFile,
  writer: string,
  entries: readonly Placed[],
  { withCards, withOutputs }: Months,
  isLate: boolean,
): void {
  const applied = file.applied(writer)
  const hasText = !file.isForgotten
  const rows = new Map<string, Row>()
  for (const { entry, place } of entries) {
    if (entry.index < applied || isLeftOut(entry)) continue
    const exchange = exchangeOf(entry)
    const key = exchange ?? `#${entry.index}`
    let row = rows.get(key)
    row ??= exchange === undefined ? undefined : file.rows.find(writer, exchange)
    row ??= file.rows.begin(writer, entry, place)
    rows.set(key, row)
    if (hasText && withCards) for (const token of entry.tokens?.() ?? []) row.tokens.push(token)
    fold(row.draft, hasText ? entry : { ...entry, body: () => undefined }, withOutputs)
    // Words of details stand in no body; they go with the month's text all the same.
    if (!hasText) row.draft.command = ''
  }
  for (const row of rows.values()) {
    const { last, open } = row.draft
    file.rows.write(row, isLate && open === 0 ? last : undefined)
  }
}
