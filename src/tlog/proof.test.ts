import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { witnessVector } from './keys.fixture.ts'
import { parsePolicy } from './policy.ts'
import { formatProof, parseProof, verifyProof } from './proof.ts'
import { entry, leaf, vectors } from './vectors.fixture.ts'

const policy = parsePolicy(`log ${vectors.checkpoints.vkey}\nquorum none\n`)
const witnessed = parsePolicy(
  `log ${vectors.checkpoints.vkey}\nwitness w ${witnessVector.vkey}\nquorum w\n`,
)
const five = vectors.tlogProof.find(({ size }) => size === 7)?.proof ?? ''
const hash = leaf(0).toString('base64')

const malformed: readonly [what: string, file: string | Uint8Array][] = [
  ['is empty', ''],
  ['has no checkpoint', five.slice(0, five.indexOf('\n\n') + 1)],
  ['has another first line', five.replace('@v1', '@v2')],
  ['begins with a byte order mark', `\ufeff${five}`],
  ['has no index', five.replace('index 5\n', '')],
  ['has an index with a zero in front', five.replace('index 5', 'index 05')],
  ['has a negative index', five.replace('index 5', 'index -5')],
  ['has an index over 2^53', five.replace('index 5', 'index 9007199254740992')],
  ['has two blanks before the index', five.replace('index 5', 'index  5')],
  ['has extra bytes after the index', five.replace('index 5', 'index 5\nextra AAAA')],
  ['has extra bytes twice', five.replace('index 5', 'extra AAAA\nextra AAAA\nindex 5')],
  ['has extra bytes without padding', five.replace('index 5', 'extra AA\nindex 5')],
  ['has a hash of 31 bytes', five.replace('index 5', `index 5\n${'A'.repeat(42)}==`)],
  ['has a hash that is no base64', five.replace('index 5', `index 5\n${'-'.repeat(43)}=`)],
  ['has 64 hashes', five.replace('index 5', `index 5${`\n${hash}`.repeat(61)}`)],
  ['has a carriage return', five.replace('index 5', 'index 5\r')],
  ['is not UTF-8', Buffer.concat([Buffer.from(five), Buffer.of(0xff)])],
  ['is longer than 2 MiB', five + 'x'.repeat(2_097_152)],
]
for (const [what, file] of malformed) {
  test(`a proof is refused that ${what}`, () => {
    assert.throws(() => parseProof(file), { name: 'Unproven', code: 'proof_malformed' })
  })
}
test('a proof for another entry, index, tree or log is refused', () => {
  const proof = parseProof(five)
  const bad = { name: 'Unproven', code: 'inclusion_bad' }
  assert.throws(() => verifyProof(proof, entry(4), policy), bad)
  assert.throws(() => verifyProof({ ...proof, index: 4 }, entry(5), policy), bad)
  assert.throws(
    () => verifyProof({ ...proof, hashes: proof.hashes.slice(1) }, entry(5), policy),
    bad,
  )
  const checkpoint = vectors.checkpoints.valid.find(({ size }) => size > 7)?.note ?? ''
  assert.throws(() => verifyProof({ ...proof, checkpoint }, entry(5), policy), bad)
  const forged = { ...proof, checkpoint: proof.checkpoint.replace('\n7\n', '\n8\n') }
  assert.throws(() => verifyProof(forged, entry(5), policy), { code: 'signature_bad' })
  assert.throws(() => verifyProof(proof, entry(5), parsePolicy('quorum none\n')), {
    code: 'origin_other',
  })
  assert.throws(() => verifyProof(proof, entry(5), witnessed), { code: 'quorum_missing' })
})
for (const { extra, index, leaf: bytes, proof, size } of vectors.tlogProof) {
  const what = extra === undefined ? '' : ' with extra bytes'
  test(`entry ${index} is proven to be in the tree of ${size}${what}`, () => {
    const read = parseProof(proof)
    assert.equal(formatProof(read), proof)
    assert.deepEqual(parseProof(Buffer.from(proof)), read)
    assert.equal(read.index, index)
    assert.equal(read.extra === undefined ? undefined : Buffer.from(read.extra).toString(), extra)
    const checkpoint = verifyProof(read, Buffer.from(bytes), policy)
    assert.equal(checkpoint.size, size)
    const times = checkpoint.note.verified.map(({ time }) => time)
    assert.deepEqual(times, [undefined])
    if (size === 65_537) assert.equal(verifyProof(read, Buffer.from(bytes), witnessed).size, size)
  })
}
test('what is written as a proof is read as the same', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((it) => Buffer.from(it))
  const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((it) => Buffer.from(it))
  const proofs = fc.record(
    {
      index: fc.maxSafeNat(),
      hashes: fc.array(hashes, { maxLength: 63 }),
      checkpoint: fc.string({ unit: 'grapheme' }),
      extra: bytes,
    },
    { requiredKeys: ['index', 'hashes', 'checkpoint'], noNullPrototype: true },
  )
  const back = fc.property(proofs, (proof) => {
    assert.deepEqual(parseProof(formatProof(proof)), proof)
  })
  fc.assert(back)
})
