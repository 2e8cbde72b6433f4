/** How large facts are: what the cost of an evaluation depends on. */

export interface Size {
  /** Elements of the longest list, or members of the widest object. */
  readonly longest: number
  /** All values, those inside others included. */
  readonly values: number
  /** UTF-16 units of the longest text. */
  readonly text: number
}

/** Deeper facts are nobody's claims: they are of infinite size, and nothing holds of them. */
const depthMax = 32

/** Measures plain values as JSON has them. */
export function sizeOf(value: unknown, depth = 0): Size {
  if (typeof value === 'string') return { longest: 0, values: 1, text: value.length }
  if (typeof value !== 'object' || value === null) return { longest: 0, values: 1, text: 0 }
  if (depth > depthMax) return { longest: Infinity, values: Infinity, text: Infinity }
  const inner: unknown[] = Object.values(value)
  let [longest, values, text] = [inner.length, 1, 0]
  for (const each of inner) {
    const size = sizeOf(each, depth + 1)
    longest = Math.max(longest, size.longest)
    values += size.values
    text = Math.max(text, size.text)
  }
  return { longest, values, text }
}
