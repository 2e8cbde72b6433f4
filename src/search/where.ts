/**
 * A query as SQL for one month. What was typed is only ever a bound value: the SQL is made of our
 * own words, and the full-text expression of quoted strings.
 */
import { exchangeKey } from './exchange-key.ts'
import { sqlPattern } from './dictionary.ts'
import { daysPerMonthMax, idOf, idsPerDay } from './month-time.ts'
import type { Dictionary } from './dictionary.ts'
import type { CompareField, WordField } from './fields.ts'
import type { Pattern, Query } from './query.ts'

type Bound = string | number | Uint8Array

/** A condition over `item AS i`, and what is bound in it, in order. */
export interface Condition {
  readonly sql: string
  readonly bound: readonly Bound[]
}

/** A query in its parts. */
export interface Where {
  /** What `says` must match, or undefined where the texts do not lead. */
  readonly match: string | undefined
  /** What else must hold, what is quickly asked first. */
  readonly rest: readonly Condition[]
  /** Whether the rest asks other tables: it is costly to begin anew for each day. */
  readonly isNested: boolean
  /** All ids lie in [first, end): rows are numbered by time. */
  readonly first: number
  readonly end: number
}

/** What a month knows of the names in the query. */
export interface Month {
  readonly name: string
  readonly dictionary: Dictionary
  /** Whether fewer items than a few thousand name one of these words. */
  isRare(words: readonly number[]): boolean
}

const nothing: Condition = { sql: '0', bound: [] }
/** More numbers than this are handed over as one JSON text. */
const inlineMax = 50

/** The query's parts for one month. */
export function whereOf(query: Query, month: Month): Where {
  const parts = query.kind === 'and' ? query.of : [query]
  const told = parts.filter((part) => isText(part))
  const denied = parts.flatMap((part) => (part.kind === 'not' && isText(part.of) ? [part.of] : []))
  const leads = told.length > 0
  const others = parts.filter((part) => {
    const isTime = part.kind === 'from' || part.kind === 'until'
    return !isTime && !isText(part) && !(leads && part.kind === 'not' && isText(part.of))
  })
  const rest = others.map((part) => conditionOf(part, month)).filter(({ sql }) => sql !== '1')
  const times = parts.flatMap((part) => {
    return part.kind === 'from' || part.kind === 'until' ? [part] : []
  })
  const ids = (kind: 'from' | 'until'): number[] => {
    return times.flatMap((part) => (part.kind === kind ? [idOf(month.name, part.us)] : []))
  }
  return {
    match: leads
      ? [all(told), ...denied.map((part) => `(${matchOf(part)})`)].join(' NOT ')
      : undefined,
    rest: rest.toSorted((a, b) => Number(isNested(a)) - Number(isNested(b))),
    isNested: rest.some(isNested),
    first: Math.max(0, ...ids('from')),
    end: Math.min(daysPerMonthMax * idsPerDay, ...ids('until')),
  }
}

function isNested({ sql }: Condition): boolean {
  return sql.includes('SELECT')
}

function all(parts: readonly Query[]): string {
  return `(${parts.map((part) => `(${matchOf(part)})`).join(' AND ')})`
}

/** Whether a query is of texts alone, without negation: then the full-text index takes it whole. */
function isText(query: Query): boolean {
  if (query.kind === 'text') return true
  return (query.kind === 'and' || query.kind === 'or') && query.of.every(isText)
}

/** An expression of FTS5. In its strings only a quote means something, and it is doubled. */
function matchOf(query: Query): string {
  if (query.kind === 'text') {
    return `"${query.text.replaceAll('"', '""')}"${query.isPrefix ? ' *' : ''}`
  }
  if (query.kind !== 'and' && query.kind !== 'or') return '""'
  const sign = query.kind === 'and' ? ' AND ' : ' OR '
  return query.of.map((part) => `(${matchOf(part)})`).join(sign)
}

function conditionOf(query: Query, month: Month): Condition {
  switch (query.kind) {
    case 'all':
      return { sql: '1', bound: [] }
    case 'and':
    case 'or':
      return group(query, month)
    case 'not':
      return negated(conditionOf(query.of, month))
    case 'text':
      return { sql: 'i.id IN (SELECT rowid FROM says WHERE says MATCH ?)', bound: [matchOf(query)] }
    case 'word':
      return wordCondition(query.field, query.any, month)
    case 'compare':
      return { sql: `i.${columns[query.field]} ${query.order} ?`, bound: [query.value] }
    case 'from':
      return { sql: 'i.id >= ?', bound: [idOf(month.name, query.us)] }
    case 'until':
      return { sql: 'i.id < ?', bound: [idOf(month.name, query.us)] }
    case 'card':
      return {
        sql: 'i.id IN (SELECT c.item FROM card AS c WHERE c.token = ?)',
        bound: [query.token],
      }
    default:
      return query satisfies never
  }
}

const columns: Readonly<Record<CompareField, string>> = {
  duration: 'duration',
  bytes: 'bytes',
  masked: 'masked',
}

/** Texts of a group are asked for at once. */
function group(query: Extract<Query, { kind: 'and' | 'or' }>, month: Month): Condition {
  if (isText(query)) {
    return { sql: 'i.id IN (SELECT rowid FROM says WHERE says MATCH ?)', bound: [matchOf(query)] }
  }
  const parts = query.of.map((part) => conditionOf(part, month))
  const sql = parts.map((part) => `(${part.sql})`).join(query.kind === 'and' ? ' AND ' : ' OR ')
  return { sql, bound: parts.flatMap(({ bound }) => bound) }
}

/** What is unknown of an item does not hold of it, and so its negation does. */
function negated({ bound, sql }: Condition): Condition {
  return { sql: `(${sql}) IS NOT TRUE`, bound }
}

function wordCondition(field: WordField, any: readonly Pattern[], month: Month): Condition {
  const { dictionary } = month
  const isSet = any.some((pattern) => pattern.length > 1 && pattern.every((piece) => piece === ''))
  switch (field) {
    case 'principal':
      return either(
        isSet ? given('principal') : among('i.principal', dictionary.findWho(any)),
        namedCondition(dictionary.find('person', any), month),
      )
    case 'of':
      return namedCondition(dictionary.find('of', any), month)
    case 'type': {
      const bits = dictionary.findTypes(any)
      return bits === 0 ? nothing : { sql: 'i.types & ? <> 0', bound: [bits] }
    }
    case 'table':
    case 'column':
      return namedCondition(dictionary.find(field, any), month)
    case 'exchange':
      return exchangeCondition(any)
    case 'ip': {
      if (isSet) return given('ip')
      const numbers = dictionary.find('ip', any)
      return either(among('i.ip', numbers), among('i.forwarded', numbers))
    }
    case 'client': {
      const own = isSet ? given('client') : among('i.client', dictionary.find('client', any))
      const opened = own.sql.replaceAll('i.', 'o.')
      const sql = `i.session IN (SELECT o.session FROM item AS o WHERE ${opened})`
      return own === nothing ? nothing : either(own, { sql, bound: own.bound })
    }
    case 'connection':
    case 'method':
    case 'outcome':
    case 'reason':
    case 'rule':
    case 'session':
    case 'ticket':
    case 'tool':
    case 'writer':
      return isSet ? given(field) : among(`i.${field}`, dictionary.find(field, any))
    default:
      return field satisfies never
  }
}

function given(column: string): Condition {
  return { sql: `i.${column} IS NOT NULL`, bound: [] }
}

function either(a: Condition, b: Condition): Condition {
  if (b === nothing) return a
  if (a === nothing) return b
  return { sql: `(${a.sql} OR ${b.sql})`, bound: [...a.bound, ...b.bound] }
}

function among(column: string, numbers: readonly number[]): Condition {
  if (numbers.length === 0) return nothing
  if (numbers.length === 1) return { sql: `${column} = ?`, bound: numbers }
  if (numbers.length > inlineMax) {
    const sql = `${column} IN (SELECT value FROM json_each(?))`
    return { sql, bound: [JSON.stringify(numbers)] }
  }
  return { sql: `${column} IN (${numbers.map(() => '?').join()})`, bound: numbers }
}

/** A few items are looked up, of many each is asked. */
function namedCondition(words: readonly number[], month: Month): Condition {
  if (words.length === 0) return nothing
  const { bound, sql } = among('n.word', words)
  const asked = month.isRare(words)
    ? `i.id IN (SELECT n.item FROM named AS n WHERE ${sql})`
    : `EXISTS (SELECT 1 FROM named AS n WHERE ${sql} AND n.item = i.id)`
  return { sql: asked, bound }
}

/** Ids are random letters, upper and lower case apart. */
function exchangeCondition(any: readonly Pattern[]): Condition {
  const tests = any.map((pattern): Condition => {
    const [id = '', ...more] = pattern
    if (more.length === 0) {
      return { sql: 'd.exchange_key = ? AND d.exchange = ?', bound: [exchangeKey(id), id] }
    }
    return { sql: 'lower(d.exchange) GLOB ?', bound: [sqlPattern(pattern).value] }
  })
  const sql = tests.map((test) => `(${test.sql})`).join(' OR ')
  return {
    sql: `i.id IN (SELECT d.id FROM detail AS d WHERE ${sql})`,
    bound: tests.flatMap(({ bound }) => bound),
  }
}
