/**
 * Whether a line is the header of a table of ours, and where its columns are. Under a ruling names
 * are enough; without one a row below must have as many cells, and in a column of ours what such a
 * column holds: a sentence with commas is no header.
 */
import { cut, isAtEdges, placed } from './table-aligned.ts'
import { NOTHING, OURS, VALUE, columnOf, fits, settle, valueOf } from './table-names.ts'
import { BAR, COMMA, Row, SEMICOLON, SPACE, SPACES, TAB, barAt, isBreak } from './table-row.ts'
import { CID } from './words.ts'
import type { Names } from './words.ts'

const columnsMax = 256
/** How many rows are looked at for a value, and how many of them may be no rows, or texts. */
export const samplesMax = 5
const strangersMax = 3
/** One column by itself has a short name. */
const singleBytesMax = 80

const isTab = 1
const isBar = 2
const isSemicolon = 4
const isComma = 8
const isWide = 16
const isValue = 32
const isNarrow = 64
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
const ROW = 1
export const NEITHER = 2

/** The header last accepted. */
export class Header {
  delimiter: number = COMMA
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
  // The row looked at last, and what stands in its line.
  #rowAt = -1
  #rowTells = 0

  constructor(names: Names) {
    this.#names = names
  }

  /** Prepares for another text. */
  begin(): void {
    this.#rowAt = -1
    this.#head.begin()
    this.#row.begin()
  }

  /**
   * Takes the line [at, to) as the header above a ruling, which needs no values below.
   * @param rule where the ruling begins.
   */
  ruled(b: Uint8Array, at: number, to: number, rule: number, end: number): number {
    const head = this.#head
    if (hasBar(b, at, to)) {
      const isOuter = startsWithBar(b, at, to)
      head.read(b, at, to, BAR, isOuter)
      return this.#take(b, BAR, isOuter) ? HEADER : ROW
    }
    const spans = this.#spans(b, rule, end)
    head.read(b, at, to, SPACES)
    if (spans < 2) return head.count > 1 && this.#take(b, SPACES, false) ? HEADER : NEITHER
    cut(b, at, to, this, spans, head)
    if (!this.#take(b, SPACES, false)) return NEITHER
    this.isSliced = true
    return HEADER
  }

  /**
   * Takes the line [at, to) as a header without a ruling.
   * @param below where the line below begins.
   * @param row where the nearest row with digits begins, which has to bear the header out.
   */
  bare(b: Uint8Array, at: number, to: number, below: number, row: number, end: number): number {
    const head = tellsOf(b, at, to)
    const told = head & this.#tellsAt(b, row, end)
    let isRow = false
    for (const [flag, delimiter] of delimiters) {
      if ((told & flag) === 0) continue
      const found = this.#delimited(b, at, to, below, row, end, delimiter)
      if (found === HEADER) return HEADER
      isRow ||= found === ROW
    }
    // With two spaces between all names one space is within a cell.
    if ((head & isNarrow) !== 0 && isSameLength(b, at, to, row, end)) {
      const found = this.#aligned(b, at, to, row, end, SPACE)
      if (found === HEADER && this.#isOurs()) return HEADER
      isRow ||= found === ROW
    }
    const isOne = (head & isWide) === 0 && to - at <= singleBytesMax
    if ((told & isWide) !== 0 || (isOne && (this.#rowTells & (isWide | isValue)) !== 0)) {
      const found = this.#aligned(b, at, to, row, end, SPACES)
      if (found === HEADER && this.#isOurs()) return HEADER
      isRow ||= found === ROW
    }
    return isRow ? ROW : NEITHER
  }

  /** Whether a column holds card data. Where blanks alone make the columns, a line of text looks like
   *  a header too, and a word such as *order* in it says nothing of the line below. */
  #isOurs(): boolean {
    for (let i = 0; i < this.count; i++) if (((this.meanings[i] ?? 0) & OURS) !== 0) return true
    return false
  }

  /** The same for the line at `row`, which stays the same for some lines above it. */
  #tellsAt(b: Uint8Array, row: number, end: number): number {
    if (this.#rowAt === row) return this.#rowTells
    let to = row
    while (to < end && !isBreak(b[to] ?? 0)) to++
    this.#rowAt = row
    this.#rowTells = tellsOf(b, row, to) | ((valueOf(b, row, to) & VALUE) === 0 ? 0 : isValue)
    return this.#rowTells
  }

  #delimited(
    b: Uint8Array,
    at: number,
    to: number,
    below: number,
    row: number,
    end: number,
    delimiter: number,
  ): number {
    const head = this.#head
    const sample = this.#row
    const isOuter = delimiter === BAR && startsWithBar(b, at, to) && startsWithBar(b, row, end)
    head.read(b, at, to, delimiter, isOuter)
    const { count } = head
    if (count < 2 && !isOuter) return NEITHER
    // The items of a list in a program end in commas too.
    if (count === 2 && !isOuter && head.from[1] === head.to[1]) return NEITHER
    let isRow = false
    let strangers = 0
    // A first cell may be of several lines: the row with digits begins above them.
    for (let n = 0, next = below; n < samplesMax && next < end; n++) {
      sample.read(b, next, end, delimiter, isOuter)
      next = next < row ? row : sample.next
      if (sample.count !== count || !this.#sample(b, inOrder, NOTHING)) {
        if (++strangers === strangersMax) break
        continue
      }
      if (this.#isBorneOut(b, count))
        return isBalanced(b, head) && this.#take(b, delimiter, isOuter) ? HEADER : ROW
      // An empty cell would do: a third row says no more than two.
      if (isRow) break
      isRow = true
    }
    return isRow ? ROW : NEITHER
  }

  #aligned(b: Uint8Array, at: number, to: number, row: number, end: number, gap: number): number {
    const head = this.#head
    const sample = this.#row
    head.read(b, at, to, gap)
    const { count } = head
    // pandas ends a line with a backslash where it goes on below with further columns.
    if (count > 1 && head.to[count - 1] === (head.from[count - 1] ?? 0) + 1 && b[to - 1] === 0x5c)
      head.count--
    let isRow = false
    let strangers = 0
    for (let n = 0, next = row; n < samplesMax && next < end; n++) {
      sample.read(b, next, end, gap)
      next = sample.next
      const isMore = sample.count > head.count + 1 || sample.count === 0
      if (isMore || (gap === SPACE && !isAtEdges(head, sample))) break
      if (!this.#sample(b, placed(head, head.count, sample, this.#places), 0)) {
        if (++strangers === strangersMax) break
        continue
      }
      isRow = true
      if (this.#isBorneOut(b, head.count) && this.#take(b, gap, false)) return HEADER
    }
    return isRow && count > 1 ? ROW : NEITHER
  }

  /**
   * Keeps what the cells of a row can be, by their columns; false when none is a number.
   * @param allowed what is kept besides numbers.
   */
  #sample(b: Uint8Array, places: Int32Array, allowed: number): boolean {
    const { count, from, to } = this.#row
    const values = this.#values
    for (let i = 0; i < this.#head.count; i++) values[i] = 0
    let isAny = false
    for (let i = 0; i < count; i++) {
      const place = places[i] ?? -1
      const value = place < 0 ? 0 : valueOf(b, from[i] ?? 0, to[i] ?? 0)
      if (value === 0) continue
      const isNumber = (value & ~NOTHING) !== 0
      if (isNumber || allowed !== 0) values[place] = value
      isAny ||= isNumber
    }
    return isAny
  }

  /** Whether a name of ours has a value below. Few names are asked for: mostly none has one. */
  #isBorneOut(b: Uint8Array, count: number): boolean {
    const { from, to } = this.#head
    for (let i = 0; i < count; i++) {
      const value = this.#values[i] ?? 0
      if (value === 0) continue
      const meaning = columnOf(this.#names, b, from[i] ?? 0, to[i] ?? 0)
      if ((meaning & CID) !== 0 || fits(meaning, value)) return true
      if (value === NOTHING && (meaning & OURS) !== 0) return true
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
    if (!this.isSliced) return placed(this, this.count, row, this.#places)
    const tokens = row.count
    const isClean = cut(b, at, to, this, this.count, row)
    // Wide characters move what is behind them: then the cells are counted.
    if (!isClean && tokens === this.count) row.read(b, at, to, SPACES)
    return inOrder
  }
}

const inOrder = Int32Array.from({ length: columnsMax }, (_, i) => i)

/** Which delimiters stand in [from, to), as flags. */
function tellsOf(b: Uint8Array, from: number, to: number): number {
  let told = 0
  for (let i = from; i < to; i++) {
    const c = b[i] ?? 0
    if (c === 0x20 && b[i + 1] === 0x20) told |= isWide
    else if (c === 0x20 && i > from && b[i - 1] !== 0x20) told |= isNarrow
    else told |= tells[c] ?? 0
  }
  return told
}

function hasBar(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (barAt(b, i) > 0) return true
  return false
}

/** Whether no cell has a bracket without its other: `insert into t (id` is no name of a column. */
function isBalanced(b: Uint8Array, head: Row): boolean {
  for (let c = 0; c < head.count; c++) {
    let open = 0
    for (let i = head.from[c] ?? 0; i < (head.to[c] ?? 0); i++) {
      const sign = b[i] ?? 0
      if (sign === 0x28 || sign === 0x5b || sign === 0x7b) open++
      else if (sign === 0x29 || sign === 0x5d || sign === 0x7d) open--
    }
    if (open !== 0) return false
  }
  return true
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
