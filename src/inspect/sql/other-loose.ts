/**
 * Reading what has a grammar of its own without that grammar: everything up to a closing sign, from which
 * every name, call and query is kept. A word that begins a statement cannot stand there.
 */
import type { Expr } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { callOf, scalar } from './other-operands.ts'
import { query } from './other-query.ts'
import { Unread } from './other-tokens.ts'
import { forbiddenInside, grammarOnly, queryStarts } from './other-words.ts'

const closes: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** Reads past the closing sign; what opened it has been read. */
export function loose(cursor: Cursor, close: string): Expr[] {
  return cursor.deeper(() => {
    const found: Expr[] = []
    if (close === ')' && cursor.isAny(queryStarts) && !cursor.isSign('(', 1)) {
      found.push(scalar(query(cursor)))
    }
    while (!cursor.isSign(close)) {
      if (cursor.atEnd() || cursor.isSign(';')) throw new Unread('syntax')
      found.push(...part(cursor))
    }
    cursor.next()
    return found
  })
}

/** One token, or a bracket, or a name with its dots and brackets. */
export function part(cursor: Cursor): Expr[] {
  const token = cursor.peek()
  const close = token.kind === 'sign' ? closes[token.text] : undefined
  if (close !== undefined) {
    cursor.next()
    return loose(cursor, close)
  }
  if (token.kind === 'sign' && [')', ']', '}'].includes(token.text)) throw new Unread('syntax')
  if (token.kind === 'double') {
    cursor.next()
    return [{ kind: 'column', qualifier: [], name: token.name }]
  }
  if (token.kind !== 'word' && token.kind !== 'name') {
    cursor.next()
    const star = token.kind === 'sign' && token.text === '*' && cursor.isSign(',')
    return star ? [{ kind: 'star', qualifier: [] }] : []
  }
  const opens = cursor.isSign('(', 1)
  if (token.kind === 'word' && forbiddenInside.has(token.text) && !opens) throw new Unread('syntax')
  const bare = token.kind === 'word' && grammarOnly.has(token.text) && !cursor.isSign('.', 1)
  cursor.next()
  if (bare && !(opens && looksLikeCall(token.text))) return []
  return nameFrom(cursor, [token.name])
}

/** These have brackets in the grammar without being functions. */
function looksLikeCall(word: string): boolean {
  return word === 'LEFT' || word === 'RIGHT' || word === 'VALUE' || word === 'JSON'
}

function nameFrom(cursor: Cursor, parts: string[]): Expr[] {
  while (cursor.isSign('.')) {
    cursor.next()
    if (cursor.eatSign('*')) return [{ kind: 'star', qualifier: parts }]
    const token = cursor.next()
    if (token.name === '') throw new Unread('syntax')
    parts.push(token.name)
  }
  const name = parts.at(-1) ?? ''
  const qualifier = parts.slice(0, -1)
  if (!cursor.eatSign('(')) return [{ kind: 'column', qualifier, name }]
  return [callOf(qualifier.join('.'), name, loose(cursor, ')'))]
}

/** Reads one part that is no value of the query (a hint, a share of a sample); what is called in it
 *  still counts. */
export function aside(cursor: Cursor): void {
  keep(cursor, part(cursor))
}

export function keep(cursor: Cursor, parts: readonly Expr[]): void {
  cursor.notes.expressions.push(...parts.filter(({ kind }) => kind !== 'column' && kind !== 'star'))
}
