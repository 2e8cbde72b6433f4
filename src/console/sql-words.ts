/** Facts of a call in words, for the person who has to judge it. No literal of a statement in them. */
import type { Finding, SqlFact } from '../inspect/facts.ts'

/** What each thing is for, in one word of the way it is said. */
const wheres: Readonly<Record<SqlFact['where'], string>> = {
  none: 'no condition: every row',
  constant: 'a condition that is always true: every row',
  filter: 'a condition: some rows',
  key: 'rows named one by one',
}

const problems: Readonly<Record<string, string>> = {
  syntax: 'its grammar is none we know',
  nul: 'it holds a NUL character',
  versioned_comment: 'a comment in it is code to some servers',
  too_large: 'it is too large to be read',
  too_slow: 'reading it took too long',
  too_deep: 'it is nested too deeply',
  disagreement: 'two parsers read it differently',
  empty: 'there is no statement in it',
  unknown_statement: 'it is no kind of statement we know',
  unknown_dialect: 'its dialect is not known',
}

const most = 12

function listed(names: readonly string[]): string {
  const more = names.length - most
  const shown = names.slice(0, most).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

/** One line for what matters most of a statement: `DELETE on cards: every row`. */
export function factTitle(fact: SqlFact): string {
  if (!fact.parsed) return `A statement that could not be read (${fact.dialect})`
  const tables = fact.tables_written.length > 0 ? fact.tables_written : fact.tables_read
  return tables.length === 0 ? fact.verb : `${fact.verb} on ${listed(tables)}`
}

/** What is said of a statement, the dangerous first. Each is a sentence of its own. */
export function factWords(fact: SqlFact): readonly string[] {
  const said: string[] = []
  const add = (isSo: boolean, words: string): void => void (isSo && said.push(words))
  if (!fact.parsed) {
    const why = problems[fact.problem] ?? 'it could not be read'
    said.push(`It could not be read (${why}), so it counts as able to do anything.`)
  }
  add(fact.writes_cardholder_data, 'It changes cardholder data.')
  add(fact.returns_cardholder_data, 'It returns cardholder data.')
  const isOnlyNamed = !fact.writes_cardholder_data && !fact.returns_cardholder_data
  add(fact.touches_cardholder_data && isOnlyNamed, 'It touches cardholder data.')
  add(fact.exports, 'It copies data elsewhere.')
  add(fact.uses_files, 'It reads or writes files or programs of the server.')
  add(fact.is_ddl, 'It changes definitions: tables, views, indexes.')
  add(fact.is_dcl, 'It changes who has which rights.')
  add(fact.is_dynamic, 'It runs text or a procedure which is not to be seen here.')
  add(fact.changes_session, 'It changes settings of the session.')
  const { dangerous_functions: dangerous } = fact
  add(dangerous.length > 0, `It calls ${listed(dangerous)}, which reach beyond the data.`)
  add(fact.locks, 'It locks rows or tables.')
  add(fact.is_transaction, 'It begins or ends a transaction.')
  add(fact.statements > 1, `It is statement ${fact.ordinal + 1} of ${fact.statements} in one text.`)
  add(fact.has_comments, 'It holds comments.')
  return said
}

/** What it is about, by name: pairs of a word and what stands there. */
export function factDetails(fact: SqlFact): readonly (readonly [string, string])[] {
  if (!fact.parsed) return [['Dialect', fact.dialect]]
  const rows = fact.limit < 0 ? 'no limit' : String(fact.limit)
  const hasRows = fact.tables_read.length + fact.tables_written.length > 0
  const pairs: (readonly [string, string])[] = [
    ['Verbs', listed(fact.verbs)],
    ['Tables written', listed(fact.tables_written)],
    ['Columns written', listed(fact.columns_written)],
    ['Tables read', listed(fact.tables_read)],
    ['Columns read', listed(fact.columns_read)],
    ['Which rows', hasRows ? wheres[fact.where] : ''],
    ['At most', hasRows && fact.tables_written.length === 0 ? rows : ''],
    ['Functions', listed(fact.functions)],
    ['Dialect', fact.dialect],
  ]
  return pairs.filter(([, value]) => value !== '')
}

const families: Readonly<Record<Finding['family'], string>> = {
  sql_injection: 'SQL injection',
  shell: 'a command of a shell',
  path_traversal: 'a path that leaves its folder',
  template: 'code of a template',
  ssrf: 'an address inside the network',
  nosql: 'an operator of a query',
  protocol: 'abuse of the protocol',
  hidden_text: 'text that nobody sees',
  instructions: 'instructions to a model',
  exfiltration: 'a link that carries data away',
  card: 'a card number on its way to the server',
}

/** `SQL injection, high confidence (stacked), at /params/arguments/sql`. */
export function findingWords({ at, confidence, family, what }: Finding): string {
  const sure = confidence === 'certain' ? 'certain' : `${confidence} confidence`
  return `${families[family]}, ${sure} (${what.replaceAll('_', ' ')}), at ${at}`
}
