import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integerOf } from './integer.ts'

const no = undefined
const table: readonly [token: string, integer: string | undefined][] = [
  ['', no],
  ['-', no],
  ['+1', no],
  ['01', no],
  ['1.', no],
  ['.5', no],
  ['1e', no],
  ['0x10', no],
  [' 1', no],
  ['1\n', no],
  ['NaN', no],
  ['1.5', no],
  ['-0.1', no],
  ['15e-1', no],
  ['1e-400', no],
  ['1e400', no],
  ['1e99999999999999999999', no],
  ['0', '0'],
  ['-0', '0'],
  ['0.000', '0'],
  ['0e999999999999', '0'],
  ['42', '42'],
  ['42.0', '42'],
  ['-42.00', '-42'],
  ['4.2e1', '42'],
  ['420E-1', '42'],
  ['0.042e+3', '42'],
  ['100e-2', '1'],
  ['12345678901234567890', '12345678901234567890'],
  ['1e20', '100000000000000000000'],
]
for (const [token, integer] of table) {
  test(`the number ${JSON.stringify(token)} is ${integer ?? 'no integer'}`, () => {
    assert.equal(integerOf(token), integer)
  })
}

test('every spelling of an integer comes to the same', () => {
  const same = fc.property(
    fc.bigInt().filter((value) => value !== 0n),
    fc.nat({ max: 5 }),
    fc.nat({ max: 5 }),
    (value, zeros, move) => {
      const digits = `${value}`
      const spellings = [
        digits,
        `${digits}.${'0'.repeat(zeros + 1)}`,
        `${digits}${'0'.repeat(move)}e-${move}`,
      ]
      for (const spelling of spellings) assert.equal(integerOf(spelling), digits)
    },
  )
  fc.assert(same)
})
