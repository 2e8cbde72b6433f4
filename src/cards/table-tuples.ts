/**
 * Rows as tuples, with the names of the columns in a list before them:
 *
 *   INSERT INTO t (pan, cvv) VALUES ('4…', '123'), (…);     [('pan', 'cvv'), ('4…', '123')]
 */
import { isWord } from './bytes.ts'
import { Columns, nextRow } from './table-columns.ts'
import { Tuple, opensTuple } from './table-tuple.ts'
import type { TableCells } from './table-cells.ts'
import type { TableKind } from './table-lines.ts'
import type { Names } from './words.ts'

const nameBytesMax = 64
/** How far the first row may stand behind the names. */
const gapMax = 48
const comma = 0x2c

const upper = Buffer.from('VALUES')
const lower = Buffer.from('values')

/** Statements that insert rows. */
export class InsertTables implements TableKind {
  readonly #columns: Columns
  #text: Buffer = Buffer.alloc(0)
  #rows = 0
  // The next place of each spelling; what was searched for once is not again.
  #upper = -1
  #lower = -1

  constructor(names: Names) {
    this.#columns = new Columns(names)
  }

  begin(b: Uint8Array): void {
    this.#text = Buffer.from(b.buffer, b.byteOffset, b.length)
    this.#upper = -1
    this.#lower = -1
    this.#columns.tuple.begin()
  }

  find(b: Uint8Array, at: number): number {
    for (let from = at; ;) {
      const word = this.#next(from)
      if (word === Infinity) return -1
      const open = this.#columns.before(b, word, at)
      const row = nextRow(b, word + upper.length)
      if (open >= 0 && row >= 0) {
        this.#rows = row
        return open
      }
      from = word + upper.length
    }
  }

  read(b: Uint8Array, cells: TableCells): number {
    cells.header(this.#rows)
    return Math.max(this.#columns.rows(b, this.#rows, cells), this.#rows)
  }

  #next(at: number): number {
    if (this.#upper < at) this.#upper = place(this.#text.indexOf(upper, at))
    if (this.#lower < at) this.#lower = place(this.#text.indexOf(lower, at))
    return Math.min(this.#upper, this.#lower)
  }
}

const place = (found: number): number => (found < 0 ? Infinity : found)

/** Lists of tuples or lists in a program, the first of which holds names in quotes. */
export class ListTables implements TableKind {
  readonly #columns: Columns
  readonly #head = new Tuple()
  #rows = 0

  constructor(names: Names) {
    this.#columns = new Columns(names)
  }

  begin(): void {
    this.#head.begin()
    this.#columns.tuple.begin()
  }

  find(b: Uint8Array, at: number): number {
    for (let i = at; i < b.length; i++) {
      if (!opensTuple(b[i] ?? 0) || !isNames(b, i)) continue
      if (!this.#head.read(b, i) || !this.#columns.items(b, this.#head)) continue
      const row = firstRow(b, this.#head.next)
      if (row < 0 || !this.#columns.isBorneOut(b, row)) continue
      this.#rows = row
      return i
    }
    return -1
  }

  read(b: Uint8Array, cells: TableCells): number {
    cells.header(this.#rows)
    return Math.max(this.#columns.rows(b, this.#rows, cells), this.#rows + 1)
  }
}

/** Whether a quoted word follows the bracket at `at`, and a comma or bracket that. */
function isNames(b: Uint8Array, at: number): boolean {
  let i = at + 1
  while ((b[i] ?? 0) <= 0x20 && i < b.length && i < at + gapMax) i++
  const quote = b[i] ?? 0
  if (quote !== 0x27 && quote !== 0x22) return false
  const max = i + nameBytesMax + 2
  for (i++; i < max && b[i] !== quote; i++) if ((b[i] ?? 0) < 0x20) return false
  if (b[i] !== quote) return false
  for (i++; (b[i] ?? 0) <= 0x20 && i < b.length && i < max + gapMax;) i++
  const next = b[i] ?? 0
  return next === comma || next === 0x29 || next === 0x5d || next === 0x7d
}

/**
 * The bracket that opens the first row behind the names that end at `at`; the inner one of two. Both
 * may be values of their own, `names = […], rows = […]`, but no arguments of different calls.
 */
function firstRow(b: Uint8Array, at: number): number {
  const next = nextRow(b, at)
  if (next >= 0) return inner(b, next)
  const max = Math.min(b.length, at + gapMax)
  for (let i = at; i < max; i++)
    if (opensTuple(b[i] ?? 0)) return isWord[b[i - 1] ?? 0] === 1 ? -1 : inner(b, i)
  return -1
}

/** The bracket at `at`, or the one that opens directly behind it. */
function inner(b: Uint8Array, at: number): number {
  let next = at + 1
  while (next < b.length && (b[next] ?? 0) <= 0x20 && next < at + gapMax) next++
  return opensTuple(b[next] ?? 0) ? next : at
}
