/**
 * The facts of a statement, made of its neutral description: the same for every dialect and every
 * parser. What could not be read has every dangerous fact.
 */
import type { Dialect, SqlFact, Where } from '../facts.ts'
import { placeOf, readQuery } from './queries.ts'
import { Seen, type SqlSettings } from './seen.ts'
import { emptyShape, rowOf, scopeIn, type Shape } from './shape.ts'
import type { Effects, Problem, Statement } from './statement.ts'
import { readAll } from './values.ts'

/**
 * The facts of each statement of a text.
 * @param at JSON pointer of the argument.
 * @returns one fact for each statement, one in all for a text that gave none.
 * @throws {Fault} `too_large` for a statement of too many parts.
 */
export function factsOf(
  statements: readonly Statement[],
  dialect: Dialect,
  settings: SqlSettings,
  at: string,
): readonly SqlFact[] {
  if (!statements.length) return [unreadableFact('empty', dialect, at)]
  return statements.map((statement, ordinal) => {
    const fact = factOf(statement, dialect, settings)
    return { ...fact, at, ordinal, statements: statements.length }
  })
}

/** What is to be thought of a text that nobody could read. */
export function unreadableFact(problem: Problem, dialect: Dialect, at: string): SqlFact {
  return {
    ...worst,
    at,
    ordinal: 0,
    statements: 1,
    dialect,
    parsed: false,
    problem,
    verb: 'UNKNOWN',
    verbs: ['UNKNOWN'],
    tables_read: [],
    tables_written: [],
    columns_read: ['*'],
    columns_written: ['*'],
    columns_returned: { '*': ['*'] },
    where: 'none',
    limit: -1,
    functions: [],
    dangerous_functions: [],
    has_comments: false,
  }
}

const worst = {
  where_less: true,
  writes: true,
  is_ddl: true,
  is_dcl: true,
  exports: true,
  uses_files: true,
  is_dynamic: true,
  changes_session: true,
  is_transaction: false,
  locks: true,
  touches_cardholder_data: true,
  writes_cardholder_data: true,
  returns_cardholder_data: true,
} as const

function factOf(statement: Statement, dialect: Dialect, settings: SqlSettings): SqlFact {
  const seen = new Seen(dialect, settings)
  const { shape, problem, comments } = read(statement, seen)
  const { marks } = seen
  const row = rowOf(shape)
  const fact: SqlFact = {
    at: '',
    ordinal: 0,
    statements: 1,
    dialect,
    parsed: problem === '',
    problem,
    verb: statement.verb,
    verbs: verbsOf(statement, seen),
    tables_read: sorted(seen.tablesRead),
    tables_written: sorted(seen.tablesWritten),
    columns_read: sorted(seen.columnsRead),
    columns_written: sorted(seen.columnsWritten),
    columns_returned: returnedOf(shape),
    where: whereOf(shape, seen),
    where_less: marks.whereLess,
    // One value that holds many rows is not limited by the number of rows.
    limit: row.collected ? -1 : shape.limit,
    functions: sorted(seen.functions),
    dangerous_functions: sorted(seen.dangerous),
    writes: marks.writes || marks.ddl || marks.dcl,
    is_ddl: marks.ddl,
    is_dcl: marks.dcl,
    exports: marks.exports,
    uses_files: marks.files,
    is_dynamic: marks.dynamic,
    changes_session: marks.session,
    is_transaction: marks.transaction,
    locks: marks.locks,
    has_comments: comments,
    touches_cardholder_data: marks.touches,
    writes_cardholder_data: marks.writesCards,
    returns_cardholder_data: marks.returnsCards || row.card,
  }
  return problem ? { ...fact, ...worst } : fact
}

interface Read {
  /** What comes back to the caller. */
  readonly shape: Shape
  readonly problem: Problem | ''
  readonly comments: boolean
}

/** Notes one statement and those inside it. */
function read(statement: Statement, seen: Seen): Read {
  const { effects = {}, expressions = [], nested = [] } = statement
  if (effects.dry) return readDry(statement, seen)
  seen.verbs.add(statement.verb)
  const body = statement.body ? readQuery(statement.body, seen, undefined) : emptyShape
  if (statement.body && statement.body.kind !== 'change') seen.verbs.add('SELECT')
  for (const table of statement.reads ?? []) seen.readTable(table)
  for (const table of statement.written ?? []) seen.writeTable(table)
  const tables = [...(statement.written ?? []), ...(statement.reads ?? [])]
  for (const name of statement.columnsRead ?? []) {
    for (const table of tables.length ? tables : [undefined]) seen.column(name, table)
  }
  for (const name of statement.columnsWritten ?? []) seen.writeColumn(name, tables)
  readAll(expressions, placeOf(scopeWith(tables, seen), seen))
  // What goes into a file or a table is written there, whoever reads it then.
  if (effects.exports && effects.silent && rowOf(body).card) seen.marks.writesCards = true
  const inner = nested.map((one) => read(one, seen))
  mark(effects, seen)
  const answering = inner.find(({ shape }) => shape.columns.length || shape.rest)
  const given = statement.body ? body : (answering?.shape ?? inner[0]?.shape ?? emptyShape)
  if (!effects.silent && inner.some(({ shape }) => rowOf(shape).card))
    seen.marks.returnsCards = true
  return {
    shape: effects.silent ? { ...emptyShape, where: given.where, limit: given.limit } : given,
    problem: statement.problem ?? inner.find(({ problem }) => problem)?.problem ?? '',
    comments: statement.comments || inner.some(({ comments }) => comments),
  }
}

function scopeWith(tables: readonly { schema: string; name: string }[], seen: Seen) {
  const scope = scopeIn(undefined)
  for (const table of tables) {
    const shape = seen.rowsOf(table)
    scope.relations.push({ name: table.name, schema: table.schema, shape, isInside: false })
  }
  return scope
}

/** What is only planned: names count, nothing is written and nothing comes back. Functions count as if
 *  they ran, because planning may run them. */
function readDry(statement: Statement, seen: Seen): Read {
  const inside = new Seen(seen.dialect, seen.settings)
  const { problem, comments, shape } = read(
    { ...statement, effects: { ...statement.effects, dry: false } },
    inside,
  )
  for (const table of [...inside.tablesRead, ...inside.tablesWritten]) seen.tablesRead.add(table)
  for (const column of [...inside.columnsRead, ...inside.columnsWritten])
    seen.columnsRead.add(column)
  for (const name of inside.functions) seen.functions.add(name)
  for (const name of inside.dangerous) seen.dangerous.add(name)
  if (inside.marks.touches) seen.marks.touches = true
  const { where, limit } = shape
  return { shape: { ...emptyShape, where, limit }, problem, comments }
}

function mark(effects: Effects, { marks }: Seen): void {
  if (effects.writes) marks.writes = true
  if (effects.ddl) marks.ddl = true
  if (effects.dcl) marks.dcl = true
  if (effects.exports) marks.exports = true
  if (effects.files) marks.files = true
  if (effects.dynamic) marks.dynamic = true
  if (effects.session) marks.session = true
  if (effects.transaction) marks.transaction = true
  if (effects.locks) marks.locks = true
  if (!effects.opaque) return
  Object.assign(marks, { writes: true, exports: true, dynamic: true })
  Object.assign(marks, { touches: true, writesCards: true, returnsCards: true })
}

function verbsOf(statement: Statement, seen: Seen): string[] {
  const others = [...seen.verbs].filter((verb) => verb !== statement.verb)
  return [statement.verb, ...others.toSorted()]
}

function whereOf(shape: Shape, seen: Seen): Where {
  if (!seen.wheres.length) {
    return seen.marks.unbound && shape.where === 'key' ? 'filter' : shape.where
  }
  const weakness: readonly Where[] = ['none', 'constant', 'filter', 'key']
  return weakness.find((where) => seen.wheres.includes(where)) ?? 'none'
}

function returnedOf(shape: Shape): Readonly<Record<string, readonly string[]>> {
  const names = new Map<string, Set<string>>()
  const rest = shape.rest ? [{ name: '*', made: shape.rest }] : []
  for (const { name, made } of [...shape.columns, ...rest]) {
    const columns = names.get(name) ?? new Set()
    for (const column of made.columns) columns.add(column)
    names.set(name, columns)
  }
  return Object.fromEntries([...names].map(([name, columns]) => [name, sorted(columns)]))
}

function sorted(names: ReadonlySet<string>): readonly string[] {
  return [...names].toSorted()
}
