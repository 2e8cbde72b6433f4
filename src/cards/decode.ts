/**
 * Text behind another encoding, decoded into a text of its own which knows for each of its bytes
 * where it stands in the original: character references and inline tags of HTML, percent-encoding
 * (RFC 3986, and `+` of forms), quoted-printable (RFC 2045 §6.7), marks of Markdown.
 *
 * What is written back is spelt as the original was: `%34` becomes `%2A`, `&#52;` becomes `&#42;`,
 * so nothing around it moves, and tags and soft line breaks between digits stay.
 */
import { hexValue, isDigit, isLetter } from './bytes.ts'
import { MARKER, PAN, PATCH, STARS, formOf, kindOf, withForm } from './findings.ts'
import { HTML, MARKDOWN, PERCENT, QUOTED } from './signs.ts'
import { starred } from './write.ts'
import type { Origin, Place } from './scan.ts'

/** All of them. */
export const encodings: readonly number[] = [HTML, PERCENT, QUOTED, MARKDOWN]

const tagBytesMax = 256
const entityBytesMax = 12
const amp = 0x26
const less = 0x3c
const greater = 0x3e
const percent = 0x25
const equals = 0x3d
const plus = 0x2b
const newline = 0x0a
const word = Buffer.from('***')
const marker = Buffer.from('[track removed]')

/** What an encoding begins with. */
const signs = new Map([
  [HTML, amp],
  [PERCENT, percent],
  [QUOTED, equals],
])
/** Tags that stand inside a line; any other ends a cell, a line or a field. */
const inline = new Set(
  'a abbr b bdi bdo big cite code data em font i ins kbd mark nobr q s samp small span strong sub sup tt u var wbr'.split(
    ' ',
  ),
)
/** Character references that stand for what can be between digits. */
const named = new Map<string, number>([
  ['nbsp', 0xa0],
  ['ensp', 0x2002],
  ['emsp', 0x2003],
  ['thinsp', 0x2009],
  ['hairsp', 0x200a],
  ['numsp', 0x2007],
  ['puncsp', 0x2008],
  ['zwnj', 0x200c],
  ['zwj', 0x200d],
  ['ZeroWidthSpace', 0x200b],
  ['NoBreak', 0x2060],
  ['lrm', 0x200e],
  ['rlm', 0x200f],
  ['shy', 0xad],
  ['ndash', 0x2013],
  ['mdash', 0x2014],
  ['hyphen', 0x2010],
  ['dash', 0x2010],
  ['horbar', 0x2015],
  ['minus', 0x2212],
  ['middot', 0xb7],
  ['period', 0x2e],
  ['sol', 0x2f],
  ['lowbar', 0x5f],
  ['Tab', 0x09],
  ['NewLine', 0x0a],
  ['equals', 0x3d],
  ['colon', 0x3a],
  ['quot', 0x22],
  ['apos', 0x27],
  ['amp', 0x26],
  ['lt', 0x3c],
  ['gt', 0x3e],
  ['Hat', 0x5e],
  ['semi', 0x3b],
])

/** One text, decoded. Keep one and use it again: its arrays grow and stay. */
export class Decoded implements Origin {
  bytes: Uint8Array = new Uint8Array(256)
  length = 0
  #starts = new Int32Array(256)
  #ends = new Int32Array(256)
  #raw: Uint8Array = this.bytes
  #encoding = HTML

  /** Decodes [start, end). Returns whether anything in it was encoded. */
  read(raw: Uint8Array, start: number, end: number, encoding: number): boolean {
    this.#raw = raw
    this.#encoding = encoding
    this.length = 0
    if (this.bytes.length < end - start) this.#grow(end - start)
    const sign = signs.get(encoding) ?? 0
    let isChanged = false
    for (let at = start; at < end;) {
      const b = raw[at] ?? 0
      let next = at
      if (b === sign) next = encoding === HTML ? this.#entity(at, end) : this.#hex(at, end)
      else if (b === less && encoding === HTML) next = this.#tag(at, end)
      else if (encoding === MARKDOWN) next = this.#emphasis(at, end)
      else if (b === plus && encoding === PERCENT) {
        next = at + 1
        this.#put(0x20, at, next)
      }
      if (next === at) this.#put(b, at, ++next)
      else isChanged = true
      at = next
    }
    return isChanged
  }

  startOf(at: number): number {
    return at < this.length ? (this.#starts[at] ?? 0) : (this.#ends[this.length - 1] ?? 0)
  }

  endOf(at: number): number {
    return this.#ends[at - 1] ?? 0
  }

  back(place: Place): Place {
    const { start, end, what } = place
    const form = formOf(what)
    const fixed = form === MARKER ? marker : word
    const patch = place.patch ?? (form === STARS ? starred(this.bytes, start, end) : fixed)
    const isRespelt = patch.length === end - start && kindOf(what) === PAN
    return {
      start: this.startOf(start),
      end: this.endOf(end),
      what: withForm(what, PATCH),
      // Nothing of a secret may stay, not even a digit of its spelling.
      patch: isRespelt ? this.#respelt(start, end, patch) : this.#spelt(patch),
    }
  }

  /** The original of [start, end) with the bytes that differ spelt as those they replace. */
  #respelt(start: number, end: number, patch: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = []
    let done = this.#starts[start] ?? 0
    for (let i = start; i < end; i++) {
      const b = patch[i - start] ?? 0
      if (b === this.bytes[i]) continue
      const from = this.#starts[i] ?? 0
      const to = this.#ends[i] ?? 0
      parts.push(this.#raw.subarray(done, from), this.#as(b, from, to))
      done = to
    }
    parts.push(this.#raw.subarray(done, this.#ends[end - 1] ?? 0))
    return Buffer.concat(parts)
  }

  /** One byte in the spelling of what stands in [from, to) of the original. */
  #as(b: number, from: number, to: number): Uint8Array {
    if (to - from === 1) return Buffer.of(b)
    if (this.#encoding !== HTML) return this.#spelt(Buffer.of(b), true)
    const isHex = ((this.#raw[from + 2] ?? 0) | 0x20) === 0x78
    const lead = isHex ? '&#x' : '&#'
    const width = to - from - lead.length - 1
    return Buffer.from(`${lead}${b.toString(isHex ? 16 : 10).padStart(width, '0')};`)
  }

  /** Bytes as this encoding writes them, as few as need be in hex; `isAll` writes every one so. */
  #spelt(patch: Uint8Array, isAll = false): Uint8Array {
    if (this.#encoding === HTML || this.#encoding === MARKDOWN) return patch
    const sign = this.#encoding === PERCENT ? '%' : '='
    const reserved = this.#encoding === PERCENT ? '%&#+' : '='
    let text = ''
    for (const b of patch) {
      const c = String.fromCharCode(b)
      if (!isAll && b === 0x20 && this.#encoding === PERCENT) text += '+'
      else if (!isAll && b >= 0x20 && b < 0x7f && !reserved.includes(c)) text += c
      else text += sign + b.toString(16).toUpperCase().padStart(2, '0')
    }
    return Buffer.from(text)
  }

  /** A mark of Markdown that touches a digit: left out. */
  #emphasis(at: number, end: number): number {
    const raw = this.#raw
    const b = raw[at] ?? 0
    const isDouble = (b === 0x2a || b === 0x7e) && raw[at + 1] === b && at + 1 < end
    if (b !== 0x60 && !isDouble) return at
    const to = at + (isDouble ? 2 : 1)
    const touches = isDigit[raw[at - 1] ?? 0] === 1 || (to < end && isDigit[raw[to] ?? 0] === 1)
    return touches ? to : at
  }

  /** A character reference at `at`; returns the offset behind it, or `at`. */
  #entity(at: number, end: number): number {
    const raw = this.#raw
    let stop = at + 1
    const max = Math.min(end, at + entityBytesMax + 4)
    while (stop < max && raw[stop] !== 0x3b && isNamePart(raw[stop] ?? 0)) stop++
    if (stop >= max || raw[stop] !== 0x3b) return at
    const name = Buffer.from(raw.buffer, raw.byteOffset + at + 1, stop - at - 1).toString('latin1')
    const cp = codePointNamed(name)
    if (cp < 0) return at
    if (cp < 0x80) this.#put(cp, at, stop + 1)
    else for (const b of Buffer.from(String.fromCodePoint(cp))) this.#put(b, at, stop + 1)
    return stop + 1
  }

  /** A tag or comment at `at`: left out inside a line, a line break otherwise. */
  #tag(at: number, end: number): number {
    const raw = this.#raw
    let from = at + 1
    if (raw[from] === 0x2f) from++
    if (raw[from] === 0x21 && raw[from + 1] === 0x2d) return this.#comment(at, end)
    let to = from
    while (
      to < end &&
      to - from < 16 &&
      (isLetter[raw[to] ?? 0] === 1 || isDigit[raw[to] ?? 0] === 1)
    )
      to++
    const next = raw[to] ?? 0
    if (to === from || isLetter[raw[from] ?? 0] === 0) return at
    if (next !== greater && next !== 0x20 && next !== 0x2f && next !== newline) return at
    const max = Math.min(end, at + tagBytesMax)
    let stop = to
    while (stop < max && raw[stop] !== greater && raw[stop] !== less) stop++
    if (stop >= max || raw[stop] !== greater) return at
    const name = Buffer.from(raw.buffer, raw.byteOffset + from, to - from).toString('latin1')
    if (inline.has(name.toLowerCase())) return stop + 1
    // The name stays readable: in XML it is the label of what follows.
    return at
  }

  #comment(at: number, end: number): number {
    const raw = this.#raw
    const max = Math.min(end, at + tagBytesMax)
    for (let i = at + 4; i + 2 < max; i++) {
      if (raw[i] === 0x2d && raw[i + 1] === 0x2d && raw[i + 2] === greater) return i + 3
    }
    return at
  }

  /** `%34`, `=34`, and the soft line break of quoted-printable. */
  #hex(at: number, end: number): number {
    const raw = this.#raw
    const high = at + 2 < end ? (hexValue[raw[at + 1] ?? 0] ?? 0) : 0
    const low = high > 0 ? (hexValue[raw[at + 2] ?? 0] ?? 0) : 0
    if (high > 0 && low > 0) {
      this.#put((high - 1) * 16 + low - 1, at, at + 3)
      return at + 3
    }
    if (this.#encoding !== QUOTED) return at
    let stop = at + 1
    while (stop < end && (raw[stop] === 0x20 || raw[stop] === 0x09)) stop++
    if (raw[stop] === 0x0d && stop < end) stop++
    return raw[stop] === newline && stop < end ? stop + 1 : at
  }

  #put(b: number, start: number, end: number): void {
    if (this.length === this.bytes.length) this.#grow(this.length * 2)
    this.bytes[this.length] = b
    this.#starts[this.length] = start
    this.#ends[this.length++] = end
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(length)
    bytes.set(this.bytes.subarray(0, Math.min(length, this.length)))
    const starts = new Int32Array(length)
    starts.set(this.#starts.subarray(0, Math.min(length, this.length)))
    const ends = new Int32Array(length)
    ends.set(this.#ends.subarray(0, Math.min(length, this.length)))
    this.bytes = bytes
    this.#starts = starts
    this.#ends = ends
  }
}

const isNamePart = (b: number): boolean => isLetter[b] === 1 || isDigit[b] === 1 || b === 0x23

/** The code point a character reference stands for, or -1. */
function codePointNamed(name: string): number {
  const match = /^#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,8}))$/.exec(name)
  if (match === null) return named.get(name) ?? -1
  const cp = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16)
  return cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff) && cp > 0 ? cp : -1
}
