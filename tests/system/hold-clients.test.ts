/** Held calls with the clients people use in front and a server on the official SDK behind. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client'
import type { ClientOptions } from '@modelcontextprotocol/client'
import {
  createTaskSessionFromClient,
  resultFromTaskOutcome,
} from '@modelcontextprotocol/ext-tasks/client'
import type { JsonValue } from '@modelcontextprotocol/ext-tasks/core'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { until } from './program.ts'
import { startCounter } from './counter.ts'
import { heldRules, openDesk } from './reviewing.ts'

const counter = await startCounter()
const desk = await openDesk({
  upstream: counter.url,
  access: '  - { who: { group: analysts }, may: { connection: shop }, reveal: pan }',
  extra: `${heldRules}\nlimits: { streams_per_principal_max: 300 }`,
})
const { house } = desk
after(async () => {
  await house.stop()
  await counter.close()
})

type Kind = 'v1' | 'v2-legacy' | 'v2-auto' | 'v2-modern'
const kinds: readonly Kind[] = ['v1', 'v2-legacy', 'v2-auto', 'v2-modern']

interface Options {
  readonly timeout?: number
  readonly onprogress?: (progress: { progress: number; message?: string | undefined }) => void
  readonly resetTimeoutOnProgress?: boolean
  readonly signal?: AbortSignal
}
interface Caller {
  call(name: string, args: Record<string, unknown>, options?: Options): Promise<string>
  read(uri: string, options?: Options): Promise<string>
  prompt(row: string, options?: Options): Promise<string>
  close(): Promise<void>
}

const identity = { name: 'sallyport-tests', version: '1.0.0' }
const patient = 20_000
const modes: Record<Exclude<Kind, 'v1'>, NonNullable<ClientOptions['versionNegotiation']>> = {
  'v2-legacy': { mode: 'legacy' },
  'v2-auto': { mode: 'auto' },
  'v2-modern': { mode: { pin: '2026-07-28' } },
}

async function connect(
  t: TestContext,
  kind: Kind,
  who = 'sam',
  groups = ['staff'],
): Promise<Caller> {
  const headers = { authorization: `Bearer ${await house.token({ subject: who, groups })}` }
  const caller = kind === 'v1' ? await connectV1(headers) : await connectV2(kind, headers)
  t.after(() => caller.close())
  return caller
}

async function connectV1(headers: Record<string, string>, url = house.mcp): Promise<Caller> {
  const client = new ClientV1(identity)
  const transport = new TransportV1(new URL(url), { requestInit: { headers } })
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  const json = JSON.stringify
  return {
    call: async (name, args, options = {}) =>
      json(
        await client.callTool({ name, arguments: args }, undefined, {
          timeout: patient,
          ...options,
        }),
      ),
    read: async (uri, options = {}) =>
      json(await client.readResource({ uri }, { timeout: patient, ...options })),
    prompt: async (row, options = {}) =>
      json(
        await client.getPrompt(
          { name: 'held', arguments: { row } },
          { timeout: patient, ...options },
        ),
      ),
    close: () => client.close(),
  }
}

async function connectV2(
  kind: Exclude<Kind, 'v1'>,
  headers: Record<string, string>,
): Promise<Caller> {
  const client = new ClientV2(identity, { versionNegotiation: modes[kind] })
  await client.connect(new TransportV2(new URL(house.mcp), { requestInit: { headers } }))
  const json = JSON.stringify
  return {
    call: async (name, args, options = {}) =>
      json(await client.callTool({ name, arguments: args }, { timeout: patient, ...options })),
    read: async (uri, options = {}) =>
      json(await client.readResource({ uri }, { timeout: patient, ...options })),
    prompt: async (row, options = {}) =>
      json(
        await client.getPrompt(
          { name: 'held', arguments: { row } },
          { timeout: patient, ...options },
        ),
      ),
    close: () => client.close(),
  }
}

let rows = 0
/** A row like no other: no digits of its name stand in another's. */
const fresh = (): string => `row-${String.fromCodePoint(97 + (rows++ % 26))}${rows}x`
const isModern = (kind: Kind): boolean => kind === 'v2-auto' || kind === 'v2-modern'
/** What a model is told when its call still waits. */
const told = (answer: string): { text: string; ticket: string; isError: boolean } => {
  const ticket = /Ticket (tk_[A-Za-z]+)/.exec(answer)?.[1] ?? ''
  return { text: answer, ticket, isError: answer.includes('"isError":true') }
}

for (const kind of kinds) {
  test(`the ${kind} client waits, and gets its result`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const answer = client.call('add', { row })
    const id = await desk.settle(row, 'approve')
    assert.match(await answer, new RegExp(`row ${row}`))
    assert.deepEqual([counter.count(row), desk.stateOf(id)], [1, 'executed'])
  })

  test(`the ${kind} client is told of a denial`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const answer = client.call('add', { row })
    await desk.settle(row, 'deny')
    const { isError, text } = told(await answer)
    assert.ok(isError)
    assert.match(text, /denied this call; it was not sent/)
    assert.equal(counter.count(row), 0)
  })

  for (const resets of [true, false]) {
    const how = resets ? 'with a timer that progress resets' : 'with a timer of its own'
    test(`the ${kind} client hears of progress, ${how}`, async (t) => {
      const client = await connect(t, kind)
      const row = fresh()
      const heard: number[] = []
      const answer = client.call(
        'add_tells',
        { row },
        {
          onprogress: ({ progress }) => void heard.push(progress),
          resetTimeoutOnProgress: resets,
        },
      )
      await desk.settle(row, 'approve')
      assert.match(await answer, new RegExp(`row ${row}`))
      assert.equal(counter.count(row), 1)
      assert.ok(heard.length >= 4, `heard ${heard.join(' ')}`)
      assert.ok((heard[0] ?? 0) < 0)
      assert.deepEqual(
        heard,
        heard.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(heard).size, heard.length, 'each rises')
    })
  }

  test(`the ${kind} client gets the ticket’s number, and its identical call runs it once`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const first = told(await client.call('add', { row }))
    assert.ok(first.isError)
    assert.match(first.text, /identical call again/)
    await desk.decide(first.ticket, 'approve')
    assert.equal(counter.count(row), 0, 'nothing runs unattended')
    const [once, again] = await Promise.all([
      client.call('add', { row }),
      client.call('add', { row }),
    ])
    assert.ok([once, again].some((answer) => answer.includes(`row ${row}`)))
    assert.equal(counter.count(row), 1)
    await withdrawAll()
  })

  test(`the ${kind} client whose time-out is shorter than the wait runs it once later`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const lost = client.call('add', { row }, { timeout: 500 })
    const { id } = await desk.waiting(row)
    await assert.rejects(lost, /timed out/i)
    await until(async () => (await endsOf(id)) > 0)
    await desk.decide(id, 'approve')
    await new Promise((done) => setTimeout(done, 200))
    assert.equal(counter.count(row), 0, 'nothing runs unattended')
    assert.match(await client.call('add', { row }), new RegExp(`row ${row}`))
    assert.deepEqual([counter.count(row), desk.stateOf(id)], [1, 'executed'])
  })

  test(`the ${kind} client whose time-out passes while it runs gets the lost answer`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const lost = client.call('add_late', { row }, { timeout: 900 })
    const id = await desk.settle(row, 'approve')
    await assert.rejects(lost, /timed out/i)
    const again = await client.call('add_late', { row })
    assert.equal(counter.count(row), 1)
    // A server may drop the answer of what was cancelled; then nobody knows, and nothing runs again.
    const ended = desk.stateOf(id) ?? ''
    if (ended === 'executed') assert.match(again, new RegExp(`row ${row}`))
    else if (ended === 'unknown') assert.match(again, /may have run/)
    else assert.deepEqual([ended, /is running/.test(again)], ['executing', true])
  })

  test(`the ${kind} client is told of a denial that came while it was away`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const left = new AbortController()
    const lost = client.call('add', { row }, { signal: left.signal })
    const { id } = await desk.waiting(row)
    left.abort('gone')
    await assert.rejects(lost)
    await until(async () => (await endsOf(id)) > 0)
    assert.equal(desk.stateOf(id), 'pending', 'leaving ends the wait and not the ticket')
    await desk.decide(id, 'deny')
    assert.match(told(await client.call('add', { row })).text, /denied this call/)
    assert.equal(counter.count(row), 0)
  })

  test(`the ${kind} client gets a held tool’s own failure, and a protocol error`, async (t) => {
    const client = await connect(t, kind)
    for (const [tool, wanted] of [
      ['add_fails', /failed/],
      ['add_throws', /no such row/],
    ] as const) {
      const row = fresh()
      const answer = client.call(tool, { row }).catch((error: unknown) => String(error))
      const id = await desk.settle(row, 'approve')
      assert.match(await answer, wanted)
      assert.deepEqual([counter.count(row), desk.stateOf(id)], [1, 'executed'])
    }
  })

  test(`the ${kind} client reads a held resource, and gets a held prompt`, async (t) => {
    const client = await connect(t, kind)
    const row = fresh()
    const uri = `row://held/${row}`
    const read = client.read(uri)
    await desk.settle(uri, 'approve')
    assert.match(await read, new RegExp(`read ${uri}`))
    assert.equal(counter.count(uri), 1)
    const prompt = client.prompt(row)
    await desk.settle(row, 'approve')
    assert.match(await prompt, new RegExp(`prompt ${row}`))
    const denied = client.prompt(fresh()).catch((error: unknown) => String(error))
    await desk.settle('held', 'deny')
    assert.match(await denied, /denied this call/)
  })

  test(`the ${kind} client that is stopped while it waits is cut, and nothing runs`, async (t) => {
    const client = await connect(t, kind, `leaver-${kind}`)
    const row = fresh()
    const answer = client
      .call('add', { row }, { onprogress: () => undefined })
      .catch((error: unknown) => String(error))
    const { id } = await desk.waiting(row)
    const { local, stops } = house.gateway
    const target = {
      kind: 'principal' as const,
      issuer: local?.issuer ?? '',
      subject: `leaver-${kind}`,
    }
    const from = Date.now()
    await stops.stop({ target, reason: 'left', by: 'test', source: 'cli' })
    assert.match(await answer, /stopped|Unauthorized|401/i)
    assert.ok(Date.now() - from < 1000)
    assert.equal(desk.stateOf(id), 'revoked')
    await assert.rejects(desk.decide(id, 'approve'), { code: 'refused' })
    assert.equal(counter.count(row), 0)
  })

  if (isModern(kind)) {
    test(`the ${kind} client goes through several legs`, async (t) => {
      const client = await connect(t, kind)
      const row = fresh()
      const answer = client.call('add', { row })
      const { id } = await desk.waiting(row)
      await until(async () => (await endsOf(id)) >= 3)
      await desk.decide(id, 'approve')
      assert.match(await answer, new RegExp(`row ${row}`))
      assert.equal(counter.count(row), 1)
    })
  } else {
    test(`the ${kind} client waits in a session of its server’s`, () => {
      assert.ok(counter.sessions.size > 0)
    })
  }
}

/** The tasks client over the modern one: it polls by itself until the end. */
async function connectTasks(
  t: TestContext,
): Promise<ReturnType<typeof createTaskSessionFromClient>> {
  const token = await house.token({ subject: 'sam', groups: ['staff'] })
  const headers = { authorization: `Bearer ${token}` }
  const client = new ClientV2(identity, { versionNegotiation: modes['v2-modern'] })
  await client.connect(new TransportV2(new URL(house.mcp), { requestInit: { headers } }))
  let requests = 0
  const session = createTaskSessionFromClient(client, {
    endpointId: 'shop',
    // The SDK's own codecs refuse a task in a result's place: the host sends these by itself.
    rawDispatch: async (request) => {
      const whole = request as { method: string; params: { name?: string; taskId?: string } }
      const response = await fetch(house.mcp, {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: `raw-${++requests}`, ...whole }),
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': whole.method,
          'mcp-name': whole.params.name ?? whole.params.taskId ?? '',
        },
      })
      const told = (await response.json()) as {
        result?: JsonValue
        error?: { code: number; message: string }
      }
      if (told.error !== undefined) return { kind: 'error', error: told.error }
      return { kind: 'result', result: told.result ?? null }
    },
    v2RequestFraming: {
      protocolVersion: '2026-07-28',
      clientInfo: identity,
      clientCapabilities: {},
    },
  })
  t.after(async () => {
    await session.close()
    await client.close()
  })
  return session
}

test('of two clients of one person at a server without sessions, who left runs nothing', async (t) => {
  const stateless = await startCounter(true)
  const holds = 'holds: { wait: 5s, session_decisions: true }'
  const other = await openDesk({ upstream: stateless.url }, holds)
  const token = await other.house.token({ subject: 'sam', groups: ['staff'] })
  const headers = { authorization: `Bearer ${token}` }
  const { mcp } = other.house
  const [first, second] = [await connectV1(headers, mcp), await connectV1(headers, mcp)]
  t.after(async () => {
    await Promise.all([first.close(), second.close()])
    await other.house.stop()
    await stateless.close()
  })
  const [row, theirs] = [fresh(), fresh()]
  const lost = first.call('add', { row }, { timeout: 700 }).catch(() => 'lost')
  const { id } = await other.waiting(row)
  const stays = second.call('add', { row: theirs }).catch(String)
  await other.waiting(theirs)
  assert.equal(await lost, 'lost')
  await new Promise((done) => setTimeout(done, 200))
  await other.decide(id, 'approve')
  await new Promise((done) => setTimeout(done, 300))
  assert.equal(stateless.count(row), 0, 'nothing runs unattended')
  assert.match(await first.call('add', { row }), new RegExp(`row ${row}`))
  await stays
})

test('the tasks client is given a task, and takes its result when it is approved', async (t) => {
  const session = await connectTasks(t)
  const row = fresh()
  const execution = await session.callTool('add', { row })
  const settled = execution.settle()
  const id = await desk.settle(row, 'approve')
  const { outcome } = await settled
  assert.match(JSON.stringify(resultFromTaskOutcome(outcome)), new RegExp(`row ${row}`))
  assert.deepEqual([counter.count(row), desk.stateOf(id)], [1, 'executed'])
})
test('the tasks client is told of a denial as a result that failed', async (t) => {
  const session = await connectTasks(t)
  const row = fresh()
  const execution = await session.callTool('add', { row })
  const settled = execution.settle()
  await desk.settle(row, 'deny')
  const { outcome } = await settled
  const told = JSON.stringify(resultFromTaskOutcome(outcome))
  assert.match(told, /denied this call/)
  assert.match(told, /"isError":true/)
  assert.equal(counter.count(row), 0)
})
test('the tasks client withdraws its call by cancelling', async (t) => {
  const session = await connectTasks(t)
  const row = fresh()
  const execution = await session.callTool('add', { row })
  const { id } = await desk.waiting(row)
  await execution.cancel()
  await until(() => desk.stateOf(id) === 'withdrawn')
  await assert.rejects(desk.decide(id, 'approve'), { code: 'refused' })
  assert.equal(counter.count(row), 0)
})

/** How many requests waited for a ticket and have ended, whatever with. */
async function endsOf(id: string): Promise<number> {
  const entries = await house.entries()
  const mine = new Set(entries.filter((one) => one['ticket'] === id).map((one) => one['exchange']))
  return entries.filter((one) => one['type'] === 'call.finished' && mine.has(one['exchange']))
    .length
}

async function withdrawAll(): Promise<void> {
  const { tickets } = house.gateway
  for (const one of tickets.list({ states: ['pending'], limit: 1000 })) {
    await tickets.withdraw(one.id, one.owner)
  }
}
