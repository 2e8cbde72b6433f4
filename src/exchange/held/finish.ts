/** The end of an execution: the ticket says what came of it, and whoever waits goes on. */
import { Fault } from '../../base/fault.ts'
import type { Ticket } from '../../hold/ticket.ts'
import type { Stations } from '../stations.ts'
import type { Way } from '../way.ts'
import type { Claim } from './executions.ts'

/**
 * Never throws: the call is over either way. What was not sent ends the ticket as void; what was sent
 * and has no known end, as unknown. It is never sent again.
 */
export async function finish(
  of: { way: Way; ticket: Ticket; claim: Claim; error: unknown; isDelivered: boolean },
  at: Stations,
): Promise<void> {
  const { claim, error, isDelivered, ticket, way } = of
  const outcome = way.legs[0]?.ended
  const isSent = way.isSent && !(error instanceof Fault && error.facts['isSent'] === false)
  try {
    if (!isSent) at.tickets.end(ticket.id, 'void', 'It was approved, and could not be sent.')
    else if (outcome === undefined || outcome === 'unknown' || outcome === 'cancelled') {
      at.tickets.end(ticket.id, 'unknown', 'It was sent, and how it ended is not known.')
    } else await at.tickets.executed(ticket.id, outcome)
  } catch (failed) {
    // Going on is safe: the row says `executing`, which is never taken again.
    const code = failed instanceof Fault ? failed.code : 'defect'
    at.log.error({ ticket: ticket.id, code }, 'the end of a ticket was not recorded')
  } finally {
    claim.over({ didRun: isSent, isDelivered: isDelivered && error === undefined })
  }
}
