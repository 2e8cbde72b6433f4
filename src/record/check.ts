/** Verifying a record as far as its own rules go: what must hold between entries, in words. */
import { canonicalize } from '../tlog/canonical.ts'
import { readRecord } from './read.ts'
import type { EntryType } from './entry.ts'
import type { RecordedEntry, RecordPlace } from './read.ts'

/** What a check found. `problems` is empty for a sound record that was closed. */
export interface Checked {
  readonly entries: number
  readonly calls: number
  /** One sentence each, with the index of the entry; at most a hundred. */
  readonly problems: readonly string[]
  /** Exchanges without an end: calls under way, or to be ended by the next start. */
  readonly openExchanges: readonly string[]
  readonly openSessions: readonly string[]
}

/** Something a caller was told is durable. */
export interface Acknowledged {
  readonly exchange: string
  readonly types: readonly EntryType[]
}

const problemsMax = 100

/**
 * Reads everything once: indexes without a gap, times that never decrease, canonical spelling, and
 * exactly one end for each received call.
 * @throws {Fault} `record_down` where the record cannot be read any further.
 */
export async function checkRecord(at: RecordPlace): Promise<Checked> {
  const walk: CheckWalk = {
    entries: 0,
    calls: 0,
    problems: [],
    lastUs: 0,
    nextIndex: undefined,
    open: new Map(),
    sessions: new Set(),
  }
  for await (const entry of readRecord(at)) {
    checkPlace(walk, entry)
    checkCompleteness(walk, entry)
    walk.entries++
  }
  return {
    entries: walk.entries,
    calls: walk.calls,
    problems: walk.problems,
    openExchanges: Array.from(walk.open.keys()),
    openSessions: Array.from(walk.sessions),
  }
}

/**
 * What was acknowledged and is not in the record: each as `exchange type`. Empty, or it is a defect
 * of the gateway or of the disk.
 */
export async function missingFrom(
  at: RecordPlace,
  acknowledged: Iterable<Acknowledged>,
): Promise<string[]> {
  const wanted = new Map<string, number>()
  for (const { exchange, types } of acknowledged) {
    for (const type of types) add(wanted, `${exchange} ${type}`, 1)
  }
  for await (const { exchange, type } of readRecord(at)) {
    if (exchange !== undefined) add(wanted, `${exchange} ${type}`, -1)
  }
  return Array.from(wanted).flatMap(([what, times]) => (times > 0 ? [what] : []))
}

interface CheckWalk {
  entries: number
  calls: number
  readonly problems: string[]
  lastUs: number
  nextIndex: number | undefined
  /** Calls without an end, by exchange. */
  readonly open: Map<string, number>
  readonly sessions: Set<string>
}

function checkPlace(walk: CheckWalk, entry: RecordedEntry): void {
  const { fields, index, line, timeUs } = entry
  if (walk.nextIndex !== undefined && index !== walk.nextIndex) {
    tell(walk, `Entry ${index} stands where ${walk.nextIndex} should.`)
  }
  if (timeUs < walk.lastUs) tell(walk, `Entry ${index} is earlier than the one before it.`)
  if (canonicalize(fields) !== line.toString('utf8')) {
    tell(walk, `Entry ${index} is not in canonical form.`)
  }
  walk.nextIndex = index + 1
  walk.lastUs = timeUs
}

function checkCompleteness(
  walk: CheckWalk,
  { exchange, index, session, type }: RecordedEntry,
): void {
  if (session !== undefined && type === 'session.opened') walk.sessions.add(session)
  if (session !== undefined && type === 'session.closed' && !walk.sessions.delete(session)) {
    tell(walk, `Entry ${index} closes a session that is not open.`)
  }
  if (exchange === undefined) return
  const open = walk.open.get(exchange) ?? 0
  if (type === 'call.received') {
    walk.calls++
    walk.open.set(exchange, open + 1)
  } else if (type === 'call.finished' || (type === 'call.denied' && open > 0)) {
    if (open === 0) tell(walk, `Entry ${index} ends a call that is not open.`)
    else if (open === 1) walk.open.delete(exchange)
    else walk.open.set(exchange, open - 1)
  }
}

function tell(walk: CheckWalk, problem: string): void {
  if (walk.problems.length < problemsMax) walk.problems.push(problem)
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
