import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeJsonString, rpcError, rpcResult, writeJson } from './text.ts'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('any text becomes a token of valid UTF-8 that reads back the same', () => {
  const back = fc.property(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '\ud800', '\udc00"'),
    (a, b) => {
      const token = encodeJsonString(a + b)
      assert.ok(isUtf8(token))
      assert.equal(JSON.parse(textOf(token)), a + b)
    },
  )
  fc.assert(back)
})

test('members that are undefined are left out', () => {
  assert.equal(textOf(writeJson({ a: undefined, b: [1, null, true] })), '{"b":[1,null,true]}')
})

test('an answer carries the id as it was sent', () => {
  const error = { code: -32600, message: 'no "way"' }
  assert.equal(
    textOf(rpcError('12345678901234567890', error)),
    '{"jsonrpc":"2.0","id":12345678901234567890,"error":{"code":-32600,"message":"no \\"way\\""}}',
  )
  assert.equal(
    textOf(rpcError(undefined, { ...error, message: '', data: { reason: 'x' } })),
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"","data":{"reason":"x"}}}',
  )
  assert.equal(textOf(rpcResult('"1"', {})), '{"jsonrpc":"2.0","id":"1","result":{}}')
})
