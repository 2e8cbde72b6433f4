/** Words beside a value: its label, or what the sentence round it speaks of. */
import { isDigit, isLetter } from '../bytes.ts'

const isJoint = new Uint8Array(256)
for (const c of ' \t\n\r:="\'`()[]{}\\<>#|,/*_.-') isJoint[c.charCodeAt(0)] = 1
const gap = 0x20
const star = 0x2a
const gapBytesMax = 2
const labelReach = 48
const nearReach = 40
const fillersMax = 3

const isAlnum = (b: number): boolean => isDigit[b] === 1 || isLetter[b] === 1
const folded = (b: number): number => (b >= 0x41 && b <= 0x5a ? b + 32 : b)

/** A list of words and phrases, found as whole words in any case. */
export class Vocabulary {
  readonly #phrases: readonly Uint8Array[]
  /** Bytes with which a phrase begins, and those with which one ends, folded. */
  readonly #firsts = new Uint8Array(256)
  readonly #lasts = new Uint8Array(256)

  /** @param words each one word or several; between words any separator may stand, or none. */
  constructor(words: readonly string[]) {
    const spelt = words.flatMap((word) => {
      const plain = word.trim().replaceAll(/\s+/g, ' ').toLowerCase()
      // Bytes are folded for ASCII only; other letters stand here in each of their cases.
      const upper = plain.toUpperCase()
      return [plain, upper, plain.slice(0, 1).toUpperCase() + plain.slice(1)]
    })
    const phrases = [...new Set(spelt.map(fold))].filter((word) => word !== '')
    this.#phrases = phrases.map((word) => Buffer.from(word))
    for (const phrase of this.#phrases) {
      this.#firsts[phrase[0] ?? 0] = 1
      this.#lasts[phrase.at(-1) ?? 0] = 1
    }
  }

  /** Whether one of the words stands directly before `at`, with fillers such as *is* between. */
  labels(bytes: Uint8Array, start: number, at: number): boolean {
    const min = Math.max(start, at - labelReach)
    let p = at
    for (let words = 0; words <= fillersMax; words++) {
      p = jointsBefore(bytes, min, p)
      if (p <= min) return false
      if (this.#endsAt(bytes, min, p)) return true
      let first = p
      while (first > min && isAlnum(bytes[first - 1] ?? 0)) first--
      if (first === p || !fillers.#endsAt(bytes, first, p)) return false
      p = first
    }
    return false
  }

  /** Whether one of the words stands within forty bytes of [from, to). */
  isNear(bytes: Uint8Array, start: number, end: number, from: number, to: number): boolean {
    return (
      this.stands(bytes, Math.max(start, from - nearReach), from, start) ||
      this.stands(bytes, to, Math.min(end, to + nearReach), start)
    )
  }

  /** Whether one of the words stands in [from, to); the text begins at `start`. */
  stands(bytes: Uint8Array, from: number, to: number, start: number): boolean {
    for (let i = from; i < to; i++) {
      const first = folded(bytes[i] ?? 0)
      if (this.#firsts[first] === 0) continue
      for (const phrase of this.#phrases) {
        if (first !== phrase[0]) continue
        const end = matchAt(phrase, bytes, i, to, start)
        if (end > 0 && !(end === to && isAlnum(bytes[to] ?? 0))) return true
      }
    }
    return false
  }

  #endsAt(bytes: Uint8Array, min: number, end: number): boolean {
    const last = folded(bytes[end - 1] ?? 0)
    if (this.#lasts[last] === 0) return false
    for (const phrase of this.#phrases) {
      if (phrase[phrase.length - 1] !== last) continue
      const first = end - phrase.length - gapBytesMax * 4
      for (let i = Math.max(min, first); i < end; i++) {
        if (matchAt(phrase, bytes, i, end, min) === end) return true
      }
    }
    return false
  }
}

const fillers: Vocabulary = new Vocabulary(
  'is are was no nr num number numbers code id of my your his her their the for value and us'.split(
    ' ',
  ),
)

function fold(text: string): string {
  return text.replaceAll(/[A-Z]/g, (c) => c.toLowerCase())
}

/** Where the joints that end at `at` begin. Two stars are Markdown, more are a masked value. */
function jointsBefore(bytes: Uint8Array, min: number, at: number): number {
  let p = at
  let stars = 0
  while (p > min && isJoint[bytes[p - 1] ?? 0] === 1) {
    stars = bytes[p - 1] === star ? stars + 1 : 0
    if (stars > 2) return at
    p--
  }
  return p
}

/** The end of a phrase that begins at `at` as a whole word, or 0. */
function matchAt(
  phrase: Uint8Array,
  bytes: Uint8Array,
  at: number,
  to: number,
  start: number,
): number {
  if (isAlnum(phrase[0] ?? 0) && at > start && isAlnum(bytes[at - 1] ?? 0)) return 0
  let i = at
  for (const b of phrase) {
    if (b === gap) {
      const max = i + gapBytesMax
      while (i < to && i < max && isJoint[bytes[i] ?? 0] === 1) i++
    } else if (i >= to || folded(bytes[i] ?? 0) !== b) return 0
    else i++
  }
  const isBounded = i >= to || !isAlnum(phrase[phrase.length - 1] ?? 0) || !isAlnum(bytes[i] ?? 0)
  return isBounded ? i : 0
}
