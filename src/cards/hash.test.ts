import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import vectors from '../../tests/vectors/halfsiphash.json' with { type: 'json' }
import { pan } from '../../tests/cards.ts'
import { cardHash } from './hash.ts'

const key = Uint32Array.of(0x03020100, 0x07060504)
const digitsOf = (text: string): Uint8Array => Uint8Array.from(text, Number)

test('the vectors of the reference implementation come out, for every length from 0 to 63', () => {
  const input = Uint8Array.from({ length: 64 }, (_, i) => i)
  assert.equal(vectors.hashes.length, 64)
  for (const [length, hex] of vectors.hashes.entries()) {
    const out = Buffer.alloc(4)
    out.writeInt32LE(cardHash(input, length, key))
    assert.equal(out.toString('hex'), hex, `length ${length}`)
  }
})

test('what lies behind the length does not count', () => {
  const number = digitsOf(pan('4', 16))
  const longer = Uint8Array.of(...number, 7, 7, 7)
  assert.equal(cardHash(longer, 16, key), cardHash(number, 16, key))
  assert.notEqual(cardHash(longer, 17, key), cardHash(number, 16, key))
})

test('a number that begins like another one has another hash', () => {
  const zeros = new Uint8Array(19)
  const hashes = new Set(Array.from({ length: 20 }, (_, length) => cardHash(zeros, length, key)))
  assert.equal(hashes.size, 20)
})

test('another key gives another hash, whichever half of it differs', () => {
  const number = digitsOf(pan('51', 16))
  const keys = [key, Uint32Array.of(0x03020101, 0x07060504), Uint32Array.of(0x03020100, 0x87060504)]
  assert.equal(new Set(keys.map((one) => cardHash(number, 16, one))).size, 3)
})

test('a hash is a signed 32-bit integer and never 0, which stands for none', () => {
  // Found by trying numbers: under this key the hash of this input is 0.
  const input = Uint8Array.from(Buffer.from(vectors.zero, 'hex'))
  assert.equal(cardHash(input, input.length, key), 1)
  const digits = fc.uint8Array({ min: 0, max: 9, minLength: 12, maxLength: 19 })
  const holds = fc.property(digits, (number) => {
    const hash = cardHash(number, number.length, key)
    assert.equal(hash, hash | 0)
    assert.notEqual(hash, 0)
  })
  fc.assert(holds)
})

test('each digit counts: one changed digit gives another hash', () => {
  const number = digitsOf(pan('4', 19))
  const hashes = new Set([cardHash(number, 19, key)])
  for (let i = 0; i < 19; i++) {
    const other = Uint8Array.from(number)
    other[i] = ((other[i] ?? 0) + 1) % 10
    hashes.add(cardHash(other, 19, key))
  }
  assert.equal(hashes.size, 20)
})
