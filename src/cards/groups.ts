/**
 * Groups of digits with separators between them, as people write card numbers. Only whole groups,
 * only in the sizes cards are written in, only with one kind of separator: anything looser joins
 * the columns of a table into numbers that nobody wrote.
 */
import { isDigit, isLetter, isSeparator } from './bytes.ts'
import { passesLuhn } from './luhn.ts'
import { brandOf } from './ranges.ts'
import { matters } from './spelling.ts'

const groupsMax = 48
const backslash = 0x5c
const digitsMax = 19
const columnsReach = 64

export class Groups {
  count = 0
  /** The last group goes on in escapes or beyond ASCII, where only the normaliser reads. */
  isTorn = false
  readonly #digits = new Uint8Array(24)
  /** No group stands directly in front of the first. */
  #isRowStart = true
  readonly #starts = new Int32Array(groupsMax)
  readonly #ends = new Int32Array(groupsMax)
  readonly #gaps = new Uint16Array(groupsMax) // what stands behind group i, as `gapOf` tells it

  start(i: number): number {
    return this.#starts[i] ?? 0
  }

  end(i: number): number {
    return this.#ends[i] ?? 0
  }

  size(i: number): number {
    return i < this.count ? (this.#ends[i] ?? 0) - (this.#starts[i] ?? 0) : 0
  }

  /** Reads the groups from the run [from, to) on. */
  read(bytes: Uint8Array, from: number, to: number, end: number): void {
    let start = from
    let stop = to
    let count = 0
    this.isTorn = false
    const before = from >= 2 && isSeparator[bytes[from - 1] ?? 0] === 1 ? (bytes[from - 2] ?? 0) : 0
    this.#isRowStart = isDigit[before] === 0
    for (;;) {
      this.#starts[count] = start
      this.#ends[count] = stop
      start = gapEnd(bytes, stop, end)
      this.#gaps[count++] = start > stop ? gapOf(bytes, stop, start) : 0
      if (count === groupsMax || start === stop) break
      if (start >= end || isDigit[bytes[start] ?? 0] === 0) break
      stop = start + 1
      while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
      // What goes on in letters is a word of its own.
      if (stop < end && isLetter[bytes[stop] ?? 0] === 1) break
    }
    this.count = count
    const b = start < end ? (bytes[start] ?? 0) : 0
    if (b >= 0x80 || b === backslash) this.isTorn = matters(bytes, start, end)
  }

  /** How many groups from `a` on have the sizes of a card number, at most; 0 for none. */
  fitting(a: number): number {
    const first = this.size(a)
    if (first >= 12) return first <= digitsMax ? 1 : 0
    const joined = this.#joined(a)
    if (joined < 2) return 0
    const used = this.#sized(a, first, joined)
    return used > 1 && this.#isWrapped(a, used) && !this.#isAlone(a, used) ? 0 : used
  }

  /** Whether a line break stands between the groups. */
  #isWrapped(a: number, used: number): boolean {
    for (let i = a; i < a + used - 1; i++) if (this.#gaps[i] === lineBreak) return true
    return false
  }

  /** Whether nothing stands before and behind the groups on their lines. */
  #isAlone(a: number, used: number): boolean {
    const behind = this.#gaps[a + used - 1] ?? 0
    const isLast = a + used === this.count || behind === lineBreak
    return a === 0 && this.#isRowStart && isLast
  }

  #sized(a: number, first: number, joined: number): number {
    const second = this.size(a + 1)
    if (first === 4 && second === 3) {
      const isThirteen = joined >= 4 && this.size(a + 2) === 3 && this.size(a + 3) === 3
      return isThirteen ? 4 : 0
    }
    if (first === 4 && second === 4) {
      const third = joined >= 3 ? this.size(a + 2) : 0
      if (joined === 3 && (third === 4 || third === 5)) return 3
      if (joined < 4 || third !== 4) return 0
      const fourth = this.size(a + 3)
      // A line break ends the number rather than going on with its rest.
      const fifth = joined >= 5 && this.#gaps[a + 3] !== lineBreak ? this.size(a + 4) : 0
      if (fourth === 4 && fifth >= 1 && fifth <= 3) return 5
      return fourth <= 4 ? 4 : 0
    }
    if (first === 4 && second === 6) {
      const third = joined >= 3 ? this.size(a + 2) : 0
      return third === 5 || third === 4 ? 3 : 0
    }
    return (first === 6 && second === 13) || (first === 8 && second === 8) ? 2 : 0
  }

  /** Whether the groups are of sizes in which few cards are written: 4-3-3-3, 4-4-4, 4-4-5, 4-4-4-1. */
  isOdd(a: number, used: number): boolean {
    if (this.size(a + 1) === 3) return true
    return this.size(a + 1) === 4 && (used === 3 || (used === 4 && this.size(a + 3) < 2))
  }

  /** Puts the digits of `used` groups from `a` on into `into`; returns how many, 0 for too many. */
  fill(bytes: Uint8Array, a: number, used: number, into: Uint8Array): number {
    let length = 0
    for (let i = a; i < a + used; i++) {
      const stop = this.#ends[i] ?? 0
      for (let at = this.#starts[i] ?? 0; at < stop; at++) {
        if (length === digitsMax) return 0
        into[length++] = (bytes[at] ?? 0) & 15
      }
    }
    return length
  }

  /** Whether two blanks stand behind group i, as between columns. */
  isWide(i: number): boolean {
    return this.#gaps[i] === wide
  }

  /** Whether a blank, which may as well end the number, stands behind group i. */
  isLoose(i: number): boolean {
    return this.#gaps[i] === 0x20
  }

  /** Whether the digits of `used` groups from `a` on are in a range and pass Luhn. */
  passes(bytes: Uint8Array, a: number, used: number): boolean {
    const length = this.fill(bytes, a, used, this.#digits)
    return brandOf(this.#digits, length) !== 0 && passesLuhn(this.#digits, length)
  }

  /** Whether so many groups stand in the row that those from `a` on may be any of them, and the row
   *  is no list of card numbers. */
  isCrowded(bytes: Uint8Array, a: number, used: number): boolean {
    const first = this.#rowStart(a)
    const end = this.#rowEnd(a)
    if (end - first === used) return this.#gaps[a] === wide && isAmidColumns(bytes, this.end(a))
    const isBehind = a + used < end && this.#isLike(bytes, a + used, this.size(a))
    const isBefore = a > first && this.#isLike(bytes, a - 1, this.size(a))
    if (!isBehind && !isBefore) return end - first > used + 3
    // A row of card numbers, one after the other, is no crowd; a date may close it.
    const isDated = isDate(bytes, this.start(end - 1), this.size(end - 1))
    for (let i = first; i < end;) {
      const most = this.fitting(i)
      const next = most > 0 && this.passes(bytes, i, most) ? most : most === 5 ? 4 : 0
      if (isDated && i === end - 1) return false
      if (next === 0 || !this.passes(bytes, i, next)) return true
      i += next
    }
    return false
  }

  /** Whether group i is as long as those of the number, and no date that may stand beside it. */
  #isLike(bytes: Uint8Array, i: number, size: number): boolean {
    // A group at the end of a word is a part of that word.
    if (i === 0 && isLetter[bytes[this.start(0) - 1] ?? 0] === 1) return false
    // One that goes on with another sign begins a number of its own.
    const [before, behind] = [this.#gaps[i - 1] ?? 0, this.#gaps[i] ?? 0]
    if (i > 0 && i + 1 < this.count && behind !== before && behind !== lineBreak) return false
    return this.size(i) === size && !isDate(bytes, this.start(i), size)
  }

  /** The first group of the row on one line in which group `a` stands, joined as it is. */
  #rowStart(a: number): number {
    let first = a
    while (first > 0 && this.#gaps[first - 1] === this.#gaps[a]) first--
    return first
  }

  /** The group behind the last one of that row. */
  #rowEnd(a: number): number {
    let last = a
    while (last + 1 < this.count && this.#gaps[last] === this.#gaps[a]) last++
    return last + 1
  }

  /** How many groups from `a` on are joined by one kind of separator. Between groups of four one
   *  line break may stand for it, where an editor has wrapped the line. */
  #joined(a: number): number {
    let n = 1
    let kind = 0
    let breaks = 0
    for (; a + n < this.count; n++) {
      const gap = this.#gaps[a + n - 1] ?? 0
      if (gap === lineBreak) {
        if (++breaks > 1 || this.size(a) !== 4) break
      } else if (kind === 0) kind = gap
      else if (gap !== kind) break
    }
    return kind === 0 ? 1 : n
  }
}

/** One line break in a number, in `#gaps`. */
const lineBreak = 0x0a
/** A separator with a blank in front, and behind. */
const blankBefore = 0x80
const blankBehind = 0x100
/** Two blanks. */
const wide = 0x220

function gapOf(bytes: Uint8Array, from: number, to: number): number {
  let kind = 0
  let sign = 0
  for (let i = from; i < to; i++) {
    const b = bytes[i] ?? 0
    if (b === 0x0a || b === 0x0d || b === 0x6e) return lineBreak
    if (b === backslash) sign = sign === 0 ? backslash : sign
    else if (b !== 0x20) sign = b
    else if (sign === 0 && to - from > 1) kind |= blankBefore
    else if (sign !== 0) kind |= blankBehind
  }
  // Two blanks divide columns as well; they are not the same as one.
  if (sign === 0) return to - from > 1 ? wide : 0x20
  return kind | sign
}

/** The end of what stands at `at` between two groups: one separator, two of a kind, one with blanks
 *  around, or a line break (raw, or an escape of a string); `at` when there is none. */
function gapEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (i < end && bytes[i] === 0x20) i++
  const b = i < end ? (bytes[i] ?? 0) : 0
  if (isBreak(b)) {
    const slash = slashEnd(bytes, i, end)
    if (slash === i) return Math.max(i, breakEnd(bytes, i, end))
    return slash < end && bytes[slash] === 0x20 ? slash + 1 : slash
  }
  if (isSeparator[b] === 0) return i
  i++
  const next = i < end ? (bytes[i] ?? 0) : 0
  if (i >= end) return i
  if (isBreak(next)) return Math.max(i, breakEnd(bytes, i, end))
  return next === b || (next === 0x20 && b !== 0x20) ? i + 1 : i
}

/** The end of a backslash between digits, or of a `/` which a string escapes, at `at`; or `at`. */
function slashEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  while (i < end && bytes[i] === backslash) i++
  if (i === at || i >= end) return at
  if (isDigit[bytes[i] ?? 0] === 1) return i
  return bytes[i] === 0x2f ? i + 1 : at
}

const isBreak = (b: number): boolean => b === 0x0a || b === 0x0d || b === backslash

/** The end of one line break at `at`, or `at`. */
function breakEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (bytes[i] === 0x0d) i++
  if (i < end && bytes[i] === 0x0a) return i + 1
  if (i > at || bytes[at] !== backslash) return i
  while (i < end && bytes[i] === backslash) i++
  if (bytes[i] === 0x72 && bytes[i + 1] === backslash) {
    i++
    while (i < end && bytes[i] === backslash) i++
  }
  return i < end && bytes[i] === 0x6e ? i + 1 : at
}

/** Four digits as MMYY, YYMM or a year, of the years in which a card can be valid. */
function isDate(b: Uint8Array, at: number, size: number): boolean {
  if (size !== 4) return false
  const two = (i: number): number => ((b[at + i] ?? 0) & 15) * 10 + ((b[at + i + 1] ?? 0) & 15)
  const [first, second] = [two(0), two(2)]
  const isYear = (year: number): boolean => year >= 15 && year <= 45
  const isMonth = (month: number): boolean => month >= 1 && month <= 12
  return (
    (isMonth(first) && isYear(second)) ||
    (isYear(first) && isMonth(second)) ||
    (first === 20 && isYear(second))
  )
}

/** Whether the line behind `at`, or the one after it, is followed by a line of numbers in columns of
 *  the same width: then the groups are columns too. */
function isAmidColumns(b: Uint8Array, at: number): boolean {
  const max = Math.min(b.length, at + columnsReach)
  for (let i = at; i < max; i++) {
    const isEscaped = b[i] === backslash && b[i + 1] === 0x6e
    if (b[i] !== 0x0a && !isEscaped) continue
    const start = i + (isEscaped ? 2 : 1)
    let groups = 0
    let k = start
    while (k + 5 < b.length && groups < 3) {
      let digits = 0
      while (isDigit[b[k + digits] ?? 0] === 1) digits++
      if (digits !== 4 || b[k + 4] !== 0x20 || b[k + 5] !== 0x20) break
      groups++
      k += 6
    }
    return groups >= 3
  }
  return false
}

/** Whether a first group [from, to) can begin a number, by the size of the second. A quick no. */
export function canBegin(bytes: Uint8Array, from: number, to: number, end: number): boolean {
  const start = gapEnd(bytes, to, end)
  let stop = start
  while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
  const b = stop < end ? (bytes[stop] ?? 0) : 0
  if (b >= 0x80 || b === backslash) return true
  const first = to - from
  const second = stop - start
  if (first === 4) return second === 4 || second === 6 || second === 3
  return (first === 6 && second === 13) || (first === 8 && second === 8)
}
