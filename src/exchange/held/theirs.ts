/** Whose ticket it is: of one principal, by one program, on one connection. */
import type { Ticket } from '../../hold/ticket.ts'
import type { Stations } from '../stations.ts'
import type { Known } from '../way.ts'

export function isTheirs(
  { connection, owner, requester }: Ticket,
  known: Pick<Known, 'connection' | 'owner' | 'principal'>,
  at: Pick<Stations, 'masker'>,
): boolean {
  const { clientId } = known.principal
  // As the ticket keeps it.
  const client = clientId === undefined ? undefined : at.masker.words({ clientId }).value.clientId
  return (
    owner === known.owner && requester.client === client && connection === known.connection.name
  )
}
