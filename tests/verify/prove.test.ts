/** Proofs of single entries: made from a log's folder, checked with nothing but the file and a key. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { parseCheckpoint } from '../../src/tlog/checkpoint.ts'
import { splitNote } from '../../src/tlog/note.ts'
import { proveEntry, prover, verifyProof } from '../../src/verify/prove.ts'
import { filledLog } from './make-log.ts'
import type { RecordPlace } from '../../src/record/read.ts'

const log = await filledLog(12)
const other = await filledLog(2)
const place: RecordPlace = { disk: realDisk, dir: log.dir, writer: log.writer }
const note = readFileSync(join(log.folder, 'checkpoint'), 'utf8')
const { size } = parseCheckpoint(splitNote(note).text)

test('every entry is proven by a single file', async () => {
  for (let index = 0; index < size; index++) {
    const { line, proof } = await proveEntry(place, index)
    assert.equal(JSON.parse(line.toString()).index, index)
    const found = verifyProof(proof, undefined, log.vkeys)
    assert.deepEqual(Buffer.from(found.line), line)
    assert.equal(found.checkpoint.size, size)
    assert.equal(found.index, index)
  }
})

test('many entries are proven by what their reader has of them', async () => {
  const prove = await prover(place)
  const { line } = await proveEntry(place, 7)
  const proof = (await prove(7)) ?? ''
  assert.equal(verifyProof(proof, line, log.vkeys).index, 7)
  assert.throws(() => verifyProof(proof, undefined, log.vkeys), { code: 'proof_malformed' })
  assert.equal(await prove(size), undefined)
})

const { line, proof } = await proveEntry(place, 20)
const { line: neighbour } = await proveEntry(place, 21)
const refused: readonly [
  what: string,
  proof: string,
  line: Buffer,
  keys: readonly string[],
  code: string,
][] = [
  ['another entry', proof, neighbour, log.vkeys, 'inclusion_bad'],
  [
    'an entry with a digit changed',
    proof,
    Buffer.from(line.toString().replace('"v":1', '"v":2')),
    log.vkeys,
    'inclusion_bad',
  ],
  [
    'another index',
    proof.replace('\nindex 20\n', '\nindex 21\n'),
    line,
    log.vkeys,
    'inclusion_bad',
  ],
  ['another log’s key', proof, line, other.vkeys, 'signature_missing'],
  ['no key', proof, line, [], 'origin_other'],
  ['a proof that is none', 'c2sp.org/tlog-proof@v1\n', line, log.vkeys, 'proof_malformed'],
]
for (const [what, text, bytes, keys, code] of refused) {
  test(`a proof with ${what} is refused`, () => {
    assert.throws(() => verifyProof(text, bytes, keys), { name: 'Unproven', code })
  })
}

test('an entry under no checkpoint yet is not proven, and it is said when it will be', async () => {
  await assert.rejects(proveEntry(place, size), {
    code: 'record_down',
    facts: { reason: 'not_signed' },
  })
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-prove-'))
  await assert.rejects(proveEntry({ ...place, dir }, 0), { facts: { reason: 'not_signed' } })
})

function copy(change: (folder: string) => void): RecordPlace {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-prove-'))
  cpSync(log.folder, join(dir, log.writer), { recursive: true })
  change(join(dir, log.writer))
  return { ...place, dir }
}

test('an entry that was removed is said to be', async () => {
  const gone = copy((folder) => rmSync(join(folder, 'log', '2026-11', '0001.seg')))
  await assert.rejects(proveEntry(gone, 3), { facts: { reason: 'not_there', index: 3 } })
})

test('nothing is made from tiles that are missing or of another entry', async () => {
  const width = `tile/0/000.p/${size % 256}`
  const missing = copy((folder) => rmSync(join(folder, width)))
  await assert.rejects(proveEntry(missing, 3), { facts: { reason: 'tiles_missing' } })
  const changed = copy((folder) => {
    const bytes = readFileSync(join(folder, width))
    bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70)
    writeFileSync(join(folder, width), bytes)
  })
  await assert.rejects(proveEntry(changed, 3), { facts: { reason: 'tree_differs', index: 3 } })
})
