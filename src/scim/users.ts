/** `/Users` (RFC 7644 §3). */
import { randomUUID } from 'node:crypto'
import { askedFor, headersOf, isKnown, pageAnswer, the, theExpected } from './asked.ts'
import type { App, Asked, Routes } from './asked.ts'
import { readBody } from './body.ts'
import { changeUser, endUser } from './change.ts'
import { listUsers, readQuery } from './list.ts'
import { opsOf, readPatch } from './operations.ts'
import type { PatchOp } from './operations.ts'
import { applyPatch } from './patch.ts'
import { json } from './refusal.ts'
import { userRules } from './resource.ts'
import { locationOf, showUser } from './shown.ts'
import type { Projection } from './shown.ts'
import type { Row } from './store.ts'
import { createTurns } from './turns.ts'

export function addUsers(app: App, at: Routes): void {
  const turns = createTurns()
  const rules = userRules(at.config)
  const shown = (c: Asked, row: Row, asked: Projection = askedFor(c)): unknown =>
    showUser(row, at.store, at.baseOf(c), asked)
  const whole = (c: Asked, row: Row, status: number): Response =>
    json(status, shown(c, row), headersOf(row, locationOf(row, 'User', at.baseOf(c))))

  app.get('/Users', async (c) => {
    const query = readQuery(new URL(c.req.url).searchParams)
    const page = await listUsers(at.store, query, at.config.isEntra)
    return pageAnswer(page, query.startIndex, (row) => shown(c, row))
  })
  app.get('/Users/:id', (c) => {
    const row = the(at.store.users.byId(c.req.param('id')))
    return isKnown(c, row) ?? whole(c, row, 200)
  })
  app.post('/Users', async (c) => {
    const sent = await readBody(c.req.raw)
    const body = applyPatch({ active: true }, opsOf('add', sent), rules)
    const id = randomUUID()
    const row = await changeUser(at, { id, before: undefined, body }, c.env.source)
    return whole(c, row, 201)
  })
  app.put('/Users/:id', async (c) => {
    const sent = opsOf('add', await readBody(c.req.raw))
    return changed(c, ({ body }) => {
      // What decides who somebody is and whether they may come in does not go by being left out.
      const { active, externalId } = body
      return applyPatch({ active, externalId }, asReplacing(sent), rules)
    })
  })
  app.patch('/Users/:id', async (c) => {
    const ops = readPatch(await readBody(c.req.raw))
    return changed(c, ({ body }) => applyPatch(body, ops, rules))
  })
  app.delete('/Users/:id', async (c) => {
    const id = c.req.param('id')
    await turns.take(id, async () => {
      const row = theExpected(c, at.store.users.byId(id))
      await endUser(at, row, c.env.source)
    })
    return new Response(null, { status: 204 })
  })

  async function changed(c: Asked, make: (before: Row) => Row['body']): Promise<Response> {
    const id = c.req.param('id') ?? ''
    return turns.take(id, async () => {
      const before = theExpected(c, at.store.users.byId(id))
      const row = await changeUser(at, { id, before, body: make(before) }, c.env.source)
      return whole(c, row, 200)
    })
  }
}

/** A PUT says what an attribute is, a second time over what is kept: nothing is appended to. */
function asReplacing(ops: readonly PatchOp[]): PatchOp[] {
  return ops.filter(({ value }) => value !== null).map((op) => ({ ...op, op: 'replace' as const }))
}
