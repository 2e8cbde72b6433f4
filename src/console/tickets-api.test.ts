/** Held calls over HTTP: who sees what, who decides, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsoleRole } from '../config/types.ts'
import type { Ticket } from '../hold/ticket.ts'
import type { Principal } from '../identity/principal.ts'
import { pan } from '../../tests/cards.ts'
import { issuer, origin, reasonOf } from './console.fixture.ts'
import type { Browser } from './console.fixture.ts'
import { decide, openTicketRoom } from './tickets.fixture.ts'

type Body = Readonly<Record<string, unknown>>

async function bodyOf(answer: Response): Promise<Body> {
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as Body
}

/** What the API shows of a ticket: nothing, metadata, or all. */
async function sight(browser: Browser, { id }: Ticket): Promise<unknown> {
  const answer = await browser.get(`/api/tickets/${id}`)
  if (!answer.ok) return (await reasonOf(answer))[1]
  const body = await bodyOf(answer)
  assert.equal('arguments' in body, body['sees'] === 'all')
  const page = await (await browser.get(`/approvals/${id}`)).text()
  assert.equal(page.includes('DELETE FROM cards'), body['sees'] === 'all')
  return body['sees']
}

const sights: readonly [
  name: string,
  roles: readonly ConsoleRole[],
  sees: string,
  proof: number,
][] = [
  ['an approver', ['approver'], 'all', 200],
  ['an analyst', ['analyst'], 'all', 200],
  ['an admin', ['admin'], 'metadata', 403],
  ['a compliance officer', ['compliance'], 'metadata', 403],
  ['an admin who is approver besides', ['admin', 'approver'], 'metadata', 403],
  ['an auditor', ['auditor'], 'metadata', 200],
  ['somebody without a role', [], 'role', 403],
]
for (const [name, roles, sees, proof] of sights) {
  test(`${name} sees ${sees === 'role' ? 'nothing' : sees} of a held call`, async (t) => {
    const room = openTicketRoom(t)
    const ticket = await room.hold(room.person('bob'))
    const browser = await room.browser(room.person('ada', roles))
    assert.equal(await sight(browser, ticket), sees)
    const answer = await browser.get(`/api/tickets/${ticket.id}/proof`)
    assert.equal(answer.status, proof)
    const list = await bodyOf(await browser.get('/api/tickets'))
    assert.equal((list['tickets'] as unknown[]).length, sees === 'role' ? 0 : 1)
    assert.doesNotMatch(JSON.stringify(list), /DELETE FROM/)
    // Each look at arguments is in the record, each that was refused, and no other.
    const looks = room.looks.map(({ what, ticket: id }) => `${what} ${id === ticket.id}`)
    const own = sees === 'all' ? ['ticket true', 'ticket true'] : []
    assert.deepEqual(looks, [...own, ...(proof === 200 ? ['proof true'] : [])])
    const refused = room.told('ticket.decided').filter(({ outcome }) => outcome === 'refused')
    assert.equal(refused.length > 0, sees === 'role')
  })
}

test('a requester sees their own call, and that of a program they answer for, without the proof', async (t) => {
  const room = openTicketRoom(t)
  const bob = room.person('bob')
  const job = room.person('job', [], { kind: 'service', issuer: 'https://ci.example' })
  const owned = room.directory.change(job.id, { owner: bob.id })
  const browser = await room.browser(bob)
  for (const ticket of [await room.hold(bob), await room.hold(owned)]) {
    assert.equal(await sight(browser, ticket), 'all')
    assert.equal((await browser.get(`/api/tickets/${ticket.id}/proof`)).status, 403)
  }
  const list = await bodyOf(await browser.get('/api/tickets?mine=true'))
  assert.equal((list['tickets'] as unknown[]).length, 2)
})

test('reviewers whom a rule names see its calls, other approvers do not', async (t) => {
  const room = openTicketRoom(t)
  const reviewers = [{ who: { group: 'dba' }, quorum: 1 }]
  const ticket = await room.hold(room.person('bob'), { reviewers })
  const named = await room.browser(room.person('dan', ['approver', 'dba' as never]))
  const other = await room.browser(room.person('ada', ['approver']))
  const admin = await room.browser(room.person('ann', ['admin', 'dba' as never]))
  assert.equal(await sight(named, ticket), 'all')
  assert.equal(await sight(other, ticket), 'role')
  assert.equal(await sight(admin, ticket), 'metadata')
})

test('a look that cannot be recorded shows nothing', async (t) => {
  const room = openTicketRoom(t)
  const ticket = await room.hold(room.person('bob'))
  const browser = await room.browser(room.person('ada', ['approver']))
  room.isRecordDown = true
  for (const path of [`/api/tickets/${ticket.id}`, `/approvals/${ticket.id}`]) {
    const answer = await browser.get(path)
    assert.equal(answer.status, 503)
    assert.doesNotMatch(await answer.text(), /DELETE/)
  }
})

test('without a sign-in a deep link leads to it and back, and shows nothing', async (t) => {
  const room = openTicketRoom(t)
  const { id } = await room.hold(room.person('bob'))
  const answer = await room.ask(`/approvals/${id}`)
  assert.equal(answer.status, 303)
  assert.equal(room.started[0]?.returnTo, `/signed-in?to=%2Fapprovals%2F${id}`)
  assert.deepEqual(await reasonOf(await room.ask(`/api/tickets/${id}`)), [401, 'missing'])
  const nobody = await room.browser(room.person('eve'))
  const page = await nobody.get(`/approvals/${id}`)
  assert.equal(page.status, 403)
  assert.doesNotMatch(await page.text(), /execute_sql|shop|bob|DELETE/)
})

test('a card number in arguments is never shown, in no answer', async (t) => {
  const room = openTicketRoom(t)
  const number = pan('4', 16)
  const ticket = await room.hold(room.person('bob'), {
    args: `{"sql":"DELETE FROM cards WHERE pan = '${number}'"}`,
  })
  const ada = room.person('ada', ['approver'])
  const browser = await room.browser(ada)
  const authenticator = await room.enrol(ada)
  await decide(browser, ticket, authenticator, 'deny')
  for (const path of ['', '/proof']) {
    const text = await (await browser.get(`/api/tickets/${ticket.id}${path}`)).text()
    assert.doesNotMatch(text, new RegExp(number))
    assert.match(text, new RegExp(number.slice(-4)))
  }
  assert.doesNotMatch(
    await (await browser.get(`/approvals/${ticket.id}`)).text(),
    new RegExp(number),
  )
})

test('what waits for me comes first, the one that ends first ahead, and pages follow', async (t) => {
  const room = openTicketRoom(t)
  const bob = room.person('bob')
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    const more = { args: `{"n":${i}}`, expiresMs: 600_000 - i * 60_000 }
    ids.push((await room.hold(bob, more)).id)
  }
  const browser = await room.browser(room.person('ada', ['approver']))
  const idsOf = (list: unknown): string[] => (list as { id: string }[]).map(({ id }) => id)
  const first = await bodyOf(await browser.get('/api/tickets?limit=2'))
  assert.deepEqual(idsOf(first['waiting']), ids.toReversed())
  const seen = idsOf(first['tickets'])
  let cursor = first['cursor']
  for (let i = 0; i < 5 && typeof cursor === 'string'; i++) {
    const page = await bodyOf(await browser.get(`/api/tickets?limit=2&cursor=${cursor}`))
    assert.deepEqual(page['waiting'], [])
    seen.push(...idsOf(page['tickets']))
    cursor = page['cursor']
  }
  assert.deepEqual(seen, ids.toReversed())
  const other = await bodyOf(await browser.get('/api/tickets?connection=other'))
  assert.deepEqual([other['waiting'], other['tickets']], [[], []])
  const denied = await bodyOf(await browser.get('/api/tickets?state=denied,expired'))
  assert.deepEqual([denied['waiting'], denied['tickets']], [[], []])
})

for (const query of [
  'state=open',
  'cursor=x',
  'cursor=tk_%27',
  'limit=0',
  'limit=201',
  'mine=1',
  'x=1',
]) {
  test(`a list by ${query} is refused`, async (t) => {
    const room = openTicketRoom(t)
    const browser = await room.browser(room.person('ada', ['approver']))
    assert.deepEqual(await reasonOf(await browser.get(`/api/tickets?${query}`)), [400, 'form'])
  })
}

test('it tells how often the like was asked before, and how that ended', async (t) => {
  const room = openTicketRoom(t)
  const [bob, eve] = [room.person('bob'), room.person('eve')]
  const ada = room.person('ada', ['approver'])
  const browser = await room.browser(ada)
  const authenticator = await room.enrol(ada)
  const one = await room.hold(bob, { args: '{"n":1}' })
  await decide(browser, one, authenticator, 'deny')
  const two = await room.hold(bob, { args: '{"n":2}', tool: 'other' })
  await decide(browser, two, authenticator)
  await room.hold(eve, { args: '{"n":3}', rule: 'another' })
  const last = await room.hold(bob, { args: '{"n":4}' })
  const { history } = await bodyOf(await browser.get(`/api/tickets/${last.id}`))
  assert.deepEqual(history, {
    requester: { asked: 2, approved: 1, denied: 1 },
    tool: { asked: 2, approved: 0, denied: 1 },
    rule: { asked: 2, approved: 1, denied: 1 },
  })
})

const job: Principal = {
  issuer,
  subject: 'job',
  kind: 'service',
  groups: ['approver'],
  roles: [],
  expiresAtMs: 9e15,
  tokenId: 'jti-1',
  clientId: 'client-1',
}

test('programs list and show, and decide, take back, watch and delegate nothing', async (t) => {
  const room = openTicketRoom(t)
  room.person('job', ['approver'], { kind: 'service' })
  const ticket = await room.hold(room.person('bob'))
  room.tokens.set('t', job)
  room.tokens.set('p', { ...job, kind: 'person', subject: 'ada' })
  room.person('ada', ['approver'])
  for (const token of ['t', 'p']) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const ask = async (method: string, path: string, body?: object): Promise<Response> =>
      await room.ask(`/api${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const shown = await bodyOf(await ask('GET', `/tickets/${ticket.id}`))
    assert.equal(shown['arguments'], '{"sql":"DELETE FROM cards WHERE id = 7"}')
    assert.equal(shown['waitsForMe'], false)
    assert.equal((await bodyOf(await ask('GET', '/tickets')))['waiting'] instanceof Array, true)
    const begin = { decision: 'approve', justification: 'agreed in CHG-1' }
    const path = `/tickets/${ticket.id}`
    for (const [method, at, body] of [
      ['POST', `${path}/decisions/begin`, begin],
      ['POST', `${path}/decisions`, { method: 'session', challenge: 'x' }],
      ['POST', `${path}/emergency/begin`, { justification: 'agreed in CHG-1' }],
      ['POST', `${path}/emergency`, { method: 'session', challenge: 'x' }],
      ['POST', `${path}/withdraw`, {}],
      ['POST', `${path}/review`, { words: 'looks fine' }],
      ['GET', '/tickets/events', undefined],
      ['DELETE', '/delegations/dg_1', {}],
    ] as const) {
      const [status, reason] = await reasonOf(await ask(method, at, body))
      assert.equal(status, 403, at)
      assert.match(String(reason), /not_a_person|not_signed_in/)
    }
    const delegation = { to: 'ada', until: '2027-01-01T00:00:00Z', reason: 'on leave' }
    assert.equal((await ask('POST', '/delegations', delegation)).status, 403)
  }
  assert.equal(room.tickets.byId(ticket.id)?.state, 'pending')
})

const foreign: readonly [
  name: string,
  headers: Readonly<Record<string, string | undefined>>,
  status: number,
  reason: string,
][] = [
  [
    'a form of another site',
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    403,
    'foreign_post',
  ],
  ['a sibling of the same site', { 'sec-fetch-site': 'same-site' }, 403, 'foreign_post'],
  ['nobody’s origin', { origin: undefined, 'sec-fetch-site': undefined }, 403, 'foreign_post'],
  ['a page without the session’s token', { 'x-sallyport-csrf': undefined }, 403, 'foreign_post'],
  ['JSON as plain text', { 'content-type': 'text/plain' }, 415, 'media'],
  ['JSON as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'media'],
]
const writes = [
  'decisions/begin',
  'decisions',
  'emergency/begin',
  'emergency',
  'withdraw',
  'review',
]
for (const [name, headers, status, reason] of foreign) {
  test(`a decision from ${name} is refused, and nothing is decided`, async (t) => {
    const room = openTicketRoom(t)
    const { id } = await room.hold(room.person('bob'))
    const browser = await room.browser(room.person('ada', ['approver']))
    for (const path of writes) {
      const body = { decision: 'approve', justification: 'agreed in CHG-1' }
      const answer = await browser.change('POST', `/api/tickets/${id}/${path}`, body, headers)
      assert.deepEqual(await reasonOf(answer), [status, reason], path)
    }
    const more = { to: 'x', until: '2027-01-01T00:00:00Z', reason: 'on leave' }
    const answer = await browser.change('POST', '/api/delegations', more, headers)
    assert.deepEqual(await reasonOf(answer), [status, reason])
    const accept = await browser.change('POST', '/api/tools/changes/x/accept', more, headers)
    assert.deepEqual(await reasonOf(accept), [status, reason])
    assert.equal(room.tickets.byId(id)?.state, 'pending')
  })
}

test('no GET decides, takes back, reviews or accepts, whoever fetches the link', async (t) => {
  const room = openTicketRoom(t)
  const { id } = await room.hold(room.person('bob'))
  const browser = await room.browser(room.person('ada', ['approver']))
  for (const path of writes) {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'QUERY']) {
      const query = '?decision=approve&justification=agreed&method=session'
      const headers = { cookie: browser.cookie, origin, 'x-sallyport-csrf': browser.csrf }
      const answer = await room.ask(`/api/tickets/${id}/${path}${query}`, { method, headers })
      assert.equal(answer.status, 404, `${method} ${path}`)
    }
  }
  assert.equal((await browser.get(`/approvals/${id}?decision=approve`)).status, 200)
  assert.deepEqual(room.tickets.byId(id)?.decisions, [])
})

const unfit: readonly [name: string, path: string, body: unknown, reason: string][] = [
  ['no decision', 'decisions/begin', { justification: 'agreed in CHG-1' }, 'form'],
  [
    'another word',
    'decisions/begin',
    { decision: 'yes', justification: 'agreed in CHG-1' },
    'form',
  ],
  ['no justification', 'decisions/begin', { decision: 'approve' }, 'form'],
  ['an empty one', 'decisions/begin', { decision: 'approve', justification: ' ' }, 'justification'],
  [
    'an emergency smuggled in',
    'decisions/begin',
    { decision: 'approve', justification: 'agreed in CHG-1', isEmergency: true },
    'form',
  ],
  ['no method', 'decisions', { challenge: 'x' }, 'form'],
  [
    'a challenge of nobody',
    'decisions',
    { method: 'session', challenge: 'x' },
    'statement_unknown',
  ],
  [
    'a decision on an emergency',
    'emergency/begin',
    { decision: 'deny', justification: 'x' },
    'form',
  ],
  ['no words', 'review', {}, 'form'],
]
for (const [name, path, body, reason] of unfit) {
  test(`a decision with ${name} is refused in words`, async (t) => {
    const room = openTicketRoom(t)
    const { id } = await room.hold(room.person('bob'))
    const browser = await room.browser(room.person('ada', ['approver']))
    const answer = await browser.change('POST', `/api/tickets/${id}/${path}`, body)
    assert.deepEqual((await reasonOf(answer))[1], reason)
    assert.equal(room.tickets.byId(id)?.state, 'pending')
  })
}

test('a requester takes back their call, and nobody else does', async (t) => {
  const room = openTicketRoom(t)
  const bob = room.person('bob')
  const { id } = await room.hold(bob)
  const other = await room.browser(room.person('ada', ['approver']))
  const answer = await other.change('POST', `/api/tickets/${id}/withdraw`, {})
  assert.equal(answer.status, 403)
  assert.equal(room.tickets.byId(id)?.state, 'pending')
  const own = await room.browser(bob)
  assert.equal((await own.change('POST', `/api/tickets/${id}/withdraw`, {})).status, 200)
  assert.equal(room.tickets.byId(id)?.state, 'withdrawn')
})
