import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalize } from './canonical.ts'
import { openEnvelope, pae, sealEnvelope } from './dsse.ts'
import { logKey, witnessKey } from './keys.fixture.ts'
import { vectors } from './vectors.fixture.ts'

const publicKey = { keyid: 'log', key: createPublicKey(logKey) }
const [first] = vectors.dsse.cases
assert.ok(first)
const parts = {
  payload: first.payloadB64,
  payloadType: first.payloadType,
  signatures: [{ keyid: 'log', sig: first.ed25519SigB64 }],
}
const good = canonicalize(parts)
const malformed: readonly [what: string, file: string | Uint8Array][] = [
  ['is empty', ''],
  ['is no object', '[]'],
  ['is null', 'null'],
  ['has blanks', JSON.stringify(parts, undefined, 1)],
  ['has its members in another order', good.replace(/("payload":[^,]+),(.*)}$/, '$2,$1}')],
  ['ends in a newline', `${good}\n`],
  ['has a member twice', good.replace('{', '{"payload":"AAAA",')],
  ['has another member', canonicalize({ ...parts, more: 1 })],
  ['has no type', canonicalize({ ...parts, payloadType: null })],
  ['has no payload', canonicalize({ ...parts, payload: null })],
  ['has a payload without padding', canonicalize({ ...parts, payload: 'aGVsbG8' })],
  ['has a payload of two alphabets', canonicalize({ ...parts, payload: '-_+/' })],
  ['has no list of signatures', canonicalize({ ...parts, signatures: {} })],
  [
    'has over 100 signatures',
    canonicalize({ ...parts, signatures: Array(101).fill(parts.signatures[0]) }),
  ],
  ['has a signature that is none', canonicalize({ ...parts, signatures: [null] })],
  ['has a signature without bytes', canonicalize({ ...parts, signatures: [{ keyid: 'log' }] })],
  [
    'has a signature with a number as hint',
    canonicalize({ ...parts, signatures: [{ keyid: 1, sig: '' }] }),
  ],
  [
    'has a signature with another member',
    canonicalize({ ...parts, signatures: [{ sig: '', x: 1 }] }),
  ],
  ['has half a surrogate pair', good.replace('http', String.raw`\ud800`)],
  ['is not UTF-8', Buffer.concat([Buffer.from(good), Buffer.of(0xff)])],
]
for (const [what, file] of malformed) {
  test(`an envelope is refused that ${what}`, () => {
    assert.throws(() => openEnvelope(file, [publicKey]), {
      name: 'Unproven',
      code: 'envelope_malformed',
    })
  })
}
test('an envelope is refused that no known key has signed, whatever it says of itself', () => {
  const missing = { code: 'signature_missing' }
  const stranger = { keyid: 'log', key: createPublicKey(witnessKey) }
  assert.throws(() => openEnvelope(good, [stranger]), missing)
  assert.throws(() => openEnvelope(good, []), missing)
  const changed = [
    { payload: 'aGVsbG8=' },
    { payloadType: 'x' },
    { signatures: [] },
    { signatures: [{ sig: '' }] },
  ]
  for (const change of changed) {
    const file = canonicalize({ ...parts, ...change })
    assert.throws(() => openEnvelope(file, [publicKey]), missing)
  }
  assert.throws(() => sealEnvelope('x', Buffer.of(), []), { name: 'Broken' })
})
test('the vectors are signed byte by byte, and opened', () => {
  for (const { ed25519SigB64, paeHex, payload, payloadB64, payloadType } of vectors.dsse.cases) {
    const bytes = Buffer.from(payload)
    assert.equal(pae(payloadType, bytes).toString('hex'), paeHex)
    const sealed = sealEnvelope(payloadType, bytes, [{ keyid: 'log', key: logKey }])
    const signatures = [{ keyid: 'log', sig: ed25519SigB64 }]
    assert.equal(sealed, canonicalize({ payload: payloadB64, payloadType, signatures }))
    assert.deepEqual(openEnvelope(Buffer.from(sealed), [publicKey]), {
      payloadType,
      payload: bytes,
      signedBy: ['log'],
    })
  }
})
test('lengths are counted in bytes', () => {
  assert.equal(pae('é', Buffer.from('ü')).toString(), 'DSSEv1 2 é 2 ü')
})
test('the alphabet for URLs is read, and a missing hint; strangers are passed over', () => {
  const sig = parts.signatures[0]?.sig.replaceAll('+', '-').replaceAll('/', '_') ?? ''
  const strange = { keyid: 'log', sig: Buffer.alloc(64).toString('base64') }
  const file = canonicalize({ ...parts, signatures: [strange, { sig }] })
  assert.deepEqual(openEnvelope(file, [publicKey]).signedBy, ['log'])
})
test('the keys that signed are told by our own hints', () => {
  const keys = [
    { keyid: 'a', key: logKey },
    { keyid: 'b', key: witnessKey },
  ]
  const sealed = sealEnvelope('x', Buffer.from('y'), keys)
  const known = [{ ...publicKey, keyid: 'ours' }]
  assert.deepEqual(openEnvelope(sealed, known).signedBy, ['ours'])
  const both = keys.map(({ key, keyid }) => ({ keyid, key: createPublicKey(key) }))
  assert.deepEqual(openEnvelope(sealed, both).signedBy, ['a', 'b'])
})
test('what is sealed is opened as it was', () => {
  const kept = fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (type, payload) => {
    const sealed = sealEnvelope(type, payload, [{ keyid: 'log', key: logKey }])
    const opened = openEnvelope(sealed, [publicKey])
    assert.deepEqual([opened.payloadType, opened.payload], [type, Buffer.from(payload)])
  })
  fc.assert(kept)
})
