/** Stopping somebody who is in the middle of things: a stream, a slow call, a burst. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import { MovedClock, answerResult, legacyCall, modernCall, openHouse } from './house.ts'
import type { House, HouseOptions } from './house.ts'
import { until } from './program.ts'

async function open(t: TestContext, options: HouseOptions = {}): Promise<House> {
  const house = await openHouse(options)
  t.after(() => house.stop())
  return house
}

const target = (house: House): { kind: 'principal'; issuer: string; subject: string } => ({
  kind: 'principal',
  issuer: house.gateway.local?.issuer ?? '',
  subject: 'sam',
})

const stopped = { reason: 'left the company', by: 'alex', source: 'cli' } as const

/** The entries of some types, in order. */
async function told(house: House, ...types: string[]): Promise<Record<string, unknown>[]> {
  return (await house.entries()).filter(({ type }) => types.includes(String(type)))
}

const sse = { 'content-type': 'text/event-stream' }
const event = (message: string): string => `data: ${message}\n\n`
const progress =
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'

test('an open stream ends within a second, and the server sees it end', async (t) => {
  const house = await open(t)
  let closed = false
  house.behind.script = (_got, res, req) => {
    req.socket.once('close', () => (closed = true))
    res.writeHead(200, sse)
    const ticking = setInterval(() => res.write(event(progress)), 20)
    res.once('close', () => clearInterval(ticking))
  }
  const { body, headers } = modernCall('slow', '{}')
  const answer = await house.post(body, headers)
  const reader = answer.body?.getReader()
  await reader?.read()
  const began = performance.now()
  const stopping = house.gateway.stops.stop({ target: target(house), ...stopped })
  let text = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) break
    text += Buffer.from(value ?? []).toString()
  }
  assert.ok(performance.now() - began < 1000, 'the stream ended too late')
  assert.match(text, /Access was stopped/)
  const { cut } = await stopping
  assert.deepEqual({ ...cut, sessions: undefined }, { calls: 1, streams: 0, sessions: undefined })
  await until(() => closed)
  const [end] = await told(house, 'call.finished')
  assert.deepEqual([end?.['outcome'], end?.['reason']], ['unknown', 'revoked'])
  const [revoked, cutEntry] = await told(house, 'principal.revoked', 'revocation.cut')
  assert.ok(Number(revoked?.['index']) < Number(end?.['index']))
  const { details } = revoked as { details: Record<string, unknown> }
  assert.deepEqual(
    [details['what'], details['reason'], details['by']],
    ['principal', 'left the company', 'alex'],
  )
  assert.equal((cutEntry as { details: Record<string, unknown> }).details['calls'], 1)
})

test('a slow call is broken off, its end is unknown, and its late answer is not released', async (t) => {
  const house = await open(t)
  const waiting: ServerResponse[] = []
  house.behind.script = (_got, res) => void waiting.push(res)
  const answer = house.post(legacyCall('tools/call', '{"name":"slow","arguments":{}}'))
  await until(() => waiting.length === 1)
  await house.gateway.stops.stop({ target: target(house), ...stopped })
  for (const res of waiting) res.end('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')
  const { status, headers } = await answer
  assert.equal(status, 401)
  assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  const [end, ...others] = await told(house, 'call.finished')
  assert.deepEqual([end?.['outcome'], end?.['reason'], others.length], ['unknown', 'revoked', 0])
})

test('of a burst no call leaves after the durable entry, and none is recorded as sent', async (t) => {
  const house = await open(t, { extra: 'limits: { refusals_per_minute_max: 1000 }' })
  house.behind.script = async (got, res) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    answerResult(got, res, '{"content":[]}')
  }
  // What left before may still be on its way to the server; what is asked for afterwards must not.
  let isDone = false
  const late = new Set<number>()
  const burst = Array.from({ length: 500 }, async (_, i) => {
    if (i > 100) await new Promise((resolve) => setTimeout(resolve, i / 5))
    if (isDone) late.add(i)
    const { status } = await house.post(
      legacyCall('tools/call', '{"name":"a","arguments":{}}', `${i}`),
    )
    return status
  })
  await until(() => house.behind.got.length > 50)
  await house.gateway.stops.stop({ target: target(house), ...stopped })
  isDone = true
  const statuses = await Promise.all(burst)
  const arrived = house.behind.got.length
  const ids = house.behind.got.map(({ body }) => Number(/"id":(\d+)/.exec(body)?.[1]))
  assert.deepEqual(
    ids.filter((id) => late.has(id)),
    [],
    'a call that came after the stop was done left',
  )
  assert.ok(statuses.includes(401) && statuses.includes(200), 'the stop came in the middle')
  const entries = await house.entries()
  const at = entries.findIndex(({ type }) => type === 'principal.revoked')
  assert.ok(at > 0)
  assert.equal(entries.slice(at).filter(({ type }) => type === 'call.dispatched').length, 0)
  const dispatched = entries.filter(({ type }) => type === 'call.dispatched').length
  assert.ok(arrived <= dispatched, `${arrived} arrived, ${dispatched} were recorded`)
  const received = entries.filter(({ type }) => type === 'call.received').length
  const ends = entries.filter(({ type }) => type === 'call.finished')
  assert.equal(ends.length, received)
  const outcomes = new Set(ends.map(({ outcome }) => outcome))
  assert.deepEqual(
    [...outcomes].filter((one) => !['ok', 'unknown', 'failed'].includes(String(one))),
    [],
  )
})

test('whoever is stopped stays so after a restart, until somebody lifts it', async (t) => {
  const house = await open(t)
  const { revocation } = await house.gateway.stops.stop({ target: target(house), ...stopped })
  const call = legacyCall('tools/call', '{"name":"a","arguments":{}}')
  assert.equal((await house.post(call)).status, 401)
  assert.equal(house.behind.got.length, 0)
  const other = await house.token({ subject: 'olga', groups: ['staff'] })
  assert.equal((await house.post(call, { authorization: `Bearer ${other}` })).status, 200)
  await house.gateway.stops.lift(revocation.id, 'alex', 'came back')
  assert.equal((await house.post(call)).status, 200)
  const [lifted] = await told(house, 'revocation.lifted')
  assert.equal((lifted as { details: Record<string, unknown> }).details['reason'], 'came back')
})

test('a connection that is stopped answers calls with a tool error, and another goes on', async (t) => {
  const house = await open(t)
  await house.gateway.stops.stop({
    target: { kind: 'connection', connection: 'shop' },
    ...stopped,
  })
  const answer = await house.post(legacyCall('tools/call', '{"name":"a","arguments":{}}'))
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /This connection is stopped/)
  assert.equal(house.behind.got.length, 0)
})

test('with everything stopped nothing passes: 503', async (t) => {
  const house = await open(t)
  await house.gateway.stops.stop({ target: { kind: 'everything' }, ...stopped })
  const answer = await house.post(legacyCall('tools/call', '{"name":"a","arguments":{}}'))
  assert.equal(answer.status, 503)
  assert.equal(house.behind.got.length, 0)
})

test('a client and a token are stopped by name, and others of the same person go on', async (t) => {
  const house = await open(t)
  const call = legacyCall('tools/call', '{"name":"a","arguments":{}}')
  const [first, second] = await Promise.all([
    house.token({ subject: 'sam', groups: ['staff'] }),
    house.token({ subject: 'sam', groups: ['staff'] }),
  ])
  const jti = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString())
    .jti as string
  await house.gateway.stops.stop({ target: { kind: 'token', token: jti }, ...stopped })
  assert.equal((await house.post(call, { authorization: `Bearer ${first}` })).status, 401)
  assert.equal((await house.post(call, { authorization: `Bearer ${second}` })).status, 200)
  await house.gateway.stops.stop({ target: { kind: 'client', client: 'sallyport' }, ...stopped })
  assert.equal((await house.post(call, { authorization: `Bearer ${second}` })).status, 401)
})

/** A disk whose commits wait while `held` is pending, and which has as much room as it says. */
function patientDisk(): Disk & { held: Promise<void>; free: number } {
  const patient = (file: DiskFile): DiskFile => ({
    commit: (parts, position, done) =>
      void disk.held.then(() => file.commit(parts, position, done)),
    read: (into, position) => file.read(into, position),
    size: () => file.size(),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  })
  const disk = {
    ...realDisk,
    create: async (path: string) => patient(await realDisk.create(path)),
    open: async (path: string, mode: 'read' | 'write') => patient(await realDisk.open(path, mode)),
    freeBytes: () => Promise.resolve(disk.free),
    held: Promise.resolve(),
    free: Number.MAX_SAFE_INTEGER,
  }
  return disk
}

test('a stop whose entry takes its time is in force meanwhile, and recorded once', async (t) => {
  const disk = patientDisk()
  const house = await open(t, { disk })
  let letGo = (): void => undefined
  disk.held = new Promise((resolve) => (letGo = resolve))
  const stopping = house.gateway.stops.stop({ target: target(house), ...stopped })
  // Looked after every second: what has no entry yet is not what a crash left without one.
  const ticking = Promise.all([house.gateway.stops.tick(), house.gateway.stops.tick()])
  const call = house.post(legacyCall('tools/call', '{"name":"a","arguments":{}}'))
  letGo()
  assert.equal((await call).status, 401)
  await Promise.all([stopping, ticking])
  assert.equal((await told(house, 'principal.revoked')).length, 1)
  assert.equal((await told(house, 'revocation.cut')).length, 1)
})

test('a stop on a full disk is in force, and has its entry and all that follows when there is room', async (t) => {
  const disk = patientDisk()
  const house = await open(t, { disk })
  const heard: string[] = []
  house.gateway.stops.heed(async ({ id }) => void heard.push(id))
  const call = legacyCall('tools/call', '{"name":"a","arguments":{}}')
  assert.equal((await house.post(call)).status, 200)
  disk.free = 0
  await until(async () => (await fetch(`${house.gateway.gatewayUrl}/readyz`)).status === 503)
  await assert.rejects(house.gateway.stops.stop({ target: target(house), ...stopped }), {
    code: 'record_full',
  })
  assert.notEqual((await house.post(call)).status, 200)
  assert.equal(house.behind.got.length, 1)
  disk.free = Number.MAX_SAFE_INTEGER
  await until(async () => (await told(house, 'revocation.cut')).length === 1)
  assert.equal((await house.post(call)).status, 401)
  const [revoked, ...others] = await told(house, 'principal.revoked')
  assert.equal(others.length, 0)
  assert.deepEqual(heard, [(revoked as { details: Record<string, unknown> }).details['id']])
})

test(
  'a planned stop comes into force by itself, in the middle of a stream, and says what it cut',
  { timeout: 15_000 },
  async (t) => {
    const clock = new MovedClock(Date.now())
    const house = await open(t, { clock })
    house.behind.script = (_got, res) => {
      res.writeHead(200, sse)
      res.write(event(progress))
    }
    const call = legacyCall('tools/call', '{"name":"slow","arguments":{}}')
    const answers = await Promise.all([house.post(call), house.post(call)])
    const fromMs = Date.now() + 60_000
    const planned = await house.gateway.stops.stop({ target: target(house), ...stopped, fromMs })
    assert.deepEqual(planned.cut, { calls: 0, streams: 0, sessions: 0 })
    clock.pass(61_000)
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    for (const text of texts) assert.match(text, /Access was stopped/)
    await until(async () => (await told(house, 'revocation.cut')).length === 2)
    const cuts = (await told(house, 'revocation.cut')).map(({ details }) => details)
    assert.deepEqual(
      cuts.map((cut) => (cut as { calls: number }).calls),
      [0, 2],
    )
    assert.equal((await told(house, 'principal.revoked')).length, 1)
    assert.equal((await house.post(call)).status, 401)
  },
)

test('who has a grant is known from their first call on; a stranger with a good token is not kept', async (t) => {
  const house = await open(t)
  const call = legacyCall('tools/call', '{"name":"a","arguments":{}}')
  const stranger = await house.token({ subject: 'stella', groups: ['elsewhere'] })
  assert.equal((await house.post(call, { authorization: `Bearer ${stranger}` })).status, 403)
  assert.equal((await house.post(call)).status, 200)
  const issuer = house.gateway.local?.issuer ?? ''
  assert.equal(house.gateway.directory.find(issuer, 'stella'), undefined)
  assert.equal(house.gateway.directory.find(issuer, 'sam')?.source, 'token')
})
