/**
 * What stands between operators: literals, names, calls, CASE, casts, bracketed values. A call whose
 * arguments have a syntax of their own (`TRIM(BOTH ' ' FROM x)`, `JSON_TABLE(…)`) is read loosely: every
 * name, call and query in it is kept, only their order is lost.
 */
import type { Expr, Query } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { keep, loose, part } from './other-loose.ts'
import { condition, expression } from './other-operators.ts'
import { isQuery, query, queryInParens } from './other-query.ts'
import { Unread } from './other-tokens.ts'
import { bareCalls, pseudoColumns, reservedFunctions, unitFirst, units } from './other-words.ts'

export function callOf(schema: string, name: string, args: readonly Expr[]): Expr {
  return { kind: 'call', schema, name, args, beside: [] }
}

export function scalar(of: Query): Expr {
  return { kind: 'query', use: 'scalar', left: undefined, query: of }
}

const literal = (value: string | number | boolean | null): Expr => ({ kind: 'literal', value })
const other = (...args: readonly Expr[]): Expr => ({ kind: 'other', args })

export function operand(cursor: Cursor): Expr {
  let value = first(cursor)
  for (let nested = 0; nested < 50; nested += 1) {
    const more = method(cursor, value)
    if (more === undefined) return value
    value = more
  }
  throw new Unread('too_deep')
}

function first(cursor: Cursor): Expr {
  const token = cursor.peek()
  switch (token.kind) {
    case 'number':
      cursor.next()
      return literal(token.text === '' ? 0 : Number(token.text.replaceAll('_', '')))
    case 'text':
      return strings(cursor)
    case 'double':
      return doubled(cursor)
    case 'parameter':
      return parameter(cursor)
    case 'sign':
      return signed(cursor)
    case 'word':
      return keyword(cursor) ?? named(cursor)
    case 'name':
      return named(cursor)
    case 'end':
      throw new Unread('syntax')
  }
}

/** MySQL and SQLite take neighbours as one string. */
function strings(cursor: Cursor): Expr {
  let value = ''
  while (cursor.peek().kind === 'text') value += cursor.next().text
  return literal(value)
}

/** MySQL's `"x"` is a string, or with ANSI_QUOTES a name: it counts as both. */
function doubled(cursor: Cursor): Expr {
  const token = cursor.next()
  if (cursor.isSign('.') || cursor.isSign('(')) throw new Unread('syntax')
  if (!/^[\p{L}_][\p{L}\p{N}_$]*$/u.test(token.text)) return literal(token.text)
  return other(literal(token.text), { kind: 'column', qualifier: [], name: token.name })
}

function parameter(cursor: Cursor): Expr {
  cursor.next()
  return { kind: 'parameter' }
}

function signed(cursor: Cursor): Expr {
  if (cursor.isSign('(')) return bracketed(cursor)
  if (cursor.eatSign('*')) return { kind: 'star', qualifier: [] }
  if (cursor.eatSign('{')) {
    // ODBC: `{d '2024-01-01'}`, `{fn NOW()}`.
    cursor.next()
    const value = expression(cursor)
    cursor.expectSign('}')
    return other(value)
  }
  if (cursor.eatSign('$')) return operand(cursor)
  throw new Unread('syntax')
}

function bracketed(cursor: Cursor): Expr {
  if (isQuery(cursor, 1)) {
    const found = cursor.attempt(() => queryInParens(cursor))
    if (found !== undefined) return scalar(found)
  }
  const items = cursor.attempt(() => cursor.inParens(() => cursor.list(() => expression(cursor))))
  if (items === undefined) return scalar(queryInParens(cursor))
  const [item] = items
  return items.length === 1 && item !== undefined ? item : other(...items)
}

/** `.value('…')`, `.nodes(…)` of XML, `(…).field`, `::Parse(…)` of SQL Server's types, `(+)` of Oracle. */
function method(cursor: Cursor, of: Expr): Expr | undefined {
  if (cursor.isSign('(') && cursor.isSign('+', 1) && cursor.isSign(')', 2)) {
    for (let i = 0; i < 3; i += 1) cursor.next()
    return of
  }
  if (cursor.isSign('[') && cursor.dialect === 'oracle') {
    cursor.next()
    const inside = loose(cursor, ']')
    return other(of, ...inside)
  }
  if (!cursor.isSign('.') && !cursor.isSign('::')) return undefined
  cursor.next()
  const name = cursor.next().name
  if (name === '') throw new Unread('syntax')
  if (!cursor.isSign('(')) return other(of)
  return callOf('', name, [of, ...args(cursor)])
}

function keyword(cursor: Cursor): Expr | undefined {
  const word = cursor.peek().text
  const opens = cursor.isSign('(', 1)
  const text = cursor.peek(1).kind === 'text' || cursor.peek(1).kind === 'double'
  if (word === 'NULL' || word === 'DEFAULT') return cursor.next() && literal(null)
  if (word === 'TRUE' || word === 'FALSE') return cursor.next() && literal(word === 'TRUE')
  if (word === 'CASE') return cases(cursor)
  if (word === 'EXISTS' && opens) {
    cursor.next()
    return { kind: 'query', use: 'exists', left: undefined, query: queryInParens(cursor) }
  }
  if (['CAST', 'TRY_CAST', 'SAFE_CAST', 'TREAT'].includes(word) && opens) return cast(cursor)
  if (['CONVERT', 'TRY_CONVERT'].includes(word) && opens) return converted(cursor)
  if (['CURSOR', 'MULTISET', 'ARRAY'].includes(word) && opens && isQuery(cursor, 2)) {
    cursor.next()
    return scalar(queryInParens(cursor))
  }
  if (['DATE', 'TIME', 'TIMESTAMP'].includes(word) && text) {
    cursor.next()
    return other(strings(cursor))
  }
  if (word === 'INTERVAL' && !cursor.isSign(',', 1) && !cursor.isSign(')', 1))
    return interval(cursor)
  if (word.startsWith('_') && text && cursor.mysql) return cursor.next() && strings(cursor)
  if (word === 'MATCH' && opens && cursor.mysql) return against(cursor)
  if (cursor.eat('NEXT', 'VALUE', 'FOR')) {
    const name = path(cursor)
    cursor.notes.writes = true
    return callOf(name.slice(0, -1).join('.'), 'nextval', [])
  }
  if (bareCalls.has(word) && !opens && !cursor.isSign('.', 1)) {
    cursor.next()
    return callOf('', word.toLowerCase(), [])
  }
  return undefined
}

function cases(cursor: Cursor): Expr {
  cursor.next()
  const subject = cursor.is('WHEN') ? undefined : expression(cursor)
  const whens = []
  while (cursor.eat('WHEN')) {
    const when = condition(cursor)
    cursor.expect('THEN')
    // oxlint-disable-next-line unicorn/no-thenable -- THEN of SQL; nobody awaits an expression
    whens.push({ when, then: expression(cursor) })
  }
  const otherwise = cursor.eat('ELSE') ? expression(cursor) : undefined
  cursor.expect('END')
  if (whens.length === 0) throw new Unread('syntax')
  return { kind: 'case', subject, whens, otherwise }
}

function cast(cursor: Cursor): Expr {
  cursor.next()
  cursor.expectSign('(')
  if (cursor.is('MULTISET')) cursor.next()
  const of = expression(cursor)
  if (cursor.eat('AT', 'TIME', 'ZONE')) keep(cursor, [operand(cursor)])
  cursor.expect('AS')
  const type = cursor.peek().text.toLowerCase()
  const beside = loose(cursor, ')').filter((part) => part.kind === 'query')
  const made: Expr = { kind: 'cast', of, type }
  return beside.length === 0 ? made : other(made, ...beside)
}

/** SQL Server: `CONVERT(type, value, style)`. MySQL: `CONVERT(value, type)`, `CONVERT(value USING set)`. */
function converted(cursor: Cursor): Expr {
  cursor.next()
  cursor.expectSign('(')
  if (cursor.dialect === 'sqlserver') {
    const type = path(cursor).join('.')
    if (cursor.eatSign('(')) keep(cursor, loose(cursor, ')'))
    cursor.expectSign(',')
    const [of, ...more] = cursor.list(() => expression(cursor))
    cursor.expectSign(')')
    if (of === undefined) throw new Unread('syntax')
    const made: Expr = { kind: 'cast', of, type }
    return more.every((part) => part.kind === 'literal') ? made : other(made, ...more)
  }
  const of = expression(cursor)
  const type = cursor.peek(1).text.toLowerCase()
  if (!cursor.eatSign(',') && !cursor.eat('USING')) {
    cursor.expectSign(')')
    return other(of)
  }
  const beside = loose(cursor, ')').filter((part) => part.kind === 'query' || part.kind === 'call')
  return beside.length === 0 ? { kind: 'cast', of, type } : other(of, ...beside)
}

/** `INTERVAL 1 DAY`, `INTERVAL '1' DAY TO SECOND`, and the function `INTERVAL(a, b, c)`. */
function interval(cursor: Cursor): Expr {
  if (cursor.isSign('(', 1)) {
    const asCall = cursor.attempt(() => {
      cursor.next()
      const values = cursor.inParens(() => cursor.list(() => expression(cursor)))
      if (cursor.isAny(units)) throw new Unread('syntax')
      return callOf('', 'interval', values)
    })
    if (asCall !== undefined) return asCall
  }
  cursor.next()
  const amount = expression(cursor, 10)
  if (cursor.isAny(units)) {
    cursor.next()
    if (cursor.isSign('(')) keep(cursor, part(cursor))
    if (cursor.eat('TO')) {
      cursor.next()
      if (cursor.isSign('(')) keep(cursor, part(cursor))
    }
  }
  return other(amount)
}

function against(cursor: Cursor): Expr {
  cursor.next()
  const columns = args(cursor)
  cursor.expect('AGAINST')
  cursor.expectSign('(')
  return callOf('', 'match', [...columns, ...loose(cursor, ')')])
}

/** `a`, `a.b`, `a.b.c`; each part a name. A star ends it. */
export function path(cursor: Cursor): string[] {
  const parts = [cursor.name()]
  while (cursor.isSign('.') && !cursor.isSign('*', 1)) {
    cursor.next()
    // SQL Server: `db..table` leaves the schema out.
    if (cursor.isSign('.')) parts.push('')
    else parts.push(afterDot(cursor))
  }
  return parts
}

/** Behind a dot most words are free, but none that would start a statement by itself. */
function afterDot(cursor: Cursor): string {
  const token = cursor.peek()
  if (token.kind === 'word' && cursor.dialect !== 'sqlserver') return cursor.next().name
  return cursor.name()
}

const packages = /^(?:utl_|dbms_|owa_|apex_|ctx_|ctxsys|ordsys)/

function named(cursor: Cursor): Expr {
  const word = cursor.peek()
  const isFunction =
    word.kind === 'word' && reservedFunctions.has(word.text) && cursor.isSign('(', 1)
  const parts = isFunction ? [cursor.next().name] : path(cursor)
  const name = parts.at(-1) ?? ''
  const qualifier = parts.slice(0, -1)
  if (cursor.isSign('.') && cursor.isSign('*', 1)) {
    cursor.next()
    cursor.next()
    return { kind: 'star', qualifier: parts }
  }
  const remote = cursor.dialect === 'oracle' && cursor.eatSign('@')
  if (remote) {
    path(cursor)
    cursor.notes.opaque = true
  }
  if (cursor.isSign('(') && !(cursor.isSign('+', 1) && cursor.isSign(')', 2))) {
    return called(cursor, qualifier.join('.'), name)
  }
  // Oracle calls a function without arguments without brackets.
  if (cursor.dialect === 'oracle' && packages.test(qualifier.at(-1) ?? '')) {
    return callOf(qualifier.join('.'), name, [])
  }
  if (['nextval', 'currval'].includes(name) && qualifier.length > 0 && word.kind === 'word') {
    if (name === 'nextval') cursor.notes.writes = true
    return callOf(qualifier.join('.'), name, [])
  }
  if (remote) return callOf(qualifier.join('.'), name, [])
  if (parts.length === 1 && pseudoColumns.has(word.text) && word.kind === 'word') {
    if (cursor.dialect === 'oracle') return callOf('', name, [])
  }
  return { kind: 'column', qualifier, name }
}

function called(cursor: Cursor, schema: string, name: string): Expr {
  const given = args(cursor, name)
  // A document that is put together here may name others, which Oracle then fetches.
  const isDocument = /^(?:xmltype|createxml|xmlparse|xmlquery)$/.test(name)
  if (isDocument && cursor.dialect === 'oracle' && given.some((one) => one.kind !== 'column')) {
    cursor.notes.opaque = true
  }
  const beside: Expr[] = []
  for (;;) {
    if (cursor.is('IGNORE', 'NULLS') || cursor.is('RESPECT', 'NULLS')) {
      cursor.next()
      cursor.next()
    } else if (cursor.eat('FROM', 'FIRST') || cursor.eat('FROM', 'LAST')) continue
    else if (cursor.is('WITHIN', 'GROUP')) {
      cursor.next()
      cursor.next()
      cursor.expectSign('(')
      beside.push(...loose(cursor, ')'))
    } else if (
      ['FILTER', 'OVER', 'KEEP'].some((word) => cursor.is(word) && cursor.isSign('(', 1))
    ) {
      cursor.next()
      cursor.next()
      beside.push(...loose(cursor, ')'))
    } else if (cursor.is('OVER') && cursor.isName(1)) {
      cursor.next()
      cursor.next()
    } else return { kind: 'call', schema, name, args: given, beside }
  }
}

/** The arguments of a call with their brackets. */
export function args(cursor: Cursor, name = ''): Expr[] {
  const strict = cursor.attempt(() =>
    cursor.inParens(() => {
      if (cursor.isSign(')')) return []
      if (!cursor.eat('DISTINCT') && !cursor.eat('ALL')) cursor.eat('UNIQUE')
      if (unitFirst.has(name.toUpperCase()) && cursor.isAny(units)) cursor.next()
      return cursor.list(() => argument(cursor))
    }),
  )
  if (strict !== undefined) return strict
  cursor.expectSign('(')
  return [other(...loose(cursor, ')'))]
}

function argument(cursor: Cursor): Expr {
  if (cursor.isName() && cursor.isSign('=>', 1)) {
    cursor.next()
    cursor.next()
  }
  // `EXISTS (…)`-like: Oracle and SQLite take a bare query as the only argument.
  if (cursor.is('SELECT') || cursor.is('WITH')) return scalar(query(cursor))
  const value = expression(cursor)
  if (cursor.eat('IGNORE', 'NULLS')) return value
  // `EXTRACT(YEAR FROM d)` after its unit; `SUBSTRING(a FROM 1 FOR 2)` is read loosely.
  return value
}
