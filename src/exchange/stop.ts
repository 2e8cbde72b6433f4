/** Stopping somebody or something: in force, recorded, and what is open is cut. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Revocation, Stop, Stopped, Target } from '../identity/revocations.ts'
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { Session } from '../session/sessions.ts'
import { endSession } from './closing.ts'
import type { Stations } from './stations.ts'
import { stopOf } from './stopped.ts'
import type { Way } from './way.ts'

/** What was cut gets this long to be told and recorded before the stop is said to be done. */
const cutMsMax = 1000

export interface Stops {
  readonly stop: Stop
  /** Takes a stop back, and records it. @returns undefined where there is none of this id. */
  lift(id: string, by: string, reason: string): Promise<Revocation | undefined>
  /** Cuts what planned stops, ended access and ended grants are about; called every second. */
  tick(): Promise<void>
  /** Cuts whoever lost their access by another access list. */
  recheck(): Promise<void>
  /** Told of each stop that came into force, before it is said to be done: ends what else there is. */
  heed(listener: (revocation: Revocation) => Promise<unknown>): void
}

/**
 * Order: the list first (in force here, durable on disk), then every request under way is broken
 * off, then the entry. So no intent is recorded and no call leaves after `principal.revoked`. A
 * crash before the entry leaves the stop in force; the next start records it (`recordMissed`).
 */
export function createStops(at: Stations, note: Note): Stops {
  const listeners: ((revocation: Revocation) => Promise<unknown>)[] = []
  const tell = async (revocation: Revocation, ways: readonly Way[]): Promise<Stopped['cut']> => {
    const cut = {
      calls: ways.filter(({ incoming }) => incoming.method === 'POST').length,
      streams: ways.filter(({ incoming }) => incoming.method === 'GET').length,
      sessions: await closeStopped(at),
    }
    for (const listener of listeners) await listener(revocation)
    await gone(ways, at)
    const id = revocation.id
    await note('revocation.cut', aboutOf(revocation), { id, ...cut })
    return cut
  }
  return {
    async stop({ fromMs, ...of }): Promise<Stopped> {
      const madeMs = nowMsOf(at)
      let ways: Way[] = []
      let revocation: Revocation
      try {
        revocation = at.revocations.add({ ...of, madeMs, fromMs: fromMs ?? madeMs })
      } finally {
        ways = cutStopped(at) // Also where it could not be kept: it is in force here.
      }
      await recordRevoked(revocation, at, note)
      return { revocation, cut: await tell(revocation, ways) }
    },
    async lift(id, by, reason): Promise<Revocation | undefined> {
      // Recorded first: what is lifted without a trace would be the greater harm.
      if (!at.revocations.list().some((one) => one.id === id)) return undefined
      await note('revocation.lifted', { principal: personOf(by) }, { id, reason, by })
      return at.revocations.lift(id)
    },
    async tick(): Promise<void> {
      const due = at.revocations.tick(nowMsOf(at))
      const ways = cutStopped(at)
      if (at.recorder.state() === 'open') await recordMissed(at, note)
      for (const revocation of due) await tell(revocation, ways)
      if (due.length === 0 && ways.length > 0) await closeStopped(at)
    },
    async recheck(): Promise<void> {
      cutStopped(at, true)
      await Promise.resolve()
    },
    heed: (listener) => void listeners.push(listener),
  }
}

/** Stops that are in force and have no entry yet: a crash came between. */
export async function recordMissed(at: Stations, note: Note): Promise<void> {
  for (const revocation of at.revocations.unrecorded()) await recordRevoked(revocation, at, note)
}

async function recordRevoked(revocation: Revocation, at: Stations, note: Note): Promise<void> {
  const { by, fromMs, id, madeMs, reason, source, target } = revocation
  const planned: Details = fromMs > madeMs ? { from: new Date(fromMs).toISOString() } : {}
  const details = { id, what: target.kind, of: namedBy(target), reason, by, source, ...planned }
  await note('principal.revoked', aboutOf(revocation), details)
  at.revocations.recorded(id)
}

function aboutOf({ by, target }: Revocation): Parameters<Note>[1] {
  const connection = target.kind === 'connection' ? target.connection : undefined
  return { principal: personOf(by), connection }
}

function personOf(by: string): NonNullable<Parameters<Note>[1]['principal']> {
  return { issuer: 'local', subject: by, kind: 'local' }
}

/** What a stop is about, in one word or two. */
export function namedBy(target: Target): string {
  switch (target.kind) {
    case 'principal':
    case 'tokens-before':
      return `${target.issuer} ${target.subject}`
    case 'client':
      return target.client
    case 'token':
      return target.token
    case 'sign-in':
      return target.signIn
    case 'connection':
      return target.connection
    case 'everything':
      return 'everything'
    default:
      return target satisfies never
  }
}

/** Breaks off every request under way that may not go on. @param isChanged the access list is another.
 *  @returns them. */
function cutStopped(at: Stations, isChanged = false): Way[] {
  const nowMs = nowMsOf(at)
  const cut: Way[] = []
  for (const way of at.underway) {
    const { known } = way
    if (known === undefined || way.stopped !== undefined) continue
    const { until } = known.access
    const isOver = isChanged || (until !== undefined && until <= nowMs)
    const why =
      stopOf(known.principal, known.connection.name, nowMs, at) ??
      (isOver && !mayStill(way, at, nowMs) ? 'grant' : undefined)
    if (why === undefined) continue
    way.stopped = why
    cut.push(way)
    way.work.abort()
  }
  return cut
}

/** Whether the grants of now give what the request was let in with. */
function mayStill({ known, incoming, legs }: Way, at: Stations, nowMs: number): boolean {
  if (known === undefined) return false
  const of = { ip: incoming.source.ip, nowMs }
  const access = at.access(known.principal, known.connection.name, of)
  if (access === undefined || (known.access.reveal === 'pan' && access.reveal === 'none')) {
    return false
  }
  return legs.every(({ target: { kind, name } }) => {
    const isNamed = kind === 'tool' || kind === 'prompt' || kind === 'resource'
    return !isNamed || access.allows(kind, name)
  })
}

/** Sessions of those who are stopped end, and their ids at the servers with them. */
async function closeStopped(at: Stations): Promise<number> {
  const nowMs = nowMsOf(at)
  const stopped: Session[] = at.sessions.open().filter(({ connection, owner }) => {
    const [issuer = '', subject = ''] = owner.split('\n')
    return stopOf({ ...nobody, issuer, subject }, connection, nowMs, at) !== undefined
  })
  for (const session of stopped) await endSession(session, 'revoked', true, at)
  return stopped.length
}

const nobody = { kind: 'person' as const, groups: [], roles: [], expiresAtMs: 0 }

/** Waits until what was cut has left, at most for `cutMsMax`. */
async function gone(ways: readonly Way[], at: Stations): Promise<void> {
  const deadlineMs = at.clock.monotonicMs() + cutMsMax
  while (ways.some((way) => at.underway.has(way)) && at.clock.monotonicMs() < deadlineMs) {
    await pause(5)
  }
}

function nowMsOf(at: Stations): number {
  return at.clock.nowUs() / 1000
}
