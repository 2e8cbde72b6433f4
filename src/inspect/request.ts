/** What a client's message carries: findings of every family, and which of its texts are SQL. */
import { NONE, stringAt } from '../wire/json.ts'
import type { Node } from '../wire/json.ts'
import type { Message } from '../wire/message.ts'
import type { Family, Finding } from './facts.ts'
import { hiddenText } from './hidden-text.ts'
import { layersOf } from './layers.ts'
import { nosqlKey, nosqlText } from './nosql.ts'
import { pathTraversal } from './path-traversal.ts'
import { eachPiece } from './piece.ts'
import type { Piece, Sighting } from './piece.ts'
import { surer, weighed } from './prose.ts'
import { headerSighting, keySighting, nameSighting, shapeSighting, twinKeys } from './protocol.ts'
import { isSqlName, knownArguments } from './servers.ts'
import { shell } from './shell.ts'
import { sqlInjection } from './sql-injection.ts'
import { firstWord, isWholeStatement, smuggled } from './sql-whole.ts'
import { ssrf } from './ssrf.ts'
import { template } from './template.ts'
import { union } from './union.ts'

/** A text that is read as SQL. */
export interface SqlText {
  readonly text: string
  /** From the arguments: `/sql`. */
  readonly at: string
  /** Configured, known by name, or nothing else; not set where it may be prose. */
  readonly isDeclared: boolean
}

export interface Found {
  readonly findings: readonly Finding[]
  readonly sql: readonly SqlText[]
  /** Where texts were left that might be SQL, because the message has too many. */
  readonly unread: string | undefined
}

/** No message tells more, but for the first of each family and confidence. */
export const findingsMax = 200
const sqlTextsMax = 32
const endCharsMax = 65_536
/** Strings and keys of one message that are looked at. */
const piecesMax = 20_000
/** Of all of them together, in UTF-16 units; of a long text its two ends count. */
const textCharsMax = 512 * 1024

export interface RequestOptions {
  /** The argument of a tool that is SQL, by configuration. */
  readonly tools: (tool: string) => string | undefined
  /** Names of tools the connection is known to have. */
  readonly known?: readonly string[]
}

/** Methods whose params name or list something, or describe a client. */
const plainMethods: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/unsubscribe',
  'logging/setLevel',
  'tasks/list',
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
])

/** What part of the params is looked at, by method; an answer to the server is looked at whole. */
function placesOf(message: Message): readonly (readonly [node: Node, at: string, name: string])[] {
  const { tree, params, method } = message
  if (message.kind === 'response') {
    const result = tree.get(message.node, 'result')
    return result === NONE ? [] : [[result, '/result', 'content']]
  }
  if (params === NONE) return []
  const places: [Node, string, string][] = []
  const add = (node: Node, at: string, name: string): void => {
    if (node !== NONE) places.push([node, at, name])
  }
  if (method === 'resources/read' || method === 'resources/subscribe') {
    add(tree.get(params, 'uri'), '/params/uri', 'resource')
  } else if (method === 'completion/complete') {
    add(tree.get(params, 'argument'), '/params/argument', 'value')
    add(tree.get(params, 'context'), '/params/context', 'value')
  } else if (method === 'tools/call' || method === 'prompts/get') {
    add(tree.get(params, 'arguments'), '/params/arguments', 'value')
    add(tree.get(params, 'inputResponses'), '/params/inputResponses', 'content')
  } else if (!plainMethods.has(method ?? '')) add(params, '/params', 'value')
  return places
}

/** Looks through a request, notification or posted answer. Never throws. */
export function findRequest(message: Message, options: RequestOptions): Found {
  const looker = new Looker(message, options)
  looker.run()
  return looker
}

class Looker implements Found {
  readonly findings: Finding[] = []
  readonly sql: SqlText[] = []
  unread: string | undefined
  readonly #message: Message
  readonly #options: RequestOptions
  #count = 0
  #charsLeft = textCharsMax

  constructor(message: Message, options: RequestOptions) {
    this.#message = message
    this.#options = options
  }

  run(): void {
    const { tree, params, method } = this.#message
    const member = method === 'resources/read' ? 'uri' : 'name'
    const name = params === NONE ? undefined : stringAt(tree, tree.get(params, member))
    if (name !== undefined && member === 'name') {
      this.#add('protocol', nameSighting(name, this.#options.known ?? []), '/params/name')
    }
    const declared = method === 'tools/call' ? this.#declared(name ?? '') : []
    for (const [node, at, called] of placesOf(this.#message)) {
      const root = at
      this.#add('protocol', shapeSighting(tree, node), at)
      this.#twins(node, at, 0)
      const isWhole = eachPiece(tree, node, at, called, (piece) => {
        this.#piece(piece, root, declared)
        return ++this.#count < piecesMax
      })
      if (isWhole) continue
      // What was not looked at may be anything.
      this.#add('protocol', { what: 'many_values', confidence: 'high' }, at)
      if (declared.length > 0 || this.sql.length > 0) this.unread ??= ''
      break
    }
  }

  /** The arguments that hold SQL: by configuration, else as the server is known. */
  #declared(tool: string): readonly string[] {
    const configured = this.#options.tools(tool)
    if (configured !== undefined) return [configured]
    const { tree, params } = this.#message
    const args = tree.get(params, 'arguments')
    return knownArguments(tool).filter((name) => tree.get(args, name) !== NONE)
  }

  #piece(piece: Piece, root: string, declared: readonly string[]): void {
    const { text, at, isKey } = piece
    if (isKey) this.#key(text, at, root)
    else if (text.length > 1) this.#value(piece, at.slice(root.length), declared)
    if (isKey && text.length < 16) return
    this.#add('hidden_text', hiddenText(text), at)
  }

  #key(key: string, at: string, root: string): void {
    this.#add('protocol', keySighting(key), at)
    this.#add('nosql', nosqlKey(key, at.slice(root.length)), at)
    if (key.length > 3 && /[^\w.$@-]/.test(key)) {
      this.#text({ text: key, at, role: 'value', isKey: true })
    }
  }

  #value(piece: Piece, inner: string, declared: readonly string[]): void {
    const [name = ''] = inner.slice(1).split('/', 1)
    const leaf = inner.slice(inner.lastIndexOf('/') + 1)
    const isNamed = declared.includes(name) && /^[^/]*(?:\/\d+)?$/.test(inner.slice(1))
    const isDeclared =
      (isNamed && (this.#isConfigured() || isSqlArgument(this.#tool(), name))) ||
      ((isNamed || isSqlName(leaf)) && isStatementLike(piece.text))
    const isProse = piece.role === 'prose' || piece.role === 'code'
    const isWordy = isProse || wordyPrompt(piece.text)
    if (
      isDeclared ||
      isWholeStatement(piece.text, isWordy) ||
      (!isProse && bareSelect.test(piece.text))
    ) {
      if (this.sql.length < sqlTextsMax) {
        this.sql.push({ text: piece.text, at: inner, isDeclared: isDeclared || !isWordy })
      } else this.unread ??= inner
      this.#add('sql_injection', weighedSql(smuggled(piece.text), piece, isDeclared), piece.at)
      // What a shell runs may begin as a statement does.
      const isForShell = piece.role === 'command' || /^\s*\(/.test(piece.text)
      if (isDeclared || !isForShell) return
    }
    this.#text(piece)
  }

  #tool(): string {
    const { tree, params } = this.#message
    return stringAt(tree, tree.get(params, 'name')) ?? ''
  }

  #isConfigured(): boolean {
    return this.#options.tools(this.#tool()) !== undefined
  }

  /** Every reading of a text by every detector; the surest sighting of each family stands. */
  #text(piece: Piece): void {
    const { at } = piece
    // One word is no prose and no program, whatever its name says.
    const isWord = (piece.role === 'prose' || piece.role === 'code') && !/\s/.test(piece.text)
    const role = isWord ? 'value' : piece.role
    const best = new Map<Family, Sighting>()
    const keep = (family: Family, seen: Sighting | undefined): void => {
      const now = surer(best.get(family), seen)
      if (now !== undefined) best.set(family, now)
    }
    const ends = endsOf(piece.text)
    this.#charsLeft -= ends.length
    if (this.#charsLeft < 0) {
      // So much in one call is looked at by nobody in time, and may be anything.
      this.#add('protocol', { what: 'many_values', confidence: 'high' }, at)
      return
    }
    for (const { text, by } of layersOf(ends)) {
      // What is spoken of in its own words is weighed by them; what hides in an encoding is not.
      const like = { role: by === 'base64' ? ('value' as const) : role, text }
      keep('sql_injection', weighed(sqlInjection(text), like))
      keep('shell', weighed(shell(text, role), like))
      keep('path_traversal', weighed(pathTraversal(text, role), like))
      keep('ssrf', weighed(ssrf(text, role), like))
      keep('template', weighed(template(text, role), like))
      keep('nosql', weighed(nosqlText(text, { role, at }), like))
      keep('protocol', headerSighting(text))
    }
    for (const [family, seen] of best) this.#add(family, seen, at)
  }

  #twins(node: Node, at: string, depth: number): void {
    const { tree } = this.#message
    if (depth > 3 || tree.kind(node) !== 'object') return
    if (twinKeys(tree, node)) this.#add('protocol', { what: 'twin_keys', confidence: 'medium' }, at)
    for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
      this.#twins(tree.value(key), at, depth + 1)
    }
  }

  #add(family: Family, seen: Sighting | undefined, at: string): void {
    if (seen === undefined) return
    const { confidence, what } = seen
    // However much else was found, the first of a family at a confidence is told: rules go by it.
    const isFull = this.findings.length >= findingsMax
    const isKnown = (): boolean =>
      this.findings.some((one) => one.family === family && one.confidence === confidence)
    if (isFull && isKnown()) return
    this.findings.push({ family, confidence, at, what })
  }
}

/** Of a very long text its two ends: it is a document, in which nothing is more than likely. */
function endsOf(text: string): string {
  if (text.length <= 2 * endCharsMax) return text
  return `${text.slice(0, endCharsMax)}\n${text.slice(-endCharsMax)}`
}

/** `query` is also what one searches for: only what begins as SQL does is taken for it. */
function isStatementLike(text: string): boolean {
  statementStart.lastIndex = firstWord(text)
  return statementStart.test(text)
}
const statementStart = union('iy', [
  /(?:select\b(?!ed|ion)|update(?:\s[^;]{1,200}\sset\b|[/[`"])|exec\b|execute\b|explain\b|pragma\b|begin\b|commit\b|rollback\b|declare\b|analyze\b|shutdown\b|reconfigure\b|xp_|sp_|[\w.[\]]{1,128}\.(?:xp|sp)_)/iy,
  /(?:insert|delete|with|drop|create|alter|truncate|grant|revoke|merge|call|show|describe|desc|use|set|copy|vacuum|table|values|load|do|waitfor|backup|bulk|attach|lock|kill|reset|listen|notify|prepare|deallocate|fetch|handler|rename|if|print|open|reindex|dbcc)(?=\s|\/\*|--|["`[(])/iy,
  /(?:replace\s{1,8}into|deny\s{1,8}(?:select|insert|update|delete|execute|control|alter|all\s{1,8}on)|upsert\s{1,8}into|reassign\s{1,8}owned|refresh\s{1,8}materialized|security\s{1,8}label|import\s{1,8}foreign|detach\s{1,8}database|comment\s{1,8}on\s{1,8}(?:table|column|database|schema|view|function)|restore\s{1,8}(?:database|log|table)|flush\s{1,8}(?:tables?|privileges|logs)|purge\s{1,8}(?:binary|master|table|recyclebin)|discard\s{1,8}(?:all|plans|sequences|temp))\b/iy,
])

/** Tools whose argument is never prose. */
const sqlTool = /^(?:execute|run)[-_]?sql/i

/** Whether an argument of a tool that is known is SQL whatever it begins with. */
function isSqlArgument(tool: string, name: string): boolean {
  return isSqlName(name) || sqlTool.test(tool)
}

/** Plain words that are a statement as well; what is no table of cards passes either way. */
const bareSelect = /^\s{0,64}select\s[\w.,\s]{1,200}\sfrom\s{1,16}[\w.]{1,128}\s{0,64};?$/i

const wordyPrompt = (text: string): boolean => text.length < 400 && !/[;=*'"(]/.test(text)

function weighedSql(
  seen: Sighting | undefined,
  piece: Piece,
  isDeclared: boolean,
): Sighting | undefined {
  return isDeclared ? seen : weighed(seen, piece)
}
