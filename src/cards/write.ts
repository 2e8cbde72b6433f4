/** What is written in place of a card number: stars in text, the digit form for unquoted numbers. */
import { isDigit } from './bytes.ts'
import { passesLuhn } from './luhn.ts'
import { wholeOf } from './number.ts'

const star = 0x2a
const whole = { length: 0, digits: new Uint8Array(40) }

/** Turns every digit of [start, end) but the last four into a star. */
export function stars(out: Uint8Array, start: number, end: number): void {
  let kept = 0
  for (let i = end - 1; i >= start; i--) {
    if (isDigit[out[i] ?? 0] === 0) continue
    if (kept < 4) kept++
    else out[i] = star
  }
}

/** A copy of [start, end) with stars. */
export function starred(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = Uint8Array.from(bytes.subarray(start, end)) // `slice` of a Buffer is no copy.
  stars(out, 0, out.length)
  return out
}

/**
 * `9`, zeros, last four, in the token's own spelling; `1` at the fourth digit where that passes Luhn.
 * In no issuer's range and never right by Luhn, so no scanner finds it again.
 */
export function digitForm(out: Uint8Array, start: number, end: number): void {
  wholeOf(out, start, end, whole)
  const { digits, length } = whole
  digits.fill(0, 0, length - 4)
  digits[0] = 9
  if (passesLuhn(digits, length)) digits[3] = 1
  let at = 0
  for (let i = start; i < end && at < length; i++) {
    const b = out[i] ?? 0
    if (isDigit[b] === 1) out[i] = 0x30 + (digits[at++] ?? 0)
    else if (b === 0x65 || b === 0x45) return
  }
}

/** `9000…` or `9001…` with four digits behind: what `digitForm` writes. */
export function isDigitForm(digits: Uint8Array, length: number): boolean {
  if (length < 12 || digits[0] !== 9 || (digits[3] ?? 0) > 1) return false
  for (let i = 1; i < length - 4; i++) if (i !== 3 && digits[i] !== 0) return false
  return true
}
