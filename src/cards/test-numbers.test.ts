import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broken, pan } from '../../tests/cards.ts'
import { passesLuhn } from './luhn.ts'
import { brandOf } from './ranges.ts'
import { isTestNumber, testNumbers } from './test-numbers.ts'

const digitsOf = (number: string): Uint8Array => Uint8Array.from(number, (digit) => Number(digit))
const isTest = (number: string): boolean => isTestNumber(digitsOf(number), number.length)

test('a number that nobody published is none, however like one it looks', () => {
  for (const number of [pan('4', 16), pan('4242', 16, '7'), pan('411111', 19, '1')]) {
    assert.equal(isTest(number), false, number.slice(-4))
  }
})
test('a published number with another last digit, or one digit more or less, is none', () => {
  const number = pan('4', 16, '1')
  assert.equal(isTest(broken(number)), false)
  assert.equal(isTest(number.slice(0, -1)), false)
  assert.equal(isTest(`${number}1`), false)
  assert.equal(isTest(`0${number}`), false)
})
test('digits behind the length do not count', () => {
  const digits = new Uint8Array(24).fill(7)
  digits.set(digitsOf(pan('42', 16, '42')))
  assert.equal(isTestNumber(digits, 16), true)
  assert.equal(isTestNumber(digits, 17), false)
})
test('the numbers of the processors are known, of each length', () => {
  const known = [
    pan('4', 16, '1'),
    pan('42', 16, '42'),
    pan('555555555555', 16, '4'),
    pan('3782822463', 15, '1000'),
    pan('3714496353', 15, '9843'),
    pan('6011', 16, '1'),
    pan('3056930902', 14, '590'),
    pan('35301113333', 16, '0'),
    pan('62', 16, '0'),
    pan('4000', 16, '0'),
    pan('4', 13, '2'),
    pan('444433332222', 16, '1'),
    pan('37', 15, '0'),
    pan('49176100', 19, '0'),
  ]
  for (const number of known) assert.equal(isTest(number), true, `…${number.slice(-4)}`)
})
test('each is listed once, passes Luhn, and is known as what it is', () => {
  const all = testNumbers.flatMap(([, numbers]) => numbers.split(/\s+/))
  assert.equal(all.length, 124)
  assert.equal(new Set(all).size, all.length)
  for (const number of all) {
    assert.match(number, /^[2-6][0-9]{8,14}[.][0-9]{4}$|^1354[0-9]{7}[.][0-9]{4}$/)
    const digits = digitsOf(number.replace('.', ''))
    assert.ok(passesLuhn(digits, digits.length), `…${number.slice(-4)}`)
    assert.ok(isTestNumber(digits, digits.length), `…${number.slice(-4)}`)
  }
})
test('most of them lie in ranges that the scanner knows', () => {
  const all = testNumbers.flatMap(([, numbers]) => numbers.replaceAll('.', '').split(/\s+/))
  const known = all.filter((number) => brandOf(digitsOf(number), number.length) !== 0)
  assert.ok(known.length >= all.length - 8, `${known.length} of ${all.length}`)
})
