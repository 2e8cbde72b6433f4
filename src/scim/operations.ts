/** What a request wants changed, as operations that each have a path (RFC 7644 §3.5.2). */
import { coreGroup, coreUser, isObject, valueOf } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { parsePath } from './expression.ts'
import type { Path } from './expression.ts'
import { Fault } from '../base/fault.ts'
import { bad } from './refusal.ts'

export interface PatchOp {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: Path
  readonly value?: unknown
  /** It was one of many in an object: what only the gateway writes is passed over in silence. */
  readonly isOneOfMany?: true
}

const operationsMax = 1_000
const cores = [coreUser, coreGroup].map((core) => core.toLowerCase())

/**
 * The operations of a PATCH body. `op` is equal in any case, for Entra writes `Replace`.
 * @throws {Fault} `too_large` over 1000 operations; `bad_request`: invalidSyntax, invalidPath,
 *   invalidValue, noTarget.
 */
export function readPatch(body: Attributes): PatchOp[] {
  const list = valueOf(body, 'Operations')
  if (!Array.isArray(list) || list.length === 0) {
    throw bad('invalidSyntax', 'A PATCH needs a list of Operations.')
  }
  if (list.length > operationsMax) {
    throw new Fault('too_large', `A PATCH has ${operationsMax} operations at most.`)
  }
  return list.flatMap(readOne)
}

/** An object of attributes as operations: with Entra its names are paths, `name.givenName`. */
export function opsOf(op: 'add' | 'replace', attributes: Attributes): PatchOp[] {
  const names = Object.keys(attributes).map((name) => name.toLowerCase())
  if (new Set(names).size < names.length) throw bad('invalidSyntax', 'An attribute stands twice.')
  return Object.entries(attributes).flatMap(([name, value]) => {
    const path = parsePath(name)
    // The core schema by its name is the resource itself: nothing may hide from us in there.
    if (isCore(path) && isObject(value)) return opsOf(op, value)
    return [{ op, path, value, isOneOfMany: true }]
  })
}

function readOne(raw: unknown): PatchOp[] {
  if (!isObject(raw)) throw bad('invalidSyntax', 'An operation is an object.')
  const op = readVerb(valueOf(raw, 'op'))
  const value = valueOf(raw, 'value')
  const text = valueOf(raw, 'path') ?? undefined
  if (text !== undefined && typeof text !== 'string') throw bad('invalidPath', 'A path is a text.')
  const path = text === undefined ? undefined : parsePath(text)
  if (op !== 'remove' && value === undefined) {
    throw bad('invalidValue', 'An add or replace needs a value.')
  }
  if (path !== undefined && !isCore(path)) return [{ op, path, value }]
  if (op === 'remove') throw bad('noTarget', 'A remove needs the path of an attribute.')
  if (!isObject(value)) throw bad('invalidValue', 'Without a path the value is an object.')
  return opsOf(op, value)
}

function readVerb(value: unknown): PatchOp['op'] {
  const verb = typeof value === 'string' ? value.toLowerCase() : ''
  if (verb === 'add' || verb === 'replace' || verb === 'remove') return verb
  throw bad('invalidSyntax', 'An op is add, replace or remove.')
}

function isCore({ name, where, sub }: Path): boolean {
  return where === undefined && sub === undefined && cores.includes(name.toLowerCase())
}
