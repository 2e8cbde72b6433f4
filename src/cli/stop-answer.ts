/** `sallyport revoke`, done: what is stopped, taken back, and listed. */
import { Fault } from '../base/fault.ts'
import type { Revocation, Stopped, Target } from '../identity/revocations.ts'
import { oneLine } from '../replay/plain.ts'
import { momentText, nowMsOf } from './people-desk.ts'
import type { PeopleDesk } from './people-desk.ts'
import type { LiftAsked, RevokeAsked, StopAsked, ToStop } from './people-asked.ts'
import { findWhom } from './whom.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} `path_unknown` for what nobody knows, and as `Stop` and `Lift`.
 */
export async function answerStop(
  asked: StopAsked,
  by: string,
  desk: PeopleDesk,
): Promise<readonly string[]> {
  switch (asked.what) {
    case 'revoke':
      return await revoke(asked, by, desk)
    case 'lift':
      return await lift(asked, by, desk)
    case 'revocations':
      return listStops(asked.format, desk)
    default:
      return asked satisfies never
  }
}

async function revoke(asked: RevokeAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  const { atMs, format, reason } = asked
  const target = targetOf(asked.stop, desk)
  const nowMs = nowMsOf(desk)
  if (atMs !== undefined && atMs < nowMs - 60_000) {
    throw new Fault('bad_request', 'A stop cannot begin in the past. Leave out --at to stop now.')
  }
  const planned = atMs !== undefined && atMs > nowMs ? { fromMs: atMs } : {}
  const { cut, revocation } = await desk.stop({ target, reason, by, source: 'cli', ...planned })
  if (format === 'jsonl') return [`${JSON.stringify({ ...tellOf(revocation, desk), cut })}\n`]
  const when =
    revocation.fromMs > revocation.madeMs ? `from ${momentText(revocation.fromMs)} on` : 'now'
  return [
    `Stopped ${when}: ${wordsOf(revocation.target, desk)}\n`,
    `${cutText(cut)}\n`,
    ...ownedBy(revocation.target, desk),
    `To take it back: sallyport revoke --lift ${revocation.id} --reason "…"\n`,
  ]
}

/** Somebody who leaves may hold keys of programs: those go on until somebody sees to them. */
function ownedBy(target: Target, { directory, masker, serviceAccounts }: PeopleDesk): string[] {
  if (target.kind !== 'principal') return []
  const person = directory.find(target.issuer, target.subject)
  const owned = serviceAccounts.list().filter(({ owner }) => owner === person?.id)
  if (owned.length === 0) return []
  const names = owned.map(({ name }) => oneLine(masker.word(name).value)).join(', ')
  return [
    `They answer for these service accounts, whose keys still work: ${names}.\n`,
    `End what they may have taken along: sallyport service-account remove NAME, or give out new keys.\n`,
  ]
}

function cutText({ calls, sessions, streams }: Stopped['cut']): string {
  const counted = [
    `${calls} ${calls === 1 ? 'call' : 'calls'}`,
    `${streams} ${streams === 1 ? 'stream' : 'streams'}`,
    `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`,
  ]
  return calls + streams + sessions === 0 ? 'Nothing was open.' : `Cut: ${counted.join(', ')}.`
}

function targetOf(stop: ToStop, desk: PeopleDesk): Target {
  if ('everything' in stop) return { kind: 'everything' }
  if ('client' in stop) return { kind: 'client', client: stop.client }
  if ('token' in stop) return { kind: 'token', token: stop.token }
  if ('signIn' in stop) return { kind: 'sign-in', signIn: stop.signIn }
  if ('connection' in stop) return connectionTarget(stop.connection, desk)
  const { issuer, subject } = findWhom(stop.principal, desk)
  return { kind: 'principal', issuer, subject }
}

/** A mistyped name would stop nothing, and look as if it did. */
function connectionTarget(connection: string, { connections }: PeopleDesk): Target {
  if (connections === undefined || connections.includes(connection)) {
    return { kind: 'connection', connection }
  }
  const known = connections.join(', ')
  throw new Fault('path_unknown', `There is no connection of this name. Known: ${known}.`)
}

async function lift(asked: LiftAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  const lifted = await desk.lift(asked.id, by, asked.reason)
  if (lifted === undefined) {
    const message = 'There is no stop of this id. List them with "sallyport revoke --list".'
    throw new Fault('path_unknown', message)
  }
  if (asked.format === 'jsonl') {
    return [`${JSON.stringify({ ...tellOf(lifted, desk), lifted: true })}\n`]
  }
  return [`Lifted: ${wordsOf(lifted.target, desk)}\n`]
}

function listStops(format: 'text' | 'jsonl', desk: PeopleDesk): string[] {
  const all = desk.revocations.list()
  if (format === 'jsonl') return all.map((each) => `${JSON.stringify(tellOf(each, desk))}\n`)
  if (all.length === 0) return ['Nothing is stopped.\n']
  const nowMs = nowMsOf(desk)
  return all.map((each) => {
    const { by, id, reason, source } = desk.masker.words(each).value
    const from = `${each.fromMs > nowMs ? 'planned for' : 'since'} ${momentText(each.fromMs)}`
    const who = oneLine(`by ${by} (${source})`)
    return `${id}  ${from}  ${wordsOf(each.target, desk)}  ${who}  ${oneLine(reason)}\n`
  })
}

/** As JSON has it: moments as text, words masked. */
function tellOf(revocation: Revocation, { masker }: PeopleDesk): Record<string, unknown> {
  const { by, fromMs, id, madeMs, reason, source, target, untilMs } = masker.words(revocation).value
  const made = { made: momentText(madeMs), from: momentText(fromMs) }
  const until = untilMs === undefined ? {} : { until: momentText(untilMs) }
  return { id, target, reason, by, source, ...made, ...until }
}

/** What a stop is about, in one line; who it is by name where the directory knows it. */
function wordsOf(target: Target, { directory, masker }: PeopleDesk): string {
  const said = (): string => {
    switch (target.kind) {
      case 'principal':
      case 'tokens-before': {
        const { issuer, subject } = target
        const name = directory.find(issuer, subject)?.name
        const who = `${issuer} ${subject}${name === undefined ? '' : ` (${name})`}`
        if (target.kind === 'principal') return `principal ${who}`
        return `tokens until ${momentText(target.beforeMs)} of ${who}`
      }
      case 'client':
        return `client ${target.client}`
      case 'token':
        return `token ${target.token}`
      case 'sign-in':
        return `sign-in ${target.signIn}`
      case 'connection':
        return `connection ${target.connection}`
      case 'everything':
        return 'everything'
      default:
        return target satisfies never
    }
  }
  return oneLine(masker.word(said()).value)
}
