/** Facts in one line, for tables of statements in tests, and the connection they are tried with. */
import type { Dialect, SqlFact } from '../facts.ts'
import type { SqlSettings } from './seen.ts'

const cardColumns = new Set(['pan', 'card_number', 'cvv'])

/** A connection that knows its cardholder columns and tables, and the columns of one table. */
export function settingsFor(dialect: Dialect | undefined): SqlSettings {
  return {
    dialect,
    columns: (name) => cardColumns.has(name.slice(name.lastIndexOf('.') + 1)),
    tables: (name) => name === 'cards',
    schema: new Map([['customers', ['id', 'name', 'city', 'pan']]]),
    namesTables: true,
  }
}

const flags: readonly (readonly [keyof SqlFact, string])[] = [
  ['writes', 'writes'],
  ['is_ddl', 'ddl'],
  ['is_dcl', 'dcl'],
  ['exports', 'exports'],
  ['uses_files', 'files'],
  ['is_dynamic', 'dynamic'],
  ['changes_session', 'session'],
  ['is_transaction', 'transaction'],
  ['locks', 'locks'],
  ['where_less', 'whereless'],
  ['touches_cardholder_data', 'touches'],
  ['writes_cardholder_data', 'writes-cards'],
  ['returns_cardholder_data', 'returns-cards'],
]

/** `SELECT+DELETE <read >written (columns) where limit=5 !dangerous flags`. */
function told(fact: SqlFact): string {
  if (!fact.parsed) return `UNPARSED ${fact.problem}`
  const parts = [fact.verbs.join('+')]
  const list = (mark: string, names: readonly string[]) => {
    if (names.length) parts.push(mark + names.join(','))
  }
  list('<', fact.tables_read)
  list('>', fact.tables_written)
  list('.', fact.columns_read)
  list('=', fact.columns_written)
  if (fact.where !== 'none') parts.push(fact.where)
  if (fact.limit >= 0) parts.push(`limit=${fact.limit}`)
  list('!', fact.dangerous_functions)
  parts.push(...flags.flatMap(([key, word]) => (fact[key] === true ? [word] : [])))
  return parts.join(' ')
}

/** All statements of a text. */
export function toldAll(facts: readonly SqlFact[]): string {
  return facts.map(told).join('; ')
}
