/** Sessions of the legacy era: whose they are, resumed streams, questions of the server, batches. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { pan } from '../cards.ts'
import { answerEmpty, legacyCall, openHouse } from './house.ts'
import type { House, Script } from './house.ts'

let house: House
let owner: string
let other: string
before(async () => {
  house = await openHouse({ extra: 'public_url: https://gateway.example' })
  owner = await house.token({ subject: 'owner', groups: ['staff'] })
  other = await house.token({ subject: 'other', groups: ['staff'] })
})
after(() => house.stop())

const versions = { 'mcp-protocol-version': '2025-11-25' }
const initialize = legacyCall(
  'initialize',
  '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}',
)
let sessions = 0

async function open(version = '2025-11-25'): Promise<string> {
  const sid = `server-session-${++sessions}`
  house.behind.script = (_, res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': sid })
    res.end(
      `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"${version}","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`,
    )
  }
  const answer = await house.post(initialize, { authorization: `Bearer ${owner}` })
  await answer.arrayBuffer()
  assert.equal(answer.headers.get('mcp-session-id'), sid)
  return sid
}

function send(token: string, sid: string, body: string): Promise<Response> {
  return house.post(body, { ...versions, authorization: `Bearer ${token}`, 'mcp-session-id': sid })
}

function get(token: string, sid: string, lastEventId?: string): Promise<Response> {
  const resume: Record<string, string> =
    lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const headers = {
    ...versions,
    ...resume,
    accept: 'text/event-stream',
    authorization: `Bearer ${token}`,
    'mcp-session-id': sid,
  }
  return fetch(house.mcp, { headers })
}

const streamHead = { 'content-type': 'text/event-stream' }
const event = (id: string, data: string): string => `event: message\nid: ${id}\ndata: ${data}\n\n`

test('a session works for its principal and is unknown to everybody else, on every verb', async () => {
  const sid = await open()
  house.behind.script = answerEmpty
  const before = house.behind.got.length
  const denied = [await send(other, sid, legacyCall('ping', '{}')), await get(other, sid)]
  denied.push(
    await fetch(house.mcp, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${other}`, 'mcp-session-id': sid },
    }),
  )
  for (const answer of denied) {
    assert.equal(answer.status, 404)
    await answer.arrayBuffer()
  }
  assert.equal(house.behind.got.length, before)
  const works = await send(owner, sid, legacyCall('ping', '{}'))
  assert.equal(works.status, 200)
  await works.arrayBuffer()
})

test('DELETE ends the session: it is unknown afterwards, and its duration is recorded', async () => {
  const sid = await open()
  house.behind.script = (_, res) => void res.writeHead(200).end()
  const ended = await fetch(house.mcp, {
    method: 'DELETE',
    headers: { ...versions, authorization: `Bearer ${owner}`, 'mcp-session-id': sid },
  })
  assert.equal(ended.status, 200)
  const after = await send(owner, sid, legacyCall('ping', '{}'))
  assert.equal(after.status, 404)
  await after.arrayBuffer()
  const closed = (await house.entries()).filter(({ type }) => type === 'session.closed').at(-1)
  assert.equal(closed?.['reason'], 'ended_by_client')
  assert.ok(Number(closed?.['durationUs']) > 0)
})

test('a stream is passed on event by event, each masked and recorded before it leaves', async () => {
  const sid = await open()
  const card = pan('4', 16)
  let res: ServerResponse | undefined
  house.behind.script = (_, response) => {
    res = response
    res.writeHead(200, streamHead)
    res.write(
      event(
        'e1',
        `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"card ${card}"}}`,
      ),
    )
  }
  const answer = await send(owner, sid, legacyCall('tools/call', '{"name":"t"}', '7'))
  const reader = answer.body?.getReader()
  assert.ok(reader)
  const first = Buffer.from((await reader.read()).value ?? new Uint8Array(0)).toString()
  assert.match(first, /^event: message\nid: e1\ndata: /)
  assert.equal(first.includes(card), false)
  assert.match(first, /\*{12}\d{4}/)
  res?.end(event('e2', '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'))
  const second = Buffer.from((await reader.read()).value ?? new Uint8Array(0)).toString()
  assert.equal(second, event('e2', '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'))
})

test('an answer that arrives on a resumed stream ends the exchange that asked for it', async () => {
  const sid = await open()
  house.behind.script = (_, res) => {
    res.writeHead(200, streamHead)
    res.end('id: p1\nretry: 10\ndata: \n\n')
  }
  const left = await (
    await send(owner, sid, legacyCall('tools/call', '{"name":"slow"}', '"x9"'))
  ).text()
  assert.equal(left, 'id: p1\nretry: 10\ndata: \n\n')
  const asked = (await house.entries()).filter(({ type }) => type === 'call.received').at(-1)?.[
    'exchange'
  ]
  const resume: Script = (got, res) => {
    assert.equal(got.headers['last-event-id'], 'p1')
    res.writeHead(200, streamHead)
    res.end(event('e9', '{"jsonrpc":"2.0","id":"x9","result":{"content":[]}}'))
  }
  house.behind.script = resume
  assert.match(await (await get(owner, sid, 'p1')).text(), /"id":"x9"/)
  const mine = (await house.entries()).filter(({ exchange }) => exchange === asked)
  assert.equal(
    mine.filter(({ type, outcome }) => type === 'call.finished' && outcome === 'ok').length,
    1,
  )
  house.behind.script = resume
  assert.match(await (await get(owner, sid, 'p1')).text(), /"id":"x9"/)
  const again = (await house.entries()).filter(({ type }) => type === 'response.event').at(-1)
  assert.equal(again?.['again'], true, 'what is delivered again is recorded as such')
})

test('a question of the server is passed on, its answer goes back once, and an unasked answer does not', async () => {
  const sid = await open()
  const card = pan('4', 16)
  let res: ServerResponse | undefined
  house.behind.script = (got, response) => {
    if (got.body.includes('"result"')) {
      response.writeHead(202).end()
      res?.end(event('q2', '{"jsonrpc":"2.0","id":3,"result":{"content":[]}}'))
      return
    }
    res = response
    res.writeHead(200, streamHead)
    res.write(
      event(
        'q1',
        '{"jsonrpc":"2.0","id":"ask-1","method":"elicitation/create","params":{"message":"sure?"}}',
      ),
    )
  }
  const answer = await send(owner, sid, legacyCall('tools/call', '{"name":"t"}', '3'))
  const reader = answer.body?.getReader()
  assert.match(Buffer.from((await reader?.read())?.value ?? new Uint8Array(0)).toString(), /ask-1/)
  const sent = house.behind.got.length
  const unasked = await send(owner, sid, '{"jsonrpc":"2.0","id":"ask-2","result":{}}')
  assert.equal(unasked.status, 400)
  await unasked.arrayBuffer()
  assert.equal(house.behind.got.length, sent)
  const told = await send(
    owner,
    sid,
    `{"jsonrpc":"2.0","id":"ask-1","result":{"action":"accept","content":{"c":"${card}"}}}`,
  )
  assert.equal(told.status, 202)
  assert.equal(await told.text(), '')
  assert.match(Buffer.from((await reader?.read())?.value ?? new Uint8Array(0)).toString(), /"id":3/)
  assert.equal(house.allBytes().includes(card), false)
  const twice = await send(owner, sid, '{"jsonrpc":"2.0","id":"ask-1","result":{}}')
  assert.equal(twice.status, 400)
  await twice.arrayBuffer()
})

test('a notification is answered with 202 and nothing else', async () => {
  const sid = await open()
  house.behind.script = (_, res) => void res.writeHead(202).end()
  const answer = await send(owner, sid, '{"jsonrpc":"2.0","method":"notifications/initialized"}')
  assert.equal(answer.status, 202)
  assert.equal(await answer.text(), '')
})

test('a batch of 2025-03-26 has an exchange for each element, and one refused element refuses all', async () => {
  const sid = await open('2025-03-26')
  house.behind.script = (got, res) => {
    assert.equal(got.body.startsWith('['), true)
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(
      '[{"jsonrpc":"2.0","id":2,"result":{}}, {"jsonrpc":"2.0","id":1,"result":{"content":[]}}]',
    )
  }
  const batch = `[${legacyCall('tools/call', '{"name":"a"}')},${legacyCall('ping', '{}', '2')}]`
  const headers = {
    authorization: `Bearer ${owner}`,
    'mcp-session-id': sid,
    'mcp-protocol-version': '2025-03-26',
  }
  const answer = await house.post(batch, headers)
  assert.equal(
    await answer.text(),
    '[{"jsonrpc":"2.0","id":2,"result":{}}, {"jsonrpc":"2.0","id":1,"result":{"content":[]}}]',
  )
  const received = (await house.entries()).filter(({ type }) => type === 'call.received').slice(-2)
  assert.equal(new Set(received.map(({ exchange }) => exchange)).size, 2)
  const sent = house.behind.got.length
  const refused = await house.post(
    `[${legacyCall('ping', '{}')},{"jsonrpc":"2.0","id":8,"result":{}}]`,
    headers,
  )
  assert.equal((await refused.text()).includes('"error"'), true)
  assert.equal(house.behind.got.length, sent)
})

test('a session goes on after a restart under the same id, for its principal only', async () => {
  const sid = await open()
  await house.gateway.stop('test')
  const again = await openHouse({
    dataDir: house.dataDir,
    extra: 'public_url: https://gateway.example',
  })
  const token = await again.token({ subject: 'owner', groups: ['staff'] })
  const stranger = await again.token({ subject: 'other', groups: ['staff'] })
  const call = (who: string): Promise<Response> =>
    again.post(legacyCall('ping', '{}'), {
      ...versions,
      authorization: `Bearer ${who}`,
      'mcp-session-id': sid,
    })
  const refused = await call(stranger)
  assert.equal(refused.status, 404)
  await refused.arrayBuffer()
  const works = await call(token)
  assert.equal(works.status, 200)
  await works.arrayBuffer()
  const opened = (await again.entries()).filter(({ type }) => type === 'session.opened').at(-1)
  assert.match(String(opened?.['continues']), /^se_/)
  await again.stop()
})
