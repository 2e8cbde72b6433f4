/** `sallyport inspect`: what the gateway makes of messages, by the very code it uses. */
import { randomBytes } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import type { ConnectionConfig } from '../config/types.ts'
import { confidences } from '../inspect/facts.ts'
import type { Confidence, Finding, SqlFact } from '../inspect/facts.ts'
import { createInspector, inspectSettings } from '../inspect/inspector.ts'
import type { InspectSettings, Inspector } from '../inspect/inspector.ts'
import { createSqlReader } from '../inspect/sql/reader.ts'
import { pciDetection } from '../mask/detection.ts'
import { createMasker } from '../mask/masker.ts'
import type { MaskPlan, Masker } from '../mask/masker.ts'
import { NONE, readJson, stringAt } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { readMessage } from '../wire/message.ts'
import type { Message } from '../wire/message.ts'
import { inspectText } from './inspect-text.ts'
import { findConfig } from './installation.ts'
import { linesOf, write } from './lines.ts'

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 128 }
const lineBytesMax = 6 * limits.bytesMax
const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'command' }
/** As the `pci` profile has it. */
const usualThreshold: Confidence = 'high'

export interface InspectOptions {
  readonly jsonl?: boolean
  /** Its SQL arguments, dialect, cardholder names and profile; those of `pci` without. */
  readonly connection?: string
  readonly config?: string
  readonly data?: string
}

/** What is said of one message. */
export interface Judged {
  readonly verdict: 'clean' | 'suspicious'
  readonly findings: readonly Finding[]
  readonly sql: readonly SqlFact[]
}

interface Desk {
  readonly inspector: Inspector
  readonly masker: Masker
  readonly settings: InspectSettings
  readonly threshold: Confidence
}

type Direction = 'request' | 'response' | undefined

/**
 * Inspects what `input` holds: one message; or with `jsonl` each line
 * `{"id","direction","message"}`, answered by `{"id","verdict","findings","sql"}`.
 * @returns 0, or 1 when a line could not be read or the one message is suspicious; `errors` says
 *   which line and why, and the others go on. A message that is no JSON-RPC is answered as well, by
 *   a finding of the family `protocol`: the gateway would refuse it.
 * @throws {Fault} `config_bad` for a connection that is not there.
 */
export async function inspectCommand(
  options: InspectOptions,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  errors: NodeJS.WritableStream,
): Promise<number> {
  const connection = connectionOf(options)
  const desk: Desk = {
    inspector: createInspector({ sql: createSqlReader({}) }),
    masker: createMasker({ sealKey: randomBytes(32) }),
    settings: inspectSettings(connection ?? plainConnection),
    threshold: connection?.profile.suspicious ?? usualThreshold,
  }
  try {
    if (options.jsonl === true) return await inspectLines(input, output, errors, desk)
    const judged = await judge(await whole(input), undefined, desk)
    await write(output, Buffer.from(inspectText(judged)))
    return judged.verdict === 'clean' ? 0 : 1
  } finally {
    await desk.inspector.close()
  }
}

const plainConnection: Parameters<typeof inspectSettings>[0] = {
  cardholderData: { columns: [], tables: [] },
  sql: { tools: {}, schema: {} },
}

function connectionOf(options: InspectOptions): ConnectionConfig | undefined {
  if (options.connection === undefined) return undefined
  const { config } = findConfig(options)
  const found = config.connections.find(({ name }) => name === options.connection)
  if (found !== undefined) return found
  const names = config.connections.map(({ name }) => name).join(', ')
  throw new Fault('config_bad', `The configuration has no such connection. It has: ${names}.`)
}

async function inspectLines(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  errors: NodeJS.WritableStream,
  desk: Desk,
): Promise<number> {
  let number = 0
  let bad = 0
  for await (const bytes of linesOf(input, lineBytesMax)) {
    number++
    if (bytes !== undefined && bytes.every((b) => b === 0x20 || b === 0x0d || b === 0x09)) continue
    try {
      if (bytes === undefined) {
        throw new Fault('too_large', `It is longer than ${lineBytesMax} bytes.`)
      }
      await write(output, await inspectLine(bytes, desk))
    } catch (error) {
      bad++
      const why = error instanceof Fault ? `${error.code}: ${error.message}` : 'a defect'
      errors.write(`sallyport inspect: line ${number} was not inspected and is left out. ${why}\n`)
    }
  }
  return bad === 0 ? 0 : 1
}

/** The message may stand as a string of its raw text, or as it is. */
async function inspectLine(bytes: Uint8Array, desk: Desk): Promise<Uint8Array> {
  const line = readJson(bytes, { ...limits, bytesMax: lineBytesMax })
  const message = line.at('message')
  if (message === NONE) throw new Fault('bad_request', 'It has no `message`.')
  const said = stringAt(line, line.at('direction'))
  const direction = said === 'request' || said === 'response' ? said : undefined
  const isText = line.kind(message) === 'string'
  const raw = isText ? Buffer.from(line.text(message)) : line.raw(message)
  const judged = await judge(raw, direction, desk)
  const id = line.at('id')
  return Buffer.concat([
    Buffer.from('{"id":'),
    id === NONE ? Buffer.from('null') : line.raw(id),
    Buffer.from(`,${JSON.stringify(judged).slice(1)}\n`),
  ])
}

/** @param direction undefined: as the message itself shows. */
async function judge(raw: Uint8Array, direction: Direction, desk: Desk): Promise<Judged> {
  let tree: JsonTree
  try {
    // A copy: the tree lives longer than the line it came from.
    tree = readJson(Uint8Array.from(raw), limits)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return summed([refused(String(error.facts['reason'] ?? error.code), 'certain')], [], desk)
  }
  const findings: Finding[] = []
  const sql: SqlFact[] = []
  const isBatch = tree.kind(tree.root) === 'array'
  let index = 0
  for (let n = isBatch ? tree.first(tree.root) : tree.root; n !== NONE; index++) {
    const seen = await one(tree, n, direction, desk)
    const prefix = isBatch ? `/${index}` : ''
    findings.push(...seen.findings.map((found) => ({ ...found, at: prefix + found.at })))
    sql.push(...seen.sql)
    n = isBatch ? tree.next(n) : NONE
  }
  return summed([...findings, ...cardsIn(tree, direction, desk)], sql, desk)
}

async function one(
  tree: JsonTree,
  node: Node,
  direction: Direction,
  desk: Desk,
): Promise<{ findings: readonly Finding[]; sql: readonly SqlFact[] }> {
  const { message, flaw } = envelopeOf(tree, node)
  const flaws = flaw === undefined ? [] : [refused(flaw, 'low')]
  const isAnswer =
    direction === 'response' || (direction === undefined && message.kind === 'response')
  if (isAnswer) {
    return { findings: [...flaws, ...desk.inspector.answer(tree, node)], sql: [] }
  }
  const { findings, sql } = await desk.inspector.request(message, desk.settings)
  return { findings: [...flaws, ...findings], sql }
}

/** What is no good JSON-RPC is looked through all the same, as far as it can be. */
function envelopeOf(tree: JsonTree, node: Node): { message: Message; flaw?: string } {
  try {
    return { message: readMessage(tree, node) }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const method = stringAt(tree, tree.get(node, 'method'))
    const params = tree.get(node, 'params')
    const message: Message = {
      tree,
      node,
      kind: method === undefined ? 'response' : 'request',
      idRaw: undefined,
      idKey: undefined,
      method,
      params: params !== NONE && tree.kind(params) === 'object' ? params : NONE,
    }
    return { message, flaw: String(error.facts['reason'] ?? error.code) }
  }
}

function refused(what: string, confidence: Confidence): Finding {
  return { family: 'protocol', confidence, at: '', what: `refused_${what}` }
}

/** Card numbers on their way to the server. */
function cardsIn(tree: JsonTree, direction: Direction, desk: Desk): Finding[] {
  if (direction === 'response' || (direction === undefined && tree.at('result') !== NONE)) return []
  const { maskings } = desk.masker.asked(tree, plan, 'command line')
  return maskings
    .list()
    .map(({ at, confidence, kind }) => ({ family: 'card', confidence, at, what: kind }))
}

/** Suspicious: a finding that reaches the threshold, or a statement nobody can read that smells. */
function summed(findings: readonly Finding[], sql: readonly SqlFact[], desk: Desk): Judged {
  const least = confidences.indexOf(desk.threshold)
  const isSure = findings.some(({ confidence }) => confidences.indexOf(confidence) >= least)
  const smells = findings.some(
    ({ family, confidence }) => family === 'sql_injection' && confidence !== 'low',
  )
  const isUnread = sql.some(({ parsed, problem }) => !parsed && problem !== 'empty')
  return { verdict: isSure || (isUnread && smells) ? 'suspicious' : 'clean', findings, sql }
}

async function whole(input: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > limits.bytesMax) {
      throw new Fault('too_large', `The message is longer than ${limits.bytesMax} bytes.`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
