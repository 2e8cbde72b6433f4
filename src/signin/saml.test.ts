import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { Fault } from '../base/fault.ts'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import { startSamlIdp } from '../../tests/peers/saml-idp.ts'
import { logoutQuery, makeSamlKey, post } from '../../tests/peers/saml-messages.ts'
import type { LogoutWish, SamlKey, Wish } from '../../tests/peers/saml-messages.ts'
import {
  acsUrl,
  entityId,
  idpIssuer,
  logoutUrl,
  setUpSaml,
} from '../../tests/peers/saml-sign-in.ts'
import type { SamlSetup } from '../../tests/peers/saml-sign-in.ts'
import { certificateWarnings } from './saml-certificates.ts'
import type { SamlParts } from './saml.ts'

const skip = noOpenssl
let key: SamlKey
let ourKey: SamlKey
let at: SamlSetup
before(() => {
  if (skip !== false) return
  key = makeSamlKey()
  ourKey = makeSamlKey()
  at = setUpSaml(key)
})
after(() => {
  if (skip === false) at.close()
})

const tid = '0f7ad8a5-93b2-4f6c-9f0e-5d7c1a2b3c4d'
const oid = '7c1e2f30-1111-4222-8333-444455556666'
const group = 'a1b2c3d4-0000-4000-8000-00000000000a'
const claims = 'http://schemas.microsoft.com/identity/claims'
const entraGroups = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups'
const entraRoles = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'
const overage = 'http://schemas.microsoft.com/claims/groups.link'
const entra = {
  idpIssuer: `https://sts.windows.net/${tid}/`,
  groupsAttribute: entraGroups,
  rolesAttribute: entraRoles,
  nameAttribute: `${claims}/displayname`,
  sameAs: 'entra',
}
const authority = 'https://login.microsoftonline.com'
const sameAs = { authority, tenants: [tid] }
type Attributes = Wish['attributes']
const entraWish = (
  more: Attributes = [],
  who: Attributes = [
    [`${claims}/tenantid`, [tid]],
    [`${claims}/objectidentifier`, [oid]],
  ],
): Partial<Wish> => ({
  issuer: entra.idpIssuer,
  assertionIssuer: entra.idpIssuer,
  nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  nameId: 'ada@example.com',
  attributes: [...who, ...more],
})

// ---- Whom Entra names ----

const strangers: readonly [what: string, wish: Partial<Wish>, reason: string][] = [
  [
    'of another tenant',
    entraWish(
      [],
      [
        [`${claims}/tenantid`, [oid]],
        [`${claims}/objectidentifier`, [oid]],
      ],
    ),
    'tenant',
  ],
  ['of no tenant', entraWish([], [[`${claims}/objectidentifier`, [oid]]]), 'tenant'],
  [
    'of two tenants',
    entraWish(
      [],
      [
        [`${claims}/tenantid`, [tid, tid]],
        [`${claims}/objectidentifier`, [oid]],
      ],
    ),
    'tenant',
  ],
  ['without an object id', entraWish([], [[`${claims}/tenantid`, [tid]]]), 'subject'],
  [
    'with a name for an object id',
    entraWish(
      [],
      [
        [`${claims}/tenantid`, [tid]],
        [`${claims}/objectidentifier`, ['ada']],
      ],
    ),
    'subject',
  ],
  ['with names for groups', entraWish([[entraGroups, [group, 'Domain Admins']]]), 'groups'],
  [
    'with too many groups and nobody to ask',
    entraWish([[overage, ['https://graph.windows.net/x']]]),
    'overage',
  ],
]
for (const [what, wish, reason] of strangers) {
  test(`somebody ${what} is refused`, { skip }, async () => {
    const method = at.open(entra, { sameAs })
    await assert.rejects(at.signIn(method, wish), { code: 'no_identity', facts: { reason } })
  })
}

test(
  'a tenant that is trusted elsewhere is refused at the provider of another',
  { skip },
  async () => {
    const other = 'ffffffff-93b2-4f6c-9f0e-5d7c1a2b3c4d'
    const method = at.open(entra, { sameAs: { authority, tenants: [tid, other] } })
    const wish = entraWish(
      [],
      [
        [`${claims}/tenantid`, [other]],
        [`${claims}/objectidentifier`, [oid]],
      ],
    )
    await assert.rejects(at.signIn(method, wish), { facts: { reason: 'tenant' } })
  },
)

test(
  'a tenant that is not listed is refused although the provider is its own',
  { skip },
  async () => {
    const method = at.open(entra, { sameAs: { authority, tenants: [oid] } })
    await assert.rejects(at.signIn(method, entraWish()), { facts: { reason: 'tenant' } })
  },
)

test('the linked tenant makes it the person whom its tokens name', { skip }, async () => {
  const method = at.open(entra, { sameAs })
  const who: Attributes = [
    [`${claims}/tenantid`, [tid.toUpperCase()]],
    [`${claims}/objectidentifier`, [oid.toUpperCase()]],
  ]
  const methods = ['http://schemas.microsoft.com/claims/multipleauthn', 'urn:something:else']
  const signed = await at.signIn(
    method,
    entraWish(
      [
        [entraGroups, [group.toUpperCase(), group]],
        [entraRoles, ['Approver']],
        [`${claims}/displayname`, ['Ada Lovelace']],
        ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress', ['ada@example.com']],
        ['http://schemas.microsoft.com/claims/authnmethodsreferences', methods],
      ],
      who,
    ),
  )
  assert.equal(signed.issuer, `${authority}/${tid}/v2.0`)
  assert.equal(signed.subject, oid)
  assert.deepEqual(signed.groups, [group])
  assert.deepEqual(signed.roles, ['Approver'])
  assert.equal(signed.name, 'Ada Lovelace')
  assert.equal(signed.email, 'ada@example.com')
  assert.deepEqual(signed.amr, ['mfa', 'pwd'])
  assert.deepEqual(signed.claims?.[`${claims}/displayname`], ['Ada Lovelace'])
  assert.equal(signed.claims?.[entraGroups], undefined)
})

test(
  'too many groups are asked for by tenant and object, never by the link',
  { skip },
  async () => {
    const asked: string[][] = []
    const resolveGroups: SamlParts['resolveGroups'] = (...of) => {
      asked.push(of)
      return Promise.resolve([group.toUpperCase()])
    }
    const method = at.open(entra, { sameAs, resolveGroups })
    const signed = await at.signIn(method, entraWish([[overage, ['https://evil.example']]]))
    assert.deepEqual(asked, [[tid, oid]])
    assert.deepEqual(signed.groups, [group])
    assert.doesNotMatch(JSON.stringify(signed), /evil/)
  },
)

test(
  'while the directory does not answer, somebody with too many groups is not let in',
  { skip },
  async () => {
    const down =
      (error: Error): SamlParts['resolveGroups'] =>
      () =>
        Promise.reject(error)
    const open = (error: Error): ReturnType<SamlSetup['open']> => {
      const resolveGroups = down(error)
      return at.open(entra, { sameAs, ...(resolveGroups && { resolveGroups }) })
    }
    const wish = entraWish([[overage, ['x']]])
    await assert.rejects(at.signIn(open(new Error('torn')), wish), {
      code: 'identity_down',
      facts: { reason: 'groups_down' },
    })
    const own = new Fault('identity_down', 'Graph.', { facts: { reason: 'graph' } })
    await assert.rejects(at.signIn(open(own), wish), { facts: { reason: 'graph' } })
  },
)

test('groups of the directory that are no ids are refused', { skip }, async () => {
  const resolveGroups = (): Promise<string[]> => Promise.resolve(['Domain Admins'])
  const method = at.open(entra, { sameAs, resolveGroups })
  await assert.rejects(at.signIn(method, entraWish([[overage, ['x']]])), {
    facts: { reason: 'groups' },
  })
})

test('nobody is asked for groups by a replayed response', { skip }, async () => {
  let asked = 0
  const resolveGroups = (): Promise<string[]> => Promise.resolve([String((asked += 1))].slice(1))
  const method = at.open(entra, { sameAs, resolveGroups })
  const { requestId } = await method.begin({ isFresh: false })
  const posted = post(at.wish(requestId, entraWish([[overage, ['x']]])))
  await method.accept(posted, requestId)
  await assert.rejects(method.accept(posted, requestId), { facts: { reason: 'replayed' } })
  assert.equal(asked, 1)
})

// ---- Whom others name ----

test('one group and several are both a list', { skip }, async () => {
  const one = await at.signIn(at.open(), {
    attributes: [
      ['groups', ['a']],
      ['x', ['1']],
    ],
  })
  const many = await at.signIn(at.open(), { attributes: [['groups', ['a', 'b', 'a']]] })
  const none = await at.signIn(at.open(), { attributes: [['groups', []]] })
  assert.deepEqual([one.groups, many.groups, none.groups], [['a'], ['a', 'b'], []])
  assert.deepEqual(one.claims, { x: ['1'] })
  assert.equal(one.issuer, idpIssuer)
  assert.equal(one.providerSession, '_session-1')
  assert.equal(one.kind, 'person')
})

test('a subject of an attribute is that attribute’s only value', { skip }, async () => {
  const method = at.open({ subjectAttribute: 'employee' })
  const nameIdFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
  const wish = (...values: string[]): Partial<Wish> => ({
    nameIdFormat,
    attributes: [['employee', values]],
  })
  assert.equal((await at.signIn(method, wish('E-17'))).subject, 'E-17')
  for (const bad of [wish(), wish('E-17', 'E-18'), wish(''), {}]) {
    await assert.rejects(at.signIn(method, bad), { facts: { reason: 'subject' } })
  }
})

test('an attribute called like what every object has is an attribute', { skip }, async () => {
  const signed = await at.signIn(at.open(), {
    attributes: [
      ['__proto__', ['x']],
      ['constructor', ['y']],
    ],
  })
  assert.deepEqual(Object.entries(signed.claims ?? {}), [
    ['__proto__', ['x']],
    ['constructor', ['y']],
  ])
  assert.deepEqual(signed.groups, [])
})

// ---- Asking ----

test('a request says who asks, where the answer goes, and no context', { skip }, async () => {
  const { redirect, requestId } = await at.open().begin({ isFresh: false, relayState: 'r-1' })
  const xml = inflateRawSync(
    Buffer.from(redirect.searchParams.get('SAMLRequest') ?? '', 'base64'),
  ).toString()
  assert.equal(redirect.origin, 'https://idp.example.com')
  assert.equal(redirect.searchParams.get('tenant'), '1')
  assert.equal(redirect.searchParams.get('RelayState'), 'r-1')
  assert.equal(redirect.searchParams.has('Signature'), false)
  assert.match(xml, new RegExp(`ID="${requestId}"`))
  assert.match(xml, new RegExp(`AssertionConsumerServiceURL="${acsUrl}"`))
  assert.match(xml, /nameid-format:persistent/)
  assert.match(xml, /AllowCreate="false"/)
  assert.doesNotMatch(xml, /RequestedAuthnContext|ForceAuthn/)
})

test(
  'one who must prove it anew is asked anew, and an older proof is refused',
  { skip },
  async () => {
    const method = at.open()
    const fresh = await method.begin({ isFresh: true })
    const xml = inflateRawSync(
      Buffer.from(fresh.redirect.searchParams.get('SAMLRequest') ?? '', 'base64'),
    ).toString()
    assert.match(xml, /ForceAuthn="true"/)
    const { requestId } = fresh
    const old = at.wish(requestId, { authnMs: at.clock.ms - 61_000 })
    await assert.rejects(method.accept(post(old), requestId), { facts: { reason: 'not_fresh' } })
    const young = at.wish(requestId, { authnMs: at.clock.ms - 59_000 })
    assert.equal(
      (await method.accept(post(young), requestId)).authenticatedMs,
      at.clock.ms - 59_000,
    )
  },
)

test('an answer is waited for ten minutes', { skip }, async () => {
  const setup = setUpSaml(key)
  try {
    const method = setup.open()
    const { requestId } = await method.begin({ isFresh: false })
    setup.clock.ms += 600_001
    await assert.rejects(method.accept(post(setup.wish(requestId)), requestId), {
      facts: { reason: 'request_expired' },
    })
    setup.clock.ms -= 1_001
    assert.ok(await method.accept(post(setup.wish(requestId)), requestId))
  } finally {
    setup.close()
  }
})

test(
  'a signed request bears a signature of the key whose certificate our metadata tells',
  { skip },
  async () => {
    const idp = await startSamlIdp({
      key,
      requestCertificatePem: ourKey.certificatePem,
      users: { ada: { nameId: 'k7Qm-ada', attributes: { groups: 'staff' } } },
      entityId: idpIssuer,
      nowMs: () => at.clock.ms,
    })
    try {
      const signingKey = { reveal: () => ourKey.privateKey + ourKey.certificatePem }
      const method = at.open({ entryPoint: idp.entryPoint }, { signingKey })
      const { redirect, requestId } = await method.begin({ isFresh: false, relayState: 'a_b-c' })
      const posted = idp.answer(redirect, 'ada')
      assert.equal(posted.RelayState, 'a_b-c')
      assert.deepEqual((await method.accept(posted, requestId)).groups, ['staff'])
      assert.equal(idp.requests[0]?.isSigned, true)
      const metadata = method.metadata()
      assert.match(metadata, /AuthnRequestsSigned="true"/)
      const [, der = ''] = /<X509Certificate>([^<]+)</.exec(metadata) ?? []
      const told = new X509Certificate(Buffer.from(der, 'base64'))
      assert.equal(told.fingerprint256, new X509Certificate(ourKey.certificatePem).fingerprint256)
      assert.doesNotMatch(metadata, /PRIVATE/)
      const forged = new URL(redirect)
      forged.searchParams.set('RelayState', 'other')
      assert.throws(() => idp.answer(forged, 'ada'))
    } finally {
      await idp.close()
    }
  },
)

test(
  'metadata without a certificate tells the public key, and without a key none',
  { skip },
  () => {
    const bare = at.open({}, { signingKey: { reveal: () => ourKey.privateKey } }).metadata()
    const [, n = ''] = /<Modulus>([^<]+)</.exec(bare) ?? []
    const jwk = createPublicKey(ourKey.privateKey).export({ format: 'jwk' })
    assert.equal(Buffer.from(n, 'base64').toString('base64url'), jwk.n)
    const none = at.open().metadata()
    assert.match(none, /AuthnRequestsSigned="false" WantAssertionsSigned="true"/)
    assert.doesNotMatch(none, /KeyDescriptor/)
    assert.ok(none.includes(`entityID="${entityId}"`) && none.includes(`Location="${acsUrl}"`))
    assert.ok(none.includes(`Location="${logoutUrl}"`))
  },
)

test('a signing key that is none is told without a word of it', { skip }, () => {
  for (const text of ['hunter2', key.certificatePem]) {
    const open = (): unknown => at.open({}, { signingKey: { reveal: () => text } })
    assert.throws(open, (error) => {
      assert.ok(error instanceof Fault && error.code === 'config_bad' && error.cause === undefined)
      return !error.message.includes('hunter2')
    })
  }
})

test('a relay state that could be spelt in two ways is a defect', { skip }, async () => {
  await assert.rejects(at.open().begin({ isFresh: false, relayState: 'a b' }), {
    name: 'Broken',
  })
})

test('a link to an issuer that is not there is refused at the start', { skip }, () => {
  assert.throws(() => at.open(entra), { code: 'config_bad', message: /same_as/ })
  assert.throws(() => at.open({}, { sameAs }), { code: 'config_bad' })
})

// ---- Certificates ----

test(
  'the next certificate is believed as soon as its file is there, and the old one until it goes',
  { skip },
  async () => {
    const setup = setUpSaml(key)
    try {
      const file = join(setup.folder, 'two.pem')
      copyFileSync(setup.certificateFile, file)
      const method = setup.open({ certificateFiles: [file] })
      await assert.rejects(setup.signIn(method, { key: ourKey }), {
        facts: { reason: 'signature' },
      })
      writeFileSync(file, key.certificatePem + ourKey.certificatePem)
      setup.clock.ms += 1_000
      await setup.signIn(method, { key: ourKey })
      await setup.signIn(method)
      writeFileSync(file, ourKey.certificatePem)
      setup.clock.ms += 1_000
      await assert.rejects(setup.signIn(method), { facts: { reason: 'signature' } })
      rmSync(file)
      setup.clock.ms += 1_000
      await assert.rejects(setup.signIn(method, { key: ourKey }), {
        code: 'identity_down',
        facts: { reason: 'certificates' },
      })
    } finally {
      setup.close()
    }
  },
)

test('a certificate that has ended, or does not hold yet, is not believed', { skip }, async () => {
  const setup = setUpSaml(key)
  try {
    const method = setup.open()
    const { validToDate, validFromDate } = new X509Certificate(key.certificatePem)
    const down = { code: 'identity_down', facts: { reason: 'certificates' } }
    setup.clock.ms = +validToDate
    await assert.rejects(setup.signIn(method), down)
    setup.clock.ms = +validToDate - 1
    await setup.signIn(method)
    setup.clock.ms = +validFromDate - 1
    await assert.rejects(setup.signIn(method), down)
    setup.clock.ms = +validFromDate
    await setup.signIn(method)
  } finally {
    setup.close()
  }
})

test('a certificate’s end is told 60, 30 and 7 days before', { skip }, () => {
  const endsMs = +new X509Certificate(key.certificatePem).validToDate
  const days = (left: number): readonly number[] =>
    certificateWarnings([at.certificateFile], endsMs - left * 86_400_000).map(
      (one) => one.withinDays,
    )
  assert.deepEqual([61, 60, 31, 30, 8, 7, 1, 0].map(days), [
    [],
    [60],
    [60],
    [30],
    [30],
    [7],
    [7],
    [0],
  ])
  assert.deepEqual(days(-1), [0])
  assert.deepEqual(days(401), [0])
  const [warning] = certificateWarnings([at.certificateFile], endsMs - 6.5 * 86_400_000)
  assert.match(warning?.text ?? '', /ends in 6 days, on \d{4}-/)
})

const badFiles: readonly [what: string, text: () => string, message: RegExp][] = [
  ['nothing', () => '', /holds no certificate/],
  ['a key', () => key.privateKey, /holds no certificate/],
  [
    'no certificate',
    () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    /cannot be read/,
  ],
  ['a key of 1024 bits', () => makeSamlKey(1, 1024).certificatePem, /2048/],
  ['a megabyte', () => ' '.repeat(1024 * 1024), /too large/],
]
for (const [what, text, message] of badFiles) {
  test(`a certificate file that holds ${what} is refused at the start`, { skip }, () => {
    const file = join(at.folder, 'bad.pem')
    writeFileSync(file, text())
    assert.throws(() => at.open({ certificateFiles: [at.certificateFile, file] }), {
      code: 'config_bad',
      message,
    })
  })
}
test('a certificate file that is not there is refused at the start', { skip }, () => {
  const open = (): unknown => at.open({ certificateFiles: [join(at.folder, 'none.pem')] })
  assert.throws(open, { code: 'config_bad', message: /cannot be read/ })
})

// ---- Signing out there ----

const logout = (over: Partial<LogoutWish> = {}): string =>
  logoutQuery({
    key,
    issuer: idpIssuer,
    destination: logoutUrl,
    nameId: 'k7Qm-ada',
    nowMs: at.clock.ms,
    ...over,
  })
const swapped = (query: string, name: string, value: string): string =>
  query.replace(new RegExp(`(^|&)${name}=[^&]*`), `$1${name}=${value}`)

const badLogouts: readonly [what: string, query: () => string, reason: string][] = [
  ['that is not signed', () => logout({ isSigned: false }), 'signature'],
  [
    'with an empty signature',
    () => `${logout({ isSigned: false })}&SigAlg=x&Signature=`,
    'signature',
  ],
  ['of a stranger', () => logout({ key: ourKey }), 'signature'],
  [
    'with a changed relay state',
    () => swapped(logout({ relayState: 'a' }), 'RelayState', 'b'),
    'signature',
  ],
  ['with an added relay state', () => `${logout()}&RelayState=b`, 'signature'],
  [
    'of another one’s signature',
    () =>
      swapped(logout({ nameId: 'eve' }), 'SAMLRequest', logout().split('&')[0]?.slice(12) ?? ''),
    'signature',
  ],
  ['twice over', () => `${logout({ nameId: 'eve' }).split('&')[0]}&${logout()}`, 'malformed'],
  [
    'signed with SHA-1',
    () => logout({ algorithm: ['RSA-SHA1', 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'] }),
    'algorithm',
  ],
  ['signed with MD5', () => logout({ algorithm: ['RSA-MD5', 'x#rsa-md5'] }), 'algorithm'],
  ['for somebody else', () => logout({ destination: `${logoutUrl}/x` }), 'destination'],
  ['for nobody', () => logout({ destination: null }), 'destination'],
  ['of another issuer', () => logout({ issuer: 'https://evil.example' }), 'issuer'],
  ['that ended 61 s ago', () => logout({ endsMs: at.clock.ms - 61_000 }), 'expired'],
  ['of 6 minutes and a second ago', () => logout({ nowMs: at.clock.ms - 361_000 }), 'too_old'],
  ['of 61 s from now', () => logout({ nowMs: at.clock.ms + 61_000 }), 'not_yet'],
  ['that blows up', () => logout({ sessionIndex: 'a'.repeat(10 * 1024 * 1024) }), 'malformed'],
  ['of nothing', () => '', 'signature'],
  ['with half a letter', () => '%E0%A4%A&Signature=%E0', 'malformed'],
  ['that names nobody we know, nor a session', () => logout({ nameIdFormat: 'x' }), 'subject'],
  ['with elements in the name', () => logout({ nameId: '<x/>' }), 'subject'],
  ['of 64 KiB', () => `${logout()}&x=${'a'.repeat(64 * 1024)}`, 'too_large'],
]
for (const [what, query, reason] of badLogouts) {
  test(`a logout request ${what} is refused`, { skip }, () => {
    assert.throws(() => at.open().acceptLogout(query()), { code: 'no_identity', facts: { reason } })
  })
}

test('a signed logout request names the person and the session, once', { skip }, () => {
  const method = at.open()
  const query = logout({
    sessionIndex: '_session-1',
    relayState: 'x y',
    endsMs: at.clock.ms - 59_000,
  })
  const expected = { issuer: idpIssuer, subject: 'k7Qm-ada', providerSession: '_session-1' }
  assert.deepEqual(method.acceptLogout(query), expected)
  assert.throws(() => method.acceptLogout(query), { facts: { reason: 'replayed' } })
})

test('where the NameID is not the subject, the session alone is named', { skip }, () => {
  const method = at.open({ subjectAttribute: 'employee' })
  const query = logout({
    sessionIndex: '_session-1',
    algorithm: ['RSA-SHA512', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512'],
  })
  assert.deepEqual(method.acceptLogout(query), { issuer: idpIssuer, providerSession: '_session-1' })
})

test('without an address for it no logout request is taken', { skip }, () => {
  const refusal = { facts: { reason: 'destination' } }
  const method = at.openWithoutLogout()
  assert.throws(() => method.acceptLogout(logout()), refusal)
  assert.throws(() => method.acceptLogout(logout({ destination: null })), refusal)
  assert.doesNotMatch(method.metadata(), /SingleLogoutService/)
})
