/** Tools which are not what they were when they were pinned: shown, and accepted, over HTTP. */
import { Hono } from 'hono'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { PendingChange, Pins } from '../inspect/pins.ts'
import { bodyOf } from './body.ts'
import { aboutOf } from './ends.ts'
import { freshly, having, ownChange, signedIn } from './guard.ts'
import type { Carried, ConsoleRoom } from './parts.ts'
import { personHere } from './tickets-api.ts'

/** Roles that see what changed. What a tool says of itself is no cardholder data, and is masked. */
export const changeReaders: readonly ConsoleRole[] = [
  'approver',
  'analyst',
  'admin',
  'compliance',
  'auditor',
]

const accepted = z.strictObject({
  reason: z.string().trim().min(1).max(1000),
  /** The new form where it is missing. */
  taking: z.enum(['new', 'beside', 'pinned']).optional(),
})

export type ToolPins = Pick<Pins, 'accept' | 'changes' | 'difference'>

export function toolsApi(room: ConsoleRoom & { readonly pins: ToolPins }): Hono<Carried> {
  const app = new Hono<Carried>()
  const { pins } = room
  app.use('*', signedIn(room))
  app.use('*', ownChange(room))

  app.get('/changes', having(...changeReaders), (c) =>
    c.json({ changes: pins.changes().map((change) => changeOf(change, pins)) }),
  )
  // Who sets the rules decides no call, and not what a tool may turn into either.
  app.post('/changes/:id/accept', having('approver'), freshly(room), async (c) => {
    const asker = personHere(c.get('asker'))
    const { reason, taking = 'new' } = await bodyOf(c.req.raw, accepted)
    const by = aboutOf(asker).principal
    const ended = await pins.accept(c.req.param('id'), { by, reason, taking })
    return c.json({ id: ended.id, connection: ended.connection, tool: ended.tool })
  })
  return app
}

function changeOf(change: PendingChange, pins: ToolPins): object {
  const { sinceMs, steadyAtMs, ...rest } = change
  return {
    ...rest,
    since: new Date(sinceMs).toISOString(),
    ...(steadyAtMs === undefined ? {} : { steadyAt: new Date(steadyAtMs).toISOString() }),
    difference: linesOf(change, pins),
  }
}

/** The difference as lines of text; none where the tool has become another just now. */
export function linesOf({ id }: PendingChange, pins: ToolPins): readonly string[] {
  try {
    return pins.difference(id).lines
  } catch (error) {
    if (error instanceof Fault && error.code === 'path_unknown') return []
    throw error
  }
}
