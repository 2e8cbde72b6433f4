import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hammer } from './hammer.ts'

test('a gateway killed under load loses nothing it acknowledged, and sent nothing unrecorded', async () => {
  const { acknowledged, lost, arrived, unrecorded, unknown, problems } = await hammer({
    rounds: 4,
    mode: 'sync',
  })
  assert.ok(acknowledged > 50, `only ${acknowledged} calls were acknowledged`)
  assert.ok(arrived >= acknowledged)
  assert.equal(lost, 0)
  assert.equal(unrecorded, 0)
  assert.ok(unknown > 0, 'no call was in flight at any kill')
  assert.deepEqual(problems, [])
})

test('the same test fails on a disk that forgets what it said was durable', async () => {
  const { acknowledged, lost, unrecorded } = await hammer({ rounds: 3, mode: 'forgetful' })
  assert.ok(acknowledged > 20)
  assert.ok(lost + unrecorded > 0, 'the loss went unseen')
})
