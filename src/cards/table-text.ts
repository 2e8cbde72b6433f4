/**
 * A text with its JSON quoting taken off, so that lines, tabs and quotes stand in it as they are
 * meant, and the way back to where each byte of it stands. Only the places behind escapes are noted:
 * a text of a megabyte has some thousands of them.
 *
 *   raw     id\tpan\n1\t4…        plain     id⇥pan⏎1⇥4…
 */
import { hexAt } from './bytes.ts'

const backslash = 0x5c
/** What is larger is not kept for the next text. */
const keptBytesMax = 1 << 20
const short = new Uint8Array(256)
for (const [c, to] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  short[(c ?? '').charCodeAt(0)] = (to ?? '').charCodeAt(0)

/** One level of quoting taken off. */
class Unquoted {
  bytes: Uint8Array = new Uint8Array(0)
  length = 0
  // Behind each escape: its place in `bytes`, and in the original.
  #plain = new Int32Array(64)
  #raw = new Int32Array(64)
  #count = 0
  #start = 0

  /** Reads the inside of a JSON string. */
  read(raw: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (this.bytes.length < size) this.bytes = new Uint8Array(size)
    this.#count = 0
    this.#start = start
    const out = this.bytes
    let to = 0
    let at = start
    while (at < end) {
      const b = raw[at] ?? 0
      if (b !== backslash) {
        out[to++] = b
        at++
        continue
      }
      const c = at + 1 < end ? (raw[at + 1] ?? 0) : backslash
      if (c === 0x75 && at + 6 <= end && hexAt(raw, at + 2) >= 0) {
        const isPair = at + 12 <= end && isSurrogates(raw, at)
        to = put(out, to, codePoint(raw, at, isPair))
        at += isPair ? 12 : 6
      } else {
        out[to++] = short[c] === 0 ? c : (short[c] ?? 0)
        at = Math.min(at + 2, end)
      }
      this.#note(to, at)
    }
    this.length = to
  }

  /** Where what stands at `at` begins in the original, and what stands in front of it ends. */
  rawOf(at: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#plain[middle] ?? 0) <= at) low = middle + 1
      else high = middle
    }
    if (low === 0) return this.#start + at
    return (this.#raw[low - 1] ?? 0) + at - (this.#plain[low - 1] ?? 0)
  }

  /** Lets go of what one large text needed. */
  shrink(): void {
    if (this.bytes.length > keptBytesMax) this.bytes = new Uint8Array(0)
    if (this.#plain.length * 8 <= keptBytesMax) return
    this.#plain = new Int32Array(64)
    this.#raw = new Int32Array(64)
  }

  #note(plain: number, raw: number): void {
    if (this.#count === this.#plain.length) {
      this.#plain = doubled(this.#plain)
      this.#raw = doubled(this.#raw)
    }
    this.#plain[this.#count] = plain
    this.#raw[this.#count++] = raw
  }
}

/** A text at any number of levels. Keep one and use it again; one text at a time. */
export class PlainText {
  bytes: Uint8Array = new Uint8Array(0)
  readonly #levels: Unquoted[] = []
  #used = 0
  #start = 0

  /** Takes `levels` levels of quoting off [start, end): `bytes` is then the plain text. */
  read(raw: Uint8Array, start: number, end: number, levels: number): void {
    this.#start = start
    this.#used = 0
    let text = raw.subarray(start, end)
    for (let level = 0; level < levels && text.includes(backslash); level++) {
      const unquoted = (this.#levels[level] ??= new Unquoted())
      unquoted.read(text, 0, text.length)
      text = unquoted.bytes.subarray(0, unquoted.length)
      this.#used++
    }
    this.bytes = text
  }

  rawOf(at: number): number {
    let place = at
    for (let level = this.#used - 1; level >= 0; level--)
      place = this.#levels[level]?.rawOf(place) ?? place
    return this.#start + place
  }

  /** To be called when the text is done with. */
  leave(): void {
    this.bytes = new Uint8Array(0)
    for (let level = 0; level < this.#used; level++) this.#levels[level]?.shrink()
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2)
  grown.set(array)
  return grown
}

function isSurrogates(raw: Uint8Array, at: number): boolean {
  const isHigh = (hexAt(raw, at + 2) & 0xfc00) === 0xd800
  if (!isHigh || raw[at + 6] !== backslash || raw[at + 7] !== 0x75) return false
  const low = hexAt(raw, at + 8)
  return low >= 0 && (low & 0xfc00) === 0xdc00
}

function codePoint(raw: Uint8Array, at: number, isPair: boolean): number {
  const unit = hexAt(raw, at + 2)
  if (!isPair) return unit
  return 0x10000 + ((unit & 0x3ff) << 10) + (hexAt(raw, at + 8) & 0x3ff)
}

/** Writes a code point as UTF-8, at most four bytes; returns the place behind it. */
function put(out: Uint8Array, at: number, cp: number): number {
  let to = at
  if (cp < 0x80) out[to++] = cp
  else if (cp < 0x800) out[to++] = 0xc0 | (cp >> 6)
  else if (cp < 0x10000) {
    out[to++] = 0xe0 | (cp >> 12)
    out[to++] = 0x80 | ((cp >> 6) & 63)
  } else {
    out[to++] = 0xf0 | (cp >> 18)
    out[to++] = 0x80 | ((cp >> 12) & 63)
    out[to++] = 0x80 | ((cp >> 6) & 63)
  }
  if (cp >= 0x80) out[to++] = 0x80 | (cp & 63)
  return to
}
