import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broken, needy, pan, published } from '../../tests/cards.ts'
import { DIGIT, classOf } from './bytes.ts'
import { luhnDigit, passesLuhn } from './luhn.ts'
import { fits } from './ranges.ts'

const values = (digits: string): Uint8Array => Uint8Array.from(digits, (d) => Number(d))
const outside: readonly [why: string, digits: string][] = [
  ['an Amex prefix with sixteen digits', pan('37', 16)],
  ['a Mastercard prefix with fifteen digits', pan('51', 15)],
  ['a number below the second Mastercard range', pan('2219', 16)],
  ['a number above it', pan('2721', 16)],
  ['a JCB neighbour', pan('3527', 16)],
  ['eleven digits', pan('4', 11)],
  ['twenty digits', pan('4', 20)],
  ['our own digit form', `9000${pan('4', 16).slice(4)}`],
  ['milliseconds of this decade', '1763711234567'],
  ['nanoseconds of this decade', '1763711234567891234'],
]
for (const [why, digits] of outside) {
  test(`${why} fits no brand`, () => assert.equal(fits(digits), undefined))
}
for (const [brand, number] of published) {
  test(`a published ${brand} number of ${number.length} digits is in its range and passes Luhn`, () => {
    assert.deepEqual(fits(number), { brand, need: 'nothing' })
    assert.ok(passesLuhn(values(number), number.length))
  })
}
for (const [brand, number] of needy) {
  test(`a ${brand} number of ${number.length} digits needs context`, () => {
    const fit = fits(number)
    assert.equal(fit?.brand, brand)
    assert.notEqual(fit?.need, 'nothing')
  })
}
test('Luhn finds every single wrong digit', () => {
  const number = pan('4', 19)
  for (let i = 0; i < number.length; i++) {
    const wrong = String((Number(number[i]) + 3) % 10)
    const digits = number.slice(0, i) + wrong + number.slice(i + 1)
    assert.equal(passesLuhn(values(digits), digits.length), false)
  }
  assert.equal(passesLuhn(values(broken(number)), 19), false)
  assert.equal(luhnDigit(values('7992739871')), 3)
})
test('the digits of every script are known with their values', () => {
  for (let cp = 0x80; cp < 0x20000; cp++) {
    const isNd = /\p{Nd}/u.test(String.fromCodePoint(cp))
    assert.equal(classOf(cp) >= DIGIT, isNd, `code point ${cp.toString(16)}`)
  }
  assert.equal(classOf(0x667), DIGIT + 7)
  assert.equal(classOf(0x1d7d8 + 9), DIGIT + 9)
})
