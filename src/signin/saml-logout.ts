/**
 * A provider's word that somebody signed out there: LogoutRequest by redirect, taken only when it
 * is signed. Our own check: the library lets unsigned ones pass, and picks parameters by pattern.
 */
import { verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { isWord } from '../identity/principal.ts'
import { refuseSaml } from './saml-refusals.ts'
import { assertionUri, instantOf, messageAgeMaxMs, protocolUri, skewMs } from './saml-words.ts'
import { childrenOf, messageBounds, onlyChild, readXml } from './saml-xml.ts'
import type { XmlElement } from './saml-xml.ts'

export interface LogoutWanted {
  readonly idpIssuer: string
  /** Where logout requests are taken; what `Destination` must say. */
  readonly logoutUrl: string
  readonly keys: readonly KeyObject[]
  readonly nowMs: number
}

export interface LogoutRequest {
  readonly id: string
  readonly nameId: string | undefined
  readonly nameIdFormat: string | undefined
  readonly sessionIndex: string | undefined
  /** Until when it could be taken, milliseconds since 1970. */
  readonly endsMs: number
}

const hashes: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'sha512'],
])
const queryCharactersMax = 64 * 1024
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/**
 * Reads and verifies the query of a redirect.
 * @param query as it came, percent-encoded, without `?`: the signature is over these very letters.
 * @throws {Fault} `no_identity` with the reason as a word.
 *   Sources: SAML bindings §3.4.4.1, core §3.7.1.
 */
export function readLogout(query: string, wanted: LogoutWanted): LogoutRequest {
  const raw = parametersOf(query)
  checkSignature(raw, wanted.keys)
  const root = readXml(inflate(valueOf(raw, 'SAMLRequest')))
  if (root.uri !== protocolUri || root.local !== 'LogoutRequest') throw refuseSaml('structure')
  const { attributes } = root
  const id = attributes.get('ID')
  if (attributes.get('Version') !== '2.0' || !id) throw refuseSaml('structure')
  if (attributes.get('Destination') !== wanted.logoutUrl) throw refuseSaml('destination')
  const issuer = onlyChild(root, assertionUri, 'Issuer')
  if (issuer?.text !== wanted.idpIssuer) throw refuseSaml('issuer')
  if (childrenOf(root, assertionUri, 'EncryptedID').length > 0) throw refuseSaml('encrypted')
  const nameId = onlyChild(root, assertionUri, 'NameID')
  const session = onlyChild(root, protocolUri, 'SessionIndex')?.text
  if (nameId === undefined || nameId.children.length > 0) throw refuseSaml('subject')
  return {
    id,
    nameId: isWord(nameId.text) ? nameId.text : undefined,
    nameIdFormat: nameId.attributes.get('Format'),
    sessionIndex: isWord(session) ? session : undefined,
    endsMs: checkTimes(root, wanted.nowMs),
  }
}

/** Each parameter once, still encoded; RelayState may be missing. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  if (query.length > queryCharactersMax) throw refuseSaml('too_large')
  const found = new Map<string, string>()
  for (const part of query.split('&')) {
    const at = part.indexOf('=')
    const name = at < 0 ? part : part.slice(0, at)
    if (found.has(name)) throw refuseSaml('malformed')
    found.set(name, at < 0 ? '' : part.slice(at + 1))
  }
  return found
}

function valueOf(raw: ReadonlyMap<string, string>, name: string): string {
  try {
    return decodeURIComponent((raw.get(name) ?? '').replaceAll('+', ' '))
  } catch (cause) {
    throw refuseSaml('malformed', cause)
  }
}

/** Bindings §3.4.4.1: over the parameters in this order, in the letters of the sender. */
function checkSignature(raw: ReadonlyMap<string, string>, keys: readonly KeyObject[]): void {
  const signature = valueOf(raw, 'Signature')
  if (signature === '') throw refuseSaml('signature')
  const hash = hashes.get(valueOf(raw, 'SigAlg'))
  if (hash === undefined) throw refuseSaml('algorithm')
  const names = ['SAMLRequest', 'RelayState', 'SigAlg'].filter((name) => raw.has(name))
  const signed = Buffer.from(names.map((name) => `${name}=${raw.get(name)}`).join('&'), 'utf8')
  const bytes = Buffer.from(signature, 'base64')
  const isGood = base64.test(signature) && keys.some((key) => verify(hash, signed, key, bytes))
  if (!isGood) throw refuseSaml('signature')
}

/** Bounded on its way out: a kilobyte of DEFLATE can stand for a megabyte. */
function inflate(encoded: string): string {
  if (!base64.test(encoded)) throw refuseSaml('malformed')
  const bytes = Buffer.from(encoded, 'base64')
  try {
    const inflated = inflateRawSync(bytes, { maxOutputLength: messageBounds.charactersMax })
    return new TextDecoder('utf-8', { fatal: true }).decode(inflated)
  } catch (cause) {
    throw refuseSaml('malformed', cause)
  }
}

function checkTimes({ attributes }: XmlElement, nowMs: number): number {
  const issuedMs = instantOf(attributes.get('IssueInstant'))
  const endsMs = instantOf(attributes.get('NotOnOrAfter')) ?? Infinity
  if (issuedMs === undefined) throw refuseSaml('structure')
  if (issuedMs > nowMs + skewMs) throw refuseSaml('not_yet')
  if (nowMs - skewMs >= endsMs) throw refuseSaml('expired')
  if (nowMs - skewMs >= issuedMs + messageAgeMaxMs) throw refuseSaml('too_old')
  return Math.min(endsMs, issuedMs + messageAgeMaxMs)
}
