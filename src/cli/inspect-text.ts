/** What was found in a message, in lines for people. */
import type { SqlFact } from '../inspect/facts.ts'
import type { Judged } from './inspect.ts'

/** The verdict, then a line for each finding and some for each statement. Never a value of the message. */
export function inspectText({ verdict, findings, sql }: Judged): string {
  const lines: string[] = [verdict]
  for (const { family, confidence, at, what } of findings) {
    lines.push(`  ${family} (${what}), ${confidence}${at === '' ? '' : `, at ${at}`}`)
  }
  if (findings.length === 0) lines.push('  Nothing was found.')
  for (const fact of sql) lines.push(...statementLines(fact))
  return `${lines.join('\n')}\n`
}

const marks: readonly (readonly [keyof SqlFact, string])[] = [
  ['where_less', 'no effective WHERE'],
  ['is_ddl', 'changes definitions'],
  ['is_dcl', 'changes rights'],
  ['exports', 'exports'],
  ['uses_files', 'uses files or programs of the server'],
  ['is_dynamic', 'runs text or procedures'],
  ['changes_session', 'changes the session'],
  ['locks', 'locks'],
  ['has_comments', 'has comments'],
  ['touches_cardholder_data', 'touches cardholder data'],
  ['writes_cardholder_data', 'writes cardholder data'],
  ['returns_cardholder_data', 'returns cardholder data'],
]

function statementLines(fact: SqlFact): string[] {
  const { at, dialect, ordinal, statements, verb } = fact
  const head = `statement ${ordinal + 1} of ${statements} at ${at} (${dialect}): ${verb}`
  if (!fact.parsed) return [`${head}, not understood: ${fact.problem}`]
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['reads', fact.tables_read],
    ['writes', fact.tables_written],
    ['columns read', fact.columns_read],
    ['columns written', fact.columns_written],
    ['dangerous functions', fact.dangerous_functions],
  ]
  const limit = fact.limit < 0 ? [] : [`  limit: ${fact.limit}`]
  const told = marks.filter(([mark]) => fact[mark] === true).map(([, words]) => words)
  return [
    head,
    ...lists.flatMap(([name, list]) =>
      list.length === 0 ? [] : [`  ${name}: ${list.join(', ')}`],
    ),
    `  where: ${fact.where}`,
    ...limit,
    ...(told.length === 0 ? [] : [`  ${told.join('; ')}`]),
  ]
}
