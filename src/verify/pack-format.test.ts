import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatHandover,
  formatKeyLine,
  formatManifest,
  formatProofLine,
  formatWitnessed,
  parseHandover,
  parseKeyLine,
  parseManifest,
  parseProofLine,
  parseWitnessed,
} from './pack-format.ts'

/** Records as our own code makes them. */
const record = <T>(of: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(of, { noNullPrototype: true })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
const hashes = fc.array(hash, { maxLength: 20 })
const count = fc.maxSafeNat()
const text = fc.string({ unit: 'grapheme' })
const plain = fc.stringMatching(/^[a-z0-9./-]{1,20}$/)
const file = record({ sha256: hash.map((bytes) => bytes.toString('hex')), size: count })
const counts = record({
  entries: count,
  sessions: count,
  calls: count,
  bodies: count,
  keys: count,
})
const manifest = record({
  origin: plain,
  made: plain,
  version: plain,
  asked: fc.string({ unit: 'binary' }).map((each) => each.toWellFormed()),
  scope: fc.constantFrom('whole' as const, 'chosen' as const),
  checkpoint: count,
  counts,
  files: fc
    .dictionary(
      fc.stringMatching(/^[a-z]{1,5}(\/[a-z.]{1,5}[a-z])?$/).filter((path) => !path.includes('/.')),
      file,
    )
    .map((all) => Object.entries(all).map(([path, each]) => ({ path, ...each })))
    .map((all) => all.toSorted((a, b) => (a.path < b.path ? -1 : 1))),
})
const line = (formatted: string): Buffer => Buffer.from(formatted.slice(0, -1))

test('a manifest that is written is read as it was', () => {
  fc.assert(fc.property(manifest, (of) => assert.deepEqual(parseManifest(formatManifest(of)), of)))
})

test('lines that are written are read as they were', () => {
  const proof = record({ index: count, hashes })
  fc.assert(
    fc.property(proof, (of) => assert.deepEqual(parseProofLine(line(formatProofLine(of))), of)),
  )
  const key = record({ index: count, key: hash })
  fc.assert(fc.property(key, (of) => assert.deepEqual(parseKeyLine(line(formatKeyLine(of))), of)))
  const handover = record({
    index: count,
    hashes,
    consistency: hashes,
    entry: text,
    checkpoint: text,
  })
  fc.assert(
    fc.property(handover, (of) => assert.deepEqual(parseHandover(line(formatHandover(of))), of)),
  )
  const witnessed = record({ checkpoint: text, consistency: hashes })
  fc.assert(
    fc.property(witnessed, (of) => assert.deepEqual(parseWitnessed(line(formatWitnessed(of))), of)),
  )
})

const zero = Buffer.alloc(32)
const base64 = zero.toString('base64')
const lines: readonly [what: string, read: (line: Buffer) => unknown, line: string][] = [
  ['no JSON', parseProofLine, '{'],
  ['no object', parseProofLine, 'null'],
  ['blanks', parseProofLine, `{"hashes": [],"index":1}`],
  ['members in another order', parseProofLine, `{"index":1,"hashes":[]}`],
  ['a member more', parseProofLine, `{"hashes":[],"index":1,"more":1}`],
  ['a name twice', parseProofLine, `{"hashes":[],"index":2,"index":1}`],
  ['an index below 0', parseProofLine, `{"hashes":[],"index":-1}`],
  ['an index as text', parseProofLine, `{"hashes":[],"index":"1"}`],
  ['a hash cut short', parseProofLine, `{"hashes":["AAAA"],"index":1}`],
  ['a hash that is none', parseProofLine, `{"hashes":[1],"index":1}`],
  [
    'hashes by the hundred',
    parseProofLine,
    JSON.stringify({ hashes: Array.from({ length: 65 }, () => base64), index: 1 }),
  ],
  ['bytes that are no text', parseProofLine, '\u00ff'],
  ['a short key', parseKeyLine, `{"index":1,"key":"AAAA"}`],
  ['no note', parseWitnessed, `{"consistency":[]}`],
  ['no key', parseKeyLine, `{"index":1}`],
  ['base64 without its end', parseKeyLine, `{"index":1,"key":"${base64.slice(0, -1)}"}`],
  [
    'a hand-over without an entry',
    parseHandover,
    `{"checkpoint":"","consistency":[],"hashes":[],"index":1}`,
  ],
]
for (const [what, read, bad] of lines) {
  test(`a line with ${what} is refused`, () => {
    assert.throws(() => read(Buffer.from(bad, 'latin1')), { code: 'bundle_malformed' })
  })
}

const good = formatManifest({
  origin: 'log.example',
  made: '2026-11-20T10:00:00.000Z',
  version: '1.0.0',
  asked: 'a "session"\n',
  scope: 'whole',
  checkpoint: 7,
  counts: { entries: 1, sessions: 2, calls: 3, bodies: 4, keys: 5 },
  files: ['a', 'b/c'].map((path) => ({ path, size: 1, sha256: zero.toString('hex') })),
})
const changes: readonly [what: string, from: string | RegExp, to: string][] = [
  ['another first line', 'sallyport/pack/v1', 'sallyport/pack/v2'],
  ['no origin', 'log.example', ''],
  ['a line missing', 'scope whole\n', ''],
  ['another scope', 'scope whole', 'scope all'],
  ['a count with a zero in front', 'entries 1', 'entries 01'],
  ['a count that is none', 'entries 1', 'entries -1'],
  ['what was asked spelt otherwise', String.raw`\n`, String.raw`\u000a`],
  ['what was asked as no text', /asked .*/, 'asked 1'],
  ['a path that leads out', 'b/c', 'b/../../c'],
  ['a path from the root', ' a\n', ' /a\n'],
  ['paths in another order', 'b/c', 'A'],
  ['a path twice', 'b/c', 'a'],
  ['a digest in capitals', /0{64} 1 a/, `${'A'.repeat(64)} 1 a`],
  ['a line of something else', /$/, 'more\n'],
  ['no newline at its end', /\n$/, ''],
]
for (const [what, from, to] of changes) {
  test(`a manifest with ${what} is refused`, () => {
    const bad = good.replace(from, to)
    assert.notEqual(bad, good)
    assert.throws(() => parseManifest(bad), { code: 'bundle_malformed' })
  })
}
