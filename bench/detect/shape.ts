/** Whether a masked message is the same message but for the digits. */
import type { Case } from './corpus.ts'

class NumberToken {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

/** Parsed, with numbers as their tokens; undefined for what is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' ? new NumberToken(context?.source ?? '') : value,
    )
  } catch {
    return undefined
  }
}

/**
 * Same members in the same order, same types, lists of the same length, number tokens of the same
 * spelling, and strings which held JSON hold it still. In core families strings also keep their
 * length, unless a track was taken out of them.
 */
export function sameShape(one: Case, output: string): boolean {
  const [before, after] = [parsed(one.message), parsed(output)]
  const isLengthKept =
    one.group === 'core' && one.secrets.every(({ kind }) => kind === 'pan' || kind === 'cvv')
  return after !== undefined && same(before, after, isLengthKept)
}

function same(before: unknown, after: unknown, isLengthKept: boolean): boolean {
  if (typeof before === 'string') {
    return typeof after === 'string' && sameText(before, after, isLengthKept)
  }
  if (before instanceof NumberToken) {
    return after instanceof NumberToken && sameNumber(before.source, after.source)
  }
  if (before === null || typeof before !== 'object') return before === after
  if (after === null || typeof after !== 'object') return false
  if (Array.isArray(before) !== Array.isArray(after)) return false
  const [left, right] = [Object.entries(before), Object.entries(after)]
  return (
    left.length === right.length &&
    left.every(([key, value], i) => {
      const [otherKey, otherValue] = right[i] ?? ['', undefined]
      // A key is kept unless it may have held a number itself.
      const isSameKey = key === otherKey || /\p{N}{4}/u.test(key)
      return isSameKey && same(value, otherValue, isLengthKept)
    })
  )
}

function sameNumber(before: string, after: string): boolean {
  if (before === after) return true
  const spelling = (token: string): string => token.replaceAll(/\d+/g, '0')
  // A verification value becomes a single zero; everything else keeps its width.
  return spelling(before) === spelling(after) && (before.length === after.length || after === '0')
}

/** In code points: a mathematical digit is one of them, as is the star in its place. */
const lengthOf = (text: string): number => Array.from(text).length

function sameText(before: string, after: string, isLengthKept: boolean): boolean {
  if (before === after) return true
  if (/^\s*[[{]/.test(before)) {
    const inside = parsed(before)
    // The strings inside are compared one by one; the printed lengths follow from them.
    if (inside !== undefined) return same(inside, parsed(after), isLengthKept)
  }
  return !isLengthKept || lengthOf(before) === lengthOf(after)
}
