/** Who was shown how many card numbers: counted at release, kept over restarts, printed by the CLI. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pan } from '../cards.ts'
import { answerResult, legacyCall, modernCall, openHouse } from './house.ts'
import type { House } from './house.ts'
import { run, until } from './program.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-exposure-'))
const access = '  - { who: { role: analyst }, may: { connection: shop }, reveal: pan }'
const cards = ['1903', '7260', '5548'].map((fill) => pan('4', 16, fill))
let house: House

// A fixed address: the issuer is named by it, and a principal by its issuer.
const extra = 'public_url: http://127.0.0.1:4100'
const open = (): Promise<House> => openHouse({ dataDir, access, extra })
before(async () => {
  house = await open()
})
after(async () => {
  await house.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const engineer = { subject: 'erin', groups: ['staff'] }
const analyst = { subject: 'anna', roles: ['analyst'] }

/** Calls a tool that answers with these numbers; gives the text that comes back. */
async function see(who: typeof engineer | typeof analyst, numbers: string[]): Promise<string> {
  const rows = JSON.stringify(JSON.stringify(numbers.map((card_number) => ({ card_number }))))
  house.behind.script = (got, res) =>
    answerResult(got, res, `{"content":[{"type":"text","text":${rows}}]}`)
  const { body, headers } = modernCall('read', '{}')
  const authorization = `Bearer ${await house.token(who)}`
  const response = await house.post(body, { ...headers, authorization })
  assert.equal(response.status, 200)
  return await response.text()
}

interface Line {
  readonly subject: string
  readonly clear: number
  readonly masked: number
}
async function exposure(...args: string[]): Promise<[string, number, number][]> {
  const { code, stdout, stderr } = await run(['exposure', '--data', dataDir, '--json', ...args])
  assert.deepEqual([code, stderr], [0, ''])
  const lines = stdout.split('\n').filter(Boolean)
  return lines
    .map((line) => JSON.parse(line) as Line)
    .map(({ subject, clear, masked }) => [subject, clear, masked])
}

test('before anybody was shown a number, nobody is listed', async () => {
  const { code, stdout } = await run(['exposure', '--data', dataDir])
  assert.equal(code, 0)
  assert.match(stdout, /^No card number was shown to anybody in the last 30 days/)
})

test('a window that is none is wrong usage', async () => {
  const asked = ['0', '91'].map((days) => run(['exposure', '--data', dataDir, '--days', days]))
  for (const { code, stderr, stdout } of await Promise.all(asked)) {
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /1 to 90/)
  }
})

test('three numbers seen twice masked are three, and in clear three for who may see them', async () => {
  for (let n = 0; n < 2; n++) {
    const masked = await see(engineer, cards)
    for (const card of cards) assert.equal(masked.includes(card), false)
  }
  const clear = await see(analyst, cards)
  for (const card of cards) assert.ok(clear.includes(card))
  assert.deepEqual(await exposure(), [
    ['anna', 3, 0],
    ['erin', 0, 3],
  ])
})

test('an answer that goes out as a stream counts as well', async () => {
  house.behind.script = (got, res) => {
    const text = JSON.stringify(`card ${pan('4', 16, '8136')}`)
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(
      `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${text}}}\n\n`,
    )
    res.end(
      `data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":${text}}]}}\n\n`,
    )
  }
  const { body, headers } = modernCall('read', '{}')
  const authorization = `Bearer ${await house.token({ subject: 'sten', groups: ['staff'] })}`
  await (await house.post(body, { ...headers, authorization })).text()
  assert.deepEqual(await exposure('sten'), [['sten', 0, 1]])
})

test('the answer to a batch counts, and one nobody is there to get does not', async () => {
  const text = JSON.stringify(`card ${pan('4', 16, '2975')}`)
  const result = `{"content":[{"type":"text","text":${text}}]}`
  const token = await house.token({ subject: 'bea', groups: ['staff'] })
  const head = { authorization: `Bearer ${token}`, 'mcp-protocol-version': '2025-03-26' }
  house.behind.script = (_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(`[{"jsonrpc":"2.0","id":2,"result":${result}},{"jsonrpc":"2.0","id":1,"result":{}}]`)
  }
  const calls = `${legacyCall('ping', '{}')},${legacyCall('tools/call', '{"name":"a"}', '2')}`
  assert.equal((await house.post(`[${calls}]`, head)).status, 200)

  const leaving = new AbortController()
  const left = await house.token({ subject: 'leo', groups: ['staff'] })
  house.behind.script = async (got, res) => {
    leaving.abort()
    // The gateway has seen the closed socket once it has answered a few others.
    for (let n = 0; n < 5; n++) await fetch(`${house.gateway.gatewayUrl}/healthz`)
    answerResult(got, res, result)
  }
  const gone = fetch(house.mcp, {
    method: 'POST',
    signal: leaving.signal,
    body: legacyCall('tools/call', '{"name":"a"}'),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${left}`,
    },
  })
  await assert.rejects(gone, { name: 'AbortError' })
  const isDone = ({ type, principal }: Record<string, unknown>): boolean =>
    type === 'call.finished' && (principal as { subject: string }).subject === 'leo'
  await until(async () => (await house.entries()).some(isDone))
  const subjects = (await exposure()).map(([subject]) => subject)
  assert.deepEqual([subjects.includes('bea'), subjects.includes('leo')], [true, false])
})

test('an answer without a number counts nothing, and neither does a sealed cursor', async () => {
  const nina = { subject: 'nina', groups: ['staff'] }
  await see(nina, [])
  const cursor = pan('4', 16, '4471')
  house.behind.script = (got, res) =>
    answerResult(got, res, `{"tools":[],"nextCursor":"${cursor}"}`)
  const authorization = `Bearer ${await house.token(nina)}`
  const listed = await house.post(legacyCall('tools/list', '{}'), { authorization })
  assert.match(await listed.text(), /"nextCursor":"sp1\./)
  const { code, stderr, stdout } = await run(['exposure', 'nina', '--data', dataDir])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^Nobody of this subject or name was shown a card number/)
})

test('after a stop the state file tells the same, and a new gateway counts on', async () => {
  const running = await exposure('anna')
  await see(engineer, [pan('51', 16, '6024')])
  await house.stop()
  assert.deepEqual(await exposure('anna'), running)
  assert.deepEqual(await exposure('erin'), [['erin', 0, 4]])
  const { stdout } = await run(['exposure', 'anna', '--data', dataDir, '--days', '1'])
  assert.match(stdout, /today \(UTC\).*\nWHO +ISSUER +CLEAR +MASKED\nanna +\S+\/oauth +3 +0\n$/s)
  house = await open()
  await see(engineer, [...cards, pan('51', 16, '6024'), pan('51', 16, '3195')])
  assert.deepEqual(await exposure('erin'), [['erin', 0, 5]])
})

test('neither the data folder nor the metrics hold a number or name who was shown one', async () => {
  const bytes = house.allBytes()
  for (const card of cards) assert.equal(bytes.includes(card), false)
  const metrics = await (await fetch(`${house.gateway.consoleUrl}/metrics`)).text()
  for (const { subject } of [engineer, analyst]) assert.equal(metrics.includes(subject), false)
})
