/** One value with its name known: what a key or column says is weighed against what stands there. */
import { blockBytesMin, eachBlock } from './blocks.ts'
import { isDigit, isLetter, isSeparator, hexValue } from './bytes.ts'
import { CERTAIN, HIGH, DIGITS, MAGNETIC, MARKER, PAN, SECRET_PIN, STARS } from './findings.ts'
import { VERIFICATION, WORD, ZERO, code } from './findings.ts'
import { eachTag } from './emv.ts'
import { Layers } from './layers.ts'
import { isOneDigit, passesLuhn } from './luhn.ts'
import { Normal } from './normal.ts'
import { wholeOf } from './number.ts'
import { brandOf } from './ranges.ts'
import { BEYOND, ESCAPED, LONG_HEX, MIXED_HEX, signsOf } from './signs.ts'
import { Unescaped } from './unescape.ts'
import { weigh } from './weigh.ts'
import { isDigitForm } from './write.ts'
import { BLOCK, CARD, CONTEXT, CVV, OTHER_NUMBER, PIN, POSTAL, SECRET, TRACK } from './words.ts'
import type { AlsoScanner } from './also/scanner.ts'
import type { Scan } from './scan.ts'
import type { Whole } from './number.ts'
import type { TextScanner } from './text.ts'

const backslash = 0x5c
const columnBytesMax = 1024
/** Nineteen digits with signs between them. */
const wholeBytesMax = 64
/** Longer values hold more than a secret. */
const secretBytesMax = 12

/** Whether so many digits under a name are a PIN; where it may be a postal code, six are that one. */
function isPin(meaning: number, length: number): boolean {
  if ((meaning & PIN) === 0 || length < 4 || length > 12) return false
  return (meaning & POSTAL) === 0 || length !== 6 || (meaning & CONTEXT) !== 0
}

export class ValueScanner {
  /** Detectors beyond card data; undefined for none. */
  readonly also: AlsoScanner | undefined
  readonly #scan: Scan
  readonly #text: TextScanner
  readonly #normal = new Normal()
  readonly #layers: Layers
  readonly #whole: Whole = { length: 0, digits: new Uint8Array(40) }

  constructor(scan: Scan, text: TextScanner, also?: AlsoScanner) {
    this.also = also
    this.#scan = scan
    this.#text = text
    this.#layers = new Layers(scan, (bytes, length, meaning) =>
      this.#asText(bytes, 0, length, 0, meaning, signsOf(bytes, 0, length)),
    )
  }

  /** Scans the inside of a string. `levels` and `meaning` as in `TextScanner.scan`. */
  string(bytes: Uint8Array, start: number, end: number, levels: number, meaning: number): void {
    if (this.#scan.isQuiet(start, end)) return
    const signs = signsOf(bytes, start, end)
    if (levels > 0 && (signs & ESCAPED) !== 0) this.#unescaped(bytes, start, end, levels, meaning)
    else this.#plain(bytes, start, end, levels, meaning, signs)
    if (this.also !== undefined) this.#further(bytes, start, end, levels)
  }

  /** What the further detectors find beside card data, in the text without its quoting. */
  #further(b: Uint8Array, start: number, end: number, levels: number): void {
    const { origins } = this.#scan
    const depth = origins.length
    const name = this.#scan.nameText()
    let [text, from, to] = [b, start, end]
    for (let level = 0; level < levels && text.subarray(from, to).includes(backslash); level++) {
      const inner = new Unescaped(text, from, to)
      origins.push(inner)
      ;[text, from, to] = [inner.bytes, 0, inner.length]
    }
    this.also?.scan(text, from, to, name)
    origins.length = depth
  }

  /** A string with characters written as escapes, read without its quoting. */
  #unescaped(b: Uint8Array, start: number, end: number, levels: number, meaning: number): void {
    const { origins } = this.#scan
    const depth = origins.length
    let [text, from, to] = [b, start, end]
    for (let level = 0; level < levels; level++) {
      const inner = new Unescaped(text, from, to)
      origins.push(inner)
      ;[text, from, to] = [inner.bytes, 0, inner.length]
    }
    this.#plain(text, from, to, 0, meaning, signsOf(text, from, to))
    origins.length = depth
  }

  #plain(
    b: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
    signs: number,
  ): void {
    const since = this.#scan.findings.count
    this.#asText(b, start, end, levels, meaning, signs)
    if ((signs & LONG_HEX) !== 0) this.#named(b, start, end, since, signs)
    this.#layers.scan(b, start, end, levels, signs, since, meaning)
  }

  /** PIN blocks with their label, and the tags of EMV. */
  #named(bytes: Uint8Array, start: number, end: number, since: number, signs: number): void {
    const scan = this.#scan
    const tell = (from: number, to: number, what: number): void => {
      scan.overlay(since)
      scan.found(from, to, what, -1)
      scan.overlay(-1)
    }
    if (end - start >= blockBytesMin)
      eachBlock(bytes, start, end, (from, to) => tell(from, to, code(SECRET_PIN, HIGH, WORD)))
    if ((signs & MIXED_HEX) === 0) return
    eachTag(bytes, start, end, (from, to, isTrack) => {
      const { digits } = this.#whole
      let length = 0
      while (length < 19 && isDigit[bytes[from + length] ?? 0] === 1 && from + length < to) {
        digits[length] = (bytes[from + length] ?? 0) & 15
        length++
      }
      const brand = brandOf(digits, length)
      if (brand === 0 || !passesLuhn(digits, length)) return
      if (isTrack) tell(from, to, code(MAGNETIC, CERTAIN, MARKER))
      else {
        scan.overlay(since)
        scan.card(from, to, code(PAN, HIGH, STARS, brand), digits, length)
        scan.overlay(-1)
      }
    })
  }

  #asText(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
    signs: number,
  ): void {
    const since = this.#scan.findings.count
    if ((meaning & SECRET) !== 0 && this.#secret(bytes, start, end, levels, meaning)) {
      // `123 / 4…`: what stands beside the value is looked at as well.
      if (end - start <= secretBytesMax) return
      this.#scan.overlay(since)
      this.#text.scan(bytes, start, end, levels, meaning & (CARD | CONTEXT))
      this.#scan.overlay(-1)
      return
    }
    if ((meaning & CARD) !== 0 && this.#asWhole(bytes, start, end)) return
    if (end - start < 3) return
    const hint = meaning & (CARD | CONTEXT | OTHER_NUMBER)
    const isRaised = (meaning & CARD) !== 0 && (signs & BEYOND) !== 0
    if (isRaised && end - start <= columnBytesMax) this.#column(bytes, start, end, levels, hint)
    else this.#text.scan(bytes, start, end, levels, hint)
  }

  /** A card column holds numbers in any grouping: all of the value is one, where it can be. */
  #asWhole(b: Uint8Array, start: number, end: number): boolean {
    if (end - start > wholeBytesMax) return false
    const { digits } = this.#whole
    let length = 0
    for (let i = start; i < end; i++) {
      const c = b[i] ?? 0
      if (isDigit[c] === 1) {
        if (length === 19) return false
        digits[length++] = c & 15
      } else if (isSeparator[c] === 0) return false
    }
    if (length < 12) return false
    const what = code(PAN, CERTAIN, STARS, brandOf(digits, length))
    this.#scan.card(start, end, what, digits, length)
    return true
  }

  /** A value of a card column that is not in ASCII: raised, lowered and circled digits count too. */
  #column(b: Uint8Array, start: number, end: number, levels: number, hint: number): void {
    this.#normal.read(b, start, end, start, end, start, levels, true)
    this.#scan.origins.push(this.#normal)
    this.#text.scan(this.#normal.bytes, 0, this.#normal.length, 0, hint)
    this.#scan.origins.pop()
  }

  /** Scans a string of digits only, without secrets by its name: the same as `string`, sooner. */
  digits(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    this.also?.scan(bytes, start, end, this.#scan.nameText())
    const length = end - start
    if (length < 12 || length > 19) return
    const whole = this.#whole
    for (let i = 0; i < length; i++) whole.digits[i] = (bytes[start + i] ?? 0) & 15
    whole.length = length
    this.#card(start, end, meaning, STARS)
  }

  /** Scans a number token. */
  number(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    const before = this.#scan.findings.count
    this.#number(bytes, start, end, meaning)
    if (this.also === undefined || this.#scan.findings.count > before) return
    this.also.number(bytes, start, end, this.#scan.nameText())
  }

  #number(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    const isSecret = (meaning & SECRET) !== 0
    if (end - start < 10 && !isSecret) return
    const whole = this.#whole
    wholeOf(bytes, start, end, whole)
    if (isSecret && this.#secretNumber(bytes, start, end, meaning)) return
    if (whole.length >= 12 && this.#card(start, end, meaning, DIGITS)) return
    // `4111111111111111e2` is no card number, but shows one.
    let stop = bytes[start] === 0x2d ? start + 1 : start
    const first = stop
    while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
    const isExponent = (bytes[stop] ?? 0) === 0x65 || (bytes[stop] ?? 0) === 0x45
    if (stop < end && isExponent && stop - first >= 12) {
      wholeOf(bytes, first, stop, whole)
      if (whole.length > 0) this.#card(first, stop, meaning, DIGITS)
    }
  }

  #card(start: number, end: number, meaning: number, form: number): boolean {
    const { digits, length } = this.#whole
    if (form === DIGITS && isDigitForm(digits, length)) return true
    const brand = brandOf(digits, length)
    let confidence = CERTAIN
    if ((meaning & CARD) === 0) {
      if (brand === 0 || isOneDigit(digits, length)) return false
      confidence = weigh({
        brand,
        passesLuhn: passesLuhn(digits, length),
        isNear: (meaning & CONTEXT) !== 0,
        isNamedOther: (meaning & OTHER_NUMBER) !== 0,
        isGrouped: false,
      })
      if (confidence < 0) return false
    }
    this.#scan.card(start, end, code(PAN, confidence, form, brand), digits, length)
    return true
  }

  #secretNumber(bytes: Uint8Array, start: number, end: number, meaning: number): boolean {
    const { digits, length } = this.#whole
    if (length === 0 || bytes[start] === 0x2d) return false
    // 0 is what we write ourselves; 1 is a flag rather than a value which lost two zeros.
    const isFlag = length === 1 && (digits[0] ?? 0) <= 1
    if ((meaning & CVV) !== 0 && length <= 4 && !isFlag) {
      this.#scan.found(start, end, code(VERIFICATION, CERTAIN, ZERO), -1)
      return true
    }
    // A zero in front is lost in a number.
    const isPinLike = isPin(meaning, length === 3 ? 4 : length)
    const isBlock = (meaning & (BLOCK | TRACK)) !== 0 && length >= 12
    if (!isPinLike && !isBlock) return false
    const kind = (meaning & TRACK) !== 0 ? MAGNETIC : SECRET_PIN
    this.#scan.found(start, end, code(kind, CERTAIN, ZERO), -1)
    return true
  }

  #secret(b: Uint8Array, start: number, end: number, levels: number, meaning: number): boolean {
    let isPlain = true
    for (let i = start; i < end && isPlain; i++) isPlain = (b[i] ?? 0) < 0x80 && b[i] !== backslash
    if (isPlain) return this.#secretText(b, start, end, meaning)
    if (end - start > 4096) return false
    this.#normal.read(b, start, end, start, end, start, levels)
    this.#scan.origins.push(this.#normal)
    const isFound = this.#secretText(this.#normal.bytes, 0, this.#normal.length, meaning)
    this.#scan.origins.pop()
    return isFound
  }

  #secretText(b: Uint8Array, from: number, to: number, meaning: number): boolean {
    let start = from
    let end = to
    while (start < end && (b[start] ?? 0) <= 0x20) start++
    while (end > start && (b[end - 1] ?? 0) <= 0x20) end--
    let digits = 0
    let hex = 0
    for (let i = start; i < end; i++) {
      digits += isDigit[b[i] ?? 0] ?? 0
      if (hexValue[b[i] ?? 0] !== 0) hex++
    }
    const length = end - start
    if ((meaning & TRACK) !== 0 && digits >= 12) {
      this.#scan.found(from, to, code(MAGNETIC, CERTAIN, MARKER), -1)
      return true
    }
    const isPinLike = isPin(meaning, length) && digits === length
    const isBlock =
      (meaning & (BLOCK | PIN)) !== 0 && hex === length && digits > 0 && length % 16 === 0
    if (length > 0 && (isPinLike || (isBlock && length <= 32))) {
      this.#scan.found(start, end, code(SECRET_PIN, CERTAIN, WORD), -1)
      return true
    }
    return (meaning & CVV) !== 0 && length <= 32 && this.#verification(b, start, end)
  }

  /** Three or four digits that stand by themselves. */
  #verification(b: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) {
      if (isDigit[b[i] ?? 0] === 0) continue
      let stop = i + 1
      while (stop < end && isDigit[b[stop] ?? 0] === 1) stop++
      const before = i > start ? (b[i - 1] ?? 0) : 0
      const after = stop < end ? (b[stop] ?? 0) : 0
      const isBounded =
        isLetter[before] === 0 && isLetter[after] === 0 && before !== 0x5f && before !== 0x2a
      if (stop - i >= 3 && stop - i <= 4 && isBounded) {
        this.#scan.found(i, stop, code(VERIFICATION, CERTAIN, WORD), -1)
        return true
      }
      i = stop
    }
    return false
  }
}
