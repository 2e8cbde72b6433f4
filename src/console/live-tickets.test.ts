/** What pages hear of held calls while they are open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from './console.fixture.ts'
import type { Browser } from './console.fixture.ts'
import { decide, openTicketRoom } from './tickets.fixture.ts'

const path = '/api/tickets/events'

/** Everything that a stream said, once it has ended. */
async function watch(
  browser: Browser,
): Promise<{ heard: () => Promise<string>; leave: () => void }> {
  const answer = await browser.get(path)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  const reader = answer.body?.getReader()
  assert.ok(reader)
  return {
    /** What is there already. */
    heard: async () => {
      const { value } = await reader.read()
      return Buffer.from(value ?? []).toString()
    },
    leave: () => void reader.cancel(),
  }
}

test('each who sees a call hears of it, by id and state and nothing else', async (t) => {
  const room = openTicketRoom(t)
  const ada = room.person('ada', ['approver'])
  const bob = room.person('bob')
  const browser = await room.browser(ada)
  const key = await room.enrol(ada)
  const seers = [
    browser,
    await room.browser(bob),
    await room.browser(room.person('x', ['auditor'])),
  ]
  const streams = await Promise.all(seers.map(watch))
  const blind = await watch(await room.browser(room.person('eve')))
  const ticket = await room.hold(bob)
  await decide(browser, ticket, key)
  const told = (state: string, approvals: number): string =>
    `event: ticket\ndata: ${JSON.stringify({ id: ticket.id, state, approvals })}\n\n`
  for (const { heard } of streams) {
    assert.equal(await heard(), 'retry: 3000\n\n')
    assert.equal(await heard(), told('pending', 0))
    assert.equal(await heard(), told('approved', 1))
  }
  room.clock.pass(15_001)
  await room.console.tick()
  assert.equal(await blind.heard(), 'retry: 3000\n\n')
  assert.equal(await blind.heard(), ': still here\n\n')
})

test('what no event tells is told within two seconds: an approval of two, a stop', async (t) => {
  const room = openTicketRoom(t)
  const ada = room.person('ada', ['approver'])
  const browser = await room.browser(ada)
  const ticket = await room.hold(room.person('bob'), { reviewers: [{ who: {}, quorum: 2 }] })
  const { heard } = await watch(browser)
  await heard()
  await decide(browser, ticket, await room.enrol(ada))
  room.clock.pass(2000)
  await room.console.tick()
  assert.match(await heard(), /"state":"pending","approvals":1/)
  room.tickets.endAll({ everything: true }, 'stopped')
  room.clock.pass(2000)
  await room.console.tick()
  assert.match(await heard(), /"state":"revoked"/)
})

test('a role that is taken away is asked at each event', async (t) => {
  const room = openTicketRoom(t)
  const { heard, leave } = await watch(await room.browser(room.person('ada', ['approver'])))
  await heard()
  room.person('ada', [])
  await room.hold(room.person('bob'))
  room.person('ada', ['approver'])
  const later = await room.hold(room.person('bob'), { args: '{"n":2}' })
  assert.match(await heard(), new RegExp(later.id))
  leave()
})

test('a session has four streams, and a new one when one of them is left', async (t) => {
  const room = openTicketRoom(t)
  const browser = await room.browser(room.person('ada', ['approver']))
  const streams = [
    await watch(browser),
    await watch(browser),
    await watch(browser),
    await watch(browser),
  ]
  assert.deepEqual(await reasonOf(await browser.get(path)), [429, 'streams'])
  const other = await room.browser(room.person('ada', ['approver']))
  assert.equal((await other.get(path)).status, 200)
  streams[0]?.leave()
  assert.equal((await browser.get(path)).status, 200)
})

test('an open stream keeps nobody signed in, and ends with the session', async (t) => {
  const room = openTicketRoom(t)
  const browser = await room.browser(room.person('ada', ['approver']))
  room.clock.pass(14 * 60_000)
  const { heard } = await watch(browser)
  await heard()
  room.clock.pass(60_000)
  await room.console.tick()
  assert.equal(await heard(), '')
  assert.equal((await browser.get(path)).status, 401)
})

test('whoever is stopped hears nothing more', async (t) => {
  const room = openTicketRoom(t)
  const ada = room.person('ada', ['approver'])
  const { heard } = await watch(await room.browser(ada))
  await heard()
  const target = { kind: 'principal', issuer: ada.issuer, subject: ada.subject } as const
  const of = { reason: 'r', by: 'x', source: 'cli', madeMs: 0, fromMs: 0 } as const
  room.revocations.add({ target, ...of })
  await room.hold(room.person('bob'))
  await room.console.tick()
  assert.equal(await heard(), '')
})

test('who does not read what they are told is let go', async (t) => {
  const room = openTicketRoom(t)
  const { heard } = await watch(await room.browser(room.person('ada', ['analyst'])))
  for (let i = 0; i < 300; i++) {
    await room.hold(room.person(`bob${i}`), { args: `{"n":${i}}` })
  }
  let count = 0
  while ((await heard()) !== '') count++
  assert.ok(count > 200 && count <= 260, String(count))
})
