import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { Sweeper } from './sweep.ts'

const visa = pan(4, 16)
const amex = pan(37, 15)
const sweeper = new Sweeper()
const nowhere = new Int32Array(0)
const firstIn = (text: string, allowed = nowhere): number =>
  sweeper.sweep(Buffer.from(text), allowed)
const fours = (by: string): string => grouped(visa, [4, 4, 4, 4], by)

const clear: readonly (readonly [how: string, text: string])[] = [
  ['as it is', visa],
  ['of nineteen digits', pan(4, 19)],
  ['in groups', fours(' ')],
  ['with dashes and blanks', fours(' - ')],
  ['in groups of another kind', grouped(amex, [4, 6, 5], '-')],
  ['in two groups', grouped(visa, [8, 8], ' ')],
  ['with backslashes', fours('\\')],
]
for (const [how, text] of clear) {
  test(`a number is found ${how}, wherever it stands`, () => {
    for (let before = 0; before < 70; before++)
      assert.equal(firstIn(`${'x '.repeat(before)}|${text}|`), before * 2 + 1, String(before))
  })
}
test('a number is found across the end of what is looked at in one go', () => {
  for (const size of [32_768, 65_536]) {
    for (let back = 0; back < 24; back++) {
      const at = size - back
      assert.equal(firstIn(`${'.'.repeat(at - 1)},${visa},${'.'.repeat(90)}`), at)
      assert.equal(firstIn(`${'.'.repeat(at - 1)},${fours(' ')}`), at)
    }
  }
})
test('a number is found at the very beginning and end', () => {
  assert.equal(firstIn(visa), 0)
  assert.equal(firstIn(`${'-'.repeat(64)}|${visa}`), 65)
})

const none: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['digits that are too few', visa.slice(0, 11)],
  ['a number that is wrong', broken(visa)],
  ['times and amounts', '2026-01-15T08:30:00.123Z 1234.56 12345678 2026 01 15'],
  ['columns', grouped(visa, [4, 4, 4, 4], '  ')],
  ['what was masked', `************${visa.slice(12)} **** **** **** ${visa.slice(12)}`],
  ['last four digits of many', `${visa.slice(12)}", "${visa.slice(12)}\\n\\n`.repeat(40)],
]
for (const [what, text] of none) {
  test(`nothing is found in ${what}`, () => assert.equal(firstIn(text), -1))
}
test('numbers may stand where that is allowed, and nowhere else', () => {
  const text = `${visa}, ${amex}, ${visa}`
  const second = visa.length + 2
  const third = second + amex.length + 2
  assert.equal(firstIn(text, Int32Array.of(0, visa.length)), second)
  assert.equal(firstIn(text, Int32Array.of(0, visa.length, second, second + amex.length)), third)
  assert.equal(firstIn(text, Int32Array.of(0, text.length)), -1)
  assert.equal(firstIn(text, Int32Array.of(0, visa.length - 1)), 0)
})
