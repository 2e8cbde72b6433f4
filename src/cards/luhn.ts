/** The check digit of card numbers: ISO/IEC 7812-1, annex B ("Luhn", modulus 10). */

const doubled = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

/** Whether the first `length` of `digits` (values 0–9) end in their right check digit. */
export function passesLuhn(digits: Uint8Array, length: number): boolean {
  let sum = 0
  let i = length - 1
  for (; i > 0; i -= 2) sum += (digits[i] ?? 0) + (doubled[digits[i - 1] ?? 0] ?? 0)
  if (i === 0) sum += digits[0] ?? 0
  return sum % 10 === 0
}

/** The digit that makes `digits` followed by it pass. */
export function luhnDigit(digits: Uint8Array): number {
  let sum = 0
  for (let i = digits.length - 1, odd = true; i >= 0; i--, odd = !odd) {
    const digit = digits[i] ?? 0
    sum += odd ? (doubled[digit] ?? 0) : digit
  }
  return (10 - (sum % 10)) % 10
}

/** Whether all of the first `length` digits are the same: such runs pass Luhn and mean nothing. */
export function isOneDigit(digits: Uint8Array, length: number): boolean {
  for (let i = 1; i < length; i++) if (digits[i] !== digits[0]) return false
  return true
}
