/**
 * Which subtrees a proof is made of, without a hash in sight. A range stands for the root over the
 * leaves [from, to); its start is a multiple of the power of two that holds it.
 */
import { assert } from '../base/assert.ts'
import { isCount } from './spelling.ts'

/** The leaves from `from` up to, and not with, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** A full subtree: the leaves [index * 2^level, (index + 1) * 2^level). */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** The siblings on the way from leaf `index` up to the root, the leaf's own first (RFC 6962 §2.1.1). */
export function inclusionRanges(index: number, size: number): Range[] {
  assert(isCount(index) && isCount(size) && index < size, 'a proven entry lies inside the tree')
  const found: Range[] = []
  for (let from = 0, to = size; to - from > 1;) {
    const middle = from + split(to - from)
    if (index < middle) found.push({ from: middle, to })
    else found.push({ from, to: middle })
    if (index < middle) to = middle
    else from = middle
  }
  return found.toReversed()
}

/** What leads from the root of `old` leaves to that of `size` (RFC 6962 §2.1.2, SUBPROOF). */
export function consistencyRanges(old: number, size: number): Range[] {
  assert(isCount(old) && isCount(size) && old <= size, 'a tree only grows')
  if (old === 0) return []
  const found: Range[] = []
  let from = 0
  let to = size
  while (old < to) {
    const middle = from + split(to - from)
    if (old <= middle) found.push({ from: middle, to })
    else found.push({ from, to: middle })
    if (old <= middle) to = middle
    else from = middle
  }
  // Now the range ends where the old tree does. If it starts at 0 it is the old tree, whose root
  // the verifier has.
  if (from !== 0) found.push({ from, to })
  return found.toReversed()
}

/** The full subtrees that a range is made of, largest and leftmost first. */
export function subtreesOf({ from, to }: Range): Subtree[] {
  const found: Subtree[] = []
  for (let at = from; at < to;) {
    let level = 0
    while (2 ** (level + 1) <= to - at) level++
    found.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return found
}

/** The largest power of two strictly below `count`, which is at least 2. */
function split(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}
