/**
 * A text as a reader of numbers sees it: digits of every script are digits, spaces and dashes of
 * every kind are one, and what is invisible is not there.
 */

import { reading } from './readings.ts'

/** One visible character. */
export interface Sign {
  /** What it counts as: one UTF-16 unit. */
  readonly as: string
  /** What it is. */
  readonly own: string
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

/** A text with its visible characters. */
export interface Seen {
  readonly text: string
  readonly signs: readonly Sign[]
  /** What the characters count as, one unit each: offsets in it are indexes of `signs`. */
  readonly flat: string
}

// Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties), annotation marks, and what strikes
// through or sits on a digit.
const invisible = /^[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u0300-\u036f\u20d0-\u20f0]$/u
const digit = /^\p{Nd}$/u
const space = /^\p{Zs}$/u
const dash = /^[\p{Pd}\u2212\u2043]$/u
const dot = /^[\u00b7\u2022\u2024\u2027\u22c5\u3002\u30fb\uff0e\uff61\uff65]$/u
const slash = /^[\u2044\u2215\uff0f]$/u
/** Of a digit that is written above or below the line, or in a circle, NFKC is the digit. */
const raised = /^\p{No}$/u
/** What fills the place of a character too large for one unit. It is a letter of no language. */
const large = '\u{a490}'

/** Digits of a script stand in order, in blocks of ten: the value is the way to the first one. */
function valueOf(character: string): string {
  const cp = character.codePointAt(0) ?? 0
  // Five blocks of mathematical digits touch each other.
  if (cp >= 0x1d7ce && cp <= 0x1d7ff) return String((cp - 0x1d7ce) % 10)
  let first = cp
  while (digit.test(String.fromCodePoint(first - 1)) && cp - first < 9) first--
  return String(cp - first)
}

function raisedValue(character: string): string | undefined {
  const plain = character.normalize('NFKC')
  const inside = /^\(?(\d)[)]?$/.exec(plain)?.[1]
  if (inside !== undefined) return inside
  const cp = character.codePointAt(0) ?? 0
  // Circled digits of other styles, which have no compatible form.
  for (const one of [0x24f5, 0x2776, 0x2780, 0x278a])
    if (cp >= one && cp < one + 9) return String(cp - one + 1)
  return cp === 0x24ff ? '0' : undefined
}

/** What a character counts as; '' for an invisible one. */
function countsAs(character: string, isRaised = false): string {
  if (character < '\u0080') return character
  if (invisible.test(character)) return ''
  if (digit.test(character)) return valueOf(character)
  if (space.test(character)) return ' '
  if (dash.test(character)) return '-'
  if (dot.test(character)) return '.'
  if (slash.test(character)) return '/'
  if (isRaised && raised.test(character)) return raisedValue(character) ?? character
  return character.length === 1 ? character : large
}

/** @param isRaised whether raised and circled digits are digits too: in a column of card numbers. */
export function see(text: string, isRaised = false): Seen {
  const signs: Sign[] = []
  let start = 0
  for (const own of text) {
    const as = countsAs(own, isRaised)
    const end = start + own.length
    if (as !== '') signs.push({ as: as.length === 1 ? as : large, own, start, end })
    start = end
  }
  return { text, signs, flat: signs.map((sign) => sign.as).join('') }
}

/** How many bytes of UTF-8 the signs [from, to) take, as they stand. */
export function bytesOf(seen: Seen, from: number, to: number): number {
  if (reading.now !== 'distances of signs')
    return Buffer.byteLength(seen.text.slice(startOf(seen, from), startOf(seen, to)))
  const signs = seen.signs.slice(from, to)
  return Buffer.byteLength(signs.map(({ as, own }) => (as < '\u0080' ? as : own)).join(''))
}

/** Where sign `at` begins in the text. */
export function startOf(seen: Seen, at: number): number {
  return seen.signs[at]?.start ?? seen.text.length
}

/** Where the sign in front of `at` ends in the text. */
export function endOf(seen: Seen, at: number): number {
  return seen.signs[at - 1]?.end ?? 0
}

/** The signs [from, to) with stars for all digits but the last four, which are written in ASCII. */
export function starred(seen: Seen, from: number, to: number): string {
  const signs = seen.signs.slice(from, to)
  const digits = signs.filter(({ as }) => /[0-9]/.test(as)).length
  let nth = 0
  return signs
    .map(({ as, own }) => (/[0-9]/.test(as) ? (++nth > digits - 4 ? as : '*') : own))
    .join('')
}
