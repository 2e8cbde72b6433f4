/**
 * `npm run bench`: everything that `docs/performance.md` states, measured on this machine in one go.
 *
 * Writes `bench/results/latest.json` (not with `--quick` or `--only`) and prints the table. Exits 1
 * when the run is void: an answer was wrong, a card came through, or the record lacks an entry. A
 * goal that is missed makes no run void: it stands in the table.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeAnswers, toolName } from './answers.ts'
import type { Size } from './answers.ts'
import { conditions } from './conditions.ts'
import { syncP50Ms } from './disk.ts'
import { missingEntries } from './entries.ts'
import { median } from './figure.ts'
import type { Figure } from './figure.ts'
import { hasGateway, startGateway } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import { restMb, streamKb } from './idle.ts'
import { instructionFigures } from './instructions.ts'
import { startNginx } from './nginx.ts'
import { partFigures } from './parts.ts'
import { startScript, unpin } from './processes.ts'
import type { Running } from './processes.ts'
import { measure } from './rounds.ts'
import type { Plan, Sample, Subject } from './rounds.ts'
import { loadFigures, printFigures, printLines, recordShare, summarise, wasQuiet } from './table.ts'

const help = `npm run bench -- [--quick] [--only NAME,...] [--rounds N] [--unpinned]
  --quick     one short round of everything, to see that it works
  --only      some of: direct bare nginx gateway idle wire scan mask sql record verify search transport
  --sizes     some of: 1KB 64KB 1MB
  --connections  some of: 1 32
  --rounds    how often each subject gets each load (default 5)
  --unpinned  let the system place the processes
Example: npm run bench -- --only bare,gateway --rounds 3`

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    sizes: { type: 'string' },
    connections: { type: 'string' },
    unpinned: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const only = flags.only?.split(',')
const listed = (list: string | undefined, name: string): boolean =>
  list === undefined || list.split(',').includes(name)
const wanted = (name: string): boolean => only === undefined || only.includes(name)

const plan: Plan = {
  sizes: (['1KB', '64KB', '1MB'] as const).filter((size) => listed(flags.sizes, size)),
  connections: [1, 32].filter((count) => listed(flags.connections, String(count))),
  rounds: Number(flags.rounds ?? (flags.quick ? 1 : 5)),
  warmMs: flags.quick ? 250 : 1000,
  firstWarmMs: flags.quick ? 250 : 4000,
  measureMs: flags.quick ? 500 : 2000,
}

/** What a run holds open, and what it has found out. */
interface Run {
  readonly folder: string
  readonly running: Running[]
  readonly subjects: Subject[]
  readonly figures: Figure[]
  readonly samples: Sample[]
  /** The disk's sync before each round: it changes with whatever else uses the disk. */
  readonly syncsMs: number[]
  /** Why the run is worth nothing; empty when it is worth something. */
  readonly void: string[]
}

async function main(): Promise<void> {
  if (flags.unpinned) unpin()
  // On the disk of the tree, not on /tmp, which is often memory: what syncs to memory costs nothing.
  const results = new URL('./results/', import.meta.url).pathname
  mkdirSync(results, { recursive: true })
  const folder = mkdtempSync(join(results, 'run-'))
  const run: Run = {
    folder,
    running: [],
    subjects: [],
    figures: [],
    samples: [],
    syncsMs: [],
    void: [],
  }
  try {
    console.log(
      Object.entries(conditions(plan))
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    )
    run.syncsMs.push(await syncP50Ms(folder))
    if (['direct', 'bare', 'nginx', 'gateway', 'idle'].some(wanted)) await measureLoad(run)
    const syncMs = median(run.syncsMs)
    run.figures.unshift(
      { name: 'fdatasync p50', value: syncMs, unit: 'ms' },
      ...loadFigures(run.samples, syncMs),
    )
    run.figures.push(...(await partFigures(wanted, flags.quick)))
    run.figures.push(...recordShare(run.samples, run.figures))
    conclude(run)
  } finally {
    await Promise.all(run.running.map((one) => one.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts everything, lets the rounds run, and looks whether all of it is in the record. */
async function measureLoad(run: Run): Promise<void> {
  const { folder, running, subjects, samples } = run
  const answers = makeAnswers()
  const server = await startScript('around', './upstream.ts', [])
  const load = await startScript('around', './load.ts', [])
  running.push(server, load)
  const gateway = await startSubjects(run, server.port)
  if (gateway !== undefined) {
    const value = await restMb(gateway)
    run.figures.push({ name: 'memory at rest', value, unit: 'MB', atMost: 90 })
  }
  // Before the load: afterwards freed memory would hide what a stream takes.
  const opened = gateway === undefined ? 0 : await measureStreams(run, gateway)
  const beforeRound = async (): Promise<void> => {
    run.syncsMs.push(await syncP50Ms(folder))
  }
  const at = { beforeRound, report: progress }
  samples.push(...(await measure(plan, subjects, answers, load, at)))
  for (const { subject, size, wrong } of samples) {
    for (const [what, times] of Object.entries(wrong)) {
      run.void.push(`${subject}, ${size}: ${what} (${times} times)`)
    }
  }
  if (gateway === undefined) return
  const { figures, made } = await instructionFigures({ plan, subjects, answers, load }, gateway)
  run.figures.push(...figures)
  for (const sample of samples.filter(({ subject }) => subject.startsWith('gateway'))) {
    made.calls += sample.calls
    if (sample.subject === 'gateway') made.cards += sample.calls * cardsOf(sample.size)
  }
  made.calls += opened
  await gateway.end()
  run.void.push(...(await missingEntries(gateway.dataDir, made)))

  function cardsOf(size: Size): number {
    return answers.get(toolName(size, 'card'))?.cards.length ?? 0
  }
}

/** @returns how many streams were opened; each is a call in the record. */
async function measureStreams(run: Run, gateway: Gateway): Promise<number> {
  if (!wanted('idle')) return 0
  const { kilobytes, opened } = await streamKb(gateway, flags.quick ? 100 : 1000)
  run.figures.push({ name: 'an idle stream', value: kilobytes, unit: 'KB', atMost: 36 })
  return opened
}

async function startSubjects(run: Run, serverPort: number): Promise<Gateway | undefined> {
  const { folder, running, subjects } = run
  const plain = { path: '/mcp', content: 'card', masks: false } as const
  if (wanted('direct')) subjects.push({ ...plain, name: 'direct', port: serverPort })
  const add = (name: string, one: Running | undefined): void => {
    if (one === undefined) return
    running.push(one)
    subjects.push({ ...plain, name, port: one.port, ...pidOf(one) })
  }
  if (wanted('bare')) add('bare', await startScript('measured', './bare.ts', [String(serverPort)]))
  if (wanted('nginx')) add('nginx', await startNginx(join(folder, 'nginx'), serverPort))
  if (!(wanted('gateway') || wanted('idle')) || !hasGateway) return undefined
  const gateway = await startGateway(join(folder, 'gateway'), serverPort)
  running.push(gateway)
  if (!wanted('gateway')) return gateway
  const authorization = await gateway.token('bench')
  const all = {
    port: gateway.port,
    path: '/mcp/bench',
    authorization,
    masks: true,
    ...pidOf(gateway),
  }
  subjects.push({ ...all, name: 'gateway', content: 'card' })
  subjects.push({ ...all, name: 'gateway, no cards', content: 'plain' })
  return gateway
}

function pidOf(one: Running): { pid?: number } {
  return one.child.pid === undefined ? {} : { pid: one.child.pid }
}

function progress(sample: Sample): void {
  const figures = `${Math.round(sample.rate)}/s, p50 ${sample.p50Ms.toFixed(3)} ms`
  const busy = sample.busy === undefined ? '' : `, ${Math.round(sample.busy * 100)} % of a core`
  const wrong = Object.keys(sample.wrong).length > 0 ? ` WRONG ${JSON.stringify(sample.wrong)}` : ''
  const place = `round ${sample.round + 1} ${sample.size} x${sample.connections} ${sample.subject}`
  console.error(`${place}: ${figures}${busy}${wrong}`)
}

function conclude(run: Run): void {
  const lines = summarise(run.samples)
  console.log('')
  if (lines.length > 0) printLines(lines)
  console.log('')
  printFigures(run.figures)
  const isQuiet = wasQuiet(run.samples)
  if (!isQuiet) console.log('NOT QUIET: others used this machine meanwhile; do not quote rates.')
  for (const why of run.void) console.log(`VOID: ${why}`)
  if (run.void.length > 0) process.exitCode = 1
  if (flags.quick || only !== undefined) return
  const found = {
    conditions: conditions(plan),
    figures: run.figures,
    lines,
    isQuiet,
    void: run.void,
  }
  const file = new URL('./results/latest.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
}

if (flags.help) console.log(help)
else await main()
