/**
 * Groups of digits, as people write card numbers. Only whole groups, only in the sizes cards are
 * written in, only with one kind of separator between them: anything looser joins the columns of a
 * table into numbers that nobody wrote.
 */
import { fits } from '../../src/cards/ranges.ts'
import { reading } from './readings.ts'

/** A whole run of digits. */
export interface Group {
  readonly start: number
  readonly end: number
  readonly size: number
  /** What stands between it and the next group, when the two may belong together: see `gapKind`. */
  readonly gap: string | undefined
}

/** All groups of a text, given what its signs count as. */
export function groupsOf(flat: string): Group[] {
  const runs = [...flat.matchAll(/[0-9]+/g)]
  return runs.map((run, i) => {
    const end = run.index + run[0].length
    const next = runs[i + 1]
    // What goes on in letters is a word of its own.
    const isWord = next !== undefined && /^[0-9]+[A-Za-z]/.test(flat.slice(next.index))
    const isApart = next === undefined || isWord
    const gap = isApart ? undefined : gapKind(flat.slice(end, next.index))
    return { start: run.index, end, size: run[0].length, gap }
  })
}

const lineBreak = 'line break'

/** The kind of separator that a gap is, or undefined when no number goes on over it. */
function gapKind(gap: string): string | undefined {
  // Two blanks, and three, divide columns as well: they are not the same as one.
  if (/^ {1,3}$/.test(gap)) return gap === ' ' ? 'blank' : 'blanks'
  // One line break, where an editor has wrapped the line at a separator or without one.
  if (/^ ?[ ./_-]?(?:\r\n|\n|\r)$/.test(gap)) return lineBreak
  if (/^ ?\\+$/.test(gap)) return 'backslash'
  // One sign, or two of it, or one with a blank before or behind.
  const signed = /^( ?)(?:\\*)([./_-])(\2| ?)$/.exec(gap)
  if (signed === null) return undefined
  const [, before = '', sign = '', behind = ''] = signed
  return before + sign + (behind === ' ' ? ' ' : '')
}

/** The groups of a text from the one that may begin a number on. */
export class Row {
  readonly #flat: string
  readonly #groups: readonly Group[]
  /** The first group of what is joined with the one at hand, as far as nothing was told of it. */
  readonly #first: number

  /** @param done what stands before this sign belongs to numbers that were told. */
  constructor(flat: string, groups: readonly Group[], at: number, done: number) {
    this.#flat = flat
    this.#groups = groups
    let first = at
    while (first > 0 && this.#gap(first - 1) !== undefined && this.#start(first - 1) >= done)
      first--
    this.#first = first
  }

  #size(i: number): number {
    return this.#groups[i]?.size ?? 0
  }

  #gap(i: number): string | undefined {
    return this.#groups[i]?.gap
  }

  #start(i: number): number {
    return this.#groups[i]?.start ?? 0
  }

  /** The digits of `used` groups. */
  digits(at: number, used: number): string {
    return this.#groups
      .slice(at, at + used)
      .map(({ start, end }) => this.#flat.slice(start, end))
      .join('')
  }

  /** How many groups from `at` on have the sizes of one card number; 0 for none. */
  fitting(at: number): number {
    const size = this.#size(at)
    if (size >= 12) return size <= 19 ? 1 : 0
    const joined = this.#joined(at)
    const sizes = Array.from({ length: joined }, (_, i) => this.#size(at + i))
    const used = this.#sized(at, sizes)
    // A number that is wrapped over two lines stands there by itself.
    const gaps = sizes.slice(1, used).map((_, i) => this.#gap(at + i))
    return gaps.includes(lineBreak) && !this.#isAlone(at, used) ? 0 : used
  }

  /** 4-4-4-4, 4-4-4-4-3 (and 2, 1), 4-4-4-1 to 4-4-4-3, 4-6-5, 4-6-4, 6-13, 8-8; and by themselves
   *  4-4-4, 4-4-5; and 4-3-3-3. */
  #sized(at: number, sizes: readonly number[]): number {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = sizes
    if (a === 4 && b === 3) return c === 3 && d === 3 ? 4 : 0
    if (a === 4 && b === 4 && sizes.length === 3) return c === 4 || c === 5 ? 3 : 0
    if (a === 4 && b === 4 && c === 4 && d >= 1 && d <= 4) {
      // A line break ends the number rather than going on with its rest.
      return d === 4 && e >= 1 && e <= 3 && this.#gap(at + 3) !== lineBreak ? 5 : 4
    }
    if (a === 4 && b === 6 && (c === 5 || c === 4)) return 3
    return (a === 6 && b === 13) || (a === 8 && b === 8) ? 2 : 0
  }

  /** Whether the groups are of sizes in which few cards are written: 4-3-3-3, 4-4-4, 4-4-5, 4-4-4-1. */
  isOdd(at: number, used: number): boolean {
    if (this.#size(at + 1) === 3) return true
    return this.#size(at + 1) === 4 && (used === 3 || (used === 4 && this.#size(at + 3) < 2))
  }

  /** How many groups from `at` on are joined by one kind of separator. Between groups of four, one
   *  line break may stand for it. */
  #joined(at: number): number {
    let kind: string | undefined
    let breaks = 0
    let n = 1
    for (; this.#gap(at + n - 1) !== undefined; n++) {
      const gap = this.#gap(at + n - 1)
      if (gap === lineBreak) {
        if (++breaks > 1 || this.#size(at) !== 4) break
      } else if (kind !== undefined && gap !== kind) break
      else kind = gap
    }
    return kind === undefined ? 1 : n
  }

  /** Whether nothing stands before and behind the groups on their lines. */
  #isAlone(at: number, used: number): boolean {
    const before = at > 0 ? this.#gap(at - 1) : undefined
    if (reading.now === 'wrapped numbers begin a row' && before !== undefined) return false
    const behind = this.#gap(at + used - 1)
    return (
      (before === undefined || before === lineBreak) &&
      (behind === undefined || behind === lineBreak)
    )
  }

  /** Whether a blank, which may as well end the number, stands behind group `at`. */
  isLoose(at: number): boolean {
    return this.#gap(at) === 'blank'
  }

  /** How many digits group `at` has. */
  size(at: number): number {
    return this.#size(at)
  }

  /** Whether the digits of `used` groups are in an issuer's range and right by Luhn. */
  passes(at: number, used: number): boolean {
    const digits = this.digits(at, used)
    return fits(digits) !== undefined && isLuhn(digits)
  }

  /**
   * Whether the groups stand amid others like them, so that any of them may be a number's, and the
   * row is no list of card numbers. The row is counted from the first group that could begin one.
   */
  isCrowded(at: number, used: number): boolean {
    const kind = this.#gap(at)
    const beginning = this.#beginning()
    let first = at
    while (first > beginning && this.#gap(first - 1) === kind) first--
    let end = at + 1
    while (this.#gap(end - 1) === kind) end++
    const length = end - first
    if (length === used) return kind === 'blanks' && this.#isAmidColumns(at)
    const size = this.#size(at)
    const isBehind = at + used < end && this.#isLike(at + used, size)
    const isBefore = at > first && this.#isLike(at - 1, size)
    if (!isBehind && !isBefore) return length > used + 3
    // A date may close the row.
    const isDated = length % used === 1 && isDate(this.digits(end - 1, 1))
    const last = isDated ? end - 1 : end
    if ((last - first) % used !== 0) return true
    for (let i = first; i < last; i += used)
      if (this.fitting(i) < used || !this.passes(i, used)) return true
    return false
  }

  /** Whether group `i` is as long as those of a number, and no date that may stand beside it. */
  #isLike(i: number, size: number): boolean {
    // A group at the end of a word is a part of that word.
    const isWord = i === this.#beginning() && /[A-Za-z]/.test(this.#flat[this.#start(i) - 1] ?? '')
    return !isWord && this.#size(i) === size && !isDate(this.digits(i, 1))
  }

  /** Whether the next line is one of numbers in columns of the same width: then these are too. */
  #isAmidColumns(at: number): boolean {
    const from = this.#groups[at]?.end ?? 0
    const line = this.#flat.indexOf('\n', from)
    return line >= 0 && line < from + 64 && /^(?:[0-9]{4} {2}){3}/.test(this.#flat.slice(line + 1))
  }

  /** The first group that could begin a number, by its size and that of the next. */
  #beginning(): number {
    let i = this.#first
    while (!this.#begins(i) && this.#gap(i) !== undefined) i++
    return i
  }

  #begins(i: number): boolean {
    const [a, b] = [this.#size(i), this.#gap(i) === undefined ? 0 : this.#size(i + 1)]
    if (a >= 12) return true
    return a === 4 ? b === 4 || b === 6 || b === 3 : (a === 6 && b === 13) || (a === 8 && b === 8)
  }

  /** How many groups are joined from `at` on, by whatever separators, when it is the first of them
   *  with four digits and more and none of them begins a number; else 0. */
  whole(at: number): number {
    for (let i = this.#first; i < at; i++) if (this.#size(i) >= 4) return 0
    let n = 0
    do if (this.fitting(at + n) > 0) return 0
    while (this.#gap(at + n++) !== undefined)
    return this.#size(at) < 4 || n < 2 ? 0 : n
  }
}

/** Four digits as MMYY, YYMM or a year, of the years in which a card can be valid. */
function isDate(digits: string): boolean {
  const [first, second] = [Number(digits.slice(0, 2)), Number(digits.slice(2))]
  const isYear = (year: number): boolean => year >= 15 && year <= 45
  const isMonth = (month: number): boolean => month >= 1 && month <= 12
  const isShort = (isMonth(first) && isYear(second)) || (isYear(first) && isMonth(second))
  return digits.length === 4 && (isShort || (first === 20 && isYear(second)))
}

/** ISO/IEC 7812-1, annex B. */
export function isLuhn(digits: string): boolean {
  let sum = 0
  for (const [i, digit] of [...digits].toReversed().entries()) {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2)
    sum += value > 9 ? value - 9 : value
  }
  return sum % 10 === 0
}
