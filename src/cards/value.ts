/** One value with its name known: what a key or column says is weighed against what stands there. */
import { isDigit, isLetter, hexValue } from './bytes.ts'
import { CERTAIN, DIGITS, MAGNETIC, MARKER, PAN, SECRET_PIN, STARS } from './findings.ts'
import { VERIFICATION, WORD, ZERO, code } from './findings.ts'
import { Layers } from './layers.ts'
import { isOneDigit, passesLuhn } from './luhn.ts'
import { Normal } from './normal.ts'
import { wholeOf } from './number.ts'
import { brandOf } from './ranges.ts'
import { weigh } from './weigh.ts'
import { isDigitForm } from './write.ts'
import { BLOCK, CARD, CONTEXT, CVV, OTHER_NUMBER, PIN, SECRET, TRACK } from './words.ts'
import type { Scan } from './scan.ts'
import type { Whole } from './number.ts'
import type { TextScanner } from './text.ts'

const backslash = 0x5c
/** Below, no encoded value is worth the look. */
const encodedBytesMin = 5

export class ValueScanner {
  readonly #scan: Scan
  readonly #text: TextScanner
  readonly #normal = new Normal()
  readonly #layers: Layers
  readonly #whole: Whole = { length: 0, digits: new Uint8Array(40) }

  constructor(scan: Scan, text: TextScanner) {
    this.#scan = scan
    this.#text = text
    this.#layers = new Layers(scan)
  }

  /** Scans the inside of a string. `levels` and `meaning` as in `TextScanner.scan`. */
  string(bytes: Uint8Array, start: number, end: number, levels: number, meaning: number): void {
    const { findings } = this.#scan
    const since = findings.count
    this.#asText(bytes, start, end, levels, meaning)
    if (end - start < encodedBytesMin) return
    this.#layers.scan(bytes, start, end, levels, since, (text, from, to) =>
      this.#asText(text, from, to, 0, meaning),
    )
  }

  #asText(bytes: Uint8Array, start: number, end: number, levels: number, meaning: number): void {
    if ((meaning & SECRET) !== 0 && this.#secret(bytes, start, end, levels, meaning)) return
    if (end - start < 3) return
    this.#text.scan(bytes, start, end, levels, meaning & (CARD | CONTEXT | OTHER_NUMBER))
  }

  /** Scans a string of digits only, without secrets by its name: the same as `string`, sooner. */
  digits(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    const length = end - start
    if (length < 12 || length > 19) return
    const whole = this.#whole
    for (let i = 0; i < length; i++) whole.digits[i] = (bytes[start + i] ?? 0) & 15
    whole.length = length
    this.#card(start, end, meaning, STARS)
  }

  /** Scans a number token. */
  number(bytes: Uint8Array, start: number, end: number, meaning: number): void {
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
    const isPin = (meaning & PIN) !== 0 && length >= 3 && length <= 12
    const isBlock = (meaning & (BLOCK | TRACK)) !== 0 && length >= 12
    if (!isPin && !isBlock) return false
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
    const isPinLike = (meaning & PIN) !== 0 && digits === length && length >= 4 && length <= 12
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
      const isBounded = isLetter[before] === 0 && isLetter[after] === 0 && before !== 0x5f
      if (stop - i >= 3 && stop - i <= 4 && isBounded) {
        this.#scan.found(i, stop, code(VERIFICATION, CERTAIN, WORD), -1)
        return true
      }
      i = stop
    }
    return false
  }
}
