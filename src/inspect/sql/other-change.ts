/**
 * INSERT, REPLACE, UPDATE, DELETE, MERGE: what is changed, by what, and what comes back.
 */
import type { Assignment, Expr, Output, Query, Relation, TableName } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { relation, relations, sampled, tableName } from './other-from.ts'
import { aside, part } from './other-loose.ts'
import { path } from './other-operands.ts'
import { condition, expression } from './other-operators.ts'
import { columnNames, isQuery, output, query, tablesOf } from './other-query.ts'
import { limits, optionHints, sorted, top } from './other-tail.ts'
import { Unread } from './other-tokens.ts'

type Change = Extract<Query, { kind: 'change' }>
type Target = Change['targets'][number]

const verbs = ['INSERT', 'REPLACE', 'UPDATE', 'DELETE', 'MERGE'] as const
const options = new Set(['LOW_PRIORITY', 'DELAYED', 'HIGH_PRIORITY', 'QUICK', 'IGNORE'])

export function isChange(cursor: Cursor, ahead = 0): boolean {
  const { kind, text } = cursor.peek(ahead)
  // `replace(…)`, `insert(…)` are functions; `REPLACE (…)` begins no statement.
  return kind === 'word' && verbs.some((verb) => verb === text) && !cursor.isSign('(', ahead + 1)
}

/** What a change grows from while it is read. */
interface Draft {
  readonly verbs: string[]
  readonly targets: Target[]
  readonly from: Relation[]
  source: Query | undefined
  readonly assignments: Assignment[]
  where: Expr | undefined
  readonly beside: Expr[]
  limit: Change['limit']
  readonly returning: Output[]
}

export function change(cursor: Cursor): Query {
  const verb = cursor.next().text
  const draft: Draft = {
    verbs: [verb], targets: [], from: [], source: undefined, assignments: [], where: undefined,
    beside: [], limit: undefined, returning: [],
  } // prettier-ignore
  while (cursor.mysql && cursor.isAny(options)) cursor.next()
  if (verb === 'MERGE') merge(cursor, draft)
  else if (verb === 'UPDATE') update(cursor, draft)
  else if (verb === 'DELETE') remove(cursor, draft)
  else insert(cursor, draft)
  return { kind: 'change', ctes: [], recursive: false, ...draft, locks: false }
}

/** SQLite: `INSERT OR REPLACE`. */
function orConflict(cursor: Cursor, draft: Draft): void {
  if (cursor.dialect !== 'sqlite' || !cursor.eat('OR')) return
  if (cursor.next().text === 'REPLACE') draft.verbs.push('REPLACE')
}

/** A table as target. One that is the name of a CTE, or an alias of FROM, stands for what is behind it. */
function addTarget(cursor: Cursor, draft: Draft, table: TableName, alias: string): void {
  const known = table.schema === '' ? cursor.ctes.get(table.name) : undefined
  if (known !== undefined) {
    draft.from.push({ kind: 'table', table, alias, columns: [] })
    draft.targets.push(...known.map((one) => ({ table: one, alias: '' })))
  } else draft.targets.push({ table, alias })
}

function targetTable(cursor: Cursor, draft: Draft, bareAlias = true): void {
  if (cursor.isSign('(') && isQuery(cursor, 1)) {
    const inside = relation(cursor)
    draft.from.push(inside)
    draft.targets.push(...tablesOf(inside).map((table) => ({ table, alias: '' })))
    return
  }
  if (cursor.peek().kind === 'parameter') {
    // A table variable of SQL Server lives as long as its batch.
    draft.targets.push({ table: { schema: '', name: cursor.next().text }, alias: '' })
    return
  }
  const table = tableName(cursor)
  if (cursor.isSign('(') && isCall(table.name)) throw new Unread('unknown_statement')
  sampled(cursor)
  const said = cursor.eat('AS')
  const alias = said || (bareAlias && cursor.isAlias()) ? cursor.name() : ''
  sampled(cursor)
  addTarget(cursor, draft, table, alias)
}

/** INSERT INTO OPENQUERY(…): it is written elsewhere. */
function isCall(name: string): boolean {
  return ['openquery', 'openrowset', 'opendatasource'].includes(name)
}

function insert(cursor: Cursor, draft: Draft): void {
  orConflict(cursor, draft)
  if (cursor.dialect === 'sqlserver' && cursor.is('TOP')) draft.limit = top(cursor).limit
  if (cursor.dialect === 'oracle' && (cursor.eat('ALL') || cursor.eat('FIRST'))) {
    return insertAll(cursor, draft)
  }
  cursor.eat('INTO')
  if (cursor.dialect === 'sqlserver') cursor.eat('OVER')
  targetTable(cursor, draft, cursor.dialect === 'oracle')
  const columns = insertColumns(cursor)
  outputs(cursor, draft)
  rows(cursor, draft, columns)
  conflict(cursor, draft)
  outputs(cursor, draft)
}

function insertColumns(cursor: Cursor): string[] {
  if (!cursor.isSign('(') || isQuery(cursor, 1)) return []
  if (cursor.isSign(')', 1)) {
    cursor.next()
    cursor.next()
    return []
  }
  return cursor.inParens(() => cursor.list(() => path(cursor).at(-1) ?? ''))
}

function rows(cursor: Cursor, draft: Draft, columns: readonly string[]): void {
  const named = columns.length === 0 ? ['*'] : columns
  if (cursor.eat('SET')) {
    draft.assignments.push(...cursor.list(() => assignment(cursor)).flat())
    return
  }
  draft.assignments.push(...named.map((column) => ({ column, value: undefined })))
  if (cursor.eat('DEFAULT', 'VALUES')) return
  if (cursor.is('EXEC') || cursor.is('EXECUTE')) {
    // INSERT … EXEC: what a procedure gives is written.
    cursor.notes.dynamic = true
    while (!cursor.atEnd() && !cursor.isSign(';')) {
      cursor.next()
    }
    return
  }
  if (cursor.is('VALUE')) {
    cursor.next()
    draft.beside.push(...cursor.list(() => part(cursor)).flat())
    return
  }
  draft.source = query(cursor)
}

/** `AS new`, ON DUPLICATE KEY UPDATE, ON CONFLICT … DO …; Oracle's LOG ERRORS. */
function conflict(cursor: Cursor, draft: Draft): void {
  if (cursor.mysql && cursor.eat('AS')) {
    cursor.name()
    columnNames(cursor)
  }
  if (cursor.eat('ON', 'DUPLICATE', 'KEY', 'UPDATE')) {
    draft.verbs.push('UPDATE')
    draft.assignments.push(...cursor.list(() => assignment(cursor)).flat())
  }
  while (cursor.dialect === 'sqlite' && cursor.eat('ON', 'CONFLICT')) {
    if (cursor.isSign('(')) draft.beside.push(...part(cursor))
    if (cursor.eat('WHERE')) draft.beside.push(condition(cursor))
    cursor.expect('DO')
    if (cursor.eat('NOTHING')) continue
    cursor.expect('UPDATE', 'SET')
    draft.verbs.push('UPDATE')
    draft.assignments.push(...cursor.list(() => assignment(cursor)).flat())
    if (cursor.eat('WHERE')) draft.beside.push(condition(cursor))
  }
  logErrors(cursor)
}

function logErrors(cursor: Cursor): void {
  if (cursor.dialect !== 'oracle' || !cursor.eat('LOG', 'ERRORS')) return
  if (cursor.eat('INTO')) path(cursor)
  while (!cursor.atEnd() && !cursor.isSign(';')) aside(cursor)
}

/** Oracle: INSERT ALL [WHEN … THEN] INTO a VALUES (…) INTO b … SELECT …. */
function insertAll(cursor: Cursor, draft: Draft): void {
  for (;;) {
    if (cursor.eat('WHEN')) {
      draft.beside.push(condition(cursor))
      cursor.expect('THEN')
    } else if (!cursor.eat('ELSE')) {
      if (!cursor.eat('INTO')) break
      targetTable(cursor, draft)
      const columns = insertColumns(cursor)
      const named = columns.length === 0 ? ['*'] : columns
      draft.assignments.push(...named.map((column) => ({ column, value: undefined })))
      if (cursor.eat('VALUES')) draft.beside.push(...part(cursor))
    }
  }
  draft.source = query(cursor)
}

/** `a = 1`, `t.a = 1`, `(a, b) = (SELECT …)`; SQL Server's `@v = a = 1` and `a.WRITE(…)`. */
function assignment(cursor: Cursor): Assignment[] {
  if (cursor.isSign('(')) {
    const columns = columnNames(cursor)
    cursor.expectSign('=')
    const value = expression(cursor)
    return columns.map((column) => ({ column, value }))
  }
  if (cursor.peek().kind === 'parameter') {
    cursor.next()
    if (!cursor.isSign('=', 1)) {
      cursor.next()
      return [{ column: '*', value: expression(cursor) }]
    }
    cursor.next()
  }
  const parts = path(cursor)
  if (cursor.isSign('(')) {
    const value: Expr = { kind: 'other', args: part(cursor) }
    return [{ column: parts.at(-2) ?? '*', value }]
  }
  const sign = cursor.next()
  if (sign.kind !== 'sign' || !/^[+\-*/%&|^]?=$/.test(sign.text)) throw new Unread('syntax')
  const value = expression(cursor)
  return [{ column: parts.at(-1) ?? '', value }]
}

/** OUTPUT and RETURNING; `OUTPUT … INTO t` writes another table as well. */
function outputs(cursor: Cursor, draft: Draft): void {
  while (cursor.is('OUTPUT') || cursor.is('RETURNING') || cursor.is('RETURN')) {
    if (cursor.dialect === 'oracle') throw new Unread('unknown_statement')
    cursor.next()
    const found = cursor.list(() => output(cursor))
    draft.returning.push(...found)
    if (!cursor.eat('INTO')) continue
    targetTable(cursor, draft)
    insertColumns(cursor)
    draft.verbs.push('INSERT')
    draft.assignments.push({
      column: '*',
      value: { kind: 'other', args: found.map((one) => one.expr) },
    })
    cursor.notes.exports = true
  }
}

function update(cursor: Cursor, draft: Draft): void {
  orConflict(cursor, draft)
  if (cursor.dialect === 'sqlserver' && cursor.is('TOP')) draft.limit = top(cursor).limit
  if (cursor.mysql) {
    const read = relations(cursor)
    draft.from.push(...read)
    draft.targets.push(...read.flatMap(targetsOf))
  } else targetTable(cursor, draft)
  cursor.expect('SET')
  draft.assignments.push(...cursor.list(() => assignment(cursor)).flat())
  outputs(cursor, draft)
  if (cursor.eat('FROM')) draft.from.push(...relations(cursor))
  resolveAliases(draft)
  ending(cursor, draft)
}

/** The tables of a relation as targets, each with its alias. */
function targetsOf(of: Relation): Target[] {
  if (of.kind === 'table') return [{ table: of.table, alias: of.alias }]
  if (of.kind === 'join') return [...targetsOf(of.left), ...targetsOf(of.right)]
  return tablesOf(of).map((table) => ({ table, alias: '' }))
}

function remove(cursor: Cursor, draft: Draft): void {
  if (cursor.dialect === 'sqlserver' && cursor.is('TOP')) draft.limit = top(cursor).limit
  cursor.eat('FROM')
  do {
    // MySQL: `DELETE a.*, b.* FROM …`.
    targetTable(cursor, draft)
    if (cursor.eatSign('.')) cursor.expectSign('*')
  } while (cursor.eatSign(','))
  outputs(cursor, draft)
  while (cursor.eat('FROM') || cursor.eat('USING')) draft.from.push(...relations(cursor))
  resolveAliases(draft)
  ending(cursor, draft)
}

/** `DELETE c FROM cards c`: the target is the alias of what FROM names. */
function resolveAliases(draft: Draft): void {
  const aliases = draft.from.flatMap(targetsOf)
  const behind = draft.from.flatMap((one) => behindAlias(one))
  for (const [i, target] of draft.targets.entries()) {
    if (target.table.schema !== '') continue
    const found = aliases.find((one) => one.alias === target.table.name)
    if (found !== undefined) draft.targets[i] = found
    const derived = behind.find((one) => one.alias === target.table.name)
    if (derived !== undefined)
      draft.targets.push(...derived.tables.map((table) => ({ table, alias: '' })))
  }
}

/** Subqueries in FROM by their alias, with the tables they stand on. */
function behindAlias(of: Relation): { alias: string; tables: readonly TableName[] }[] {
  if (of.kind === 'query') return [{ alias: of.alias, tables: tablesOf(of) }]
  return of.kind === 'join' ? [...behindAlias(of.left), ...behindAlias(of.right)] : []
}

function ending(cursor: Cursor, draft: Draft): void {
  if (cursor.eat('WHERE')) {
    if (cursor.eat('CURRENT', 'OF')) draft.where = { kind: 'other', args: [expression(cursor)] }
    else draft.where = condition(cursor)
  }
  if (cursor.eat('ORDER', 'BY')) draft.beside.push(...cursor.list(() => sorted(cursor)))
  while (limits(cursor, draft));
  outputs(cursor, draft)
  if (cursor.dialect === 'sqlserver' && cursor.eat('OPTION')) optionHints(cursor)
  logErrors(cursor)
}

function merge(cursor: Cursor, draft: Draft): void {
  if (cursor.dialect === 'sqlserver' && cursor.is('TOP')) draft.limit = top(cursor).limit
  cursor.eat('INTO')
  targetTable(cursor, draft)
  cursor.expect('USING')
  draft.from.push(relation(cursor))
  cursor.expect('ON')
  draft.beside.push(condition(cursor))
  while (cursor.eat('WHEN')) branch(cursor, draft)
  outputs(cursor, draft)
  if (cursor.dialect === 'sqlserver' && cursor.eat('OPTION')) optionHints(cursor)
  logErrors(cursor)
}

function branch(cursor: Cursor, draft: Draft): void {
  cursor.eat('NOT')
  cursor.expect('MATCHED')
  if (cursor.eat('BY') && !cursor.eat('TARGET')) cursor.expect('SOURCE')
  if (cursor.eat('AND')) draft.beside.push(condition(cursor))
  cursor.expect('THEN')
  if (cursor.eat('INSERT')) {
    draft.verbs.push('INSERT')
    const columns = insertColumns(cursor)
    const named = columns.length === 0 ? ['*'] : columns
    draft.assignments.push(...named.map((column) => ({ column, value: undefined })))
    if (!cursor.eat('DEFAULT', 'VALUES') && !cursor.eat('ROW')) {
      cursor.expect('VALUES')
      draft.beside.push(...part(cursor))
    }
  } else if (cursor.eat('UPDATE')) {
    draft.verbs.push('UPDATE')
    cursor.expect('SET')
    draft.assignments.push(...cursor.list(() => assignment(cursor)).flat())
  } else {
    cursor.expect('DELETE')
    draft.verbs.push('DELETE')
  }
  while (cursor.is('WHERE') || cursor.is('DELETE', 'WHERE')) {
    if (cursor.eat('DELETE')) draft.verbs.push('DELETE')
    cursor.expect('WHERE')
    draft.beside.push(condition(cursor))
  }
}
