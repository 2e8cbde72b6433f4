/** Held calls as the API gives them: times in RFC 3339, who sees what cut out. */
import type { Decision, Ticket, TicketState } from '../hold/ticket.ts'
import type { Tickets } from '../hold/tickets.ts'
import type { Asker } from './parts.ts'
import { isApproved, standingOf } from './ticket-sight.ts'
import type { Sight, Standing, TicketParts } from './ticket-sight.ts'

/** As the API and its filters name them. */
export const ticketStates: readonly TicketState[] = [
  'pending',
  'approved',
  'executing',
  'executed',
  'denied',
  'expired',
  'withdrawn',
  'revoked',
  'void',
  'unknown',
]

const iso = (ms: number): string => new Date(ms).toISOString()

/** A line of a list: metadata only, whoever asks. */
export function summaryOf(ticket: Ticket, standing: Standing): object {
  const { connection, createdMs, id, matched, method, notAfterMs, reason, requester, state } =
    ticket
  const approvals = ticket.decisions.filter(({ decision }) => decision === 'approve').length
  return {
    id,
    state,
    connection,
    method,
    tool: ticket.tool,
    requester,
    reason,
    rules: matched.map(({ rule }) => rule),
    createdAt: iso(createdMs),
    notAfter: iso(notAfterMs),
    approvals,
    quorum: ticket.quorum,
    isMine: standing.isMine,
    waitsForMe: standing.waitsForMe,
    ...(ticket.emergency === undefined ? {} : { emergency: emergencyOf(ticket) }),
  }
}

function emergencyOf({ emergency }: Ticket): 'to_review' | 'reviewed' {
  return emergency?.reviewedBy === undefined ? 'to_review' : 'reviewed'
}

/** All of a ticket that `sight` allows. */
export function ticketOf(ticket: Ticket, sight: Sight, asker: Asker, parts: TicketParts): object {
  const standing = standingOf(ticket, asker, parts)
  const { connectionRevision, ended, exchange, facts, matched, outcome, session, source } = ticket
  return {
    ...summaryOf(ticket, standing),
    sees: sight,
    session,
    exchange,
    source,
    connectionRevision,
    policyRevision: ticket.policyRevision,
    toolSha256: ticket.toolSha256,
    facts,
    matched,
    needsPasskey: ticket.terms.needsPasskey,
    decisions: ticket.decisions.map(decisionOf),
    ended,
    outcome,
    ...(ticket.emergency === undefined ? {} : { emergencyOf: ticket.emergency }),
    history: historyOf(ticket, parts.tickets),
    // Never for those who see metadata: not even that there are arguments.
    ...(sight === 'all' ? { arguments: ticket.shown } : {}),
    mine: standing,
  }
}

function decisionOf({ atMs, ...rest }: Decision): object {
  return { ...rest, at: iso(atMs) }
}

/** How often something like it was asked before, and how that ended. */
export interface Earlier {
  readonly asked: number
  readonly approved: number
  readonly denied: number
}

export interface History {
  /** Of the same requester. */
  readonly requester: Earlier
  /** Of the same tool of the same connection, by anybody. */
  readonly tool: Earlier
  /** Held by the same first rule. */
  readonly rule: Earlier
}

/** So many are looked at, the newest: beyond, counts are too low. */
const earlierMax = 1000

export function historyOf(ticket: Ticket, tickets: Pick<Tickets, 'list'>): History {
  const { connection, id, matched, owner, tool } = ticket
  const [first] = matched
  const before = { before: id, limit: earlierMax }
  const there = tickets.list({ connection, ...before })
  return {
    requester: countOf(tickets.list({ owner, ...before })),
    tool: countOf(there.filter((one) => one.tool === tool)),
    rule: countOf(there.filter((one) => one.matched[0]?.rule === first?.rule)),
  }
}

function countOf(those: readonly Ticket[]): Earlier {
  return {
    asked: those.length,
    approved: those.filter(isApproved).length,
    denied: those.filter(({ state }) => state === 'denied').length,
  }
}
