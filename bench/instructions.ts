/** Instructions a call, where the machine's counters can be read (`perf`, most hosts, few clouds). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { toolName } from './answers.ts'
import type { Answer } from './answers.ts'
import type { Made } from './entries.ts'
import type { Figure } from './figure.ts'
import type { Running } from './processes.ts'
import { makeJob, runJob } from './rounds.ts'
import type { Plan, Subject } from './rounds.ts'

const event = 'instructions:u'

/** Whether `perf` is here and counts. */
export function canCount(): boolean {
  const tried = spawnSync('perf', ['stat', '-x,', '-e', event, 'true'], { encoding: 'utf8' })
  return tried.status === 0 && /^\d+/m.test(tried.stderr)
}

/**
 * Counts what a process executes in user space while `work` runs.
 * @returns instructions, or NaN when nothing was counted.
 */
async function countInstructions(pid: number, work: () => Promise<void>): Promise<number> {
  const perf = spawn('perf', ['stat', '-x,', '-e', event, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  perf.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const ended = once(perf, 'exit')
  await work()
  perf.kill('SIGINT')
  await ended
  return Number(/^(\d+),/m.exec(told)?.[1] ?? NaN)
}

export interface Counting {
  readonly plan: Plan
  readonly subjects: readonly Subject[]
  readonly answers: ReadonlyMap<string, Answer>
  readonly load: Running
}

const goals = { '1KB': 320, '64KB': 1000, '1MB': 12_000 } as const

/** Thousands of instructions a call with all controls, by size; and what that took. */
export async function instructionFigures(
  { plan, subjects, answers, load }: Counting,
  gateway: Running,
): Promise<{ figures: Figure[]; made: Made }> {
  const subject = subjects.find((one) => one.name === 'gateway')
  const figures: Figure[] = []
  const made = { calls: 0, cards: 0 }
  if (subject === undefined || gateway.child.pid === undefined || !canCount())
    return { figures, made }
  for (const size of plan.sizes) {
    const answer = answers.get(toolName(size, subject.content))
    if (answer === undefined) continue
    const job = makeJob({ ...plan, warmMs: 0 }, subject, answer, 32)
    let calls = 0
    const counted = await countInstructions(gateway.child.pid, async () => {
      calls = (await runJob(load, job)).calls
    })
    made.calls += calls
    made.cards += calls * answer.cards.length
    const value = counted / calls / 1000
    const name = `instructions a call, ${size}`
    figures.push({ name, value, unit: 'k', atMost: goals[size] })
  }
  return { figures, made }
}
