/**
 * Long statements made short: of a thousand literals in a list, or rows of VALUES, none tells more than
 * the first few. So a statement crosses from the worker quickly, and its facts cost little.
 */
import type { Statement } from './statement.ts'

/** One more than names rows one by one (`where.ts`), so that a long list stays a long list. */
const literalsMax = 24

/** The same statement; lists of literals and rows of literals are cut. */
export function compacted(statement: Statement): Statement {
  return cutIn(statement)
}

function cutIn<T>(value: T): T
function cutIn(value: unknown): unknown {
  if (Array.isArray(value)) return cutList(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, cutIn(field)]))
}

function cutList(list: readonly unknown[]): readonly unknown[] {
  if (list.length <= literalsMax) return list.map((item) => cutIn(item))
  let literals = 0
  const kept = list.filter((item) => !isPlain(item) || ++literals <= literalsMax)
  return kept.map((item) => cutIn(item))
}

/** A literal, a parameter, or a row of nothing else. */
function isPlain(item: unknown): boolean {
  if (Array.isArray(item)) return item.every(isPlain)
  if (typeof item !== 'object' || item === null || !('kind' in item)) return false
  if (item.kind === 'literal' || item.kind === 'parameter') return true
  return (
    item.kind === 'other' && 'args' in item && Array.isArray(item.args) && item.args.every(isPlain)
  )
}
