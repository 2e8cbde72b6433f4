/** Whether a resource is what a filter asks for. */
import { isObject, valueOf } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import type { Filter, Literal, Path, Term } from './expression.ts'

/** Identifiers are equal letter by letter, all other texts in any case (RFC 7643 §3.1, §4). */
const exactNames = new Set(['id', 'externalid'])

export function matches(resource: Attributes, filter: Filter): boolean {
  return filter.every((term) => holds(resource, term))
}

/** Whether one value of a list is what brackets ask for. A plain text in a list is its own `value`. */
export function isSelected(value: unknown, where: Filter): boolean {
  return matches(isObject(value) ? value : { value }, where)
}

function holds(resource: Attributes, { path, equals }: Term): boolean {
  const values = select(resource, path)
  if (equals === undefined) return values.length > 0
  if (equals === null) return values.length === 0 // Null and nothing are the same (RFC 7643 §2.5).
  const isExact = path.schema === undefined && exactNames.has(path.name.toLowerCase())
  return values.some((value) => isEqual(value, equals, isExact))
}

function select(resource: Attributes, { schema, name, where, sub }: Path): unknown[] {
  const home = schema === undefined ? resource : valueOf(resource, schema)
  const found = isObject(home) ? valueOf(home, name) : undefined
  const all: unknown[] = Array.isArray(found) ? found : [found]
  const chosen = all.filter(
    (one) => one !== undefined && (where === undefined || isSelected(one, where)),
  )
  if (sub === undefined) return chosen
  return chosen
    .map((one) => (isObject(one) ? valueOf(one, sub) : undefined))
    .filter((one) => one !== undefined)
}

function isEqual(found: unknown, wanted: Literal, isExact: boolean): boolean {
  // `members eq "…"` means the value of each (RFC 7643 §2.4).
  const value = isObject(found) ? valueOf(found, 'value') : found
  if (typeof value !== 'string' || typeof wanted !== 'string' || isExact) return value === wanted
  return value.toLowerCase() === wanted.toLowerCase()
}
