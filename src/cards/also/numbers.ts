/**
 * Numbers that mean something only by what stands beside them: US social security numbers, US bank
 * routing numbers, UK sort codes with their accounts.
 */
import { isDigit, isLetter } from '../bytes.ts'
import { CERTAIN, HIGH, LOW, MEDIUM, PATCH, ROUTING, SSN, STARS, ZERO, code } from '../findings.ts'
import { ACCOUNT_NAME, ROUTING_NAME, SORT_NAME, SSN_NAME } from './names.ts'
import { Vocabulary } from './vocabulary.ts'
import type { Candidates } from './candidates.ts'

const dash = 0x2d
const dot = 0x2e
const blank = 0x20
const ssnDigits = 9
const routingDigits = 9
const accountReach = 48

const ssnPhrases = ['ssn', 'ssns', 'social security', 'soc sec', 'tax id', 'taxpayer id']
const ssnWords = new Vocabulary(ssnPhrases)
const ssnLabels = new Vocabulary([...ssnPhrases, 'ss'])
const routingWords = new Vocabulary(['routing', 'aba', 'rtn', 'routing transit', 'fedwire'])
const bankWords = new Vocabulary([
  'bank',
  'ach',
  'wire',
  'transit',
  'checking',
  'savings',
  'direct deposit',
  'account',
  'acct',
])
const sortWords = new Vocabulary(['sort code', 'sorting code', 'sort'])

export class Numbers {
  readonly #candidates: Candidates
  readonly #hasSsn: boolean
  readonly #hasRouting: boolean
  // The text at hand.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #name = 0

  constructor(candidates: Candidates, hasSsn: boolean, hasRouting: boolean) {
    this.#candidates = candidates
    this.#hasSsn = hasSsn
    this.#hasRouting = hasRouting
  }

  begin(bytes: Uint8Array, start: number, end: number, name: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#name = name
  }

  /** The digits that begin at `at`, where a word begins. Returns how far they are dealt with. */
  digits(at: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let to = at + 1
    while (to < end && isDigit[bytes[to] ?? 0] === 1) to++
    if (isLetter[bytes[to] ?? 0] === 1 && to < end) return to
    if (this.#isInside(at)) return to
    const length = to - at
    if (length === 3 && this.#hasSsn) return Math.max(to, this.#grouped(at, to))
    if (length === 2 && this.#hasRouting) return Math.max(to, this.#sortCode(at, to))
    if (!this.#isBounded(to)) return to
    if (length === ssnDigits && this.#plainSsn(at, to)) return to
    if (this.#hasRouting) this.#bankNumber(at, to, length)
    return to
  }

  /** An unquoted number under a name; what JSON took from its front were zeros. */
  number(start: number, end: number): void {
    const bytes = this.#bytes
    for (let i = start; i < end; i++) if (isDigit[bytes[i] ?? 0] === 0) return
    const length = end - start
    if (this.#hasSsn && (this.#name & SSN_NAME) !== 0 && length >= 7 && length <= ssnDigits) {
      if (isSsn(padded(bytes, start, end, ssnDigits), 0, 3, 5)) {
        this.#candidates.add(start, end, code(SSN, CERTAIN, ZERO))
      }
    } else if (this.#hasRouting && this.#isNumberOfBank(start, end, length)) {
      this.#candidates.add(start, end, code(ROUTING, CERTAIN, ZERO))
    }
  }

  #isNumberOfBank(start: number, end: number, length: number): boolean {
    const name = this.#name
    if ((name & ACCOUNT_NAME) !== 0) return length >= 6 && length <= 17
    if ((name & SORT_NAME) !== 0) return length >= 5 && length <= 6
    if ((name & ROUTING_NAME) === 0 || length < 7 || length > routingDigits) return false
    return isRouting(padded(this.#bytes, start, end, routingDigits), 0)
  }

  /** Whether the digits at `at` go on from something in front: a decimal, an amount, a phone. */
  #isInside(at: number): boolean {
    const before = at > this.#start ? (this.#bytes[at - 1] ?? 0) : 0
    if (before === 0x2b || before === 0x24) return true
    const isJoined = before === dot || before === dash || before === 0x2f || before === 0x2c
    if (!isJoined || at - 2 < this.#start) return false
    return isDigit[this.#bytes[at - 2] ?? 0] === 1
  }

  /** Whether nothing of the same number stands behind `to`. */
  #isBounded(to: number): boolean {
    const bytes = this.#bytes
    const next = to < this.#end ? (bytes[to] ?? 0) : 0
    if (isDigit[next] === 1 || isLetter[next] === 1) return false
    const isJoint = next === dash || next === dot || next === 0x2f || next === 0x2c
    return !isJoint || to + 1 >= this.#end || isDigit[bytes[to + 1] ?? 0] === 0
  }

  /** `123-45-6789`, with dashes of any kind or blanks. Returns its end, or 0. */
  #grouped(at: number, to: number): number {
    const bytes = this.#bytes
    const first = this.#separator(to)
    const second = to + first + 2
    if (first === 0 || !this.#areDigits(to + first, 2) || this.#separator(second) !== first)
      return 0
    const third = second + first
    const stop = third + 4
    if (!this.#areDigits(third, 4) || bytes[to] !== bytes[second] || !this.#isBounded(stop))
      return 0
    if (!isSsn(bytes, at, to + first, third)) return 0
    const confidence = this.#ssnConfidence(at, stop, bytes[to] === blank)
    if (confidence < 0) return 0
    this.#candidates.add(at, stop, code(SSN, confidence, STARS))
    return stop
  }

  /** Dashes are a shape of their own; blanks between digits are not. */
  #ssnConfidence(at: number, stop: number, isSpaced: boolean): number {
    if ((this.#name & SSN_NAME) !== 0) return CERTAIN
    if (ssnLabels.labels(this.#bytes, this.#start, at)) return HIGH
    const isNear = ssnWords.isNear(this.#bytes, this.#start, this.#end, at, stop)
    if (isSpaced) return isNear ? MEDIUM : -1
    return isNear ? HIGH : LOW
  }

  /** Nine digits in a row: only under a name, or behind a label. */
  #plainSsn(at: number, to: number): boolean {
    if (!this.#hasSsn || !isSsn(this.#bytes, at, at + 3, at + 5)) return false
    const isNamed = (this.#name & SSN_NAME) !== 0
    if (!isNamed && !ssnLabels.labels(this.#bytes, this.#start, at)) return false
    this.#candidates.add(at, to, code(SSN, isNamed ? CERTAIN : HIGH, STARS))
    return true
  }

  #bankNumber(at: number, to: number, length: number): void {
    const name = this.#name
    if ((name & ACCOUNT_NAME) !== 0 && length >= 6 && length <= 17) {
      this.#candidates.add(at, to, code(ROUTING, HIGH, STARS))
    } else if (length === routingDigits && isRouting(this.#bytes, at)) {
      const confidence = this.#routingConfidence(at, to)
      if (confidence >= 0) this.#candidates.add(at, to, code(ROUTING, confidence, STARS))
    } else if (length === 6 && this.#isSortCode(at)) this.#tellSortCode(at, to)
  }

  #routingConfidence(at: number, to: number): number {
    if ((this.#name & ROUTING_NAME) !== 0) return CERTAIN
    const bytes = this.#bytes
    if (routingWords.labels(bytes, this.#start, at)) return HIGH
    if (routingWords.isNear(bytes, this.#start, this.#end, at, to)) return HIGH
    return bankWords.isNear(bytes, this.#start, this.#end, at, to) ? MEDIUM : -1
  }

  /** `12-34-56` behind *sort code*: without it, that is a date. Returns its end, or 0. */
  #sortCode(at: number, to: number): number {
    const first = this.#separator(to)
    const second = to + first + 2
    const isShaped =
      first > 0 &&
      this.#areDigits(to + first, 2) &&
      this.#separator(second) === first &&
      this.#areDigits(second + first, 2)
    const stop = second + first + 2
    if (!isShaped || !this.#isBounded(stop) || !this.#isSortCode(at)) return 0
    return this.#tellSortCode(at, stop)
  }

  #isSortCode(at: number): boolean {
    return (this.#name & SORT_NAME) !== 0 || sortWords.labels(this.#bytes, this.#start, at)
  }

  /** Tells a sort code, and the account of eight digits that stands beside it in the text. */
  #tellSortCode(at: number, stop: number): number {
    const bytes = this.#bytes
    const patch = Uint8Array.from(bytes.subarray(at, stop)) // A copy, whatever `bytes` is.
    for (let i = 0; i < patch.length; i++) if (isDigit[patch[i] ?? 0] === 1) patch[i] = 0x2a
    const before = this.#eightDigits(Math.max(this.#start, at - accountReach), at)
    if (before >= 0) this.#candidates.add(before, before + 8, code(ROUTING, HIGH, STARS))
    this.#candidates.add(at, stop, code(ROUTING, HIGH, PATCH), patch)
    const after = this.#eightDigits(stop, Math.min(this.#end, stop + accountReach))
    if (after < 0) return stop
    this.#candidates.add(after, after + 8, code(ROUTING, HIGH, STARS))
    return after + 8
  }

  /** The first run of exactly eight digits in [from, to), or -1. */
  #eightDigits(from: number, to: number): number {
    const bytes = this.#bytes
    for (let i = from; i < to; i++) {
      if (isDigit[bytes[i] ?? 0] === 0) continue
      let stop = i
      while (stop < this.#end && isDigit[bytes[stop] ?? 0] === 1) stop++
      const isWhole = i === this.#start || isDigit[bytes[i - 1] ?? 0] === 0
      if (stop - i === 8 && isWhole && this.#isBounded(stop) && !this.#isInside(i)) return i
      i = stop
    }
    return -1
  }

  #areDigits(at: number, count: number): boolean {
    if (at + count > this.#end) return false
    for (let i = at; i < at + count; i++) if (isDigit[this.#bytes[i] ?? 0] === 0) return false
    return true
  }

  /** The width of a dash of any kind, or of a blank, at `at`; 0 for none. */
  #separator(at: number): number {
    const bytes = this.#bytes
    if (at >= this.#end) return 0
    const b = bytes[at] ?? 0
    if (b === dash || b === blank) return 1
    // U+2010 to U+2015, the dashes of word processors.
    const isDash = b === 0xe2 && bytes[at + 1] === 0x80 && ((bytes[at + 2] ?? 0) & 0xf8) === 0x90
    return isDash ? 3 : 0
  }
}

/**
 * Whether area, group and serial, which begin at the three offsets, can be those of a number: areas
 * 000, 666 and 900–999, group 00 and serial 0000 were never given out (SSA POMS RM 10201.035).
 */
function isSsn(bytes: Uint8Array, area: number, group: number, serial: number): boolean {
  const value = (at: number, count: number): number => {
    let sum = 0
    for (let i = at; i < at + count; i++) sum = sum * 10 + (bytes[i] ?? 0) - 48
    return sum
  }
  const a = value(area, 3)
  return a !== 0 && a !== 666 && a < 900 && value(group, 2) !== 0 && value(serial, 4) !== 0
}

/**
 * Whether the nine digits at `at` are a routing number: first two digits 00–12 (government and
 * Federal Reserve), 21–32 (thrifts), 61–72 (electronic) or 80 (traveller's cheques); weights 3-7-1
 * sum to a multiple of ten (ABA routing number policy; 12 CFR 229, appendix A).
 */
function isRouting(bytes: Uint8Array, at: number): boolean {
  const d = (i: number): number => (bytes[at + i] ?? 0) - 48
  const first = d(0) * 10 + d(1)
  const isDistrict =
    first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first === 80
  const sum = 3 * (d(0) + d(3) + d(6)) + 7 * (d(1) + d(4) + d(7)) + d(2) + d(5) + d(8)
  return isDistrict && sum > 0 && sum % 10 === 0
}

/** The digits [start, end) with zeros in front, `length` in all. */
function padded(bytes: Uint8Array, start: number, end: number, length: number): Uint8Array {
  const out = new Uint8Array(length).fill(0x30)
  out.set(bytes.subarray(start, end), length - (end - start))
  return out
}
