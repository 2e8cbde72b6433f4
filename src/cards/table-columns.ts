/** Names of columns in a list, and the tuples below it as their rows. */
import { isWord } from './bytes.ts'
import { NOTHING, OURS, columnOf, fits, settle, valueOf } from './table-names.ts'
import { Tuple, opensTuple } from './table-tuple.ts'
import type { TableCells } from './table-cells.ts'
import type { Names } from './words.ts'

const columnsMax = 256
const listBytesMax = 4096
const nameBytesMax = 64
/** How far one row may stand behind the other. */
const rowGapMax = 24
/** How many rows are looked at for a value. */
const samplesMax = 8
const comma = 0x2c

/** Names in order, then rows. Keep one and use it again. */
export class Columns {
  count = 0
  readonly #names: Names
  readonly #meanings = new Int32Array(columnsMax)
  readonly tuple: Tuple = new Tuple()

  constructor(names: Names) {
    this.#names = names
  }

  /**
   * Reads the names between brackets in front of `word`: `(id, pan) VALUES`.
   * @returns where the list begins, not before `min`; -1 when none of its names is ours.
   */
  before(b: Uint8Array, word: number, min: number): number {
    let close = word - 1
    while (close > min && (b[close] ?? 0) <= 0x20) close--
    if (close <= min || b[close] !== 0x29) return -1
    const first = Math.max(min, close - listBytesMax)
    let open = close - 1
    while (open >= first && b[open] !== 0x28 && b[open] !== 0x29) open--
    if (open < first || b[open] !== 0x28) return -1
    return this.#list(b, open + 1, close) ? open : -1
  }

  /** What the column at `index` means. */
  meaning(index: number): number {
    return index < this.count ? (this.#meanings[index] ?? 0) : 0
  }

  #list(b: Uint8Array, from: number, to: number): boolean {
    this.count = 0
    for (let at = from; at <= to && this.count < columnsMax; at++) {
      const start = at
      while (at < to && b[at] !== comma) at++
      this.#meanings[this.count++] = columnOf(this.#names, b, start, at)
    }
    return this.#settled()
  }

  /** The same for items of a tuple, which have to be names in quotes. */
  items(b: Uint8Array, tuple: Tuple): boolean {
    this.count = 0
    for (let i = 0; i < tuple.count; i++) {
      const [from, to] = [tuple.from[i] ?? 0, tuple.to[i] ?? 0]
      const before = b[from - 1] ?? 0
      const isQuoted = before === b[to] && (before === 0x27 || before === 0x22 || before === 0x60)
      if (to - from > nameBytesMax || (!isQuoted && to > from)) return false
      this.#meanings[this.count++] = columnOf(this.#names, b, from, to)
    }
    return this.#settled()
  }

  #settled(): boolean {
    settle(this.#meanings, this.count)
    let all = 0
    for (let i = 0; i < this.count; i++) all |= this.#meanings[i] ?? 0
    return all !== 0
  }

  /** Whether the first tuples from `at` on have what columns of ours hold, or nothing. */
  isBorneOut(b: Uint8Array, at: number): boolean {
    const { tuple } = this
    let isEmpty = false
    for (let row = at, n = 0; row >= 0 && n < samplesMax && tuple.read(b, row); n++) {
      if (tuple.count !== this.count) return false
      for (let i = 0; i < this.count; i++) {
        const value = valueOf(b, tuple.from[i] ?? 0, tuple.to[i] ?? 0)
        const meaning = this.#meanings[i] ?? 0
        if (fits(meaning, value)) return true
        if (value === NOTHING && (meaning & OURS) !== 0) isEmpty = true
      }
      row = nextRow(b, tuple.next)
    }
    return isEmpty
  }

  /** Hands on the tuple at `at` and those behind it; returns where the last one ends. */
  rows(b: Uint8Array, at: number, cells: TableCells): number {
    const { tuple } = this
    let end = at
    for (let row = at; row >= 0 && tuple.read(b, row);) {
      for (let i = 0; i < tuple.count && i < this.count; i++)
        cells.cell(tuple.from[i] ?? 0, tuple.to[i] ?? 0, this.#meanings[i] ?? 0)
      end = tuple.next
      row = nextRow(b, end)
    }
    return end
  }
}

/** The bracket that opens the next row behind `at`: after blanks, a comma, and a word behind that. */
export function nextRow(b: Uint8Array, at: number): number {
  const max = Math.min(b.length, at + rowGapMax)
  let isComma = false
  for (let i = at; i < max; i++) {
    const c = b[i] ?? 0
    if (opensTuple(c)) return i
    if (c === comma) isComma = true
    else if (c > 0x20 && (!isComma || isWord[c] === 0)) return -1
  }
  return -1
}
