import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalize } from '../tlog/canonical.ts'
import { replay } from './replay.ts'
import { entry, from, hostile, hostileLog, log, proofOf } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Prove } from './shown.ts'

interface Cast {
  readonly header: Readonly<Record<string, unknown>>
  readonly events: readonly (readonly [interval: number, code: string, data: string])[]
  readonly comments: readonly string[]
}

/** A strict reader of asciicast v3: NDJSON, header first, then events or comments. */
function readCast(text: string): Cast {
  assert.ok(text.endsWith('\n'))
  const [first = '', ...others] = text.slice(0, -1).split('\n')
  const header: unknown = JSON.parse(first)
  assert.ok(typeof header === 'object' && header !== null && !Array.isArray(header))
  const { term, timestamp, title, version, ...more } = header as Record<string, unknown>
  assert.equal(version, 3)
  assert.deepEqual(Object.keys(more), [])
  assert.ok(Number.isSafeInteger(timestamp) && typeof title === 'string')
  assert.deepEqual(Object.keys(Object(term)), ['cols', 'rows'])
  assert.ok(Number.isInteger(Object(term).cols) && Number.isInteger(Object(term).rows))
  const comments = others.filter((line) => line.startsWith('#'))
  const events = others
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const event: unknown = JSON.parse(line)
      assert.ok(Array.isArray(event) && event.length === 3)
      const [interval, code, data]: unknown[] = event
      assert.ok(typeof interval === 'number' && interval >= 0 && Number.isFinite(interval))
      assert.ok(typeof code === 'string' && /^[oimrx]$/.test(code))
      assert.ok(typeof data === 'string')
      return [interval, code, data] as const
    })
  return { header: header as Record<string, unknown>, events, comments }
}

async function castOf(of: readonly RecordedEntry[], proof?: Prove): Promise<string> {
  const options = { format: 'cast', shows: () => true, title: 'a\u001b', proof } as const
  return (await Array.fromAsync(replay(from(of), options))).join('')
}

async function textOf(of: readonly RecordedEntry[]): Promise<string> {
  return (await Array.fromAsync(replay(from(of), { format: 'text', shows: () => true }))).join('')
}

test('a recording has the text of the replay at the times of the log', async () => {
  const { header, events } = readCast(await castOf(log))
  assert.equal(header['timestamp'], Date.UTC(2026, 10, 21, 7, 48, 0) / 1000)
  assert.equal(header['title'], 'a\\u001b')
  const printed = events
    .filter(([, code]) => code === 'o')
    .map(([, , data]) => data)
    .join('')
  assert.equal(printed.replaceAll('\r\n', '\n'), await textOf(log))
  assert.doesNotMatch(printed, /[^\r]\n/)
  let at = 0
  const starts = events.map(([interval, code]) => [(at += interval), code])
  assert.deepEqual(starts, [
    [0, 'o'],
    [1, 'm'],
    [1, 'o'],
    [2, 'o'],
    [3, 'o'],
    [4, 'o'],
    [5, 'o'],
    [6, 'o'],
    [7, 'm'],
    [7, 'o'],
    [8, 'o'],
    [8, 'o'],
  ])
})

test('intervals are exact to the microsecond', async () => {
  const times = ['07:48:00.000001Z', '07:48:00.000002Z', '09:48:00.100000Z']
  const of = times.map((time, i) => entry(i, { type: 'seal', time: `2026-11-21T${time}` }))
  const { events } = readCast(await castOf(of))
  assert.deepEqual(
    events.map(([interval]) => interval),
    [0, 0.000001, 7200.099998, 0],
  )
})

test('each call is marked by its name', async () => {
  const { events } = readCast(await castOf(log))
  assert.deepEqual(
    events.filter(([, code]) => code === 'm').map(([, , data]) => data),
    ['tools/call execute_sql on shop', 'tools/call drop_table on shop, denied'],
  )
})

test('proofs are comments with the entry that they prove', async () => {
  const { comments } = readCast(await castOf(log, proofOf))
  assert.equal(comments.length, 2 * log.length)
  for (const [i, { line }] of log.entries()) {
    const [entryLine = '', proofLine = ''] = comments.slice(2 * i)
    const stored = entryLine.slice(`# entry ${i}: `.length)
    assert.equal(canonicalize(JSON.parse(stored)), line.toString())
    const proof: unknown = JSON.parse(proofLine.slice(`# proof ${i}: `.length))
    assert.equal(proof, (await proofOf(i)) ?? null)
  }
})

for (const word of hostile) {
  test(`a recording drives no terminal, whoever says ${JSON.stringify(word)}`, async () => {
    const of = hostileLog(word)
    const raw = await castOf(of, proofOf)
    assert.doesNotMatch(raw, /(?!\n)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u)
    const { comments, events } = readCast(raw)
    for (const [, code, data] of events) {
      assert.doesNotMatch(
        data.replaceAll('\r\n', ''),
        /(?!\t)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u,
      )
      if (code === 'm') assert.ok(!/[\n\t]/.test(data))
    }
    assert.equal(comments.length, 2 * of.length)
  })
}
