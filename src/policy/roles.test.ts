import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConsoleRoles } from '../config/types.ts'
import { consoleRoles, rolesOf } from './roles.ts'
import type { Bearer } from './who.ts'

const roles: ConsoleRoles = {
  admin: { group: 'platform' },
  approver: { group: 'leads' },
  analyst: { role: 'fraud-analyst', kind: 'person' },
  auditor: { condition: 'claims.dept == "audit"' },
}
const mia: Bearer = { issuer: 'i', subject: 'mia', kind: 'person', groups: [], roles: [] }

const cases: readonly [what: string, of: Partial<Bearer>, roles: string[], dropped: string[]][] = [
  ['nobody in particular', {}, [], []],
  ['a group that only sounds like it', { groups: ['Platform', 'lead'] }, [], []],
  ['a service with the role of a person', { kind: 'service', roles: ['fraud-analyst'] }, [], []],
  ['somebody without the claim', { claims: {} }, [], []],
  ['an approver', { groups: ['leads'] }, ['approver'], []],
  ['an admin', { groups: ['platform'] }, ['admin'], []],
  ['an admin who approves too', { groups: ['leads', 'platform'] }, ['admin'], ['approver admin']],
  [
    'an approver who analyses and audits',
    { groups: ['leads'], roles: ['fraud-analyst'], claims: { dept: 'audit' } },
    ['approver', 'analyst', 'auditor'],
    [],
  ],
]
for (const [what, of, want, lost] of cases) {
  test(`${what} is ${want.join(' and ') || 'nothing'} on the console`, () => {
    const dropped: string[] = []
    const found = rolesOf({ ...mia, ...of }, roles, (...words) => dropped.push(words.join(' ')))
    assert.deepEqual([...found], want)
    assert.deepEqual(dropped, lost)
  })
}

test('a role nobody is named for is nobody’s, and one for everybody is', () => {
  assert.equal(rolesOf({ ...mia, roles: ['compliance'] }, {}).size, 0)
  assert.deepEqual([...rolesOf(mia, { compliance: {} })], ['compliance'])
})

test('whoever is admin is never approver, and nothing else is lost', () => {
  const some = fc.uniqueArray(fc.constantFrom(...consoleRoles))
  fc.assert(
    fc.property(some, (named) => {
      const all: ConsoleRoles = Object.fromEntries(named.map((role) => [role, {}]))
      const isBoth = named.includes('admin') && named.includes('approver')
      const want = named.filter((role) => !(isBoth && role === 'approver'))
      assert.deepEqual(new Set(rolesOf(mia, all)), new Set(want))
    }),
  )
})
