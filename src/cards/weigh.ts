/** How sure one can be that digits are a card number: the one place where the signs are weighed. */
import { HIGH, LOW, MEDIUM } from './findings.ts'
import { NEEDS_CONTEXT, RARE, isLuhnOptional } from './ranges.ts'

/** The signs of one number. */
export interface Signs {
  /** As `brandOf` gives it; 0 for no range. */
  readonly brand: number
  readonly passesLuhn: boolean
  /** Its key, or a word near it, speaks of cards. */
  readonly isNear: boolean
  /** Its key or label names a number of another kind: an order, a phone, a time. */
  readonly isNamedOther: boolean
  /** It is written in groups as cards are. */
  readonly isGrouped: boolean
}

/** LOW to HIGH, or -1 for no card number. A card column, which makes it CERTAIN, is not asked here. */
export function weigh(signs: Signs): number {
  const { brand, passesLuhn, isNear, isNamedOther, isGrouped } = signs
  if (brand === 0) return -1
  if (!passesLuhn) return isNear && isLuhnOptional(brand) ? HIGH : -1
  if (isNear) return HIGH
  if ((brand & NEEDS_CONTEXT) !== 0) return -1
  if (isNamedOther || (brand & RARE) !== 0) return isGrouped ? MEDIUM : LOW
  return isGrouped ? HIGH : MEDIUM
}
