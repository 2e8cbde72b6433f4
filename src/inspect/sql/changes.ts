/** INSERT, UPDATE, DELETE, MERGE and REPLACE: what is written, from where, and what comes back. */
import { readRelation } from './relations.ts'
import { emptyShape, rowOf, unite, type Made, type Shape } from './shape.ts'
import type { Seen } from './seen.ts'
import type { Change, Query, TableName } from './statement.ts'
import { cteInSight, made, outputsOf, readAll, type Place } from './values.ts'
import { keyOf, whereOf } from './where.ts'

/** Reads a change. @returns what RETURNING gives. */
export function changed(change: Change, at: Place): Shape {
  const { seen, scope } = at
  for (const verb of change.verbs) seen.verbs.add(verb)
  seen.marks.writes = true
  const shapes = change.from.map((relation) => readRelation(relation, at))
  const targets = targetsOf(change, shapes, at)
  for (const table of targets) seen.writeTable(table)
  for (const { alias, table } of change.targets) {
    const isThere = scope.relations.some(({ name }) => name === (alias || table.name))
    const shape = seen.rowsOf(table)
    const schema = alias ? '' : table.schema
    if (!isThere) {
      scope.relations.push({ name: alias || table.name, schema, shape, isInside: false })
    }
    for (const name of ['excluded', 'old', 'new', 'inserted', 'deleted']) {
      scope.relations.push({ name, schema: '', shape, isInside: true })
    }
  }
  const values = valuesOf(change, at)
  readAll([change.where, ...change.beside], at)
  noteWritten(change, values, targets, seen)
  const where = noteWhere(change, targets, seen)
  if (change.locks) seen.marks.locks = true
  const limit = typeof change.limit === 'number' ? change.limit : -1
  return { ...outputsOf(change.returning, at), tables: targets, where, limit }
}

/** A CTE or an alias of FROM as target stands for the tables behind it. */
function targetsOf(change: Change, shapes: readonly Shape[], at: Place): readonly TableName[] {
  const tables = change.targets.flatMap(({ table }) => {
    if (at.seen.dialect === 'postgresql') return [table]
    const cte = cteInSight(table.schema, table.name, at.scope)
    if (cte) return cte.tables
    const named = at.scope.relations.find(({ name }) => !table.schema && name === table.name)
    return named?.shape.tables.length ? named.shape.tables : [table]
  })
  return tables.length ? tables : shapes.flatMap((shape) => shape.tables)
}

interface Value {
  readonly column: string
  readonly made: Made
}

function valuesOf(change: Change, at: Place): readonly Value[] {
  const assigned = change.assignments.map(({ column, value }) => ({
    column,
    made: value ? made(value, at) : unite([]),
  }))
  if (!change.source) return assigned
  const source = at.query(change.source, at.scope)
  const isByPlace = source.rest === undefined && assigned.length === source.columns.length
  if (isByPlace) {
    return assigned.map(({ column, made: own }, i) => {
      const from = source.columns[i]
      return { column, made: from ? unite([own, from.made]) : own }
    })
  }
  const all = rowOf(source)
  const named = assigned.map(({ column, made: own }) => ({ column, made: unite([own, all]) }))
  return named.length ? named : [{ column: '*', made: all }]
}

/** Values of cardholders that go where none are kept, and rows of one table that go to another. */
function noteWritten(
  change: Change,
  values: readonly Value[],
  targets: readonly TableName[],
  seen: Seen,
): void {
  const areCards = targets.some((table) => seen.isCardTable(table))
  for (const { column, made: of } of values) {
    const columns =
      column === '*' ? targets.flatMap((table) => seen.columnsOf(table) ?? ['*']) : [column]
    for (const name of columns) seen.writeColumn(name, targets)
    if (!of.card) continue
    seen.marks.writesCards = true
    const isKept = targets.some((table) => seen.isCardColumn(column, table))
    if (!areCards || (column !== '*' && !isKept)) seen.marks.exports = true
  }
  if (change.source && isRead(change.source)) seen.marks.exports = true
}

/** VALUES are not read from anywhere. */
function isRead(source: Query): boolean {
  if (source.kind === 'set') return isRead(source.left) || isRead(source.right)
  return source.kind === 'select' ? source.from.length > 0 : source.kind === 'change'
}

function noteWhere(change: Change, targets: readonly TableName[], seen: Seen): Shape['where'] {
  const [verb = ''] = change.verbs
  if (verb !== 'UPDATE' && verb !== 'DELETE') {
    return verb === 'MERGE' ? 'filter' : emptyShape.where
  }
  const names = new Set(targets.map(({ name }) => name))
  const where = whereOf(change.where, (column) => keyOf(column, targets, seen), names)
  seen.wheres.push(where)
  if (where === 'none' || where === 'constant') seen.marks.whereLess = true
  return where
}
