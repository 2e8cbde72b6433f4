/**
 * The way to one receiver: one try at a time, so that it delays nobody but itself. What comes faster
 * than it is told is gathered into one message. A receiver that fails is left alone for longer and
 * longer; what was tried too often, or is too late, is given up.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Note } from '../record/notes.ts'
import { Bucket } from './bucket.ts'
import { digestOf, messageOf } from './message.ts'
import type { Message } from './message.ts'
import type { Outcome } from './outcome.ts'
import type { NoticeQueue, Waiting } from './queue.ts'
import type { Receiver } from './receiver.ts'

export interface Pace {
  /** For one try, connecting included. */
  readonly tryMs: number
  /** After the first failure; doubled with each further one, up to the other. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** Tries before a notice is given up; fewer where the receiver says that it is not to be had. */
  readonly triesMax: number
  readonly refusedTriesMax: number
  /** So many messages at once, and then one each time this has passed. */
  readonly burst: number
  readonly everyMs: number
  /** Notices that may wait for one receiver; of more only the number is kept. */
  readonly waitingMax: number
}

export interface LaneParts {
  readonly queue: NoticeQueue
  readonly consoleUrl: string
  readonly note: Note
  readonly clock: Clock
  readonly pace: Pace
  /** The control fails, or works again; told once each. */
  readonly failed: (control: string, reason: string) => void
  readonly restored: (control: string) => void
}

/** How a receiver stands, for meters and people. */
export interface NoticeFigures {
  readonly receiver: string
  readonly type: Receiver['type']
  /** Not told yet. */
  readonly waiting: number
  /** Since the start: notices told, notices given up, tries that failed, events without room. */
  readonly sent: number
  readonly failed: number
  readonly failedTries: number
  readonly dropped: number
  /** Why the last try failed; undefined while it works. */
  readonly reason: string | undefined
}

/** What one message tells. */
interface Batch {
  readonly rows: readonly Waiting[]
  readonly more: number
  readonly message: Message
}

export class Lane {
  readonly #receiver: Receiver
  readonly #at: LaneParts
  readonly #ending = new AbortController()
  readonly #ordinary: Bucket
  readonly #urgent: Bucket
  #underway: Promise<void> | undefined
  /** The receiver is left alone until then, in milliseconds since 1970. */
  #pausedMs = 0
  #failures = 0
  #reason: string | undefined
  #isTold = false
  #counts = { sent: 0, failed: 0, failedTries: 0 }

  constructor(receiver: Receiver, at: LaneParts) {
    this.#receiver = receiver
    this.#at = at
    const { burst, everyMs, retryMsMax } = at.pace
    const nowMs = at.clock.monotonicMs()
    this.#ordinary = new Bucket(burst, everyMs, nowMs)
    this.#urgent = new Bucket(burst, everyMs, nowMs)
    const untilMs = this.#nowMs() + retryMsMax
    for (const row of at.queue.backlog(receiver.name).waiting.values()) {
      // The wall clock may have been set back since: nothing waits longer than it ever would.
      row.nextMs = Math.min(row.nextMs, untilMs)
      this.#pausedMs = Math.max(this.#pausedMs, row.nextMs)
    }
  }

  /** Goes on with what is due, if it is not under way already. Returns at once. */
  wake(): void {
    if (this.#ending.signal.aborted) return
    this.#underway ??= this.#run().finally(() => (this.#underway = undefined))
  }

  figures(): NoticeFigures {
    const { name: receiver, type } = this.#receiver
    const { dropped, more, waiting } = this.#at.queue.backlog(receiver)
    const { failed, failedTries, sent } = this.#counts
    const all = { waiting: waiting.size + more, sent, failed, failedTries, dropped }
    return { receiver, type, ...all, reason: this.#reason }
  }

  /** @param graceMs what is under way may take so long; then it is broken off, and stays waiting. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#ending.abort(), graceMs)
    this.#pausedMs = Infinity // It begins nothing more.
    await this.#underway
    clearTimeout(timer)
    this.#ending.abort()
  }

  async #run(): Promise<void> {
    await this.#dropLate()
    for (;;) {
      const batch = this.#next()
      if (batch === undefined) return
      const outcome = await this.#receiver.send(batch.message, this.#ending.signal)
      if (!outcome.isSent && this.#ending.signal.aborted) return // It stays as it was.
      if (outcome.isSent) await this.#told(batch, outcome)
      else await this.#missed(batch, outcome)
    }
  }

  /** What goes next; undefined where nothing is due, or too much was told already. */
  #next(): Batch | undefined {
    const { clock, queue } = this.#at
    const nowMs = this.#nowMs()
    if (nowMs < this.#pausedMs) return undefined
    const { more, waiting } = queue.backlog(this.#receiver.name)
    const due = [...waiting.values()].filter(({ nextMs }) => nextMs <= nowMs)
    const urgent = due.filter(({ summary }) => summary.kind === 'emergency')
    const tickMs = clock.monotonicMs()
    return (
      this.#batch(urgent, 0, this.#urgent, tickMs) ?? this.#batch(due, more, this.#ordinary, tickMs)
    )
  }

  #batch(due: readonly Waiting[], more: number, bucket: Bucket, tickMs: number): Batch | undefined {
    const { consoleUrl } = this.#at
    const left = bucket.left(tickMs)
    const count = due.length + more
    if (count === 0 || left < 1) return undefined
    bucket.take()
    // What was tried least goes first: one that is never taken does not stand in the way.
    const [first] = due.toSorted((a, b) => a.tries - b.tries)
    if (first !== undefined && count <= left) {
      return { rows: [first], more: 0, message: messageOf(first.summary, consoleUrl) }
    }
    const all = due.map(({ summary }) => summary)
    return { rows: due, more, message: digestOf(all, more, consoleUrl) }
  }

  async #told(batch: Batch, outcome: Outcome & { isSent: true }): Promise<void> {
    const { queue, restored } = this.#at
    const { name } = this.#receiver
    this.#failures = 0
    this.#reason = undefined
    this.#counts.sent += batch.rows.length + batch.more
    // The entry comes first: a crash behind it tells twice and records twice, and loses nothing.
    await this.#record('notice.sent', batch, { rejected: outcome.rejected })
    this.#write(() =>
      queue.done(
        name,
        batch.rows.map(({ id }) => id),
        batch.more,
      ),
    )
    if (this.#isTold) restored(this.#control())
    this.#isTold = false
  }

  async #missed(
    batch: Batch,
    { afterMs, isRefused, reason }: Outcome & { isSent: false },
  ): Promise<void> {
    const { pace, queue } = this.#at
    this.#counts.failedTries++
    this.#reason = reason
    this.#failures++
    const nextMs = this.#nowMs() + Math.max(afterMs ?? 0, this.#pauseMs())
    if (!isRefused) this.#pausedMs = Math.max(this.#pausedMs, nextMs)
    this.#write(() => queue.later(batch.rows, nextMs))
    const triesMax = isRefused ? pace.refusedTriesMax : pace.triesMax
    const over = batch.rows.filter(({ tries }) => tries >= triesMax)
    // Once may be chance; a receiver that was told to wait does wait.
    if (this.#failures > 1 || isRefused || over.length > 0) this.#tellFailure(reason)
    if (over.length > 0) await this.#giveUp({ ...batch, rows: over, more: 0 }, reason)
  }

  /** Half of it is chance, so that many that failed together do not come back together. */
  #pauseMs(): number {
    const { retryMs, retryMsMax } = this.#at.pace
    const ms = Math.min(retryMs * 2 ** Math.min(this.#failures - 1, 30), retryMsMax)
    return ms * (0.5 + Math.random() / 2)
  }

  /** To be told that something waits whose time is over helps nobody; that it was missed is known. */
  async #dropLate(): Promise<void> {
    const nowMs = this.#nowMs()
    const { waiting } = this.#at.queue.backlog(this.#receiver.name)
    const late = [...waiting.values()].filter(({ summary: { kind, notAfterMs } }) => {
      return (kind === 'created' || kind === 'reminded') && notAfterMs > 0 && notAfterMs < nowMs
    })
    if (late.length === 0) return
    await this.#giveUp({ rows: late, more: 0 }, 'too_late')
  }

  async #giveUp(batch: Omit<Batch, 'message'>, reason: string): Promise<void> {
    this.#counts.failed += batch.rows.length
    this.#tellFailure(reason)
    await this.#record('notice.failed', batch, { reason })
    const ids = batch.rows.map(({ id }) => id)
    this.#write(() => this.#at.queue.done(this.#receiver.name, ids, 0))
  }

  #tellFailure(reason: string): void {
    if (this.#isTold) return
    this.#isTold = true
    this.#at.failed(this.#control(), reason)
  }

  #control(): string {
    return `notice ${this.#receiver.name}`
  }

  async #record(
    type: 'notice.sent' | 'notice.failed',
    { more, rows }: Omit<Batch, 'message'>,
    details: Readonly<Record<string, string | number | undefined>>,
  ): Promise<void> {
    const { name: receiver, type: channel } = this.#receiver
    for (const each of entriesOf(rows, more)) {
      const { connection, ...about } = each
      try {
        await this.#at.note(type, { connection }, { receiver, channel, ...about, ...details })
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        // Going on is safe: the record has said that it takes nothing, and calls have stopped.
      }
    }
  }

  /** What cannot be written holds in memory, and is done again after a restart. */
  #write(work: () => void): void {
    const control = 'notices'
    try {
      work()
      this.#at.restored(control)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#at.failed(control, 'state_file')
    }
  }

  #nowMs(): number {
    return this.#at.clock.nowUs() / 1000
  }
}

/** A list in an entry has a hundred words at most. */
const rowsAtOnce = 100

interface Told {
  readonly connection?: string
  readonly what: string
  readonly ticket?: string
  readonly tickets?: readonly string[]
  readonly tries: number
  readonly notices: number
}

/** One entry for a notice told alone; of a digest as many as name all its tickets. */
function entriesOf(rows: readonly Waiting[], more: number): Told[] {
  const [first] = rows
  if (first !== undefined && rows.length === 1 && more === 0) {
    const { connection, kind, subject } = first.summary
    const ticket = kind === 'tool_changed' ? {} : { ticket: subject }
    return [{ connection, what: kind, ...ticket, tries: first.tries + 1, notices: 1 }]
  }
  const entries: Told[] = []
  for (let i = 0; i === 0 || i < rows.length; i += rowsAtOnce) {
    const some = rows.slice(i, i + rowsAtOnce)
    const tickets = some.map(({ summary }) => summary).filter(({ kind }) => kind !== 'tool_changed')
    const tries = Math.max(0, ...some.map((row) => row.tries)) + 1
    const notices = some.length + (i === 0 ? more : 0)
    const named = [...new Set(tickets.map(({ subject }) => subject))]
    entries.push({ what: 'digest', tickets: named, tries, notices })
  }
  return entries
}
