/**
 * Which column a cell stands in when only spaces divide them: the one whose header is above it, since
 * empty cells leave no trace. Places are counted in characters.
 *
 *   id               pan  cvv        id          ---------- ---
 *   0   1  4111…     …1   123        a cell may be empty:   123
 */
import { widthAt } from './bytes.ts'
import type { Row } from './table-row.ts'

/** Beginnings and ends of columns, in characters of the line. */
export interface Spans {
  readonly left: Int32Array
  readonly right: Int32Array
}

/**
 * The column of each cell of `row`, -1 for none, into `places`.
 * @param count how many columns there are.
 */
export function placed(spans: Spans, count: number, row: Row, places: Int32Array): Int32Array {
  let column = 0
  let last = -1
  let unplaced = 0
  let isClear = true
  for (let i = 0; i < row.count; i++) {
    const left = row.left[i] ?? 0
    const right = row.right[i] ?? 0
    while (column < count && (spans.right[column] ?? 0) <= left) column++
    let best = -1
    let most = 0
    for (let c = column; c < count && (spans.left[c] ?? 0) < right; c++) {
      const overlap = Math.min(right, spans.right[c] ?? 0) - Math.max(left, spans.left[c] ?? 0)
      if (overlap > most) {
        best = c
        most = overlap
      }
    }
    if (best === last && best >= 0) isClear = false
    // An index in front has no header.
    if (best < 0 && i > 0) unplaced++
    if (best >= 0) last = best
    places[i] = best
  }
  if (row.count === count && (!isClear || unplaced > 0))
    for (let i = 0; i < count; i++) places[i] = i
  return places
}

/** Whether each header begins or ends where a cell of `row` does; one more cell may stand in front. */
export function isAtEdges(head: Row, row: Row): boolean {
  const before = row.count - head.count
  if (head.count < 2 || before < 0 || before > 1) return false
  for (let i = 0; i < head.count; i++) {
    const cell = i + before
    if (head.left[i] !== row.left[cell] && head.right[i] !== row.right[cell]) return false
  }
  return true
}

/**
 * Cuts the line [at, to) where columns begin; `row` then has a cell for each.
 * @returns whether there is space at each cut.
 */
export function cut(
  b: Uint8Array,
  at: number,
  to: number,
  spans: Spans,
  count: number,
  row: Row,
): boolean {
  let i = at
  let column = 0
  let isClean = true
  for (let c = 0; c < count; c++) {
    const left = spans.left[c] ?? 0
    const right = c + 1 < count ? (spans.left[c + 1] ?? 0) : Infinity
    while (i < to && column < left) {
      i += widthAt(b, i)
      column++
    }
    let from = i
    if (c > 0 && i < to && (b[i] ?? 0) > 0x20 && (b[i - 1] ?? 0) > 0x20) isClean = false
    while (i < to && column < right) {
      i += widthAt(b, i)
      column++
    }
    let stop = i
    while (from < stop && (b[from] ?? 0) <= 0x20) from++
    while (stop > from && (b[stop - 1] ?? 0) <= 0x20) stop--
    row.from[c] = from
    row.to[c] = stop
    row.left[c] = left
    row.right[c] = spans.right[c] ?? 0
  }
  row.count = count
  return isClean
}
