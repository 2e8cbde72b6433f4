/** The queue and the way to a receiver, with real HTTP servers. */
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { desk, hook, site, ticketOf, webhookSecret } from './site.fixture.ts'
import type { Answer, Desk } from './site.fixture.ts'

/** The one entry of a type. */
function entry({ noted }: Desk, type: string): Readonly<Record<string, unknown>> | undefined {
  return noted.find((each) => each.type === type)?.details
}

const refusals: readonly (readonly [
  what: string,
  answer: Answer,
  reason: string,
  tries: number,
])[] = [
  ['errors', (response) => void response.writeHead(500).end('no'), 'status_500', 4],
  ['is forbidden', (response) => void response.writeHead(403).end('no'), 'status_403', 4],
  ['takes no such message', (response) => void response.writeHead(400).end(), 'status_400', 2],
  [
    'redirects',
    (response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
    'redirect',
    4,
  ],
  ['hangs up', (response) => void response.destroy(), 'unreachable', 4],
  ['never answers', () => undefined, 'timeout', 4],
]
for (const [what, answer, reason, tries] of refusals) {
  test(`a receiver that ${what} is tried, given up, recorded and told of`, async (t) => {
    const { got, url } = await site(t, answer)
    const tryMs = reason === 'timeout' ? 60 : 10_000
    const pace = { triesMax: 4, refusedTriesMax: 2, tryMs }
    const at = desk(t, [hook(url)], { pace })
    await at.notices.tell({ kind: 'created', ticket: ticketOf() })
    await at.until(() => at.noted.length > 0)
    assert.equal(got.length, tries)
    assert.ok(
      got.every(({ path }) => path === '/hook/T0/verysecretpath'),
      'none was followed',
    )
    assert.equal(new Set(got.map(({ headers }) => headers['webhook-id'])).size, 1)
    const details = entry(at, 'notice.failed')
    assert.equal(details?.reason, reason)
    assert.equal(details?.ticket, ticketOf().id)
    assert.equal(details?.receiver, 'ops')
    assert.deepEqual(at.told, [`failed notice ops ${reason}`])
    const [figures] = at.notices.figures()
    assert.deepEqual(
      [figures?.waiting, figures?.sent, figures?.failed, figures?.failedTries, figures?.reason],
      [0, 0, 1, tries, reason],
    )
    assert.doesNotMatch(JSON.stringify([at.noted, at.told]), /verysecret|127\.0\.0\.1/)
  })
}

test('an answer without end is a success by its head and is not read', async (t) => {
  const { url } = await site(t, (response) => {
    response.writeHead(200)
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  const at = desk(t, [hook(url)])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(at.noted[0]?.type, 'notice.sent')
})

test('a receiver that fails twice and then works is told of as failing and as restored', async (t) => {
  const { got, url } = await site(t, (response, nth) => {
    response.writeHead(nth < 2 ? 503 : 202).end()
  })
  const at = desk(t, [hook(url)])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0 && at.told.length === 2)
  assert.deepEqual(at.told, ['failed notice ops status_503', 'restored notice ops'])
  assert.equal(entry(at, 'notice.sent')?.tries, 3)
  assert.equal(got.length, 3)
  assert.equal(at.notices.figures()[0]?.reason, undefined)
})

for (const [what, header] of [
  ['seconds', () => '1'],
  ['a date', () => new Date(Date.now() + 2_000).toUTCString()],
] as const) {
  test(`Retry-After in ${what} is honoured`, async (t) => {
    const times: number[] = []
    const { url } = await site(t, (response, nth) => {
      times.push(Date.now())
      if (nth === 0) response.writeHead(429, { 'retry-after': header() }).end()
      else response.writeHead(202).end()
    })
    const at = desk(t, [hook(url)])
    await at.notices.tell({ kind: 'created', ticket: ticketOf() })
    await at.until(() => at.noted.length > 0)
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 950, `${times.join()}`)
    assert.deepEqual(at.told, [], 'once may be chance')
  })
}

test('the pause after a failure doubles, with half of it by chance', async (t) => {
  const times: number[] = []
  const { url } = await site(t, (response) => {
    times.push(performance.now())
    response.writeHead(500).end()
  })
  const pace = { triesMax: 4, retryMs: 80, retryMsMax: 10_000 }
  const at = desk(t, [hook(url)], { pace })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  for (const [i, pause] of pauses.entries()) {
    assert.ok(pause >= 40 * 2 ** i - 2, `pause ${i} of ${pause} ms`)
  }
})

test('a signature is what anybody computes who knows the secret', async (t) => {
  const { came, got, url } = await site(t)
  const at = desk(t, [hook(url)])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await came(1)
  const [first] = got
  assert.ok(first)
  const { body, headers } = first
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signed } = headers
  const raw = Buffer.from(webhookSecret.slice(6), 'base64')
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = await webcrypto.subtle.importKey('raw', raw, hmac, false, ['verify'])
  const text = Buffer.from(`${String(id)}.${String(seconds)}.${body}`)
  const signature = Buffer.from(String(signed).replace(/^v1,/, ''), 'base64')
  assert.ok(await webcrypto.subtle.verify('HMAC', key, signature, text))
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 5)
  assert.match(String(id), /^msg_[A-Za-z0-9]{27}$/)
})

test('what a webhook gets', async (t) => {
  const { came, got, url } = await site(t)
  const at = desk(t, [hook(url)])
  const ticket = ticketOf()
  await at.notices.tell({ kind: 'created', ticket })
  await came(1)
  const body: unknown = JSON.parse(got[0]?.body ?? '')
  assert.deepEqual((body as { data: unknown }).data, {
    ticket: ticket.id,
    connection: 'payments',
    tool: 'execute_sql',
    requester: 'Ada L.',
    rule: 'writes-are-held',
    reason: 'It writes cardholder data.',
    approvals_needed: 2,
    passkey_needed: true,
    not_after: new Date(ticket.notAfterMs).toISOString(),
    urgent: false,
    link: `https://gate.example/approvals/${ticket.id}`,
  })
  assert.equal((body as { type: unknown }).type, 'ticket.created')
  assert.doesNotMatch(got[0]?.body ?? '', /DELETE|confidential|192\.0\.2\.7/)
})

test('an event that is told twice goes out once; another kind of the same ticket goes out', async (t) => {
  const { came, got, url } = await site(t)
  const at = desk(t, [hook(url)])
  const created = { kind: 'created', ticket: ticketOf() } as const
  await Promise.all([at.notices.tell(created), at.notices.tell(created)])
  await came(1)
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.notices.tell({ kind: 'approved', ticket: ticketOf({ state: 'approved' }) })
  await came(2)
  await at.until(() => at.noted.length === 2)
  assert.equal(got.length, 2)
  assert.match(got[1]?.body ?? '', /"type":"ticket.approved"/)
})

test('one receiver that never answers delays no other, and no tick', async (t) => {
  const slow = await site(t, () => undefined)
  const quick = await site(t)
  const receivers = [hook(slow.url, 'slow'), hook(quick.url, 'quick')]
  const at = desk(t, receivers, { pace: { tryMs: 60_000, burst: 100 } })
  for (let i = 0; i < 20; i++) {
    await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: `tk_${i}x` }) })
    await quick.came(i + 1)
    await at.notices.tick()
  }
  assert.equal(slow.got.length, 1)
  assert.equal(at.notices.figures()[0]?.waiting, 20)
})

test('ten thousand holds become a few messages, none is lost from the count', async (t) => {
  const { got, url } = await site(t)
  const at = desk(t, [hook(url)], { pace: { burst: 3, everyMs: 20, waitingMax: 1_000 } })
  let slowestMs = 0
  const all: Promise<void>[] = []
  for (let i = 0; i < 10_000; i++) {
    const began = performance.now()
    all.push(at.notices.tell({ kind: 'created', ticket: ticketOf({ id: `tk_${i}x` }) }))
    slowestMs = Math.max(slowestMs, performance.now() - began)
  }
  await Promise.all(all)
  await at.until(() => at.notices.figures()[0]?.waiting === 0)
  assert.equal(at.notices.figures()[0]?.sent, 10_000)
  assert.ok(got.length <= 10, `${got.length} messages`)
  assert.ok(slowestMs < 500, `a tell took ${slowestMs} ms`)
  const told = got.map(
    ({ body }) => JSON.parse(body) as { type: string; data: { waiting?: number } },
  )
  const calls = told.map(({ data, type }) => (type === 'tickets.digest' ? (data.waiting ?? 0) : 1))
  assert.equal(
    calls.reduce((sum, each) => sum + each, 0),
    10_000,
  )
  assert.ok(got.every(({ body }) => body.length < 4_000))
  const named = at.noted.flatMap(({ details }) => (details.tickets ?? []) as string[])
  assert.ok(named.length >= 900, 'the record names those of a digest')
  assert.ok(at.noted.every(({ details }) => ((details.tickets ?? []) as string[]).length <= 100))
})

test('an emergency is told alone and first although calls wait in numbers', async (t) => {
  const open: (() => void)[] = []
  const { came, got, url } = await site(t, (response, nth) => {
    const answer = (): void => void response.writeHead(202).end()
    if (nth === 0) open.push(answer)
    else answer()
  })
  const at = desk(t, [hook(url)], { pace: { burst: 1, everyMs: 60_000 } })
  await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: 'tk_first' }) })
  await came(1)
  for (let i = 0; i < 50; i++) {
    await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: `tk_${i}x` }) })
  }
  await at.notices.tell({ kind: 'emergency', ticket: ticketOf({ id: 'tk_urgent' }) })
  for (const answer of open) answer()
  await came(2)
  assert.match(got[1]?.body ?? '', /"type":"ticket.emergency".*"ticket":"tk_urgent".*"urgent":true/)
  await at.until(() => at.notices.figures()[0]?.waiting === 50)
})

test('a call that was decided before anybody could be told is not told to wait', async (t) => {
  const { came, got, url } = await site(t, (response, nth) => {
    response.writeHead(nth === 0 ? 503 : 202, nth === 0 ? { 'retry-after': '1' } : {}).end()
  })
  const at = desk(t, [hook(url)])
  await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: 'tk_other' }) })
  await came(1)
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.notices.tell({ kind: 'reminded', ticket: ticketOf() })
  await at.notices.tell({ kind: 'denied', ticket: ticketOf({ state: 'denied' }) })
  await at.until(() => at.notices.figures()[0]?.waiting === 0)
  const types = got.slice(1).map(({ body }) => (JSON.parse(body) as { type: string }).type)
  assert.deepEqual(types.toSorted(), ['ticket.created', 'ticket.denied'])
})

test('what is too late to be decided is given up and recorded', async (t) => {
  const { got, url } = await site(t)
  const at = desk(t, [hook(url)])
  await at.notices.tell({ kind: 'created', ticket: ticketOf({ notAfterMs: Date.now() - 1 }) })
  await at.until(() => at.noted.length > 0)
  assert.equal(entry(at, 'notice.failed')?.reason, 'too_late')
  assert.equal(got.length, 0)
})

test('a record that takes nothing stops no notice, and what was sent is not sent again', async (t) => {
  const { got, url } = await site(t)
  const down = new Fault('record_down', 'The record is down.')
  const at = desk(t, [hook(url)], { note: () => Promise.reject(down) })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.notices.figures()[0]?.waiting === 0)
  assert.equal(got.length, 1)
})

test('a masker that refuses costs the words, not the notice', async (t) => {
  const { came, got, url } = await site(t)
  const words = (): never => {
    throw new Fault('mask_failed', 'It cannot be masked.')
  }
  const at = desk(t, [hook(url)], { masker: { words } })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await came(1)
  assert.match(got[0]?.body ?? '', /"ticket":"tk_abc.*"tool":"\(withheld\)"/)
  assert.doesNotMatch(got[0]?.body ?? '', /Ada|execute_sql/)
})

test('after a restart what waits is told, once; what was told is not told again', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-notify-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'state.sqlite')
  let isUp = false
  const { came, got, url } = await site(t, (response) => {
    response.writeHead(isUp ? 202 : 503).end()
  })
  const gone = await site(t, (response) => void response.writeHead(503).end())
  const slowly = { retryMs: 60_000, retryMsMax: 60_000 }
  const first = desk(t, [hook(url), hook(gone.url, 'gone')], { file, pace: slowly })
  await first.notices.tell({ kind: 'created', ticket: ticketOf() })
  await Promise.all([came(1), gone.came(1)])
  await first.notices.close()
  isUp = true
  const second = desk(t, [hook(url)], { file })
  await second.notices.tell({ kind: 'created', ticket: ticketOf() })
  await came(2)
  await second.until(() => second.noted.length === 2)
  assert.equal(got[0]?.headers['webhook-id'], got[1]?.headers['webhook-id'])
  const lost = entry(second, 'notice.failed')
  assert.deepEqual([lost?.receiver, lost?.reason, lost?.notices], ['gone', 'receiver_gone', 1])
  await second.notices.close()
  const third = desk(t, [hook(url)], { file })
  await third.notices.tell({ kind: 'created', ticket: ticketOf() })
  await third.notices.tell({ kind: 'denied', ticket: ticketOf() })
  await came(3)
  await third.until(() => third.noted.length === 1)
  assert.match(got[2]?.body ?? '', /ticket.denied/)
})

test('a wall clock that is set back puts nothing off for long', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-notify-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'state.sqlite')
  const { came, url } = await site(t, (response, nth) => {
    response.writeHead(nth === 0 ? 503 : 202).end()
  })
  const dayMs = 86_400_000
  const now = systemClock()
  const ahead = { ...now, nowUs: () => now.nowUs() + dayMs * 1000 }
  const slowly = { retryMs: 60_000, retryMsMax: 60_000 }
  const first = desk(t, [hook(url)], { file, clock: ahead, pace: slowly })
  const ticket = ticketOf({ notAfterMs: Date.now() + 2 * dayMs })
  await first.notices.tell({ kind: 'created', ticket })
  await came(1)
  await first.notices.close()
  const second = desk(t, [hook(url)], { file })
  await came(2)
  await second.until(() => second.noted.length === 1)
})

test('a changed tool is told once for each change', async (t) => {
  const { came, got, url } = await site(t)
  const at = desk(t, [hook(url)])
  const change = {
    kind: 'tool_changed',
    connection: 'payments',
    tool: 'pay',
    isHeld: true,
  } as const
  await at.notices.tell({ ...change, sha256: 'aa' })
  await at.notices.tell({ ...change, sha256: 'aa' })
  await came(1)
  await at.notices.tell({ ...change, sha256: 'bb' })
  await came(2)
  await at.until(() => at.noted.length === 2)
  assert.equal(got.length, 2)
  assert.equal(entry(at, 'notice.sent')?.ticket, undefined)
})

test('without receivers nothing is kept and nothing fails', async (t) => {
  const at = desk(t, [])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.notices.tick()
  assert.deepEqual(at.notices.figures(), [])
})
