/**
 * Tables of lines: a header, and rows below it. A table matters only where digits stand, so the
 * search stops at lines with three digits in a row and looks up from there, over lines without any,
 * to what may be the header. Each line is looked at once or twice.
 */
import { DIGIT, classOf, codePointAt, isDigit } from './bytes.ts'
import { HEADER, Header, NEITHER, samplesMax, startsWithBar } from './table-header.ts'
import { OURS, RUN, fits, valueOf } from './table-names.ts'
import { BAR, Row, SPACE, SPACES, afterBreak, isRule } from './table-row.ts'
import { leadBefore } from './spelling.ts'
import { SECRET } from './words.ts'
import type { TableCells } from './table-cells.ts'
import type { Names } from './words.ts'

const newline = 0x0a
const carriage = 0x0d
/** A longer line is no header, and no row that tells of one. */
const headerBytesMax = 16 * 1024
/** How much is read, again and again, to find the header above one row: some hundred lines. */
const lookBytesMax = 64 * 1024
/** A cell by itself is no sentence. */
const wordBytesMax = 8
/** Lines between the names of columns and the ruling below them: their types. */
const typesMax = 3

/** A way in which tables stand in texts; texts are asked for one after the other. */
export interface TableKind {
  /** Prepares for another text. */
  begin(b: Uint8Array): void
  /** Where the next table may begin, at `at` or behind; -1 when there is none. */
  find(b: Uint8Array, at: number): number
  /** Hands on the cells of the table found last; returns where the text goes on. */
  read(b: Uint8Array, cells: TableCells): number
}

export class LineTables implements TableKind {
  readonly #header: Header
  readonly #probe: Header
  readonly #row = new Row()
  #text: Buffer = Buffer.alloc(0)
  #end = 0
  /** Where the rows of the table found begin. */
  #rows = 0

  constructor(names: Names) {
    this.#header = new Header(names)
    this.#probe = new Header(names)
  }

  begin(b: Uint8Array): void {
    this.#text = Buffer.from(b.buffer, b.byteOffset, b.length)
    this.#end = b.length
    this.#row.begin()
    this.#header.begin()
    this.#probe.begin()
  }

  find(b: Uint8Array, at: number): number {
    // Invariant: what stands before `quiet` was looked at, or belongs to a table before.
    let quiet = at
    for (let digit = nextDigits(b, at, this.#end); digit >= 0;) {
      const line = lineStart(b, digit, quiet)
      const next = this.#next(digit)
      if ((line > quiet || quiet === at) && next - line <= headerBytesMax) {
        const header = this.#above(b, quiet, line, next)
        if (header >= 0) return header
      }
      quiet = next
      digit = nextDigits(b, next, this.#end)
    }
    return -1
  }

  /** The header among the lines [quiet, line) above the row at `line`, or that line itself; or -1. */
  #above(b: Uint8Array, quiet: number, line: number, next: number): number {
    const header = this.#header
    let rule = -1
    let types = 0
    let blanks = 0
    let isStrange = false
    let budget = lookBytesMax
    let below = line
    for (let at = line; at > quiet;) {
      const to = breakBefore(b, at, quiet)
      const start = lineStart(b, to, quiet)
      const rows = below
      below = start
      at = start
      if (to - start > headerBytesMax) break
      if (isBlank(b, start, to)) {
        if (++blanks > 1 || isStrange) break
        continue
      }
      if (isRule(b, start, to)) {
        rule = start
        types = typesMax
        continue
      }
      let found = NEITHER
      if (rule >= 0 && types-- > 0) found = header.ruled(b, start, to, rule, this.#end)
      if (found === NEITHER && !isStrange) {
        found = header.bare(b, start, to, rows, line, this.#end)
        budget -= to - start + samplesMax * (next - line)
      }
      if (found === HEADER) {
        this.#rows = rows
        return start
      }
      // A cell over several lines has a quote of its pair in each. Above other lines that are no
      // rows a header has to be ruled.
      if (found === NEITHER && !isQuoteOpen(b, start, to)) isStrange = true
      if (budget < 0) isStrange = true
    }
    return this.#itself(b, line, next)
  }

  /** The line at `line`, where its own digits belong to a name: `line_100`. */
  #itself(b: Uint8Array, line: number, next: number): number {
    const header = this.#header
    if (next >= this.#end) return -1
    const to = breakBefore(b, next, line)
    const below = this.#lineEnd(next)
    const found = isRule(b, next, below)
      ? header.ruled(b, line, to, next, this.#end)
      : header.bare(b, line, to, next, next, this.#end)
    this.#rows = next
    return found === HEADER ? line : -1
  }

  read(b: Uint8Array, cells: TableCells): number {
    const header = this.#header
    const row = this.#row
    let at = this.#rows
    cells.header(at)
    while (at < this.#end) {
      const to = this.#lineEnd(at)
      const next = afterBreak(b, to, this.#end)
      if (isBlank(b, at, to)) {
        if (!this.#goesOn(b, next)) return at
        at = next
        continue
      }
      if (isRule(b, at, to)) {
        at = next
        continue
      }
      row.read(b, at, this.#end, header.delimiter, header.isOuter)
      if (!this.#isRow(b, at, to) || this.#isOther(b, at, to, next)) return at
      if (header.delimiter === SPACES || header.delimiter === SPACE) {
        this.#spaced(b, at, to, cells)
        at = next
      } else {
        this.#delimited(b, cells)
        at = row.next
      }
    }
    return at
  }

  /** Whether the cells read last are those of a row. */
  #isRow(b: Uint8Array, at: number, to: number): boolean {
    const { count } = this.#row
    if (this.#header.isSliced) return true
    if (count > 1) return this.#header.count > 1 || count === 2
    if (this.#header.delimiter === BAR && startsWithBar(b, at, to)) return true
    if (count === 0) return false
    const [from, stop] = [this.#row.from[0] ?? 0, this.#row.to[0] ?? 0]
    if ((valueOf(b, from, stop) & ~RUN) !== 0) return true
    // Other cells may be empty; a word may stand in the place of a value.
    const isAligned = this.#header.delimiter === SPACES && isWide(b, at, to)
    return isAligned || (this.#header.count === 1 && stop - from <= wordBytesMax)
  }

  /** Whether the line [at, to) is the header of another table, without digits as it is. */
  #isOther(b: Uint8Array, at: number, to: number, next: number): boolean {
    if (hasDigits(b, at, to) || next >= this.#end) return false
    const probe = this.#probe
    const below = this.#lineEnd(next)
    if (!isRule(b, next, below)) return probe.bare(b, at, to, next, next, this.#end) === HEADER
    return probe.ruled(b, at, to, next, this.#end) === HEADER
  }

  /** Whether the table goes on at `at`, behind a blank line: with a value in a column of ours. */
  #goesOn(b: Uint8Array, at: number): boolean {
    const header = this.#header
    const row = this.#row
    row.read(b, at, this.#end, header.delimiter, header.isOuter)
    if (row.count !== header.count) return false
    for (let i = 0; i < row.count; i++) {
      const meaning = (header.meanings[i] ?? 0) & OURS
      if (meaning !== 0 && fits(meaning, valueOf(b, row.from[i] ?? 0, row.to[i] ?? 0))) return true
    }
    return false
  }

  #delimited(b: Uint8Array, cells: TableCells): void {
    const { meanings, count } = this.#header
    const row = this.#row
    const isWhole = row.count === count
    for (let i = 0; i < row.count && i < count; i++) {
      const meaning = meanings[i] ?? 0
      if (meaning === 0) continue
      const [from, to] = [row.from[i] ?? 0, row.to[i] ?? 0]
      if (isWhole || isSure(b, from, to, meaning)) cells.cell(from, to, meaning)
    }
  }

  #spaced(b: Uint8Array, at: number, to: number, cells: TableCells): void {
    const row = this.#row
    const places = this.#header.places(b, at, to, row)
    for (let i = 0; i < row.count; i++) {
      const place = places[i] ?? -1
      const meaning = place < 0 ? 0 : (this.#header.meanings[place] ?? 0)
      const [from, stop] = [row.from[i] ?? 0, row.to[i] ?? 0]
      if (meaning !== 0 && isSure(b, from, stop, meaning)) cells.spacedCell(from, stop, meaning)
    }
  }

  #lineEnd(at: number): number {
    const found = this.#text.indexOf(newline, at)
    const end = found < 0 ? this.#end : found
    return end > at && this.#text[end - 1] === carriage ? end - 1 : end
  }

  /** The offset behind the line in which `at` stands. */
  #next(at: number): number {
    const found = this.#text.indexOf(newline, at)
    return found < 0 ? this.#end : found + 1
  }
}

/** The next digit of a run of three in [at, end), or one of another script; or -1. */
export function nextDigits(b: Uint8Array, at: number, end: number): number {
  for (let i = at + 2; i < end; i += 3) {
    const c = b[i] ?? 0
    if (c >= 0x80) {
      if (classOf(codePointAt(b, leadBefore(b, i + 1, at))) >= DIGIT) return i
      continue
    }
    if (isDigit[c] === 0) continue
    const before = isDigit[b[i - 1] ?? 0] ?? 0
    const after = i + 1 < end ? (isDigit[b[i + 1] ?? 0] ?? 0) : 0
    if (before === 1 && (after === 1 || isDigit[b[i - 2] ?? 0] === 1)) return i
    if (after === 1 && i + 2 < end && isDigit[b[i + 2] ?? 0] === 1) return i
  }
  return -1
}

/** The beginning of the line in which `at` stands, not before `min`. */
function lineStart(b: Uint8Array, at: number, min: number): number {
  let i = at
  while (i > min && b[i - 1] !== newline) i--
  return i
}

/** The end of the line in front of the one that begins at `at`, or of this one's break. */
function breakBefore(b: Uint8Array, at: number, min: number): number {
  let to = at
  if (to > min && b[to - 1] === newline) to--
  if (to > min && b[to - 1] === carriage) to--
  return to
}

function isBlank(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((b[i] ?? 0) > 0x20) return false
  return true
}

function isWide(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i + 1 < to; i++) if (b[i] === 0x20 && b[i + 1] === 0x20) return true
  return false
}

function isQuoteOpen(b: Uint8Array, from: number, to: number): boolean {
  let quotes = 0
  for (let i = from; i < to; i++) if (b[i] === 0x22) quotes++
  return (quotes & 1) === 1
}

function hasDigits(b: Uint8Array, from: number, to: number): boolean {
  return nextDigits(b, from, to) >= 0
}

/** Whether a cell of a row that may be none is what its column holds; card numbers show themselves. */
function isSure(b: Uint8Array, from: number, to: number, meaning: number): boolean {
  return (meaning & SECRET) === 0 || fits(meaning & SECRET, valueOf(b, from, to))
}
