/**
 * Legs (MCP 2026-07-28, Multi Round-Trip Requests): a call that still waits is answered by a state
 * alone, and the client calls again with it at once. Each leg has the client's whole time-out.
 */
import type { Ticket } from '../../hold/ticket.ts'
import type { Answer } from '../../upstream/answer.ts'
import { rpcResult } from '../../wire/text.ts'
import type { Stations } from '../stations.ts'
import type { Asking } from './hold.ts'
import { writeState } from './leg-state.ts'
import { ownAnswer } from './own.ts'
import { ticketMeta } from './words.ts'

/** Clients give up after ten rounds; what is left of them belongs to the server. */
const legsMax = 7

/** Whether the caller can be sent on another leg. */
export function mayLeg({ way }: Pick<Asking, 'way'>): boolean {
  return way.spoken?.era === 'modern' && (way.heldLeg?.legs ?? 0) < legsMax
}

export function legAnswer(
  ticket: Ticket,
  { known, leg, message, way }: Pick<Asking, 'known' | 'leg' | 'message' | 'way'>,
  at: Stations,
): Answer {
  const legs = (way.heldLeg?.legs ?? 0) + 1
  const hash = (text: string): string => at.state.hash(text)
  return ownAnswer(
    rpcResult(leg.idRaw ?? 'null', {
      resultType: 'input_required',
      requestState: writeState({ ticket: ticket.id, legs }, message, known.binding, hash),
      _meta: ticketMeta(ticket, at.consoleUrl),
    }),
  )
}
