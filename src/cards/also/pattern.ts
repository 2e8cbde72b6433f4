/** Patterns of one's own: what matches is checked, weighed by the words near it, and written over. */
import { isDigit, isLetter } from '../bytes.ts'
import { CERTAIN, CUSTOM, HIGH, LOW, MEDIUM, PATCH, ZERO, code } from '../findings.ts'
import { passes } from './checks.ts'
import { Matches } from './re2.ts'
import { Vocabulary } from './vocabulary.ts'
import type { CheckName } from './checks.ts'
import type { Candidates } from './candidates.ts'

export interface Pattern {
  /** Stands in the marker of what was removed: `[employee-id removed]`. */
  readonly name: string
  /** RE2 syntax. */
  readonly pattern: string
  readonly check: CheckName
  readonly replace: 'stars' | 'remove'
  /** Words of which one makes a match surer; where there are some, a match without one is weak. */
  readonly context: readonly string[]
}

/** How many patterns one connection may have; `findings.ts` has seven bits for their number. */
export const patternsMax = 32
const star = 0x2a

const markerOf = (name: string): string => `[${name} removed]`

export class PatternScanner {
  readonly #matches: Matches
  readonly #pattern: Pattern
  readonly #index: number
  readonly #context: Vocabulary | undefined
  readonly #names: readonly string[]
  readonly #removed: Uint8Array
  readonly #markers: readonly Uint8Array[]

  /**
   * @param index stands in the findings' code.
   * @param all the patterns of the connection: what is written for one is no match of another.
   * @throws {Error} for a pattern that `patternMistake` refuses.
   */
  constructor(pattern: Pattern, index: number, all: readonly Pattern[]) {
    this.#matches = new Matches(pattern.name, pattern.pattern)
    this.#pattern = pattern
    this.#index = index
    const { context } = pattern
    this.#context = context.length > 0 ? new Vocabulary(context) : undefined
    this.#names = context.map((word) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, ''))
    this.#removed = Buffer.from(markerOf(pattern.name))
    const kinds = ['private key', 'token', 'track']
    this.#markers = [...kinds, ...all.map(({ name }) => name)].map((name) =>
      Buffer.from(markerOf(name)),
    )
  }

  /** Prepares for another message. */
  begin(): void {
    this.#matches.begin()
  }

  /**
   * Adds what matches in the text [start, end) under a name in lower case.
   * @throws {Fault} `mask_failed` when matching takes too long.
   */
  scan(bytes: Uint8Array, start: number, end: number, name: string, candidates: Candidates): void {
    const matches = this.#matches
    if (!matches.open(bytes, start, end)) return
    const isNamed = this.#isNamed(name)
    const isRemoved = this.#pattern.replace === 'remove'
    for (let at = start; matches.next(at); at = matches.end) {
      const { start: from, end: to } = matches
      if (isBlank(bytes, from, to) || !passes(this.#pattern.check, bytes, from, to)) continue
      if (this.#isMarker(bytes, start, end, from, to)) continue
      const what = code(CUSTOM, this.#confidence(bytes, start, end, isNamed), PATCH, this.#index)
      candidates.add(from, to, what, isRemoved ? this.#removed : starred(bytes, from, to))
    }
  }

  /** Adds the number token [start, end) when the pattern matches in it. */
  number(
    bytes: Uint8Array,
    start: number,
    end: number,
    name: string,
    candidates: Candidates,
  ): void {
    // 0 is what is written in its place.
    if (end - start === 1 && bytes[start] === 0x30) return
    const matches = this.#matches
    if (!matches.open(bytes, start, end)) return
    for (let at = start; matches.next(at); at = matches.end) {
      if (!passes(this.#pattern.check, bytes, matches.start, matches.end)) continue
      const confidence = this.#confidence(bytes, start, end, this.#isNamed(name))
      candidates.add(start, end, code(CUSTOM, confidence, ZERO, this.#index))
      return
    }
  }

  #confidence(bytes: Uint8Array, start: number, end: number, isNamed: boolean): number {
    const isChecked = this.#pattern.check !== 'none'
    if (this.#context === undefined) return isChecked ? HIGH : MEDIUM
    const { start: from, end: to } = this.#matches
    const isNear = isNamed || this.#context.isNear(bytes, start, end, from, to)
    if (!isNear) return LOW
    return isChecked ? CERTAIN : HIGH
  }

  /** Whether a name holds one of the context words; short ones only as a word of their own. */
  #isNamed(name: string): boolean {
    if (name === '' || this.#names.length === 0) return false
    const parts = name.split(/[^\p{L}\p{N}]+/u)
    const squeezed = parts.join('')
    return this.#names.some(
      (word) => parts.includes(word) || (word.length >= 4 && squeezed.includes(word)),
    )
  }

  /** Whether [from, to) lies in a marker that was written in place of a finding. */
  #isMarker(bytes: Uint8Array, start: number, end: number, from: number, to: number): boolean {
    for (const marker of this.#markers) {
      if (to - from > marker.length) continue
      for (let at = Math.max(start, to - marker.length); at <= from; at++) {
        if (bytes[at] === marker[0] && isAt(marker, bytes, at, end)) return true
      }
    }
    return false
  }
}

function isAt(marker: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (at + marker.length > end) return false
  for (let i = 0; i < marker.length; i++) if (bytes[at + i] !== marker[i]) return false
  return true
}

/** A star for each letter and digit, and for each character beyond ASCII; all else stays. */
function starred(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start)
  let length = 0
  for (let i = start; i < end; i++) {
    const b = bytes[i] ?? 0
    if ((b & 0xc0) === 0x80) continue
    out[length++] = b >= 0x80 || isDigit[b] === 1 || isLetter[b] === 1 ? star : b
  }
  return out.subarray(0, length)
}

/** Whether nothing is left to mask in [from, to): no letter, no digit. */
function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const b = bytes[i] ?? 0
    if (b >= 0x80 || isDigit[b] === 1 || isLetter[b] === 1) return false
  }
  return true
}
