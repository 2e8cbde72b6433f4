/**
 * The query language: words, "phrases" and fields, joined by AND (or nothing), OR, NOT (or `-`) and
 * parentheses. AND binds closer than OR.
 *
 *     query  or
 *     or     and { OR and }
 *     and    not { [AND] not }
 *     not    { NOT | - } ( text | field | "(" or ")" )
 */
import { badQuery } from './bad-query.ts'
import { holdsCard } from './cards.ts'
import { isCompareField, isTimeField, isWordField } from './fields.ts'
import { lexQuery } from './lexer.ts'
import { durationUs, sizeBytes, timeSpan, wholeNumber } from './values.ts'
import type { CompareField, TimeField, WordField } from './fields.ts'
import type { Token, Value } from './lexer.ts'
import type { Order, Pattern, Query } from './query.ts'

/** Bounds of a query: length in UTF-16 units, terms and values together, parentheses and negations. */
export const queryLengthMax = 2000
export const termsMax = 64
export const depthMax = 16
/** Stars in one value: each may be tried against every name that is known. */
const starsMax = 4

type FieldToken = Extract<Token, { kind: 'field' }>
type TextToken = Extract<Token, { kind: 'text' }>

/**
 * @param text what a person typed; nothing or blanks mean everything.
 * @param nowUs for times such as `-7d`, in microseconds since 1970.
 * @throws {Fault} `bad_params` with `facts.reason` `query_bad` and `facts.position`, or
 *   `query_card` when a full card number was typed. No message repeats what was typed.
 */
export function parseQuery(text: string, nowUs: number): Query {
  if (text.length > queryLengthMax) {
    throw badQuery(queryLengthMax, `a query has at most ${queryLengthMax} characters.`)
  }
  if (holdsCard(text)) throw cardTyped()
  const odd = /(?!\s)\p{Cc}|\p{Cs}/u.exec(text)
  if (odd) throw badQuery(odd.index, 'control characters and half characters cannot be searched.')
  const parser = new Parser(lexQuery(text), nowUs)
  return parser.query()
}

function cardTyped(): Error {
  const fault = badQuery(
    0,
    'it holds a full card number. The record holds none, so nothing would be found; search for ' +
      'its last four digits instead. What you typed was not kept.',
  )
  return Object.assign(fault, { facts: { reason: 'query_card' } })
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #nowUs: number
  #next = 0
  #terms = 0
  #depth = 0

  constructor(tokens: readonly Token[], nowUs: number) {
    this.#tokens = tokens
    this.#nowUs = nowUs
  }

  query(): Query {
    if (this.#peek().kind === 'end') return { kind: 'all' }
    const query = this.#or()
    const { at, kind } = this.#peek()
    if (kind === ')') throw badQuery(at, 'this parenthesis was not opened.')
    return query
  }

  #or(): Query {
    const parts = [this.#and()]
    while (this.#peek().kind === 'or') {
      this.#next++
      parts.push(this.#and())
    }
    return joined('or', parts)
  }

  #and(): Query {
    const parts = [this.#not()]
    for (;;) {
      const { kind } = this.#peek()
      if (kind === 'and') this.#next++
      else if (kind === 'or' || kind === ')' || kind === 'end') return joined('and', parts)
      parts.push(this.#not())
    }
  }

  #not(): Query {
    const token = this.#peek()
    if (token.kind !== 'not' && token.kind !== '(') return this.#term()
    this.#next++
    this.#depth++
    if (this.#depth > depthMax) throw badQuery(token.at, `more than ${depthMax} levels deep.`)
    const inner = token.kind === 'not' ? this.#not() : this.#group(token.at)
    this.#depth--
    if (token.kind === '(') return inner
    return inner.kind === 'not' ? inner.of : { kind: 'not', of: inner }
  }

  #group(at: number): Query {
    const inner = this.#or()
    if (this.#peek().kind !== ')') throw badQuery(at, 'this parenthesis is not closed.')
    this.#next++
    return inner
  }

  #term(): Query {
    const token = this.#peek()
    if (token.kind === 'text') {
      this.#next++
      this.#count(token.at, 1)
      return textOf(token)
    }
    if (token.kind === 'field') {
      this.#next++
      this.#count(token.at, token.values.length)
      return fieldOf(token, this.#nowUs)
    }
    throw badQuery(token.at, 'a word, a "phrase", a field such as tool:NAME or ( is expected here.')
  }

  #count(at: number, terms: number): void {
    this.#terms += terms
    if (this.#terms > termsMax) throw badQuery(at, `a query has at most ${termsMax} terms.`)
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', at: 0 }
  }
}

function joined(kind: 'and' | 'or', parts: readonly Query[]): Query {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.of : [part]))
  const [only] = flat
  return flat.length === 1 && only ? only : { kind, of: flat }
}

function textOf({ at, isQuoted, text }: TextToken): Query {
  const isPrefix = !isQuoted && /[^*]\*$/.test(text)
  const words = isPrefix ? text.slice(0, -1) : text
  // Stars in a row are how a masked number looks; one alone asks for something we cannot find.
  if (!isQuoted && /(^|[^*])\*(?!\*)./u.test(words)) {
    throw badQuery(at, 'a star stands only at the end of a word: sel*.')
  }
  if (!/[\p{L}\p{N}\p{Co}]/u.test(words)) {
    throw badQuery(at, 'nothing here can be searched: a letter or a digit is needed.')
  }
  if (isPrefix && !/[\p{L}\p{N}\p{Co}]$/u.test(words)) {
    throw badQuery(at, 'a letter or a digit is expected before the star.')
  }
  return { kind: 'text', text: words, isPrefix }
}

function fieldOf(token: FieldToken, nowUs: number): Query {
  const name = token.name.toLowerCase()
  if (isWordField(name)) return wordOf(name, token)
  if (isCompareField(name)) return compareOf(name, token)
  if (isTimeField(name)) return timeOf(name, token, nowUs)
  throw badQuery(
    token.at,
    'there is no field of this name. To search for it as text, put it in quotes.',
  )
}

function wordOf(field: WordField, { order, at, values }: FieldToken): Query {
  if (order !== ':' && order !== '=')
    throw badQuery(at, `${field} has no order: write ${field}:NAME.`)
  return { kind: 'word', field, any: values.map(patternOf) }
}

function patternOf({ at, isQuoted, text }: Value): Pattern {
  if (text === '') throw badQuery(at, 'a value is expected between the quotes.')
  if (isQuoted) return [text]
  const pieces = text.split(/\*+/)
  if (pieces.length > starsMax + 1) throw badQuery(at, `at most ${starsMax} stars in a value.`)
  return pieces
}

function compareOf(field: CompareField, token: FieldToken): Query {
  const { at, text } = onlyValue(token)
  const read = { duration: durationUs, bytes: sizeBytes, masked: wholeNumber }[field]
  const value = read(text)
  const example = { duration: '500ms', bytes: '10kb', masked: '0' }[field]
  if (value === undefined) throw badQuery(at, `${field} takes a figure such as ${example}.`)
  const order: Order = token.order === ':' ? '=' : token.order
  return { kind: 'compare', field, order, value }
}

function timeOf(field: TimeField, token: FieldToken, nowUs: number): Query {
  const { at, text } = onlyValue(token)
  if (token.order !== ':') throw badQuery(token.at, `write ${field}:2026-11-21.`)
  const span = timeSpan(text, nowUs)
  if (!span)
    throw badQuery(at, `${field} takes a time such as 2026-11-21, 2026-11-21T10:00 or -7d.`)
  return field === 'from' ? { kind: 'from', us: span.startUs } : { kind: 'until', us: span.endUs }
}

function onlyValue({ name, values }: FieldToken): Value {
  const [first, second] = values
  if (second) throw badQuery(second.at, `${name.toLowerCase()} takes one value.`)
  return first ?? { at: 0, text: '', isQuoted: false }
}
