/**
 * What stands between SELECT and its columns, and behind the last of its unions: how many rows at most,
 * their order, locks, and the form of the answer.
 */
import type { Expr, Limit, Query } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { aside } from './other-loose.ts'
import { expression } from './other-operators.ts'
import { mysqlInto } from './other-query.ts'
import { Unread } from './other-tokens.ts'

interface Hints {
  readonly limit: Limit
  readonly beside: readonly Expr[]
}

const modifiers = [
  'ALL', 'DISTINCT', 'UNIQUE', 'DISTINCTROW', 'STRAIGHT_JOIN', 'HIGH_PRIORITY', 'SQL_SMALL_RESULT',
  'SQL_BIG_RESULT', 'SQL_BUFFER_RESULT', 'SQL_NO_CACHE', 'SQL_CACHE', 'SQL_CALC_FOUND_ROWS',
] // prettier-ignore

/** DISTINCT and the like; `TOP 10`, `TOP (@n) PERCENT WITH TIES`. */
export function selectHints(cursor: Cursor): Hints {
  let limit: Limit
  const beside: Expr[] = []
  for (;;) {
    if (cursor.dialect === 'sqlserver' && cursor.is('TOP')) {
      const found = top(cursor)
      limit = found.limit
      beside.push(...found.beside)
    } else if (!modifiers.some((word) => isModifier(cursor, word) && cursor.eat(word))) {
      return { limit, beside }
    }
  }
}

function isModifier(cursor: Cursor, word: string): boolean {
  if (word === 'ALL' || word === 'DISTINCT') return true
  return word === 'UNIQUE' ? cursor.dialect === 'oracle' : cursor.mysql
}

export function top(cursor: Cursor): Hints {
  cursor.expect('TOP')
  const bare = cursor.peek()
  const value: Expr = cursor.isSign('(')
    ? cursor.inParens(() => expression(cursor))
    : { kind: 'literal', value: Number(cursor.next().text) }
  if (bare.kind !== 'number' && bare.kind !== 'sign' && bare.kind !== 'parameter') {
    throw new Unread('syntax')
  }
  const counted = bare.kind === 'parameter' ? 'unknown' : numberOf(value)
  const percent = cursor.eat('PERCENT')
  const ties = cursor.eat('WITH', 'TIES')
  return { limit: percent || ties ? 'unknown' : counted, beside: [value] }
}

function numberOf(value: Expr): number | 'unknown' {
  const is = value.kind === 'literal' && typeof value.value === 'number' && value.value >= 0
  return is ? Number(value.value) : 'unknown'
}

/** `ROWNUM <= 10` in a conjunction of Oracle: no more rows than that come out of it. */
export function rowLimit(where: Expr | undefined): Limit {
  if (where === undefined || where.kind !== 'operator') return undefined
  if (where.operator === 'and') {
    const found = where.args.map(rowLimit).filter((limit) => typeof limit === 'number')
    return found.length === 0 ? undefined : Math.min(...found)
  }
  const [left, right] = where.args
  const isRow = left?.kind === 'call' && left.name === 'rownum'
  const count = right === undefined ? 'unknown' : numberOf(right)
  if (!isRow || count === 'unknown') return undefined
  if (where.operator === '<=' || where.operator === '=') return count
  return where.operator === '<' ? Math.max(0, Math.ceil(count) - 1) : undefined
}

interface Tail {
  readonly beside: Expr[]
  limit: Limit
  locks: boolean
  isOneValue?: true
}

/** Reads what follows a query and gives it with that. Inner limits of a union stay in their parts. */
export function tail(cursor: Cursor, of: Query): Query {
  const found: Tail = { beside: [], limit: undefined, locks: false }
  while (clause(cursor, found));
  if (found.locks) cursor.notes.locks = true
  const limit = found.limit ?? of.limit
  const beside = [...of.beside, ...found.beside]
  if (of.kind === 'values') return { ...of, beside, limit }
  const isOneValue = found.isOneValue ?? ('isOneValue' in of ? of.isOneValue : undefined)
  const locks = of.locks || found.locks
  return { ...of, beside, limit, locks, ...(isOneValue === undefined ? {} : { isOneValue }) }
}

function clause(cursor: Cursor, found: Tail): boolean {
  if (cursor.eat('ORDER', 'SIBLINGS', 'BY') || cursor.eat('ORDER', 'BY')) {
    found.beside.push(...cursor.list(() => sorted(cursor)))
    if (cursor.mysql) cursor.eat('WITH', 'ROLLUP')
    return true
  }
  const counted = limits(cursor, found) || locking(cursor, found)
  return counted || answerForm(cursor, found)
}

export function sorted(cursor: Cursor): Expr {
  const by = expression(cursor)
  if (!cursor.eat('ASC')) cursor.eat('DESC')
  if (cursor.eat('NULLS')) cursor.next()
  return by
}

/** `LIMIT 5`, `LIMIT 10, 5`, `LIMIT 5 OFFSET 10`, `OFFSET 10 ROWS`, `FETCH FIRST 5 ROWS ONLY`. */
export function limits(cursor: Cursor, found: Pick<Tail, 'beside' | 'limit'>): boolean {
  const hasLimit = cursor.mysql || cursor.dialect === 'sqlite'
  if (hasLimit && cursor.eat('LIMIT')) {
    const first = expression(cursor)
    found.limit = limitOf(first)
    found.beside.push(first)
    if (cursor.eatSign(',')) {
      const second = expression(cursor)
      found.limit = limitOf(second)
      found.beside.push(second)
    } else if (cursor.eat('OFFSET')) found.beside.push(expression(cursor))
    if (cursor.eat('ROWS')) cursor.expect('EXAMINED')
    return true
  }
  if (cursor.dialect !== 'sqlite' && cursor.eat('OFFSET')) {
    found.beside.push(expression(cursor))
    if (!cursor.eat('ROWS')) cursor.eat('ROW')
    return true
  }
  if (cursor.dialect === 'sqlite' || !fetches(cursor)) return false
  cursor.next()
  cursor.next()
  const bare = cursor.is('ROW') || cursor.is('ROWS')
  const value: Expr = bare ? { kind: 'literal', value: 1 } : expression(cursor)
  const percent = cursor.eat('PERCENT')
  if (!cursor.eat('ROWS')) cursor.expect('ROW')
  const exact = cursor.eat('ONLY')
  if (!exact) cursor.expect('WITH', 'TIES')
  found.limit = percent || !exact ? 'unknown' : limitOf(value)
  found.beside.push(value)
  return true
}

function fetches(cursor: Cursor): boolean {
  return cursor.is('FETCH', 'FIRST') || cursor.is('FETCH', 'NEXT')
}

/** A negative limit is none in SQLite. */
function limitOf(value: Expr): Limit {
  const negative = value.kind === 'literal' && typeof value.value === 'number' && value.value < 0
  return negative ? undefined : numberOf(value)
}

function locking(cursor: Cursor, found: Tail): boolean {
  if (cursor.eat('LOCK', 'IN', 'SHARE', 'MODE') || cursor.eat('FOR', 'SHARE')) found.locks = true
  else if (cursor.eat('FOR', 'UPDATE')) found.locks = true
  else return false
  while (cursor.eat('OF') || cursor.eatSign(',')) expression(cursor)
  if (cursor.eat('WAIT')) cursor.next()
  else if (!cursor.eat('NOWAIT')) cursor.eat('SKIP', 'LOCKED')
  return true
}

/** `FOR JSON PATH, ROOT('x')`, `FOR XML …`, `OPTION (…)`, and MySQL's INTO at the end. */
function answerForm(cursor: Cursor, found: Tail): boolean {
  if (cursor.mysql && cursor.is('INTO')) {
    mysqlInto(cursor)
    return true
  }
  if (cursor.dialect !== 'sqlserver') return false
  if (cursor.eat('FOR', 'BROWSE')) return true
  if (cursor.is('FOR', 'XML') || cursor.is('FOR', 'JSON')) {
    found.isOneValue = true
    cursor.next()
    cursor.next()
    cursor.list(() => {
      cursor.next()
      if (cursor.isSign('(')) aside(cursor)
    })
    return true
  }
  if (!cursor.eat('OPTION')) return false
  optionHints(cursor)
  return true
}

/** `(MAXDOP 1, MERGE JOIN, OPTIMIZE FOR (@a = 1))`: how to run it, never what. */
export function optionHints(cursor: Cursor): void {
  cursor.expectSign('(')
  while (!cursor.eatSign(')')) {
    if (cursor.isSign('(')) aside(cursor)
    else if (cursor.atEnd() || cursor.isSign(';') || cursor.is('SELECT')) throw new Unread('syntax')
    else cursor.next()
  }
}
