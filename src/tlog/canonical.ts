/**
 * Canonical JSON (RFC 8785): the one spelling of a value, which can be hashed and signed. Entries
 * are written in it, so that whoever reads one can check that no second spelling went around.
 */
import { Fault } from '../base/fault.ts'

/**
 * The canonical JSON text of `value`: strings, finite numbers, booleans, null, arrays and plain
 * objects of these. Members whose value is undefined are an error, not left out.
 * @throws {Fault} `defect` when JSON has no spelling for it: a number that is not finite, a bigint,
 *   undefined, a function, a surrogate without its partner. The message never quotes the value.
 */
export function canonicalize(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'number':
      // JSON.stringify spells doubles as ECMAScript does, which is what RFC 8785 asks for.
      if (!Number.isFinite(value)) throw unspeakable('a number that is not finite')
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? array(value) : object(value)
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      throw unspeakable(`a value of type ${typeof value}`)
    default:
      throw unspeakable('a value of an unknown type')
  }
}

function array(values: readonly unknown[]): string {
  // Array.from also visits holes, which map() would skip and join() would spell as nothing.
  return `[${Array.from(values, canonicalize).join(',')}]`
}

function object(value: object): string {
  // Object.entries takes own members only, `__proto__` among them if JSON.parse made it. The
  // default order of sort() is that of UTF-16 code units, as RFC 8785 section 3.2.3 asks for.
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${text(key)}:${canonicalize(member)}`).join(',')}}`
}

function text(value: string): string {
  // JSON.stringify would write the surrogate as an escape, which RFC 8785 section 3.2.2.2 forbids.
  if (!value.isWellFormed()) throw unspeakable('a surrogate without its partner')
  return JSON.stringify(value)
}

function unspeakable(what: string): Fault {
  return new Fault('defect', `Canonical JSON has no spelling for ${what}.`, {
    facts: { reason: 'not_canonical' },
  })
}
