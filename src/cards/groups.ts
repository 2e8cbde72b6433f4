/**
 * Groups of digits with separators between them, as people write card numbers. Only whole groups,
 * only in the sizes cards are written in, only with one kind of separator: anything looser joins
 * the columns of a table into numbers that nobody wrote.
 */
import { isDigit, isSeparator } from './bytes.ts'
import { matters } from './spelling.ts'

const groupsMax = 12
const backslash = 0x5c
const digitsMax = 19

export class Groups {
  count = 0
  /** The last group goes on in escapes or beyond ASCII, where only the normaliser reads. */
  isTorn = false
  readonly #starts = new Int32Array(groupsMax)
  readonly #ends = new Int32Array(groupsMax)
  readonly #gaps = new Uint8Array(groupsMax) // the separator behind group i

  start(i: number): number {
    return this.#starts[i] ?? 0
  }

  end(i: number): number {
    return this.#ends[i] ?? 0
  }

  size(i: number): number {
    return i < this.count ? (this.#ends[i] ?? 0) - (this.#starts[i] ?? 0) : 0
  }

  /**
   * Reads the groups from the run [from, to) on.
   * @param widest 1 for the separators of any text, 2 for those of a card column too.
   */
  read(bytes: Uint8Array, from: number, to: number, end: number, widest: number): void {
    let start = from
    let stop = to
    let count = 0
    this.isTorn = false
    for (;;) {
      this.#starts[count] = start
      this.#ends[count] = stop
      const separator = stop < end ? (bytes[stop] ?? 0) : 0
      const meaning = isSeparator[separator] ?? 0
      this.#gaps[count++] = separator
      start = stop
      if (count === groupsMax || meaning === 0 || meaning > widest) break
      start = stop + (stop + 1 < end && bytes[stop + 1] === separator ? 2 : 1)
      if (start >= end || isDigit[bytes[start] ?? 0] === 0) break
      stop = start + 1
      while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
    }
    this.count = count
    const b = start < end ? (bytes[start] ?? 0) : 0
    if (b >= 0x80 || b === backslash) this.isTorn = matters(bytes, start, end)
  }

  /** How many groups from `a` on have the sizes of a card number, at most; 0 for none. */
  fitting(a: number): number {
    const first = this.size(a)
    if (first >= 12) return first <= digitsMax ? 1 : 0
    const joined = this.#joined(a)
    if (joined < 2) return 0
    const second = this.size(a + 1)
    if (first === 4 && second === 4) {
      if (joined < 4 || this.size(a + 2) !== 4) return 0
      const fourth = this.size(a + 3)
      const fifth = joined >= 5 ? this.size(a + 4) : 0
      if (fourth === 4 && fifth >= 1 && fifth <= 3) return 5
      return fourth <= 4 ? 4 : 0
    }
    if (first === 4 && second === 6) {
      const third = joined >= 3 ? this.size(a + 2) : 0
      return third === 5 || third === 4 ? 3 : 0
    }
    return (first === 6 && second === 13) || (first === 8 && second === 8) ? 2 : 0
  }

  /** Puts the digits of `used` groups from `a` on into `into`; returns how many, 0 for too many. */
  fill(bytes: Uint8Array, a: number, used: number, into: Uint8Array): number {
    let length = 0
    for (let i = a; i < a + used; i++) {
      const stop = this.#ends[i] ?? 0
      for (let at = this.#starts[i] ?? 0; at < stop; at++) {
        if (length === digitsMax) return 0
        into[length++] = (bytes[at] ?? 0) & 15
      }
    }
    return length
  }

  /** How many groups from `a` on are joined by one kind of separator. */
  #joined(a: number): number {
    let n = 1
    while (a + n < this.count && this.#gaps[a + n - 1] === this.#gaps[a]) n++
    return n
  }
}

/** Whether a first group [from, to) can begin a number, by the size of the second. A quick no. */
export function canBegin(bytes: Uint8Array, from: number, to: number, end: number): boolean {
  const start = to + (to + 1 < end && bytes[to + 1] === bytes[to] ? 2 : 1)
  let stop = start
  while (stop < end && isDigit[bytes[stop] ?? 0] === 1) stop++
  const b = stop < end ? (bytes[stop] ?? 0) : 0
  if (b >= 0x80 || b === backslash) return true
  const first = to - from
  const second = stop - start
  if (first === 4) return second === 4 || second === 6
  return (first === 6 && second === 13) || (first === 8 && second === 8)
}
