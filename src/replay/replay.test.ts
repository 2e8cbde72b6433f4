import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { replay } from './replay.ts'
import { crashed, from, log, proofOf } from './sample.fixture.ts'
import { Ranges } from './shown.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { ReplayFormat, ReplayOptions } from './replay.ts'

const formats: readonly ReplayFormat[] = ['text', 'jsonl', 'html', 'har', 'cast']
const shows = new Set(['se_a'])

async function whole(of: readonly RecordedEntry[], options: ReplayOptions): Promise<string> {
  return (await Array.fromAsync(replay(from(of), options))).join('')
}

for (const format of formats) {
  test(`as ${format}, a session that the record does not know is said so before all else`, async () => {
    const lines = replay(from(log), { format, shows: new Set(['se_x']) })
    await assert.rejects(lines.next(), { name: 'Fault', code: 'session_unknown' })
  })

  test(`as ${format}, the log and the indexes of what is shown are stated`, async () => {
    const text = await whole(log, { format, shows, origin: 'log.example/one' })
    assert.ok(text.includes('0-1, 3-6, 8'), text)
    assert.ok(text.includes('log.example/one'))
    const unnamed = await whole(log, { format, shows })
    assert.ok(!unnamed.includes('log.example') && !unnamed.includes('undefined'))
  })

  test(`as ${format}, proofs come on request, and what has none yet says so`, async () => {
    const options = { format, shows: () => true, proof: proofOf }
    const text = await whole(log, options)
    const mark = format === 'text' ? 'in the tree of 1,234 entries' : 'c2sp.org/tlog-proof@v1'
    assert.equal(text.split(mark).length - 1, 8)
    assert.match(text, format === 'text' || format === 'html' ? /none yet/ : /\bnull\b/)
    const without = await whole(log, { format, shows: () => true })
    assert.ok(!without.includes('tlog-proof') && !without.includes('1,234 entries'))
  })

  test(`as ${format}, several sessions, or single calls, share one timeline in the log's order`, async () => {
    const both = await whole(log, { format, shows: new Set(['se_b', 'se_a']) })
    assert.ok(both.includes('0-1, 3-8') && both.includes('se_a') && both.includes('se_b'))
    assert.ok(both.indexOf('execute_sql') < both.indexOf('drop_table'))
    const call = await whole(log, { format, shows: new Set(['ex_b']) })
    assert.ok(call.includes('drop_table') && !call.includes('execute_sql'))
    const byRule = await whole(log, { format, shows: ({ type }) => type === 'gateway.started' })
    assert.ok(byRule.includes('configHash') && !byRule.includes('se_a'))
  })

  test(`as ${format}, a call that a crash cut off has no made-up end`, async () => {
    const text = await whole(crashed, { format, shows: () => true })
    assert.match(text, /unknown/)
    assert.match(text, /process_ended/)
    if (format !== 'jsonl') assert.match(text, /may have run/)
    if (format !== 'jsonl') assert.match(text, /without an end|no end/)
  })

  test(`as ${format}, content that was shredded or is locked is named so, and the rest stands`, async () => {
    const gone = log.map((one): RecordedEntry => {
      if (one.type !== 'call.received') return one
      return { ...one, bodyState: 'shredded', body: () => undefined }
    })
    const text = await whole(gone, { format, shows })
    assert.match(text, format === 'jsonl' ? /"bodyState":"shredded"/ : /destroyed/)
    assert.ok(!text.includes('FROM cards') && text.includes('execute_sql'))
    const locked = gone.map((one) => ({ ...one, bodyState: 'locked' as const }))
    assert.match(await whole(locked, { format, shows }), /locked|encrypted/)
  })

  test(`as ${format}, the record is let go when the reader stops early`, async () => {
    let isClosed = false
    const endless = async function* (): AsyncGenerator<RecordedEntry> {
      try {
        yield* log
      } finally {
        isClosed = true
      }
    }
    for await (const piece of replay(endless(), { format, shows })) {
      assert.notEqual(piece, '')
      break
    }
    assert.ok(isClosed)
  })
}

test('indexes as ranges are those that were added', () => {
  const indexes = fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 40 })
  const same = fc.property(indexes, (some) => {
    const ranges = new Ranges()
    const sorted = some.toSorted((a, b) => a - b)
    for (const index of sorted) ranges.add(index)
    const words = ranges.toString().split(', ').filter(Boolean)
    const read = words.flatMap((word) => {
      const [first = 0, last = first] = word.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
    assert.deepEqual(read, sorted)
    assert.equal(ranges.count, sorted.length)
    const gaps = sorted.filter((index, i) => index !== (sorted[i - 1] ?? -2) + 1)
    assert.equal(words.length, gaps.length, 'no two ranges touch')
  })
  fc.assert(same)
})
