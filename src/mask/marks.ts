/** Where the client's copy of a message differs from what came: for showing it to a person. */
import {
  CODE,
  END,
  MARKER,
  NOTHING,
  PAN,
  PATCH,
  RECORD_ONLY,
  START,
  WORD,
  formOf,
  kindOf,
} from '../cards/findings.ts'
import type { Findings } from '../cards/findings.ts'

const wordBytes = 3
const markerBytes = '[track removed]'.length

/**
 * Pairs of start and end in the client's copy, ascending. Opaque values that were replaced by an
 * alias are not among them, and move what stands behind them.
 */
export function marksOf(findings: Findings, reveal: 'none' | 'pan'): Int32Array {
  const order = Array.from({ length: findings.count }, (_, i) => i)
  order.sort((a, b) => findings.field(a, START) - findings.field(b, START))
  const marks: number[] = []
  let shift = 0
  for (const i of order) {
    const what = findings.field(i, CODE)
    const blob = findings.shown.get(i)?.[reveal]
    const isLeft = (what & RECORD_ONLY) !== 0 || (reveal === 'pan' && kindOf(what) === PAN)
    if (formOf(what) === NOTHING || (isLeft && blob === undefined)) continue
    const start = findings.field(i, START)
    const length = findings.field(i, END) - start
    const written = blob?.length ?? writtenBytes(findings, i, length)
    marks.push(start + shift, start + shift + written)
    shift += written - length
  }
  return Int32Array.from(marks)
}

function writtenBytes(findings: Findings, i: number, length: number): number {
  const form = formOf(findings.field(i, CODE))
  if (form === WORD) return wordBytes
  if (form === MARKER) return markerBytes
  return form === PATCH ? (findings.patches.get(i)?.length ?? 0) : length
}
