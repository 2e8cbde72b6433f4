/**
 * What a scan found, in one growing array of integers: no object, no string for a finding, since a
 * result can hold one in each of its ten thousand rows.
 */
import { ELEMENT, MEMBER } from './path.ts'
import type { Path, Template } from './path.ts'
import type { Place } from './scan.ts'

export const PAN = 0
export const VERIFICATION = 1
export const MAGNETIC = 2
export const SECRET_PIN = 3
// Chosen by `masking.also`, and patterns of one's own.
export const IBAN = 4
export const ROUTING = 5
export const SSN = 6
export const KEY = 7
export const TOKEN = 8
export const CUSTOM = 9

export const LOW = 0
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
/** A keyed hash of a card number's digits; 0 for none. */
export const HASH = 6
export const FIELDS = 7

// Code: bits 0–3 kind, 4–5 confidence, 6–8 form, 9 record only, 10–16 brand, or which pattern.
export const code = (kind: number, confidence: number, form: number, brand = 0): number =>
  kind | (confidence << 4) | (form << 6) | ((brand & 127) << 10)
/** Masked in the record, left as it is on delivery. */
export const RECORD_ONLY: number = 1 << 9
export const kindOf = (c: number): number => c & 15
export const confidenceOf = (c: number): number => (c >> 4) & 3
export const formOf = (c: number): number => (c >> 6) & 7
export const brandOfCode = (c: number): number => (c >> 10) & 127
/** Kind, confidence and brand: what two findings share that are told as one group. */
export const headOfCode = (c: number): number => c & 0x1fc3f
/** The same code with another form. */
export const withForm = (c: number, form: number): number => (c & ~(7 << 6)) | (form << 6)

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

  /** Makes room for so many findings, where none are yet. */
  reserve(count: number): void {
    if (this.rows.length > 0) return
    this.rows = new Int32Array(count * FIELDS)
    this.indexes = new Int32Array(count * 2)
  }

  add(path: Path, start: number, end: number, what: number, last4: number, hash: number): number {
    const at = this.count * FIELDS
    if (at + FIELDS > this.rows.length) this.#growRows()
    const rows = this.rows
    if (at > 0 && start < (rows[at - FIELDS + END] ?? 0)) this.isSorted = false
    rows[at + START] = start
    rows[at + END] = end
    rows[at + CODE] = what
    rows[at + LAST4] = last4
    rows[at + HASH] = hash
    const template = this.#template(path)
    rows[at + TEMPLATE] = template
    rows[at + INDEXES] = this.#indexesUsed
    this.#keepIndexes(path, this.templates[template]?.elements ?? nowhere)
    return this.count++
  }

  /** Puts another finding in the place of one. */
  replace(finding: number, place: Place, last4: number, hash: number): void {
    const at = finding * FIELDS
    this.isSorted = false
    this.rows[at + START] = place.start
    this.rows[at + END] = place.end
    this.rows[at + CODE] = place.what
    this.rows[at + LAST4] = last4
    this.rows[at + HASH] = hash
    this.patches.delete(finding)
    if (place.patch !== undefined) this.patches.set(finding, place.patch)
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
