/** Somebody in the middle of things: a stream, a call that takes long, and 500 calls and more. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { answerResult, legacyCall } from './house.ts'
import type { Behind } from './house.ts'
import { readEntries, until } from './program.ts'
import type { Told } from './program.ts'

const callsMin = 500
const workers = 20

export interface Busy {
  /** Resolves when so much is under way that a stop comes into the middle of it. */
  readonly begun: Promise<void>
  /** Ends of it all: what the stream said, when it ended (ms since 1970), and all statuses. */
  readonly over: Promise<{
    readonly stream: string
    readonly streamEndMs: number
    readonly slow: number
    readonly burst: readonly number[]
  }>
  /** Numbers of the calls of the burst which the server got, and how many were begun by now. */
  readonly arrived: readonly number[]
  readonly begunCalls: () => number
  /** Whether the server saw the stream's socket close. */
  readonly isStreamClosed: () => boolean
}

const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n'

/**
 * Keeps somebody busy until they are refused.
 * @param mcp address of the connection.
 * @param answerMsMax how long the server takes for a call of the burst: the less, the more calls.
 */
export function keepBusy(mcp: string, token: string, behind: Behind, answerMsMax = 5): Busy {
  const arrived: number[] = []
  let isClosed = false
  behind.script = async (got, res, req) => {
    if (got.body.includes('"name":"slow"')) return
    if (got.body.includes('"name":"stream"')) {
      req.socket.once('close', () => (isClosed = true))
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const ticking = setInterval(() => res.write(progress), 20)
      res.once('close', () => clearInterval(ticking))
      return
    }
    arrived.push(Number(/"n":(\d+)/.exec(got.body)?.[1]))
    await pause(Math.random() * answerMsMax)
    answerResult(got, res, '{"content":[]}')
  }
  const post = async (body: string): Promise<Response> =>
    await fetch(mcp, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
      },
    })
  const stream = readStream(post(call('stream', 0)))
  const slow = post(call('slow', 0)).then(({ status }) => status)
  let begunCalls = 0
  const burst = sendBurst(async (n) => {
    begunCalls = n + 1
    return (await post(call('burst', n))).status
  })
  const over = Promise.all([stream, slow, burst]).then(([read, slow, burst]) => ({
    stream: read.text,
    streamEndMs: read.endMs,
    slow,
    burst,
  }))
  over.catch(() => undefined) // Whoever waits for it is told.
  const isWaiting = (name: string): boolean =>
    behind.got.some(({ body }) => body.includes(`"name":"${name}"`))
  const begun = until(() => arrived.length > 50 && isWaiting('slow') && isWaiting('stream'))
  return { begun, over, arrived, begunCalls: () => begunCalls, isStreamClosed: () => isClosed }
}

function call(tool: string, n: number): string {
  return legacyCall('tools/call', `{"name":"${tool}","arguments":{"n":${n}}}`)
}

async function readStream(from: Promise<Response>): Promise<{ text: string; endMs: number }> {
  const text = await (await from).text()
  return { text, endMs: Date.now() }
}

/** Until each worker was refused, and 500 calls were made. */
async function sendBurst(send: (n: number) => Promise<number>): Promise<number[]> {
  const statuses: number[] = []
  let n = 0
  const work = async (): Promise<void> => {
    let status = 0
    while (status !== 401 || n < callsMin) {
      status = await send(n++)
      statuses.push(status)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  return statuses
}

/**
 * What must hold when somebody was stopped while they were busy, by the record and by the server.
 * @param begunCalls how many calls were begun when whoever stopped them was answered.
 * @returns the entries.
 */
export async function assertStopped(
  busy: Busy,
  dataDir: string,
  begunCalls: number,
): Promise<Told[]> {
  const { burst, slow, stream, streamEndMs } = await busy.over
  const entries = await readEntries(dataDir)
  const at = entries.findIndex(({ type }) => type === 'principal.revoked')
  assert.ok(at > 0, 'the stop stands in the record')
  const lateMs = streamEndMs - Date.parse(String(entries[at]?.['time']))
  assert.ok(lateMs < 1000, `the stream ended ${lateMs} ms after the stop`)
  assert.match(stream, /Access was stopped/)
  await until(busy.isStreamClosed)
  assert.equal(slow, 401)
  assert.ok(burst.includes(200) && burst.includes(401), 'the stop came in the middle')
  assert.deepEqual(
    burst.filter((status) => status !== 200 && status !== 401),
    [],
  )

  const isBefore = (type: string, exchange: unknown): boolean =>
    entries.slice(0, at).some((entry) => entry.type === type && entry.exchange === exchange)
  const later = entries.slice(at)
  assert.deepEqual(
    later.filter(({ type }) => type === 'call.dispatched' || type === 'call.received'),
    [],
    'nothing is sent after the durable entry',
  )
  const exchanges = new Map(
    entries.flatMap(({ exchange, text, type }) => {
      const n = /"name":"burst","arguments":\{"n":(\d+)\}/.exec(text)?.[1]
      return type === 'call.received' && n !== undefined ? [[Number(n), exchange] as const] : []
    }),
  )
  const strays = busy.arrived.filter((n) => !isBefore('call.dispatched', exchanges.get(n)))
  const late = busy.arrived.filter((n) => n >= begunCalls)
  assert.deepEqual(late, [], 'what was asked for after the answer never left')
  assert.deepEqual(strays, [], 'the server got only what was recorded as sent before the stop')
  assertEnds(entries)
  return entries
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Every exchange has one end: it finished, or nobody knows. */
function assertEnds(entries: readonly Told[]): void {
  const of = (type: string): Told[] => entries.filter((entry) => entry.type === type)
  const ends = of('call.finished')
  assert.deepEqual(
    ends.map(({ exchange }) => String(exchange)).toSorted(byText),
    of('call.received')
      .map(({ exchange }) => String(exchange))
      .toSorted(byText),
  )
  const told = new Set(ends.map(({ outcome, reason }) => `${String(outcome)} ${String(reason)}`))
  // Failed: it was recorded, and stopped before its first byte left.
  const allowed = ['ok undefined', 'unknown revoked', 'failed revoked']
  assert.deepEqual(
    [...told].filter((one) => !allowed.includes(one)),
    [],
  )
  assert.ok(told.has('unknown revoked'), 'what was in flight ends as unknown')
  const [cut] = of('revocation.cut')
  const { calls } = (cut?.['details'] as { calls: number } | undefined) ?? { calls: 0 }
  assert.ok(calls >= 2, `the stream and the slow call were cut, not ${calls}`)
}
