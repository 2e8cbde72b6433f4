/** A recorded message for reading: the query text as it was sent, the output as it was received. */
import { NONE, readJson } from '../wire/json.ts'
import type { BodyState } from '../record/read.ts'
import type { JsonTree, Node } from '../wire/json.ts'

const limits = { bytesMax: 268_435_456, depthMax: 512 }

/** What a reader is told in the place of a body that cannot be read. */
export const unreadable: Readonly<Partial<Record<BodyState, string>>> = {
  shredded: 'content destroyed with the key of its month; this entry and its proof still stand',
  locked: 'content encrypted, and its key is not at hand',
}

/** One named piece of a message, as others wrote it: make it safe for where it is shown. */
export interface Piece {
  readonly name: string
  readonly text: string
}

/**
 * The pieces of a masked message: of a call the arguments one by one, of an answer its texts. Strings
 * are decoded, so that a query reads as it was written; all else is JSON as it came. What is no JSON
 * message comes as one piece.
 */
export function piecesOf(body: Uint8Array): Piece[] {
  let tree: JsonTree
  try {
    tree = readJson(body, limits)
  } catch {
    // Not JSON, or beyond what our reader takes: it is shown as it is.
    return [{ name: 'text', text: Buffer.from(body).toString('utf8') }]
  }
  const found = [...paramsOf(tree), ...resultOf(tree)]
  return found.length > 0 ? found : [piece(tree, 'message', tree.root)]
}

function paramsOf(tree: JsonTree): Piece[] {
  const params = tree.at('params')
  if (params === NONE) return []
  const given = tree.get(params, 'arguments')
  if (given === NONE || tree.kind(given) !== 'object') return [piece(tree, 'params', params)]
  return members(tree, given)
}

function resultOf(tree: JsonTree): Piece[] {
  const error = tree.at('error')
  if (error !== NONE) return [piece(tree, 'error', error)]
  const result = tree.at('result')
  if (result === NONE) return []
  const content = tree.get(result, 'content')
  if (content === NONE || tree.kind(content) !== 'array') return [piece(tree, 'result', result)]
  const pieces: Piece[] = []
  for (let item = tree.first(content); item !== NONE; item = tree.next(item)) {
    const text = tree.get(item, 'text')
    pieces.push(text === NONE ? piece(tree, 'content', item) : piece(tree, 'text', text))
  }
  for (let key = tree.first(result); key !== NONE; key = tree.next(key)) {
    const name = tree.text(key)
    if (name !== 'content') pieces.push(piece(tree, name, tree.value(key)))
  }
  return pieces
}

function members(tree: JsonTree, object: Node): Piece[] {
  const pieces: Piece[] = []
  for (let key = tree.first(object); key !== NONE; key = tree.next(key)) {
    pieces.push(piece(tree, tree.text(key), tree.value(key)))
  }
  return pieces
}

function piece(tree: JsonTree, name: string, node: Node): Piece {
  const isString = tree.kind(node) === 'string'
  const text = isString ? tree.text(node) : Buffer.from(tree.raw(node)).toString('utf8')
  return { name, text }
}
