/**
 * The index of the record: one SQLite file a month below `DATA/index`, made from the log and from
 * nothing else, so it may be thrown away at any time. Everything here is synchronous and belongs
 * into a thread of its own, or into a command.
 */
import { Fault } from '../base/fault.ts'
import { addBatches } from './add.ts'
import {
  identityOf,
  isDamage,
  listMonths,
  makeFolder,
  pathOf,
  putAside,
  removeAside,
  removeFiles,
} from './files.ts'
import { findIn } from './find.ts'
import { MonthFile } from './month.ts'
import { monthSpan } from './month-time.ts'
import { timesOf } from './times.ts'
import type { Position } from '../record/read.ts'
import type { LateItems, LogBatch } from './add.ts'
import type { DayCount, Found, Item, SearchOptions } from './item.ts'
import type { Query } from './query.ts'
import type { FileMode, WordKind } from './schema.ts'

export interface IndexOptions {
  /** For searching only: files are neither made nor changed. */
  readonly isReadOnly: boolean
  /** `record.index_outputs`: answers are searched as well. Where it changed, all is made anew. */
  readonly indexOutputs: boolean
  /** `record.card_search`: tokens of card numbers are kept, where the record has them; not unless
   *  given. Where it changed, all is made anew as well. */
  readonly cardSearch?: boolean | undefined
  /** Memory for pages of each open file, in KiB; 8 MiB by default. */
  readonly cacheKib?: number | undefined
}

/** So many files are open at a time; the one unused for longest is closed for another. */
const openFilesMax = 3
const limitDefault = 50
const limitMax = 1000

interface Open {
  readonly file: MonthFile
  readonly identity: string | undefined
}

export class RecordIndex {
  readonly #dir: string
  readonly #mode: FileMode
  readonly #open = new Map<string, Open>() // In the order of use, the latest last.
  readonly #late = new Map<string, { readonly month: string; readonly items: LateItems }>()
  readonly #positions = new Map<string, Position>()

  private constructor(dir: string, options: IndexOptions) {
    this.#dir = dir
    const { cacheKib = 8192, cardSearch = false } = options
    this.#mode = { ...options, cacheKib, cardSearch }
  }

  /**
   * Opens the index in `dir` (`DATA/index`). For writing, files of another version or of other
   * settings go, and all is to be read again; a damaged one is put aside, and goes with all later
   * months.
   */
  static open(dir: string, options: IndexOptions): RecordIndex {
    const index = new RecordIndex(dir, options)
    if (options.isReadOnly) return index
    makeFolder(dir)
    for (const month of listMonths(dir)) {
      try {
        index.#file(month)
      } catch (error) {
        if (error instanceof Outdated) index.clear()
        else if (isDamage(error)) index.setAside(month)
        else throw error
        break
      }
    }
    return index
  }

  /** The months that have an index, in order. */
  months(): string[] {
    return listMonths(this.#dir)
  }

  /** Where reading of a writer's log goes on; undefined: at its start. */
  position(writer: string): Position | undefined {
    const known = this.#positions.get(writer)
    if (known) return known
    for (const month of this.months().toReversed()) {
      const found = this.#file(month).position(writer)
      if (!found) continue
      this.#positions.set(writer, found)
      return found // Months before have earlier positions.
    }
    return undefined
  }

  /** The writers of which anything is in the index. */
  writers(): string[] {
    const all = this.months().flatMap((month) => this.#file(month).writers())
    return Array.from(new Set(all)).toSorted()
  }

  /**
   * Takes in what comes next of one writer's log, and the position behind it.
   * @throws {Fault} `busy`, `index_damaged` as `search`; else SQLite's error. Nothing or a part is in
   *   then, and `position` says from where to go on.
   */
  add(batches: readonly LogBatch[]): void {
    const [first] = batches
    if (!first) return
    let at = ''
    try {
      addBatches(batches, {
        withOutputs: this.#mode.indexOutputs,
        withCards: this.#mode.cardSearch,
        file: (month) => this.#file((at = month)),
        late: (writer, month) => this.#lateItems(writer, month),
      })
    } catch (error) {
      // What is in is read from the files again: it may be less than was noted.
      this.#forget()
      if (isDamage(error)) throw damaged(at, error)
      throw error
    }
    this.#positions.set(first.writer, batches.at(-1)?.next ?? first.next)
  }

  /**
   * The items that fit, newest first unless asked otherwise, over all months.
   * @throws {Fault} `bad_params`: `query_slow` beyond the deadline, `cursor_bad`; `busy`:
   *   `index_damaged`, with the month, which is to be given to `setAside` where files are written.
   */
  search(query: Query, options: SearchOptions = {}): Found {
    const { cursor, deadlineMs = Infinity, order = 'newest' } = options
    const limit = Math.min(Math.max(Math.trunc(options.limit ?? limitDefault), 1), limitMax)
    const isNewestFirst = order === 'newest'
    const from = readCursor(cursor)
    const months = this.#monthsWithin(query)
    const isCounted = options.isCounted ?? cursor === undefined
    const days: DayCount[] = []
    const found: { month: string; id: number; item: Item }[] = []
    for (const month of isNewestFirst ? months.toReversed() : months) {
      const isPast = from && (isNewestFirst ? month > from.month : month < from.month)
      const after = from?.month === month ? from.id : undefined
      const room = isPast === true ? 0 : limit + 1 - found.length
      if (room === 0 && !isCounted) continue
      const wanted = { isNewestFirst, after, limit: room, isCounted }
      const part = this.#ask(month, deadlineMs, (file) => findIn(file, query, wanted))
      found.push(...(part?.items ?? []).map((each) => ({ month, ...each })))
      days.push(...(part?.days ?? []))
    }
    const last = found[limit - 1]
    return {
      items: found.slice(0, limit).map(({ item }) => item),
      cursor: last && found.length > limit ? `${last.month}:${last.id}` : undefined,
      total: isCounted ? days.reduce((sum, { count }) => sum + count, 0) : undefined,
      days: isCounted ? days.toSorted((a, b) => (a.day < b.day ? -1 : 1)) : undefined,
    }
  }

  /** Names that begin with `start`, such as tools, from the newest month on. */
  names(kind: WordKind, start: string, limit: number): string[] {
    const all = new Set<string>()
    for (const month of this.months().toReversed()) {
      if (all.size >= limit) break
      const names = this.#ask(month, Infinity, (file) =>
        file.dictionary.beginning(kind, start, limit),
      )
      for (const name of names ?? []) all.add(name)
    }
    return Array.from(all).slice(0, limit)
  }

  /** Takes the text of a month away for good: its bodies were shredded. Facts of its items stay. */
  forgetText(month: string): void {
    removeAside(this.#dir, month)
    if (this.months().includes(month)) this.#file(month).forgetText()
    this.#close(month)
  }

  /** Removes a month with all its files: it is no longer in the record. */
  removeMonth(month: string): void {
    this.#close(month)
    removeFiles(this.#dir, month)
    this.#forget()
  }

  /** Removes everything: all is read again from the start of the log. */
  clear(): void {
    for (const month of this.months()) {
      this.#close(month)
      removeFiles(this.#dir, month)
    }
    this.#forget()
  }

  /** Puts a damaged month aside; it and the months behind it are read again. */
  setAside(month: string): void {
    this.#close(month)
    putAside(this.#dir, month)
    for (const later of this.months().filter((each) => each > month)) {
      this.#close(later)
      removeFiles(this.#dir, later)
    }
    this.#forget()
  }

  close(): void {
    for (const month of Array.from(this.#open.keys())) this.#close(month)
  }

  /** Asks one month; undefined where its file is gone or being made anew. */
  #ask<T>(month: string, deadlineMs: number, ask: (file: MonthFile) => T): T | undefined {
    try {
      const file = this.#file(month)
      file.limit(deadlineMs)
      return ask(file)
    } catch (error) {
      if (error instanceof Fault) throw error
      if (error instanceof Outdated) return undefined
      if (!this.months().includes(month)) return undefined
      this.#close(month)
      if (!isDamage(error)) throw error
      throw damaged(month, error)
    }
  }

  #monthsWithin(query: Query): string[] {
    const { fromUs, untilUs } = timesOf(query)
    return this.months().filter((month) => {
      const { endUs, startUs } = monthSpan(month)
      return startUs < untilUs && endUs > fromUs
    })
  }

  #file(month: string): MonthFile {
    const identity = identityOf(this.#dir, month)
    const known = this.#open.get(month)
    if (known && known.identity === identity) {
      this.#open.delete(month)
      this.#open.set(month, known)
      return known.file
    }
    // Another file has taken the name: it was made anew by the one who writes.
    this.#close(month)
    const file = MonthFile.open(pathOf(this.#dir, month), month, this.#mode)
    if (!file) throw new Outdated()
    this.#open.set(month, { file, identity: identityOf(this.#dir, month) })
    const [oldest] = this.#open.keys()
    if (this.#open.size > openFilesMax && oldest !== undefined) this.#close(oldest)
    return file
  }

  #close(month: string): void {
    this.#open.get(month)?.file.close()
    this.#open.delete(month)
  }

  #forget(): void {
    this.#late.clear()
    this.#positions.clear()
  }

  #lateItems(writer: string, month: string): LateItems {
    const known = this.#late.get(writer)
    if (known?.month === month) return known.items
    const items: LateItems = new Map()
    for (const before of this.months().filter((each) => each < month)) {
      for (const late of this.#file(before).late()) {
        if (late.writer === writer) items.set(late.exchange, { ...late, month: before })
      }
    }
    this.#late.set(writer, { month, items })
    return items
  }
}

/** A file made by another version, or with other settings. */
class Outdated extends Error {
  override readonly name = 'Outdated'
}

function readCursor(cursor: string | undefined): { month: string; id: number } | undefined {
  if (cursor === undefined) return undefined
  const [, month = '', id = ''] = /^(\d{4}-\d\d):(\d{1,16})$/.exec(cursor) ?? []
  if (month !== '' && Number.isSafeInteger(Number(id))) return { month, id: Number(id) }
  throw new Fault(
    'bad_params',
    'This cursor is none that a search gave. Begin on the first page.',
    {
      facts: { reason: 'cursor_bad' },
    },
  )
}

function damaged(month: string, cause: unknown): Fault {
  return new Fault(
    'busy',
    `The index of ${month} is damaged. The record is not: the index is made anew from it.`,
    { cause, facts: { reason: 'index_damaged', month } },
  )
}
