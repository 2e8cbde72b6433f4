import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { Fault } from '../base/fault.ts'
import { redactBytes, spellings } from './redactor.ts'
import { Secret } from './secret.ts'
import { createSecrets } from './secrets.ts'
import type { SecretForm, Secrets } from './secrets.ts'

let folder = ''
let nowMs = 0
const clock = { nowUs: () => nowMs * 1000, monotonicMs: () => nowMs }
const trouble: Fault[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  nowMs = 0
  trouble.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const make = (env: Record<string, string> = {}): Secrets =>
  createSecrets({ env, clock, onTrouble: (fault) => trouble.push(fault) })

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const refused: readonly [
  what: string,
  text: string,
  mode: number,
  form: SecretForm,
  why: RegExp,
][] = [
  ['a file its group can read', 'topsecret', 0o640, 'header', /chmod it to 600 or 400/],
  ['a file all can read', 'topsecret', 0o604, 'header', /chmod it to 600 or 400/],
  ['a file its group can write', 'topsecret', 0o620, 'header', /chmod it to 600 or 400/],
  ['an empty file', '', 0o600, 'header', /is empty/],
  ['a file of one line break', '\n', 0o600, 'header', /is empty/],
  ['a header value with a line break inside', 'top\nsecret', 0o600, 'header', /line breaks/],
  [
    'a header value with two line breaks at its end',
    'topsecret\n\n',
    0o600,
    'header',
    /line breaks/,
  ],
  ['a header value with a carriage return', 'top\rsecret', 0o600, 'header', /line breaks/],
  ['a header value with a null byte', 'top\0secret', 0o600, 'header', /line breaks/],
  ['a header value that ends in a blank', 'topsecret ', 0o600, 'header', /outer blanks/],
  ['a header value outside ASCII', 'töpsecret', 0o600, 'header', /outside ASCII/],
  ['a key that is no PEM', 'topsecret', 0o600, 'pem', /not in PEM form/],
  ['a file of 65 KiB', 'x'.repeat(65 * 1024), 0o600, 'header', /larger than 65536 bytes/],
]
for (const [what, text, mode, form, why] of refused) {
  test(`${what} is refused, and the message does not repeat it`, () => {
    const path = file('s', text, mode)
    assert.throws(
      () => make().open({ from: 'file', path }, form, 'connections[0].credential.value'),
      (error: Fault) => {
        assert.equal(error.code, 'secret_missing')
        assert.match(
          error.message,
          /^The secret of connections\[0\]\.credential\.value cannot be used/,
        )
        assert.match(error.message, why)
        assert.ok(text.length < 4 || !error.message.includes(text.slice(0, 8)))
        return true
      },
    )
  })
}

test('a file that is not there, a folder, and a variable that is not set are told', () => {
  const secrets = make({ EMPTY: '' })
  const open = (path: string): unknown => secrets.open({ from: 'file', path }, 'header', 'x')
  assert.throws(() => open(join(folder, 'none')), /is not there or cannot be opened/)
  assert.throws(() => open(folder), /its path is no file/)
  const env = (name: string): unknown => secrets.open({ from: 'env', name }, 'header', 'x')
  assert.throws(() => env('NONE'), /its environment variable is not set/)
  assert.throws(() => env('EMPTY'), /its environment variable is empty/)
  assert.throws(() => env('__proto__'), { code: 'secret_missing' })
})

test('one line break at the end is no part of a secret', () => {
  for (const text of ['topsecret', 'topsecret\n', 'topsecret\r\n']) {
    const path = file('s', text)
    assert.equal(make().open({ from: 'file', path }, 'header', 'x').read().reveal(), 'topsecret')
  }
})

test('a secret shows itself only to whoever asks for it', () => {
  const secret = new Secret('topsecret')
  const shown = [
    String(secret),
    ['', secret].join('-'),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [{ secret }] }, { depth: 9, showHidden: true }),
    format('%s %o %j %O', secret, secret, secret, secret),
    Object.keys(secret).join(),
    JSON.stringify(Object.entries(secret)),
  ]
  assert.equal(inspect(secret), '[secret]')
  for (const each of shown) assert.ok(!each.includes('topsecret'), each)
  assert.equal(secret.reveal(), 'topsecret')
})

test('a changed file is read again, at most once a second', () => {
  const path = file('s', 'first-value')
  const live = make().open({ from: 'file', path }, 'header', 'x')
  const next = file('next', 'second-value')
  renameSync(next, path)
  nowMs = 999
  assert.equal(live.read().reveal(), 'first-value')
  nowMs = 1000
  assert.equal(live.read().reveal(), 'second-value')
})

test('a secret mounted by a symbolic link follows the link when it is turned', () => {
  file('v1', 'first-value')
  file('v2', 'second-value')
  const link = join(folder, 'link')
  symlinkSync(join(folder, 'v1'), link)
  const live = make().open({ from: 'file', path: link }, 'header', 'x')
  symlinkSync(join(folder, 'v2'), join(folder, 'turned'))
  renameSync(join(folder, 'turned'), link)
  nowMs = 1000
  assert.equal(live.read().reveal(), 'second-value')
})

test('while a changed file cannot be used the last good value stays, and it is told once', () => {
  const path = file('s', 'first-value')
  const live = make().open({ from: 'file', path }, 'header', 'x')
  for (const [text, mode] of [
    ['', 0o600],
    ['other-value', 0o644],
  ] as const) {
    renameSync(file('next', text, mode), path)
    trouble.length = 0
    for (let i = 0; i < 3; i++) {
      nowMs += 1000
      assert.equal(live.read().reveal(), 'first-value')
    }
    assert.deepEqual(
      trouble.map(({ code }) => code),
      ['secret_missing'],
    )
  }
  rmSync(path)
  nowMs += 1000
  assert.equal(live.read().reveal(), 'first-value')
  file('s', 'third-value')
  nowMs += 1000
  assert.equal(live.read().reveal(), 'third-value')
})

test('a value made from a secret is taken out once it is named', () => {
  const secrets = make()
  assert.equal(secrets.redactText('Basic dTp0b3BzZWNyZXQ='), 'Basic dTp0b3BzZWNyZXQ=')
  secrets.hide('dTp0b3BzZWNyZXQ=')
  assert.equal(secrets.redactText('Basic dTp0b3BzZWNyZXQ='), 'Basic [secret]')
})

const nasty = 'p+a/s"s\\w=ö&r d'
const echoes: readonly [what: string, text: string][] = [
  ['as it is', nasty],
  ['in JSON', JSON.stringify({ a: nasty })],
  ['in JSON with escaped slashes', JSON.stringify({ a: nasty }).replaceAll('/', '\\/')],
  ['in an address', `?t=${encodeURIComponent(nasty)}`],
  ['in an address with small hexadecimals', `?t=${encodeURIComponent(nasty).toLowerCase()}`],
  ['in a form', new URLSearchParams({ t: nasty }).toString()],
  ['in Base64', Buffer.from(nasty).toString('base64')],
  ['in Base64 behind a user name', Buffer.from(`user:${nasty}`).toString('base64')],
  ['in Base64 between other bytes', Buffer.from(`ab${nasty}cd`).toString('base64')],
  ['in URL-safe Base64', Buffer.from(`x${nasty}`).toString('base64url')],
]
for (const [what, text] of echoes) {
  test(`a secret echoed ${what} is taken out`, () => {
    const clean = Buffer.from(redactBytes(Buffer.from(`<${text}>`), spellings(nasty))).toString()
    assert.match(clean, /^<.*\[secret\].*>$/s)
    assert.ok(!clean.includes(text.slice(-12, -4)) || !text.endsWith(nasty))
  })
}

test('bytes without a secret come back as the very same array', () => {
  const secrets = make({ T: 'topsecret-1' })
  secrets.open({ from: 'env', name: 'T' }, 'header', 'x')
  const bytes = Buffer.from('topsecret-2 topsecret- 1')
  assert.equal(secrets.redact(bytes), bytes)
})

test('a secret of under eight characters tears no holes', () => {
  assert.deepEqual(spellings('secret7'), [])
})

test('one secret inside another leaves nothing of either', () => {
  const needles = ['abcdefghijklmnop', 'cdefghijkl', 'klmnopqrst'].map((text) => Buffer.from(text))
  const clean = redactBytes(Buffer.from('<abcdefghijklmnopqrst>'), needles)
  assert.equal(Buffer.from(clean).toString(), '<[secret]>')
  const inner = redactBytes(Buffer.from('<abcdefghijklmnop>'), needles.slice(0, 2))
  assert.equal(Buffer.from(inner).toString(), '<[secret]>')
})

test('a value that was replaced is still taken out', () => {
  const path = file('s', 'first-value')
  const secrets = make()
  const live = secrets.open({ from: 'file', path }, 'header', 'x')
  renameSync(file('next', 'second-value'), path)
  nowMs = 1000
  live.read()
  assert.equal(secrets.redactText('first-value second-value'), '[secret] [secret]')
})

test('of any text, what is left holds no secret and all else stays', () => {
  const secret = fc.string({ minLength: 8, maxLength: 20 })
  const around = fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 5 })
  const clean = fc.property(secret, around, (value, parts) => {
    fc.pre(parts.every((part) => !part.includes(value)))
    const text = parts.join(value)
    const left = Buffer.from(redactBytes(Buffer.from(text), [Buffer.from(value)])).toString()
    // Model: from the left, on text. Overlapping finds are one hole.
    if (!value.includes('[') && !overlaps(value))
      assert.equal(left, text.replaceAll(value, '[secret]'))
    assert.ok(!left.replaceAll('[secret]', '\0').includes(value))
  })
  fc.assert(clean)
})

function overlaps(value: string): boolean {
  return Array.from({ length: value.length - 1 }, (_, i) => i + 1).some((i) =>
    value.startsWith(value.slice(i)),
  )
}
