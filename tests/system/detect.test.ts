/**
 * The detection corpus through a running gateway: each message as the text of a tool result, as JSON
 * and as an event stream, cut at awkward places. No secret survives, and nothing else is lost.
 */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { makeCorpus } from '../../bench/detect/corpus.ts'
import type { Case } from '../../bench/detect/corpus.ts'
import { families } from '../../bench/detect/families/all.ts'
import { judge } from '../../bench/detect/judge.ts'
import { modernCall, openHouse } from './house.ts'
import type { House } from './house.ts'

const seed = 31
const cases = makeCorpus(families, seed, families.length)
let house: House
let authorization = ''

before(async () => {
  house = await openHouse()
  authorization = `Bearer ${await house.token({ subject: 'erin', groups: ['staff'] })}`
})
after(() => house.stop())

/** Writes in pieces of a few bytes, which end inside escapes, numbers and characters. */
async function writeCut(res: ServerResponse, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    if (!res.write(bytes.subarray(at, at + size))) await new Promise((go) => res.once('drain', go))
    if (at % (size * 16) === 0) await new Promise((go) => setImmediate(go))
  }
  res.end()
}

/** What the client gets of one case. */
async function through(one: Case, as: 'json' | 'sse', size: number): Promise<string> {
  house.behind.script = async (got, res) => {
    const result = { content: [{ type: 'text', text: one.message }] }
    const id = /"id":\s*(\d+)/.exec(got.body)?.[1] ?? '1'
    const message = JSON.stringify({ jsonrpc: '2.0', id: Number(id), result })
    const type = as === 'json' ? 'application/json' : 'text/event-stream'
    res.writeHead(200, { 'content-type': type })
    const body = as === 'json' ? message : `event: message\r\ndata: ${message}\r\n\r\n`
    await writeCut(res, Buffer.from(body), size)
  }
  const { body, headers } = modernCall('read', '{}')
  const response = await house.post(body, { ...headers, authorization })
  const text = await response.text()
  assert.equal(response.status, 200, text.slice(0, 200))
  const data = /^data: ?(.*)$/m.exec(text)?.[1] ?? text
  const answer: { result?: { isError?: boolean; content: { text: string }[] } } = JSON.parse(data)
  assert.notEqual(answer.result?.isError, true, one.id)
  return answer.result?.content[0]?.text ?? ''
}

for (const as of ['json', 'sse'] as const) {
  test(`${cases.length} messages come through as ${as} without a secret`, async () => {
    const missed = new Map<string, number>()
    for (const [i, one] of cases.entries()) {
      if (one.group === 'negative') continue
      const verdict = judge(one, await through(one, as, 1 + (i % 37)))
      const left = verdict.found.filter((found) => !found).length
      if (left > 0) missed.set(one.family, left)
    }
    const share = missed.size / families.length
    // A family has one case here; the corpus as a whole may miss three in a hundred.
    assert.ok(share <= 0.01, `left in ${[...missed.keys()].join(', ')}`)
  })
}

test('what is innocent comes through as it is', async () => {
  let touched = 0
  const innocent = cases.filter(({ group }) => group === 'negative')
  for (const one of innocent) if ((await through(one, 'json', 11)) !== one.message) touched++
  assert.ok(touched / innocent.length <= 0.02, `${touched} of ${innocent.length} were touched`)
})
