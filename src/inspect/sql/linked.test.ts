import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Dialect, SqlFact } from '../facts.ts'
import { createSqlReader } from './reader.ts'

const reader = createSqlReader({})
after(async () => await reader.close())

async function read(text: string, dialect: Dialect = 'postgresql'): Promise<SqlFact | undefined> {
  const of = {
    dialect,
    columns: (name: string) => /(?:^|\.)pan$/.test(name),
    tables: (name: string) => /(?:^|\.)cards$/.test(name),
    schema: new Map([['cards', ['id', 'customer_id', 'brand', 'pan']]]),
    namesTables: true,
  }
  const [fact] = await reader.read(text, of, '/sql')
  return fact
}

test('a key of one table names no rows of another beside it', async () => {
  for (const [text, dialect] of [
    ['SELECT c.pan FROM cards c, customers u WHERE u.id = 7'],
    ['SELECT c.pan FROM cards c JOIN orders o ON true WHERE o.id = 1'],
    ['SELECT a.pan, b.pan FROM cards a, cards b WHERE a.id = 1'],
    ['SELECT b.pan FROM cards a JOIN cards b ON a.brand = b.brand WHERE a.id = 1'],
    ['SELECT b.pan FROM cards a JOIN cards b ON b.id = b.id WHERE a.id = 1'],
    ['SELECT x.pan FROM orders o, LATERAL (SELECT pan FROM cards) x WHERE o.id = 1', 'mysql'],
    ['SELECT cards.pan FROM orders CROSS JOIN cards WHERE orders.id = 1', 'sqlite'],
    ['SELECT (SELECT string_agg(pan, $$,$$) FROM cards) FROM orders WHERE id = 1'],
    ['SELECT ARRAY(SELECT pan FROM cards) FROM orders WHERE id = 1'],
    ['SELECT (SELECT JSON_ARRAYAGG(pan) FROM cards) FROM orders WHERE id = 3', 'mysql'],
    ['SELECT (SELECT pan FROM cards FOR JSON PATH) FROM orders WHERE id = 3', 'sqlserver'],
    [
      "SELECT (SELECT pan + ',' FROM cards FOR XML PATH('')) x FROM orders WHERE id = 3",
      'sqlserver',
    ],
  ] as const) {
    const fact = await read(text, dialect)
    assert.equal(fact?.returns_cardholder_data, true, text)
    assert.equal(fact.where, 'filter', text)
  }
})

test('a key of one table names the rows that are joined to it by their own', async () => {
  for (const text of [
    'SELECT c.pan FROM cards c JOIN customers u ON u.id = c.customer_id WHERE u.id = 7',
    'SELECT c.pan FROM customers u, cards c WHERE u.id = c.customer_id AND u.id = 7',
    'SELECT c.pan FROM cards c JOIN payments p USING (card_id) WHERE p.id = 7',
    'SELECT c.pan FROM cards c, (VALUES (1), (2)) v WHERE c.id = 7',
    'SELECT string_agg(pan, $$,$$) FROM cards WHERE id IN (1, 2)',
  ]) {
    assert.equal((await read(text))?.where, 'key', text)
  }
})

test('what is undone by whoever reads it comes back: all columns of a row, bits turned', async () => {
  assert.equal((await read('SELECT (c.*).pan FROM cards c'))?.returns_cardholder_data, true)
  assert.equal((await read('SELECT ~pan FROM cards', 'mysql'))?.returns_cardholder_data, true)
})

test('stars that double with each step are read at once, and hold what they held', async () => {
  const steps = Array.from({ length: 60 }, (_, i) =>
    i === 0 ? 'c0 AS (SELECT * FROM cards)' : `c${i} AS (SELECT * FROM c${i - 1} a, c${i - 1} b)`,
  )
  for (const dialect of ['postgresql', 'mysql'] as const) {
    const fact = await read(`WITH ${steps.join(', ')} SELECT * FROM c59`, dialect)
    assert.equal(fact?.returns_cardholder_data, true)
  }
})
