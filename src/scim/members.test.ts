import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { changeMembers, difference, splitOps } from './members.ts'
import { readPatch } from './operations.ts'
import { applyPatch } from './patch.ts'

const rules = { readOnly: new Set<string>(), required: new Set<string>(), makesMissing: true }

function run(before: readonly string[], ...operations: unknown[]): string[] {
  const { members } = splitOps(readPatch({ Operations: operations }))
  return [...changeMembers(new Set(before), members)].toSorted()
}

const refused: readonly [what: string, operation: unknown, scimType: string][] = [
  ['a part of members', { op: 'replace', path: 'members.value', value: 'a' }, 'invalidPath'],
  ['a selection by type', { op: 'remove', path: 'members[type eq "User"]' }, 'invalidPath'],
  [
    'a selection by two things',
    { op: 'remove', path: 'members[value eq "a" and type eq "b"]' },
    'invalidPath',
  ],
  [
    'a selection that is added to',
    { op: 'add', path: 'members[value eq "a"]', value: {} },
    'invalidPath',
  ],
  [
    'a member without an id',
    { op: 'add', path: 'members', value: [{ display: 'a' }] },
    'invalidValue',
  ],
  ['a member that is a number', { op: 'add', path: 'members', value: [1] }, 'invalidValue'],
  ['an empty id', { op: 'add', path: 'members', value: [{ value: '' }] }, 'invalidValue'],
]
for (const [what, operation, scimType] of refused) {
  test(`${what} is refused as ${scimType}`, () => {
    assert.throws(() => run(['a'], operation), { facts: { scimType, status: 400 } })
  })
}

const done: readonly [what: string, operation: unknown, after: string[]][] = [
  [
    'Entra removes one: only this one goes',
    { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'b' }] },
    ['a', 'c'],
  ],
  ['the same without a list', { op: 'Remove', path: 'members', value: { value: 'b' } }, ['a', 'c']],
  [
    'an empty list of those to remove takes nobody',
    { op: 'Remove', path: 'members', value: [] },
    ['a', 'b', 'c'],
  ],
  ['the RFC removes one', { op: 'remove', path: 'members[value eq "b"]' }, ['a', 'c']],
  ['the RFC removes all', { op: 'remove', path: 'members' }, []],
  ['a null takes all', { op: 'replace', path: 'members', value: null }, []],
  ['an add of null takes nobody', { op: 'add', value: { members: null } }, ['a', 'b', 'c']],
  [
    'a replace without a path',
    { op: 'replace', value: { members: [{ value: 'b' }], displayName: 'x' } },
    ['b'],
  ],
  [
    'an add',
    { op: 'Add', path: 'members', value: [{ $ref: null, value: 'd' }] },
    ['a', 'b', 'c', 'd'],
  ],
  [
    'the schema’s full name',
    { op: 'remove', path: 'urn:ietf:params:scim:schemas:core:2.0:Group:MEMBERS', value: ['a'] },
    ['b', 'c'],
  ],
]
for (const [what, operation, after] of done) {
  test(`members: ${what}`, () => assert.deepEqual(run(['a', 'b', 'c'], operation), after))
}

test('a group has 100,000 members at most', () => {
  const all = Array.from({ length: 100_001 }, (_, i) => `u${i}`)
  assert.throws(() => changeMembers(new Set(), [{ op: 'add', ids: all }]), { code: 'bad_request' })
  assert.equal(changeMembers(new Set(), [{ op: 'add', ids: all.slice(1) }]).size, 100_000)
})

test('the set is what PATCH makes of a list, and the difference leads from one to the other', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd')
  const value = fc.array(
    id.map((one) => ({ value: one })),
    { maxLength: 3 },
  )
  const operation = fc.oneof(
    fc.record({
      op: fc.constantFrom('add', 'replace', 'remove'),
      path: fc.constant('members'),
      value,
    }),
    fc.constant({ op: 'remove', path: 'members' }),
    id.map((one) => ({ op: 'remove', path: `members[value eq "${one}"]` })),
    value.map((members) => ({ op: 'replace', value: { members } })),
  )
  const property = fc.property(
    fc.uniqueArray(id),
    fc.array(operation, { minLength: 1 }),
    (before, operations) => {
      const ops = readPatch({ Operations: operations })
      const start = before.length === 0 ? {} : { members: before.map((one) => ({ value: one })) }
      const list: unknown = applyPatch(start, ops, rules)['members'] ?? []
      const after = changeMembers(new Set(before), splitOps(ops).members)
      const wanted = [...after].map((one) => ({ value: one }))
      assert.deepEqual(
        new Set(JSON.parse(JSON.stringify(list)).map((one: { value: string }) => one.value)),
        after,
      )
      assert.ok(Array.isArray(list) && list.length === wanted.length)
      const { added, removed } = difference(new Set(before), after)
      const moved = new Set([...before.filter((one) => !removed.includes(one)), ...added])
      assert.deepEqual(moved, after)
    },
  )
  fc.assert(property)
})
