/**
 * RE2 patterns over bytes: the only file that knows `re2js`. Matching is linear in the text whatever
 * the pattern is; what one byte may cost is bounded by the size of the compiled program, and what
 * one message may cost by the clock.
 */
import { RE2JS } from 're2js'
import { Fault } from '../../base/fault.ts'

export const patternCharsMax = 1000
/** Steps of the compiled program: what one byte may cost. */
const programMax = 1000
/** Matching may take this long for one message, and this long for each of its bytes. */
const matchMsMax = 1000
const byteMsMax = 0.001

// A text is searched stretch by stretch for whether anything matches at all, which is quick and lets
// the clock be looked at. Where something does, it is searched window by window, since behind each
// match a search looks on for a longer one: in a small window, and in a large one where the small
// one shows none or is reached to its end. So a match of up to 2,048 bytes is found whole; what is
// longer is found in pieces.
const stretchBytes = 16_384
const windowBytes = 512
const windowBytesMax = 4096
/** A window begins so many bytes early: one character, which `\b` and `^` ask for. */
const lookBehind = 4

/** Texts in which each kind of empty match (`x*`, `^`, `$`, `\b`, `\B`) would show. */
const samples = ['', 'a', '0 a', '-\n-']

/** Why a pattern cannot be used, in words that follow its name; undefined when it can. */
export function patternMistake(pattern: string): string | undefined {
  if (pattern.length > patternCharsMax) {
    return `is longer than ${patternCharsMax} characters; make two patterns of it`
  }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    // The library's own words quote the pattern; only the kind of mistake is said.
    const kind = error instanceof Error && 'error' in error ? String(error.error) : 'not readable'
    return `is no RE2 pattern: ${kind}`
  }
  if (samples.some((sample) => matchesNothing(compiled, sample))) {
    return 'matches the empty text, so it would match everywhere'
  }
  if (compiled.programSize() > programMax) {
    return 'is too large once its repetitions are written out; make their bounds smaller'
  }
  return undefined
}

function matchesNothing(compiled: RE2JS, sample: string): boolean {
  const matcher = compiled.matcher(sample)
  return matcher.find() && matcher.start() === matcher.end()
}

/** The matches of one pattern in one text after the other. */
export class Matches {
  readonly #name: string
  readonly #re: RE2JS
  /** The match found last. */
  start = 0
  end = 0
  // The text at hand; up to `hotTo` a match is known to be likely.
  #bytes: Uint8Array = new Uint8Array(0)
  #from = 0
  #to = 0
  #hotTo = 0
  #now = 0
  // The message at hand.
  #spentMs = 0
  #bytesSeen = 0

  /**
   * @param name of the pattern, for messages.
   * @throws {Error} for a pattern that `patternMistake` refuses.
   */
  constructor(name: string, pattern: string) {
    this.#name = name
    this.#re = RE2JS.compile(pattern)
  }

  /** Prepares for another message. */
  begin(): void {
    this.#spentMs = 0
    this.#bytesSeen = 0
  }

  /** Takes the text [from, to). False when nothing in it matches. */
  open(bytes: Uint8Array, from: number, to: number): boolean {
    this.#bytesSeen += to - from
    if (to <= from) return false
    // Most values are short: one look decides, and no clock is needed.
    if (to - from <= windowBytes && !this.#re.test(bytes.subarray(from, to))) return false
    this.#bytes = bytes
    this.#from = from
    this.#to = to
    this.#hotTo = to - from <= windowBytes ? to : from
    this.#now = performance.now()
    return true
  }

  /**
   * Finds the next match from `from` on: `start` and `end` are its own.
   * @throws {Fault} `mask_failed` when the pattern takes too long on what a server sent.
   */
  next(from: number): boolean {
    let at = from
    let size = windowBytes
    while (at < this.#to) {
      if (at >= this.#hotTo) at = this.#hot(at)
      const stop = this.#boundary(at + size)
      const isCut = stop < this.#to
      const isFound = at < stop && this.#match(at, stop)
      const isOpen = isFound && this.end === stop
      this.#spend()
      if (isFound && !isOpen && this.start < at + size / 2) return true
      if (!isCut) return isFound
      if (size < windowBytesMax && (!isFound || isOpen)) size = windowBytesMax
      else if (isOpen && this.start < at + size / 2) return true
      else {
        at = this.#boundary(at + size / 2)
        size = windowBytes
      }
    }
    return false
  }

  /** The start of the next stretch with a match in it, at `from` or later; else the text's end. */
  #hot(from: number): number {
    let at = from
    for (;;) {
      const stop = this.#boundary(at + stretchBytes)
      this.#spend()
      if (this.#re.test(this.#view(at, stop))) {
        this.#hotTo = stop
        return at
      }
      if (stop >= this.#to) return stop
      at = this.#boundary(stop - windowBytesMax) // A match may have been cut.
    }
  }

  /** The leftmost match in [at, stop). */
  #match(at: number, stop: number): boolean {
    const view = this.#view(at, stop)
    if (!this.#re.test(view)) return false
    const matcher = this.#re.matcher(view)
    const early = stop - view.length
    let isFound = matcher.find(at - early)
    // An empty match hides nothing; what is behind it may.
    while (isFound && matcher.end() === matcher.start()) isFound = matcher.find()
    if (!isFound) return false
    this.start = early + matcher.start()
    this.end = early + matcher.end()
    return true
  }

  /** The bytes [at, stop) with the character in front: the library searches all it is given. */
  #view(at: number, stop: number): Uint8Array {
    const bytes = this.#bytes
    let early = Math.max(this.#from, at - lookBehind)
    while (early < at && ((bytes[early] ?? 0) & 0xc0) === 0x80) early++
    return bytes.subarray(early, stop)
  }

  /** `at`, or the end of the character that it cuts. */
  #boundary(at: number): number {
    let to = Math.min(at, this.#to)
    while (to < this.#to && ((this.#bytes[to] ?? 0) & 0xc0) === 0x80) to++
    return to
  }

  #spend(): void {
    const now = performance.now()
    this.#spentMs += now - this.#now
    this.#now = now
    if (this.#spentMs <= matchMsMax + this.#bytesSeen * byteMsMax) return
    throw new Fault(
      'mask_failed',
      `The pattern "${this.#name}" takes too long on this message, which is withheld. Bound its repetitions: {1,20} in place of + and *.`,
      { facts: { reason: 'pattern_time', pattern: this.#name } },
    )
  }
}
