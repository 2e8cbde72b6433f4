import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { X509Certificate } from 'node:crypto'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import { idpMetadata } from '../../tests/peers/saml-idp.ts'
import { makeSamlKey } from '../../tests/peers/saml-messages.ts'
import type { SamlKey } from '../../tests/peers/saml-messages.ts'
import { readIdpMetadata } from './saml-metadata.ts'

const skip = noOpenssl
let key: SamlKey
let nextKey: SamlKey
before(() => {
  if (skip !== false) return
  key = makeSamlKey()
  nextKey = makeSamlKey()
})

const entityId = 'https://idp.example.com/saml?a=1&b=2'
const entryPoint = 'https://idp.example.com/sso?x=1&y=2'
const good = (): string => idpMetadata({ entityId, entryPoint, certificatePem: key.certificatePem })
const wrap = (xml: string): string =>
  `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">${xml}</EntitiesDescriptor>`
const bare = (xml: string): string => xml.replace(/<\?xml.*?\?>/, '')
const descriptor = (use: string, { certificatePem }: SamlKey): string =>
  /<md:KeyDescriptor.*<\/md:KeyDescriptor>/
    .exec(idpMetadata({ entityId, entryPoint, certificatePem }))?.[0]
    ?.replace(' use="signing"', use) ?? ''

const refused: readonly [what: string, xml: () => string, message: RegExp][] = [
  ['no XML', () => 'hello', /no XML/],
  ['nothing', () => '', /no XML/],
  ['XML with a document type', () => `<!DOCTYPE x>${bare(good())}`, /DOCTYPE/],
  ['a page', () => '<html/>', /no SAML 2.0 identity provider/],
  ['of a service', () => good().replaceAll('IDPSSO', 'SPSSO'), /no SAML 2.0 identity provider/],
  ['of SAML 1.1', () => good().replace('SAML:2.0:protocol', 'SAML:1.1:protocol'), /no SAML 2.0/],
  ['of two providers', () => wrap(bare(good()) + bare(good())), /more than one/],
  ['without an entity id', () => good().replace(/entityID="[^"]*"/, ''), /no entity id/],
  ['for post only', () => good().replace('HTTP-Redirect', 'HTTP-POST'), /redirect/],
  [
    'with an address that runs',
    () => good().replace(/Location="[^"]*"/, 'Location="javascript:alert(1)"'),
    /redirect/,
  ],
  ['with a certificate that is none', () => good().replace(/MII\w+/, 'AAAA'), /cannot be read/],
  [
    'with keys for encryption only',
    () => good().replace('use="signing"', 'use="encryption"'),
    /no certificate/,
  ],
  ['of three megabytes', () => good() + ' '.repeat(3 * 1024 * 1024), /no XML/],
]
for (const [what, xml, message] of refused) {
  test(`metadata that is ${what} is refused`, { skip }, () => {
    assert.throws(() => readIdpMetadata(xml()), { code: 'config_bad', message })
  })
}

test('metadata tells who, where, and the certificates with their fingerprints', { skip }, () => {
  const found = readIdpMetadata(good())
  assert.equal(found.entityId, entityId)
  assert.equal(found.entryPoint, entryPoint)
  assert.equal(found.wantsSignedRequests, false)
  const { fingerprint256, validFromDate, validToDate } = new X509Certificate(key.certificatePem)
  assert.equal(found.certificates.length, 1)
  const [certificate] = found.certificates
  assert.equal(certificate?.pem.trim(), key.certificatePem.trim())
  assert.equal(certificate?.fingerprint, fingerprint256)
  assert.equal(certificate?.fromMs, +validFromDate)
  assert.equal(certificate?.endsMs, +validToDate)
})

test('of several keys those for signing and for anything count, each once', { skip }, () => {
  const more =
    descriptor('', nextKey) +
    descriptor(' use="encryption"', nextKey) +
    descriptor(' use="signing"', key)
  const xml = good().replace('</md:KeyDescriptor>', `</md:KeyDescriptor>${more}`)
  const found = readIdpMetadata(xml.replace('Signed="false"', 'Signed="true"'))
  const wanted = [key, nextKey].map(
    ({ certificatePem }) => new X509Certificate(certificatePem).fingerprint256,
  )
  assert.deepEqual(
    found.certificates.map(({ fingerprint }) => fingerprint),
    wanted,
  )
  assert.equal(found.wantsSignedRequests, true)
})

test('the one provider of a federation with services is found', { skip }, () => {
  const service = bare(good()).replaceAll('IDPSSO', 'SPSSO')
  assert.equal(readIdpMetadata(wrap(service + bare(good()))).entityId, entityId)
})
