/** `sallyport policy explain`: every rule on one call, from a file or from the record. */
import { existsSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig } from '../config/config.ts'
import type { ConnectionConfig } from '../config/types.ts'
import { explainRecorded } from '../policy/explain-recorded.ts'
import type { Explained, ExplainedRule } from '../policy/explain-rules.ts'
import { isJudged, recordedCall } from '../policy/recorded-calls.ts'
import type { RecordedCall } from '../policy/recorded-calls.ts'
import { ToolChanges, isCallMasked } from '../policy/simulate.ts'
import type { CallFacts } from '../policy/verdict.ts'
import { textOf } from '../record/stored.ts'
import { readRecord } from '../record/read.ts'
import type { RecordPlace } from '../record/read.ts'
import { oneLine } from '../replay/plain.ts'
import { ask } from './ask.ts'
import type { Outlets } from './ask.ts'
import { findConfig, findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { openBench } from './policy-bench.ts'
import { ownConfig, partsOf, policiesOf } from './policy-files.ts'
import { principalOf } from './policy-principal.ts'
import type { PrincipalOptions } from './policy-principal.ts'
import { inForceSince, recordOf, survey } from './policy-record.ts'
import { factLines, ruleLines, verdictJson, verdictLines } from './policy-words.ts'

export interface ExplainOptions extends Where, PrincipalOptions {
  readonly connection?: string | undefined
  /** Card numbers shown in clear before. */
  readonly exposure?: string | undefined
  readonly at?: string | undefined
  /** Every part of every rule. */
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
}

/**
 * Prints every rule with its answer, then the verdict.
 * @param of a file with one JSON-RPC message, `-` for standard input, or the id of an exchange.
 * @returns 0; 2 for options that are none.
 * @throws {Fault} `config_bad`, `path_unknown`, and as a gateway refuses a message that is none.
 */
export async function explainCommand(
  of: string,
  options: ExplainOptions,
  { errors, input, out }: Outlets & { readonly input: Readable },
): Promise<number> {
  if (/^ex_[A-Za-z0-9_-]+$/.test(of) && !existsSync(of)) {
    out.write(await explainExchange(of, options, { out, errors }))
    return 0
  }
  const nowMs = options.at === undefined ? Date.now() : Date.parse(options.at)
  const clear = Number(options.exposure ?? '0')
  if (Number.isNaN(nowMs) || !Number.isSafeInteger(clear) || clear < 0) {
    errors.write('--at is a time as 2026-11-21T08:30:00Z, --exposure a count of card numbers.\n')
    return 2
  }
  const bytes = of === '-' ? await whole(input) : fileOf(of)
  const { config } = configOf(options)
  const connection = connectionOf(config.connections, options.connection)
  const bench = openBench()
  try {
    const facts = await bench.facts(bytes, connection, {
      principal: principalOf(options),
      source: { ip: '' },
      exposure: () => ({ clear, masked: 0 }),
      tool: undefined,
      nowMs,
    })
    const policy = policiesOf(partsOf(config))(connection.name)
    if (policy === undefined) throw new Fault('defect', 'A connection has no policy.')
    const explained = policy.rules.explain(connection.name, facts)
    const notes = [
      `As ${oneLine(facts.principal.subject)} at ${new Date(nowMs).toISOString()}, who was shown ${clear} card numbers in clear before, with a tool that has not changed.`,
      ...(policy.hasPoint ? ['The decision point is not asked.'] : []),
    ]
    out.write(told({ head: [], facts, explained, notes }, options))
  } finally {
    await bench.close()
  }
  return 0
}

interface Telling {
  readonly head: readonly string[]
  readonly more?: object
  readonly facts: CallFacts
  readonly explained: Explained
  /** What was taken for known. */
  readonly notes: readonly string[]
}

function told(
  { explained, facts, head, more, notes }: Telling,
  { all, json }: ExplainOptions,
): string {
  const { possible, rules, verdict } = explained
  const { findings, sql } = facts
  if (json === true) {
    const value = { ...more, sql, findings, rules, verdict: verdictJson(verdict, possible), notes }
    return `${JSON.stringify(value)}\n`
  }
  const lines = [
    ...head,
    'What is seen of it:',
    ...factLines({ findings, sql }),
    '',
    'Rules, in the order in which they are asked:',
    ...rules.flatMap((rule) => ruleLines(rule, all === true)).map((line) => `  ${line}`),
    ...(rules.length === 0 ? ['  There are none for this connection.'] : []),
    '',
    ...verdictLines(verdict, possible),
    '',
    ...notes,
  ]
  return `${lines.join('\n')}\n`
}

function configOf(options: ExplainOptions): CheckedConfig {
  if (options.config === undefined && options.data !== undefined) {
    const own = ownConfig(options, findDataDir(options))
    if (own !== undefined) return own
  }
  return findConfig(options)
}

function connectionOf(
  connections: readonly ConnectionConfig[],
  wanted: string | undefined,
): ConnectionConfig {
  const [only, ...others] = connections
  const found = connections.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  if (wanted === undefined && only !== undefined && others.length === 0) return only
  const names = connections.map(({ name }) => name).join(', ')
  const what =
    wanted === undefined ? 'Say which connection it is for' : 'There is no such connection'
  throw new Fault('config_bad', `${what}: --connection NAME. The configuration has: ${names}.`)
}

const messageBytesMax = 64 * 1024 * 1024

function fileOf(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const message = `There is no file ${path} to read, and it is no id of an exchange (ex_…).`
    throw new Fault('path_unknown', message, { cause })
  }
}

async function whole(input: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > messageBytesMax) {
      throw new Fault('too_large', `The message is longer than ${messageBytesMax} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** By the rules of today, as far as the record tells what they look at. */
async function explainExchange(
  id: string,
  options: ExplainOptions,
  outlets: Outlets,
): Promise<string> {
  const dataDir = findDataDir(options)
  const place = await recordOf(options, dataDir)
  const own = ownConfig(options, dataDir)
  if (own === undefined) throw noConfig()
  const looking = { what: 'viewing', query: `explain ${id}`, viewed: id } as const
  await ask({ ...looking, shown: 1 }, options, outlets)
  const found = await survey(place, () => undefined)
  const call = await callOf(id, place)
  const policies = policiesOf(partsOf(own.config))
  const policy = policies(call.connection)
  if (policy === undefined) {
    const message = `The configuration has no connection ${oneLine(call.connection)} any more.`
    throw new Fault('path_unknown', message)
  }
  const inForce = inForceSince(own, dataDir, found, policies)
  const explained = explainRecorded(call, policy, inForce)
  const recorded = explained.rules.filter(({ isRecorded }) => isRecorded)
  const notes = [
    ...unknownNotes(call, explained.rules),
    ...(recorded.length > 0
      ? [`Answered as it was recorded then: ${recorded.map(({ rule }) => rule).join(', ')}.`]
      : []),
    ...(policy.hasPoint ? ['The decision point is not asked.'] : []),
  ]
  const { connection, time, was, what, who } = call
  const matched = [...call.matched].join(', ')
  const head = [
    oneLine(`${id}  ${time}  ${who}  ${connection}  ${what}`),
    oneLine(`Decided then: ${was}, by ${matched === '' ? 'no rule' : matched}`),
    '',
  ]
  const more = { exchange: id, time, connection, tool: what, was, matched: [...call.matched] }
  return told({ head, more, facts: call.facts, explained, notes }, options)
}

function noConfig(): Fault {
  const message =
    'Rules stand in a configuration, and none was found for this data folder: -c FILE.'
  return new Fault('config_bad', message)
}

function unknownNotes({ unknown }: RecordedCall, rules: readonly ExplainedRule[]): string[] {
  if (!rules.some(({ answer }) => answer === 'unknown')) return []
  return [`The record does not hold: ${[...unknown].join(', ')}.`]
}

/** @throws {Fault} `path_unknown` where there is no such exchange, or no rule was asked on it. */
async function callOf(id: string, place: RecordPlace): Promise<RecordedCall> {
  const tools = new ToolChanges()
  let why: string | undefined
  let call: RecordedCall | undefined
  for await (const entry of readRecord(place)) {
    tools.see(entry)
    if (entry.exchange !== id) {
      if (call !== undefined) return call
      continue
    }
    if (call !== undefined) {
      if (isCallMasked(entry))
        return { ...call, unknown: new Set([...call.unknown, 'call.arguments']) }
    } else if (isJudged(entry)) {
      const isUnchanged = tools.isUnchanged(entry.connection ?? '')
      call = recordedCall(entry, { isMasked: false, isUnchanged })
    } else why ??= textOf(entry.fields['reason'])
  }
  if (call !== undefined) return call
  const before = why === undefined ? '' : ` It was refused before: ${why}.`
  const message = `The record has no call ${id} on which rules were asked.${before}`
  throw new Fault('path_unknown', message)
}
