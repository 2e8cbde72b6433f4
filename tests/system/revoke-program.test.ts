/** `sallyport revoke` and `people end` against a gateway that runs, as an operator types them. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { openRevocations } from '../../src/identity/revocation-store.ts'
import { assertStopped, keepBusy } from './busy.ts'
import { legacyCall, startBehind } from './house.ts'
import type { Behind } from './house.ts'
import { makeFolder, mintToken, readEntries, run, serve } from './program.ts'
import type { Ran, Serving, Told } from './program.ts'

const publicUrl = 'http://127.0.0.1:4100'

interface Installation {
  readonly data: string
  readonly behind: Behind
  readonly token: string
  serve(): Promise<Serving>
  sallyport(...args: string[]): Promise<Ran>
}

async function install(t: TestContext): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    remove()
  })
  const [file, data] = [join(dir, 'sallyport.yaml'), join(dir, 'data')]
  mkdirSync(data)
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: ${publicUrl}
data_dir: ${data}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url} }]
access: [{ who: { kind: service }, may: { connection: shop } }]
limits: { refusals_per_minute_max: 100000 }
record: { free_bytes_min: 1MiB }
`,
  )
  return {
    data,
    behind,
    token: await mintToken(data, publicUrl),
    serve: async () => {
      const one = await serve(['-c', file])
      running.push(one)
      return one
    },
    sallyport: (...args) => run([...args, '-c', file]),
  }
}

async function ask({ gateway }: Serving, { token }: Installation): Promise<number> {
  const answer = await fetch(`${gateway}/mcp/shop`, {
    method: 'POST',
    body: legacyCall('tools/call', '{"name":"read","arguments":{}}'),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
  })
  await answer.text()
  return answer.status
}

function detailsOf(entry: Told | undefined): Record<string, unknown> {
  return (entry?.['details'] ?? {}) as Record<string, unknown>
}

function of(entries: readonly Told[], type: string): Told[] {
  return entries.filter((entry) => entry.type === type)
}

/** Slow enough for a process to start meanwhile without thousands of calls. */
const answerMs = 100

test('revoke stops somebody in the middle of a stream, a slow call and 500 calls, and kill -9 lifts nothing', async (t) => {
  const at = await install(t)
  const running = await at.serve()
  const busy = keepBusy(`${running.gateway}/mcp/shop`, at.token, at.behind, answerMs)
  await busy.begun
  const { code, stderr, stdout } = await at.sallyport('revoke', 'robot', '--reason', 'leaked')
  const begun = busy.begunCalls()
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^Stopped now: principal http:\/\/127\.0\.0\.1:4100\/oauth robot\n/)
  assert.match(stdout, /\nCut: \d+ calls, 0 streams, 1 session\.\n/)
  const entries = await assertStopped(busy, at.data, begun)
  const arrived = at.behind.got.length
  const details = detailsOf(of(entries, 'principal.revoked')[0])
  assert.deepEqual([details['reason'], details['source']], ['leaked', 'cli'])
  await running.stop('SIGKILL')

  const missed = loseEntry(at)
  const ids = [details['id'], missed]
  for (const life of ['first', 'second']) {
    const again = await at.serve()
    assert.equal(await ask(again, at), 401, `${life} life after it`)
    const told = of(await readEntries(at.data), 'principal.revoked')
    assert.deepEqual(
      told.map((entry) => detailsOf(entry)['id']),
      ids,
      'each stop has one entry, the one whose entry was lost as well',
    )
    await again.stop('SIGKILL')
  }
  assert.equal(at.behind.got.length, arrived)
})

/** A stop as a crash between the list and the record leaves it. @returns its id. */
function loseEntry({ data }: Installation): string {
  const revocations = openRevocations(join(data, 'state.sqlite'), { clock: systemClock() })
  const [madeMs, fromMs] = [Date.now(), Date.now()]
  const target = { kind: 'principal', issuer: `${publicUrl}/oauth`, subject: 'olga' } as const
  const of = { target, reason: 'leaked', by: 'alex', source: 'cli', madeMs, fromMs } as const
  const { id } = revocations.add(of)
  revocations.close()
  return id
}
