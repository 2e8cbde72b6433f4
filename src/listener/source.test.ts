import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headersOf } from './headers.ts'
import { plainIp, sourceFinder } from './source.ts'

const peer = { ip: '10.0.0.9', port: 5000 }
const ranges = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']
const find = sourceFinder(ranges)
const said = (...values: string[]): ReturnType<typeof headersOf> =>
  headersOf(values.flatMap((value) => ['X-Forwarded-For', value]))

for (const range of [
  '10.0.0.0/33',
  '10.0.0',
  'proxy.example',
  '10.0.0.0/8/9',
  '::1/129',
  '10.0.0.0/x',
]) {
  test(`the range ${range} is refused when the listener starts`, () => {
    assert.throws(() => sourceFinder([range]), { name: 'Fault', code: 'config_bad' })
  })
}

test('what a stranger says of itself is not believed', () => {
  const stranger = { ip: '203.0.113.5', port: 1 }
  assert.deepEqual(find(stranger, said('198.51.100.1')), stranger)
  assert.deepEqual(sourceFinder([])(peer, said('198.51.100.1')), peer)
})

test('only what our own proxies added is believed, from right to left', () => {
  const spoofed = said('127.0.0.1, 203.0.113.5, 10.1.1.1', '192.0.2.7')
  assert.deepEqual(find(peer, spoofed), {
    ip: '203.0.113.5',
    port: 0,
    forwarded: '10.1.1.1, 192.0.2.7, 10.0.0.9',
  })
})

test('rubbish in the chain ends it at the last hop that can be named', () => {
  assert.deepEqual(find(peer, said('203.0.113.5, unknown')), peer)
  assert.equal(find(peer, said('203.0.113.5, x, 10.1.1.1')).ip, '10.1.1.1')
  assert.deepEqual(find(peer, said('')), peer)
})

test('nothing of the words sent comes out but addresses', () => {
  assert.equal(find(peer, said('<script>, 10.1.1.1')).forwarded, '10.0.0.9')
})

test('ports, brackets and mapped addresses are read', () => {
  assert.deepEqual(find(peer, said('203.0.113.5:4711')), {
    ip: '203.0.113.5',
    port: 4711,
    forwarded: '10.0.0.9',
  })
  assert.equal(find(peer, said('[2001:db8:1::5]:1, 2001:db8::2')).ip, '2001:db8:1::5')
  assert.equal(find(peer, said('::ffff:203.0.113.5')).ip, '203.0.113.5')
  assert.equal(plainIp('::ffff:127.0.0.1'), '127.0.0.1')
})

test('an endless chain is looked at only so far', () => {
  const long = said(`203.0.113.5${', 10.1.1.1'.repeat(5000)}`)
  assert.equal(find(peer, long).ip, '10.1.1.1')
})

test('Forwarded is read where the proxies write it, and the other header is not', () => {
  const read = sourceFinder(ranges, 'forwarded')
  const both = headersOf([
    'X-Forwarded-For',
    '198.51.100.1',
    'Forwarded',
    'for=1.1.1.1, proto=https;for="[2001:dead::5]:47"',
  ])
  assert.deepEqual(read(peer, both), { ip: '2001:dead::5', port: 47, forwarded: '10.0.0.9' })
  assert.equal(find(peer, both).ip, '198.51.100.1')
  assert.deepEqual(read(peer, headersOf(['Forwarded', 'for=_hidden'])), peer)
})
