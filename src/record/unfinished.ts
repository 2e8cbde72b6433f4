/**
 * What is open at a point of the log: calls received and not finished, sessions opened and not
 * closed. The writer keeps it as it appends and writes it as a carry at the start of each segment,
 * so that recovery has to read the last segment only.
 */
import { canonicalize } from '../tlog/canonical.ts'
import type { EntryType, Shared } from './entry.ts'

/** An exchange whose calls have no end yet. */
export interface OpenExchange {
  readonly shared: Shared
  readonly sinceUs: number
  /** Calls without an end: more than one in a batch of a legacy client. */
  calls: number
  /** Sent to the server, or about to be: it may have run. */
  dispatched: boolean
  messages: number
}

/** A session without an end. */
export interface OpenSession {
  readonly shared: Shared
  readonly sinceUs: number
  lastUs: number
  calls: number
}

/** What shows that a process works; after it only its end or a recovery makes the log well again. */
const working: ReadonlySet<EntryType> = new Set<EntryType>([
  'gateway.started',
  'auth.accepted',
  'auth.refused',
  'session.opened',
  'call.received',
  'call.denied',
  'call.dispatched',
  'response.event',
  'mask.applied',
])

export class Unfinished {
  /** Whether the last process ended by `gateway.stopped`, or recovery has told how it ended. Looks
   *  at the record do not count: they may be recorded while no gateway runs. */
  stoppedWell = true
  readonly exchanges: Map<string, OpenExchange> = new Map()
  readonly sessions: Map<string, OpenSession> = new Map()

  /** Takes note of one entry, in the order of the log. */
  note(type: EntryType, shared: Shared, timeUs: number): void {
    if (working.has(type)) this.stoppedWell = false
    else if (type === 'gateway.stopped' || type === 'gateway.recovered') this.stoppedWell = true
    if (shared.session !== undefined) this.#noteSession(shared.session, type, shared, timeUs)
    if (shared.exchange !== undefined) this.#noteExchange(shared.exchange, type, shared, timeUs)
  }

  /** Calls received and not ended. */
  openCalls(): number {
    let calls = 0
    for (const exchange of this.exchanges.values()) calls += exchange.calls
    return calls
  }

  /** As the payload of a carry frame. */
  carry(): string {
    const exchanges = Array.from(
      this.exchanges.values(),
      ({ shared, sinceUs, calls, dispatched, messages }) =>
        `{"calls":${calls},"dispatched":${dispatched},"messages":${messages},` +
        `"shared":${sharedText(shared)},"sinceUs":${sinceUs}}`,
    )
    const sessions = Array.from(
      this.sessions.values(),
      ({ shared, sinceUs, lastUs, calls }) =>
        `{"calls":${calls},"lastUs":${lastUs},"shared":${sharedText(shared)},"sinceUs":${sinceUs}}`,
    )
    return (
      `{"exchanges":[${exchanges.join(',')}],"sessions":[${sessions.join(',')}],` +
      `"stoppedWell":${this.stoppedWell}}`
    )
  }

  /** Takes in a carry; false when it is not one. */
  load(value: unknown): boolean {
    if (!isObject(value)) return false
    const { exchanges, sessions, stoppedWell } = value
    if (typeof stoppedWell !== 'boolean') return false
    this.stoppedWell = stoppedWell
    if (!Array.isArray(exchanges) || !Array.isArray(sessions)) return false
    return exchanges.every((each) => this.#loadExchange(each)) && this.#loadSessions(sessions)
  }

  #noteExchange(exchange: string, type: EntryType, shared: Shared, timeUs: number): void {
    const open = this.exchanges.get(exchange)
    if (type === 'call.received') {
      if (open) open.calls++
      else {
        const fresh = { shared, sinceUs: timeUs, calls: 1, dispatched: false, messages: 0 }
        this.exchanges.set(exchange, fresh)
      }
    } else if (open && type === 'call.dispatched') open.dispatched = true
    else if (open && type === 'response.event') open.messages++
    else if (open && (type === 'call.finished' || type === 'call.denied')) {
      open.calls--
      if (open.calls === 0) this.exchanges.delete(exchange)
    }
  }

  #noteSession(session: string, type: EntryType, shared: Shared, timeUs: number): void {
    if (type === 'session.opened') {
      const own = { ...shared, exchange: undefined, text: { ...shared.text, exchange: 'null' } }
      this.sessions.set(session, { shared: own, sinceUs: timeUs, lastUs: timeUs, calls: 0 })
      return
    }
    if (type === 'session.closed') {
      this.sessions.delete(session)
      return
    }
    const open = this.sessions.get(session)
    if (!open) return
    open.lastUs = timeUs
    if (type === 'call.received') open.calls++
  }

  #loadExchange(value: unknown): boolean {
    if (!isObject(value) || !isObject(value['shared'])) return false
    const { calls, dispatched, messages, sinceUs } = value
    const shared = sharedOf(value['shared'])
    const isWhole = isCount(calls) && isCount(messages) && isCount(sinceUs)
    if (!isWhole || typeof dispatched !== 'boolean' || shared.exchange === undefined) return false
    this.exchanges.set(shared.exchange, { shared, sinceUs, calls, dispatched, messages })
    return true
  }

  #loadSessions(values: readonly unknown[]): boolean {
    return values.every((value) => {
      if (!isObject(value) || !isObject(value['shared'])) return false
      const { calls, lastUs, sinceUs } = value
      const shared = sharedOf(value['shared'])
      const isWhole = isCount(calls) && isCount(lastUs) && isCount(sinceUs)
      if (!isWhole || shared.session === undefined) return false
      this.sessions.set(shared.session, { shared, sinceUs, lastUs, calls })
      return true
    })
  }
}

/** The shared fields of an entry that was read back, ready for further entries of its exchange. */
export function sharedOf(entry: Readonly<Record<string, unknown>>): Shared {
  const { connection, exchange, principal, session, source } = entry
  return {
    session: typeof session === 'string' ? session : undefined,
    exchange: typeof exchange === 'string' ? exchange : undefined,
    text: {
      connection: canonicalize(connection ?? null),
      exchange: canonicalize(exchange ?? null),
      principal: canonicalize(principal ?? null),
      session: canonicalize(session ?? null),
      source: canonicalize(source ?? null),
    },
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function sharedText({ text }: Shared): string {
  return (
    `{"connection":${text.connection},"exchange":${text.exchange},` +
    `"principal":${text.principal},"session":${text.session},"source":${text.source}}`
  )
}
