/** The benchmark must see what makes its figures worthless: each of these answers voids a run. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { makeAnswers, sizes, toolName } from '../bench/answers.ts'
import { median, reaches } from '../bench/figure.ts'
import { runLoad } from '../bench/load.ts'
import type { Outcome } from '../bench/load.ts'
import { ratio } from '../bench/table.ts'
import type { Sample } from '../bench/rounds.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void
const answer = makeAnswers().get(toolName('64KB', 'card'))
assert.ok(answer !== undefined)
const [card = ''] = answer.cards
const clear = answer.body.toString()
const masked = clear.replaceAll(/\d{12}(?=\d{4}\b)/g, '************')

async function load(serve: Serve): Promise<Outcome> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => serve(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const job = { port: address.port, path: '/mcp', tool: answer?.tool ?? '', connections: 2 }
  const time = { warmMs: 0, measureMs: 1000, callsMax: 3, sampleEvery: 1, patienceMs: 0 }
  const expected = `************${card.slice(-4)}`
  try {
    return await runLoad({ ...job, ...time, forbidden: answer?.cards ?? [], expected })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const bad: readonly [what: string, serve: Serve, told: string][] = [
  ['a card number in clear', (_, r) => r.end(masked + card), 'a card number in clear'],
  ['a result whose numbers are gone', (_, r) => r.end('{"jsonrpc":"2.0"}'), 'without what must'],
  ['an error status', (_, r) => r.writeHead(503).end(masked), 'status 503'],
  ['a tool error', (_, r) => r.end(`${masked}"isError":true`), 'not the result'],
  ['a closed connection', (q) => q.socket.destroy(), 'closed'],
  ['silence', () => {}, 'never came'],
]
for (const [what, serve, told] of bad) {
  test(`the load tells of ${what}`, async () => {
    const { wrong } = await load(serve)
    assert.ok(
      Object.keys(wrong).some((one) => one.includes(told)),
      JSON.stringify(wrong),
    )
  })
}
test('the load has nothing to tell of masked answers, by length or in chunks', async () => {
  const inChunks: Serve = (_, response) => {
    for (let at = 0; at < masked.length; at += 7001) response.write(masked.slice(at, at + 7001))
    response.end()
  }
  for (const serve of [inChunks, ((_, response) => response.end(masked)) satisfies Serve]) {
    const { wrong, calls, sampled } = await load(serve)
    assert.deepEqual({ wrong, calls, sampled }, { wrong: {}, calls: 6, sampled: 6 })
  }
})

test('each result has its size to the byte, and its cards', () => {
  for (const [name, bytes] of Object.entries(sizes)) {
    for (const content of ['card', 'plain']) {
      const one = makeAnswers().get(`rows_${name}_${content}`)
      assert.equal(one?.body.length, bytes)
      assert.equal((one?.cards.length ?? 0) > 0, content === 'card')
      assert.equal(new Set(one?.cards).size, one?.cards.length)
    }
  }
})

test('a ratio is of the same round, and a figure that was not measured reaches nothing', () => {
  const sample = { size: '1KB', connections: 32, p50Ms: 1, p99Ms: 1, calls: 1, wrong: {} } as const
  const rates = [
    ['bare', 100, 0],
    ['gateway', 70, 0],
    ['bare', 10, 1],
    ['gateway', 7, 1],
    ['gateway', 900, 2],
  ] as const
  const samples: Sample[] = rates.map(([subject, rate, round]) => ({
    ...sample,
    subject,
    rate,
    round,
  }))
  const of = { subject: 'gateway', to: 'bare', size: '1KB', connections: 32 } as const
  assert.equal(ratio(samples, of), 0.7)
  assert.equal(median([3, 1, 2, 10]), 2.5)
  assert.equal(reaches({ name: 'x', value: NaN, unit: 'ms', atMost: 1 }), undefined)
  assert.equal(reaches({ name: 'x', value: 2, unit: 'ms', atMost: 1 }), false)
  assert.equal(reaches({ name: 'x', value: 2, unit: 'ratio', atLeast: 1 }), true)
})
