/** Words in front of a value, and words near it: `CVV: 123`, `security code is 123`, `my visa …`. */
import {
  CARD,
  CID,
  CONTEXT,
  CVV,
  FILLER,
  NEARBY,
  OTHER_NUMBER,
  SECRET,
  meaningOf,
} from '../../src/cards/words.ts'
import { reading } from './readings.ts'
import { bytesOf } from './signs.ts'
import type { Seen } from './signs.ts'

/** How far a label or a word may stand from a value, in bytes. */
const reachBytes = 40
/** How many words a label has at most, with those between it and its value. */
const wordsMax = 6
/** How many words of a name, such as `code of security`, may say nothing by themselves. */
const strangersMax = 2

/** What ends the search for a label. */
const telling = SECRET | CARD | CID | OTHER_NUMBER
/** What may stand between a label and its value: `the PIN of the card is`. */
const between = FILLER | CONTEXT
/** Whoever speaks of a verification value or of paying speaks of a card as well. */
const ofCards = CONTEXT | CVV | NEARBY

/** A letter, digit or underscore of any script. */
const isWordSign = (sign: string): boolean => /^[\p{L}\p{M}\p{N}_]$/u.test(sign)

/** What may stand between a label and its value: blanks, quotes, brackets, `:`, `=`, and whatever is
 *  beyond ASCII and no word. One or two stars set off a word; more of them stand for digits. How many
 *  signs of it stand before `at`. */
function jointBefore(seen: Seen, at: number): number {
  const sign = ownAt(seen, at - 1)
  const before = seen.flat.slice(0, at)
  // White space as a string has it.
  if (/\\[nrt]$/.test(before)) return 2
  if (at === 0 || /\*{3}$/.test(before)) return 0
  // `no.`, `nr.`, `Núm.`: the stop of what is cut short.
  if (sign === '.') return isShort(seen, at - 1) ? 1 : 0
  const isJoint = sign < '\u0080' ? /^[\s:="'`()[\]\\>#|,*~{}-]$/.test(sign) : !isWordSign(sign)
  return isJoint ? 1 : 0
}

/** Whether a word of two or three letters, or four bytes, ends at `at`, as abbreviations do. */
function isShort(seen: Seen, at: number): boolean {
  let p = at
  while (p > 0 && (isWordSign(ownAt(seen, p - 1)) || ownAt(seen, p - 1) >= '\u0080')) p--
  const bytes = bytesOf(seen, p, at)
  return bytes >= 2 && bytes <= 4 && !/[0-9]/.test(ownAt(seen, at - 1))
}

/** The words of a text as it is read, without what only disguises it. */
const read = (seen: Seen, from: number, to: number): string =>
  seen.signs
    .slice(from, to)
    .map(({ as, own }) => (as < '\u0080' ? as : own))
    .join('')

/** The meanings, as flags of `words.ts`, of what names the value at sign `at`; 0 for no label. */
export function labelBefore(seen: Seen, at: number): number {
  const isOut = (p: number): boolean => bytesOf(seen, p, at) > reachBytes
  /** Where each word ends, from the nearest to the value on. */
  const ends: number[] = []
  let strangers = 0
  /** Where the word next to the value ends that is no filler. */
  let first = 0
  let p = at
  while (ends.length < wordsMax) {
    for (let width = jointBefore(seen, p); width > 0; width = jointBefore(seen, p)) p -= width
    const end = p
    while (p > 0 && isWordSign(ownAt(seen, p - 1))) p--
    if (reading.now === 'cut words') while (p < end && isOut(p)) p++
    // Words are whole, and something stands in front of the value.
    if (p === end || isOut(p)) return 0
    if (isListNumber(seen, p, end)) continue
    ends.push(end)
    // Words that say nothing may end a name of several words; then it ends with them.
    const to = strangers > 0 ? ends.slice(0, first) : ends
    const found = phrase(seen, p, to)
    // Amid other words only whole names count; one that merely holds such a word does not.
    if (found !== 0 && (strangers === 0 || (found & ~(OTHER_NUMBER | CONTEXT)) !== 0)) return found
    // No label goes on over a backslash; the letter behind it may be that of an escape: `\ncvv`.
    if (seen.flat[p - 1] === '\\') return phrase(seen, p + 1, to)
    const isBetween = (meaningOf(read(seen, p, end)) & between) !== 0
    if (isBetween) continue
    if (strangers === 0) first = ends.length
    if (++strangers > strangersMax) return 0
    // A name does not go on over a comma or the end of a line.
    if (/[,\n\\]/.test(seen.flat[end] ?? '')) return 0
  }
  return 0
}

/** What the words from `p` on mean, up to the furthest of `ends` with which they mean something. */
function phrase(seen: Seen, p: number, ends: readonly number[]): number {
  for (const end of ends) {
    const meaning = end <= p ? 0 : meaningOf(read(seen, p, end))
    if ((meaning & telling) !== 0) return meaning
  }
  return 0
}

/** `6) ` in front of an element, as shells number what they print. */
function isListNumber(seen: Seen, from: number, to: number): boolean {
  return seen.flat[to] === ')' && /^n?[0-9]{1,7}$/.test(seen.flat.slice(from, to))
}

/** Whether a word within forty bytes of the signs [from, to) speaks of cards. */
export function hasContext(seen: Seen, from: number, to: number): boolean {
  let [first, last] = [0, seen.signs.length]
  if (reading.now === 'cut words') {
    while (bytesOf(seen, first, from) > reachBytes) first++
    while (bytesOf(seen, to, last) > reachBytes) last--
  }
  const before = wordsOf(seen, first, from).filter(
    ({ start }) => bytesOf(seen, start, from) <= reachBytes,
  )
  const behind = wordsOf(seen, to, last).filter(({ end }) => bytesOf(seen, to, end) <= reachBytes)
  return [...before, ...behind].some(({ start, end }) => {
    // The letter behind a backslash may be that of an escape.
    const starts = seen.flat[start - 1] === '\\' ? [start, start + 1] : [start]
    return starts.some(
      (first) => end - first >= 2 && (meaningOf(read(seen, first, end)) & ofCards) !== 0,
    )
  })
}

const isOfWord = (sign: string): boolean =>
  isWordSign(sign) || (reading.now === 'words with their punctuation' && sign >= '\u0080')

/** The words among the signs [from, to); digits in front are none of a word. */
function wordsOf(seen: Seen, from: number, to: number): { start: number; end: number }[] {
  const words: { start: number; end: number }[] = []
  for (let i = from; i < to; i++) {
    if (!isOfWord(ownAt(seen, i)) || /[0-9]/.test(seen.flat[i] ?? '')) continue
    const start = i
    while (i < to && isOfWord(ownAt(seen, i))) i++
    words.push({ start, end: i })
  }
  return words
}

const ownAt = (seen: Seen, at: number): string => seen.signs[at]?.own ?? ''
