/** Check digits that a pattern of one's own can ask for. */
import { isDigit, isLetter } from '../bytes.ts'

export const checkNames: readonly ['none', 'luhn', 'mod97', 'mod11'] = [
  'none',
  'luhn',
  'mod97',
  'mod11',
]
export type CheckName = (typeof checkNames)[number]

/**
 * Whether [start, end) passes a check. Everything but letters and digits is left out before.
 *   luhn   ISO/IEC 7812-1, annex B: over the digits, at least two
 *   mod97  ISO/IEC 7064 MOD 97-10: over digits and letters (A = 10 … Z = 35); the remainder is 1
 *   mod11  weights 1, 2, 3 … from the right over the digits, X for 10 in the last place; the sum is
 *          a multiple of 11 (ISBN-10, NHS number, the Dutch eleven test)
 */
export function passes(check: CheckName, bytes: Uint8Array, start: number, end: number): boolean {
  switch (check) {
    case 'none':
      return true
    case 'luhn':
      return passesLuhn(bytes, start, end)
    case 'mod97':
      return passesMod97(bytes, start, end)
    case 'mod11':
      return passesMod11(bytes, start, end)
  }
}

function passesLuhn(bytes: Uint8Array, start: number, end: number): boolean {
  let sum = 0
  let count = 0
  for (let i = end - 1; i >= start; i--) {
    const b = bytes[i] ?? 0
    if (isDigit[b] === 0) continue
    const value = b - 48
    const doubled = value > 4 ? value * 2 - 9 : value * 2
    sum += count % 2 === 0 ? value : doubled
    count++
  }
  return count >= 2 && sum % 10 === 0
}

function passesMod97(bytes: Uint8Array, start: number, end: number): boolean {
  let rest = 0
  let count = 0
  for (let i = start; i < end; i++) {
    const b = bytes[i] ?? 0
    if (isDigit[b] === 1) rest = (rest * 10 + b - 48) % 97
    else if (isLetter[b] === 1) rest = (rest * 100 + (b | 32) - 87) % 97
    else continue
    count++
  }
  return count >= 3 && rest === 1
}

function passesMod11(bytes: Uint8Array, start: number, end: number): boolean {
  let sum = 0
  let weight = 0
  for (let i = end - 1; i >= start; i--) {
    const b = bytes[i] ?? 0
    const isTen = weight === 0 && (b === 0x58 || b === 0x78)
    if (isDigit[b] === 1 || isTen) sum += (isTen ? 10 : b - 48) * ++weight
  }
  return weight >= 2 && sum % 11 === 0
}
