/** One tuple of a program or statement, `(1, '4…', NULL)`, cut into its items. */

const itemsMax = 256
const tupleBytesMax = 64 * 1024
/** How deep brackets may lie in brackets. */
const depthMax = 16
/** What is no tuple costs at most so much, so often. */
const strayBytesMin = 256
const straysMax = 32
const backslash = 0x5c

const isQuote = (b: number): boolean => b === 0x22 || b === 0x27 || b === 0x60
const isOpening = (b: number): boolean => b === 0x28 || b === 0x5b || b === 0x7b
const isClosing = (b: number): boolean => b === 0x29 || b === 0x5d || b === 0x7d

/** Whether a tuple or list begins with this sign. */
export const opensTuple: (b: number) => boolean = isOpening

/** The items of one tuple. Keep one and use it again. */
export class Tuple {
  count = 0
  /** The offset behind the closing bracket. */
  next = 0
  readonly from: Int32Array = new Int32Array(itemsMax)
  readonly to: Int32Array = new Int32Array(itemsMax)
  #strays = 0

  /** Prepares for another text. */
  begin(): void {
    this.#strays = 0
  }

  /** Reads the items behind the bracket at `at`; false when there is no end to them. */
  read(b: Uint8Array, at: number): boolean {
    this.count = 0
    if (this.#strays > straysMax) return false
    const max = Math.min(b.length, at + tupleBytesMax)
    let depth = 0
    let from = at + 1
    let i = from
    for (; i < max && depth >= 0; i++) {
      const c = b[i] ?? 0
      if (isQuote(c)) i = stringEnd(b, i, max)
      else if (isOpening(c) && ++depth > depthMax) break
      else if (isClosing(c)) depth--
      if ((c === 0x2c && depth === 0) || depth < 0) {
        this.#put(b, from, i)
        from = i + 1
      }
    }
    this.next = i
    if (depth < 0) return true
    if (i - at > strayBytesMin) this.#strays++
    return false
  }

  /** Without spaces, quotes and what stands before quotes: `N'…'`, `b"…"`. */
  #put(b: Uint8Array, from: number, to: number): void {
    if (this.count >= itemsMax) return
    let start = from
    let end = to
    while (start < end && (b[start] ?? 0) <= 0x20) start++
    while (end > start && (b[end - 1] ?? 0) <= 0x20) end--
    if (end - start > 1 && isQuote(b[end - 1] ?? 0)) {
      let open = start
      while (open < start + 8 && open < end - 1 && !isQuote(b[open] ?? 0)) open++
      if (b[open] === b[end - 1]) {
        start = open + 1
        end--
      }
    }
    this.from[this.count] = start
    this.to[this.count++] = end
  }
}

/** The quote that closes the one at `at`, whichever way a quote inside is written; or `max`. */
function stringEnd(b: Uint8Array, at: number, max: number): number {
  const quote = b[at]
  for (let i = at + 1; i < max; i++) {
    if (b[i] === backslash) i++
    else if (b[i] === quote) {
      if (b[i + 1] !== quote) return i
      i++
    }
  }
  return max
}
