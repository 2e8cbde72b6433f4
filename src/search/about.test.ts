/** Whom and what entries about identities name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aboutOf, detailText } from './about.ts'
import type { EntryType } from '../record/entry.ts'

const cases: readonly [
  name: string,
  type: EntryType,
  details: unknown,
  people: string[],
  things: string[],
][] = [
  ['no details', 'auth.accepted', undefined, [], []],
  ['details that are none', 'principal.revoked', ['of'], [], []],
  ['a word that is none', 'principal.revoked', { of: { a: 1 }, by: null }, [], []],
  [
    'a stop of somebody',
    'principal.revoked',
    { id: 'rv_1', what: 'principal', of: 'https://i ada b', by: 'cli', reason: 'left' },
    ['https://i ada b', 'https://i', 'ada b', 'cli'],
    ['https://i ada b', 'https://i', 'ada b', 'rv_1'],
  ],
  [
    'a stop of a client',
    'principal.revoked',
    { what: 'client', of: 'c 1', by: 'x' },
    ['x'],
    ['c 1'],
  ],
  [
    'a change of grants',
    'access.changed',
    { what: 'access', added: ['ada may shop'], by: 'file' },
    ['file'],
    [],
  ],
  [
    'a group of the directory',
    'scim.changed',
    { group: 'g', added: ['ada'], removed: ['bob'], fields: ['members'] },
    ['ada', 'bob'],
    ['ada', 'bob', 'g'],
  ],
  [
    'another owner',
    'access.changed',
    { what: 'owner', of: 'ci job', before: 'none', after: 'i ada', by: 'b' },
    ['ci job', 'ci', 'job', 'none', 'i ada', 'i', 'ada', 'b'],
    ['ci job', 'ci', 'job', 'none', 'i ada', 'i', 'ada'],
  ],
  ['a token', 'auth.accepted', { client: 'c', token: 't' }, [], ['t', 'c']],
  [
    'a passkey',
    'passkey.changed',
    { passkey: 'pk_1', of: 'pr_1', ofSubject: 'ada' },
    ['ada', 'pr_1'],
    ['ada', 'pr_1', 'pk_1'],
  ],
]
for (const [name, type, details, people, things] of cases) {
  test(`${name}: whom and what it is about`, () => {
    const found = aboutOf(type, details === undefined ? {} : { details })
    assert.deepEqual([...found.people].toSorted(), people.toSorted())
    assert.deepEqual([...found.things].toSorted(), things.toSorted())
  })
}

test('whatever details hold, names are words, few, and once each', () => {
  const property = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (details) => {
    const { people, things } = aboutOf('scim.changed', { details })
    for (const names of [people, things]) {
      assert.ok(names.length <= 64)
      assert.equal(new Set(names).size, names.length)
      assert.ok(names.every((one) => typeof one === 'string'))
    }
    assert.equal(typeof detailText({ details }), 'string')
  })
  fc.assert(property)
})
