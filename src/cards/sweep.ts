/**
 * The second look at what was masked: card numbers that stand as they are, without help of a key, a
 * word or a disguise. It knows nothing of what the first look found, and is quick.
 */
import { isInside, isOfDump, isOfIban, isOtherNumber } from './around.ts'
import { isDigit, isSeparator } from './bytes.ts'
import { Groups } from './groups.ts'
import { isOneDigit, passesLuhn } from './luhn.ts'
import { NEEDS_CONTEXT, RARE, brandOf } from './ranges.ts'
import { isSplit } from './spelling.ts'

/** Sweeps one text at a time; keep one and use it again. */
export class Sweeper {
  readonly #groups = new Groups()
  readonly #digits = new Uint8Array(24)
  #bytes: Uint8Array = new Uint8Array(0)
  #allowed: Int32Array = new Int32Array(0)
  #nextAllowed = 0
  #found = -1

  /**
   * Looks for a card number in `bytes`.
   * @param allowed pairs of start and end, ascending, in which one may stand.
   * @returns the offset of the first one elsewhere, or -1.
   */
  sweep(bytes: Uint8Array, allowed: Int32Array): number {
    this.#bytes = bytes
    this.#allowed = allowed
    this.#nextAllowed = 0
    this.#found = -1
    this.#run()
    return this.#found
  }

  /** Groups of four with up to two separators between them: one byte in eight is a digit of such a
   *  number, whatever the offset; the groups before the one that was hit are gone back to. */
  #run(): void {
    const bytes = this.#bytes
    const end = bytes.length
    let done = 0
    let i = 7
    for (;;) {
      while (
        i + 24 < end &&
        ((isDigit[bytes[i] ?? 0] ?? 0) |
          (isDigit[bytes[i + 8] ?? 0] ?? 0) |
          (isDigit[bytes[i + 16] ?? 0] ?? 0) |
          (isDigit[bytes[i + 24] ?? 0] ?? 0)) ===
          0
      ) {
        i += 32
      }
      while (i < end && isDigit[bytes[i] ?? 0] === 0) i += 8
      if (i >= end) return
      let from = i
      while (from > done && isDigit[bytes[from - 1] ?? 0] === 1) from--
      let to = i + 1
      while (to < end && isDigit[bytes[to] ?? 0] === 1) to++
      const first = to - from < 12 ? firstOfGroups(bytes, done, from) : from
      if (first < from) {
        from = first
        for (to = first + 1; isDigit[bytes[to] ?? 0] === 1;) to++
      }
      done = to
      const next = to < end ? (bytes[to] ?? 0) : 0
      if (to - from >= 12 || isSeparator[next] === 1) {
        if (!isSplit(bytes, 0, end, from, to)) done = Math.max(to, this.#sequence(from, to))
        if (this.#found >= 0) return
      }
      i = done + 7
    }
  }

  /** Looks at the groups from [from, to) on; returns up to where there is nothing more to see. */
  #sequence(from: number, to: number): number {
    const groups = this.#groups
    groups.read(this.#bytes, from, to, this.#bytes.length)
    for (let a = 0; a < groups.count; a++) {
      const used = groups.fitting(a)
      if (used === 0) continue
      const size = this.#isCard(a, used) ? used : used === 5 && this.#isCard(a, 4) ? 4 : 0
      if (size === 0) continue
      const [start, end] = [groups.start(a), groups.end(a + size - 1)]
      if (!this.#isAllowed(start, end)) this.#found = start
      return end
    }
    return groups.count > 2 ? groups.end(groups.count - 2) : to
  }

  #isCard(a: number, used: number): boolean {
    const groups = this.#groups
    const bytes = this.#bytes
    if (groups.isTorn && a + used === groups.count) return false
    // Columns of a table may stand so; whoever knows its header knows better.
    if (used > 1 && (groups.isOdd(a, used) || groups.isWide(a))) return false
    const length = groups.fill(bytes, a, used, this.#digits)
    const brand = length < 12 ? 0 : brandOf(this.#digits, length)
    if (brand === 0 || (brand & (NEEDS_CONTEXT | RARE)) !== 0) return false
    if (isOneDigit(this.#digits, length) || !passesLuhn(this.#digits, length)) return false
    const from = groups.start(a)
    const to = groups.end(a + used - 1)
    if (isInside(bytes, 0, bytes.length, from, to) || isOtherNumber(bytes, 0, from, length))
      return false
    if (used > 1 && isOfDump(bytes, 0, from)) return false
    return used === 1 || !(isOfIban(bytes, 0, from) || groups.isCrowded(bytes, a, used))
  }

  /** Asked in ascending order, so the allowed places are walked through once. */
  #isAllowed(start: number, end: number): boolean {
    const allowed = this.#allowed
    while (this.#nextAllowed < allowed.length && (allowed[this.#nextAllowed + 1] ?? 0) < end) {
      this.#nextAllowed += 2
    }
    return this.#nextAllowed < allowed.length && (allowed[this.#nextAllowed] ?? 0) <= start
  }
}

/** The start of the groups of digits that end with the one at `from`, not before `min`. */
function firstOfGroups(bytes: Uint8Array, min: number, from: number): number {
  let first = from
  for (;;) {
    const separator = first > min ? (bytes[first - 1] ?? 0) : 0
    if (isSeparator[separator] !== 1) return first
    let at = first - 1
    if (at > min && bytes[at - 1] === separator) at--
    if (at <= min || isDigit[bytes[at - 1] ?? 0] === 0) return first
    while (at > min && isDigit[bytes[at - 1] ?? 0] === 1) at--
    first = at
  }
}
