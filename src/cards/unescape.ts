/**
 * JSON in a string whose own signs are written as escapes (`\u0022pan\u0022`, as some serialisers do
 * for quotes, brackets and ampersands): one level of quoting is taken off into a text of its own,
 * which knows for each of its bytes where it stands in the original.
 */
import { hexAt } from './bytes.ts'
import { DIGITS, MARKER, PATCH, STARS, ZERO, formOf, withForm } from './findings.ts'
import { digitForm, starred } from './write.ts'
import type { Origin, Place } from './scan.ts'

const backslash = 0x5c
const plain = new Uint8Array(256)
for (const [c, to] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  plain[(c ?? '').charCodeAt(0)] = (to ?? '').charCodeAt(0)

const isEscape = new Uint8Array(256)
for (const c of '"\\/bfnrt') isEscape[c.charCodeAt(0)] = 1

export class Unescaped implements Origin {
  readonly bytes: Uint8Array
  length = 0
  readonly #starts: Int32Array
  readonly #end: number
  readonly #raw: Uint8Array

  /** The inside of a JSON string in [start, end). */
  constructor(raw: Uint8Array, start: number, end: number) {
    this.bytes = new Uint8Array(end - start)
    this.#starts = new Int32Array(end - start + 1)
    this.#end = end
    this.#raw = raw
    let at = start
    while (at < end) at = this.#step(raw, at, end)
    this.#starts[this.length] = end
  }

  startOf(at: number): number {
    return this.#starts[at] ?? this.#end
  }

  endOf(at: number): number {
    return this.#starts[at] ?? this.#end
  }

  back(place: Place): Place {
    const { start, end, what } = place
    const patch = place.patch ?? this.#patch(start, end, formOf(what))
    return {
      start: this.startOf(start),
      end: this.endOf(end),
      what: withForm(what, PATCH),
      patch: this.#respelt(start, end, patch) ?? quoted(patch),
    }
  }

  /** The original of [start, end) where the patch has the same bytes; undefined when their number
   *  differs, or one is changed inside a character of several. */
  #respelt(start: number, end: number, patch: Uint8Array): Uint8Array | undefined {
    if (patch.length !== end - start) return undefined
    const parts: Uint8Array[] = []
    let done = this.startOf(start)
    for (let i = start; i < end; i++) {
      const b = patch[i - start] ?? 0
      if (b === this.bytes[i]) continue
      const isOne = b >= 0x20 && b < 0x7f && (this.bytes[i] ?? 0) < 0x80
      if (!isOne || b === 0x22 || b === backslash) return undefined
      parts.push(this.#raw.subarray(done, this.startOf(i)), Buffer.of(b))
      done = this.startOf(i + 1)
    }
    parts.push(this.#raw.subarray(done, this.startOf(end)))
    return Buffer.concat(parts)
  }

  #patch(start: number, end: number, form: number): Uint8Array {
    if (form === STARS) return starred(this.bytes, start, end)
    if (form === DIGITS) {
      const token = this.bytes.slice(start, end)
      digitForm(token, 0, token.length)
      return token
    }
    if (form === ZERO) return Buffer.from('0')
    return Buffer.from(form === MARKER ? '[track removed]' : '***')
  }

  #step(raw: Uint8Array, at: number, end: number): number {
    if (raw[at] !== backslash || at + 1 >= end) {
      this.#put(raw[at] ?? 0, at)
      return at + 1
    }
    const c = raw[at + 1] ?? 0
    const unit = c === 0x75 && at + 6 <= end ? hexAt(raw, at + 2) : -1
    // What is no escape is the two signs that stand there: text may only look like JSON.
    if (unit < 0 && isEscape[c] === 0) {
      this.#put(backslash, at)
      return at + 1
    }
    if (unit < 0) {
      this.#put(plain[c] === 0 ? c : (plain[c] ?? 0), at)
      return at + 2
    }
    const isPair = (unit & 0xfc00) === 0xd800 && raw[at + 6] === backslash && raw[at + 7] === 0x75
    const low = isPair && at + 12 <= end ? hexAt(raw, at + 8) : -1
    const isWhole = (low & 0xfc00) === 0xdc00 && low >= 0
    const cp = isWhole ? 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff) : unit
    for (const b of Buffer.from(String.fromCodePoint(cp))) this.#put(b, at)
    return at + (isWhole ? 12 : 6)
  }

  #put(b: number, at: number): void {
    this.bytes[this.length] = b
    this.#starts[this.length++] = at
  }
}

/** Bytes as they stand inside a JSON string. */
function quoted(patch: Uint8Array): Uint8Array {
  for (const b of patch) {
    if (b < 0x20 || b === 0x22 || b === backslash) {
      return Buffer.from(JSON.stringify(Buffer.from(patch).toString('utf8')).slice(1, -1))
    }
  }
  return patch
}
