import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Findings } from './findings.ts'
import { PackWalk } from './pack-walk.ts'
import type { Scope } from './pack-format.ts'

type Fields = Record<string, unknown>

let second = 0
const time = (): string => `2026-11-20T10:00:${String(second++ % 60).padStart(2, '0')}.000000Z`
const entry = (type: string, more: Fields = {}): Fields => ({
  time: time(),
  type,
  session: 's',
  exchange: 'e',
  ...more,
})
const opened = (): Fields => entry('session.opened', { exchange: null })
const closed = (calls: number): Fields => entry('session.closed', { calls, exchange: null })
const call = (exchange = 'e'): Fields[] => [
  entry('call.received', { exchange }),
  entry('call.finished', { exchange }),
]
const mask = (part?: number, parts?: number): Fields =>
  entry('mask.applied', part === undefined ? {} : { part, parts })

/** What a walk over these finds, a line for each. */
function found(entries: readonly Fields[], scope: Scope = 'whole'): string[] {
  const findings = new Findings()
  const walk = new PackWalk(findings, scope)
  for (const [index, each] of entries.entries()) walk.take(each, index)
  walk.end()
  return findings.list().map(({ place, weight, words }) => `${weight} ${place} ${words}`)
}

const fine: readonly [what: string, entries: () => Fields[]][] = [
  ['a session of two calls', () => [opened(), ...call(), ...call('f'), closed(2)]],
  ['a call alone', () => call()],
  ['two calls of one exchange', () => [...call(), ...call()]],
  ['a call refused after it came', () => [entry('call.received'), entry('call.denied')]],
  ['a call refused at the door', () => [entry('call.denied')]],
  ['maskings of one part', () => [mask(), mask()]],
  ['a masking of three parts', () => [mask(1, 3), mask(2, 3), mask(3, 3), mask(1, 2), mask(2, 2)]],
  ['the end of a session whose beginning is elsewhere', () => [closed(7)]],
]
for (const [what, entries] of fine) {
  test(`${what} is complete`, () => {
    second = 0
    assert.deepEqual(found(entries()), [])
  })
}

const told: readonly [what: string, entries: () => Fields[], said: RegExp][] = [
  [
    'a time that goes back',
    () => [opened(), ...call(), { ...closed(1), time: '2025-01-01T00:00:00.000000Z' }],
    /^wrong entry 3 is earlier/,
  ],
  ['no time', () => [entry('x', { time: '2026-11-20' })], /^wrong entry 0 has no time/],
  [
    'a call too few',
    () => [opened(), ...call(), closed(2)],
    /^wrong entry 3 ends a session of 2 calls, of which 1 are here/,
  ],
  [
    'a call more than its session counted',
    () => [opened(), ...call(), closed(0)],
    /^note entry 3 ends a session of 0 calls; 1 are here/,
  ],
  [
    'a session that ends twice',
    () => [opened(), closed(0), closed(0)],
    /^wrong entry 2 ends a session a second time/,
  ],
  [
    'a session without an end',
    () => [opened(), ...call()],
    /^note entry 0 begins a session that goes on/,
  ],
  [
    'a call without an end in a session with one',
    () => [opened(), entry('call.received'), closed(1)],
    /^unsure entry 1 is a call without an end, though/,
  ],
  [
    'a call without an end',
    () => [entry('call.received')],
    /^note entry 0 is a call without an end: it was open/,
  ],
  [
    'one end for two calls',
    () => [entry('call.received'), ...call()],
    /^note entry 1 is a call without an end|^note entry 0 is/,
  ],
  [
    'an end without a call',
    () => [entry('call.finished')],
    /^unsure entry 0 ends a call whose beginning/,
  ],
  ['a part that is missing', () => [mask(1, 3), mask(3, 3)], /^wrong entry 1 is not the part/],
  ['a part of another masking', () => [mask(1, 3), mask(2, 2)], /^wrong entry 1 is not the part/],
  ['a whole masking among parts', () => [mask(1, 2), mask()], /^wrong entry 1 is not the part/],
  ['parts that do not end', () => [mask(1, 2)], /^wrong entry 0 is a masking whose further parts/],
  ['a part that is not the first', () => [mask(2, 2)], /^wrong entry 0 is not the part/],
]
for (const [what, entries, said] of told) {
  test(`${what} is told`, () => {
    second = 0
    const all = found(entries())
    assert.equal(all.length, 1)
    assert.match(all[0] ?? '', said)
  })
}

test('of chosen entries only times are compared', () => {
  second = 0
  assert.deepEqual(found([mask(2, 2), entry('call.finished'), closed(9)], 'chosen'), [])
  assert.equal(
    found([entry('a', { time: '2027-01-01T00:00:00.000000Z' }), entry('b')], 'chosen').length,
    1,
  )
})

test('sessions, calls and times are counted in any scope', () => {
  const walk = new PackWalk(new Findings(), 'chosen')
  for (const each of [...call(), { ...entry('call.received'), session: 't' }]) walk.take(each, 0)
  assert.deepEqual([walk.calls, walk.sessions], [2, 2])
  assert.ok(walk.firstTime !== undefined && walk.lastTime !== undefined)
  assert.equal(new PackWalk(new Findings(), 'whole').lastTime, undefined)
})
