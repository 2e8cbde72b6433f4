/** Interleaved rounds: in each round every subject gets every load once, in changing order. */
import { once } from 'node:events'
import { toolName } from './answers.ts'
import type { Answer, Content, Size } from './answers.ts'
import type { Job, Outcome } from './load.ts'
import { cpuMs, residentMb } from './processes.ts'
import type { Running } from './processes.ts'

/** Something that can be called, with what it is called in the table. */
export interface Subject {
  readonly name: string
  readonly port: number
  readonly path: string
  readonly content: Content
  readonly authorization?: string
  /** Whose processor time and memory count; none for the server itself. */
  readonly pid?: number
  /** Whether its answers must come without the card numbers that stand in them. */
  readonly masks: boolean
}

/** One subject under one load in one round. */
export interface Sample {
  readonly subject: string
  readonly size: Size
  readonly connections: number
  readonly round: number
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time a call of the measured process, in microseconds. */
  readonly cpuUs?: number
  /** Share of one core that the measured process was busy. */
  readonly busy?: number
  /** The most it held at any look, in megabytes. */
  readonly residentMb?: number
  readonly calls: number
  readonly wrong: Readonly<Record<string, number>>
}

export interface Plan {
  readonly sizes: readonly Size[]
  readonly connections: readonly number[]
  readonly rounds: number
  readonly warmMs: number
  /** Warm-up of each load in the first round, for all subjects alike. */
  readonly firstWarmMs: number
  readonly measureMs: number
}

export async function measure(
  plan: Plan,
  subjects: readonly Subject[],
  answers: ReadonlyMap<string, Answer>,
  load: Running,
  at: { beforeRound: () => Promise<void>; report: (sample: Sample) => void },
): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let round = 0; round < plan.rounds; round++) {
    await at.beforeRound()
    for (const size of plan.sizes) {
      for (const connections of plan.connections) {
        for (let i = 0; i < subjects.length; i++) {
          const subject = subjects[(i + round) % subjects.length]
          if (subject === undefined) continue
          const answer = answers.get(toolName(size, subject.content))
          if (answer === undefined) continue
          // A server runs for months: what its compiler does in the first seconds is no figure of it.
          const warmMs = round === 0 ? plan.firstWarmMs : plan.warmMs
          const job = makeJob({ ...plan, warmMs }, subject, answer, connections)
          const sample = { size, connections, round, ...(await one(subject, job, load)) }
          samples.push(sample)
          at.report(sample)
        }
      }
    }
  }
  return samples
}

/** What a call to this subject is, and what must be true of its answers. */
export function makeJob(plan: Plan, subject: Subject, answer: Answer, connections: number): Job {
  const lastFour = answer.cards[0]?.slice(-4) ?? ''
  return {
    port: subject.port,
    path: subject.path,
    tool: answer.tool,
    connections,
    warmMs: plan.warmMs,
    measureMs: plan.measureMs,
    patienceMs: 10_000,
    forbidden: subject.masks ? answer.cards : [],
    // Masked, a number keeps its length and its last four: so we know that it was not just lost.
    expected: subject.masks && lastFour !== '' ? `************${lastFour}` : 'success',
    sampleEvery: answer.body.length > 100_000 ? 64 : 256,
    ...(subject.authorization === undefined ? {} : { authorization: subject.authorization }),
  }
}

/** Runs one job in the load process. */
export async function runJob(load: Running, job: Job): Promise<Outcome> {
  const answered = once(load.child, 'message')
  load.child.send(job)
  const [outcome]: Outcome[] = await answered
  if (outcome === undefined) throw new Error('the load said nothing')
  return outcome
}

type Measured = Omit<Sample, 'size' | 'connections' | 'round'>

async function one(subject: Subject, job: Job, load: Running): Promise<Measured> {
  const { pid } = subject
  const cpuBefore = pid === undefined ? 0 : cpuMs(pid)
  const start = performance.now()
  let mostMb = 0
  const looking = setInterval(() => {
    if (pid !== undefined) mostMb = Math.max(mostMb, residentMb(pid))
  }, 250)
  const outcome = await runJob(load, job)
  clearInterval(looking)
  const tookMs = performance.now() - start
  const { rate, p50Ms, p99Ms, calls, wrong } = outcome
  const found = { subject: subject.name, rate, p50Ms, p99Ms, calls, wrong }
  if (pid === undefined) return found
  const spentMs = cpuMs(pid) - cpuBefore
  if (spentMs <= 0) return found
  const cpuUs = (spentMs * 1000) / Math.max(calls, 1)
  return { ...found, cpuUs, busy: spentMs / tookMs, residentMb: mostMb }
}
