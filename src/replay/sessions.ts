/** The sessions of a record: one summary each, made from its entries alone. */
import { duration, oneLine } from './plain.ts'
import { Tally } from './summary.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { SessionSummary } from './summary.ts'

/** Which sessions are wanted; what is left out does not matter. */
export interface SessionFilter {
  /** The principal's subject or name, exactly. */
  readonly principal?: string | undefined
  readonly connection?: string | undefined
  readonly ip?: string | undefined
  /** Sessions that were open at some time from here on, and before there. */
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
  readonly isOpen?: boolean | undefined
}

/** Summaries of all sessions that fit, in the order they were opened. Reads the record once and
 *  keeps one summary a session, and one for each call without an end, in memory. */
export async function* listSessions(
  entries: AsyncIterable<RecordedEntry>,
  filter: SessionFilter = {},
): AsyncGenerator<SessionSummary> {
  const tally = new Tally()
  for await (const entry of entries) tally.take(entry)
  for (const summary of tally.sessions) if (fits(summary, filter)) yield summary
}

/** Summaries as lines, each with its line end: a table for people, or one JSON object a line. */
export async function* sessionLines(
  entries: AsyncIterable<RecordedEntry>,
  format: 'text' | 'jsonl',
  filter: SessionFilter = {},
): AsyncGenerator<string> {
  let isFirst = true
  for await (const summary of listSessions(entries, filter)) {
    if (format === 'jsonl') yield `${JSON.stringify(summary)}\n`
    else {
      if (isFirst) yield `${row(heads)}\n`
      yield `${row(cells(summary))}\n`
    }
    isFirst = false
  }
  if (isFirst && format === 'text') yield 'No sessions are recorded that fit.\n'
}

function fits(summary: SessionSummary, filter: SessionFilter): boolean {
  const { connection, fromUs, ip, isOpen, principal, toUs } = filter
  const { principal: who, source } = summary
  const isWho = principal === undefined || who?.subject === principal || who?.name === principal
  const isThere = connection === undefined || summary.connections.includes(connection)
  const isFrom = ip === undefined || source?.ip === ip || source?.forwarded === ip
  const isStill = isOpen === undefined || (summary.closedAt === undefined) === isOpen
  const isThen = summary.lastUs >= (fromUs ?? -Infinity) && summary.openedUs < (toUs ?? Infinity)
  return isWho && isThere && isFrom && isStill && isThen
}

const heads = [
  'SESSION',
  'OPENED',
  'DURATION',
  'WHO',
  'FROM',
  'CLIENT',
  'TO',
  'CALLS',
  'MASKED',
  'END',
]
const widths = [28, 27, 18, 20, 15, 20, 16, 6, 7, 0]

function row(columns: readonly string[]): string {
  return columns
    .map((text, i) => text.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd()
}

function cells(summary: SessionSummary): string[] {
  const { client, closedBy, connections, durationUs, outcomes, principal, source } = summary
  const bad = Object.entries(outcomes).filter(([outcome]) => outcome !== 'ok')
  const notes = bad.map(([outcome, times]) => `${times} ${outcome}`)
  if (summary.open > 0) notes.push(`${summary.open} open`)
  const calls = [String(summary.calls), ...notes].join(', ')
  return [
    summary.session,
    summary.openedAt,
    durationUs === undefined ? 'open' : duration(durationUs),
    principal?.name ?? principal?.subject ?? '-',
    source?.forwarded ?? source?.ip ?? '-',
    client ?? summary.userAgent ?? '-',
    connections.length > 0 ? connections.join(',') : '-',
    calls,
    String(summary.maskings),
    closedBy ?? '-',
  ].map(oneLine)
}
