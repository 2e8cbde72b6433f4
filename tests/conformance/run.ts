/**
 * `npm run conformance`: each pinned suite against each server, direct and through the gateway,
 * compared check by check. Exit 0: no check that passes directly is lost, and what the gateway
 * improves is exactly what `gains.json` lists.
 *
 * `--stand-in faithful` (or `forgetful`) puts a proxy in the gateway's place, to try this harness itself;
 * `--server NAME` and `--suite NAME` narrow the run (the list of gains then counts for that part).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { startServer } from '../peers/servers.ts'
import type { RunningServer, ServerName } from '../peers/servers.ts'
import { checkGains, compare } from './compare.ts'
import type { Comparison, Difference, Gain, Outcome } from './compare.ts'
import { gateway, standIn } from './gateway.ts'
import type { Between, Stand } from './gateway.ts'
import { runSuite, suites } from './suite.ts'
import type { Suite } from './suite.ts'

const servers: readonly ServerName[] = ['everything', 'fixture']
const rerunsMax = 2
/** Past this nothing is run again, so that the whole stays bounded. */
const budgetMs = 10 * 60_000
const started = performance.now()

interface Part {
  readonly server: ServerName
  readonly suite: Suite
  readonly comparison: Comparison
}

const gainList = z.array(
  z.strictObject({
    server: z.string(),
    suite: z.string(),
    scenario: z.string(),
    id: z.string(),
    reason: z.string().min(10),
  }),
)

function say(line: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(4)
  process.stdout.write(`${seconds} s  ${line}\n`)
}

/** `scenario id name` of a check. */
function split(check: string): { scenario: string; id: string } {
  const [scenario = '', id = ''] = check.split(' ')
  return { scenario, id }
}

async function comparePart(
  server: ServerName,
  suite: Suite,
  direct: string,
  through: string,
): Promise<Part> {
  const name = `${server}, ${suite.name}`
  const outcomes: Outcome[] = []
  for (const [side, url] of [
    ['direct', direct],
    ['through', through],
  ] as const) {
    const run = await runSuite(suite, url)
    outcomes.push(run.outcome)
    const cut = run.ended ? '' : ', CUT OFF at its time limit'
    say(`${name} ${side}: ${run.outcome.size} checks in ${run.seconds.toFixed(1)} s${cut}`)
  }
  const [before = new Map(), after = new Map()] = outcomes
  const comparison = await settle(suite, direct, through, before, after)
  show(name, comparison)
  return { server, suite, comparison }
}

/** Runs the scenarios that differ again, both sides, until they agree or it was tried twice. */
async function settle(
  suite: Suite,
  direct: string,
  through: string,
  before: Outcome,
  after: Outcome,
): Promise<Comparison> {
  const messages = new Map<string, string>()
  let comparison = compare(before, after)
  for (let again = 1; again <= rerunsMax && comparison.regressions.length > 0; again++) {
    const scenarios = new Set(comparison.regressions.map(({ check }) => split(check).scenario))
    for (const scenario of scenarios) {
      if (performance.now() - started > budgetMs) break
      say(`  again (${again} of ${rerunsMax}), it differed: ${scenario}`)
      before = replaced(before, scenario, (await runSuite(suite, direct, scenario)).outcome)
      const run = await runSuite(suite, through, scenario)
      after = replaced(after, scenario, run.outcome)
      for (const [check, message] of run.messages) messages.set(check, message)
    }
    comparison = compare(before, after)
  }
  for (const { check } of comparison.regressions) {
    say(`  ${check}: ${messages.get(check)?.slice(0, 500) ?? 'the suite says nothing'}`)
  }
  return comparison
}

/** The outcome with one scenario's checks taken from a later run of it. */
function replaced(outcome: Outcome, scenario: string, later: Outcome): Outcome {
  const kept = [...outcome].filter(([check]) => split(check).scenario !== scenario)
  return new Map([...kept, ...later])
}

function show(name: string, { direct, through, regressions, gains, others }: Comparison): void {
  const figures = (one: typeof direct): string => `${one.passed} passed, ${one.failed} failed`
  say(`${name}: direct ${figures(direct)}; through ${figures(through)}`)
  const list = (title: string, all: readonly Difference[]): void => {
    for (const one of all) say(`  ${title} ${one.check}: ${one.direct} -> ${one.through}`)
  }
  list('LOST', regressions)
  list('gained', gains)
  list('changed', others)
}

async function runAll(names: readonly ServerName[], chosen: readonly Suite[], stand: Stand) {
  const running = new Map<ServerName, RunningServer>()
  let between: Between | undefined
  try {
    for (const name of names) running.set(name, await startServer(name))
    const urls = Object.fromEntries([...running].map(([name, { url }]) => [name, url]))
    between = await stand(urls)
    say(`${names.join(' and ')}: up`)
    const parts: Part[] = []
    for (const [server, { url }] of running) {
      for (const suite of chosen) {
        parts.push(await comparePart(server, suite, url, between.url(server)))
      }
    }
    return parts
  } finally {
    await between?.close()
    for (const server of running.values()) await server.close()
  }
}

/** The last line: everything in figures. */
function verdict(parts: readonly Part[], listed: readonly Gain[]): boolean {
  const seen = parts.flatMap(({ server, suite, comparison }) =>
    comparison.gains.map(({ check }) => ({ server, suite: suite.name, ...split(check) })),
  )
  const wanted = listed.filter((gain) =>
    parts.some((part) => part.server === gain.server && part.suite.name === gain.suite),
  )
  const { unlisted, unseen } = checkGains(wanted, seen)
  for (const one of unlisted) say(`gained, NOT ON THE LIST: ${JSON.stringify(one)}`)
  for (const one of unseen) say(`ON THE LIST, not gained: ${JSON.stringify(one)}`)
  const lost = parts.flatMap(({ comparison }) => comparison.regressions).length
  const table = parts.map(({ server, suite, comparison: { direct, through } }) => {
    const both = `${direct.passed}/${direct.failed} -> ${through.passed}/${through.failed}`
    return `${server} ${suite.name} ${both}`
  })
  const empty = parts.filter(({ comparison }) => comparison.direct.passed === 0).length
  const good = lost + unlisted.length + unseen.length + empty === 0
  say(
    `${good ? 'PASSED' : 'FAILED'} (passed/failed, direct -> through): ${table.join('; ')}; ` +
      `lost ${lost}, gains ${wanted.length - unseen.length} of ${wanted.length} listed, ` +
      `unlisted ${unlisted.length}, suites without a pass ${empty}`,
  )
  return good
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'stand-in': { type: 'string' },
      server: { type: 'string' },
      suite: { type: 'string' },
    },
  })
  const names = servers.filter((name) => values.server === undefined || values.server === name)
  const chosen = suites.filter(({ name }) => values.suite === undefined || values.suite === name)
  const kinds = [undefined, 'faithful', 'forgetful']
  if (names.length === 0 || chosen.length === 0 || !kinds.includes(values['stand-in'])) {
    const words = `servers: ${servers.join(', ')}; suites: ${suites.map(({ name }) => name).join(', ')}`
    process.stderr.write(`There is no such server or suite. ${words}\n`)
    process.exitCode = 2
    return
  }
  const kind = values['stand-in']
  const plain = kind === 'faithful' || kind === 'forgetful'
  const text = readFileSync(join(import.meta.dirname, 'gains.json'), 'utf8')
  // A stand-in improves nothing.
  const listed = plain ? [] : gainList.parse(JSON.parse(text))
  try {
    const parts = await runAll(names, chosen, plain ? standIn(kind) : gateway)
    if (!verdict(parts, listed)) process.exitCode = 1
  } catch (error) {
    say(
      `FAILED, not everything could be run: ${error instanceof Error ? error.message : 'no reason'}`,
    )
    process.exitCode = 1
  }
}

// Leaving by `exit` lets the gateway be ended as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()
