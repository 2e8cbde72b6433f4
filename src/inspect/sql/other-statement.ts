/**
 * The statements of a text, one by one. What a statement's first word may be is a list; whatever is not
 * on it is a statement that nobody understands.
 */
import type { Effects, Query, Statement } from './statement.ts'
import { isChange } from './other-change.ts'
import { type Cursor, freshNotes } from './other-cursor.ts'
import { commands } from './other-commands.ts'
import { isQuery, query } from './other-query.ts'
import { scripts } from './other-script.ts'
import { Unread } from './other-tokens.ts'
import { startsStatement } from './other-words.ts'

const statementsMax = 500

/** Reads one kind of statement, its first word included. */
export type Reading = (cursor: Cursor) => Omit<Statement, 'comments'>

/** All statements up to the end of the text. */
export function statements(cursor: Cursor, comments: boolean): Statement[] {
  const found: Statement[] = []
  for (;;) {
    while (cursor.eatSign(';'));
    if (cursor.atEnd()) return found
    if (found.length === statementsMax) throw new Unread('too_large')
    found.push(statement(cursor, comments))
    if (!ended(cursor)) throw new Unread('syntax')
  }
}

/** SQL Server needs no semicolon: its next statement begins where the last one can go no further. */
export function ended(cursor: Cursor): boolean {
  if (cursor.atEnd() || cursor.isSign(';')) return true
  const token = cursor.peek()
  return cursor.dialect === 'sqlserver' && token.kind === 'word' && startsStatement(token.text)
}

export function statement(cursor: Cursor, comments: boolean): Statement {
  return cursor.deeper(() => {
    const outer = cursor.notes
    cursor.notes = freshNotes()
    const read = { comments, ...one(cursor) }
    const noted = withNotes(cursor, read)
    cursor.notes = outer
    return noted
  })
}

function one(cursor: Cursor): Omit<Statement, 'comments'> {
  if (isQuery(cursor) || isChange(cursor)) {
    const body = query(cursor)
    return { verb: verbOf(body), body }
  }
  const word = cursor.peek()
  const lists = cursor.dialect === 'sqlserver' ? [scripts, commands] : [commands]
  for (const list of lists) {
    const reading = word.kind === 'word' ? list.get(word.text) : undefined
    if (reading !== undefined) return reading(cursor)
  }
  const procedure =
    cursor.dialect === 'sqlserver' && cursor.isName() ? scripts.get('EXEC') : undefined
  if (procedure !== undefined) return procedure(cursor)
  throw new Unread(word.kind === 'word' ? 'unknown_statement' : 'syntax')
}

export function verbOf(body: Query): string {
  return body.kind === 'change' ? (body.verbs[0] ?? 'UNKNOWN') : 'SELECT'
}

/** Adds what the parts of the statement noticed on the way. */
function withNotes(cursor: Cursor, read: Statement): Statement {
  const { notes } = cursor
  const effects: Effects = {
    ...read.effects,
    ...(notes.locks && { locks: true }),
    ...(notes.files && { files: true }),
    ...(notes.exports && { exports: true }),
    ...(notes.writes && { writes: true }),
    ...(notes.session && { session: true }),
    ...(notes.dynamic && { dynamic: true }),
    ...(notes.opaque && { opaque: true }),
  }
  return {
    ...read,
    reads: [...(read.reads ?? []), ...notes.reads],
    expressions: [...(read.expressions ?? []), ...notes.expressions],
    effects,
  }
}
