/** How the program ends: by SIGTERM with calls under way, and by SIGKILL, after which it repairs. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { checkRecord } from '../../src/record/check.ts'
import { answerEmpty, answerResult, legacyCall, modernCall, startBehind } from './house.ts'
import type { Behind, Got } from './house.ts'
import { makeFolder, mintToken, readEntries, serve, until } from './program.ts'
import type { Serving, Told } from './program.ts'

interface Installation {
  readonly data: string
  readonly behind: Behind
  readonly token: string
  serve(): Promise<Serving>
}

async function install(t: TestContext, stopGrace: string): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    remove()
  })
  const file = join(dir, 'sallyport.yaml')
  const data = join(dir, 'data')
  mkdirSync(data)
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: http://127.0.0.1:4100
data_dir: ${data}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url} }]
access: [{ who: { kind: service }, may: { connection: shop } }]
limits: { stop_grace: ${stopGrace} }
record: { free_bytes_min: 1MiB }
`,
  )
  const start = async (): Promise<Serving> => {
    const one = await serve(['-c', file])
    running.push(one)
    return one
  }
  const token = await mintToken(data, 'http://127.0.0.1:4100')
  return { data, behind, token, serve: start }
}

interface Answered {
  readonly status: number
  readonly text: string
}

const plain = { body: legacyCall('tools/call', '{"name":"read","arguments":{}}'), headers: {} }
const modern = modernCall('read', '{}')

function ask(
  { gateway }: Serving,
  { token }: Installation,
  { body, headers }: { body: string; headers: object } = plain,
  signal?: AbortSignal,
): Promise<Answered> {
  return fetch(`${gateway}/mcp/shop`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
  }).then(async (answer) => ({ status: answer.status, text: await answer.text() }))
}

/** The server keeps what it is asked until it is told to go on. */
function hold(behind: Behind): { asked: [Got, ServerResponse][]; letGo: () => void } {
  const asked: [Got, ServerResponse][] = []
  behind.script = (got, res) => void asked.push([got, res])
  const letGo = (): void => {
    for (const [got, res] of asked) answerResult(got, res, '{"content":[],"late":true}')
  }
  return { asked, letGo }
}

async function isRefusing({ gateway }: Serving): Promise<boolean> {
  return await fetch(`${gateway}/readyz`).then(
    ({ status }) => status === 503,
    () => true,
  )
}

const ends = (entries: readonly Told[]): unknown[] =>
  entries
    .filter(({ type }) => type === 'call.finished')
    .map(({ outcome, reason }) =>
      typeof reason === 'string' ? `${String(outcome)}: ${reason}` : outcome,
    )

/** The record is whole, ends with the stop, and the next start has nothing to say. */
async function assertStoppedWell(at: Installation, wanted: readonly unknown[]): Promise<void> {
  const entries = await readEntries(at.data)
  assert.deepEqual(ends(entries), wanted)
  const [closed, seal, last] = entries.slice(-3)
  assert.equal(seal?.type, 'seal')
  assert.deepEqual([last?.type, last?.['reason']], ['gateway.stopped', 'SIGTERM'])
  assert.deepEqual([closed?.type, closed?.['reason']], ['session.closed', 'gateway_stopped'])
  const place = { disk: realDisk, dir: join(at.data, 'record'), writer: 'w1' }
  const { problems, openExchanges } = await checkRecord(place)
  assert.deepEqual({ problems, openExchanges }, { problems: [], openExchanges: [] })
  at.behind.script = answerEmpty
  const again = await at.serve()
  assert.doesNotMatch(again.output.stderr, /Recovered/)
  assert.equal((await ask(again, at)).status, 200)
}

for (const [era, call] of [
  ['legacy', plain],
  ['modern', modern],
] as const) {
  test(`a ${era} call that runs at SIGTERM gets its answer; new ones are not taken`, async (t) => {
    const at = await install(t, '20s')
    const gateway = await at.serve()
    const { asked, letGo } = hold(at.behind)
    const running = ask(gateway, at, call)
    await until(() => asked.length === 1)
    const stopped = gateway.stop('SIGTERM')
    await until(() => isRefusing(gateway))
    await assert.rejects(ask(gateway, at, call))
    letGo()
    const { status, text } = await running
    assert.equal(status, 200)
    assert.match(text, /"late":true/)
    const since = Date.now()
    assert.equal(await stopped, 0)
    assert.ok(Date.now() - since < 5000, 'it does not wait for the rest of the grace')
    assert.equal(at.behind.got.length, 1)
    await assertStoppedWell(at, ['ok'])
  })
}

test('a call that hangs is cancelled after the grace, told so, and recorded as unknown', async (t) => {
  const at = await install(t, '1s')
  const gateway = await at.serve()
  const { asked } = hold(at.behind)
  const running = ask(gateway, at)
  await until(() => asked.length === 1)
  const cut = new Promise((done) => asked[0]?.[1].once('close', done))
  const since = Date.now()
  assert.equal(await gateway.stop('SIGTERM'), 0)
  const tookMs = Date.now() - since
  assert.ok(tookMs >= 500 && tookMs < 10_000, `it took ${tookMs} ms`)
  const { status, text } = await running
  assert.equal(status, 503)
  assert.match(text, /stopped before the answer; the call may have run/)
  await cut
  await assertStoppedWell(at, ['unknown: stopping'])
})

test('a stream that is open at SIGTERM ends, and its exchange with it', async (t) => {
  const at = await install(t, '1s')
  const gateway = await at.serve()
  at.behind.script = (_got, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n')
  }
  const answer = await fetch(`${gateway.gateway}/mcp/shop`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${at.token}` },
  })
  let text = ''
  const whole = (async () => {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString()
  })().catch(() => undefined) // It may end or break; it must not go on.
  await until(() => text.includes('progress'))
  assert.equal(await gateway.stop('SIGTERM'), 0)
  await whole
  await assertStoppedWell(at, ['unknown: stopping'])
})

test('a legacy call whose client has left goes on, and is ended by the stop', async (t) => {
  const at = await install(t, '1s')
  const gateway = await at.serve()
  const { asked } = hold(at.behind)
  const leaving = new AbortController()
  const running = ask(gateway, at, plain, leaving.signal)
  await until(() => asked.length === 1)
  leaving.abort()
  await assert.rejects(running)
  assert.equal(await gateway.stop('SIGTERM'), 0)
  await assertStoppedWell(at, ['unknown: stopping'])
})

test('SIGTERM with nothing to do ends at once and leaves neither socket nor lock', async (t) => {
  const at = await install(t, '20s')
  const gateway = await at.serve()
  assert.equal((await ask(gateway, at)).status, 200) // Its connection stays open, idle.
  const since = Date.now()
  assert.equal(await gateway.stop('SIGINT'), 0)
  assert.ok(Date.now() - since < 5000)
  for (const name of ['control.sock', 'gateway.json', 'record/w1/lock']) {
    assert.equal(existsSync(join(at.data, name)), false, name)
  }
})

test('a second signal does not wait, and the next start says what it found', async (t) => {
  const at = await install(t, '1h')
  const gateway = await at.serve()
  const { asked } = hold(at.behind)
  const running = ask(gateway, at).catch(() => 'cut')
  await until(() => asked.length === 1)
  const first = gateway.stop('SIGTERM')
  await until(() => isRefusing(gateway))
  assert.equal(await gateway.stop('SIGTERM'), 1)
  await first
  assert.equal(await running, 'cut')
  const again = await at.serve()
  assert.match(again.output.stderr, /Recovered.*1 calls in flight are recorded as unknown/)
})

test('after SIGKILL the next start says what it recovered, once, and never sends it again', async (t) => {
  const at = await install(t, '20s')
  const gateway = await at.serve()
  assert.equal((await ask(gateway, at)).status, 200)
  const { asked } = hold(at.behind)
  const running = [plain, modern, plain].map((call) => ask(gateway, at, call).catch(() => 'cut'))
  await until(() => asked.length === 3)
  assert.equal(await gateway.stop('SIGKILL'), -1)
  assert.deepEqual(await Promise.all(running), ['cut', 'cut', 'cut'])
  const lock = join(at.data, 'record', 'w1', 'lock')
  assert.ok(existsSync(lock), 'the lock of a killed process stays')

  const again = await at.serve()
  const said =
    /^Recovered after a stop that was not graceful: 3 calls in flight are recorded as unknown, 0 were never sent, 2 sessions were closed, \d+ bytes/m
  assert.match(again.output.stderr, said)
  const entries = await readEntries(at.data)
  assert.deepEqual(ends(entries), [
    'ok',
    ...Array.from({ length: 3 }, () => 'unknown: process_ended'),
  ])
  const told = entries.find(({ type }) => type === 'gateway.recovered')
  assert.deepEqual(
    [told?.['callsUnknown'], told?.['callsFailed'], told?.['sessionsClosed']],
    [3, 0, 2],
  )
  assert.equal(at.behind.got.length, 4, 'nothing was sent again')
  assert.equal(await again.stop('SIGTERM'), 0)
  const third = await at.serve()
  assert.doesNotMatch(third.output.stderr, /Recovered/)
})
