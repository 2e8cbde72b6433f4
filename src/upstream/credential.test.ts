import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { credentialHeader } from './credential.ts'
import type { Credential } from './credential.ts'

const secret = (value: string): { reveal(): string } => ({ reveal: () => value })

const unusable: readonly [what: string, credential: Credential][] = [
  ['a line end in a token', { type: 'bearer', value: secret('abc\r\nX-Evil: 1') }],
  ['a line feed at its end', { type: 'bearer', value: secret('abc\n') }],
  ['an empty token', { type: 'bearer', value: secret('') }],
  ['a token beyond ASCII', { type: 'bearer', value: secret('schl\u00fcssel') }],
  ['a null in a header value', { type: 'header', name: 'x-key', value: secret('a\0b') }],
  ['a blank before a header value', { type: 'header', name: 'x-key', value: secret(' a') }],
  ['a colon in a user name', { type: 'basic', username: 'a:b', password: secret('c') }],
  ['a line end in a password', { type: 'basic', username: 'a', password: secret('c\nd') }],
  ['a header name that is none', { type: 'header', name: 'x key', value: secret('a') }],
  ['the framing as header', { type: 'header', name: 'Content-Length', value: secret('1') }],
  ['Host as header', { type: 'header', name: 'host', value: secret('a') }],
  ['a header of the protocol', { type: 'header', name: 'Mcp-Name', value: secret('a') }],
]
for (const [what, credential] of unusable) {
  test(`${what} is refused when the connection is set up, without its value`, () => {
    assert.throws(
      () => credentialHeader('shop', credential),
      (error: Fault) => error.code === 'config_bad' && !/abc|Evil|schl/.test(error.message),
    )
  })
}

test('a secret that cannot be read says so itself', () => {
  const reveal = (): string => {
    throw new Fault('secret_missing', 'SHOP_TOKEN is not set')
  }
  assert.throws(() => credentialHeader('shop', { type: 'bearer', value: { reveal } }), {
    code: 'secret_missing',
  })
})

test('no credential sends no header', () => {
  assert.equal(credentialHeader('shop', { type: 'none' }), undefined)
})

test('bearer, header and basic credentials stand in their headers', () => {
  const bearer = credentialHeader('shop', { type: 'bearer', value: secret('t0ken') })
  assert.deepEqual([bearer?.name, bearer?.value()], ['authorization', 'Bearer t0ken'])
  const header = credentialHeader('shop', { type: 'header', name: 'X-Key', value: secret('k v') })
  assert.deepEqual([header?.name, header?.value()], ['x-key', 'k v'])
  const password = secret('p\u00e4ss')
  const basic = credentialHeader('shop', { type: 'basic', username: 'me', password })
  assert.equal(basic?.value(), `Basic ${Buffer.from('me:p\u00e4ss').toString('base64')}`)
})

test('a rotated secret is taken up by the next request; a bad one stops it', () => {
  for (const type of ['bearer', 'basic'] as const) {
    let now = 'one'
    const value = { reveal: () => now }
    const header = credentialHeader('shop', { type, value, username: 'u', password: value })
    const first = header?.value()
    now = 'two'
    assert.notEqual(header?.value(), first)
    now = 'two\n'
    assert.throws(() => header?.value(), { name: 'Fault', code: 'secret_missing' })
    now = 'one'
    assert.equal(header?.value(), first)
  }
})
