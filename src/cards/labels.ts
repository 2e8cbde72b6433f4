/** Words in front of a value, and words near it: `CVV: 123`, `security code is 123`, `my visa …`. */
import { OTHER, classOf, codePointAt, isDigit, isJoint, isWord } from './bytes.ts'
import { leadBefore } from './spelling.ts'
import { CARD, CID, CONTEXT, CVV, FILLER, NEARBY, OTHER_NUMBER, SECRET } from './words.ts'
import type { Names } from './words.ts'

const backslash = 0x5c
const labelReach = 40
/** How many bytes away a word may stand that speaks of cards. */
export const contextReach = 40
const wordsMax = 6
const ends = new Int32Array(wordsMax)
/** Letters, marks and digits make words; every other sign stands between a label and its value. */
const inWords = /[\p{L}\p{M}\p{N}]/u
const isWordSign = (cp: number): boolean => inWords.test(String.fromCodePoint(cp))
/** Whoever speaks of a verification value or of paying speaks of a card as well. */
const lowering = CONTEXT | CVV | NEARBY

/** What ends the search for a label. */
const telling = SECRET | CARD | CID | OTHER_NUMBER

/** What may stand between a label and its value: `the PIN of the card is`. */
const between = FILLER | CONTEXT

/** How many words of a name, such as `code of security`, may say nothing by themselves. */
const strangersMax = 2

/** The meanings of the words directly before `at`; 0 when they name nothing. */
export function labelBefore(names: Names, bytes: Uint8Array, start: number, at: number): number {
  const min = Math.max(start, at - labelReach)
  let p = at
  let strangers = 0
  let first = 0 // the word next to the value that is no filler
  for (let words = 0; words < wordsMax; words++) {
    for (let step = 1; step > 0 && p > min; p -= step) step = jointBefore(bytes, p, min)
    if (p <= min) return 0
    ends[words] = p
    for (let step = 1; step > 0 && p > min; p -= step) step = letterBefore(bytes, p, min)
    if (isListNumber(bytes, p, ends[words] ?? 0)) {
      words--
      continue
    }
    const whole = phrase(names, bytes, p, strangers > 0 ? first : words)
    // Amid other words only whole names count; one that merely holds such a word does not.
    if ((whole & telling) !== 0 && (strangers === 0 || (whole & ~(OTHER_NUMBER | CONTEXT)) !== 0))
      return whole
    // The letter of an escape such as `\n` belongs to no word.
    if (p > min && bytes[p - 1] === backslash)
      return phrase(names, bytes, p + 1, strangers > 0 ? first : words)
    const isBetween = (names.word(bytes, p, ends[words] ?? 0) & between) !== 0
    // A word that says nothing may end a name of several, which then ends at the value.
    if (!isBetween && strangers === 0) first = words
    if (!isBetween && ++strangers > strangersMax) return 0
    if (!isBetween && isSentenceEnd(bytes, p, ends[words] ?? 0, at)) return 0
  }
  return 0
}

/** `6) ` in front of an element, as shells number what they print. */
function isListNumber(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[to] !== 0x29 || to - from > 7) return false
  // The letter of an escaped line break stands directly before it.
  const first = bytes[from] === 0x6e && bytes[from - 1] === backslash ? from + 1 : from
  if (first === to) return false
  for (let i = first; i < to; i++) if (isDigit[bytes[i] ?? 0] === 0) return false
  return true
}

/** Whether a full stop stands between the word at hand and what follows it. */
function isSentenceEnd(bytes: Uint8Array, from: number, to: number, at: number): boolean {
  const next = to < at ? (bytes[to] ?? 0) : 0
  return next === 0x2c || next === 0x0a || next === backslash || from === to
}

/** The meanings of what begins at `from` and ends with one of the words up to the last one read. */
function phrase(names: Names, bytes: Uint8Array, from: number, words: number): number {
  for (let w = 0; w <= words; w++) {
    const end = ends[w] ?? 0
    if (end <= from) continue
    const meaning = names.word(bytes, from, end)
    if ((meaning & telling) !== 0) return meaning
  }
  return 0
}

/** How many bytes before `at` may stand between a label and its value; 0 for none. */
function jointBefore(bytes: Uint8Array, at: number, min: number): number {
  const b = bytes[at - 1] ?? 0
  if (isBlankLetter(b) && at - 2 >= min && bytes[at - 2] === backslash) return 2
  // `no.`, `nr.`, `Núm.`: the stop of what is cut short.
  if (b === 0x2e) return isShort(bytes, at - 1, min) ? 1 : 0
  // One or two stars set off a word; more of them stand for digits.
  if (b === 0x2a && bytes[at - 2] === 0x2a && bytes[at - 3] === 0x2a) return 0
  if (b < 0x80) return isJoint[b] ?? 0
  const lead = leadBefore(bytes, at, min)
  const cp = codePointAt(bytes, lead)
  return classOf(cp) === OTHER && isWordSign(cp) ? 0 : at - lead
}

/** Whether the word that ends at `at` has two or three signs, as abbreviations have. */
function isShort(bytes: Uint8Array, at: number, min: number): boolean {
  let start = at
  while (start > min && at - start < 5 && isWord[bytes[start - 1] ?? 0] === 1) start--
  return at - start >= 2 && at - start <= 4 && isDigit[bytes[at - 1] ?? 0] === 0
}

/** The letters of `\n`, `\r`, `\t`, which a string has for white space. */
export const isBlankLetter = (b: number): boolean => b === 0x6e || b === 0x72 || b === 0x74

/** How many bytes before `at` are a letter or digit of a word; 0 for none. */
function letterBefore(bytes: Uint8Array, at: number, min: number): number {
  const b = bytes[at - 1] ?? 0
  if (b < 0x80) return isWord[b] ?? 0
  const lead = leadBefore(bytes, at, min)
  const cp = codePointAt(bytes, lead)
  return classOf(cp) === OTHER && isWordSign(cp) ? at - lead : 0
}

/** Whether a word within forty bytes of [from, to) speaks of cards. */
export function hasContext(
  names: Names,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): boolean {
  return (
    speaksOfCards(names, bytes, Math.max(start, from - contextReach), from) ||
    speaksOfCards(names, bytes, to, Math.min(end, to + contextReach))
  )
}

function speaksOfCards(names: Names, bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (isWord[bytes[i] ?? 0] === 0 || isDigit[bytes[i] ?? 0] === 1) continue
    let end = i + 1
    while (end < to && isWord[bytes[end] ?? 0] === 1) end++
    if (end - i >= 2 && (names.word(bytes, i, end) & lowering) !== 0) return true
    // `\n` and its like are glued to the word behind them.
    const isEscape = i > from && bytes[i - 1] === backslash
    if (isEscape && (names.word(bytes, i + 1, end) & lowering) !== 0) return true
    i = end
  }
  return false
}
