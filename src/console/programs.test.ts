/** Programs with a token at the API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '../identity/principal.ts'
import { issuer, openRoom, reasonOf } from './console.fixture.ts'
import type { Room } from './console.fixture.ts'

const job: Principal = {
  issuer,
  subject: 'job',
  kind: 'service',
  groups: ['admin'],
  roles: [],
  expiresAtMs: 9e15,
  tokenId: 'jti-1',
  clientId: 'client-1',
}

async function ask(room: Room, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: 'Bearer t', 'content-type': 'application/json' }
  const text = body === undefined ? {} : { body: JSON.stringify(body) }
  return await room.ask(path, { method, headers, ...text })
}

const refused: readonly [name: string, prepare: (room: Room) => void, reason: string][] = [
  ['that is no good', (room) => room.tokens.clear(), 'signature'],
  [
    'of a key for some connections',
    (room) => room.tokens.set('t', { ...job, connections: ['shop'] }),
    'audience',
  ],
  [
    'of somebody who was stopped',
    (room) => stop(room, { kind: 'principal', issuer, subject: 'job' }),
    'revoked',
  ],
  ['that was stopped itself', (room) => stop(room, { kind: 'token', token: 'jti-1' }), 'revoked'],
  [
    'of a client that was stopped',
    (room) => stop(room, { kind: 'client', client: 'client-1' }),
    'revoked',
  ],
  ['while everything is stopped', (room) => stop(room, { kind: 'everything' }), 'revoked'],
  [
    'of somebody whose access ended',
    (room) => {
      const { id } = room.person('job', [], { kind: 'service' })
      room.directory.change(id, { endsMs: 1 })
    },
    'revoked',
  ],
]
function stop(room: Room, target: Parameters<Room['revocations']['add']>[0]['target']): void {
  room.revocations.add({ target, reason: 'r', by: 'x', source: 'cli', madeMs: 0, fromMs: 0 })
}
for (const [name, prepare, reason] of refused) {
  test(`a token ${name} is refused, and recorded`, async (t) => {
    const room = openRoom(t)
    room.tokens.set('t', job)
    prepare(room)
    assert.deepEqual(await reasonOf(await ask(room, 'GET', '/api/me')), [401, reason])
    assert.deepEqual(room.told('signin.refused'), [{ at: 'console', method: 'token', reason }])
    assert.deepEqual(room.told('signin.accepted'), [])
  })
}

test('a token opens no page, and a cookie beside a bad one does not help', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const headers = { authorization: 'Bearer none', cookie: admin.cookie }
  assert.equal((await room.ask('/api/me', { headers })).status, 401)
})

test('a flood of bad tokens is refused, and does not fill the record', async (t) => {
  const room = openRoom(t)
  for (let i = 0; i < 100; i++) assert.equal((await ask(room, 'GET', '/api/me')).status, 401)
  assert.equal(room.told('signin.refused').length, 60)
  room.clock.pass(60_000)
  await ask(room, 'GET', '/api/me')
  assert.equal(room.told('signin.refused').length, 61)
})

test('a token in use is recorded once, and again after an hour', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', job)
  for (let i = 0; i < 3; i++) assert.equal((await ask(room, 'GET', '/api/revocations')).status, 200)
  const details = { at: 'console', method: 'token', client: 'client-1', token: 'jti-1' }
  assert.deepEqual(room.told('signin.accepted'), [details])
  room.clock.pass(3_600_000)
  await ask(room, 'GET', '/api/me')
  assert.equal(room.told('signin.accepted').length, 2)
})

test('whose use cannot be recorded does not come in', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', job)
  room.isRecordDown = true
  assert.equal((await ask(room, 'GET', '/api/me')).status, 503)
  room.isRecordDown = false
  assert.equal((await ask(room, 'GET', '/api/me')).status, 200)
  assert.equal(room.told('signin.accepted').length, 1)
})

test('a program with the role stops and lifts without cookie or token of a session', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', job)
  assert.equal(
    (await ask(room, 'POST', '/api/revocations', { client: 'c', reason: 'r' })).status,
    201,
  )
  const [made] = room.revocations.list()
  assert.deepEqual([made?.source, made?.by], ['api', `${issuer} job`])
  const own = await ask(room, 'DELETE', `/api/revocations/${made?.id}`, { reason: 'r' })
  assert.deepEqual(await reasonOf(own), [403, 'own_access'])
  room.tokens.set('t', { ...job, subject: 'other' })
  const lifted = await ask(room, 'DELETE', `/api/revocations/${made?.id}`, { reason: 'r' })
  assert.equal(lifted.status, 204)
})

test('a program without a role does nothing', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', { ...job, groups: [] })
  const answer = await ask(room, 'POST', '/api/revocations', { everything: true, reason: 'r' })
  assert.deepEqual(await reasonOf(answer), [403, 'role'])
})

test('a person’s token stops, but changes nobody’s access: programs they use hold it too', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', { ...job, kind: 'person' })
  const { id } = room.person('bob')
  const change = await ask(room, 'PATCH', `/api/principals/${id}`, { endsAt: null })
  assert.deepEqual(await reasonOf(change), [403, 'not_signed_in'])
  assert.equal(
    (await ask(room, 'POST', '/api/revocations', { principal: id, reason: 'r' })).status,
    201,
  )
  const passkey = await ask(room, 'POST', '/api/me/passkeys/options', {})
  assert.deepEqual(await reasonOf(passkey), [403, 'not_signed_in'])
})

test('a program has no passkeys', async (t) => {
  const room = openRoom(t)
  room.tokens.set('t', job)
  assert.deepEqual(await reasonOf(await ask(room, 'POST', '/api/me/passkeys/options', {})), [
    403,
    'not_a_person',
  ])
})
