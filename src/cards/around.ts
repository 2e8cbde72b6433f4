/** What stands directly around digits and says that they are no card number. */
import { hexValue, isDigit, isLetter, isWord } from './bytes.ts'

const dash = 0x2d
const dot = 0x2e
const reach = 64

/** Whether the digits [from, to) are a part of something longer: a decimal, a UUID, a hex word. */
export function isInside(
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): boolean {
  const before = from > start ? (bytes[from - 1] ?? 0) : 0
  const after = to < end ? (bytes[to] ?? 0) : 0
  if (before === dot && from - 2 >= start && isDigit[bytes[from - 2] ?? 0] === 1) return true
  if (after === dot && to + 1 < end && isDigit[bytes[to + 1] ?? 0] === 1) {
    // `.00` is what spreadsheets put behind a number; any other fraction makes it a quantity.
    let zero = to + 1
    while (zero < end && bytes[zero] === 0x30) zero++
    if (zero < end && isDigit[bytes[zero] ?? 0] === 1) return true
  }
  if (isLetter[before] === 1 || isLetter[after] === 1 || before === dash || after === dash) {
    return isLongerWord(bytes, start, end, from, to)
  }
  return false
}

/** Whether a sign in front names the digits as something else: a phone number, an order's number, hex. */
export function isOtherNumber(
  bytes: Uint8Array,
  start: number,
  from: number,
  length: number,
): boolean {
  const before = from > start ? (bytes[from - 1] ?? 0) : 0
  const beyond = from - 1 > start ? (bytes[from - 2] ?? 0) : 0
  // `#4…` counts something; behind a slash it is the fragment of an address.
  if (before === 0x23) return beyond !== 0x2f
  // `0x4…` is a number in hex.
  if ((before | 0x20) === 0x78 && beyond === 0x30) return true
  return before === 0x2b && length <= 15
}

/** Whether the group at `from` follows the head of an IBAN (`ES54 0916 …`), written in fours. */
export function isOfIban(b: Uint8Array, start: number, from: number): boolean {
  let at = from
  for (let groups = 0; groups < 8; groups++) {
    if (at - 5 < start || b[at - 1] !== 0x20) return false
    at -= 5
    const isHead = isLetter[b[at] ?? 0] === 1 && isLetter[b[at + 1] ?? 0] === 1
    const isTail = isDigit[b[at + 2] ?? 0] === 1 && isDigit[b[at + 3] ?? 0] === 1
    // The letter of an escape such as `\t` may touch it.
    const isEscaped = b[at - 2] === 0x5c && at - 2 >= start
    if (isHead && isTail) return at === start || isWord[b[at - 1] ?? 0] === 0 || isEscaped
    // The bank's own letters may stand between.
    if (isHead && isLetter[b[at + 2] ?? 0] === 1 && isLetter[b[at + 3] ?? 0] === 1) continue
    if (!isTail || isDigit[b[at] ?? 0] === 0 || isDigit[b[at + 1] ?? 0] === 0) return false
  }
  return false
}

const dumpWordsMin = 6

/** Whether `from` stands in a line of a hex dump: an offset, a colon, and many words of four. */
export function isOfDump(b: Uint8Array, start: number, from: number): boolean {
  const min = Math.max(start, from - reach)
  let at = from
  while (at > min && (hexValue[b[at - 1] ?? 0] !== 0 || b[at - 1] === 0x20)) at--
  if (at === from || at <= min || b[at - 1] !== 0x3a || b[at] !== 0x20) return false
  let offset = at - 1
  while (offset > min && hexValue[b[offset - 1] ?? 0] !== 0) offset--
  // `00000020: ` at the start of its line.
  const before = offset > start ? (b[offset - 1] ?? 0) : 0x0a
  const isLineStart =
    before === 0x0a || before === 0x22 || (before === 0x6e && b[offset - 2] === 0x5c)
  const digits = at - 1 - offset
  if (digits < 7 || digits > 8 || !isLineStart) return false
  let words = 0
  while (b[at] === 0x20 && isWordOfFour(b, at + 1)) {
    words++
    at += 5
  }
  return words >= dumpWordsMin
}

function isWordOfFour(b: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) if (hexValue[b[i] ?? 0] === 0) return false
  return hexValue[b[at + 4] ?? 0] === 0
}

/** A UUID, or a hex word of 24 digits and more with letters in it. */
function isLongerWord(b: Uint8Array, min: number, max: number, from: number, to: number): boolean {
  if (isHexWord(b, min, max, from, to)) return true
  const isPart = (at: number): boolean => hexValue[b[at] ?? 0] !== 0 || b[at] === dash
  let start = from
  while (start > min && from - start < reach && isPart(start - 1)) start--
  let end = to
  while (end < max && end - to < reach && isPart(end)) end++
  let letters = 0
  let dashes = 0
  for (let i = start; i < end; i++) {
    if (b[i] === dash) dashes++
    else if (isDigit[b[i] ?? 0] === 0) letters++
  }
  const isCut = b[start + 8] === dash && b[start + 13] === dash && b[start + 23] === dash
  return dashes === 4 && end - start === 36 && isCut
}

/** A run of 24 hex digits and more round [from, to), letters among them. */
function isHexWord(b: Uint8Array, min: number, max: number, from: number, to: number): boolean {
  let letters = 0
  let start = from
  for (; start > min && from - start < reach && hexValue[b[start - 1] ?? 0] !== 0; start--)
    letters += isLetter[b[start - 1] ?? 0] ?? 0
  let end = to
  for (; end < max && end - to < reach && hexValue[b[end] ?? 0] !== 0; end++)
    letters += isLetter[b[end] ?? 0] ?? 0
  return end - start >= 24 && letters >= 3
}

const isTimePart = new Uint8Array(256)
for (const c of '0123456789:.+-Z') isTimePart[c.charCodeAt(0)] = 1

/** Whether [start, end) is a date and time (RFC 3339, `T` or a blank between) and nothing else: the
 *  most common string with digits in rows, and never of interest. */
export function isDateTime(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (length < 19 || length > 32 || bytes[start + 4] !== dash || bytes[start + 7] !== dash)
    return false
  const middle = bytes[start + 10]
  if ((middle !== 0x54 && middle !== 0x20) || bytes[start + 13] !== 0x3a) return false
  if (bytes[start + 16] !== 0x3a) return false
  let run = 0
  for (let i = start; i < end; i++) {
    const b = bytes[i] ?? 0
    if (i - start === 10) run = 0
    else if (isDigit[b] === 0) {
      if (isTimePart[b] === 0) return false
      run = 0
    } else if (++run > 9) return false
  }
  return true
}
