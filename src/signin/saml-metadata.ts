/** Metadata: ours for the provider to read, and a provider's for a person to look at. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { parseCertificate } from './saml-certificates.ts'
import {
  metadataUri,
  persistentFormat,
  postBinding,
  protocolUri,
  redirectBinding,
  signatureUri,
} from './saml-words.ts'
import { childrenOf, escapeXml, everyElement, readXml } from './saml-xml.ts'
import type { XmlElement } from './saml-xml.ts'

export interface OwnMetadata {
  readonly entityId: string
  readonly acsUrl: string
  readonly logoutUrl?: string | undefined
  /** PEM, perhaps with a certificate beside the key: it is told then, else the bare public key. */
  readonly signingPem?: string | undefined
}

/** A certificate as it stands in metadata. */
export interface FoundCertificate {
  readonly pem: string
  /** SHA-256 over its DER, as `openssl x509 -fingerprint -sha256` writes it. */
  readonly fingerprint: string
  readonly fromMs: number
  readonly endsMs: number
}

export interface IdpMetadata {
  readonly entityId: string
  /** Where AuthnRequests go by redirect. */
  readonly entryPoint: string
  readonly certificates: readonly FoundCertificate[]
  readonly wantsSignedRequests: boolean
}

const pemCertificate = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/
const metadataBounds = {
  charactersMax: 2 * 1024 * 1024,
  elementsMax: 50_000,
  attributesMax: 64,
  attributesAllMax: 200_000,
  asidesMax: 10_000,
}

/** Our metadata, an `EntityDescriptor` (SAML metadata §2.3.2, §2.4.4). Nothing in it is secret. */
export function ownMetadata({ entityId, acsUrl, logoutUrl, signingPem }: OwnMetadata): string {
  const isSigned = signingPem !== undefined
  const key = isSigned ? `<KeyDescriptor use="signing">${keyInfo(signingPem)}</KeyDescriptor>` : ''
  const logout =
    logoutUrl === undefined
      ? ''
      : `<SingleLogoutService Binding="${redirectBinding}" Location="${escapeXml(logoutUrl)}"/>`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<EntityDescriptor xmlns="${metadataUri}" entityID="${escapeXml(entityId)}">`,
    `<SPSSODescriptor protocolSupportEnumeration="${protocolUri}" AuthnRequestsSigned="${isSigned}" WantAssertionsSigned="true">`,
    key,
    logout,
    `<NameIDFormat>${persistentFormat}</NameIDFormat>`,
    `<AssertionConsumerService Binding="${postBinding}" Location="${escapeXml(acsUrl)}" index="0" isDefault="true"/>`,
    '</SPSSODescriptor>',
    '</EntityDescriptor>',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function keyInfo(pem: string): string {
  const [, certificate] = pemCertificate.exec(pem) ?? []
  const told =
    certificate === undefined
      ? keyValue(createPublicKey(pem))
      : `<X509Data><X509Certificate>${certificate.replace(/\s/g, '')}</X509Certificate></X509Data>`
  return `<KeyInfo xmlns="${signatureUri}">${told}</KeyInfo>`
}

function keyValue(key: KeyObject): string {
  const { n = '', e = '' } = key.export({ format: 'jwk' })
  const [modulus, exponent] = [n, e].map((one) => Buffer.from(one, 'base64url').toString('base64'))
  return `<KeyValue><RSAKeyValue><Modulus>${modulus}</Modulus><Exponent>${exponent}</Exponent></RSAKeyValue></KeyValue>`
}

/**
 * Reads a provider's metadata. Nothing in it is believed by this: whoever can change the file can
 * sign in as anybody, so a person compares the fingerprints first. Its own signature is not looked
 * at, since the key would come out of the same file.
 * @throws {Fault} `config_bad` for what is not the metadata of one SAML 2.0 identity provider that
 *   takes requests by redirect.
 */
export function readIdpMetadata(xml: string): IdpMetadata {
  const entities = [...everyElement(readAny(xml))].filter(
    (one) => one.uri === metadataUri && one.local === 'EntityDescriptor',
  )
  const [found, another] = entities.flatMap((entity) =>
    childrenOf(entity, metadataUri, 'IDPSSODescriptor').flatMap((role) =>
      speaksSaml2(role) ? [{ entity, role }] : [],
    ),
  )
  if (found === undefined) throw bad('names no SAML 2.0 identity provider')
  if (another !== undefined) throw bad('names more than one identity provider')
  const { entity, role } = found
  const entryPoint = childrenOf(role, metadataUri, 'SingleSignOnService')
    .find(({ attributes }) => attributes.get('Binding') === redirectBinding)
    ?.attributes.get('Location')
  const entityId = entity.attributes.get('entityID')
  if (entityId === undefined || entityId === '') throw bad('names no entity id')
  if (!isWebAddress(entryPoint)) throw bad('has no address for sign-in by redirect')
  const wantsSignedRequests = /^(true|1)$/.test(
    role.attributes.get('WantAuthnRequestsSigned') ?? '',
  )
  return { entityId, entryPoint, certificates: signingCertificates(role), wantsSignedRequests }
}

function readAny(xml: string): XmlElement {
  try {
    return readXml(xml, metadataBounds)
  } catch (cause) {
    throw bad(
      'is no XML that can be read: it must be small, well-formed and without DOCTYPE',
      cause,
    )
  }
}

function bad(what: string, cause?: unknown): Fault {
  return new Fault('config_bad', `The metadata ${what}. Nothing was taken from it.`, { cause })
}

function speaksSaml2({ attributes }: XmlElement): boolean {
  return (attributes.get('protocolSupportEnumeration') ?? '').split(/\s+/).includes(protocolUri)
}

function isWebAddress(text: string | undefined): text is string {
  const protocol = URL.parse(text ?? '')?.protocol
  return protocol === 'https:' || protocol === 'http:'
}

/** Those for signing, and those for anything; each once. */
function signingCertificates(role: XmlElement): readonly FoundCertificate[] {
  const encoded = childrenOf(role, metadataUri, 'KeyDescriptor')
    .filter(({ attributes }) => (attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((descriptor) => [...everyElement(descriptor)])
    .filter(({ uri, local }) => uri === signatureUri && local === 'X509Certificate')
    .map(({ text }) => text.replace(/\s/g, ''))
  const found = new Map<string, FoundCertificate>()
  for (const one of encoded) {
    const certificate = parseCertificate(Buffer.from(one, 'base64'))
    if (certificate === undefined) throw bad('holds a certificate that cannot be read')
    found.set(certificate.fingerprint256, {
      pem: certificate.toString(),
      fingerprint: certificate.fingerprint256,
      fromMs: +certificate.validFromDate,
      endsMs: +certificate.validToDate,
    })
  }
  if (found.size === 0) throw bad('holds no certificate for signatures')
  return [...found.values()]
}
