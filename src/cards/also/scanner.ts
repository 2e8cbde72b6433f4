/**
 * The further detectors: walks a text word by word, once for all of them. A word is a run of ASCII
 * letters and digits; what is looked for begins with one, or with a dash.
 */
import { isDigit, isLetter } from '../bytes.ts'
import { CERTAIN, HIGH, IBAN, MEDIUM, PATCH, TOKEN, code } from '../findings.ts'
import { formats, keyFormats, labelledKeys, labelledTokens } from './formats.ts'
import { ibanEnd, maskedIban } from './iban.ts'
import { Keys } from './keys.ts'
import { IBAN_NAME, NameFlags } from './names.ts'
import { Numbers } from './numbers.ts'
import { PatternScanner } from './pattern.ts'
import { Candidates } from './candidates.ts'
import { Charset } from './runs.ts'
import { Tokens, removed } from './tokens.ts'
import { Vocabulary } from './vocabulary.ts'
import type { AlsoKind } from './kinds.ts'
import type { Pattern } from './pattern.ts'
import type { Telling } from './candidates.ts'

/** The shortest of all: `12-34-56`. */
const bytesMin = 6
const dash = 0x2d
const tilde = 0x7e
const dot = 0x2e
const letterK = 0x6b
const letterP = 0x50
/** What the client secrets of Microsoft Entra are made of; theirs have 31 to 34 behind the mark. */
const entra = new Charset('-A-Za-z0-9_.~')
const entraCharsMin = 31
const ibanLabels = new Vocabulary(['iban', 'international bank account'])

const isAlnum = new Uint8Array(256)
for (let b = 0; b < 256; b++) isAlnum[b] = isDigit[b] === 1 || isLetter[b] === 1 ? 1 : 0

// What can begin with a byte, as flags.
const number = 1
const token = 2
const iban = 4
const key = 8

export class AlsoScanner {
  readonly #candidates: Candidates
  readonly #names = new NameFlags()
  readonly #numbers: Numbers
  readonly #tokens: Tokens
  readonly #keys: Keys
  readonly #patterns: readonly PatternScanner[]
  readonly #begins = new Uint8Array(256)
  /** First and second byte of what begins with letters, but for accounts. */
  readonly #pairs = new Uint8Array(256 * 256)
  readonly #also: ReadonlySet<AlsoKind>
  // The text at hand.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #name = 0

  /**
   * @param scan where findings go.
   * @param detection which detectors, and which patterns, in the order of their numbers.
   * @throws {Error} for a pattern that `patternMistake` refuses.
   */
  constructor(
    scan: Telling,
    detection: { readonly also: readonly AlsoKind[]; readonly patterns: readonly Pattern[] },
  ) {
    this.#candidates = new Candidates(scan)
    const also = (this.#also = new Set(detection.also))
    const hasKeys = also.has('private_keys')
    const hasTokens = also.has('tokens')
    this.#numbers = new Numbers(this.#candidates, also.has('ssn'), also.has('routing'))
    this.#keys = new Keys(this.#candidates)
    this.#tokens = new Tokens(
      this.#candidates,
      [...(hasTokens ? formats : []), ...(hasKeys ? keyFormats : [])],
      [...(hasTokens ? labelledTokens : []), ...(hasKeys ? labelledKeys : [])],
    )
    this.#patterns = detection.patterns.map(
      (pattern, i) => new PatternScanner(pattern, i, detection.patterns),
    )
    for (const [first, second] of this.#tokens.pairs) this.#pair(first, second, token)
    for (let b = 0; b < 256; b++) {
      if (isDigit[b] === 1 && (also.has('ssn') || also.has('routing'))) this.#mark([b], number)
      if (isLetter[b] === 1 && also.has('iban')) this.#mark([b], iban)
    }
    if (hasKeys) {
      this.#mark([dash], key)
      this.#pair(letterK, 0x74, key)
      this.#pair(letterP, 0x72, key)
    }
    if (hasTokens) this.#mark([tilde], token)
  }

  /** Whether there is anything to look for. */
  get isIdle(): boolean {
    return this.#also.size === 0 && this.#patterns.length === 0
  }

  /** Prepares for another message: each has its own time. */
  begin(): void {
    for (const pattern of this.#patterns) pattern.begin()
  }

  /**
   * Tells what the plain text [start, end) holds, in the order of its places.
   * @param name of the key or column, in lower case; '' for none.
   * @throws {Fault} `mask_failed` when a pattern takes too long.
   */
  scan(bytes: Uint8Array, start: number, end: number, name: string): void {
    if (this.#also.size > 0 && end - start >= bytesMin) {
      this.#begin(bytes, start, end, name)
      if (!this.#also.has('private_keys') || !this.#keys.named(this.#name)) this.#walk()
    }
    for (const pattern of this.#patterns) pattern.scan(bytes, start, end, name, this.#candidates)
    if (this.#candidates.count > 0) this.#candidates.tell()
  }

  /** Tells what the number token [start, end) is: written over, it becomes `0`. */
  number(bytes: Uint8Array, start: number, end: number, name: string): void {
    if (this.#also.size > 0 && name !== '') {
      this.#begin(bytes, start, end, name)
      this.#numbers.number(start, end)
    }
    for (const pattern of this.#patterns) pattern.number(bytes, start, end, name, this.#candidates)
    if (this.#candidates.count > 0) this.#candidates.tell()
  }

  #pair(first: number, second: number, flag: number): void {
    this.#mark([first], flag)
    this.#pairs[first * 256 + second] = 1
  }

  #mark(bytes: readonly number[], flag: number): void {
    for (const b of bytes) this.#begins[b] = (this.#begins[b] ?? 0) | flag
  }

  #begin(bytes: Uint8Array, start: number, end: number, name: string): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#name = this.#names.of(name)
    this.#numbers.begin(bytes, start, end, this.#name)
    this.#keys.begin(bytes, start, end)
    this.#tokens.begin()
    entra.forget()
  }

  #walk(): void {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#start // Invariant: what begins before `at` is dealt with.
    while (at < end) {
      const b = bytes[at] ?? 0
      const what = this.#begins[b] ?? 0
      const to = what !== 0 && this.#isLikely(at, b, what) ? this.#look(at, b, what) : 0
      if (to > at) {
        at = to
        continue
      }
      at++
      if (b === dash) while (at < end && bytes[at] === dash) at++
      else if (isAlnum[b] === 1) while (at < end && isAlnum[bytes[at] ?? 0] === 1) at++
    }
  }

  /** Whether the next bytes go on as one of them does: most words do not. */
  #isLikely(at: number, b: number, what: number): boolean {
    const bytes = this.#bytes
    if ((what & number) !== 0 || isAlnum[b] === 0) return true
    if (this.#pairs[b * 256 + (bytes[at + 1] ?? 0)] === 1) return true
    return (
      (what & iban) !== 0 && isDigit[bytes[at + 2] ?? 0] === 1 && isDigit[bytes[at + 3] ?? 0] === 1
    )
  }

  /** What begins with the byte `b` at `at`: returns its end, or 0. */
  #look(at: number, b: number, what: number): number {
    if ((what & number) !== 0) return this.#numbers.digits(at)
    if (b === tilde) return this.#azureSecret(at)
    if (b === dash) return this.#keys.block(at)
    if ((what & iban) !== 0) {
      const to = this.#iban(at)
      if (to > 0) return to
    }
    if ((what & token) !== 0) {
      const to = this.#tokens.at(this.#bytes, at, this.#end)
      if (to > 0) return to
    }
    if ((what & key) === 0) return 0
    if (b !== letterK) return this.#keys.putty(at)
    if (this.#bytes[at + 1] === 0x74 && this.#bytes[at + 2] === 0x79) this.#keys.jwk(at)
    return 0
  }

  #iban(at: number): number {
    const bytes = this.#bytes
    const to = ibanEnd(bytes, at, this.#end)
    if (to === 0) return 0
    const isNamed = (this.#name & IBAN_NAME) !== 0 || ibanLabels.labels(bytes, this.#start, at)
    // A wrong check digit beside the word: a slip of the hand, and still somebody's account.
    if (to < 0 && !isNamed) return 0
    const confidence = to < 0 ? MEDIUM : isNamed ? CERTAIN : HIGH
    const stop = Math.abs(to)
    this.#candidates.add(at, stop, code(IBAN, confidence, PATCH), maskedIban(bytes, at, stop))
    return stop
  }

  /** A client secret of Microsoft Entra: a digit and `Q~` behind three characters. */
  #azureSecret(at: number): number {
    const bytes = this.#bytes
    const from = at - 5
    const isMarked =
      from >= this.#start && bytes[at - 1] === 0x51 && isDigit[bytes[at - 2] ?? 0] === 1
    if (!isMarked) return 0
    if (from > this.#start && isAlnum[bytes[from - 1] ?? 0] === 1) return 0
    for (let i = from; i < from + 3; i++) if (!entra.has(bytes[i] ?? 0)) return 0
    let to = entra.end(bytes, at + 1, this.#end)
    while (bytes[to - 1] === dot) to--
    if (to - at <= entraCharsMin) return 0
    this.#candidates.add(from, to, code(TOKEN, HIGH, PATCH), removed(TOKEN))
    return to
  }
}
