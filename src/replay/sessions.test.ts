import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashed, entry, finished, from, log, received } from './sample.fixture.ts'
import { listSessions, sessionLines } from './sessions.ts'

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

test('an end whose beginning is not there, and a refusal at the door, leave no call open', async () => {
  const cut = [finished(0), entry(1, { type: 'call.denied', exchange: 'ex_b', outcome: 'denied' })]
  const [a] = await Array.fromAsync(listSessions(from(cut)))
  assert.deepEqual([a?.calls, a?.open, a?.outcomes], [0, 0, { ok: 1, denied: 1 }])
  const refusedLate = [received(0), entry(1, { type: 'call.denied', outcome: 'denied' })]
  const [b] = await Array.fromAsync(listSessions(from(refusedLate)))
  assert.deepEqual([b?.calls, b?.open], [1, 0])
})

test('calls that a crash left open are counted as open until something ends them', async () => {
  const [a, c] = await Array.fromAsync(listSessions(from(crashed)))
  assert.deepEqual([a?.session, a?.calls, a?.open, a?.outcomes], ['se_a', 1, 0, { unknown: 1 }])
  assert.deepEqual([c?.session, c?.calls, c?.open, c?.outcomes], ['se_c', 1, 1, {}])
  assert.deepEqual([a?.era, c?.era, c?.version], ['legacy', 'modern', '2026-07-28'])
  const text = (await Array.fromAsync(sessionLines(from(crashed), 'text'))).join('')
  assert.match(text, / 1, 1 unknown .*\n.* 1, 1 open /)
})
