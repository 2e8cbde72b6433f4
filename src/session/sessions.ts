/**
 * Recorded sessions of both eras: the span in which one principal works on one connection.
 *
 * A legacy session with an `Mcp-Session-Id` is the server's session, bound to its principal
 * (MCP 2025-11-25, Transports: Session management; Security best practices: session hijacking).
 * Everywhere else a session is what a person would call one: the same principal, connection, address
 * and program, until it has been idle for a while.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import type { SessionState } from './state.ts'

export interface Session {
  readonly id: string
  readonly connection: string
  /** Issuer and subject of its principal. */
  readonly owner: string
  readonly era: 'modern' | 'legacy'
  version: string
  readonly openedUs: number
  lastUs: number
  calls: number
  /** Exchanges under way: a session with one of them is not idle. */
  underway: number
  /** What its client calls itself; whoever writes a client can choose it. */
  clientName?: string | undefined
  /** The server's own session id, once it gave one. */
  sid: string | undefined
  /** The recorded session this one goes on from, after a restart or an idle time. */
  readonly continues: string | undefined
  closedFor: string | undefined
}

/** How a request without a session id is told from others of the same principal. */
export interface Trait {
  readonly ip: string
  readonly userAgent: string
  /** Client id and sign-in of the token: what let them in is recorded once for each session. */
  readonly client?: string | undefined
  readonly signIn?: string | undefined
}

export interface Joined {
  readonly session: Session
  readonly isNew: boolean
}

export class Sessions {
  readonly #state: SessionState
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #open = new Map<string, Session>() // By recorded id; the order is that of opening.
  readonly #bySid = new Map<string, Session>()
  readonly #ambient = new Map<string, Session>()

  constructor(options: { state: SessionState; clock: Clock; idleMs: number }) {
    this.#state = options.state
    this.#clock = options.clock
    this.#idleMs = options.idleMs
  }

  /**
   * The session a client names by the server's session id.
   * @throws {Fault} `session_unknown` when nobody has it, and just so when somebody else has it.
   */
  resume(connection: string, owner: string, sid: string): Joined {
    const open = this.#bySid.get(`${connection}\n${sid}`)
    if (open !== undefined) {
      if (open.owner !== owner) throw unknownSession()
      return { session: this.#touch(open), isNew: false }
    }
    const binding = this.#state.binding(connection, sid)
    if (binding === undefined || binding.owner !== owner) throw unknownSession()
    const { version, session: continues } = binding
    const session = this.#add({ connection, owner, era: 'legacy', version, continues })
    this.bind(session, sid)
    return { session, isNew: true }
  }

  /** A new session, at a legacy `initialize`. It is the one that requests without an id join. */
  begin(connection: string, owner: string, version: string, trait: Trait): Session {
    const session = this.#add({ connection, owner, era: 'legacy', version, continues: undefined })
    this.#ambient.set(ambientKey(connection, owner, 'legacy', trait), session)
    return session
  }

  /** The session of a request that names none: the one under way, or a new one. */
  join(
    connection: string,
    owner: string,
    era: Session['era'],
    version: string,
    trait: Trait,
  ): Joined {
    const key = ambientKey(connection, owner, era, trait)
    const open = this.#ambient.get(key)
    if (open !== undefined && open.closedFor === undefined) {
      return { session: this.#touch(open), isNew: false }
    }
    const session = this.#add({ connection, owner, era, version, continues: undefined })
    this.#ambient.set(key, session)
    return { session, isNew: true }
  }

  /** Binds the server's session id to the session and its principal, durably. */
  bind(session: Session, sid: string): void {
    session.sid = sid
    this.#bySid.set(`${session.connection}\n${sid}`, session)
    const { owner, version, id } = session
    this.#state.bind(session.connection, sid, { owner, version, session: id }, this.#nowMs())
  }

  /** Ends a session. @param forget true when the server's session id is dead as well. */
  close(session: Session, reason: string, forget: boolean): void {
    session.closedFor ??= reason
    this.#open.delete(session.id)
    if (session.sid === undefined) return
    this.#bySid.delete(`${session.connection}\n${session.sid}`)
    if (forget) this.#state.unbind(session.connection, session.sid)
  }

  /** Sessions idle for too long, closed by this call; their ids stay bound to their principals. */
  closeIdle(): Session[] {
    const before = this.#clock.nowUs() - this.#idleMs * 1000
    const idle = [...this.#open.values()].filter((one) => one.lastUs < before && one.underway === 0)
    for (const session of idle) this.close(session, 'idle', false)
    for (const [key, session] of this.#ambient) {
      if (session.closedFor !== undefined) this.#ambient.delete(key)
    }
    return idle
  }

  /** Closes everything, at a stop. */
  closeAll(reason: string): Session[] {
    const all = [...this.#open.values()]
    for (const session of all) this.close(session, reason, false)
    return all
  }

  open(): readonly Session[] {
    return [...this.#open.values()]
  }

  get openCount(): number {
    return this.#open.size
  }

  #add(of: Pick<Session, 'connection' | 'owner' | 'era' | 'version' | 'continues'>): Session {
    const nowUs = this.#clock.nowUs()
    const session: Session = {
      ...of,
      id: newId('se'),
      openedUs: nowUs,
      lastUs: nowUs,
      calls: 0,
      underway: 0,
      sid: undefined,
      closedFor: undefined,
    }
    this.#open.set(session.id, session)
    return session
  }

  #touch(session: Session): Session {
    session.lastUs = this.#clock.nowUs()
    return session
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000)
  }
}

function ambientKey(connection: string, owner: string, era: string, trait: Trait): string {
  const { client = '', ip, signIn = '', userAgent } = trait
  return [connection, owner, era, ip, client, signIn, userAgent].join('\n')
}

function unknownSession(): Fault {
  return new Fault(
    'session_unknown',
    'There is no such session of yours on this connection. Start a new one with initialize.',
    { facts: { reason: 'session_unknown' } },
  )
}
