/**
 * Whether a line is the header of a table of ours, and where its columns are. Under a ruling names
 * are enough; without one a row below must have as many cells, and in a column of ours what such a
 * column holds: a sentence with commas is no header.
 */
import { CID } from './words.ts'
import { columnOf, fits, settle, valueOf } from './table-names.ts'
import {
  BAR,
  COMMA,
  Row,
  SEMICOLON,
  SPACE,
  SPACES,
  TAB,
  barAt,
  isBreak,
  isRule,
} from './table-row.ts'
import type { Names } from './words.ts'

const columnsMax = 256
/** How many rows are looked at for a value. */
const samplesMax = 4
/** One column by itself has a short name. */
const singleBytesMax = 80

const isTab = 1
const isBar = 2
const isSemicolon = 4
const isComma = 8
const isWide = 16
const tells = new Uint8Array(256)
tells[TAB] = isTab
tells[BAR] = isBar
tells[0xe2] = isBar
tells[0xc2] = isBar
tells[SEMICOLON] = isSemicolon
tells[COMMA] = isComma
const delimiters = [
  [isTab, TAB],
  [isBar, BAR],
  [isSemicolon, SEMICOLON],
  [isComma, COMMA],
] as const

/** What a line turned out to be. */
export const HEADER = 0
/** A row like those below it. */
export const ROW = 1
export const NEITHER = 2

/** The header last accepted. */
export class Header {
  delimiter = COMMA
  isOuter = false
  /** Cells are cut where the ruling is, since one space alone may stand between them. */
  isSliced = false
  count = 0
  readonly meanings: Int32Array = new Int32Array(columnsMax)
  /** Of aligned columns: the characters before their beginning and their end. */
  readonly left: Int32Array = new Int32Array(columnsMax)
  readonly right: Int32Array = new Int32Array(columnsMax)
  readonly #names: Names
  readonly #head = new Row()
  readonly #row = new Row()
  readonly #values = new Int32Array(columnsMax)
  readonly #places = new Int32Array(columnsMax)

  constructor(names: Names) {
    this.#names = names
  }

  /** Prepares for another text. */
  begin(): void {
    this.#head.begin()
    this.#row.begin()
  }

  /**
   * Takes the line [at, to) as the header above a ruling.
   * @param rule where the ruling begins.
   * @param row where a row below begins.
   */
  ruled(b: Uint8Array, at: number, to: number, rule: number, row: number, end: number): number {
    const head = this.#head
    if (hasBar(b, at, to)) {
      const isOuter = startsWithBar(b, at, to)
      head.read(b, at, to, BAR, isOuter)
      if (this.#take(b, BAR, isOuter)) return HEADER
      this.#row.read(b, row, end, BAR, isOuter)
      return this.#row.count === head.count ? ROW : NEITHER
    }
    const spans = this.#spans(b, rule, end)
    head.read(b, at, to, SPACES)
    if (spans < 2 && head.count < 2) return this.bare(b, at, to, row, end)
    if (spans < 2) return this.#take(b, SPACES, false) ? HEADER : this.bare(b, at, to, row, end)
    cut(b, at, to, this, spans, head)
    if (this.#take(b, SPACES, false)) {
      this.isSliced = true
      return HEADER
    }
    return this.bare(b, at, to, row, end)
  }

  /** Takes the line [at, to) as a header without a ruling; the rows at `row` must bear it out. */
  bare(b: Uint8Array, at: number, to: number, row: number, end: number): number {
    let told = 0
    for (let i = at; i < to; i++) {
      const c = b[i] ?? 0
      told |= tells[c] ?? 0
      if (c === 0x20 && b[i + 1] === 0x20) told |= isWide
    }
    let isRow = false
    for (const [flag, delimiter] of delimiters) {
      if ((told & flag) === 0) continue
      const found = this.#delimited(b, at, to, row, end, delimiter)
      if (found === HEADER) return HEADER
      isRow ||= found === ROW
    }
    if ((told & isWide) !== 0 || to - at <= singleBytesMax) {
      const found = this.#aligned(b, at, to, row, end, SPACES)
      if (found === HEADER) return HEADER
      isRow ||= found === ROW
    }
    if (!isRow && isSameLength(b, at, to, row, end)) {
      const found = this.#aligned(b, at, to, row, end, SPACE)
      if (found === HEADER) return HEADER
      isRow = found === ROW
    }
    return isRow ? ROW : NEITHER
  }

  #delimited(b: Uint8Array, at: number, to: number, row: number, end: number, d: number): number {
    const head = this.#head
    const isOuter = d === BAR && startsWithBar(b, at, to)
    head.read(b, at, to, d, isOuter)
    const { count } = head
    if (count < 2 && !isOuter) return NEITHER
    const values = this.#values.fill(0, 0, count)
    let next = row
    let isAny = false
    for (let n = 0; n < samplesMax && next < end; n++) {
      this.#row.read(b, next, end, d, isOuter)
      next = this.#row.next
      if (this.#row.count !== count) continue
      isAny = true
      for (let i = 0; i < count; i++)
        values[i] = (values[i] ?? 0) | valueOf(b, this.#row.from[i] ?? 0, this.#row.to[i] ?? 0)
    }
    if (!isAny) return NEITHER
    return this.#isBorneOut(b, count) && this.#take(b, d, isOuter) ? HEADER : ROW
  }

  #aligned(b: Uint8Array, at: number, to: number, row: number, end: number, gap: number): number {
    const head = this.#head
    head.read(b, at, to, gap)
    const { count } = head
    // pandas ends a line with a backslash where it goes on below with further columns.
    if (count > 1 && head.to[count - 1] === (head.from[count - 1] ?? 0) + 1 && b[to - 1] === 0x5c)
      head.count--
    const values = this.#values.fill(0, 0, head.count)
    let next = row
    let isAny = false
    for (let n = 0; n < samplesMax && next < end; n++) {
      const line = this.#row
      line.read(b, next, end, gap)
      next = line.next
      const isMore = line.count > head.count + 1 || line.count === 0
      if (isMore || (gap === SPACE && !isAtEdges(head, line))) continue
      isAny = true
      const places = placed(head, head.count, line, this.#places)
      for (let i = 0; i < line.count; i++) {
        const place = places[i] ?? -1
        if (place < 0) continue
        values[place] = (values[place] ?? 0) | valueOf(b, line.from[i] ?? 0, line.to[i] ?? 0)
      }
    }
    if (!isAny) return NEITHER
    if (this.#isBorneOut(b, head.count) && this.#take(b, gap, false)) return HEADER
    return count > 1 ? ROW : NEITHER
  }

  /** Whether a value stands below a name of ours. Few names are asked for: mostly none has one. */
  #isBorneOut(b: Uint8Array, count: number): boolean {
    const { from, to } = this.#head
    for (let i = 0; i < count; i++) {
      const value = this.#values[i] ?? 0
      if (value === 0) continue
      const meaning = columnOf(this.#names, b, from[i] ?? 0, to[i] ?? 0)
      if ((meaning & CID) !== 0 || fits(meaning, value)) return true
    }
    return false
  }

  /** Keeps the names read last; false, and nothing kept, when none of them is ours. */
  #take(b: Uint8Array, delimiter: number, isOuter: boolean): boolean {
    const head = this.#head
    const { meanings } = this
    for (let i = 0; i < head.count; i++)
      meanings[i] = columnOf(this.#names, b, head.from[i] ?? 0, head.to[i] ?? 0)
    settle(meanings, head.count)
    let all = 0
    for (let i = 0; i < head.count; i++) all |= meanings[i] ?? 0
    if (all === 0) return false
    this.delimiter = delimiter
    this.isOuter = isOuter
    this.isSliced = false
    this.count = head.count
    if (delimiter === SPACES || delimiter === SPACE) {
      this.left.set(head.left.subarray(0, head.count))
      this.right.set(head.right.subarray(0, head.count))
    }
    return true
  }

  /** Puts the places of the strokes of a ruling into `left` and `right`; returns how many. */
  #spans(b: Uint8Array, at: number, end: number): number {
    let column = 0
    let count = 0
    let isStroke = false
    for (let i = at; i < end && !isBreak(b[i] ?? 0) && count < columnsMax; i++) {
      const isSpace = b[i] === 0x20
      if (!isSpace && !isStroke) this.left[count++] = column
      if (!isSpace) this.right[count - 1] = column + 1
      isStroke = !isSpace
      if ((b[i] ?? 0) >= 0x80) i += 2
      column++
    }
    return count
  }

  /** Cuts the aligned row [at, to) into its cells, and tells which column each stands in. */
  places(b: Uint8Array, at: number, to: number, row: Row): Int32Array {
    if (!this.isSliced || row.count === this.count) return placed(this, this.count, row, this.#places)
    cut(b, at, to, this, this.count, row)
    return inOrder
  }
}

const inOrder = Int32Array.from({ length: columnsMax }, (_, i) => i)

function hasBar(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (barAt(b, i) > 0) return true
  return false
}

/** Whether a bar is the first sign of [from, to). */
export function startsWithBar(b: Uint8Array, from: number, to: number): boolean {
  let i = from
  while (i < to && b[i] === 0x20) i++
  return i < to && barAt(b, i) > 0
}

/** Whether the line [at, to) is as long as the one at `row`, spaces around them aside. */
function isSameLength(b: Uint8Array, at: number, to: number, row: number, end: number): boolean {
  let length = to - at
  while (length > 0 && (b[at + length - 1] ?? 0) <= 0x20) length--
  let rest = row + length
  if (rest > end || length === 0 || (b[rest - 1] ?? 0) <= 0x20) return false
  while (rest < end && b[rest] === 0x20) rest++
  return rest >= end || isBreak(b[rest] ?? 0)
}
