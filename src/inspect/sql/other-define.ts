/**
 * Definitions: CREATE, ALTER, DROP, TRUNCATE and their like, with the tables they name, and the query that
 * a new table or view is made from.
 */
import type { Effects, TableName } from './statement.ts'
import { sweepAll } from './other-commands.ts'
import type { Cursor } from './other-cursor.ts'
import { tableName } from './other-from.ts'
import { part } from './other-loose.ts'
import { isQuery, query } from './other-query.ts'
import type { Reading } from './other-statement.ts'
import { forbiddenInside, startsStatement } from './other-words.ts'

/** Rights by another name. */
const accounts = new Set(['USER', 'ROLE', 'LOGIN', 'PROFILE', 'CREDENTIAL', 'CERTIFICATE', 'AUDIT'])
/** Code: it may hold any statements, and its semicolons end none of them. */
const code = new Set([
  'PROCEDURE',
  'PROC',
  'FUNCTION',
  'TRIGGER',
  'EVENT',
  'PACKAGE',
  'TYPE',
  'JAVA',
])
const tables = new Set(['TABLE', 'VIEW', 'INDEX', 'SYNONYM', 'SEQUENCE', 'SNAPSHOT', 'STATISTICS'])
const kinds = new Set([
  ...accounts,
  ...code,
  ...tables,
  'DATABASE',
  'SCHEMA',
  'SYSTEM',
  'SESSION',
  'LINK',
])

export const define: Reading = (cursor) => {
  const verb = cursor.next().text
  let kind = ''
  while (kind === '' && !cursor.atEnd() && !cursor.isSign(';')) {
    const { kind: of, text } = cursor.peek()
    if (of !== 'word') break
    if (kinds.has(text)) kind = text
    // `TRUNCATE cards`, `RENAME cards TO x` name no kind.
    else if (verb === 'TRUNCATE' || verb === 'RENAME') kind = 'TABLE'
    if (kind !== '' && text !== kind) break
    cursor.next()
  }
  const effects: Effects = {
    ddl: true,
    writes: true,
    dcl: accounts.has(kind),
    session: kind === 'SESSION' || kind === 'SYSTEM',
    dynamic: code.has(kind),
  }
  if (verb !== 'DROP' && code.has(kind)) return { verb, expressions: sweepAll(cursor), effects }
  const written = tables.has(kind) ? named(cursor, kind) : []
  const rest = body(cursor, verb, kind)
  return {
    verb,
    written,
    ...rest,
    effects: { ...effects, ...(rest.body !== undefined && rest.effects) },
  }
}

/** The tables named right behind the kind: one, or a list as DROP has it. */
function named(cursor: Cursor, kind: string): TableName[] {
  const optional = ['IF', 'NOT', 'EXISTS', 'ONLY', 'CONCURRENTLY']
  while (optional.some((word) => cursor.eat(word)));
  if (kind === 'INDEX') {
    while (!cursor.atEnd() && !cursor.isSign(';') && !cursor.is('ON') && !cursor.isSign('('))
      cursor.next()
    if (!cursor.eat('ON')) return []
  }
  return cursor.attempt(() => cursor.list(() => tableName(cursor))) ?? []
}

type Rest = Pick<ReturnType<Reading>, 'body' | 'expressions' | 'effects'>

/** The rest of the definition; of `AS SELECT` and `USING …` the query. */
function body(cursor: Cursor, verb: string, kind: string): Rest {
  const expressions = []
  let before = ''
  while (!cursor.atEnd() && !cursor.isSign(';')) {
    const isBody = cursor.isAny(new Set(['SELECT', 'WITH', 'TABLE', 'VALUES'])) && isQuery(cursor)
    if ((kind === 'TABLE' || kind === 'VIEW') && (isBody || (before === 'AS' && isQuery(cursor)))) {
      const found = cursor.attempt(() => query(cursor))
      if (found !== undefined) {
        const copies = kind === 'TABLE'
        return { body: found, expressions, effects: { silent: true, exports: copies } }
      }
    }
    if (boundary(cursor, verb, before)) break
    before = cursor.peek().text
    if (cursor.isAny(forbiddenInside) || cursor.isSign(')')) cursor.next()
    else expressions.push(...(cursor.attempt(() => part(cursor)) ?? skipped(cursor)))
  }
  return { expressions }
}

function skipped(cursor: Cursor): [] {
  cursor.next()
  return []
}

/** In SQL Server another statement may follow at once; ON DELETE and the like are part of this one. */
function boundary(cursor: Cursor, verb: string, before: string): boolean {
  if (cursor.dialect !== 'sqlserver' || cursor.peek().kind !== 'word') return false
  const inside = before === 'ON' || before === 'FOR' || before === 'AS' || before === ''
  const own =
    verb === 'ALTER' &&
    ['ALTER', 'DROP', 'SET', 'WITH', 'ENABLE', 'DISABLE'].includes(cursor.peek().text)
  return !inside && !own && startsStatement(cursor.peek().text) && !cursor.is('WITH')
}
