import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { canonicalize } from '../tlog/canonical.ts'
import { replay } from './replay.ts'
import { asked, entry, from, hostile, hostileLog, log, proofOf } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Prove } from './shown.ts'

async function linesOf(of: readonly RecordedEntry[], proof?: Prove): Promise<string[]> {
  return await Array.fromAsync(replay(from(of), { format: 'jsonl', shows: () => true, proof }))
}

const leaf = (line: string | Buffer): string =>
  createHash('sha256').update('\0').update(line).digest('hex')

test('each line is canonical JSON, and its entry hashes to the leaf of the log', async () => {
  for (const record of [log, ...hostile.map(hostileLog)]) {
    const lines = await linesOf(record, proofOf)
    assert.equal(lines.length, record.length + 1)
    for (const [i, line] of lines.entries()) {
      const value: unknown = JSON.parse(line)
      assert.equal(line, `${canonicalize(value)}\n`)
      const stored = record[i]
      if (!stored) continue
      assert.equal(leaf(canonicalize(Object(value).entry)), leaf(stored.line))
      // The bytes can also be cut out without parsing anything.
      assert.ok(line.includes(`"entry":${stored.line.toString()}`))
    }
  }
})

test('a line has the text of its message, or its bytes when they are no text', async () => {
  const [, second = ''] = await linesOf(log)
  assert.equal(Object(JSON.parse(second)).text, asked)
  const [odd = ''] = await linesOf([entry(1, { type: 'response.event' }, '\xff')])
  assert.equal(Object(JSON.parse(odd)).base64, '/w==')
  assert.deepEqual(Object.keys(Object(JSON.parse(second))), ['entry', 'text'])
  assert.deepEqual(Object.keys(Object(JSON.parse(odd))), ['base64', 'entry'])
  const [marked = ''] = await linesOf([entry(1, { type: 'response.event' }, '\xef\xbb\xbf{}')])
  assert.equal(Object(JSON.parse(marked)).text, '\ufeff{}')
})

test('the last line alone says what was shown, so that a replay cut off is seen', async () => {
  const lines = await linesOf(log)
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {
    shown: { count: 9, entries: '0-8', title: 'Replay' },
  })
  assert.ok(lines.slice(0, -1).every((line) => !('shown' in Object(JSON.parse(line)))))
})

test('a proof is the text of the tlog-proof, and null while there is none', async () => {
  const lines = (await linesOf(log, proofOf)).map((line) => Object(JSON.parse(line)))
  assert.equal(lines[0].proof, await proofOf(0))
  assert.equal(lines[2].proof, null)
})
