/** Paths and addresses that an argument names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostKind } from './addresses.ts'
import { found, sure } from './request.fixture.ts'

const outside: readonly string[] = [
  '../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '..%2f..%2f..%2fetc%2fpasswd',
  '..%252f..%252fetc%252fpasswd',
  '..%c0%af..%c0%afetc%c0%afpasswd',
  '%2e%2e/%2e%2e/secret',
  '....//....//etc/passwd',
  '..;/..;/manager',
  '/etc/passwd',
  '/etc//shadow',
  '/proc/self/environ',
  'C:\\Windows\\win.ini',
  '~/.ssh/id_rsa',
  '/ho' + 'me/ada/.aws/credentials',
  'file:///etc/passwd',
  '\\\\10.0.0.1\\c$\\x',
  'php://filter/resource=index.php',
  '../../config/database.yml',
  './.././.././../etc/group',
  'x.png\u0000../../etc/passwd',
]
for (const text of outside) {
  test(`the path ${JSON.stringify(text)} is found`, () => {
    assert.ok(sure(found(text, 'path').findings).length > 0)
  })
}
const inside: readonly (readonly [text: string, name?: string])[] = [
  ['../src/app.ts'],
  ['../../package.json'],
  ['src/../lib/x.go'],
  ['/data/root/notes.txt'],
  ['docs/../docs/backup.tar.gz'],
  ['C:\\Users\\ada\\Documents\\a.docx'],
  ['data/2024..2025/x.csv'],
  ['/var/log/app/app.log'],
  ['.env.example'],
  ["import x from '../../lib/y.ts'\nexport const z = 1\n", 'content'],
  ['wait... what', 'text'],
  ['The WAF blocked ../../etc/passwd again; can you explain path traversal?', 'text'],
]
for (const [text, name] of inside) {
  test(`the path ${JSON.stringify(text)} passes`, () => {
    assert.deepEqual(sure(found(text, name ?? 'path').findings), [])
  })
}

const inner: readonly string[] = [
  'http://169.254.169.254/latest/meta-data/',
  'http://metadata.google.internal/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[fd00:ec2::254]/',
  'http://100.100.100.200/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://10.1.2.3/',
  'http://192.168.0.1:8080/admin',
  'http://[::1]/',
  'http://0/',
  'http://good.example@127.0.0.1/',
  'http://good.example#@169.254.169.254/',
  'http://127.0.0.1.nip.io/',
  'http://LOCALHOST./',
  'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
  'http://①②⑦.⓪.⓪.①/',
  'gopher://127.0.0.1:6379/_x',
  'https://shop.example/go?url=http://169.254.169.254/',
  '//127.0.0.1/x',
  'http:\\\\127.0.0.1\\',
  'http://kubernetes.default.svc/api',
  'file:///opt/x',
]
for (const text of inner) {
  test(`the address ${text} is found`, () => {
    assert.ok(sure(found(text, 'url').findings).includes('ssrf'))
  })
}
const outer: readonly (readonly [text: string, name?: string])[] = [
  ['https://example.com/?a=1&b=2'],
  ['https://user@example.com/'],
  ['https://localhost.example.com/'],
  ['https://8.8.8.8/'],
  ['https://[2606:4700::1111]/'],
  ['https://example.com/10.0.0.1/notes'],
  ['https://example.com/wiki/Localhost'],
  ['mailto:ada@example.com'],
  ['The server listens at 127.0.0.1 and the docs say http://localhost:3000 works too', 'text'],
  ['urn:isbn:12345'],
]
for (const [text, name] of outer) {
  test(`the address ${text} passes`, () => {
    assert.deepEqual(sure(found(text, name ?? 'url').findings), [])
  })
}

test('IPv4 in the clothes of IPv6 is that IPv4 address', () => {
  for (const host of [
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ]) {
    assert.equal(hostKind(host), 'loopback_address', host)
  }
  assert.equal(hostKind('[2001:db8::1]'), undefined)
  assert.equal(hostKind('172.32.0.1'), undefined)
  assert.equal(hostKind('172.31.0.1'), 'private_address')
})
