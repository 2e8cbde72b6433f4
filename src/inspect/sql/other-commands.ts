/**
 * Statements that are neither query nor change: definitions, rights, sessions, transactions, files,
 * procedures. Most are read loosely, for what they are is already said by their first words.
 */
import type { Effects, Expr, Statement, TableName } from './statement.ts'
import type { Cursor } from './other-cursor.ts'
import { isChange } from './other-change.ts'
import { define } from './other-define.ts'
import { aside, part } from './other-loose.ts'
import { callOf, path } from './other-operands.ts'
import { type Reading, statement, verbOf } from './other-statement.ts'
import { isQuery, query, selectOf } from './other-query.ts'
import { tableName } from './other-from.ts'
import { Unread } from './other-tokens.ts'
import { forbiddenInside } from './other-words.ts'
import { pragma } from './other-pragma.ts'

/** Everything to the end of the statement: its names and calls as expressions. */
export function sweep(cursor: Cursor): Expr[] {
  const found: Expr[] = []
  while (!cursor.atEnd() && !cursor.isSign(';')) {
    if (cursor.isAny(forbiddenInside) || cursor.isSign(')')) cursor.next()
    else found.push(...(cursor.attempt(() => part(cursor)) ?? skip(cursor)))
  }
  return found
}

/** The same for statements that are harmless by themselves: a word that begins another is none of them. */
function quietly(cursor: Cursor): Expr[] {
  const found: Expr[] = []
  while (!cursor.atEnd() && !cursor.isSign(';')) found.push(...part(cursor))
  return found
}

function skip(cursor: Cursor): Expr[] {
  cursor.next()
  return []
}

/** Names the whole rest of the text: a block whose semicolons end no statement. */
export function sweepAll(cursor: Cursor): Expr[] {
  const found: Expr[] = []
  while (!cursor.atEnd()) {
    found.push(...sweep(cursor))
    cursor.eatSign(';')
  }
  return found
}

/** One whose first word tells all. */
function plain(verb: string, effects: Effects): Reading {
  return (cursor) => {
    cursor.next()
    return { verb, expressions: sweep(cursor), effects }
  }
}

const transaction: Reading = (cursor) => {
  const verb = cursor.next().text
  // `START REPLICA`, `START GROUP_REPLICATION`.
  if (verb === 'START' && !cursor.is('TRANSACTION')) throw new Unread('unknown_statement')
  if (cursor.dialect !== 'sqlserver')
    return { verb, expressions: quietly(cursor), effects: { transaction: true } }
  for (const word of ['TRANSACTION', 'TRAN', 'WORK']) if (cursor.eat(word)) break
  if (cursor.isName()) cursor.name()
  else if (cursor.peek().kind === 'parameter') cursor.next()
  return { verb, effects: { transaction: true } }
}

/** BEGIN opens a transaction in MySQL and SQLite; in Oracle and MariaDB also a block of code. */
const begin: Reading = (cursor) => {
  cursor.next()
  const words = ['WORK', 'TRANSACTION', 'DEFERRED', 'IMMEDIATE', 'EXCLUSIVE', 'CONCURRENT']
  if (cursor.dialect !== 'oracle') {
    while (words.some((word) => cursor.eat(word)));
    if (cursor.atEnd() || cursor.isSign(';'))
      return { verb: 'BEGIN', effects: { transaction: true } }
  }
  return block(cursor)
}

function block(cursor: Cursor): Omit<Statement, 'comments'> {
  return { verb: 'BEGIN', expressions: sweepAll(cursor), effects: { dynamic: true, writes: true } }
}

const explain: Reading = (cursor) => {
  const word = cursor.next().text
  const { dialect } = cursor
  if (dialect === 'sqlite' && cursor.eat('QUERY')) cursor.expect('PLAN')
  if (dialect === 'oracle' && word === 'EXPLAIN') {
    cursor.expect('PLAN')
    if (cursor.eat('SET')) while (!cursor.is('INTO') && !cursor.is('FOR')) aside(cursor)
    const into = cursor.eat('INTO') ? [tableName(cursor)] : []
    cursor.expect('FOR')
    const inside = explained(cursor, false)
    if (into.length === 0) return inside
    const effects: Effects = { writes: true, silent: true }
    return { verb: 'EXPLAIN', written: into, nested: [{ ...inside, comments: false }], effects }
  }
  let runs = false
  if (cursor.mysql) {
    if (cursor.eat('FOR', 'CONNECTION')) return { verb: 'EXPLAIN', expressions: quietly(cursor) }
    runs = cursor.eat('ANALYZE')
    if (!cursor.eat('EXTENDED')) cursor.eat('PARTITIONS')
    if (cursor.eat('FORMAT')) {
      cursor.expectSign('=')
      cursor.next()
    }
  }
  const explains = isQuery(cursor) || isChange(cursor)
  if (explains || dialect === 'sqlite') return explained(cursor, runs)
  // `DESCRIBE t`, `DESC t column`.
  const reads = [tableName(cursor)]
  if (!cursor.atEnd() && !cursor.isSign(';')) cursor.next()
  return { verb: 'EXPLAIN', reads, effects: { silent: true } }
}

/** The statement inside EXPLAIN; only with ANALYZE does it run. */
function explained(cursor: Cursor, runs: boolean): Omit<Statement, 'comments'> {
  const effects: Effects = { silent: true, dry: !runs }
  if (!isQuery(cursor)) return { verb: 'EXPLAIN', nested: [statement(cursor, false)], effects }
  const body = query(cursor)
  if (verbOf(body) === 'SELECT') return { verb: 'EXPLAIN', body, effects }
  return { verb: 'EXPLAIN', nested: [{ verb: verbOf(body), body, comments: false }], effects }
}

const shown = new Set([
  'TABLES', 'FULL', 'EXTENDED', 'COLUMNS', 'FIELDS', 'CREATE', 'INDEX', 'INDEXES', 'KEYS', 'DATABASES',
  'SCHEMAS', 'VARIABLES', 'GLOBAL', 'SESSION', 'LOCAL', 'STATUS', 'PROCESSLIST', 'GRANTS', 'TABLE',
  'ENGINES', 'ENGINE', 'STORAGE', 'WARNINGS', 'ERRORS', 'COUNT', 'CHARACTER', 'CHARSET', 'COLLATION',
  'TRIGGERS', 'EVENTS', 'PROCEDURE', 'FUNCTION', 'PLUGINS', 'PRIVILEGES', 'OPEN', 'PROFILE', 'PROFILES',
]) // prettier-ignore

const show: Reading = (cursor) => {
  cursor.next()
  if (!cursor.isAny(shown)) throw new Unread('unknown_statement')
  cursor.eat('CREATE')
  const expressions = quietly(cursor).filter(({ kind }) => kind === 'query' || kind === 'call')
  return { verb: 'SHOW', expressions, effects: { silent: true } }
}

const serverSetting = /^(?:GLOBAL|PERSIST|PERSIST_ONLY|@@(?:global|persist|persist_only)\..*)$/i

function isEnd(cursor: Cursor, ahead: number): boolean {
  return cursor.peek(ahead).kind === 'end' || cursor.isSign(';', ahead)
}

/** `SET GLOBAL` changes the server, `SET PASSWORD` rights, `SET TRANSACTION` only the transaction. */
const set: Reading = (cursor) => {
  cursor.next()
  const first = cursor.peek().text
  let server = false
  for (let i = 0; !isEnd(cursor, i); i += 1) server ||= serverSetting.test(cursor.peek(i).text)
  // A value that is kept in the session can be asked for later: it counts as given back.
  const values = quietly(cursor).filter(({ kind }) => kind !== 'column')
  const body = selectOf({ outputs: values.map((expr) => ({ expr, alias: '' })) })
  if (first === 'TRANSACTION') return { verb: 'SET', effects: { transaction: true } }
  const rights = first === 'PASSWORD' || first === 'ROLE' || first === 'DEFAULT'
  const effects: Effects = { session: true, writes: server || rights, dcl: rights }
  return { verb: 'SET', body, effects }
}

const use: Reading = (cursor) => {
  cursor.next()
  cursor.name()
  return { verb: 'USE', effects: { session: true } }
}

/** CALL, EXECUTE, DO: what runs stands elsewhere. */
const call: Reading = (cursor) => {
  const verb = cursor.next().text
  const name = cursor.attempt(() => path(cursor)) ?? []
  const named =
    name.length === 0 ? [] : [callOf(name.slice(0, -1).join('.'), name.at(-1) ?? '', [])]
  const effects = { dynamic: true, writes: true }
  return {
    verb: verb === 'EXEC' ? 'EXECUTE' : verb,
    expressions: [...named, ...sweep(cursor)],
    effects,
  }
}

const handler: Reading = (cursor) => {
  cursor.next()
  const reads = [tableName(cursor)]
  // HANDLER reads rows past every query: it counts as unknown, with its table named.
  return { verb: 'HANDLER', reads, expressions: sweep(cursor), problem: 'unknown_statement' }
}

const load: Reading = (cursor) => {
  cursor.next()
  const written: TableName[] = []
  const expressions: Expr[] = []
  while (!cursor.atEnd() && !cursor.isSign(';')) {
    if (cursor.eat('INTO', 'TABLE')) written.push(tableName(cursor))
    else if (cursor.isAny(forbiddenInside)) cursor.next()
    else expressions.push(...part(cursor))
  }
  return { verb: 'LOAD', written, expressions, effects: { writes: true, files: true } }
}

const bulk: Reading = (cursor) => {
  cursor.next()
  cursor.expect('INSERT')
  const written = [tableName(cursor)]
  return {
    verb: 'BULK',
    written,
    expressions: sweep(cursor),
    effects: { writes: true, files: true },
  }
}

const attach: Reading = (cursor) => {
  const verb = cursor.next().text
  return { verb, expressions: sweep(cursor), effects: { session: true, files: true, writes: true } }
}

/** VACUUM INTO writes the whole database into a new file. */
const vacuum: Reading = (cursor) => {
  cursor.next()
  if (!cursor.is('INTO') && cursor.isName()) cursor.next()
  const into = cursor.eat('INTO')
  const effects = { writes: true, exports: into, files: into }
  return { verb: 'VACUUM', expressions: sweep(cursor), effects }
}

/** `ANALYZE TABLE t`, SQLite's `ANALYZE t`, MariaDB's `ANALYZE SELECT …`. */
const analyze: Reading = (cursor) => {
  cursor.next()
  if (cursor.eat('FORMAT')) {
    cursor.expectSign('=')
    cursor.next()
  }
  if (cursor.mysql && (isQuery(cursor) || isChange(cursor))) return explained(cursor, true)
  if (cursor.dialect === 'sqlite') {
    if (cursor.isName()) path(cursor)
    return { verb: 'ANALYZE', effects: { writes: true } }
  }
  const expressions = sweep(cursor)
  return { verb: 'ANALYZE', expressions, effects: { writes: true } }
}

const dcl: Effects = { dcl: true, writes: true }
const admin: Effects = { writes: true, session: true }
const copies: Effects = { writes: true, exports: true, files: true }

const rights: Reading = (cursor) => {
  const verb = cursor.next().text
  const named: TableName[] = []
  const expressions: Expr[] = []
  while (!cursor.atEnd() && !cursor.isSign(';')) {
    if (cursor.eat('ON')) {
      cursor.eat('TABLE')
      const table = cursor.attempt(() => tableName(cursor))
      if (table !== undefined) named.push(table)
    } else if (cursor.isAny(forbiddenInside)) cursor.next()
    else expressions.push(...(cursor.attempt(() => part(cursor)) ?? skip(cursor)))
  }
  return { verb, reads: named, expressions, effects: dcl }
}

const lock: Reading = (cursor) => {
  const verb = cursor.next().text
  const expressions = sweep(cursor)
  return { verb, expressions, effects: { locks: true, session: true } }
}

/** Readings by the first word; those of SQL Server's scripts come before them. */
export const commands: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ...['COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE', 'START', 'SAVE', 'END', 'XA'].map(
    (word): [string, Reading] => [word, transaction],
  ),
  ...['EXPLAIN', 'DESCRIBE', 'DESC'].map((word): [string, Reading] => [word, explain]),
  ...['CALL', 'EXECUTE', 'EXEC', 'DO', 'PREPARE', 'DEALLOCATE'].map(
    (word): [string, Reading] => [word, call],
  ),
  ...['CREATE', 'ALTER', 'DROP', 'TRUNCATE', 'RENAME', 'COMMENT', 'FLASHBACK', 'PURGE', 'IMPORT'].map(
    (word): [string, Reading] => [word, define],
  ),
  ...['GRANT', 'REVOKE', 'DENY'].map((word): [string, Reading] => [word, rights]),
  ...['ATTACH', 'DETACH'].map((word): [string, Reading] => [word, attach]),
  ...['LOCK', 'UNLOCK'].map((word): [string, Reading] => [word, lock]),
  ...['KILL', 'SHUTDOWN', 'RESTART', 'FLUSH', 'RESET', 'INSTALL', 'UNINSTALL', 'PURGE', 'CHANGE', 'STOP',
    'REINDEX', 'OPTIMIZE', 'REPAIR', 'CACHE', 'CLONE', 'AUDIT', 'NOAUDIT', 'DBCC', 'RECONFIGURE', 'WAITFOR',
    'CHECKPOINT', 'DUMP', 'RAISERROR', 'THROW', 'SETUSER', 'REVERT', 'WRITETEXT', 'UPDATETEXT', 'SIGNAL',
    'BINLOG', 'HELP', 'CHECKSUM', 'CHECK', 'SEND', 'RECEIVE', 'ENABLE', 'DISABLE', 'ADD',
  ].map((word): [string, Reading] => [word, plain(word, admin)]),
  ...['BACKUP', 'RESTORE'].map((word): [string, Reading] => [word, plain(word, copies)]),
  ['BEGIN', begin],
  ['DECLARE', (cursor: Cursor) => block(cursor)],
  ['SHOW', show],
  ['SET', set],
  ['USE', use],
  ['HANDLER', handler],
  ['LOAD', load],
  ['BULK', bulk],
  ['VACUUM', vacuum],
  ['ANALYZE', analyze],
  ['PRAGMA', pragma],
]) // prettier-ignore
