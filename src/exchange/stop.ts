/** Stopping somebody or something: in force, recorded, and what is open is cut. */
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../base/fault.ts'
import type { Principal } from '../identity/principal.ts'
import type { Revocation, Stop, Stopped, Target } from '../identity/revocations.ts'
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { Session } from '../session/sessions.ts'
import { endSession } from './closing.ts'
import type { Stations } from './stations.ts'
import { stopOf } from './stopped.ts'
import type { Why } from './stopped.ts'
import type { Way } from './way.ts'

/** What was cut gets this long to be told and recorded before the stop is said to be done. */
const cutMsMax = 1000

export interface Stops {
  readonly stop: Stop
  /** Takes a stop back, and records it. @returns undefined where there is none of this id. */
  lift(id: string, by: string, reason: string): Promise<Revocation | undefined>
  /** Cuts what planned stops, ended access and ended grants are about; called every second. */
  tick(): Promise<void>
  /** Cuts whoever lost their access by another access list, or is not believed any more. */
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
  let { revision } = at.directory
  /** What the directory says of somebody may have changed under a stream of theirs. */
  const recheck = async (): Promise<void> => {
    revision = at.directory.revision
    const left = [...at.underway].filter(({ stopped }) => stopped === undefined)
    await Promise.all(left.map((way) => cutUnbelieved(way, at)))
  }
  /** Whose entry is being written: `tick` comes in between. */
  const underway = new Set<string>()
  const record = async (revocation: Revocation): Promise<void> => {
    underway.add(revocation.id)
    try {
      await recordRevoked(revocation, at, note)
    } finally {
      underway.delete(revocation.id)
    }
  }
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
        endHeld(of.target, at)
      }
      await record(revocation)
      return { revocation, cut: await tell(revocation, ways) }
    },
    async lift(id, by, reason): Promise<Revocation | undefined> {
      // Recorded first: what is lifted without a trace would be the greater harm.
      if (!at.revocations.list().some((one) => one.id === id)) return undefined
      await note('revocation.lifted', { principal: personOf(by) }, { id, reason, by })
      return at.revocations.lift(id)
    },
    async tick(): Promise<void> {
      const nowMs = nowMsOf(at) // One for both: what is cut now is of a stop that is told now.
      const due = at.revocations.tick(nowMs)
      const ways = cutStopped(at, { nowMs })
      for (const { target } of due) endHeld(target, at)
      const missed = at.revocations.unrecorded().filter(({ id }) => !underway.has(id))
      for (const revocation of at.recorder.state() === 'open' ? missed : []) {
        // The record was down when it was made: what comes after the entry was left out as well.
        await record(revocation)
        await tell(revocation, [])
      }
      for (const revocation of due) await tell(revocation, ways)
      if (due.length === 0 && ways.length > 0) await closeStopped(at)
      if (at.directory.revision !== revision) await recheck()
    },
    async recheck(): Promise<void> {
      cutStopped(at, { isChanged: true })
      await recheck()
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

/** Whoever asked: a person by issuer and subject, or a user of this machine. */
function personOf(by: string): NonNullable<Parameters<Note>[1]['principal']> {
  const [, issuer, subject] = /^((?:https?:\/\/|urn:)\S+) (.+)$/.exec(by) ?? []
  if (issuer !== undefined && subject !== undefined) return { issuer, subject, kind: 'person' }
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

/** Held calls of whom a stop is about die with it: nobody is to approve them any more. */
function endHeld(target: Target, at: Stations): void {
  const why = 'Access was stopped while it waited.'
  if (target.kind === 'everything') at.tickets.endAll({ everything: true }, why)
  else if (target.kind === 'connection') {
    at.tickets.endAll({ connection: target.connection }, why)
  } else if (target.kind === 'principal') {
    at.tickets.endAll({ owner: `${target.issuer}\n${target.subject}` }, why)
  }
}

/** Breaks off every request under way that may not go on. @param isChanged the access list is another.
 *  @returns them. */
function cutStopped(at: Stations, { isChanged = false, nowMs = nowMsOf(at) } = {}): Way[] {
  const cut: Way[] = []
  for (const way of at.underway) {
    const { known } = way
    if (known === undefined || way.stopped !== undefined) continue
    const { until } = known.access
    const isOver = isChanged || (until !== undefined && until <= nowMs)
    const why =
      stopOf(known.principal, known.connection.name, nowMs, at) ??
      (isOutlived(way, nowMs) ? 'expired' : undefined) ??
      (isOver && !mayStill(way, known.principal, nowMs, at) ? 'grant' : undefined)
    if (why === undefined) continue
    way.stopped = why
    cut.push(way)
    way.work.abort()
  }
  return cut
}

/** A token may end this long before a stream that it opened: clocks differ. */
const outlivesMs = 60_000

/** Whether a stream outlives the token it was opened with. A call may: it ends by itself, and was
 *  asked for while the token was good. */
function isOutlived({ incoming, known, legs }: Way, nowMs: number): boolean {
  const isStream =
    incoming.method === 'GET' ||
    (legs.length > 0 && legs.every(({ method }) => method === 'subscriptions/listen'))
  return isStream && known !== undefined && known.principal.expiresAtMs + outlivesMs <= nowMs
}

/**
 * Breaks off a request whose token would not be let in any more: its issuer is gone, or takes less.
 * One that only expired goes on, as it would have without the change.
 */
async function cutUnbelieved(way: Way, at: Stations): Promise<void> {
  const { incoming, known } = way
  if (known === undefined) return
  let why: Why | undefined
  try {
    const authorization = incoming.headers.all('authorization')
    const principal = await at.identity.identify(authorization, known.connection.resource)
    if (!mayStill(way, principal, nowMsOf(at), at)) why = 'grant' // The same token may say less now.
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    // Who cannot be asked now is no reason to cut anybody; who says no is.
    const isNo = error.code === 'no_identity' && error.facts['reason'] !== 'expired'
    if (isNo) why = 'distrusted'
  }
  if (why === undefined || way.stopped !== undefined) return
  way.stopped = why
  way.work.abort()
}

/** Whether the grants of now give what the request was let in with. */
function mayStill(
  { known, incoming, legs }: Way,
  principal: Principal,
  nowMs: number,
  at: Stations,
): boolean {
  if (known === undefined) return false
  const access = at.access(principal, known.connection.name, { ip: incoming.source.ip, nowMs })
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
  const stopped: Session[] = at.sessions.open().filter(({ connection, openedUs, owner }) => {
    const [issuer = '', subject = ''] = owner.split('\n')
    // A session that was opened since somebody was signed out everywhere goes on.
    const issuedAtMs = openedUs / 1000
    return stopOf({ ...nobody, issuer, subject, issuedAtMs }, connection, nowMs, at) !== undefined
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
