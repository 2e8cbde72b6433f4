/** From samples to medians and ratios, and from those to the table that is printed. */
import { median, reaches, short } from './figure.ts'
import type { Figure } from './figure.ts'
import type { Size } from './answers.ts'
import type { Sample } from './rounds.ts'

/** The medians of one subject under one load. */
export interface Line {
  readonly subject: string
  readonly size: Size
  readonly connections: number
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** NaN where it cannot be told: for `direct`, and where there is no /proc. */
  readonly cpuUs: number
  readonly busy: number
  readonly residentMb: number
}

export function summarise(samples: readonly Sample[]): Line[] {
  const groups = Map.groupBy(samples, (s) => `${s.subject} ${s.size} ${s.connections}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const of = (pick: (sample: Sample) => number | undefined): number =>
      median(group.map(pick).filter((value) => value !== undefined))
    return [
      {
        subject: first.subject,
        size: first.size,
        connections: first.connections,
        rate: of((s) => s.rate),
        p50Ms: of((s) => s.p50Ms),
        p99Ms: of((s) => s.p99Ms),
        cpuUs: of((s) => s.cpuUs),
        busy: of((s) => s.busy),
        residentMb: of((s) => s.residentMb),
      },
    ]
  })
}

/**
 * The median, over the rounds, of one subject's throughput divided by another's of the same round: what
 * slows a whole round cancels out.
 */
export function ratio(
  samples: readonly Sample[],
  of: { subject: string; to: string; size: Size; connections: number },
): number {
  const here = samples.filter((s) => s.size === of.size && s.connections === of.connections)
  const pairs = here.flatMap((one) => {
    const other = here.find((s) => s.round === one.round && s.subject === of.to)
    return one.subject === of.subject && other !== undefined ? [one.rate / other.rate] : []
  })
  return median(pairs)
}

const goals = {
  bare: { '1KB': 0.65, '64KB': 0.6, '1MB': 0.5 },
  nginx: { '1KB': 0.2, '64KB': 0.15, '1MB': 0.3 },
} as const

/** The lines of the table which follow from the load: ratios, added latency, memory. */
export function loadFigures(samples: readonly Sample[], syncMs: number): Figure[] {
  const sizes = ['1KB', '64KB', '1MB'] as const
  const connections = 32
  const against = (['bare', 'nginx'] as const).flatMap((to) =>
    sizes.map((size) => ({
      name: `throughput to ${to}, ${size}, ${connections} connections`,
      value: ratio(samples, { subject: 'gateway', to, size, connections }),
      unit: 'ratio',
      atLeast: goals[to][size],
    })),
  )
  const cards = sizes.map((size) => ({
    name: `cards to none, ${size}, ${connections} connections`,
    value: ratio(samples, { subject: 'gateway', to: 'gateway, no cards', size, connections }),
    unit: 'ratio',
    atLeast: 0.8,
  }))
  // What others on the machine take away slows rates, but hardly what a call costs.
  const cost = sizes.map((size) => ({
    name: `processor time to bare, ${size}, ${connections} connections`,
    value: costRatio(samples, { subject: 'gateway', to: 'bare', size, connections }),
    unit: 'ratio',
  }))
  return [...against, ...cost, ...cards, ...latencyFigures(samples, syncMs)]
}

function costRatio(
  samples: readonly Sample[],
  of: { subject: string; to: string; size: Size; connections: number },
): number {
  const here = samples.filter((s) => s.size === of.size && s.connections === of.connections)
  const cost = (subject: string): number =>
    median(here.flatMap((s) => (s.subject === subject ? (s.cpuUs ?? []) : [])))
  return cost(of.subject) / cost(of.to)
}

/**
 * Whether the machine was ours: the bare proxy under 1 KB results has its core to itself and nothing
 * to wait for, so it is busy all the time, or somebody else was.
 */
export function wasQuiet(samples: readonly Sample[]): boolean {
  const busy = samples.flatMap((s) =>
    s.subject === 'bare' && s.size === '1KB' && s.connections === 32 ? (s.busy ?? []) : [],
  )
  return busy.every((share) => share > 0.85)
}

/** Which part of a call's time passes while the record writes: it waits for two commits. */
export function recordShare(samples: readonly Sample[], figures: readonly Figure[]): Figure[] {
  const commit = figures.find(({ name }) => name === 'record: 1 writers, commit p50')?.value
  const call = summarise(samples).find((line) => {
    return line.subject === 'gateway' && line.size === '1KB' && line.connections === 1
  })?.p50Ms
  if (commit === undefined || call === undefined) return []
  const name = "record: share of a call's time, 1KB, 1 connection"
  return [{ name, value: (2 * commit) / call, unit: 'ratio' }]
}

function latencyFigures(samples: readonly Sample[], syncMs: number): Figure[] {
  const lines = summarise(samples)
  const find = (subject: string, size: Size, connections: number): Line | undefined =>
    lines.find((l) => l.subject === subject && l.size === size && l.connections === connections)
  const gateway = find('gateway', '1KB', 1)?.p50Ms ?? NaN
  const direct = find('direct', '1KB', 1)?.p50Ms ?? NaN
  return [
    {
      name: 'added latency p50, 1KB, 1 connection',
      value: gateway - direct,
      unit: 'ms',
      atMost: 2 * syncMs + 0.3,
    },
    {
      name: 'memory under 32 x 64KB',
      value: find('gateway', '64KB', 32)?.residentMb ?? NaN,
      unit: 'MB',
      atMost: 150,
    },
  ]
}

/** The medians as text, one line a subject and load. */
export function printLines(lines: readonly Line[]): void {
  const head = ['', 'result', 'conns', 'calls/s', 'p50 ms', 'p99 ms', 'cpu us', 'busy', 'MB']
  const rows = lines.map((l) => {
    const figures = [l.rate, l.p50Ms, l.p99Ms, l.cpuUs, l.busy, l.residentMb].map((value) =>
      Number.isNaN(value) ? '-' : short(value),
    )
    return [l.subject, l.size, String(l.connections), ...figures]
  })
  printColumns([head, ...rows])
}

/** The figures with their goals; a goal that was missed is marked in a word, not in colour. */
export function printFigures(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => {
    const { atLeast, atMost, unit } = figure
    const goal =
      atLeast !== undefined
        ? `>= ${short(atLeast)}`
        : atMost !== undefined
          ? `<= ${short(atMost)}`
          : ''
    const isReached = reaches(figure)
    const verdict = isReached === undefined ? '' : isReached ? 'reached' : 'missed'
    const value = Number.isNaN(figure.value) ? short(NaN) : `${short(figure.value)} ${unit}`
    return [figure.name, value, goal, verdict]
  })
  printColumns([['measure', 'found', 'goal', ''], ...rows])
}

function printColumns(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    )
    console.log(cells.join('  ').trimEnd())
  }
}
