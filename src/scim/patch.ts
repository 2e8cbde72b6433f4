/**
 * PATCH of RFC 7644 §3.5.2 on one resource, as a pure function. Where Entra differs from the RFC, the
 * RFC gives way (see docs/identity/scim.md); where both can be meant, rights end rather than stay.
 */
import { clean, isMultiValued, isObject, keyFor, keyOf, valueOf } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import type { Filter, Path } from './expression.ts'
import { isSelected } from './match.ts'
import type { PatchOp } from './operations.ts'
import { bad } from './refusal.ts'

export interface PatchRules {
  /** Lower-case names that only the gateway writes. */
  readonly readOnly: ReadonlySet<string>
  /** Lower-case names that cannot be removed. */
  readonly required: ReadonlySet<string>
  /** Entra replaces `emails[type eq "work"].value` where there is none yet: it is made then. */
  readonly makesMissing: boolean
}

const valuesMax = 200

type Change = Pick<PatchOp, 'op' | 'value'>

/**
 * Applies all operations in order, or none.
 * @param resource is not written to.
 * @throws {Fault} `bad_request`: invalidPath, invalidValue, noTarget, mutability as in RFC 7644.
 */
export function applyPatch(
  resource: Attributes,
  ops: readonly PatchOp[],
  rules: PatchRules,
): Attributes {
  const target = structuredClone(resource)
  for (const op of ops) applyOne(target, op, rules)
  return target
}

function applyOne(target: Attributes, patch: PatchOp, rules: PatchRules): void {
  const { path } = patch
  if (!isMutable(patch, rules)) return
  const value = clean(patch.value)
  const op = value === null ? 'remove' : patch.op
  const home = path.schema === undefined ? target : extension(target, path.schema)
  const wasPrimary = new Set(elements(home, path.name).filter(isPrimary))
  if (path.where !== undefined) atSelected(home, path, path.where, { op, value }, rules)
  else if (path.sub !== undefined) atSub(home, path.name, path.sub, { op, value })
  else set(home, path.name, { op, value })
  keepOnePrimary(elements(home, path.name), wasPrimary)
  if (path.schema !== undefined) dropEmpty(target, path.schema)
}

/** @returns false for what is passed over. RFC 7644 §3.5.1: Okta sends the id along. */
function isMutable({ op, path, isOneOfMany }: PatchOp, rules: PatchRules): boolean {
  if (path.schema !== undefined) return true
  const lower = path.name.toLowerCase()
  if (rules.readOnly.has(lower)) {
    if (isOneOfMany) return false
    throw bad('mutability', 'Only the gateway writes this attribute.')
  }
  const isWhole = path.sub === undefined && path.where === undefined
  if (op === 'remove' && isWhole && rules.required.has(lower)) {
    throw bad('mutability', 'This attribute is required and cannot be removed.')
  }
  return true
}

function extension(target: Attributes, schema: string): Attributes {
  const key = keyFor(target, schema)
  const found = target[key]
  if (isObject(found)) return found
  const made: Attributes = {}
  target[key] = made
  return made
}

/** Puts, adds to or takes away one attribute of an object. */
function set(home: Attributes, name: string, { op, value }: Change): void {
  const key = keyFor(home, name)
  const now = home[key]
  if (op === 'remove') home[key] = remaining(now, value)
  else if (Array.isArray(now) || isMultiValued(name)) {
    const incoming: unknown[] = Array.isArray(value) ? value : [value]
    const kept: unknown[] = op === 'replace' ? [] : Array.isArray(now) ? now : []
    home[key] = union(kept, incoming)
  } else if (isObject(now) && isObject(value)) {
    for (const [sub, inner] of Object.entries(value)) set(now, sub, { op, value: inner })
  } else home[key] = value
  dropEmpty(home, key)
}

/** Entra takes values out of a list by naming them, which the RFC does not know. */
function remaining(now: unknown, value: unknown): unknown {
  if (value === undefined || value === null || !Array.isArray(now)) return undefined
  const gone: unknown[] = Array.isArray(value) ? value : [value]
  const whole = new Set(gone.map(spell))
  const byValue = new Set(gone.filter(isValueAlone).map((one) => spell(valueOf(one, 'value'))))
  const isNamed = (one: unknown): boolean => {
    if (whole.has(spell(one))) return true
    const value = isObject(one) ? valueOf(one, 'value') : undefined
    return value !== undefined && (byValue.has(spell(value)) || whole.has(spell(value)))
  }
  return now.filter((one) => !isNamed(one))
}

/** `{"value": …}`, which stands for each value that has this one. */
function isValueAlone(named: unknown): named is Attributes {
  return isObject(named) && Object.keys(named).join().toLowerCase() === 'value'
}

function union(kept: readonly unknown[], incoming: readonly unknown[]): unknown[] {
  if (kept.length + incoming.length > valuesMax) {
    throw bad('invalidValue', `An attribute has ${valuesMax} values at most.`)
  }
  const all = new Map(kept.map((one) => [spell(one), one]))
  for (const one of incoming) if (!all.has(spell(one))) all.set(spell(one), one)
  return [...all.values()]
}

/** The same text for equal values, whatever the order of their names. */
function spell(value: unknown): string {
  const sorted = (_: string, one: unknown): unknown =>
    isObject(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one
  return JSON.stringify(value, sorted) ?? ''
}

function atSub(home: Attributes, name: string, sub: string, change: Change): void {
  const key = keyFor(home, name)
  const now = home[key]
  if (now === undefined && change.op === 'remove') return
  if (now === undefined && !isMultiValued(name)) home[key] = {}
  const targets = elements(home, key).filter(isObject)
  if (targets.length === 0) throw bad('noTarget', 'The path names nothing that is there.')
  for (const one of targets) set(one, sub, change)
  dropEmpty(home, key)
}

function atSelected(
  home: Attributes,
  { name, sub }: Path,
  where: Filter,
  { op, value }: Change,
  rules: PatchRules,
): void {
  const key = keyFor(home, name)
  const all = elements(home, key)
  const hits = all.filter((one) => isSelected(one, where))
  if (op === 'remove' && sub === undefined) {
    home[key] = all.filter((one) => !hits.includes(one))
    return dropEmpty(home, key)
  }
  if (sub === undefined && !isObject(value)) throw bad('invalidValue', 'The value is no object.')
  const isMade = hits.length === 0 && op !== 'remove'
  if (isMade && op === 'replace' && !rules.makesMissing) {
    throw bad('noTarget', 'The filter of the path selects nothing.')
  }
  const targets = isMade ? [named(where)] : hits.filter(isObject)
  home[key] = isMade ? [...all, ...targets] : all
  for (const one of targets) {
    if (sub !== undefined) set(one, sub, { op, value })
    else if (isObject(value)) merge(one, value, op)
  }
  dropEmpty(home, key)
}

/** `replace` of a selected value leaves nothing of the old one; `add` adds to it. */
function merge(one: Attributes, value: Attributes, op: Change['op']): void {
  if (op === 'replace') for (const key of Object.keys(one)) delete one[key]
  for (const [key, inner] of Object.entries(value)) set(one, key, { op: 'replace', value: inner })
}

/** The value that a filter would select: what it says is equal. */
function named(where: Filter): Attributes {
  const made: Attributes = {}
  for (const { path, equals } of where) {
    const isPlain = path.schema === undefined && path.sub === undefined
    if (isPlain && equals !== undefined) made[keyFor(made, path.name)] = equals
  }
  return made
}

function elements(home: Attributes, name: string): unknown[] {
  const now = valueOf(home, name)
  return Array.isArray(now) ? now : now === undefined ? [] : [now]
}

function isPrimary(value: unknown): boolean {
  return isObject(value) && valueOf(value, 'primary') === true
}

/** RFC 7644 §3.5.2: a new primary value takes that from the one before. */
function keepOnePrimary(all: readonly unknown[], before: ReadonlySet<unknown>): void {
  if (all.filter(isPrimary).length < 2) return
  for (const one of all) {
    if (isObject(one) && before.has(one)) one[keyFor(one, 'primary')] = false
  }
}

/** Nothing, an empty list and an object without attributes are the same as no attribute. */
function dropEmpty(home: Attributes, name: string): void {
  const key = keyOf(home, name)
  if (key === undefined) return
  const now = home[key]
  const isEmptyList = Array.isArray(now) && now.length === 0
  const isBare = isObject(now) && Object.keys(now).length === 0
  if (now === undefined || isEmptyList || isBare) delete home[key]
}
