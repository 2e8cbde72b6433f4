import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../base/clock.ts'
import { Executions, keptMs } from './executions.ts'

function bench(): { executions: Executions; pass: (ms: number) => void } {
  let now = 0
  const clock: Clock = { nowUs: () => now * 1000, monotonicMs: () => now }
  return { executions: new Executions(clock), pass: (ms) => void (now += ms) }
}
const message = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}')
const delivered = { didRun: true, isDelivered: true }

test('of two hundred callers one may execute a ticket', () => {
  const { executions } = bench()
  const claims = Array.from({ length: 200 }, () => executions.claim('tk_1'))
  assert.equal(claims.filter((claim) => claim !== undefined).length, 1)
})
test('whoever waits gets the answer of the one who executed', async () => {
  const { executions } = bench()
  const claim = executions.claim('tk_1')
  const waiting = executions.of('tk_1')
  claim?.keep(message)
  claim?.over(delivered)
  assert.deepEqual((await waiting)?.message, Uint8Array.from(message))
  assert.equal(executions.claim('tk_1'), undefined, 'it is over, and nobody executes it again')
})
test('where nothing was sent the next caller may', async () => {
  const { executions } = bench()
  const claim = executions.claim('tk_1')
  const waiting = executions.of('tk_1')
  claim?.over({ didRun: false, isDelivered: false })
  assert.equal(await waiting, undefined)
  assert.notEqual(executions.claim('tk_1'), undefined)
})
test('an answer is kept for a while, then let go', () => {
  const { executions, pass } = bench()
  const claim = executions.claim('tk_1')
  claim?.keep(message)
  claim?.over(delivered)
  pass(keptMs)
  executions.claim('tk_2')
  assert.ok(executions.ended('tk_1'))
  pass(1)
  executions.claim('tk_3')
  assert.equal(executions.ended('tk_1'), undefined)
})
test('answers take no more than their room, and one under way is never let go', () => {
  const { executions } = bench()
  const first = executions.claim('tk_first')
  const large = Buffer.alloc(16 * 1_048_576)
  for (let i = 0; i < 8; i++) {
    const claim = executions.claim(`tk_${i}`)
    claim?.keep(large)
    claim?.over(delivered)
  }
  const kept = Array.from({ length: 8 }, (_, i) => executions.ended(`tk_${i}`)?.message)
  assert.ok(kept.filter((one) => one !== undefined).length <= 4)
  assert.notEqual(kept.at(-1), undefined)
  assert.equal(executions.claim('tk_first'), undefined)
  first?.over(delivered)
})
