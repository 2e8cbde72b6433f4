/** `sallyport policy test`: a policy's own cases, by the very code the gateway uses, offline. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import { showMistake } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import { readCases } from '../policy/case-file.ts'
import type { CaseFile, PolicyCase } from '../policy/case-file.ts'
import { differences } from '../policy/cases.ts'
import { compileRules } from '../policy/rules.ts'
import type { Rules } from '../policy/rules.ts'
import { counted, oneLine } from '../replay/plain.ts'
import type { Outlets } from './ask.ts'
import { findConfig } from './installation.ts'
import { openBench } from './policy-bench.ts'
import type { Around, Bench } from './policy-bench.ts'

export interface TestOptions {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
}

interface Result {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly ok: boolean
  /** What differs, or why the case could not be tried. */
  readonly differences: readonly string[]
}

/**
 * Runs the cases of files, each against the configuration named by `-c`, by the file, or beside it.
 * @param files `policy-tests.yaml` beside the configuration where there are none.
 * @returns 0, or 1 where one is not as it was expected.
 * @throws {Fault} `config_bad` with every mistake of a file of cases, or of its configuration.
 */
export async function testCommand(
  files: readonly string[],
  options: TestOptions,
  { out }: Outlets,
): Promise<number> {
  const all = files.length > 0 ? files : [besideConfig(options)]
  const bench = openBench()
  let [good, bad] = [0, 0]
  try {
    for (const file of all) {
      for await (const result of resultsOf(resolve(file), options, bench)) {
        if (result.ok) good++
        else bad++
        out.write(options.json === true ? `${JSON.stringify(result)}\n` : textOf(result))
      }
    }
  } finally {
    await bench.close()
  }
  const sum = { ok: bad === 0, passed: good, failed: bad }
  const text = `${counted(good + bad, 'case')}: ${good} as expected, ${bad} not.\n`
  out.write(options.json === true ? `${JSON.stringify(sum)}\n` : text)
  return bad === 0 ? 0 : 1
}

function besideConfig({ config }: TestOptions): string {
  return join(dirname(config ?? 'sallyport.yaml'), 'policy-tests.yaml')
}

function textOf({ differences: lines, file, line, name, ok }: Result): string {
  const head = oneLine(`${ok ? 'ok     ' : 'not ok '} ${name}`)
  if (ok) return `${head}\n`
  return `${head}  ${file}:${line}\n${lines.map((one) => `        ${oneLine(one)}\n`).join('')}`
}

async function* resultsOf(
  file: string,
  options: TestOptions,
  bench: Bench,
): AsyncGenerator<Result> {
  const { cases, config: named } = casesIn(file)
  const { config } = findConfig({ config: configFor(file, named, options) })
  // Another decision maker is not asked: cases are about the rules.
  const { connections, holds, rules: own } = config
  const rules = compileRules({ connections, holds, rules: own })
  for (const { place, test } of cases) {
    const found = await tried(test, config, rules, bench)
    const { name } = test
    const { line } = place
    yield { file: place.file, line, name, ok: found.length === 0, differences: found }
  }
}

function casesIn(file: string): CaseFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const message = `There is no file ${file} to read. Cases stand in policy-tests.yaml beside the configuration; docs/policy.md shows one.`
    throw new Fault('config_bad', message, { cause })
  }
  const read = readCases(text, basename(file))
  if ('cases' in read) return read.cases
  const lines = read.mistakes.map((mistake) => showMistake(mistake, file))
  const message = `${basename(file)} has ${counted(lines.length, 'mistake')}; no case was tried.\n${lines.join('\n')}`
  throw new Fault('config_bad', message, { facts: { mistakes: lines } })
}

function configFor(file: string, named: string | undefined, { config }: TestOptions): string {
  if (config !== undefined) return config
  if (named !== undefined) return resolve(dirname(file), named)
  const beside = join(dirname(file), 'sallyport.yaml')
  return existsSync(beside) ? beside : 'sallyport.yaml'
}

/** What differs from what a case expects; what a gateway would refuse before any rule as well. */
async function tried(
  test: PolicyCase,
  { connections }: Config,
  rules: Rules,
  bench: Bench,
): Promise<string[]> {
  const [only, ...others] = connections
  const connection =
    test.connection === undefined && others.length === 0
      ? only
      : connections.find(({ name }) => name === test.connection)
  if (connection === undefined) {
    const known = connections.map(({ name }) => name).join(', ')
    return [`connection: the configuration has ${known}`]
  }
  try {
    const facts = await bench.facts(messageOf(test), connection, aroundOf(test))
    const verdict = await rules.judge(connection.name, facts)
    return differences(test.expect, verdict, facts.findings)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return [`message: refused before any rule is asked: ${error.message}`]
  }
}

function messageOf({ call, message }: PolicyCase): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message)
  const params = call && { name: call.tool, arguments: call.arguments ?? {} }
  const whole = message ?? { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  return Buffer.from(JSON.stringify(whole))
}

/** A Monday noon: cases give the same today and tomorrow. */
const usualTime = '2026-01-05T12:00:00Z'

function aroundOf({
  at = usualTime,
  exposure,
  ip = '127.0.0.1',
  principal,
  tool,
}: PolicyCase): Around {
  const { client, groups = [], kind = 'person', name, owner, roles = [], ...who } = principal ?? {}
  const { clear = 0, masked = 0 } = exposure ?? {}
  return {
    principal: {
      issuer: who.issuer ?? 'https://issuer.example',
      subject: who.subject ?? 'somebody',
      kind,
      groups,
      roles,
      claims: who.claims ?? {},
      ...(name === undefined ? {} : { name }),
      ...(client === undefined ? {} : { clientId: client }),
      ...(owner === undefined ? {} : { owner }),
    },
    source: { ip },
    exposure: () => ({ clear, masked }),
    tool: tool && {
      description: tool.description ?? '',
      isReadOnly: tool.read_only ?? false,
      isDestructive: tool.destructive ?? true,
      isChanged: tool.changed ?? false,
      sha256: '',
    },
    nowMs: Date.parse(at),
  }
}
