/** Shapes that begin with a card number: track data, and numbers that came partly masked. */
import { isDigit, isLetter, isMask, isSeparator, isWord } from './bytes.ts'

const at = (bytes: Uint8Array, i: number, end: number): number => (i < end ? (bytes[i] ?? 0) : 0)

function digitsEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && isDigit[bytes[i] ?? 0] === 1) i++
  return i
}

/** Where the track begins that holds the number at `from`: at its sentinel, if it has one. */
export function trackStart(bytes: Uint8Array, start: number, from: number): number {
  const before = from > start ? (bytes[from - 1] ?? 0) : 0
  if (before === 0x3b) return from - 1 // ;
  if (before === 0x42 || before === 0x62) {
    return from - 2 >= start && bytes[from - 2] === 0x25 ? from - 2 : from - 1 // %B
  }
  return from
}

/**
 * The end of the track data whose number is [from, to), or -1 when it is none.
 * ISO/IEC 7813: track 1 `%B` number `^` name `^` YYMM service discretionary `?`, 79 characters;
 * track 2 `;` number `=` YYMM service discretionary `?`, 40; EMV tag 57 has `D` for `=`, `F` behind.
 */
export function trackEnd(
  b: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): number {
  const divider = at(b, to, end)
  if (divider === 0x5e) {
    const before = from > start ? (b[from - 1] ?? 0) : 0
    return before === 0x42 || before === 0x62
      ? trackOneEnd(b, to + 1, Math.min(end, from + 96))
      : -1
  }
  if (divider !== 0x3d && divider !== 0x44 && divider !== 0x64) return -1
  const stop = digitsEnd(b, to + 1, Math.min(end, from + 40))
  if (stop - to - 1 < 7) return -1
  let last = stop
  if (divider !== 0x3d) {
    while (last < end && (b[last] === 0x46 || b[last] === 0x66)) last++
    if (isLetter[at(b, last, end)] === 1) return -1
  }
  return at(b, last, end) === 0x3f ? last + 1 : last
}

function trackOneEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && i - from <= 26 && bytes[i] !== 0x5e && isTrackByte(bytes[i] ?? 0)) i++
  if (bytes[i] !== 0x5e || i - from < 2 || i >= end) return -1
  i++
  const isDated = digitsEnd(bytes, i, Math.min(end, i + 4)) === i + 4 || bytes[i] === 0x5e
  if (!isDated) return -1
  while (i < end && bytes[i] !== 0x3f && isTrackByte(bytes[i] ?? 0)) i++
  return bytes[i] === 0x3f && i < end ? i + 1 : i
}

/** What a track may hold: no quote or backslash, since a JSON string would end or escape there. */
function isTrackByte(b: number): boolean {
  return b >= 0x20 && b < 0x7f && b !== 0x22 && b !== 0x5c
}

/**
 * The end of a number that came partly masked (`411111******1111`, `4111 11** **** 1111`) and whose
 * first run of digits is [from, to); -1 when it is none.
 */
export function partlyMaskedEnd(b: Uint8Array, from: number, to: number, end: number): number {
  const max = Math.min(end, from + 40)
  let head = 0
  let hidden = 0
  let tail = 0
  let mask = 0
  let last = from
  for (let i = from; i < max; i++) {
    const c = b[i] ?? 0
    if (isDigit[c] === 1) {
      if (hidden === 0) head++
      else tail++
    } else if (isMask[c] === 1 && tail === 0 && (hidden === 0 || mask === c)) {
      hidden++
      mask = c
    } else if (isSeparator[c] === 1 && isSeparator[b[i - 1] ?? 0] === 0) continue
    else break
    last = i + 1
    if (head > 8 || tail > 4 || (hidden === 0 && i >= to + 4)) return -1
  }
  const total = head + hidden + tail
  const isOne = head >= 6 && hidden >= 3 && tail === 4 && total >= 12 && total <= 19
  return isOne && (last >= end || isWord[b[last] ?? 0] === 0) ? last : -1
}
