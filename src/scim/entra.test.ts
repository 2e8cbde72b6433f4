/** The requests that Microsoft documents for its provisioning service, over real HTTP. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { issuer, openSite, patch, person } from './site.fixture.ts'
import type { Answer, Site } from './site.fixture.ts'

const mia = '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef'
const ben = '58342554-38d6-4ec8-948c-50044d0a33fd'
const payments = '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.close())

async function make(subject: string, differences: Record<string, unknown> = {}): Promise<string> {
  const { body, status } = await site.call('POST', '/Users', person(subject, differences))
  assert.equal(status, 201)
  return String(body['id'])
}
async function makeGroup(members: readonly string[] = []): Promise<string> {
  const { body, status } = await site.call('POST', '/Groups', {
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:Group',
      'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
    ],
    externalId: payments,
    displayName: 'Payments',
    meta: { resourceType: 'Group' },
  })
  assert.equal(status, 201)
  const id = String(body['id'])
  if (members.length > 0) {
    const value = members.map((one) => ({ $ref: null, value: one }))
    const added = await site.call(
      'PATCH',
      `/Groups/${id}`,
      patch({ op: 'Add', path: 'members', value }),
    )
    assert.equal(added.status, 204)
  }
  return id
}
const isStopped = (subject: string): boolean =>
  site.revocations.find({ issuer, subject, expiresAtMs: 0 } as never, undefined, Date.now()) !==
  undefined
const resources = ({ body }: Answer): Record<string, unknown>[] =>
  body['Resources'] as Record<string, unknown>[]

// Each way in which a leaver is told of. What is not understood is refused: it must not pass as true.
const leaving: readonly [how: string, body: object][] = [
  ['"False" without the flag', patch({ op: 'Replace', path: 'active', value: 'False' })],
  ['false with the flag', patch({ op: 'replace', path: 'active', value: false })],
  ['"false" in lower case', patch({ op: 'replace', path: 'active', value: 'false' })],
  ['"FALSE", added', patch({ op: 'Add', path: 'Active', value: 'FALSE' })],
  ['false without a path', patch({ op: 'replace', value: { active: false } })],
  ['"False" without a path', patch({ op: 'Replace', value: { active: 'False' } })],
  [
    'the old job’s wrapping',
    patch({ op: 'Replace', path: 'active', value: [{ $ref: null, value: 'False' }] }),
  ],
  [
    'its full name',
    patch({
      op: 'replace',
      path: 'urn:ietf:params:scim:schemas:core:2.0:User:active',
      value: false,
    }),
  ],
  [
    'one of several operations',
    patch(
      { op: 'Replace', path: 'emails[type eq "other"].value', value: 'a@b' },
      { op: 'Replace', path: 'active', value: 'False' },
    ),
  ],
]
for (const [how, body] of leaving) {
  test(`a user made inactive by ${how} is stopped before the answer`, async () => {
    const id = await make(mia)
    const answer = await site.call('PATCH', `/Users/${id}`, body)
    assert.equal(answer.status, 200)
    assert.equal(answer.body['active'], false)
    assert.deepEqual(site.events.slice(-3), [`stop ${mia}`, `stopped ${mia}`, 'answered PATCH 200'])
    assert.ok(isStopped(mia))
    const found = await site.call('GET', `/Users?filter=userName+eq+"user-${mia}@example.com"`)
    assert.equal(resources(found)[0]?.['active'], false, 'disabled users are still returned')
  })
}

const unclear: readonly [what: string, value: unknown][] = [
  ['0', 0],
  ['1', 1],
  ['an empty text', ''],
  ['"no"', 'no'],
  ['" False"', ' False'],
  ['null', null],
  ['an object', {}],
  ['a list of two', ['False', 'True']],
  ['an empty list', []],
]
for (const [what, value] of unclear) {
  test(`active as ${what} is refused and changes nothing`, async () => {
    const id = await make(mia)
    const body = patch(
      { op: 'Replace', path: 'title', value: 'X' },
      { op: 'Replace', path: 'active', value },
    )
    const answer = await site.call('PATCH', `/Users/${id}`, body)
    assert.deepEqual([answer.status, answer.body['scimType']], [400, 'invalidValue'])
    const { body: kept } = await site.call('GET', `/Users/${id}`)
    assert.deepEqual([kept['active'], kept['title']], [true, undefined])
    assert.ok(!isStopped(mia))
  })
}

test('the answer to a leaver waits for the stop, however long that takes, and others do not', async () => {
  const id = await make(mia)
  const other = await make(ben)
  let open = (): void => undefined
  site.gate = new Promise((resolve) => (open = resolve))
  const begun = new Promise<void>((resolve) => (site.onStop = resolve))
  const answer = site.call(
    'PATCH',
    `/Users/${id}`,
    patch({ op: 'Replace', path: 'active', value: 'False' }),
  )
  await begun
  assert.equal(
    (await site.call('PATCH', `/Users/${other}`, patch({ op: 'Add', path: 'title', value: 'T' })))
      .status,
    200,
  )
  assert.ok(!site.events.slice(2).includes(`stopped ${mia}`))
  assert.equal(site.store.users.byId(id)?.body['active'], true, 'nothing is kept before the stop')
  open()
  assert.equal((await answer).status, 200)
  assert.deepEqual(site.events.slice(-2), [`stopped ${mia}`, 'answered PATCH 200'])
})

test('when the stop fails the answer is 500, nothing changes, and no value stands in it', async () => {
  const id = await make(mia)
  site.failing.add('stop')
  for (const [method, body] of [
    ['PATCH', leaving[0]?.[1]],
    ['DELETE', undefined],
  ] as const) {
    const answer = await site.call(method, `/Users/${id}`, body)
    assert.equal(answer.status, 500)
    assert.doesNotMatch(JSON.stringify(answer.body), new RegExp(`${mia}|record`))
    assert.equal((await site.call('GET', `/Users/${id}`)).body['active'], true)
  }
  site.failing.clear()
  assert.equal((await site.call('PATCH', `/Users/${id}`, leaving[0]?.[1])).status, 200)
  assert.ok(isStopped(mia))
})

test('when the record fails after the stop nothing is kept, and the stop stands', async () => {
  const id = await make(mia)
  site.failing.add('note')
  assert.equal((await site.call('PATCH', `/Users/${id}`, leaving[0]?.[1])).status, 500)
  assert.equal(site.store.users.byId(id)?.body['active'], true)
  assert.ok(isStopped(mia))
  site.failing.clear()
  assert.equal((await site.call('PATCH', `/Users/${id}`, leaving[0]?.[1])).status, 200)
  assert.equal(site.revocations.list().length, 1)
})

test('a user made, deleted and made again: stopped by the deletion, in again by the second making', async () => {
  const id = await make(mia)
  const known = site.directory.find(issuer, mia)
  assert.deepEqual(
    [known?.name, known?.email, known?.source],
    ['Mia Meier', `mail-${mia}@example.com`, 'scim'],
  )
  const answer = await site.call('DELETE', `/Users/${id}`)
  assert.deepEqual([answer.status, answer.body], [204, {}])
  assert.deepEqual(site.events.slice(-2), [`stopped ${mia}`, 'answered DELETE 204'])
  assert.ok(isStopped(mia))
  assert.equal((await site.call('GET', `/Users/${id}`)).status, 404)
  assert.equal((await site.call('DELETE', `/Users/${id}`)).status, 404)
  assert.notEqual(await make(mia), id)
  assert.ok(!isStopped(mia))
})

test('active again lifts what SCIM stopped and leaves what anybody else stopped', async () => {
  const id = await make(mia)
  await site.call('PATCH', `/Users/${id}`, leaving[0]?.[1])
  const target = { kind: 'principal', issuer, subject: mia } as const
  const nowMs = Date.now()
  const theirs = site.revocations.add({
    target,
    reason: 'r',
    by: 'ada',
    source: 'cli',
    madeMs: nowMs,
    fromMs: nowMs,
  })
  const answer = await site.call(
    'PATCH',
    `/Users/${id}`,
    patch({ op: 'Replace', path: 'active', value: 'True' }),
  )
  assert.equal(answer.body['active'], true)
  assert.deepEqual(
    site.revocations.list().map(({ id: one }) => one),
    [theirs.id],
  )
  assert.ok(isStopped(mia))
  assert.equal(site.notes.filter(({ type }) => type === 'revocation.lifted').length, 1)
})

test('an inactive user who is changed is not stopped again, and one created inactive is stopped', async () => {
  const id = await make(mia, { active: 'False' })
  assert.ok(isStopped(mia))
  await site.call('PATCH', `/Users/${id}`, patch({ op: 'Replace', path: 'title', value: 'T' }))
  assert.equal(site.revocations.list().length, 1)
  const [own] = site.revocations.list()
  site.revocations.lift(own?.id ?? '')
  await site.call('PATCH', `/Users/${id}`, leaving[1]?.[1])
  assert.ok(isStopped(mia), 'the directory still says so, and says it again')
})

test('a row that is given to somebody else stops who had it', async () => {
  const id = await make(mia)
  await makeGroup([id])
  const answer = await site.call(
    'PATCH',
    `/Users/${id}`,
    patch({ op: 'Replace', path: 'externalId', value: ben }),
  )
  assert.equal(answer.status, 200)
  assert.deepEqual([isStopped(mia), isStopped(ben)], [true, false])
  assert.deepEqual([...(site.directory.lostGroups(issuer, mia)?.keys() ?? [])], [payments])
})

const wrong: readonly [
  what: string,
  body: Record<string, unknown>,
  status: number,
  scimType?: string,
][] = [
  ['a mailNickname as externalId', { externalId: 'mia' }, 400, 'invalidValue'],
  ['no externalId', { externalId: undefined }, 400, 'invalidValue'],
  ['an externalId with a line end behind it', { externalId: `${mia}\n` }, 400, 'invalidValue'],
  ['an externalId with more behind it', { externalId: `${mia}x` }, 400, 'invalidValue'],
  ['an externalId with more before it', { externalId: `x${mia}` }, 400, 'invalidValue'],
  ['no userName', { userName: undefined }, 400, 'invalidValue'],
  ['a control character in the name', { userName: 'a\u0000b' }, 400, 'invalidValue'],
  ['an active that is a number', { active: 0 }, 400, 'invalidValue'],
  ['active twice', { Active: false }, 400, 'invalidSyntax'],
  ['65 KiB', { title: 'x'.repeat(65 * 1024) }, 400, 'invalidValue'],
]
for (const [what, body, status, scimType] of wrong) {
  test(`a user with ${what} is refused`, async () => {
    const answer = await site.call('POST', '/Users', person(mia, body))
    assert.deepEqual([answer.status, answer.body['scimType']], [status, scimType])
    assert.deepEqual(answer.body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error'])
    assert.equal(answer.body['status'], String(status))
    assert.equal(site.store.users.count(), 0)
  })
}

test('a second user of the same name or object id is a conflict, and stops nobody', async () => {
  await make(mia)
  const upper = mia.toUpperCase()
  for (const body of [
    person(upper, { userName: 'x', active: false }),
    person(ben, { userName: `USER-${upper}@EXAMPLE.COM`, active: false }),
  ]) {
    const answer = await site.call('POST', '/Users', body)
    assert.deepEqual([answer.status, answer.body['scimType']], [409, 'uniqueness'])
  }
  assert.deepEqual(site.revocations.list(), [])
})

test('an object id in capitals is kept as it came, and means the same person', async () => {
  const upper = mia.toUpperCase()
  const { body } = await site.call('POST', '/Users', person(upper, { active: false }))
  assert.equal(body['externalId'], upper)
  assert.ok(isStopped(mia))
  assert.equal(
    (await site.call('GET', `/Users?filter=externalId eq "${upper}"`)).body['totalResults'],
    1,
  )
})

test('the answer to a new user has what was sent, its id, its version and where it is', async () => {
  const answer = await site.call(
    'POST',
    '/Users?aadOptscim062020',
    person(mia, { nickName: null, unknownWord: { a: [1] }, password: 'secret' }),
  )
  assert.equal(answer.status, 201)
  const { body, headers } = answer
  assert.equal(headers.get('content-type'), 'application/scim+json; charset=utf-8')
  const id = String(body['id'])
  assert.equal(headers.get('location'), `${site.url}/Users/${id}`)
  assert.equal(headers.get('etag'), 'W/"1"')
  const { meta, ...rest } = body
  assert.deepEqual(rest, {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id,
    active: true,
    externalId: mia,
    userName: `user-${mia}@example.com`,
    emails: [{ primary: true, type: 'work', value: `mail-${mia}@example.com` }],
    name: { formatted: 'Mia Meier', familyName: 'Meier', givenName: 'Mia' },
    unknownWord: { a: [1] },
  })
  const { created, lastModified, ...told } = meta as Record<string, unknown>
  assert.deepEqual(told, {
    resourceType: 'User',
    version: 'W/"1"',
    location: `${site.url}/Users/${id}`,
  })
  assert.equal(created, lastModified)
})

test('a user that is not there is an empty list to a query and 404 by id', async () => {
  for (const query of [
    'userName eq "nobody"',
    'externalId eq "x" and userName eq "y"',
    'id eq "z"',
  ]) {
    const answer = await site.call('GET', `/Users?filter=${encodeURIComponent(query)}`)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    })
  }
  const missing = await site.call('GET', `/Users/${'5171a35d82074e068ce2'}`)
  assert.deepEqual([missing.status, missing.body['status']], [404, '404'])
  assert.equal((await site.call('PATCH', `/Users/${'none'}`, leaving[0]?.[1])).status, 404)
})

const queries = [
  `userName eq "USER-${mia}@example.com"`,
  `externalId eq "${mia}"`,
  `emails[type eq "work"].value eq "MAIL-${mia}@example.com"`,
  `emails[type eq "work"].value eq "mail-${mia}@example.com" and userName eq "user-${mia}@example.com"`,
]
for (const query of queries) {
  test(`one user is found by ${query.slice(0, 24)}…`, async () => {
    await make(ben)
    const id = await make(mia)
    for (const text of [
      encodeURIComponent(query),
      encodeURIComponent(query).replaceAll('%20', '+'),
    ]) {
      const answer = await site.call('GET', `/Users?aadOptscim062020&filter=${text}`)
      assert.deepEqual(
        resources(answer).map((one) => one['id']),
        [id],
      )
      assert.equal(answer.body['totalResults'], 1)
    }
  })
}

test('the documented updates of a user, without the flag and with it', async () => {
  const id = await make(mia)
  const employee = `${enterprise}:employeeNumber`
  const without = patch(
    { op: 'Replace', path: 'displayName', value: 'Pvlo' },
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'new@example.com' },
    { op: 'Replace', path: 'name.givenName', value: 'Gtfd' },
    { op: 'Replace', path: employee, value: 'Eqpj' },
    { op: 'Add', path: `${enterprise}:manager`, value: '42' },
    { op: 'Add', path: 'nickName', value: 'Babs' },
  )
  const first = await site.call('PATCH', `/Users/${id}`, without)
  assert.equal(first.status, 200)
  assert.deepEqual(first.body['emails'], [
    { primary: true, type: 'work', value: 'new@example.com' },
  ])
  assert.deepEqual(first.body[enterprise], { employeeNumber: 'Eqpj', manager: '42' })
  assert.equal(site.directory.find(issuer, mia)?.name, 'Pvlo')
  assert.equal(site.directory.find(issuer, mia)?.email, 'new@example.com')
  const withFlag = patch(
    { op: 'replace', path: 'emails[type eq "work"].value', value: 'newer@example.com' },
    {
      op: 'replace',
      value: {
        displayName: 'Bjfe',
        'name.givenName': 'Kkom',
        'name.familyName': 'Unua',
        [employee]: 'Aklq',
      },
    },
  )
  const second = await site.call('PATCH', `/Users/${id}`, withFlag)
  assert.deepEqual(second.body['name'], {
    formatted: 'Mia Meier',
    familyName: 'Unua',
    givenName: 'Kkom',
  })
  assert.deepEqual(second.body['schemas'], [
    'urn:ietf:params:scim:schemas:core:2.0:User',
    enterprise,
  ])
  assert.equal(second.headers.get('etag'), 'W/"3"')
  const found = await site.call(
    'GET',
    `/Users?filter=id eq "${id}" and ${enterprise}:manager eq "42"&attributes=id`,
  )
  assert.deepEqual(resources(found), [{ schemas: second.body['schemas'], id }])
})

test('whoever is taken out of a group has lost it before the answer, and nobody else has', async () => {
  const ids = [await make(mia), await make(ben)]
  const group = await makeGroup(ids)
  const ways: object[] = [
    patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: ids[0] }] }),
    patch({ op: 'remove', path: `members[value eq "${ids[0]}"]` }),
  ]
  for (const way of ways) {
    const before = Date.now()
    const answer = await site.call('PATCH', `/Groups/${group}`, way)
    assert.deepEqual([answer.status, answer.body], [204, {}])
    const lost = site.directory.lostGroups(issuer, mia)?.get(payments) ?? 0
    assert.ok(lost >= before, 'the moment of the loss is now')
    assert.equal(site.directory.lostGroups(issuer, ben), undefined)
    assert.deepEqual([...site.store.members(group)], [ids[1]])
    const back = await site.call(
      'PATCH',
      `/Groups/${group}`,
      patch({ op: 'Add', path: 'members', value: [{ value: ids[0] }] }),
    )
    assert.equal(back.status, 204)
    assert.equal(site.directory.lostGroups(issuer, mia), undefined)
  }
  const after = site.directory.find(issuer, mia)
  assert.deepEqual(after?.groups, [], 'SCIM gives no group')
})

test('a group that is deleted, renamed by object id or emptied is lost by all who were in it', async () => {
  const ids = [await make(mia), await make(ben)]
  const other = '927fa2c0-8dcb-4a7f-ae9e-0123456789ab'
  const lost = (subject: string): string[] => [
    ...(site.directory.lostGroups(issuer, subject)?.keys() ?? []),
  ]
  let group = await makeGroup(ids)
  assert.equal(
    (
      await site.call(
        'PATCH',
        `/Groups/${group}`,
        patch({ op: 'replace', path: 'externalId', value: other }),
      )
    ).status,
    204,
  )
  assert.deepEqual([lost(mia), lost(ben)], [[payments], [payments]])
  assert.equal((await site.call('DELETE', `/Groups/${group}`)).status, 204)
  assert.deepEqual(
    [lost(mia), lost(ben)],
    [
      [payments, other],
      [payments, other],
    ],
  )
  assert.equal((await site.call('GET', `/Groups/${group}`)).status, 404)
  group = await makeGroup(ids)
  assert.deepEqual(lost(mia), [other], 'gained again')
  assert.equal(
    (await site.call('PATCH', `/Groups/${group}`, patch({ op: 'remove', path: 'members' }))).status,
    204,
  )
  assert.deepEqual(
    [lost(mia), lost(ben)],
    [
      [other, payments],
      [other, payments],
    ],
  )
})

test('a group that cannot be recorded as changed keeps its members, and the same request works later', async () => {
  const id = await make(mia)
  const group = await makeGroup([id])
  const remove = patch({ op: 'Remove', path: 'members', value: [{ value: id }] })
  site.failing.add('note')
  assert.equal((await site.call('PATCH', `/Groups/${group}`, remove)).status, 500)
  assert.deepEqual([...site.store.members(group)], [id])
  site.failing.clear()
  assert.equal((await site.call('PATCH', `/Groups/${group}`, remove)).status, 204)
  assert.ok(site.directory.lostGroups(issuer, mia)?.has(payments))
})

test('groups are found as Entra looks for them, and their members left out where it says so', async () => {
  const id = await make(mia)
  const group = await makeGroup([id])
  const list = await site.call(
    'GET',
    '/Groups?excludedAttributes=members&filter=displayName eq "payments"',
  )
  assert.deepEqual(
    resources(list).map((one) => [one['id'], one['members']]),
    [[group, undefined]],
  )
  const one = await site.call('GET', `/Groups/${group}?excludedAttributes=members`)
  assert.equal(one.body['members'], undefined)
  const whole = await site.call('GET', `/Groups/${group}`)
  assert.deepEqual(whole.body['members'], [{ value: id, $ref: `${site.url}/Users/${id}` }])
  const has = `id eq "${group}" and members eq "${id}"`
  assert.equal((await site.call('GET', `/Groups?filter=${has}`)).body['totalResults'], 1)
  assert.equal(
    (await site.call('GET', `/Groups?filter=id eq "${group}" and members eq "x"`)).body[
      'totalResults'
    ],
    0,
  )
  assert.equal(
    (await site.call('GET', `/Groups?filter=members[value eq "${id}"]`)).body['totalResults'],
    1,
  )
  const user = await site.call('GET', `/Users/${id}`)
  assert.deepEqual(user.body['groups'], [
    { value: group, display: 'Payments', $ref: `${site.url}/Groups/${group}`, type: 'direct' },
  ])
  const renamed = patch({ op: 'Replace', path: 'displayName', value: 'Payments 2' })
  assert.equal((await site.call('PATCH', `/Groups/${group}`, renamed)).status, 204)
  assert.equal(
    site.directory.lostGroups(issuer, mia),
    undefined,
    'names of groups mean nothing with Entra',
  )
})

test('the record says who was changed, which fields, and active before and after, and no value', async () => {
  const id = await make(mia, { title: 'Secretary' })
  await site.call('PATCH', `/Users/${id}`, leaving[8]?.[1])
  const group = await makeGroup([id])
  await site.call('DELETE', `/Groups/${group}`)
  const told = site.notes.map(({ about, details, type }) => [
    type,
    about.principal?.subject,
    details,
  ])
  const fields = ['active', 'emails', 'externalId', 'name', 'title', 'userName']
  assert.deepEqual(told, [
    [
      'scim.changed',
      mia,
      {
        resource: 'User',
        change: 'created',
        id,
        fields,
        activeBefore: undefined,
        activeAfter: true,
      },
    ],
    [
      'scim.changed',
      mia,
      {
        resource: 'User',
        change: 'changed',
        id,
        fields: ['active', 'emails'],
        activeBefore: true,
        activeAfter: false,
      },
    ],
    [
      'scim.changed',
      undefined,
      {
        resource: 'Group',
        change: 'created',
        id: group,
        fields: ['displayName', 'externalId'],
        group: payments,
        name: 'Payments',
      },
    ],
    [
      'scim.changed',
      undefined,
      {
        resource: 'Group',
        change: 'changed',
        id: group,
        fields: [],
        group: payments,
        name: 'Payments',
        added: [mia],
        addedCount: 1,
      },
    ],
    [
      'scim.changed',
      undefined,
      {
        resource: 'Group',
        change: 'deleted',
        id: group,
        fields: ['displayName', 'externalId'],
        group: payments,
        name: 'Payments',
        removed: [mia],
        removedCount: 1,
      },
    ],
  ])
  assert.ok(site.notes.every(({ about }) => about.source?.ip === '127.0.0.1'))
  assert.doesNotMatch(JSON.stringify(site.notes), /Secretary|mail-/)
})

test('what changes nothing is answered, and neither recorded nor counted as a version', async () => {
  const id = await make(mia)
  const answer = await site.call(
    'PATCH',
    `/Users/${id}`,
    patch({ op: 'Replace', path: 'active', value: 'True' }),
  )
  assert.deepEqual([answer.status, answer.headers.get('etag')], [200, 'W/"1"'])
  assert.equal(site.notes.length, 1)
})

const folder = mkdtempSync(join(tmpdir(), 'sallyport-scim-'))
after(() => rmSync(folder, { recursive: true }))

test('all of it is there after a restart: users, groups, members, stops and losses', async () => {
  const first = await openSite({}, folder)
  const user = await first.call('POST', '/Users', person(mia))
  const id = String(user.body['id'])
  const group = await first.call('POST', '/Groups', {
    externalId: payments,
    displayName: 'P',
    members: [{ value: id }],
  })
  await first.call('PATCH', `/Users/${id}`, leaving[0]?.[1])
  await first.close()
  assert.equal(statSync(join(folder, 'state.sqlite')).mode & 0o777, 0o600)
  const second = await openSite({}, folder)
  try {
    assert.equal((await second.call('GET', `/Users/${id}`)).body['active'], false)
    const kept = await second.call('GET', `/Groups/${String(group.body['id'])}`)
    assert.deepEqual(
      (kept.body['members'] as { value: string }[]).map(({ value }) => value),
      [id],
    )
    assert.equal(second.revocations.list().length, 1)
    const back = await second.call(
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'Replace', path: 'active', value: 'True' }),
    )
    assert.equal(back.headers.get('etag'), 'W/"3"')
    assert.equal(second.revocations.list().length, 0)
  } finally {
    await second.close()
  }
})
