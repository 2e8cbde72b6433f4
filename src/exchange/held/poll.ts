/** A poll of a task of ours: what is approved runs now, since its caller is there to take the result. */
import { Fault } from '../../base/fault.ts'
import type { Ticket } from '../../hold/ticket.ts'
import type { Granted } from '../../policy/permit.ts'
import type { CallFacts } from '../../policy/verdict.ts'
import { readJson } from '../../wire/json.ts'
import type { Message } from '../../wire/message.ts'
import { plainAt } from '../../wire/plain.ts'
import type { Stations } from '../stations.ts'
import type { Known, Leg, Way } from '../way.ts'
import { checkPresent, whilePresent } from './present.ts'
import { run } from './run.ts'
import { takeApproved } from './take.ts'
import { placeFor } from './wait.ts'

/** A poll of a call under way waits this long for its end, well below any client's time-out. */
const pollWaitMs = 20_000
/** How soon whoever waits for the end of a task sees that the gateway stops. */
const lookMs = 500

/** A poll, as far as it has come. */
export interface Poll {
  readonly way: Way
  readonly known: Known
  readonly message: Message
  readonly leg: Leg
  readonly granted: Granted
}

/** Runs what is approved, now that its caller is there, and waits a while for what runs. */
export async function advanced(ticket: Ticket, poll: Poll, at: Stations): Promise<Ticket> {
  if (ticket.state === 'approved') await start(ticket, poll, at)
  // Also where its row says already that it has run: its answer is here only a moment later.
  await whilePresent(at.executions.of(ticket.id), poll.way, poll.leg, pollWaitMs)
  return at.tickets.byId(ticket.id) ?? ticket
}

async function start(ticket: Ticket, poll: Poll, at: Stations): Promise<void> {
  const { granted, known, message, way } = poll
  const facts = factsOfTicket(ticket, poll, at)
  const taking = await takeApproved(ticket, { known, way, facts, args: undefined }, at)
  if (taking === undefined) return
  // It goes on when this poll has been answered; its own end is recorded by itself.
  void run({ way, known, message, granted, ...taking }, at)
}

/** What rules look at, from what the ticket keeps: its arguments as they are shown, masked. */
function factsOfTicket(ticket: Ticket, { known, way }: Poll, at: Stations): CallFacts {
  const { facts, method, shown, tool } = ticket
  const bytes = Buffer.byteLength(shown)
  return {
    ...facts,
    principal: known.principal,
    connection: ticket.connection,
    call: { method, kind: 'tool', name: tool, bytes, arguments: () => shownArguments(shown) },
    source: { ip: way.incoming.source.ip },
    exposure: (days) => at.exposure.of(known.owner, { days }),
    tool: at.pins.facts(ticket.connection, tool),
    nowMs: at.clock.nowUs() / 1000,
  }
}

function shownArguments(shown: string): unknown {
  const bytes = Buffer.from(shown)
  const tree = readJson(bytes, { bytesMax: bytes.length, depthMax: 512 })
  return plainAt(tree, tree.root)
}

/**
 * Until it is over, however long its caller stays (MCP 2025-11-25, Tasks: `tasks/result` blocks).
 * @throws {Fault} `cancelled` when the caller leaves, `stopping`, `busy` where too many wait.
 */
export async function ended(ticket: Ticket, poll: Poll, at: Stations): Promise<Ticket> {
  const { leg, way } = poll
  const giveBack = placeFor(poll.known, at)
  if (giveBack === undefined) {
    throw new Fault('busy', 'Too many callers wait for held calls. Ask for its status instead.', {
      facts: { reason: 'waiters_full' },
    })
  }
  try {
    let now = ticket
    while (now.state === 'pending' || now.state === 'approved' || now.state === 'executing') {
      checkPresent(way)
      if (at.isStopping()) {
        throw new Fault('stopping', 'The gateway stops; the task stands. Ask again in a moment.')
      }
      if (now.state === 'approved') await start(now, poll, at)
      const changed = changedFrom(now, way, at)
      now = (await whilePresent(changed, way, leg, lookMs)) ?? at.tickets.byId(now.id) ?? now
    }
    await whilePresent(at.executions.of(now.id), way, leg) // Its answer comes a moment later.
    return now
  } finally {
    giveBack()
  }
}

/** The ticket's next change; undefined, after a time, where there is none. */
async function changedFrom(
  ticket: Ticket,
  { work }: Way,
  at: Stations,
): Promise<Ticket | undefined> {
  const turn = AbortSignal.any([work.signal, AbortSignal.timeout(lookMs)])
  return await at.tickets.changed(ticket.id, turn, ticket.state).catch((error: unknown) => {
    // Going on is safe: whoever asks looks at the ticket itself next.
    if (error instanceof Fault && error.code === 'cancelled') return undefined
    throw error
  })
}
