/** What the record has answered already, and since when it is the answer of the rules in force. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoMicros } from '../base/clock.ts'
import { storedEntry } from '../record/stored.ts'
import { configOf } from './facts.fixture.ts'
import { recordedCall } from './recorded-calls.ts'
import type { RecordedCall } from './recorded-calls.ts'
import { compileRules } from './rules.ts'
import { ToolChanges, judgeAgain } from './simulate.ts'
import type { PolicyOf } from './simulate.ts'

const nothing = { body: () => undefined, bodyState: 'none' as const }

function entryOf(fields: object, index = 5): NonNullable<ReturnType<typeof storedEntry>> {
  const time = isoMicros(1_700_000_000_000_000)
  const entry = storedEntry({ v: 1, outcome: 'ok', index, time, connection: 'shop', ...fields })
  return entry ?? assert.fail('an entry of a test is whole')
}

function callOf(fields: object, index = 5): RecordedCall {
  const target = { kind: 'tool', name: 'a' }
  const entry = { ...entryOf({ rpcKind: 'request', target, ...fields }, index), ...nothing }
  return recordedCall(entry, { isMasked: false, isUnchanged: true })
}
const received = (rule: string): object => ({ type: 'call.received', decision: 'allow', rule })
const denied = (rule: string): object => ({ type: 'call.denied', reason: 'rule', rule })

function policyOf(rules: string): PolicyOf {
  const config = configOf(`rules: [${rules}]`)
  const { profile } = config.connections[0] ?? assert.fail()
  const { holds, rules: list } = config
  return { rules: compileRules(config), holds, list, profile, hasPoint: false }
}

const rule = (name: string, effect: string, above: number): string =>
  `{ name: ${name}, when: exposure.clear > ${above}, effect: ${effect} }`
const then = policyOf(
  [
    rule('d1', 'deny', 1),
    rule('d2', 'deny', 2),
    rule('d3', 'deny', 3),
    rule('h', 'hold', 4),
  ].join(),
)

const settled: readonly [what: string, call: RecordedCall, candidate: string, would: string][] = [
  ['a rule that did not match', callOf(received('staff')), rule('d1', 'deny', 1), 'allow'],
  ['one under another name', callOf(received('staff')), rule('other', 'deny', 1), 'allow'],
  ['one that holds now', callOf(received('staff')), rule('d1', 'hold', 1), 'allow'],
  ['one that matched', callOf(denied('d2')), rule('d2', 'deny', 2), 'deny'],
  ['one before the one that denied', callOf(denied('d2')), rule('d1', 'deny', 1), 'allow'],
  ['one behind it', callOf(denied('d2')), rule('d3', 'deny', 3), 'allow deny'],
  ['one that is less strict', callOf(denied('d2')), rule('h', 'hold', 4), 'allow hold'],
  ['one that only allows now', callOf(received('h')), rule('h', 'allow', 4), 'allow'],
  [
    'a denial of what could not wait',
    callOf({ type: 'call.denied', reason: 'cannot_be_held', rule: 'h' }),
    rule('d1', 'deny', 1),
    'allow',
  ],
  ['another question', callOf(received('staff')), rule('d1', 'deny', 7), 'allow deny'],
  ['a call before the change', callOf(received('staff'), 1), rule('d1', 'deny', 1), 'allow deny'],
  ['a name that is a grant’s too', callOf(received('d3')), rule('d3', 'deny', 3), 'allow deny'],
  ['rules that were cut', callOf(received('staff d1 d…')), rule('d2', 'deny', 2), 'allow deny'],
]
for (const [what, call, candidate, would] of settled) {
  test(`of ${what} the record says: ${would}`, () => {
    const inForce = { policies: () => then, index: 2, grants: new Set(['staff', 'd3']) }
    const judged = judgeAgain(call, () => policyOf(candidate), inForce)
    assert.equal(judged.would.join(' '), would)
  })
}
test('what a decision point said stands where one is asked still', () => {
  const call = callOf(denied('decision-point'))
  const none = policyOf('')
  assert.deepEqual(judgeAgain(call, () => ({ ...none, hasPoint: true }), undefined).would, ['deny'])
  assert.deepEqual(judgeAgain(call, () => none, undefined).would, ['allow'])
})

const told = (change: string): object => ({ type: 'tool.changed', details: { change } })
const changes: readonly [what: string, first: number, all: readonly string[], is: boolean][] = [
  ['nothing in a whole record', 0, [], true],
  ['nothing in a part of one', 7, [], false],
  ['a first list', 7, ['pinned'], true],
  ['a change behind it', 0, ['pinned', 'changed'], false],
  ['a list after a change', 0, ['pinned', 'changed', 'pinned'], false],
  ['a tool that came later', 0, ['pinned', 'new'], false],
]
for (const [what, first, all, is] of changes) {
  test(`${what}: its tools are ${is ? '' : 'not '}known to be what they were`, () => {
    const tools = new ToolChanges()
    tools.see(entryOf({ type: 'seal' }, first))
    for (const change of all) tools.see(entryOf(told(change), first + 1))
    assert.equal(tools.isUnchanged('shop'), is)
  })
}
