/** Which findings are written over on delivery, in the order in which they stand. */
import { CODE, NOTHING, PAN, RECORD_ONLY, START, formOf, kindOf } from '../cards/findings.ts'
import type { Findings } from '../cards/findings.ts'

/** A message with its findings, as they are written on delivery. */
export interface Edited {
  readonly message: Uint8Array
  readonly findings: Findings
  readonly reveal: 'none' | 'pan'
}

/** The findings that the client sees something else of, by their places. */
export function delivered({ findings, reveal }: Edited): number[] {
  const all: number[] = []
  for (let i = 0; i < findings.count; i++) {
    const what = findings.field(i, CODE)
    if (formOf(what) === NOTHING) continue
    const isShown = (what & RECORD_ONLY) !== 0 || (reveal === 'pan' && kindOf(what) === PAN)
    if (!isShown || findings.shown.has(i)) all.push(i)
  }
  const at = (i: number): number => findings.field(i, START)
  return findings.isSorted ? all : all.sort((a, b) => at(a) - at(b))
}

/** Those of the findings that begin in [start, end); both lists are in order. */
export function within(
  findings: Findings,
  order: readonly number[],
  start: number,
  end: number,
): readonly number[] {
  const first = firstFrom(findings, order, start)
  const last = firstFrom(findings, order, end)
  return order.slice(first, last)
}

function firstFrom(findings: Findings, order: readonly number[], offset: number): number {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (findings.field(order[middle] ?? 0, START) < offset) low = middle + 1
    else high = middle
  }
  return low
}
