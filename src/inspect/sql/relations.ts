/** What stands in FROM: tables, CTEs, subqueries, functions, joins. */
import { emptyShape, joined, renamed, unite, type Shape } from './shape.ts'
import type { Relation } from './statement.ts'
import { cteInSight, made, readAll, type Place } from './values.ts'

/** Puts what stands in FROM into the scope. @returns its rows. */
export function readRelation(relation: Relation, at: Place, isInside = false): Shape {
  at.seen.count()
  const { scope } = at
  const add = (name: string, schema: string, shape: Shape): Shape => {
    scope.relations.push({ name, schema, shape, isInside })
    return shape
  }
  switch (relation.kind) {
    case 'table': {
      const { table, alias } = relation
      const cte = cteInSight(table.schema, table.name, scope)
      if (!cte) at.seen.readTable(table)
      const shape = renamed(cte ?? at.seen.rowsOf(table), relation.columns)
      return add(alias || table.name, alias ? '' : table.schema, shape)
    }
    case 'query': {
      const shape = renamed(at.query(relation.query, scope), relation.columns)
      return add(relation.alias, '', shape)
    }
    case 'call': {
      const row = unite(relation.calls.map((call) => made(call, at)))
      const [call] = relation.calls
      const name = relation.alias || (call?.kind === 'call' ? call.name : '')
      const columns = relation.columns.map((column) => ({ name: column, made: row }))
      return add(name, '', { ...emptyShape, columns, rest: row, isMixed: true })
    }
    case 'join':
      return readJoin(relation, at, isInside)
    default:
      return relation satisfies never
  }
}

function readJoin(
  relation: Extract<Relation, { kind: 'join' }>,
  at: Place,
  isInside: boolean,
): Shape {
  const isHidden = isInside || relation.alias !== ''
  const left = readRelation(relation.left, at, isHidden)
  const right = readRelation(relation.right, at, isHidden)
  for (const name of relation.using) {
    for (const { table } of [left, right]) if (table) at.seen.column(name, table)
  }
  readAll([relation.on], at)
  const shape = renamed(joined([left, right]), relation.columns)
  if (relation.alias) at.scope.relations.push({ name: relation.alias, schema: '', shape, isInside })
  return shape
}
