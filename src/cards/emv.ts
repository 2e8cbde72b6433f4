/**
 * Card data in the hex of EMV tags (EMV Book 3, Annex B): track 2 equivalent data under 57 and 9F6B,
 * the number under 5A. A tag is its name, one byte of length, and that many bytes.
 *
 *   …57 11 4…D26112…F    5A 08 4…
 */
import { isDigit, hexValue, isLetter } from './bytes.ts'

const tags = [
  { name: Buffer.from('57'), isTrack: true },
  { name: Buffer.from('9F6B'), isTrack: true },
  { name: Buffer.from('9f6b'), isTrack: true },
  { name: Buffer.from('5A'), isTrack: false },
  { name: Buffer.from('5a'), isTrack: false },
]

/** Calls `found` with the place of each value in [start, end) that looks like card data, and whether
 *  it is a track. */
export function eachTag(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (from: number, to: number, isTrack: boolean) => void,
): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  for (const { name, isTrack } of tags) {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      const length = byteAt(text, at + name.length)
      const from = at + name.length + 2
      const to = from + length * 2
      if (length < 6 || length > 19 || to > text.length) continue
      const digits = digitsIn(text, from, to)
      const divider = (text[from + digits] ?? 0) | 0x20
      const rest = digitsIn(text, from + digits + 1, to)
      const isWhole = isTrack
        ? digits >= 12 && digits <= 19 && divider === 0x64 && rest >= 7 && isHex(text, from, to)
        : digits >= 12 && isPadded(text, from + digits, to) && !goesOn(text[to] ?? 0)
      if (isWhole) found(start + from, start + (isTrack ? to : from + digits), isTrack)
    }
  }
}

function byteAt(text: Uint8Array, at: number): number {
  const high = hexValue[text[at] ?? 0] ?? 0
  const low = hexValue[text[at + 1] ?? 0] ?? 0
  return high > 0 && low > 0 ? (high - 1) * 16 + low - 1 : 0
}

function digitsIn(text: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && isDigit[text[at] ?? 0] === 1) at++
  return at - from
}

/** Only `F` fills up the last byte. */
function isPadded(text: Uint8Array, from: number, to: number): boolean {
  return to - from <= 1 && (from === to || ((text[from] ?? 0) | 0x20) === 0x66)
}

const goesOn = (b: number): boolean => isLetter[b] === 1 && hexValue[b] === 0

function isHex(text: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (hexValue[text[i] ?? 0] === 0) return false
  return true
}
