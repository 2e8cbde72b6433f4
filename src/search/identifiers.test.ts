import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqlNames } from './identifiers.ts'

const cases: readonly [sql: string, tables: string[], columns: string[]][] = [
  ['please select a card from the table', [], []],
  ['', [], []],
  ['SELECT a, t.B FROM Cards t', ['cards'], ['a', 'b', 't']],
  ['select * from a, b c, d where x in (1, y)', ['a', 'b', 'd'], ['c', 'x', 'y']],
  ['select * from a where b in (select c from d)', ['a', 'd'], ['b', 'c']],
  [
    'SELECT 1 FROM pay.cards JOIN "My Cards" m ON m.id = 2',
    ['cards', 'pay.cards', 'my cards'],
    ['m', 'id'],
  ],
  ["INSERT INTO cards (id, `Name`) VALUES (1, 'from orders')", ['cards'], ['id', 'name']],
  ['UPDATE only cards SET [last four] = 1', ['cards'], ['last four']],
  ['DELETE FROM cards -- from orders\nWHERE a = 1', ['cards'], ['a']],
  ['/* from x */ SELECT a', [], []],
  ['-- why\nSELECT a FROM /* from x */ b', ['b'], ['a']],
  ['CREATE TABLE IF NOT EXISTS cards (pan text)', ['cards'], ['pan', 'text']],
  ['SELECT count(a), lower(b) FROM c', ['c'], ['a', 'b']],
  ['SELECT $$from x$$, $t$ from y $t$, a FROM b', ['b'], ['a']],
  ["SELECT 'it''s from x' FROM b", ['b'], []],
  ["SELECT 'never ends FROM b", [], []],
  ['SELECT größe FROM straße', ['straße'], ['größe']],
]
for (const [sql, tables, columns] of cases) {
  test(`the names in ${sql === '' ? 'nothing' : sql} are found`, () => {
    const found = sqlNames(sql)
    assert.deepEqual([...found.tables].toSorted(), tables.toSorted())
    assert.deepEqual([...found.columns].toSorted(), columns.toSorted())
  })
}
test('a text of nothing but open quotes and brackets comes to an end', () => {
  for (const sign of ["'", '"', '/*', '$a$', '[', '`', '.', 'a.', '--', '(', '$']) {
    sqlNames(`select ${sign.repeat(65_000)}`)
  }
})
