/**
 * JSON-RPC 2.0 messages as MCP sends them, in both eras. Shapes only: who may send what, and when,
 * is decided elsewhere.
 */
import { Fault } from '../base/fault.ts'
import { integerOf } from './integer.ts'
import { NONE, readJson, stringAt } from './json.ts'
import type { JsonLimits, JsonTree, Node } from './json.ts'

export { classify } from './era.ts'
export type { Spoken } from './era.ts'
export type { HeaderView } from './headers.ts'
export { checkMirrors, checkParamMirrors } from './mirrors.ts'

/** One JSON-RPC message inside a tree. */
export interface Message {
  readonly tree: JsonTree
  /** The message object: the root, or one element of a batch. */
  readonly node: Node
  readonly kind: 'request' | 'notification' | 'response'
  /**
   * The id's token as it stands, such as `1` or `"1"`: what an answer must carry. Undefined for
   * notifications and for errors about a request whose id could not be read.
   */
  readonly idRaw: string | undefined
  /**
   * The id by value: equal for `1` and `1.0`, for `"ü"` and `"\u00fc"`, never for `1` and `"1"`.
   * Correlate by this, since a peer may spell an id differently when it answers.
   */
  readonly idKey: string | undefined
  /** Decoded; undefined for responses. */
  readonly method: string | undefined
  /** The object of parameters, or NONE. */
  readonly params: Node
}

/** What one POST carries: a message, or a batch of at least one (MCP 2025-03-26 only). */
export type Posted =
  | { readonly kind: 'one'; readonly message: Message }
  | { readonly kind: 'batch'; readonly messages: readonly Message[] }

/** What a request is about; `none` for methods that name nothing. */
export interface Target {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'task' | 'none'
  readonly name: string
}

/** A batch may hold this many messages. */
export const batchMessagesMax = 100

function bad(reason: string, what: string): Fault {
  const message = `The body is not a JSON-RPC message: ${what}. Nothing was forwarded.`
  return new Fault('bad_request', message, { facts: { reason } })
}

/**
 * The id of what may or may not be a good message, for an answer that refuses it.
 * @returns the raw token of a string or number; undefined for everything else.
 */
export function idOf(tree: JsonTree, node: Node): string | undefined {
  const id = tree.get(node, 'id')
  if (id === NONE) return undefined
  const kind = tree.kind(id)
  return kind === 'string' || kind === 'number' ? rawText(tree, id) : undefined
}

/**
 * Reads the envelope of one message (JSON-RPC 2.0 §4, §5; MCP 2025-11-25 and 2026-07-28, Base
 * protocol: ids are strings or integers, never null).
 * @param node the object in `tree` that should be a message.
 * @throws {Fault} `bad_request` with `facts.reason`: `object`, `jsonrpc`, `id`, `method`, `params`
 *   or `response`.
 */
export function readMessage(tree: JsonTree, node: Node): Message {
  if (node === NONE || tree.kind(node) !== 'object') throw bad('object', 'it is not an object')
  const version = tree.get(node, 'jsonrpc')
  if (version === NONE || tree.kind(version) !== 'string' || tree.text(version) !== '2.0') {
    throw bad('jsonrpc', 'its member jsonrpc is not "2.0"')
  }
  return tree.get(node, 'method') === NONE ? readResponse(tree, node) : readCall(tree, node)
}

function readCall(tree: JsonTree, node: Node): Message {
  const method = tree.get(node, 'method')
  if (tree.kind(method) !== 'string' || !tree.isWellFormed(method)) {
    throw bad('method', 'its method is not a text')
  }
  if (tree.get(node, 'result') !== NONE || tree.get(node, 'error') !== NONE) {
    throw bad('response', 'it has a method and also a result or an error')
  }
  const params = tree.get(node, 'params')
  if (params !== NONE && tree.kind(params) !== 'object') {
    throw bad('params', 'its params are not an object')
  }
  const id = tree.get(node, 'id')
  const kind = id === NONE ? 'notification' : 'request'
  return { tree, node, kind, ...readId(tree, id), method: tree.text(method), params }
}

/** Servers answer what they could not read with an error whose id is null or absent (§5.1). */
function readResponse(tree: JsonTree, node: Node): Message {
  const error = tree.get(node, 'error')
  const hasResult = tree.get(node, 'result') !== NONE
  if (hasResult === (error !== NONE)) {
    throw bad('response', 'it has neither a method nor exactly one of result and error')
  }
  if (error !== NONE && tree.kind(error) !== 'object') {
    throw bad('response', 'its error is not an object')
  }
  const id = tree.get(node, 'id')
  const isAboutNothing = error !== NONE && (id === NONE || tree.kind(id) === 'null')
  if (id === NONE && !isAboutNothing) throw bad('id', 'it has a result but no id')
  const ids = readId(tree, isAboutNothing ? NONE : id)
  return { tree, node, kind: 'response', ...ids, method: undefined, params: NONE }
}

interface Ids {
  readonly idRaw: string | undefined
  readonly idKey: string | undefined
}

function readId(tree: JsonTree, id: Node): Ids {
  if (id === NONE) return { idRaw: undefined, idKey: undefined }
  const idKey = idKeyOf(tree, id)
  if (idKey === undefined) throw bad('id', 'its id is neither a text nor an integer')
  return { idRaw: rawText(tree, id), idKey }
}

/** The id at `id` by value, as `Message.idKey`; undefined when it is neither text nor integer. */
export function idKeyOf(tree: JsonTree, id: Node): string | undefined {
  const kind = tree.kind(id)
  if (kind === 'string' && tree.isWellFormed(id)) return `s${tree.text(id)}`
  const integer = kind === 'number' ? integerOf(rawText(tree, id)) : undefined
  return integer === undefined ? undefined : `n${integer}`
}

function rawText(tree: JsonTree, n: Node): string {
  const raw = tree.raw(n)
  return Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('utf8')
}

/**
 * Reads the body of a POST, or one message of a server: a message or a batch.
 * @throws {Fault} `bad_json`, `too_large`; `bad_request` as `readMessage`, for any element of a
 *   batch, and with reason `batch_empty` or `batch_size` for an array of none or of over 100.
 */
export function readPosted(bytes: Uint8Array, limits: JsonLimits): Posted {
  return postedOf(readJson(bytes, limits))
}

/** As `readPosted`, for a tree that has been read. */
function postedOf(tree: JsonTree): Posted {
  if (tree.kind(tree.root) !== 'array') {
    return { kind: 'one', message: readMessage(tree, tree.root) }
  }
  const size = tree.size(tree.root)
  if (size === 0) throw bad('batch_empty', 'it is an empty array')
  if (size > batchMessagesMax) {
    throw bad('batch_size', `it is an array of ${size}, allowed are ${batchMessagesMax}`)
  }
  const messages: Message[] = []
  for (let n = tree.first(tree.root); n !== NONE; n = tree.next(n)) {
    messages.push(readMessage(tree, n))
  }
  return { kind: 'batch', messages }
}

/** Which member of params names the target, and as what (MCP 2025-11-25, 2026-07-28, Schema). */
const targets: ReadonlyMap<string, readonly [Target['kind'], string]> = new Map([
  ['tools/call', ['tool', 'name']],
  ['prompts/get', ['prompt', 'name']],
  ['resources/read', ['resource', 'uri']],
  ['resources/subscribe', ['resource', 'uri']],
  ['resources/unsubscribe', ['resource', 'uri']],
  ['tasks/get', ['task', 'taskId']],
  ['tasks/result', ['task', 'taskId']],
  ['tasks/update', ['task', 'taskId']],
  ['tasks/cancel', ['task', 'taskId']],
])
const refs: ReadonlyMap<string, readonly [Target['kind'], string]> = new Map([
  ['ref/prompt', ['prompt', 'name']],
  ['ref/resource', ['resource', 'uri']],
])

/**
 * What a message is about: the tool, prompt, resource or task it names. The name is decoded.
 * @throws {Fault} `bad_params` with `facts.reason` `target` when a method that must name something
 *   does not, or names it by something other than a text.
 */
export function targetOf(message: Message): Target {
  const { tree, method, params } = message
  if (method === undefined) return { kind: 'none', name: '' }
  const isCompletion = method === 'completion/complete'
  const holder = isCompletion ? tree.get(params, 'ref') : params
  const row = isCompletion
    ? refs.get(stringAt(tree, tree.get(holder, 'type')) ?? '')
    : targets.get(method)
  if (row === undefined) {
    if (isCompletion) throw untargeted('ref.type')
    return { kind: 'none', name: '' }
  }
  const [kind, member] = row
  const name = stringAt(tree, tree.get(holder, member))
  if (name === undefined) throw untargeted(isCompletion ? `ref.${member}` : member)
  return { kind, name }
}

function untargeted(member: string): Fault {
  const message = `The request names nothing it could be about: params.${member} is missing or no text.`
  return new Fault('bad_params', message, { facts: { reason: 'target', member } })
}
