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

export class Glues {
  // By slot: the name and frame it follows, where it stands, and where it leads.
  readonly #after = new Int32Array(slots)
  readonly #frame = new Int32Array(slots)
  readonly #outer = new Int32Array(slots)
  readonly #start = new Int32Array(slots)
  readonly #length = new Int32Array(slots)
  readonly #leads = new Uint8Array(slots)
  readonly #name = new Int32Array(slots)
  readonly #nameStart = new Int32Array(slots)
  readonly #nameEnd = new Int32Array(slots)
  readonly #isString = new Uint8Array(slots)
  #bytes: Uint8Array = nothing
  #view = new DataView(this.#bytes.buffer)
  /** The slot that last matched. */
  #matched = 0

  forget(): void {
    this.#bytes = nothing
  }

  /** Forgets everything when other bytes come. */
  of(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#leads.fill(0)
  }

  /** Whether these are the bytes that were last given; texts in texts may come between. */
  knows(bytes: Uint8Array): boolean {
    return this.#bytes === bytes
  }

  /** Remembers [start, end) as what follows the value of `after` in a frame at depth `frame`. */
  learn(
    after: number,
    frame: number,
    outer: number,
    start: number,
    end: number,
    leads: number,
    name: number,
    nameStart: number,
    nameEnd: number,
    isString: boolean,
  ): void {
    const slot = (after ^ (frame << 4)) & (slots - 1)
    this.#after[slot] = after
    this.#frame[slot] = frame
    this.#outer[slot] = outer
    this.#start[slot] = start
    this.#length[slot] = end - start
    this.#leads[slot] = leads
    this.#name[slot] = name
    this.#nameStart[slot] = nameStart - start
    this.#nameEnd[slot] = nameEnd - start
    this.#isString[slot] = isString ? 1 : 0
  }

  /** How many bytes of known glue stand at `at`, before `end`; 0 for none. */
  match(after: number, frame: number, outer: number, at: number, end: number): number {
    const slot = (after ^ (frame << 4)) & (slots - 1)
    if (this.#leads[slot] === 0 || this.#after[slot] !== after) return 0
    if (this.#frame[slot] !== frame || this.#outer[slot] !== outer) return 0
    const length = this.#length[slot] ?? 0
    if (at + length >= end || !this.#isSame(at, this.#start[slot] ?? 0, length)) return 0
    this.#matched = slot
    return length
  }

  get leads(): number {
    return this.#leads[this.#matched] ?? 0
  }

  get name(): number {
    return this.#name[this.#matched] ?? 0
  }

  /** The key's place, from the start of the glue. */
  get nameStart(): number {
    return this.#nameStart[this.#matched] ?? 0
  }

  get nameEnd(): number {
    return this.#nameEnd[this.#matched] ?? 0
  }

  get isString(): boolean {
    return this.#isString[this.#matched] === 1
  }

  #isSame(a: number, b: number, length: number): boolean {
    const view = this.#view
    let i = 0
    // As doubles: NaNs, which no text is made of, are unlike each other, so they only fail to match;
    // zeros of both signs are alike, but JSON holds no NUL.
    for (; i + 8 <= length; i += 8) {
      if (view.getFloat64(a + i, true) !== view.getFloat64(b + i, true)) return false
    }
    for (; i < length; i++) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false
    return true
  }
}
