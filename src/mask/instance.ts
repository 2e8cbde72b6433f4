/**
 * A JSON value as a schema sees it, with a slot in each place that masking changes: what is in the
 * slot may be exchanged, and the value weighed again, without reading the message again.
 */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

export type Scalar = null | boolean | number | string
/** Members in a map: a key named `__proto__` is a key like any other. */
export type Members = ReadonlyMap<string, Instance>
export type Elements = readonly Instance[]
/** A value without its slot. */
export type Plain = Scalar | Elements | Members
export type Instance = Plain | Slot

/** A string or number that masking changes, with what is to stand there. */
export class Slot {
  value: string | number

  constructor(value: string | number) {
    this.value = value
  }
}

export const plainOf = (at: Instance): Plain => (at instanceof Slot ? at.value : at)

export function isElements(value: Instance): value is Elements {
  return Array.isArray(value)
}

export function isMembers(value: Instance): value is Members {
  return value instanceof Map
}

/** What stands in the changed places of a tree; each is told by the offset of its first byte. */
export interface Changes {
  /** The slot of a string or number; undefined where it stays as it is. */
  slot(tree: JsonTree, node: Node): Slot | undefined
  /** The text of a key. */
  key(tree: JsonTree, key: Node): string
}

/** Nothing is changed. */
export const unchanged: Changes = {
  slot: () => undefined,
  key: (tree, key) => tree.text(key),
}

/** The value at `node`. Numbers become doubles, as they do in the clients that will read them. */
export function instanceOf(tree: JsonTree, node: Node, changes: Changes): Instance {
  switch (tree.kind(node)) {
    case 'string':
      return changes.slot(tree, node) ?? tree.text(node)
    case 'number':
      return changes.slot(tree, node) ?? numberOf(tree.raw(node))
    case 'true':
      return true
    case 'false':
      return false
    case 'null':
      return null
    case 'array': {
      const elements: Instance[] = []
      for (let n = tree.first(node); n !== NONE; n = tree.next(n))
        elements.push(instanceOf(tree, n, changes))
      return elements
    }
    case 'object': {
      const members = new Map<string, Instance>()
      for (let k = tree.first(node); k !== NONE; k = tree.next(k))
        members.set(changes.key(tree, k), instanceOf(tree, tree.value(k), changes))
      return members
    }
  }
}

/** A number token, or what is to stand in place of one; blanks may follow. */
export function numberOf(token: Uint8Array): number {
  return Number(Buffer.from(token.buffer, token.byteOffset, token.length).toString('latin1'))
}
