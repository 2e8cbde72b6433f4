import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsoleRoles, GrantConfig } from '../config/types.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { ServiceAccount } from '../identity/service-accounts.ts'
import { serviceIssuer } from '../identity/service-accounts.ts'
import { reviewAccess } from './review.ts'
import type { GrantReview, Review, ReviewOf } from './review.ts'
import { Usage } from './usage.ts'
import type { UsedEntry } from './usage.ts'

const day = 86_400_000
const now = Date.parse('2026-11-20T12:00:00Z')
const since = now - 90 * day

let exchanges = 0
function entry(
  type: UsedEntry['type'],
  daysAgo: number,
  fields: UsedEntry['fields'] = {},
): UsedEntry {
  const ms = now - daysAgo * day
  return {
    type,
    time: new Date(ms).toISOString(),
    timeUs: ms * 1000,
    exchange: `ex_${exchanges}`,
    connection: 'shop',
    principal: { issuer: 'i', subject: 'ada', kind: 'person', name: undefined, groups: [] },
    fields,
  }
}
function call(daysAgo: number, rule: string, tool: string, of: Partial<UsedEntry> = {}): UsedEntry {
  exchanges++
  const target = { kind: 'tool', name: tool }
  return { ...entry('call.received', daysAgo, { rule, target, method: 'tools/call' }), ...of }
}

const someone = (of: Partial<KnownPrincipal>): KnownPrincipal => ({
  id: 'pr_1',
  issuer: 'i',
  subject: 'ada',
  kind: 'person',
  groups: ['engineers'],
  roles: [],
  claims: {},
  madeMs: now - 300 * day,
  seenMs: now - day,
  source: 'token',
  ...of,
})
const account = (of: Partial<ServiceAccount>): ServiceAccount => ({
  name: 'etl',
  owner: 'pr_1',
  groups: [],
  roles: ['loader'],
  madeMs: now - 300 * day,
  usedMs: 0,
  keys: [{ id: 'k_1', madeMs: 0, expiresMs: now + day, usedMs: now - day }],
  ...of,
})

async function review(
  grants: GrantConfig[],
  entries: UsedEntry[],
  of: Partial<ReviewOf> = {},
): Promise<Review> {
  async function* all(): AsyncGenerator<UsedEntry> {
    yield* entries
  }
  return await reviewAccess(all(), {
    grants,
    roles: {},
    principals: [],
    accounts: [],
    ownerless: [],
    connections: ['shop', 'bank'],
    sinceMs: since,
    nowMs: now,
    ...of,
  })
}
async function first(
  grant: GrantConfig,
  entries: UsedEntry[],
  of: Partial<ReviewOf> = {},
): Promise<GrantReview> {
  const [one] = (await review([grant], entries, of)).grants
  assert.ok(one)
  return one
}

const read: GrantConfig = {
  name: 'read',
  who: { group: 'engineers' },
  may: { connection: 'shop', tools: ['list', 'show_*'] },
}
const all: GrantConfig = { name: 'all', who: {}, may: { connection: 'shop' }, reveal: 'pan' }

const notUses: readonly [what: string, entry: UsedEntry][] = [
  ['a call before the time looked at', call(91, 'read', 'list')],
  ['a call by another grant', call(1, 'other', 'list')],
  ['a call by a grant whose name begins alike', call(1, 'read-all', 'list')],
  ['a call of a tool which it does not cover', call(1, 'read all', 'drop')],
  ['a call on another connection', call(1, 'read', 'list', { connection: 'bank' })],
  [
    'a resource of the same name',
    call(1, 'read', '', { fields: { rule: 'read', target: { kind: 'resource', name: 'list' } } }),
  ],
  [
    'a look at the list of tools',
    call(1, 'read', '', { fields: { rule: 'read', method: 'tools/list' } }),
  ],
  ['a refused call', { ...call(1, 'read', 'list'), type: 'call.denied' }],
]
for (const [what, used] of notUses) {
  test(`${what} is no use of a grant`, async () => {
    const found = await first(read, [used])
    assert.equal(found.calls, 0)
    assert.equal(found.lastUsed, undefined)
    assert.deepEqual(found.namesUnused, ['tool list', 'tool show_*'])
  })
}

test('what every grant includes is no use of a grant of everything', async () => {
  const looked = call(1, 'all', '', { fields: { rule: 'all', method: 'tools/list' } })
  assert.equal((await first(all, [looked])).calls, 0)
})

test('a call is a use of each grant it rested on, and tells which names were of use', async () => {
  const entries = [
    call(5, 'read all', 'show_orders'),
    call(3, 'read all', 'show_orders'),
    call(2, 'all', 'drop'),
  ]
  const { figures, grants } = await review([read, all], entries)
  const [one, other] = grants
  assert.equal(one?.calls, 2)
  assert.equal(one?.lastUsed, new Date(now - 3 * day).toISOString())
  assert.deepEqual(one?.namesUnused, ['tool list'])
  assert.deepEqual(one?.used, [{ name: 'tool show_orders', calls: 2 }])
  assert.equal(other?.calls, 3)
  assert.deepEqual(other?.namesUnused, [])
  assert.deepEqual([figures.grantsUnused, figures.namesUnused], [0, 1])
})

test('where the entry cut its list of grants, any that fits counts as used', async () => {
  assert.equal((await first(read, [call(1, `${'other '.repeat(90)}oth…`, 'list')])).calls, 1)
})

test('a method of no standard counts for the grant that names it', async () => {
  const grant = { ...read, may: { connection: 'shop', methods: ['vendor/*'] } }
  const used = call(1, 'read', '', { fields: { rule: 'read', method: 'vendor/dump' } })
  assert.deepEqual((await first(grant, [used])).used, [{ name: 'method vendor/dump', calls: 1 }])
})

test('grants without a name are counted from the last change of the list, as their places changed', async () => {
  const { name: _, ...unnamed } = read
  const change = entry('access.changed', 10, { details: { what: 'access' } })
  const before = await review([unnamed, all], [call(20, 'access[0] all', 'list'), change])
  assert.deepEqual(
    before.grants.map(({ calls }) => calls),
    [0, 1],
  )
  assert.equal(before.grants[0]?.countedSince, new Date(now - 10 * day).toISOString())
  assert.equal(before.grants[1]?.countedSince, new Date(since).toISOString())
  assert.equal((await first(unnamed, [change, call(5, 'access[0]', 'list')])).calls, 1)
})

test('an end date or an owner that changed is no change of the list', async () => {
  const { name: _, ...unnamed } = read
  const change = entry('access.changed', 10, { details: { what: 'owner' } })
  const found = await first(unnamed, [call(20, 'access[0]', 'list'), change])
  assert.equal(found.calls, 1)
})

test('a change before the time looked at takes nothing away', async () => {
  const { name: _, ...unnamed } = read
  const found = await first(unnamed, [
    entry('access.changed', 100, { details: { what: 'access' } }),
    call(5, 'access[0]', 'list'),
  ])
  assert.deepEqual([found.calls, found.countedSince], [1, new Date(since).toISOString()])
})

test('a reveal counts where card numbers were delivered in clear by the grant, once a message', async () => {
  const mask = (delivered: string, part = 1): UsedEntry =>
    entry('mask.applied', 1, { delivered, part, parts: 2 })
  const shown = [
    call(1, 'read all', 'list'),
    mask('revealed'),
    mask('revealed', 2),
    entry('call.finished', 1),
    mask('revealed'),
  ]
  const { figures, grants } = await review([read, all], shown)
  assert.deepEqual(
    grants.map(({ reveals }) => reveals),
    [undefined, 1],
  )
  assert.equal(figures.revealsUnused, 0)
  const masked = await review([read, all], [call(1, 'read all', 'list'), mask('masked')])
  assert.equal(masked.figures.revealsUnused, 1)
})

test('tools which a server has, which a pattern covers and which nobody called are told', async () => {
  const toolsOf = (name: string): string[] | undefined =>
    name === 'shop' ? ['list', 'show_a', 'show_b', 'drop'] : undefined
  const found = await first(read, [call(1, 'read', 'show_a')], { toolsOf })
  assert.deepEqual(found.toolsUnused, ['list', 'show_b'])
})

test('names that a client makes up are bounded', async () => {
  const many = Array.from({ length: 1500 }, (_, i) => call(1, 'all', `made_up_${i}`))
  const found = await first(all, many)
  const usage = new Usage([all], 0)
  for (const each of many) usage.take(each)
  assert.equal(usage.grants.get('all')?.byName.size, 1000)
  assert.equal(usage.grants.get('all')?.others, 500)
  assert.equal(found.calls, 1500)
  assert.equal(found.used.length, 50)
  assert.equal(found.othersUsed, 1450)
})

const idles: readonly [
  what: string,
  known: Partial<KnownPrincipal>,
  entries: UsedEntry[],
  isIdle: boolean,
][] = [
  ['somebody seen yesterday', {}, [], false],
  ['somebody seen long ago', { seenMs: now - 91 * day }, [], true],
  ['somebody never seen', { seenMs: 0 }, [], true],
  ['somebody never seen, made known last week', { seenMs: 0, madeMs: now - 7 * day }, [], false],
  [
    'somebody the directory did not see and the record did',
    { seenMs: 0 },
    [call(1, 'read', 'list')],
    false,
  ],
  ['somebody never seen without any grant', { seenMs: 0, groups: [] }, [], false],
  ['somebody never seen whose access has ended', { seenMs: 0, endsMs: now - 1 }, [], false],
  ['a service account, which is told elsewhere', { seenMs: 0, issuer: serviceIssuer }, [], false],
]
for (const [what, known, entries, isIdle] of idles) {
  test(`${what} is ${isIdle ? '' : 'not '}told as having access and not using it`, async () => {
    const { idle } = await review([read], entries, { principals: [someone(known)] })
    assert.equal(idle.length, isIdle ? 1 : 0)
    if (isIdle) assert.deepEqual(idle[0]?.grants, ['read'])
  })
}

test('a grant for one client is held by whoever may use that client', async () => {
  const grant = { ...read, who: { group: 'engineers', client: 'editor' } }
  assert.equal(
    (await first(grant, [], { principals: [someone({}), someone({ groups: [] })] })).holders,
    1,
  )
})

test('service accounts are told with last use, owner, good keys and grants', async () => {
  const load: GrantConfig = { name: 'load', who: { role: 'loader' }, may: { connection: 'bank' } }
  const entries = [
    call(2, 'load', 'x', {
      principal: {
        issuer: serviceIssuer,
        subject: 'busy',
        kind: 'service',
        name: undefined,
        groups: [],
      },
    }),
  ]
  const accounts = [
    account({ name: 'busy', keys: [] }),
    account({
      name: 'idle',
      keys: [{ id: 'k_2', madeMs: 0, expiresMs: now, usedMs: now - 100 * day }],
    }),
    account({ name: 'elsewhere', connections: ['shop'] }),
    account({ name: 'new', madeMs: now - day, keys: [] }),
    account({ name: 'rekeyed', usedMs: now - 3 * day, keys: [] }),
  ]
  const { accounts: told, figures } = await review([load], entries, { accounts })
  assert.deepEqual(
    told.map((one) => [
      one.account,
      one.lastUsed?.slice(0, 10),
      one.keys,
      one.isUnused,
      one.grants,
    ]),
    [
      ['busy', '2026-11-18', 0, false, ['load']],
      ['idle', '2026-08-12', 0, true, ['load']],
      ['elsewhere', '2026-11-19', 1, false, []],
      ['new', undefined, 0, false, ['load']],
      ['rekeyed', '2026-11-17', 0, false, ['load']],
    ],
  )
  assert.equal(figures.accountsUnused, 1)
})

test('whoever has two roles that exclude each other is told', async () => {
  const roles: ConsoleRoles = {
    admin: { group: 'engineers' },
    approver: { kind: 'person' },
    auditor: {},
  }
  const principals = [someone({}), someone({ id: 'pr_2', groups: [] })]
  const { conflicts } = await review([], [], { roles, principals })
  assert.deepEqual(conflicts, [
    { id: 'pr_1', issuer: 'i', subject: 'ada', roles: ['admin', 'approver'] },
  ])
})

test('the next review is due half a year behind the last one, or at once', async () => {
  assert.equal((await review([], [])).dueBy, new Date(now).toISOString())
  const signed = (daysAgo: number, sha256?: string): UsedEntry =>
    entry('access.reviewed', daysAgo, { details: { sha256 } })
  const { dueBy, lastReview } = await review([], [signed(300, 'aa'), signed(170, 'bb'), signed(1)])
  assert.equal(lastReview?.sha256, 'bb')
  assert.equal(lastReview.by, 'ada')
  assert.equal(dueBy, new Date(now + 10 * day).toISOString())
})
