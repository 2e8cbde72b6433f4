import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storedEntry } from '../record/stored.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { duration, grouped, oneLine, visible } from './plain.ts'
import { piecesOf } from './body.ts'
import { replayLines } from './replay.ts'
import { listSessions, sessionLines } from './sessions.ts'
import type { RecordedEntry } from '../record/read.ts'

const ada = { issuer: 'https://issuer', kind: 'person', name: 'Ada', subject: 'u-1', groups: ['x'] }
const common = {
  v: 1,
  outcome: 'ok',
  session: 'se_a',
  exchange: 'ex_a',
  connection: 'shop',
  principal: ada,
  source: { ip: '10.0.0.1', port: 40, forwarded: '192.0.2.9' },
}

function entry(index: number, fields: Record<string, unknown>, body?: string): RecordedEntry {
  const time = `2026-11-21T07:48:0${index}.000001Z`
  const value = { ...common, index, time, ...fields }
  const stored = storedEntry(value)
  assert.ok(stored)
  const bytes = body === undefined ? undefined : Buffer.from(body, 'latin1')
  return { ...stored, line: Buffer.from(canonicalize(value)), body: () => bytes }
}

async function* from(entries: readonly RecordedEntry[]): AsyncGenerator<RecordedEntry> {
  await Promise.resolve()
  yield* entries
}

const query = 'SELECT *\nFROM cards -- \u001b[2J'
const asked = JSON.stringify({
  method: 'tools/call',
  params: { name: 'execute_sql', arguments: { sql: query, limit: 10 } },
})
const told =
  '{"result":{"content":[{"type":"text","text":"a\\u009b31m"},{"type":"image"}],"isError":false}}'
const target = { kind: 'tool', name: 'execute_sql' }
const log = [
  entry(0, {
    type: 'session.opened',
    exchange: null,
    era: 'legacy',
    version: '2025-11-25',
    clientName: 'cli',
    clientVersion: '1.0',
  }),
  entry(
    1,
    {
      type: 'call.received',
      era: 'legacy',
      version: '2025-11-25',
      rpcKind: 'request',
      method: 'tools/call',
      target,
      bytes: 90,
      decision: 'allow',
      rule: 'grant 1',
    },
    asked,
  ),
  entry(2, {
    type: 'gateway.started',
    session: null,
    exchange: null,
    version: '1',
    configHash: 'x',
  }),
  entry(3, { type: 'call.dispatched', host: 'localhost:9', attempt: 1 }),
  entry(4, { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 1234 }, told),
  entry(5, {
    type: 'mask.applied',
    of: 'answer',
    seq: 1,
    delivered: 'masked',
    count: 2,
    groups: [
      {
        at: '/result/*',
        brand: 'visa',
        confidence: 'certain',
        each: ['0:1111', '3:4242'],
        kind: 'pan',
        rule: 'shop',
      },
    ],
  }),
  entry(6, {
    type: 'call.finished',
    httpStatus: 200,
    durationUs: 12_345,
    bytesIn: 90,
    bytesOut: 1234,
    messages: 1,
  }),
  entry(7, {
    type: 'call.denied',
    session: 'se_b',
    exchange: 'ex_b',
    outcome: 'denied',
    reason: 'tool',
    code: 'tool_unknown',
    status: 200,
  }),
  entry(8, {
    type: 'session.closed',
    exchange: null,
    source: { ip: '10.0.0.2', port: 41 },
    durationUs: 90_061_000_002,
    reason: 'ended',
    calls: 1,
  }),
]

test('a session that the record does not know is said so', async () => {
  await assert.rejects(Array.fromAsync(replayLines(from(log), 'se_x', 'text')), {
    code: 'session_unknown',
  })
})

test('a replay has every entry of its session in order, who, from where, what and how long', async () => {
  const lines = await Array.fromAsync(replayLines(from(log), 'se_a', 'text'))
  assert.deepEqual(lines.join('').split('\n'), [
    'session se_a',
    '  who   Ada, u-1 (person) of https://issuer, groups x',
    '  from  192.0.2.9, through 10.0.0.1:40',
    '2026-11-21T07:48:00.000001Z  session opened  legacy 2025-11-25  cli 1.0',
    '2026-11-21T07:48:01.000001Z  > tools/call execute_sql on shop  allowed by grant 1  [ex_a]',
    '    sql:',
    '      SELECT *',
    '      FROM cards -- \\u001b[2J',
    '    limit: 10',
    '2026-11-21T07:48:03.000001Z  > sent to localhost:9, attempt 1  [ex_a]',
    '2026-11-21T07:48:04.000001Z  < response 1  1,234 bytes  [ex_a]',
    '    text: a\\u009b31m',
    '    content: {"type":"image"}',
    '    isError: false',
    '2026-11-21T07:48:05.000001Z  * 2 masked in answer 1; to the client: all masked  [ex_a]',
    '    pan, visa, certain at /result/* by shop',
    '      0:1111 3:4242',
    '2026-11-21T07:48:06.000001Z  = ok  HTTP 200, 12.345 ms, 90 bytes in, 1,234 out  [ex_a]',
    '  from  10.0.0.2:41',
    '2026-11-21T07:48:08.000001Z  session closed: ended  1 d 01:01:01.000002, 1 calls',
    '',
  ])
})

test('as jsonl, each line has the entry as it stands and the text of its body', async () => {
  const lines = await Array.fromAsync(replayLines(from(log), 'se_a', 'jsonl'))
  assert.equal(lines.length, 7)
  assert.ok(lines[1]?.includes(`"entry":${log[1]?.line.toString() ?? '?'}`))
  const text: unknown = JSON.parse(lines[1] ?? '')
  assert.deepEqual(Object(text).text, asked)
  const odd = await Array.fromAsync(
    replayLines(from([entry(1, { type: 'response.event' }, '\xff')]), 'se_a', 'jsonl'),
  )
  assert.deepEqual(Object(JSON.parse(odd[0] ?? '')).base64, '/w==')
})

test('sessions are listed with who, whence, exact duration, calls and maskings', async () => {
  const [a, b, ...others] = await Array.fromAsync(listSessions(from(log)))
  assert.equal(others.length, 0)
  assert.equal(a?.durationUs, 90_061_000_002)
  assert.equal(a?.client, 'cli 1.0')
  assert.deepEqual([a?.calls, a?.maskings, a?.outcomes], [1, 2, { ok: 1 }])
  assert.deepEqual([b?.session, b?.closedAt, b?.outcomes], ['se_b', undefined, { denied: 1 }])
  const text = (await Array.fromAsync(sessionLines(from(log), 'text'))).join('')
  assert.match(
    text,
    /^SESSION .*\nse_a .*1 d 01:01:01\.000002 .*Ada .*192\.0\.2\.9 .*\nse_b .* open /,
  )
  const json = await Array.fromAsync(sessionLines(from(log), 'jsonl'))
  assert.deepEqual(
    json.map((line) => Object(JSON.parse(line)).session),
    ['se_a', 'se_b'],
  )
  assert.match((await Array.fromAsync(sessionLines(from([]), 'text'))).join(''), /No sessions/)
})

const filters: readonly [filter: Parameters<typeof listSessions>[1], found: string[]][] = [
  [{ principal: 'u-1' }, ['se_a', 'se_b']],
  [{ principal: 'Ada', isOpen: true }, ['se_b']],
  [{ principal: 'ada' }, []],
  [{ connection: 'other' }, []],
  [{ ip: '192.0.2.9', isOpen: false }, ['se_a']],
  [{ ip: '10.0.0.3' }, []],
  [{ fromUs: Date.parse('2026-11-21T07:48:08Z') * 1000 }, ['se_a']],
  [{ toUs: Date.parse('2026-11-21T07:48:07Z') * 1000 }, ['se_a']],
]
for (const [filter, found] of filters) {
  test(`sessions by ${JSON.stringify(filter)} are ${found.join(', ') || 'none'}`, async () => {
    const names = (await Array.fromAsync(listSessions(from(log), filter))).map(
      ({ session }) => session,
    )
    assert.deepEqual(names, found)
  })
}

test('what moves a cursor, hides or turns text is spelt out', () => {
  assert.equal(
    visible('a\tb\nc\r\u001b]0;x\u0007\u202e\u2028'),
    'a\tb\nc\\u000d\\u001b]0;x\\u0007\\u202e\\u2028',
  )
  assert.equal(oneLine('a\nb\tc'), 'a\\nb\\tc')
})

test('durations are exact to the microsecond', () => {
  const texts = [0, 999_999, 1_000_000, 59_999_999, 60_000_001, 3_600_000_000].map(duration)
  assert.deepEqual(texts, [
    '0.000 ms',
    '999.999 ms',
    '1.000000 s',
    '59.999999 s',
    '00:01:00.000001',
    '01:00:00.000000',
  ])
  assert.deepEqual([0, 999, 1000, 1_234_567].map(grouped), ['0', '999', '1,000', '1,234,567'])
})

const bodies: readonly [what: string, body: string, pieces: [string, string][]][] = [
  ['no JSON', 'plain \u0007', [['text', 'plain \\u0007']]],
  ['an error', '{"error":{"code":-32602}}', [['error', '{"code":-32602}']]],
  ['params without arguments', '{"params":{"uri":"x"}}', [['params', '{"uri":"x"}']]],
  [
    'a result without content',
    '{"result":{"n":12345678901234567890}}',
    [['result', '{"n":12345678901234567890}']],
  ],
  ['a batch', '[{"id":1}]', [['message', '[{"id":1}]']]],
  [
    'arguments that are no object',
    '{"params":{"arguments":[1]}}',
    [['params', '{"arguments":[1]}']],
  ],
]
for (const [what, body, pieces] of bodies) {
  test(`of ${what} a reader sees every byte that matters`, () => {
    const found = piecesOf(Buffer.from(body)).map(({ name, text }) => [name, text])
    assert.deepEqual(found, pieces)
  })
}
