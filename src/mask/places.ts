/**
 * Which values of an MCP message are no content (MCP 2025-11-25 and 2026-07-28 schemas, and the
 * tasks extension of the latter), as a table.
 *
 * *Opaque*: the server wants it back byte for byte, so it is never edited: the client gets an alias,
 * which is undone where it comes back, and nowhere else. *Echo*: the client's own words coming back.
 * Everything else is content, whatever field a later version may add.
 */
import { Broken } from '../base/assert.ts'
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

/**
 * A `uri` is opaque as well; its alias is a URI. An `echo` leaves as it came only if the client said
 * it before, and else as an alias; of an `answer`, the id of a response, that is known already.
 */
export type PlaceKind = 'opaque' | 'uri' | 'echo' | 'answer'

/** A value that is no content. */
export interface Place {
  readonly node: Node
  readonly start: number
  readonly kind: PlaceKind
}

/**
 * The parts of messages that paths begin in: what has a `method`, what answers it, their params and
 * results, and a content block or a list of them.
 */
type Shape = 'request' | 'response' | 'params' | 'result' | 'block'

/** One row: a place, or a part which is of another shape. */
export interface Mapping {
  readonly in: Shape
  /**
   * Names down to it, a blank between two; `[]` is each element of an array, `{}` each member of an
   * object, `{key}` the key of each.
   */
  readonly at: string
  readonly is: PlaceKind | Shape
  /** In messages of the server, in those of the client, or both; or said there by the client. */
  readonly way: 'out' | 'back' | 'both' | 'said'
  readonly eras: 'both' | 'legacy' | 'modern'
  readonly why: string
}

const relatedTask = '_meta io.modelcontextprotocol/related-task taskId'
const subscription = '_meta io.modelcontextprotocol/subscriptionId'

/** Every mapping. A row that is taken out makes its places content. */
// prettier-ignore
export const places: readonly Mapping[] = [
  { in: 'request', at: 'id', is: 'opaque', way: 'out', eras: 'legacy', why: "the client answers the server's request by it" },
  { in: 'request', at: 'params', is: 'params', way: 'both', eras: 'both', why: 'of requests and notifications' },
  { in: 'request', at: 'id', is: 'echo', way: 'said', eras: 'both', why: 'the server names it in its answer, and on streams' },
  { in: 'request', at: 'params _meta progressToken', is: 'echo', way: 'said', eras: 'both', why: 'the server reports progress by it' },
  { in: 'response', at: 'id', is: 'answer', way: 'both', eras: 'both', why: 'of the request that is answered' },
  { in: 'response', at: 'result', is: 'result', way: 'out', eras: 'both', why: 'of every method' },
  { in: 'response', at: 'error data elicitations []', is: 'params', way: 'out', eras: 'legacy', why: '-32042 lists what a request would ask' },

  { in: 'params', at: 'progressToken', is: 'echo', way: 'both', eras: 'both', why: 'progress on a request, by the token it brought' },
  { in: 'params', at: '_meta progressToken', is: 'opaque', way: 'out', eras: 'legacy', why: "the client reports progress on the server's request by it" },
  { in: 'params', at: 'requestId', is: 'echo', way: 'out', eras: 'both', why: "whose request is cancelled, the client's or the server's own" },
  { in: 'params', at: relatedTask, is: 'opaque', way: 'both', eras: 'legacy', why: 'names a task, whose id is asked for later' },
  { in: 'params', at: subscription, is: 'echo', way: 'out', eras: 'modern', why: 'the id of the request that opened the stream' },
  { in: 'params', at: 'cursor', is: 'opaque', way: 'both', eras: 'both', why: 'a list goes on where it ended' },
  { in: 'params', at: 'taskId', is: 'opaque', way: 'both', eras: 'both', why: 'a task is asked for, and tells its state' },
  { in: 'params', at: 'requestState', is: 'opaque', way: 'back', eras: 'modern', why: 'the next round brings it back' },
  { in: 'params', at: 'elicitationId', is: 'opaque', way: 'out', eras: 'legacy', why: 'tells which elicitation is complete' },
  { in: 'params', at: 'uri', is: 'uri', way: 'both', eras: 'both', why: 'resources are read, watched and updated by it' },
  { in: 'params', at: 'ref uri', is: 'uri', way: 'back', eras: 'both', why: 'completion for a resource' },
  { in: 'params', at: 'notifications resourceSubscriptions []', is: 'uri', way: 'both', eras: 'modern', why: 'resources that are watched' },
  { in: 'params', at: 'notifications taskIds []', is: 'opaque', way: 'both', eras: 'modern', why: 'tasks that are watched' },
  { in: 'params', at: 'messages [] content', is: 'block', way: 'out', eras: 'both', why: 'what a model is asked to go on from' },
  { in: 'params', at: 'inputRequests {}', is: 'request', way: 'out', eras: 'modern', why: 'what a task waits for' },
  { in: 'params', at: 'inputRequests {key}', is: 'opaque', way: 'out', eras: 'modern', why: 'answers are given under the same names' },
  { in: 'params', at: 'inputResponses {key}', is: 'opaque', way: 'back', eras: 'modern', why: 'the names of what was asked' },
  { in: 'params', at: 'result', is: 'result', way: 'out', eras: 'modern', why: 'what a task came to, told to its watchers' },

  { in: 'result', at: 'nextCursor', is: 'opaque', way: 'out', eras: 'both', why: 'a list goes on from it' },
  { in: 'result', at: 'requestState', is: 'opaque', way: 'out', eras: 'modern', why: 'the next round brings it back' },
  { in: 'result', at: 'taskId', is: 'opaque', way: 'out', eras: 'both', why: 'a task is asked for by it' },
  { in: 'result', at: 'task taskId', is: 'opaque', way: 'out', eras: 'legacy', why: 'the task that was made' },
  { in: 'result', at: 'tasks [] taskId', is: 'opaque', way: 'out', eras: 'legacy', why: 'the tasks there are' },
  { in: 'result', at: relatedTask, is: 'opaque', way: 'out', eras: 'legacy', why: 'names a task, whose id is asked for later' },
  { in: 'result', at: subscription, is: 'echo', way: 'out', eras: 'modern', why: 'the id of the request that opened the stream' },
  { in: 'result', at: 'contents [] uri', is: 'uri', way: 'out', eras: 'both', why: 'resources are read by it' },
  { in: 'result', at: 'resources [] uri', is: 'uri', way: 'out', eras: 'both', why: 'resources are read by it' },
  { in: 'result', at: 'content', is: 'block', way: 'out', eras: 'both', why: 'what a tool gave' },
  { in: 'result', at: 'messages [] content', is: 'block', way: 'out', eras: 'both', why: 'what a prompt says' },
  { in: 'result', at: 'inputRequests {}', is: 'request', way: 'out', eras: 'modern', why: 'what the next round is to answer' },
  { in: 'result', at: 'inputRequests {key}', is: 'opaque', way: 'out', eras: 'modern', why: 'answers are given under the same names' },
  { in: 'result', at: 'result', is: 'result', way: 'out', eras: 'modern', why: 'what a task came to' },

  { in: 'block', at: '[]', is: 'block', way: 'out', eras: 'both', why: 'content is one block or a list of them' },
  { in: 'block', at: 'uri', is: 'uri', way: 'out', eras: 'both', why: 'a link to a resource' },
  { in: 'block', at: 'resource uri', is: 'uri', way: 'out', eras: 'both', why: 'a resource that came along' },
  { in: 'block', at: 'id', is: 'opaque', way: 'out', eras: 'both', why: 'a use of a tool, which its result names' },
  { in: 'block', at: 'toolUseId', is: 'opaque', way: 'out', eras: 'both', why: 'the use of a tool that gave this' },
  { in: 'block', at: 'content', is: 'block', way: 'out', eras: 'both', why: 'what a tool gave, within a conversation' },
]

/** A table made ready: how to go on from a value, by the names below it. */
interface Step {
  is: PlaceKind | undefined
  /** By the length of the name in bytes, since most names are none of ours. */
  readonly byLength: (Named[] | undefined)[]
  element: Step | undefined
  member: Step | undefined
  key: Step | undefined
}
interface Named {
  readonly name: string
  readonly next: Step
}
export interface Places {
  readonly request: Step
  readonly response: Step
}

const newStep = (): Step => ({
  is: undefined,
  byLength: [],
  element: undefined,
  member: undefined,
  key: undefined,
})

/** Makes rows ready. @throws {Broken} when two of them contradict each other. */
export function prepare(rows: readonly Mapping[]): Places {
  const shapes = {
    request: newStep(),
    response: newStep(),
    params: newStep(),
    result: newStep(),
    block: newStep(),
  }
  for (const { in: from, at, is } of rows) {
    const names = at.split(' ')
    const last = names.pop() ?? ''
    let step = shapes[from]
    for (const name of names) step = below(step, name)
    if (isShape(is)) below(step, last, shapes[is])
    else below(step, last).is = is
  }
  return shapes
}

function isShape(is: PlaceKind | Shape): is is Shape {
  return is !== 'opaque' && is !== 'uri' && is !== 'echo' && is !== 'answer'
}

const special: Readonly<Record<string, 'element' | 'member' | 'key'>> = {
  '[]': 'element',
  '{}': 'member',
  '{key}': 'key',
}

/** The step under a name: the one there, or the one given, or a new one. */
function below(step: Step, name: string, given?: Step): Step {
  const of = special[name]
  const known =
    of === undefined ? step.byLength[name.length]?.find((one) => one.name === name)?.next : step[of]
  if (known !== undefined && given !== undefined) throw new Broken('two mappings of one place')
  if (known !== undefined) return known
  const next = given ?? newStep()
  if (of === undefined) (step.byLength[name.length] ??= []).push({ name, next })
  else step[of] = next
  return next
}

/** The rows for messages of one side. */
export const rowsFor = (
  way: 'out' | 'back' | 'said',
  rows: readonly Mapping[] = places,
): readonly Mapping[] =>
  rows.filter((row) => row.way === way || (row.way === 'both' && way !== 'said'))

/** In messages of the server. */
export const leaving: Places = prepare(rowsFor('out'))
/** Where aliases come back, in messages of the client. What the client itself says is not there. */
export const returning: Places = prepare(rowsFor('back'))
/** What a client says that its server may say back. */
export const said: Places = prepare(rowsFor('said'))

/** The values of a message or batch that are no content, in the order of their places. */
export function placesOf(tree: JsonTree, by: Places): Place[] {
  const found: Place[] = []
  if (tree.kind(tree.root) === 'object') ofMessage(tree, tree.root, by, found)
  else
    for (let n = tree.first(tree.root); n !== NONE; n = tree.next(n)) ofMessage(tree, n, by, found)
  return found
}

const nothing: Pick<Step, 'is'> = { is: undefined }

function ofMessage(tree: JsonTree, message: Node, by: Places, into: Place[]): void {
  const isRequest = tree.get(message, 'method') !== NONE
  walk(tree, message, isRequest ? by.request : by.response, into)
}

function walk(tree: JsonTree, node: Node, step: Step, into: Place[]): void {
  switch (tree.kind(node)) {
    case 'string':
    case 'number':
      if (step.is !== undefined) into.push({ node, start: tree.start(node), kind: step.is })
      break
    case 'array':
      if (step.element === undefined) break
      for (let n = tree.first(node); n !== NONE; n = tree.next(n)) walk(tree, n, step.element, into)
      break
    case 'object':
      for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
        const { is } = step.key ?? nothing
        if (is !== undefined) into.push({ node: key, start: tree.start(key), kind: is })
        const next = named(tree, key, step) ?? step.member
        if (next !== undefined) walk(tree, tree.value(key), next, into)
      }
      break
    case 'true':
    case 'false':
    case 'null':
      break
  }
}

/** The step under a key; undefined for names that are none of ours. */
function named(tree: JsonTree, key: Node, { byLength }: Step): Step | undefined {
  if (tree.isEscaped(key)) {
    const text = tree.text(key)
    return byLength[text.length]?.find(({ name }) => name === text)?.next
  }
  const from = tree.start(key) + 1
  const length = tree.end(key) - 1 - from
  const same = byLength[length]
  if (same === undefined) return undefined
  const { bytes } = tree
  for (const { name, next } of same) {
    let i = 0
    while (i < length && bytes[from + i] === name.charCodeAt(i)) i++
    if (i === length) return next
  }
  return undefined
}
