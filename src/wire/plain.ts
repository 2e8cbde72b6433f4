/** A value of a tree as plain data, for whoever decides by it. Nothing is ever written back from it. */
import { integerOf } from './integer.ts'
import { NONE } from './json.ts'
import type { JsonTree, Node } from './json.ts'

/**
 * The value at a node: objects and arrays, texts, numbers, true, false, null; undefined for NONE.
 * An integer that a double cannot hold is the text of its digits, so that no two of them are one.
 * A key named `__proto__` is a member like any other.
 */
export function plainAt(tree: JsonTree, node: Node): unknown {
  if (node === NONE) return undefined
  switch (tree.kind(node)) {
    case 'object':
      return Object.fromEntries(membersOf(tree, node))
    case 'array':
      return elementsOf(tree, node)
    case 'string':
      return tree.text(node)
    case 'number':
      return numberAt(tree, node)
    case 'true':
      return true
    case 'false':
      return false
    case 'null':
      return null
  }
}

function membersOf(tree: JsonTree, node: Node): [string, unknown][] {
  const members: [string, unknown][] = []
  for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
    members.push([tree.text(key), plainAt(tree, tree.value(key))])
  }
  return members
}

function elementsOf(tree: JsonTree, node: Node): unknown[] {
  const elements: unknown[] = []
  for (let at = tree.first(node); at !== NONE; at = tree.next(at)) elements.push(plainAt(tree, at))
  return elements
}

function numberAt(tree: JsonTree, node: Node): number | string {
  const raw = Buffer.from(tree.raw(node)).toString('latin1')
  const value = Number(raw)
  const isExact =
    Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))
  if (isExact) return value
  return integerOf(raw) ?? raw
}
