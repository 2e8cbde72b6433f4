/** What ends by itself in the middle of a stream: a grant, and somebody's access. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { MovedClock, legacyCall, openHouse } from './house.ts'
import type { House, HouseOptions } from './house.ts'
import { run } from './program.ts'

async function open(t: TestContext, options: HouseOptions): Promise<House> {
  const house = await openHouse(options)
  t.after(() => house.stop())
  return house
}

const read = legacyCall('tools/call', '{"name":"read","arguments":{}}')

async function told(house: House, type: string): Promise<Record<string, unknown>[]> {
  return (await house.entries()).filter((entry) => entry['type'] === type)
}

function detailsOf(entry: Record<string, unknown> | undefined): Record<string, unknown> {
  return (entry?.['details'] ?? {}) as Record<string, unknown>
}

async function restOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<string> {
  let text = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) return text
    text += Buffer.from(value ?? []).toString()
  }
}

const sse = { 'content-type': 'text/event-stream' }
const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n'

const endings: readonly [what: string, grant: string, startMs: number][] = [
  ['its window closes', 'windows: [{ hours: "08:00-18:00" }]', Date.UTC(2026, 10, 23, 17, 59, 50)],
  ['it expires', 'expires: 2026-11-29', Date.UTC(2026, 10, 29, 23, 59, 50)],
]
for (const [what, grant, startMs] of endings) {
  test(`a stream by a grant ends within a second when ${what}`, { timeout: 15_000 }, async (t) => {
    const clock = new MovedClock(startMs)
    const house = await open(t, {
      clock,
      access: `  - { name: short, who: { group: guests }, may: { connection: shop }, ${grant} }`,
    })
    house.behind.script = (_got, res) => {
      res.writeHead(200, sse)
      const ticking = setInterval(() => res.write(progress), 20)
      res.once('close', () => clearInterval(ticking))
    }
    const token = await house.token({ subject: 'guest', groups: ['guests'] })
    const streams = [{ authorization: `Bearer ${token}` }, {}].map((headers) =>
      house.post(read, headers),
    )
    const [guest, staff] = await Promise.all(streams)
    const reader = guest?.body?.getReader()
    await reader?.read()
    clock.pass(11_000)
    const began = performance.now()
    const text = await restOf(reader)
    assert.ok(performance.now() - began < 1500, 'it ended too late') // Looked at once a second.
    assert.match(text, /The grant of this connection has ended/)
    const ends = await told(house, 'call.finished')
    assert.deepEqual(
      ends.map(({ outcome, reason }) => [outcome, reason]),
      [['unknown', 'grant_ended']],
    )
    const other = staff?.body?.getReader()
    assert.equal((await other?.read())?.done, false, 'who has another grant goes on')
    await other?.cancel()
    const again = await house.post(read, { authorization: `Bearer ${token}` })
    assert.equal(again.status, 403)
  })
}

test('whose access ends during a stream is cut, and stays out', { timeout: 30_000 }, async (t) => {
  const clock = new MovedClock(Date.now())
  const house = await open(t, { clock })
  house.behind.script = (_got, res) => {
    res.writeHead(200, sse)
    res.write(progress)
  }
  const answer = await house.post(read)
  const reader = answer.body?.getReader()
  await reader?.read()
  const issuer = house.gateway.local?.issuer ?? ''
  const at = ['-c', join(house.dataDir, 'sallyport.yaml')]
  const until = new Date(Date.now() + 60_000).toISOString()
  const { code, stderr } = await run(['people', 'end', `local/sam`, until, ...at])
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(house.gateway.directory.find(issuer, 'sam')?.endsMs, Date.parse(until))
  clock.pass(61_000)
  const text = await restOf(reader)
  assert.match(text, /Access was stopped/)
  const [end] = await told(house, 'call.finished')
  assert.deepEqual([end?.['outcome'], end?.['reason']], ['unknown', 'access_ended'])
  const [change] = (await told(house, 'access.changed')).filter(
    (entry) => detailsOf(entry)['what'] === 'end of access',
  )
  assert.equal(detailsOf(change)['before'], 'none')
  assert.equal((await house.post(read)).status, 401)
  const [refused] = await told(house, 'auth.refused')
  assert.equal(refused?.['reason'], 'ended')
})
