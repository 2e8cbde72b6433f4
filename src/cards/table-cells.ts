/** Hands the cells of tables on with what their columns mean, and all that is between as text. */
import { isDigit } from './bytes.ts'
import { SECRET } from './words.ts'
import { OURS } from './table-names.ts'
import type { PlainText } from './table-text.ts'
import type { Scan } from './scan.ts'
import type { ValueScanner } from './value.ts'

/** Scans [start, end) as running text, in so many JSON strings. */
export type Running = (bytes: Uint8Array, start: number, end: number, levels: number) => void

/** Fewer digits are nothing: of a column of ours, and of one that only speaks of cards or others. */
const oursDigitsMin = 3
const otherDigitsMin = 12
/** What is shorter holds nothing: a delimiter and a quote. */
const textBytesMin = 3

/**
 * Cells come in ascending order, in offsets of the plain text; they are scanned where they stand in
 * the original. Nothing is scanned before the first header of ours.
 */
export class TableCells {
  /** A table with columns of ours was met. */
  isOurs = false
  readonly #scan: Scan
  readonly #values: ValueScanner
  readonly #running: Running
  readonly #plain: PlainText
  #raw: Uint8Array = new Uint8Array(0)
  #levels = 0
  /** Invariant: the plain text before it is scanned. */
  #done = 0

  constructor(scan: Scan, values: ValueScanner, running: Running, plain: PlainText) {
    this.#scan = scan
    this.#values = values
    this.#running = running
    this.#plain = plain
  }

  begin(raw: Uint8Array, levels: number): void {
    this.isOurs = false
    this.#raw = raw
    this.#levels = levels
    this.#done = 0
  }

  /** A header of ours ends at `at`: it labels nothing that stands behind it but its columns. */
  header(at: number): void {
    this.isOurs = true
    this.#text(at)
  }

  /** A cell of a column of this meaning. Empty ones and such without digits stay in the text. */
  cell(from: number, to: number, meaning: number): void {
    if (meaning === 0 || !isWorth(this.#plain.bytes, from, to, meaning)) return
    this.isOurs = true
    this.#text(from)
    this.#value(from, to, meaning)
    this.#done = to
  }

  /**
   * The same for a cell with nothing but spaces around it: unless something is found in it, it stays
   * in the text, where numbers next to each other are seen as one.
   */
  spacedCell(from: number, to: number, meaning: number): void {
    if (meaning === 0 || !isWorth(this.#plain.bytes, from, to, meaning)) return
    this.isOurs = true
    const { findings } = this.#scan
    const before = findings.count
    this.#value(from, to, meaning)
    if (findings.count === before) return
    this.#text(from)
    this.#done = to
  }

  /** Scans what is left of the text, if it has a table of ours. */
  finish(): void {
    if (this.isOurs) this.#text(this.#plain.bytes.length)
    this.#raw = new Uint8Array(0)
  }

  #value(from: number, to: number, meaning: number): void {
    const start = this.#plain.rawOf(from)
    const end = this.#plain.rawOf(to)
    if ((meaning & SECRET) === 0 && isDigits(this.#raw, start, end))
      this.#values.digits(this.#raw, start, end, meaning)
    else this.#values.string(this.#raw, start, end, this.#levels, meaning)
  }

  #text(to: number): void {
    const from = this.#done
    if (to <= from) return
    this.#done = to
    const start = this.#plain.rawOf(from)
    const end = this.#plain.rawOf(to)
    if (end - start >= textBytesMin) this.#running(this.#raw, start, end, this.#levels)
  }
}

function isDigits(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (isDigit[b[i] ?? 0] === 0) return false
  return true
}

/** Whether a cell has enough in it for what its column means. */
function isWorth(b: Uint8Array, from: number, to: number, meaning: number): boolean {
  const min = (meaning & OURS) !== 0 ? oursDigitsMin : otherDigitsMin
  // Hex digits of a PIN block may be few, and other signs may stand for digits.
  const isOpen = (meaning & SECRET) !== 0 && to - from >= 16
  let digits = 0
  for (let i = from; i < to; i++) {
    const c = b[i] ?? 0
    if (isDigit[c] === 1) digits++
    if (digits >= min || c >= 0x80 || c === 0x25 || c === 0x26) return true
  }
  return isOpen
}
