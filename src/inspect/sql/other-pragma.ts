/**
 * SQLite's PRAGMA: a few read, most change something when they get a value.
 * Source: sqlite.org/pragma.html.
 */
import { path } from './other-operands.ts'
import type { Reading } from './other-statement.ts'
import { Unread } from './other-tokens.ts'

/** Their argument names what to read. */
const readWithArgument = new Set([
  'table_info', 'table_xinfo', 'table_list', 'index_info', 'index_xinfo', 'index_list', 'foreign_key_list',
  'foreign_key_check', 'integrity_check', 'quick_check',
]) // prettier-ignore

/** Without a value they tell one. */
const readAlone = new Set([
  ...readWithArgument, 'user_version', 'schema_version', 'application_id', 'page_count', 'page_size',
  'freelist_count', 'encoding', 'journal_mode', 'foreign_keys', 'database_list', 'collation_list',
  'function_list', 'module_list', 'pragma_list', 'compile_options', 'synchronous', 'cache_size', 'auto_vacuum',
  'busy_timeout', 'data_version', 'locking_mode', 'max_page_count', 'mmap_size', 'query_only', 'temp_store',
  'threads', 'recursive_triggers', 'secure_delete', 'journal_size_limit', 'wal_autocheckpoint',
  'legacy_file_format', 'read_uncommitted', 'case_sensitive_like', 'defer_foreign_keys', 'stats',
]) // prettier-ignore

export const pragma: Reading = (cursor) => {
  cursor.next()
  const parts = path(cursor)
  const name = parts.at(-1) ?? ''
  const bracket = cursor.eatSign('(')
  const given = bracket || cursor.eatSign('=')
  let argument = ''
  if (given) {
    const signed = cursor.eatSign('-') || cursor.eatSign('+')
    const token = cursor.next()
    if (token.kind === 'sign' || token.kind === 'end' || (signed && token.kind !== 'number')) {
      throw new Unread('syntax')
    }
    argument = token.name === '' ? token.text.toLowerCase() : token.name
    // `PRAGMA table_info(main.t)` does not exist; anything more is none of ours.
    if (bracket) cursor.expectSign(')')
  }
  const reads = given ? readWithArgument.has(name) : readAlone.has(name)
  if (!reads) return { verb: 'PRAGMA', effects: { session: true, writes: true } }
  const named = given && !/^\d*$/.test(argument) ? [{ schema: '', name: argument }] : []
  return { verb: 'PRAGMA', reads: named, effects: { silent: true } }
}
