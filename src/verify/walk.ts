/**
 * What must hold between the entries of one log, checked while they go by in order: spelling, places
 * and times, that each call and session has its end, that seals counted right and came when promised,
 * and which keys the log itself names.
 *
 * It shares no code with the writer but canonical JSON, so that one mistake cannot hide another.
 */
import { canonicalize } from '../tlog/canonical.ts'
import type { Findings } from './findings.ts'

type Fields = Readonly<Record<string, unknown>>

/** A month that went, as `retention.removed` says it. */
export interface Removal {
  readonly what: 'content' | 'month'
  readonly month: string
  readonly first: number
  readonly end: number
  readonly reason: string
  readonly time: string
  readonly isDone: boolean
}

/** Totals of a walk, for the report. */
export interface WalkTotals {
  entries: number
  calls: number
  sessions: number
  seals: number
  bodies: number
  maskings: number
  firstTime: string | undefined
  lastTime: string | undefined
}

/** A key that the log names, and the entry that does. */
export interface NamedKey {
  readonly vkey: string
  readonly index: number
  /** The key that handed over to it; undefined where the gateway only said which key it used. */
  readonly from: string | undefined
}

/** Slack for a busy or a slow machine on top of what a seal promises. */
const sealSlackUs = 15_000_000
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

export class EntryWalk {
  readonly totals: WalkTotals = {
    entries: 0,
    calls: 0,
    sessions: 0,
    seals: 0,
    bodies: 0,
    maskings: 0,
    firstTime: undefined,
    lastTime: undefined,
  }
  readonly removals: Removal[] = []
  readonly keys: NamedKey[] = []
  readonly torn: { sha256: string; bytes: number }[] = []
  readonly #findings: Findings
  readonly #calls = new Map<string, number>() // Open calls by exchange.
  readonly #sessions = new Set<string>()
  #nextIndex: number | undefined
  #lastUs = 0
  #isRunning = false
  #hasStarted = false
  #endedWell = true
  #seal = { since: 0, accepted: 0, denied: 0 } // What the next seal must say.
  #lastSealUs: number | undefined
  #everyMs = 0
  #isAfterGap = false // What was open before it is not known.

  /** @param firstIndex of the first entry to come; undefined takes it as it is. */
  constructor(findings: Findings, firstIndex?: number) {
    this.#findings = findings
    this.#nextIndex = firstIndex
  }

  /** Calls and sessions without an end so far. */
  get open(): { readonly calls: number; readonly sessions: number } {
    let calls = 0
    for (const count of this.#calls.values()) calls += count
    return { calls, sessions: this.#sessions.size }
  }

  /** Whether the last process said that it stopped. */
  get hasStopped(): boolean {
    return !this.#isRunning
  }

  /** Takes one entry: its bytes as they stand in the log. @returns its members, if it has any. */
  take(line: Uint8Array): Fields | undefined {
    const expected = this.#nextIndex
    const entry = this.#parse(line, expected)
    this.totals.entries++
    if (!entry) {
      this.#nextIndex = expected === undefined ? undefined : expected + 1
      return undefined
    }
    const index = this.#checkIndex(entry, expected)
    const timeUs = this.#checkTime(entry, index)
    this.#checkLife(entry, index, timeUs)
    this.#checkEnds(entry, index)
    this.#checkSeal(entry, index, timeUs)
    this.#collect(entry, index)
    return entry
  }

  /** Goes on behind a stretch that is not there: what was open before it is not known any more. */
  skipTo(index: number): void {
    this.#nextIndex = index
    this.#calls.clear()
    this.#sessions.clear()
    this.#isRunning = this.#hasStarted = false
    this.#endedWell = true
    this.#lastSealUs = undefined
    this.#isAfterGap = true
  }

  #parse(line: Uint8Array, index: number | undefined): Fields | undefined {
    const text = Buffer.from(line).toString('utf8')
    try {
      const value: unknown = JSON.parse(text)
      if (!isFields(value)) throw new Error('an entry is an object')
      if (canonicalize(value) !== text) this.#wrong(index, 'is not in canonical form')
      return value
    } catch {
      this.#wrong(index, 'is no JSON object')
      return undefined
    }
  }

  #checkIndex(entry: Fields, expected: number | undefined): number {
    const { index, v } = entry
    if (v !== 1) this.#findings.add('unsure', placeOf(expected), 'is of a version not known here')
    if (typeof index !== 'number' || (expected !== undefined && index !== expected)) {
      this.#wrong(expected, 'does not have the index of its place')
    }
    const found = typeof index === 'number' ? index : (expected ?? 0)
    this.#nextIndex = (expected ?? found) + 1
    return expected ?? found
  }

  #checkTime({ time }: Fields, index: number): number {
    const us = typeof time === 'string' && timeForm.test(time) ? microsOf(time) : undefined
    if (us === undefined || typeof time !== 'string') {
      this.#wrong(index, 'has no time')
      return this.#lastUs
    }
    if (us < this.#lastUs) this.#wrong(index, 'is earlier than the entry before it')
    this.#lastUs = us
    this.totals.firstTime ??= time
    this.totals.lastTime = time
    return us
  }

  /** Starts, stops and recoveries take turns; none begins with calls of another process open. */
  #checkLife({ type }: Fields, index: number, timeUs: number): void {
    if (type === 'gateway.started') {
      if (this.#isRunning && !this.#endedWell) {
        this.#wrong(
          index,
          'starts a gateway although the last one was neither stopped nor recovered',
        )
      }
      const { calls, sessions } = this.open
      if (calls + sessions > 0) {
        this.#wrong(index, 'starts a gateway while calls or sessions of the last one are open')
      }
      this.#isRunning = this.#hasStarted = true
      this.#endedWell = false
      this.#lastSealUs = timeUs
      this.#everyMs = 0
    } else if (type === 'gateway.stopped') {
      this.#checkGap(index, timeUs)
      this.#isRunning = false
      this.#endedWell = true
    } else if (type === 'gateway.recovered') this.#endedWell = true
    else if (isCall(type) && !this.#isRunning && !this.#endedWell && this.#hasStarted) {
      this.#wrong(index, 'is a call while no gateway ran')
    }
  }

  /** Each received call has exactly one end, each session that was opened one close. */
  #checkEnds({ exchange, session, type }: Fields, index: number): void {
    if (type === 'session.opened' && typeof session === 'string') {
      this.totals.sessions++
      this.#sessions.add(session)
    }
    if (type === 'session.closed' && typeof session === 'string') {
      if (!this.#sessions.delete(session) && !this.#isAfterGap) {
        this.#wrong(index, 'closes a session that is not open')
      }
    }
    if (typeof exchange !== 'string') return
    const open = this.#calls.get(exchange) ?? 0
    if (type === 'call.received') {
      this.totals.calls++
      this.#calls.set(exchange, open + 1)
    } else if (type === 'call.finished' || (type === 'call.denied' && open > 0)) {
      if (open === 0 && !this.#isAfterGap) this.#wrong(index, 'ends a call that is not open')
      if (open <= 1) this.#calls.delete(exchange)
      else this.#calls.set(exchange, open - 1)
    }
  }

  #checkSeal(entry: Fields, index: number, timeUs: number): void {
    const { type } = entry
    if (type === 'call.received') this.#seal.accepted++
    else if (type === 'call.denied' || type === 'auth.refused') this.#seal.denied++
    else if (type === 'gateway.started') this.#seal = { since: index, accepted: 0, denied: 0 }
    if (type !== 'seal') return
    this.totals.seals++
    const { accepted, denied, since } = this.#seal
    const isRight =
      entry['accepted'] === accepted && entry['denied'] === denied && entry['since'] === since
    if (this.#hasStarted && !isRight) {
      const words = `counts otherwise than the log: entries ${since} to ${index - 1} hold ${accepted} accepted and ${denied} denied calls`
      this.#wrong(index, words)
    }
    if (this.#hasStarted && !this.#isAfterGap && entry['inFlight'] !== this.open.calls) {
      this.#wrong(index, `says another number of open calls than ${this.open.calls}`)
    }
    this.#seal = { since: index + 1, accepted: 0, denied: 0 }
    const { everyMs } = entry
    if (typeof everyMs === 'number') this.#everyMs = everyMs
    this.#checkGap(index, timeUs)
  }

  #checkGap(index: number, timeUs: number): void {
    const before = this.#lastSealUs
    this.#lastSealUs = timeUs
    if (before === undefined || this.#everyMs === 0) return
    const gapUs = timeUs - before
    if (gapUs <= this.#everyMs * 1000 + sealSlackUs) return
    const seconds = Math.round(gapUs / 1_000_000)
    const words = `No seal for ${seconds} s before it, ${this.#everyMs / 1000} s were promised: that nothing else happened in that time is not proven`
    this.#findings.add('note', placeOf(index), words)
  }

  #collect(entry: Fields, index: number): void {
    const { type } = entry
    if (entry['body'] !== undefined) this.totals.bodies++
    if (type === 'mask.applied') this.totals.maskings += numberOf(entry['count'])
    if (type === 'gateway.started' && Array.isArray(entry['keys'])) {
      for (const vkey of entry['keys']) {
        if (typeof vkey === 'string') this.keys.push({ vkey, index, from: undefined })
      }
    }
    if (type === 'keys.rotated' && typeof entry['to'] === 'string') {
      this.keys.push({ vkey: entry['to'], index, from: String(entry['from']) })
    }
    if (type === 'gateway.recovered' && Array.isArray(entry['torn'])) {
      const tails: unknown[] = entry['torn']
      for (const tail of tails.filter(isFields)) {
        this.torn.push({ sha256: String(tail['sha256']), bytes: numberOf(tail['bytes']) })
      }
    }
    if (type === 'retention.removed') this.removals.push(removalOf(entry))
  }

  #wrong(index: number | undefined, words: string): void {
    this.#findings.add('wrong', placeOf(index), words)
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function removalOf(entry: Fields): Removal {
  const { end, first, month, phase, reason, time, what } = entry
  return {
    what: what === 'month' ? 'month' : 'content',
    month: String(month),
    first: numberOf(first),
    end: numberOf(end),
    reason: String(reason),
    time: String(time),
    isDone: phase === 'done',
  }
}

export function placeOf(index: number | undefined): string {
  return index === undefined ? 'an entry' : `entry ${index}`
}

function isCall(type: unknown): boolean {
  return type === 'call.received' || type === 'call.dispatched' || type === 'response.event'
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** Microseconds since 1970. */
function microsOf(time: string): number | undefined {
  const ms = Date.parse(`${time.slice(0, 23)}Z`)
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(time.slice(23, 26))
}
