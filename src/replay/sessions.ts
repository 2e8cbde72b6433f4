/** The sessions of a record: one summary each, made from its entries alone. */
import { duration, oneLine } from './plain.ts'
import { countOf, textOf } from '../record/stored.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { StoredSource, StoredWho } from '../record/stored.ts'

/** What happened in one session. Times are microseconds since 1970. */
export interface SessionSummary {
  readonly session: string
  era: string | undefined
  version: string | undefined
  client: string | undefined
  userAgent: string | undefined
  principal: StoredWho | undefined
  source: StoredSource | undefined
  readonly connections: string[]
  openedAt: string
  openedUs: number
  lastUs: number
  /** Exact from `session.closed`; until then undefined. */
  durationUs: number | undefined
  closedAt: string | undefined
  closedBy: string | undefined
  calls: number
  /** Calls by their outcome. */
  readonly outcomes: Record<string, number>
  maskings: number
}

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
 *  keeps one summary a session in memory. */
export async function* listSessions(
  entries: AsyncIterable<RecordedEntry>,
  filter: SessionFilter = {},
): AsyncGenerator<SessionSummary> {
  const sessions = new Map<string, SessionSummary>()
  for await (const entry of entries) {
    if (entry.session === undefined) continue
    let summary = sessions.get(entry.session)
    if (!summary) {
      summary = begin(entry.session, entry)
      sessions.set(entry.session, summary)
    }
    take(summary, entry)
  }
  for (const summary of sessions.values()) if (fits(summary, filter)) yield summary
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

function begin(session: string, entry: RecordedEntry): SessionSummary {
  return {
    session,
    era: undefined,
    version: undefined,
    client: undefined,
    userAgent: undefined,
    principal: entry.principal,
    source: entry.source,
    connections: [],
    openedAt: entry.time,
    openedUs: entry.timeUs,
    lastUs: entry.timeUs,
    durationUs: undefined,
    closedAt: undefined,
    closedBy: undefined,
    calls: 0,
    outcomes: {},
    maskings: 0,
  }
}

function take(summary: SessionSummary, entry: RecordedEntry): void {
  const { connection, fields, outcome, time, timeUs, type } = entry
  summary.lastUs = timeUs
  summary.principal ??= entry.principal
  summary.source ??= entry.source
  if (connection !== undefined && !summary.connections.includes(connection)) {
    summary.connections.push(connection)
  }
  if (type === 'session.opened') {
    summary.era = textOf(fields['era'])
    summary.version = textOf(fields['version'])
    const named = [textOf(fields['clientName']), textOf(fields['clientVersion'])].filter(Boolean)
    summary.client = named.length > 0 ? named.join(' ') : undefined
    summary.userAgent = textOf(fields['userAgent'])
  } else if (type === 'session.closed') {
    summary.durationUs = countOf(fields['durationUs'])
    summary.closedAt = time
    summary.closedBy = textOf(fields['reason'])
  } else if (type === 'call.received') summary.calls++
  else if (type === 'call.finished' || type === 'call.denied') {
    summary.outcomes[outcome] = (summary.outcomes[outcome] ?? 0) + 1
  } else if (type === 'mask.applied') summary.maskings += countOf(fields['count']) ?? 0
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
