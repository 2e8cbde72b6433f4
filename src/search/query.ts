/** What a query means: the tree that the parser makes, and its spelling. */
import { isoMicros } from '../base/clock.ts'
import type { CompareField, WordField } from './fields.ts'

export type Order = '>' | '>=' | '<' | '<=' | '='

/**
 * What a word field must be, in literal pieces with anything between them: `exec*` is `['exec','']`,
 * `execute_sql` is `['execute_sql']`. Upper and lower case are the same.
 */
export type Pattern = readonly string[]

/** `all` is the empty query. `and` and `or` hold at least two, none of their own kind. */
export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Query[] }
  | { readonly kind: 'not'; readonly of: Query }
  /** Words that follow each other in a command or an output; the last may go on if `isPrefix`. */
  | { readonly kind: 'text'; readonly text: string; readonly isPrefix: boolean }
  /** Any of the patterns. */
  | { readonly kind: 'word'; readonly field: WordField; readonly any: readonly Pattern[] }
  /** Microseconds, bytes or a count. */
  | {
      readonly kind: 'compare'
      readonly field: CompareField
      readonly order: Order
      readonly value: number
    }
  /** At or after, and before, in microseconds since 1970. */
  | { readonly kind: 'from' | 'until'; readonly us: number }
  /** A card number in a message, by its token. No text spells it: see `withCard`. */
  | { readonly kind: 'card'; readonly token: Uint8Array }

/** What fits a query and has the card number of this token in one of its messages. */
export function withCard(query: Query, token: Uint8Array): Query {
  // A copy: what goes to another thread takes along all memory that it looks at.
  const card: Query = { kind: 'card', token: Uint8Array.from(token) }
  if (query.kind === 'all') return card
  return { kind: 'and', of: query.kind === 'and' ? [...query.of, card] : [query, card] }
}

/** The query in its plainest spelling; `parseQuery` of it gives an equal tree, and refuses the
 *  spelling of a card. */
export function printQuery(query: Query): string {
  switch (query.kind) {
    case 'all':
      return ''
    case 'and':
      return query.of.map((part) => operand(part, 'and')).join(' ')
    case 'or':
      return query.of.map((part) => operand(part, 'or')).join(' OR ')
    case 'not':
      return `-${operand(query.of, 'not')}`
    case 'text':
      return query.isPrefix ? `${query.text}*` : quoted(query.text)
    case 'word':
      return `${query.field}:${query.any.map(printPattern).join(',')}`
    case 'compare':
      return `${query.field}${query.order}${query.value}${query.field === 'duration' ? 'us' : ''}`
    case 'from':
      return `from:${isoMicros(query.us)}`
    case 'until':
      // `to:` names the last microsecond that is still meant.
      return `to:${isoMicros(query.us - 1)}`
    case 'card':
      return 'card:…' // There is no such field.
    default:
      return query satisfies never
  }
}

function operand(query: Query, within: 'and' | 'or' | 'not'): string {
  const isGroup = query.kind === 'and' || query.kind === 'or'
  const needsNone = !isGroup || (within === 'or' && query.kind === 'and')
  return needsNone ? printQuery(query) : `(${printQuery(query)})`
}

function printPattern(pattern: Pattern): string {
  return pattern.length === 1 ? quoted(pattern[0] ?? '') : pattern.join('*')
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
