/** What is counted by address, and whose an address is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { networkOf } from './network.ts'
import { Rate } from './rate.ts'

let nowMs = 0
const clock = { monotonicMs: () => nowMs }

const same: readonly [string, string][] = [
  ['2001:db8:0:1::', '2001:DB8::1:0:0:0:9'],
  ['2001:db8:0:1::1', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::2'],
  ['::1', '::2'],
  ['::1:0:0:192.0.2.1', '0:0:0:1::'],
]
for (const [one, other] of same) {
  test(`${one} counts as ${other}`, () => assert.equal(networkOf(one), networkOf(other)))
}
const apart: readonly [string, string][] = [
  ['2001:db8:0:1::1', '2001:db8:0:2::1'],
  ['2001:db8::1', '2001:db8:0:1::1'],
  ['192.0.2.1', '192.0.2.2'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
]
for (const [one, other] of apart) {
  test(`${one} does not count as ${other}`, () => assert.notEqual(networkOf(one), networkOf(other)))
}

test('an address however written is of the network of its first four groups', () => {
  const all = fc.property(fc.ipV6(), (ip) => {
    const url = new URL(`http://[${ip}]/`).hostname.slice(1, -1)
    fc.pre(!url.startsWith('::ffff:')) // IPv4, which is told by its decimals alone.
    assert.equal(networkOf(ip), networkOf(url))
  })
  fc.assert(all, { numRuns: 500 })
})

test('so many times in a window, and again in the next', () => {
  const rate = new Rate({ clock, timesMax: 2, windowMs: 10 })
  assert.deepEqual(
    [1, 2, 3].map(() => rate.take('192.0.2.1')),
    [true, true, false],
  )
  assert.equal(rate.take('192.0.2.2'), true)
  nowMs += 9
  assert.equal(rate.take('192.0.2.1'), false)
  nowMs += 1
  assert.equal(rate.take('192.0.2.1'), true)
})

test('what is given back did not count', () => {
  const rate = new Rate({ clock, timesMax: 1, windowMs: 10 })
  for (let i = 0; i < 3; i++) rate.giveBack('192.0.2.1') // Nothing was taken: nothing is gained.
  for (let i = 0; i < 5; i++) {
    assert.equal(rate.take('192.0.2.1'), true)
    rate.giveBack('::ffff:192.0.2.1')
  }
  assert.equal(rate.take('192.0.2.1'), true)
  assert.equal(rate.take('192.0.2.1'), false)
})

test('beyond ten thousand addresses the oldest is forgotten, and none is refused for it', () => {
  const rate = new Rate({ clock, timesMax: 1, windowMs: 10 })
  rate.take('first')
  for (let i = 0; i < 10_000; i++) assert.equal(rate.take(`ip ${i}`), true)
  assert.equal(rate.take('first'), true)
  assert.equal(rate.take('ip 9999'), false)
})
