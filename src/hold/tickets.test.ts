import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { commitmentOf } from './commitment.ts'
import { bound, Desk, held } from './desk.fixture.ts'
import type { HeldCall, TicketState } from './ticket.ts'
import type { BoundNow } from './tickets.ts'

const argsOf = (text: string): Buffer => Buffer.from(JSON.stringify({ sql: text }))

function onDisk(t: TestContext): { desk: Desk; file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hold-'))
  const file = join(dir, 'state.sqlite')
  const desk = new Desk(file)
  t.after(() => {
    desk.tickets.close()
    rmSync(dir, { recursive: true })
  })
  return { desk, file }
}

const unheld: readonly [what: string, more: Partial<HeldCall>, reason: string][] = [
  ['with a verification value, PIN or track', { hasSensitiveAuth: true }, 'held_sensitive_data'],
  ['of over a mebibyte', { args: Buffer.alloc(1024 * 1024 + 1, 0x20) }, 'held_too_large'],
]
for (const [what, more, reason] of unheld) {
  test(`a call ${what} is not held`, async () => {
    const desk = new Desk()
    const refused = { name: 'Fault', code: 'refused', facts: { reason } }
    await assert.rejects(desk.tickets.open(held(more)), refused)
    assert.deepEqual([desk.tickets.list(), desk.told], [[], []])
  })
}

test('a call that cannot be recorded is not held', async () => {
  const desk = new Desk()
  desk.failing.add('ticket.created')
  await assert.rejects(desk.tickets.open(held()), { code: 'record_down' })
  desk.failing.clear()
  assert.equal(desk.tickets.find(held()), undefined)
  assert.deepEqual(desk.tickets.list(), [])
  const { id } = await desk.tickets.open(held())
  assert.deepEqual(desk.types(), ['ticket.created'])
  assert.equal(desk.told[0]?.details['ticket'], id)
})

test('a held call is in the record before it is told of, with names and no arguments', async () => {
  const desk = new Desk()
  const seen: string[] = []
  desk.tickets.onEvent((event, { id }) => seen.push(`${event} ${id} after ${desk.types().join()}`))
  desk.onNote = () => assert.deepEqual(desk.tickets.list(), [])
  const ticket = await desk.tickets.open(held())
  assert.match(ticket.id, /^tk_[a-zA-Z]{26}$/)
  assert.deepEqual(seen, [`created ${ticket.id} after ticket.created`])
  const [entry] = desk.told
  assert.equal(entry?.details['ticket'], ticket.id)
  assert.deepEqual(entry?.details['rules'], ['cardholder-writes'])
  assert.deepEqual(entry?.details['reviewers'], ['1 of the approvers'])
  assert.doesNotMatch(JSON.stringify(desk.told), /DELETE/)
  assert.deepEqual([ticket.state, ticket.shown], ['pending', held().args.toString()])
})

test('an identical call of the same caller finds its ticket, any other makes its own', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  assert.equal((await desk.tickets.open(held())).id, id)
  assert.equal(desk.tickets.find(held())?.id, id)
  const { principal } = held()
  const others: Partial<HeldCall>[] = [
    { args: argsOf('DELETE FROM cards WHERE id = 8') },
    { args: Buffer.from('{"sql": "DELETE FROM cards WHERE id = 7"}') },
    { owner: 'https://issuer.example\nother' },
    { principal: { ...principal, clientId: 'another' } },
    { connection: 'other-db' },
    { connectionRevision: 'r2' },
    { tool: 'execute' },
    { method: 'prompts/get' },
  ]
  for (const more of others) assert.equal(desk.tickets.find(held(more)), undefined)
  const all = await Promise.all(others.map((more) => desk.tickets.open(held(more))))
  assert.equal(new Set([id, ...all.map((each) => each.id)]).size, others.length + 1)
})

test('identical calls at the same time share one ticket', async () => {
  const desk = new Desk()
  const all = await Promise.all(Array.from({ length: 50 }, () => desk.tickets.open(held())))
  assert.equal(new Set(all.map(({ id }) => id)).size, 1)
  assert.deepEqual(desk.types(), ['ticket.created'])
})

test('identical calls at the same time fail together, and leave nothing', async () => {
  const desk = new Desk()
  desk.failing.add('ticket.created')
  const all = await Promise.allSettled([1, 2, 3].map(() => desk.tickets.open(held())))
  assert.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  assert.deepEqual(desk.tickets.list(), [])
})

test('a caller has 32 held calls at most, and room again when one has ended', async () => {
  const desk = new Desk()
  const open = (i: number): Promise<{ id: string }> =>
    desk.tickets.open(held({ args: argsOf(String(i)) }))
  const { id } = await open(0)
  for (let i = 1; i < 32; i++) await open(i)
  const full = { name: 'Fault', code: 'busy', facts: { reason: 'tickets_full' } }
  await assert.rejects(open(32), full)
  await desk.tickets.open(held({ owner: 'https://issuer.example\nother' }))
  await desk.tickets.withdraw(id, held().owner)
  await open(32)
})

test('what is stopped while its first entry is written is never held', async () => {
  const desk = new Desk()
  desk.onNote = ({ type }) => {
    if (type === 'ticket.created') assert.equal(desk.tickets.endAll({ everything: true }, 'x'), 1)
  }
  const ticket = await desk.tickets.open(held())
  assert.equal(ticket.state, 'revoked')
  assert.deepEqual(desk.types(), ['ticket.created', 'ticket.ended'])
})

test('an approved call is taken once, with the bytes that were approved', async () => {
  const desk = new Desk()
  const { id, state } = await desk.approved()
  assert.equal(state, 'approved')
  const taken = desk.tickets.take(id, bound())
  assert.deepEqual(taken?.args, held().args)
  assert.equal(taken?.ticket.state, 'executing')
  assert.equal(desk.tickets.take(id, bound()), undefined)
  await desk.tickets.executed(id, 'ok')
  assert.equal(desk.tickets.take(id, bound()), undefined)
  const ticket = desk.tickets.byId(id)
  assert.deepEqual([ticket?.state, ticket?.outcome], ['executed', 'ok'])
  const types = ['ticket.created', 'ticket.decided', 'ticket.approved', 'ticket.executed']
  assert.deepEqual(desk.types(), types)
})

test('of two hundred takers at once one gets it', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const all = await Promise.all(
    Array.from({ length: 200 }, async () => {
      await Promise.resolve()
      return desk.tickets.take(id, bound())
    }),
  )
  assert.equal(all.filter((taken) => taken !== undefined).length, 1)
})

test('of two processes that take at the same moment one gets it', async (t) => {
  const { desk, file } = onDisk(t)
  const { id } = await desk.approved()
  const other = new Desk(file)
  t.after(() => other.tickets.close())
  const taken: unknown[] = []
  // Asked between the look at the ticket and its consumption.
  const get = desk.people.get.bind(desk.people)
  desk.people.get = (person) => {
    desk.people.get = get
    taken.push(other.tickets.take(id, bound()))
    return get(person)
  }
  taken.push(desk.tickets.take(id, bound()))
  assert.deepEqual(
    taken.map((each) => each !== undefined),
    [true, false],
  )
})

test('what becomes late while it is taken is not taken', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const get = desk.people.get.bind(desk.people)
  desk.people.get = (person) => {
    desk.people.get = get
    desk.pass(600_000)
    return get(person)
  }
  assert.equal(desk.tickets.take(id, bound()), undefined)
})

test('what ran when the gateway stopped is unknown, and does not run again', async (t) => {
  const { desk } = onDisk(t)
  const { id } = await desk.approved()
  assert.ok(desk.tickets.take(id, bound()))
  desk.reopen()
  assert.equal(desk.tickets.byId(id)?.state, 'unknown')
  assert.equal(desk.tickets.take(id, bound()), undefined)
  await desk.tickets.tick()
  assert.equal(desk.told.at(-1)?.details['state'], 'unknown')
})

test('what only the ticket has is taken without the arguments', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const { args: _, ...task } = bound()
  assert.deepEqual(desk.tickets.take(id, task)?.args, held().args)
})

const strange: readonly [what: string, more: Partial<BoundNow>, reason: string][] = [
  ['another caller', { owner: 'https://issuer.example\nother' }, 'ticket_of_another'],
  ['another client of the caller', { clientId: 'x' }, 'ticket_of_another'],
  ['no client', { clientId: undefined }, 'ticket_of_another'],
  ['another connection', { connection: 'other' }, 'ticket_of_another_call'],
  ['another tool', { tool: 'x' }, 'ticket_of_another_call'],
  ['another method', { method: 'prompts/get' }, 'ticket_of_another_call'],
  ['other arguments', { args: Buffer.from('{}') }, 'ticket_of_another_call'],
]
for (const [what, more, reason] of strange) {
  test(`a ticket is not taken with ${what}, and stands`, async () => {
    const desk = new Desk()
    const { id } = await desk.approved()
    assert.throws(() => desk.tickets.take(id, bound(held(), more)), { facts: { reason } })
    assert.ok(desk.tickets.take(id, bound()))
  })
}

test('a tool that was pinned at first sight while its call was held has not changed', async () => {
  const desk = new Desk()
  const call = held({ toolSha256: '' })
  const { id } = await desk.approved(call)
  assert.ok(desk.tickets.take(id, bound(call, { toolSha256: 'first' })))
})

const changes: readonly [what: string, more: Partial<BoundNow>][] = [
  ['connection', { connectionRevision: 'r2' }],
  ['tool', { toolSha256: 'other' }],
  ['policy', { policyRevision: 'p2' }],
]
for (const [what, more] of changes) {
  test(`a ticket is void once the ${what} has changed`, async () => {
    const desk = new Desk()
    const { id } = await desk.approved()
    assert.equal(desk.tickets.take(id, bound(held(), more)), undefined)
    assert.equal(desk.tickets.take(id, bound()), undefined)
    const ticket = desk.tickets.byId(id)
    assert.equal(ticket?.state, 'void')
    assert.match(ticket.ended, new RegExp(what))
    await desk.tickets.tick()
    assert.equal(desk.told.at(-1)?.details['state'], 'void')
  })
}

test('a call asked again under another policy has a new ticket, and the old one is void', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const again = await desk.tickets.open(held({ policyRevision: 'p2' }))
  assert.notEqual(again.id, id)
  assert.equal(desk.tickets.byId(id)?.state, 'void')
})

test('an approval covers every byte of its call, and is spent once', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const taken = desk.tickets.take(id, bound())
  assert.ok(taken)
  const call = held()
  assert.ok(taken.approval.covers(call))
  for (const other of [
    { ...call, args: Buffer.from('{"sql":"DELETE FROM cards WHERE id = 8"}') },
    { ...call, tool: 'executesql' },
    { ...call, connection: 'shop' },
    { ...call, connectionRevision: 'r2' },
    { ...call, method: 'prompts/get' },
  ]) {
    assert.equal(taken.approval.covers(other), false)
  }
  taken.approval.spend()
  assert.throws(() => taken.approval.spend(), { code: 'refused' })
  assert.equal(taken.approval.covers(call), false)
})

test('no two calls have one commitment, however their parts are cut', () => {
  const key = Buffer.alloc(32, 1)
  const word = fc.string({ maxLength: 4 })
  const parts = fc.record({
    connection: word,
    connectionRevision: word,
    method: word,
    tool: word,
    args: fc.uint8Array({ maxLength: 4 }),
  })
  const differs = fc.property(parts, parts, (a, b) => {
    const isSame = JSON.stringify(a) === JSON.stringify(b)
    assert.equal(commitmentOf(key, a).equals(commitmentOf(key, b)), isSame)
  })
  fc.assert(differs)
  const cut = { connection: 'a', connectionRevision: 'b', method: '', tool: '', args: Buffer.of() }
  const moved = { ...cut, connection: 'ab', connectionRevision: '' }
  assert.notDeepEqual(commitmentOf(key, cut), commitmentOf(key, moved))
})

const ends: readonly [TicketState, (desk: Desk, id: string) => unknown][] = [
  ['denied', async (desk, id) => await desk.decide(id, 'ann', 'deny')],
  ['withdrawn', async (desk, id) => await desk.tickets.withdraw(id, held().owner)],
  ['withdrawn', async (desk, id) => await desk.tickets.withdrawBy(id, 'pr_asker')],
  ['revoked', (desk) => desk.tickets.endAll({ owner: held().owner }, 'Its requester was stopped.')],
  ['revoked', (desk) => desk.tickets.endAll({ connection: 'shop-db' }, 'Stopped.')],
  ['void', (desk, id) => desk.tickets.end(id, 'void', 'The tool is gone.')],
  ['expired', async (desk) => (desk.pass(3_600_000), await desk.tickets.tick())],
]
for (const [state, end] of ends) {
  test(`a ticket that is ${state} has its entry, no key, and never runs`, async (t) => {
    const { desk, file } = onDisk(t)
    const call = held({ args: argsOf('x'.repeat(20_000)) })
    const { id } = await desk.tickets.open(call)
    const db = new DatabaseSync(file)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const kept = db.prepare('SELECT key, args FROM ticket').get()
    assert.ok(kept?.['key'] instanceof Uint8Array && kept['args'] instanceof Uint8Array)
    await end(desk, id)
    await desk.tickets.tick()
    await desk.tickets.tick()
    const last = desk.told.filter(({ type }) => type === 'ticket.ended')
    assert.deepEqual(
      last.map(({ details }) => [details['ticket'], details['state']]),
      [[id, state]],
    )
    assert.equal(desk.tickets.byId(id)?.state, state)
    assert.equal(desk.tickets.find(call), undefined)
    assert.equal(desk.tickets.take(id, bound(call)), undefined)
    assert.deepEqual(
      { ...db.prepare('SELECT key, args FROM ticket').get() },
      { key: null, args: null },
    )
    db.close()
    desk.reopen()
    assert.equal(desk.tickets.byId(id)?.state, state)
    desk.tickets.close()
    for (const bytes of [kept['key'], kept['args'].subarray(9000, 9064)]) {
      assert.equal(
        readFileSync(file).includes(Buffer.from(bytes)),
        false,
        'what was destroyed is overwritten',
      )
    }
    desk.tickets = new Desk().tickets
  })
}

test('nobody withdraws the call of another', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  const refused = { code: 'refused', facts: { reason: 'ticket_of_another' } }
  await assert.rejects(desk.tickets.withdraw(id, 'https://issuer.example\nann'), refused)
  await assert.rejects(desk.tickets.withdrawBy(id, 'pr_ann'), refused)
  await assert.rejects(desk.tickets.withdrawBy(id, 'pr_nobody'), refused)
  assert.equal(desk.tickets.byId(id)?.state, 'pending')
})

test('what is on its way is not withdrawn, expired or stopped: it may have run', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  desk.tickets.take(id, bound())
  await assert.rejects(desk.tickets.withdraw(id, held().owner), { code: 'refused' })
  assert.equal(desk.tickets.endAll({ everything: true }, 'x'), 0)
  assert.equal(desk.tickets.end(id, 'expired', 'x'), false)
  desk.pass(86_400_000)
  await desk.tickets.tick()
  assert.equal(desk.tickets.byId(id)?.state, 'executing')
  assert.equal(desk.tickets.find(held())?.id, id)
  assert.ok(desk.tickets.end(id, 'unknown', 'The answer was lost.'))
  assert.equal(desk.tickets.end(id, 'unknown', 'Again.'), false)
  await desk.tickets.executed(id, 'ok')
  assert.equal(desk.tickets.byId(id)?.state, 'unknown')
})

test('an approved call which nobody comes for expires', async () => {
  const desk = new Desk()
  const { id, notAfterMs } = await desk.approved()
  assert.equal(notAfterMs, desk.nowMs + 600_000)
  desk.pass(599_999)
  await desk.tickets.tick()
  assert.equal(desk.tickets.byId(id)?.state, 'approved')
  desk.pass(1)
  assert.equal(desk.tickets.take(id, bound()), undefined)
  assert.equal(desk.tickets.byId(id)?.state, 'expired')
})

test('a clock that stands still, jumps ahead or goes back keeps nothing in time', async () => {
  for (const [wallMs, monotonicMs] of [
    [0, 600_000],
    [600_000, 0],
    [-61_000, 0],
  ] as const) {
    const desk = new Desk()
    const { id } = await desk.approved()
    desk.nowMs += wallMs
    desk.monotonicMs += monotonicMs
    assert.equal(desk.tickets.take(id, bound()), undefined, `${wallMs} ${monotonicMs}`)
    assert.equal(desk.tickets.byId(id)?.state, 'expired')
  }
})

test('a clock that went back over a restart ends what waits', async (t) => {
  const { desk } = onDisk(t)
  const { id } = await desk.tickets.open(held())
  desk.pass(1_800_000)
  await desk.tickets.tick()
  desk.nowMs -= 900_000
  desk.monotonicMs = 0
  desk.reopen()
  assert.equal(desk.tickets.byId(id)?.state, 'expired')
  assert.match(desk.tickets.byId(id)?.ended ?? '', /clock went back/)
})

test('a restart gives nothing more time, and keeps what is in time', async (t) => {
  const { desk } = onDisk(t)
  const { id } = await desk.approved()
  desk.pass(599_000)
  desk.monotonicMs = 0
  desk.reopen()
  assert.equal(desk.tickets.byId(id)?.state, 'approved')
  desk.pass(1000)
  assert.equal(desk.tickets.take(id, bound()), undefined)
})

test('an approval that could not be recorded runs only once it is', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  desk.failing.add('ticket.approved')
  assert.equal((await desk.decide(id, 'ann', 'approve')).state, 'pending')
  assert.equal(desk.tickets.take(id, bound()), undefined)
  const wait = desk.tickets.changed(id, new AbortController().signal)
  desk.failing.clear()
  await desk.tickets.tick()
  assert.equal((await wait).state, 'approved')
  assert.ok(desk.tickets.take(id, bound()))
})

test('an end that could not be recorded holds, and is told later', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  desk.failing.add('ticket.ended')
  assert.equal(desk.tickets.endAll({ everything: true }, 'All is stopped.'), 1)
  assert.equal(desk.tickets.byId(id)?.state, 'revoked')
  const ticks = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await desk.tickets.tick()
  }
  await assert.rejects(ticks(), { code: 'record_down' })
  desk.failing.clear()
  await ticks()
  assert.deepEqual(desk.types(), ['ticket.created', 'ticket.ended'])
})

test('what waits is woken by the next change, and by nothing else', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  const { signal } = new AbortController()
  const waits = [1, 2, 3].map(() => desk.tickets.changed(id, signal, 'pending'))
  await desk.decide(id, 'ann', 'approve')
  assert.deepEqual(
    (await Promise.all(waits)).map(({ state }) => state),
    ['approved', 'approved', 'approved'],
  )
  assert.equal((await desk.tickets.changed(id, signal, 'pending')).state, 'approved')
  const hangsUp = new AbortController()
  const hung = desk.tickets.changed(id, hangsUp.signal)
  hangsUp.abort()
  await assert.rejects(hung, { code: 'cancelled' })
  await assert.rejects(desk.tickets.changed(id, hangsUp.signal), { code: 'cancelled' })
  await assert.rejects(desk.tickets.changed('tk_none', signal), { code: 'path_unknown' })
  assert.equal(desk.tickets.byId(id)?.state, 'approved')
})

test('a thousand callers wait for one ticket at most', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held())
  const hangsUp = new AbortController()
  const all = Array.from({ length: 1000 }, () => desk.tickets.changed(id, hangsUp.signal))
  await assert.rejects(desk.tickets.changed(id, hangsUp.signal), { code: 'busy' })
  hangsUp.abort()
  const settled = await Promise.allSettled(all)
  assert.ok(settled.every(({ status }) => status === 'rejected'))
  const again = desk.tickets.changed(id, new AbortController().signal)
  await desk.tickets.withdraw(id, held().owner)
  assert.equal((await again).state, 'withdrawn')
})

test('reviewers are reminded once', async () => {
  const desk = new Desk()
  desk.holds = { ...desk.holds, remindAfterMs: 60_000 }
  const events: string[] = []
  desk.tickets.onEvent((event) => events.push(event))
  await desk.tickets.open(held())
  for (const ms of [59_999, 1, 60_000]) {
    desk.pass(ms)
    await desk.tickets.tick()
  }
  assert.deepEqual(desk.types(), ['ticket.created', 'ticket.reminded'])
  assert.deepEqual(events, ['created', 'reminded'])
})

test('a list has the newest first, page by page, of whom and what is asked', async () => {
  const desk = new Desk()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    ids.push((await desk.tickets.open(held({ args: argsOf(String(i)) }))).id)
  }
  await desk.tickets.withdraw(ids[2] ?? '', held().owner)
  const list = (filter: Parameters<Desk['tickets']['list']>[0]): number[] =>
    desk.tickets.list(filter).map(({ id }) => ids.indexOf(id))
  assert.deepEqual(list({}), [4, 3, 2, 1, 0])
  assert.deepEqual(list({ states: ['pending'] }), [4, 3, 1, 0])
  assert.deepEqual(list({ states: ['withdrawn', 'denied'] }), [2])
  assert.deepEqual(list({ states: [] }), [])
  assert.deepEqual(list({ limit: 2 }), [4, 3])
  assert.deepEqual(list({ limit: 2, before: ids[3] }), [2, 1])
  assert.deepEqual(list({ owner: 'https://issuer.example\nother' }), [])
  assert.deepEqual(list({ connection: 'shop-db', limit: 1 }), [4])
  assert.deepEqual(list({ isUnreviewed: true }), [])
})

const forged: readonly [what: string, sql: string, state: TicketState][] = [
  ['an approval nobody signed', "UPDATE ticket SET state = 'approved', told = 1", 'revoked'],
  ["another ticket's key", 'UPDATE ticket SET key = zeroblob(60)', 'void'],
  ['other arguments', 'UPDATE ticket SET args = zeroblob(60)', 'void'],
]
for (const [what, sql, state] of forged) {
  test(`${what}, put into the file, runs nothing`, async (t) => {
    const { desk, file } = onDisk(t)
    const { id } = state === 'revoked' ? await desk.tickets.open(held()) : await desk.approved()
    const db = new DatabaseSync(file)
    t.after(() => db.close())
    db.exec(sql)
    assert.equal(desk.tickets.take(id, bound()), undefined)
    assert.equal(desk.tickets.byId(id)?.state, state)
  })
}

test('a receipt or decision that was changed in the file runs nothing', async (t) => {
  for (const set of [
    'receipt = replace(receipt, \'sig":"\', \'sig":"A\')',
    "statement = replace(statement, 'shop-db', 'shop-dx')",
    "person = 'pr_bob'",
    'at_ms = at_ms + 1',
    'evidence = \'{"signature":""}\'',
  ]) {
    const { desk, file } = onDisk(t)
    const { id } = await desk.approved()
    const db = new DatabaseSync(file)
    t.after(() => db.close())
    db.exec(`UPDATE ticket_decision SET ${set}`)
    assert.equal(desk.tickets.take(id, bound()), undefined, set)
    assert.equal(desk.tickets.byId(id)?.state, 'revoked')
  }
})

test('a quorum that was lowered in the file runs nothing', async (t) => {
  const { desk, file } = onDisk(t)
  const terms = { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 3_600_000, needsPasskey: false }
  const { id } = await desk.tickets.open(held({ terms }))
  await desk.decide(id, 'ann', 'approve')
  const db = new DatabaseSync(file)
  t.after(() => db.close())
  const lower = `doc = replace(doc, '"quorum":2', '"quorum":1')`
  db.exec(`UPDATE ticket SET ${lower}, state = 'approved', told = 1`)
  assert.equal(desk.tickets.byId(id)?.quorum, 1)
  assert.equal(desk.tickets.take(id, bound()), undefined)
  assert.equal(desk.tickets.byId(id)?.state, 'revoked')
})

test('a file with a damaged ticket is not opened', async (t) => {
  const { desk, file } = onDisk(t)
  await desk.tickets.open(held())
  const db = new DatabaseSync(file)
  t.after(() => db.close())
  db.exec("UPDATE ticket SET doc = '{'")
  const damaged = { name: 'Fault', code: 'record_down', message: /damaged \(table ticket\)/ }
  assert.throws(() => desk.reopen(), damaged)
})
