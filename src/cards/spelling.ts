/** Where digits are not all ASCII as they stand: escapes, other scripts, separators of other kinds. */
import { OTHER, classOf, codePointAt, hexAt, hexValue } from './bytes.ts'
import { goesOn, isDigit, isSeparator, leadsIn } from './bytes.ts'

const backslash = 0x5c

/** Where the UTF-8 sequence begins that ends in front of `at`. */
export function leadBefore(bytes: Uint8Array, at: number, min: number): number {
  let lead = at - 1
  while (lead > min && lead > at - 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--
  return lead
}

/** Whether what stands at `at` (beyond ASCII, or an escape) can belong to a number. */
export function matters(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return false
  const b = bytes[at] ?? 0
  if (b >= 0x80) return classOf(codePointAt(bytes, at)) !== OTHER
  if (b !== backslash) return false
  let u = at
  while (u < end && bytes[u] === backslash) u++
  if (u + 4 >= end || bytes[u] !== 0x75) return false
  const unit = hexAt(bytes, u + 1)
  // A surrogate may be the first half of a digit; `=` and `^` divide a track.
  return unit >= 0 && (isSignificant(unit) || (unit & 0xf800) === 0xd800)
}

function isSignificant(unit: number): boolean {
  if (unit >= 0x80) return classOf(unit) !== OTHER
  return isDigit[unit] === 1 || isSeparator[unit] === 1 || unit === 0x3d || unit === 0x5e
}

/**
 * Whether the run of digits [from, to) in [start, end) is cut out of a number by its spelling: then
 * `normal.ts` has to read what is around it.
 */
export function isSplit(
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): boolean {
  const next = to < end ? (bytes[to] ?? 0) : 0
  const before = from > start ? (bytes[from - 1] ?? 0) : 0
  if (leadsIn[before] === 0 && goesOn[next] === 0) return false
  if (goesOn[next] === 1 && matters(bytes, to, end)) return true
  if (before >= 0x80) return classOf(codePointAt(bytes, leadBefore(bytes, from, start))) !== OTHER
  return leadsIn[before] === 1 && isOfEscape(bytes, start, end, from, to)
}

/** Whether the run begins among the hex digits of an escape and is, or goes on with, something that
 *  can belong to a number. */
function isOfEscape(b: Uint8Array, start: number, end: number, from: number, to: number): boolean {
  const min = Math.max(start + 1, from - 4)
  for (let u = from - 1; u >= min; u--) {
    if (b[u] === 0x75 && b[u - 1] === backslash) return to > u + 5 || matters(b, u - 1, end)
    if (hexValue[b[u] ?? 0] === 0) return false
  }
  return false
}
