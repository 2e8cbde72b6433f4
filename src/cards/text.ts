/**
 * The scanner of running text: finds card numbers, tracks, verification values and PINs in bytes.
 *
 * Everything it looks for holds three digits in a row (or a digit of another script), so it looks at
 * each third byte and stops only where digits stand. The bytes may lie inside a JSON string: escapes
 * then separate words, and an escaped digit sends the neighbourhood through `normal.ts`.
 */
import { isInside, isOfDump, isOfIban, isOtherNumber } from './around.ts'
import { DIGIT, OTHER, classOf, codePointAt, widthAt } from './bytes.ts'
import {
  goesOn,
  isDigit,
  isHot,
  isJoint,
  isMask,
  isSeparator,
  isWord,
  leadsIn,
  mayJoin,
} from './bytes.ts'
import { CERTAIN, HIGH, LOW, MAGNETIC, PAN, RECORD_ONLY, SECRET_PIN } from './findings.ts'
import { MARKER, STARS, VERIFICATION, WORD, code } from './findings.ts'
import { Groups, canBegin } from './groups.ts'
import { contextReach, hasContext, isBlankLetter, labelBefore } from './labels.ts'
import { isOneDigit, passesLuhn } from './luhn.ts'
import { secretAfter } from './neighbours.ts'
import { Normal } from './normal.ts'
import { brandOf, isLuhnOptional } from './ranges.ts'
import { partlyMaskedEnd, trackEnd, trackStart } from './shapes.ts'
import { leadBefore, isSplit } from './spelling.ts'
import { weigh } from './weigh.ts'
import { CARD, CID, CONTEXT, CVV, OTHER_NUMBER, PIN, POSTAL } from './words.ts'
import type { Scan } from './scan.ts'

/** Nineteen digits with signs between them take less. */
const singlesReach = 40
/** How far behind a number `cid` is a verification value. */
const cardReach = 64

/** Scans one text at a time; keep one and use it again. */
export class TextScanner {
  readonly #scan: Scan
  readonly #digits = new Uint8Array(24)
  readonly #groups = new Groups()
  readonly #normal = new Normal()
  // The text at hand.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #hint = 0
  #levels = 0
  /** Where the last finding ended. */
  #told = 0
  /** Where the number began that was told last. */
  #begun = -1
  /** Where the value begins that was told with its number. */
  #value = -1
  // The scanner of normalised stretches, and what it needs to know of the original.
  #inner: TextScanner | undefined
  #near: Normal | undefined
  #since = 0
  #last = 0

  constructor(scan: Scan) {
    this.#scan = scan
  }

  /**
   * Adds what [start, end) holds to the findings.
   * @param levels in how many JSON strings the bytes lie, one in the other; 0 for plain text.
   * @param hint what the key or column says of it, as flags of `words.ts`.
   */
  scan(bytes: Uint8Array, start: number, end: number, levels: number, hint: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#levels = levels
    this.#hint = hint
    this.#told = start - cardReach
    this.#value = -1
    this.#begun = -1
    this.#run()
  }

  #run(): void {
    const bytes = this.#bytes
    const end = this.#end
    let done = this.#start // Invariant: what begins before `done` is dealt with.
    let i = done + 2
    for (;;) {
      while (
        i + 9 < end &&
        ((isHot[bytes[i] ?? 0] ?? 0) |
          (isHot[bytes[i + 3] ?? 0] ?? 0) |
          (isHot[bytes[i + 6] ?? 0] ?? 0) |
          (isHot[bytes[i + 9] ?? 0] ?? 0)) ===
          0
      ) {
        i += 12
      }
      while (i < end && isHot[bytes[i] ?? 0] === 0) i += 3
      if (i >= end) return
      if (isDigit[bytes[i] ?? 0] === 0) {
        const to = this.#beyondAscii(i, done)
        if (to > i) done = to
        i = Math.max(i + 3, to + 2)
        continue
      }
      let from = i
      while (from > done && isDigit[bytes[from - 1] ?? 0] === 1) from--
      let to = i + 1
      while (to < end && isDigit[bytes[to] ?? 0] === 1) to++
      // One or two digits which nothing goes on with are nothing of ours.
      const single = to - from === 1 ? this.#singles(from, done) : 0
      if (single > 0) {
        done = single
        i = done + 2
        continue
      }
      const isPair = to - from < 3 && (to >= end || goesOn[bytes[to] ?? 0] === 0)
      if (isPair && from > done && leadsIn[bytes[from - 1] ?? 0] === 0) done = to
      else done = this.#digitRun(from, to, done)
      // The next run of three begins at `done` or later, so it covers `done + 2`.
      i = done + 2
    }
  }

  /** A number told digit by digit (`4 9 0 …`) near a word of cards: the end of it, or 0. */
  #singles(at: number, min: number): number {
    const bytes = this.#bytes
    const sign = bytes[at + 1] ?? 0
    if (isSeparator[sign] === 0 || bytes[at + 3] !== sign || at + 3 >= this.#end) return 0
    const isDigitAt = (i: number): boolean =>
      i >= min && i < this.#end && isDigit[bytes[i] ?? 0] === 1
    let from = at
    while (isDigitAt(from - 2) && bytes[from - 1] === sign && at - from < singlesReach) from -= 2
    let to = at + 1
    while (isDigitAt(to + 1) && bytes[to] === sign && to - at < singlesReach) to += 2
    const length = (to - from + 1) >> 1
    if (length < 13 || length > 19 || isDigitAt(from - 1) || isDigitAt(to)) return 0
    for (let i = 0; i < length; i++) this.#digits[i] = (bytes[from + i * 2] ?? 0) & 15
    const brand = brandOf(this.#digits, length)
    if (brand === 0 || !passesLuhn(this.#digits, length) || !this.#isNear(from, to)) return 0
    this.#tell(from, to, length, HIGH)
    return to
  }

  /** A byte beyond ASCII was hit: only digits of other scripts matter, and what splits ASCII ones. */
  #beyondAscii(at: number, done: number): number {
    if (this.#near !== undefined) return at
    const bytes = this.#bytes
    const lead = leadBefore(bytes, at + 1, done)
    const meaning = classOf(codePointAt(bytes, lead))
    if (meaning === OTHER) return at
    const to = Math.min(lead + widthAt(bytes, lead), this.#end)
    const follows = to < this.#end && isDigit[bytes[to] ?? 0] === 1
    const touches = follows || (lead > this.#start && isDigit[bytes[lead - 1] ?? 0] === 1)
    return meaning >= DIGIT || touches ? this.#viaNormal(lead, to, done) : at
  }

  /** Deals with the run of digits [from, to); returns up to where the text is done. */
  #digitRun(from: number, to: number, done: number): number {
    const bytes = this.#bytes
    const end = this.#end
    if (this.#near === undefined && isSplit(bytes, this.#start, end, from, to)) {
      return this.#viaNormal(from, to, done)
    }
    const length = to - from
    if (length < 3) return to
    const next = to < end ? (bytes[to] ?? 0) : 0
    if (length >= 12 || (length >= 4 && mayJoin[next] === 1)) {
      const beyond = this.#sequence(from, to)
      if (beyond < 0) return this.#viaNormal(from, to, done)
      if (beyond > to || length >= 12) {
        // A group that begins no number may still have a label.
        const told = this.#told
        if (length <= 12 && this.#begun !== from) this.#labelled(from, to, next)
        // What follows a labelled group is a row of its own.
        return this.#told === told ? beyond : to
      }
    }
    if (length <= 8 && length >= 4 && to + 3 < end) {
      const isCut =
        isMask[next] === 1 || isMask[bytes[to + 1] ?? 0] === 1 || isMask[bytes[to + 3] ?? 0] === 1
      if (isCut && this.#partlyMasked(from, to)) return this.#told
    }
    if (length <= 12) this.#labelled(from, to, next)
    return to
  }

  /** Sends the neighbourhood of [from, to) through the normaliser; returns its end. */
  #viaNormal(from: number, to: number, done: number): number {
    const normal = this.#normal
    const beyond = normal.read(this.#bytes, this.#start, this.#end, from, to, done, this.#levels)
    const inner = (this.#inner ??= new TextScanner(this.#scan))
    inner.#near = normal
    inner.#since = done
    inner.#last = 0
    this.#scan.origins.push(normal)
    inner.scan(normal.bytes, 0, normal.length, 0, this.#hint)
    this.#scan.origins.pop()
    return Math.max(beyond, to, inner.#last)
  }

  /** Finds the numbers among the groups from [from, to) on. Returns the end of the one found, or
   *  how far there is none; -1 when only the normaliser can read on. */
  #sequence(from: number, to: number): number {
    const isColumn = (this.#hint & CARD) !== 0
    if (to - from < 12 && !isColumn && !canBegin(this.#bytes, from, to, this.#end)) return to
    const groups = this.#groups
    groups.read(this.#bytes, from, to, this.#end)
    if (this.#near !== undefined) groups.isTorn = false
    const { count } = groups
    for (let a = 0; a < count; a++) {
      let used = groups.fitting(a)
      if (used === 0) continue
      // What stands behind sixteen digits may be a date or a value.
      const isOpen = used === 5 && !isColumn && (groups.size(a + 4) < 3 || groups.isLoose(a + 3))
      if (isOpen && !groups.passes(this.#bytes, a, 5) && groups.passes(this.#bytes, a, 4)) used = 4
      if (this.#judge(a, used) || (used === 5 && this.#judge(a, 4))) return this.#told
    }
    // A column of card numbers holds them in any grouping.
    if (isColumn && count > 1 && this.#judge(0, count)) return this.#told
    if (groups.isTorn) return -1
    return count > 2 ? groups.end(count - 2) : to
  }

  /** Decides on the number made of `used` groups from `a` on, and tells it when it is one. */
  #judge(a: number, used: number): boolean {
    const groups = this.#groups
    // A last group that goes on elsewhere is not the last.
    if (groups.isTorn && a + used === groups.count) return false
    const bytes = this.#bytes
    const length = groups.fill(bytes, a, used, this.#digits)
    if (length < 12) return false
    const from = groups.start(a)
    const to = groups.end(a + used - 1)
    if (used === 1 && this.#track(from, to, length)) return true
    if ((this.#hint & CARD) !== 0) return this.#tell(from, to, length, CERTAIN)
    const brand = isOneDigit(this.#digits, length) ? 0 : brandOf(this.#digits, length)
    const isPlain = brand > 0 && !isInside(bytes, this.#start, this.#end, from, to)
    const confidence = isPlain ? this.#weigh(a, used, length, brand) : -1
    if (confidence > LOW) return this.#tell(from, to, length, confidence)
    // A label that says card makes the weakest number certain.
    const isNamed = (labelBefore(this.#scan.names, bytes, this.#start, from) & CARD) !== 0
    if (isNamed) return this.#tell(from, to, length, CERTAIN)
    return confidence === LOW && this.#tell(from, to, length, LOW)
  }

  /** How sure it is that the digits at hand, made of `used` groups from `a` on, are a card number. */
  #weigh(a: number, used: number, length: number, brand: number): number {
    const passes = passesLuhn(this.#digits, length)
    if (!passes && !isLuhnOptional(brand)) return -1
    const groups = this.#groups
    const from = groups.start(a)
    const to = groups.end(a + used - 1)
    if (used > 1 && isOfIban(this.#bytes, this.#start, from)) return -1
    const isNamedOther = used === 1 && this.#isNamedOther(from)
    const isNear = isNamedOther ? this.#isNearOnLine(from, to) : this.#isNear(from, to)
    if (!isNear) {
      if (used > 1 && isOfDump(this.#bytes, this.#start, from)) return -1
      if (used > 1 && (groups.isOdd(a, used) || groups.isCrowded(this.#bytes, a, used))) return -1
      if (isOtherNumber(this.#bytes, this.#start, from, length)) return -1
    }
    return weigh({ brand, passesLuhn: passes, isNear, isNamedOther, isGrouped: used > 1 })
  }

  /** The same on the line of the number only: its own label stands nearer than any other word. */
  #isNearOnLine(from: number, to: number): boolean {
    if ((this.#hint & CONTEXT) !== 0) return true
    let end = to
    while (end < this.#end && end - to < contextReach && !this.#isLineEnd(end)) end++
    const start = this.#lineStart(from)
    return hasContext(this.#scan.names, this.#bytes, start, end, from, to)
  }

  /** Its key, or a label on its line, names a number of another kind. */
  #isNamedOther(from: number): boolean {
    if ((this.#hint & OTHER_NUMBER) !== 0) return true
    const start = this.#lineStart(from)
    return (labelBefore(this.#scan.names, this.#bytes, start, from) & OTHER_NUMBER) !== 0
  }

  #lineStart(from: number): number {
    let start = from
    while (start > this.#start && from - start < contextReach && !this.#isLineEnd(start - 1))
      start--
    return start
  }

  #isLineEnd(at: number): boolean {
    const b = this.#bytes[at] ?? 0
    return b === 0x0a || (b === 0x5c && isBlankLetter(this.#bytes[at + 1] ?? 0))
  }

  /** Whether the key, or a word near it, speaks of cards. */
  #isNear(from: number, to: number): boolean {
    if ((this.#hint & CONTEXT) !== 0) return true
    return hasContext(this.#scan.names, this.#bytes, this.#start, this.#end, from, to)
  }

  /** A verification value or PIN with its label in front. */
  #labelled(from: number, to: number, next: number): void {
    const bytes = this.#bytes
    const before = from > this.#start ? (bytes[from - 1] ?? 0) : 0
    const isEscape = isBlankLetter(before) && from - 2 >= this.#start && bytes[from - 2] === 0x5c
    if (
      (isJoint[before] === 0 && before < 0x80 && !isEscape) ||
      (isWord[next] === 1 && next < 0x80)
    )
      return
    // `12.5`, `2024-01`, `10:30` are no values of this kind.
    const isLonger = next === 0x2e || next === 0x2d || next === 0x2f || next === 0x3a
    if (isLonger && to + 1 < this.#end && isDigit[bytes[to + 1] ?? 0] === 1) return
    const meaning = labelBefore(this.#scan.names, bytes, this.#start, from)
    if (meaning === 0) return
    if (from === this.#value) return
    const length = to - from
    const isBeside = this.#isNear(from, to) || from - this.#told < cardReach
    const isValue = (meaning & CVV) !== 0 || ((meaning & CID) !== 0 && isBeside)
    if (isValue && length <= 4) this.#found(from, to, code(VERIFICATION, HIGH, WORD))
    else if ((meaning & PIN) !== 0 && length >= 4) {
      if ((meaning & POSTAL) !== 0 && length === 6 && !this.#isNear(from, to)) return
      this.#found(from, to, code(SECRET_PIN, HIGH, WORD))
    }
  }

  /** `411111******1111`: left on delivery, reduced to the last four in the record. */
  #partlyMasked(from: number, to: number): boolean {
    const end = partlyMaskedEnd(this.#bytes, from, to, this.#end)
    if (end < 0) return false
    let last4 = 0
    for (let i = end - 4; i < end; i++) last4 = last4 * 10 + ((this.#bytes[i] ?? 0) & 15)
    this.#found(from, end, code(PAN, HIGH, STARS) | RECORD_ONLY, 0, last4)
    return this.#told === end
  }

  /** Whole track data round the number [from, to). */
  #track(from: number, to: number, length: number): boolean {
    const end = trackEnd(this.#bytes, this.#start, this.#end, from, to)
    if (end < 0) return false
    const start = trackStart(this.#bytes, this.#start, from)
    const fits = brandOf(this.#digits, length) !== 0 && passesLuhn(this.#digits, length)
    if (start === from && !fits) return false
    this.#found(start, end, code(MAGNETIC, CERTAIN, MARKER))
    return true
  }

  #tell(from: number, to: number, length: number, confidence: number): true {
    this.#begun = from
    const digits = this.#digits
    this.#found(from, to, code(PAN, confidence, STARS, brandOf(digits, length)), length)
    const value = secretAfter(this.#bytes, to, this.#end)
    if (value > 0) {
      const start = Math.floor(value / 16)
      this.#found(start, start + (value % 16), code(VERIFICATION, HIGH, WORD))
      // What stands between may have labels of its own; the value is not told twice.
      this.#value = start
      this.#told = to
    }
    return true
  }

  /** @param length of a card number whose digits are at hand; 0 for anything else. */
  #found(start: number, end: number, what: number, length = 0, last4 = -1): void {
    const near = this.#near
    this.#told = end
    if (near !== undefined) {
      // What stands before was dealt with when the text itself was scanned.
      if (near.startOf(start) < this.#since) return
      this.#last = near.endOf(end)
    }
    if (length > 0) this.#scan.card(start, end, what, this.#digits, length)
    else this.#scan.found(start, end, what, last4)
  }
}
