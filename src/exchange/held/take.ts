/** Taking an approved ticket: everything is looked at again, then it is consumed, by one caller. */
import type { Ticket } from '../../hold/ticket.ts'
import type { Taken } from '../../hold/tickets.ts'
import type { CallFacts, Verdict } from '../../policy/verdict.ts'
import type { Stations } from '../stations.ts'
import { checkStopped, stoppedFault } from '../stopped.ts'
import type { Known, Way } from '../way.ts'
import type { Claim } from './executions.ts'
import { checkPresent } from './present.ts'

/** Who is there to take the result, and what they ask for. */
export interface Taking {
  readonly way: Way
  readonly known: Known
  readonly facts: CallFacts
  /** Raw bytes of the live call's arguments; undefined where only the ticket has them. */
  readonly args: Uint8Array | undefined
}

/**
 * @returns undefined where there is nothing to take: another caller has it, or it has ended by now.
 * @throws {Fault} what `checkStopped` throws; `no_identity` for a token that has expired, `cancelled`
 *   for a caller who has left, `refused` for another call than the approved one.
 */
export async function takeApproved(
  ticket: Ticket,
  taking: Taking,
  at: Stations,
): Promise<{ claim: Claim; taken: Taken; verdict: Verdict } | undefined> {
  const verdict = await at.rules().judge(ticket.connection, taking.facts)
  if (verdict.effect === 'deny') {
    at.tickets.end(ticket.id, 'void', 'A rule denies it by now.')
    return undefined
  }
  const claim = at.executions.claim(ticket.id, verdict.duties)
  if (claim === undefined) return undefined
  let taken: Taken | undefined
  try {
    taken = takeNow(ticket, taking, verdict, at)
  } finally {
    if (taken === undefined) claim.over({ didRun: false, isDelivered: false })
  }
  return taken && { claim, taken, verdict }
}

const kinds: Readonly<Record<string, 'tool' | 'prompt' | 'resource'>> = {
  'tools/call': 'tool',
  'prompts/get': 'prompt',
  'resources/read': 'resource',
}

/** Nothing waits between these looks and the consumption. */
function takeNow(
  ticket: Ticket,
  { args, known, way }: Taking,
  { revision }: Verdict,
  at: Stations,
): Taken | undefined {
  checkStopped(way, known, at)
  checkPresent(way)
  const nowMs = at.clock.nowUs() / 1000
  if (known.principal.expiresAtMs <= nowMs) throw stoppedFault('expired', false)
  const { name, revision: connectionRevision } = known.connection
  const access = at.access(known.principal, name, { ip: way.incoming.source.ip, nowMs })
  const kind = kinds[ticket.method]
  const isGranted = kind !== undefined && access?.allows(kind, ticket.tool) === true
  if (!isGranted) throw stoppedFault('grant', false)
  return at.tickets.take(ticket.id, {
    owner: known.owner,
    clientId: known.principal.clientId,
    connection: name,
    connectionRevision,
    method: ticket.method,
    tool: ticket.tool,
    toolSha256: at.pins.seen(name, ticket.tool) ?? '',
    policyRevision: revision,
    ...(args === undefined ? {} : { args }),
  })
}
