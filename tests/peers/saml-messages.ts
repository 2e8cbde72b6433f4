/**
 * Messages of a SAML 2.0 identity provider, signed by xml-crypto, in which everything can be wrong
 * on demand.
 */
import { execFileSync } from 'node:child_process'
import { createSign, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { SignedXml } from 'xml-crypto'

/** An RSA key with a certificate over itself. */
export interface SamlKey {
  readonly privateKey: string
  readonly certificatePem: string
}

/** A response in all its parts; `null` leaves an attribute out. Times in milliseconds since 1970. */
export interface Wish {
  readonly key: SamlKey
  readonly issuer: string
  readonly acsUrl: string
  readonly audience: string | null
  readonly requestId: string | null
  readonly nowMs: number
  readonly nameId: string
  readonly nameIdFormat: string
  /** Raw, so that a name may come twice. Values are XML. */
  readonly attributes: readonly (readonly [name: string, values: readonly string[]])[]
  readonly assertionId: string
  readonly responseId: string
  readonly assertionIssuer: string
  readonly destination: string | null
  readonly recipient: string | null
  readonly method: string
  readonly confirmedRequestId: string | null
  readonly confirmedUntilMs: number | null
  readonly issuedMs: number
  readonly fromMs: number | null
  readonly untilMs: number | null
  readonly authnMs: number
  readonly sessionEndsMs: number | null
  readonly sessionIndex: string | null
  readonly contextClass: string
  readonly status: string
  readonly signs: 'assertion' | 'response' | 'both' | 'none'
  readonly signatureAlgorithm: string
  readonly digestAlgorithm: string
  /** Changes the assertion, or the whole, before anything is signed. */
  readonly before: (xml: string) => string
  /** Changes the whole when all is signed. */
  readonly after: (xml: string) => string
}

export const protocolUri = 'urn:oasis:names:tc:SAML:2.0:protocol'
const assertionUri = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
export const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'

/** @param days how long the certificate holds, from now. Needs the `openssl` program. */
export function makeSamlKey(days = 400, bits = 2048): SamlKey {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-saml-'))
  try {
    const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', String(days)]
    const key = ['-newkey', `rsa:${bits}`, '-nodes', '-subj', '/CN=A provider of the tests']
    execFileSync('openssl', ['req', '-x509', ...key, ...files], { cwd: folder, stdio: 'ignore' })
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    return { privateKey: read('key.pem'), certificatePem: read('cert.pem') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Needed = 'key' | 'issuer' | 'acsUrl' | 'audience' | 'requestId' | 'nowMs'

/** A good response to a request, but for what is wished. */
export function goodWish(needed: Pick<Wish, Needed>, over: Partial<Wish> = {}): Wish {
  const { nowMs, issuer, acsUrl, requestId } = needed
  return {
    ...needed,
    nameId: 'k7Qm-ada',
    nameIdFormat: persistent,
    attributes: [],
    assertionId: `_a${randomBytes(16).toString('hex')}`,
    responseId: `_r${randomBytes(16).toString('hex')}`,
    assertionIssuer: issuer,
    destination: acsUrl,
    recipient: acsUrl,
    method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
    confirmedRequestId: requestId,
    confirmedUntilMs: nowMs + 300_000,
    issuedMs: nowMs,
    fromMs: nowMs - 1_000,
    untilMs: nowMs + 300_000,
    authnMs: nowMs,
    sessionEndsMs: null,
    sessionIndex: '_session-1',
    contextClass: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    status: success,
    signs: 'assertion',
    signatureAlgorithm: rsaSha256,
    digestAlgorithm: sha256,
    before: (xml) => xml,
    after: (xml) => xml,
    ...over,
  }
}

/** Text as it may stand in XML. */
export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const time = (ms: number): string => new Date(ms).toISOString()
const attribute = (name: string, value: string | null): string =>
  value === null ? '' : ` ${name}="${escape(value)}"`
const timed = (name: string, ms: number | null): string =>
  attribute(name, ms === null ? null : time(ms))

export function assertionXml(wish: Wish): string {
  const data = `${timed('NotOnOrAfter', wish.confirmedUntilMs)}${attribute('Recipient', wish.recipient)}${attribute('InResponseTo', wish.confirmedRequestId)}`
  const audience =
    wish.audience === null
      ? ''
      : `<saml:AudienceRestriction><saml:Audience>${escape(wish.audience)}</saml:Audience></saml:AudienceRestriction>`
  const told = wish.attributes.map(
    ([name, values]) =>
      `<saml:Attribute Name="${escape(name)}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  )
  const statement =
    told.length === 0 ? '' : `<saml:AttributeStatement>${told.join('')}</saml:AttributeStatement>`
  return [
    `<saml:Assertion xmlns:saml="${assertionUri}" ID="${wish.assertionId}" Version="2.0"${timed('IssueInstant', wish.issuedMs)}>`,
    `<saml:Issuer>${escape(wish.assertionIssuer)}</saml:Issuer>`,
    `<saml:Subject><saml:NameID Format="${wish.nameIdFormat}">${wish.nameId}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="${wish.method}"><saml:SubjectConfirmationData${data}/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions${timed('NotBefore', wish.fromMs)}${timed('NotOnOrAfter', wish.untilMs)}>${audience}</saml:Conditions>`,
    `<saml:AuthnStatement${timed('AuthnInstant', wish.authnMs)}${timed('SessionNotOnOrAfter', wish.sessionEndsMs)}${attribute('SessionIndex', wish.sessionIndex)}><saml:AuthnContext><saml:AuthnContextClassRef>${wish.contextClass}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    statement,
    '</saml:Assertion>',
  ].join('')
}

/** The response as XML, signed as wished. */
export function responseXml(wish: Wish): string {
  const head = `<samlp:Response xmlns:samlp="${protocolUri}" ID="${wish.responseId}" Version="2.0"${timed('IssueInstant', wish.issuedMs)}${attribute('Destination', wish.destination)}${attribute('InResponseTo', wish.requestId)}>`
  const issuer = `<saml:Issuer xmlns:saml="${assertionUri}">${escape(wish.issuer)}</saml:Issuer>`
  const status = `<samlp:Status><samlp:StatusCode Value="${wish.status}"/></samlp:Status>`
  const assertion = wish.status === success ? assertionXml(wish) : ''
  let xml = wish.before(`${head}${issuer}${status}${assertion}</samlp:Response>`)
  if (wish.signs === 'assertion' || wish.signs === 'both') xml = sign(xml, 'Assertion', wish)
  if (wish.signs === 'response' || wish.signs === 'both') xml = sign(xml, 'Response', wish)
  return wish.after(xml)
}

/** Signs the only element of a name, behind its issuer (SAML core §5.4.2). */
export function sign(
  xml: string,
  local: 'Assertion' | 'Response',
  { key, signatureAlgorithm, digestAlgorithm }: Wish,
): string {
  const xpath = `//*[local-name(.)='${local}']`
  const signed = new SignedXml({
    privateKey: key.privateKey,
    publicCert: key.certificatePem,
    signatureAlgorithm,
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  })
  const transforms = [
    'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
    'http://www.w3.org/2001/10/xml-exc-c14n#',
  ]
  signed.addReference({ xpath, transforms, digestAlgorithm })
  const reference = `${xpath}/*[local-name(.)='Issuer']`
  signed.computeSignature(xml, { location: { reference, action: 'after' }, prefix: 'ds' })
  return signed.getSignedXml()
}

/** The response as a browser posts it. */
export function post(wish: Wish): { SAMLResponse: string } {
  return { SAMLResponse: Buffer.from(responseXml(wish), 'utf8').toString('base64') }
}

export interface LogoutWish {
  readonly key: SamlKey
  readonly issuer: string
  readonly destination: string | null
  readonly nameId: string
  readonly nameIdFormat?: string
  readonly sessionIndex?: string
  readonly id?: string
  readonly nowMs: number
  readonly endsMs?: number
  readonly relayState?: string
  /** Of `createSign`, and its name in the query. */
  readonly algorithm?: readonly [hash: string, uri: string]
  readonly isSigned?: boolean
}

/** The query of a LogoutRequest by redirect (SAML bindings §3.4.4.1). */
export function logoutQuery(wish: LogoutWish): string {
  const session =
    wish.sessionIndex === undefined
      ? ''
      : `<samlp:SessionIndex>${wish.sessionIndex}</samlp:SessionIndex>`
  const xml = `<samlp:LogoutRequest xmlns:samlp="${protocolUri}" xmlns:saml="${assertionUri}" ID="${wish.id ?? `_l${randomBytes(16).toString('hex')}`}" Version="2.0"${timed('IssueInstant', wish.nowMs)}${timed('NotOnOrAfter', wish.endsMs ?? null)}${attribute('Destination', wish.destination)}><saml:Issuer>${escape(wish.issuer)}</saml:Issuer><saml:NameID Format="${wish.nameIdFormat ?? persistent}">${wish.nameId}</saml:NameID>${session}</samlp:LogoutRequest>`
  const [hash, uri] = wish.algorithm ?? ['RSA-SHA256', rsaSha256]
  const parts = [`SAMLRequest=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}`]
  if (wish.relayState !== undefined) parts.push(`RelayState=${encodeURIComponent(wish.relayState)}`)
  if (wish.isSigned === false) return parts.join('&')
  parts.push(`SigAlg=${encodeURIComponent(uri)}`)
  const signature = createSign(hash).update(parts.join('&')).sign(wish.key.privateKey, 'base64')
  return `${parts.join('&')}&Signature=${encodeURIComponent(signature)}`
}
