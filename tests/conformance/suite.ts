/** Running one conformance suite, or one scenario of it, as its own process, and reading it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkName } from './compare.ts'
import type { Outcome, Status } from './compare.ts'

export interface Suite {
  /** Its name in `gains.json` and in what is printed. */
  readonly name: string
  /** Folder below `node_modules`. */
  readonly package: string
  /** For all of it. */
  readonly args: readonly string[]
  /** For one scenario of it, so that it speaks the same revision. */
  readonly oneArgs: readonly string[]
}

/** The pinned suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  { name: '0.1.16', package: '@modelcontextprotocol/conformance', args: [], oneArgs: [] },
  requirements('2025-11-25'),
  requirements('2026-07-28'),
]

function requirements(revision: string): Suite {
  return {
    name: `0.2 ${revision}`,
    package: 'conformance-next',
    args: ['--requirements', revision, '--timeout', '20000'],
    oneArgs: ['--spec-version', revision, '--force', '--timeout', '20000'],
  }
}

/** Twelve runs at their limit stay under fifteen minutes; the longest takes a fifth of its limit. */
const suiteMs = 60_000
const scenarioMs = 25_000
const root = join(import.meta.dirname, '../..')

export interface SuiteRun {
  readonly outcome: Outcome
  /** What the suite says of checks that did not pass, by the names of the outcome. */
  readonly messages: ReadonlyMap<string, string>
  readonly seconds: number
  /** False when it was cut off at its time limit; the outcome then holds what was written. */
  readonly ended: boolean
}

/**
 * Runs a suite against a server, at most 60 seconds (a scenario: 25).
 * @param scenario runs only this one.
 */
export async function runSuite(suite: Suite, url: string, scenario?: string): Promise<SuiteRun> {
  const out = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'))
  const started = performance.now()
  const which = scenario === undefined ? suite.args : ['--scenario', scenario, ...suite.oneArgs]
  const entry = join(root, 'node_modules', suite.package, 'dist/index.js')
  try {
    const args = [entry, 'server', '--url', url, '-o', out, ...which]
    const ended = await run(args, scenario === undefined ? suiteMs : scenarioMs)
    const seconds = (performance.now() - started) / 1000
    return { ...readOutcome(out), seconds, ended }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** Its exit code counts only scored scenarios, so it says nothing here. */
function run(args: readonly string[], timeoutMs: number): Promise<boolean> {
  const child = spawn(process.execPath, args, {
    stdio: 'ignore',
    env: { PATH: dirname(process.execPath), NO_PROXY: '*' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', (_code, signal) => done(signal === null))
  })
}

/** Reads `server-<scenario>-<time>/checks.json` of each scenario; one without the file is missing. */
function readOutcome(out: string): Pick<SuiteRun, 'outcome' | 'messages'> {
  const outcome = new Map<string, Status>()
  const messages = new Map<string, string>()
  for (const folder of readdirSync(out)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1]
    if (scenario === undefined) continue
    for (const { id, name, status, errorMessage } of readChecks(join(out, folder, 'checks.json'))) {
      let nth = 0
      while (outcome.has(checkName(scenario, id, name, nth))) nth++
      const check = checkName(scenario, id, name, nth)
      outcome.set(check, status)
      if (errorMessage !== undefined) messages.set(check, errorMessage)
    }
  }
  return { outcome, messages }
}

interface Check {
  readonly id: string
  readonly name: string
  readonly status: Status
  readonly errorMessage?: string
}

function readChecks(file: string): Check[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return [] // A scenario which broke has no file, or half of one; its checks count as missing.
  }
  if (!Array.isArray(parsed)) return []
  return parsed.filter(
    (one: unknown): one is Check =>
      typeof one === 'object' && one !== null && 'id' in one && 'name' in one && 'status' in one,
  )
}
