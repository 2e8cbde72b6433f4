/** A server that puts a card number wherever it can, behind a whole gateway. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openHouse } from '../system/house.ts'
import type { House, Script } from '../system/house.ts'
import { ask, methodOf } from './asks.ts'
import { openClient } from './client.ts'
import type { Client } from './client.ts'
import { last4, tells, tellsSomewhere } from './judge.ts'
import { placesIn } from './places.ts'
import type { Place } from './places.ts'
import { readRevisions } from './schemas.ts'
import type { Revision } from './schemas.ts'
import { sendEvents, sendJson } from './server.ts'

/** What the server does with the request of an id. */
const scripts = new Map<string, Script>()
let house: House
let client: Client

before(async () => {
  house = await openHouse()
  client = openClient(house.mcp, await house.token({ subject: 'ada', groups: ['staff'] }))
  house.behind.script = (got, res, req) => {
    const id = /"id":"([^"]*)"/.exec(got.body)?.[1] ?? ''
    const script = scripts.get(id)
    scripts.delete(id)
    assert.ok(script, 'a request nobody asked for')
    return script(got, res, req)
  }
})
after(async () => {
  client.close()
  await house.stop()
})

const told = ({ message, pointer, form }: Place): string => `${message} ${pointer} as ${form}`
const eventsOfStream = 50

for (const revision of readRevisions()) {
  const { name } = revision
  test(`${name}: no message of the server brings a card number to the client`, async (t) => {
    // The id of an answer is what its request said, or it is not passed on.
    const places = [...placesIn(revision)].filter(
      ({ owner }) => !/^(result|error)\.id$/.test(owner),
    )
    const answers = places.filter(({ sort }) => sort === 'result' || sort === 'error')
    const others = places.filter(({ sort }) => sort === 'request' || sort === 'notification')
    const work = answers.map((place, i) => () => answered(revision, place, i))
    for (let i = 0; i < others.length; i += eventsOfStream) {
      work.push(() => streamed(revision, others.slice(i, i + eventsOfStream), i))
    }
    await inParallel(work, 64)
    t.diagnostic(`${name}: ${answers.length} answers and ${others.length} other messages`)
  })
}

/** One answer, whole or as a stream. */
async function answered(revision: Revision, place: Place, i: number): Promise<void> {
  const id = `${revision.name} ${i}`
  const message = { ...place.make(), id }
  scripts.set(id, (_, res) => {
    if (i % 2 === 0) sendEvents(res, [message])
    else sendJson(res, message, place.sort === 'error' ? 400 : 200)
  })
  const { headers, body } = ask(revision, methodOf(place.message, revision), id)
  const heard = await client.send('POST', headers, body)
  const [shown] = heard.messages
  assert.equal(Reflect.get(Object(shown), 'id'), id, `${told(place)}: ${heard.body}`)
  const isSame = Object.keys(Object(shown)).length === Object.keys(message).length
  assert.ok(isSame && !tells(heard.body), `${told(place)}: ${heard.body}`)
}

/** Messages that come ahead of an answer, on its stream. */
async function streamed(revision: Revision, places: readonly Place[], i: number): Promise<void> {
  const id = `${revision.name} stream ${i}`
  const end = { jsonrpc: '2.0', id, result: { content: [], resultType: 'complete' } }
  scripts.set(id, (_, res) => sendEvents(res, [...places.map(({ make }) => make()), end]))
  const { headers, body } = ask(revision, 'tools/call', id)
  const heard = await client.send('POST', headers, body)
  for (const [at, place] of places.entries()) {
    const shown = JSON.stringify(heard.messages[at])
    assert.ok(shown !== undefined && !tells(shown), `${told(place)}: ${shown}`)
  }
  assert.deepEqual(heard.messages.at(-1), end)
  assert.equal(heard.messages.length, places.length + 1)
}

async function inParallel(work: readonly (() => Promise<void>)[], width: number): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    for (let one = work[next++]; one !== undefined; one = work[next++]) await one()
  }
  await Promise.all(Array.from({ length: width }, run))
}

test('in all of this no byte on a socket, in the data folder or the log tells the number', () => {
  const heard = client.raw()
  assert.ok(heard.length > 1 && heard.some((text) => text.includes(last4)), 'nothing was heard')
  for (const text of heard) assert.equal(tellsSomewhere(text), false)
  const kept = house.allBytes()
  assert.ok(kept.includes(`*${last4}`), 'nothing was recorded')
  assert.equal(tellsSomewhere(kept + house.log()), false)
})
