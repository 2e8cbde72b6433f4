/** Reviewers who let another decide for them until a date: over HTTP. */
import { Hono } from 'hono'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { Delegation } from '../hold/tickets.ts'
import type { Directory, KnownPrincipal } from '../identity/directory.ts'
import { bodyOf } from './body.ts'
import { freshly, having, ownChange, signedIn } from './guard.ts'
import type { Carried } from './parts.ts'
import { personHere } from './tickets-api.ts'
import type { TicketRoom } from './tickets-api.ts'

const made = z.strictObject({
  /** Who decides instead: id, e-mail, name, or issuer and subject. */
  to: z.string().min(1).max(1000),
  until: z.iso.datetime(),
  reason: z.string().max(1000),
})

/** Those who see everybody's. */
const overseers: readonly ConsoleRole[] = ['admin', 'compliance', 'auditor']

export function delegationsApi(room: TicketRoom): Hono<Carried> {
  const app = new Hono<Carried>()
  const { directory, tickets } = room
  app.use('*', signedIn(room))
  app.use('*', ownChange(room))

  app.get('/', having('approver', ...overseers), (c) => {
    const { id, roles } = c.get('asker')
    const isOverseer = overseers.some((role) => roles.has(role))
    const those = tickets.delegations(isOverseer ? undefined : id)
    return c.json({ delegations: those.map((one) => delegationOf(one, directory)) })
  })
  app.post('/', having('approver'), freshly(room), async (c) => {
    const asker = personHere(c.get('asker'))
    const { reason, to, until } = await bodyOf(c.req.raw, made)
    const { id } = personNamed(to, directory)
    const delegation = await tickets.delegate(asker.id, id, Date.parse(until), reason)
    return c.json(delegationOf(delegation, directory), 201)
  })
  app.delete('/:id', async (c) => {
    const asker = personHere(c.get('asker'))
    await bodyOf(c.req.raw, z.strictObject({}))
    await tickets.endDelegation(asker.id, c.req.param('id'))
    return c.body(null, 204)
  })
  return app
}

/** One person, by what they are known by. @throws {Fault} `path_unknown`, `bad_params` for several. */
function personNamed(text: string, directory: Directory): KnownPrincipal {
  const people = directory.search(text.trim()).filter(({ kind }) => kind === 'person')
  const [person] = people
  if (person === undefined) {
    const facts = { reason: 'unknown' }
    throw new Fault('path_unknown', 'Nobody of this name is known here.', { facts })
  }
  if (people.length === 1) return person
  const message = 'Several people have this name. Say the id, the e-mail, or issuer and subject.'
  throw new Fault('bad_params', message, { facts: { reason: 'ambiguous' } })
}

function delegationOf(
  { from, id, madeMs, reason, to, untilMs }: Delegation,
  of: Directory,
): object {
  const named = (person: string): object => ({ id: person, name: nameIn(of, person) })
  return {
    id,
    from: named(from),
    to: named(to),
    reason,
    madeAt: new Date(madeMs).toISOString(),
    until: new Date(untilMs).toISOString(),
  }
}

/** The name of somebody of the directory, for people to read. */
export function nameIn(directory: Pick<Directory, 'byId'>, id: string): string {
  const person = directory.byId(id)
  return person?.name ?? person?.subject ?? id
}
