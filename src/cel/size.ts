/** How large facts are: what the cost of an evaluation depends on. */

export interface Size {
  /** Elements of the longest list, or members of the widest object. */
  readonly longest: number
  /** All values, those inside others included. */
  readonly values: number
  /** UTF-16 units of the longest text. */
  readonly text: number
  /** Values in one element of a list at most; the average where it is missing. */
  readonly each?: number
}

/** Deeper facts are nobody's claims: they are of infinite size, and nothing holds of them. */
const depthMax = 32

/** Measures plain values as JSON has them. */
export function sizeOf(value: unknown): Size {
  const size = { longest: 0, values: 0, text: 0 }
  measure(value, 0, size)
  return size
}

function measure(
  value: unknown,
  depth: number,
  size: { longest: number; values: number; text: number },
): void {
  size.values += 1
  if (typeof value === 'string') size.text = Math.max(size.text, value.length)
  if (typeof value !== 'object' || value === null) return
  if (depth > depthMax) size.longest = size.values = size.text = Infinity
  else {
    const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
    size.longest = Math.max(size.longest, inner.length)
    for (const each of inner) measure(each, depth + 1, size)
  }
}
