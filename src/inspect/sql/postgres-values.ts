/** Expressions of PostgreSQL's parse tree as our own. */
import {
  isFields,
  listOf,
  nameOf,
  namesOf,
  nodeOf,
  nodesOf,
  partOf,
  stringOf,
  typeOf,
  wordOf,
  type Fields,
  type Node,
} from './postgres-nodes.ts'
import { queryOf } from './postgres-queries.ts'
import type { Expr, Output } from './statement.ts'

/** Any node that may stand where a value does. */
export function exprOf(value: unknown): Expr {
  const { kind, fields } = nodeOf(value)
  const translate = translations[kind]
  return translate ? translate(fields) : { kind: 'other', args: partsOf(value) }
}

export function exprsOf(value: unknown): readonly Expr[] {
  return listOf(value).map(exprOf)
}

/** As `exprOf`, and undefined for nothing. */
export function maybeExprOf(value: unknown): Expr | undefined {
  return isFields(value) ? exprOf(value) : undefined
}

/** Everything below, whatever it is called: what a translation does not name is found like this. */
export function partsOf(value: unknown): readonly Expr[] {
  if (Array.isArray(value)) return value.flatMap(partOfAny)
  if (!isFields(value)) return []
  return Object.values(value).flatMap((field) =>
    Array.isArray(field) ? field.flatMap(partOfAny) : partOfAny(field),
  )
}

function partOfAny(value: unknown): readonly Expr[] {
  if (Array.isArray(value)) return value.flatMap(partOfAny)
  if (!isFields(value)) return []
  const { kind } = nodeOf(value)
  return kind in translations ? [exprOf(value)] : partsOf(value)
}

/** What fields hold besides those that are named here. */
export function restOf(fields: Fields, named: readonly string[]): readonly Expr[] {
  return Object.entries(fields).flatMap(([key, value]) =>
    named.includes(key) ? [] : Array.isArray(value) ? value.flatMap(partOfAny) : partOfAny(value),
  )
}

/** ResTarget of a SELECT list or RETURNING. */
export function outputsOf(value: unknown): readonly Output[] {
  return nodesOf(value).map(({ fields }) => ({
    expr: exprOf(fields['val']),
    alias: nameOf(fields['name']),
  }))
}

type Translation = (fields: Fields) => Expr

const translations: Readonly<Record<string, Translation>> = {
  A_Const: constOf,
  ColumnRef: columnOf,
  ParamRef: () => ({ kind: 'parameter' }),
  A_Star: () => ({ kind: 'star', qualifier: [] }),
  FuncCall: callOf,
  A_Expr: operatorOf,
  BoolExpr: (fields) => {
    const operator = wordOf(fields['boolop']).replace('_EXPR', '').toLowerCase()
    return { kind: 'operator', operator, args: exprsOf(fields['args']) }
  },
  NullTest: (fields) => ({
    kind: 'operator',
    operator: fields['nulltesttype'] === 'IS_NOT_NULL' ? 'is_not_null' : 'is_null',
    args: [exprOf(fields['arg'])],
  }),
  BooleanTest: (fields) => ({
    kind: 'operator',
    operator: wordOf(fields['booltesttype']).toLowerCase(),
    args: [exprOf(fields['arg'])],
  }),
  TypeCast: (fields) => {
    const names = namesOf(partOf(fields['typeName'])?.['names'])
    const sure = names.length === 1 || names[0] === 'pg_catalog'
    const of = exprOf(fields['arg'])
    const mods = restOf(partOf(fields['typeName']) ?? {}, ['names', 'location', 'arrayBounds'])
    const cast = { kind: 'cast', of, type: sure ? typeOf(fields['typeName']) : '' } as const
    return mods.length ? { kind: 'other', args: [cast, ...mods] } : cast
  },
  CaseExpr: caseOf,
  SubLink: subqueryOf,
  SelectStmt: (fields) => scalarOf({ SelectStmt: fields }),
  CoalesceExpr: (fields) => computed('coalesce', fields),
  MinMaxExpr: (fields) => computed(fields['op'] === 'IS_LEAST' ? 'least' : 'greatest', fields),
  A_Indirection: indirectionOf,
  RowExpr: (fields) => ({ kind: 'other', args: exprsOf(fields['args']) }),
  A_ArrayExpr: (fields) => ({ kind: 'other', args: exprsOf(fields['elements']) }),
  CollateClause: (fields) => ({ kind: 'cast', of: exprOf(fields['arg']), type: '' }),
  NamedArgExpr: (fields) => exprOf(fields['arg']),
  GroupingFunc: (fields) => computed('grouping', fields),
  CurrentOfExpr: () => ({
    kind: 'operator',
    operator: 'current_of',
    args: [{ kind: 'star', qualifier: [] }],
  }),
  SetToDefault: () => ({ kind: 'literal', value: null }),
  SQLValueFunction: () => ({ kind: 'parameter' }),
  XmlExpr: (fields) => ({ kind: 'other', args: restOf(fields, []) }),
  JsonArrayAgg: (fields) => constructed('json_arrayagg', fields),
  JsonObjectAgg: (fields) => constructed('json_objectagg', fields),
  JsonArrayQueryConstructor: (fields) => subqueryAs('array', fields['query']),
  JsonIsPredicate: (fields) => ({ kind: 'operator', operator: 'is', args: restOf(fields, []) }),
}

function constOf(fields: Fields): Expr {
  if (fields['isnull'] === true) return { kind: 'literal', value: null }
  const integer = partOf(fields['ival'])
  if (integer) return { kind: 'literal', value: Number(integer['ival'] ?? 0) }
  const float = partOf(fields['fval'])
  if (float) return { kind: 'literal', value: Number(wordOf(float['fval'])) }
  const bool = partOf(fields['boolval'])
  if (bool) return { kind: 'literal', value: bool['boolval'] === true }
  return { kind: 'literal', value: wordOf(partOf(fields['sval'])?.['sval'] ?? '') }
}

function columnOf(fields: Fields): Expr {
  const nodes = nodesOf(fields['fields'])
  const names = nodes.map(stringOf)
  if (nodes.at(-1)?.kind === 'A_Star') return { kind: 'star', qualifier: names.slice(0, -1) }
  return { kind: 'column', qualifier: names.slice(0, -1), name: names.at(-1) ?? '' }
}

const callFields = ['funcname', 'args', 'agg_order', 'agg_within_group', 'location']

function callOf(fields: Fields): Expr {
  const names = namesOf(fields['funcname'])
  const { schema, name } = { schema: names.slice(0, -1).join('.'), name: names.at(-1) ?? '' }
  const order = exprsOf(fields['agg_order']).flatMap(sortedBy)
  const isWithin = fields['agg_within_group'] === true
  const args = [...exprsOf(fields['args']), ...(isWithin ? order : [])]
  const beside = [...(isWithin ? [] : order), ...restOf(fields, callFields)]
  return {
    kind: 'call',
    schema: schema === 'pg_catalog' ? '' : schema,
    name,
    args,
    beside: isOver(fields, beside),
  }
}

/** OVER () without anything in it: still not a sum over all rows. */
function isOver(fields: Fields, beside: readonly Expr[]): readonly Expr[] {
  return fields['over'] && !beside.length ? [{ kind: 'parameter' }] : beside
}

function sortedBy(expr: Expr): readonly Expr[] {
  return expr.kind === 'other' ? expr.args : [expr]
}

function computed(name: string, fields: Fields): Expr {
  return { kind: 'call', schema: '', name, args: exprsOf(fields['args']), beside: [] }
}

function constructed(name: string, fields: Fields): Expr {
  return { kind: 'call', schema: '', name, args: restOf(fields, []), beside: [] }
}

const operators: Readonly<Record<string, string>> = {
  AEXPR_NULLIF: 'nullif',
  AEXPR_DISTINCT: 'is_distinct',
  AEXPR_NOT_DISTINCT: 'is_not_distinct',
  AEXPR_BETWEEN: 'between',
  AEXPR_NOT_BETWEEN: 'not_between',
  AEXPR_BETWEEN_SYM: 'between',
  AEXPR_NOT_BETWEEN_SYM: 'not_between',
  AEXPR_SIMILAR: 'similar',
}

function operatorOf(fields: Fields): Expr {
  const names = namesOf(fields['name'])
  const name = names.at(-1) ?? ''
  const left = maybeExprOf(fields['lexpr'])
  const right = nodeOf(fields['rexpr'])
  const isAny = fields['kind'] === 'AEXPR_OP_ANY' && name === '=' && right.kind === 'A_ArrayExpr'
  const list = right.kind === 'List' ? right.fields['items'] : right.fields['elements']
  const items = right.kind === 'List' || isAny ? exprsOf(list) : exprsOf([fields['rexpr']])
  const args = left ? [left, ...items] : items
  const kind = wordOf(fields['kind'])
  const schema = names.slice(0, -1).join('.')
  if (schema && schema !== 'pg_catalog') {
    return { kind: 'call', schema, name: `operator(${name})`, args, beside: [] }
  }
  if (kind === 'AEXPR_NULLIF') return { kind: 'call', schema: '', name: 'nullif', args, beside: [] }
  return {
    kind: 'operator',
    operator: isAny ? 'in' : (operators[kind] ?? plainOperator(kind, name)),
    args,
  }
}

function plainOperator(kind: string, name: string): string {
  const isNot = name.startsWith('<') || name.startsWith('!')
  if (kind === 'AEXPR_IN') return isNot ? 'not_in' : 'in'
  if (kind === 'AEXPR_LIKE') return isNot ? 'not_like' : 'like'
  if (kind === 'AEXPR_ILIKE') return isNot ? 'not_ilike' : 'ilike'
  return kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL' ? 'compare_any' : name
}

function caseOf(fields: Fields): Expr {
  const whens = nodesOf(fields['args']).map(({ fields: when }) => ({
    when: exprOf(when['expr']),
    // oxlint-disable-next-line unicorn/no-thenable -- THEN of SQL; nobody awaits an expression
    then: exprOf(when['result']),
  }))
  const subject = maybeExprOf(fields['arg'])
  return { kind: 'case', subject, whens, otherwise: maybeExprOf(fields['defresult']) }
}

function subqueryOf(fields: Fields): Expr {
  const kind = wordOf(fields['subLinkType'])
  const query = queryOf(nodeOf(fields['subselect']))
  const left = maybeExprOf(fields['testexpr'])
  if (kind === 'EXISTS_SUBLINK') return { kind: 'query', use: 'exists', left, query }
  if (kind === 'ARRAY_SUBLINK') return { kind: 'query', use: 'array', left, query }
  const isScalar = kind === 'EXPR_SUBLINK' || kind === 'MULTIEXPR_SUBLINK'
  return { kind: 'query', use: isScalar ? 'scalar' : 'compare', left, query }
}

function scalarOf(value: unknown): Expr {
  return subqueryAs('scalar', value)
}

function subqueryAs(use: 'scalar' | 'array', value: unknown): Expr {
  return { kind: 'query', use, left: undefined, query: queryOf(nodeOf(value)) }
}

/** `(c).pan`, `(c).*`, `a[1]`, `(f(x)).field`. */
function indirectionOf(fields: Fields): Expr {
  const steps = nodesOf(fields['indirection'])
  const of = exprOf(fields['arg'])
  if (of.kind === 'column' && steps.every(isName)) {
    const names = [...of.qualifier, of.name, ...steps.map(stringOf)]
    if (steps.at(-1)?.kind === 'A_Star') return { kind: 'star', qualifier: names.slice(0, -1) }
    return { kind: 'column', qualifier: names.slice(0, -1), name: names.at(-1) ?? '' }
  }
  return {
    kind: 'other',
    // The star of `(f(x)).*` is no column of the statement; that of `(c.*).pan` is all of them.
    args: [of, ...restOf(fields, ['arg']).filter(({ kind }) => kind !== 'star')],
  }
}

function isName({ kind }: Node): boolean {
  return kind === 'String' || kind === 'A_Star'
}
