/** Sessions of browsers: how long they last, and what of them is on the disk. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { Browser, openRoom } from './console.fixture.ts'
import { ConsoleSessions } from './sessions.ts'

const minute = 60_000
const hour = 60 * minute

function fileFor(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'console-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

const lives: readonly [
  name: string,
  steps: readonly number[],
  isBreakGlass: boolean,
  ok: boolean,
][] = [
  ['one that rests for just under 15 minutes', [15 * minute - 1], false, true],
  ['one that rests for 15 minutes', [15 * minute], false, false],
  [
    'one used for just under 8 hours',
    [...Array(47).fill(10 * minute), 10 * minute - 1],
    false,
    true,
  ],
  ['one used for 8 hours', Array(48).fill(10 * minute), false, false],
  [
    'an emergency one used for just under an hour',
    [...Array(5).fill(10 * minute), 10 * minute - 1],
    true,
    true,
  ],
  ['an emergency one used for an hour', Array(6).fill(10 * minute), true, false],
]
for (const [name, steps, isBreakGlass, ok] of lives) {
  test(`${name} is ${ok ? 'good' : 'over'}`, async (t) => {
    const room = openRoom(t)
    const browser = await room.browser(room.person('ada'), { isBreakGlass })
    let status = 200
    for (const ms of steps) {
      room.clock.pass(ms)
      status = (await browser.get('/api/me')).status
    }
    assert.equal(status, ok ? 200 : 401)
  })
}

test('what a page asks by itself keeps nobody signed in', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  const background = { 'x-background': '1' }
  for (let i = 0; i < 2; i++) {
    room.clock.pass(7 * minute)
    assert.equal((await browser.get('/api/me', background)).status, 200)
  }
  room.clock.pass(minute)
  assert.equal((await browser.get('/api/me', background)).status, 401)
})

test('a session that is over ends, is recorded with its reason, and does not come back', async (t) => {
  const room = openRoom(t)
  const [ada, bob] = [room.person('ada'), room.person('bob')]
  const idle = await room.browser(ada)
  await room.browser(bob, { isBreakGlass: true })
  room.clock.pass(15 * minute)
  await room.console.tick()
  room.clock.pass(hour)
  await room.console.tick()
  assert.deepEqual(
    room.told('signin.ended').map(({ reason, where }) => [reason, where]),
    [
      ['idle', 'console'],
      ['idle', 'console'],
    ],
  )
  assert.equal((await idle.get('/api/me')).status, 401)
})

test('one that is too old says so, not that it was idle', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'), { isBreakGlass: true })
  for (let i = 0; i < 5; i++) {
    room.clock.pass(10 * minute)
    await browser.get('/api/me')
  }
  room.clock.pass(10 * minute)
  await room.console.tick()
  assert.deepEqual(room.told('signin.ended')[0], {
    where: 'console',
    reason: 'too_old',
    seconds: 3000,
  })
})

test('a session outlives a restart, with the same id and no longer than before', async (t) => {
  const file = fileFor(t)
  const room = openRoom(t, file)
  const session = { person: 'pr_1', method: 'corp', amr: [], authenticatedMs: 0 }
  const more = { providerSession: undefined, isBreakGlass: false, ip: '192.0.2.1', userAgent: 'x' }
  const of = { clock: room.clock, idleMs: 15 * minute, maxMs: 8 * hour }
  const before = new ConsoleSessions(file, of)
  const { id } = before.open({ ...session, ...more })
  room.clock.pass(10 * minute)
  assert.ok(before.find(id, true))
  before.close()
  const after = new ConsoleSessions(file, of)
  room.clock.pass(10 * minute)
  assert.equal(after.find(id, false)?.person, 'pr_1')
  room.clock.pass(5 * minute)
  assert.equal(after.find(id, true), undefined)
  after.close()
})

test('the id lies nowhere on the disk, and what is no session there signs nobody in', async (t) => {
  const file = fileFor(t)
  const room = openRoom(t, file)
  const browser = await room.browser(room.person('ada'))
  const id = browser.cookie.split('=')[1] ?? ''
  assert.match(id, /^[\w-]{43}$/)
  for (const end of ['', '-wal']) {
    assert.ok(!readFileSync(`${file}${end}`).includes(id), 'the id is in the file')
  }
  const db = new DatabaseSync(file)
  for (const text of ['{', '{}', '{"key":"a"}', 'null']) {
    db.prepare('INSERT INTO console_session VALUES (?, ?, 1)').run(`k${text}`, text)
  }
  db.close()
  const of = { clock: room.clock, idleMs: 15 * minute, maxMs: 8 * hour }
  const after = new ConsoleSessions(file, of)
  assert.equal(after.list().length, 1)
  after.close()
})

test('of one person so many sessions are kept; the oldest ends', async (t) => {
  const room = openRoom(t)
  const ada = room.person('ada')
  const first = await room.browser(ada)
  const others: Browser[] = []
  for (let i = 0; i < 20; i++) others.push(await room.browser(ada))
  assert.equal((await first.get('/api/me')).status, 401)
  assert.equal((await others[0]?.get('/api/me'))?.status, 200)
  assert.deepEqual(
    room.told('signin.ended').map(({ reason }) => reason),
    ['too_many'],
  )
})
