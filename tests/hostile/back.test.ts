/** What a server wants back comes back byte for byte, with a card number inside, through a gateway. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pan } from '../cards.ts'
import { openHouse } from '../system/house.ts'
import type { Got, House } from '../system/house.ts'
import { ask } from './asks.ts'
import { openClient } from './client.ts'
import type { Client, Heard } from './client.ts'
import { tellsSomewhere } from './judge.ts'
import { card } from './places.ts'
import { sendEvents, sendJson } from './server.ts'

const modern = { name: '2026-07-28', era: 'modern' } as const
const legacy = { name: '2025-11-25', era: 'legacy' } as const
let house: House
let client: Client
let other: Client
before(async () => {
  house = await openHouse()
  client = openClient(house.mcp, await house.token({ subject: 'ada', groups: ['staff'] }))
  other = openClient(house.mcp, await house.token({ subject: 'eve', groups: ['staff'] }))
})
after(async () => {
  client.close()
  other.close()
  await house.stop()
})

type Params = Record<string, unknown>
/** Sends a request which the server answers with a result; what the server got is the last of `got`. */
async function call(
  era: typeof modern | typeof legacy,
  method: string,
  params: Params,
  result: object,
  by: Client = client,
): Promise<Heard> {
  house.behind.script = (_, res) =>
    sendJson(res, { jsonrpc: '2.0', id: 1, result: { ...result, resultType: 'complete' } })
  const { headers, body } = ask(era, method, 1, params)
  return await by.send('POST', headers, body)
}
const got = (): Got => house.behind.got.at(-1) as Got
const gotParams = (): Params => JSON.parse(got().body).params as Params
const resultOf = ({ messages: [message] }: Heard): Params =>
  Reflect.get(Object(message), 'result') as Params
const itemOf = (heard: Heard, list: string): Params => (resultOf(heard)[list] as Params[])[0] ?? {}

for (const era of [modern, legacy]) {
  test(`${era.name}: a cursor goes back as it was, for its own principal only`, async () => {
    const cursor = `after "${card}" \\u00fc`
    const page = await call(era, 'tools/list', {}, { tools: [], nextCursor: cursor })
    const alias = resultOf(page)['nextCursor']
    assert.match(String(alias), /^sp1\./)
    await call(era, 'tools/list', { cursor: alias }, { tools: [] })
    assert.equal(gotParams()['cursor'], cursor)
    const sent = house.behind.got.length
    const refused = await call(era, 'tools/list', { cursor: alias }, { tools: [] }, other)
    assert.equal(Reflect.get(Object(refused.messages[0]), 'result'), undefined)
    assert.equal(house.behind.got.length, sent)
  })

  test(`${era.name}: a resource is read by the alias of its URI`, async () => {
    const uri = `cards://all/${card}?x=%20`
    const list = await call(era, 'resources/list', {}, { resources: [{ name: 'r', uri }] })
    const alias = String(itemOf(list, 'resources')['uri'])
    assert.ok(alias.startsWith('sallyport:sp1.') && URL.canParse(alias))
    const contents = [{ uri, text: `the card ${card}` }]
    const heard = await call(era, 'resources/read', { uri: alias }, { contents })
    assert.equal(gotParams()['uri'], uri)
    assert.equal(got().headers['mcp-name'], era === modern ? uri : undefined)
    assert.equal(itemOf(heard, 'contents')['uri'], alias)
  })

  test(`${era.name}: a task is asked for by the alias of its id`, async () => {
    const taskId = `task ü ${card}`
    const task = { taskId, status: 'working' }
    const made = await call(era, 'tools/call', {}, era === modern ? task : { task })
    const result = resultOf(made)
    const alias = era === modern ? result['taskId'] : Reflect.get(Object(result['task']), 'taskId')
    const heard = await call(era, 'tasks/get', { taskId: alias }, task)
    assert.equal(gotParams()['taskId'], taskId)
    const mirror = `=?base64?${Buffer.from(taskId).toString('base64')}?=`
    assert.equal(got().headers['mcp-name'], era === modern ? mirror : undefined)
    assert.equal(resultOf(heard)['taskId'], alias)
    const sent = house.behind.got.length
    await call(era, 'tasks/get', { taskId: alias }, task, other)
    assert.equal(house.behind.got.length, sent)
  })
}

test('a round of questions: the state and the names come back as they were', async () => {
  // Spelt so that whoever reads and writes it again makes other bytes of it.
  const state = `"\\u0063ard=${card}\\/\\u00e9"`
  house.behind.script = ({ body }, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    const isFirst = !body.includes('inputResponses')
    const rounds = `"resultType":"input_required","requestState":${state},"inputRequests":{"ask ${card}":{"method":"elicitation/create","params":{"mode":"form","message":"for ${card}?","requestedSchema":{"type":"object","properties":{}}}}}`
    const done = '"resultType":"complete","content":[]'
    res.end(`{"jsonrpc":"2.0","id":1,"result":{${isFirst ? rounds : done}}}`)
  }
  const first = ask(modern, 'tools/call', 1)
  const result = resultOf(await client.send('POST', first.headers, first.body))
  const [name = ''] = Object.keys(Object(result['inputRequests']))
  const inputResponses = { [name]: { action: 'accept', content: {} } }
  const again = ask(modern, 'tools/call', 1, {
    inputResponses,
    requestState: result['requestState'],
  })
  const heard = await client.send('POST', again.headers, again.body)
  assert.deepEqual(resultOf(heard)['content'], [])
  assert.ok(got().body.includes(`"requestState":${state}`))
  assert.ok(got().body.includes(`"inputResponses":{"ask ${card}":{"action":`))
})

test("the server's question is answered under its own id, and told of by its own token", async () => {
  const question = {
    jsonrpc: '2.0',
    id: Number(card),
    method: 'elicitation/create',
    params: { message: '?', _meta: { progressToken: card } },
  }
  house.behind.script = (_, res) =>
    sendEvents(res, [question, { jsonrpc: '2.0', id: 1, result: {} }])
  const first = ask(legacy, 'tools/call', 1)
  const [asked] = (await client.send('POST', first.headers, first.body)).messages as Params[]
  house.behind.script = (_, res) => void res.writeHead(202).end()
  const { headers } = first
  const progressToken = Reflect.get(Object(asked?.['params']), '_meta') as Params
  const told = { jsonrpc: '2.0', method: 'notifications/progress' }
  const params = { ...progressToken, progress: 1 }
  await client.send('POST', headers, JSON.stringify({ ...told, params }))
  assert.equal(gotParams()['progressToken'], card)
  const answer = { jsonrpc: '2.0', id: asked?.['id'], result: { action: 'accept' } }
  const heard = await client.send('POST', headers, JSON.stringify(answer))
  assert.equal(heard.status, 202)
  assert.ok(got().body.includes(`"id":${card},`))
})

test("the client's own words come back to it, and to nobody else", async () => {
  const word = pan(51, 16, '9136570248') // The client says it, so it may be on its sockets.
  const notes = (token: string): object[] => [
    {
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: token, progress: 1 },
    },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: token } },
  ]
  house.behind.script = ({ body }, res) => {
    const id: unknown = JSON.parse(body).id
    sendEvents(res, [...notes(word), { jsonrpc: '2.0', id, result: { content: [] } }])
  }
  const mine = ask(legacy, 'tools/call', word, { _meta: { progressToken: word } })
  const heard = await client.send('POST', mine.headers, mine.body)
  assert.deepEqual(heard.messages.slice(0, 2), notes(word))
  assert.equal(Reflect.get(Object(heard.messages[2]), 'id'), word)
  const theirs = ask(legacy, 'tools/call', 1)
  const toOther = await other.send('POST', theirs.headers, theirs.body)
  assert.equal(toOther.body.includes(word), false)
})

test('an alias is not opened by saying it as an id or a token', async () => {
  const page = await call(legacy, 'tools/list', {}, { tools: [], nextCursor: card })
  const alias = String(resultOf(page)['nextCursor'])
  house.behind.script = ({ body }, res) => {
    const { id, params } = JSON.parse(body) as { id: unknown; params: { _meta: Params } }
    const told = { ...params._meta, progress: 1 }
    sendEvents(res, [
      { jsonrpc: '2.0', method: 'notifications/progress', params: told },
      { jsonrpc: '2.0', id, result: {} },
    ])
  }
  const said = ask(legacy, 'tools/call', alias, { _meta: { progressToken: alias } })
  const heard = await client.send('POST', said.headers, said.body)
  assert.equal(heard.messages.length, 2)
  assert.equal(got().body.includes(card), false)
})

test('in all of this no byte on a socket, in the data folder or the log tells the number', () => {
  for (const text of [...client.raw(), ...other.raw()]) assert.equal(tellsSomewhere(text), false)
  assert.equal(tellsSomewhere(house.allBytes() + house.log()), false)
})
