/**
 * Verification values that have no name: three or four digits beside a card number and its date, in
 * a line of text or in the cells of an array. Never three digits alone.
 *
 *   4… 12/27 123      4…|12|2027|123      4…,J. Doe,12/27,123      4…;123;1227
 */
import { isDigit, isLetter } from './bytes.ts'
import { HIGH, SECRET_PIN, VERIFICATION, WORD, ZERO, code } from './findings.ts'
import { meaningAt } from './keys.ts'
import { CVV, PIN } from './words.ts'
import type { Scan } from './scan.ts'

const reach = 96
const tokensMax = 8
/** Longer texts name nothing; shorter ones are remembered. */
const nameBytesMax = 96
const wordBytesMax = 24
/** How many cells or words may stand between a number and its date. */
const strangersMax = 3

// What a token, or a cell, is.
const STRANGER = 0
const DATE = 1
const MONTH = 2
const YEAR = 4
const CODE = 8
/** Four digits, as a group of a card has them. */
const GROUP = 32
/** A longer number: another card begins, or something else does. */
const NUMBER = 16

const isGap = new Uint8Array(256)
for (const c of ' |,;:\t"\'()') isGap[c.charCodeAt(0)] = 1

/** What the signs in [from, to) can be in the row of a card: a sum of the flags. */
function kindOf(b: Uint8Array, from: number, to: number): number {
  const length = to - from
  if (length > 7) return isDigit[b[from] ?? 0] === 1 ? NUMBER : STRANGER
  let digits = 0
  let divider = -1
  for (let i = from; i < to; i++) {
    const c = b[i] ?? 0
    if (isDigit[c] === 1) digits++
    else if (divider < 0 && (c === 0x2f || c === 0x2d || c === 0x2e)) divider = i - from
    else return STRANGER
  }
  if (divider < 0) return ofDigits(b, from, length)
  const year = length - divider - 1
  if (digits === length - 1 && divider <= 2 && divider > 0 && isMonth(b, from, divider))
    return year === 2 || (year === 4 && isCentury(b, from + divider + 1)) ? DATE : STRANGER
  const isYearFirst = divider === 4 && year === 2 && isCentury(b, from)
  return isYearFirst && isMonth(b, from + 5, 2) ? DATE : STRANGER
}

function ofDigits(b: Uint8Array, from: number, length: number): number {
  let kinds = length > 4 ? NUMBER : STRANGER
  if (length === 3 || length === 4) kinds |= CODE
  if (length === 4) kinds |= GROUP
  if (length <= 2 && isMonth(b, from, length)) kinds |= MONTH
  if (length === 2 || (length === 4 && isCentury(b, from))) kinds |= YEAR
  // MMYY or YYMM, of the years in which a card can be valid.
  const isShort =
    length === 4 &&
    ((isMonth(b, from, 2) && isYear(b, from + 2)) || (isMonth(b, from + 2, 2) && isYear(b, from)))
  const isLong = length === 6 && isMonth(b, from, 2) && isCentury(b, from + 2)
  return isShort || isLong ? kinds | DATE : kinds
}

function isMonth(b: Uint8Array, at: number, length: number): boolean {
  const last = (b[at + length - 1] ?? 0) & 15
  const month = length === 1 ? last : ((b[at] ?? 0) & 15) * 10 + last
  return month >= 1 && month <= 12
}

function isYear(b: Uint8Array, at: number): boolean {
  const year = ((b[at] ?? 0) & 15) * 10 + ((b[at + 1] ?? 0) & 15)
  return year >= 15 && year <= 45
}

const isCentury = (b: Uint8Array, at: number): boolean => b[at] === 0x32 && b[at + 1] === 0x30

/** The cells behind a card number, one after the other, until a value shows or there can be none. */
class Row {
  #strangers = 0
  #isMonth = false
  #isCode = false
  #isGroup = false
  #isDated = false
  #isUnsure = false

  begin(): void {
    this.#strangers = 0
    this.#isMonth = false
    this.#isCode = false
    this.#isGroup = false
    this.#isDated = false
  }

  /** Takes the next cell. 1: it is a value; -1: the cell before the date was; 0: go on; 2: no more. */
  next(kinds: number): number {
    if (this.#isDated) {
      if ((kinds & CODE) !== 0) return 1
      // Four digits that read as a date were the value: here is the date.
      return this.#isUnsure && (kinds & DATE) !== 0 ? -1 : 2
    }
    // Two groups in a row are no value and its date, but the next number.
    const isGroup = this.#isGroup && (kinds & GROUP) !== 0
    const isYear = this.#isMonth && (kinds & YEAR) !== 0
    if (isGroup || (kinds & (NUMBER | DATE)) === NUMBER) return 2
    if (isYear || (kinds & DATE) !== 0) {
      if (this.#isCode) return -1
      this.#isDated = true
      this.#isUnsure = !isYear && (kinds & CODE) !== 0
      return 0
    }
    this.#isMonth = (kinds & MONTH) !== 0
    // A month between a value and its year keeps the value at hand.
    if (!this.#isMonth) {
      this.#isCode = (kinds & CODE) !== 0
      this.#isGroup = (kinds & GROUP) !== 0
    }
    return kinds === STRANGER && ++this.#strangers > strangersMax ? 2 : 0
  }
}

const row = new Row()
const starts = new Int32Array(tokensMax)
const ends = new Int32Array(tokensMax)

/** The verification value in the line behind a card number that ends at `to`: its start × 16 + its
 *  length, or 0 when there is none. */
export function secretAfter(b: Uint8Array, to: number, end: number): number {
  const max = Math.min(end, to + reach)
  row.begin()
  let at = to
  for (let n = 0; n < tokensMax; n++) {
    const from = gapEnd(b, at, max)
    if (from === at || from >= max) return 0
    at = from
    while (at < max && isGap[b[at] ?? 0] === 0 && !isEnd(b[at] ?? 0) && b[at] !== 0x5c) at++
    // A sentence ends in a sign which is no part of its last word.
    let stop = at
    while (stop > from && isDigit[b[stop - 1] ?? 0] === 0 && isLetter[b[stop - 1] ?? 0] === 0)
      stop--
    starts[n] = from
    ends[n] = stop
    const kinds = kindOf(b, from, stop)
    const told = row.next(kinds)
    // Four digits with more behind them in the manner of a card are its first group.
    if (told === 1 && stop - from === 4 && isGrouped(b, stop, max)) return 0
    if (told === 2 || (told === 0 && (at >= max || isStop(b, at)))) return 0
    if (told === 0) continue
    let which = n
    // In front of the date, which may be two tokens.
    if (told < 0) for (which = n - 1; which > 0 && !isValue(b, which);) which--
    const start = starts[which] ?? 0
    return start * 16 + ((ends[which] ?? 0) - start)
  }
  return 0
}

function isGrouped(b: Uint8Array, to: number, end: number): boolean {
  const next = to + 1
  if (next + 4 > end || (b[to] !== 0x20 && b[to] !== 0x2d && b[to] !== 0x2e)) return false
  for (let i = next; i < next + 4; i++) if (isDigit[b[i] ?? 0] === 0) return false
  return true
}

const isValue = (b: Uint8Array, n: number): boolean =>
  (kindOf(b, starts[n] ?? 0, ends[n] ?? 0) & CODE) !== 0

const isStop = (b: Uint8Array, at: number): boolean =>
  isEnd(b[at] ?? 0) || (b[at] === 0x5c && b[at + 1] !== 0x74)

const isEnd = (b: number): boolean => b === 0x0a || b === 0x0d || b === 0x3c

function gapEnd(b: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && i - from < 8) {
    const c = b[i] ?? 0
    if (isGap[c] === 1 || c === 0x2f) i++
    // A dash by itself, and a tab as strings write it.
    else if (c === 0x2d && b[i + 1] === 0x20) i++
    else if (c === 0x5c && b[i + 1] === 0x74) i += 2
    else break
  }
  return Math.min(i, end)
}

/** The same for the cells of one array, whose numbers may be unquoted. */
export class CellRow {
  readonly #scan: Scan
  readonly #row = new Row()
  /** The frame whose cells are looked at, or -1. */
  #frame = -1
  #named = 0
  #namedFrame = -1
  // The last cell that can be a value: its place, and how it is written over.
  #start = 0
  #end = 0
  #form = WORD

  constructor(scan: Scan) {
    this.#scan = scan
  }

  /** Forgets the row at hand. */
  reset(): void {
    this.#frame = -1
    this.#namedFrame = -1
  }

  /** A text in a cell of this frame, which may name what the next cell holds: `["cvv","123"]`. */
  name(b: Uint8Array, start: number, end: number, frame: number): void {
    const isName = end - start >= 3 && end - start <= nameBytesMax && isDigit[b[start] ?? 0] === 0
    this.#named = isName ? this.#meaning(b, start, end) & (CVV | PIN) : 0
    this.#namedFrame = frame
  }

  #meaning(b: Uint8Array, start: number, end: number): number {
    const { names } = this.#scan
    const isLong = end - start > wordBytesMax || b.subarray(start, end).includes(0x5c)
    return isLong ? meaningAt(names, b, start, end) : names.word(b, start, end)
  }

  /** Tells a cell of digits behind one that names it; false when there was none. */
  value(b: Uint8Array, start: number, end: number, frame: number, isNumber: boolean): boolean {
    const named = this.#namedFrame === frame ? this.#named : 0
    this.#namedFrame = -1
    if (named === 0) return false
    for (let i = start; i < end; i++) if (isDigit[b[i] ?? 0] === 0) return false
    const length = end - start
    const form = isNumber ? ZERO : WORD
    if ((named & CVV) !== 0 && (length === 3 || length === 4))
      this.#scan.found(start, end, code(VERIFICATION, HIGH, form), -1)
    else if ((named & PIN) !== 0 && length >= 4 && length <= 12)
      this.#scan.found(start, end, code(SECRET_PIN, HIGH, form), -1)
    else return false
    return true
  }

  /** A card number stands in the cell at hand. */
  card(frame: number): void {
    this.#frame = frame
    this.#row.begin()
    this.#start = 0
  }

  /** Whether a cell of this frame follows a card number. */
  follows(frame: number): boolean {
    return this.#frame === frame
  }

  /** The next cell; a string without its quotes. */
  cell(b: Uint8Array, start: number, end: number, isNumber: boolean): void {
    const kinds = kindOf(b, start, end)
    const told = this.#row.next(kinds)
    const form = isNumber ? ZERO : WORD
    if (told === 1) this.#scan.found(start, end, code(VERIFICATION, HIGH, form), -1)
    else if (told < 0)
      this.#scan.found(this.#start, this.#end, code(VERIFICATION, HIGH, this.#form), -1)
    if (told !== 0) this.#frame = -1
    if ((kinds & CODE) === 0) return
    this.#start = start
    this.#end = end
    this.#form = form
  }
}
