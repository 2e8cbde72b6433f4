/** Card numbers as people type them: refused in a query, read where one is asked for. */
import { brandOf, isLuhnOptional } from '../cards/ranges.ts'
import { isOneDigit, passesLuhn } from '../cards/luhn.ts'

const digitsMin = 13
const digitsMax = 19
/** Digits of any script, in groups that a few signs keep apart. */
const run = /\p{Nd}+(?:[\s\p{Pd}\p{Cf}._/'"]{1,3}\p{Nd}+)*/gu
const group = /\p{Nd}+/gu

/**
 * Whether a full card number stands in `text`: 13 to 19 digits of an issuer's range with a right
 * check digit (ISO/IEC 7812-1), together or in groups, in digits of any script. A few other numbers
 * look the same; searching for those is refused as well.
 */
export function holdsCard(text: string): boolean {
  for (const [whole] of text.normalize('NFKC').matchAll(run)) {
    const groups = Array.from(whole.matchAll(group), ([digits]) => valuesOf(digits))
    if (groups.some((_, i) => startsCard(groups.slice(i)))) return true
  }
  return false
}

/** Whether some first groups together are a card number. */
function startsCard(groups: readonly (readonly number[])[]): boolean {
  const digits: number[] = []
  for (const next of groups) {
    digits.push(...next)
    if (digits.length > digitsMax) return false
    if (digits.length >= digitsMin && isCard(Uint8Array.from(digits))) return true
  }
  return false
}

/** Longer than any spelling of one number. */
const typedLengthMax = 100
const one = /^\p{Nd}+(?:[\s\p{Pd}\p{Cf}._/'"]{1,3}\p{Nd}+)*$/u

/**
 * The card number that `text` is, as ASCII digits; undefined when it is none: the length, the
 * issuer's range or the check digit is wrong, or something else stands in it. Digits may be of any
 * script, in groups or not.
 */
export function readCard(text: string): string | undefined {
  const typed = text.length > typedLengthMax ? '' : text.normalize('NFKC').trim()
  if (!one.test(typed)) return undefined
  const digits = Uint8Array.from(typed.match(group)?.flatMap(valuesOf) ?? [])
  const { length } = digits
  const brand = brandOf(digits, length)
  const isRight = passesLuhn(digits, length) || isLuhnOptional(brand)
  return brand !== 0 && isRight && !isOneDigit(digits, length) ? digits.join('') : undefined
}

function isCard(digits: Uint8Array): boolean {
  const { length } = digits
  return brandOf(digits, length) !== 0 && passesLuhn(digits, length) && !isOneDigit(digits, length)
}

/** In every script the ten digits follow each other from a zero whose code point is known to be the
 *  first of its run. */
function valuesOf(text: string): number[] {
  return Array.from(text, (digit) => {
    const code = digit.codePointAt(0) ?? 0
    let zero = code
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--
    return code - zero
  })
}
