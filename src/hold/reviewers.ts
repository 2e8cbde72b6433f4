/** Who may decide on a ticket: asked again at each step, of people as they are then. */
import { Fault } from '../base/fault.ts'
import { holds } from '../policy/who.ts'
import type { HoldTerms } from '../policy/verdict.ts'
import { marksOf, shareMark } from './marks.ts'
import type { DecisionRow, TicketRow } from './rows.ts'
import type { Refusal, Reviewer, TicketsOptions } from './tickets.ts'

/** Reasons, with what people read. */
const words = {
  reviewer_unknown: 'You are stopped, or nobody the directory knows any more.',
  reviewer_no_person: 'Only people decide.',
  reviewer_admin: 'Administrators set the rules, and decide on no call.',
  own_call:
    'This call is your own: yours, that of another account of yours, or of a program you answer for. Somebody else must decide.',
  not_delegated: 'Nobody in force lets you decide for them.',
  not_approver: 'This needs the console role "approver".',
  not_reviewer: 'This ticket waits for other people than you.',
  already_decided: 'You have decided on this ticket already, by this account or another.',
  group_full: 'Those of your group who are needed have decided already; others are missing.',
} as const

/** What the check asks: people as they are now, and who stands in for whom. */
export interface People extends Pick<TicketsOptions, 'reviewer'> {
  /** Keyed hashes of marks, as rows have them. */
  hashed(marks: readonly string[]): string[]
  isDelegated(from: string, to: string): boolean
}

/** Somebody who may decide. */
export interface Standing {
  readonly person: Reviewer
  /** By whose rights: their own, or those of who delegated. */
  readonly right: Reviewer
  /** Keyed hashes of what both are known by. */
  readonly marks: readonly string[]
}

export interface AskedStanding {
  readonly ticket: Pick<TicketRow, 'marks'> & { readonly doc: { readonly terms: HoldTerms } }
  /** Decisions that stand already. */
  readonly decisions: readonly Pick<DecisionRow, 'decision' | 'person' | 'on_behalf_of' | 'marks'>[]
  readonly personId: string
  readonly onBehalfOf?: string | undefined
  readonly decision: 'approve' | 'deny' | 'review'
}

export function isRefusal(found: Standing | Refusal): found is Refusal {
  return 'reason' in found
}

/** Whether this person may decide on the ticket now, and by which rights. */
export function standingOf(asked: AskedStanding, people: People): Standing | Refusal {
  const { decision, decisions, onBehalfOf, personId, ticket } = asked
  const person = people.reviewer(personId)
  const right = onBehalfOf === undefined ? person : people.reviewer(onBehalfOf)
  if (person === undefined || right === undefined) return refusal('reviewer_unknown')
  if (onBehalfOf !== undefined && !people.isDelegated(onBehalfOf, personId)) {
    return refusal('not_delegated')
  }
  const both = [...new Set([person, right])]
  if (both.some(({ principal }) => principal.kind !== 'person')) {
    return refusal('reviewer_no_person')
  }
  if (both.some(({ roles }) => roles.has('admin'))) return refusal('reviewer_admin')
  const marks = [...new Set(both.flatMap((each) => people.hashed(reviewerMarks(each))))]
  if (shareMark(marks, ticket.marks)) return refusal('own_call')
  if (!right.roles.has('approver')) return refusal('not_approver')
  const { terms } = ticket.doc
  if (!groupsOf(terms).some(({ who }) => holds(who, right.bearer))) return refusal('not_reviewer')
  if (decision === 'review') return { person, right, marks }
  if (decisions.some((each) => shareMark(each.marks, marks))) return refusal('already_decided')
  const yes = approversOf(decisions, people)
  if (decision === 'approve' && filled(terms, [...yes, right]) <= filled(terms, yes)) {
    return refusal('group_full')
  }
  return { person, right, marks }
}

/** Those by whose rights a ticket was approved, as they are now; who lost them does not count. */
export function approversOf(
  decisions: AskedStanding['decisions'],
  people: Pick<People, 'reviewer'>,
): Reviewer[] {
  return decisions.flatMap(({ decision, on_behalf_of, person }) => {
    const own = people.reviewer(person)
    const right = people.reviewer(on_behalf_of ?? person)
    if (decision !== 'approve' || own === undefined || right === undefined) return []
    const isAdmin = own.roles.has('admin') || right.roles.has('admin')
    return right.roles.has('approver') && !isAdmin ? [right] : []
  })
}

/**
 * How many places of the groups these people fill, each of them one at most: the size of a largest
 * matching (Kuhn), since who is in two groups counts where they are needed.
 */
export function filled(terms: HoldTerms, approvers: readonly Reviewer[]): number {
  const places = groupsOf(terms).flatMap(({ quorum, who }) =>
    Array.from({ length: quorum }, () => approvers.map(({ bearer }) => holds(who, bearer))),
  )
  const placeOf = new Map<number, number>()
  const place = (at: number, seen: Set<number>): boolean => {
    for (const [person, fits] of (places[at] ?? []).entries()) {
      if (!fits || seen.has(person)) continue
      seen.add(person)
      const before = placeOf.get(person)
      if (before !== undefined && !place(before, seen)) continue
      placeOf.set(person, at)
      return true
    }
    return false
  }
  return places.filter((_, at) => place(at, new Set())).length
}

export function reviewerMarks({ principal }: Reviewer): string[] {
  return marksOf(principal, principal)
}

/** Without any group anybody with the role may decide, and one of them must. */
function groupsOf({ reviewers }: HoldTerms): HoldTerms['reviewers'] {
  return reviewers.length === 0 ? [anybody] : reviewers
}
const anybody = { who: {}, quorum: 1 }

function refusal(reason: keyof typeof words): Refusal {
  return { reason, words: words[reason] }
}

/** A refusal as a fault. */
export function refused({ reason, words: message }: Refusal): Fault {
  return new Fault('refused', message, { facts: { reason } })
}
