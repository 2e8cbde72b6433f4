/**
 * What must hold between the entries of a part of a log, as far as a part can show it: times do not
 * go back, and of what is there as a whole each call has one end, each session its number of calls
 * and each list of maskings all of its parts.
 */
import { placeOf } from './walk.ts'
import type { Findings } from './findings.ts'
import type { Scope } from './pack-format.ts'

type Fields = Readonly<Record<string, unknown>>

interface SessionSeen {
  readonly index: number
  isOpened: boolean
  received: number
  /** What its end says; undefined while it is open. */
  calls: number | undefined
}

interface Parts {
  readonly index: number
  readonly part: number
  readonly parts: number
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

export class PackWalk {
  readonly #findings: Findings
  readonly #isWhole: boolean
  readonly #calls = new Map<string, { index: number; session: string; open: number }>()
  readonly #sessions = new Map<string, SessionSeen>()
  readonly #names = new Set<string>()
  readonly #parts = new Map<string, Parts>()
  #lastTime = ''
  calls = 0
  firstTime: string | undefined

  constructor(findings: Findings, scope: Scope) {
    this.#findings = findings
    this.#isWhole = scope === 'whole'
  }

  get lastTime(): string | undefined {
    return this.#lastTime === '' ? undefined : this.#lastTime
  }

  /** Sessions that the entries are of. */
  get sessions(): number {
    return this.#names.size
  }

  take(entry: Fields, index: number): void {
    this.#takeTime(entry, index)
    const { exchange, session, type } = entry
    if (typeof session === 'string') this.#names.add(session)
    if (type === 'call.received') this.calls++
    if (!this.#isWhole) return
    if (typeof session === 'string') this.#takeSession(entry, session, index)
    if (typeof exchange === 'string') this.#takeCall(entry, exchange, index)
    if (type === 'mask.applied') this.#takeMasking(entry, index)
  }

  /** After the last entry: what is still open. */
  end(): void {
    for (const { index } of this.#parts.values()) {
      this.#findings.add('wrong', placeOf(index), 'is a masking whose further parts are missing')
    }
    for (const { index, session } of this.#calls.values()) {
      const isOver = this.#sessions.get(session)?.calls !== undefined
      const words = 'is a call without an end'
      if (isOver) this.#findings.add('unsure', placeOf(index), `${words}, though its session ended`)
      else this.#findings.add('note', placeOf(index), `${words}: it was open when this was made`)
    }
    for (const seen of this.#sessions.values()) this.#endSession(seen)
    const open = [...this.#sessions.values()].filter((each) => {
      return each.isOpened && each.calls === undefined
    })
    const [first] = open
    if (!first) return
    const words = `begins a session that goes on behind this pack; there are ${open.length} such`
    this.#findings.add('note', placeOf(first.index), words)
  }

  #endSession({ calls, index, isOpened, received }: SessionSeen): void {
    if (!isOpened || calls === undefined || received === calls) return
    if (received < calls) {
      const words = `ends a session of ${calls} calls, of which ${received} are here`
      this.#findings.add('wrong', placeOf(index), words)
    } else {
      // A call that came while the session ended is not in its count.
      const words = `ends a session of ${calls} calls; ${received} are here`
      this.#findings.add('note', placeOf(index), words)
    }
  }

  #takeTime({ time }: Fields, index: number): void {
    if (typeof time !== 'string' || !timeForm.test(time)) {
      this.#findings.add('wrong', placeOf(index), 'has no time')
      return
    }
    // All are of one form, so their order as text is their order in time.
    if (time < this.#lastTime) {
      this.#findings.add('wrong', placeOf(index), 'is earlier than the entry before it')
    }
    this.#lastTime = time
    this.firstTime ??= time
  }

  #takeSession({ calls, type }: Fields, session: string, index: number): void {
    const seen = this.#sessions.get(session)
    const isEnd = type === 'session.closed'
    const closed = isEnd && typeof calls === 'number' ? calls : undefined
    if (isEnd && seen?.calls !== undefined) {
      this.#findings.add('wrong', placeOf(index), 'ends a session a second time')
    }
    this.#sessions.set(session, {
      index: isEnd ? index : (seen?.index ?? index),
      isOpened: seen?.isOpened === true || type === 'session.opened',
      received: (seen?.received ?? 0) + (type === 'call.received' ? 1 : 0),
      calls: closed ?? seen?.calls,
    })
  }

  #takeCall({ session, type }: Fields, exchange: string, index: number): void {
    const call = this.#calls.get(exchange)
    if (type === 'call.received') {
      const of = typeof session === 'string' ? session : ''
      this.#calls.set(exchange, { index, session: of, open: (call?.open ?? 0) + 1 })
    } else if (type === 'call.finished' && !call) {
      const words = 'ends a call whose beginning is not here, or a second time'
      this.#findings.add('unsure', placeOf(index), words)
    } else if (call && (type === 'call.finished' || type === 'call.denied')) {
      if (call.open === 1) this.#calls.delete(exchange)
      else this.#calls.set(exchange, { ...call, open: call.open - 1 })
    }
  }

  #takeMasking({ exchange, part, parts }: Fields, index: number): void {
    const name = String(exchange)
    const before = this.#parts.get(name)
    const isPart = typeof part === 'number' && typeof parts === 'number'
    const expected = before ? before.part + 1 : 1
    const fits = isPart && part === expected && (!before || parts === before.parts)
    if ((isPart || before) && !fits) {
      const words = 'is not the part of a masking that must stand here'
      this.#findings.add('wrong', placeOf(index), words)
    }
    this.#parts.delete(name)
    if (isPart && part < parts) this.#parts.set(name, { index, part, parts })
  }
}
