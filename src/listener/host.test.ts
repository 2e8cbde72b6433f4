import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headersOf } from './headers.ts'
import { allowedHosts, allowedOrigins, checkHost } from './host.ts'

const rules = {
  bound: '127.0.0.1',
  publicUrl: 'https://mcp.example.com',
  hosts: ['Internal.Example:8443'],
  origins: ['https://app.example.com'],
}
const hosts = allowedHosts(rules)
const origins = allowedOrigins(rules)
const check = (...raw: string[]): void => checkHost(headersOf(raw), hosts, origins)

const refused: readonly [what: string, raw: string[], code: string, reason: string][] = [
  ['no Host', ['Accept', '*/*'], 'host_refused', 'missing'],
  ['an empty Host', ['Host', ''], 'host_refused', 'not_allowed'],
  ['a foreign Host', ['Host', 'evil.example.com'], 'host_refused', 'not_allowed'],
  ['two Hosts', ['Host', 'localhost', 'host', 'localhost'], 'host_refused', 'repeated'],
  ['a Host that only begins well', ['Host', 'localhost.evil.com'], 'host_refused', 'not_allowed'],
  ['a Host that only ends well', ['Host', 'evil-localhost'], 'host_refused', 'not_allowed'],
  ['a Host with user and all', ['Host', 'localhost@evil.com'], 'host_refused', 'not_allowed'],
  ['a port that is none', ['Host', 'localhost:80a'], 'host_refused', 'not_allowed'],
  ['two ports', ['Host', 'localhost:80:80'], 'host_refused', 'not_allowed'],
  [
    'another port of a name with one',
    ['Host', 'internal.example:1'],
    'host_refused',
    'not_allowed',
  ],
  [
    'a foreign Origin',
    ['Host', 'localhost', 'Origin', 'http://evil.com'],
    'origin_refused',
    'not_allowed',
  ],
  ['Origin null', ['Host', 'localhost', 'Origin', 'null'], 'origin_refused', 'not_allowed'],
  [
    'an allowed Origin with another scheme',
    ['Host', 'localhost', 'Origin', 'http://app.example.com'],
    'origin_refused',
    'not_allowed',
  ],
  [
    'an allowed Origin with another port',
    ['Host', 'localhost', 'Origin', 'https://app.example.com:8'],
    'origin_refused',
    'not_allowed',
  ],
  [
    'a second Origin',
    ['Host', 'localhost', 'Origin', 'http://localhost', 'Origin', 'http://evil.com'],
    'origin_refused',
    'repeated',
  ],
]
for (const [what, raw, code, reason] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => check(...raw), { name: 'Fault', code, facts: { reason } })
  })
}

test('the refusal does not repeat what was sent', () => {
  assert.throws(
    () => check('Host', 'evil.example.com'),
    (error: Error) => !error.message.includes('evil'),
  )
})

const taken: readonly [what: string, raw: string[]][] = [
  ['the loopback names with any port', ['Host', 'LocalHost:4100']],
  ['the loopback address', ['Host', '127.0.0.1:1']],
  ['the IPv6 loopback address', ['Host', '[::1]:4100']],
  ['the host of the public URL', ['Host', 'mcp.example.com']],
  ['a configured host with its port', ['Host', 'internal.example:8443']],
  ['a local page', ['Host', 'localhost', 'Origin', 'http://localhost:6274']],
  ['a local page on the usual port', ['Host', 'localhost', 'Origin', 'http://127.0.0.1']],
  ['a configured page', ['Host', 'localhost', 'Origin', 'https://app.example.com']],
  ['the page of the public URL', ['Host', 'localhost', 'Origin', 'https://mcp.example.com']],
]
for (const [what, raw] of taken) {
  test(`${what} may call`, () => check(...raw))
}

test('a listener open to the network answers to no loopback name and to no local page', () => {
  const open = { bound: '0.0.0.0', publicUrl: 'https://mcp.example.com' }
  assert.deepEqual(allowedHosts(open), ['mcp.example.com'])
  assert.deepEqual(allowedOrigins(open), ['https://mcp.example.com'])
})

test('a listener bound to one address answers to it', () => {
  assert.deepEqual(allowedHosts({ bound: '2001:db8::1' }), ['[2001:db8::1]'])
})
