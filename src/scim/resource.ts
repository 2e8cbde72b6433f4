/** Users and groups as this gateway understands them: which attributes it needs, and their form. */
import type { ScimConfig } from '../config/types.ts'
import { isWord } from '../identity/principal.ts'
import { coreGroup, coreUser, isObject, textOf, valueOf } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import type { PatchRules } from './patch.ts'
import { bad } from './refusal.ts'

/** What is read out of a user's attributes. */
export interface UserFacts {
  readonly userName: string
  /** The subject of its principal: `externalId`, in lower case where it is a GUID of Entra. */
  readonly subject: string
  readonly isActive: boolean
  readonly name: string
  readonly email?: string
}

export interface GroupFacts {
  readonly displayName: string
  /** `externalId`, in lower case with Entra. */
  readonly externalKey?: string
}

const bytesMax = 64 * 1024
const guid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const written = ['id', 'meta', 'schemas']

export function userRules({ isEntra }: ScimConfig): PatchRules {
  return {
    readOnly: new Set([...written, 'groups']),
    required: new Set(['username', 'externalid', 'active']),
    makesMissing: isEntra,
  }
}

export function groupRules({ isEntra }: ScimConfig): PatchRules {
  const required = ['displayname', ...(isEntra ? ['externalid'] : [])]
  return { readOnly: new Set(written), required: new Set(required), makesMissing: isEntra }
}

/**
 * Puts `active` into its one form, takes passwords out, and reads what is needed of a user.
 * @param body is written to.
 * @throws {Fault} `bad_request` (invalidValue), naming the attribute.
 */
export function settleUser(body: Attributes, config: ScimConfig): UserFacts {
  delete body['password'] // Sent by Okta where asked to; nobody signs in here with one.
  unwrap(body, ['active', 'displayName', 'externalId', 'userName'])
  body['active'] = readActive(body['active'])
  const userName = readWord(body, 'userName')
  const externalId = readWord(body, 'externalId')
  const subject = config.isEntra ? readGuid(externalId) : externalId
  const email = emailOf(body)
  const facts = {
    userName,
    subject,
    isActive: body['active'] === true,
    name: nameOf(body, userName),
  }
  checkSize(body)
  return { ...facts, ...(email === undefined ? {} : { email }) }
}

/** The same for a group, without its members. */
export function settleGroup(body: Attributes, config: ScimConfig): GroupFacts {
  unwrap(body, ['displayName', 'externalId'])
  const displayName = readWord(body, 'displayName')
  checkSize(body)
  if (config.isEntra) {
    return { displayName, externalKey: readGuid(readWord(body, 'externalId')) }
  }
  if (body['externalId'] === undefined) return { displayName }
  return { displayName, externalKey: readWord(body, 'externalId') }
}

/**
 * The words by which tokens name a group: its object id with Entra; elsewhere its id or its name, and
 * nobody tells us which.
 */
export function claimsOf(facts: GroupFacts, { isEntra }: ScimConfig): string[] {
  const { displayName, externalKey } = facts
  if (isEntra) return externalKey === undefined ? [] : [externalKey]
  return [...new Set(externalKey === undefined ? [displayName] : [externalKey, displayName])]
}

/** `schemas` of a resource: its own, and those of the extensions it has. */
export function schemasOf(body: Attributes, type: 'User' | 'Group'): string[] {
  const extensions = Object.keys(body).filter((key) => /^urn:/i.test(key))
  return [type === 'User' ? coreUser : coreGroup, ...extensions]
}

/**
 * Entra says `"False"`, and any text is true to JavaScript: a leaver would stay. So there are the two
 * values and their spellings in any case, and everything else is refused.
 */
function readActive(value: unknown): boolean {
  const word = typeof value === 'string' ? value.toLowerCase() : value
  if (word === true || word === 'true') return true
  if (word === false || word === 'false') return false
  throw bad('invalidValue', 'active is true or false.')
}

function readWord(body: Attributes, name: 'userName' | 'externalId' | 'displayName'): string {
  const value = body[name]
  if (isWord(value)) return value
  throw bad('invalidValue', `${name} is needed: 1 to 256 characters, none of control.`)
}

function readGuid(value: string): string {
  if (guid.test(value)) return value.toLowerCase()
  const map = 'Map objectId to externalId in the attribute mappings of the provisioning.'
  throw bad('invalidValue', `externalId is no object id of Entra. ${map}`)
}

/** Old Entra jobs wrap single values: `[{"$ref": null, "value": "False"}]`. */
function unwrap(body: Attributes, names: readonly string[]): void {
  for (const name of names) {
    const list: unknown = body[name]
    const one: unknown = Array.isArray(list) && list.length === 1 ? list[0] : undefined
    if (isObject(one) && Object.keys(one).join() === 'value') body[name] = one['value']
  }
}

/** For people to read. */
export function nameOf(body: Attributes, userName: string): string {
  const parts = valueOf(body, 'name')
  const name = isObject(parts) ? parts : {}
  const both = [textOf(name, 'givenName'), textOf(name, 'familyName')].filter(Boolean).join(' ')
  const said = [textOf(body, 'displayName'), textOf(name, 'formatted'), both]
  return said.find((word) => isWord(word) && word.trim() !== '') ?? userName
}

function emailOf(body: Attributes): string | undefined {
  const list: unknown = valueOf(body, 'emails')
  const emails = Array.isArray(list) ? list.filter(isObject) : []
  const best =
    emails.find((one) => valueOf(one, 'primary') === true) ??
    emails.find((one) => textOf(one, 'type')?.toLowerCase() === 'work') ??
    emails[0]
  const value = best && textOf(best, 'value')
  return isWord(value) ? value : undefined
}

function checkSize(body: Attributes): void {
  if (Buffer.byteLength(JSON.stringify(body)) > bytesMax) {
    throw bad('invalidValue', `A resource has ${bytesMax} bytes at most.`)
  }
}
