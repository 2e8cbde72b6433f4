/**
 * Tables in text. What the header says of a column holds for its cells, as for the members of an
 * object; what is around tables is running text.
 *
 *   lines: CSV, Markdown, drawn, aligned      table-lines.ts, table-header.ts, table-row.ts
 *   records: a line for each value            table-vertical.ts
 *   HTML                                      table-html.ts
 *   tuples: SQL, lists of programs            table-tuples.ts
 */
import { TableCells } from './table-cells.ts'
import { CopyTables } from './table-copy.ts'
import { HtmlTables } from './table-html.ts'
import { LineTables, nextDigits } from './table-lines.ts'
import { PlainText } from './table-text.ts'
import { InsertTables, ListTables } from './table-tuples.ts'
import { VerticalTables } from './table-vertical.ts'
import type { Running } from './table-cells.ts'
import type { TableKind } from './table-lines.ts'
import type { Scan } from './scan.ts'
import type { ValueScanner } from './value.ts'

// Which signs a text has.
const BREAK = 1
const LESS = 2
const OPENING = 4
const QUOTE = 8
const ALL = 15
const signs = new Uint8Array(256)
for (const [flag, list] of [
  [BREAK, '\n'],
  // What is written as an escape shows when the quoting is off.
  [ALL, '\\'],
  [LESS, '<'],
  [OPENING, '([{'],
  [QUOTE, '\'"'],
] as const)
  for (const c of list) signs[c.charCodeAt(0)] = flag

export class TableScanner {
  readonly #plain = new PlainText()
  readonly #cells: TableCells
  /** Each kind with the signs it needs. */
  readonly #kinds: readonly (readonly [needs: number, kind: TableKind])[]
  /** Where each kind found something last. */
  readonly #places: Float64Array
  /** A text with tables is under way: another one in what is around them needs a scanner too. */
  #isBusy = false
  #inner: TableScanner | undefined
  readonly #another: () => TableScanner

  /** @param running what scans the text around tables; by default as a value without a name. */
  constructor(scan: Scan, values: ValueScanner, running?: Running) {
    const text: Running = (bytes, start, end, levels) => values.string(bytes, start, end, levels, 0)
    this.#another = () => new TableScanner(scan, values, running)
    this.#cells = new TableCells(scan, values, running ?? text, this.#plain)
    this.#kinds = [
      [BREAK, new VerticalTables(scan.names)],
      [LESS, new HtmlTables(scan.names)],
      [OPENING, new InsertTables(scan.names)],
      [OPENING | BREAK, new CopyTables(scan.names)],
      [OPENING | QUOTE, new ListTables(scan.names)],
      [BREAK, new LineTables(scan.names)],
    ]
    this.#places = new Float64Array(this.#kinds.length)
  }

  /** Scans a text that holds a table with columns of ours; false, and nothing done, for any other. */
  string(bytes: Uint8Array, start: number, end: number, levels: number): boolean {
    if (nextDigits(bytes, start, end) < 0 || signsOf(bytes, start, end) === 0) return false
    if (this.#isBusy) return (this.#inner ??= this.#another()).string(bytes, start, end, levels)
    this.#isBusy = true
    const plain = this.#plain
    plain.read(bytes, start, end, levels)
    const text = plain.bytes
    const found = signsOf(text, 0, text.length)
    this.#cells.begin(bytes, levels)
    if (found !== 0) this.#scan(text, found)
    this.#cells.finish()
    plain.leave()
    this.#isBusy = false
    return this.#cells.isOurs
  }

  #scan(b: Uint8Array, found: number): void {
    const places = this.#places.fill(-1)
    for (const [needs, kind] of this.#kinds) if ((found & needs) === needs) kind.begin(b)
    for (let at = 0; at < b.length;) {
      let first = -1
      for (let k = 0; k < places.length; k++) {
        const entry = this.#kinds[k]
        if (entry === undefined || (found & entry[0]) !== entry[0]) continue
        if ((places[k] ?? 0) < at) {
          const place = entry[1].find(b, at)
          places[k] = place < 0 ? Infinity : place
        }
        if (first < 0 || (places[k] ?? 0) < (places[first] ?? 0)) first = k
      }
      if (first < 0 || places[first] === Infinity) return
      at = Math.max(at + 1, this.#kinds[first]?.[1].read(b, this.#cells) ?? 0)
    }
  }
}

/** The signs of tables in [start, end), as flags. */
function signsOf(b: Uint8Array, start: number, end: number): number {
  let found = 0
  for (let i = start; i < end && found !== ALL; i++) found |= signs[b[i] ?? 0] ?? 0
  return found
}

/** Whether tuples or tags may stand in a text of one line: tables that need no second one. */
export function hasBracket(bytes: Uint8Array, start: number, end: number): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  return text.includes(0x28) || text.includes(0x3c) || text.includes(0x5b)
}
