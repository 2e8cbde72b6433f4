/**
 * Headers that repeat what a modern body says, so that others can route by them (MCP 2026-07-28,
 * Streamable HTTP). We decide by the body and refuse whoever tells the two differently.
 */
import { Fault } from '../base/fault.ts'
import { isUtf8 } from 'node:buffer'
import { versionKey } from './era.ts'
import { integerOf } from './integer.ts'
import { NONE, stringAt } from './json.ts'
import type { JsonTree, Node } from './json.ts'
import type { HeaderView } from './headers.ts'
import type { Message } from './message.ts'

/** The member of params that `Mcp-Name` repeats. */
const named: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** An argument that a tool wants repeated in a header. */
export interface ParamMirror {
  /** `mcp-param-…` in lower case. */
  readonly header: string
  /** Keys from `params.arguments` down to the value. */
  readonly path: readonly string[]
}

function disagree(header: string, reason: string, what: string): Fault {
  const message = `The headers and the body do not agree: ${header} ${what}. Nothing was forwarded.`
  return new Fault('header_mismatch', message, { facts: { reason, header } })
}

/**
 * Checks `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name` of a modern message. A notification
 * need not carry the latter two, since the revision has no rule for it; what it carries must agree.
 * @throws {Fault} `header_mismatch`; `facts.header` names the field, `facts.reason` is `missing`,
 *   `repeated`, `malformed` or `different`. Neither value is in the message.
 */
export function checkMirrors(message: Message, headers: HeaderView): void {
  const { tree, params, method } = message
  const isRequest = message.kind === 'request'
  const version = stringAt(tree, tree.get(tree.get(params, '_meta'), versionKey))
  agree('MCP-Protocol-Version', plain(headers, 'MCP-Protocol-Version'), version, isRequest)
  agree('Mcp-Method', plain(headers, 'Mcp-Method'), method, isRequest)
  const member = named.get(method ?? '')
  if (member === undefined) return
  const name = stringAt(tree, tree.get(params, member))
  agree('Mcp-Name', decoded(headers, 'Mcp-Name'), name, name !== undefined)
}

function agree(
  header: string,
  said: string | undefined,
  meant: string | undefined,
  isRequired: boolean,
): void {
  if (said === undefined) {
    if (isRequired) throw disagree(header, 'missing', 'is missing')
  } else if (said !== meant) throw disagree(header, 'different', 'differs from the body')
}

function plain(headers: HeaderView, header: string): string | undefined {
  const name = header.toLowerCase()
  if (headers.count(name) > 1) throw disagree(header, 'repeated', 'was sent more than once')
  return headers.get(name)
}

/**
 * A mirrored value as text.
 * @throws {Fault} `header_mismatch` when it is repeated or malformed.
 */
function decoded(headers: HeaderView, header: string): string | undefined {
  const value = plain(headers, header)
  if (value === undefined) return undefined
  const text = decodeMirror(value)
  if (text === undefined) throw disagree(header, 'malformed', 'is not rightly encoded')
  return text
}

const sentinel = /^=\?base64\?(.*)\?=$/s

/**
 * Decodes the value of `Mcp-Name` or `Mcp-Param-*`: plain visible ASCII, or `=?base64?…?=` around
 * the base64 (RFC 4648 §4, padded) of UTF-8.
 * @param value the field's value as latin1 text.
 * @returns undefined when it is neither: bad base64, bytes that are no UTF-8, or plain text with a
 *   byte outside of 0x20 to 0x7e, which would have needed the encoding.
 */
export function decodeMirror(value: string): string | undefined {
  const inner = sentinel.exec(value)?.[1]
  if (inner === undefined) return /^[\x20-\x7e]*$/.test(value) ? value : undefined
  const bytes = Buffer.from(inner, 'base64')
  // Node skips what it does not know: only what comes out the same again was canonical.
  if (bytes.toString('base64') !== inner || !isUtf8(bytes)) return undefined
  return bytes.toString('utf8')
}

/** `text` as the value of `Mcp-Name` or `Mcp-Param-*`: as it is where that is allowed. */
export function encodeMirror(text: string): string {
  const isPlain = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/.test(text)
  if (isPlain && !sentinel.test(text)) return text
  return `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/**
 * The arguments a tool wants mirrored: properties with `x-mcp-header`, reached through `properties`
 * alone. A bad annotation (no token, twice the same, on something that is no string, integer or
 * boolean) is left out: clients must drop such a tool, and its server is the one to judge it.
 * @param schema the tool's `inputSchema` in `tree`, or NONE.
 */
export function paramMirrors(tree: JsonTree, schema: Node): readonly ParamMirror[] {
  const found: ParamMirror[] = []
  collect(tree, schema, [], found)
  const counts = new Map<string, number>()
  for (const { header } of found) counts.set(header, (counts.get(header) ?? 0) + 1)
  return found.filter(({ header }) => counts.get(header) === 1)
}

function collect(tree: JsonTree, schema: Node, path: readonly string[], to: ParamMirror[]): void {
  const properties = tree.get(schema, 'properties')
  if (properties === NONE || tree.kind(properties) !== 'object') return
  for (let key = tree.first(properties); key !== NONE; key = tree.next(key)) {
    const property = tree.value(key)
    const here = [...path, tree.text(key)]
    const name = stringAt(tree, tree.get(property, 'x-mcp-header'))
    const type = stringAt(tree, tree.get(property, 'type')) ?? ''
    const isToken = name !== undefined && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)
    if (isToken && ['string', 'integer', 'boolean'].includes(type)) {
      to.push({ header: `mcp-param-${name.toLowerCase()}`, path: here })
    }
    collect(tree, property, here, to)
  }
}

/**
 * Checks the `Mcp-Param-*` headers of a modern `tools/call` against its arguments. Integers agree
 * by value (`42.0` is `42`), texts after decoding, booleans as `true` and `false`.
 * @throws {Fault} `header_mismatch` as `checkMirrors`, also for a header whose argument is absent,
 *   null, or of a kind that cannot be mirrored.
 */
export function checkParamMirrors(
  message: Message,
  headers: HeaderView,
  mirrors: readonly ParamMirror[],
): void {
  const { tree, params } = message
  for (const { header, path } of mirrors) {
    let n = tree.get(params, 'arguments')
    for (const key of path) n = tree.get(n, key)
    const said = decoded(headers, header)
    const meant = mirrored(tree, n)
    const isInteger = meant !== undefined && tree.kind(n) === 'number'
    agree(
      header,
      isInteger && said !== undefined ? (integerOf(said) ?? said) : said,
      meant,
      meant !== undefined,
    )
  }
}

/** The `Mcp-Param-*` headers of a `tools/call` that is made here, encoded. */
export function writeParamMirrors(
  { params, tree }: Message,
  mirrors: readonly ParamMirror[],
): [name: string, value: string][] {
  return mirrors.flatMap(({ header, path }): [string, string][] => {
    let n = tree.get(params, 'arguments')
    for (const key of path) n = tree.get(n, key)
    const meant = mirrored(tree, n)
    return meant === undefined ? [] : [[header, encodeMirror(meant)]]
  })
}

/** What the header must say for the value at `n`; undefined where there must be none. */
function mirrored(tree: JsonTree, n: Node): string | undefined {
  if (n === NONE) return undefined
  const kind = tree.kind(n)
  switch (kind) {
    case 'string':
      return stringAt(tree, n)
    case 'number':
      return integerOf(Buffer.from(tree.raw(n)).toString('latin1'))
    case 'true':
    case 'false':
      return kind
    case 'null':
    case 'object':
    case 'array':
      return undefined
  }
}
