/** `/Groups` (RFC 7644 §3). */
import { randomUUID } from 'node:crypto'
import { askedFor, headersOf, isKnown, pageAnswer, the, theExpected } from './asked.ts'
import type { App, Asked, Routes } from './asked.ts'
import { readBody } from './body.ts'
import { changeGroup, endGroup } from './change.ts'
import { listGroups, readQuery } from './list.ts'
import { changeMembers, splitOps } from './members.ts'
import type { MemberOp } from './members.ts'
import { opsOf, readPatch } from './operations.ts'
import type { PatchOp } from './operations.ts'
import { applyPatch } from './patch.ts'
import { json } from './refusal.ts'
import { groupRules } from './resource.ts'
import { locationOf, showGroup, tagOf } from './shown.ts'
import type { Row } from './store.ts'
import { createTurns } from './turns.ts'

export function addGroups(app: App, at: Routes): void {
  const turns = createTurns()
  const rules = groupRules(at.config)
  const whole = (c: Asked, row: Row, status: number): Response =>
    json(
      status,
      showGroup(row, at.store, at.baseOf(c), askedFor(c)),
      headersOf(row, locationOf(row, 'Group', at.baseOf(c))),
    )

  app.get('/Groups', async (c) => {
    const query = readQuery(new URL(c.req.url).searchParams)
    const asked = askedFor(c)
    const page = await listGroups(at.store, query, at.config.isEntra)
    return pageAnswer(page, query.startIndex, (row) =>
      showGroup(row, at.store, at.baseOf(c), asked),
    )
  })
  app.get('/Groups/:id', (c) => {
    const row = the(at.store.groups.byId(c.req.param('id')))
    return isKnown(c, row) ?? whole(c, row, 200)
  })
  app.post('/Groups', async (c) => {
    const { members, others } = splitOps(opsOf('add', await readBody(c.req.raw)))
    const body = applyPatch({}, others, rules)
    const wanted = { id: randomUUID(), before: undefined, body }
    const row = await changeGroup(at, wanted, changeMembers(new Set(), members), c.env.source)
    return whole(c, row, 201)
  })
  app.put('/Groups/:id', async (c) => {
    const { members, others } = splitOps(opsOf('add', await readBody(c.req.raw)))
    // Left out, members are nobody: taking away is the side to err on.
    const row = await changed(c, others, members, (before) => ({
      body: { externalId: before.body['externalId'] },
      members: new Set(),
    }))
    return whole(c, row, 200)
  })
  app.patch('/Groups/:id', async (c) => {
    const { members, others } = splitOps(readPatch(await readBody(c.req.raw)))
    const row = await changed(c, others, members, ({ body, id }) => ({
      body,
      members: at.store.members(id),
    }))
    // Entra wants no body, which could name many thousands.
    return new Response(null, { status: 204, headers: { etag: tagOf(row) } })
  })
  app.delete('/Groups/:id', async (c) => {
    const id = c.req.param('id')
    await turns.take(id, async () => {
      const row = theExpected(c, at.store.groups.byId(id))
      await endGroup(at, row, c.env.source)
    })
    return new Response(null, { status: 204 })
  })

  async function changed(
    c: Asked,
    others: readonly PatchOp[],
    memberOps: readonly MemberOp[],
    from: (before: Row) => { body: Row['body']; members: ReadonlySet<string> },
  ): Promise<Row> {
    const id = c.req.param('id') ?? ''
    return turns.take(id, async () => {
      const before = theExpected(c, at.store.groups.byId(id))
      const base = from(before)
      const body = applyPatch(base.body, others, rules)
      const members = changeMembers(base.members, memberOps)
      return changeGroup(at, { id, before, body }, members, c.env.source)
    })
  }
}
