/**
 * What becomes of held calls while somebody watches: an event stream (HTML Standard, server-sent
 * events) of ids and states, of those calls alone which the watcher may see. Nothing else of a call
 * stands in it, and an open stream keeps nobody signed in.
 *
 *     event: ticket
 *     data: {"id":"tk_…","state":"approved","approvals":1}
 */
import { Fault } from '../base/fault.ts'
import type { Ticket } from '../hold/ticket.ts'
import { isStopped } from './guard.ts'
import type { Asker, ConsoleRoom } from './parts.ts'
import type { ConsoleSession } from './sessions.ts'
import { sightOf } from './ticket-sight.ts'
import type { TicketParts } from './ticket-sight.ts'
import { openStates } from './ticket-words.ts'

/** Streams of one session, and of everybody. */
const perSessionMax = 4
const streamsMax = 500
/** Events which a slow reader may be behind; beyond, its stream ends and it comes again. */
const behindMax = 256
/** A line goes out at least so often, so that a connection which is gone is noticed. */
const beatMs = 15_000
/** What no event tells is looked for so often. */
const scanMs = 2000

const openMax = 1000

interface Watcher {
  readonly asker: Asker
  readonly session: ConsoleSession
  readonly out: ReadableStreamDefaultController<Uint8Array>
  beatAtMs: number
}

export class LiveTickets {
  readonly #room: ConsoleRoom & TicketParts
  readonly #watchers = new Set<Watcher>()
  /** What was told last of each call that is open. Bounded by how many may be. */
  readonly #told = new Map<string, string>()
  #scannedMs = 0

  constructor(room: ConsoleRoom & TicketParts) {
    this.#room = room
    room.tickets.onEvent((_, ticket) => this.#tell(ticket))
  }

  /**
   * For browsers: a program asks for the list again.
   * @throws {Fault} `refused` without a session, `rate_limited` with too many streams.
   */
  open(asker: Asker): Response {
    const { session } = asker
    if (session === undefined) {
      const message = 'Events are for pages of the console. Ask for the list again instead.'
      throw new Fault('refused', message, { facts: { reason: 'not_signed_in' } })
    }
    const own = [...this.#watchers].filter((watcher) => watcher.session.key === session.key)
    if (own.length >= perSessionMax || this.#watchers.size >= streamsMax) {
      const message = 'Too many pages watch held calls already. Close some of them.'
      throw new Fault('rate_limited', message, { facts: { reason: 'streams' } })
    }
    if (this.#watchers.size === 0) this.#remember()
    let watcher: Watcher | undefined
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (out) => {
          watcher = { asker, session, out, beatAtMs: this.#nowMs() + beatMs }
          this.#watchers.add(watcher)
          send(watcher, 'retry: 3000\n\n')
        },
        cancel: () => void (watcher && this.#watchers.delete(watcher)),
      },
      { highWaterMark: behindMax },
    )
    return new Response(stream, {
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    })
  }

  /** Tells what no event told, and ends the streams of whoever is not signed in any more. */
  tick(): void {
    if (this.#watchers.size === 0) return
    const nowMs = this.#nowMs()
    if (Math.abs(nowMs - this.#scannedMs) >= scanMs) this.#scan(nowMs)
    const sessions = new Set(this.#room.sessions.list().map(({ key }) => key))
    for (const watcher of this.#watchers) {
      if (!sessions.has(watcher.session.key)) this.#end(watcher)
      else if (nowMs >= watcher.beatAtMs) {
        watcher.beatAtMs = nowMs + beatMs
        this.#give(watcher, ': still here\n\n')
      }
    }
  }

  #scan(nowMs: number): void {
    this.#scannedMs = nowMs
    const open = this.#room.tickets.list({ states: openStates, limit: openMax })
    const isOpen = new Set(open.map(({ id }) => id))
    for (const ticket of open) this.#tell(ticket)
    for (const id of [...this.#told.keys()].filter((known) => !isOpen.has(known))) {
      const ended = this.#room.tickets.byId(id)
      if (ended !== undefined) this.#tell(ended)
      this.#told.delete(id)
    }
  }

  #remember(): void {
    this.#told.clear()
    const open = this.#room.tickets.list({ states: openStates, limit: openMax })
    for (const ticket of open) this.#told.set(ticket.id, wordsOf(ticket))
  }

  #tell(ticket: Ticket): void {
    if (this.#watchers.size === 0) return
    const words = wordsOf(ticket)
    if (this.#told.get(ticket.id) === words) return
    this.#told.set(ticket.id, words)
    for (const watcher of this.#watchers) {
      if (isStopped(watcher.session, this.#room)) continue
      const asker = this.#now(watcher)
      if (sightOf(ticket, asker, this.#room) === undefined) continue
      this.#give(watcher, `event: ticket\ndata: ${words}\n\n`)
    }
  }

  /** The asker with the roles of now. */
  #now({ asker }: Watcher): Asker {
    const known = this.#room.directory.byId(asker.id)
    const bearer = known ?? asker.bearer
    return { ...asker, bearer, roles: this.#room.rolesOf(bearer) }
  }

  #give(watcher: Watcher, text: string): void {
    // Whoever does not read what was sent before is not there any more.
    if ((watcher.out.desiredSize ?? 0) <= 0) this.#end(watcher)
    else send(watcher, text)
  }

  #end(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    try {
      watcher.out.close()
    } catch {
      // The reader has gone by itself.
    }
  }

  #nowMs(): number {
    return this.#room.clock.nowUs() / 1000
  }
}

function wordsOf({ decisions, id, state }: Ticket): string {
  const approvals = decisions.filter(({ decision }) => decision === 'approve').length
  return JSON.stringify({ id, state, approvals })
}

const encoder = new TextEncoder()

function send({ out }: Watcher, text: string): void {
  out.enqueue(encoder.encode(text))
}
