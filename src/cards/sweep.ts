/**
 * The second look at what was masked: card numbers that stand as they are, without help of a key, a
 * word or a disguise. It knows nothing of what the first look found, and is quick.
 */
import { isInside, isOfDump, isOfIban, isOtherNumber } from './around.ts'
import { isDigit, isSeparator, mayJoin } from './bytes.ts'
import { Groups } from './groups.ts'
import { isOneDigit, passesLuhn } from './luhn.ts'
import { NEEDS_CONTEXT, RARE, brandOf } from './ranges.ts'
import { feed, kernel } from './kernel/start.ts'
import { isSplit } from './spelling.ts'

/** The least digits of a number. */
const numberMin = 12

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

  /** Every number as it stands has four digits in a row: the kernel tells where such runs end. */
  #run(): void {
    const { length } = this.#bytes
    kernel.beginRuns()
    let done = 0
    for (let base = 0; base < length; base += kernel.windowBytes) {
      const count = kernel.runs(feed(this.#bytes, base, kernel.windowBytes))
      for (let i = 0; i < count; i++) {
        const to = base + (kernel.ends[i] ?? 0)
        if (to <= done) continue
        done = this.#around(to, done)
        if (this.#found >= 0) return
      }
    }
  }

  /** Looks at what the run that ends at `end` belongs to; returns up to where that is done. */
  #around(end: number, done: number): number {
    const bytes = this.#bytes
    let to = end
    let from = to - 4
    while (from > done && isDigit[bytes[from - 1] ?? 0] === 1) from--
    const first = to - from < numberMin ? firstOfGroups(bytes, done, from) : from
    if (first < from) {
      from = first
      for (to = first + 1; isDigit[bytes[to] ?? 0] === 1;) to++
    }
    const isWhole = to - from >= numberMin
    if (!isWhole && (mayJoin[bytes[to] ?? 0] === 0 || !hasDigits(bytes, from))) return to
    return isSplit(bytes, 0, bytes.length, from, to) ? to : Math.max(to, this.#sequence(from, to))
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

/** Whether the groups from `from` on, with what may stand between them, have digits enough. */
function hasDigits(bytes: Uint8Array, from: number): boolean {
  let digits = 0
  for (let i = from; digits < numberMin; i++) {
    const b = bytes[i] ?? 0
    if (isDigit[b] === 1) digits++
    // The letter of an escaped line break follows a backslash.
    else if (mayJoin[b] === 0 && !(isBreakLetter(b) && bytes[i - 1] === 0x5c)) return false
  }
  return true
}

const isBreakLetter = (b: number): boolean => b === 0x6e || b === 0x72

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
