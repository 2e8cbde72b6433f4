/**
 * The program with calls that wait for people, killed at any moment and started again: what was
 * approved runs once at most, what may have run is never run again, and no ticket is lost.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { ConsoleSessions } from '../../src/console/sessions.ts'
import { openDirectory } from '../../src/identity/directory-store.ts'
import { answerResult, legacyCall, modernCall, startBehind } from './house.ts'
import type { Behind } from './house.ts'
import { makeFolder, mintToken, readEntries, run, serve, until } from './program.ts'
import type { Serving } from './program.ts'

const publicUrl = 'http://127.0.0.1:4100'

interface Installation {
  readonly data: string
  readonly file: string
  readonly behind: Behind
  readonly token: string
  /** What a reviewer's browser sends. */
  readonly browser: Record<string, string>
  serve(): Promise<Serving>
}

async function install(t: TestContext, wait = '20s'): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    remove()
  })
  const [file, data] = [join(dir, 'sallyport.yaml'), join(dir, 'data')]
  const port = await freePort() // The same after each restart: a browser's session is of one origin.
  mkdirSync(data)
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: "127.0.0.1:${port}" }
public_url: ${publicUrl}
data_dir: ${data}
log: { level: warn }
identity:
  issuers: [{ name: local, type: local }]
  sign_in: [{ name: people, type: accounts, passwords: true }]
console: { roles: { approver: { group: approvers } } }
connections: [{ name: shop, url: ${behind.url} }]
access: [{ who: { kind: service }, may: { connection: shop } }]
rules:
  - { name: writes-wait, when: 'call.tool == "write"', effect: hold, reason: Writing needs a person., expires: 10m }
holds: { wait: ${wait}, session_decisions: true }
limits: { stop_grace: 20s }
record: { free_bytes_min: 1MiB }
`,
  )
  const token = await mintToken(data, publicUrl)
  const browser = seatReviewer(data)
  const start = async (): Promise<Serving> => {
    const one = await serve(['-c', file])
    running.push(one)
    return one
  }
  return { data, file, behind, token, browser, serve: start }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A reviewer who is signed in since before the start. @returns the headers of their browser. */
function seatReviewer(data: string): Record<string, string> {
  const [state, clock] = [join(data, 'state.sqlite'), systemClock()]
  const directory = openDirectory(state, { clock })
  const issuer = `${publicUrl}/oauth`
  const who = { issuer, subject: 'rita', name: 'Rita', kind: 'person' as const }
  directory.tell({ ...who, groups: ['approvers'], roles: [] }, 'command', Date.now())
  const person = directory.find(issuer, 'rita')?.id ?? ''
  directory.close()
  const sessions = new ConsoleSessions(state, { clock, idleMs: 3_600_000, maxMs: 3_600_000 })
  const { id, session } = sessions.open({
    person,
    method: 'people',
    amr: ['pwd'],
    authenticatedMs: Date.now(),
    providerSession: undefined,
    isBreakGlass: false,
    ip: '127.0.0.1',
    userAgent: 'test',
  })
  sessions.close()
  return {
    cookie: `__Host-sallyport-session=${id}`,
    'x-sallyport-csrf': session.csrf,
    'content-type': 'application/json',
  }
}

interface Seen {
  readonly id: string
  readonly state: string
}

/** The newest ticket of a row, as a reviewer sees it. */
async function ticketOf(
  { console }: Serving,
  at: Installation,
  row: string,
): Promise<Seen | undefined> {
  const answer = await fetch(`${console}/api/tickets?limit=10`, { headers: at.browser })
  const told = (await answer.json()) as { tickets: { id: string; state: string }[] }
  for (const { id, state } of told.tickets) {
    const one = await fetch(`${console}/api/tickets/${id}`, { headers: at.browser })
    if ((await one.text()).includes(row)) return { id, state }
  }
  return undefined
}

async function decide({ console }: Serving, at: Installation, id: string): Promise<number> {
  const post = async (path: string, body: object): Promise<Response> =>
    await fetch(`${console}/api/tickets/${id}/${path}`, {
      method: 'POST',
      headers: { ...at.browser, origin: console },
      body: JSON.stringify(body),
    })
  const begin = { decision: 'approve', justification: 'I looked, it is meant.', method: 'session' }
  const begun = await post('decisions/begin', begin)
  const told = await begun.text()
  // Killed right after the decision, it counts from the moment on when the record has it.
  if (told.includes('"ticket_approved"') || told.includes('"ticket_executed"')) return 200
  const { challenge } = JSON.parse(told) as { challenge?: string }
  assert.ok(challenge, told)
  const { status } = await post('decisions', { method: 'session', challenge })
  return status
}

/** @returns the text of the answer; `cut` where the connection broke. */
async function call(
  { gateway }: Serving,
  at: Installation,
  row: string,
  signal?: AbortSignal,
): Promise<string> {
  return await send(
    gateway,
    at,
    {
      body: legacyCall('tools/call', `{"name":"write","arguments":{"row":"${row}"}}`),
      headers: {},
    },
    signal,
  )
}

async function send(
  gateway: string,
  { token }: Installation,
  { body, headers }: { body: string; headers: Record<string, string> },
  signal?: AbortSignal,
): Promise<string> {
  try {
    const answer = await fetch(`${gateway}/mcp/shop`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    })
    return await answer.text()
  } catch {
    return 'cut'
  }
}

const countOf = ({ behind }: Installation, row: string): number =>
  behind.got.filter(({ body }) => body.includes(row)).length
/** Same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

const moments = ['created', 'waiting', 'decided', 'consumed', 'dispatched', 'answered'] as const
const rounds = 6

async function killAt(
  moment: (typeof moments)[number],
  running: Serving,
  at: Installation,
  of: { row: string; random: () => number },
): Promise<void> {
  const { random, row } = of
  const { behind } = at
  const later = async (ms: number): Promise<void> => await pause(Math.floor(random() * ms))
  behind.script = (got, res) =>
    answerResult(got, res, '{"content":[{"type":"text","text":"written"}]}')
  if (moment === 'dispatched') behind.script = () => undefined
  const answer = call(running, at, row)
  if (moment === 'created') await later(150)
  else {
    let seen: Seen | undefined
    await until(async () => (seen = await ticketOf(running, at, row)) !== undefined)
    if (moment === 'waiting') await later(30)
    else {
      const decided = decide(running, at, seen?.id ?? '').catch(() => 0)
      if (moment === 'decided') await later(90)
      if (moment === 'consumed') {
        await Promise.race([decided, until(() => countOf(at, row) > 0)])
        await later(4)
      }
      if (moment === 'dispatched') await until(() => countOf(at, row) > 0)
      if (moment === 'answered') {
        await until(() => countOf(at, row) > 0)
        await later(60)
      }
      await Promise.all([running.stop('SIGKILL'), decided])
    }
  }
  await running.stop('SIGKILL')
  await answer
}

test('killed at every moment, an approved call runs once or is unknown, and no ticket is lost', async (t) => {
  const at = await install(t)
  const random = seeded(7)
  const found: Record<string, Record<string, number>> = {}
  let running = await at.serve()
  for (let i = 0; i < rounds * moments.length; i++) {
    const moment = moments[i % moments.length] ?? 'created'
    const row = `row-${String.fromCodePoint(97 + (i % 26))}-${i}-end`
    await killAt(moment, running, at, { row, random })
    const before = countOf(at, row)
    assert.ok(before <= 1, `${moment}: it ran ${before} times before the restart`)
    running = await at.serve()
    const seen = await ticketOf(running, at, row)
    const state = seen?.state ?? 'none'
    found[moment] = { ...found[moment], [state]: (found[moment]?.[state] ?? 0) + 1 }
    await assertAfter(running, at, { moment, row, seen, before })
  }
  t.diagnostic(JSON.stringify(found))
  // What a life of less than a second left to be told is told by a later one.
  const isUnknown = Object.values(found).reduce((sum, of) => sum + (of['unknown'] ?? 0), 0)
  assert.ok(isUnknown >= rounds, 'killed while it ran')
  await until(async () => (await unknownTold(at)) === isUnknown)
  assert.equal(await running.stop('SIGTERM'), 0)
  const verified = await run(['audit', 'verify', '-c', at.file])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
})

/** Tickets of which the record says that nobody knows whether they ran. */
async function unknownTold({ data }: Installation): Promise<number> {
  const ends = (await readEntries(data)).filter(({ type }) => type === 'ticket.ended')
  const told = ends.map(({ details }) => details as { ticket: string; state: string })
  return new Set(told.filter(({ state }) => state === 'unknown').map(({ ticket }) => ticket)).size
}

/** What the client finds when it calls again after the restart. */
async function assertAfter(
  running: Serving,
  at: Installation,
  of: { moment: string; row: string; seen: Seen | undefined; before: number },
): Promise<void> {
  const { before, moment, row, seen } = of
  const state = seen?.state ?? 'none'
  const here = `${moment}: ${state}`
  at.behind.script = (got, res) =>
    answerResult(got, res, '{"content":[{"type":"text","text":"written"}]}')
  if (moment === 'waiting' || moment === 'decided')
    assert.notEqual(state, 'none', `${here} is lost`)
  if (before === 1) {
    assert.ok(state === 'unknown' || state === 'executed', `${here}, and it ran`)
    return
  }
  if (state === 'unknown') return // It may have run: it did not, and never will.
  assert.ok(['none', 'void', 'pending', 'approved'].includes(state), here)
  const answer = call(running, at, row)
  if (state !== 'approved') {
    let now: Seen | undefined
    await until(async () => (now = await ticketOf(running, at, row)) !== undefined)
    if (state === 'void') {
      // Its own ticket ended before it was held; the identical call has one of its own.
      await until(async () => (now = await ticketOf(running, at, row))?.state === 'pending')
    }
    if (state === 'pending')
      assert.equal(now?.id, seen?.id, `${here}: the identical call is its own`)
    assert.equal(await decide(running, at, now?.id ?? ''), 200)
  }
  assert.match(await answer, /written/, here)
  assert.equal(countOf(at, row), 1, here)
  assert.equal((await ticketOf(running, at, row))?.state, 'executed')
}

test('two hundred identical calls on one approved ticket of the program run it once', async (t) => {
  const at = await install(t, '2s')
  const running = await at.serve()
  const row = 'row-of-all'
  const left = new AbortController()
  const first = call(running, at, row, left.signal)
  let seen: Seen | undefined
  await until(async () => (seen = await ticketOf(running, at, row)) !== undefined)
  left.abort()
  await first
  assert.equal(await decide(running, at, seen?.id ?? ''), 200)
  assert.equal(countOf(at, row), 0, 'nothing runs unattended')
  at.behind.script = async (got, res) => {
    await pause(200)
    answerResult(got, res, '{"content":[{"type":"text","text":"written"}]}')
  }
  const modern = modernCall('write', `{"row":"${row}"}`)
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      i % 2 === 0 ? call(running, at, row) : send(running.gateway, at, modern),
    ),
  )
  assert.equal(countOf(at, row), 1)
  assert.ok(all.some((text) => text.includes('written')))
  // Who came once it had run asks anew, and waits for a ticket of its own.
  const rest = all.filter((text) => !text.includes('written'))
  for (const text of rest) {
    assert.match(text, /Ticket tk_|input_required/)
    assert.ok(!text.includes(seen?.id ?? 'none'))
  }
})

test('at SIGTERM whoever waits is told the number at once, and the ticket stands', async (t) => {
  const at = await install(t)
  const running = await at.serve()
  const rows = ['row-plain', 'row-progress', 'row-modern']
  const told = '"_meta":{"progressToken":1}'
  const all = Promise.all([
    call(running, at, 'row-plain'),
    send(running.gateway, at, {
      body: legacyCall('tools/call', `{"name":"write","arguments":{"row":"row-progress"},${told}}`),
      headers: {},
    }),
    send(running.gateway, at, modernCall('write', '{"row":"row-modern"}')),
  ])
  await until(async () => {
    for (const row of rows) if ((await ticketOf(running, at, row)) === undefined) return false
    return true
  })
  const from = Date.now()
  assert.equal(await running.stop('SIGTERM'), 0)
  assert.ok(Date.now() - from < 8000, 'well within the grace')
  for (const text of await all)
    assert.match(text, /Ticket tk_[A-Za-z]+, open until.*identical call/s)
  const again = await at.serve()
  for (const row of rows) assert.equal((await ticketOf(again, at, row))?.state, 'pending')
  assert.equal(at.behind.got.length, 0)
})
