import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileGrants } from './grants.ts'
import type { Access, Bearer, Grant } from './grants.ts'
import { decide } from './permit.ts'
import type { Asked, Permit } from './permit.ts'

const bearer: Bearer = {
  issuer: 'https://issuer.example',
  subject: 'ada',
  kind: 'person',
  groups: ['engineers'],
  roles: [],
}

function access(...list: Grant[]): Access {
  const found = compileGrants(list)(bearer, 'shop')
  assert.ok(found, 'a grant should hold')
  return found
}

const ask = (method: string, kind = 'none', name = ''): Asked => ({
  kind: 'request',
  method,
  target: { kind, name },
})

const sqlOnly = access({
  who: { group: 'engineers' },
  may: { connection: 'shop', tools: ['execute_sql'] },
})
const refusals: readonly [what: string, asked: Asked, code: string][] = [
  ['a tool outside the grant', ask('tools/call', 'tool', 'drop_all'), 'tool_unknown'],
  ['a tool whose name differs in case', ask('tools/call', 'tool', 'Execute_sql'), 'tool_unknown'],
  ['a tools/call without a name', ask('tools/call'), 'bad_params'],
  [
    'a resource where only tools are granted',
    ask('resources/read', 'resource', 'x://y'),
    'target_unknown',
  ],
  ['a prompt where only tools are granted', ask('prompts/get', 'prompt', 'p'), 'target_unknown'],
  ['an unknown method', ask('vendor/dump'), 'refused'],
  [
    'a task of somebody else',
    { ...ask('tasks/get', 'task', 't'), isTaskOfOther: true },
    'target_unknown',
  ],
  [
    'listening to a resource not granted',
    { ...ask('subscriptions/listen'), listensTo: ['x://y'] },
    'target_unknown',
  ],
  ['an answer nobody waits for', { ...ask('x'), kind: 'response', method: undefined }, 'refused'],
]
for (const [what, asked, code] of refusals) {
  test(`${what} is refused`, () => {
    assert.throws(() => decide(sqlOnly, 'd1', [asked]), { name: 'Fault', code })
  })
}

const whoMisses: readonly [string, Grant['who']][] = [
  ['another group', { group: 'finance' }],
  ['another issuer', { issuers: ['https://other.example'] }],
  ['another subject', { subject: 'eve' }],
  ['the right group but another kind', { group: 'engineers', kind: 'workload' }],
  ['a role not held', { role: 'admin' }],
]
for (const [what, who] of whoMisses) {
  test(`a grant for ${what} does not hold`, () => {
    assert.equal(compileGrants([{ who, may: { connection: '*' } }])(bearer, 'shop'), undefined)
  })
}

test('a grant for another connection does not hold', () => {
  assert.equal(compileGrants([{ who: {}, may: { connection: 'bank' } }])(bearer, 'shop'), undefined)
})

test('a grant without names gives the whole connection, unknown methods included', () => {
  const all = access({ who: {}, may: { connection: 'shop' } })
  assert.equal(decide(all, 'd1', [ask('vendor/dump')]).covers('d1'), true)
  assert.equal(decide(all, 'd1', [ask('resources/read', 'resource', 'x://y')]).covers('d1'), true)
})

test('several grants add up, and any of them may reveal', () => {
  const both = access(
    { who: {}, may: { connection: 'shop', tools: ['a'] } },
    { who: {}, may: { connection: 'shop', tools: ['b'] }, reveal: 'pan' },
  )
  assert.equal(both.reveal, 'pan')
  assert.deepEqual(decide(both, 'd1', [ask('tools/call', 'tool', 'b')]).grants, [
    'access[0]',
    'access[1]',
  ])
})

test('a permit covers its own digest and no other, and is spent once', () => {
  const permit = decide(sqlOnly, 'd1', [ask('tools/call', 'tool', 'execute_sql')])
  assert.equal(permit.covers('d2'), false)
  permit.spend()
  assert.throws(() => permit.spend(), { name: 'Fault', code: 'refused' })
})

test('a look-alike is not a permit', () => {
  // @ts-expect-error a literal of the same shape is not made by policy
  const forged: Permit = { covers: () => true, spend: () => undefined, grants: [] }
  assert.ok(forged)
})

test('one refused element of a batch refuses the whole batch', () => {
  const batch = [ask('ping'), ask('tools/call', 'tool', 'drop_all')]
  assert.throws(() => decide(sqlOnly, 'd1', batch), { code: 'tool_unknown' })
})
