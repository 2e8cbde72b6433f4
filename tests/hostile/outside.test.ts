/** Where a server can put a card number outside of messages: headers, events, pages, half answers. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openHouse } from '../system/house.ts'
import type { House, Script } from '../system/house.ts'
import { ask } from './asks.ts'
import { openClient } from './client.ts'
import type { Client, Heard } from './client.ts'
import { tells, tellsSomewhere } from './judge.ts'
import { card } from './places.ts'
import { sendCut } from './server.ts'

const modern = { name: '2026-07-28', era: 'modern' } as const
const legacy = { name: '2025-11-25', era: 'legacy' } as const
const answer = '{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}'
const json = { 'content-type': 'application/json' }
const stream = { 'content-type': 'text/event-stream' }

let house: House
let client: Client
before(async () => {
  house = await openHouse()
  client = openClient(house.mcp, await house.token({ subject: 'ada', groups: ['staff'] }))
})
after(async () => {
  client.close()
  await house.stop()
})

async function call(script: Script, era: typeof modern | typeof legacy = legacy): Promise<Heard> {
  house.behind.script = script
  const { headers, body } = ask(era, 'tools/call', 1)
  const heard = await client.send('POST', headers, body)
  assert.equal(tells(JSON.stringify([heard.headers, heard.body])), false)
  return heard
}

const heads: readonly (readonly [string, Record<string, string | string[]>])[] = [
  ['a parameter of the type', { 'content-type': `application/json; charset=utf-8; x=${card}` }],
  ['cache rules', { 'cache-control': `max-age=${card}, x="${card}"` }],
  ['buffering', { 'x-accel-buffering': card }],
  ['verbs', { allow: `POST, ${card}` }],
  ['a time to wait', { 'retry-after': card }],
  ['a session nobody opened', { 'mcp-session-id': `s-${card}` }],
  ['a cookie', { 'set-cookie': [`a=${card}`, `b=${card}`] }],
  ['a challenge', { 'www-authenticate': `Bearer realm="${card}"` }],
  ['a link and a place', { link: `<https://x/${card}>`, location: `https://x/${card}` }],
  ['a name of its own', { [`x-${card}`]: card, server: card, etag: `"${card}"`, date: card }],
  [
    'names of the protocol',
    { 'mcp-name': card, 'mcp-param-pan': card, 'mcp-protocol-version': card },
  ],
]
for (const [what, headers] of heads) {
  test(`a header with ${what} leaves without it, and the answer is there`, async () => {
    const script: Script = (_, res) => {
      res.writeHead(200, `OK ${card}`, { ...json, ...headers })
      res.end(answer)
    }
    for (const era of [modern, legacy]) {
      const heard = await call(script, era)
      assert.deepEqual([heard.status, heard.body], [200, answer])
      const sealed = Object.keys(heard.headers).filter((name) =>
        heard.headers[name]?.includes('sp1.'),
      )
      assert.deepEqual(sealed, 'mcp-session-id' in headers ? ['mcp-session-id'] : [])
    }
  })
}

test('interim answers and trailers stay behind', async () => {
  const heard = await call((_, res) => {
    res.writeEarlyHints({ link: `<https://x/${card}>; rel=preload` })
    res.writeHead(200, { ...json, trailer: 'x-card' })
    res.write(answer)
    res.addTrailers({ 'x-card': card })
    res.end()
  })
  assert.equal(heard.body, answer)
})

const event = `event: message\ndata: ${answer}\n\n`
const events: readonly (readonly [string, string])[] = [
  ['a comment of its own', `: ${card}\n\n${event}`],
  ['a comment within an event', `: ${card}\n${event}`],
  ['a field of its own', `pan: ${card}\n${event}`],
  ['a field without a colon', `${card}\n${event}`],
  ['an id', `id: e-${card}\n${event}`],
  ['an id that a later one replaces', `id: ${card}\nid: 7\n${event}`],
  ['the same, behind a comment', `: x\nid: ${card}\nid: 7\n${event}`],
  ['an id with a NUL', `id: ${card}\0\n${event}`],
  ['a name', `data: ${answer}\nevent: ${card}\n\n`],
  ['a name that a later one replaces', `event: ${card}\n${event}`],
  ['a name with a NUL', `data: ${answer}\nevent: ${card}\0\n\n`],
  ['a time', `retry: ${card}\n${event}`],
  ['a time that is none', `retry: ${card}x\n${event}`],
  ['a time that a later one replaces', `retry: ${card}\nretry: 5\n${event}`],
  ['an event without data', `id: ${card}\nevent: ${card}\nretry: ${card}\n\n${event}`],
  ['an event with empty data', `id: ${card}\nretry: 5\ndata:\n\n${event}`],
  ['ends of lines of another kind', `id: ${card}\r\nid: 7\r\ndata: ${answer}\r\n\r\n`],
  [
    'data in lines',
    `id: 1\ndata: {"jsonrpc":"2.0","id":1,\ndata: "result":{"content":[]},"x":"${card}"}\n\n`,
  ],
  ['a byte order mark ahead', `\ufeffid: ${card}\n${event}`],
  ['an event that never ends', `${event}data: ${card}`],
]
for (const [what, text] of events) {
  test(`a stream with a card in ${what} brings the answer without it`, async () => {
    for (const era of [modern, legacy]) {
      const heard = await call((_, res) => {
        res.writeHead(200, stream)
        sendCut(res, text)
      }, era)
      const last = heard.messages.at(-1)
      assert.deepEqual(
        Object.keys(Object(last)).slice(0, 3),
        ['jsonrpc', 'id', 'result'],
        heard.body,
      )
    }
  })
}

test('fields that hold no number leave as they came', async () => {
  const text = `: \nid: 7\nretry: 1500\nevent: message\ndata: ${answer}\n\n`
  for (const came of [text.slice(3), text.slice(3).replaceAll('\n', '\r\n')]) {
    const heard = await call((_, res) => {
      res.writeHead(200, stream)
      res.end(came)
    })
    assert.equal(heard.body, came)
  }
})

const broken: readonly (readonly [string, number, Record<string, string>, string | Buffer])[] = [
  ['a page', 500, { 'content-type': 'text/html' }, `<h1>no card ${card}</h1>`],
  ['a page that says it is fine', 200, { 'content-type': 'text/html' }, `<h1>${card}</h1>`],
  ['plain text', 404, { 'content-type': 'text/plain' }, `no card ${card}`],
  ['no type', 200, {}, card],
  ['text that begins like JSON', 200, json, `{"pan":"${card}"`],
  ['JSON that is no message', 200, json, `{"pan":"${card}"}`],
  ['a key twice', 200, json, `{"jsonrpc":"2.0","id":1,"result":{"a":"${card}","a":1}}`],
  ['the answer of another request', 200, json, `{"jsonrpc":"2.0","id":${card},"result":{}}`],
  ['a bad credential', 401, { ...json, 'www-authenticate': card }, `{"error":"${card}"}`],
  ['another place', 302, { location: `http://127.0.0.1:1/${card}` }, card],
  ['a batch nobody asked for', 200, json, `[{"jsonrpc":"2.0","id":1,"result":"${card}"}]`],
  ['too much', 413, json, `{"jsonrpc":"2.0","error":{"code":1,"message":"${card}"}}`],
  ['a compressed page', 200, { ...json, 'content-encoding': 'gzip' }, gzipSync(card)],
  ['rubbish that says it is compressed', 200, { ...json, 'content-encoding': 'gzip' }, card],
  ['a stream of something else', 200, stream, `data: card ${card}\n\n`],
  ['a stream that is no stream', 200, stream, `{"pan":"${card}"}`],
]
for (const [what, status, headers, body] of broken) {
  test(`${what} with a card in it is not repeated`, async () => {
    for (const era of [modern, legacy]) {
      await call((_, res) => {
        res.writeHead(status, headers)
        res.end(body)
      }, era)
    }
  })
}

test('a session whose id holds a card works by an alias, on every verb, for its principal', async () => {
  const sid = `session-${card}`
  const start = ask(legacy, 'initialize', 1)
  house.behind.script = (_, res) => {
    res.writeHead(200, { ...json, 'mcp-session-id': sid })
    res.end(
      '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}',
    )
  }
  const opened = await client.send('POST', start.headers, start.body)
  const alias = String(opened.headers['mcp-session-id'])
  assert.match(alias, /^sp1\.[\w-]+$/)
  const headers = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': alias }
  house.behind.script = (got, res) => {
    if (got.method === 'DELETE') res.writeHead(200, { 'mcp-session-id': sid }).end()
    else {
      res.writeHead(200, { ...stream, 'mcp-session-id': sid })
      res.end(`id: ${card}-1\ndata: ${got.method === 'GET' ? '' : answer}\n\n`)
    }
  }
  const seen = (): unknown => house.behind.got.at(-1)?.headers['mcp-session-id']
  const called = await client.send('POST', headers, ask(legacy, 'tools/call', 1).body)
  assert.deepEqual([seen(), called.headers['mcp-session-id']], [sid, alias])
  const id = /^id: (sp1\.\S+)$/m.exec(called.body)?.[1] ?? ''
  const resumed = await client.send('GET', { ...headers, 'last-event-id': id })
  assert.deepEqual([seen(), resumed.status], [sid, 200])
  assert.equal(house.behind.got.at(-1)?.headers['last-event-id'], `${card}-1`)

  const eve = openClient(house.mcp, await house.token({ subject: 'eve', groups: ['staff'] }))
  const sent = house.behind.got.length
  for (const method of ['POST', 'GET', 'DELETE'] as const) {
    const body = method === 'POST' ? ask(legacy, 'tools/call', 1).body : undefined
    assert.equal((await eve.send(method, headers, body)).status, 404, method)
  }
  eve.close()
  assert.equal(house.behind.got.length, sent)

  assert.equal((await client.send('DELETE', headers)).status, 200)
  assert.equal(seen(), sid)
  assert.equal((await client.send('POST', headers, ask(legacy, 'ping', 1).body)).status, 404)
})

test('in all of this no byte on a socket, in the data folder or the log tells the number', () => {
  for (const text of client.raw()) assert.equal(tellsSomewhere(text), false)
  assert.equal(tellsSomewhere(house.allBytes() + house.log()), false)
})
