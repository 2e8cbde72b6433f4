/** Held calls over HTTP: listing, showing, taking back, looking at afterwards, their proof. */
import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { Ticket, TicketState } from '../hold/ticket.ts'
import { formatApproval } from '../verify/approval-form.ts'
import { bodyOf } from './body.ts'
import { decisionsApi } from './decisions-api.ts'
import { aboutOf } from './ends.ts'
import { ownChange, signedIn } from './guard.ts'
import type { LiveTickets } from './live-tickets.ts'
import type { Asker, Carried, ConsoleRoom } from './parts.ts'
import type { ConsoleSession } from './sessions.ts'
import { isMine, seen, sightOf, standingOf } from './ticket-sight.ts'
import type { Sight, TicketParts } from './ticket-sight.ts'
import { summaryOf, ticketOf, ticketStates } from './ticket-view.ts'

export type TicketRoom = ConsoleRoom & TicketParts

/** What a list may be asked for. */
export interface ListAsked {
  readonly state?: readonly TicketState[] | undefined
  readonly connection?: string | undefined
  /** Only those that the asker, or a program they answer for, asked for. */
  readonly mine?: 'true' | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

const asked: z.ZodType<ListAsked> = z.strictObject({
  /** States, joined by commas. */
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(ticketStates)))
    .optional(),
  connection: z.string().max(200).optional(),
  mine: z.literal('true').optional(),
  cursor: z
    .string()
    .regex(/^tk_[\w-]{1,64}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})

/** So many tickets are looked at for one page of a list. */
const scannedMax = 5000
const pageLength = 50

export function ticketsApi(room: TicketRoom, live: LiveTickets): Hono<Carried> {
  const app = new Hono<Carried>()
  const { tickets } = room
  app.use('*', signedIn(room))
  app.use('*', ownChange(room))

  app.get('/', (c) => {
    const { data } = asked.safeParse(c.req.query())
    if (data === undefined) {
      const message = 'Of the query there are state, connection, mine=true, cursor and limit.'
      throw new Fault('bad_params', message, { facts: { reason: 'form' } })
    }
    return c.json(listOf(data, c.get('asker'), room))
  })
  app.get('/events', (c) => live.open(c.get('asker')))
  app.get('/:id', async (c) => {
    const asker = c.get('asker')
    const { sight, ticket } = await seen(c.req.param('id'), asker, room)
    if (sight === 'all') await recordLook(ticket, 'ticket', asker, room)
    return c.json(ticketOf(ticket, sight, asker, room))
  })
  app.get('/:id/proof', async (c) => await proofAnswer(c, c.req.param('id'), room))
  app.post('/:id/withdraw', async (c) => {
    const asker = personHere(c.get('asker'))
    const { ticket } = await seen(c.req.param('id'), asker, room)
    await bodyOf(c.req.raw, z.strictObject({}))
    const ended = await tickets.withdrawBy(ticket.id, asker.id)
    return c.json(summaryOf(ended, standingOf(ended, asker, room)))
  })
  app.post('/:id/review', async (c) => {
    const { asker } = deciderHere(c.get('asker'))
    const { ticket } = await seen(c.req.param('id'), asker, room)
    const { words } = await bodyOf(c.req.raw, z.strictObject({ words: z.string().max(2000) }))
    const reviewed = await tickets.review(ticket.id, asker.id, words)
    return c.json(summaryOf(reviewed, standingOf(reviewed, asker, room)))
  })
  app.route('/', decisionsApi(room))
  return app
}

/** @throws {Fault} `refused`: what is decided is decided by people at the console. */
export function personHere(asker: Asker): Asker {
  if (asker.session !== undefined && asker.kind === 'person') return asker
  const message = 'Only people decide, signed in to the console. Nothing was done.'
  throw new Fault('refused', message, { facts: { reason: 'not_a_person' } })
}

/** @throws {Fault} `refused` for programs, and for the emergency account, which decides nothing. */
export function deciderHere(given: Asker): {
  readonly asker: Asker
  readonly session: ConsoleSession
} {
  const asker = personHere(given)
  const { session } = asker
  if (session !== undefined && !session.isBreakGlass) return { asker, session }
  const message = 'The emergency account decides on no call. Nothing was done.'
  throw new Fault('refused', message, { facts: { reason: 'break_glass' } })
}

/** The look stands in the record before anything is shown. */
export async function recordLook(
  { connection, id }: Ticket,
  what: 'ticket' | 'proof',
  asker: Asker,
  { look }: Pick<ConsoleRoom, 'look'>,
): Promise<void> {
  const by = asker.session === undefined ? 'api' : 'console'
  await look({ ...aboutOf(asker), connection }, { what, by, ticket: id })
}

/** The proof names the reviewers' keys: it is not for whoever asked for the call. */
export function mayTakeProof(
  ticket: Ticket,
  sight: Sight,
  asker: Asker,
  parts: TicketParts,
): boolean {
  return asker.roles.has('auditor') || (sight === 'all' && !isMine(ticket, asker, parts))
}

async function proofAnswer(c: Context<Carried>, id: string, room: TicketRoom): Promise<Response> {
  const asker = c.get('asker')
  const { sight, ticket } = await seen(id, asker, room)
  if (!mayTakeProof(ticket, sight, asker, room)) {
    const message = 'The proof is for those who decide on the call, analysts and auditors.'
    throw new Fault('refused', message, { facts: { reason: 'role' } })
  }
  const proof = room.tickets.approvalProof(ticket.id)
  await recordLook(ticket, 'proof', asker, room)
  c.header('content-disposition', `attachment; filename="approval-${ticket.id}.json"`)
  c.header('content-type', 'application/json')
  // In the file's one spelling, as whoever checks it wants it.
  return c.body(formatApproval(proof))
}

interface Listed {
  /** What waits for the asker's decision, the one that ends first ahead. On the first page only. */
  readonly waiting: readonly Ticket[]
  /** Everything they may see, the newest first. */
  readonly found: readonly Ticket[]
  readonly cursor: string | undefined
}

/** One page of the tickets that somebody may see. */
export function listed(of: ListAsked, asker: Asker, room: TicketRoom): Listed {
  const { connection, cursor, limit = pageLength, mine, state: states } = of
  const isWanted = (ticket: Ticket): boolean =>
    sightOf(ticket, asker, room) !== undefined &&
    (mine === undefined || isMine(ticket, asker, room))
  const found: Ticket[] = []
  let [before, scanned, isMore] = [cursor, 0, true]
  while (isMore && found.length < limit && scanned < scannedMax) {
    const some = room.tickets.list({ states, connection, before, limit: 200 })
    isMore = some.length === 200
    scanned += some.length
    for (const [i, ticket] of some.entries()) {
      before = ticket.id
      if (isWanted(ticket)) found.push(ticket)
      if (found.length < limit) continue
      isMore = isMore || i < some.length - 1
      break
    }
  }
  const waiting = cursor === undefined ? waitingFor(of, asker, room) : []
  return { waiting, found, cursor: isMore ? before : undefined }
}

function waitingFor(
  { connection, mine, state }: ListAsked,
  asker: Asker,
  room: TicketRoom,
): readonly Ticket[] {
  if (mine !== undefined || state?.includes('pending') === false) return []
  return room.tickets
    .list({ states: ['pending'], connection, limit: 1000 })
    .filter((ticket) => standingOf(ticket, asker, room).waitsForMe)
    .toSorted((one, other) => one.notAfterMs - other.notAfterMs)
}

function listOf(of: ListAsked, asker: Asker, room: TicketRoom): object {
  const { cursor, found, waiting } = listed(of, asker, room)
  const shown = (ticket: Ticket): object => summaryOf(ticket, standingOf(ticket, asker, room))
  return {
    waiting: waiting.map(shown),
    tickets: found.map(shown),
    ...(cursor === undefined ? {} : { cursor }),
  }
}
