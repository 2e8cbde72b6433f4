import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import type { Revocation, Target } from '../identity/revocations.ts'
import { ownStops } from './stops.ts'

const mia = { kind: 'principal', issuer: 'i', subject: 'mia' } as const
const others: readonly [what: string, target: Target, source: Revocation['source']][] = [
  ['a person stopped by hand', mia, 'cli'],
  ['a person stopped for being idle', mia, 'idle'],
  ['a person of another issuer', { ...mia, issuer: 'j' }, 'scim'],
  ['another person', { ...mia, subject: 'ben' }, 'scim'],
  ['older tokens of the person', { ...mia, kind: 'tokens-before', beforeMs: 1 }, 'scim'],
  ['everything', { kind: 'everything' }, 'scim'],
]
for (const [what, target, source] of others) {
  test(`a stop of ${what} is not lifted for Mia`, async () => {
    const revocations = openRevocations(':memory:', { clock: systemClock() })
    const made = { target, source, reason: 'r', by: 'b', madeMs: 1, fromMs: 1 }
    revocations.recorded(revocations.add(made).id)
    const own = ownStops(revocations, () => assert.fail('nothing is lifted'))
    assert.equal(own.isStopped('i', 'mia'), false)
    await own.lift('i', 'mia')
    assert.equal(revocations.list().length, 1)
    revocations.close()
  })
}

test('its own stop is lifted once that is recorded, and stays where it cannot be', async () => {
  const revocations = openRevocations(':memory:', { clock: systemClock() })
  const { id } = revocations.add({
    target: mia,
    source: 'scim',
    reason: 'r',
    by: 'scim',
    madeMs: 1,
    fromMs: 1,
  })
  let isDown = true
  const own = ownStops(revocations, () =>
    isDown ? Promise.reject(new Fault('record_down', 'The record is down.')) : Promise.resolve(),
  )
  assert.equal(own.isStopped('i', 'mia'), false, 'without its entry it is made once more')
  revocations.recorded(id)
  assert.equal(own.isStopped('i', 'mia'), true)
  await assert.rejects(own.lift('i', 'mia'), { code: 'record_down' })
  assert.equal(own.isStopped('i', 'mia'), true)
  isDown = false
  await own.lift('i', 'mia')
  assert.equal(own.isStopped('i', 'mia'), false)
  revocations.close()
})
