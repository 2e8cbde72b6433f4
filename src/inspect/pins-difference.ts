/** The difference of two forms of a tool as lines of plain text, for the person who accepts it. */
import { partNames } from './pins-form.ts'
import type { Texts } from './pins-form.ts'
import { lookOf } from './pins-twins.ts'
import { bare, plain } from './pins-words.ts'

/** Lines or words of one side that are compared; what is larger is shown as replaced. */
const unitsMax = 2000
/** Unchanged lines shown around a change. */
const context = 2
/** Unchanged words shown around a change in a long line. */
const wordContext = 8
const longLine = 160
const lineLengthMax = 2000
const linesMax = 1000

/**
 * Lines with `- ` are of the form before, with `+ ` of the form after, with two blanks of both. What
 * is hidden stands there as its code point, and where two lines look the same all but ASCII does.
 * @param before texts that hold no card data, as `after`.
 * @returns at most 1000 lines, each of 2000 characters at most.
 */
export function difference(before: Texts, after: Texts): readonly string[] {
  const lines: string[] = []
  for (const name of partNames) {
    const [old, fresh] = [before[name], after[name]]
    if (old === fresh) continue
    lines.push(
      `${name}:${old === undefined ? ' (is new)' : ''}${fresh === undefined ? ' (is gone)' : ''}`,
    )
    lines.push(...partLines(old, fresh))
    if (lines.length > linesMax) {
      return [...lines.slice(0, linesMax - 1), '(Cut: the difference has more lines.)']
    }
  }
  if (lines.length > 0) return lines
  return ['(The texts kept are the same: what differs is masked in them, or beyond what is kept.)']
}

function partLines(old: string | undefined, fresh: string | undefined): string[] {
  return hunks(steps(linesOf(old), linesOf(fresh))).map((line) =>
    line.length > lineLengthMax
      ? `${line.slice(0, lineLengthMax - 40).toWellFormed()}… (line cut)`
      : line,
  )
}

/** An empty text is one empty line, so that it differs from no text. */
function linesOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.replaceAll('\r\n', '<U+000D>\n').split('\n')
}

/** What goes, comes or stays, in order; of what is replaced, what goes stands before what comes. */
interface Step {
  readonly sign: '-' | '+' | ' '
  readonly units: readonly string[]
}

/** The difference of two lists by their longest common subsequence. */
function steps(old: readonly string[], fresh: readonly string[]): readonly Step[] {
  let start = 0
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++
  let end = 0
  const rest = Math.min(old.length, fresh.length) - start
  while (end < rest && old.at(-1 - end) === fresh.at(-1 - end)) end++
  const [a, b] = [old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)]
  const isLarge = a.length > unitsMax || b.length > unitsMax
  const middle: Step[] = isLarge
    ? [
        { sign: '-', units: a },
        { sign: '+', units: b },
      ]
    : walk(a, b, common(a, b))
  const steps = [
    { sign: ' ', units: old.slice(0, start) } as const,
    ...middle,
    { sign: ' ', units: old.slice(old.length - end) } as const,
  ]
  return steps.filter(({ units }) => units.length > 0)
}

/** `table[i * width + j]`: the length of the longest common subsequence of `a` from i and `b` from j. */
function common(a: readonly string[], b: readonly string[]): Uint16Array {
  const width = b.length + 1
  const table = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = table[(i + 1) * width + j] ?? 0
      const right = table[i * width + j + 1] ?? 0
      const isSame = a[i] === b[j]
      const both = (table[(i + 1) * width + j + 1] ?? 0) + 1
      table[i * width + j] = isSame ? both : Math.max(below, right)
    }
  }
  return table
}

function walk(a: readonly string[], b: readonly string[], table: Uint16Array): Step[] {
  const found: Step[] = []
  const width = b.length + 1
  let gone: string[] = []
  let come: string[] = []
  let kept: string[] = []
  const flush = (): void => {
    found.push({ sign: '-', units: gone }, { sign: '+', units: come })
    gone = []
    come = []
  }
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      if (gone.length + come.length > 0) flush()
      kept.push(a[i] ?? '')
      i++
      j++
      continue
    }
    if (kept.length > 0) found.push({ sign: ' ', units: kept })
    kept = []
    const below = table[(i + 1) * width + j] ?? 0
    const right = table[i * width + j + 1] ?? 0
    if (j >= b.length || (i < a.length && below >= right)) gone.push(a[i++] ?? '')
    else come.push(b[j++] ?? '')
  }
  flush()
  if (kept.length > 0) found.push({ sign: ' ', units: kept })
  return found
}

function hunks(all: readonly Step[]): string[] {
  const lines: string[] = []
  for (const [at, { sign, units }] of all.entries()) {
    if (sign === ' ') lines.push(...around(units, at > 0, at < all.length - 1))
    else if (sign === '-') {
      const next = all[at + 1]
      lines.push(...(next?.sign === '+' ? replaced(units, next.units) : signed('-', units)))
    } else if (all[at - 1]?.sign !== '-') lines.push(...signed('+', units))
  }
  return lines
}

function signed(sign: '-' | '+', units: readonly string[]): string[] {
  return units.map((unit) => `${sign} ${plain(unit)}`)
}

/** The unchanged lines next to a change. */
function around(units: readonly string[], isAfter: boolean, isBefore: boolean): string[] {
  const head = isAfter ? units.slice(0, context) : []
  const tail = isBefore ? units.slice(Math.max(head.length, units.length - context)) : []
  const isCut = head.length + tail.length < units.length
  const shown = (unit: string): string => `  ${plain(unit)}`
  return [...head.map(shown), ...(isCut ? ['  …'] : []), ...tail.map(shown)]
}

/** Lines in place of others: in long ones only what is around the words that changed. */
function replaced(old: readonly string[], fresh: readonly string[]): string[] {
  const gone: string[] = []
  const come: string[] = []
  for (let i = 0; i < Math.max(old.length, fresh.length); i++) {
    const [a, b] = [old[i], fresh[i]]
    if (a === undefined || b === undefined) {
      if (a !== undefined) gone.push(`- ${plain(a)}`)
      if (b !== undefined) come.push(`+ ${plain(b)}`)
      continue
    }
    const spelt = looksSame(a, b) ? bare : plain
    const [left, right] = a.length + b.length > 2 * longLine ? cutWords(a, b) : [a, b]
    gone.push(`- ${spelt(left)}`)
    come.push(`+ ${spelt(right)}`)
  }
  return [...gone, ...come]
}

function looksSame(a: string, b: string): boolean {
  return lookOf(a).skeleton === lookOf(b).skeleton
}

/** Both lines without the words that are far from any change. */
function cutWords(a: string, b: string): readonly [string, string] {
  const words = (line: string): string[] => line.split(/(?<= )/)
  const all = steps(words(a), words(b))
  const sides: [string, string] = ['', '']
  for (const [at, { sign, units }] of all.entries()) {
    if (sign === '-') sides[0] += units.join('')
    else if (sign === '+') sides[1] += units.join('')
    else {
      const head = at > 0 ? units.slice(0, wordContext) : []
      const isLast = at === all.length - 1
      const tail = isLast ? [] : units.slice(Math.max(head.length, units.length - wordContext))
      const isCut = head.length + tail.length < units.length
      const text = `${head.join('')}${isCut ? '… ' : ''}${tail.join('')}`
      sides[0] += text
      sides[1] += text
    }
  }
  return sides
}
