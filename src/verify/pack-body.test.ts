import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { bodyKeyOf, encryptBody } from '../record/cipher.ts'
import { decodeBody, openBody } from './pack-body.ts'

const month = createSecretKey(randomBytes(32))
const plain = Buffer.from('{"masked":true}')
const stored = encryptBody(plain, month, { origin: 'log', key: '2026-11', encoding: 'identity' })
const key = bodyKeyOf(month, stored)
const place = { origin: 'log', keyId: '2026-11', encoding: 'identity' }

test('what the record wrote is opened by the page of its format alone', () => {
  assert.deepEqual(openBody(stored, key, place), plain)
})

test('a body opens with its key, in its place and as it is, or not at all', () => {
  for (let at = 0; at < stored.length; at++) {
    const changed = Buffer.from(stored)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    assert.equal(openBody(changed, key, place), undefined, `byte ${at}`)
  }
  assert.equal(openBody(stored.subarray(0, 59), key, place), undefined)
  assert.equal(openBody(stored, randomBytes(32), place), undefined)
  for (const other of [{ origin: 'x' }, { keyId: 'x' }, { encoding: 'zstd' }]) {
    assert.equal(openBody(stored, key, { ...place, ...other }), undefined)
  }
})

test('a compressed body is decompressed, and an unknown encoding is left alone', () => {
  assert.deepEqual(decodeBody(zstdCompressSync(plain), 'zstd'), plain)
  assert.equal(decodeBody(plain, 'zstd'), undefined)
  assert.deepEqual(decodeBody(plain, 'identity'), plain)
  assert.equal(decodeBody(plain, 'brotli'), 'cannot')
})
