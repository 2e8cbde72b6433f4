import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginItem, fold } from './fold.ts'
import { entryOf } from './log.fixture.ts'
import type { Draft } from './fold.ts'

type Told = readonly [fields: Readonly<Record<string, unknown>>, body?: unknown]

function itemOf(told: readonly Told[], withOutputs = true): Draft {
  const entries = told.map(([fields, body], i) =>
    entryOf(i, 1_795_000_000_000_000 + i, { exchange: 'ex_a', ...fields }, body),
  )
  const [first] = entries
  assert.ok(first)
  const draft = beginItem('w1', first)
  for (const entry of entries) fold(draft, entry, withOutputs)
  return draft
}

const asked = { method: 'tools/call', params: { arguments: { sql: 'SELECT pan FROM cards' } } }
const received: Told = [
  {
    type: 'call.received',
    method: 'tools/call',
    target: { kind: 'tool', name: 'execute_sql' },
    rule: 'engineers',
    bytes: 90,
  },
  asked,
]
const dispatched: Told = [{ type: 'call.dispatched', host: 'h', attempt: 1 }]
const answered: Told = [{ type: 'response.event', seq: 1, bytes: 10 }, { result: { n: 'row' } }]
const again: Told = [{ type: 'response.event', seq: 1, bytes: 10, again: true }, { result: 'row' }]
const masked: Told = [{ type: 'mask.applied', of: 'answer', count: 3 }]
const finished: Told = [
  { type: 'call.finished', outcome: 'tool_error', durationUs: 7, bytesIn: 90, bytesOut: 12 },
]

test('a call under way is open, and grows with each answer', () => {
  const item = itemOf([received, dispatched, answered, answered])
  assert.deepEqual([item.outcome, item.open, item.isEnded], ['open', 1, false])
  assert.deepEqual([item.bytes, item.durationUs], [110, undefined])
  assert.deepEqual([item.command, item.output], ['SELECT pan FROM cards', 'row\nrow'])
  assert.deepEqual([[...item.tables], [...item.columns]], [['cards'], ['pan']])
})
test('a call that ended says how, and its maskings are counted together', () => {
  const item = itemOf([received, dispatched, answered, masked, masked, finished])
  const { bytes, durationUs, isEnded, last, outcome, rule, tool, types } = item
  assert.deepEqual([outcome, isEnded, bytes, durationUs], ['tool_error', true, 102, 7])
  assert.deepEqual(
    [item.masked, rule, tool, last, types.size],
    [6, 'engineers', 'execute_sql', 5, 5],
  )
})
test('an answer that is delivered again adds nothing', () => {
  const item = itemOf([received, answered, again])
  assert.deepEqual([item.bytes, item.output], [100, 'row'])
})
test('what comes after the end adds no text and no bytes', () => {
  const item = itemOf([received, finished, answered])
  assert.deepEqual([item.output, item.bytes], ['', 102])
})
test('a call whose beginning is not known has no text', () => {
  const item = itemOf([dispatched, answered, received, finished])
  assert.deepEqual([item.command, item.output, item.outcome], ['', '', 'tool_error'])
})
test('answers are left out where they are not to be searched', () => {
  assert.equal(itemOf([received, answered], false).output, '')
})
test('a call that was refused at the door has its text and its reason', () => {
  const denied: Told = [
    { type: 'call.denied', outcome: 'denied', reason: 'no_grant', rule: 'none' },
    asked,
  ]
  const item = itemOf([denied])
  const { command, isEnded, outcome, reason, rule } = item
  assert.deepEqual([outcome, reason, rule, isEnded], ['denied', 'no_grant', 'none', true])
  assert.equal(command, 'SELECT pan FROM cards')
})
test('names that were parsed are taken in place of those that were guessed', () => {
  const sql = [{ tables_read: ['Vault.Cards'], columns_written: ['PAN', 7] }, 'odd']
  const item = itemOf([[{ ...received[0], facts: { sql } }, asked]])
  assert.deepEqual([[...item.tables], [...item.columns]], [['vault.cards'], ['pan']])
})
test('an entry by itself keeps its own outcome, and a session its client', () => {
  const opened: Told = [
    { type: 'session.opened', exchange: null, clientName: 'cursor', clientVersion: '1' },
  ]
  assert.deepEqual([itemOf([opened]).outcome, itemOf([opened]).client], ['ok', 'cursor 1'])
  const closed: Told = [{ type: 'session.closed', exchange: null, durationUs: 5, reason: 'idle' }]
  assert.deepEqual([itemOf([closed]).durationUs, itemOf([closed]).reason], [5, 'idle'])
})
