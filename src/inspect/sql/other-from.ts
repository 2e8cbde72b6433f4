/**
 * What stands in FROM: tables with their hints, joins, subqueries, functions of rows, pivots.
 */
import type { Expr, Output, Query, Relation, TableName } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { aside, keep, loose } from './other-loose.ts'
import { args, callOf, path } from './other-operands.ts'
import { condition, expression } from './other-operators.ts'
import { columnNames, isQuery, queryInParens, selectOf } from './other-query.ts'
import { Unread } from './other-tokens.ts'
import { lockingHints, tableHints } from './other-words.ts'

const joinsMax = 300

export function relations(cursor: Cursor): Relation[] {
  return cursor.list(() => relation(cursor))
}

/** One item of FROM with all its joins. */
export function relation(cursor: Cursor): Relation {
  return cursor.deeper(() => {
    let left = primary(cursor)
    for (let i = 0; ; i += 1) {
      if (i > joinsMax) throw new Unread('too_deep')
      const joined = join(cursor, left)
      if (joined === undefined) return left
      left = joined
    }
  })
}

function join(cursor: Cursor, left: Relation): Relation | undefined {
  const side = ['CROSS', 'OUTER'].find((word) => cursor.is(word, 'APPLY'))
  if (side !== undefined) {
    cursor.next()
    cursor.next()
    return joined(left, primary(cursor), {})
  }
  const natural = cursor.eat('NATURAL')
  const straight = cursor.mysql && cursor.eat('STRAIGHT_JOIN')
  if (!straight) {
    const kinds = ['INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS']
    const kind = kinds.some((word) => cursor.eat(word))
    const outer = kind && cursor.eat('OUTER')
    const partitioned = cursor.dialect === 'oracle' && cursor.is('PARTITION', 'BY')
    if (partitioned) {
      cursor.next()
      cursor.next()
      aside(cursor)
    }
    const hint = ['HASH', 'LOOP', 'MERGE', 'REMOTE'].some((word) => cursor.eat(word))
    if (!cursor.eat('JOIN')) {
      if (natural || kind || outer || hint) throw new Unread('syntax')
      return undefined
    }
  }
  const right = primary(cursor)
  return nested(cursor, left, right, natural)
}

/** `a JOIN b JOIN c ON … ON …`: the inner pair comes first. */
function nested(cursor: Cursor, left: Relation, first: Relation, natural: boolean): Relation {
  let right = first
  if (!cursor.is('ON') && !cursor.is('USING') && !natural) {
    const inner = cursor.attempt(() => {
      const deep = cursor.deeper(() => join(cursor, right))
      if (deep === undefined || !(cursor.is('ON') || cursor.is('USING'))) throw new Unread('syntax')
      return deep
    })
    right = inner ?? right
  }
  if (cursor.eat('ON')) return joined(left, right, { on: condition(cursor) })
  if (cursor.eat('USING')) return joined(left, right, { using: columnNames(cursor) })
  return joined(left, right, { natural })
}

interface How {
  readonly on?: Expr
  readonly using?: readonly string[]
  readonly natural?: boolean
}

function joined(left: Relation, right: Relation, how: How): Relation {
  const { on, using = [], natural = false } = how
  return { kind: 'join', left, right, on, using, natural, alias: '', columns: [] }
}

interface Named {
  readonly alias: string
  readonly columns: readonly string[]
}

/** `AS t(a, b)`. */
function named(cursor: Cursor): Named {
  const said = cursor.eat('AS')
  if (!said && !cursor.isAlias()) return { alias: '', columns: [] }
  const token = cursor.peek()
  const alias = said && token.kind === 'text' ? cursor.next().text.toLowerCase() : cursor.name()
  const columns = cursor.attempt(() => {
    if (cursor.dialect === 'sqlserver' && hinted(cursor)) return []
    return columnNames(cursor)
  })
  return { alias, columns: columns ?? [] }
}

function primary(cursor: Cursor): Relation {
  const lateral = cursor.eat('LATERAL')
  if (cursor.isSign('(')) return pivots(cursor, bracketed(cursor))
  if (lateral && !cursor.isName()) throw new Unread('syntax')
  if (cursor.peek().kind === 'parameter') {
    // A table variable of SQL Server: `@t`, or `@doc.nodes('/a')`.
    const calls = [expression(cursor)]
    return { kind: 'call', calls, ...named(cursor) }
  }
  return pivots(cursor, tableOrCall(cursor))
}

function bracketed(cursor: Cursor): Relation {
  if (isQuery(cursor, 1)) {
    const query = cursor.attempt(() => queryInParens(cursor))
    if (query !== undefined) return derived(cursor, query)
  }
  // Brackets around joins, and MySQL's list of tables.
  const items = cursor.inParens(() => relations(cursor))
  const [first, ...more] = items
  if (first === undefined) throw new Unread('syntax')
  const inside = more.reduce((left, right) => joined(left, right, {}), first)
  const given = named(cursor)
  if (given.alias === '') return inside
  return { ...joined(inside, emptyRows, {}), ...given }
}

/** A function of no rows and no name, to give a bracket of joins one. */
const emptyRows: Relation = { kind: 'call', calls: [], alias: '', columns: [] }

function derived(cursor: Cursor, query: Query): Relation {
  sampled(cursor)
  return { kind: 'query', query, ...named(cursor) }
}

/** `a.b.c`, as a name of a table. Of four parts the first is another server. */
export function tableName(cursor: Cursor): TableName {
  const parts = path(cursor)
  return nameOfParts(cursor, parts)
}

function nameOfParts(cursor: Cursor, parts: readonly string[]): TableName {
  // Another server: what is behind the name there, nobody here can know.
  if (parts.length > 3) cursor.notes.opaque = true
  if (cursor.dialect === 'oracle' && cursor.eatSign('@')) {
    path(cursor)
    cursor.notes.opaque = true
  }
  const schema = parts.slice(0, -1).filter((part) => part !== '')
  return { schema: schema.join('.'), name: parts.at(-1) ?? '' }
}

const rowFunctions = /^(?:json_each|json_tree|generate_series|pragma_\w+|jsonb_each|jsonb_tree)$/

function tableOrCall(cursor: Cursor): Relation {
  const { dialect } = cursor
  if (dialect === 'oracle' && cursor.is('TABLE') && cursor.isSign('(', 1)) {
    cursor.next()
    const calls = args(cursor)
    method(cursor)
    return { kind: 'call', calls, ...named(cursor) }
  }
  if (dialect === 'oracle' && cursor.eat('ONLY')) return cursor.inParens(() => tableOrCall(cursor))
  const parts = path(cursor)
  const name = parts.at(-1) ?? ''
  if (cursor.isSign('(') && !(dialect === 'sqlserver' && hintsAhead(cursor))) {
    return rowsOf(cursor, parts)
  }
  const table = nameOfParts(cursor, parts)
  sampled(cursor)
  const given = named(cursor)
  sampled(cursor)
  if (name === '') throw new Unread('syntax')
  return { kind: 'table', table, ...given }
}

function rowsOf(cursor: Cursor, parts: readonly string[]): Relation {
  const name = parts.at(-1) ?? ''
  if (cursor.dialect === 'oracle' && name === 'external') {
    Object.assign(cursor.notes, { files: true, opaque: true })
  }
  const calls: Expr[] = [callOf(parts.slice(0, -1).join('.'), name, args(cursor, name))]
  if (cursor.dialect === 'sqlserver' && cursor.eat('WITH')) {
    // The columns of OPENJSON and OPENXML.
    cursor.expectSign('(')
    calls.push(...loose(cursor, ')').filter((one) => one.kind === 'query' || one.kind === 'call'))
  }
  while (cursor.isSign('.')) {
    // OPENDATASOURCE('…').db.dbo.t, @x.nodes('/a')
    cursor.next()
    const after = cursor.name()
    if (cursor.isSign('(')) calls.push(callOf('', after, args(cursor)))
    else cursor.notes.opaque = true
  }
  // A virtual table of SQLite is called like a function: `FROM docs('word')`.
  if (cursor.dialect === 'sqlite' && !rowFunctions.test(name)) {
    cursor.notes.expressions.push(...calls)
    const table = { schema: parts.slice(0, -1).join('.'), name }
    return { kind: 'table', table, ...named(cursor) }
  }
  return { kind: 'call', calls, ...named(cursor) }
}

function method(cursor: Cursor): void {
  if (!cursor.isSign('(') || !cursor.isSign('+', 1)) return
  for (let i = 0; i < 3; i += 1) cursor.next()
}

function hintsAhead(cursor: Cursor): boolean {
  return cursor.isSign('(') && cursor.isAny(tableHints, 1) && !cursor.isSign('.', 2)
}

/** `(NOLOCK)`, `WITH (NOLOCK, INDEX(ix))`; those that lock are noted. */
function hinted(cursor: Cursor): boolean {
  const behindWith = cursor.is('WITH') && cursor.isSign('(', 1) && cursor.isAny(tableHints, 2)
  if (!behindWith && !hintsAhead(cursor)) return false
  if (behindWith) cursor.next()
  cursor.next()
  while (!cursor.eatSign(')')) {
    if (cursor.isAny(lockingHints)) cursor.notes.locks = true
    if (cursor.isSign('(')) aside(cursor)
    else if (cursor.isSign(',') || cursor.isAny(tableHints) || cursor.isSign('=')) cursor.next()
    else if (cursor.isName() || cursor.peek().kind === 'number') cursor.next()
    else throw new Unread('syntax')
  }
  return true
}

/** Everything between a table and its alias, or behind it, that says how it is read. */
export function sampled(cursor: Cursor): void {
  while (sample(cursor));
}

function sample(cursor: Cursor): boolean {
  if (cursor.mysql) return mysqlHint(cursor)
  if (cursor.dialect === 'sqlserver') return serverSample(cursor)
  if (cursor.dialect === 'sqlite') {
    if (cursor.eat('NOT', 'INDEXED')) return true
    if (!cursor.eat('INDEXED', 'BY')) return false
    cursor.name()
    return true
  }
  return oracleSample(cursor)
}

function mysqlHint(cursor: Cursor): boolean {
  if (cursor.is('PARTITION') && cursor.isSign('(', 1)) {
    cursor.next()
    aside(cursor)
    return true
  }
  const hint = ['USE', 'FORCE', 'IGNORE'].some((word) => cursor.eat(word))
  if (!hint) return cursor.dialect === 'mariadb' && systemTime(cursor)
  if (!cursor.eat('INDEX')) cursor.expect('KEY')
  if (cursor.eat('FOR') && !cursor.eat('JOIN')) {
    if (!cursor.eat('ORDER')) cursor.expect('GROUP')
    cursor.expect('BY')
  }
  if (!cursor.isSign('(')) throw new Unread('syntax')
  aside(cursor)
  return true
}

function serverSample(cursor: Cursor): boolean {
  if (hinted(cursor)) return true
  if (!cursor.eat('TABLESAMPLE')) return systemTime(cursor)
  cursor.eat('SYSTEM')
  aside(cursor)
  if (cursor.eat('REPEATABLE')) aside(cursor)
  return true
}

/** `FOR SYSTEM_TIME AS OF x`, `FROM x TO y`, `BETWEEN x AND y`, `ALL`, `CONTAINED IN (x, y)`. */
function systemTime(cursor: Cursor): boolean {
  if (!cursor.eat('FOR', 'SYSTEM_TIME')) return false
  if (cursor.eat('ALL')) return true
  if (cursor.eat('CONTAINED', 'IN')) {
    aside(cursor)
    return true
  }
  if (cursor.eat('AS', 'OF')) keep(cursor, [expression(cursor, 7)])
  else {
    const between = cursor.eat('BETWEEN')
    if (!between) cursor.expect('FROM')
    keep(cursor, [expression(cursor, 7)])
    cursor.expect(between ? 'AND' : 'TO')
    keep(cursor, [expression(cursor, 7)])
  }
  return true
}

function oracleSample(cursor: Cursor): boolean {
  if (cursor.is('PARTITION') || cursor.is('SUBPARTITION')) {
    if (!cursor.isSign('(', 1) && !cursor.is('FOR')) return false
    cursor.next()
    cursor.eat('FOR')
    aside(cursor)
    return true
  }
  if (cursor.eat('SAMPLE')) {
    cursor.eat('BLOCK')
    aside(cursor)
    if (cursor.eat('SEED')) aside(cursor)
    return true
  }
  if (cursor.eat('AS', 'OF')) {
    if (!cursor.eat('SCN')) cursor.expect('TIMESTAMP')
    cursor.notes.expressions.push(expression(cursor, 7))
    return true
  }
  if (!cursor.eat('VERSIONS', 'BETWEEN')) return false
  if (!cursor.eat('SCN')) cursor.expect('TIMESTAMP')
  for (const last of [false, true]) {
    if (!cursor.eat('MINVALUE') && !cursor.eat('MAXVALUE')) keep(cursor, [expression(cursor, 7)])
    if (!last) cursor.expect('AND')
  }
  return true
}

/** PIVOT, UNPIVOT, MATCH_RECOGNIZE: columns of new names, each made of all that stands in the bracket. */
function pivots(cursor: Cursor, of: Relation): Relation {
  let relation = of
  for (;;) {
    const word = ['PIVOT', 'UNPIVOT', 'MATCH_RECOGNIZE'].find((one) => cursor.is(one))
    if (word === undefined) return relation
    cursor.next()
    if (word === 'PIVOT') cursor.eat('XML')
    if (cursor.eat('INCLUDE') || cursor.eat('EXCLUDE')) cursor.expect('NULLS')
    cursor.expectSign('(')
    const found = loose(cursor, ')')
    relation = { kind: 'query', query: pivoted(relation, found), ...named(cursor) }
  }
}

function pivoted(of: Relation, found: readonly Expr[]): Query {
  const whole: Expr = { kind: 'other', args: found }
  const columns = found.flatMap((one) => (one.kind === 'column' ? [one.name] : []))
  const names = new Set(columns)
  const outputs: Output[] = [{ expr: { kind: 'star', qualifier: [] }, alias: '' }]
  for (const alias of names) outputs.push({ expr: whole, alias })
  return selectOf({ outputs, from: [of], beside: [...found] })
}
