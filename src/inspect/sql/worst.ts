/** Several readings of one text as one: what any of them says may be true. */
import type { SqlFact, Where } from '../facts.ts'
import { unreadableFact } from './build.ts'

/**
 * @param readings the facts by each grammar, the likeliest first. One alone is given back.
 * @returns the worst of those which could read it; where they see different numbers of statements, and
 *   where one sees a comment that its server would run, nothing is known.
 */
export function worstOf(readings: readonly (readonly SqlFact[])[], at: string): readonly SqlFact[] {
  const [first = []] = readings
  if (readings.length < 2) return first
  const hidden = readings.flat().find(({ problem }) => problem === 'versioned_comment')
  if (hidden) return [unreadableFact('versioned_comment', hidden.dialect, at)]
  const parsed = readings.filter((facts) => facts.every((fact) => fact.parsed))
  const [likeliest, ...others] = parsed
  if (!likeliest) return first
  if (others.some((facts) => facts.length !== likeliest.length)) {
    return [unreadableFact('disagreement', likeliest[0]?.dialect ?? 'postgresql', at)]
  }
  return likeliest.map((fact, i) => others.reduce((worst, facts) => worse(worst, facts[i]), fact))
}

const weakness: readonly Where[] = ['none', 'constant', 'filter', 'key']

function worse(a: SqlFact, b: SqlFact | undefined): SqlFact {
  if (!b) return a
  const names = (key: NameLists) => [...new Set([...a[key], ...b[key]])].toSorted()
  const verbs = [...new Set([...a.verbs, ...b.verbs])]
  return {
    ...a,
    verbs,
    tables_read: names('tables_read'),
    tables_written: names('tables_written'),
    columns_read: names('columns_read'),
    columns_written: names('columns_written'),
    functions: names('functions'),
    dangerous_functions: names('dangerous_functions'),
    columns_returned: together(a.columns_returned, b.columns_returned),
    where: weakness.find((where) => where === a.where || where === b.where) ?? 'none',
    limit: a.limit < 0 || b.limit < 0 ? -1 : Math.max(a.limit, b.limit),
    ...either(a, b),
  }
}

type NameLists =
  | 'tables_read'
  | 'tables_written'
  | 'columns_read'
  | 'columns_written'
  | 'functions'
  | 'dangerous_functions'

function either(a: SqlFact, b: SqlFact) {
  return {
    where_less: a.where_less || b.where_less,
    writes: a.writes || b.writes,
    is_ddl: a.is_ddl || b.is_ddl,
    is_dcl: a.is_dcl || b.is_dcl,
    exports: a.exports || b.exports,
    uses_files: a.uses_files || b.uses_files,
    is_dynamic: a.is_dynamic || b.is_dynamic,
    changes_session: a.changes_session || b.changes_session,
    is_transaction: a.is_transaction || b.is_transaction,
    locks: a.locks || b.locks,
    has_comments: a.has_comments || b.has_comments,
    touches_cardholder_data: a.touches_cardholder_data || b.touches_cardholder_data,
    writes_cardholder_data: a.writes_cardholder_data || b.writes_cardholder_data,
    returns_cardholder_data: a.returns_cardholder_data || b.returns_cardholder_data,
  }
}

type Returned = SqlFact['columns_returned']

function together(a: Returned, b: Returned): Returned {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  const of = (returned: Returned, name: string) =>
    Object.hasOwn(returned, name) ? (returned[name] ?? []) : []
  return Object.fromEntries(
    names.map((name) => [name, [...new Set([...of(a, name), ...of(b, name)])].toSorted()]),
  )
}
