/**
 * Queries: WITH, SELECT, VALUES, TABLE and their unions, with what each dialect puts around them.
 */
import type { Cte, Expr, Limit, Output, Query, Relation, TableName } from './statement.ts'
import { change, isChange } from './other-change.ts'
import type { Cursor } from './other-cursor.ts'
import { aside, loose, part } from './other-loose.ts'
import { relations, tableName } from './other-from.ts'
import { path } from './other-operands.ts'
import { condition, expression } from './other-operators.ts'
import { rowLimit, selectHints, tail } from './other-tail.ts'
import { Unread } from './other-tokens.ts'

const unionsMax = 300
/** More brackets than any query may nest. */
const bracketsMax = 200

/** A query begins at this token, brackets before it or not. */
export function isQuery(cursor: Cursor, ahead = 0): boolean {
  let at = ahead
  while (cursor.isSign('(', at) && at < bracketsMax) at += 1
  const word = cursor.peek(at)
  if (word.kind !== 'word') return false
  if (word.text === 'VALUES')
    return cursor.isSign('(', at + 1) || cursor.peek(at + 1).text === 'ROW'
  if (word.text === 'TABLE') return cursor.mysql && cursor.isName(at + 1)
  return word.text === 'SELECT' || word.text === 'WITH' || isChange(cursor, at)
}

export function queryInParens(cursor: Cursor): Query {
  return cursor.inParens(() => query(cursor))
}

/** A query with its WITH, its unions and what follows them. */
export function query(cursor: Cursor): Query {
  return cursor.deeper(() => {
    const hidden = new Map(cursor.ctes)
    const { ctes, recursive } = withCtes(cursor)
    const body = isChange(cursor) ? change(cursor) : setOperations(cursor)
    cursor.ctes.clear()
    for (const [name, tables] of hidden) cursor.ctes.set(name, tables)
    if (ctes.length === 0) return body
    return { ...body, ctes: [...ctes, ...body.ctes], recursive: recursive || body.recursive }
  })
}

function withCtes(cursor: Cursor): { ctes: Cte[]; recursive: boolean } {
  if (!cursor.eat('WITH')) return { ctes: [], recursive: false }
  // Only MySQL, MariaDB and SQLite need the word; without it a CTE there cannot read itself, and taking
  // it as if it could hides no table: the name would be that of a table then.
  const said = cursor.eat('RECURSIVE')
  if (cursor.is('FUNCTION') || cursor.is('PROCEDURE')) throw new Unread('unknown_statement')
  const recursive = said || cursor.dialect === 'sqlserver' || cursor.dialect === 'oracle'
  const ctes = cursor.list(() => cte(cursor, recursive))
  return { ctes, recursive }
}

function cte(cursor: Cursor, recursive: boolean): Cte {
  const name = cursor.name()
  const columns = columnNames(cursor)
  cursor.expect('AS')
  if (cursor.eat('NOT')) cursor.expect('MATERIALIZED')
  else cursor.eat('MATERIALIZED')
  if (recursive) cursor.ctes.set(name, [])
  const body = queryInParens(cursor)
  for (const word of ['SEARCH', 'CYCLE']) {
    // Oracle: SEARCH DEPTH FIRST BY a SET b, CYCLE a SET b TO 1 DEFAULT 0.
    if (!cursor.eat(word)) continue
    while (!cursor.eat('SET')) aside(cursor)
    cursor.name()
    while (cursor.eat('TO') || cursor.eat('DEFAULT')) expression(cursor)
  }
  cursor.ctes.set(name, baseTables(body))
  return { name, columns, body }
}

/** The tables whose rows a query's rows are: what a change of it changes. */
function baseTables(of: Query): TableName[] {
  if (of.kind === 'set') return [...baseTables(of.left), ...baseTables(of.right)]
  if (of.kind === 'values') return []
  if (of.kind === 'change') return of.targets.map((target) => target.table)
  return of.from.flatMap(tablesOf)
}

export function tablesOf(relation: Relation): TableName[] {
  switch (relation.kind) {
    case 'table':
      return [relation.table]
    case 'query':
      return baseTables(relation.query)
    case 'call':
      return []
    case 'join':
      return [...tablesOf(relation.left), ...tablesOf(relation.right)]
  }
}

/** `(a, b)` after a name, if it stands there. */
export function columnNames(cursor: Cursor): string[] {
  if (!cursor.isSign('(')) return []
  const found = cursor.attempt(() => cursor.inParens(() => cursor.list(() => cursor.name())))
  if (found === undefined) throw new Unread('syntax')
  return found
}

function setOperations(cursor: Cursor): Query {
  let left = operandQuery(cursor)
  for (let i = 0; ; i += 1) {
    if (i > unionsMax) throw new Unread('too_deep')
    const operator = setOperator(cursor)
    if (operator === undefined) break
    if (!cursor.eat('ALL')) cursor.eat('DISTINCT')
    const right = operandQuery(cursor)
    const empty = { ctes: [], recursive: false, beside: [], limit: undefined, locks: false }
    left = { kind: 'set', operator, left, right, ...empty }
  }
  return tail(cursor, left)
}

function setOperator(cursor: Cursor): 'union' | 'intersect' | 'except' | undefined {
  if (cursor.eat('UNION')) return 'union'
  if (cursor.eat('INTERSECT')) return 'intersect'
  if (cursor.eat('EXCEPT')) return 'except'
  const minus = cursor.dialect === 'oracle' || cursor.dialect === 'mariadb'
  return minus && cursor.eat('MINUS') ? 'except' : undefined
}

function operandQuery(cursor: Cursor): Query {
  if (cursor.isSign('(')) return queryInParens(cursor)
  if (cursor.is('VALUES')) return values(cursor)
  if (cursor.mysql && cursor.eat('TABLE')) return wholeTable(tableName(cursor))
  cursor.expect('SELECT')
  return select(cursor)
}

/** `SELECT * FROM table`: what `TABLE t` says. */
function wholeTable(table: TableName): Query {
  const from: Relation[] = [{ kind: 'table', table, alias: '', columns: [] }]
  const outputs: Output[] = [{ expr: { kind: 'star', qualifier: [] }, alias: '' }]
  return selectOf({ outputs, from })
}

type SelectQuery = Extract<Query, { kind: 'select' }>

export function selectOf(parts: Partial<SelectQuery>): SelectQuery {
  return {
    kind: 'select', ctes: [], recursive: false, outputs: [], from: [], where: undefined, beside: [],
    limit: undefined, into: undefined, locks: false, ...parts,
  } // prettier-ignore
}

function values(cursor: Cursor): Query {
  cursor.expect('VALUES')
  const rows = cursor.list(() => {
    cursor.eat('ROW')
    return cursor.inParens(() => (cursor.isSign(')') ? [] : cursor.list(() => expression(cursor))))
  })
  return { kind: 'values', ctes: [], recursive: false, rows, beside: [], limit: undefined }
}

function select(cursor: Cursor): Query {
  const hints = selectHints(cursor)
  const outputs = cursor.list(() => output(cursor))
  // Oracle's BULK COLLECT INTO and a variable's INTO are PL/SQL and refused with the rest of it.
  const into = selectInto(cursor)
  const from = cursor.eat('FROM') ? relations(cursor) : []
  const where = cursor.eat('WHERE') ? condition(cursor) : undefined
  const beside: Expr[] = [...hints.beside, ...clausesAfterWhere(cursor)]
  const model = cursor.dialect === 'oracle' ? modelOf(cursor) : []
  // MODEL gives columns names of its own, so all that stands in it comes back.
  if (model.length > 0) outputs.push({ expr: { kind: 'other', args: model }, alias: 'model' })
  const limit: Limit = hints.limit ?? (cursor.dialect === 'oracle' ? rowLimit(where) : undefined)
  return selectOf({ outputs, from, where, beside, limit, into })
}

/** One column of a result; SQL Server also writes its name first, or puts it into a variable. */
export function output(cursor: Cursor): Output {
  if (cursor.dialect === 'sqlserver') {
    const first = cursor.peek()
    const named = cursor.isName() || first.kind === 'text'
    if (named && cursor.isSign('=', 1)) {
      cursor.next()
      cursor.next()
      return {
        expr: expression(cursor),
        alias: first.name === '' ? first.text.toLowerCase() : first.name,
      }
    }
    const assigns = ['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=']
    if (first.kind === 'parameter' && assigns.some((sign) => cursor.isSign(sign, 1))) {
      cursor.next()
      cursor.next()
    }
  }
  const expr = expression(cursor)
  return { expr, alias: expr.kind === 'star' ? '' : alias(cursor) }
}

/** The name behind a column: with AS nearly any word, a string too. */
function alias(cursor: Cursor): string {
  const said = cursor.eat('AS')
  const token = cursor.peek()
  if (token.kind === 'text') return cursor.next().text.toLowerCase()
  if (said) return cursor.name()
  return cursor.isAlias() ? cursor.name() : ''
}

function selectInto(cursor: Cursor): TableName | undefined {
  if (!cursor.is('INTO')) return undefined
  if (cursor.mysql) return mysqlInto(cursor)
  if (cursor.dialect !== 'sqlserver') throw new Unread('unknown_statement')
  cursor.next()
  const table = tableName(cursor)
  if (cursor.eat('ON')) cursor.name()
  return table
}

/** `INTO OUTFILE 'x' …`, `INTO DUMPFILE 'x'`, `INTO @a, @b`: to a file, or into the session. */
export function mysqlInto(cursor: Cursor): undefined {
  cursor.expect('INTO')
  if (cursor.eat('OUTFILE') || cursor.eat('DUMPFILE')) {
    Object.assign(cursor.notes, { files: true, exports: true, writes: true })
    if (cursor.next().kind !== 'text') throw new Unread('syntax')
    while (!cursor.is('FROM') && !cursor.is('FOR') && !cursor.isSign(')') && !cursor.isSign(';')) {
      if (cursor.atEnd()) return
      aside(cursor)
    }
    return
  }
  cursor.notes.session = true
  cursor.list(() => {
    if (cursor.peek().kind !== 'parameter') throw new Unread('syntax')
    return cursor.next()
  })
}

function clausesAfterWhere(cursor: Cursor): Expr[] {
  const beside: Expr[] = []
  for (;;) {
    if (cursor.eat('START', 'WITH') || cursor.eat('HAVING') || cursor.eat('QUALIFY')) {
      beside.push(condition(cursor))
    } else if (cursor.eat('CONNECT', 'BY')) {
      cursor.eat('NOCYCLE')
      beside.push(condition(cursor))
    } else if (cursor.eat('GROUP', 'BY')) beside.push(...groups(cursor))
    else if (cursor.is('WINDOW') && cursor.isName(1) && cursor.peek(2).text === 'AS') {
      cursor.next()
      beside.push(...cursor.list(() => window(cursor)).flat())
    } else return beside
  }
}

function modelOf(cursor: Cursor): Expr[] {
  const found: Expr[] = []
  if (cursor.eat('MODEL')) while (!modelEnds(cursor)) found.push(...part(cursor))
  return found
}

function modelEnds(cursor: Cursor): boolean {
  const ends = ['UNION', 'MINUS', 'INTERSECT', 'FETCH', 'OFFSET'].some((word) => cursor.is(word))
  return (
    cursor.atEnd() || cursor.isSign(')') || cursor.isSign(';') || ends || cursor.is('ORDER', 'BY')
  )
}

function groups(cursor: Cursor): Expr[] {
  if (cursor.eat('ALL') && !cursor.isOperand()) return []
  const found = cursor.list((): Expr[] => {
    if (cursor.eat('GROUPING', 'SETS')) {
      cursor.expectSign('(')
      return loose(cursor, ')')
    }
    if (cursor.isSign('(') && cursor.isSign(')', 1)) {
      cursor.next()
      cursor.next()
      return []
    }
    const by = expression(cursor)
    if (!cursor.eat('ASC')) cursor.eat('DESC')
    const rolled = by.kind === 'call' && (by.name === 'rollup' || by.name === 'cube')
    return rolled ? [...by.args] : [by]
  })
  if (!cursor.eat('WITH', 'ROLLUP')) cursor.eat('WITH', 'CUBE')
  return found.flat()
}

function window(cursor: Cursor): Expr[] {
  path(cursor)
  cursor.expect('AS')
  cursor.expectSign('(')
  return loose(cursor, ')')
}
