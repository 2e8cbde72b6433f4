/**
 * Decisions over HTTP, in two steps: the statement is made and shown, then it comes back signed by a
 * passkey, or by the session where that is permitted. By people before a browser, and nobody else.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { Ticket } from '../hold/ticket.ts'
import type { AskedDecision, SessionFacts } from '../hold/tickets.ts'
import { justificationLengthMax } from '../hold/words.ts'
import { Bounded } from '../identity/bounded.ts'
import { bodyOf } from './body.ts'
import { aboutOf } from './ends.ts'
import type { Asker, Carried } from './parts.ts'
import type { ConsoleSession } from './sessions.ts'
import { seen, standingOf } from './ticket-sight.ts'
import { summaryOf } from './ticket-view.ts'
import { deciderHere } from './tickets-api.ts'
import type { TicketRoom } from './tickets-api.ts'

const justification = z.string().max(justificationLengthMax)
const begin = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  justification,
  /** By the passkey where it is missing. */
  method: z.enum(['passkey', 'session']).optional(),
  /** Id of who lets the asker decide for them. */
  onBehalfOf: z.string().max(100).optional(),
})
const beginEmergency = z.strictObject({
  justification,
  method: z.enum(['passkey', 'session']).optional(),
})
const finish = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('passkey'),
    challenge: z.string().max(100),
    /** What `navigator.credentials.get` gave, as JSON. */
    response: z.unknown(),
  }),
  z.strictObject({ method: z.literal('session'), challenge: z.string().max(100) }),
])

/** Where and by whom a statement was begun: it comes back there, or not at all. */
interface Place {
  readonly ticket: string
  readonly session: string
  readonly isEmergency: boolean
}

const begunMax = 5000

export function decisionsApi(room: TicketRoom): Hono<Carried> {
  const app = new Hono<Carried>()
  const signing = new Signing(room)
  app.post('/:id/decisions/begin', async (c) => {
    const asked = await bodyOf(c.req.raw, begin)
    return c.json(await signing.begin(c.req.param('id'), asked, c.get('asker')))
  })
  app.post('/:id/emergency/begin', async (c) => {
    const asked = await bodyOf(c.req.raw, beginEmergency)
    const whole = { ...asked, decision: 'approve', isEmergency: true } as const
    return c.json(await signing.begin(c.req.param('id'), whole, c.get('asker')))
  })
  app.post('/:id/decisions', async (c) => {
    const signed = await bodyOf(c.req.raw, finish)
    return c.json(await signing.finish(c.req.param('id'), signed, c.get('asker'), false))
  })
  app.post('/:id/emergency', async (c) => {
    const signed = await bodyOf(c.req.raw, finish)
    return c.json(await signing.finish(c.req.param('id'), signed, c.get('asker'), true))
  })
  return app
}

/** Both steps, held together: what was begun comes back to the same call from the same session. */
class Signing {
  readonly #room: TicketRoom
  readonly #begun = new Bounded<Place>(begunMax)

  constructor(room: TicketRoom) {
    this.#room = room
  }

  async begin(
    id: string,
    { method = 'passkey', ...asked }: Omit<AskedDecision, 'method' | 'session'> & Method,
    given: Asker,
  ): Promise<object> {
    const room = this.#room
    const { asker, session } = deciderHere(given)
    const { ticket } = await seen(id, asker, room)
    const { isEmergency = false } = asked
    const whole = { ...asked, method, session: factsOf(session) }
    const made = await room.tickets.beginDecision(ticket.id, asker.id, whole)
    const { challenge, expiresMs, statement } = made
    this.#begun.set(challenge, { ticket: ticket.id, session: session.key, isEmergency })
    const options =
      made.method === 'passkey' ? await room.passkeys?.request(challenge, asker.id) : undefined
    return {
      challenge,
      statement,
      method: made.method,
      expiresAt: new Date(expiresMs).toISOString(),
      ...(options === undefined ? {} : { options }),
    }
  }

  async finish(
    id: string,
    signed: z.infer<typeof finish>,
    given: Asker,
    isEmergency: boolean,
  ): Promise<object> {
    const room = this.#room
    const { asker, session } = deciderHere(given)
    const { ticket } = await seen(id, asker, room)
    const { challenge } = signed
    const place = this.#begun.get(challenge)
    const isHere =
      place?.ticket === ticket.id &&
      place.session === session.key &&
      place.isEmergency === isEmergency
    // Whoever sends here what belongs elsewhere does not take it from there.
    if (!isHere) await this.#refuse(ticket, asker, place === undefined)
    this.#begun.delete(challenge)
    const after = await room.tickets.finishDecision(
      challenge,
      asker.id,
      signed.method === 'passkey'
        ? { method: 'passkey', assertion: signed.response }
        : { method: 'session', session: factsOf(session) },
    )
    return summaryOf(after, standingOf(after, asker, room))
  }

  async #refuse(
    { connection, exchange, id, session }: Ticket,
    asker: Asker,
    isUnknown: boolean,
  ): Promise<never> {
    const reason = isUnknown ? 'statement_unknown' : 'statement_foreign'
    const about = { ...aboutOf(asker), connection, exchange, session }
    await this.#room.note('ticket.decided', about, { ticket: id, outcome: 'refused', reason })
    const what = isUnknown
      ? 'This decision was not begun here, was signed already, or waited too long.'
      : 'This signature is for another held call, or was begun in another session.'
    const message = `${what} Nothing was decided. Open the held call and decide anew.`
    throw new Fault('refused', message, { facts: { reason } })
  }
}

interface Method {
  readonly method?: 'passkey' | 'session' | undefined
}

function factsOf({ amr, authenticatedMs, key }: ConsoleSession): SessionFacts {
  return { key, amr, authenticatedMs }
}
