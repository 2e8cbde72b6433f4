/** What is tried against held calls by clients, servers and the weather. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pan } from '../cards.ts'
import { answerResult, legacyCall, modernCall, MovedClock } from './house.ts'
import { until } from './program.ts'
import { heldRules, openDesk } from './reviewing.ts'

const clock = new MovedClock(Date.now())
const desk = await openDesk({
  clock,
  access: '  - { who: { group: analysts }, may: { connection: shop }, reveal: pan }',
  extra: `${heldRules}
  - { name: masked-anyway, when: 'call.tool == "add_masked"', effect: hold, reason: Masked for all., mask: true }
limits: { streams_per_principal_max: 40 }`,
})
const { house } = desk
after(() => house.stop())

let rows = 0
const fresh = (): string => `row-${String.fromCodePoint(97 + (rows++ % 26))}${rows}x`
const argsOf = (row: string): string => `{"row":"${row}"}`
const add = (row: string, id = '1', meta = ''): string =>
  legacyCall('tools/call', `{"name":"add","arguments":${argsOf(row)}${meta}}`, id)
const ran = (row: string): number =>
  house.behind.got.filter(({ body }) => body.includes(row)).length
const written = '{"content":[{"type":"text","text":"written"}]}'
house.behind.script = (got, res) => answerResult(got, res, written)

const textOf = async (response: Promise<Response>): Promise<string> => await (await response).text()
const send = async (body: string, headers: Record<string, string> = {}): Promise<string> =>
  await textOf(house.post(body, headers))
const as = async (subject: string, groups: string[]): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await house.token({ subject, groups })}`,
})
/** A call in the modern era with what it goes on from. */
function leg(
  row: string,
  state: string,
  id = '1',
): { body: string; headers: Record<string, string> } {
  const { body, headers } = modernCall('add', argsOf(row), id)
  return {
    headers,
    body: body.replace('"name":', `"requestState":${JSON.stringify(state)},"name":`),
  }
}
const stateIn = (answer: string): string => /"requestState":"([^"]+)"/.exec(answer)?.[1] ?? ''
const numberIn = (answer: string): string => /"ticket":"(tk_[A-Za-z]+)"/.exec(answer)?.[1] ?? ''
const announcing =
  '"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}'
async function beginTask(
  row: string,
  headers: Record<string, string> = {},
  tool = 'add',
): Promise<string> {
  const { body, headers: modern } = modernCall(tool, argsOf(row))
  const able = body.replace('"io.modelcontextprotocol/clientCapabilities":{}', announcing)
  const answer = await send(able, { ...modern, ...headers })
  return /"taskId":"([^"]+)"/.exec(answer)?.[1] ?? ''
}
async function poll(
  method: string,
  taskId: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const { body, headers: modern } = modernCall('add', '{}', '9')
  const params = body.replace(/"name":.*"_meta"/, `"taskId":"${taskId}","_meta"`)
  const names = { 'mcp-method': method, 'mcp-name': taskId }
  return await send(params.replace('tools/call', method), { ...modern, ...names, ...headers })
}

test('a state of a leg is good for its own caller and call alone', async () => {
  const row = fresh()
  const { body, headers } = modernCall('add', argsOf(row))
  const state = stateIn(await send(body, headers))
  assert.notEqual(state, '')
  const forged = state.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'))
  const counted = state.replace(/\.(\d+)\./, '.0.')
  for (const text of [forged, counted, `${state}x`, 'sallyport-held.', 'sallyport-held.tk_a.1.']) {
    const one = leg(row, text)
    assert.match(await send(one.body, one.headers), /"code":-32602/, text)
  }
  const other = leg(fresh(), state)
  assert.match(await send(other.body, other.headers), /"code":-32602/)
  const mine = leg(row, state)
  const stranger = await as('stranger', ['staff'])
  assert.match(await send(mine.body, { ...mine.headers, ...stranger }), /"code":-32602/)
  assert.equal(ran(row), 0)
  await desk.settle(row, 'deny')
  // It ends with its ticket: told once more, then never a right to anything.
  assert.match(await send(mine.body, mine.headers), /denied this call/)
})
test('what inputResponses a leg brings decides nothing, and does not reach the server', async () => {
  const row = fresh()
  const { body, headers } = modernCall('add', argsOf(row))
  const state = stateIn(await send(body, headers))
  const one = leg(row, state)
  const yes = '"inputResponses":{"approve":{"action":"accept","content":{"approved":true}}},'
  const answer = await send(one.body.replace('"name":', `${yes}"name":`), one.headers)
  assert.match(answer, /input_required/)
  assert.equal(ran(row), 0)
  await desk.settle(row, 'deny')
})
test('a leg that comes after another request of its caller ran the ticket gets that answer', async () => {
  const row = fresh()
  const { body, headers } = modernCall('add', argsOf(row))
  const state = stateIn(await send(body, headers))
  const { id } = await desk.waiting(row)
  await desk.decide(id, 'approve')
  assert.match(await send(body, headers), /written/)
  const late = leg(row, state, '7')
  assert.match(await send(late.body, late.headers), /"id":7.*written/)
  assert.equal(ran(row), 1)
  assert.equal(desk.house.gateway.tickets.list({ states: ['pending'] }).length, 0)
})
test('a request id that is used twice makes no second ticket, and both get their answer', async () => {
  const row = fresh()
  const both = [send(add(row, '5')), send(add(row, '5'))]
  await desk.settle(row, 'approve')
  for (const answer of await Promise.all(both)) assert.match(answer, /"id":5.*written/)
  assert.equal(ran(row), 1)
})
test('two callers with the same call have tickets of their own', async () => {
  const row = fresh()
  const other = await as('other', ['staff'])
  const [mine, theirs] = [send(add(row)), send(add(row), other)]
  await until(() => house.gateway.tickets.list({ states: ['pending'] }).length === 2)
  const [first, second] = house.gateway.tickets.list({ states: ['pending'] })
  assert.ok(first && second && first.owner !== second.owner)
  const ofOther = first.requester.subject === 'other' ? first : second
  await desk.decide(ofOther.id, 'approve')
  assert.match(await theirs, /written/)
  assert.equal(ran(row), 1)
  assert.match(await mine, /needs a person/)
  await house.gateway.tickets.withdraw(...withdrawal(first.id === ofOther.id ? second : first))
})
const withdrawal = ({ id, owner }: { id: string; owner: string }): [string, string] => [id, owner]

test('card numbers come back as each waiter’s own grant has it', async () => {
  const row = fresh()
  const number = pan('4', 16)
  house.behind.script = (got, res) =>
    answerResult(got, res, `{"content":[{"type":"text","text":"card ${number}"}]}`)
  const clear = await as('sam', ['staff', 'analysts'])
  const [masked, shown] = [send(add(row)), send(add(row), clear)]
  await desk.waiting(row)
  await pause(50)
  await desk.settle(row, 'approve')
  assert.ok(!(await masked).includes(number))
  assert.ok((await shown).includes(number))
  assert.equal(ran(row), 1)
  const held = fresh()
  const taskId = await beginTask(held, clear, 'add_masked')
  await desk.settle(held, 'approve')
  for (let i = 0; i < 2; i++) {
    const answer = await poll('tasks/get', taskId, clear)
    assert.match(answer, /"status":"completed"/)
    assert.ok(!answer.includes(number), 'a rule masks it for everybody, in a task too')
  }
  house.behind.script = (got, res) => answerResult(got, res, written)
})
test('verification values and huge arguments are never held', async () => {
  const row = fresh()
  const cvv = add(row).replace('"row":', '"cvv":"123","row":')
  assert.match(await send(cvv), /never kept/)
  const huge = add(`${row}${'z'.repeat(1_100_000)}`)
  assert.match(await send(huge), /bytes of arguments/)
  assert.equal(house.gateway.tickets.list({ states: ['pending'] }).length, 0)
  assert.equal(ran(row), 0)
  assert.ok(!house.allBytes().includes('"cvv":"123"'))
})
test('what cannot wait is refused: notifications, lists, arrays', async () => {
  const row = fresh()
  const notification = add(row).replace('"id":1,', '')
  assert.match(await send(notification), /cannot wait/)
  const batch = { 'mcp-protocol-version': '2025-03-26' }
  for (const body of [`[${add(row)}]`, `[${add(row)},${legacyCall('ping', '{}', '2')}]`]) {
    assert.match(await send(body, batch), /person/)
  }
  assert.equal(ran(row), 0)
  assert.equal(house.gateway.tickets.list({ states: ['pending'] }).length, 0)
})

test('a task is its caller’s own, in every method', async () => {
  const row = fresh()
  const taskId = await beginTask(row)
  const other = await as('other', ['staff'])
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update']) {
    assert.match(await poll(method, taskId, other), /"code":-32602/, method)
  }
  assert.equal(desk.stateOf(taskId.replace('held-', '')), 'pending')
  await desk.settle(row, 'approve')
  assert.match(await poll('tasks/get', taskId, other), /"code":-32602/)
  assert.equal(ran(row), 0)
  assert.match(await poll('tasks/get', taskId), /"status":"completed".*written/)
  assert.match(await poll('tasks/cancel', taskId), /"resultType":"complete"/)
  assert.match(await poll('tasks/get', taskId), /"status":"completed".*written/)
  assert.equal(ran(row), 1)
})
test('task ids that only look like ours are the server’s, or nobody’s', async () => {
  const before = house.behind.got.length
  assert.match(await poll('tasks/get', 'held-of-the-server'), /written/)
  assert.equal(house.behind.got.length, before + 1)
  assert.match(await poll('tasks/get', `held-tk_${'a'.repeat(26)}`), /"code":-32602/)
  assert.equal(house.behind.got.length, before + 1)
})
test('a denied task is completed with an error, a withdrawn one cancelled', async () => {
  const [denied, withdrawn] = [fresh(), fresh()]
  const one = await beginTask(denied)
  await desk.settle(denied, 'deny')
  assert.match(await poll('tasks/get', one), /"status":"completed".*"isError":true/)
  const other = await beginTask(withdrawn)
  assert.match(await poll('tasks/cancel', other), /"resultType":"complete"/)
  assert.match(await poll('tasks/get', other), /"status":"cancelled"/)
  assert.equal(ran(denied) + ran(withdrawn), 0)
})
test('a notification that names a task neither runs nor cancels it', async () => {
  const row = fresh()
  const taskId = await beginTask(row)
  const { id } = await desk.waiting(row)
  const silent = legacyCall('tasks/cancel', `{"taskId":"${taskId}"}`).replace('"id":1,', '')
  await send(silent)
  assert.equal(desk.stateOf(id), 'pending')
  await desk.decide(id, 'approve')
  await send(silent.replace('cancel', 'get'))
  await pause(50)
  assert.deepEqual([desk.stateOf(id), ran(row)], ['approved', 0])
  assert.match(await poll('tasks/get', taskId), /written/)
})
test('polls of one task at once run it once, and all get its result', async () => {
  const row = fresh()
  const taskId = await beginTask(row)
  await desk.settle(row, 'approve')
  const all = await Promise.all(Array.from({ length: 30 }, () => poll('tasks/get', taskId)))
  for (const answer of all) assert.match(answer, /"status":"completed".*written/)
  assert.equal(ran(row), 1)
})
test('who is stopped while a poll waits for the run is answered within a second', async () => {
  const row = fresh()
  const gone = await as('poller', ['staff'])
  const taskId = await beginTask(row, gone)
  await desk.settle(row, 'approve')
  const stalled: ServerResponse[] = []
  house.behind.script = (_, res) => void stalled.push(res)
  const answer = poll('tasks/get', taskId, gone)
  await until(() => ran(row) === 1)
  const from = Date.now()
  const { local, stops } = house.gateway
  const target = { kind: 'principal' as const, issuer: local?.issuer ?? '', subject: 'poller' }
  await stops.stop({ target, reason: 'left', by: 'test', source: 'cli' })
  assert.match(await answer, /stopped/)
  assert.ok(Date.now() - from < 1000)
  await until(() => desk.stateOf(taskId.replace('held-', '')) === 'unknown')
  house.behind.script = (got, res) => answerResult(got, res, written)
})
test('a stop is in force before the record tells of it, and nothing of who is stopped comes after', async () => {
  const gone = await as('stopped', ['staff'])
  const waits = Array.from({ length: 5 }, () => fresh())
  const answers = waits.map((row) => send(add(row), gone))
  for (const row of waits) await desk.waiting(row)
  const { local, stops } = house.gateway
  const target = { kind: 'principal' as const, issuer: local?.issuer ?? '', subject: 'stopped' }
  const from = Date.now()
  await stops.stop({ target, reason: 'left', by: 'test', source: 'cli' })
  for (const answer of await Promise.all(answers)) assert.match(answer, /stopped/)
  assert.ok(Date.now() - from < 1000)
  const entries = await house.entries()
  const revoked = entries.findLastIndex(({ type }) => type === 'principal.revoked')
  const later = entries.slice(revoked + 1).map(({ type }) => String(type))
  assert.ok(revoked > 0)
  for (const type of ['call.received', 'call.dispatched', 'ticket.approved', 'ticket.executed']) {
    assert.ok(!later.includes(type), `${type} after the stop`)
  }
  const ended = entries.filter(({ type }) => type === 'ticket.ended').slice(-5)
  for (const { details } of ended) assert.equal((details as { state: string }).state, 'revoked')
  assert.equal(
    waits.reduce((sum, row) => sum + ran(row), 0),
    0,
  )
})
test('an experimental task of 2025-11-25 is given where it is asked for, and blocks for its result', async () => {
  const row = fresh()
  const versions = { 'mcp-protocol-version': '2025-11-25' }
  const initialize = legacyCall(
    'initialize',
    '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}',
  )
  house.behind.script = (got, res) => {
    const agreed =
      '{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}'
    if (!got.body.includes('"initialize"')) return answerResult(got, res, written)
    res.setHeader('mcp-session-id', 'session-of-tasks')
    answerResult(got, res, agreed)
  }
  await send(initialize)
  const sid = { ...versions, 'mcp-session-id': 'session-of-tasks' }
  const begun = await send(add(row, '3', ',"task":{"ttl":60000}'), sid)
  const taskId = /"taskId":"([^"]+)"/.exec(begun)?.[1] ?? ''
  assert.match(begun, /"task":\{"taskId":"held-tk_/)
  const ask = (method: string): Promise<string> =>
    send(legacyCall(method, `{"taskId":"${taskId}"}`, '4'), sid)
  const result = ask('tasks/result')
  assert.match(await ask('tasks/get'), /"status":"working"/)
  await desk.settle(row, 'approve')
  assert.match(await result, /"related-task|io.modelcontextprotocol\/related-task.*written|written/)
  assert.match(await ask('tasks/get'), /"status":"completed"/)
  assert.match(await ask('tasks/cancel'), /"code":-32602/)
  assert.equal(ran(row), 1)
  const got = house.behind.got.find(({ body }) => body.includes(row))
  assert.equal(got?.headers['mcp-session-id'], 'session-of-tasks')
  assert.ok(!got?.body.includes('"task"'))
})

test('a server that dies in the middle leaves the ticket unknown, and it never runs again', async () => {
  const row = fresh()
  house.behind.script = (_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write('{"jsonrpc":"2.0",')
    setTimeout(() => res.destroy(), 20)
  }
  const answer = send(add(row))
  const id = await desk.settle(row, 'approve')
  assert.match(await answer, /may have run/)
  assert.equal(desk.stateOf(id), 'unknown')
  house.behind.script = (got, res) => answerResult(got, res, written)
  assert.equal(ran(row), 1)
})
test('answers by events after our own progress keep rising, and the stream ends with the result', async () => {
  const row = fresh()
  house.behind.script = (got, res) => {
    const event = (data: string): void => void res.write(`event: message\ndata: ${data}\n\n`)
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const progress of [0, 1]) {
      event(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":${progress}}}`,
      )
    }
    event(`{"jsonrpc":"2.0","id":1,"result":${written}}`)
    res.end()
    assert.ok(got.body.includes(row))
  }
  const answer = send(add(row, '1', ',"_meta":{"progressToken":"p"}'))
  await desk.waiting(row)
  await pause(100)
  await desk.settle(row, 'approve')
  const values = [...(await answer).matchAll(/"progress":(-?[\d.]+)/g)].map(([, value]) =>
    Number(value),
  )
  assert.ok(values.length >= 3)
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  )
  assert.match(await answer, /written/)
  house.behind.script = (got, res) => answerResult(got, res, written)
})
test('a server that refuses the connection ends the ticket as void: nothing was sent', async () => {
  const closed = createServer()
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done))
  const address = closed.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((done) => closed.close(done))
  const down = await openDesk({ upstream: `http://127.0.0.1:${port}/mcp` })
  try {
    const row = fresh()
    const answer = textOf(down.house.post(add(row)))
    const id = await down.settle(row, 'approve')
    assert.match(await answer, /Nothing was sent/)
    assert.equal(down.stateOf(id), 'void')
  } finally {
    await down.house.stop()
  }
})

test('of a decision and a client that leaves at once either runs it or leaves it approved', async () => {
  const found: Record<string, number> = {}
  for (let i = 0; i < 60; i++) {
    const row = fresh()
    const left = new AbortController()
    const headers = await as('sam', ['staff'])
    const modern = modernCall('add', argsOf(row))
    const isModern = i % 2 === 0
    const answer = fetch(house.mcp, {
      method: 'POST',
      signal: left.signal,
      body: isModern ? modern.body : add(row),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
        ...(isModern ? modern.headers : {}),
      },
    }).then(
      (response) => response.text().catch(() => 'cut'),
      () => 'cut',
    )
    const { id } = await desk.waiting(row)
    const decided = desk.decide(id, 'approve')
    await pause((i % 10) / 2)
    left.abort()
    await Promise.all([answer, decided])
    await until(() => desk.stateOf(id) !== 'executing')
    await pause(5)
    const state = desk.stateOf(id) ?? ''
    found[state] = (found[state] ?? 0) + 1
    const count = ran(row)
    assert.ok(count <= 1)
    if (state === 'approved') assert.equal(count, 0, 'nobody is there')
    else if (state === 'executed') assert.equal(count, 1)
    else if (state === 'void') assert.equal(count, 0, 'it was not sent, and is not')
    else assert.equal(state, 'unknown')
    const again = await send(add(row))
    if (state === 'approved' || (state === 'executed' && isModern)) assert.match(again, /written/)
    assert.ok(ran(row) <= 1)
    if (state !== 'approved') assert.equal(ran(row), count, 'it is not sent again')
    for (const one of house.gateway.tickets.list({ states: ['pending'] })) {
      await house.gateway.tickets.withdraw(one.id, one.owner)
    }
  }
  assert.ok(Object.keys(found).length > 0)
})
test('more who wait than may are told the number at once, and others are served', async () => {
  const row = fresh()
  const headers = await as('crowd', ['staff'])
  const from = Date.now()
  const times: number[] = []
  const all = Array.from({ length: 500 }, async () => {
    const answer = await send(add(row), headers)
    times.push(Date.now() - from)
    return answer
  })
  const { id } = await desk.waiting(row)
  assert.match(await send(legacyCall('tools/call', '{"name":"other"}')), /written/)
  for (const answer of await Promise.all(all)) assert.match(answer, new RegExp(id))
  assert.equal(house.gateway.tickets.list({ states: ['pending'] }).length, 1)
  await desk.decide(id, 'approve')
  assert.match(await send(add(row), headers), /written/)
  assert.equal(ran(row), 1)
})
test('a clock that jumps ahead ends the wait, and one that jumps back lets nothing run', async () => {
  const row = fresh()
  const answer = send(add(row))
  const { id } = await desk.waiting(row)
  clock.pass(6 * 60_000)
  assert.match(await answer, /Nobody approved|Ticket/)
  await until(() => desk.stateOf(id) === 'expired')
  await assert.rejects(desk.decide(id, 'approve'), { code: 'refused' })
  const other = fresh()
  const told = numberIn(await send(add(other)))
  await desk.decide(told, 'approve')
  clock.pass(-10 * 60_000)
  assert.doesNotMatch(await send(add(other)), /"text":"written"/)
  clock.pass(10 * 60_000)
  assert.equal(ran(row) + ran(other), 0)
})
