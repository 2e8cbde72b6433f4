/** States of held calls, and what else pages say of them, in words. */
import type { Decision, Ticket, TicketState } from '../hold/ticket.ts'
import type { PendingChange } from '../inspect/pins.ts'
import { whoWords } from '../policy/who.ts'

/** One word or two, for a list. */
export const stateNames: Readonly<Record<TicketState, string>> = {
  pending: 'Waiting',
  approved: 'Approved',
  executing: 'Running',
  executed: 'Ran',
  denied: 'Denied',
  expired: 'Expired',
  withdrawn: 'Taken back',
  revoked: 'Stopped',
  void: 'Void',
  unknown: 'Unknown',
}

/** A sentence each, for the page of one call and for what is announced there. */
export const stateWords: Readonly<Record<TicketState, string>> = {
  pending: 'It waits for a decision. Nothing was sent.',
  approved: 'It is approved, and runs once when its caller takes it up. Nothing was sent yet.',
  executing: 'It is running.',
  executed: 'It has run, once.',
  denied: 'It was denied. Nothing was sent.',
  expired: 'Its time is over. Nothing was sent.',
  withdrawn: 'Its requester took it back. Nothing was sent.',
  revoked: 'It was stopped, because somebody has no access any more. Nothing was sent.',
  void: 'It is void: what it was bound to has changed. Nothing was sent.',
  unknown:
    'Nobody knows whether it ran: something broke while it was being sent. It is not sent again.',
}

export const openStates: readonly TicketState[] = ['pending', 'approved', 'executing']

/** `execute_sql on shop`. */
export function titleOf({
  connection,
  method,
  tool,
}: Pick<Ticket, 'connection' | 'method' | 'tool'>): string {
  return `${tool === '' ? method : tool} on ${connection}`
}

/** Whom the requester is called. */
export function nameOf({ name, subject }: { name?: string | undefined; subject: string }): string {
  return name ?? subject
}

/** How many said yes, of how many: `1 of 2 approvals`. */
export function approvalsOf({ decisions, quorum }: Pick<Ticket, 'decisions' | 'quorum'>): string {
  const approvals = decisions.filter(({ decision }) => decision === 'approve').length
  return `${approvals} of ${quorum} ${quorum === 1 ? 'approval' : 'approvals'}`
}

/** Whom it waits for: `2 of group dba`. */
export function awaited({ terms }: Pick<Ticket, 'terms'>): readonly string[] {
  if (terms.reviewers.length === 0) return ['one approver']
  return terms.reviewers.map(({ quorum, who }) => {
    const whom = whoWords(who)
    return `${quorum} of ${whom === 'everybody' ? 'the approvers' : whom}`
  })
}

/** How a decision was made. */
export function decisionWords({ decision, method }: Decision): string {
  const how = method === 'passkey' ? 'signed with a passkey' : 'without a passkey'
  return `${decision === 'approve' ? 'Approved' : 'Denied'}, ${how}`
}

/** What a tool's difference means. */
export const standingWords: Readonly<Record<PendingChange['standing'], string>> = {
  changed: 'It is not what it was when it was pinned.',
  returned: 'It was another for a while, and is now again what was pinned.',
  unsteady: 'It changes back and forth.',
}
