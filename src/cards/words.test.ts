import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BLOCK, CARD, CID, CONTEXT, CVV, Names, PIN, TRACK, meaningOf } from './words.ts'

const strong = CARD | CVV | PIN | BLOCK | TRACK | CID
const names: readonly [name: string, meaning: number][] = [
  ['panel', 0],
  ['company', 0],
  ['japan', 0],
  ['expand', 0],
  ['cvv_result', 0],
  ['postal_pin', 0],
  ['opinion', 0],
  ['order_id', 0],
  ['card_type', 0],
  ['pan', CARD],
  ['card_number', CARD],
  ['CARD NUMBER', CARD],
  ['customerCardNumber', CARD],
  ['billing.pan', CARD],
  ['PANNumber', CARD],
  ['cc-num', CARD],
  ['cvv2', CVV],
  ['card_cvv', CVV],
  ['securityCode', CVV],
  ['Código de seguridad', CVV],
  ['cid', CID],
  ['pin', PIN],
  ['pin_block', BLOCK],
  ['track_2', TRACK],
]
for (const [name, meaning] of names) {
  test(`the name ${name} means ${meaning}`, () => assert.equal(meaningOf(name) & strong, meaning))
}
test('a name that speaks of cards lowers the bar', () => {
  assert.equal(meaningOf('card_type') & CONTEXT, CONTEXT)
  assert.equal(meaningOf('kind') & CONTEXT, 0)
})
test('configured columns are card columns, by their last part', () => {
  const known = new Names(['*.cc_*', 'secret'])
  const meaning = (name: string): number => {
    const bytes = Buffer.from(name)
    return known.of(known.id(bytes, 0, bytes.length)) & CARD
  }
  assert.equal(meaning('cc_one'), CARD)
  assert.equal(meaning('orders.cc_one'), CARD)
  assert.equal(meaning('Secret'), CARD)
  assert.equal(meaning('acc_one'), 0)
})
test('more names than are remembered keep their meanings', () => {
  const known = new Names([])
  for (let i = 0; i < 5000; i++) {
    const bytes = Buffer.from(i % 2 ? `k${i}x_cvv` : `k${i}x_size`)
    assert.equal(known.of(known.id(bytes, 0, bytes.length)) & CVV, i % 2 ? CVV : 0)
  }
})
