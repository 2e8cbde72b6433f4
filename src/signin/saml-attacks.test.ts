import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import {
  assertionXml,
  makeSamlKey,
  post,
  responseXml,
  sign,
  success,
} from '../../tests/peers/saml-messages.ts'
import type { SamlKey, Wish } from '../../tests/peers/saml-messages.ts'
import { acsUrl, entityId, idpIssuer, setUpSaml } from '../../tests/peers/saml-sign-in.ts'
import type { SamlSetup } from '../../tests/peers/saml-sign-in.ts'
import { openReplays } from './saml-replays.ts'
import type { ReplayStore } from './saml-replays.ts'

const skip = noOpenssl
let key: SamlKey
let strangerKey: SamlKey
let at: SamlSetup
before(() => {
  if (skip !== false) return
  key = makeSamlKey()
  strangerKey = makeSamlKey()
  at = setUpSaml(key)
})
after(() => {
  if (skip === false) at.close()
})

const rsaSha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'
const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
const status = 'urn:oasis:names:tc:SAML:2.0:status:'
const minuteMs = 60_000
const dayMs = 86_400_000
const replaceIn =
  (from: string | RegExp, to: string) =>
  (xml: string): string => {
    const changed = xml.replace(from, to)
    assert.notEqual(changed, xml, 'the attack changed nothing')
    return changed
  }
const oneAttribute = (name: string, ...values: string[]): Partial<Wish> => ({
  attributes: [[name, values]],
})

/** Wrong in one place; the time of day is what `now` says. */
const refused: readonly [what: string, wish: (now: number) => Partial<Wish>, reason: string][] = [
  // whose it is, and whom it is for
  ['for another recipient', () => ({ recipient: `${acsUrl}/x` }), 'recipient'],
  ['without a recipient', () => ({ recipient: null }), 'recipient'],
  ['to another destination', () => ({ destination: `${acsUrl}?x` }), 'destination'],
  ['of another issuer', () => ({ assertionIssuer: 'https://evil.example' }), 'issuer'],
  [
    'of another issuer outside only',
    () => ({ issuer: 'https://evil.example', assertionIssuer: idpIssuer }),
    'issuer',
  ],
  ['of an issuer with a space behind', () => ({ assertionIssuer: `${idpIssuer} ` }), 'issuer'],
  ['for another audience', () => ({ audience: `${entityId}/` }), 'audience'],
  ['for no audience', () => ({ audience: null }), 'audience'],
  [
    'for two restrictions of which one is not ours',
    () => ({
      before: replaceIn(
        '</saml:Conditions>',
        '<saml:AudienceRestriction><saml:Audience>other</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
      ),
    }),
    'audience',
  ],
  [
    'without conditions',
    () => ({ before: replaceIn(/<saml:Conditions.*<\/saml:Conditions>/, '') }),
    'conditions',
  ],
  [
    'with a condition nobody knows',
    () => ({ before: replaceIn('</saml:Conditions>', '<saml:Condition/></saml:Conditions>') }),
    'conditions',
  ],
  ['nobody asked for', () => ({ requestId: null }), 'unsolicited'],
  ['for another request outside', () => ({ requestId: '_other' }), 'other_request'],
  ['for another request inside', () => ({ confirmedRequestId: '_other' }), 'other_request'],
  ['for no request inside', () => ({ confirmedRequestId: null }), 'other_request'],
  [
    'confirmed by holding a key',
    () => ({ method: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key' }),
    'confirmation',
  ],
  [
    'confirmed twice',
    () => ({
      before: replaceIn(/(<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>)/, '$1$1'),
    }),
    'confirmation',
  ],
  [
    'without confirmation',
    () => ({ before: replaceIn(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/, '') }),
    'confirmation',
  ],
  [
    'of no subject',
    () => ({ before: replaceIn(/<saml:Subject>.*<\/saml:Subject>/, '') }),
    'confirmation',
  ],
  // how it is signed
  ['that is not signed', () => ({ signs: 'none' }), 'signature'],
  ['of which only the outside is signed', () => ({ signs: 'response' }), 'signature'],
  ['signed by a stranger, whose certificate it carries', () => ({ key: strangerKey }), 'signature'],
  ['signed with SHA-1', () => ({ signatureAlgorithm: rsaSha1 }), 'algorithm'],
  ['digested with SHA-1', () => ({ digestAlgorithm: sha1 }), 'algorithm'],
  [
    'canonicalised with comments',
    () => ({ after: replaceIn(/xml-exc-c14n#"/, 'xml-exc-c14n#WithComments"') }),
    'algorithm',
  ],
  [
    'with a transform by stylesheet',
    () => ({
      after: replaceIn(
        '<ds:Transforms>',
        '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
      ),
    }),
    'algorithm',
  ],
  [
    'of which the digest was changed',
    () => ({ after: replaceIn(/<ds:DigestValue>...../, '<ds:DigestValue>AAAAA') }),
    'signature',
  ],
  [
    'of which the outer signature is bad',
    () => ({
      signs: 'both',
      after: (xml) =>
        `${xml.slice(0, xml.indexOf('<ds:SignatureValue>') + 19)}AAAA${xml.slice(xml.indexOf('<ds:SignatureValue>') + 23)}`,
    }),
    'signature',
  ],
  // when
  ['that ended 61 s ago', (now) => ({ untilMs: now - 61_000 }), 'expired'],
  ['that ended a minute ago', (now) => ({ untilMs: now - minuteMs }), 'expired'],
  ['that begins in 61 s', (now) => ({ fromMs: now + 61_000 }), 'not_yet'],
  ['that never ends', () => ({ untilMs: null }), 'conditions'],
  ['confirmed until 61 s ago', (now) => ({ confirmedUntilMs: now - 61_000 }), 'expired'],
  ['confirmed for ever', () => ({ confirmedUntilMs: null }), 'confirmation'],
  ['issued in 61 s', (now) => ({ issuedMs: now + 61_000 }), 'not_yet'],
  [
    'issued 6 minutes and a second ago',
    (now) => ({ issuedMs: now - 361_000, untilMs: now + dayMs }),
    'too_old',
  ],
  ['of a sign-in in 61 s', (now) => ({ authnMs: now + 61_000 }), 'not_yet'],
  ['of a sign-in the day before', (now) => ({ authnMs: now - dayMs - 1 }), 'authn_old'],
  ['of a session that ended 61 s ago', (now) => ({ sessionEndsMs: now - 61_000 }), 'expired'],
  [
    'with a time of no zone',
    () => ({ before: replaceIn(/(AuthnInstant="[^"]*)Z"/, '$1"') }),
    'malformed',
  ],
  [
    'without a sign-in',
    () => ({ before: replaceIn(/<saml:AuthnStatement.*<\/saml:AuthnStatement>/, '') }),
    'authn',
  ],
  // what it is made of
  [
    'with a document type',
    () => ({ after: (xml) => `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xml}` }),
    'doctype',
  ],
  [
    'with a document type in a comment',
    () => ({ after: (xml) => `${xml}<!-- <!DocType x> -->` }),
    'doctype',
  ],
  [
    'with entities that grow',
    () => ({
      after: (xml) =>
        `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>${xml.replace('k7Qm', '&b;')}`,
    }),
    'doctype',
  ],
  ['with an entity nobody declared', () => ({ after: replaceIn('k7Qm', '&eacute;') }), 'malformed'],
  [
    'with an instruction in the name',
    () => ({ after: replaceIn('k7Qm', 'k7<?x Qm?>') }),
    'malformed',
  ],
  ['that is not closed', () => ({ after: (xml) => xml.slice(0, -5) }), 'malformed'],
  ['with something behind its end', () => ({ after: (xml) => `${xml}<x/>` }), 'malformed'],
  [
    'with an attribute twice',
    () => ({ after: replaceIn('Version="2.0"', 'Version="2.0" Version="2.0"') }),
    'signature',
  ],
  ['of SAML 1.1', () => ({ after: replaceIn('Version="2.0"', 'Version="1.1"') }), 'structure'],
  [
    'with an assertion of SAML 1.1',
    () => ({ before: replaceIn(/(<saml:Assertion.*?)Version="2.0"/, '$1Version="1.1"') }),
    'structure',
  ],
  [
    'without an assertion',
    () => ({ signs: 'none', before: replaceIn(/<saml:Assertion.*<\/saml:Assertion>/, '') }),
    'structure',
  ],
  [
    'with an encrypted assertion',
    () => ({
      signs: 'none',
      before: replaceIn(
        /<saml:Assertion.*<\/saml:Assertion>/,
        '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
      ),
    }),
    'encrypted',
  ],
  [
    'with an encrypted name',
    () => ({ before: replaceIn(/<saml:NameID.*<\/saml:NameID>/, '<saml:EncryptedID/>') }),
    'encrypted',
  ],
  [
    'that is as deep as a well',
    () => ({
      after: (xml) =>
        xml.replace(
          '<samlp:Status>',
          `${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}<samlp:Status>`,
        ),
    }),
    'too_large',
  ],
  [
    'of forty floors',
    () => ({
      after: replaceIn('<samlp:Status>', `${'<a>'.repeat(40)}${'</a>'.repeat(40)}<samlp:Status>`),
    }),
    'too_large',
  ],
  [
    'with thousands of elements',
    () => ({ after: replaceIn('<samlp:Status>', `${'<a/>'.repeat(5_000)}<samlp:Status>`) }),
    'too_large',
  ],
  [
    'with hundreds of attributes',
    () => ({
      after: replaceIn(
        '<samlp:Status>',
        `<a ${Array.from({ length: 300 }, (_, i) => `a${i}=""`).join(' ')}/><samlp:Status>`,
      ),
    }),
    'too_large',
  ],
  [
    'with thousands of attributes',
    () => ({
      after: replaceIn(
        '<samlp:Status>',
        `${'<a b="" c="" d="" e=""/>'.repeat(1_500)}<samlp:Status>`,
      ),
    }),
    'too_large',
  ],
  [
    'of more than 256 KiB',
    () => ({
      after: replaceIn('<samlp:Status>', `<a>${'a'.repeat(256 * 1024)}</a><samlp:Status>`),
    }),
    'too_large',
  ],
  // who it says they are
  [
    'of a passing name',
    () => ({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
    'subject',
  ],
  [
    'of an e-mail address',
    () => ({ nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }),
    'subject',
  ],
  ['of an empty name', () => ({ nameId: '' }), 'subject'],
  ['of a name with a space before', () => ({ nameId: ' ada' }), 'subject'],
  ['of a name with elements', () => ({ nameId: 'a<b xmlns="">da</b>' }), 'subject'],
  [
    'of two names',
    () => ({ before: replaceIn(/(<saml:NameID.*<\/saml:NameID>)/, '$1$1') }),
    'subject',
  ],
  [
    'with the groups twice',
    () => ({
      attributes: [
        ['groups', ['users']],
        ['groups', ['admins']],
      ],
    }),
    'duplicate_attribute',
  ],
  [
    'with the groups in two statements',
    () => ({
      ...oneAttribute('groups', 'users'),
      before: replaceIn(/(<saml:AttributeStatement>.*<\/saml:AttributeStatement>)/, '$1$1'),
    }),
    'duplicate_attribute',
  ],
  ['with groups of elements', () => oneAttribute('groups', '<b xmlns="">admins</b>'), 'groups'],
  ['with an empty group', () => oneAttribute('groups', 'users', ''), 'groups'],
  ['with a role of two lines', () => oneAttribute('roles', 'a&#10;b'), 'roles'],
  [
    'with more groups than it says',
    () => oneAttribute('http://schemas.microsoft.com/claims/groups.link', 'https://evil.example'),
    'overage',
  ],
]
for (const [what, wish, reason] of refused) {
  test(`a response ${what} is refused`, { skip }, async () => {
    await assert.rejects(at.signIn(at.open(), wish(at.clock.ms)), {
      name: 'Fault',
      code: 'no_identity',
      facts: { reason, ...elementOf(reason, what) },
    })
  })
}
const elementOf = (reason: string, what: string): object => {
  if (reason !== 'algorithm') return {}
  const of = { signed: 'SignatureMethod', digested: 'DigestMethod', with: 'Transform' }
  return {
    element:
      Object.entries(of).find(([word]) => what.startsWith(word))?.[1] ?? 'CanonicalizationMethod',
  }
}

const bearable: readonly [what: string, wish: (now: number) => Partial<Wish>][] = [
  ['that ended 59 s ago', (now) => ({ untilMs: now - 59_000 })],
  ['that ended a millisecond less than a minute ago', (now) => ({ untilMs: now - 59_999 })],
  ['that begins in a minute', (now) => ({ fromMs: now + minuteMs })],
  ['that begins in 59 s', (now) => ({ fromMs: now + 59_000 })],
  ['without a beginning', () => ({ fromMs: null })],
  ['confirmed until 59 s ago', (now) => ({ confirmedUntilMs: now - 59_000 })],
  ['issued in 59 s', (now) => ({ issuedMs: now + 59_000 })],
  ['issued 5 minutes and 59 s ago', (now) => ({ issuedMs: now - 359_000 })],
  ['of a sign-in in 59 s', (now) => ({ authnMs: now + 59_000 })],
  ['of a sign-in a day before', (now) => ({ authnMs: now - dayMs })],
  ['of a session that ended 59 s ago', (now) => ({ sessionEndsMs: now - 59_000 })],
  ['without a destination', () => ({ destination: null })],
  ['signed inside and outside', () => ({ signs: 'both' })],
  [
    'with a comment, an XML declaration and a CDATA section',
    () => ({
      after: (xml) => `<?xml version="1.0" encoding="UTF-8"?><!-- x -->${xml}`,
      nameId: 'k7<![CDATA[Qm]]>-ada',
    }),
  ],
]
for (const [what, wish] of bearable) {
  test(`a response ${what} is taken`, { skip }, async () => {
    const { subject } = await at.signIn(at.open(), wish(at.clock.ms))
    assert.equal(subject, 'k7Qm-ada')
  })
}

test('a comment in the name changes nothing: the whole name counts', { skip }, async () => {
  const signed = await at.signIn(at.open(), { nameId: 'admin@x<!-- c -->.evil' })
  assert.equal(signed.subject, 'admin@x.evil')
  const after = replaceIn('admin@x.evil', 'admin@x<!---->.evil')
  const injected = await at.signIn(at.open(), { nameId: 'admin@x.evil', after })
  assert.equal(injected.subject, 'admin@x.evil')
})

test(
  'where the response must be signed, a signed assertion alone is refused',
  { skip },
  async () => {
    const method = at.open({ isResponseSigned: true })
    const reason = 'signature'
    await assert.rejects(at.signIn(method), { facts: { reason } })
    await assert.rejects(at.signIn(method, { signs: 'response' }), { facts: { reason } })
    await assert.rejects(at.signIn(method, { signs: 'both', destination: null }), {
      facts: { reason: 'destination' },
    })
    assert.equal((await at.signIn(method, { signs: 'both' })).subject, 'k7Qm-ada')
  },
)

// Signature wrapping: "On Breaking SAML: Be Whoever You Want to Be", USENIX Security 2012, §4. The
// evil assertion is like the good one but for its name; what differs is where each of them stands.
const signatureOf = (assertion: string): string =>
  /<ds:Signature.*<\/ds:Signature>/s.exec(assertion)?.[0] ?? ''
const assertionOf = (xml: string): string =>
  /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml)?.[0] ?? ''
const evilOf = (good: string): string =>
  good
    .replace(signatureOf(good), '')
    .replace('k7Qm-ada', 'admin')
    .replace(/ID="_a/, 'ID="_b')
const within = (outer: string, inner: string): string =>
  outer.replace('</saml:Issuer>', `</saml:Issuer>${inner}`)
type Wrap = (xml: string, good: string, evil: string, signature: string) => string
const wraps: readonly [where: string, wrap: Wrap][] = [
  ['before the signed one', (xml, good, evil) => xml.replace(good, evil + good)],
  ['behind the signed one', (xml, good, evil) => xml.replace(good, good + evil)],
  ['around the signed one', (xml, good, evil) => xml.replace(good, within(evil, good))],
  [
    'around the signed one, with its signature',
    (xml, good, evil, signature) =>
      xml.replace(good, within(evil, signature + good.replace(signature, ''))),
  ],
  [
    'in front of an object of the signature that holds the signed one',
    (xml, good, evil, signature) =>
      xml.replace(
        good,
        within(
          evil,
          signature.replace(
            '</ds:Signature>',
            `<ds:Object>${good.replace(signature, '')}</ds:Object></ds:Signature>`,
          ),
        ),
      ),
  ],
  [
    'in front of extensions that hold the signed one',
    (xml, good, evil) =>
      xml
        .replace(good, evil)
        .replace('<samlp:Status>', `<samlp:Extensions>${good}</samlp:Extensions><samlp:Status>`),
  ],
  [
    'with the same ID',
    (xml, good, evil) => xml.replace(good, evil.replace('ID="_b', 'ID="_a') + good),
  ],
  ['instead of the signed one', (xml, good, evil) => xml.replace(good, evil)],
  ['made of the signed one', (xml) => xml.replace('k7Qm-ada', 'admin')],
  // and further ones
  ['inside the signed one', (xml, good, evil) => xml.replace(good, within(good, evil))],
  [
    'of another namespace, before it',
    (xml, good, evil) =>
      xml.replace(
        good,
        evil.replaceAll('saml:', 'x:').replace('xmlns:x=', 'xmlns:y="u" xmlns:x=') + good,
      ),
  ],
  [
    'with the signature of the signed one, and the ID as Id',
    (xml, good, evil, signature) =>
      xml.replace(good, within(evil.replace('ID="_b', 'ID="_c" Id="_a'), signature) + good),
  ],
  ['as the root, with the whole response inside', (xml, _good, evil) => within(evil, xml)],
  [
    'in a response around the response',
    (xml, _good, evil) =>
      `${xml.slice(0, xml.indexOf('<saml:Assertion'))}${xml.replace(/ID="_r/, 'ID="_s')}${evil}</samlp:Response>`,
  ],
  [
    'with a signature over two references',
    (xml, good, evil, signature) => {
      const reference = /<ds:Reference.*<\/ds:Reference>/s.exec(signature)?.[0] ?? ''
      const two = signature.replace(reference, `${reference}${reference.replace('#_a', '#_b')}`)
      return xml.replace(good, within(evil, two) + good.replace(signature, ''))
    },
  ],
  [
    'with a signature over nothing named',
    (xml, good, evil, signature) =>
      xml.replace(good, within(evil, signature.replace(/URI="[^"]*"/, 'URI=""'))),
  ],
  [
    'with two signed parts, the second over itself',
    (xml, good, evil, signature) => {
      const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(signature)?.[0] ?? ''
      return xml.replace(good, within(evil, signature.replace(info, info + info)))
    },
  ],
]
for (const [where, wrap] of wraps) {
  test(`an evil assertion ${where} is refused`, { skip }, async () => {
    for (const signs of ['assertion', 'both'] as const) {
      const after = (xml: string): string => {
        const good = assertionOf(xml)
        const wrapped = wrap(xml, good, evilOf(good), signatureOf(good))
        assert.notEqual(wrapped, xml)
        assert.match(wrapped, /admin/)
        return wrapped
      }
      await assert.rejects(at.signIn(at.open(), { signs, after }), { code: 'no_identity' })
    }
  })
}

// The signed assertion is good in each of these: only the form is not that of a response.
const extended = (extension: string): ((xml: string) => string) =>
  replaceIn('<samlp:Status>', `<samlp:Extensions>${extension}</samlp:Extensions><samlp:Status>`)
const forms: readonly [what: string, after: (xml: string) => string][] = [
  ['a second assertion in extensions', extended('<x:Assertion xmlns:x="urn:x"/>')],
  ['a second response in extensions', extended('<x:Response xmlns:x="urn:x"/>')],
  ['a signature in extensions', extended('<x:Signature xmlns:x="urn:x"/>')],
  ['signed info in extensions', extended('<x:SignedInfo xmlns:x="urn:x"/>')],
  ['the ID of the response once more', extended('<x xmlns="urn:x" Id="_r-fixed"/>')],
  ['an object in the signature', replaceIn('</ds:Signature>', '<ds:Object/></ds:Signature>')],
]
for (const [what, after] of forms) {
  test(`a response with ${what} is refused, however good the rest is`, { skip }, async () => {
    await assert.rejects(at.signIn(at.open(), { after, responseId: '_r-fixed' }), {
      facts: { reason: 'structure' },
    })
  })
}

test('a stranger who signs an assertion inside a good response is refused', { skip }, async () => {
  const { requestId } = await at.open().begin({ isFresh: false })
  const mixed = at.wish(requestId, { signs: 'none' })
  const inner = sign(responseXml(mixed), 'Assertion', { ...mixed, key: strangerKey })
  const SAMLResponse = Buffer.from(sign(inner, 'Response', mixed)).toString('base64')
  const refusal = { facts: { reason: 'signature' } }
  await assert.rejects(at.open().accept({ SAMLResponse }, requestId), refusal)
})

test('one response that is posted three times at once signs in once', { skip }, async () => {
  const other = openReplays(at.stateFile) // As another process would open it.
  try {
    const methods = [at.open(), at.open(), at.open({}, { replays: other })]
    const { requestId } = await at.open().begin({ isFresh: false })
    const posted = post(at.wish(requestId))
    const all = await Promise.allSettled(methods.map((method) => method.accept(posted, requestId)))
    assert.equal(all.filter(({ status: how }) => how === 'fulfilled').length, 1)
    for (const one of all) {
      if (one.status === 'rejected') assert.equal(one.reason.facts.reason, 'replayed')
    }
    await assert.rejects(at.open().accept(posted, requestId), { facts: { reason: 'replayed' } })
  } finally {
    other.close()
  }
})

test('a second assertion for a request that was answered is refused', { skip }, async () => {
  const method = at.open()
  const { requestId } = await method.begin({ isFresh: false })
  await method.accept(post(at.wish(requestId)), requestId)
  await assert.rejects(method.accept(post(at.wish(requestId)), requestId), {
    facts: { reason: 'replayed' },
  })
})

test('an assertion that was used is refused for another request too', { skip }, async () => {
  const method = at.open()
  await at.signIn(method, { assertionId: '_a-once' })
  await assert.rejects(at.signIn(method, { assertionId: '_a-once' }), {
    facts: { reason: 'replayed' },
  })
})

test('a refused response does not use up the request', { skip }, async () => {
  const method = at.open()
  const { requestId } = await method.begin({ isFresh: false })
  await assert.rejects(method.accept(post(at.wish(requestId, { signs: 'none' })), requestId))
  assert.equal((await method.accept(post(at.wish(requestId)), requestId)).subject, 'k7Qm-ada')
})

test('the answer to somebody else’s request is refused in this browser', { skip }, async () => {
  const method = at.open()
  const attacker = await method.begin({ isFresh: false })
  const victim = await method.begin({ isFresh: false })
  await assert.rejects(method.accept(post(at.wish(attacker.requestId)), victim.requestId), {
    facts: { reason: 'other_request' },
  })
})

const ids: readonly [what: string, id: (good: string) => string, reason: string][] = [
  ['empty', () => '', 'unsolicited'],
  ['made up', () => '_made-up', 'unsolicited'],
  [
    'of tomorrow',
    (good) => `_s${(Date.now() * 2).toString(16).padStart(12, '0')}${good.slice(14)}`,
    'request_expired',
  ],
]
for (const [what, id, reason] of ids) {
  test(`a request id that is ${what} is none of ours`, { skip }, async () => {
    const method = at.open()
    const requestId = id((await method.begin({ isFresh: false })).requestId)
    await assert.rejects(method.accept(post(at.wish(requestId)), requestId), { facts: { reason } })
  })
}

const encodings: readonly [what: string, encode: (xml: string) => string, reason: string][] = [
  ['nothing', () => '', 'malformed'],
  ['no base64', (xml) => `${Buffer.from(xml).toString('base64')}!`, 'malformed'],
  [
    'base64 of URLs',
    (xml) => Buffer.from(`${xml}<!-- ÿÿÿ??? -->`).toString('base64url'),
    'malformed',
  ],
  ['UTF-16', (xml) => Buffer.from(xml, 'utf16le').toString('base64'), 'malformed'],
  [
    'Latin-1',
    (xml) => Buffer.from(xml.replace('k7Qm', 'k7é'), 'latin1').toString('base64'),
    'malformed',
  ],
  ['a megabyte', (xml) => Buffer.from(xml.padEnd(1024 * 1024)).toString('base64'), 'too_large'],
]
for (const [what, encode, reason] of encodings) {
  test(`a response that is ${what} is refused`, { skip }, async () => {
    const method = at.open()
    const { requestId } = await method.begin({ isFresh: false })
    const SAMLResponse = encode(responseXml(at.wish(requestId)))
    await assert.rejects(method.accept({ SAMLResponse }, requestId), { facts: { reason } })
  })
}

test('line breaks in the base64 are let be', { skip }, async () => {
  const method = at.open()
  const { requestId } = await method.begin({ isFresh: false })
  const SAMLResponse = post(at.wish(requestId)).SAMLResponse.replace(/.{76}/g, '$&\r\n')
  assert.equal((await method.accept({ SAMLResponse }, requestId)).subject, 'k7Qm-ada')
})

test(
  'a provider’s own refusal is told as one, with its word if it is a known one',
  { skip },
  async () => {
    const method = at.open()
    const nested = (word: string): Partial<Wish> => ({
      status: `${status}Responder`,
      signs: 'none',
      before: replaceIn(
        '/></samlp:Status>',
        `><samlp:StatusCode Value="${word}"/></samlp:StatusCode></samlp:Status>`,
      ),
    })
    await assert.rejects(at.signIn(method, nested(`${status}AuthnFailed`)), {
      facts: { reason: 'provider_refused', status: 'AuthnFailed' },
    })
    await assert.rejects(at.signIn(method, nested('4111 <script>'.replace('<', '&lt;'))), {
      facts: { reason: 'provider_refused', status: 'other' },
    })
    assert.ok(success.startsWith(status))
  },
)

test('no refusal says a word of what was sent', { skip }, async () => {
  const told = 'evil-value'
  const wishes: Partial<Wish>[] = [
    { audience: told },
    { recipient: told },
    { assertionIssuer: told },
    { nameId: told, nameIdFormat: told },
    { after: replaceIn('k7Qm', `&${told};`) },
    oneAttribute('groups', told, ''),
  ]
  for (const wish of wishes) {
    const error = await at.signIn(at.open(), wish).catch((fault: unknown) => fault)
    assert.ok(error instanceof Error && 'facts' in error)
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)}`, /evil/)
  }
})

test(
  'whatever bytes of a good response are changed, nobody else comes of it',
  { skip },
  async () => {
    const always: ReplayStore = { take: () => true, close: () => undefined }
    const method = at.open({}, { replays: always })
    const { requestId } = await method.begin({ isFresh: false })
    const attributes = [
      ['groups', ['users']],
      ['roles', ['reader']],
    ] as const
    const good = [
      responseXml(at.wish(requestId, { attributes })),
      responseXml(at.wish(requestId, { attributes, signs: 'both' })),
    ]
    const evil = assertionXml(at.wish(requestId, { nameId: 'admin' }))
    const tokens = [
      '<!---->',
      'admin',
      '<saml:AttributeValue>admins</saml:AttributeValue>',
      '"',
      '<',
      '>',
      '&amp;',
      '&#97;',
      '/',
      ' ID="_x"',
      '<![CDATA[',
      ']]>',
      evil,
    ]
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 400 })),
      put: fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 3 }), fc.constant('')),
      copy: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    })
    const mutations = fc.asyncProperty(
      fc.constantFrom(...good),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      async (xml, edits) => {
        let text = xml
        for (const { at: where, cut, put, copy } of edits) {
          const start = Math.floor(where * text.length)
          const from = copy === null ? undefined : Math.floor(copy * text.length)
          const piece = from === undefined ? put : text.slice(from, from + 300)
          text = text.slice(0, start) + piece + text.slice(start + cut)
        }
        const SAMLResponse = Buffer.from(text).toString('base64')
        const got = await method.accept({ SAMLResponse }, requestId).catch((error: unknown) => {
          assert.equal((error as Error).name, 'Fault', String((error as Error).stack))
          return undefined
        })
        if (got === undefined) return
        assert.equal(got.subject, 'k7Qm-ada')
        assert.deepEqual([got.groups, got.roles], [['users'], ['reader']])
      },
    )
    await fc.assert(mutations, { numRuns: 400 })
  },
)
