import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tidyMetadata } from './metadata.ts'
import { plainLine } from './pages.ts'
import { Rate } from '../base/rate.ts'

const types: readonly [redirects: string[], said: string | undefined, kept: string][] = [
  [['http://127.0.0.1:1/cb'], undefined, 'native'],
  [['http://[::1]/cb'], undefined, 'native'],
  [['http://localhost/cb', 'com.example.app:/cb'], undefined, 'native'],
  [['https://a.example/cb'], undefined, 'web'],
  [['https://a.example/cb', 'http://localhost/cb'], undefined, 'web'],
  [['http://localhost/cb'], 'web', 'web'],
]
for (const [redirect_uris, application_type, kept] of types) {
  test(`redirects ${redirect_uris.join(' and ')} make a client ${kept} that says ${application_type ?? 'nothing'}`, () => {
    const made = tidyMetadata({ redirect_uris, application_type }, 'dynamic')
    assert.ok('metadata' in made)
    assert.equal(made.metadata['application_type'], kept)
  })
}

const taken = `javascript:alert(1) JavaScript:alert(1) vbscript:x data:text/html,x blob:x file:///x
  FILE:///x about:blank view-source:https://x jar:https://x!/ ftp://x ws://x WSS://x ms-msdt:/id
  MS-MSDT:/id search-ms:query=x ms-search:x ms-officecmd:x ms-settings:x ms-word:ofe|u|x
  ms-appinstaller:?source=x steam://run/1 shell:startup search:x tel:1 sms:1 mailto:a@x itms-services:x
  x-apple.systempreferences:x x-man-page:x vnd.libreoffice.command:x chrome://x edge://x intent://x
  ldap://x ssh://x smb://x c:/windows/x filesystem:x urn:x`.split(/\s+/)
const own = `cursor://anysphere.cursor/cb vscode://x.y/cb vscode-insiders://x/cb com.example.app:/cb
  zed://cb windsurf://cb claude://cb goose://cb msteams-dev://cb jetbrains://idea/cb my.ms-app:/cb
  searching://cb http://localhost/cb http://[::1]:1/cb https://a.example/cb`.split(/\s+/)
for (const [uris, isTaken] of [
  [taken, true],
  [own, false],
] as const) {
  for (const uri of uris) {
    test(`${uri} is ${isTaken ? 'no' : 'a'} redirect, of whatever kind a program says it is`, () => {
      for (const application_type of [undefined, 'native', 'web']) {
        for (const kind of ['dynamic', 'document'] as const) {
          const made = tidyMetadata({ redirect_uris: [uri], application_type }, kind)
          assert.equal('error' in made, isTaken)
          if ('error' in made) assert.equal(made.error, 'invalid_redirect_uri')
        }
      }
    })
  }
}

test('a name is a text of some length', () => {
  const redirect_uris = ['http://localhost/cb']
  for (const client_name of ['', 1, {}, 'x'.repeat(201), '\ud800']) {
    assert.deepEqual(Object.keys(tidyMetadata({ redirect_uris, client_name }, 'dynamic')), [
      'error',
      'why',
    ])
  }
})

test('only a document may sign for itself, with keys of its own, or bring assertions', () => {
  const said = {
    client_id: 'https://a.example/c',
    redirect_uris: ['https://a.example/cb'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://a.example/keys',
    grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
  }
  const [stranger, document] = (['dynamic', 'document'] as const).map((kind) => {
    const made = tidyMetadata(said, kind)
    assert.ok('metadata' in made)
    return made.metadata
  })
  assert.equal(stranger?.['token_endpoint_auth_method'], 'none')
  assert.equal(stranger['jwks_uri'], undefined)
  assert.equal(stranger['client_id'], undefined)
  assert.deepEqual(stranger['grant_types'], ['authorization_code'])
  assert.equal(document?.['token_endpoint_auth_method'], 'private_key_jwt')
  assert.equal(document['jwks_uri'], said.jwks_uri)
  assert.deepEqual(document['grant_types'], ['authorization_code', ...said.grant_types])
})

test('whatever is said, no redirect is kept that leaves the machine unencrypted', () => {
  const uri = fc.oneof(
    fc.webUrl(),
    fc.string(),
    fc
      .tuple(
        fc.constantFrom('http:', 'HTTP:', 'https:', 'app:', ' http:', 'javascript:'),
        fc.constantFrom('//', '/', '\\\\', '///', '//a@', '//127.0.0.1@'),
        fc.constantFrom(
          'localhost',
          '127.0.0.1',
          'evil.example',
          'localhost.evil.example',
          '0x7f.1',
        ),
        fc.constantFrom('', ':80', '/cb', '/*', '#x'),
      )
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(fc.array(uri, { maxLength: 12 }), (redirect_uris) => {
      const made = tidyMetadata({ redirect_uris }, 'dynamic')
      if ('error' in made) return
      assert.deepEqual(made.metadata['redirect_uris'], redirect_uris)
      for (const one of redirect_uris) {
        const { protocol, hostname, username, hash } = new URL(one)
        const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
        assert.ok(protocol !== 'http:' || isLoopback, one)
        assert.ok(!['javascript:', 'data:', 'file:'].includes(protocol), one)
        assert.deepEqual([username, hash, one.includes('*')], ['', '', false], one)
      }
    }),
    { numRuns: 500 },
  )
})

test('anything at all is either tidied or refused', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (said) => {
      const made = tidyMetadata(said, 'dynamic')
      assert.ok('metadata' in made || made.why !== '')
    }),
  )
})

test('a stranger’s line has nothing that cannot be seen or turns what follows', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const line = plainLine(text)
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      assert.ok(Array.from(line).length <= 101)
      assert.ok(line.isWellFormed())
    }),
  )
})

test('a limit holds for one network of IPv6 however its address is written', () => {
  let nowMs = 0
  const clock = { nowUs: () => 0, monotonicMs: () => nowMs }
  const rate = new Rate({ clock, timesMax: 2, windowMs: 10 })
  const same = ['2001:db8::1', '2001:0db8:0:0:ffff::', '2001:DB8:0000::5%eth0']
  assert.deepEqual(
    same.map((ip) => rate.take(ip)),
    [true, true, false],
  )
  assert.equal(rate.take('2001:db8:0:1::1'), true)
  assert.equal(rate.take('192.0.2.1'), true)
  nowMs = 10
  assert.equal(rate.take('2001:db8::1'), true)
})
test('of too many addresses the oldest is forgotten', () => {
  const clock = { nowUs: () => 0, monotonicMs: () => 0 }
  const rate = new Rate({ clock, timesMax: 1, windowMs: 10 })
  rate.take('first')
  for (let i = 0; i < 10_000; i++) rate.take(`ip ${i}`)
  assert.equal(rate.take('first'), true)
  assert.equal(rate.take('ip 9999'), false)
})
