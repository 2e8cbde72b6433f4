/** JSON number tokens as the whole numbers they mean, read from their digits and never as doubles. */
import { isDigit, isLetter } from './bytes.ts'

/** The digits of a JSON number as it is meant: `4.1E3` means 4100. */
export interface Whole {
  /** How many digits the whole number has; 0 when it is none, or too long to be of interest. */
  length: number
  readonly digits: Uint8Array
}

/** Reads a number token; fractions that are not zero make it no whole number. */
export function wholeOf(bytes: Uint8Array, start: number, end: number, into: Whole): void {
  const { digits } = into
  into.length = 0
  let n = 0
  let point = -1
  let i = bytes[start] === 0x2d ? start + 1 : start
  for (; i < end; i++) {
    const b = bytes[i] ?? 0
    if (isDigit[b] === 1) {
      if (n < digits.length) digits[n] = b & 15
      n++
    } else if (b === 0x2e) point = n
    else break
  }
  let exponent = 0
  if (i < end) {
    const text = Buffer.from(bytes.subarray(i + 1, Math.min(end, i + 6))).toString('latin1')
    exponent = Number(text)
  }
  const length = (point < 0 ? n : point) + exponent
  if (n > digits.length || length < 1 || length > 19) return
  for (let at = length; at < n; at++) if (digits[at] !== 0) return
  for (let at = n; at < length; at++) digits[at] = 0
  into.length = length
}

/** Whether [start, end) is a JSON number (RFC 8259 §6). */
function isNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let i = bytes[start] === 0x2d ? start + 1 : start
  const whole = digitsEnd(bytes, i, end)
  if (whole === i) return false
  i = whole
  if (i < end && bytes[i] === 0x2e) {
    const fraction = digitsEnd(bytes, i + 1, end)
    if (fraction === i + 1) return false
    i = fraction
  }
  if (i < end && ((bytes[i] ?? 0) | 0x20) === 0x65) {
    const sign = bytes[i + 1] === 0x2b || bytes[i + 1] === 0x2d ? 1 : 0
    const exponent = digitsEnd(bytes, i + 1 + sign, end)
    if (exponent === i + 1 + sign) return false
    i = exponent
  }
  return i === end
}

function digitsEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && isDigit[bytes[i] ?? 0] === 1) i++
  return i
}

const isNumeric = new Uint8Array(256)
for (const c of '0123456789+-.eE') isNumeric[c.charCodeAt(0)] = 1

/** The offset behind the number or literal at `at`, or -1 when it is none. */
export function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  const b = bytes[at] ?? 0
  let stop = at
  if (isDigit[b] === 1 || b === 0x2d) {
    while (stop < end && isNumeric[bytes[stop] ?? 0] === 1) stop++
    if (stop < end && isLetter[bytes[stop] ?? 0] === 1) return -1
    return isNumber(bytes, at, stop) ? stop : -1
  }
  while (stop < end && isLetter[bytes[stop] ?? 0] === 1) stop++
  const length = stop - at
  const isWord = (length === 4 && (b === 0x74 || b === 0x6e)) || (length === 5 && b === 0x66)
  return isWord ? stop : -1
}
