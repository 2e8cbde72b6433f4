import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { factsOf } from './build.ts'
import { openOther } from './other.ts'
import { loadSecond } from './other-second.ts'
import type { Other } from './other-tokens.ts'
import type { Problem } from './statement.ts'

const readOther = await openOther()
const settings = {
  dialect: undefined,
  columns: (name: string): boolean => name === 'pan',
  tables: (name: string): boolean => name === 'cards',
  schema: new Map<string, readonly string[]>(),
}
const dialects: readonly Other[] = ['mysql', 'mariadb', 'sqlserver', 'sqlite', 'oracle']

function isHarmless(text: string, dialect: Other): boolean {
  const read = readOther(text, dialect)
  if ('problem' in read) return false
  return factsOf(read, dialect, settings, '').every(
    (fact) => !fact.writes && !fact.exports && !fact.uses_files && !fact.is_dynamic && fact.parsed,
  )
}

const refused: readonly (readonly [string, Other, string, Problem])[] = [
  ['nothing', 'mysql', '', 'empty'],
  ['a comment', 'sqlserver', '-- x', 'empty'],
  ['semicolons', 'sqlite', ';;', 'empty'],
  ['a NUL byte', 'mysql', 'SELECT 1\0; DROP TABLE x', 'nul'],
  ['a NUL byte in a string', 'sqlite', "SELECT '\0'", 'nul'],
  ['a comment that MySQL runs', 'mysql', 'SELECT 1 /*!50000 , pan */ FROM cards', 'versioned_comment'],
  ['a comment that MariaDB runs', 'mariadb', 'SELECT 1 /*M! , pan */', 'versioned_comment'],
  ['a hint that sets a variable', 'mysql', "SELECT /*+ SET_VAR(a='b') */ 1", 'versioned_comment'],
  ['an open string', 'sqlserver', "SELECT 'a", 'syntax'],
  ['an open name', 'sqlserver', 'SELECT [a', 'syntax'],
  ['an open comment', 'mysql', 'SELECT 1 /* a', 'syntax'],
  ['an inner comment that ends the text', 'sqlserver', 'SELECT 1 /* /* */', 'syntax'],
  ['a lone return in a line comment', 'sqlserver', 'SELECT 1 -- a\rDELETE x', 'syntax'],
  ['a line separator in a line comment', 'oracle', 'SELECT 1 -- a\u2028DELETE x', 'syntax'],
  ['a space that is none everywhere', 'sqlserver', 'SELECT\u00a01', 'syntax'],
  ['a byte order mark', 'sqlite', '\ufeffSELECT 1', 'syntax'],
  ['a backslash outside', 'mysql', '\\! ls', 'syntax'],
  ['two statements without semicolon', 'mysql', 'SELECT 1 DELETE FROM x', 'syntax'],
  ['a statement nobody knows', 'oracle', 'FROBNICATE x', 'unknown_statement'],
  ['code in WITH', 'oracle', 'WITH FUNCTION f RETURN NUMBER IS BEGIN RETURN 1; END; SELECT 1', 'unknown_statement'],
  ['10,000 brackets', 'mysql', `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, 'too_deep'],
  ['10,000 brackets, open', 'sqlserver', `SELECT ${'('.repeat(10_000)}`, 'too_deep'],
  ['2,000 NOTs', 'sqlite', `SELECT ${'NOT '.repeat(2000)}1`, 'too_deep'],
  ['a long chain of two operators', 'oracle', `SELECT 1${'*1/1'.repeat(2000)}`, 'too_deep'],
  ['2,000 unions', 'sqlite', `SELECT 1${' UNION SELECT 1'.repeat(2000)}`, 'too_deep'],
  ['2,000 joins', 'sqlite', `SELECT 1 FROM a${' JOIN a'.repeat(2000)}`, 'too_deep'],
  ['1,000 statements', 'sqlite', 'SELECT 1;'.repeat(1000), 'too_large'],
  ['a string that ends elsewhere in another mode', 'mysql', String.raw`SELECT '\', load_file(1) -- '`, 'disagreement'],
] // prettier-ignore

for (const [name, dialect, text, problem] of refused) {
  test(`${name} is not read (${dialect})`, () => {
    assert.deepEqual(readOther(text, dialect), { problem })
  })
}

test('another grammar contradicts a number of statements, a table or a change', async () => {
  const contradicts = await loadSecond()
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['SELECT a FROM t', 'SELECT b FROM t WHERE 1 = 1', false],
    ['SELECT a FROM t; SELECT b FROM t', 'SELECT a FROM t', true],
    ['SELECT a FROM t, u', 'SELECT a FROM t', true],
    ['SELECT a FROM t', 'SELECT a FROM t, u', true],
    ['DELETE FROM t', 'SELECT a FROM t', true],
    ['DROP TABLE t', 'SELECT a FROM t', true],
    ['SELECT FROM WHERE', 'SELECT a FROM t', false],
  ]
  for (const [theirs, ours, expected] of cases) {
    const read = readOther(ours, 'mysql')
    if ('problem' in read) assert.fail(ours)
    assert.equal(contradicts(theirs, 'mysql', read), expected, theirs)
  }
})

test('a long chain of one operator, a long list and a long string are read in time', () => {
  const start = performance.now()
  for (const text of [
    `SELECT 1 FROM a WHERE b = 1${' OR b = 1'.repeat(5000)}`,
    `SELECT 1 FROM a WHERE b IN (${'1,'.repeat(50_000)}1)`,
    `SELECT '${'x'.repeat(1_000_000)}'`,
  ]) {
    for (const dialect of dialects) assert.ok(isHarmless(text, dialect), text.slice(0, 40))
  }
  assert.ok(performance.now() - start < 10_000)
})

test('nested calls with a grammar of their own cost no more than a bounded number of steps', () => {
  const text = `SELECT ${'trim(both from '.repeat(100)}1${')'.repeat(100)}`
  const start = performance.now()
  readOther(text, 'mysql')
  assert.ok(performance.now() - start < 2000)
})

test('backslashes that move no border are no disagreement', () => {
  const texts = [
    String.raw`SELECT 'a\\b' REGEXP '\\d+'`,
    String.raw`SELECT 'it\'s'`,
    String.raw`SELECT "\""`,
  ]
  for (const text of texts) assert.ok(isHarmless(text, 'mysql'), text)
})

const queries = [
  'SELECT 1', 'SELECT a FROM t', 'SELECT a b FROM t c', 'SELECT * FROM t WHERE a = 1', "SELECT 'x' AS y",
  'SELECT a FROM t ORDER BY a', 'SELECT a FROM t GROUP BY a HAVING a > 1', 'SELECT abs(a) FROM t',
  'SELECT a FROM t JOIN u ON t.a = u.a', 'SELECT a FROM (SELECT a FROM t) x', 'SELECT (SELECT 1)',
  'WITH x AS (SELECT 1 AS a) SELECT a FROM x', 'SELECT a FROM t UNION SELECT a FROM u',
  'SELECT CASE WHEN a = 1 THEN 2 END FROM t', 'SELECT a FROM t WHERE a IN (1, 2)',
  'SELECT a FROM t WHERE a IS NULL', 'SELECT CAST(a AS int) FROM t', 'SELECT sum(a) OVER (ORDER BY b) FROM t',
  'SELECT -a FROM t', 'SELECT t.* FROM t',
] // prettier-ignore
const gaps = [' ', '\n', ' /* x */ ', '/**/', ' -- x\n', '\t', ' ; ', ';']
const changes = [
  'DELETE cards', 'DELETE FROM cards', 'UPDATE cards SET pan = 1', 'INSERT INTO x SELECT pan FROM cards',
  'DROP TABLE cards', 'TRUNCATE TABLE cards', 'CREATE TABLE x AS SELECT * FROM cards', "EXEC('x')", 'EXEC p',
  'MERGE INTO cards USING x ON 1=1 WHEN MATCHED THEN DELETE', 'GRANT SELECT ON cards TO x', 'CALL p()',
  'SELECT * INTO y FROM cards', "SELECT 1 INTO OUTFILE 'x'", "INTO OUTFILE 'x'", "EXEC xp_cmdshell 'x'",
  "BULK INSERT cards FROM 'x'", "EXECUTE sp_executesql N'x'", 'ALTER TABLE cards ADD x int', 'SHUTDOWN',
] // prettier-ignore

test('a change behind a query is never overlooked, with a semicolon or without', () => {
  for (const dialect of dialects) {
    for (const query of queries) {
      assert.ok(isHarmless(query, dialect), `${dialect}: ${query}`)
      for (const gap of gaps) {
        for (const change of changes) {
          // Elsewhere the bare word is the alias of a column.
          if (change === 'SHUTDOWN' && dialect !== 'sqlserver') continue
          const text = `${query}${gap}${change}`
          assert.ok(!isHarmless(text, dialect), `${dialect}: ${text}`)
        }
      }
    }
  }
})

test('a change in a bracket, a branch or a WITH is never overlooked', () => {
  const around = ['SELECT * FROM (@) x', 'SELECT (@)', 'WITH x AS (@) SELECT 1', 'SELECT f(@)', 'SELECT a IN (@)',
    'IF 1=1 @', 'BEGIN @ END', 'SELECT CASE WHEN 1=1 THEN (@) END', 'EXPLAIN ANALYZE @', 'WITH x AS (SELECT 1) @',
    'BEGIN TRY SELECT 1 END TRY BEGIN CATCH @ END CATCH', 'SELECT max(a) OVER (ORDER BY (@)) FROM t',
    'WHILE 1=1 @', 'DECLARE @a int @', 'SET @a = 1 @'] // prettier-ignore
  for (const dialect of dialects) {
    for (const frame of around) {
      for (const change of changes.slice(0, 8)) {
        const text = frame.replace(/@(?!a)/, () => change)
        assert.ok(!isHarmless(text, dialect), `${dialect}: ${text}`)
      }
    }
  }
})

test('the same words in strings, names and comments change nothing', () => {
  for (const word of changes) {
    const text = word.replaceAll("'", "''")
    for (const dialect of dialects) {
      assert.ok(isHarmless(`SELECT '${text}'`, dialect), text)
      assert.ok(isHarmless(`SELECT 1 /* ${word} */`, dialect), word)
      assert.ok(isHarmless(`SELECT 1 -- ${word}`, dialect), word)
    }
    const quoted = word.replaceAll(/["'[\]`]/g, '')
    assert.ok(isHarmless(`SELECT [${quoted}] FROM t`, 'sqlserver'), word)
    assert.ok(isHarmless(`SELECT \`${quoted}\` FROM t`, 'mysql'), word)
  }
})

/** SQLite itself says whether a statement writes: its program opens a write transaction, or it refuses. */
function sqliteWrites(database: DatabaseSync, text: string): boolean | undefined {
  try {
    const program = database.prepare(`EXPLAIN ${text}`).all()
    return program.some(
      ({ opcode, p2 }) =>
        (opcode === 'Transaction' && p2 !== 0) ||
        ['Vacuum', 'JournalMode', 'SetCookie', 'Destroy', 'Checkpoint', 'IncrVacuum'].includes(
          String(opcode),
        ),
    )
  } catch {
    return undefined
  }
}

test('no statement that SQLite itself compiles into a write is read as harmless', () => {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t (a, b); CREATE TABLE cards (pan, a); CREATE TABLE x (pan)')
  const words = fc.constantFrom(
    'SELECT', 'a', 'FROM', 't', 'cards', 'WITH', 'x', 'AS', '(', ')', '(SELECT 1)', 'DELETE', 'UPDATE',
    'SET', 'pan', '=', '1', 'INSERT', 'INTO', 'VALUES', '(1)', 'REPLACE', ';', '--', '/*', '*/', '\n', "'", '"', '`',
    '[', ']', 'RETURNING', '*', 'WHERE', 'OR', ',', 'PRAGMA', 'user_version', 'journal_mode', 'VACUUM', 'CREATE',
    'TABLE', 'DROP', 'EXPLAIN', 'UNION', 'ORDER BY a', 'LIMIT 1', 'DEFAULT VALUES', 'ANALYZE', 'REINDEX', 'NOT',
  ) // prettier-ignore
  const starts = fc.constantFrom(
    'SELECT a FROM t', 'DELETE FROM cards', 'INSERT INTO x', 'WITH x AS (SELECT 1)', 'UPDATE t SET a = 1',
    'REPLACE INTO x', 'PRAGMA user_version', 'CREATE TABLE z', '', 'INSERT INTO x SELECT a FROM t',
  ) // prettier-ignore
  let writes = 0
  const property = fc.property(starts, fc.array(words, { maxLength: 6 }), (start, rest) => {
    const text = `${start} ${rest.join(' ')}`
    const truth = sqliteWrites(database, text)
    if (truth !== true) return
    writes += 1
    assert.ok(!isHarmless(text, 'sqlite'), text)
  })
  fc.assert(property, { numRuns: 4000 })
  assert.ok(writes > 100, `${writes} of the texts were writes`)
})

test('whatever the text, there is an answer and no error', () => {
  const text = fc.array(
    fc.constantFrom('SELECT', '(', ')', "'", '"', '`', '[', ']', '--', '/*', '*/', ';', 'INTO', 'x', '.', ',',
      'INSERT', 'MERGE', 'WITH', 'AS', 'CASE', 'END', '@a', '{', '}', '\\', 'q\'[', '1e', '0x', 'OVER', 'é'), // prettier-ignore
    { maxLength: 30 },
  )
  const property = fc.property(
    text,
    fc.constantFrom(...dialects),
    fc.boolean(),
    (parts, dialect, spaced) => {
      const read = readOther(parts.join(spaced ? ' ' : ''), dialect)
      if (!('problem' in read)) factsOf(read, dialect, settings, '')
    },
  )
  fc.assert(property, { numRuns: 3000 })
})
