/** How many rows a tool's result has, for rules that limit them. */
import { NONE, readJson } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

const depthMax = 8

/**
 * The rows of the largest table in a result: elements of an array of objects or arrays, in structured
 * content or in JSON that stands in a text; else the lines of a text that has columns.
 * @param message the response in its tree.
 */
export function rowsOf(tree: JsonTree, message: Node): number {
  const result = tree.get(message, 'result')
  let most = largest(tree, tree.get(result, 'structuredContent'), 0)
  const content = tree.get(result, 'content')
  for (let item = tree.first(content); item !== NONE; item = tree.next(item)) {
    const text = tree.get(item, 'text')
    if (text !== NONE && tree.kind(text) === 'string')
      most = Math.max(most, inText(tree.text(text)))
  }
  return most
}

function largest(tree: JsonTree, node: Node, depth: number): number {
  if (node === NONE || depth > depthMax) return 0
  const kind = tree.kind(node)
  let most = 0
  if (kind === 'array') {
    const first = tree.first(node)
    const isTable = first !== NONE && ['object', 'array'].includes(tree.kind(first))
    if (isTable) most = tree.size(node)
    for (let at = first; at !== NONE; at = tree.next(at)) {
      most = Math.max(most, largest(tree, at, depth + 1))
    }
  } else if (kind === 'object') {
    for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
      most = Math.max(most, largest(tree, tree.value(key), depth + 1))
    }
  }
  return most
}

function inText(text: string): number {
  const bytes = Buffer.from(text)
  if (/^\s*[[{]/.test(text)) {
    try {
      const tree = readJson(Buffer.from(text.trim()), { bytesMax: bytes.length, depthMax: 64 })
      return largest(tree, tree.root, 0)
    } catch {
      // No JSON after all: then its lines count, as those of every other text.
    }
  }
  return text.split('\n').filter((line) => /[,;|\t]/.test(line)).length
}
