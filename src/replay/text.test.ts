import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replay } from './replay.ts'
import {
  crashed,
  entry,
  finished,
  from,
  hostile,
  hostileLog,
  log,
  proofOf,
} from './sample.fixture.ts'
import { received } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'

async function textOf(of: readonly RecordedEntry[], session?: string): Promise<string> {
  const shows = session === undefined ? (): boolean => true : new Set([session])
  return (await Array.fromAsync(replay(from(of), { format: 'text', shows }))).join('')
}

test('a replay has every entry of its session in order, who, from where, what and how long', async () => {
  assert.deepEqual((await textOf(log, 'se_a')).split('\n'), [
    'session se_a',
    '  who   Ada, u-1 (person) of https://issuer, groups x',
    '  from  192.0.2.9, through 10.0.0.1:40',
    '2026-11-21T07:48:00.000001Z  session opened  legacy 2025-11-25  cli 1.0  [se_a]',
    '2026-11-21T07:48:01.000001Z  > tools/call execute_sql on shop  allowed by grant 1  [se_a ex_a]',
    '    sql:',
    '      SELECT *',
    '      FROM cards -- \\u001b[2J',
    '    limit: 10',
    '2026-11-21T07:48:03.000001Z  > sent to localhost:9, attempt 1  [se_a ex_a]',
    '2026-11-21T07:48:04.000001Z  < response 1  1,234 bytes  [se_a ex_a]',
    '    text: a\\u009b31m',
    '    content: {"type":"image"}',
    '    isError: false',
    '2026-11-21T07:48:05.000001Z  * 2 masked in answer 1; to the client: all masked  [se_a ex_a]',
    '    pan, visa, certain at /result/* by shop',
    '      0:1111 3:4242',
    '2026-11-21T07:48:06.000001Z  = ok  HTTP 200, 5.012345 s, 90 bytes in, 1,234 out  [se_a ex_a]',
    'session se_a',
    '  from  10.0.0.2:41',
    '2026-11-21T07:48:08.000001Z  session closed: ended  1 d 01:01:01.000002, 1 call  [se_a]',
    '',
    'session se_a  Ada  192.0.2.9  cli 1.0  legacy 2025-11-25  2026-11-21T07:48:00.000001Z to 2026-11-21T07:48:08.000001Z (1 d 01:01:01.000002), ended  1 call, 2 masked',
    'shown: 7 entries, 0-1, 3-6, 8',
    '',
  ])
})

test('each line of several sessions names its own, and who changes is said again', async () => {
  const lines = (await textOf(crashed)).split('\n').filter((line) => line.startsWith('2026-'))
  assert.deepEqual(
    lines.map((line) => line.slice(-11)),
    ['[se_a ex_a]', '[se_c ex_c]', '[se_a ex_a]', '[se_a ex_a]'],
  )
})

test('a call that a crash ended, and one without any end, are told as such', async () => {
  const text = await textOf(crashed)
  assert.match(text, /= unknown: process_ended .*\n {4}note: .*may have run\n/)
  assert.match(
    text,
    /\nwithout an end: tools\/call execute_sql on shop, since .*:01\.\d+Z {2}\[se_c ex_c\]\n/,
  )
  assert.ok(!text.includes('execute_sql on shop, since 2026-11-21T07:48:00'))
})

test('what a crash cut off has no figures, and its session ends when it was last heard of', async () => {
  const closed = {
    type: 'session.closed',
    exchange: null,
    reason: 'process_ended',
    durationUs: 2e6,
  }
  const text = await textOf([...crashed, entry(9, { ...closed, calls: 1 })])
  assert.match(text, /= unknown: process_ended {2}\[se_a ex_a\]\n/)
  assert.match(
    text,
    /\nsession se_a .* 2026-\S*:00\.\d+Z to 2026-\S*:02\.\d+Z \(2\.000000 s\), process_ended /,
  )
  assert.doesNotMatch(text, /HTTP 0|0\.000 ms/)
})

test('members that have no words of their own are shown as they are', async () => {
  const seal = { type: 'seal', session: null, exchange: null, principal: null, source: null }
  const text = await textOf([entry(0, { ...seal, refused: { busy: 3 }, accepted: 4, why: 'a\nb' })])
  assert.deepEqual(text.split('\n').slice(0, 5), [
    '2026-11-21T07:48:00.000001Z  seal ok',
    '    refused: {"busy":3}',
    '    accepted: 4',
    '    why:',
    '      a',
  ])
})

test('a proof is told by its index, the size of its tree and the log', async () => {
  const lines = replay(from(log), { format: 'text', shows: () => true, proof: proofOf })
  const text = (await Array.fromAsync(lines)).join('')
  assert.ok(text.includes('    proof: entry 0 in the tree of 1,234 entries of log.example/one\n'))
  assert.ok(text.includes('    proof: entry 2: none yet, no checkpoint covers it\n'))
})

test('of a batch an end goes to the call of its size, and where two fit, to neither', async () => {
  const listing = { method: 'tools/list', target: null, bytes: 50 }
  const apart = await textOf([received(0), received(1, listing), finished(2, { bytesIn: 90 })])
  assert.match(apart, /without an end: tools\/list on shop/)
  const alike = [received(0), received(1, { ...listing, bytes: 90 }), finished(2)]
  assert.match(await textOf(alike), /without an end: one call of a batch on shop/)
})

for (const word of hostile) {
  test(`no line looks like an entry but entries, whoever says ${JSON.stringify(word)}`, async () => {
    const of = hostileLog(word)
    const text = await textOf(of)
    assert.doesNotMatch(text, /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u)
    const stamped = text.split('\n').filter((line) => /^\S*\d{4}-\d\d-\d\dT/.test(line))
    assert.deepEqual(
      stamped.map((line) => line.slice(0, 27)),
      of.map(({ time }) => time),
    )
  })
}
