import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileGrants } from './grants.ts'
import type { Access, Bearer, Grant } from './grants.ts'
import { decide, permit } from './permit.ts'
import type { Asked, Granted, Permit } from './permit.ts'
import type { Verdict } from './verdict.ts'

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

const allowed: Verdict = {
  effect: 'allow',
  matched: [],
  reason: '',
  hold: undefined,
  duties: {},
  revision: '',
}
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
  for (const asked of [ask('vendor/dump'), ask('resources/read', 'resource', 'x://y')]) {
    assert.equal(permit(decide(all, 'd1', [asked]), allowed).covers('d1'), true)
  }
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

const granted = (): Granted => decide(sqlOnly, 'd1', [ask('tools/call', 'tool', 'execute_sql')])

test('a permit covers its own digest and no other, and is spent once', () => {
  const made = permit(granted(), allowed)
  assert.equal(made.covers('d2'), false)
  made.spend()
  assert.throws(() => made.spend(), { name: 'Fault', code: 'refused' })
})

for (const effect of ['deny', 'hold'] as const) {
  test(`grants make no permit where a rule says ${effect}; the rule and its reason are told`, () => {
    const matched = [{ rule: 'no-deletes', effect, reason: 'Cards stay.' }]
    const verdict: Verdict = { ...allowed, effect, matched, reason: 'Cards stay.' }
    assert.throws(() => permit(granted(), verdict), {
      code: 'refused',
      message: /Cards stay\. Nothing was sent\.$/,
      facts: { reason: effect === 'hold' ? 'held' : 'rule', rule: 'no-deletes' },
    })
  })
}

test('look-alikes are no evidence', () => {
  // @ts-expect-error a literal of the same shape is not made by policy
  const forged: Permit = { covers: () => true, spend: () => undefined, grants: [] }
  // @ts-expect-error grants alone are no permit
  const early: Permit = granted()
  // @ts-expect-error a literal is no grant
  const grants: Granted = { digest: 'd1', grants: [], check: () => undefined }
  assert.ok(forged && early && grants)
})

test('one refused element of a batch refuses the whole batch', () => {
  const batch = [ask('ping'), ask('tools/call', 'tool', 'drop_all')]
  assert.throws(() => decide(sqlOnly, 'd1', batch), { code: 'tool_unknown' })
})
