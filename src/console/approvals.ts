/** The reviewers' pages on the console's paths, filled from the tickets as the asker may see them. */
import type { Hono } from 'hono'
import { approvalPage } from './approval-page.ts'
import { approvalsPage, approvalsScript, noApprovalsPage } from './approvals-page.ts'
import type { Approvals, NamedDelegation } from './approvals-page.ts'
import { approvalsScriptText } from './approvals-script.ts'
import { delegationsApi, nameIn } from './delegations-api.ts'
import { signedIn } from './guard.ts'
import { LiveTickets } from './live-tickets.ts'
import type { Asker, Carried, ConsoleRoom } from './parts.ts'
import { isMine, seen, sightOf, standingOf } from './ticket-sight.ts'
import { historyOf, ticketStates } from './ticket-view.ts'
import { openStates } from './ticket-words.ts'
import { listed, mayTakeProof, recordLook, ticketsApi } from './tickets-api.ts'
import type { TicketRoom } from './tickets-api.ts'
import { changeReaders, linesOf, toolsApi } from './tools-api.ts'

/** Adds pages and API of held calls and changed tools. @returns what is called each second. */
export function addApprovals(app: Hono<Carried>, room: ConsoleRoom): () => void {
  const { pins, tickets } = room
  const script = { 'content-type': 'text/javascript; charset=utf-8' }
  app.get(approvalsScript, (c) => c.body(approvalsScriptText, 200, script))
  if (pins !== undefined) app.route('/api/tools', toolsApi({ ...room, pins }))
  if (tickets === undefined) {
    app.get('/approvals', signedIn(room), (c) => c.html(noApprovalsPage(c.get('asker'))))
    return () => undefined
  }
  const own = { ...room, tickets }
  const live = new LiveTickets(own)
  app.route('/api/tickets', ticketsApi(own, live))
  app.route('/api/delegations', delegationsApi(own))
  app.get('/approvals', signedIn(room), (c) => {
    const cursor = /^tk_[\w-]{1,64}$/.exec(c.req.query('cursor') ?? '')?.[0]
    return c.html(approvalsPage(c.get('asker'), approvalsOf(c.get('asker'), cursor, own)))
  })
  app.get('/approvals/:id', signedIn(room), async (c) => {
    const asker = c.get('asker')
    const { sight, ticket } = await seen(c.req.param('id'), asker, own)
    if (sight === 'all') await recordLook(ticket, 'ticket', asker, own)
    const standing = standingOf(ticket, asker, own)
    const { directory, passkeys } = own
    const page = approvalPage(asker, {
      ticket,
      sight,
      standing,
      history: historyOf(ticket, tickets),
      passkeys: passkeys?.listPasskeys(asker.id).length ?? 0,
      actsFor: standing.actsFor.map((id) => [id, nameIn(directory, id)] as const),
      nameOf: (id) => nameIn(directory, id),
      mayTakeProof: mayTakeProof(ticket, sight, asker, own),
    })
    return c.html(page)
  })
  return () => live.tick()
}

/** So many of each kind stand on the page. */
const openMax = 200

function approvalsOf(asker: Asker, cursor: string | undefined, room: TicketRoom): Approvals {
  const { tickets } = room
  const { found: open, waiting } = listed({ state: openStates, limit: openMax }, asker, room)
  const isWaiting = new Set(waiting.map(({ id }) => id))
  const ended = ticketStates.filter((state) => !openStates.includes(state))
  const past = listed({ state: ended, cursor, limit: 20 }, asker, room)
  const toReview = tickets
    .list({ isUnreviewed: true, limit: openMax })
    .filter((ticket) => sightOf(ticket, asker, room) !== undefined && !isMine(ticket, asker, room))
  return {
    waiting,
    others: open.filter(({ id }) => !isWaiting.has(id)),
    toReview,
    ended: past.found,
    cursor: past.cursor,
    changes: changesFor(asker, room),
    delegations: delegationsOf(asker, room),
  }
}

function changesFor(asker: Asker, { pins }: TicketRoom): Approvals['changes'] {
  if (pins === undefined || !changeReaders.some((role) => asker.roles.has(role))) return []
  const mayAccept = asker.roles.has('approver') && asker.session !== undefined
  return pins.changes().map((change) => ({ change, lines: linesOf(change, pins), mayAccept }))
}

function delegationsOf(
  asker: Asker,
  { directory, tickets }: TicketRoom,
): readonly NamedDelegation[] | undefined {
  if (!asker.roles.has('approver')) return undefined
  return tickets.delegations(asker.id).map((one) => ({
    ...one,
    fromName: nameIn(directory, one.from),
    toName: nameIn(directory, one.to),
  }))
}
