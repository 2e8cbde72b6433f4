import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sessions } from './sessions.ts'
import { SessionState } from './state.ts'

function house(): {
  sessions: Sessions
  again: () => Sessions
  state: SessionState
  pass: (ms: number) => void
} {
  let us = 1_000_000_000
  const clock = { nowUs: () => us, monotonicMs: () => us / 1000 }
  const state = new SessionState(':memory:', new Uint8Array(32))
  const again = (): Sessions => new Sessions({ state, clock, idleMs: 60_000 })
  return { sessions: again(), again, state, pass: (ms) => (us += ms * 1000) }
}
const here = { ip: '127.0.0.1', userAgent: 'test' }
const unknown = { name: 'Fault', code: 'session_unknown' }

test('a session id nobody was given is unknown', () => {
  assert.throws(() => house().sessions.resume('shop', 'ada', 'guess'), unknown)
})

test('a session id of another principal, or on another connection, is unknown', () => {
  const { sessions } = house()
  sessions.bind(sessions.begin('shop', 'ada', '2025-11-25', here), 'sid')
  assert.throws(() => sessions.resume('shop', 'eve', 'sid'), unknown)
  assert.throws(() => sessions.resume('bank', 'ada', 'sid'), unknown)
})

test('a session whose id died at the server is unknown, also after a restart', () => {
  const { sessions, again } = house()
  const session = sessions.begin('shop', 'ada', '2025-11-25', here)
  sessions.bind(session, 'sid')
  sessions.close(session, 'ended', true)
  assert.throws(() => sessions.resume('shop', 'ada', 'sid'), unknown)
  assert.throws(() => again().resume('shop', 'ada', 'sid'), unknown)
})

test('after a restart the owner goes on under the same id, in a new recorded session, and nobody else', () => {
  const { sessions, again } = house()
  const before = sessions.begin('shop', 'ada', '2025-06-18', here)
  sessions.bind(before, 'sid')
  const restarted = again()
  assert.throws(() => restarted.resume('shop', 'eve', 'sid'), unknown)
  const { session, isNew } = restarted.resume('shop', 'ada', 'sid')
  assert.equal(isNew, true)
  assert.equal(session.continues, before.id)
  assert.equal(session.version, '2025-06-18')
  assert.equal(restarted.resume('shop', 'ada', 'sid').session, session)
})

test('requests without an id share a session until it is idle, by principal, connection, address and program', () => {
  const { sessions, pass } = house()
  const first = sessions.join('shop', 'ada', 'modern', '2026-07-28', here).session
  assert.equal(sessions.join('shop', 'ada', 'modern', '2026-07-28', here).session, first)
  for (const [connection, owner, trait] of [
    ['bank', 'ada', here],
    ['shop', 'eve', here],
    ['shop', 'ada', { ...here, ip: '10.0.0.1' }],
    ['shop', 'ada', { ...here, userAgent: 'other' }],
    ['shop', 'ada', { ...here, client: 'cl_other' }],
    ['shop', 'ada', { ...here, signIn: 'another sign-in' }],
  ] as const) {
    assert.notEqual(sessions.join(connection, owner, 'modern', '2026-07-28', trait).session, first)
  }
  pass(59_000)
  assert.deepEqual(sessions.closeIdle(), [])
  pass(2_000)
  assert.equal(sessions.closeIdle().includes(first), true)
  assert.notEqual(sessions.join('shop', 'ada', 'modern', '2026-07-28', here).session, first)
})

test('a session with an exchange under way is not idle', () => {
  const { sessions, pass } = house()
  const { session } = sessions.join('shop', 'ada', 'modern', '2026-07-28', here)
  session.underway = 1
  pass(120_000)
  assert.deepEqual(sessions.closeIdle(), [])
})

test('events, awaited answers and tasks are found again, and only under their own key', () => {
  const { state } = house()
  assert.equal(state.noteEvent('sid', 'e1', 'ex_a', 1), true)
  assert.equal(state.noteEvent('sid', 'e1', 'ex_b', 1), false)
  assert.equal(state.exchangeOfEvent('sid', 'e1'), 'ex_a')
  assert.equal(state.exchangeOfEvent('other', 'e1'), undefined)
  state.await('sid', '1', 'client', { exchange: 'ex_a', method: 'tools/call' }, 1)
  assert.equal(state.awaited('sid', '"1"', 'client'), undefined)
  assert.equal(state.awaited('sid', '1', 'server'), undefined)
  assert.deepEqual(state.awaited('sid', '1', 'client'), { exchange: 'ex_a', method: 'tools/call' })
  state.settle('sid', '1', 'client')
  assert.equal(state.awaited('sid', '1', 'client'), undefined)
  state.ownTask('shop', 't', 'ada', 1)
  state.ownTask('shop', 't', 'eve', 2)
  assert.equal(state.ownerOfTask('shop', 't'), 'ada')
  state.forgetBefore(2)
  assert.equal(state.ownerOfTask('shop', 't'), undefined)
  assert.equal(state.exchangeOfEvent('sid', 'e1'), undefined)
})
