import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { openScimStore } from './store.ts'
import type { Row, ScimStore } from './store.ts'

let folder = ''
let store: ScimStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-scim-'))
  store = openScimStore(join(folder, 'state.sqlite'))
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

function row(id: string, differences: Partial<Row> = {}): Row {
  const body = { userName: id, deep: { list: [1, 'ä', null] } }
  return {
    id,
    name: id,
    external: `x${id}`,
    version: 1,
    madeMs: 1,
    changedMs: 2,
    body,
    ...differences,
  }
}
const nobody = { added: [], removed: [] }

const taken: readonly [what: string, differences: Partial<Row>][] = [
  ['name', { name: 'a' }],
  ['externalId', { external: 'xa' }],
]
for (const [what, differences] of taken) {
  test(`a user with the ${what} of another is refused, and leaves nothing`, () => {
    store.saveUser(row('a'))
    assert.throws(() => store.saveUser(row('b', differences)), {
      facts: { scimType: 'uniqueness', status: 409 },
    })
    assert.equal(store.users.count(), 1)
    store.saveUser(row('c'))
  })
}

test('groups may have one name, and not one externalId', () => {
  store.saveGroup(row('a', { name: 'n' }), nobody)
  store.saveGroup(row('b', { name: 'n' }), nobody)
  assert.deepEqual(
    store.groups.byName('n').map(({ id }) => id),
    ['a', 'b'],
  )
  assert.throws(() => store.saveGroup(row('c', { external: 'xa' }), nobody), {
    code: 'bad_request',
  })
  const { external: _, ...without } = row('d')
  store.saveGroup(without, nobody)
  store.saveGroup({ ...without, id: 'e' }, nobody)
  assert.equal('external' in (store.groups.byId('d') ?? {}), false)
})

test('a group that is refused takes the change of its members with it', () => {
  store.saveGroup(row('a'), { added: ['u'], removed: [] })
  assert.throws(() => store.saveGroup(row('b', { external: 'xa' }), { added: ['v'], removed: [] }))
  assert.equal(store.members('b').size, 0)
})

test('a fault in the middle of a change leaves the state before it', () => {
  store.saveGroup(row('a'), { added: ['u'], removed: [] })
  const broken = { added: ['v', {} as string], removed: ['u'] }
  assert.throws(() => store.saveGroup(row('a', { version: 2 }), broken))
  assert.equal(store.groups.byId('a')?.version, 1)
  assert.deepEqual([...store.members('a')], ['u'])
})

test('a row comes back as it went in, and keeps its place when it changes', () => {
  for (const id of ['a', 'b', 'c']) store.saveUser(row(id))
  const changed = row('a', { name: 'z', version: 2, changedMs: 9 })
  store.saveUser(changed)
  assert.deepEqual(store.users.byId('a'), changed)
  assert.deepEqual(
    store.users.page(0, 2).map(({ id }) => id),
    ['a', 'b'],
  )
  assert.deepEqual(
    store.users.page(2, 2).map(({ id }) => id),
    ['c'],
  )
  const first = store.users.after(0, 2)
  assert.deepEqual(
    first.rows.map(({ id }) => id),
    ['a', 'b'],
  )
  assert.deepEqual(
    store.users.after(first.mark, 2).rows.map(({ id }) => id),
    ['c'],
  )
  assert.deepEqual(store.users.byExternal('xb')?.id, 'b')
  assert.deepEqual(store.users.byName('a'), [])
})

test('who is deleted is in no group, and a group that is deleted has nobody', () => {
  store.saveUser(row('u'))
  store.saveGroup(row('g'), { added: ['u', 'v'], removed: [] })
  store.saveGroup(row('h'), { added: ['u', 'g'], removed: [] })
  assert.deepEqual(
    store.groupsOf('u').map(({ id }) => id),
    ['g', 'h'],
  )
  store.removeUser('u')
  assert.deepEqual([...store.members('g')], ['v'])
  store.removeGroup('g')
  assert.equal(store.members('g').size, 0)
  assert.equal(store.members('h').size, 0)
  assert.equal(store.groups.byId('g'), undefined)
})

test('the file is its owner’s alone and each change is durable on return', () => {
  const file = join(folder, 'state.sqlite')
  store.saveUser(row('a'))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const again = openScimStore(file)
  try {
    assert.deepEqual(again.users.byId('a'), row('a'))
  } finally {
    again.close()
  }
})
