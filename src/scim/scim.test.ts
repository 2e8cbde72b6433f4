/** What any client of the RFC may ask, what Okta asks, and what nobody should. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { openSite, patch, person, secrets } from './site.fixture.ts'
import type { Site } from './site.fixture.ts'

const issuer = 'https://acme.okta.example/oauth2/default'
const plain = { issuer, isEntra: false }
const coreUser = 'urn:ietf:params:scim:schemas:core:2.0:User'

void describe('what is asked wrongly', () => {
  let site: Site
  let id = ''
  before(async () => {
    site = await openSite(plain)
    id = String((await site.call('POST', '/Users', person('00u1'))).body['id'])
  })
  after(() => site.close())

  const json = { 'content-type': 'application/json' }
  const wrong: readonly [
    what: string,
    request: [method: string, path: string, body?: unknown, headers?: Record<string, string>],
    status: number,
    scimType?: string,
  ][] = [
    ['no secret', ['GET', '/Users', undefined, { authorization: '' }], 401],
    [
      'no secret, for the configuration',
      ['GET', '/ServiceProviderConfig', undefined, { authorization: '' }],
      401,
    ],
    [
      'no secret, for nothing that is there',
      ['GET', '/Nothing', undefined, { authorization: '' }],
      401,
    ],
    [
      'a secret in the address',
      ['GET', `/Users?access_token=${secrets[0]}`, undefined, { authorization: 'x' }],
      401,
    ],
    ['no such place', ['GET', '/Nothing'], 404],
    ['bulk', ['POST', '/Bulk', {}], 501],
    ['who am I', ['GET', '/Me'], 501],
    ['a verb that is none here', ['PUT', '/Users', {}], 405],
    ['a POST to a user', ['POST', '/Users/:id', {}], 405],
    ['a DELETE of all groups', ['DELETE', '/Groups'], 405],
    ['a change of the schemas', ['POST', '/Schemas', {}], 405],
    ['a filter on the schemas', ['GET', '/Schemas?filter=id eq "x"'], 403],
    ['a filter not understood', ['GET', '/Users?filter=userName sw "a"'], 400, 'invalidFilter'],
    ['an empty filter', ['GET', '/Users?filter='], 400, 'invalidFilter'],
    ['two filters', ['GET', '/Users?filter=id eq "a"&filter=id eq "b"'], 400, 'invalidFilter'],
    [
      'SQL in a filter',
      ['GET', `/Users?filter=userName eq "' OR 1=1 --" or id pr`],
      400,
      'invalidFilter',
    ],
    ['a page that is no number', ['GET', '/Users?startIndex=one'], 400, 'invalidValue'],
    ['an attribute that is none', ['GET', '/Users?attributes=a..b'], 400, 'invalidPath'],
    ['text', ['POST', '/Users', 'x', { 'content-type': 'text/plain' }], 415],
    [
      'a form',
      ['POST', '/Users', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
      415,
    ],
    ['broken JSON', ['POST', '/Users', '{"userName": '], 400, 'invalidSyntax'],
    ['a list', ['POST', '/Users', '[]', json], 400, 'invalidSyntax'],
    ['null', ['POST', '/Users', 'null', json], 400, 'invalidSyntax'],
    ['nothing', ['POST', '/Users', '', json], 400, 'invalidSyntax'],
    [
      'a name that stands twice',
      ['POST', '/Users', '{"active": false, "active": true}'],
      400,
      'invalidSyntax',
    ],
    [
      'seventeen levels',
      ['POST', '/Users', `{"a":${'['.repeat(16)}${']'.repeat(16)}}`],
      400,
      'invalidSyntax',
    ],
    [
      'a prototype',
      ['POST', '/Users', '{"__proto__": {"active": true}, "userName": "x"}'],
      400,
      'invalidPath',
    ],
    ['over 1 MiB', ['POST', '/Users', `"${'x'.repeat(1024 * 1024)}"`], 413],
    [
      '1001 operations',
      [
        'PATCH',
        '/Users/:id',
        patch(...Array.from({ length: 1001 }, () => ({ op: 'remove', path: 'x' }))),
      ],
      413,
    ],
    ['no operations', ['PATCH', '/Users/:id', {}], 400, 'invalidSyntax'],
    [
      'a new id',
      ['PATCH', '/Users/:id', patch({ op: 'replace', path: 'id', value: 'x' })],
      400,
      'mutability',
    ],
    [
      'a group for a user',
      ['PATCH', '/Users/:id', patch({ op: 'add', path: 'groups', value: [{ value: 'x' }] })],
      400,
      'mutability',
    ],
    [
      'a user without its name',
      ['PATCH', '/Users/:id', patch({ op: 'remove', path: 'userName' })],
      400,
      'mutability',
    ],
    [
      'an old version',
      [
        'PATCH',
        '/Users/:id',
        patch({ op: 'add', path: 'title', value: 'x' }),
        { 'if-match': 'W/"9"' },
      ],
      412,
    ],
    [
      'an old version, to delete',
      ['DELETE', '/Users/:id', undefined, { 'if-match': 'W/"9"' }],
      412,
    ],
    ['a group without a name', ['POST', '/Groups', {}], 400, 'invalidValue'],
    [
      'another user’s name',
      ['POST', '/Users', person('00u2', { userName: 'user-00u1@example.com' })],
      409,
      'uniqueness',
    ],
  ]
  for (const [what, [method, path, body, headers], status, scimType] of wrong) {
    test(`${what} is answered with ${status}`, async () => {
      const answer = await site.call(method, path.replace(':id', id), body, headers)
      assert.deepEqual([answer.status, answer.body['scimType']], [status, scimType])
      assert.equal(answer.headers.get('content-type'), 'application/scim+json; charset=utf-8')
      assert.deepEqual(answer.body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error'])
      assert.equal(answer.body['status'], String(status))
      assert.equal(answer.headers.has('www-authenticate'), status === 401)
      const user = await site.call('GET', `/Users/${id}`)
      assert.deepEqual([user.status, user.headers.get('etag')], [200, 'W/"1"'], 'nothing changed')
    })
  }

  test('what cannot be shown as asked is refused before anything is done', async () => {
    const answer = await site.call(
      'PATCH',
      `/Users/${id}?attributes=[`,
      patch({ op: 'replace', path: 'active', value: false }),
    )
    assert.deepEqual([answer.status, answer.body['scimType']], [400, 'invalidPath'])
    assert.deepEqual(site.revocations.list(), [])
  })

  test('a body that never says how long it is ends at 1 MiB', async () => {
    const { promise, reject, resolve } = Promise.withResolvers<number | undefined>()
    const headers = { authorization: `Bearer ${secrets[0]}`, 'content-type': 'application/json' }
    const sent = request(`${site.url}/Users`, { method: 'POST', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject)
    for (let i = 0; i < 17; i++) sent.write(' '.repeat(64 * 1024))
    assert.equal(await promise, 413)
    sent.destroy()
  })
})

void describe('what a client of the RFC asks', () => {
  let site: Site
  beforeEach(async () => {
    site = await openSite(plain)
  })
  afterEach(() => site.close())

  test('the endpoint says what it can do', async () => {
    const config = await site.call('GET', '/ServiceProviderConfig')
    const { bulk, etag, filter, patch: patches, sort } = config.body
    assert.deepEqual(
      [patches, sort, etag],
      [{ supported: true }, { supported: false }, { supported: true }],
    )
    assert.deepEqual(filter, { supported: true, maxResults: 200 })
    assert.equal((bulk as { supported: boolean }).supported, false)
    const types = await site.call('GET', '/ResourceTypes')
    assert.deepEqual(
      (types.body['Resources'] as { endpoint: string }[]).map(({ endpoint }) => endpoint),
      ['/Users', '/Groups'],
    )
    assert.equal((await site.call('GET', '/ResourceTypes/user')).body['id'], 'User')
    const schemas = await site.call('GET', '/Schemas')
    assert.equal(schemas.body['totalResults'], 3)
    assert.doesNotMatch(JSON.stringify(schemas.body), /null/)
    const user = await site.call('GET', `/Schemas/${coreUser}`)
    assert.equal(
      (user.body['meta'] as { location: string }).location,
      `${site.url}/Schemas/${coreUser}`,
    )
    assert.equal((await site.call('GET', '/Schemas/urn:none')).status, 404)
  })

  test('pages are counted from one, and the total is that of all pages', async () => {
    for (let i = 1; i <= 5; i++)
      await site.call('POST', '/Users', person(`00u${i}`, { title: i % 2 ? 'odd' : 'even' }))
    const pages: readonly [query: string, subjects: string[], total: number][] = [
      ['', ['1', '2', '3', '4', '5'], 5],
      ['?count=2', ['1', '2'], 5],
      ['?startIndex=2&count=2', ['2', '3'], 5],
      ['?startIndex=0&count=1', ['1'], 5],
      ['?startIndex=-7&count=1', ['1'], 5],
      ['?startIndex=6', [], 5],
      ['?count=0', [], 5],
      ['?count=-1', [], 5],
      ['?filter=title eq "odd"&startIndex=2&count=1', ['3'], 3],
      ['?filter=title eq "odd"&startIndex=2', ['3', '5'], 3],
      ['?filter=active eq true and title eq "even"', ['2', '4'], 2],
    ]
    for (const [query, subjects, total] of pages) {
      const { body } = await site.call('GET', `/Users${query}`)
      const found = body['Resources'] as { externalId: string }[]
      assert.deepEqual(
        found.map(({ externalId }) => externalId.slice(3)),
        subjects,
        query,
      )
      assert.deepEqual(
        [body['totalResults'], body['itemsPerPage']],
        [total, subjects.length],
        query,
      )
    }
  })

  test('a version is given, asked for and insisted on', async () => {
    const { body } = await site.call('POST', '/Users', person('00u1'))
    const path = `/Users/${String(body['id'])}`
    assert.equal(
      (await site.call('GET', path, undefined, { 'if-none-match': 'W/"1"' })).status,
      304,
    )
    const title = patch({ op: 'add', path: 'title', value: 'x' })
    const changed = await site.call('PATCH', path, title, { 'if-match': 'W/"0", W/"1"' })
    assert.deepEqual([changed.status, changed.headers.get('etag')], [200, 'W/"2"'])
    assert.equal(
      (await site.call('GET', path, undefined, { 'if-none-match': 'W/"1"' })).status,
      200,
    )
    assert.equal((await site.call('DELETE', path, undefined, { 'if-match': '*' })).status, 204)
  })

  test('only the attributes asked for are shown, or all but some', async () => {
    const { body } = await site.call('POST', '/Users', person('00u1'))
    const path = `/Users/${String(body['id'])}`
    const { id, schemas } = body
    const only = await site.call(
      'GET',
      `${path}?attributes=USERNAME,name.givenName,emails.value,none`,
    )
    assert.deepEqual(only.body, {
      schemas,
      id,
      userName: 'user-00u1@example.com',
      name: { givenName: 'Mia' },
      emails: [{ value: 'mail-00u1@example.com' }],
    })
    const without = await site.call(
      'GET',
      `${path}?excludedAttributes=id,emails.type,name,meta,active`,
    )
    assert.deepEqual(without.body, {
      schemas,
      id,
      externalId: '00u1',
      userName: 'user-00u1@example.com',
      emails: [{ primary: true, value: 'mail-00u1@example.com' }],
    })
  })

  test('a user as Okta makes, changes, deactivates and reactivates one', async () => {
    const okta = {
      schemas: [coreUser],
      userName: 'test.user@okta.local',
      name: { givenName: 'Test', familyName: 'User' },
      emails: [{ primary: true, value: 'test.user@okta.local', type: 'work' }],
      displayName: 'Test User',
      locale: 'en-US',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      password: '1mz050nq',
      active: true,
    }
    const absent = await site.call(
      'GET',
      '/Users?filter=userName eq "test.user@okta.local"&startIndex=1&count=100',
    )
    assert.equal(absent.body['totalResults'], 0)
    const { body, status } = await site.call('POST', '/Users', okta)
    assert.equal(status, 201)
    const path = `/Users/${String(body['id'])}`
    assert.doesNotMatch(JSON.stringify([body, site.store.users.page(0, 9)]), /1mz050nq/)
    const put = await site.call('PUT', path, {
      ...body,
      name: { givenName: 'Another', familyName: 'User' },
      nickName: null,
    })
    assert.deepEqual(
      [put.status, put.body['name']],
      [200, { givenName: 'Another', familyName: 'User' }],
    )
    assert.equal(put.body['locale'], 'en-US')
    const off = await site.call('PATCH', path, patch({ op: 'replace', value: { active: false } }))
    assert.deepEqual([off.status, off.body['active']], [200, false])
    assert.equal(site.revocations.list()[0]?.target.kind, 'principal')
    assert.deepEqual(site.events.slice(-2), ['stopped 00ujl29u0le5T6Aj10h7', 'answered PATCH 200'])
    const on = await site.call('PUT', path, { ...okta, active: true })
    assert.equal(on.body['active'], true)
    assert.deepEqual(site.revocations.list(), [])
  })

  test('what a PUT leaves out goes, but neither who somebody is nor that they are out', async () => {
    const { body } = await site.call(
      'POST',
      '/Users',
      person('00u1', { active: false, title: 'T' }),
    )
    const path = `/Users/${String(body['id'])}`
    const put = await site.call('PUT', path, { schemas: [coreUser], userName: 'new' })
    assert.equal(put.status, 200)
    assert.deepEqual(
      [put.body['active'], put.body['externalId'], put.body['title']],
      [false, '00u1', undefined],
    )
    assert.equal(site.revocations.list().length, 1)
    const off = await site.call('PUT', path, { userName: 'new', active: 'true' })
    assert.deepEqual([off.body['active'], site.revocations.list().length], [true, 0])
  })

  test('a group as Okta pushes one: its name is what tokens say, so a new name is a loss of the old', async () => {
    const user = String((await site.call('POST', '/Users', person('00u1'))).body['id'])
    const lost = (): string[] => [...(site.directory.lostGroups(issuer, '00u1')?.keys() ?? [])]
    const made = await site.call('POST', '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Test SCIMv2',
      members: [],
    })
    assert.equal(made.status, 201)
    const id = String(made.body['id'])
    const put = await site.call('PUT', `/Groups/${id}`, {
      displayName: 'Test SCIMv2',
      members: [{ value: user, display: 'test.user@okta.local' }],
    })
    assert.deepEqual(
      [put.status, (put.body['members'] as { value: string }[])[0]?.value],
      [200, user],
    )
    assert.deepEqual(lost(), [])
    const rename = patch({ op: 'replace', value: { id, displayName: 'Renamed' } })
    assert.equal((await site.call('PATCH', `/Groups/${id}`, rename)).status, 204)
    assert.deepEqual(lost(), ['Test SCIMv2'])
    const emptied = await site.call('PUT', `/Groups/${id}`, { displayName: 'Renamed' })
    assert.deepEqual([emptied.status, emptied.body['members']], [200, []])
    assert.deepEqual(lost(), ['Test SCIMv2', 'Renamed'])
  })

  test('twenty changes at once of one user and one group all arrive', async () => {
    const user = String((await site.call('POST', '/Users', person('00u1'))).body['id'])
    const group = String((await site.call('POST', '/Groups', { displayName: 'G' })).body['id'])
    const all = Array.from({ length: 20 }, (_, i) => [
      site.call(
        'PATCH',
        `/Users/${user}`,
        patch({ op: 'add', path: 'roles', value: [{ value: `r${i}` }] }),
      ),
      site.call(
        'PATCH',
        `/Groups/${group}`,
        patch({ op: 'add', path: 'members', value: [{ value: `m${i}` }] }),
      ),
    ])
    const statuses = (await Promise.all(all.flat())).map(({ status }) => status)
    assert.deepEqual(new Set(statuses), new Set([200, 204]))
    assert.equal(site.store.members(group).size, 20)
    const roles = (await site.call('GET', `/Users/${user}`)).body['roles']
    assert.ok(Array.isArray(roles) && roles.length === 20)
  })
})

void describe('who is not expected', () => {
  test('an address outside the ranges is refused with the right secret, and that is recorded', async () => {
    const site = await openSite({ ...plain, allowFrom: ['10.0.0.0/8'] })
    try {
      const answer = await site.call('GET', '/Users')
      assert.equal(answer.status, 401)
      assert.deepEqual(
        site.notes.map(({ details }) => details),
        [{ method: 'scim', reason: 'address' }],
      )
    } finally {
      await site.close()
    }
  })

  test('after ten wrong secrets the answer is 429, and the right one still works', async () => {
    const site = await openSite(plain)
    try {
      const wrong = { authorization: 'Bearer wrong' }
      for (let i = 0; i < 10; i++)
        assert.equal((await site.call('GET', '/Users', undefined, wrong)).status, 401)
      const late = await site.call('GET', '/Users', undefined, wrong)
      assert.deepEqual([late.status, late.headers.get('retry-after')], [429, '60'])
      assert.equal(
        (await site.call('GET', '/Users', undefined, { authorization: `Bearer ${secrets[1]}` }))
          .status,
        200,
      )
      assert.equal(site.notes.length, 10)
    } finally {
      await site.close()
    }
  })
})
