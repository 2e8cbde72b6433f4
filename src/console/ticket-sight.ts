/** Who sees what of a held call, and what they may do with it now. */
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { Ticket, TicketState } from '../hold/ticket.ts'
import type { Refusal, Tickets } from '../hold/tickets.ts'
import { holds } from '../policy/who.ts'
import type { Bearer } from '../policy/who.ts'
import { aboutOf } from './ends.ts'
import type { Asker, ConsoleParts } from './parts.ts'

/** `all`: its masked arguments too. `metadata`: never those. */
export type Sight = 'all' | 'metadata'

/** What the asker may do with a ticket at this moment. */
export interface Standing {
  /** They asked for it, or answer for the program which did. */
  readonly isMine: boolean
  readonly waitsForMe: boolean
  /** Why they may not decide; undefined where they may, in their own name. */
  readonly refusal: Refusal | undefined
  /** Ids of those for whom they may decide. */
  readonly actsFor: readonly string[]
  readonly mayWithdraw: boolean
  readonly mayRunInEmergency: boolean
  readonly mayReview: boolean
}

const metadataRoles: readonly ConsoleRole[] = ['admin', 'compliance', 'auditor']

/** Approved once, whatever came of it. */
export function isApproved({ decisions, state }: Ticket): boolean {
  const past: readonly TicketState[] = ['approved', 'executing', 'executed', 'unknown']
  return past.includes(state) && decisions.some(({ decision }) => decision === 'approve')
}

/** @returns undefined where the asker sees nothing of it. */
export function sightOf(ticket: Ticket, asker: Asker, parts: TicketParts): Sight | undefined {
  const { roles } = asker
  if (isMine(ticket, asker, parts)) return 'all'
  if (roles.has('analyst') || isReviewer(ticket, asker, parts)) return 'all'
  return metadataRoles.some((role) => roles.has(role)) ? 'metadata' : undefined
}

/** The parts which looks at tickets need. */
export type TicketParts = Pick<ConsoleParts, 'directory' | 'note' | 'rolesOf'> & {
  readonly tickets: Tickets
}

/** The call of the asker themselves, or of a program they answer for. */
export function isMine({ owner }: Ticket, { bearer, id }: Asker, parts: TicketParts): boolean {
  if (owner === `${bearer.issuer}\n${bearer.subject}`) return true
  const end = owner.indexOf('\n')
  const known = parts.directory.find(owner.slice(0, end), owner.slice(end + 1))
  return known?.owner !== undefined && known.owner === id
}

/** Whether the ticket is for the asker to judge, by their own rights or those of another who lets
 *  them decide: whatever its state, and whether or not they may decide on it just now. */
function isReviewer(ticket: Ticket, asker: Asker, parts: TicketParts): boolean {
  if (isNamed(ticket, asker.bearer, asker.roles)) return true
  if (asker.roles.has('admin')) return false
  return parts.tickets.delegations(asker.id).some(({ from, to }) => {
    const right = to === asker.id ? parts.directory.byId(from) : undefined
    return right !== undefined && isNamed(ticket, right, parts.rolesOf(right))
  })
}

function isNamed({ terms }: Ticket, bearer: Bearer, roles: ReadonlySet<ConsoleRole>): boolean {
  if (roles.has('admin') || !roles.has('approver')) return false
  return terms.reviewers.length === 0 || terms.reviewers.some(({ who }) => holds(who, bearer))
}

/** What somebody who sits before a browser may do; programs and their like may do nothing. */
export function standingOf(ticket: Ticket, asker: Asker, parts: TicketParts): Standing {
  const mine = isMine(ticket, asker, parts)
  if (asker.session === undefined || asker.kind !== 'person') return { ...idle, isMine: mine }
  const { tickets } = parts
  const { emergency, id, state } = ticket
  const isPending = state === 'pending'
  const refusal = isPending ? tickets.refusalOf(id, asker.id) : over
  // The emergency account sets things up and stops people, and decides nothing.
  const actsFor = isPending && !asker.session.isBreakGlass ? tickets.mayActFor(id, asker.id) : []
  const own = asker.session.isBreakGlass ? breakGlass : refusal
  return {
    isMine: mine,
    waitsForMe: isPending && (own === undefined || actsFor.length > 0),
    refusal: own,
    actsFor,
    mayWithdraw: mine && (isPending || state === 'approved'),
    mayRunInEmergency:
      isPending && !asker.session.isBreakGlass && tickets.mayRunInEmergency(id, asker.id),
    mayReview:
      emergency !== undefined &&
      emergency.reviewedBy === undefined &&
      !mine &&
      isReviewer(ticket, asker, parts),
  }
}

const over: Refusal = { reason: 'not_pending', words: 'This call waits for no decision any more.' }
const breakGlass: Refusal = {
  reason: 'break_glass',
  words: 'The emergency account decides on no call.',
}
const programs: Refusal = {
  reason: 'not_a_person',
  words: 'Only people decide, signed in to the console.',
}
const idle: Standing = {
  isMine: false,
  waitsForMe: false,
  refusal: programs,
  actsFor: [],
  mayWithdraw: false,
  mayRunInEmergency: false,
  mayReview: false,
}

/**
 * A ticket that the asker sees something of. Who sees nothing of it is recorded: a link may have
 * gone astray.
 * @throws {Fault} `path_unknown` for one that there is not, `refused` for one that is not theirs.
 */
export async function seen(
  id: string,
  asker: Asker,
  parts: TicketParts,
): Promise<{ readonly ticket: Ticket; readonly sight: Sight }> {
  const ticket = parts.tickets.byId(id)
  if (ticket === undefined) {
    const facts = { reason: 'unknown' }
    throw new Fault('path_unknown', 'There is no such held call, or it was long ago.', { facts })
  }
  const sight = sightOf(ticket, asker, parts)
  if (sight !== undefined) return { ticket, sight }
  const { connection, exchange, session } = ticket
  const about = { ...aboutOf(asker), connection, exchange, session }
  const details = { ticket: id, decision: 'look', outcome: 'refused', reason: 'role' }
  await parts.note('ticket.decided', about, details)
  const message = 'This held call is for other people to see. Nothing was shown.'
  throw new Fault('refused', message, { facts: { reason: 'role' } })
}
