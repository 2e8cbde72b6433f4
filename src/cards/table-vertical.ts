/**
 * Records with a line for each value, as `psql -x` and `mysql \G` print them:
 *
 *   -[ RECORD 1 ]---        *************************** 1. row ***************************
 *   pan | 4…                 pan: 4…
 */
import { isDigit } from './bytes.ts'
import { columnOf } from './table-names.ts'
import { BAR, afterBreak, barAt, isBreak } from './table-row.ts'
import { CID } from './words.ts'
import type { TableCells } from './table-cells.ts'
import type { TableKind } from './table-lines.ts'
import type { Names } from './words.ts'

const colon = 0x3a
const psql = Buffer.from('[ RECORD ')
const mysql = Buffer.from('*** ')
const row = Buffer.from('. row ***')

export class VerticalTables implements TableKind {
  readonly #names: Names
  #text: Buffer = Buffer.alloc(0)
  #divider = BAR
  #found = 0
  // The next place of each kind; what was searched for once is not again.
  #bars = -1
  #stars = -1

  constructor(names: Names) {
    this.#names = names
  }

  begin(b: Uint8Array): void {
    this.#text = Buffer.from(b.buffer, b.byteOffset, b.length)
    this.#bars = -1
    this.#stars = -1
  }

  find(b: Uint8Array, at: number): number {
    if (this.#bars < at) this.#bars = place(this.#text.indexOf(psql, at))
    if (this.#stars < at) this.#stars = place(this.#firstRow(b, at))
    const isBars = this.#bars < this.#stars
    this.#divider = isBars ? BAR : colon
    this.#found = Math.min(this.#bars, this.#stars)
    return this.#found === Infinity ? -1 : this.#found
  }

  #firstRow(b: Uint8Array, at: number): number {
    const text = this.#text
    for (let i = text.indexOf(mysql, at); i >= 0; i = text.indexOf(mysql, i + 1)) {
      let digits = i + mysql.length
      while (isDigit[b[digits] ?? 0] === 1) digits++
      if (text.subarray(digits, digits + row.length).equals(row)) return i
    }
    return -1
  }

  read(b: Uint8Array, cells: TableCells): number {
    let at = afterBreak(b, lineEnd(b, this.#found), b.length)
    while (at < b.length) {
      const to = lineEnd(b, at)
      const divider = this.#dividerIn(b, at, to)
      if (divider < 0) return at
      const meaning = columnOf(this.#names, b, at, divider) & ~CID
      let from = divider + (this.#divider === BAR ? barAt(b, divider) : 1)
      let stop = to
      while (from < stop && b[from] === 0x20) from++
      while (stop > from && b[stop - 1] === 0x20) stop--
      cells.cell(from, stop, meaning)
      at = afterBreak(b, to, b.length)
    }
    return at
  }

  #dividerIn(b: Uint8Array, at: number, to: number): number {
    for (let i = at; i < to; i++)
      if (this.#divider === BAR ? barAt(b, i) > 0 : b[i] === colon) return i
    return -1
  }
}

const place = (found: number): number => (found < 0 ? Infinity : found)

function lineEnd(b: Uint8Array, at: number): number {
  let i = at
  while (i < b.length && !isBreak(b[i] ?? 0)) i++
  return i
}
