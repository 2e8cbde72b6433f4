import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectSettings } from './settings.ts'

const of = (tables: readonly string[]): ReturnType<typeof inspectSettings> =>
  inspectSettings({
    cardholderData: { columns: [], tables },
    sql: { tools: {}, schema: {} },
  })

const usual: readonly [name: string, is: boolean][] = [
  ['cards', true],
  ['public.cards', true],
  ['Payment_Cards', true],
  ['acme_credit_card_2024', true],
  ['cards_archive', true],
  ['pan', true],
  ['cardholder_data', true],
  ['card_vault_bak', true],
  ['orders', false],
  ['postcards', false],
  ['card_readers', false],
  ['discards', false],
  ['cards_of_day', false],
  ['company', false],
]
for (const [name, is] of usual) {
  test(`where no table is named, ${name} ${is ? 'is' : 'is not'} one of cards`, () => {
    assert.equal(of([]).tables(name), is)
  })
}
test('where tables are named, they are all there are', () => {
  const { tables } = of(['vault.*_data', 'plastic'])
  assert.deepEqual(
    ['cards', 'plastic', 'x.plastic', 'vault.card_data', 'other.card_data'].map(tables),
    [false, true, true, true, false],
  )
})
