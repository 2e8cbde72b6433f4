/** What stands in the cells of a table: names of columns, and values that are all digits. */
import { DIGIT, OTHER, classOf, codePointAt, hexValue, isDigit, isLetter } from './bytes.ts'
import { isMask, isWord, widthAt } from './bytes.ts'
import {
  BLOCK,
  CARD,
  CID,
  CONTEXT,
  CVV,
  OTHER_NUMBER,
  PIN,
  POSTAL,
  SECRET,
  TRACK,
} from './words.ts'
import type { Names } from './words.ts'

/** Columns that make a text a table of ours. */
export const OURS: number = CARD | SECRET
/** What a column tells of its cells. */
const told = CARD | SECRET | CONTEXT | OTHER_NUMBER | POSTAL
const nameBytesMax = 64
const nameWordsMax = 5
/** A name has no such number in it: `track2`, `line_100`, `2024`. */
const nameDigitsMax = 5
const valueBytesMax = 64
const trackBytesMax = 256
const runMin = 12
const nothingBytesMax = 4

// What a value can be, by its looks.
const SHORT = 1 // three or four digits: a verification value
const NUMBER = 2 // four to twelve digits: a PIN
const LONG = 4 // eight or more: a card number, of which a part may be masked
const HEX = 8 // sixteen or thirty-two hex digits: a PIN block
export const RUN = 16 // twelve digits in a row among other signs: a track
/** As long as a card number is. */
const FULL = 32
/** Any of them. */
export const VALUE: number = SHORT | NUMBER | LONG | HEX | RUN
/** Any number, date or time: no value of ours, but one of a table. */
const ANY = 64
/** Nothing: empty, or a word for it. */
export const NOTHING = 128
const nothing = new Set('null none nan n/a na nil <na> \\n - -- ?'.split(' '))

// In a number: 1 a digit or what stands for one, 2 what divides it.
const part = new Uint8Array(256)
for (let b = 0; b < 256; b++) if (isDigit[b] === 1 || isMask[b] === 1) part[b] = 1
for (const c of ' ./_-,:') part[c.charCodeAt(0)] = 2

const isStrange = new Uint8Array(256)
for (const c of '{}<>=;\\@&?!') isStrange[c.charCodeAt(0)] = 1

/** The meanings of the header [from, to), 0 when no column has such a name. */
export function columnOf(names: Names, bytes: Uint8Array, from: number, to: number): number {
  let start = from
  let end = to
  if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3
  while (start < end && isWord[bytes[start] ?? 0] === 0) start++
  while (end > start && isWord[bytes[end - 1] ?? 0] === 0) end--
  if (!isName(bytes, start, end)) return 0
  const meaning = names.word(bytes, start, end) & (told | CID)
  if ((meaning & OURS) !== 0) return meaning
  // `CVV (3 digits)`
  let open = start
  while (open < end && bytes[open] !== 0x28) open++
  return open < end ? meaning | columnOf(names, bytes, start, open) : meaning
}

/** Whether the words [from, to) are few, and more than a number. */
function isName(b: Uint8Array, from: number, to: number): boolean {
  if (to <= from || to - from > nameBytesMax || isDigit[b[from] ?? 0] === 1) return false
  let spaces = 0
  let digits = 0
  let letters = 0
  for (let i = from; i < to; i++) {
    const c = b[i] ?? 0
    if (isStrange[c] === 1) return false
    if (isDigit[c] === 1) {
      if (++digits > nameDigitsMax) return false
      continue
    }
    digits = 0
    if (isLetter[c] === 1 || c >= 0x80) letters++
    else if (c <= 0x20 && ++spaces >= nameWordsMax) return false
  }
  return letters > 0
}

/** What a whole cell can be, as a sum of the flags above; 0 for any text. */
export function valueOf(b: Uint8Array, from: number, to: number): number {
  let start = from
  let end = to
  // Spreadsheets write `="0123"` for digits that are no number.
  while (start < end && isRim(b[start] ?? 0)) start++
  while (end > start && isRim(b[end - 1] ?? 0)) end--
  const length = end - start
  if (length <= nothingBytesMax && isNothing(b, start, end)) return NOTHING
  if (length < 3 || length > trackBytesMax) return 0
  let digits = 0
  let dividers = 0
  let isHex = length === 16 || length === 32
  let isNumber = length <= valueBytesMax
  for (let i = start; i < end; i++) {
    const c = b[i] ?? 0
    isHex &&= hexValue[c] !== 0
    const kind = c < 0x80 ? (part[c] ?? 0) : partBeyond(b, i)
    isNumber &&= kind !== 0
    if (!isHex && !isNumber) return hasRun(b, start, end) ? RUN : 0
    if (kind === 1) digits++
    else dividers++
    if (c >= 0x80) i += widthAt(b, i) - 1
  }
  const kinds = (isHex ? HEX : 0) | (hasRun(b, start, end) ? RUN : 0)
  return isNumber ? kinds | numberOf(digits, dividers) : kinds
}

function isNothing(b: Uint8Array, from: number, to: number): boolean {
  if (from < to && isDigit[b[from] ?? 0] === 1) return false
  let word = ''
  for (let i = from; i < to; i++) word += String.fromCharCode(b[i] ?? 0)
  return word === '' || nothing.has(word.toLowerCase())
}

function numberOf(digits: number, dividers: number): number {
  let kinds = digits > 0 ? ANY : 0
  if (dividers === 0 && (digits === 3 || digits === 4)) kinds |= SHORT
  if (dividers === 0 && digits >= 4 && digits <= 12) kinds |= NUMBER
  if (digits >= 8) kinds |= LONG
  if (digits >= runMin) kinds |= FULL
  return kinds
}

/** Whether so many digits as a card number has stand in a row. */
function hasRun(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from + runMin - 1; i < to; i += runMin) {
    if (isDigit[b[i] ?? 0] === 0) continue
    let first = i
    while (first > from && isDigit[b[first - 1] ?? 0] === 1) first--
    let last = i + 1
    while (last < to && isDigit[b[last] ?? 0] === 1) last++
    if (last - first >= runMin) return true
  }
  return false
}

/** The same for the character beyond ASCII at `at`: a digit, a space or dash, or no part. */
function partBeyond(b: Uint8Array, at: number): number {
  const meaning = classOf(codePointAt(b, at))
  return meaning >= DIGIT ? 1 : meaning === OTHER ? 0 : 2
}

/** Signs around a value that are no part of it. */
const isRim = (b: number): boolean =>
  b <= 0x20 || b === 0x22 || b === 0x27 || b === 0x60 || b === 0x3d

/** Whether a value of these looks is what a column of this meaning holds. */
export function fits(meaning: number, value: number): boolean {
  if ((meaning & CARD) !== 0 && (value & LONG) !== 0) return true
  if ((meaning & CVV) !== 0 && (value & SHORT) !== 0) return true
  if ((meaning & PIN) !== 0 && (value & (NUMBER | HEX)) !== 0) return true
  if ((meaning & BLOCK) !== 0 && (value & HEX) !== 0) return true
  if ((meaning & TRACK) !== 0 && (value & RUN) !== 0) return true
  return (meaning & (CONTEXT | OTHER_NUMBER)) !== 0 && (value & FULL) !== 0
}

/** Takes a `cid` beside a card's number as a verification value; any other says nothing. */
export function settle(meanings: Int32Array, count: number): void {
  let isCard = false
  for (let i = 0; i < count; i++) if (((meanings[i] ?? 0) & CARD) !== 0) isCard = true
  for (let i = 0; i < count; i++) {
    const meaning = meanings[i] ?? 0
    if ((meaning & CID) !== 0) meanings[i] = (meaning & ~CID) | (isCard ? CVV : 0)
  }
}
