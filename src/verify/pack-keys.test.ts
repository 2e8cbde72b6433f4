import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { canonicalize } from '../tlog/canonical.ts'
import { formatCheckpoint } from '../tlog/checkpoint.ts'
import { leafHash, nodeHash } from '../tlog/merkle.ts'
import { noteSigner, signNote, vkeyOf } from '../tlog/note.ts'
import { PackKeys } from './pack-keys.ts'
import type { Handover } from './pack-format.ts'

const origin = 'log.example/w1'
const make = (): { vkey: string; signs: (text: string) => string } => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const signer = noteSigner(origin, privateKey)
  return { vkey: vkeyOf(origin, privateKey), signs: (text) => signNote(text, [signer]) }
}
const [a, b, c] = [make(), make(), make()]
const other = leafHash(Buffer.from('another entry'))

/** Entry 0 of a tree of two, which `by` signs. */
function handover(by: typeof a, fields: Record<string, unknown>): Handover {
  const entry = canonicalize({ index: 0, type: 'keys.rotated', ...fields })
  const root = nodeHash(leafHash(Buffer.from(entry)), other)
  const checkpoint = by.signs(formatCheckpoint({ origin, size: 2, root }))
  return { index: 0, entry, hashes: [other], checkpoint, consistency: [] }
}
const trusted = (keys: PackKeys): number => keys.verifiers.length

test('a key is handed on under the signature of the one before, as often as it was', () => {
  const keys = new PackKeys([a.vkey])
  assert.ok(keys.takeHandover(handover(a, { from: a.vkey, to: b.vkey }), origin))
  assert.ok(keys.takeHandover(handover(b, { from: b.vkey, to: c.vkey }), origin))
  assert.equal(trusted(keys), 3)
})

test('a hand-over that a stranger signed says nothing', () => {
  const keys = new PackKeys([a.vkey])
  assert.equal(keys.takeHandover(handover(b, { from: a.vkey, to: b.vkey }), origin), false)
  assert.equal(trusted(keys), 1)
})

test('a hand-over from a key that is not trusted changes nothing', () => {
  const keys = new PackKeys([a.vkey])
  assert.ok(keys.takeHandover(handover(a, { from: b.vkey, to: c.vkey }), origin))
  assert.equal(trusted(keys), 1)
})

const good = handover(a, { from: a.vkey, to: b.vkey })
const refused: readonly [what: string, of: Handover, at: string, code: string][] = [
  [
    'an entry of another text',
    { ...good, entry: good.entry.replace(b.vkey, c.vkey) },
    origin,
    'inclusion_bad',
  ],
  ['another place', { ...good, index: 1 }, origin, 'inclusion_bad'],
  [
    'an entry of another kind',
    handover(a, { type: 'seal', from: a.vkey, to: b.vkey }),
    origin,
    'inclusion_bad',
  ],
  [
    'an entry that names another index',
    handover(a, { index: 1, from: a.vkey, to: b.vkey }),
    origin,
    'inclusion_bad',
  ],
  ['an entry without keys', handover(a, {}), origin, 'inclusion_bad'],
  ['another log', good, 'log.example/w2', 'origin_other'],
  [
    'a changed checkpoint',
    { ...good, checkpoint: good.checkpoint.replace('\n2\n', '\n3\n') },
    origin,
    'signature_bad',
  ],
  ['a key that is none', handover(a, { from: a.vkey, to: 'key' }), origin, 'key_malformed'],
]
for (const [what, of, at, code] of refused) {
  test(`a hand-over with ${what} is refused`, () => {
    const keys = new PackKeys([a.vkey])
    assert.throws(() => keys.takeHandover(of, at), { name: 'Unproven', code })
    assert.equal(trusted(keys), 1)
  })
}

test('a tree that does not go on from the one under the old key is told', () => {
  const keys = new PackKeys([a.vkey])
  keys.takeHandover(good, origin)
  const old = nodeHash(leafHash(Buffer.from(good.entry)), other)
  assert.deepEqual(keys.forksFrom({ origin, size: 2, root: old }), [])
  assert.deepEqual(keys.forksFrom({ origin, size: 2, root: other }), [0])
  const grown = { origin, size: 3, root: nodeHash(old, other) }
  assert.deepEqual(keys.forksFrom(grown), [0])
  const proven = new PackKeys([a.vkey])
  proven.takeHandover({ ...good, consistency: [other] }, origin)
  assert.deepEqual(proven.forksFrom(grown), [])
})

test('only keys that sign notes count', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  assert.equal(new PackKeys([vkeyOf(origin, privateKey, 4)]).hasKeys, false)
  assert.equal(new PackKeys([a.vkey]).hasKeys, true)
  assert.throws(() => new PackKeys(['nothing']), { code: 'key_malformed' })
})
