/** Members and cells: what a key, or the header of a column, says about the value beside it. */
import { isDigit } from './bytes.ts'
import { ELEMENT, MEMBER } from './path.ts'
import { HIGH, VERIFICATION, WORD, ZERO, code } from './findings.ts'
import {
  CARD,
  CELL,
  CHILD,
  CONTEXT,
  FILLER,
  LIST,
  NAME,
  OTHER_NUMBER,
  POSTAL,
  SECRET,
} from './words.ts'
import { namesOf, otherNames } from './words.ts'
import { meaningAt } from './keys.ts'
import type { Path } from './path.ts'
import type { Scan } from './scan.ts'

const nameBytesMax = 64

/** Whether frame `top` is a row: a list in a list. */
export function isCells(path: Path, top: number): boolean {
  return top > 0 && path.kind[top] === ELEMENT && path.kind[top - 1] === ELEMENT
}

export class Members {
  readonly #scan: Scan
  /** By frame: the bytes in which the text stands that may name its object's value. */
  readonly #texts: Uint8Array[] = []

  constructor(scan: Scan) {
    this.#scan = scan
  }

  /** What the value that comes is, by its key or column. */
  meaning(): number {
    const { path } = this.#scan
    const top = path.depth - 1
    const meaning = path.meaning[top] ?? 0
    return isCells(path, top) ? meaning | this.#scan.cell(path.index[top] ?? 0) : meaning
  }

  /** Sets the key of the object at hand, and what its value is thereby. */
  key(id: number, start: number, end: number): void {
    const { names, path } = this.#scan
    const top = path.depth - 1
    const outer = path.outer[top] ?? 0
    const own = names.of(id)
    path.name[top] = id
    if (this.#scan.origins.length > 0) this.#scan.nameAt(top, start, end)
    else {
      path.nameStart[top] = start
      path.nameEnd[top] = end
    }
    let meaning = own | (outer & CONTEXT)
    if ((own & CHILD) !== 0) {
      if ((path.namingEnd[top] ?? 0) > 0) this.#name(top)
      meaning |= path.pair[top] ?? 0
      // `{"f":[{"v":…},{"v":…}]}`: an object a cell.
      const isCell = (own & CELL) !== 0 && this.#scan.hasColumns && top > 0
      if (isCell && path.kind[top - 1] === ELEMENT)
        meaning |= this.#scan.cell(path.index[top - 1] ?? 0)
      meaning |= outer & (CARD | SECRET)
      if ((outer & CONTEXT) !== 0 && (own & FILLER) !== 0) meaning |= CARD
    }
    // A postal code stands in an address; this one stands beside a card.
    if ((own & CONTEXT) !== 0) path.nearCard[top] = 1
    if ((own & POSTAL) !== 0 && path.nearCard[top] === 1) meaning |= CONTEXT
    path.meaning[top] = meaning
    if ((own & CARD) !== 0 && path.hasCard[top] === 0) this.#isCard(top)
  }

  /** The object at hand has a card's number: then its `cid` is a verification value. */
  #isCard(top: number): void {
    const { path } = this.#scan
    path.hasCard[top] = 1
    const start = path.cidStart[top] ?? 0
    if (start === 0) return
    const form = (path.cidEnd[top] ?? 0) & 1 ? ZERO : WORD
    this.#scan.found(start, (path.cidEnd[top] ?? 0) >> 1, code(VERIFICATION, HIGH, form), -1)
  }

  /** A `cid`: a verification value once its object is known to have a card's number. */
  cid(start: number, end: number, isNumber: 0 | 1): void {
    const { path } = this.#scan
    const top = path.depth - 1
    if (end - start < 3 || end - start > 4) return
    path.cidStart[top] = start
    path.cidEnd[top] = end * 2 + isNumber
    if (path.hasCard[top] === 1) this.#isCard(top)
  }

  /** Takes a string that stands where names of columns stand as the header of one. */
  header(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    const { path } = this.#scan
    const top = path.depth - 1
    if (top <= 0 || end - start > nameBytesMax) return
    if ((meaning & NAME) !== 0 && path.kind[top] === MEMBER) this.naming(bytes, start, end)
    const isList = ((path.outer[top] ?? 0) & LIST) !== 0
    const isCell = path.kind[top] === ELEMENT && path.kind[top - 1] === ELEMENT
    const isHeader = isCell && path.index[top - 1] === 0
    if (isHeader || (isList && (path.kind[top] === ELEMENT || (meaning & NAME) !== 0))) {
      this.#column(bytes, start, end, top)
    }
  }

  /** Notes a text that may name the value beside it. Few objects have one: it is looked at for those. */
  naming(bytes: Uint8Array, start: number, end: number): void {
    const { path } = this.#scan
    const top = path.depth - 1
    if (end - start > nameBytesMax) return
    if ((path.namingEnd[top] ?? 0) > 0) this.#name(top)
    path.namingStart[top] = start
    path.namingEnd[top] = end
    this.#texts[top] = bytes
  }

  #name(top: number): void {
    const { path, names } = this.#scan
    const bytes = this.#texts[top]
    const [start, end] = [path.namingStart[top] ?? 0, path.namingEnd[top] ?? 0]
    path.namingEnd[top] = 0
    if (bytes === undefined || !mayName(bytes, start, end)) return
    const named = meaningAt(names, bytes, start, end) & (CARD | SECRET | OTHER_NUMBER)
    path.pair[top] = (path.pair[top] ?? 0) | named
  }

  /** Takes a string as the header of the column that its place, or its object's place, stands for. */
  #column(bytes: Uint8Array, start: number, end: number, top: number): void {
    const { names, path } = this.#scan
    const named = meaningAt(names, bytes, start, end) & (CARD | SECRET | CONTEXT | OTHER_NUMBER)
    if (named === 0) return
    const list = path.kind[top] === ELEMENT ? top : top - 1
    if (path.kind[list] === ELEMENT) this.#scan.column(path.index[list] ?? 0, named)
  }

  /** A `cid` that is a string. */
  cidText(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) if (isDigit[bytes[i] ?? 0] === 0) return
    this.cid(start, end, 0)
  }
}

/** Whether a text may name card data: a quick no, since rows have names of their own. */
function mayName(b: Uint8Array, start: number, end: number): boolean {
  let isWithin = false // a word
  for (let i = start; i + 1 < end; i++) {
    const c = b[i] ?? 0
    if (c >= 0x80 || c === 0x5c) return true
    // The letters of a word in the middle of a name begin with a capital, or behind a sign.
    const isCapital = c >= 0x41 && c <= 0x5a
    if (!isWithin || isCapital) {
      if (namePairs[((c | 0x20) << 8) | ((b[i + 1] ?? 0) | 0x20)] === 1) return true
    }
    isWithin = isCapital || (c >= 0x61 && c <= 0x7a)
  }
  return false
}

/** By the first two letters, as a number of 16 bits: whether a name that says something begins so. */
const namePairs = new Uint8Array(0x10000)
for (const name of [...namesOf(CARD | SECRET), ...otherNames]) {
  if (name.charCodeAt(0) < 0x80)
    namePairs[(name.charCodeAt(0) << 8) | (name.charCodeAt(1) & 0xff)] = 1
}
