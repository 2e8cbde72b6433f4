/** Under which a run was made: whoever reads its figures needs them. */
import { cpus, release, totalmem } from 'node:os'
import { canCount } from './instructions.ts'
import { nginxVersion } from './nginx.ts'
import { placing } from './processes.ts'
import type { Plan } from './rounds.ts'

export function conditions(plan: Plan): Record<string, string> {
  return {
    machine: `${cpus()[0]?.model.trim()}, ${(totalmem() / 1e9).toFixed(0)} GB, kernel ${release()}`,
    placing: placing(),
    node: process.version,
    nginx: nginxVersion() ?? 'not installed',
    rounds: `${plan.rounds} of ${plan.measureMs} ms after ${plan.warmMs} ms (${plan.firstWarmMs} ms in the first), interleaved; medians`,
    calls: 'POST tools/call, 2026-07-28, keep-alive',
    cards: 'one in the 1KB result, one a row in the others',
    controls: 'token check, 20 grants, SQL facts and findings, 20 rules, masking, durable record',
    instructions: canCount() ? 'counted by perf' : 'cannot be counted here',
  }
}
