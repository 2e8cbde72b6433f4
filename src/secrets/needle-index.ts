/**
 * Looks for many texts in one pass. One secret has about ten spellings, and where each caller has a
 * token of its own there are thousands of them: a pass for each would cost more than the call.
 *
 * The last eight bytes of each needle are what is looked for: tokens of one issuer begin alike, and
 * end in a signature. As no needle is shorter, three bytes that stand in none of these ends let the
 * pass go on by six (S. Wu, U. Manber, "A fast algorithm for multi-pattern searching", 1994):
 *
 *   … x y z k l m n o p q r …      at q: "o p q" is in no end, so nothing ends before "r s t u v w"
 *             └─────────────┘ window of eight
 */
export interface Found {
  readonly start: number
  readonly end: number
}

const windowBytes = 8
const blockBytes = 3
const shiftMax = windowBytes - blockBytes + 1

export class NeedleIndex {
  /** By hash of a block: how far the pass may go on; 0 where a needle may end. */
  readonly #shifts = new Uint8Array(1 << 18).fill(shiftMax)
  /** By the last four bytes. */
  readonly #byTail = new Map<number, Buffer[]>()

  /** @param needles of at least eight bytes each. */
  add(needles: readonly Buffer[]): void {
    for (const needle of needles) {
      const end = needle.length
      for (let back = 0; back < shiftMax; back++) {
        const slot = slotOf(needle.readUIntBE(end - back - blockBytes, blockBytes))
        if ((this.#shifts[slot] ?? 0) > back) this.#shifts[slot] = back
      }
      const tail = needle.readUInt32BE(end - 4)
      const known = this.#byTail.get(tail)
      if (known === undefined) this.#byTail.set(tail, [needle])
      else known.push(needle)
    }
  }

  /** Every place at which a needle stands; they may overlap. */
  find(bytes: Buffer): Found[] {
    const shifts = this.#shifts
    const found: Found[] = []
    const { length } = bytes
    let last = windowBytes - 1 // Invariant: no needle ends before this byte that is not in `found`.
    while (last < length) {
      // Within bounds, which is what the fallbacks say to the compiler.
      const a = bytes[last - 2] ?? 0
      const b = bytes[last - 1] ?? 0
      const shift = shifts[slotOf((a << 16) | (b << 8) | (bytes[last] ?? 0))] ?? 0
      if (shift === 0) this.#collect(bytes, last + 1, found)
      last += shift === 0 ? 1 : shift
    }
    return found
  }

  #collect(bytes: Buffer, end: number, found: Found[]): void {
    for (const needle of this.#byTail.get(bytes.readUInt32BE(end - 4)) ?? []) {
      const start = end - needle.length
      if (start >= 0 && needle.compare(bytes, start, end) === 0) found.push({ start, end })
    }
  }
}

/** Three bytes in 18 bits. */
function slotOf(block: number): number {
  return Math.imul(block, 0x9e3779b1) >>> 14
}
