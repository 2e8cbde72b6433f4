/** Whom a verified assertion names: its attributes as the directory wants to be told. */
import type { SamlSignInConfig } from '../config/types.ts'
import { Fault } from '../base/fault.ts'
import type { Told } from '../identity/directory.ts'
import { isWord } from '../identity/principal.ts'
import type { Assertion } from './saml-assertion.ts'
import { refuseSaml, samlDown } from './saml-refusals.ts'
import type { SamlReason } from './saml-refusals.ts'
import { persistentFormat } from './saml-words.ts'

/** An Entra issuer whose people these are, by an explicit link in the configuration. */
export interface SameAs {
  /** Origin, such as `https://login.microsoftonline.com`. */
  readonly authority: string
  /** Tenants believed: GUIDs, lower case. */
  readonly tenants: readonly string[]
}

/**
 * All groups of a person with too many for an assertion, from the directory itself.
 * @throws {Fault} `identity_down` where it does not answer.
 */
export type ResolveGroups = (tid: string, oid: string) => Promise<readonly string[]>

export interface PersonRules {
  readonly config: SamlSignInConfig
  readonly sameAs?: SameAs | undefined
  readonly resolveGroups?: ResolveGroups | undefined
}

/** Whom an assertion names, before too many groups are asked for. */
export interface Named {
  readonly told: Told
  readonly amr: readonly string[]
  /** There: the assertion says that the groups are too many for it. */
  readonly overage?: { readonly tid: string; readonly oid: string }
}

/** Names of Entra's attributes: "SAML token claims reference". */
const entraNames = {
  oid: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
  tid: 'http://schemas.microsoft.com/identity/claims/tenantid',
  overage: 'http://schemas.microsoft.com/claims/groups.link',
  methods: 'http://schemas.microsoft.com/claims/authnmethodsreferences',
} as const

const emailNames = [
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'urn:oid:0.9.2342.19200300.100.1.3', // `mail` of RFC 4524 §2.16
  'mail',
  'email',
]
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const wordsMax = 1_000

/** Words of RFC 8176 for what providers say of how somebody proved who they are. */
const methodWords: ReadonlyMap<string, string> = new Map([
  ['http://schemas.microsoft.com/claims/multipleauthn', 'mfa'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password', 'pwd'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/windows', 'wia'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/x509', 'sc'],
  ['https://refeds.org/profile/mfa', 'mfa'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:Password', 'pwd'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport', 'pwd'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos', 'wia'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard', 'sc'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI', 'sc'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:X509', 'sc'],
  ['urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken', 'otp'],
])

/**
 * Reads who it is. Nothing is waited for, so that a replay can be refused before anybody is asked.
 * @throws {Fault} `no_identity`: `subject`, `tenant`, `groups`, `roles`, `overage`.
 */
export function nameOf(assertion: Assertion, rules: PersonRules): Named {
  const { config, sameAs } = rules
  const key = sameAs === undefined ? keyOf(assertion, config) : entraKey(assertion, config, sameAs)
  const overage = overageOf(assertion, rules)
  const name = single(assertion, config.nameAttribute)
  const email = emailNames.map((one) => single(assertion, one)).find((found) => found !== undefined)
  const groups = wordsOf(assertion, config.groupsAttribute, 'groups')
  const told: Told = {
    ...key,
    kind: 'person',
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    groups: sameAs === undefined ? groups : guids(groups),
    roles: wordsOf(assertion, config.rolesAttribute, 'roles'),
    claims: claimsOf(assertion, config),
  }
  return { told, amr: amrOf(assertion), ...(overage === undefined ? {} : { overage }) }
}

/**
 * The same person with all groups.
 * @throws {Fault} `identity_down`, reason `groups_down`: without the groups nobody is let in, since
 *   a group may also take rights away.
 */
export async function withAllGroups(named: Named, rules: PersonRules): Promise<Told> {
  const { overage, told } = named
  if (overage === undefined) return told
  if (rules.resolveGroups === undefined) throw refuseSaml('overage')
  try {
    return { ...told, groups: guids(await rules.resolveGroups(overage.tid, overage.oid)) }
  } catch (cause) {
    throw cause instanceof Fault ? cause : samlDown('groups_down', cause)
  }
}

type Key = Pick<Told, 'issuer' | 'subject'>

/** The persistent NameID, or the attribute named. An address or a login name can be given to
 *  somebody else, so no other kind of NameID is taken. */
function keyOf(assertion: Assertion, config: SamlSignInConfig): Key {
  const { subjectAttribute, idpIssuer } = config
  const isPersistent = assertion.nameIdFormat === persistentFormat
  const nameId = isPersistent ? assertion.nameId : undefined
  const subject = subjectAttribute === undefined ? nameId : single(assertion, subjectAttribute)
  if (!isWord(subject) || subject !== subject.trim()) throw refuseSaml('subject')
  return { issuer: idpIssuer, subject }
}

/** (tenant, object id): the person that tokens of the linked issuer name too. */
function entraKey(assertion: Assertion, config: SamlSignInConfig, sameAs: SameAs): Key {
  const { tid, oid } = tenantAndObject(assertion)
  const ofIssuer = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(config.idpIssuer.toLowerCase())
  const isOther = ofIssuer !== null && ofIssuer[0] !== tid
  if (isOther || !sameAs.tenants.includes(tid)) throw refuseSaml('tenant')
  return { issuer: `${sameAs.authority}/${tid}/v2.0`, subject: oid }
}

function tenantAndObject(assertion: Assertion): { tid: string; oid: string } {
  const tid = single(assertion, entraNames.tid)?.toLowerCase() ?? ''
  const oid = single(assertion, entraNames.oid)?.toLowerCase() ?? ''
  if (!guid.test(tid)) throw refuseSaml('tenant')
  if (!guid.test(oid)) throw refuseSaml('subject')
  return { tid, oid }
}

/** The link itself is never looked at: it names a service that is gone and could name any other. */
function overageOf(assertion: Assertion, rules: PersonRules): Named['overage'] {
  const isOver = assertion.attributes.has(entraNames.overage)
  if (!isOver) return undefined
  if (rules.resolveGroups === undefined) throw refuseSaml('overage')
  return tenantAndObject(assertion)
}

/** The only value of an attribute; undefined where it has none, several, or no word. */
function single({ attributes }: Assertion, name: string): string | undefined {
  const values = attributes.get(name)
  if (values === undefined || values === 'structured' || values.length !== 1) return undefined
  return isWord(values[0]) ? values[0] : undefined
}

/** One value or many, it is a list here. One we cannot read in full is refused: it may be the one
 *  that takes a right away. */
function wordsOf({ attributes }: Assertion, name: string, reason: SamlReason): readonly string[] {
  const values = attributes.get(name) ?? []
  const isFine = values !== 'structured' && values.length <= wordsMax && values.every(isWord)
  if (!isFine) throw refuseSaml(reason)
  return Object.freeze([...new Set(values)])
}

/** Names of groups can be changed by whoever manages them, ids cannot: only ids are taken. */
function guids(groups: readonly string[]): readonly string[] {
  const lower = groups.map((group) => group.toLowerCase())
  if (!lower.every((group) => guid.test(group))) throw refuseSaml('groups')
  return Object.freeze([...new Set(lower)])
}

/** Every other attribute, always as a list, so that a condition does not change its meaning with
 *  the second value. One that is no list of words is left out. */
function claimsOf(
  { attributes }: Assertion,
  config: SamlSignInConfig,
): Readonly<Record<string, readonly string[]>> {
  const own = [config.groupsAttribute, config.rolesAttribute, entraNames.overage]
  const claims: [string, readonly string[]][] = []
  for (const [name, values] of attributes) {
    if (own.includes(name) || !isWord(name) || values === 'structured') continue
    if (values.length <= wordsMax && values.every(isWord)) claims.push([name, [...values]])
  }
  return Object.freeze(Object.fromEntries(claims)) // Own properties, `__proto__` among them.
}

function amrOf({ attributes, contextClass }: Assertion): readonly string[] {
  const values = attributes.get(entraNames.methods) ?? []
  const said = [...(values === 'structured' ? [] : values), contextClass ?? '']
  return [...new Set(said.flatMap((one) => methodWords.get(one) ?? []))]
}
