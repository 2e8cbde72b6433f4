/**
 * The scanner of running text: finds card numbers, tracks, verification values and PINs in bytes.
 *
 * Everything it looks for holds three digits in a row (or a digit of another script), so it looks at
 * each third byte and stops only where digits stand. The bytes may lie inside a JSON string: escapes
 * then separate words, and an escaped digit sends the neighbourhood through `normal.ts`.
 */
import { DIGIT, OTHER, classOf, codePointAt, hexAt, hexValue, widthAt } from './bytes.ts'
import { isDigit, isHot, isJoint, isLetter, isMask, isPlain, isSeparator, isWord } from './bytes.ts'
import { CERTAIN, HIGH, MAGNETIC, MEDIUM, PAN, RECORD_ONLY, SECRET_PIN } from './findings.ts'
import { MARKER, STARS, VERIFICATION, WORD, code } from './findings.ts'
import { passesLuhn } from './luhn.ts'
import { Normal } from './normal.ts'
import { brandOf, isLuhnOptional } from './ranges.ts'
import { secretAfter, trackEnd, trackStart } from './shapes.ts'
import { CARD, CID, CONTEXT, CVV, FILLER, PIN, SECRET } from './words.ts'
import type { Scan } from './findings.ts'

const backslash = 0x5c
const groupsMax = 12
const labelReach = 40
const contextReach = 40

/** Scans one text at a time; keep one and use it again. */
export class TextScanner {
  readonly #scan: Scan
  readonly #digits = new Uint8Array(24)
  readonly #starts = new Int32Array(groupsMax)
  readonly #ends = new Int32Array(groupsMax)
  readonly #gaps = new Uint8Array(groupsMax) // the separator behind group i
  readonly #normal = new Normal()
  // The text at hand. A sweep only asks for what is a card number by itself, as it stands.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #hint = 0
  #levels = 0
  #isNormal = false
  #isSweep = false
  #swept = -1
  /** The groups last read may go on in a spelling that only the normaliser reads. */
  #isTorn = false
  #allowed: Int32Array = new Int32Array(0)
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
    this.#run()
  }

  /**
   * Looks for a card number that stands in [0, length) as it is, without key or context.
   * @param allowed pairs of start and end, ascending, in which one may stand.
   * @returns the offset of the first one elsewhere, or -1.
   */
  sweep(bytes: Uint8Array, allowed: Int32Array): number {
    this.#isSweep = true
    this.#swept = -1
    this.#allowed = allowed
    this.#bytes = bytes
    this.#start = 0
    this.#end = bytes.length
    this.#hint = 0
    this.#sweepRun()
    this.#isSweep = false
    return this.#swept
  }

  /** A number by itself has four digits in a row, so each fourth byte is enough. */
  #sweepRun(): void {
    const bytes = this.#bytes
    const end = this.#end
    let done = 0
    let i = 3
    for (;;) {
      while (
        i + 12 < end &&
        ((isDigit[bytes[i] ?? 0] ?? 0) |
          (isDigit[bytes[i + 4] ?? 0] ?? 0) |
          (isDigit[bytes[i + 8] ?? 0] ?? 0) |
          (isDigit[bytes[i + 12] ?? 0] ?? 0)) ===
          0
      ) {
        i += 16
      }
      while (i < end && isDigit[bytes[i] ?? 0] === 0) i += 4
      if (i >= end) return
      let from = i
      while (from > done && isDigit[bytes[from - 1] ?? 0] === 1) from--
      let to = i + 1
      while (to < end && isDigit[bytes[to] ?? 0] === 1) to++
      done = to
      const length = to - from
      const next = to < end ? (bytes[to] ?? 0) : 0
      if (length >= 12 || (length >= 4 && isSeparator[next] !== 0)) {
        if (this.#isSplit(from, to, next)) done = to
        else done = Math.max(to, this.#sequence(from, to))
        if (this.#swept >= 0) return
      }
      i = done + 3
    }
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
      if (i >= end) break
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
      // One or two digits between plain characters: nothing of ours.
      if (to - from < 3 && isPlain[bytes[to] ?? 0] === 1 && isPlain[bytes[from - 1] ?? 0] === 1) {
        done = to
        i = to + 2
        continue
      }
      done = this.#digitRun(from, to, done)
      // The next run of three begins at `done` or later, so it covers `done + 2`.
      i = done + 2
    }
  }

  /** A byte beyond ASCII was hit: only digits of other scripts matter, and what splits ASCII ones. */
  #beyondAscii(at: number, done: number): number {
    if (this.#isNormal) return at
    const bytes = this.#bytes
    let lead = at
    while (lead > done && lead > at - 3 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--
    const meaning = classOf(codePointAt(bytes, lead))
    const to = lead + widthAt(bytes, lead)
    if (meaning === OTHER) return at
    const touches = isDigit[bytes[lead - 1] ?? 0] === 1 || isDigit[bytes[to] ?? 0] === 1
    return meaning >= DIGIT || touches ? this.#viaNormal(lead, Math.min(to, this.#end), done) : at
  }

  /** Deals with the run of digits [from, to); returns up to where the text is done. */
  #digitRun(from: number, to: number, done: number): number {
    const bytes = this.#bytes
    const next = to < this.#end ? (bytes[to] ?? 0) : 0
    const before = from > this.#start ? (bytes[from - 1] ?? 0) : 0
    if (this.#isSplit(from, to, next)) return this.#viaNormal(from, to, done)
    const length = to - from
    if (length < 3) return to
    if (length >= 12 || (length >= 4 && isSeparator[next] !== 0)) {
      this.#isTorn = false
      const beyond = this.#sequence(from, to)
      if (this.#isTorn) return this.#viaNormal(from, to, done)
      if (beyond > to) return beyond
      if (beyond === to && length >= 12) return to
    }
    const isCut =
      isMask[next] === 1 || isMask[bytes[to + 1] ?? 0] === 1 || isMask[bytes[to + 3] ?? 0] === 1
    if (isCut && length <= 8 && length >= 4) {
      const masked = this.#partlyMasked(from, to)
      if (masked > 0) return masked
    }
    if (length <= 12) this.#labelled(from, to, before, next)
    return to
  }

  /** Whether escapes, or what is beyond ASCII, go on with the run [from, to). */
  #isSplit(from: number, to: number, next: number): boolean {
    if (this.#isNormal) return false
    const before = from > this.#start ? (this.#bytes[from - 1] ?? 0) : 0
    if (isPlain[before] === 1 && isPlain[next] === 1) return false
    return (
      ((next >= 0x80 || next === backslash) && this.#matters(to)) ||
      (before >= 0x80 && this.#mattersBefore(from)) ||
      (isLetter[before] === 1 && this.#isEscaped(from, to))
    )
  }

  /** Whether what stands at `at` (beyond ASCII, or an escape) can belong to a number. */
  #matters(at: number): boolean {
    const bytes = this.#bytes
    if (at >= this.#end) return false
    if ((bytes[at] ?? 0) >= 0x80) return classOf(codePointAt(bytes, at)) !== OTHER
    let u = at
    while (bytes[u] === backslash) u++
    if (u === at || bytes[u] !== 0x75) return false
    const unit = hexAt(bytes, u + 1)
    // A surrogate may be the first half of a digit; `=` and `^` divide a track.
    return unit >= 0 && (isSignificant(unit) || (unit & 0xf800) === 0xd800)
  }

  #mattersBefore(at: number): boolean {
    const bytes = this.#bytes
    if (at <= this.#start) return false
    return classOf(codePointAt(bytes, leadBefore(bytes, at, this.#start))) !== OTHER
  }

  /** Whether the run [from, to) begins among the hex digits of an escape and is, or goes on with,
   *  something that can belong to a number. */
  #isEscaped(from: number, to: number): boolean {
    const bytes = this.#bytes
    const min = Math.max(this.#start + 1, from - 4)
    for (let u = from - 1; u >= min; u--) {
      if (bytes[u] === 0x75 && bytes[u - 1] === backslash) {
        return to > u + 5 || this.#matters(u - 1)
      }
      if (hexValue[bytes[u] ?? 0] === 0) return false
    }
    return false
  }

  /** Sends the neighbourhood of [from, to) through the normaliser; returns its end. */
  #viaNormal(from: number, to: number, done: number): number {
    const normal = this.#normal
    const beyond = normal.read(this.#bytes, this.#start, this.#end, from, to, done, this.#levels)
    this.#inner ??= new TextScanner(this.#scan)
    this.#inner.#isNormal = true
    this.#scan.origins.push(normal)
    const last = this.#inner.#ofNormal(normal, this.#hint, done)
    this.#scan.origins.pop()
    return Math.max(beyond, to, last)
  }

  /** @returns the end of the last finding, in the original's offsets. */
  #ofNormal(normal: Normal, hint: number, done: number): number {
    this.#since = done
    this.#last = 0
    this.#near = normal
    this.scan(normal.bytes, 0, normal.length, 0, hint)
    return this.#last
  }

  /** Groups of digits from `from` on: finds the numbers among them. Returns the end of the last
   *  group that was read, or of the number found. */
  #sequence(from: number, to: number): number {
    if (to - from < 12 && (this.#hint & CARD) === 0 && !this.#canStart(from, to)) return to
    const count = this.#readGroups(from, to)
    for (let a = 0; a < count; a++) {
      const used = this.#numberAt(a, count)
      if (used > 0) {
        this.#isTorn = false
        return this.#ends[a + used - 1] ?? to
      }
    }
    // A column of card numbers holds them in any grouping.
    if ((this.#hint & CARD) !== 0 && count > 1 && this.#judge(0, count, count)) {
      this.#isTorn = false
      return this.#ends[count - 1] ?? to
    }
    return count > 2 ? (this.#ends[count - 2] ?? to) : to
  }

  /** Notes when the groups may go on at `at` in escapes or beyond ASCII. */
  #tear(at: number): void {
    if (this.#isNormal || this.#isSweep || at >= this.#end) return
    const b = this.#bytes[at] ?? 0
    if ((b >= 0x80 || b === backslash) && this.#matters(at)) this.#isTorn = true
  }

  /** Whether a first group of this size can begin a number, by the size of the second. */
  #canStart(from: number, to: number): boolean {
    const bytes = this.#bytes
    const start = to + (bytes[to + 1] === bytes[to] ? 2 : 1)
    let stop = start
    while (stop < this.#end && isDigit[bytes[stop] ?? 0] === 1) stop++
    const b = bytes[start] ?? 0
    if (b >= 0x80 || b === backslash || bytes[stop] === backslash || (bytes[stop] ?? 0) >= 0x80)
      return true
    const first = to - from
    const second = stop - start
    if (first === 4) return second === 4 || second === 6
    return (first === 6 && second === 13) || (first === 8 && second === 8)
  }

  #readGroups(from: number, to: number): number {
    const bytes = this.#bytes
    const end = this.#end
    const widest = (this.#hint & CARD) === 0 ? 1 : 2
    let start = from
    let stop = to
    let count = 0
    for (;;) {
      this.#starts[count] = start
      this.#ends[count] = stop
      const separator = stop < end ? (bytes[stop] ?? 0) : 0
      const meaning = isSeparator[separator] ?? 0
      this.#gaps[count++] = separator
      if (count === groupsMax || meaning === 0 || meaning > widest) {
        this.#tear(stop)
        break
      }
      start = stop + (bytes[stop + 1] === separator ? 2 : 1)
      if (start >= end || isDigit[bytes[start] ?? 0] === 0) {
        this.#tear(start)
        break
      }
      stop = start + 1
      while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
    }
    return count
  }

  /** How many groups from `a` on make a card number that is to be masked; 0 for none. */
  #numberAt(a: number, count: number): number {
    const size = (i: number): number =>
      i < count ? (this.#ends[i] ?? 0) - (this.#starts[i] ?? 0) : 0
    const first = size(a)
    if (first >= 12) return first <= 19 && this.#judge(a, 1, count) ? 1 : 0
    const joined = this.#joined(a, count)
    if (joined < 2) return 0
    const second = size(a + 1)
    if (first === 4 && second === 4 && joined >= 4 && size(a + 2) === 4) {
      const fourth = size(a + 3)
      const fifth = joined >= 5 ? size(a + 4) : 0
      if (fourth === 4 && fifth >= 1 && fifth <= 3 && this.#judge(a, 5, count)) return 5
      return fourth <= 4 && this.#judge(a, 4, count) ? 4 : 0
    }
    if (first === 4 && second === 6 && joined >= 3) {
      const third = size(a + 2)
      return (third === 5 || third === 4) && this.#judge(a, 3, count) ? 3 : 0
    }
    const isPair = (first === 6 && second === 13) || (first === 8 && second === 8)
    return isPair && this.#judge(a, 2, count) ? 2 : 0
  }

  /** How many groups from `a` on are joined by one kind of separator. */
  #joined(a: number, count: number): number {
    let n = 1
    while (a + n < count && this.#gaps[a + n - 1] === this.#gaps[a]) n++
    return n
  }

  /** Decides on the number made of `used` groups from `a` on, and tells it when it is one. */
  #judge(a: number, used: number, count: number): boolean {
    const from = this.#starts[a] ?? 0
    const to = this.#ends[a + used - 1] ?? 0
    const length = this.#fill(a, used)
    if (length < 12) return false
    if (used === 1 && !this.#isSweep && this.#track(from, to, length)) return true
    const hint = this.#hint
    if ((hint & CARD) !== 0) return this.#tell(from, to, length, CERTAIN)
    const brand = brandOf(this.#digits, length)
    if (brand === 0 || isOneDigit(this.#digits, length)) {
      return this.#isNamed(from) && this.#tell(from, to, length, CERTAIN)
    }
    const passes = passesLuhn(this.#digits, length)
    const isCrowded = used > 1 && count > used + 3
    const isLone = this.#standsAlone(from, to, length)
    if (passes && brand < 128 && isLone && !isCrowded) {
      const isHigh =
        !this.#isSweep && (used > 1 || (hint & CONTEXT) !== 0 || this.#hasContext(from, to))
      return this.#tell(from, to, length, isHigh ? HIGH : MEDIUM)
    }
    if (this.#isSweep || this.#isInside(from, to)) return false
    if (passes || isLuhnOptional(brand)) {
      const isNear = (hint & CONTEXT) !== 0 || this.#hasContext(from, to)
      if (isNear) return this.#tell(from, to, length, HIGH)
    }
    return this.#isNamed(from) && this.#tell(from, to, length, CERTAIN)
  }

  #fill(a: number, used: number): number {
    const bytes = this.#bytes
    let length = 0
    for (let i = a; i < a + used; i++) {
      const stop = this.#ends[i] ?? 0
      for (let at = this.#starts[i] ?? 0; at < stop; at++) {
        if (length === 19) return 0
        this.#digits[length++] = (bytes[at] ?? 0) & 15
      }
    }
    return length
  }

  /** Whether a label such as `card number:` stands directly before. */
  #isNamed(from: number): boolean {
    return !this.#isSweep && (this.#label(from) & CARD) !== 0
  }

  /** No decimal, phone number, UUID, hex word or IBAN around it. */
  #standsAlone(from: number, to: number, length: number): boolean {
    const bytes = this.#bytes
    const before = from > this.#start ? (bytes[from - 1] ?? 0) : 0
    if (before === 0x2b && length <= 15) return false // +
    if (before === 0x23) return false // #
    return !this.#isInside(from, to)
  }

  /** Whether the digits are a part of something longer which is no card number. */
  #isInside(from: number, to: number): boolean {
    const bytes = this.#bytes
    const before = from > this.#start ? (bytes[from - 1] ?? 0) : 0
    const after = to < this.#end ? (bytes[to] ?? 0) : 0
    const isDecimal =
      before === 0x2e && from - 2 >= this.#start && isDigit[bytes[from - 2] ?? 0] === 1
    if (isDecimal) return true
    if (after === 0x2e && to + 1 < this.#end && isDigit[bytes[to + 1] ?? 0] === 1) {
      let zero = to + 1
      while (zero < this.#end && bytes[zero] === 0x30) zero++
      if (zero < this.#end && isDigit[bytes[zero] ?? 0] === 1) return true
    }
    const isWordy =
      isLetter[before] === 1 || isLetter[after] === 1 || before === 0x2d || after === 0x2d
    return isWordy && isLongerWord(bytes, this.#start, this.#end, from, to)
  }

  #hasContext(from: number, to: number): boolean {
    return (
      this.#meansCard(Math.max(this.#start, from - contextReach), from) ||
      this.#meansCard(to, Math.min(this.#end, to + contextReach))
    )
  }

  #meansCard(from: number, to: number): boolean {
    const { names } = this.#scan
    const bytes = this.#bytes
    for (let i = from; i < to; i++) {
      if (isWord[bytes[i] ?? 0] === 0 || isDigit[bytes[i] ?? 0] === 1) continue
      let end = i + 1
      while (end < to && isWord[bytes[end] ?? 0] === 1) end++
      if (end - i >= 3 && (names.of(names.id(bytes, i, end)) & CONTEXT) !== 0) return true
      // `\n` and its like are glued to the word behind them.
      const isEscape = i > from && bytes[i - 1] === backslash
      if (isEscape && (names.of(names.id(bytes, i + 1, end)) & CONTEXT) !== 0) return true
      i = end
    }
    return false
  }

  /** The meanings of the words directly before `at`: `CVV: 123`, `security code is 123`. */
  #label(at: number): number {
    const { names } = this.#scan
    const bytes = this.#bytes
    const min = Math.max(this.#start, at - labelReach)
    const ends = [0, 0, 0, 0]
    let p = at
    for (let words = 0; words < 4; words++) {
      for (let step = 1; step > 0 && p > min; p -= step) step = this.#jointBefore(p, min)
      if (p <= min) return 0
      ends[words] = p
      for (let step = 1; step > 0 && p > min; p -= step) step = this.#letterBefore(p, min)
      // The letter of an escape such as `\n` belongs to no word.
      const from = p > min && bytes[p - 1] === backslash ? p + 1 : p
      for (let w = 0; w <= words; w++) {
        const end = ends[w] ?? 0
        for (const start of from === p ? [p] : [p, from]) {
          if (end <= start) continue
          const meaning = names.of(names.id(bytes, start, end))
          if ((meaning & (SECRET | CARD | CID)) !== 0) return meaning
          if (w === words && start === p && (meaning & FILLER) === 0) return 0
        }
      }
    }
    return 0
  }

  /** How many bytes before `at` may stand between a label and its value; 0 for none. */
  #jointBefore(at: number, min: number): number {
    const b = this.#bytes[at - 1] ?? 0
    if (b < 0x80) return isJoint[b] ?? 0
    const lead = leadBefore(this.#bytes, at, min)
    return classOf(codePointAt(this.#bytes, lead)) === OTHER ? 0 : at - lead
  }

  /** How many bytes before `at` are a letter or digit of a word; 0 for none. */
  #letterBefore(at: number, min: number): number {
    const b = this.#bytes[at - 1] ?? 0
    if (b < 0x80) return isWord[b] ?? 0
    const lead = leadBefore(this.#bytes, at, min)
    return classOf(codePointAt(this.#bytes, lead)) === OTHER ? at - lead : 0
  }

  /** A verification value or PIN with its label in front. */
  #labelled(from: number, to: number, before: number, next: number): void {
    const length = to - from
    if (isJoint[before] === 0 || isWord[next] === 1) return
    const isBroken = next === 0x2e || next === 0x2d || next === 0x2f || next === 0x3a
    if (isBroken && isDigit[this.#bytes[to + 1] ?? 0] === 1 && to + 1 < this.#end) return
    const meaning = this.#label(from)
    if (meaning === 0) return
    const isValue = (meaning & CVV) !== 0 || ((meaning & CID) !== 0 && this.#hasContext(from, to))
    if (isValue && length <= 4) this.#found(from, to, code(VERIFICATION, HIGH, WORD), -1)
    else if ((meaning & PIN) !== 0 && length >= 4) {
      this.#found(from, to, code(SECRET_PIN, HIGH, WORD), -1)
    }
  }

  /** `411111******1111`: left on delivery, reduced to the last four in the record. */
  #partlyMasked(from: number, to: number): number {
    const bytes = this.#bytes
    const end = Math.min(this.#end, from + 40)
    const counts = [0, 0, 0] // digits, then masks, then digits
    let part = 0
    let mask = 0
    let at = from
    let last = from
    for (; at < end; at++) {
      const b = bytes[at] ?? 0
      if (isDigit[b] === 1) {
        if (part === 1) part = 2
      } else if (isMask[b] === 1 && part < 2 && (mask === 0 || mask === b)) {
        part = 1
        mask = b
      } else if (isSeparator[b] === 1 && isSeparator[bytes[at - 1] ?? 0] === 0) continue
      else break
      counts[part] = (counts[part] ?? 0) + 1
      last = at + 1
      if (part === 0 && at >= to + 4) return 0
    }
    const [head = 0, hidden = 0, tail = 0] = counts
    const total = head + hidden + tail
    const isOne = head >= 6 && head <= 8 && hidden >= 3 && tail === 4 && total >= 12 && total <= 19
    if (!isOne || isWord[bytes[last] ?? 0] === 1) return 0
    const last4 = Number(Buffer.from(bytes.subarray(last - 4, last)).toString('latin1'))
    this.#found(from, last, code(PAN, HIGH, STARS) | RECORD_ONLY, Number.isNaN(last4) ? -1 : last4)
    return last
  }

  /** Whole track data round the number [from, to). */
  #track(from: number, to: number, length: number): boolean {
    const end = trackEnd(this.#bytes, this.#start, this.#end, from, to)
    if (end < 0) return false
    const start = trackStart(this.#bytes, this.#start, from)
    const isClear =
      start < from || (brandOf(this.#digits, length) !== 0 && passesLuhn(this.#digits, length))
    if (!isClear) return false
    this.#found(start, end, code(MAGNETIC, CERTAIN, MARKER), -1)
    this.#ends.fill(end)
    return true
  }

  #tell(from: number, to: number, length: number, confidence: number): true {
    const digits = this.#digits
    let last4 = 0
    for (let i = length - 4; i < length; i++) last4 = last4 * 10 + (digits[i] ?? 0)
    this.#found(from, to, code(PAN, confidence, STARS, brandOf(digits, length)), last4)
    if (this.#isSweep) return true
    const value = secretAfter(this.#bytes, to, this.#end)
    if (value > 0) {
      const start = Math.floor(value / 16)
      const stop = start + (value % 16)
      this.#found(start, stop, code(VERIFICATION, HIGH, WORD), -1)
      this.#ends.fill(stop)
    }
    return true
  }

  #found(start: number, end: number, what: number, last4: number): void {
    if (this.#isSweep) {
      if (this.#swept < 0 && !isAllowed(this.#allowed, start, end)) this.#swept = start
      return
    }
    const near = this.#near
    if (near !== undefined) {
      // What stands before was dealt with when the text itself was scanned.
      if (near.startOf(start) < this.#since) return
      this.#last = near.endOf(end)
    }
    this.#scan.found(start, end, what, last4)
  }
}

/** Where the UTF-8 sequence begins that ends in front of `at`. */
function leadBefore(bytes: Uint8Array, at: number, min: number): number {
  let lead = at - 1
  while (lead > min && lead > at - 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--
  return lead
}

function isSignificant(unit: number): boolean {
  if (unit >= 0x80) return classOf(unit) !== OTHER
  return isDigit[unit] === 1 || isSeparator[unit] === 1 || unit === 0x3d || unit === 0x5e
}

function isOneDigit(digits: Uint8Array, length: number): boolean {
  for (let i = 1; i < length; i++) if (digits[i] !== digits[0]) return false
  return true
}

function isAllowed(allowed: Int32Array, start: number, end: number): boolean {
  for (let i = 0; i < allowed.length; i += 2) {
    if ((allowed[i] ?? 0) <= start && end <= (allowed[i + 1] ?? 0)) return true
  }
  return false
}

/** A UUID, or a hex word of 24 digits and more with letters in it. */
function isLongerWord(b: Uint8Array, min: number, max: number, from: number, to: number): boolean {
  let start = from
  while (
    start > min &&
    from - start < 64 &&
    (hexValue[b[start - 1] ?? 0] !== 0 || b[start - 1] === 0x2d)
  )
    start--
  let end = to
  while (end < max && end - to < 64 && (hexValue[b[end] ?? 0] !== 0 || b[end] === 0x2d)) end++
  let letters = 0
  let dashes = 0
  for (let i = start; i < end; i++) {
    if (b[i] === 0x2d) dashes++
    else if (isDigit[b[i] ?? 0] === 0) letters++
  }
  const length = end - start
  if (dashes === 0) return length >= 24 && letters >= 3
  return (
    dashes === 4 &&
    length === 36 &&
    b[start + 8] === 0x2d &&
    b[start + 13] === 0x2d &&
    b[start + 23] === 0x2d
  )
}
