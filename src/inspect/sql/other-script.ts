/**
 * Scripts of SQL Server: variables, IF, WHILE, BEGIN … END, TRY, procedures, which need no semicolons.
 */
import type { Expr, Query, Statement } from './statement.ts'
import { sweep } from './other-commands.ts'
import type { Cursor } from './other-cursor.ts'
import { aside, part } from './other-loose.ts'
import { callOf, path } from './other-operands.ts'
import { condition, expression } from './other-operators.ts'
import { query, selectOf } from './other-query.ts'
import { type Reading, ended, statement } from './other-statement.ts'
import { Unread } from './other-tokens.ts'

type Read = Omit<Statement, 'comments'>

/** Settings that only change how answers look, or how long something may wait. */
const quietSettings = new Set([
  'NOCOUNT', 'ANSI_NULLS', 'ANSI_WARNINGS', 'ANSI_PADDING', 'ANSI_NULL_DFLT_ON', 'ANSI_DEFAULTS', 'ARITHABORT',
  'ARITHIGNORE', 'XACT_ABORT', 'DATEFIRST', 'DATEFORMAT', 'LANGUAGE', 'LOCK_TIMEOUT', 'ROWCOUNT', 'TRANSACTION',
  'STATISTICS', 'QUOTED_IDENTIFIER', 'CONCAT_NULL_YIELDS_NULL', 'NUMERIC_ROUNDABORT', 'DEADLOCK_PRIORITY',
  'TEXTSIZE', 'FMTONLY', 'NOEXEC', 'PARSEONLY', 'SHOWPLAN_XML', 'SHOWPLAN_TEXT', 'SHOWPLAN_ALL',
  'QUERY_GOVERNOR_COST_LIMIT', 'IMPLICIT_TRANSACTIONS',
]) // prettier-ignore

/** Procedures of the server that only tell about its objects. */
const quietProcedures = new Set([
  'sp_help', 'sp_helptext', 'sp_helpindex', 'sp_helpconstraint', 'sp_helpdb', 'sp_columns', 'sp_tables',
  'sp_databases', 'sp_pkeys', 'sp_fkeys', 'sp_statistics', 'sp_who', 'sp_who2', 'sp_server_info', 'sp_depends',
  'sp_stored_procedures', 'sp_sproc_columns', 'sp_special_columns', 'sp_table_privileges', 'sp_datatype_info',
]) // prettier-ignore

/** What goes into a variable, or is printed, counts as given back: nobody follows it from there. */
function shown(values: readonly Expr[]): Query {
  return selectOf({ outputs: values.map((expr) => ({ expr, alias: '' })) })
}

const declare: Reading = (cursor) => {
  cursor.next()
  if (cursor.peek().kind !== 'parameter') return cursorOf(cursor)
  const expressions = cursor.list((): Expr[] => {
    if (cursor.next().kind !== 'parameter') throw new Unread('syntax')
    cursor.eat('AS')
    if (cursor.eat('TABLE')) return part(cursor)
    path(cursor)
    if (cursor.isSign('(')) aside(cursor)
    if (cursor.eat('NOT')) cursor.expect('NULL')
    return cursor.eatSign('=') ? [expression(cursor)] : []
  })
  return { verb: 'DECLARE', body: shown(expressions.flat()) }
}

/** DECLARE c CURSOR … FOR SELECT …: its rows come with FETCH, so they count as read here. */
function cursorOf(cursor: Cursor): Read {
  cursor.name()
  while (!cursor.eat('FOR')) {
    if (cursor.next().kind !== 'word') throw new Unread('syntax')
  }
  const body = query(cursor)
  if (cursor.eat('FOR', 'UPDATE') && cursor.eat('OF')) cursor.list(() => path(cursor))
  return { verb: 'DECLARE', body }
}

const set: Reading = (cursor) => {
  cursor.next()
  if (cursor.peek().kind === 'parameter') {
    const value = expression(cursor, 7)
    const sign = cursor.next()
    const method = value.kind === 'call' && cursor.at > 0
    if (method && sign.kind !== 'sign') throw new Unread('syntax')
    if (!/^[+\-*/%&|^]?=$/.test(sign.text)) throw new Unread('syntax')
    if (cursor.is('CURSOR')) throw new Unread('unknown_statement')
    return { verb: 'SET', body: shown([value, expression(cursor)]) }
  }
  const option = cursor.next()
  if (option.kind !== 'word') throw new Unread('syntax')
  const quiet = quietSettings.has(option.text)
  while (cursor.isSign(',')) {
    cursor.next()
    cursor.next()
  }
  while (!ended(cursor)) {
    const token = cursor.next()
    const known =
      token.kind !== 'sign' || token.text === ',' || token.text === '-' || token.text === '.'
    if (!known) throw new Unread('syntax')
  }
  return { verb: 'SET', effects: quiet ? {} : { session: true } }
}

const print: Reading = (cursor) => {
  const verb = cursor.next().text
  return { verb, body: shown([expression(cursor)]) }
}

const loop: Reading = (cursor) => {
  const verb = cursor.next().text
  const when = condition(cursor)
  const nested = [statement(cursor, false)]
  if (verb === 'IF') {
    const at = cursor.isSign(';') && cursor.peek(1).text === 'ELSE'
    if (at) cursor.next()
    if (cursor.eat('ELSE')) nested.push(statement(cursor, false))
  }
  return { verb, expressions: [when], nested }
}

const begin: Reading = (cursor) => {
  cursor.next()
  const atomic = cursor.is('TRAN') || cursor.is('TRANSACTION') || cursor.is('DISTRIBUTED')
  if (atomic) {
    cursor.eat('DISTRIBUTED')
    cursor.next()
    if (cursor.isName()) cursor.name()
    else if (cursor.peek().kind === 'parameter') cursor.next()
    if (cursor.eat('WITH', 'MARK') && cursor.peek().kind === 'text') cursor.next()
    return { verb: 'BEGIN', effects: { transaction: true } }
  }
  if (cursor.is('DIALOG') || cursor.is('CONVERSATION')) throw new Unread('unknown_statement')
  const kind = cursor.eat('TRY') ? ['TRY'] : cursor.eat('CATCH') ? ['CATCH'] : []
  const nested: Statement[] = []
  while (!cursor.eat('END', ...kind)) {
    if (cursor.eatSign(';')) continue
    if (cursor.atEnd()) throw new Unread('syntax')
    nested.push(statement(cursor, false))
    if (!ended(cursor)) throw new Unread('syntax')
  }
  return { verb: 'BEGIN', nested }
}

/** BREAK, CONTINUE, RETURN: they end a part of the batch. */
const leave: Reading = (cursor) => {
  const verb = cursor.next().text
  const value = verb === 'RETURN' && !ended(cursor) ? [expression(cursor)] : []
  return { verb, expressions: value }
}

const go: Reading = (cursor) => {
  cursor.next()
  if (cursor.peek().kind === 'number') cursor.next()
  return { verb: 'GO' }
}

/** EXEC p, EXEC @r = p, EXEC('…'), EXEC sp_executesql …, and a batch that begins with a procedure. */
const exec: Reading = (cursor) => {
  if (!cursor.eat('EXEC')) cursor.eat('EXECUTE')
  const dynamic = { dynamic: true, writes: true }
  if (cursor.peek().kind === 'parameter' && cursor.isSign('=', 1)) {
    cursor.next()
    cursor.next()
  }
  const parts = cursor.attempt(() => path(cursor)) ?? []
  const name = parts.at(-1) ?? ''
  const called = callOf(parts.slice(0, -1).join('.'), name, [])
  const own = parts.length === 1 || parts.at(-2) === 'sys' || parts.at(-2) === 'dbo'
  if (quietProcedures.has(name) && own && parts.length < 4) {
    const read = cursor.attempt(() => procedureArguments(cursor))
    if (read !== undefined) return { verb: 'EXECUTE', expressions: read }
  }
  const expressions = name === '' ? sweep(cursor) : [called, ...sweep(cursor)]
  return { verb: 'EXECUTE', expressions, effects: dynamic }
}

/** Literals, variables and bare words only. */
function procedureArguments(cursor: Cursor): Expr[] {
  if (ended(cursor)) return []
  const values = cursor.list((): Expr => {
    if (cursor.peek().kind === 'parameter' && cursor.isSign('=', 1)) {
      cursor.next()
      cursor.next()
    }
    const token = cursor.peek()
    if (token.kind === 'sign' || token.kind === 'end') throw new Unread('syntax')
    if (token.kind === 'word' && token.text !== 'NULL') path(cursor)
    else cursor.next()
    return { kind: 'literal', value: token.text }
  })
  if (!ended(cursor)) throw new Unread('syntax')
  return values
}

export const scripts: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ['DECLARE', declare],
  ['SET', set],
  ['PRINT', print],
  ['IF', loop],
  ['WHILE', loop],
  ['BEGIN', begin],
  ['BREAK', leave],
  ['CONTINUE', leave],
  ['RETURN', leave],
  ['GO', go],
  ['EXEC', exec],
  ['EXECUTE', exec],
])
