/** Which argument of which tool is SQL, for servers that many people use. */
import { glob } from './glob.ts'

/**
 * Tools by name, `*` for any run, with the arguments that may hold the statement, the first that is
 * there counts. Names as the servers' own lists have them: dbhub, Microsoft's and others' for SQL Server,
 * the reference servers for PostgreSQL and SQLite, Supabase, Neon, those for MySQL, Snowflake, BigQuery,
 * ClickHouse, DuckDB, Oracle (SQLcl), Azure, AWS, Google's toolbox.
 */
const servers: readonly (readonly [tool: string, args: readonly string[]])[] = [
  ['execute_sql*', ['sql', 'query', 'statement', 'sql_query']],
  ['execute-sql*', ['sql', 'query', 'statement']],
  ['executeSql*', ['sql', 'query', 'statement']],
  ['run_sql*', ['sql', 'query', 'statement']],
  ['run-sql*', ['sql', 'query', 'statement']],
  ['runSql*', ['sql', 'query', 'statement']],
  ['sql_*', ['sql', 'query', 'statement']],
  ['sql-*', ['sql', 'query', 'statement']],
  ['*_sql', ['sql', 'query', 'statement', 'sqlTemplate']],
  ['*-sql', ['sql', 'query', 'statement']],
  ['*_sql_*', ['sql', 'query', 'statement', 'sql_query']],
  ['apply_migration', ['query', 'sql']],
  ['prepare_database_migration', ['migrationSql']],
  ['complete_database_migration', ['migrationSql']],
  ['run_sql_transaction', ['sqlStatements']],
  ['explain_sql_statement', ['sql']],
  ['explain_query', ['sql', 'query']],
  ['analyze_query*', ['sql', 'query', 'queries']],
  ['query', ['sql', 'query', 'statement']],
  ['query_*', ['sql', 'query', 'statement']],
  ['*_query', ['query', 'sql', 'statement', 'sql_query']],
  ['*_query_*', ['query', 'sql', 'statement']],
  ['*-query', ['query', 'sql', 'statement']],
  ['*Query', ['query', 'sql', 'statement']],
  ['read_data', ['query', 'sql']],
  ['insert_data', ['query', 'sql']],
  ['update_data', ['query', 'sql']],
  ['create_table', ['query', 'sql']],
  ['alter_table', ['query', 'sql']],
  ['drop_table', ['query', 'sql']],
  ['execute', ['sql', 'query', 'statement']],
  ['postgres_query', ['sql', 'query']],
  ['run_select_query', ['query', 'sql']],
  ['run_chdb_select_query', ['query', 'sql']],
]
const rows = servers.map(([tool, args]) => ({ isTool: glob(tool), args }))

/** Arguments that are SQL by their name, whatever the tool. */
const always = new Set([
  'sql',
  'sql_query',
  'sqlquery',
  'sql_statement',
  'sql_text',
  'sqltext',
  'sqlstatements',
  'migrationsql',
  'sqltemplate',
])

/** The arguments of a known tool that hold SQL; empty for an unknown one. */
export function knownArguments(tool: string): readonly string[] {
  const before = remembered.get(tool)
  if (before !== undefined) return before
  const args = rows.find(({ isTool }) => isTool(tool))?.args ?? []
  if (remembered.size >= rememberedMax) remembered.clear()
  remembered.set(tool, args)
  return args
}
const remembered = new Map<string, readonly string[]>()
const rememberedMax = 512

/** Whether an argument of this name holds SQL in every tool that has one. */
export function isSqlName(name: string): boolean {
  return always.has(name.toLowerCase())
}
