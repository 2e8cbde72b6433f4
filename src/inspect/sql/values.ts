/**
 * Expressions: what a value is made of, through which functions, and what is read on the way. A
 * comparison or a count tells about a column and does not bring it back; everything else does.
 */
import { adds, collects, hides } from './functions.ts'
import {
  cteOf,
  emptyShape,
  joined,
  madeOfNothing,
  rowOf,
  unite,
  type Made,
  type Named,
  type Scope,
  type Shape,
} from './shape.ts'
import { madeOfAnything, type Seen } from './seen.ts'
import type { Expr, Output, Query } from './statement.ts'

type Column = Extract<Expr, { kind: 'column' }>
type Call = Extract<Expr, { kind: 'call' }>

/** Reads a query inside an expression. */
export type ReadQuery = (query: Query, outer: Scope | undefined) => Shape

/** What stands around an expression. */
export interface Place {
  readonly seen: Seen
  readonly scope: Scope
  readonly query: ReadQuery
  /** Sums are over all rows of whole tables: they say nothing of one of them. */
  readonly addsUp: boolean
}

export function made(expr: Expr, at: Place): Made {
  at.seen.count()
  switch (expr.kind) {
    case 'literal':
    case 'parameter':
      return madeOfNothing
    case 'column':
      return madeOfColumn(expr, at)
    case 'star':
      return rowOf(starOf(expr.qualifier, at))
    case 'call':
      return madeOfCall(expr, at)
    case 'operator':
      return madeOfOperator(expr, at)
    case 'case': {
      readAll([expr.subject, ...expr.whens.map(({ when }) => when)], at)
      const results = [...expr.whens.map(({ then }) => then), expr.otherwise]
      return unite(results.flatMap((result) => (result ? [made(result, at)] : [])))
    }
    case 'cast':
      return made(expr.of, at)
    case 'query':
      return madeOfQuery(expr, at)
    case 'other':
      return unite(expr.args.map((arg) => made(arg, at)))
    default:
      return expr satisfies never
  }
}

/** Looks at expressions of which nothing comes back. */
export function readAll(exprs: readonly (Expr | undefined)[], at: Place): void {
  for (const expr of exprs) if (expr) made(expr, at)
}

const telling = new Set(
  `and or not = == <> != < <= > >= <=> in not_in between not_between like not_like ilike not_ilike
   similar not_similar is_null is_not_null is_true is_false is_not_true is_not_false is_unknown
   is_not_unknown is_distinct is_not_distinct is is_not ~ ~* !~ !~* ~~ ~~* !~~ !~~* @> <@ && @@ ? ?| ?&
   regexp rlike not_regexp glob match xor ^@ @? <-> compare_any`.split(/\s+/),
)

function madeOfOperator(expr: Extract<Expr, { kind: 'operator' }>, at: Place): Made {
  const parts = expr.args.map((arg) => made(arg, at))
  // Before one value alone `~` turns its bits, and back again.
  const isTold = telling.has(expr.operator) && !(expr.operator === '~' && parts.length < 2)
  return isTold ? madeOfNothing : unite(parts)
}

function madeOfQuery(expr: Extract<Expr, { kind: 'query' }>, at: Place): Made {
  readAll([expr.left], at)
  const shape = at.query(expr.query, at.scope)
  const row = rowOf(shape)
  if (expr.use === 'exists' || expr.use === 'compare') return madeOfNothing
  const isOne = 'isOneValue' in expr.query && expr.query.isOneValue === true
  const collected = row.card && (row.collected || expr.use === 'array' || isOne)
  // Many rows in one value, which no condition around it makes fewer.
  if (collected && shape.where !== 'key') at.seen.marks.unbound = true
  return { ...row, collected }
}

function madeOfCall(expr: Call, at: Place): Made {
  const isOpaque = at.seen.call(expr.schema, expr.name)
  const parts = unite(expr.args.map((arg) => made(arg, at)))
  readAll(expr.beside, at)
  if (isOpaque) return madeOfAnything
  if (hides(expr.name)) return madeOfNothing
  if (adds(expr.name) && at.addsUp && !expr.beside.length) return madeOfNothing
  return collects(expr.name) ? { ...parts, collected: parts.card } : parts
}

/** PostgreSQL reads `c.row_to_json` as `row_to_json(c)`. */
const rowFunctions = new Set(
  `row_to_json to_json to_jsonb json_agg jsonb_agg array_agg quote_literal quote_nullable hstore
   json_build_array jsonb_build_array json_build_object record_out record_send`.split(/\s+/),
)
/** The same, where a column may well have such a name. */
const rowFunctionsOfCards = new Set(['min', 'max', 'concat', 'any_value', 'text', 'format'])

function madeOfColumn(column: Column, at: Place): Made {
  const { qualifier, name } = column
  if (qualifier.length) return madeOfQualified(qualifier, name, at)
  const parts: Made[] = []
  for (let scope: Scope | undefined = at.scope; scope; scope = scope.outer) {
    const { found, isSure } = inScope(scope, name, at)
    parts.push(...found)
    if (isSure) return unite(parts)
  }
  return unite(parts.length ? parts : [at.seen.column(name, undefined)])
}

function inScope(scope: Scope, name: string, at: Place): { found: Made[]; isSure: boolean } {
  const certain = scope.relations.flatMap(({ shape }) =>
    shape.columns
      .filter((column) => column.name === name)
      .map((column) => recorded(column.made, name, shape, at)),
  )
  if (certain.length) return { found: certain, isSure: true }
  // A row as a value: `SELECT c FROM cards c`.
  const whole = scope.relations.filter((relation) => relation.name === name)
  if (whole.length && at.seen.dialect === 'postgresql') {
    return { found: whole.map(({ shape }) => wholeRow(shape, at)), isSure: true }
  }
  const output = scope.outputs.get(name)
  if (output && !at.seen.settings.columns(name)) return { found: [output], isSure: true }
  const found = scope.relations.flatMap(({ shape, isInside }) =>
    shape.rest && !isInside ? [restOf(shape, name, at)] : [],
  )
  return {
    found: [...found, ...scope.relations.flatMap(({ shape }) => unnamedIn(shape))],
    isSure: false,
  }
}

function recorded(of: Made, name: string, shape: Shape, at: Place): Made {
  if (shape.table) at.seen.column(name, shape.table)
  return of
}

/** A named column of a relation whose columns are not all known. */
function restOf(shape: Shape, name: string, at: Place): Made {
  if (!shape.isMixed) return at.seen.column(name, shape.table)
  const rest = shape.rest ?? madeOfNothing
  if (!at.seen.isCardColumn(name, shape.table)) return rest
  return unite([rest, at.seen.column(name, shape.table)])
}

function wholeRow(shape: Shape, at: Place): Made {
  const row = rowOf(shape)
  star(shape, row, at)
  return row
}

/** A name of more parts is nobody's: the first ones are looked at. */
const partsMax = 6

function madeOfQualified(given: readonly string[], name: string, at: Place): Made {
  const qualifier = given.slice(0, partsMax)
  const relations = relationsOf(qualifier, at.scope)
  if (!relations.length) {
    // Perhaps a field of a column that is a row itself, perhaps a table that is not in FROM.
    const whole = {
      kind: 'column',
      qualifier: qualifier.slice(0, -1),
      name: qualifier.at(-1) ?? '',
    }
    return unite([
      madeOfColumn({ ...whole, kind: 'column' }, at),
      at.seen.column(name, tableOf(qualifier)),
    ])
  }
  return unite(relations.map(({ shape }) => columnOf(shape, name, at)))
}

function tableOf(qualifier: readonly string[]): { schema: string; name: string } {
  return { schema: qualifier.slice(0, -1).join('.'), name: qualifier.at(-1) ?? '' }
}

function columnOf(shape: Shape, name: string, at: Place): Made {
  const columns = shape.columns.filter((column) => column.name === name)
  if (columns.length) {
    if (shape.table) at.seen.column(name, shape.table)
    return unite(columns.map((column) => column.made))
  }
  const some = unnamedIn(shape)
  if (some.length) return unite(shape.rest ? [...some, restOf(shape, name, at)] : some)
  if (at.seen.dialect === 'postgresql' && isRowFunction(name, shape, at)) return wholeRow(shape, at)
  if (shape.rest) return restOf(shape, name, at)
  return at.seen.column(name, shape.table)
}

function isRowFunction(name: string, { table }: Shape, at: Place): boolean {
  if (rowFunctions.has(name)) return true
  return rowFunctionsOfCards.has(name) && table !== undefined && at.seen.isCardTable(table)
}

/** The relations under a name, from the innermost query that has one. */
function relationsOf(qualifier: readonly string[], from: Scope): readonly Named[] {
  const name = qualifier.at(-1)
  const schema = qualifier.slice(0, -1).join('.')
  for (let scope: Scope | undefined = from; scope; scope = scope.outer) {
    const found = scope.relations.filter(
      (relation) =>
        relation.name === name && (!schema || !relation.schema || relation.schema.endsWith(schema)),
    )
    if (found.length) return found
  }
  return []
}

/** What a star stands for. */
function starOf(qualifier: readonly string[], at: Place): Shape {
  const all = at.scope.relations.filter(({ isInside }) => !isInside)
  const relations = qualifier.length ? relationsOf(qualifier, at.scope) : all
  const shapes = relations.map(({ shape }) => shape)
  for (const shape of shapes) star(shape, rowOf(shape), at)
  if (!shapes.length && qualifier.length) {
    // `(row_of_something).*`: a composite value, of which nothing is known but what it is made of.
    const names = { qualifier: qualifier.slice(0, -1), name: qualifier.at(-1) ?? '' }
    const whole = madeOfColumn({ kind: 'column', ...names }, at)
    return { ...emptyShape, rest: whole, isMixed: true }
  }
  return joined(shapes)
}

function star(shape: Shape, row: Made, at: Place): void {
  if (row.card) at.seen.marks.touches = true
  if (!shape.table && !shape.rest) return
  for (const column of row.columns) at.seen.columnsRead.add(column)
}

/** The output columns of a SELECT or RETURNING. */
export function outputsOf(outputs: readonly Output[], at: Place): Shape {
  const shapes = outputs.map(({ expr, alias }): Shape => {
    if (expr.kind === 'star') return starOf(expr.qualifier, at)
    const columns = [
      { name: alias || nameOf(expr, at.seen.dialect === 'postgresql'), made: made(expr, at) },
    ]
    return { ...emptyShape, columns }
  })
  return joined(shapes)
}

/** A column whose name nobody wrote: another query may have it under any name. */
const unnamed = '?column?'

function unnamedIn(shape: Shape): Made[] {
  return shape.columns.filter(({ name }) => name === unnamed).map((column) => column.made)
}

/** The name a column gets without an alias. PostgreSQL gives that of the function; others give the text
 *  of the expression, or none. */
function nameOf(expr: Expr, isPostgres: boolean): string {
  if (expr.kind === 'column') return expr.name
  if (!isPostgres) return unnamed
  if (expr.kind === 'call') return expr.name
  if (expr.kind === 'cast') return nameOf(expr.of, isPostgres)
  return expr.kind === 'case' ? 'case' : unnamed
}

/** A table or CTE of this name: a CTE where one is in sight and no schema is named. */
export function cteInSight(schema: string, name: string, scope: Scope): Shape | undefined {
  return schema ? undefined : cteOf(scope, name)?.()
}
