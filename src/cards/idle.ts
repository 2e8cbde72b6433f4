/**
 * Values of rows in which nothing is to be found, passed over by as few steps as can be: what the quick
 * look saw nothing in, and what is too short or a time. Rows hold little else.
 */
import { isDateTime } from './around.ts'
import { isDigit, isLetter } from './bytes.ts'
import type { Scan } from './scan.ts'

const backslash = 0x5c
const quote = 0x22
/** Shorter numbers are no card numbers, however they are written. */
const numberBytesMin = 10
/** Texts of fewer digits hold nothing. */
const digitsMin = 3

const isMark = new Uint8Array(256)
isMark[backslash] = 1
isMark[quote] = 1
/** What goes on with a number, or makes it none. */
const isJoined = new Uint8Array(256)
for (let b = 0; b < 256; b++) isJoined[b] = /[0-9A-Za-z+.-]/.test(String.fromCharCode(b)) ? 1 : 0

export class IdleValues {
  readonly #scan: Scan
  /** Where the inside of the string last passed over ends. */
  stop = 0

  constructor(scan: Scan) {
    this.#scan = scan
  }

  /**
   * The offset behind the string whose inside begins at `at`, by a name that says nothing of it; -1 for
   * one that has to be read.
   */
  string(b: Uint8Array, at: number, end: number, levels: number): number {
    const marks = (1 << levels) - 1
    let stop = at
    while (stop < end && isMark[b[stop] ?? 0] === 0) stop++
    const next = stop + marks
    if (next >= end || b[next] !== quote) return -1
    for (let i = stop; i < next; i++) if (b[i] !== backslash) return -1
    this.stop = stop
    if (this.#scan.quietFrom(at) < stop && !isHarmless(b, at, stop)) return -1
    return next + 1
  }

  /** The same of a number or literal at `at`. */
  scalar(b: Uint8Array, at: number, end: number): number {
    const stop = isDigit[b[at] ?? 0] === 1 ? decimalEnd(b, at, end) : wordEnd(b, at, end)
    if (stop - at >= numberBytesMin || stop >= end) return -1
    return isJoined[b[stop] ?? 0] === 1 ? -1 : stop
  }
}

/** Whether a string without escapes is a time, or holds neither digits enough nor what is no ASCII. */
function isHarmless(b: Uint8Array, at: number, stop: number): boolean {
  if (isDateTime(b, at, stop)) return true
  let digits = 0
  for (let i = at; i < stop; i++) {
    const c = b[i] ?? 0
    if (c >= 0x80) return false
    digits += isDigit[c] ?? 0
  }
  return digits < digitsMin
}

function decimalEnd(b: Uint8Array, at: number, end: number): number {
  let i = at
  while (i < end && isDigit[b[i] ?? 0] === 1) i++
  if (b[i] !== 0x2e || i + 1 >= end || isDigit[b[i + 1] ?? 0] === 0) return i
  i += 2
  while (i < end && isDigit[b[i] ?? 0] === 1) i++
  return i
}

/** The end of `true`, `false` or `null`, or `at`. */
function wordEnd(b: Uint8Array, at: number, end: number): number {
  let i = at
  while (i < end && isLetter[b[i] ?? 0] === 1) i++
  const first = b[at] ?? 0
  const isWord =
    (i - at === 4 && (first === 0x74 || first === 0x6e)) || (i - at === 5 && first === 0x66)
  return isWord ? i : end
}
