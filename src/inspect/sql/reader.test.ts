/** The reader: its cache, its bounds, its thread, and connections that do not say their dialect. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { SqlFact } from '../facts.ts'
import { createSqlReader, type SqlReader } from './reader.ts'
import { settingsFor, toldAll } from './told.fixture.ts'

const settings = settingsFor('postgresql')
const reader = createSqlReader()
after(() => reader.close())

async function read(
  sql: string,
  of = settings,
  by: SqlReader = reader,
): Promise<readonly SqlFact[]> {
  return by.read(sql, of, '/sql')
}

const bombs: readonly (readonly [name: string, sql: string, problem: string])[] = [
  ['10,000 parentheses', `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, 'too_deep'],
  ['4 MiB', `SELECT '${'x'.repeat(4 * 1024 * 1024)}'`, 'too_large'],
  ['a NUL', 'SELECT 1\0; DROP TABLE cards', 'nul'],
  ['a lone surrogate', "SELECT '\uDC00'", 'syntax'],
  ['20,000 arrays', `SELECT ${'ARRAY['.repeat(20_000)}1${']'.repeat(20_000)}`, 'too_deep'],
  ['20,000 names', `SELECT a${'.b'.repeat(20_000)}`, ''],
]
test('bombs are refused, and the next statement is read', async (t) => {
  for (const [name, sql, problem] of bombs) {
    await t.test(name, async () => {
      const [fact] = await read(sql)
      if (problem) assert.equal(fact?.problem, problem)
      assert.ok(fact?.parsed === false || problem === '')
      assert.equal(toldAll(await read('SELECT id FROM orders')), 'SELECT <orders .id')
    })
  }
})

test('what takes too long is ended, and the next statement is read', async () => {
  const hasty = createSqlReader({ withinMs: 1, ownThreadCharsMax: 10 })
  // The first one has the thread's start within its time.
  await read('SELECT id FROM orders', settings, hasty)
  const long = `SELECT ${Array.from({ length: 60_000 }, (_, i) => `a${i} + 1`).join(', ')}`
  const [fact] = await read(long, settings, hasty)
  assert.equal(fact?.problem, 'too_slow')
  assert.equal(fact.parsed, false)
  assert.equal(
    toldAll(await read('SELECT id, a FROM orders', settings, hasty)),
    'SELECT <orders .a,id',
  )
  await hasty.close()
})

test('a closed reader and a full queue answer at once', async () => {
  const full = createSqlReader({ waitingMax: 1, ownThreadCharsMax: 0 })
  const asked = ['SELECT 1', 'SELECT 2', 'SELECT 3'].map((sql) => read(sql, settings, full))
  const problems = (await Promise.all(asked)).map(([fact]) => fact?.problem)
  assert.deepEqual(problems, ['', '', 'too_slow'])
  await full.close()
  assert.equal((await read('SELECT 4', settings, full))[0]?.problem, 'too_slow')
})

test('long statements have the same facts from the thread', async () => {
  const far = createSqlReader({ ownThreadCharsMax: 0 })
  const statements = [
    'SELECT pan FROM cards WHERE id IN (1, 2, 3) LIMIT 5',
    'WITH d AS (DELETE FROM cards RETURNING *) SELECT * FROM d; COMMIT',
    `DELETE FROM cards WHERE id IN (${Array.from({ length: 500 }, (_, i) => i).join(',')})`,
    `INSERT INTO cards (pan) VALUES ${Array.from({ length: 50 }, () => "('x')").join(',')}`,
  ]
  for (const sql of statements) assert.deepEqual(await read(sql, settings, far), await read(sql))
  await far.close()
})

test('the same text is read once for a connection and a place', async () => {
  const sql = 'SELECT pan FROM cards -- once'
  const first = await read(sql)
  assert.equal(reader.read(sql, settings, '/sql'), first)
  assert.notEqual(reader.read(sql, settings, '/other'), first)
  assert.notEqual(reader.read(sql, settingsFor('postgresql'), '/sql'), first)
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first[0]) && Object.isFrozen(first[0]?.verbs))
  assert.ok(Object.isFrozen(first[0]?.columns_returned['pan']))
})

test('the cache forgets what was not asked for longest', async () => {
  const small = createSqlReader({ cacheEntriesMax: 2 })
  const [a] = [await read('SELECT 1', settings, small), await read('SELECT 2', settings, small)]
  assert.equal(await read('SELECT 1', settings, small), a)
  await read('SELECT 3', settings, small)
  assert.equal(await read('SELECT 1', settings, small), a)
  const few = createSqlReader({ cacheBytesMax: 9000 })
  const b = await read('SELECT 1', settings, few)
  for (let i = 2; i < 40; i++) await read(`SELECT ${i}`, settings, few)
  assert.notEqual(await read('SELECT 1', settings, few), b)
  assert.deepEqual(await read('SELECT 1', settings, few), b)
})

const unsaid: readonly (readonly [sql: string, told: string | RegExp])[] = [
  ['SELECT id FROM orders', 'SELECT <orders .id'],
  ['SELECT TOP 10 id FROM orders', /^SELECT <orders .id limit=10/],
  ['SELECT `id` FROM orders', /^SELECT <orders .id/],
  ['DELETE FROM cards', /^DELETE >cards writes whereless touches/],
  ['SELECT id /*!50000 , pan */ FROM cards', 'UNPARSED versioned_comment'],
  ['COPY cards TO STDOUT', /^COPY\+SELECT <cards .* exports/],
  ['SELECT ifnull(a, 0), getdate() FROM orders', 'SELECT <orders .a'],
  ['SELECT purge_cards()', 'SELECT writes dynamic'],
  ['hello world', 'UNPARSED syntax'],
  ['SELEC 1', 'UNPARSED syntax'],
]
test('without a dialect every grammar is tried, and the worst of what they say holds', async (t) => {
  for (const [sql, expected] of unsaid) {
    await t.test(sql, async () => {
      const text = toldAll(await read(sql, settingsFor(undefined)))
      if (typeof expected === 'string') assert.equal(text, expected)
      else assert.match(text, expected)
    })
  }
})
