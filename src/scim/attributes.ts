/**
 * Resources as they are kept: JSON objects whose names are equal in any case (RFC 7643 §2.1), and
 * where null, an empty list and nothing at all are the same (§2.5).
 */
import { bad } from './refusal.ts'

export type Attributes = Record<string, unknown>

export const coreUser = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const coreGroup = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const enterpriseUser = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

// `__proto__` is no name of an attribute, so no assignment below can reach a prototype.
const nameForm = /^(?:\$ref|[A-Za-z][\w-]*|urn:[^\s"[\]]+)$/i

/** The names of RFC 7643 whose case is put right; others are kept as they came. */
const known = `active addresses displayName emails entitlements externalId groups id ims locale
  members meta name nickName password phoneNumbers photos preferredLanguage profileUrl roles schemas
  timezone title userName userType x509Certificates value type primary display givenName familyName
  middleName formatted ${enterpriseUser}`
const knownNames = new Map(known.split(/\s+/).map((name) => [name.toLowerCase(), name] as const))

const multiValued = new Set(
  'addresses emails entitlements groups ims members phonenumbers photos roles x509certificates'.split(
    ' ',
  ),
)

export function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isMultiValued(name: string): boolean {
  return multiValued.has(name.toLowerCase())
}

/** The key under which an object has an attribute, whatever its case; undefined where it has none. */
export function keyOf(object: Attributes, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name
  const lower = name.toLowerCase()
  return Object.keys(object).find((key) => key.toLowerCase() === lower)
}

export function valueOf(object: Attributes, name: string): unknown {
  const key = keyOf(object, name)
  return key === undefined ? undefined : object[key]
}

export function textOf(object: Attributes, name: string): string | undefined {
  const value = valueOf(object, name)
  return typeof value === 'string' ? value : undefined
}

/**
 * The key under which to put an attribute: the one it has, else the name as RFC 7643 spells it.
 * @throws {Fault} `bad_request` (invalidPath) where it is no name of an attribute (RFC 7643 §2.1).
 */
export function keyFor(object: Attributes, name: string): string {
  const key = keyOf(object, name)
  if (key !== undefined) return key
  if (!nameForm.test(name)) throw bad('invalidPath', 'This is no name of an attribute.')
  return knownNames.get(name.toLowerCase()) ?? name
}

/**
 * A value without the nulls in it, whose names are names.
 * @throws {Fault} `bad_request` (invalidSyntax) for another name, or one twice in different case.
 */
export function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(clean)
  if (!isObject(value)) return value
  const kept: Attributes = {}
  for (const [name, inner] of Object.entries(value)) {
    if (!nameForm.test(name)) throw bad('invalidSyntax', 'A name in a value is no name.')
    if (keyOf(kept, name) !== undefined) throw bad('invalidSyntax', 'An attribute stands twice.')
    if (inner !== null) kept[knownNames.get(name.toLowerCase()) ?? name] = clean(inner)
  }
  return kept
}
