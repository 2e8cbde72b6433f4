/**
 * What a list shows: entries the principal has no grant for are cut out of the message by their
 * bytes, and nothing else is touched, so that unknown members and annotations survive
 * (MCP 2026-07-28, Server features; `x-mcp-header` must reach the client).
 */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Edit } from '../wire/splice.ts'
import type { Access } from './grants.ts'

/** Which array of the result is filtered, by which member of its elements. */
const lists: Readonly<
  Record<string, { array: string; names: 'name' | 'uri' | 'uriTemplate' | 'taskId' }>
> = {
  'tools/list': { array: 'tools', names: 'name' },
  'prompts/list': { array: 'prompts', names: 'name' },
  'resources/list': { array: 'resources', names: 'uri' },
  'resources/templates/list': { array: 'resourceTemplates', names: 'uriTemplate' },
  'tasks/list': { array: 'tasks', names: 'taskId' },
}

export interface Visible {
  /** Cuts on the message's bytes, ascending. Empty when everything may be seen. */
  readonly edits: readonly Edit[]
  /** How many entries were cut out. */
  readonly hidden: number
}

const nothing: Visible = { edits: [], hidden: 0 }
const empty = new Uint8Array(0)
const quotedPrivate = Buffer.from('"private"')

/**
 * @param method the method of the request this message answers.
 * @param message the response object inside its tree.
 * @param isTaskOfOther whether a task id is known to belong to another principal.
 */
export function visible(
  tree: JsonTree,
  message: Node,
  method: string,
  access: Access,
  isTaskOfOther: (taskId: string) => boolean,
): Visible {
  const result = tree.get(message, 'result')
  if (result === NONE) return nothing
  const scope = privateScope(tree, result)
  const list = lists[method]
  if (list === undefined) return scope === undefined ? nothing : { edits: [scope], hidden: 0 }
  const seen = (name: string): boolean => {
    if (list.names === 'name')
      return access.allows(method === 'tools/list' ? 'tool' : 'prompt', name)
    if (list.names === 'uri') return access.allows('resource', name)
    if (list.names === 'uriTemplate') return access.mayMatchTemplate(name)
    return !isTaskOfOther(name)
  }
  const array = tree.get(result, list.array)
  const cuts = array === NONE ? [] : cutElements(tree, array, list.names, seen)
  const edits = scope === undefined ? cuts : [...cuts, scope]
  edits.sort((a, b) => a.start - b.start)
  return { edits, hidden: hiddenCount(tree, array, list.names, seen) }
}

/**
 * A result made for one principal must not be kept for another: `public` becomes `private`
 * (MCP 2026-07-28, Caching). All pages and all principals alike, so that a cache never mixes them.
 */
function privateScope(tree: JsonTree, result: Node): Edit | undefined {
  const scope = tree.get(result, 'cacheScope')
  if (scope === NONE || tree.kind(scope) !== 'string' || tree.text(scope) !== 'public')
    return undefined
  return { start: tree.start(scope), end: tree.end(scope), bytes: quotedPrivate }
}

function isSeen(
  tree: JsonTree,
  element: Node,
  names: string,
  seen: (name: string) => boolean,
): boolean {
  const name = tree.get(element, names)
  return name !== NONE && tree.kind(name) === 'string' && seen(tree.text(name))
}

function hiddenCount(
  tree: JsonTree,
  array: Node,
  names: string,
  seen: (name: string) => boolean,
): number {
  if (array === NONE) return 0
  let hidden = 0
  for (let at = tree.first(array); at !== NONE; at = tree.next(at)) {
    if (!isSeen(tree, at, names, seen)) hidden++
  }
  return hidden
}

/** Cuts whole elements with one comma each, so that the array stays valid whichever are left. */
function cutElements(
  tree: JsonTree,
  array: Node,
  names: string,
  seen: (name: string) => boolean,
): Edit[] {
  const edits: Edit[] = []
  let keptBefore = false
  let lastEnd = tree.start(array) + 1 // One past the bracket, or past the last element looked at.
  for (let at = tree.first(array); at !== NONE; at = tree.next(at)) {
    const next = tree.next(at)
    const start = tree.start(at)
    const end = tree.end(at)
    if (isSeen(tree, at, names, seen)) {
      keptBefore = true
    } else if (keptBefore) {
      // With the comma ahead of it, which stands between the element before and this one.
      edits.push({ start: lastEnd, end, bytes: empty })
    } else {
      // Nothing is kept yet: with the comma behind it, if there is one.
      edits.push({ start, end: next === NONE ? end : tree.start(next), bytes: empty })
    }
    lastEnd = end
  }
  return edits
}
