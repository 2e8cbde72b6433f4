/** What a reader wants to know of sessions and calls, gathered entry by entry. */
import { countOf, textOf } from '../record/stored.ts'
import { calledText, isCutOff } from './tell.ts'
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
  /** The last that was heard of it: when a crash cuts it off, `closedAt` is that of the next start. */
  lastAt: string
  closedBy: string | undefined
  calls: number
  /** Calls that were received and have no end yet. */
  open: number
  /** Calls by their outcome. */
  readonly outcomes: Record<string, number>
  maskings: number
}

/** One call, from its first entry to its end. */
export interface CallSummary {
  readonly session: string | undefined
  readonly exchange: string | undefined
  readonly connection: string | undefined
  /** Method and target, as others wrote them. */
  readonly called: string
  readonly who: string
  readonly index: number
  readonly time: string
  readonly timeUs: number
  /** Size of the message as it came, in bytes. */
  readonly bytes: number | undefined
}

/** Which end a call came to. `durationUs` is missing where it was refused or cut off by a crash. */
export interface CallEnd {
  readonly call: CallSummary
  readonly outcome: string
  readonly reason: string | undefined
  readonly durationUs: number | undefined
}

/** The sessions of all entries taken so far, and the calls among them that are open: it keeps one
 *  summary a session, and one for each call without an end. */
export class Tally {
  readonly #sessions = new Map<string, SessionSummary>()
  /** By exchange, the oldest first: a batch of a legacy client has several calls in one. */
  readonly #open = new Map<string, CallSummary[]>()

  /** Takes the next entry of the log. Says which call it ends, if it ends one. */
  take(entry: RecordedEntry): CallEnd | undefined {
    const summary = this.#summaryOf(entry)
    if (summary) describe(summary, entry)
    const { exchange, fields, outcome, type } = entry
    if (type === 'call.received') {
      this.#begin(exchange ?? '', callOf(entry))
      if (summary) summary.open++
      return undefined
    }
    if (type !== 'call.finished' && type !== 'call.denied') return undefined
    const known = this.#end(exchange ?? '', countOf(fields['bytesIn']))
    if (summary && known) summary.open--
    // A call may be refused before it is received; of a call that began elsewhere only the end is here.
    return {
      call: known ?? callOf(entry),
      outcome,
      reason: textOf(fields['reason']),
      durationUs: isCutOff(fields) ? undefined : countOf(fields['durationUs']),
    }
  }

  /** In the order in which they were opened. */
  get sessions(): SessionSummary[] {
    return [...this.#sessions.values()]
  }

  /** Calls without an end among the entries taken, in the order in which they came. */
  get open(): CallSummary[] {
    return [...this.#open.values()].flat().toSorted((a, b) => a.index - b.index)
  }

  #summaryOf(entry: RecordedEntry): SessionSummary | undefined {
    if (entry.session === undefined) return undefined
    let summary = this.#sessions.get(entry.session)
    if (!summary) {
      summary = emptySummary(entry.session, entry)
      this.#sessions.set(entry.session, summary)
    }
    return summary
  }

  #begin(exchange: string, call: CallSummary): void {
    const calls = this.#open.get(exchange)
    if (calls) calls.push(call)
    else this.#open.set(exchange, [call])
  }

  /** An end does not name its call. In a batch it is told by its size; where that fits several, we
   *  would guess, so none of them is named any more. */
  #end(exchange: string, bytesIn: number | undefined): CallSummary | undefined {
    const calls = this.#open.get(exchange)
    if (!calls) return undefined
    const fitting = calls.filter(({ bytes }) => calls.length === 1 || bytes === bytesIn)
    if (fitting.length !== 1) {
      for (const [i, call] of calls.entries()) calls[i] = { ...call, called: 'one call of a batch' }
    }
    const at = fitting.length === 1 ? calls.findIndex((call) => call === fitting[0]) : 0
    const [ended] = calls.splice(at, 1)
    if (calls.length === 0) this.#open.delete(exchange)
    return ended
  }
}

function callOf(entry: RecordedEntry): CallSummary {
  const { connection, exchange, fields, index, principal, session, time, timeUs } = entry
  const who = principal?.name ?? principal?.subject ?? '-'
  const called = calledText(fields)
  const bytes = countOf(fields['bytes'])
  return { session, exchange, connection, called, who, index, time, timeUs, bytes }
}

function emptySummary(session: string, entry: RecordedEntry): SessionSummary {
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
    lastAt: entry.time,
    closedBy: undefined,
    calls: 0,
    open: 0,
    outcomes: {},
    maskings: 0,
  }
}

/** When a session ended; undefined while it is open, or where its end is not shown. */
export function endOf(summary: SessionSummary): string | undefined {
  return summary.closedBy === 'process_ended' ? summary.lastAt : summary.closedAt
}

function describe(summary: SessionSummary, entry: RecordedEntry): void {
  const { connection, fields, outcome, time, timeUs, type } = entry
  summary.lastUs = timeUs
  if (!isCutOff(fields)) summary.lastAt = time
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
  } else if (type === 'call.received') {
    summary.calls++
    // Where the opening itself is not among the entries, each call says the same of its era.
    summary.era ??= textOf(fields['era'])
    summary.version ??= textOf(fields['version'])
  } else if (type === 'call.finished' || type === 'call.denied') {
    summary.outcomes[outcome] = (summary.outcomes[outcome] ?? 0) + 1
  } else if (type === 'mask.applied') summary.maskings += countOf(fields['count']) ?? 0
}
