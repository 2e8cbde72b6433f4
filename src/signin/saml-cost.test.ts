/**
 * What one post costs. Anybody who can begin a sign-in can post, so whatever takes long is refused by
 * our own reader, before the library or a key is asked. Times are printed, never judged: what is
 * judged is that a document is refused before its end, or has few of what costs.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import { makeSamlKey, post, responseXml } from '../../tests/peers/saml-messages.ts'
import type { SamlKey } from '../../tests/peers/saml-messages.ts'
import { setUpSaml } from '../../tests/peers/saml-sign-in.ts'
import type { SamlSetup } from '../../tests/peers/saml-sign-in.ts'
import { messageBounds, readXml } from './saml-xml.ts'

const skip = noOpenssl
let key: SamlKey
let at: SamlSetup
before(() => {
  if (skip !== false) return
  key = makeSamlKey()
  at = setUpSaml(key)
})
after(() => {
  if (skip === false) at.close()
})

/** What is refused early does not show what stands at its end: this would be `malformed`. */
const neverClosed = '<'
const many = (count: number, of: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => of(i)).join('')

const heavy: readonly [what: string, text: string][] = [
  ['empty comments', `<a>${'<!---->'.repeat(17)}${neverClosed}`],
  ['comments', `<a>${'<!-- x -->'.repeat(17)}${neverClosed}`],
  ['comments between letters', `<a>${'a<!---->'.repeat(17)}${neverClosed}`],
  ['comments before the root', `${'<!---->'.repeat(17)}<a>${neverClosed}`],
  ['comments behind the root', `<a/>${'<!---->'.repeat(17)}${neverClosed}`],
  ['comments in several elements', `<a>${'<b><!----></b>'.repeat(17)}${neverClosed}`],
  ['empty sections of CDATA', `<a>${'<![CDATA[]]>'.repeat(17)}${neverClosed}`],
  ['sections of CDATA', `<a>${'<![CDATA[x]]>'.repeat(17)}${neverClosed}`],
  ['instructions', `<a>${'<?x?>'.repeat(17)}${neverClosed}`],
  ['some of each', `<a>${'<!----><![CDATA[]]>'.repeat(9)}${neverClosed}`],
  ['one attribute 20,000 times in a tag', `<a ${'x="1" '.repeat(20_000)}${neverClosed}`],
  ['10,000 attributes in a tag', `<a ${many(10_000, (i) => `x${i}="1" `)}${neverClosed}`],
  ['10,000 attributes of one sign', `<a ${many(10_000, (i) => `x${i}='<' `)}${neverClosed}`],
  ['an attribute of 20 KiB', `<a x="${'x'.repeat(20 * 1024)}"/>${neverClosed}`],
  ['501 elements', `<a>${'<b/>'.repeat(500)}${neverClosed}`],
  ['1,001 attributes', `<a>${'<b c="" d="" e="" f=""/>'.repeat(251)}${neverClosed}`],
  [
    '1,001 declarations',
    `<a>${many(251, (i) => `<b xmlns:c${i}="u" d="" e="" f=""/>`)}${neverClosed}`,
  ],
]
for (const [what, text] of heavy) {
  test(`a message with ${what} is refused before its end`, () => {
    assert.ok(text.length < messageBounds.charactersMax, 'it would be refused for its length')
    assert.throws(
      () => readXml(text),
      (error: { facts?: object }) => {
        assert.deepEqual(error.facts, { reason: 'too_large' })
        return true
      },
    )
  })
}

test('what is within every bound is read', () => {
  const asides = '<!---->'.repeat(8) + '<![CDATA[x]]>'.repeat(8)
  const text = `<a>${asides}${'<b c="" d=""/>'.repeat(499)}</a>`
  assert.equal(readXml(text).children.length, 499)
  assert.equal(readXml(text).text, 'x'.repeat(8))
  assert.equal(readXml(`<a x="${'x'.repeat(12 * 1024)}"/>`).attributes.get('x')?.length, 12 * 1024)
})

test('many tags are not one long tag, wherever they are cut', () => {
  // Of this shape nearly every piece handed to the parser ends inside of a tag.
  const tag = (i: number): string => `<b x="${String(i).padEnd(480, 'x')}"/>`
  for (let shift = 0; shift < 8; shift++) {
    const text = `<a>${' '.repeat(61 * shift)}${many(240, tag)}</a>`
    assert.equal(readXml(text).children.length, 240)
  }
})

const guid = (i: number): string => `aaaaaaaa-8888-7777-6666-${String(i).padStart(12, '0')}`

test('a response with 150 groups and thirty attributes more is taken', { skip }, async () => {
  const groups = Array.from({ length: 150 }, (_, i) => guid(i))
  const others = Array.from({ length: 30 }, (_, i) => [`urn:attribute:${i}`, ['value']] as const)
  const attributes = [['groups', groups] as const, ...others]
  const got = await at.signIn(at.open(), { attributes, signs: 'both' })
  assert.equal(got.groups?.length, 150)
})

test('the largest response that is looked at is printed with its time', { skip }, async (t) => {
  const method = at.open()
  const { requestId } = await method.begin({ isFresh: false })
  const good = responseXml(at.wish(requestId, { signs: 'both' }))
  const own = good.split(/<[a-zA-Z]/).length - 1
  const left = messageBounds.elementsMax - own - 2
  // Twice as many attributes as elements, each with an ID for the library to look for.
  const leaves = many(left, (i) => `<b ID="i${i}" c="">x</b>`)
  const stuffed = good.replace('<samlp:Status>', `<z xmlns="">${leaves}</z><samlp:Status>`)
  const accept = async (xml: string): Promise<unknown> => {
    const SAMLResponse = Buffer.from(xml).toString('base64')
    return await method.accept({ SAMLResponse }, requestId).catch(({ facts }) => facts.reason)
  }
  for (let i = 0; i < 3; i++) await accept(stuffed)
  const from = process.cpuUsage()
  const reason = await accept(stuffed)
  t.diagnostic(`${stuffed.length} characters: ${process.cpuUsage(from).user / 1000} ms`)
  // It went all the way to the library: one element more would not.
  assert.equal(reason, 'signature')
  const more = stuffed.replace('<z xmlns="">', `<z xmlns="">${'<b/>'.repeat(3)}`)
  assert.equal(await accept(more), 'too_large')
})

test(
  'a response with thousands of comments reaches no key and is not used up',
  { skip },
  async () => {
    const method = at.open()
    const { requestId } = await method.begin({ isFresh: false })
    const good = post(at.wish(requestId)).SAMLResponse
    const xml = Buffer.from(good, 'base64').toString()
    const heavier = xml.replace(/<saml:NameID[^>]*>/, (tag) => tag + '<!---->'.repeat(12_000))
    const SAMLResponse = Buffer.from(heavier).toString('base64')
    const refused = { code: 'no_identity', facts: { reason: 'too_large' } }
    await assert.rejects(method.accept({ SAMLResponse }, requestId), refused)
    assert.equal((await method.accept({ SAMLResponse: good }, requestId)).subject, 'k7Qm-ada')
  },
)
