import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileNetworks } from './networks.ts'

for (const range of [
  '',
  'office',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '::/129',
  '10.0.0.0/',
  'fe80::1%eth0',
]) {
  test(`"${range}" is no network`, () => {
    assert.throws(() => compileNetworks([range]), { name: 'Fault', code: 'config_bad' })
  })
}

const cases: readonly [ip: string, range: string, isIn: boolean][] = [
  ['', '0.0.0.0/0', false],
  ['unknown', '0.0.0.0/0', false],
  ['10.0.0.1.', '10.0.0.0/8', false],
  ['11.0.0.0', '10.0.0.0/8', false],
  ['9.255.255.255', '10.0.0.0/8', false],
  ['10.255.255.255', '10.0.0.0/8', true],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.4', '10.1.2.3', false],
  ['10.9.9.9', '10.1.2.3/8', true],
  ['2001:db8::1', '2001:db8::/32', true],
  ['2001:db9::1', '2001:db8::/32', false],
  ['2001:DB8:0::1', '2001:db8::1', true],
  // An IPv4 address is the same in IPv6's clothes, on either side, in either spelling.
  ['::ffff:10.1.2.3', '10.0.0.0/8', true],
  ['::ffff:a01:203', '10.0.0.0/8', true],
  ['::ffff:11.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '::ffff:10.0.0.0/104', true],
  ['11.1.2.3', '::ffff:10.0.0.0/104', false],
  ['::10.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '::/0', false],
  ['::ffff:10.1.2.3', '::/0', false],
  ['2001:db8::1', '0.0.0.0/0', false],
  ['2001:db8::1', '::/0', true],
  ['fe80::1%eth0', 'fe80::/10', true],
  ['fe80::1%eth0', '2001:db8::/32', false],
]
for (const [ip, range, isIn] of cases) {
  test(`${ip || 'no address'} is ${isIn ? '' : 'not '}in ${range}`, () => {
    assert.equal(compileNetworks([range])(ip), isIn)
  })
}

test('no range covers nothing, and one of several is enough', () => {
  assert.equal(compileNetworks([])('10.0.0.1'), false)
  assert.equal(compileNetworks(['192.0.2.0/24', '10.0.0.0/8'])('10.0.0.1'), true)
})

test('an address is answered alike again, also when thousands came between', () => {
  const covers = compileNetworks(['10.1.0.0/16'])
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) {
      const address = `10.${i % 3}.${i >> 8}.${i & 255}`
      assert.equal(covers(address), i % 3 === 1, address)
    }
  }
})

test('a range covers exactly the addresses that share its first bits', () => {
  const word = fc.nat({ max: 2 ** 32 - 1 })
  const show = (value: number): string =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
  fc.assert(
    fc.property(word, word, fc.nat({ max: 32 }), fc.nat({ max: 32 }), (base, noise, bits, near) => {
      const ip = Math.floor(base / 2 ** near) * 2 ** near + (noise % 2 ** near)
      const cut = 2 ** (32 - bits)
      const isIn = Math.floor(base / cut) === Math.floor(ip / cut)
      const covers = compileNetworks([`${show(base)}/${bits}`])
      assert.equal(covers(show(ip)), isIn)
      assert.equal(covers(`::ffff:${show(ip)}`), isIn)
    }),
  )
})
