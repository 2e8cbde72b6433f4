/**
 * A response as it came, before any signature was checked. What is found here can only refuse it:
 * nothing that is read here says who somebody is.
 */
import { refuseSaml } from './saml-refusals.ts'
import { assertionUri, protocolUri, signatureUri } from './saml-words.ts'
import { childrenOf, everyElement, messageBounds, onlyChild, readXml } from './saml-xml.ts'
import type { XmlElement } from './saml-xml.ts'

export interface ResponseWanted {
  readonly requestId: string
  readonly acsUrl: string
  readonly idpIssuer: string
}

/** A response that was not refused yet. */
export interface ReadResponse {
  /** The XML as text, exactly as its signatures are to be checked on. */
  readonly xml: string
  /** Whether the response carries a signature besides the assertion's; then it must be good too. */
  readonly hasOwnSignature: boolean
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const statuses = 'urn:oasis:names:tc:SAML:2.0:status:'

/** What the house believes in, of what the library could check; SHA-1 is not among it. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  SignatureMethod: [
    'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  ],
  DigestMethod: [
    'http://www.w3.org/2001/04/xmlenc#sha256',
    'http://www.w3.org/2001/04/xmlenc#sha512',
  ],
  // SAML core §5.4.3 and §5.4.4, without the form that keeps comments.
  CanonicalizationMethod: ['http://www.w3.org/2001/10/xml-exc-c14n#'],
  Transform: [
    'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
    'http://www.w3.org/2001/10/xml-exc-c14n#',
  ],
}

/** Second-level status words a record may hold; SAML core §3.2.2.2. */
const statusWords = [
  'AuthnFailed',
  'InvalidAttrNameOrValue',
  'InvalidNameIDPolicy',
  'NoAuthnContext',
  'NoAvailableIDP',
  'NoPassive',
  'NoSupportedIDP',
  'PartialLogout',
  'RequestDenied',
  'RequestUnsupported',
  'UnknownPrincipal',
]

/**
 * Reads the form field `SAMLResponse` and refuses what can be refused without a key.
 * @param encoded base64 of XML in UTF-8; line breaks in it are let be.
 * @throws {Fault} `no_identity` with the reason as a word.
 *   Sources: SAML core §3.2.2, bindings §3.5.4 to §3.5.5.2, profiles §4.1.4.
 */
export function readResponse(encoded: string, wanted: ResponseWanted): ReadResponse {
  const xml = decode(encoded)
  const root = readXml(xml)
  if (root.uri !== protocolUri || root.local !== 'Response') throw refuseSaml('structure')
  if (root.attributes.get('Version') !== '2.0') throw refuseSaml('structure')
  checkRequest(root, wanted.requestId)
  checkStatus(root)
  checkStructure(root)
  checkAlgorithms(root)
  const hasOwnSignature = childrenOf(root, signatureUri, 'Signature').length > 0
  // Bindings §3.5.5.2: a signed response must say where it goes; any may.
  const destination = root.attributes.get('Destination') ?? (hasOwnSignature ? '' : wanted.acsUrl)
  if (destination !== wanted.acsUrl) throw refuseSaml('destination')
  const issuer = onlyChild(root, assertionUri, 'Issuer')?.text.trim()
  if (issuer !== undefined && issuer !== wanted.idpIssuer) throw refuseSaml('issuer')
  return { xml, hasOwnSignature }
}

function decode(encoded: string): string {
  if (encoded.length > messageBounds.charactersMax * 1.5) throw refuseSaml('too_large')
  const text = encoded.replace(/[\r\n\t ]/g, '')
  if (text === '' || !base64.test(text)) throw refuseSaml('malformed')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'))
  } catch (cause) {
    throw refuseSaml('malformed', cause)
  }
}

/** A response nobody here asked for is never taken: it could sign a victim in as somebody else. */
function checkRequest(root: XmlElement, requestId: string): void {
  const answers = root.attributes.get('InResponseTo')
  if (answers === undefined || answers === '') throw refuseSaml('unsolicited')
  if (answers !== requestId) throw refuseSaml('other_request')
}

function checkStatus(root: XmlElement): void {
  const status = onlyChild(root, protocolUri, 'Status')
  const code = status && onlyChild(status, protocolUri, 'StatusCode')
  const value = code?.attributes.get('Value')
  if (code === undefined || value === undefined) throw refuseSaml('structure')
  if (value === `${statuses}Success`) return
  const nested = onlyChild(code, protocolUri, 'StatusCode')?.attributes.get('Value') ?? ''
  const word = statusWords.find((known) => nested === `${statuses}${known}`) ?? 'other'
  throw refuseSaml('provider_refused', undefined, { status: word })
}

/**
 * One assertion, a child of the response; signatures are children of the one or the other, at most
 * one each; every ID is there once. No wrapped document has that form.
 */
function checkStructure(root: XmlElement): void {
  const all = [...everyElement(root)]
  // By local name alone, as the library looks for them.
  const named = (local: string): XmlElement[] => all.filter((one) => one.local === local)
  const isEncrypted = all.some(({ local }) =>
    /^Encrypted(Assertion|ID|Attribute|Data)$/.test(local),
  )
  if (isEncrypted) throw refuseSaml('encrypted')
  const assertion = onlyChild(root, assertionUri, 'Assertion')
  if (assertion === undefined || named('Assertion').length !== 1) throw refuseSaml('structure')
  if (named('Response').length !== 1 || named('Object').length > 0) throw refuseSaml('structure')
  const [ofAssertion, ofResponse] = [assertion, root].map((one) =>
    childrenOf(one, signatureUri, 'Signature'),
  )
  const signatures = (ofAssertion?.length ?? 0) + (ofResponse?.length ?? 0)
  if (ofAssertion?.length === 0) throw refuseSaml('signature') // None at all: unsigned.
  if (ofAssertion?.length !== 1 || (ofResponse?.length ?? 0) > 1) throw refuseSaml('structure')
  if (named('Signature').length !== signatures) throw refuseSaml('structure')
  if (named('SignedInfo').length !== signatures) throw refuseSaml('structure')
  const ids = all.flatMap(({ attributes }) =>
    ['ID', 'Id', 'id'].flatMap((name) => attributes.get(name) ?? []),
  )
  if (new Set(ids).size !== ids.length) throw refuseSaml('structure')
}

function checkAlgorithms(root: XmlElement): void {
  for (const { local, attributes } of everyElement(root)) {
    const known = Object.hasOwn(algorithms, local) ? algorithms[local] : undefined
    const isFine = known?.includes(attributes.get('Algorithm') ?? '') ?? true
    if (!isFine) throw refuseSaml('algorithm', undefined, { element: local })
  }
}
