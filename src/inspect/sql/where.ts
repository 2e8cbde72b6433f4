/** What the condition of a statement leaves of its rows. */
import type { Where } from '../facts.ts'
import { fold, truth } from './fold.ts'
import type { Expr, Query, Relation, TableName } from './statement.ts'

/** `never`: no row at all. */
type Kind = Exclude<Where, 'none'> | 'never'
type Column = Extract<Expr, { kind: 'column' }>

/** More items name so many rows that it is a filter again. */
const keyItemsMax = 20

/**
 * @param isKey whether a column names a single row: the table's own key, or a cardholder column.
 * @param tables names of the tables whose rows it is about.
 */
export function whereOf(
  where: Expr | undefined,
  isKey: (column: Column) => boolean,
  tables: ReadonlySet<string>,
): Where {
  if (!where) return 'none'
  const kind = kindOf(where, isKey, tables)
  return kind === 'never' ? 'filter' : kind
}

function kindOf(expr: Expr, isKey: (column: Column) => boolean, tables: ReadonlySet<string>): Kind {
  const folded = fold(expr)
  if (folded.known && folded.value === null) return 'never'
  const sure = truth(folded)
  if (sure !== undefined) return sure ? 'constant' : 'never'
  if (expr.kind === 'operator') {
    const kinds = () => expr.args.map((arg) => kindOf(arg, isKey, tables))
    if (expr.operator === 'and') return allOf(kinds())
    if (expr.operator === 'or') return isTautology(expr.args) ? 'constant' : anyOf(kinds())
    if (expr.operator === 'not') return negationOf(expr.args[0], isKey, tables)
    if (isSameOnBothSides(expr.operator, expr.args)) return 'constant'
    if (namesRows(expr.operator, expr.args, isKey)) return 'key'
  }
  if (expr.kind === 'query' && isWholeTable(expr, tables)) return 'constant'
  return hasColumn(expr) ? 'filter' : 'constant'
}

function negationOf(
  of: Expr | undefined,
  isKey: (column: Column) => boolean,
  tables: ReadonlySet<string>,
): Kind {
  if (!of) return 'constant'
  if (of.kind === 'operator' && of.operator === 'not' && of.args[0]) {
    return kindOf(of.args[0], isKey, tables)
  }
  return hasColumn(of) && kindOf(of, isKey, tables) !== 'never' ? 'filter' : 'constant'
}

function allOf(kinds: readonly Kind[]): Kind {
  for (const kind of ['never', 'key', 'filter'] as const) if (kinds.includes(kind)) return kind
  return 'constant'
}

function anyOf(kinds: readonly Kind[]): Kind {
  for (const kind of ['constant', 'filter', 'key'] as const) if (kinds.includes(kind)) return kind
  return 'never'
}

function namesRows(
  operator: string,
  args: readonly Expr[],
  isKey: (column: Column) => boolean,
): boolean {
  const [left, ...rest] = args
  const isValue = (expr: Expr | undefined): boolean =>
    expr !== undefined && !hasColumn(expr) && expr.kind !== 'query'
  const isKeyColumn = (expr: Expr | undefined): boolean => {
    const bare = expr?.kind === 'cast' ? expr.of : expr
    return bare?.kind === 'column' && isKey(bare)
  }
  if (operator === 'in') {
    return isKeyColumn(left) && rest.length <= keyItemsMax && rest.every(isValue)
  }
  if (operator !== '=' && operator !== '==' && operator !== '<=>') return false
  const [right] = rest
  return (isKeyColumn(left) && isValue(right)) || (isKeyColumn(right) && isValue(left))
}

const reflexive = new Set(['=', '==', '<=>', '<=', '>=', 'like', 'ilike', 'is', 'in', 'between'])

/** `pan = pan`, `pan LIKE '%'`: true wherever there is a value. */
function isSameOnBothSides(operator: string, args: readonly Expr[]): boolean {
  const [left, ...rest] = args
  if (!left || !reflexive.has(operator)) return false
  if (operator === 'like' || operator === 'ilike') {
    const pattern = rest[0] && fold(rest[0])
    if (pattern?.known && typeof pattern.value === 'string' && /^%+$/.test(pattern.value))
      return true
  }
  const isSame = (other: Expr | undefined) => other !== undefined && isEqual(left, other)
  if (operator === 'between') return isSame(rest[0]) && isSame(rest[1])
  return rest.some(isSame)
}

function isEqual(a: Expr, b: Expr): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

const opposite: Readonly<Record<string, string>> = {
  '=': '<>',
  '==': '!=',
  '<': '>=',
  '>': '<=',
  is_null: 'is_not_null',
  in: 'not_in',
  like: 'not_like',
  between: 'not_between',
}
const opposites: ReadonlySet<string> = new Set(
  Object.entries(opposite).flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`, '= !=', '!= =']),
)

/** `x = 1 OR x <> 1`, `x OR NOT x`. */
function isTautology(args: readonly Expr[]): boolean {
  const plain = args.slice(0, keyItemsMax)
  return plain.some((a, i) => plain.slice(i + 1).some((b) => excludeEachOther(a, b)))
}

function excludeEachOther(a: Expr, b: Expr): boolean {
  if (a.kind === 'operator' && a.operator === 'not' && a.args[0] && isEqual(a.args[0], b))
    return true
  if (b.kind === 'operator' && b.operator === 'not' && b.args[0] && isEqual(b.args[0], a))
    return true
  if (a.kind !== 'operator' || b.kind !== 'operator') return false
  if (!opposites.has(`${a.operator} ${b.operator}`)) return false
  return a.args.length === b.args.length && a.args.every((arg, i) => isEqual(arg, b.args[i] ?? arg))
}

/** `id IN (SELECT id FROM cards)` over cards itself, `EXISTS (SELECT 1 FROM cards)`. */
function isWholeTable(
  expr: Extract<Expr, { kind: 'query' }>,
  tables: ReadonlySet<string>,
): boolean {
  const { query, use, left } = expr
  if (query.kind !== 'select' || (query.where && truth(fold(query.where)) !== true)) return false
  if (use === 'exists') return query.from.every(({ kind }) => kind === 'table')
  const [relation] = query.from
  const [output] = query.outputs
  if (use !== 'compare' || left?.kind !== 'column' || output?.expr.kind !== 'column') return false
  return (
    query.from.length === 1 &&
    relation?.kind === 'table' &&
    tables.has(relation.table.name) &&
    output.expr.name === left.name
  )
}

/** Whether a row of the statement's own tables could make a difference to it. */
function hasColumn(expr: Expr): boolean {
  switch (expr.kind) {
    case 'column':
    case 'star':
      return true
    case 'literal':
    case 'parameter':
      return false
    case 'cast':
      return hasColumn(expr.of)
    case 'call':
      return expr.args.some(hasColumn) || expr.beside.some(hasColumn)
    case 'operator':
    case 'other':
      return expr.args.some(hasColumn)
    case 'case':
      return [
        expr.subject,
        expr.otherwise,
        ...expr.whens.flatMap(({ when, then }) => [when, then]),
      ].some((part) => part !== undefined && hasColumn(part))
    case 'query':
      return (expr.left !== undefined && hasColumn(expr.left)) || reachesOut(expr.query)
    default:
      return expr satisfies never
  }
}

/** Whether a subquery may name columns of the statement around it: without a qualifier nobody knows,
 *  so a condition there is taken for one. */
function reachesOut(query: Query): boolean {
  if (query.kind !== 'select') return true
  const inner = new Set(query.from.flatMap(namesIn))
  const outer = (expr: Expr): boolean =>
    expr.kind === 'column' && expr.qualifier.length
      ? !inner.has(expr.qualifier.at(-1) ?? '')
      : hasColumn(expr)
  const parts = query.where ? [query.where] : []
  return parts.some((part) => (part.kind === 'operator' ? part.args.some(outer) : outer(part)))
}

function namesIn(relation: Relation): string[] {
  if (relation.kind === 'join') return [...namesIn(relation.left), ...namesIn(relation.right)]
  if (relation.alias) return [relation.alias]
  return relation.kind === 'table' ? [relation.table.name] : []
}

const keyNames = /^(id|uuid|guid|rowid|_rowid_|oid|ctid|pk|uid|ulid)$/

/**
 * Whether an equality with a column names a single row. Nobody tells us a table's key: `id` and the
 * like, `card_id` of `cards`, and cardholder columns are taken for one; `merchant_id` of `cards` is
 * not.
 */
export function keyOf(
  { name, qualifier }: Column,
  tables: readonly TableName[],
  seen: { isCardColumn(name: string, table: TableName | undefined): boolean },
): boolean {
  if (keyNames.test(name)) return true
  const named = tables.filter((table) => !qualifier.length || table.name === qualifier.at(-1))
  const own = named.length ? named : tables
  if ([undefined, ...own].some((table) => seen.isCardColumn(name, table))) return true
  return own.some((table) => {
    const start = [table.name, table.name.replace(/(ies)$/, 'y'), table.name.replace(/e?s$/, '')]
    const singular = [...start, table.name.replace(/s$/, '')]
    return singular.some(
      (one) => name === `${one}_id` || name === `${one}id` || name === `${one}_uuid`,
    )
  })
}
