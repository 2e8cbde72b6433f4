import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint, mayFollow, openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import type { OpenedCheckpoint } from './checkpoint.ts'
import { cosigner } from './cosignature.ts'
import {
  logSigner,
  logVerifier,
  origin,
  witnessKey,
  witnessVector,
  witnessVerifier,
} from './keys.fixture.ts'
import { emptyRoot } from './merkle.ts'
import { signNote } from './note.ts'
import { leaf, vectors } from './vectors.fixture.ts'

const tree = { origin, size: 1, root: leaf(0) }
const body = formatCheckpoint(tree)
const clock = (): number => 1_700_000_000

const more: readonly [what: string, body: string][] = [
  ['a size over 2^53 - 1', body.replace('\n1\n', '\n9007199254740992\n')],
  ['a size of 20 digits', body.replace('\n1\n', `\n1${'0'.repeat(19)}\n`)],
  ['a size in another script', body.replace('\n1\n', '\n\u0661\n')],
  ['no size', body.replace('\n1\n', '\n\n')],
  ['a carriage return', body.replace('\n1\n', '\r\n1\n')],
  ['an extension line', `${body}more\n`],
  ['nothing', ''],
]
for (const [why, wrong] of [
  ...more,
  ...vectors.checkpoints.invalidBodies.map((it) => [it.why, it.body] as const),
]) {
  test(`a checkpoint is refused that has: ${why}`, () => {
    assert.throws(() => parseCheckpoint(wrong), { name: 'Unproven', code: 'checkpoint_malformed' })
  })
}
test('extension lines are read if they are asked for, and are never empty', () => {
  const read = parseCheckpoint(`${body}one\ntwo\n`, { extensions: true })
  assert.deepEqual(read, { ...tree, extensions: ['one', 'two'] })
  for (const wrong of [`${body}\n`, `${body}one\n\n`, `${body}\none\n`, `${body}one`]) {
    const reading = { extensions: true }
    assert.throws(() => parseCheckpoint(wrong, reading), { code: 'checkpoint_malformed' })
  }
})
test('what is no checkpoint is not written', () => {
  for (const wrong of [
    { origin: '' },
    { origin: 'a\nb' },
    { origin: 'a\r' },
    { size: -1 },
    { root: Buffer.alloc(31) },
  ]) {
    assert.throws(() => formatCheckpoint({ ...tree, ...wrong }), { name: 'Broken' })
  }
})
test('the checkpoints of the vectors are written, signed and opened byte by byte', () => {
  const roots = new Map(vectors.merkle.roots.map(({ root, size }) => [size, root]))
  for (const { body: want, note, size } of vectors.checkpoints.valid) {
    const root = Buffer.from(roots.get(size) ?? '', 'hex')
    assert.equal(formatCheckpoint({ origin, size, root }), want)
    assert.equal(signNote(want, [logSigner]), note)
    const opened = openCheckpoint(note, origin, [logVerifier])
    assert.deepEqual([opened.origin, opened.size, opened.root], [origin, size, root])
    assert.equal(opened.note.text, want)
  }
})
test('a checkpoint is of the log which was asked for, and signed by it', () => {
  const note = signNote(body, [logSigner])
  assert.throws(() => openCheckpoint(note, 'other.example', [logVerifier]), {
    code: 'origin_other',
  })
  const witnessed = signNote(body, [cosigner(witnessVector.name, witnessKey, clock)])
  assert.throws(() => openCheckpoint(witnessed, origin, [logVerifier], [witnessVerifier]), {
    code: 'signature_missing',
  })
  const both = signNote(body, [logSigner, cosigner(witnessVector.name, witnessKey, clock)])
  const { note: opened } = openCheckpoint(both, origin, [logVerifier], [witnessVerifier])
  assert.deepEqual(
    opened.verified.map(({ time }) => time),
    [undefined, clock()],
  )
  const extended = signNote(`${body}more\n`, [logSigner])
  assert.throws(() => openCheckpoint(extended, origin, [logVerifier]), {
    code: 'checkpoint_malformed',
  })
  assert.equal(openCheckpoint(extended, origin, [logVerifier], [], { extensions: true }).size, 1)
})
test('nothing but the check makes an opened checkpoint', () => {
  // @ts-expect-error a literal that looks alike has not been checked
  const forged: OpenedCheckpoint = { ...tree, note: { text: body, verified: [], unknown: [] } }
  assert.ok(forged)
})
test('a log does not shrink, nor have two roots for one size', () => {
  const later = { origin, size: 2, root: leaf(1) }
  const rows: [last: typeof tree, next: typeof tree, isFine: boolean][] = [
    [tree, later, true],
    [tree, { ...tree, root: leaf(0) }, true],
    [later, tree, false],
    [later, { ...tree, root: leaf(1) }, false],
    [tree, { ...tree, root: leaf(1) }, false],
    [tree, { ...later, origin: 'other.example' }, false],
    [{ origin, size: 0, root: emptyRoot }, tree, true],
  ]
  for (const [last, next, isFine] of rows) assert.equal(mayFollow(last, next), isFine)
})
test('every checkpoint is read as it was written', () => {
  const trees = fc.record({
    origin: fc.string({ minLength: 1 }).filter((it) => !it.includes('\n')),
    size: fc.maxSafeNat(),
    root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((it) => Buffer.from(it)),
  })
  const back = fc.property(trees, (it) => {
    assert.deepEqual(parseCheckpoint(formatCheckpoint(it)), { ...it, extensions: [] })
  })
  fc.assert(back)
})
