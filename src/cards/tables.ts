/**
 * Tables in text: CSV and its relatives, Markdown and the boxes that database shells draw. What the
 * header says of a column holds for its cells, as for the members of an object.
 *
 *   id,pan,cvv          | id | pan | cvv |          id | pan | cvv
 *   1,4…,123            | -- | --- | --- |         ----+-----+-----
 */
import { CARD, SECRET } from './words.ts'
import type { Scan } from './scan.ts'
import type { ValueScanner } from './value.ts'

const headerBytesMax = 2048
const cellsMax = 128
const nameBytesMax = 64
const backslash = 0x5c
const pipe = 0x7c
const quote = 0x22

/** Delimiters in the order in which they are tried. */
const delimiters = [pipe, 0x09, 0x2c, 0x3b]
const rules = ['|-', '| -', '|:', '-+-', '+--'].map((text) => Buffer.from(text))

export class TableScanner {
  readonly #scan: Scan
  readonly #values: ValueScanner
  readonly #meanings = new Int32Array(cellsMax)
  // The line last read: its inside, and where the next one begins.
  #lineEnd = 0
  #next = 0
  #levels = 0
  #end = 0

  constructor(scan: Scan, values: ValueScanner) {
    this.#scan = scan
    this.#values = values
  }

  /** Scans a text that holds a table with columns of ours; false, and nothing done, for any other. */
  string(bytes: Uint8Array, start: number, end: number, levels: number): boolean {
    this.#levels = levels
    this.#end = end
    let delimiter = this.#header(bytes, start)
    let header = start
    if (delimiter === 0) {
      header = this.#ruledHeader(bytes, start, end)
      if (header < 0) return false
      delimiter = this.#header(bytes, header)
      if (delimiter === 0) return false
    }
    this.#values.string(bytes, start, this.#lineEnd, levels, 0)
    let at = this.#next
    while (at < end) {
      this.#line(bytes, at)
      const lineEnd = this.#lineEnd
      const next = this.#next
      if (this.#has(bytes, at, lineEnd, delimiter)) this.#row(bytes, at, lineEnd, delimiter)
      else if (lineEnd === at || !isRule(bytes, at, lineEnd)) break
      at = next
    }
    if (at < end) this.#values.string(bytes, at, end, levels, 0)
    return true
  }

  /** Takes the line at `start` as a header: returns its delimiter when a column of it is ours. */
  #header(bytes: Uint8Array, start: number): number {
    if (!this.#line(bytes, start) || this.#next >= this.#end) return 0
    const end = this.#lineEnd
    for (const delimiter of delimiters) {
      if (!this.#has(bytes, start, end, delimiter)) continue
      let isOurs = false
      this.#meanings.fill(0)
      this.#cells(bytes, start, end, delimiter, (index, from, to) => {
        if (to - from > nameBytesMax || to <= from) return
        const meaning = this.#scan.names.meaning(bytes, from, to) & (CARD | SECRET)
        this.#meanings[index] = meaning
        if (meaning !== 0) isOurs = true
      })
      return isOurs ? delimiter : 0
    }
    return 0
  }

  /** The line above the first ruling of a drawn table, or -1. */
  #ruledHeader(bytes: Uint8Array, start: number, end: number): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    let rule = -1
    for (const sign of rules) {
      const at = text.indexOf(sign)
      if (at >= 0 && (rule < 0 || at < rule)) rule = at
    }
    if (rule < 0) return -1
    // The line that holds the ruling, then the one before; a box has its header below the first.
    const min = Math.max(start, start + rule - headerBytesMax)
    let at = min
    let before = -1
    let line = min
    while (at <= start + rule) {
      before = line
      line = at
      if (!this.#line(bytes, at)) return -1
      at = this.#next
      if (at >= end) return -1
    }
    return bytes[line] === 0x2b ? at : before
  }

  #row(bytes: Uint8Array, start: number, end: number, delimiter: number): void {
    this.#cells(bytes, start, end, delimiter, (index, from, to) => {
      if (to > from) {
        this.#values.string(bytes, from, to, this.#levels, this.#meanings[index] ?? 0)
      }
    })
  }

  /** Each cell without blanks and quotes around it. Quoted cells may hold the delimiter. */
  #cells(
    bytes: Uint8Array,
    start: number,
    end: number,
    delimiter: number,
    cell: (index: number, from: number, to: number) => void,
  ): void {
    let from = start
    // A pipe in front opens the first cell rather than ending one.
    if (delimiter === pipe && bytes[from] === pipe) from++
    for (let index = 0; index < cellsMax && from <= end; index++) {
      let to = from
      let isQuoted = false
      while (to < end && (isQuoted || !this.#isDelimiter(bytes, to, delimiter))) {
        if (bytes[to] === quote) isQuoted = !isQuoted
        to++
      }
      let first = from
      let last = to
      const isRim = (b: number): boolean => b === 0x20 || b === quote || b === backslash
      while (first < last && isRim(bytes[first] ?? 0)) first++
      while (last > first && isRim(bytes[last - 1] ?? 0)) last--
      cell(index, first, last)
      from = to + 1
    }
  }

  #has(bytes: Uint8Array, start: number, end: number, delimiter: number): boolean {
    for (let i = start; i < end; i++) if (this.#isDelimiter(bytes, i, delimiter)) return true
    return false
  }

  /** A tab in a JSON string is an escape; its `t` stands for it. */
  #isDelimiter(bytes: Uint8Array, at: number, delimiter: number): boolean {
    const b = bytes[at] ?? 0
    if (b === delimiter) return true
    return delimiter === 0x09 && b === 0x74 && this.#levels > 0 && bytes[at - 1] === backslash
  }

  /** Reads the line at `at`; false when it does not end within reach. */
  #line(bytes: Uint8Array, at: number): boolean {
    const max = Math.min(this.#end, at + headerBytesMax * 8)
    for (let i = at; i < max; i++) {
      const b = bytes[i] ?? 0
      if (b === 0x0a || b === 0x0d) {
        this.#lineEnd = i
        this.#next = i + (b === 0x0d && bytes[i + 1] === 0x0a ? 2 : 1)
        return true
      }
      if (b !== backslash || this.#levels === 0) continue
      let c = i
      while (c < max && bytes[c] === backslash) c++
      const letter = bytes[c] ?? 0
      if (letter === 0x6e || letter === 0x72) {
        this.#lineEnd = i
        const isPair = letter === 0x72 && bytes[c + 1] === backslash
        let n = c + 1
        while (isPair && n < max && bytes[n] === backslash) n++
        this.#next = isPair && bytes[n] === 0x6e ? n + 1 : c + 1
        return true
      }
      i = c
    }
    this.#lineEnd = max
    this.#next = max
    return max === this.#end
  }
}

/** A line drawn between header and rows. */
function isRule(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const b = bytes[i] ?? 0
    if (b !== 0x2d && b !== 0x2b && b !== 0x20 && b !== 0x3d && b !== 0x3a) return false
  }
  return true
}
