/**
 * What stands between two values of a row, remembered: rows of a result repeat it byte for byte, so
 * comparing eight bytes at a time takes the place of reading keys, quotes and white space again.
 *
 *   "id": 7,\n    "pan": "4…"          from `7` to the inside of the next value: one glue, same row
 *   …"x"\n  },\n  {\n    "id": 8       from `x` to `8`: one glue, next row
 *
 * A glue that does not match costs one look; the reader then goes the long way and learns the new one.
 */

const slots = 128
const nothing = new Uint8Array(0)

/** The reader goes on in the same object. */
export const SAME_ROW = 1
/** It leaves the object and enters the next one of the array. */
export const NEXT_ROW = 2

/** One thing learnt: what a glue follows, where it stands, and where it leads. */
export interface Glue {
  /** The name and frame which it follows, and what that frame is in. */
  after: number
  frame: number
  outer: number
  start: number
  length: number
  /** SAME_ROW or NEXT_ROW; 0 while nothing is learnt. */
  leads: number
  /** The key it ends with; its place from the start of the glue. */
  name: number
  nameStart: number
  nameEnd: number
  /** The value behind is a string, whose quote belongs to the glue. */
  isString: boolean
  /** Its name says nothing of the value behind. */
  isIdle: boolean
  /** It names a card number, and nothing more. */
  isCard: boolean
  /** The value behind may name what stands beside it. */
  isNaming: boolean
}

const empty = (): Glue => ({
  after: 0,
  frame: 0,
  outer: 0,
  start: 0,
  length: 0,
  leads: 0,
  name: 0,
  nameStart: 0,
  nameEnd: 0,
  isString: false,
  isIdle: false,
  isCard: false,
  isNaming: false,
})

export class Glues {
  readonly #glues: readonly Glue[] = Array.from({ length: slots }, empty)
  /** Those that glue was learnt in. */
  bytes: Uint8Array = nothing
  #view: DataView = new DataView(nothing.buffer)

  forget(): void {
    this.bytes = nothing
  }

  /** Forgets everything when other bytes come. */
  of(bytes: Uint8Array): void {
    if (this.bytes === bytes) return
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (const glue of this.#glues) glue.leads = 0
  }

  /** Whether these are the bytes that were last given; texts in texts may come between. */
  knows(bytes: Uint8Array): boolean {
    return this.bytes === bytes
  }

  /** What is at a place. */
  at(place: number): Glue | undefined {
    return this.#glues[place]
  }

  /** The number of that place. */
  place(after: number, frame: number): number {
    return (after ^ (frame << 4)) & (slots - 1)
  }

  /** The place for what follows the value of `after` in a frame at depth `frame`. */
  slot(after: number, frame: number): Glue | undefined {
    return this.#glues[this.place(after, frame)]
  }

  /** The glue that stands at `at`, all of it before `end`; undefined when none is known. */
  match(after: number, frame: number, outer: number, at: number, end: number): Glue | undefined {
    const glue = this.#glues[(after ^ (frame << 4)) & (slots - 1)]
    if (glue === undefined || glue.leads === 0 || glue.after !== after) return undefined
    if (glue.frame !== frame || glue.outer !== outer || at + glue.length >= end) return undefined
    return this.#isSame(at, glue.start, glue.length) ? glue : undefined
  }

  #isSame(a: number, b: number, length: number): boolean {
    const view = this.#view
    let i = 0
    // As doubles: NaNs, which no text is made of, are unlike each other, so they only fail to match;
    // zeros of both signs are alike, but JSON holds no NUL.
    for (; i + 8 <= length; i += 8) {
      if (view.getFloat64(a + i, true) !== view.getFloat64(b + i, true)) return false
    }
    if (i === length) return true
    // The last eight bytes, some of them once more.
    if (i > 0) {
      i = length - 8
      return view.getFloat64(a + i, true) === view.getFloat64(b + i, true)
    }
    for (; i < length; i++) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false
    return true
  }
}
