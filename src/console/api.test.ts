/** The API of people and stops: who may do what, and to whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsoleRole } from '../config/types.ts'
import type { Target } from '../identity/revocations.ts'
import { issuer, openRoom, reasonOf } from './console.fixture.ts'
import type { Browser, Room } from './console.fixture.ts'

const minute = 60_000
const all: readonly ConsoleRole[] = ['admin', 'approver', 'analyst', 'compliance', 'auditor']

/** Puts a stop into the list, as another way of stopping does. */
function stopped(room: Room, target: Target, by = 'cli alex'): string {
  const madeMs = room.clock.nowUs() / 1000
  return room.revocations.add({ target, reason: 'r', by, source: 'cli', madeMs, fromMs: madeMs }).id
}

const acts: readonly [
  name: string,
  of: readonly ConsoleRole[],
  ask: (browser: Browser, room: Room) => Promise<Response>,
][] = [
  [
    'see what is stopped',
    ['admin', 'analyst', 'compliance', 'auditor'],
    (b) => b.get('/api/revocations'),
  ],
  ['open the page of stops', ['admin', 'analyst', 'compliance', 'auditor'], (b) => b.get('/stops')],
  [
    'look for somebody',
    ['admin', 'analyst', 'compliance', 'auditor'],
    (b) => b.change('POST', '/api/principals/search', { text: 'bob' }),
  ],
  ['see service accounts', ['admin', 'auditor'], (b) => b.get('/api/service-accounts')],
  [
    'stop somebody',
    ['admin', 'analyst'],
    (b, room) =>
      b.change('POST', '/api/revocations', { principal: room.person('bob').id, reason: 'r' }),
  ],
  [
    'lift a stop',
    ['admin'],
    (b, room) => {
      const id = stopped(room, { kind: 'client', client: 'c' })
      return b.change('DELETE', `/api/revocations/${id}`, { reason: 'back' })
    },
  ],
  [
    'change when access ends',
    ['admin'],
    (b, room) => b.change('PATCH', `/api/principals/${room.person('bob').id}`, { endsAt: null }),
  ],
  ['see who they are', [...all], (b) => b.get('/api/me')],
]
for (const [name, of, ask] of acts) {
  test(`of single roles ${of.length === all.length ? 'all' : of.join(', ')} may ${name}, and nobody without one may more`, async (t) => {
    const room = openRoom(t)
    const may: ConsoleRole[] = []
    for (const role of all) {
      const browser = await room.browser(room.person(`with-${role}`, [role]))
      const answer = await ask(browser, room)
      if (answer.ok) may.push(role)
      else if (answer.headers.get('content-type')?.includes('json') === true) {
        assert.deepEqual(await reasonOf(answer), [403, 'role'])
      } else assert.equal(answer.status, 403)
    }
    assert.deepEqual(may, of)
    const nobody = await room.browser(room.person('none'))
    const { status } = await ask(nobody, room)
    assert.equal(status, of.length === all.length ? 200 : 403)
  })
}

test('a role that is taken away between page and click is gone', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  assert.equal((await admin.get('/stops')).status, 200)
  room.person('ada', [])
  const body = { principal: room.person('bob').id, reason: 'r' }
  assert.deepEqual(await reasonOf(await admin.change('POST', '/api/revocations', body)), [
    403,
    'role',
  ])
})

test('the emergency account is admin and never approver', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('glass', ['approver']), { isBreakGlass: true })
  const me = (await (await browser.get('/api/me')).json()) as { roles: string[] }
  assert.deepEqual(me.roles, ['admin'])
})

const badStops: readonly [name: string, body: unknown, status: number, reason: string][] = [
  ['nothing', undefined, 415, 'media'],
  ['no JSON', '{', 400, 'form'],
  ['no object', [], 400, 'form'],
  ['nobody', { reason: 'r' }, 400, 'form'],
  ['no reason', { everything: true }, 400, 'form'],
  ['an empty reason', { everything: true, reason: '' }, 400, 'form'],
  ['a long reason', { everything: true, reason: 'x'.repeat(1001) }, 400, 'form'],
  ['two things', { everything: true, client: 'c', reason: 'r' }, 400, 'form'],
  ['nothing of everything', { everything: false, reason: 'r' }, 400, 'form'],
  ['what there is not', { everything: true, reason: 'r', more: 1 }, 400, 'form'],
  ['no time', { everything: true, reason: 'r', from: 'soon' }, 400, 'form'],
  [
    'a day there is not',
    { everything: true, reason: 'r', from: '2026-02-30T00:00:00Z' },
    400,
    'form',
  ],
  ['whom nobody knows', { principal: 'pr_none', reason: 'r' }, 404, 'unknown'],
]
for (const [name, body, status, reason] of badStops) {
  test(`a stop of ${name} is refused`, async (t) => {
    const room = openRoom(t)
    const admin = await room.browser(room.person('ada', ['admin']))
    const headers = body === undefined ? { 'content-type': undefined } : {}
    const answer = await admin.change('POST', '/api/revocations', body, headers)
    assert.deepEqual(await reasonOf(answer), [status, reason])
    assert.deepEqual(room.revocations.list(), [])
  })
}

test('a message about a body repeats nothing of it', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const body = { 'secret-name': 'secret-value', reason: 7, everything: 'secret-value' }
  const answer = await admin.change('POST', '/api/revocations', body)
  assert.doesNotMatch(await answer.text(), /secret/)
})

const targets: readonly [body: object, target: (id: string) => Target][] = [
  [{ client: 'c' }, () => ({ kind: 'client', client: 'c' })],
  [{ token: 't' }, () => ({ kind: 'token', token: 't' })],
  [{ signIn: 's' }, () => ({ kind: 'sign-in', signIn: 's' })],
  [{ connection: 'shop' }, () => ({ kind: 'connection', connection: 'shop' })],
  [{ everything: true }, () => ({ kind: 'everything' })],
]
for (const [body, target] of targets) {
  test(`a stop of ${Object.keys(body)[0]} is one of just that, with who asked`, async (t) => {
    const room = openRoom(t)
    const ana = await room.browser(room.person('ana', ['analyst']))
    const answer = await ana.change('POST', '/api/revocations', { ...body, reason: 'why' })
    assert.equal(answer.status, 201)
    const told = (await answer.json()) as { cut: object }
    assert.deepEqual(told.cut, { calls: 1, streams: 2, sessions: 0 })
    const [made] = room.revocations.list()
    assert.deepEqual(made?.target, target(''))
    assert.deepEqual([made?.by, made?.source, made?.reason], [`${issuer} ana`, 'console', 'why'])
  })
}

test('who is stopped is out at once, everywhere, and it may be planned', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const bob = room.person('bob')
  const here = [await room.browser(bob), await room.browser(bob)]
  const from = new Date(room.clock.nowUs() / 1000 + minute).toISOString()
  await admin.change('POST', '/api/revocations', { principal: bob.id, reason: 'r', from })
  assert.equal((await here[0]?.get('/api/me'))?.status, 200)
  await admin.change('POST', '/api/revocations', { principal: bob.id, reason: 'r' })
  assert.equal(room.told('signin.ended').length, 2)
  for (const browser of here) assert.equal((await browser.get('/api/me')).status, 401)
})

const lifts: readonly [name: string, target: Target, by: string, ok: boolean][] = [
  ['that another set', { kind: 'client', client: 'c' }, `${issuer} bob`, true],
  ['that they set themselves', { kind: 'client', client: 'c' }, `${issuer} ada`, false],
  ['of somebody else', { kind: 'principal', issuer, subject: 'bob' }, 'cli alex', true],
  ['of their own sign-in', { kind: 'sign-in', signIn: 'sid-1' }, 'cli alex', false],
  [
    'of their own name at another issuer',
    { kind: 'principal', issuer: 'https://x', subject: 'ada' },
    'cli alex',
    true,
  ],
  ['of themselves', { kind: 'principal', issuer, subject: 'ada' }, 'cli alex', false],
  [
    'of their own tokens',
    { kind: 'tokens-before', issuer, subject: 'ada', beforeMs: 9e15 },
    'cli alex',
    false,
  ],
  [
    'of a program they answer for',
    { kind: 'principal', issuer: 'ci', subject: 'deploy' },
    'cli alex',
    false,
  ],
]
for (const [name, target, by, ok] of lifts) {
  test(`an admin ${ok ? 'lifts' : 'does not lift'} a stop ${name}`, async (t) => {
    const room = openRoom(t)
    const ada = room.person('ada', ['admin'])
    const deploy = room.person('deploy', [], { issuer: 'ci', kind: 'service' })
    room.directory.change(deploy.id, { owner: ada.id })
    const admin = await room.browser(ada, { providerSession: 'sid-1' })
    // Planned, so that who is about to be stopped is still here.
    const madeMs = room.clock.nowUs() / 1000
    const of = { reason: 'r', by, source: 'cli', madeMs, fromMs: madeMs + minute } as const
    const { id } = room.revocations.add({ ...of, target })
    const text = await (await admin.get('/stops')).text()
    assert.equal(text.includes(`/api/revocations/${id}`), ok)
    const answer = await admin.change('DELETE', `/api/revocations/${id}`, { reason: 'back' })
    assert.deepEqual(await reasonOf(answer), ok ? [204, undefined] : [403, 'own_access'])
    assert.equal(room.revocations.list().length, ok ? 0 : 1)
    assert.equal(room.told('revocation.lifted').length, ok ? 1 : 0)
  })
}

test('a stop is not lifted without a reason, and not one that there is not', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const id = stopped(room, { kind: 'client', client: 'c' })
  const lift = async (path: string, body: unknown): Promise<[number, unknown]> =>
    await reasonOf(await admin.change('DELETE', path, body))
  assert.deepEqual(await lift(`/api/revocations/${id}`, {}), [400, 'form'])
  assert.deepEqual(await lift('/api/revocations/rv_none', { reason: 'r' }), [404, 'unknown'])
})

const fresh: readonly [name: string, ask: (b: Browser, room: Room) => Promise<Response>][] = [
  [
    'lifting a stop',
    (b, room) =>
      b.change('DELETE', `/api/revocations/${stopped(room, { kind: 'client', client: 'c' })}`, {
        reason: 'r',
      }),
  ],
  [
    'changing an end',
    (b, room) => b.change('PATCH', `/api/principals/${room.person('bob').id}`, { endsAt: null }),
  ],
  ['a new passkey', (b) => b.change('POST', '/api/me/passkeys/options', {})],
]
for (const [name, ask] of fresh) {
  test(`${name} needs a proof of identity of the last five minutes`, async (t) => {
    const room = openRoom(t)
    const ada = room.person('ada', ['admin'])
    const admin = await room.browser(ada)
    room.clock.pass(5 * minute)
    assert.equal((await ask(admin, room)).ok, true)
    room.clock.pass(1)
    assert.deepEqual(await reasonOf(await ask(admin, room)), [403, 'reauthenticate'])
    // What the provider saw long ago is no proof of now, however new the session.
    await admin.signIn(ada, { authenticatedMs: room.clock.nowUs() / 1000 - 5 * minute - 1 })
    assert.deepEqual(await reasonOf(await ask(admin, room)), [403, 'reauthenticate'])
    await admin.signIn(ada)
    assert.equal((await ask(admin, room)).ok, true)
  })
}

test('a stop needs none: it must be quick', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  room.clock.pass(10 * minute)
  const answer = await admin.change('POST', '/api/revocations', { everything: true, reason: 'r' })
  assert.equal(answer.status, 201)
})

const changes: readonly [
  name: string,
  of: string,
  body: object,
  status: number,
  reason?: string,
][] = [
  ['their own end', 'ada', { endsAt: null }, 403, 'own_access'],
  ['their own owner', 'ada', { owner: null }, 403, 'own_access'],
  ['the end of a program they answer for', 'deploy', { endsAt: null }, 403, 'own_access'],
  ['who answers for their program', 'deploy', { owner: null }, 403, 'own_access'],
  ['nothing', 'bob', {}, 400, 'form'],
  ['what cannot be changed', 'bob', { groups: ['admin'] }, 400, 'form'],
  ['the end to no time', 'bob', { endsAt: 'soon' }, 400, 'form'],
  ['the owner to nobody known', 'job', { owner: 'pr_none' }, 404, 'unknown'],
  ['the owner to a program', 'job', { owner: 'deploy' }, 404, 'unknown'],
  ['the end', 'bob', { endsAt: '2026-12-01T00:00:00Z' }, 200],
  ['the owner', 'job', { owner: 'bob' }, 200],
]
for (const [name, of, body, status, reason] of changes) {
  test(`an admin ${status === 200 ? 'changes' : 'does not change'} ${name}`, async (t) => {
    const room = openRoom(t)
    const ada = room.person('ada', ['admin'])
    const service = { issuer: 'ci', kind: 'service' } as const
    const ids = new Map(
      [
        ada,
        room.person('bob'),
        room.person('deploy', [], service),
        room.person('job', [], service),
      ].map(({ id, subject }) => [subject, id]),
    )
    room.directory.change(ids.get('deploy') ?? '', { owner: ada.id })
    const admin = await room.browser(ada)
    const owner: unknown = 'owner' in body ? body.owner : undefined
    const named = typeof owner === 'string' ? { owner: ids.get(owner) ?? owner } : {}
    const path = `/api/principals/${ids.get(of)}`
    const before = room.directory.list()
    const answer = await admin.change('PATCH', path, { ...body, ...named })
    const [told, why] = await reasonOf(answer)
    assert.deepEqual([told, why], [status, reason])
    assert.equal(room.told('access.changed').length, status === 200 ? 1 : 0)
    if (status !== 200) assert.deepEqual(room.directory.list(), before)
  })
}

test('a change of access tells what was before and after, and by whom', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const { id } = room.person('bob')
  await admin.change('PATCH', `/api/principals/${id}`, { endsAt: '2026-12-01T00:00:00Z' })
  await admin.change('PATCH', `/api/principals/${id}`, { endsAt: null })
  const about = {
    what: 'end of access',
    of: `${issuer} bob`,
    by: `${issuer} ada`,
    source: 'console',
  }
  const day = '2026-12-01T00:00:00.000Z'
  assert.deepEqual(room.told('access.changed'), [
    { ...about, before: 'none', after: day },
    { ...about, before: day, after: 'none' },
  ])
  assert.equal(room.notes.at(-1)?.about.principal?.subject, 'ada')
})

test('what cannot be recorded is not done', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  const { id } = room.person('bob')
  room.isRecordDown = true
  const answer = await admin.change('PATCH', `/api/principals/${id}`, {
    endsAt: '2026-12-01T00:00:00Z',
  })
  assert.deepEqual(await reasonOf(answer), [503, 'record_down'])
  assert.equal(room.directory.byId(id)?.endsMs, undefined)
})

test('somebody is found by name, and their claims stay here', async (t) => {
  const room = openRoom(t)
  const admin = await room.browser(room.person('ada', ['admin']))
  room.person('bob', ['auditor'], { name: 'Bob B.', claims: { secret: 'claim' } })
  const find = async (text: string): Promise<string> =>
    await (await admin.change('POST', '/api/principals/search', { text })).text()
  assert.match(await find('bob b.'), /"subject":"bob"/)
  assert.doesNotMatch(await find('bob b.'), /claim/)
  assert.equal(await find('nobody'), '{"principals":[]}')
})

test('people end their own sessions and nobody else’s', async (t) => {
  const room = openRoom(t)
  const [ada, bob] = [room.person('ada'), room.person('bob')]
  const [here, there, other] = [
    await room.browser(ada),
    await room.browser(ada),
    await room.browser(bob),
  ]
  const keyOf = async (browser: Browser): Promise<string> => {
    const { sessions } = (await (await browser.get('/api/me')).json()) as {
      sessions: { key: string; isThis: boolean }[]
    }
    return sessions.find(({ isThis }) => isThis)?.key ?? ''
  }
  const end = async (key: string): Promise<number> =>
    (await here.change('DELETE', `/api/me/sessions/${key}`)).status
  assert.equal(await end(await keyOf(other)), 404)
  assert.equal((await other.get('/api/me')).status, 200)
  assert.equal(await end(await keyOf(there)), 204)
  assert.equal((await there.get('/api/me')).status, 401)
  assert.equal((await here.get('/api/me')).status, 200)
  const [entry] = room.told('signin.ended')
  assert.deepEqual([entry?.['reason'], entry?.['where']], ['ended_by_person', 'console'])
})

test('a passkey of somebody else is not removed, and a bad enrolment makes none', async (t) => {
  const room = openRoom(t)
  const browser = await room.browser(room.person('ada'))
  const path = '/api/me/passkeys'
  assert.equal((await browser.change('DELETE', `${path}/pk_none`)).status, 404)
  assert.equal((await browser.change('POST', path, { label: 'x', response: {} })).status, 403)
  assert.equal(
    (await browser.change('POST', path, { label: 'x'.repeat(65), response: {} })).status,
    400,
  )
  assert.equal((await browser.change('POST', path, 'x')).status, 400)
  assert.deepEqual(await (await browser.get(path)).json(), { passkeys: [] })
})

test('words of people are words on the pages, whatever they hold', async (t) => {
  const room = openRoom(t)
  const name = '<img src=x onerror=alert(1)>"\'&'
  const admin = await room.browser(room.person('ada', ['admin'], { name }))
  await admin.change('POST', '/api/revocations', { client: name, reason: name })
  for (const path of ['/', '/me', '/stops']) {
    const text = await (await admin.get(path, { 'user-agent': name })).text()
    assert.doesNotMatch(text, /<img/)
    assert.match(text, /&lt;img/)
  }
})
