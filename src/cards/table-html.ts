/**
 * Tables of HTML: names in `<th>` cells or in a first row of `<td>`, above their columns or in front
 * of their rows; and lists of terms, `<dt>` and `<dd>`. Spans of columns and rows are counted.
 */
import { isDigit, isLetter } from './bytes.ts'
import { OURS, columnOf, settle } from './table-names.ts'
import { CID } from './words.ts'
import type { TableCells } from './table-cells.ts'
import type { TableKind } from './table-lines.ts'
import type { Names } from './words.ts'

const columnsMax = 256
const tagBytesMax = 2048
const nameBytesMax = 64
const depthMax = 16
const less = 0x3c
const greater = 0x3e

/** Letters of a tag's name as one number, five bits each; cases are the same. */
const tag = (name: string): number =>
  Array.from(name).reduce((sum, c) => sum * 32 + (c.charCodeAt(0) & 31), 0)
const TABLE = tag('table')
const TR = tag('tr')
const TH = tag('th')
const TD = tag('td')
const DL = tag('dl')
const DT = tag('dt')
const DD = tag('dd')
const first = new Set([TABLE, TR, TH, TD, DL, DT])
const nbsp = Buffer.from('&nbsp;')

/** What is known of one table; a table in a cell has its own. */
class Grid {
  readonly columns: Int32Array = new Int32Array(columnsMax)
  readonly names: Int32Array = new Int32Array(columnsMax)
  /** For how many rows more a cell of a row above takes up a column. */
  readonly spans: Int32Array = new Int32Array(columnsMax)
  /** How many columns rows have had, at most. */
  width = 0
  isNamed = false
  rows = 0
  // The row at hand.
  column = 0
  headers = 0
  cells = 0
  hasValue = false
  /** What a name in front says of the cells behind it. */
  before = 0

  begin(): void {
    this.columns.fill(0)
    this.spans.fill(0)
    this.isNamed = false
    this.rows = 0
    this.row()
    this.width = 0
  }

  row(): void {
    this.names.fill(0, 0, this.width)
    this.column = 0
    this.headers = 0
    this.cells = 0
    this.hasValue = false
    this.before = 0
  }

  /** Goes over columns that cells above take up. */
  skip(): void {
    while (this.column < columnsMax && (this.spans[this.column] ?? 0) > 0) {
      this.spans[this.column] = (this.spans[this.column] ?? 0) - 1
      this.column++
    }
  }
}

export class HtmlTables implements TableKind {
  readonly #names: Names
  readonly #name = Buffer.alloc(nameBytesMax)
  readonly #grids: Grid[] = [new Grid()]
  #text: Buffer = Buffer.alloc(0)
  #found = 0
  #depth = 0
  // The cell at hand: its tag (0 for none), where its inside begins, how many columns it takes.
  #cell = 0
  #inside = 0
  #width = 1
  #height = 1
  #term = 0
  // The tag read last.
  #tag = 0
  #isEnd = false

  constructor(names: Names) {
    this.#names = names
  }

  begin(b: Uint8Array): void {
    this.#text = Buffer.from(b.buffer, b.byteOffset, b.length)
  }

  find(b: Uint8Array, at: number): number {
    const text = this.#text
    for (let i = text.indexOf(less, at); i >= 0; i = text.indexOf(less, i + 1)) {
      this.#readName(b, i)
      if (this.#isEnd || !first.has(this.#tag)) continue
      this.#found = i
      return i
    }
    return -1
  }

  read(b: Uint8Array, cells: TableCells): number {
    const text = this.#text
    this.#depth = 0
    this.#cell = 0
    this.#term = 0
    this.#grid.begin()
    for (let i = this.#found; i >= 0;) {
      this.#readName(b, i)
      const close = this.#tag === 0 ? -1 : tagEnd(b, i)
      if (close < 0) {
        i = text.indexOf(less, i + 1)
        continue
      }
      if (this.#step(b, i, close, cells)) return close + 1
      i = text.indexOf(less, close + 1)
    }
    this.#endCell(b, b.length, cells)
    return b.length
  }

  get #grid(): Grid {
    return (this.#grids[this.#depth] ??= new Grid())
  }

  /** Takes the tag [at, close]. Returns whether the outermost table, or list, ends with it. */
  #step(b: Uint8Array, at: number, close: number, cells: TableCells): boolean {
    switch (this.#tag) {
      case TABLE:
        if (this.#isEnd) {
          this.#endRow(b, at, cells)
          this.#depth = Math.max(0, this.#depth - 1)
          return this.#depth === 0
        }
        // The row round a table in a cell goes on behind it.
        this.#endCell(b, at, cells)
        this.#depth = Math.min(depthMax, this.#depth + 1)
        this.#grid.begin()
        break
      case TR:
        this.#endRow(b, at, cells)
        break
      case TH:
      case TD:
      case DT:
      case DD:
        this.#endCell(b, at, cells)
        if (this.#isEnd) break
        this.#cell = this.#tag
        this.#inside = close + 1
        this.#width = close - at > 10 ? span(b, at, close, 0x6c) : 1
        this.#height = close - at > 10 ? span(b, at, close, 0x77) : 1
        break
      case DL:
        this.#endCell(b, at, cells)
        this.#term = 0
        return this.#isEnd && this.#depth === 0
      default:
    }
    return false
  }

  #endCell(b: Uint8Array, to: number, cells: TableCells): void {
    const cell = this.#cell
    this.#cell = 0
    if (cell === 0) return
    const [from, stop] = trimmed(b, this.#inside, to)
    if (cell === DT) this.#term = this.#meaning(b, from, stop) & ~CID
    else if (cell === DD) cells.cell(from, stop, this.#term)
    else this.#gridCell(b, from, stop, cell === TH, cells)
  }

  #gridCell(b: Uint8Array, from: number, to: number, isHeader: boolean, cells: TableCells): void {
    const grid = this.#grid
    grid.skip()
    const { column } = grid
    const last = Math.min(columnsMax, column + this.#width)
    if (this.#height > 1) grid.spans.fill(this.#height - 1, column, last)
    grid.column = last
    if (last > grid.width) grid.width = last
    const above = (grid.columns[column] ?? 0) | grid.before
    const isFirst = grid.cells + grid.headers === 0
    const mayName = isHeader || (!grid.isNamed && (grid.rows === 0 || isFirst))
    let name = mayName ? this.#meaning(b, from, to) : 0
    // A name over several columns is that of none of them.
    if (this.#width > 1) name &= ~(OURS | CID)
    for (let c = column; c < last; c++) grid.names[c] = name
    if (isHeader) {
      grid.headers++
      grid.before = name & ~CID
      return
    }
    grid.cells++
    if (from < to && isDigit[b[from] ?? 0] === 1) grid.hasValue = true
    if (isFirst) grid.before = name & OURS
    cells.cell(from, to, above & ~CID)
  }

  #endRow(b: Uint8Array, to: number, cells: TableCells): void {
    this.#endCell(b, to, cells)
    const grid = this.#grid
    if (grid.headers + grid.cells === 0) return
    for (; grid.column < grid.width; grid.column++) grid.skip()
    const isHead = grid.cells === 0 || (grid.headers === 0 && grid.rows === 0 && !grid.hasValue)
    grid.rows++
    if (isHead) {
      let all = 0
      for (let c = 0; c < grid.width; c++)
        all |= grid.columns[c] = (grid.columns[c] ?? 0) | (grid.names[c] ?? 0)
      settle(grid.columns, grid.width)
      if (all !== 0) {
        grid.isNamed = true
        cells.header(to)
      }
    }
    grid.row()
  }

  /** What the text of a cell says as a name: tags in it, and character references, are spaces. */
  #meaning(b: Uint8Array, from: number, to: number): number {
    const name = this.#name
    let length = 0
    for (let i = from; i < to; i++) {
      let c = b[i] ?? 0
      const end = c === less ? greater : c === 0x26 ? 0x3b : 0
      if (end !== 0) {
        while (i < to && b[i] !== end) i++
        c = 0x20
      }
      if (c <= 0x20 && (length === 0 || name[length - 1] === 0x20)) continue
      if (length === nameBytesMax) return 0
      name[length++] = c <= 0x20 ? 0x20 : c
    }
    return columnOf(this.#names, name, 0, length)
  }

  /** Reads the name of the tag at `at`: `#tag` is 0 for none, -1 for one that is too long. */
  #readName(b: Uint8Array, at: number): void {
    let i = at + 1
    this.#isEnd = b[i] === 0x2f
    if (this.#isEnd) i++
    let name = 0
    const start = i
    for (; isLetter[b[i] ?? 0] === 1 && i - start < 6; i++) name = name * 32 + ((b[i] ?? 0) & 31)
    const next = b[i] ?? 0
    const isWhole = next <= 0x20 || next === greater || next === 0x2f
    this.#tag = i === start ? 0 : isWhole && i - start <= 5 ? name : -1
  }
}

/** The `>` of the tag at `at`; quoted values may hold one too. -1 when it does not end. */
function tagEnd(b: Uint8Array, at: number): number {
  const max = Math.min(b.length, at + tagBytesMax)
  let quote = 0
  for (let i = at + 1; i < max; i++) {
    const c = b[i] ?? 0
    if (quote !== 0) {
      if (c === quote) quote = 0
    } else if (c === greater) return i
    else if (c === 0x22 || c === 0x27) quote = c
    else if (c === less) return -1
  }
  return -1
}

/** `colspan` or `rowspan` in a tag, told apart by the letter before `span`; 1 when it has none. */
function span(b: Uint8Array, at: number, close: number, letter: number): number {
  for (let i = at + 6; i + 5 < close; i++) {
    const isSpan =
      ((b[i] ?? 0) | 32) === letter &&
      ((b[i + 1] ?? 0) | 32) === 0x73 &&
      ((b[i + 2] ?? 0) | 32) === 0x70 &&
      ((b[i + 4] ?? 0) | 32) === 0x6e
    if (!isSpan) continue
    let value = 0
    for (let d = i + 5; d < close && d < i + 12; d++) {
      const c = b[d] ?? 0
      if (c >= 0x30 && c <= 0x39) value = value * 10 + c - 0x30
      else if (value > 0) break
    }
    return Math.min(columnsMax, Math.max(1, value))
  }
  return 1
}

/** [from, to) without spaces and tags around what it holds. */
function trimmed(b: Uint8Array, from: number, to: number): readonly [from: number, to: number] {
  let start = from
  let end = to
  for (;;) {
    if (start < end && (b[start] ?? 0) <= 0x20) start++
    else if (b[start] === less && start < end) {
      const close = tagEnd(b, start)
      if (close < 0 || close >= end) break
      start = close + 1
    } else if (isSpaceAt(b, start, end)) start += nbsp.length
    else break
  }
  for (;;) {
    if (end > start && (b[end - 1] ?? 0) <= 0x20) end--
    else if (b[end - 1] === greater && end > start) {
      let open = end - 1
      const min = Math.max(start, end - tagBytesMax)
      while (open > min && b[open] !== less) open--
      if (b[open] !== less) break
      end = open
    } else if (isSpaceAt(b, end - nbsp.length, end) && end - nbsp.length >= start)
      end -= nbsp.length
    else break
  }
  return [start, end]
}

function isSpaceAt(b: Uint8Array, at: number, end: number): boolean {
  if (at < 0 || at + nbsp.length > end) return false
  for (let i = 0; i < nbsp.length; i++) if (b[at + i] !== nbsp[i]) return false
  return true
}
