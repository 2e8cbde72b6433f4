/** Held calls through a whole gateway: who waits, who decides, what runs, and how often. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Ticket, TicketState } from '../../src/hold/ticket.ts'
import { MovedClock, answerResult, legacyCall, modernCall, openHouse } from './house.ts'
import type { House } from './house.ts'

const extra = `
console: { roles: { approver: { group: approvers } } }
rules:
  - { name: writes-wait, when: 'call.tool == "write"', effect: hold, reason: Writing needs a person., expires: 2m }
  - { name: never, when: 'call.tool == "shred"', effect: deny, reason: Nobody shreds. }
holds: { wait: 1s, session_decisions: true }
`
const clock = new MovedClock(Date.now())
const house = await openHouse({ extra, clock })
after(() => house.stop())

const rita = await personOf(house, 'rita', ['approvers'])
const session = { key: 'session', amr: ['pwd'], authenticatedMs: 0 }

async function personOf(of: House, subject: string, groups: string[]): Promise<string> {
  const { directory, local } = of.gateway
  assert.ok(local)
  const told = { issuer: local.issuer, subject, name: subject, kind: 'person' as const, groups }
  directory.tell({ ...told, roles: [] }, 'command', Date.now())
  return await Promise.resolve(directory.find(local.issuer, subject)?.id ?? '')
}

async function decide(id: string, decision: 'approve' | 'deny', by = rita): Promise<void> {
  const { tickets } = house.gateway
  const justification = 'I looked at the call, and it is meant.'
  const begun = await tickets.beginDecision(id, by, {
    decision,
    justification,
    method: 'session',
    session,
  })
  await tickets.finishDecision(begun.challenge, by, { method: 'session', session })
}

/** The one ticket that waits, as soon as there is one. */
async function waiting(): Promise<Ticket> {
  for (let i = 0; i < 200; i++) {
    const [ticket] = house.gateway.tickets.list({ states: ['pending'] })
    if (ticket !== undefined) return ticket
    await pause(10)
  }
  throw new Error('no ticket came')
}

let sent = 0
/** A call like no other, so that no ticket of another test is its own. */
const fresh = (): string => `{"row":${++sent},"note":"a\\u0062c"}`
const legacy = (args: string): string =>
  legacyCall('tools/call', `{"name":"write","arguments":${args}}`)
const ran = (args: string): number =>
  house.behind.got.filter(({ body }) => body.includes(args)).length
const stateOf = (id: string): TicketState | undefined => house.gateway.tickets.byId(id)?.state

interface Answer {
  readonly result?: {
    readonly isError?: boolean
    readonly content?: readonly { readonly text: string }[]
    readonly resultType?: string
    readonly requestState?: string
    readonly _meta?: Record<string, { ticket: string; state: string; link: string }>
  }
  readonly error?: { readonly code: number; readonly message: string }
}
const answerOf = async (response: Promise<Response>): Promise<Answer> =>
  (await (await response).json()) as Answer
const textOf = ({ result }: Answer): string => result?.content?.[0]?.text ?? ''

house.behind.script = (got, res) => {
  answerResult(got, res, '{"content":[{"type":"text","text":"written"}]}')
}

test('a held call waits, runs once when it is approved, and its caller gets the result', async () => {
  const args = fresh()
  const answer = answerOf(house.post(legacy(args)))
  const ticket = await waiting()
  assert.equal(ran(args), 0)
  await decide(ticket.id, 'approve')
  assert.equal(textOf(await answer), 'written')
  assert.equal(ran(args), 1)
  assert.equal(stateOf(ticket.id), 'executed')
})
test('what was approved is sent with the very bytes of its arguments', () => {
  assert.ok(house.behind.got.at(-1)?.body.includes('"note":"a\\u0062c"'))
})
test('a held call that is denied is not sent, and its caller is told', async () => {
  const args = fresh()
  const answer = answerOf(house.post(legacy(args)))
  const { id } = await waiting()
  await decide(id, 'deny')
  const told = await answer
  assert.equal(told.result?.isError, true)
  assert.match(textOf(told), /denied this call; it was not sent/)
  assert.equal(ran(args), 0)
})
test('a caller whose time is up learns the number, and its identical call runs the ticket', async () => {
  const args = fresh()
  const told = await answerOf(house.post(legacy(args)))
  const meta = told.result?._meta?.['dev.sallyport/ticket']
  assert.ok(meta)
  assert.match(textOf(told), new RegExp(`${meta.ticket}.*identical call`, 's'))
  assert.ok(meta.link.endsWith(`/approvals/${meta.ticket}`))
  await decide(meta.ticket, 'approve')
  assert.equal(ran(args), 0, 'nothing runs unattended')
  assert.equal(textOf(await answerOf(house.post(legacy(args)))), 'written')
  assert.equal(ran(args), 1)
})
test('a call that differs in one byte is another one', async () => {
  const args = fresh()
  const told = await answerOf(house.post(legacy(args)))
  const id = told.result?._meta?.['dev.sallyport/ticket']?.ticket ?? ''
  await decide(id, 'approve')
  const other = await answerOf(house.post(legacy(args.replace('a\\u0062c', 'abc'))))
  assert.notEqual(other.result?._meta?.['dev.sallyport/ticket']?.ticket, id)
  assert.equal(ran(args), 0)
  const mine = house.gateway.tickets.list({ states: ['pending'] })
  for (const one of mine) await house.gateway.tickets.withdraw(one.id, one.owner)
})
test('who comes back after a denial is told of it once, and may ask anew', async () => {
  const args = fresh()
  const told = await answerOf(house.post(legacy(args)))
  const id = told.result?._meta?.['dev.sallyport/ticket']?.ticket ?? ''
  await decide(id, 'deny')
  assert.match(textOf(await answerOf(house.post(legacy(args)))), /denied this call/)
  const anew = await answerOf(house.post(legacy(args)))
  const next = anew.result?._meta?.['dev.sallyport/ticket']?.ticket ?? ''
  assert.ok(next !== '' && next !== id)
  await decide(next, 'deny')
})
test('two hundred identical calls on one approved ticket run it once', async () => {
  const args = fresh()
  const told = await answerOf(house.post(legacy(args)))
  const id = told.result?._meta?.['dev.sallyport/ticket']?.ticket ?? ''
  await decide(id, 'approve')
  const all = await Promise.all(
    Array.from({ length: 200 }, () => answerOf(house.post(legacy(args)))),
  )
  assert.equal(ran(args), 1)
  assert.ok(all.some((one) => textOf(one) === 'written'))
  for (const one of house.gateway.tickets.list({ states: ['pending'] })) {
    await house.gateway.tickets.withdraw(one.id, one.owner)
  }
})
test('a client that hangs up leaves the ticket, and nothing runs until it is back', async () => {
  const args = fresh()
  const left = new AbortController()
  const lost = fetch(house.mcp, {
    method: 'POST',
    signal: left.signal,
    body: legacy(args),
    headers: await headers(),
  }).catch(() => undefined)
  const { id } = await waiting()
  left.abort()
  await lost
  await decide(id, 'approve')
  await pause(100)
  assert.deepEqual([ran(args), stateOf(id)], [0, 'approved'])
  assert.equal(textOf(await answerOf(house.post(legacy(args)))), 'written')
  assert.deepEqual([ran(args), stateOf(id)], [1, 'executed'])
})
test('a requester who is stopped while it waits gets nothing, and nothing runs', async () => {
  const args = fresh()
  const token = await house.token({ subject: 'leaver', groups: ['staff'] })
  const response = house.post(legacy(args), { authorization: `Bearer ${token}` })
  const { id } = await waiting()
  const { local, stops } = house.gateway
  const target = { kind: 'principal' as const, issuer: local?.issuer ?? '', subject: 'leaver' }
  await stops.stop({ target, reason: 'left', by: 'test', source: 'cli' })
  assert.equal((await response).status, 401)
  assert.equal(stateOf(id), 'revoked')
  await assert.rejects(decide(id, 'approve'), { code: 'refused' })
  assert.equal(ran(args), 0)
})
test('nobody decides in time: the ticket expires, and its caller is told', async () => {
  const args = fresh()
  const told = await answerOf(house.post(legacy(args)))
  const id = told.result?._meta?.['dev.sallyport/ticket']?.ticket ?? ''
  clock.pass(3 * 60_000)
  await until(() => stateOf(id) === 'expired')
  await assert.rejects(decide(id, 'approve'), { code: 'refused' })
  assert.match(
    textOf(await answerOf(house.post(legacy(args)))),
    /Nobody approved this call in time/,
  )
  assert.equal(ran(args), 0)
})
test('a rule that denies says so, with its name in the record', async () => {
  const shred = legacyCall('tools/call', '{"name":"shred","arguments":{}}')
  const told = await answerOf(house.post(shred))
  assert.match(textOf(told), /Nobody shreds/)
  const denied = (await house.entries()).findLast(({ type }) => type === 'call.denied')
  assert.deepEqual([denied?.['rule'], denied?.['reason']], ['never', 'rule'])
})
test('an array with a call that would be held is refused as a whole', async () => {
  const args = fresh()
  const both = `[${legacy(args)},${legacyCall('ping', '{}', '2')}]`
  const response = await house.post(both, { 'mcp-protocol-version': '2025-03-26' })
  assert.equal(response.status, 400)
  assert.equal(ran(args), 0)
})

test('a modern call goes from leg to leg until it is approved', async () => {
  const args = fresh()
  const { body, headers: modern } = modernCall('write', args)
  const leg = await answerOf(house.post(body, modern))
  assert.equal(leg.result?.resultType, 'input_required')
  const state = leg.result?.requestState ?? ''
  const retry = body.replace('"name":', `"requestState":${JSON.stringify(state)},"name":`)
  const answer = answerOf(house.post(retry.replace('"id":1', '"id":2'), modern))
  const { id } = await waiting()
  await decide(id, 'approve')
  assert.equal(textOf(await answer), 'written')
  assert.equal(ran(args), 1)
  const got = house.behind.got.at(-1)
  assert.ok(got?.body.includes(args) && !got.body.includes('requestState'))
})
test('a leg with an altered state is refused', async () => {
  const { body, headers: modern } = modernCall('write', fresh())
  const retry = body.replace('"name":', '"requestState":"sallyport-held.tk_x.1.abc","name":')
  const told = await answerOf(house.post(retry, modern))
  assert.equal(told.error?.code, -32602)
})

test('an answer to the server that rides along with a held call is not held, and not sent', async () => {
  const args = fresh()
  const { body, headers: modern } = modernCall('write', args)
  const more = '"inputResponses":{"ok":{"action":"accept"}},"requestState":"of the server","name":'
  const told = await answerOf(house.post(body.replace('"name":', more), modern))
  assert.match(textOf(told), /who decides about its arguments alone/)
  assert.equal(ran(args), 0)
})

const announcing =
  '"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}'
const modernPoll = (
  method: string,
  taskId: string,
): { body: string; headers: Record<string, string> } => {
  const { body, headers: modern } = modernCall('write', '{}', '9')
  const params = body.replace(/"name":.*"_meta"/, `"taskId":"${taskId}","_meta"`)
  return {
    body: params.replace('tools/call', method),
    headers: { ...modern, 'mcp-method': method, 'mcp-name': taskId },
  }
}
interface Task {
  readonly result?: {
    readonly resultType?: string
    readonly taskId?: string
    readonly status?: string
    readonly result?: Answer['result']
  }
  readonly error?: { readonly code: number }
}
const taskOf = async (response: Promise<Response>): Promise<Task> =>
  (await (await response).json()) as Task

async function beginTask(args: string): Promise<string> {
  const { body, headers: modern } = modernCall('write', args)
  const able = body.replace('"io.modelcontextprotocol/clientCapabilities":{}', announcing)
  const task = await taskOf(house.post(able, modern))
  assert.deepEqual([task.result?.resultType, task.result?.status], ['task', 'working'])
  return task.result?.taskId ?? ''
}

test('a client that announces tasks gets one, and an approved one runs at its poll', async () => {
  const args = fresh()
  const taskId = await beginTask(args)
  const poll = modernPoll('tasks/get', taskId)
  assert.equal((await taskOf(house.post(poll.body, poll.headers))).result?.status, 'working')
  const { id } = await waiting()
  await decide(id, 'approve')
  await pause(50)
  assert.equal(ran(args), 0, 'nothing runs unattended')
  const done = await taskOf(house.post(poll.body, poll.headers))
  assert.equal(done.result?.status, 'completed')
  assert.equal(done.result?.result?.content?.[0]?.text, 'written')
  assert.deepEqual([ran(args), stateOf(id)], [1, 'executed'])
  const again = await taskOf(house.post(poll.body, poll.headers))
  assert.equal(again.result?.result?.content?.[0]?.text, 'written')
  assert.equal(ran(args), 1)
})
test('a task is nobody else’s', async () => {
  const taskId = await beginTask(fresh())
  const token = await house.token({ subject: 'other', groups: ['staff'] })
  const poll = modernPoll('tasks/get', taskId)
  const told = await taskOf(
    house.post(poll.body, { ...poll.headers, authorization: `Bearer ${token}` }),
  )
  assert.equal(told.error?.code, -32602)
  const cancel = modernPoll('tasks/cancel', taskId)
  const ack = await taskOf(house.post(cancel.body, cancel.headers))
  assert.equal(ack.result?.resultType, 'complete')
  assert.equal(stateOf(taskId.replace('held-', '')), 'withdrawn')
  const after = await taskOf(house.post(poll.body, poll.headers))
  assert.equal(after.result?.status, 'cancelled')
})
test('a caller who asked for progress hears of it while it waits, then gets its result', async () => {
  const args = fresh()
  const params = `{"name":"write","arguments":${args},"_meta":{"progressToken":"p-1"}}`
  const response = await house.post(legacyCall('tools/call', params))
  assert.match(response.headers.get('content-type') ?? '', /event-stream/)
  const text = response.text()
  const { id } = await waiting()
  await decide(id, 'approve')
  const events = (await text).split('\n\n').filter(Boolean)
  assert.match(events[0] ?? '', /notifications\/progress.*"progressToken":"p-1","progress":-1\.000/)
  assert.match(events.at(-1) ?? '', /"text":"written"/)
})
test('a client that cancels ends its own wait, and not the ticket', async () => {
  const args = fresh()
  const initialized = await house.post(
    legacyCall(
      'initialize',
      '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}',
    ),
  )
  await initialized.text()
  const answer = house.post(legacy(args).replace('"id":1', '"id":77'))
  const { id } = await waiting()
  const cancelled = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}'
  await (await house.post(cancelled)).text()
  await (await answer).text()
  assert.equal(stateOf(id), 'pending')
  await decide(id, 'deny')
})

test('a ticket’s whole story stands in the record, and no argument in an entry', async () => {
  const entries = await house.entries()
  const created = entries.find(({ type }) => type === 'ticket.created')
  const id = (created?.['details'] as { ticket: string } | undefined)?.ticket
  const ofIt = entries.filter(
    ({ details, ticket }) =>
      ticket === id || (details as { ticket?: string } | undefined)?.ticket === id,
  )
  const types = ofIt.map(({ type }) => type)
  for (const type of [
    'ticket.created',
    'call.received',
    'ticket.decided',
    'ticket.approved',
    'call.dispatched',
    'ticket.executed',
  ]) {
    assert.ok(types.includes(type), `${type} is missing`)
  }
  const order = (type: string): number => types.indexOf(type)
  assert.ok(order('ticket.created') < order('ticket.decided'))
  assert.ok(order('ticket.approved') < order('call.dispatched'))
  assert.ok(!JSON.stringify(entries).includes('"note":'), 'no argument stands in an entry')
})

async function headers(): Promise<Record<string, string>> {
  const token = await house.token({ subject: 'sam', groups: ['staff'] })
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !isTrue(); i++) await pause(20)
  assert.ok(isTrue())
}
