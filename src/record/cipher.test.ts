import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyKeyOf, decryptBody, encryptBody, sealBytes } from './cipher.ts'

const month = createSecretKey(randomBytes(32))
const here = { origin: 'log.example/w1', key: '2026-11', encoding: 'identity' }
const plain = Buffer.from('{"result":{}}')

test('a body opens with its own key, in its own place, to the very same bytes', () => {
  const opens = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const stored = encryptBody(bytes, month, here)
    assert.equal(stored.length, bytes.length + sealBytes)
    const opened = decryptBody(stored, bodyKeyOf(month, stored), here)
    assert.ok(opened?.equals(bytes))
  })
  fc.assert(opens)
})

const elsewhere: readonly [what: string, bound: typeof here][] = [
  ['another log', { ...here, origin: 'log.example/w2' }],
  ['another month', { ...here, key: '2026-12' }],
  ['another encoding', { ...here, encoding: 'zstd' }],
]
for (const [what, bound] of elsewhere) {
  test(`a body does not open as one of ${what}`, () => {
    const stored = encryptBody(plain, month, here)
    assert.equal(decryptBody(stored, bodyKeyOf(month, stored), bound), undefined)
  })
}

test('no other key opens a body, and no changed byte passes', () => {
  const stored = encryptBody(plain, month, here)
  const key = bodyKeyOf(month, stored)
  const other = bodyKeyOf(createSecretKey(randomBytes(32)), stored)
  assert.equal(decryptBody(stored, other, here), undefined)
  assert.equal(decryptBody(stored, key.subarray(1), here), undefined)
  assert.equal(decryptBody(stored.subarray(0, sealBytes - 1), key, here), undefined)
  for (let i = 0; i < stored.length; i++) {
    const changed = Buffer.from(stored)
    changed.writeUInt8(stored.readUInt8(i) ^ 1, i)
    assert.equal(decryptBody(changed, key, here), undefined, `byte ${i}`)
  }
})

test('two bodies of the same text share nothing: neither iv, key nor bytes', () => {
  const all = Array.from({ length: 300 }, () => encryptBody(plain, month, here))
  const ivs = new Set(all.map((stored) => stored.toString('hex', 0, 12)))
  const keys = new Set(all.map((stored) => bodyKeyOf(month, stored).toString('hex')))
  assert.equal(ivs.size, all.length)
  assert.equal(keys.size, all.length)
})
