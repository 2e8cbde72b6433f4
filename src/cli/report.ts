/** The report of a verification, for people and for programs. */
import type { Writable } from 'node:stream'
import { grouped, oneLine } from '../replay/plain.ts'
import type { Findings } from '../verify/findings.ts'
import type { LogReport } from '../verify/folder.ts'

const signs = { wrong: '✗', unsure: '?', note: '·' } as const
const verdicts = [
  'Proven: every byte is as it was signed.',
  'DISPROVEN: what stands above does not fit what was signed.',
  'Cannot tell: what stands above is missing for a proof. Nothing speaks against the record.',
] as const

/** Prints findings and the verdict; logs of a folder with what they hold. */
export function printReport(
  logs: readonly LogReport[],
  all: Findings,
  options: { readonly json?: boolean | undefined },
  out: Writable,
): void {
  if (options.json === true) {
    const told = logs.map(({ findings, ...log }) => ({ ...log, findings: findings.list() }))
    const verdict = ['proven', 'disproven', 'unsure'][all.exitCode]
    out.write(`${JSON.stringify({ verdict, findings: all.list(), logs: told })}\n`)
    return
  }
  for (const log of logs) out.write(`${linesOf(log).join('\n')}\n`)
  for (const { place, weight, words } of all.list()) {
    out.write(oneLine(`${signs[weight]} ${place}: ${words}`) + '\n')
  }
  out.write(`${verdicts[all.exitCode]}\n`)
}

function linesOf(log: LogReport): string[] {
  const { checkpoints, open, origin, proofOnly, signed, size, totals } = log
  const { bodies, calls, entries, firstTime, lastTime, maskings, seals, sessions } = totals
  const lines = [
    oneLine(origin),
    `  ${grouped(entries)} entries, ${firstTime ?? '-'} to ${lastTime ?? '-'}`,
    `  ${grouped(calls)} calls in ${grouped(sessions)} sessions, ${grouped(bodies)} bodies, ${grouped(maskings)} maskings, ${grouped(seals)} seals`,
    `  ${grouped(signed)} of ${grouped(size)} entries under ${grouped(checkpoints)} signed checkpoints`,
  ]
  if (open.calls + open.sessions > 0) {
    lines.push(`  still open: ${open.calls} calls, ${open.sessions} sessions`)
  }
  for (const { name, size, time } of log.witnesses) {
    lines.push(
      oneLine(
        `  witness ${name} saw ${grouped(size)} entries at ${new Date(time * 1000).toISOString()}`,
      ),
    )
  }
  for (const { from, to } of proofOnly) lines.push(`  proof only: entries ${from} to ${to - 1}`)
  return lines
}

const afterMs = 2000
const everyMs = 500

/** A bar on standard error, once it takes longer than two seconds. */
export function progressOn(errors: Writable & { isTTY?: boolean }): {
  readonly show: (done: number, total: number) => void
  end(): void
} {
  const startMs = Date.now()
  let shownMs = 0
  const isTerminal = errors.isTTY === true
  return {
    show: (done, total) => {
      const nowMs = Date.now()
      const waitMs = isTerminal ? everyMs : everyMs * 20
      if (nowMs - startMs < afterMs || nowMs - shownMs < waitMs) return
      shownMs = nowMs
      const part = total > 0 ? done / total : 0
      const bar = '█'.repeat(Math.round(part * 30)).padEnd(30, '░')
      const leftS = Math.round(((nowMs - startMs) / 1000) * (1 / Math.max(part, 0.001) - 1))
      const text = `${bar} ${(part * 100).toFixed(0)} %, about ${leftS} s left`
      errors.write(isTerminal ? `\r${text} ` : `${text}\n`)
    },
    end: () => {
      if (isTerminal && shownMs > 0) errors.write('\r\u001b[K')
    },
  }
}
