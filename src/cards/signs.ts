/** One quick look at a value: which of the less usual ways to write card data it may hold. */
import { hexValue, isDigit, isLetter } from './bytes.ts'

/** Encodings, as `decode.ts` takes them off. */
export const HTML = 1
export const PERCENT = 2
export const QUOTED = 4
/** A backslash: inside a string, an escape. */
export const ESCAPED = 8
/** Sixteen hex digits in a row: a PIN block, or the tags of EMV. */
export const LONG_HEX = 16
/** The same with a letter among them. */
export const MIXED_HEX = 128
/** Marks of Markdown round digits. */
export const MARKDOWN = 64
/** A byte beyond ASCII. */
export const BEYOND = 32

const longHex = 16
// What a byte may be the sign of.
const HEX = 1
const OTHER = 2
const HEX_LETTER = 3
const kindOf = new Uint8Array(256)
for (let b = 0; b < 256; b++) {
  if (hexValue[b] !== 0) kindOf[b] = isDigit[b] === 1 ? HEX : HEX_LETTER
  if (b >= 0x80 || /[&<%+=\\`*~]/.test(String.fromCharCode(b))) kindOf[b] = OTHER
}

/** The flags above for [start, end): a sign of each stands beside what matters. */
export function signsOf(b: Uint8Array, start: number, end: number): number {
  let flags = 0
  let run = 0
  let letters = 0
  for (let i = start; i < end; i++) {
    const kind = kindOf[b[i] ?? 0] ?? 0
    if (kind === HEX || kind === HEX_LETTER) {
      letters += kind - HEX
      if (++run >= longHex) flags |= letters > 0 ? LONG_HEX | MIXED_HEX : LONG_HEX
    } else {
      run = 0
      letters = 0
      if (kind === OTHER) flags |= signAt(b, i, start, end)
    }
  }
  return flags
}

function signAt(b: Uint8Array, at: number, start: number, end: number): number {
  const next = at + 1 < end ? (b[at + 1] ?? 0) : 0
  const before = at > start ? (b[at - 1] ?? 0) : 0
  const sign = b[at] ?? 0
  if (sign >= 0x80) return BEYOND
  if (sign === 0x5c) return ESCAPED
  if (sign === 0x26) return next === 0x23 || isLetter[next] === 1 ? HTML : 0
  if (sign === 0x3c) return isDigit[before] === 1 || before === 0x20 || before === 0x2d ? HTML : 0
  if (sign === 0x25) return isHexPair(b, at, end) ? PERCENT : 0
  if (sign === 0x2b) return isDigit[before] === 1 && isDigit[next] === 1 ? PERCENT : 0
  if (sign === 0x60) return isDigit[before] === 1 || isDigit[next] === 1 ? MARKDOWN : 0
  if (sign === 0x3d) {
    const isBreak = next === 0x0a || next === 0x0d || next === 0x5c
    return isBreak || isQuoted(b, at, end) ? QUOTED : 0
  }
  // `**` and `~~` before a digit.
  return next === sign && at + 2 < end && isDigit[b[at + 2] ?? 0] === 1 ? MARKDOWN : 0
}

const isHexPair = (b: Uint8Array, at: number, end: number): boolean =>
  at + 2 < end && hexValue[b[at + 1] ?? 0] !== 0 && hexValue[b[at + 2] ?? 0] !== 0

/** What quoted-printable writes in hex: itself, blanks, dashes, bytes beyond ASCII; or several signs in
 *  a row. Any other `=24…` is an assignment. */
function isQuoted(b: Uint8Array, at: number, end: number): boolean {
  if (!isHexPair(b, at, end)) return false
  const [high, low] = [b[at + 1] ?? 0, b[at + 2] ?? 0]
  if (b[at + 3] === 0x3d && isHexPair(b, at + 3, end)) return true
  if (high === 0x33) return (low | 0x20) === 0x64
  if (high === 0x32) return low === 0x30 || (low | 0x20) === 0x64
  return isLetter[high] === 1 && (isDigit[low] === 1 || isLetter[low] === 1) && high < 0x61
}
