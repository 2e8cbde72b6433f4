/**
 * A query cut into what it is made of.
 *
 *     (tool:exec* OR "from cards") -outcome:ok,"tool error" duration>500ms
 *     |    |      |       |        |    |
 *     (  field    OR     text     not  field with two values
 */
import { badQuery } from './bad-query.ts'
import type { Order } from './query.ts'

/** One value of a field. What is quoted stands for itself; else `*` stands for anything. */
export interface Value {
  readonly at: number
  readonly text: string
  readonly isQuoted: boolean
}

/** `at` is an offset into the query. A field's `order` is `:` where its value is just named. */
export type Token = { readonly at: number } & (
  | { readonly kind: '(' | ')' | 'and' | 'or' | 'not' | 'end' }
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  | {
      readonly kind: 'field'
      readonly name: string
      readonly order: Order | ':'
      readonly values: readonly Value[]
    }
)

const space = /\s*/y
const keyword = /(AND|OR|NOT)(?![^\s()"])/y
/** `duration:>500ms` is how some tools spell `duration>500ms`. */
const fieldStart = /([A-Za-z_]{1,32})(:(?:>=|<=|>|<)|>=|<=|:|>|<|=)/y
const quotedText = /"((?:[^"\\]|\\[^])*)"/y
const bareText = /[^\s()"]+/y
const bareValue = /[^\s(),"]+/y
const orders: ReadonlyMap<string, Order | ':'> = new Map<string, Order | ':'>([
  [':', ':'],
  ['=', '='],
  ['>', '>'],
  ['>=', '>='],
  ['<', '<'],
  ['<=', '<='],
])

/**
 * All tokens, an `end` last.
 * @throws {Fault} for a quote without its end, a field without a value, two things without a space.
 */
export function lexQuery(query: string): Token[] {
  const tokens: Token[] = []
  let at = 0 // Invariant: query[0, at) is in tokens.
  for (;;) {
    at += match(space, query, at)?.[0].length ?? 0
    const { token, end } = tokenAt(query, at)
    tokens.push(token)
    if (token.kind === 'end') return tokens
    at = end
  }
}

function tokenAt(query: string, at: number): { token: Token; end: number } {
  const sign = query[at]
  if (sign === undefined) return { token: { kind: 'end', at }, end: at }
  if (sign === '(' || sign === ')') return { token: { kind: sign, at }, end: at + 1 }
  if (sign === '-') return { token: { kind: 'not', at }, end: at + 1 }
  const word = match(keyword, query, at)?.[0]
  if (word === 'AND') return { token: { kind: 'and', at }, end: at + 3 }
  if (word === 'OR') return { token: { kind: 'or', at }, end: at + 2 }
  if (word === 'NOT') return { token: { kind: 'not', at }, end: at + 3 }
  if (sign === '"') {
    const { text, end } = quotedAt(query, at)
    mustEnd(query, end)
    return { token: { kind: 'text', at, text, isQuoted: true }, end }
  }
  const field = match(fieldStart, query, at)
  if (field) return fieldAt(query, at, field)
  const text = match(bareText, query, at)?.[0] ?? ''
  mustEnd(query, at + text.length)
  return { token: { kind: 'text', at, text, isQuoted: false }, end: at + text.length }
}

function fieldAt(
  query: string,
  at: number,
  [all, name = '', sign = '']: RegExpExecArray,
): { token: Token; end: number } {
  // `:>=` is `>=`.
  const order = orders.get(sign.length > 1 ? sign.replace(':', '') : sign)
  const values: Value[] = []
  let end = at + all.length
  for (;;) {
    const value = valueAt(query, end)
    values.push(value)
    end = value.end
    if (query[end] !== ',') break
    end++
  }
  mustEnd(query, end)
  return { token: { kind: 'field', at, name, order: order ?? ':', values }, end }
}

function valueAt(query: string, at: number): Value & { readonly end: number } {
  if (query[at] === '"') return { at, isQuoted: true, ...quotedAt(query, at) }
  const text = match(bareValue, query, at)?.[0]
  if (text === undefined) {
    throw badQuery(at, 'a value is expected right here, without a space before it.')
  }
  return { at, text, isQuoted: false, end: at + text.length }
}

function quotedAt(query: string, at: number): { text: string; end: number } {
  const found = match(quotedText, query, at)
  if (!found) throw badQuery(at, 'this quote has no end. Write \\" for a quote within quotes.')
  const [all, inner = ''] = found
  return { text: inner.replace(/\\([^])/g, '$1'), end: at + all.length }
}

function mustEnd(query: string, at: number): void {
  const next = query[at]
  if (next === undefined || /[\s()]/.test(next)) return
  throw badQuery(at, 'a space or the end is expected here.')
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
