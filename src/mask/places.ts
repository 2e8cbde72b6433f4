/**
 * Which values of an MCP message are no content (MCP 2025-11-25 and 2026-07-28 schemas).
 *
 * *Opaque*: the server wants it back byte for byte, so it is never edited. *Echo*: the client's own
 * words coming back. Everything else is content, whatever field a later version may add.
 */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

export type PlaceKind = 'opaque' | 'uri' | 'echo'

/** A value that is no content. */
export interface Place {
  readonly node: Node
  readonly start: number
  readonly kind: PlaceKind
}

const listsOfUris = ['contents', 'resources', 'content', 'tasks', 'messages']

/** The values of a message or batch that are no content, in the order of their places. */
export function placesOf(tree: JsonTree): Place[] {
  const places: Place[] = []
  if (tree.kind(tree.root) === 'object') ofMessage(tree, tree.root, places)
  else for (let n = tree.first(tree.root); n !== NONE; n = tree.next(n)) ofMessage(tree, n, places)
  return places.length < 2 ? places : places.sort((a, b) => a.start - b.start)
}

function ofMessage(tree: JsonTree, message: Node, into: Place[]): void {
  if (tree.kind(message) !== 'object') return
  const add = (node: Node, kind: PlaceKind): void => {
    if (node === NONE) return
    const type = tree.kind(node)
    if (type === 'string' || type === 'number') into.push({ node, start: tree.start(node), kind })
  }
  const method = tree.get(message, 'method')
  add(tree.get(message, 'id'), method === NONE ? 'echo' : 'opaque')
  const params = tree.get(message, 'params')
  const result = tree.get(message, 'result')
  for (const holder of [params, result]) {
    if (holder === NONE || tree.kind(holder) !== 'object') continue
    for (const key of ['requestState', 'nextCursor', 'cursor', 'taskId'])
      add(tree.get(holder, key), 'opaque')
    add(tree.get(tree.get(holder, 'task'), 'taskId'), 'opaque')
    add(tree.get(holder, 'uri'), 'uri')
    add(tree.get(tree.get(holder, 'ref'), 'uri'), 'uri')
    const meta = tree.get(holder, '_meta')
    add(tree.get(tree.get(meta, 'io.modelcontextprotocol/related-task'), 'taskId'), 'opaque')
    add(tree.get(meta, 'io.modelcontextprotocol/subscriptionId'), 'echo')
    for (const key of listsOfUris) ofList(tree, tree.get(holder, key), add)
    add(tree.get(tree.get(tree.get(holder, 'content'), 'resource'), 'uri'), 'uri')
    ofSubscriptions(tree, tree.get(holder, 'notifications'), add)
  }
  if (params === NONE) return
  const isProgress = method !== NONE && tree.text(method) === 'notifications/progress'
  add(tree.get(params, 'progressToken'), isProgress ? 'echo' : 'opaque')
  add(tree.get(tree.get(params, '_meta'), 'progressToken'), 'opaque')
  add(tree.get(params, 'requestId'), 'opaque')
}

type Add = (node: Node, kind: PlaceKind) => void

/** Elements with a `uri`, a `taskId`, or content blocks of their own. */
function ofList(tree: JsonTree, list: Node, add: Add): void {
  if (list === NONE || tree.kind(list) !== 'array') return
  for (let n = tree.first(list); n !== NONE; n = tree.next(n)) {
    if (tree.kind(n) !== 'object') continue
    add(tree.get(n, 'uri'), 'uri')
    add(tree.get(n, 'taskId'), 'opaque')
    add(tree.get(tree.get(n, 'resource'), 'uri'), 'uri')
    const content = tree.get(n, 'content')
    if (content === NONE) continue
    add(tree.get(content, 'uri'), 'uri')
    add(tree.get(tree.get(content, 'resource'), 'uri'), 'uri')
  }
}

function ofSubscriptions(tree: JsonTree, wanted: Node, add: Add): void {
  for (const [key, kind] of [
    ['resourceSubscriptions', 'uri'],
    ['taskIds', 'opaque'],
  ] as const) {
    for (let n = tree.first(tree.get(wanted, key)); n !== NONE; n = tree.next(n)) add(n, kind)
  }
}
