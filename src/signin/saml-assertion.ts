/** What a verified assertion says: read from the bytes that were signed, and from nothing else. */
import { refuseSaml } from './saml-refusals.ts'
import type { SamlReason } from './saml-refusals.ts'
import { assertionUri, instantOf, messageAgeMaxMs, requestAgeMaxMs, skewMs } from './saml-words.ts'
import { childrenOf, onlyChild, readXml } from './saml-xml.ts'
import type { XmlElement } from './saml-xml.ts'

export interface AssertionWanted {
  readonly idpIssuer: string
  readonly entityId: string
  readonly acsUrl: string
  readonly requestId: string
  /** When we asked, milliseconds since 1970. */
  readonly askedMs: number
  /** Whether we asked that the person proves it anew. */
  readonly isFresh: boolean
  readonly nowMs: number
}

/** An attribute's values; `structured` where one holds elements, which no reader of ours takes. */
export type AttributeValues = readonly string[] | 'structured'

export interface Assertion {
  readonly id: string
  readonly nameId: string | undefined
  readonly nameIdFormat: string | undefined
  readonly authenticatedMs: number
  /** When it was made; what it says of groups held then. */
  readonly issuedMs: number
  readonly contextClass: string | undefined
  readonly sessionIndex: string | undefined
  readonly sessionEndsMs: number | undefined
  /** Until when it could be taken, but for the skew. */
  readonly endsMs: number
  readonly attributes: ReadonlyMap<string, AttributeValues>
}

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const understood = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']
/** Sessions at a provider may last for weeks; here somebody must have proved it within a day. */
const authnAgeMaxMs = 86_400_000

/**
 * Reads an assertion and refuses it unless it is for us, for this request and for this moment.
 * @param xml the bytes that were signed, as the library gives them back.
 * @throws {Fault} `no_identity` with the reason as a word.
 *   Sources: SAML core §2.3 to §2.7, profiles §4.1.4.2 and §4.1.4.3.
 */
export function readAssertion(xml: string, wanted: AssertionWanted): Assertion {
  const root = readXml(xml)
  const id = root.attributes.get('ID')
  if (root.uri !== assertionUri || root.local !== 'Assertion') throw refuseSaml('structure')
  if (root.attributes.get('Version') !== '2.0' || !id) throw refuseSaml('structure')
  if (only(root, 'Issuer', 'issuer').text !== wanted.idpIssuer) throw refuseSaml('issuer')
  const issuedMs = checkAge(root, wanted.nowMs)
  const subject = only(root, 'Subject', 'confirmation')
  const confirmedMs = checkConfirmation(subject, wanted)
  const conditionsMs = checkConditions(root, wanted)
  const nameId = onlyChild(subject, assertionUri, 'NameID')
  return {
    id,
    nameId: nameId?.children.length === 0 ? nameId.text : undefined,
    nameIdFormat: nameId?.attributes.get('Format'),
    ...readAuthn(root, wanted),
    issuedMs,
    endsMs: Math.max(confirmedMs, conditionsMs),
    attributes: readAttributes(root),
  }
}

function only(parent: XmlElement, local: string, reason: SamlReason): XmlElement {
  const found = onlyChild(parent, assertionUri, local)
  if (found === undefined) throw refuseSaml(reason)
  return found
}

function checkAge(root: XmlElement, nowMs: number): number {
  const issuedMs = instantOf(root.attributes.get('IssueInstant'))
  if (issuedMs === undefined) throw refuseSaml('structure')
  if (issuedMs > nowMs + skewMs) throw refuseSaml('not_yet')
  if (nowMs - skewMs >= issuedMs + messageAgeMaxMs) throw refuseSaml('too_old')
  return issuedMs
}

/** `NotBefore` and `NotOnOrAfter` of an element. @returns the latter, which must be there. */
function checkWindow({ attributes }: XmlElement, nowMs: number, missing: SamlReason): number {
  const fromMs = instantOf(attributes.get('NotBefore'))
  const endsMs = instantOf(attributes.get('NotOnOrAfter'))
  if (endsMs === undefined) throw refuseSaml(missing)
  if (fromMs !== undefined && nowMs + skewMs < fromMs) throw refuseSaml('not_yet')
  if (nowMs - skewMs >= endsMs) throw refuseSaml('expired')
  return endsMs
}

/** One confirmation, by bearing: profiles §4.1.4.2. The library takes any of several. */
function checkConfirmation(subject: XmlElement, wanted: AssertionWanted): number {
  const confirmation = only(subject, 'SubjectConfirmation', 'confirmation')
  if (confirmation.attributes.get('Method') !== bearer) throw refuseSaml('confirmation')
  const where = only(confirmation, 'SubjectConfirmationData', 'confirmation')
  if (where.attributes.get('Recipient') !== wanted.acsUrl) throw refuseSaml('recipient')
  if (where.attributes.get('InResponseTo') !== wanted.requestId) throw refuseSaml('other_request')
  return checkWindow(where, wanted.nowMs, 'confirmation')
}

/** Core §2.5.1: a condition that is not understood makes the assertion invalid. */
function checkConditions(root: XmlElement, wanted: AssertionWanted): number {
  const conditions = only(root, 'Conditions', 'conditions')
  const isUnderstood = conditions.children.every(
    ({ uri, local }) => uri === assertionUri && understood.includes(local),
  )
  if (!isUnderstood) throw refuseSaml('conditions')
  const restrictions = childrenOf(conditions, assertionUri, 'AudienceRestriction')
  const isForUs = restrictions.every((restriction) =>
    childrenOf(restriction, assertionUri, 'Audience').some(({ text }) => text === wanted.entityId),
  )
  if (restrictions.length === 0 || !isForUs) throw refuseSaml('audience')
  return checkWindow(conditions, wanted.nowMs, 'conditions')
}

type Authn = Pick<Assertion, 'authenticatedMs' | 'contextClass' | 'sessionIndex' | 'sessionEndsMs'>

function readAuthn(root: XmlElement, wanted: AssertionWanted): Authn {
  const { nowMs } = wanted
  const statement = only(root, 'AuthnStatement', 'authn')
  const authenticatedMs = instantOf(statement.attributes.get('AuthnInstant'))
  if (authenticatedMs === undefined) throw refuseSaml('authn')
  if (authenticatedMs > nowMs + skewMs) throw refuseSaml('not_yet')
  const isStale = wanted.isFresh && authenticatedMs < wanted.askedMs - skewMs
  if (isStale) throw refuseSaml('not_fresh')
  if (nowMs - authenticatedMs > authnAgeMaxMs) throw refuseSaml('authn_old')
  const sessionEndsMs = instantOf(statement.attributes.get('SessionNotOnOrAfter'))
  if (sessionEndsMs !== undefined && nowMs - skewMs >= sessionEndsMs) throw refuseSaml('expired')
  const context = onlyChild(statement, assertionUri, 'AuthnContext')
  const contextClass = context && onlyChild(context, assertionUri, 'AuthnContextClassRef')
  return {
    authenticatedMs,
    contextClass: contextClass?.text.trim(),
    sessionIndex: statement.attributes.get('SessionIndex'),
    sessionEndsMs,
  }
}

/** Two attributes of one name would let one reader see the first and another the last. */
function readAttributes(root: XmlElement): Map<string, AttributeValues> {
  const found = new Map<string, AttributeValues>()
  for (const statement of childrenOf(root, assertionUri, 'AttributeStatement')) {
    for (const attribute of childrenOf(statement, assertionUri, 'Attribute')) {
      const name = attribute.attributes.get('Name')
      if (name === undefined) throw refuseSaml('attributes')
      if (found.has(name)) throw refuseSaml('duplicate_attribute')
      const values = childrenOf(attribute, assertionUri, 'AttributeValue')
      const isFlat = values.every(({ children }) => children.length === 0)
      found.set(name, isFlat ? values.map(({ text }) => text) : 'structured')
    }
  }
  return found
}

/** Whether an answer to what was asked then is still waited for. */
export function isAwaited(askedMs: number, nowMs: number): boolean {
  return nowMs - askedMs <= requestAgeMaxMs && askedMs <= nowMs
}
