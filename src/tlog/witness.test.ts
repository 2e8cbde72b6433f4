import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { cosigner } from './cosignature.ts'
import {
  logSigner,
  logVerifier,
  origin,
  witnessKey,
  witnessVector,
  witnessVerifier,
} from './keys.fixture.ts'
import { emptyRoot, Frontier } from './merkle.ts'
import { noteSigner, openNote, signatureLines, signNote } from './note.ts'
import { HashReader } from './tiles.ts'
import { leavesOf, leaf, readerOf, tilesOver, vectors } from './vectors.fixture.ts'
import {
  addCosignatures,
  decide,
  formatRequest,
  formatSize,
  parseRequest,
  parseSize,
  sizeMediaType,
} from './witness.ts'
import type { WitnessedLog, WitnessState, WitnessVerdict } from './witness.ts'

const leaves = leavesOf(20)
function stateOf(size: number): WitnessState {
  const frontier = new Frontier()
  for (const hash of leaves.slice(0, size)) frontier.append(hash)
  return { size, root: frontier.root() }
}
const proofOf = (old: number, size: number): Promise<Buffer[]> =>
  new HashReader(size, readerOf(tilesOver(leaves.slice(0, size)))).consistencyProof(old)
const signed = (tree: WitnessState): string =>
  signNote(formatCheckpoint({ origin, ...tree }), [logSigner])
const judge = (body: string | Uint8Array, latest?: WitnessState): WitnessVerdict =>
  decide(body, (name): WitnessedLog | undefined =>
    name === origin ? { keys: [logVerifier], ...(latest ? { latest } : {}) } : undefined,
  )

const hashes = await proofOf(3, 7)
const good = formatRequest({ old: 3, hashes, checkpoint: signed(stateOf(7)) })
const hash = leaf(0).toString('base64')
const fork = { size: 7, root: leaf(1) }
const other = formatCheckpoint({ origin: 'other.example', ...stateOf(7) })
const note0 = signed({ size: 0, root: emptyRoot })
const rows: readonly [
  what: string,
  body: string | Uint8Array,
  state: WitnessState | undefined,
  status: number,
][] = [
  ['an empty body', '', stateOf(3), 400],
  ['no old size', good.replace('old 3\n', ''), stateOf(3), 400],
  ['an old size with a zero in front', good.replace('old 3', 'old 03'), stateOf(3), 400],
  ['a hash of 31 bytes', good.replace('\n\n', `\n${'A'.repeat(42)}==\n\n`), stateOf(3), 400],
  ['64 hashes', good.replace('\n\n', `\n${`${hash}\n`.repeat(60)}\n`), stateOf(3), 400],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from(good), Buffer.of(0xff)]),
    stateOf(3),
    400,
  ],
  ['over 2 MiB', good + 'x'.repeat(2_097_152), stateOf(3), 400],
  ['a note without signature', good.slice(0, good.indexOf('—')), stateOf(3), 400],
  ['a note that is no checkpoint', `old 3\n\n${signNote('x\n', [logSigner])}`, stateOf(3), 400],
  ['an old size above the new one', good.replace('old 3', 'old 8'), stateOf(8), 400],
  ['an unknown log', `old 0\n\n${signNote(other, [logSigner])}`, undefined, 404],
  ['a signature that does not fit', good.replace(/\n7\n/, '\n8\n'), stateOf(3), 403],
  [
    'another key of that name',
    formatRequest({
      old: 3,
      hashes,
      checkpoint: signNote(formatCheckpoint({ origin, ...stateOf(7) }), [
        noteSigner(origin, witnessKey),
      ]),
    }),
    stateOf(3),
    403,
  ],
  ['another size than recorded', good, stateOf(5), 409],
  ['an old size, and nothing recorded', good, undefined, 409],
  [
    'old 0, and something recorded',
    formatRequest({ old: 0, hashes: [], checkpoint: signed(stateOf(7)) }),
    stateOf(3),
    409,
  ],
  ['another old tree', good, { size: 3, root: leaf(1) }, 422],
  ['a proof without its last hash', good.replace(/[^\n]+\n\n/, '\n'), stateOf(3), 422],
  ['a fork', formatRequest({ old: 3, hashes, checkpoint: signed(fork) }), stateOf(3), 422],
  [
    'a proof from old 0',
    formatRequest({ old: 0, hashes, checkpoint: signed(stateOf(7)) }),
    undefined,
    422,
  ],
  [
    'one size with two roots',
    formatRequest({ old: 7, hashes: [], checkpoint: signed(fork) }),
    stateOf(7),
    422,
  ],
  [
    'size 0 with a root',
    formatRequest({ old: 0, hashes: [], checkpoint: signed({ size: 0, root: leaf(0) }) }),
    undefined,
    422,
  ],
  ['a tree that grew', good, stateOf(3), 200],
  [
    'a first tree',
    formatRequest({ old: 0, hashes: [], checkpoint: signed(stateOf(7)) }),
    undefined,
    200,
  ],
  ['an empty tree', formatRequest({ old: 0, hashes: [], checkpoint: note0 }), undefined, 200],
  [
    'a tree that stood still',
    formatRequest({ old: 7, hashes: [], checkpoint: signed(stateOf(7)) }),
    stateOf(7),
    200,
  ],
]
for (const [what, body, state, status] of rows) {
  test(`a witness answers ${status} to ${what}`, () => {
    assert.equal(judge(body, state).status, status)
  })
}
test('a refused size is told, an accepted tree becomes the latest', () => {
  assert.deepEqual(judge(good, stateOf(5)), { status: 409, size: 5 })
  const verdict = judge(good, stateOf(3))
  assert.ok(verdict.status === 200)
  assert.deepEqual(verdict.latest, stateOf(7))
  assert.equal(verdict.checkpoint.note.text, formatCheckpoint({ origin, ...stateOf(7) }))
})
test('a defect in checking a signature is no answer', () => {
  const verify = (): never => {
    throw new Error('a defect')
  }
  const keys = [{ ...logVerifier, verify }]
  assert.throws(() => decide(good, () => ({ keys })), /a defect/)
})
test('a witness cosigns trees with extension lines, as other logs may have them', () => {
  const text = `${formatCheckpoint({ origin, ...stateOf(7) })}more\n`
  const body = formatRequest({ old: 0, hashes: [], checkpoint: signNote(text, [logSigner]) })
  assert.equal(judge(body).status, 200)
})
test('the requests and answers of the vectors are read, written and decided', () => {
  const roots = new Map(vectors.merkle.roots.map(({ root, size }) => [size, root]))
  for (const { body, new: size, old } of vectors.witness.requests) {
    const request = parseRequest(body)
    assert.equal(request.old, old)
    assert.equal(formatRequest(request), body)
    const root = Buffer.from(roots.get(old) ?? '', 'hex')
    const verdict = judge(Buffer.from(body), old ? { size: old, root } : undefined)
    assert.ok(verdict.status === 200)
    assert.equal(verdict.latest.size, size)
  }
  const { requests, response200, response409 } = vectors.witness
  assert.equal(formatSize(65_536), response409.body)
  assert.equal(parseSize(response409.body), 65_536)
  assert.equal(sizeMediaType, response409.contentType)
  const { checkpoint } = parseRequest(requests[0]?.body ?? '')
  const { text } = openNote(checkpoint, [logVerifier])
  const witness = cosigner(witnessVector.name, witnessKey, () => vectors.cosignatureV1.timestamp)
  assert.equal(signatureLines(text, [witness]), response200)
  assert.equal(
    addCosignatures(checkpoint, response200, [witnessVerifier]),
    vectors.cosignatureV1.note,
  )
})
test('a size is one line of digits', () => {
  for (const body of ['', '\n', '1', '01\n', '-1\n', '1\n\n', ' 1\n', `${'9'.repeat(17)}\n`]) {
    assert.equal(parseSize(body), undefined, JSON.stringify(body))
  }
  assert.throws(() => formatSize(-1), { name: 'Broken' })
})
test('of an answer only the lines of known witnesses are kept, the newest of each', () => {
  const text = formatCheckpoint({ origin, ...stateOf(7) })
  const note = signed(stateOf(7))
  const at = (time: number): string =>
    signatureLines(text, [cosigner(witnessVector.name, witnessKey, () => time)])
  const stranger = signatureLines(text, [noteSigner('stranger.example', witnessKey)])
  const first = addCosignatures(note, `${stranger}${at(1)}`, [witnessVerifier])
  assert.equal(first, `${note}${at(1)}`)
  assert.equal(addCosignatures(first, at(2), [witnessVerifier]), `${note}${at(2)}`)
  const bad: [answer: string | Uint8Array, code: string][] = [
    [stranger, 'signature_missing'],
    [signatureLines('x\n', [cosigner(witnessVector.name, witnessKey, () => 1)]), 'signature_bad'],
    ['', 'note_malformed'],
    ['\n', 'note_malformed'],
    [at(1).trimEnd(), 'note_malformed'],
    [`other text\n\n${at(1)}`, 'note_malformed'],
    [Buffer.of(0xff, 0x0a), 'note_malformed'],
    ['<html>\n', 'note_malformed'],
  ]
  for (const [answer, code] of bad) {
    assert.throws(() => addCosignatures(note, answer, [witnessVerifier]), { code })
  }
})
test('a witness follows a log through any sizes, and never back', async () => {
  const sizes = fc.array(fc.nat({ max: 20 }), { maxLength: 8 })
  const follows = fc.asyncProperty(sizes, async (asked) => {
    let latest: WitnessState | undefined
    for (const size of asked) {
      const old = latest?.size ?? 0
      const proof = old <= size ? await proofOf(old, size) : []
      const body = formatRequest({ old, hashes: proof, checkpoint: signed(stateOf(size)) })
      const verdict = judge(body, latest)
      assert.equal(verdict.status, size < old ? 400 : 200)
      if (verdict.status === 200) latest = verdict.latest
    }
    assert.equal(latest?.size ?? 0, Math.max(0, ...asked))
  })
  await fc.assert(follows, { numRuns: 50 })
})
