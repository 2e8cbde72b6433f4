import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decryptTokens, encryptTokens, isTokens } from './tokens.ts'

const month = createSecretKey(randomBytes(32))
const here = { origin: 'log.example/w1', key: '2026-11', index: 7 }
const two = [randomBytes(17), randomBytes(17)]
const plain = (tokens: readonly Uint8Array[] | undefined): string | undefined =>
  tokens && Buffer.concat(tokens).toString('hex')

test('tokens open behind their own entry, each as it was', () => {
  const token = fc.uint8Array({ minLength: 17, maxLength: 17 })
  const opens = fc.property(fc.array(token, { minLength: 1, maxLength: 30 }), (tokens) => {
    const payload = encryptTokens(tokens, month, here)
    assert.ok(isTokens(payload))
    const opened = decryptTokens(payload, month, here)
    assert.equal(opened?.length, tokens.length)
    assert.equal(plain(opened), plain(tokens))
  })
  fc.assert(opens)
})

const elsewhere: readonly [what: string, bound: typeof here][] = [
  ['another entry', { ...here, index: 8 }],
  ['another log', { ...here, origin: 'log.example/w2' }],
  ['another month', { ...here, key: '2026-12' }],
]
for (const [what, bound] of elsewhere) {
  test(`tokens do not open as those of ${what}`, () => {
    assert.equal(decryptTokens(encryptTokens(two, month, here), month, bound), undefined)
  })
}

test('no other key opens tokens, and no changed or missing byte passes', () => {
  const payload = encryptTokens(two, month, here)
  assert.equal(decryptTokens(payload, createSecretKey(randomBytes(32)), here), undefined)
  for (let i = 0; i < payload.length; i++) {
    const changed = Buffer.from(payload)
    changed.writeUInt8(payload.readUInt8(i) ^ 1, i)
    assert.equal(decryptTokens(changed, month, here), undefined, `byte ${i}`)
    assert.equal(decryptTokens(payload.subarray(0, i), month, here), undefined, `length ${i}`)
  }
})

test('the same tokens twice share no byte run, and what is no token is not taken', () => {
  const [a, b] = [encryptTokens(two, month, here), encryptTokens(two, month, here)]
  assert.notDeepEqual(a.subarray(0, 12), b.subarray(0, 12))
  assert.notDeepEqual(a.subarray(12, -16), b.subarray(12, -16))
  for (const length of [0, 27, 28, 29, 44, 46]) assert.ok(!isTokens(randomBytes(length)))
  assert.throws(() => encryptTokens([], month, here), /17 bytes/)
  assert.throws(() => encryptTokens([randomBytes(16)], month, here), /17 bytes/)
})
