/**
 * Queries and changes: which tables they read and write, and what the columns of their result are made
 * of, through CTEs, subqueries, joins and set operations.
 */
import type { Where } from '../facts.ts'
import { changed } from './changes.ts'
import { isLinked } from './linked.ts'
import {
  distinct,
  emptyShape,
  merged,
  renamed,
  rowOf,
  scopeIn,
  unite,
  type Made,
  type Scope,
  type Shape,
  type ShapeColumn,
} from './shape.ts'
import { readRelation } from './relations.ts'
import type { Seen } from './seen.ts'
import type { Cte, Limit, Query, Select, SetOperation, Values } from './statement.ts'
import { made, outputsOf, readAll, type Place } from './values.ts'
import { keyOf, whereOf } from './where.ts'

/** Reads a query: what its rows are made of; all else is noted in `seen`. */
export function readQuery(query: Query, seen: Seen, outer: Scope | undefined): Shape {
  seen.count()
  const scope = scopeIn(outer)
  bindCtes(query, scope, seen)
  switch (query.kind) {
    case 'select':
      return readSelect(query, scope, seen)
    case 'set':
      return readSet(query, scope, seen)
    case 'values':
      return readValues(query, scope, seen)
    case 'change':
      return changed(query, placeOf(scope, seen))
    default:
      return query satisfies never
  }
}

export function placeOf(scope: Scope, seen: Seen, addsUp = false): Place {
  const query = (inner: Query, outer: Scope | undefined) => readQuery(inner, seen, outer)
  return { seen, scope, query, addsUp }
}

/** A CTE that reads itself is read again until its columns stay the same, this often at most. */
const roundsMax = 4

function bindCtes(query: Query, scope: Scope, seen: Seen): void {
  if (!query.recursive) {
    for (const cte of query.ctes) {
      const shape = renamed(readQuery(cte.body, seen, scope), cte.columns)
      scope.ctes.set(cte.name, () => shape)
    }
    return
  }
  for (const cte of query.ctes) scope.ctes.set(cte.name, recursive(cte, scope, seen))
  for (const cte of query.ctes) scope.ctes.get(cte.name)?.()
}

function recursive(cte: Cte, scope: Scope, seen: Seen): () => Shape {
  let shape: Shape | undefined
  let isAsked = false
  let isReading = false
  return () => {
    if (isReading) isAsked = true
    if (isReading || shape) return shape ?? { ...emptyShape, columns: emptyColumns(cte.columns) }
    isReading = true
    const first = cte.body.kind === 'set' ? cte.body.left : cte.body
    shape = renamed(readQuery(first, seen, scope), cte.columns)
    for (let round = 0; round < roundsMax; round++) {
      const next = renamed(readQuery(cte.body, seen, scope), cte.columns)
      const isStable = isAsked ? isSame(next, shape) : true
      shape = next
      if (isStable) break
      if (round === roundsMax - 1) shape = anyInAny(next)
    }
    // Values of many rows may have been put together on the way through itself.
    if (isAsked) shape = collectedOf(shape)
    isReading = false
    return shape
  }
}

function emptyColumns(names: readonly string[]): ShapeColumn[] {
  return names.map((name) => ({
    name,
    made: { columns: new Set(), card: false, collected: false },
  }))
}

function isSame(a: Shape, b: Shape): boolean {
  if (a.columns.length !== b.columns.length || !a.rest !== !b.rest) return false
  return a.columns.every(({ made: one }, i) => {
    const other = b.columns[i]?.made
    return other?.card === one.card && other.columns.size === one.columns.size
  })
}

function anyInAny(shape: Shape): Shape {
  const any = rowOf(shape)
  return { ...shape, columns: shape.columns.map(({ name }) => ({ name, made: any })) }
}

function collectedOf(shape: Shape): Shape {
  const collect = (of: Made): Made => (of.card ? { ...of, collected: true } : of)
  const columns = shape.columns.map(({ name, made: of }) => ({ name, made: collect(of) }))
  return { ...shape, columns, rest: shape.rest && collect(shape.rest), limit: -1 }
}

function readSelect(query: Select, scope: Scope, seen: Seen): Shape {
  const { from, where, beside } = query
  const addsUp = !where && !beside.length && from.every(({ kind }) => kind === 'table')
  const at = placeOf(scope, seen, addsUp)
  const shapes = from.map((relation) => readRelation(relation, at))
  readAll([where], at)
  const outputs = outputsOf(query.outputs, at)
  for (const { name, made: of } of outputs.columns) scope.outputs.set(name, of)
  readAll(beside, at)
  if (query.locks) seen.marks.locks = true
  if (query.into) {
    seen.verbs.add('CREATE')
    seen.writeTable(query.into)
    seen.marks.writes = true
    seen.marks.exports = true
    if (rowOf(outputs).card) seen.marks.writesCards = true
  }
  const tables = distinct(shapes.flatMap((shape) => shape.tables))
  const left = whereOf(where, (column) => keyOf(column, tables, seen), namesOf(tables))
  const isOpen = left === 'key' && rowOf(outputs).card && !isLinked(query)
  const own = isOpen ? 'filter' : left
  const reached = { tables, ...reach(own, query.limit, shapes) }
  return query.into ? { ...emptyShape, ...reached } : { ...outputs, ...reached }
}

function namesOf(tables: readonly { readonly name: string }[]): ReadonlySet<string> {
  return new Set(tables.map(({ name }) => name))
}

/** Where a query reads from one other only, what that one leaves counts as well. */
function reach(
  own: Where,
  limit: Limit,
  shapes: readonly Shape[],
): { where: Where; limit: number } {
  const [only, ...others] = shapes
  const inner = only && !others.length ? only : undefined
  const strength: readonly Where[] = ['none', 'constant', 'filter', 'key']
  const isBetter = inner && strength.indexOf(inner.where) > strength.indexOf(own)
  const given = typeof limit === 'number' ? limit : -1
  const passed = inner?.limit ?? -1
  const least = given < 0 ? passed : passed < 0 ? given : Math.min(given, passed)
  return { where: isBetter ? inner.where : own, limit: least }
}

function readSet(query: SetOperation, scope: Scope, seen: Seen): Shape {
  const left = readQuery(query.left, seen, scope)
  const right = readQuery(query.right, seen, scope)
  const shape = query.operator === 'except' ? left : merged(left, right)
  for (const { name, made: of } of shape.columns) scope.outputs.set(name, of)
  readAll(query.beside, placeOf(scope, seen))
  if (query.locks) seen.marks.locks = true
  const strength: readonly Where[] = ['none', 'constant', 'filter', 'key']
  const weakest = Math.min(strength.indexOf(left.where), strength.indexOf(right.where))
  const both = left.limit >= 0 && right.limit >= 0 ? left.limit + right.limit : -1
  const limit = typeof query.limit === 'number' ? query.limit : both
  const isEmptySide = (side: Query) => side.kind === 'select' && !side.from.length
  const where = isEmptySide(query.left)
    ? right.where
    : isEmptySide(query.right)
      ? left.where
      : (strength[weakest] ?? 'none')
  return { ...shape, where, limit }
}

function readValues(query: Values, scope: Scope, seen: Seen): Shape {
  const at = placeOf(scope, seen)
  const rows = query.rows.map((row) => row.map((expr) => made(expr, at)))
  readAll(query.beside, at)
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  const columns = Array.from({ length: width }, (_, i) => {
    const cells = rows.flatMap((row) => (row[i] ? [row[i]] : []))
    return { name: `column${i + 1}`, made: unite(cells) }
  })
  const limit = typeof query.limit === 'number' ? query.limit : query.rows.length
  return { ...emptyShape, columns, limit }
}
