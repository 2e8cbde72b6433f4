/**
 * What a scan found, in one growing array of integers: no object, no string for a finding, since a
 * result can hold one in each of its ten thousand rows.
 */
import { assert } from '../base/assert.ts'
import type { Names } from './words.ts'

export const PAN = 0
export const VERIFICATION = 1
export const MAGNETIC = 2
export const SECRET_PIN = 3

export const MEDIUM = 1
export const HIGH = 2
export const CERTAIN = 3

/** How a finding is written over. */
export const STARS = 0 // digits to stars, all but the last four
export const DIGITS = 1 // an unquoted number: the digit form
export const ZERO = 2 // an unquoted verification value or PIN
export const WORD = 3 // `***`
export const MARKER = 4 // `[track removed]`
export const PATCH = 5 // bytes of its own
export const NOTHING = 6 // only told; another finding's patch covers it

/** Fields of one finding in `Findings.rows`. */
export const START = 0
export const END = 1
export const CODE = 2
export const LAST4 = 3
export const TEMPLATE = 4
export const INDEXES = 5
export const FIELDS = 6

// Code: bits 0–1 kind, 2–3 confidence, 4–6 form, 7 record only, 8–14 brand.
export const code = (kind: number, confidence: number, form: number, brand = 0): number =>
  kind | (confidence << 2) | (form << 4) | ((brand & 127) << 8)
/** Masked in the record, left as it is on delivery. */
export const RECORD_ONLY: number = 1 << 7
export const kindOf = (c: number): number => c & 3
export const confidenceOf = (c: number): number => (c >> 2) & 3
export const formOf = (c: number): number => (c >> 4) & 7
export const brandOfCode = (c: number): number => (c >> 8) & 127
/** The same code with another form. */
export const withForm = (c: number, form: number): number => (c & ~(7 << 4)) | (form << 4)

const framesMax = 640
export const MEMBER = 0
export const ELEMENT = 1
export const INNER = 2

/** Where the scan stands: a stack of member, element and "JSON inside this string". */
export class Path {
  depth = 0
  /** Another one whenever frames come or go; rows of one table share it. */
  version = 0
  readonly kind: Uint8Array = new Uint8Array(framesMax)
  readonly index: Int32Array = new Int32Array(framesMax)
  readonly name: Int32Array = new Int32Array(framesMax)
  readonly nameStart: Int32Array = new Int32Array(framesMax)
  readonly nameEnd: Int32Array = new Int32Array(framesMax)
  /** What the value that comes next in this frame is, as flags of `words.ts`. */
  readonly meaning: Int32Array = new Int32Array(framesMax)
  /** What the container of this frame is. */
  readonly outer: Int32Array = new Int32Array(framesMax)
  /** Of an object: its `cid` as start, end and levels, until it is known to be a card's; 0 none. */
  readonly cidStart: Int32Array = new Int32Array(framesMax)
  readonly cidEnd: Int32Array = new Int32Array(framesMax)
  readonly hasCard: Uint8Array = new Uint8Array(framesMax)
  /** Tells one object from another. */
  readonly serial: Int32Array = new Int32Array(framesMax)
  #serials = 0

  /** Enters an object, array or inner text whose meaning is `outer`. */
  push(kind: number, outer: number): void {
    assert(this.depth < framesMax, 'a path is as deep as its frames go')
    this.version++
    const at = this.depth++
    this.kind[at] = kind
    this.index[at] = 0
    this.name[at] = 0
    this.outer[at] = outer
    this.meaning[at] = outer
    this.cidStart[at] = 0
    this.hasCard[at] = 0
    this.serial[at] = this.#serials++
  }

  pop(): void {
    this.version++
    this.depth--
  }

  /** Leaves an object of an array and enters the next one. */
  nextRow(): void {
    const top = this.depth - 1
    this.index[top - 1] = (this.index[top - 1] ?? 0) + 1
    this.cidStart[top] = 0
    this.hasCard[top] = 0
    this.serial[top] = this.#serials++
  }
}

/** A pointer with its array indexes left out: frames of `[kind, name, nameStart, nameEnd]`. */
export interface Template {
  readonly frames: Int32Array
  /** Which frames are elements of arrays. */
  readonly elements: Int32Array
}

const nowhere = new Int32Array(0)

export class Findings {
  count = 0
  isSorted = true
  rows: Int32Array = new Int32Array(0)
  indexes: Int32Array = new Int32Array(0)
  #indexesUsed = 0
  // The path of the last finding, and its template.
  #version = -1
  #name = 0
  #last = -1
  readonly templates: Template[] = []
  /** Replacements of findings whose form is PATCH, for the record. */
  readonly patches: Map<number, Uint8Array> = new Map<number, Uint8Array>()
  /** The same for delivery, by what the plan reveals, where it differs. */
  readonly shown: Map<number, Record<'none' | 'pan', Uint8Array>> = new Map()

  add(path: Path, start: number, end: number, what: number, last4: number): number {
    const at = this.count * FIELDS
    if (at + FIELDS > this.rows.length) this.#growRows()
    const rows = this.rows
    if (at > 0 && start < (rows[at - FIELDS + END] ?? 0)) this.isSorted = false
    rows[at + START] = start
    rows[at + END] = end
    rows[at + CODE] = what
    rows[at + LAST4] = last4
    const template = this.#template(path)
    rows[at + TEMPLATE] = template
    rows[at + INDEXES] = this.#indexesUsed
    this.#keepIndexes(path, this.templates[template]?.elements ?? nowhere)
    return this.count++
  }

  /** Forgets what was found since there were `count` findings. */
  rewind(count: number): void {
    for (let i = count; i < this.count; i++) {
      this.patches.delete(i)
      this.shown.delete(i)
    }
    this.count = count
  }

  field(finding: number, field: number): number {
    return this.rows[finding * FIELDS + field] ?? 0
  }

  #growRows(): void {
    const rows = new Int32Array(Math.max(FIELDS * 16, this.rows.length * 2))
    rows.set(this.rows)
    this.rows = rows
  }

  #keepIndexes(path: Path, elements: Int32Array): void {
    if (this.#indexesUsed + elements.length > this.indexes.length) {
      const grown = new Int32Array(Math.max(64, this.indexes.length * 2, elements.length * 2))
      grown.set(this.indexes)
      this.indexes = grown
    }
    for (let i = 0; i < elements.length; i++) {
      this.indexes[this.#indexesUsed++] = path.index[elements[i] ?? 0] ?? 0
    }
  }

  /** The template of a path. Mostly it is that of the finding before, or one of few. */
  #template(path: Path): number {
    const name = path.depth > 0 ? (path.name[path.depth - 1] ?? 0) : 0
    if (path.version === this.#version && name === this.#name && name > 0) return this.#last
    this.#version = path.version
    this.#name = name
    this.#last = this.#find(path)
    return this.#last
  }

  #find(path: Path): number {
    if (this.#last >= 0 && this.#isSame(this.#last, path)) return this.#last
    const known = Math.min(this.templates.length, 64)
    for (let i = 0; i < known; i++) if (this.#isSame(i, path)) return i
    const frames = new Int32Array(path.depth * 4)
    const elements: number[] = []
    for (let i = 0; i < path.depth; i++) {
      frames[i * 4] = path.kind[i] ?? 0
      frames[i * 4 + 1] = path.kind[i] === MEMBER ? (path.name[i] ?? 0) : 0
      frames[i * 4 + 2] = path.nameStart[i] ?? 0
      frames[i * 4 + 3] = path.nameEnd[i] ?? 0
      if (path.kind[i] === ELEMENT) elements.push(i)
    }
    return this.templates.push({ frames, elements: Int32Array.from(elements) }) - 1
  }

  #isSame(template: number, path: Path): boolean {
    const frames = this.templates[template]?.frames
    if (frames === undefined || frames.length !== path.depth * 4) return false
    for (let i = path.depth - 1; i >= 0; i--) {
      if (frames[i * 4] !== path.kind[i]) return false
      if (path.kind[i] !== MEMBER) continue
      const name = path.name[i] ?? 0
      // Names that are not remembered (long ones, ones with digits) are the same only in one place.
      if (frames[i * 4 + 1] !== name) return false
      if (name <= 0 && frames[i * 4 + 2] !== path.nameStart[i]) return false
    }
    return true
  }
}

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

/** What all parts of one scan share. */
export class Scan {
  readonly names: Names
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

  constructor(names: Names) {
    this.names = names
  }

  /** Prepares for another message. */
  begin(): void {
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

  /** Tells a finding in the text at hand. */
  found(start: number, end: number, what: number, last4: number): void {
    if ((what & RECORD_ONLY) !== 0) this.hasRecordOnly = true
    if (this.origins.length === 0) {
      this.findings.add(this.path, start, end, what, last4)
      return
    }
    let place: Place = { start, end, what, patch: undefined }
    for (let i = this.origins.length - 1; i >= 0; i--) place = this.origins[i]?.back(place) ?? place
    const at = this.findings.add(this.path, place.start, place.end, place.what, last4)
    if (place.patch !== undefined) this.findings.patches.set(at, place.patch)
  }
}
