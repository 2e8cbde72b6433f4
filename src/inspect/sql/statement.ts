/**
 * One statement of any dialect as a small tree of our own: what each parser's tree is translated into,
 * and what the facts are made from (`build.ts`). A translator only says what stands where. Which table
 * a column belongs to, what a star returns, what a column of a subquery is made of, whether a WHERE is
 * always true: all that is found once, for every dialect, by whoever reads this tree.
 *
 * Names are as the database would see them: quotes gone, lower case. Whatever a translator does not
 * know becomes `kind: 'other'` with all its parts (an expression), or a `problem` (a statement). Nothing
 * may be dropped: a part that is left out is a part nobody looks at.
 */

/** A table, view or sequence. `schema` is empty where none is named; of `a.b.c` it is `a.b`. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

export type Literal = string | number | boolean | null

export type Expr =
  | { readonly kind: 'literal'; readonly value: Literal }
  /** `$1`, `?`, `:name`, `@name`: a value that the text does not tell. */
  | { readonly kind: 'parameter' }
  /** `c.pan` has the qualifier `['c']`, `public.cards.pan` has `['public', 'cards']`. A name without
   *  qualifier may turn out to be the alias of a table: then it is its whole row. */
  | { readonly kind: 'column'; readonly qualifier: readonly string[]; readonly name: string }
  /** `*`, `c.*`, also `(c).*`. */
  | { readonly kind: 'star'; readonly qualifier: readonly string[] }
  /** A function by name: `pg_catalog.lower(x)`. Of `count(*)` the arguments are empty. Whatever stands in
   *  FILTER, OVER, ORDER BY and WITHIN GROUP of a call goes into `beside`. */
  | {
      readonly kind: 'call'
      readonly schema: string
      readonly name: string
      readonly args: readonly Expr[]
      readonly beside: readonly Expr[]
    }
  /** Lower case: `and or not = <> < <= > >= in not_in between not_between like not_like is_null
   *  is_not_null is_true is_false is_distinct + - * / % || …`; `in` and `not_in` have the left side
   *  first, then the items. `unary -` has one argument. */
  | { readonly kind: 'operator'; readonly operator: string; readonly args: readonly Expr[] }
  /** `subject` is there for `CASE x WHEN …`. */
  | {
      readonly kind: 'case'
      readonly subject: Expr | undefined
      readonly whens: readonly { readonly when: Expr; readonly then: Expr }[]
      readonly otherwise: Expr | undefined
    }
  | { readonly kind: 'cast'; readonly of: Expr; readonly type: string }
  /** A query as a value. `scalar`: its row is the value; `array`: all its rows are one value;
   *  `exists`: only whether there is one; `compare`: `left IN (…)`, `left = ANY (…)`. */
  | {
      readonly kind: 'query'
      readonly use: 'scalar' | 'array' | 'exists' | 'compare'
      readonly left: Expr | undefined
      readonly query: Query
    }
  /** Rows, arrays, subscripts, fields, XML and JSON constructors: a value made of its parts. */
  | { readonly kind: 'other'; readonly args: readonly Expr[] }

/** One column of a result. `alias` is empty where none is given. */
export interface Output {
  readonly expr: Expr
  readonly alias: string
}

/** Something in FROM. `alias` is empty where none is given; `columns` are the names given to its columns:
 *  `AS t(a, b)`. */
export type Relation =
  | {
      readonly kind: 'table'
      readonly table: TableName
      readonly alias: string
      readonly columns: readonly string[]
    }
  | {
      readonly kind: 'query'
      readonly query: Query
      readonly alias: string
      readonly columns: readonly string[]
    }
  /** `generate_series(1, 3) AS g(n)`, `OPENROWSET(…)`, `json_table(…)`: any expressions whose rows are
   *  read. */
  | {
      readonly kind: 'call'
      readonly calls: readonly Expr[]
      readonly alias: string
      readonly columns: readonly string[]
    }
  | {
      readonly kind: 'join'
      readonly left: Relation
      readonly right: Relation
      readonly on: Expr | undefined
      /** Columns of USING. */
      readonly using: readonly string[]
      readonly natural: boolean
      readonly alias: string
      readonly columns: readonly string[]
    }

/** `WITH name (columns) AS (body)`. */
export interface Cte {
  readonly name: string
  readonly columns: readonly string[]
  readonly body: Query
}

/** How many rows at most: a number, `unknown` for an expression or a share (`TOP 10 PERCENT`), undefined
 *  where nothing is said (also `LIMIT ALL`). `WITH TIES` is `unknown`. */
export type Limit = number | 'unknown' | undefined

interface WithCtes {
  readonly ctes: readonly Cte[]
  /** WITH RECURSIVE, or a dialect in which each CTE may read itself. */
  readonly recursive: boolean
}

export interface Select extends WithCtes {
  readonly kind: 'select'
  readonly outputs: readonly Output[]
  readonly from: readonly Relation[]
  readonly where: Expr | undefined
  /** Expressions of GROUP BY, HAVING, ORDER BY, WINDOW, DISTINCT ON, QUALIFY, CONNECT BY, LIMIT, OFFSET,
   *  TABLESAMPLE. */
  readonly beside: readonly Expr[]
  readonly limit: Limit
  /** SELECT … INTO a new table, `#t` of T-SQL included. */
  readonly into: TableName | undefined
  /** FOR UPDATE, FOR SHARE, WITH (XLOCK). */
  readonly locks: boolean
  /** FOR XML, FOR JSON: as a value all rows are one. */
  readonly isOneValue?: true
}

export interface SetOperation extends WithCtes {
  readonly kind: 'set'
  /** Lower case. Of `except` only the left side's rows come back, but both are read. */
  readonly operator: 'union' | 'intersect' | 'except'
  readonly left: Query
  readonly right: Query
  readonly beside: readonly Expr[]
  readonly limit: Limit
  readonly locks: boolean
  readonly isOneValue?: true
}

export interface Values extends WithCtes {
  readonly kind: 'values'
  readonly rows: readonly (readonly Expr[])[]
  readonly beside: readonly Expr[]
  readonly limit: Limit
}

/** One column that gets a value; of `SET (a, b) = (SELECT …)` each has the whole value. The column of an
 *  INSERT without a list of columns is `*`. */
export interface Assignment {
  readonly column: string
  readonly value: Expr | undefined
}

/** INSERT, UPDATE, DELETE, MERGE, REPLACE: alone, or as the body of a CTE. */
export interface Change extends WithCtes {
  readonly kind: 'change'
  /** Upper case; of MERGE also the verbs of its branches: `['MERGE', 'UPDATE', 'DELETE']`. */
  readonly verbs: readonly string[]
  /** What is changed: a table, or several (`DELETE a, b FROM …`). Its alias is visible to everything
   *  here. A derived table as target (`DELETE FROM (SELECT …)`, T-SQL CTE as target) stands in `from`
   *  as well. */
  readonly targets: readonly {
    readonly table: TableName
    readonly alias: string
  }[]
  /** FROM, USING, joins: what else is read. */
  readonly from: readonly Relation[]
  /** INSERT … SELECT or VALUES. Each of its output columns is written to the assignment at its place. */
  readonly source: Query | undefined
  readonly assignments: readonly Assignment[]
  /** Undefined for INSERT; of MERGE it is undefined too, its ON stands in `beside`. */
  readonly where: Expr | undefined
  readonly beside: readonly Expr[]
  readonly limit: Limit
  /** RETURNING, OUTPUT: it comes back, or goes into a table of `targets`. */
  readonly returning: readonly Output[]
  readonly locks: boolean
}

export type Query = Select | SetOperation | Values | Change

/** What a statement does besides reading and changing rows. Left out is `false`. */
export interface Effects {
  /** It may change data, definitions, rights, files or the server. A `Change` or `into` in `body` is
   *  seen without this. */
  readonly writes?: boolean
  readonly ddl?: boolean
  readonly dcl?: boolean
  /** Data leave the table: COPY … TO, OUTFILE, CREATE TABLE AS, BACKUP, UNLOAD. SELECT INTO and
   *  INSERT … SELECT in `body` are seen without this. */
  readonly exports?: boolean
  /** A file or program of the server is read or written. */
  readonly files?: boolean
  /** Statements made of text, procedures, code blocks: what runs is not in the text. */
  readonly dynamic?: boolean
  readonly session?: boolean
  readonly transaction?: boolean
  readonly locks?: boolean
  /** What `body` gives is not sent to the client: CREATE TABLE AS, EXPLAIN, CREATE VIEW, PREPARE. */
  readonly silent?: boolean
  /** What is inside is planned and not run: EXPLAIN without ANALYZE. */
  readonly dry?: boolean
  /** Whatever is not in the text may happen to any table: DO, EXECUTE of text. */
  readonly opaque?: boolean
}

export interface Statement {
  /** Upper case, as of `SqlFact.verb`. Of a statement that is only a query: SELECT; of one that is only a
   *  change: INSERT, UPDATE, DELETE, MERGE, REPLACE. */
  readonly verb: string
  /** The query or change that it is, or that it carries: SELECT, `INSERT …`, the query of CREATE TABLE AS
   *  or VIEW or of COPY (…) TO, `SELECT * FROM cards` for `COPY cards TO` and `TABLE cards`. */
  readonly body?: Query
  /** Statements inside: of EXPLAIN, PREPARE, CREATE RULE, CREATE SCHEMA, IF, BEGIN … END. Their facts
   *  are added to this one's. */
  readonly nested?: readonly Statement[]
  /** Tables that stand in no query: `DROP TABLE`, `TRUNCATE`, `ALTER`, `GRANT … ON`, the target of COPY
   *  FROM and of CREATE TABLE AS (both in `written`), `CREATE INDEX … ON`, `LIKE other`. */
  readonly reads?: readonly TableName[]
  readonly written?: readonly TableName[]
  /** Columns named outside of queries: of CREATE INDEX, ALTER TABLE, GRANT SELECT (pan), COPY t (pan). */
  readonly columnsRead?: readonly string[]
  readonly columnsWritten?: readonly string[]
  /** Expressions outside of queries: arguments of CALL, DEFAULT, CHECK, USING of a policy, values of
   *  SET. */
  readonly expressions?: readonly Expr[]
  readonly effects?: Effects
  /** Comments in this statement (of which those that a server executes make it unreadable). */
  readonly comments: boolean
  /** Why the facts of this statement are not to be trusted; it then counts as not parsed. */
  readonly problem?: 'unknown_statement' | 'syntax' | 'disagreement'
}

/** Why a text gives no statements at all; the words are those of `SqlFact.problem`. */
export type Problem =
  | 'syntax'
  | 'nul'
  | 'versioned_comment'
  | 'too_large'
  | 'too_slow'
  | 'too_deep'
  | 'disagreement'
  | 'empty'
  | 'unknown_statement'
  | 'unknown_dialect'

export interface Unreadable {
  readonly problem: Problem
}
