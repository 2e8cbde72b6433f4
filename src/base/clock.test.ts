import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isoMicros, systemClock } from './clock.ts'

test('a time is written with six decimals, whatever time was written before it', () => {
  const us = fc.integer({ min: 0, max: 4_102_444_800_000_000 })
  const same = fc.property(us, (at) => {
    const iso = new Date(Math.floor(at / 1000)).toISOString().slice(0, 23)
    assert.equal(isoMicros(at), `${iso}${String(at % 1000).padStart(3, '0')}Z`)
  })
  fc.assert(same)
})

test('the clock does not run backwards, and follows the wall', () => {
  const clock = systemClock()
  let last = 0
  for (let i = 0; i < 1000; i++) {
    const now = clock.nowUs()
    assert.ok(now >= last)
    last = now
  }
  assert.ok(Math.abs(last / 1000 - Date.now()) < 2000)
})
