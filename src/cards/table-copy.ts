/** What `pg_dump` writes: `COPY t (pan, cvv) FROM stdin;`, lines with tabs, and `\.` at the end. */
import { Columns } from './table-columns.ts'
import { Row, TAB } from './table-row.ts'
import type { TableCells } from './table-cells.ts'
import type { TableKind } from './table-lines.ts'
import type { Names } from './words.ts'

const from = Buffer.from('FROM stdin')
const backslash = 0x5c
const dot = 0x2e

export class CopyTables implements TableKind {
  readonly #columns: Columns
  readonly #row = new Row()
  #text: Buffer = Buffer.alloc(0)
  #word = 0

  constructor(names: Names) {
    this.#columns = new Columns(names)
  }

  begin(b: Uint8Array): void {
    this.#text = Buffer.from(b.buffer, b.byteOffset, b.length)
  }

  find(b: Uint8Array, at: number): number {
    const text = this.#text
    for (let word = text.indexOf(from, at); word >= 0; word = text.indexOf(from, word + 1)) {
      const open = this.#columns.before(b, word, at)
      if (open < 0) continue
      this.#word = word
      return open
    }
    return -1
  }

  read(b: Uint8Array, cells: TableCells): number {
    const row = this.#row
    row.read(b, this.#word, b.length, TAB)
    cells.header(row.next)
    while (row.next < b.length) {
      const at = row.next
      if (b[at] === backslash && b[at + 1] === dot) break
      row.read(b, at, b.length, TAB)
      for (let i = 0; i < row.count; i++)
        cells.cell(row.from[i] ?? 0, row.to[i] ?? 0, this.#columns.meaning(i))
    }
    return row.next
  }
}
