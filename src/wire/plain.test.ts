import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integerOf } from './integer.ts'
import { readJson } from './json.ts'
import { plainAt } from './plain.ts'

const limits = { bytesMax: 1_000_000, depthMax: 64 }
const plain = (text: string): unknown => {
  const tree = readJson(Buffer.from(text), limits)
  return plainAt(tree, tree.root)
}

const cases: readonly [what: string, text: string, value: unknown][] = [
  ['19 digits stay as they are', '1234567890123456789', '1234567890123456789'],
  ['as do they with a sign', '-9007199254740993', '-9007199254740993'],
  ['the largest safe integer is a number', '9007199254740991', 9007199254740991],
  ['one spelt with an exponent is its digits', '1e20', '100000000000000000000'],
  ['a fraction is a number', '1.5', 1.5],
  ['what no double can hold is its own spelling', '[1e400]', ['1e400']],
]
for (const [what, text, value] of cases) {
  test(`a number: ${what}`, () => assert.deepEqual(plain(text), value))
}
test('a key named __proto__ is a member of its own', () => {
  const value = plain('{"__proto__":{"admin":true},"a":1}')
  assert.deepEqual(Object.entries(value ?? {}), [
    ['__proto__', { admin: true }],
    ['a', 1],
  ])
  assert.equal(Reflect.get({}, 'admin'), undefined)
})
test('what JSON.parse gives for values it can hold is what comes back', () => {
  const property = fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    const text = JSON.stringify(value)
    assert.deepEqual(plain(text), withDigits(JSON.parse(text)))
  })
  fc.assert(property, { numRuns: 300 })
})

/** Large integers as texts, as the reader gives them. */
function withDigits(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return integerOf(JSON.stringify(value))
  }
  if (Array.isArray(value)) return value.map(withDigits)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, withDigits(of)]))
}
