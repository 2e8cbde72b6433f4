/** Addresses that no connection may lead to, by their words and behind DNS. */
import assert from 'node:assert/strict'
import dns from 'node:dns'
import type { LookupAddress, lookup as systemLookup } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fault } from '../base/fault.ts'
import { forbiddenHost, guardedLookup } from './address.ts'
import { json, send, serverOf, upstreamOf } from './server.fixture.ts'

const refused: readonly string[] = [
  'http://169.254.169.254/latest/meta-data/',
  'http://169.254.170.2/v2/credentials',
  'http://169.254.0.0/',
  'http://169.254.255.255/',
  'http://2852039166/', // The same address as one number, in octal and in hexadecimal.
  'http://0251.0376.0251.0376/',
  'http://0xa9.0xfe.0xa9.0xfe/',
  'http://169.254.43518/',
  'http://168.63.129.16/',
  'http://100.100.100.200/',
  'http://[fe80::1]/',
  'http://[febf::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fd00:ec2:0:0:0:0:0:23]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://METADATA.google.internal./',
  'http://metadata.goog/',
  'http://instance-data.ec2.internal/',
]
for (const url of refused) {
  test(`a connection to ${url} is refused when it is set up`, (t) => {
    assert.throws(
      () => upstreamOf(t, url),
      (fault: Fault) => fault.code === 'config_bad' && !fault.message.includes('169.254'),
    )
  })
}
const let_: readonly string[] = [
  'http://169.253.255.255/',
  'http://169.255.0.0/',
  'http://10.0.0.1/',
  'http://127.0.0.1:1/',
  'http://localhost:1/',
  'http://[::1]:1/',
  'http://[fec0::1]/',
  'http://[fd00:ec3::254]/',
  'http://metadata.example.com/',
  'http://metadata/',
]
for (const url of let_) {
  test(`a connection to ${url} may be set up`, (t) => assert.ok(upstreamOf(t, url)))
}

/** A resolver that answers what it is told. */
function answering(addresses: readonly string[]): typeof systemLookup {
  const found: LookupAddress[] = addresses.map((address) => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }))
  const resolve = (
    _: string,
    __: object,
    done: (error: null, all: LookupAddress[]) => void,
  ): void => done(null, found)
  return resolve as typeof systemLookup
}

function resolved(hostname: string, addresses: readonly string[], all = true): string {
  let came = ''
  guardedLookup(hostname, answering(addresses))(hostname, { all }, (error, found) => {
    const code: unknown = error === null ? undefined : Reflect.get(error, 'code')
    came = typeof code === 'string' ? code : JSON.stringify(found)
  })
  return came
}

const behind: readonly [what: string, host: string, addresses: string[]][] = [
  ['a link-local address', 'shop.example', ['169.254.169.254']],
  ['one among good ones', 'shop.example', ['192.0.2.1', '169.254.169.254']],
  ['an IPv6 link-local address', 'shop.example', ['fe80::1']],
  ['an IPv6 link-local address with a zone', 'shop.example', ['fe80::1%eth0']],
  ['a mapped one', 'shop.example', ['::ffff:169.254.169.254']],
  ['the loopback, by a name that is not its own', 'shop.example', ['127.0.0.1']],
  ['the loopback of IPv6', 'shop.example', ['::1']],
  ['no address at all, which is this machine', 'shop.example', ['0.0.0.0']],
  ['a metadata service, by the name of this machine', 'localhost', ['169.254.169.254']],
  ['a name that only ends like that of this machine', 'evil-localhost', ['127.0.0.1']],
  ['nothing', 'shop.example', []],
]
for (const [what, host, addresses] of behind) {
  test(`${what} behind a name is refused as a whole`, () => {
    for (const all of [true, false]) {
      assert.equal(resolved(host, addresses, all), 'ERR_FORBIDDEN_ADDRESS')
    }
  })
}

test('other addresses come back as the resolver gave them, one or all', () => {
  const all = JSON.stringify([
    { address: '192.0.2.1', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ])
  assert.equal(resolved('shop.example', ['192.0.2.1', '2001:db8::1']), all)
  assert.equal(resolved('shop.example', ['192.0.2.1', '2001:db8::1'], false), '"192.0.2.1"')
  assert.match(resolved('localhost', ['127.0.0.1', '::1']), /127\.0\.0\.1/)
  assert.match(resolved('shop.localhost.', ['127.0.0.1']), /127\.0\.0\.1/)
})

test('a name that turns to this machine after it was configured gets neither call nor credential', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const value = { reveal: () => 'our-own-token' }
  t.mock.method(dns, 'lookup', answering(['127.0.0.1']))
  syncBuiltinESMExports()
  t.after(() => (t.mock.restoreAll(), syncBuiltinESMExports()))
  const upstream = upstreamOf(t, `http://shop.example:${new URL(server.url).port}/mcp`, {
    credential: { type: 'bearer', value },
  })
  await assert.rejects(send(upstream), (fault: Fault) => {
    assert.equal(fault.facts['reason'], 'address')
    return fault.code === 'upstream_down' && fault.facts['isSent'] === false
  })
  assert.equal(server.requests.length, 0)
})

test('the name of this machine leads to it, where the configuration says so', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const upstream = upstreamOf(t, `http://localhost:${new URL(server.url).port}/mcp`)
  assert.equal((await send(upstream)).status, 200)
})

test('every link-local address of IPv4 is refused, in each of its spellings, and no other', () => {
  const octet = fc.nat({ max: 255 })
  const spelled = fc.property(octet, octet, octet, octet, (a, b, c, d) => {
    const isLinkLocal = a === 169 && b === 254
    const number = ((a * 256 + b) * 256 + c) * 256 + d
    const special = ['168.63.129.16', '100.100.100.200', '192.0.0.192'].includes(
      [a, b, c, d].join('.'),
    )
    const hex = (x: number, y: number): string => (x * 256 + y).toString(16)
    for (const host of [
      `${a}.${b}.${c}.${d}`,
      String(number),
      `[::ffff:${hex(a, b)}:${hex(c, d)}]`,
    ]) {
      assert.equal(forbiddenHost(new URL(`http://${host}/`).hostname), isLinkLocal || special)
    }
  })
  fc.assert(spelled)
  fc.assert(
    fc.property(octet, octet, (c, d) => {
      assert.ok(forbiddenHost(new URL(`http://169.254.${c}.${d}/`).hostname))
      assert.ok(forbiddenHost(new URL(`http://[::ffff:169.254.${c}.${d}]/`).hostname))
    }),
  )
})
