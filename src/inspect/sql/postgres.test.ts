/**
 * PostgreSQL: a table of statements with the facts they must have (`postgres-risky.txt`), and one of
 * statements that must look harmless (`postgres-harmless.txt`): each line, then its facts as
 * `told.fixture.ts` writes them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import fc from 'fast-check'
import type { SqlFact } from '../facts.ts'
import { factsOf, unreadableFact } from './build.ts'
import { loadPostgres, readPostgres } from './postgres.ts'
import { settingsFor, toldAll } from './told.fixture.ts'

type Row = readonly [sql: string, told: string]

function rowsOf(name: string): readonly Row[] {
  const lines = readFileSync(new URL(name, import.meta.url), 'utf8').split('\n')
  return lines.flatMap((line, i): Row[] => {
    const next = lines[i + 1] ?? ''
    return next.startsWith('    ') ? [[line, next.trim()]] : []
  })
}

const risky = rowsOf('./postgres-risky.txt')
const harmless = rowsOf('./postgres-harmless.txt')
const settings = settingsFor('postgresql')

before(loadPostgres)

function facts(text: string): readonly SqlFact[] {
  const read = readPostgres(text)
  if ('problem' in read) return [unreadableFact(read.problem, 'postgresql', '/sql')]
  return factsOf(read, 'postgresql', settings, '/sql')
}

test('the tables are there', () => {
  assert.ok(risky.length >= 300, String(risky.length))
  assert.ok(harmless.length >= 130, String(harmless.length))
})

test('what a statement does', async (t) => {
  for (const [sql, expected] of risky) {
    await t.test(sql, () => assert.equal(toldAll(facts(sql)), expected))
  }
})

test('harmless statements look harmless', async (t) => {
  for (const [sql, expected] of harmless) {
    await t.test(sql, () => {
      const all = facts(sql)
      assert.equal(toldAll(all), expected)
      for (const fact of all) {
        assert.ok(fact.parsed)
        const marks = [fact.writes, fact.exports, fact.is_dynamic, fact.touches_cardholder_data]
        assert.deepEqual([...marks, ...fact.dangerous_functions], [false, false, false, false])
      }
    })
  }
})

const returned: readonly (readonly [sql: string, columns: Record<string, readonly string[]>])[] = [
  ['SELECT pan AS x, id FROM cards', { x: ['pan'], id: ['id'] }],
  ['SELECT count(pan) AS n FROM cards', { n: [] }],
  ["SELECT pan || '-' || cvv AS a FROM cards", { a: ['cvv', 'pan'] }],
  ['SELECT * FROM customers', { id: ['id'], name: ['name'], city: ['city'], pan: ['pan'] }],
  ['SELECT a.* FROM (SELECT pan AS b FROM cards) a', { b: ['pan'] }],
  ['SELECT * FROM cards', { '*': ['*'] }],
  ['SELECT lower(pan) FROM cards', { lower: ['pan'] }],
  ['SELECT 1 AS a, pan AS a FROM cards', { a: ['pan'] }],
  ['SELECT id AS x FROM a UNION ALL SELECT pan FROM cards', { x: ['id', 'pan'] }],
  ['UPDATE cards SET id = 1 WHERE id = 2 RETURNING pan AS p', { p: ['pan'] }],
  ['SELECT pan AS "__proto__" FROM cards', Object.fromEntries([['__proto__', ['pan']]])],
]
test('what the columns of a result are made of', async (t) => {
  for (const [sql, columns] of returned) {
    await t.test(sql, () => assert.deepEqual(facts(sql)[0]?.columns_returned, columns))
  }
})

test('a star counts as cardholder data unless the connection names its tables', () => {
  const read = readPostgres('SELECT * FROM orders')
  assert.ok(Array.isArray(read))
  const { namesTables: _, ...asked } = settings
  const [fact] = factsOf(read, 'postgresql', asked, '/sql')
  assert.equal(fact?.touches_cardholder_data, true)
  assert.equal(fact?.returns_cardholder_data, true)
  const system = readPostgres('SELECT * FROM pg_class, information_schema.tables')
  assert.ok(Array.isArray(system))
  assert.equal(factsOf(system, 'postgresql', asked, '/sql')[0]?.touches_cardholder_data, false)
})

test('what is not text gives the worst facts', () => {
  const odd: readonly (readonly [text: string, problem: string])[] = [
    ['SELECT 1\0; DROP TABLE cards', 'nul'],
    ['SELECT \uD800', 'syntax'],
    ['', 'empty'],
    [' \n ', 'empty'],
    ['\uFEFFSELEC 1', 'syntax'],
    [`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, 'too_deep'],
  ]
  for (const [text, problem] of odd) {
    const [fact] = facts(text)
    assert.equal(fact?.problem, problem)
    assert.equal(fact.parsed, false)
    assert.ok(fact.writes && fact.exports && fact.touches_cardholder_data && fact.is_dynamic)
  }
  assert.equal(toldAll(facts('SELECT 1')), 'SELECT')
})

test('any text gives facts', () => {
  const word = fc.constantFrom(
    ...risky.flatMap(([sql]) => sql.split(' ')),
    '(',
    ')',
    ';',
    ',',
    "'",
    '"',
    '--',
    '/*',
    '*/',
    '$$',
    '\n',
    'É',
    '💳',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(text, (sql) => assert.ok(facts(sql).length > 0)),
    { numRuns: 2000 },
  )
})

test('blanks, comments and case change nothing', () => {
  const plain = [...risky, ...harmless].filter(([sql]) => !/['"$\\]|--|\/\*/.test(sql))
  assert.ok(plain.length > 150)
  const gap = fc.constantFrom(' ', '\n', '\t  ', ' /* a */ ', ' -- b\n', ' /* /* c */ */ ')
  const written = fc
    .tuple(fc.constantFrom(...plain), fc.array(gap, { minLength: 60, maxLength: 60 }), fc.boolean())
    .map(([[sql], gaps, isUpper]) => {
      const text = sql.split(' ').reduce((all, part, i) => all + (gaps[i] ?? ' ') + part)
      return [sql, isUpper ? text.toUpperCase() : text.toLowerCase()] as const
    })
  const without = (sql: string) =>
    facts(sql).map((fact) => ({ ...fact, has_comments: false, columns_returned: {} }))
  fc.assert(
    fc.property(written, ([sql, other]) => assert.deepEqual(without(other), without(sql))),
    { numRuns: 500 },
  )
})
