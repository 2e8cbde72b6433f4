import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { formatCheckpoint } from './checkpoint.ts'
import { cosignatureMessage, cosigner, subtreeMessage, verifierOf } from './cosignature.ts'
import {
  logSigner,
  logVerifier,
  origin,
  witnessKey,
  witnessVector,
  witnessVerifier,
} from './keys.fixture.ts'
import { hasMlDsa44, privateKeyOf, publicKeyOf, rawPublicKey } from './keys.ts'
import {
  noteSigner,
  noteVerifier,
  openNote,
  parseVkey,
  signNote,
  splitNote,
  vkeyOf,
} from './note.ts'
import { hex, leaf, vectors } from './vectors.fixture.ts'

const v1 = vectors.cosignatureV1
const pq = vectors.mlDsa44
const root = Buffer.from(v1.note.split('\n')[2] ?? '', 'base64')
const body = formatCheckpoint({ origin, size: 65_537, root })
const skip = hasMlDsa44() ? false : 'this Node has no ML-DSA-44: use 24.6 or newer'

test('a cosignature over other bytes, at another time or cut short is refused', () => {
  const line = hex(v1.lineBytesHex).subarray(4)
  const text = Buffer.from(body)
  assert.deepEqual(witnessVerifier.verify(text, line), { time: v1.timestamp })
  const later = Buffer.from(line)
  later[7] = later.readUInt8(7) + 1
  const far = Buffer.from(line)
  far[0] = 0xff
  for (const wrong of [later, far, line.subarray(1), line.subarray(8), Buffer.of()]) {
    assert.equal(witnessVerifier.verify(text, wrong), undefined)
  }
  assert.equal(witnessVerifier.verify(text.subarray(1), line), undefined)
  assert.equal(logVerifier.verify(text, line), undefined)
})
test('a key of one type is no verifier for another', () => {
  assert.throws(() => noteVerifier(parseVkey(witnessVector.vkey)), { name: 'Broken' })
})
test('nobody cosigns without a time, with another kind of key, nor signs notes with one', () => {
  const broken = { name: 'Broken' }
  for (const time of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => signNote(body, [cosigner('a', witnessKey, () => time)]), broken)
  }
  const { privateKey } = generateKeyPairSync('x25519')
  assert.throws(() => cosigner('a', privateKey, () => 1), broken)
  assert.throws(() => noteSigner('a', privateKey), broken)
})
test('the cosignature of the vectors comes out byte by byte, and is verified', () => {
  assert.equal(vkeyOf(witnessVector.name, witnessKey, 4), witnessVector.vkey)
  const message = cosignatureMessage(v1.timestamp, Buffer.from(body))
  assert.equal(message.toString(), v1.signedMessage)
  const witness = cosigner(witnessVector.name, witnessKey, () => v1.timestamp)
  assert.equal(signNote(body, [logSigner, witness]), v1.note)
  const { verified } = openNote(v1.note, [logVerifier, witnessVerifier])
  assert.deepEqual(
    verified.map(({ time }) => time),
    [undefined, v1.timestamp],
  )
  assert.equal(splitNote(v1.note).lines[1]?.keyId, witnessVector.keyId)
})
test('the message for ML-DSA-44 is that of the vectors', () => {
  const { end, name: by, origin: about, start, timestamp: time } = pq
  const message = subtreeMessage({ cosigner: by, time, origin: about, start, end, hash: root })
  assert.equal(message.toString('hex'), pq.signedMessageHex)
  for (const wrong of [{ cosigner: '' }, { origin: 'x'.repeat(256) }]) {
    const statement = { cosigner: by, time, origin: about, start, end, hash: root, ...wrong }
    assert.throws(() => subtreeMessage(statement), { code: 'checkpoint_malformed' })
  }
})
test('keys of ML-DSA-44 are read on every Node', () => {
  const key = parseVkey(pq.vkey)
  assert.deepEqual([key.name, key.keyId, key.type], [pq.name, pq.keyId, 6])
  assert.equal(key.publicKey.toString('base64'), pq.publicKeyB64)
  assert.equal(vkeyOf(pq.name, key.publicKey, 6), pq.vkey)
})
if (skip) {
  test('a Node without ML-DSA-44 says so', () => {
    assert.throws(() => verifierOf(parseVkey(pq.vkey)), { code: 'key_unsupported' })
  })
}
test('the ML-DSA-44 cosignature of the vectors is verified', { skip }, () => {
  const verifier = verifierOf(parseVkey(pq.vkey))
  const { verified } = openNote(pq.note, [logVerifier, verifier])
  assert.deepEqual(
    verified.map(({ time }) => time),
    [undefined, pq.timestamp],
  )
})
test('what ML-DSA-44 signs is verified, and nothing else', { skip }, () => {
  const key = privateKeyOf('ml-dsa-44', hex(pq.seed))
  assert.equal(rawPublicKey(key).toString('base64'), pq.publicKeyB64)
  assert.equal(vkeyOf(pq.name, key), pq.vkey)
  const verifier = verifierOf(
    parseVkey(vkeyOf(pq.name, publicKeyOf('ml-dsa-44', rawPublicKey(key)))),
  )
  const note = signNote(body, [cosigner(pq.name, key, () => 77)])
  assert.deepEqual(openNote(note, [verifier]).verified[0]?.time, 77)
  const other = formatCheckpoint({ origin, size: 65_537, root: leaf(0) })
  const moved = note.replace(body, other)
  assert.throws(() => openNote(moved, [verifier]), { code: 'signature_bad' })
  const long = note.replace(body, body.replace(origin, 'x'.repeat(256)))
  assert.throws(() => openNote(long, [verifier]), { code: 'signature_bad' })
  const noCheckpoint = note.replace(body, 'text\n')
  assert.throws(() => openNote(noCheckpoint, [verifier]), { code: 'signature_bad' })
})
