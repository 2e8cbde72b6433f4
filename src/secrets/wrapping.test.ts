import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeExact, memberOf, pack, parseWrapped, unpack, wrapFault } from './wrapping.ts'

const good = { kind: 'vault', by: 'transit/sallyport/1', wrapped: 'vault:v1:AAAA' }
const refused: readonly [what: string, value: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'vault:v1:AAAA'],
  ['a list', [good]],
  ['one of no kind', { by: good.by, wrapped: good.wrapped }],
  ['one of an unknown kind', { ...good, kind: 'kms' }],
  ['one without by', { kind: 'vault', wrapped: good.wrapped }],
  ['one with an empty by', { ...good, by: '' }],
  ['one with a blank', { ...good, by: 'transit sallyport' }],
  ['one with a line end', { ...good, wrapped: 'vault:v1:AAAA\n' }],
  ['one with a number', { ...good, wrapped: 7 }],
  ['one with a by of 513', { ...good, by: 'x'.repeat(513) }],
  ['one with a text of 4,097', { ...good, wrapped: 'x'.repeat(4097) }],
  ['one with another member', { ...good, more: 1 }],
  ['one whose members are inherited', Object.create(good)],
]
for (const [what, value] of refused) {
  test(`${what} is no wrapped key`, () => {
    const expected = { name: 'Fault', code: 'secret_missing', facts: { reason: 'wrapped_bad' } }
    assert.throws(
      () => parseWrapped(value),
      (error: unknown) => {
        assert.equal(memberOf(memberOf(error, 'facts'), 'reason'), expected.facts.reason)
        return true
      },
    )
  })
}
test('a wrapped key at its bounds is taken, as a new object', () => {
  const largest = { kind: 'file', by: 'x'.repeat(512), wrapped: 'y'.repeat(4096) }
  assert.deepEqual(parseWrapped(largest), largest)
  assert.deepEqual(parseWrapped(good), good)
})

test('what is packed has the layout of its drawing', () => {
  const key = Buffer.alloc(32, 7)
  const label = 'sallyport wrapped key v1\0'
  const hash = createHash('sha256').update(`${label}here`).digest()
  assert.deepEqual(pack(key, 'here'), Buffer.concat([key, hash]))
})
test('what was packed for one context unpacks for that one only, and is overwritten', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const holds = fc.property(key, fc.string(), fc.string(), (bytes, here, there) => {
    const packed = pack(bytes, here)
    if (here !== there) {
      const reason = { name: 'Fault', message: /another place/ }
      assert.throws(() => unpack('vault', Buffer.from(packed), there), reason)
    }
    assert.deepEqual(unpack('vault', packed, here), bytes)
    assert.ok(packed.every((byte) => byte === 0))
  })
  fc.assert(holds)
})
test('what is not 64 bytes does not unpack', () => {
  for (const size of [0, 32, 63, 65]) {
    const reason = { name: 'Fault', message: /no key of ours/ }
    assert.throws(() => unpack('keyvault', Buffer.alloc(size), 'here'), reason)
  }
})
test('only the one spelling of base64 is decoded', () => {
  for (const text of ['AA', 'AA=', 'AB==', 'AA==\n', ' AA==', 'A A==', '====', '_w==']) {
    assert.equal(decodeExact(text, 'base64'), undefined, text)
  }
  for (const text of ['AA==', 'AB', '/w']) assert.equal(decodeExact(text, 'base64url'), undefined)
  assert.deepEqual(decodeExact('/w==', 'base64'), Buffer.from([255]))
  assert.deepEqual(decodeExact('_w', 'base64url'), Buffer.from([255]))
  assert.equal(decodeExact(undefined, 'base64'), undefined)
})
test('a member that is inherited or of no object is not found', () => {
  assert.equal(memberOf({}, 'toString'), undefined)
  assert.equal(memberOf(JSON.parse('{"__proto__":1}'), '__proto__'), 1)
  for (const value of [undefined, null, 1, 'text'])
    assert.equal(memberOf(value, 'length'), undefined)
})
test('a fault says whether it may pass, and wrong settings are the configuration’s', () => {
  const down = wrapFault('kek_down', 'x', { kind: 'vault' })
  assert.equal(down.facts['isTransient'], true)
  assert.equal(down.code, 'secret_missing')
  const settings = wrapFault('kek_settings', 'x', { kind: 'vault' })
  assert.equal(settings.facts['isTransient'], false)
  assert.equal(settings.code, 'config_bad')
})
