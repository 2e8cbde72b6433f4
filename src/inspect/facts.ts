/**
 * What a call is about, as its bytes say it: facts of each SQL statement, and findings. The names are
 * those that rules, the record and `sallyport inspect` use, so they stand in snake case.
 *
 * Facts hold names (of tables, columns, functions) and counts, never a literal of the statement.
 */

export const dialects = ['postgresql', 'mysql', 'mariadb', 'sqlserver', 'sqlite', 'oracle'] as const
export type Dialect = (typeof dialects)[number]

/**
 * What the WHERE of a statement leaves: `none`: there is none; `constant`: it is always true;
 * `filter`: some rows; `key`: rows named one by one (an equality or short IN list on the table's own
 * key or on a cardholder column, in a conjunction).
 */
export type Where = 'none' | 'constant' | 'filter' | 'key'

/** One SQL statement. What did not parse has `parsed: false`, and everything dangerous set. */
export interface SqlFact {
  /** JSON pointer of the argument, from the arguments: `/sql`. */
  readonly at: string
  /** 0 for the first statement of the argument, and how many there are. */
  readonly ordinal: number
  readonly statements: number
  readonly dialect: Dialect
  readonly parsed: boolean
  /** Why it did not: `syntax`, `nul`, `versioned_comment`, `too_large`, `too_slow`, `too_deep`,
   *  `disagreement`, `empty`, `unknown_statement`, `unknown_dialect`. Empty where it parsed. */
  readonly problem: string
  /** Upper case: SELECT, INSERT, UPDATE, DELETE, MERGE, REPLACE, TRUNCATE, CREATE, ALTER, DROP, GRANT,
   *  REVOKE, COPY, CALL, DO, EXECUTE, PREPARE, SET, BEGIN, COMMIT, EXPLAIN, … or UNKNOWN. */
  readonly verb: string
  /** The verb and every verb inside (of CTEs, of what EXPLAIN ANALYZE runs, of MERGE's branches). */
  readonly verbs: readonly string[]
  /** Lower case, with the schema where it is named: `cards`, `public.cards`. No CTEs, no aliases. */
  readonly tables_read: readonly string[]
  readonly tables_written: readonly string[]
  /** Lower case, without table: `pan`; `*` where a star could not be resolved. */
  readonly columns_read: readonly string[]
  readonly columns_written: readonly string[]
  /** What a result's column is made of, by the name it has there: `x` -> [`pan`] for `pan AS x`. */
  readonly columns_returned: Readonly<Record<string, readonly string[]>>
  readonly where: Where
  /** UPDATE or DELETE whose WHERE is `none` or `constant`. */
  readonly where_less: boolean
  /** Rows at most, by LIMIT, TOP, FETCH or ROWNUM with a literal; -1 where there is none, or none
   *  that can be known. */
  readonly limit: number
  /** Functions called, lower case, with the schema where it is named. */
  readonly functions: readonly string[]
  /** Those of them which reach files, networks, other servers or the operating system, wait, lock, or
   *  change the session or server. */
  readonly dangerous_functions: readonly string[]
  /** It may change data, definitions, rights or files; unknown statements may. */
  readonly writes: boolean
  readonly is_ddl: boolean
  /** GRANT, REVOKE, CREATE USER, ALTER ROLE … */
  readonly is_dcl: boolean
  /** COPY … TO, INTO OUTFILE, INTO DUMPFILE, SELECT INTO and CREATE TABLE AS, INSERT … SELECT,
   *  BACKUP, UNLOAD, writing functions. */
  readonly exports: boolean
  /** To or from a file or program of the server: COPY … PROGRAM, LOAD DATA, BULK INSERT, OUTFILE. */
  readonly uses_files: boolean
  /** DO, EXECUTE of text, EXEC('…'), sp_executesql, PREPARE from a variable, CALL of a procedure. */
  readonly is_dynamic: boolean
  /** SET, SET ROLE, RESET, USE, ATTACH, PRAGMA that changes something, set_config. */
  readonly changes_session: boolean
  readonly is_transaction: boolean
  /** FOR UPDATE, LOCK TABLE, WITH (XLOCK). */
  readonly locks: boolean
  readonly has_comments: boolean
  /** A table or column of the connection's `cardholder_data` is read, written or named. A star over
   *  a cardholder table counts; one over a table nobody knows counts where the schema is not known. */
  readonly touches_cardholder_data: boolean
  readonly writes_cardholder_data: boolean
  /** Values of cardholder columns come back as they are, or recoverably changed (substr, encode,
   *  concat, min, max, string_agg); counts and sums do not. */
  readonly returns_cardholder_data: boolean
}

export const families = [
  'sql_injection',
  'shell',
  'path_traversal',
  'template',
  'ssrf',
  'nosql',
  'protocol',
  'hidden_text',
  'instructions',
  'exfiltration',
  'card',
] as const
/** `instructions`, `exfiltration`: text of a server that wants something of a model. `card`: a card
 *  number on its way to the server. */
export type Family = (typeof families)[number]

export const confidences = ['low', 'medium', 'high', 'certain'] as const
export type Confidence = (typeof confidences)[number]

/** Something in a message that somebody should know of. No text of the message stands in it. */
export interface Finding {
  readonly family: Family
  readonly confidence: Confidence
  /** JSON pointer from the message's root: `/params/arguments/path`. Keys that may hold a card number
   *  are masked by whoever records it. */
  readonly at: string
  /** The machine's word for what was seen: `tautology`, `stacked`, `metadata_address`, `bidi`, … */
  readonly what: string
}

/** What a message of a client is about. */
export interface Inspected {
  readonly sql: readonly SqlFact[]
  readonly findings: readonly Finding[]
}
