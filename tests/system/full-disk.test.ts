/**
 * A gateway on a disk that fills: below the floor nothing new is forwarded and calls resume by
 * themselves; a write that fails closes the record for good, and nothing goes out without its entry.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { errorCode, realDisk } from '../../src/base/disk.ts'
import { checkRecord } from '../../src/record/check.ts'
import { answerEmpty, answerResult, legacyCall, modernCall, startBehind } from './house.ts'
import type { Behind } from './house.ts'
import { mintToken, readEntries, run, serve, until } from './program.ts'
import type { Serving } from './program.ts'

const skip = canMount() ? false : 'a small tmpfs cannot be mounted here: run as root on Linux'
const MiB = 1024 * 1024

/** An installation whose data folder is a disk of `sizeBytes`; its server and file are elsewhere. */
interface Installation {
  readonly file: string
  readonly disk: string
  readonly behind: Behind
  /** Starts the gateway; it is killed after the test at the latest. */
  serve(): Promise<Serving>
  /** Fills the disk until so many bytes are free; called again, to another figure. */
  leaveFree(bytes: number): void
  token(): Promise<string>
}

async function install(t: TestContext, sizeMiB: number): Promise<Installation> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  const disk = join(dir, 'data')
  execFileSync('mkdir', ['-m', '700', disk])
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0700`, 'tmpfs', disk])
  const behind = await startBehind()
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    execFileSync('umount', [disk])
    rmSync(dir, { recursive: true })
  })
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: http://127.0.0.1:4100
data_dir: ${disk}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url}, credential: { type: none } }]
access: [{ who: { kind: service }, may: { connection: shop } }]
record: { free_bytes_min: 1MiB, compress_from: 1GiB } # What is to fill the disk does not shrink.
limits: { stop_grace: 2s }
`,
  )
  return {
    file,
    disk,
    behind,
    async serve() {
      const one = await serve(['-c', file])
      running.push(one)
      return one
    },
    leaveFree: (bytes) => leaveFree(disk, bytes),
    token: () => mintToken(disk, 'http://127.0.0.1:4100'),
  }
}

function leaveFree(disk: string, bytes: number): void {
  const ballast = join(disk, 'ballast')
  rmSync(ballast, { force: true })
  const { bavail, bsize } = statfsSync(disk)
  const toFill = bavail * bsize - bytes
  if (toFill <= 0) return
  try {
    writeFileSync(ballast, Buffer.alloc(toFill))
  } catch (error) {
    // The gateway took some of it meanwhile: all the fuller.
    if (errorCode(error) !== 'ENOSPC') throw error
  }
}

/** One HTTP request to the connection, read to its end. */
async function ask(
  { gateway }: Serving,
  token: string,
  body: string | undefined,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<{ status: number; text: string; retryAfter: string | null }> {
  const answer = await fetch(`${gateway}/mcp/shop`, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...headers,
    },
  })
  const retryAfter = answer.headers.get('retry-after')
  return { status: answer.status, text: await answer.text(), retryAfter }
}

async function readiness({ gateway, console }: Serving): Promise<string[]> {
  const looks = [gateway, console].map(async (base) => {
    const answer = await fetch(`${base}/readyz`)
    const { record }: { record: string } = JSON.parse(await answer.text())
    return `${answer.status} ${record}`
  })
  return await Promise.all(looks)
}

const isReady = (serving: Serving, wanted: string) => async (): Promise<boolean> =>
  (await readiness(serving)).every((one) => one === wanted)

const modern = modernCall('read', '{}')
const call = legacyCall('tools/call', '{"name":"read","arguments":{}}')
const attempts: readonly [
  what: string,
  body: string | undefined,
  headers: object,
  method: string,
][] = [
  ['a legacy call', call, {}, 'POST'],
  ['a modern call', modern.body, modern.headers, 'POST'],
  ['initialize', legacyCall('initialize', '{"protocolVersion":"2025-11-25"}'), {}, 'POST'],
  ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}', {}, 'POST'],
  ['a stream', undefined, { accept: 'text/event-stream' }, 'GET'],
  ['the end of a session', undefined, {}, 'DELETE'],
]

test(
  'below the floor calls are refused before they are sent, and resume by themselves',
  { skip },
  async (t) => {
    const at = await install(t, 12)
    const gateway = await at.serve()
    const token = await at.token()
    assert.equal((await ask(gateway, token, call)).status, 200)
    assert.deepEqual(await readiness(gateway), ['200 open', '200 open'])

    // One that was sent before the disk filled still gets its answer: its room is kept.
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    at.behind.script = async (got, res) => {
      await held
      answerResult(got, res, '{"content":[{"type":"text","text":"late"}]}')
    }
    const late = ask(gateway, token, call)
    await until(() => at.behind.got.length === 2)
    at.leaveFree(0.6 * MiB)
    await until(isReady(gateway, '503 full'))
    at.behind.script = answerEmpty
    letGo()
    const { status, text: answer } = await late
    assert.equal(status, 200)
    assert.match(answer, /late/)

    for (const [what, body, headers, method] of attempts) {
      const refused = await ask(gateway, token, body, { ...headers }, method)
      assert.equal(refused.status, 503, what)
      assert.match(
        refused.text,
        /no room.*free.*No call is forwarded.*resume by themselves/is,
        what,
      )
      assert.ok(Number(refused.retryAfter) > 0, what)
    }
    assert.equal(at.behind.got.length, 2, 'nothing more reached the server')
    assert.match(await metrics(gateway), /^sallyport_record_open 0$/m)

    at.leaveFree(6 * MiB)
    await until(isReady(gateway, '200 open'))
    assert.equal((await ask(gateway, token, call)).status, 200)
    assert.equal(at.behind.got.length, 3)
    assert.equal(await gateway.stop('SIGTERM'), 0)
    assert.equal(await unrecorded(at), 0)
  },
)

test('on a disk below the floor a gateway says so and does not start', { skip }, async (t) => {
  const at = await install(t, 4)
  at.leaveFree(0.9 * MiB) // Room for the tables of `state.sqlite`.
  const { code, stderr, stdout } = await run(['serve', '-c', at.file])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /cannot start: .*free_bytes_min.*then start it again/)
  const checked = await run(['check', '-c', at.file])
  assert.equal(checked.code, 1)
  assert.match(checked.stdout, /FAIL {2}data folder .*free_bytes_min/)
})

test(
  'a question that does not fit on the disk is not sent, and the record is closed',
  { skip },
  async (t) => {
    const at = await install(t, 12)
    const gateway = await at.serve()
    const token = await at.token()
    assert.equal((await ask(gateway, token, call)).status, 200)
    at.leaveFree(1.6 * MiB)
    // Free space is above the floor, so only the write itself can tell that this has no room.
    const large = legacyCall(
      'tools/call',
      `{"name":"read","arguments":{"a":"${'a '.repeat(1.2 * MiB)}"}}`,
    )
    await assertLatches(at, gateway, token, await ask(gateway, token, large))
    assert.equal(at.behind.got.length, 1, 'what could not be recorded was not sent')
    assert.equal(await gateway.stop('SIGTERM'), 0)
    await assertRecovers(at)
  },
)

test(
  'an answer that does not fit on the disk is not released, and its call ends as unknown',
  { skip },
  async (t) => {
    const at = await install(t, 12)
    const gateway = await at.serve()
    const token = await at.token()
    const secret = 'for nobody '.repeat(0.25 * MiB)
    at.behind.script = (got, res) =>
      answerResult(got, res, `{"content":[{"type":"text","text":"${secret}"}]}`)
    at.leaveFree(1.6 * MiB)
    const refused = await ask(gateway, token, call)
    assert.equal(refused.text.includes('for nobody'), false)
    await assertLatches(at, gateway, token, refused)
    assert.equal(at.behind.got.length, 1)
    await gateway.stop('SIGTERM')
    const said = await assertRecovers(at)
    assert.match(said, /1 calls in flight are recorded as unknown/)
    const ends = (await readEntries(at.disk)).filter(({ type }) => type === 'call.finished')
    assert.deepEqual(ends.map(({ outcome, reason }) => [outcome, reason])[0], [
      'unknown',
      'process_ended',
    ])
  },
)

test(
  'under load a disk that fills up lets nothing through without its entry',
  { skip },
  async (t) => {
    const at = await install(t, 12)
    const gateway = await at.serve()
    const token = await at.token()
    const padding = 'x'.repeat(40_000)
    const given = new Set<string>()
    at.behind.script = (got, res) => {
      const word = /word-\d+/.exec(got.body)?.[0] ?? ''
      answerResult(got, res, `{"content":[{"type":"text","text":"${word}"}]}`)
    }
    let next = 0
    const client = async (): Promise<number> => {
      for (;;) {
        const word = `word-${next++}`
        const { body, headers } = modernCall('read', `{"a":"${word} ${padding}"}`)
        const { status, text } = await ask(gateway, token, body, headers)
        if (status !== 200) return status
        if (text.includes(word)) given.add(word)
      }
    }
    const clients = Array.from({ length: 8 }, client)
    await until(() => given.size > 30)
    at.leaveFree(0)
    assert.deepEqual(new Set(await Promise.all(clients)), new Set([503]))
    // Whichever came first, a look at the free space or a write: nothing is taken any more.
    assert.ok((await readiness(gateway)).every((one) => one.startsWith('503')))
    const before = at.behind.got.length
    assert.equal((await ask(gateway, token, call)).status, 503)
    assert.equal(at.behind.got.length, before)
    await gateway.stop('SIGTERM')
    at.leaveFree(8 * MiB)
    await (await at.serve()).stop('SIGTERM')
    assert.equal(await unrecorded(at), 0)
    const answered = (await readEntries(at.disk)).filter(({ type }) => type === 'response.event')
    const recorded = new Set(answered.map(({ text }) => /word-\d+/.exec(text)?.[0]))
    assert.deepEqual(
      [...given].filter((word) => !recorded.has(word)),
      [],
    )
  },
)

/** The record has latched: refused in clear words, not ready, nothing forwarded, even with space. */
async function assertLatches(
  at: Installation,
  gateway: Serving,
  token: string,
  first: { status: number; text: string },
): Promise<void> {
  assert.equal(first.status, 503)
  assert.match(first.text, /record cannot be written.*no call is forwarded.*restart/is)
  assert.deepEqual(await readiness(gateway), ['503 latched', '503 latched'])
  const before = at.behind.got.length
  at.leaveFree(8 * MiB)
  for (const [what, body, headers, method] of attempts) {
    const refused = await ask(gateway, token, body, { ...headers }, method)
    assert.equal(refused.status, 503, what)
    assert.match(refused.text, /record cannot be written/, what)
  }
  assert.equal(at.behind.got.length, before, 'nothing more reached the server')
  assert.match(gateway.output.stderr, /"state":"latched"/)
}

/** The next start repairs and says so, takes calls, and the record is whole. Returns what it said. */
async function assertRecovers(at: Installation): Promise<string> {
  at.behind.script = answerEmpty
  const again = await at.serve()
  assert.match(again.output.stderr, /^Recovered after a stop that was not graceful/m)
  assert.equal((await ask(again, await at.token(), call)).status, 200)
  assert.equal(await again.stop('SIGTERM'), 0)
  assert.equal(await unrecorded(at), 0)
  return again.output.stderr
}

/** Requests that reached the server beyond those which the record says were sent. */
async function unrecorded({ behind, disk }: Installation): Promise<number> {
  const { problems, openExchanges } = await checkRecord({
    disk: realDisk,
    dir: join(disk, 'record'),
    writer: 'w1',
  })
  assert.deepEqual({ problems, openExchanges }, { problems: [], openExchanges: [] })
  const entries = await readEntries(disk)
  const sent = new Set(
    entries.filter(({ type }) => type === 'call.dispatched').map(({ exchange }) => exchange),
  )
  const asked = entries.filter(
    ({ type, exchange }) => type === 'call.received' && sent.has(exchange),
  )
  const left = asked.map(({ text }) => text)
  let without = 0
  for (const { body } of behind.got) {
    const found = left.indexOf(body)
    if (found < 0) without++
    else left.splice(found, 1)
  }
  return without
}

async function metrics({ console }: Serving): Promise<string> {
  return await (await fetch(`${console}/metrics`)).text()
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' })
    execFileSync('umount', [dir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
