/**
 * The slow way for disguised digits: a stretch of text with escapes resolved, digits of every script
 * as ASCII, spaces and dashes of every kind as one, invisible characters left out, and for each byte
 * of it the place in the original.
 */
import {
  DASH,
  DIGIT,
  DOT,
  INVISIBLE,
  OTHER,
  SLASH,
  SPACE,
  classOf,
  codePointAt,
  hexAt,
  isDigit,
  isSeparator,
  raisedOf,
  widthAt,
} from './bytes.ts'
import { MARKER, PATCH, STARS, formOf, withForm } from './findings.ts'
import type { Origin, Place } from './scan.ts'

const backslash = 0x5c
const contextBytes = 64
const tailBytes = 112
const stretchBytesMax = 64 * 1024

const encoder = new TextEncoder()
const word = encoder.encode('***')
const marker = encoder.encode('[track removed]')

export class Normal implements Origin {
  bytes: Uint8Array = new Uint8Array(1024)
  length = 0
  #starts = new Int32Array(1024)
  #ends = new Int32Array(1024)
  #points = new Int32Array(1024)
  #isMember = false
  #isRaised = false

  /**
   * Reads the stretch round [from, to) of which digits, separators and invisible characters are
   * made, with some text in front and behind for labels and dates.
   * @param min what is before was dealt with and is only context.
   * @param isRaised whether superscripts and their like are digits too.
   * @returns the offset in `raw` behind the stretch.
   */
  read(
    raw: Uint8Array,
    start: number,
    end: number,
    from: number,
    to: number,
    min: number,
    levels: number,
    isRaised = false,
  ): number {
    this.#isRaised = isRaised
    let first = from
    while (first > min && isMemberBefore(raw, start, first)) first -= stepBefore(raw, start, first)
    let at = Math.max(start, first - contextBytes)
    // A stretch does not begin inside an escape or a character.
    if (at > start) {
      let blank = at
      while (blank < first && raw[blank] !== 0x20) blank++
      if (blank < first) at = blank
      else while (at < first && ((raw[at] ?? 0) & 0xc0) === 0x80) at++
    }
    const max = Math.min(end, from + stretchBytesMax)
    this.length = 0
    let beyond = -1
    while (at < max) {
      const next = this.#step(raw, at, end, levels)
      if (at >= to && !this.#isMember) {
        if (beyond < 0) beyond = at
        // The tail never ends within a number.
        if (at - beyond > tailBytes) break
      }
      at = next
    }
    return beyond < 0 ? Math.min(at, end) : beyond
  }

  /** Where the byte at `at` began in the original. */
  startOf(at: number): number {
    return this.#starts[at] ?? 0
  }

  /** Where the byte in front of `at` ended in the original. */
  endOf(at: number): number {
    return this.#ends[at - 1] ?? 0
  }

  /** Puts the character at `at` into the text; returns the offset behind it. */
  #step(raw: Uint8Array, at: number, end: number, levels: number): number {
    const b = raw[at] ?? 0
    if (b >= 0x80)
      return this.#codePoint(codePointAt(raw, at), raw, at, Math.min(end, at + widthAt(raw, at)))
    if (b !== backslash || levels === 0) {
      this.#isMember = isPart(b)
      this.#put(b, at, at + 1, b)
      return at + 1
    }
    let c = at
    while (c < end && raw[c] === backslash) c++
    const unit = raw[c] === 0x75 && isEscape(c - at, levels) ? hexAt(raw, c + 1) : -1
    if (unit < 0) {
      const isBreak = raw[c] === 0x6e || raw[c] === 0x72 || raw[c] === 0x74
      this.#isMember = false
      this.#put(isBreak ? 0x0a : backslash, at, isBreak ? c + 1 : c, backslash)
      return isBreak ? c + 1 : c
    }
    const isHigh = (unit & 0xfc00) === 0xd800
    const low = isHigh ? hexAt(raw, c + 5 + (c - at) + 1) : -1
    if (isHigh && (low & 0xfc00) === 0xdc00) {
      const cp = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff)
      return this.#codePoint(cp, raw, at, c + 10 + (c - at))
    }
    return this.#codePoint(unit, raw, at, c + 5)
  }

  #codePoint(cp: number, raw: Uint8Array, at: number, end: number): number {
    let meaning = cp < 0x80 ? -1 : classOf(cp)
    if (this.#isRaised && meaning === OTHER) meaning = raisedOf(cp)
    this.#isMember = meaning > 0 || (cp < 0x80 && isPart(cp))
    if (meaning === -1) this.#put(cp, at, end, cp)
    else if (meaning >= DIGIT) this.#put(0x30 + meaning - DIGIT, at, end, cp)
    else if (meaning === SPACE) this.#put(0x20, at, end, cp)
    else if (meaning === DASH) this.#put(0x2d, at, end, cp)
    else if (meaning === DOT) this.#put(0x2e, at, end, cp)
    else if (meaning === SLASH) this.#put(0x2f, at, end, cp)
    else if (meaning !== INVISIBLE) {
      // Other letters keep their bytes, since labels are made of them.
      for (let i = at; i < end; i++) this.#put(raw[i] ?? 0, i, i + 1, cp)
    }
    return end
  }

  #put(b: number, start: number, end: number, cp: number): void {
    if (this.length === this.bytes.length) this.#grow()
    this.bytes[this.length] = b
    this.#starts[this.length] = start
    this.#points[this.length] = cp
    this.#ends[this.length++] = end
  }

  #grow(): void {
    const bytes = new Uint8Array(this.length * 2)
    bytes.set(this.bytes)
    const starts = new Int32Array(this.length * 2)
    starts.set(this.#starts)
    const ends = new Int32Array(this.length * 2)
    ends.set(this.#ends)
    const points = new Int32Array(this.length * 2)
    points.set(this.#points)
    this.#points = points
    this.bytes = bytes
    this.#starts = starts
    this.#ends = ends
  }

  back(place: Place): Place {
    const form = formOf(place.what)
    const fixed = form === MARKER ? marker : word
    const patch = place.patch ?? (form === STARS ? this.#starred(place.start, place.end) : fixed)
    return {
      start: this.startOf(place.start),
      end: this.endOf(place.end),
      what: withForm(place.what, PATCH),
      patch,
    }
  }

  /** Stars, separators in their own spelling, the last four in ASCII; nothing that needs an escape. */
  #starred(start: number, end: number): Uint8Array {
    let digits = 0
    for (let i = start; i < end; i++) digits += isDigit[this.bytes[i] ?? 0] ?? 0
    let text = ''
    for (let i = start; i < end; i++) {
      if (isDigit[this.bytes[i] ?? 0] === 0) text += String.fromCodePoint(this.#points[i] ?? 0x20)
      else text += digits-- > 4 ? '*' : String.fromCharCode(this.bytes[i] ?? 0)
    }
    return encoder.encode(text)
  }
}

/** Whether a sign of ASCII can stand in a number: a digit or a separator. */
const isPart = (b: number): boolean => isDigit[b] === 1 || isSeparator[b] === 1

/** Whether so many backslashes before a `u` are an escape, in a string of this many levels. */
function isEscape(backslashes: number, levels: number): boolean {
  return (
    (backslashes & 1) === 1 ||
    (levels >= 2 && backslashes === 2) ||
    (levels >= 3 && backslashes === 4)
  )
}

function isMemberBefore(raw: Uint8Array, start: number, at: number): boolean {
  const b = at > start ? (raw[at - 1] ?? 0) : 0
  if (isPart(b)) return true
  if (b >= 0x80) return classOf(codePointAt(raw, at - stepBefore(raw, start, at))) > 0
  return (
    at - 6 >= start && raw[at - 5] === 0x75 && raw[at - 6] === backslash && hexAt(raw, at - 4) >= 0
  )
}

function stepBefore(raw: Uint8Array, start: number, at: number): number {
  if (
    at - 6 >= start &&
    raw[at - 5] === 0x75 &&
    raw[at - 6] === backslash &&
    hexAt(raw, at - 4) >= 0
  ) {
    let step = 6
    while (at - step > start && raw[at - step - 1] === backslash) step++
    return step
  }
  let lead = at - 1
  while (lead > start && lead > at - 4 && ((raw[lead] ?? 0) & 0xc0) === 0x80) lead--
  return at - lead
}
