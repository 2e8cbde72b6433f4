/**
 * One line of a table cut into cells: between delimiters, quoted as CSV does it (RFC 4180), between
 * bars as Markdown and database shells draw them, or aligned by spaces.
 */
import { widthAt } from './bytes.ts'

export const TAB = 0x09
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
/** `|`, and the upright lines of box drawing. */
export const BAR = 0x7c
/** Two spaces or more. */
export const SPACES = 0x20
/** One space or more. */
export const SPACE = 0x00

const cellsMax = 256
/** How far a quoted cell may reach. */
const quotedBytesMax = 8192
/** What is no quoted cell costs at most so much, so often. */
const strayBytesMin = 256
const straysMax = 32
const quote = 0x22
const backslash = 0x5c
const newline = 0x0a
const carriage = 0x0d

/** Upright lines among U+2500–U+257F, by the last byte of `E2 94 xx` and `E2 95 xx`. */
const upright94 = new Set([0x82, 0x83, 0x86, 0x87, 0x8a, 0x8b])
const upright95 = new Set([0x8e, 0x8f, 0x91])

/** How many bytes a bar at `at` takes, 0 when there is none. */
export function barAt(b: Uint8Array, at: number): number {
  const c = b[at] ?? 0
  if (c === BAR) return b[at - 1] === backslash ? 0 : 1
  if (c === 0xc2) return b[at + 1] === 0xa6 ? 2 : 0
  if (c !== 0xe2) return 0
  const last = b[at + 2] ?? 0
  const isBar = b[at + 1] === 0x94 ? upright94.has(last) : b[at + 1] === 0x95 && upright95.has(last)
  return isBar ? 3 : 0
}

export const isBreak = (b: number): boolean => b === newline || b === carriage

/** The offset behind the line break at `at`. */
export const afterBreak = (b: Uint8Array, at: number, end: number): number =>
  at >= end ? end : b[at] === carriage && b[at + 1] === newline ? at + 2 : at + 1

/** Signs around a value that are no part of it. */
const isRim = (b: number): boolean =>
  b <= 0x20 || b === quote || b === 0x27 || b === 0x60 || b === 0x3d

/** The cells of one line. Keep one and use it again. */
export class Row {
  count = 0
  /** The offset behind the line, and behind its break. */
  end = 0
  next = 0
  readonly from: Int32Array = new Int32Array(cellsMax)
  readonly to: Int32Array = new Int32Array(cellsMax)
  /** Of aligned cells: the characters before their beginning and their end. */
  readonly left: Int32Array = new Int32Array(cellsMax)
  readonly right: Int32Array = new Int32Array(cellsMax)
  #strays = 0

  /** Prepares for another text. */
  begin(): void {
    this.#strays = 0
  }

  /**
   * Reads the line at `at`.
   * @param isOuter bars stand around the line too.
   */
  read(b: Uint8Array, at: number, end: number, delimiter: number, isOuter = false): void {
    this.count = 0
    let last = at
    if (delimiter === SPACES || delimiter === SPACE) last = this.#aligned(b, at, end, delimiter)
    else if (delimiter === BAR) last = this.#barred(b, at, end, isOuter)
    else last = this.#delimited(b, at, end, delimiter)
    this.end = last
    this.next = afterBreak(b, last, end)
  }

  /** Whether all cells are empty. */
  isBlank(): boolean {
    for (let i = 0; i < this.count; i++) if ((this.to[i] ?? 0) > (this.from[i] ?? 0)) return false
    return true
  }

  #delimited(b: Uint8Array, at: number, end: number, delimiter: number): number {
    let i = at
    for (;;) {
      let from = i
      while (from < end && b[from] === 0x20) from++
      const close = b[from] === quote ? this.#close(b, from + 1, end, delimiter) : -1
      if (close >= 0) {
        this.#put(b, from + 1, close)
        i = close + 1
        while (i < end && b[i] === 0x20) i++
      } else {
        while (i < end && b[i] !== delimiter && !isBreak(b[i] ?? 0)) i++
        this.#put(b, from, i)
      }
      if (i >= end || b[i] !== delimiter) return i
      i++
    }
  }

  /** Where the quote stands that closes a cell; -1 when the quote before `at` opens none. */
  #close(b: Uint8Array, at: number, end: number, delimiter: number): number {
    if (this.#strays > straysMax) return -1
    const max = Math.min(end, at + quotedBytesMax)
    let i = at
    for (; i < max; i++) {
      if (b[i] !== quote) continue
      if (b[i + 1] === quote && i + 1 < end) i++
      else if (b[i - 1] !== backslash || i === at) break
    }
    let after = i + 1
    while (after < end && b[after] === 0x20) after++
    const isClosed = i < max && (after >= end || b[after] === delimiter || isBreak(b[after] ?? 0))
    if (isClosed) return i
    if (i - at >= strayBytesMin) this.#strays++
    return -1
  }

  #barred(b: Uint8Array, at: number, end: number, isOuter: boolean): number {
    let i = at
    if (isOuter) {
      while (i < end && b[i] === 0x20) i++
      i += i < end ? barAt(b, i) : 0
    }
    let from = i
    while (i < end && !isBreak(b[i] ?? 0)) {
      const width = barAt(b, i)
      if (width > 0) {
        this.#put(b, from, i)
        from = i + width
      }
      i += width > 0 ? width : 1
    }
    let rest = from
    while (rest < i && (b[rest] ?? 0) <= 0x20) rest++
    if (!isOuter || rest < i) this.#put(b, from, i)
    return i
  }

  #aligned(b: Uint8Array, at: number, end: number, delimiter: number): number {
    const gap = delimiter === SPACES ? 2 : 1
    let i = at
    let column = 0
    while (i < end && !isBreak(b[i] ?? 0)) {
      if (b[i] === 0x20 || b[i] === TAB) {
        i++
        column++
        continue
      }
      const from = i
      const left = column
      let spaces = 0
      while (i < end && !isBreak(b[i] ?? 0) && b[i] !== TAB && spaces < gap) {
        spaces = b[i] === 0x20 ? spaces + 1 : 0
        i += widthAt(b, i)
        column++
      }
      if (this.count < cellsMax) {
        this.left[this.count] = left
        this.right[this.count] = column - spaces
      }
      this.#put(b, from, i - spaces)
    }
    return Math.min(i, end)
  }

  #put(b: Uint8Array, from: number, to: number): void {
    if (this.count >= cellsMax) return
    let start = from
    let stop = to
    while (start < stop && isRim(b[start] ?? 0)) start++
    while (stop > start && isRim(b[stop - 1] ?? 0)) stop--
    this.from[this.count] = start
    this.to[this.count++] = stop
  }
}

/** Whether [from, to) is drawn: `---`, `+---+`, `|:--|--:|`, `├──┼──┤`, `====`, tibble's `<chr>`. */
export function isRule(b: Uint8Array, from: number, to: number): boolean {
  let lines = 0
  let types = 0
  for (let i = from; i < to; i++) {
    const c = b[i] ?? 0
    if (c === 0x2d || c === 0x3d) lines++
    else if (c === 0xe2 && (b[i + 1] === 0x94 || b[i + 1] === 0x95)) {
      if (barAt(b, i) === 0) lines++
      i += 2
    } else if (c === 0x3c) {
      const close = typeEnd(b, i + 1, to)
      if (close < 0) return false
      i = close
      types++
    } else if (c !== 0x20 && c !== 0x2b && c !== BAR && c !== 0x3a && c !== TAB) return false
  }
  return lines > 0 ? types === 0 : types > 1
}

/** The `>` of a short word in angle brackets, or -1. */
function typeEnd(b: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end && i < at + 8; i++) {
    const c = b[i] ?? 0
    if (c === 0x3e) return i > at ? i : -1
    if (c < 0x61 || c > 0x7a) return -1
  }
  return -1
}
