import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, before, beforeEach, test } from 'node:test'
import { X509Certificate } from 'node:crypto'
import { parse } from 'yaml'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import { idpMetadata } from '../../tests/peers/saml-idp.ts'
import { makeSamlKey } from '../../tests/peers/saml-messages.ts'
import type { SamlKey } from '../../tests/peers/saml-messages.ts'
import { samlImportCommand } from './saml.ts'
import type { SamlImportOptions } from './saml.ts'

const skip = noOpenssl
const folder = mkdtempSync(join(tmpdir(), 'sallyport-import-'))
const file = join(folder, 'idp.xml')
let key: SamlKey
let fingerprint = ''
before(() => {
  if (skip !== false) return
  key = makeSamlKey()
  fingerprint = new X509Certificate(key.certificatePem).fingerprint256
  const where = { entityId: 'https://idp.example.com', entryPoint: 'https://idp.example.com/sso' }
  writeFileSync(file, idpMetadata({ ...where, certificatePem: key.certificatePem }))
})
after(() => rmSync(folder, { recursive: true, force: true }))

beforeEach(() => rmSync(join(folder, 'certs'), { recursive: true, force: true }))

function run(options: SamlImportOptions, of = file): { code: number; out: string; err: string } {
  const texts = ['', '']
  const [to, errors] = [0, 1].map(
    (i) =>
      new Writable({
        write(part, _encoding, done) {
          texts[i] += String(part)
          done()
        },
      }),
  )
  assert.ok(to && errors)
  const code = samlImportCommand(of, { out: join(folder, 'certs'), ...options }, to, errors)
  return { code, out: texts[0] ?? '', err: texts[1] ?? '' }
}
const written = (): string[] =>
  readdirSync(folder).includes('certs') ? readdirSync(join(folder, 'certs')) : []

test(
  'without a compared fingerprint nothing is written, and told what to compare',
  { skip },
  () => {
    const got = run({})
    assert.deepEqual([got.code, got.out, written()], [1, '', []])
    assert.ok(got.err.includes(fingerprint))
    assert.match(got.err, /Nothing was written/)
  },
)

test('a fingerprint of another certificate writes nothing', { skip }, () => {
  const got = run({
    fingerprint: [fingerprint, fingerprint.replace(/^../, '00').replace(/..$/, '11')],
  })
  assert.deepEqual([got.code, got.out, written()], [1, '', []])
})

test('a part of a fingerprint is none', { skip }, () => {
  assert.equal(run({ fingerprint: [fingerprint.slice(0, 11)] }).code, 1)
})

test('a name that could leave the folder is wrong usage', { skip }, () => {
  assert.equal(run({ name: '../x', fingerprint: [fingerprint] }).code, 2)
  assert.deepEqual(written(), [])
})

test('a compared certificate is written, and the block names it', { skip }, () => {
  const got = run({ name: 'okta', fingerprint: [fingerprint.replaceAll(':', '').toLowerCase()] })
  assert.equal(got.code, 0)
  const [name = ''] = written()
  assert.match(name, /^okta-[0-9a-f]{8}\.pem$/)
  const pem = readFileSync(join(folder, 'certs', name), 'latin1')
  assert.equal(new X509Certificate(pem).fingerprint256, fingerprint)
  const [signIn] = parse(got.out).identity.sign_in
  assert.equal(signIn.idp_issuer, 'https://idp.example.com')
  assert.equal(signIn.entry_point, 'https://idp.example.com/sso')
  assert.equal(signIn.certificates.length, 1)
  assert.equal(run({ name: 'okta', fingerprint: [fingerprint] }).code, 0)
})

test('another file of that name is not overwritten', { skip }, () => {
  run({ fingerprint: [fingerprint] })
  const [name = ''] = written()
  writeFileSync(join(folder, 'certs', name), 'mine')
  assert.throws(() => run({ fingerprint: [fingerprint] }), { code: 'config_bad' })
  assert.equal(readFileSync(join(folder, 'certs', name), 'latin1'), 'mine')
})

test('a file that is not there is told so', { skip }, () => {
  assert.throws(() => run({}, join(folder, 'none.xml')), { code: 'config_bad', message: /read/ })
})
