/** What all parts of one scan share: names, the way to the value at hand, and what was found. */
import { END, Findings, MEDIUM, RECORD_ONLY, START, confidenceOf } from './findings.ts'
import { cardHash } from './hash.ts'
import { MEMBER, Path } from './path.ts'
import type { Spots } from './spots.ts'
import type { Names } from './words.ts'

/** A found place, in offsets of the text it was found in; `patch` is what is to stand there. */
export interface Place {
  readonly start: number
  readonly end: number
  readonly what: number
  readonly patch: Uint8Array | undefined
}

/** Leads from a rewritten text back to the one it was made of. */
export interface Origin {
  /** Where the byte at `at` began in the original. */
  startOf(at: number): number
  /** Where the byte in front of `at` ended in the original. */
  endOf(at: number): number
  back(place: Place): Place
}

const columnsMax = 256
const nameBytesMax = 256
const decoder = new TextDecoder()

/** What is set for all scans of one kind. */
export interface ScanSettings {
  /** The least confidence that is masked on delivery. */
  readonly threshold: number
  /** Two words; card numbers are hashed with it. None are without. */
  readonly hashKey?: Uint32Array | undefined
  /** Told each number that is hashed, and its hash; `digits` is written over afterwards. */
  readonly onHash?: ((digits: Uint8Array, length: number, hash: number) => void) | undefined
  /** Everything is looked at carefully, whatever the quick look says. */
  readonly isCareful?: boolean | undefined
  /** Numbers that are left on delivery, such as published test numbers. */
  readonly isPassed?: ((digits: Uint8Array, length: number) => boolean) | undefined
}

export class Scan {
  readonly names: Names
  readonly settings: ScanSettings
  readonly path: Path = new Path()
  findings: Findings = new Findings()
  /** From which texts the one at hand was made; the last one is the nearest. */
  readonly origins: Origin[] = []
  /** What the columns of tables are, by index, as far as a header named them. */
  readonly columns: Int32Array = new Int32Array(columnsMax)
  hasColumns = false
  /** Something is masked in the record and left on delivery. */
  hasRecordOnly = false
  /** A key was masked: the document must be read again. */
  hasKeys = false
  /** Rows went by before their header was read: scan once more, now knowing it. */
  isLate = false
  #hasRows = false
  #covered: Int32Array | undefined
  /** The message at hand; names are read from it. */
  message: Uint8Array = new Uint8Array(0)
  /** Where a careful look is needed; undefined when it is everywhere. */
  spots: Spots | undefined
  #nextSpot = 0

  constructor(names: Names, settings: ScanSettings = { threshold: MEDIUM }) {
    this.names = names
    this.settings = settings
  }

  /**
   * Whether no spot stands in [start, end) of the message, so that there is nothing to find: what the
   * quick look saw is trusted where the bytes at hand are the message's own.
   */
  isQuiet(start: number, end: number): boolean {
    const { spots } = this
    if (spots === undefined || this.origins.length > 0) return false
    let i = this.#nextSpot
    while (i > 0 && (spots.to[i - 1] ?? 0) > start) i--
    while (i < spots.count && (spots.to[i] ?? 0) <= start) i++
    this.#nextSpot = i
    return i >= spots.count || (spots.at[i] ?? 0) >= end
  }

  /** Up to where no spot stands from `start` on; `start` itself where one does, or where that is not known. */
  quietFrom(start: number): number {
    const { spots } = this
    if (spots === undefined || this.origins.length > 0) return start
    let i = this.#nextSpot
    while (i > 0 && (spots.to[i - 1] ?? 0) > start) i--
    while (i < spots.count && (spots.to[i] ?? 0) <= start) i++
    this.#nextSpot = i
    return i < spots.count ? Math.max(start, spots.at[i] ?? 0) : Infinity
  }

  /** Prepares for another message. */
  begin(): void {
    this.#nextSpot = 0
    this.hasKeys = false
    this.hasRecordOnly = false
    this.names.begin()
    this.path.depth = 0
    this.origins.length = 0
    if (this.hasColumns) this.columns.fill(0)
    this.hasColumns = false
    this.isLate = false
    this.#hasRows = false
    if (this.findings.count > 0 || this.findings.templates.length > 0)
      this.findings = new Findings()
  }

  /** Prepares for the same message again. */
  again(): void {
    this.isLate = false
    this.#nextSpot = 0
    this.path.depth = 0
    this.origins.length = 0
    this.findings = new Findings()
  }

  /** Notes that column `index` of the tables of this message has a meaning. */
  column(index: number, meaning: number): void {
    const known = this.columns[index] ?? -1
    if (known < 0 || (known | meaning) === known) return
    this.columns[index] = known | meaning
    this.hasColumns = true
    if (this.#hasRows) this.isLate = true
  }

  /** What the cell at hand is by its column; asked for arrays in arrays. */
  cell(index: number): number {
    this.#hasRows = true
    return this.columns[index] ?? 0
  }

  /** The key of the value at hand in lower case, as it stands in the message; '' for none. */
  nameText(): string {
    const top = this.path.depth - 1
    if (top < 0 || this.path.kind[top] !== MEMBER) return ''
    const start = this.path.nameStart[top] ?? 0
    const end = Math.min(this.path.nameEnd[top] ?? 0, start + nameBytesMax)
    return decoder.decode(this.message.subarray(start, end)).toLowerCase()
  }

  /** Where a key stands in the message, given its place in the text at hand. */
  nameAt(top: number, start: number, end: number): void {
    let [from, to] = [start, end]
    for (let i = this.origins.length - 1; i >= 0; i--) {
      from = this.origins[i]?.startOf(from) ?? from
      to = this.origins[i]?.endOf(to) ?? to
    }
    this.path.nameStart[top] = from
    this.path.nameEnd[top] = to
  }

  /**
   * From here on only what overlaps nothing of the findings from `since` on is taken: the same text
   * is looked at once more behind another spelling. -1 takes everything again.
   */
  overlay(since: number): void {
    this.#covered = since < 0 ? undefined : spansOf(this.findings, since)
  }

  /** Whether a place overlaps what was told before; what lies inside of it is replaced by it. */
  #isTold(place: Place, last4: number, hash: number): boolean {
    const spans = this.#covered
    if (spans === undefined) return false
    const at = firstFrom(spans, place.start)
    const start = spans[at] ?? Infinity
    if (start >= place.end) return false
    const isInside = start >= place.start && (spans[at + 1] ?? 0) <= place.end
    const isOne = (spans[at + 3] ?? Infinity) >= place.end
    const isWider = place.end - place.start > (spans[at + 1] ?? 0) - start
    if (isInside && isOne && isWider) this.findings.replace(spans[at + 2] ?? 0, place, last4, hash)
    return true
  }

  /** Tells a card number whose digits are known. */
  card(start: number, end: number, what: number, digits: Uint8Array, length: number): void {
    const { isPassed } = this.settings
    let last4 = 0
    for (let i = length - 4; i < length; i++) last4 = last4 * 10 + (digits[i] ?? 0)
    const code = isPassed?.(digits, length) === true ? what | RECORD_ONLY : what
    this.found(start, end, code, last4, this.hashOf(digits, length))
  }

  /** The keyed hash of a card number, 0 where none are made. */
  hashOf(digits: Uint8Array, length: number): number {
    const { hashKey, onHash } = this.settings
    if (hashKey === undefined) return 0
    const hash = cardHash(digits, length, hashKey)
    onHash?.(digits, length, hash)
    return hash
  }

  /** Tells a finding in the text at hand. What is below the threshold is for the record only. */
  found(
    start: number,
    end: number,
    code: number,
    last4: number,
    hash = 0,
    patch?: Uint8Array,
  ): void {
    const what = confidenceOf(code) < this.settings.threshold ? code | RECORD_ONLY : code
    if ((what & RECORD_ONLY) !== 0) this.hasRecordOnly = true
    if (this.origins.length === 0) {
      const isTold =
        this.#covered !== undefined && this.#isTold({ start, end, what, patch }, last4, hash)
      if (isTold) return
      const at = this.findings.add(this.path, start, end, what, last4, hash)
      if (patch !== undefined) this.findings.patches.set(at, patch)
      return
    }
    let place: Place = { start, end, what, patch }
    for (let i = this.origins.length - 1; i >= 0; i--) place = this.origins[i]?.back(place) ?? place
    if (this.#isTold(place, last4, hash)) return
    const at = this.findings.add(this.path, place.start, place.end, place.what, last4, hash)
    if (place.patch !== undefined) this.findings.patches.set(at, place.patch)
  }
}

/** Start, end and number of the findings from `since` on, ascending. */
function spansOf(findings: Findings, since: number): Int32Array {
  const order = Array.from({ length: findings.count - since }, (_, i) => since + i)
  order.sort((a, b) => findings.field(a, START) - findings.field(b, START))
  return Int32Array.from(
    order.flatMap((i) => [findings.field(i, START), findings.field(i, END), i]),
  )
}

/** Where in `spans`, which do not overlap, the first one stands that ends behind `start`. */
function firstFrom(spans: Int32Array, start: number): number {
  let low = 0
  let high = spans.length / 3
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle * 3 + 1] ?? 0) <= start) low = middle + 1
    else high = middle
  }
  return low * 3
}
