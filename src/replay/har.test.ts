import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalize } from '../tlog/canonical.ts'
import { replay } from './replay.ts'
import { answered, asked, crashed, entry, finished, from, hostile } from './sample.fixture.ts'
import { hostileLog, log, proofOf, received } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Prove } from './shown.ts'

// Reading JSON of our own for a test: members are looked at one by one below.
// oxlint-disable-next-line typescript/no-explicit-any -- see above.
type Json = any

async function textOf(of: readonly RecordedEntry[], proof?: Prove): Promise<string> {
  const options = { format: 'har', shows: () => true, version: '1.2.3', proof } as const
  return (await Array.fromAsync(replay(from(of), options))).join('')
}

async function harOf(of: readonly RecordedEntry[], proof?: Prove): Promise<Json> {
  const value: Json = JSON.parse(await textOf(of, proof))
  checkHar(value)
  return value.log
}

const when = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const known = {
  log: 'version creator browser pages entries comment',
  page: 'startedDateTime id title pageTimings comment',
  entry:
    'pageref startedDateTime time request response cache timings serverIPAddress connection comment',
  request:
    'method url httpVersion cookies headers queryString postData headersSize bodySize comment',
  response:
    'status statusText httpVersion cookies headers content redirectURL headersSize bodySize comment',
  content: 'size compression mimeType text encoding comment',
  postData: 'mimeType params text comment',
  timings: 'blocked dns connect send wait receive ssl comment',
}

/** Members are those of HAR 1.2, or begin with `_`. */
function checkNames(value: Json, kind: keyof typeof known): void {
  const names = new Set(known[kind].split(' '))
  for (const name of Object.keys(value))
    assert.ok(names.has(name) || name.startsWith('_'), `${kind}.${name}`)
}

/** What HAR 1.2 asks for: required members, their types, and sums. */
function checkHar(har: Json): void {
  assert.deepEqual(Object.keys(har), ['log'])
  const { creator, entries, pages, version } = har.log
  checkNames(har.log, 'log')
  assert.equal(version, '1.2')
  assert.deepEqual(creator, { name: 'Sallyport', version: '1.2.3' })
  assert.ok(Array.isArray(entries) && Array.isArray(pages))
  for (const page of pages) {
    checkNames(page, 'page')
    assert.match(page.startedDateTime, when)
    assert.ok(typeof page.id === 'string' && typeof page.title === 'string')
    assert.deepEqual(page.pageTimings, {})
  }
  for (const one of entries) checkEntry(one, new Set(pages.map(({ id }: Json) => id)))
}

function checkEntry(one: Json, pages: ReadonlySet<unknown>): void {
  checkNames(one, 'entry')
  assert.match(one.startedDateTime, when)
  assert.ok(one.pageref === undefined || pages.has(one.pageref))
  assert.deepEqual(one.cache, {})
  checkNames(one.timings, 'timings')
  const { blocked, receive, send, wait } = one.timings
  for (const ms of [one.time, blocked, send, wait, receive])
    assert.ok(Number.isFinite(ms) && ms >= 0)
  assert.ok(Math.abs(blocked + send + wait + receive - one.time) < 1e-6)
  for (const side of [one.request, one.response]) {
    assert.deepEqual([side.cookies, side.headers, side.httpVersion], [[], [], 'unknown'])
    for (const size of [side.headersSize, side.bodySize])
      assert.ok(Number.isInteger(size) && size >= -1)
  }
  const { request, response } = one
  checkNames(request, 'request')
  assert.match(request.method, /^(POST|GET|DELETE)$/)
  assert.equal(new URL(request.url).protocol, 'sallyport:')
  assert.deepEqual(request.queryString, [])
  if (request.postData) {
    checkNames(request.postData, 'postData')
    assert.ok(
      typeof request.postData.mimeType === 'string' && typeof request.postData.text === 'string',
    )
  }
  checkNames(response, 'response')
  assert.ok(Number.isInteger(response.status) && typeof response.statusText === 'string')
  assert.equal(response.redirectURL, '')
  const { encoding, mimeType, size, text } = response.content
  checkNames(response.content, 'content')
  assert.equal(typeof mimeType, 'string')
  const bytes = Buffer.from(text ?? '', encoding === 'base64' ? 'base64' : 'utf8')
  assert.equal(size, bytes.length)
}

test('an exchange is one entry with its request, answer, times and verdict', async () => {
  const { entries, pages, _shown } = await harOf(log)
  const [call, refused, ...others] = entries
  assert.equal(others.length, 0)
  assert.equal(call.startedDateTime, '2026-11-21T07:48:01.000001Z')
  assert.equal(call.time, 5012.345)
  // Sent 2 s after it came, answered 1 s later: the log's times; the rest is up to its end.
  assert.deepEqual(call.timings, { blocked: 2000, send: 0, wait: 1000, receive: 2012.345 })
  assert.equal(call.request.url, 'sallyport://connection/shop')
  assert.deepEqual(call.request.postData, { mimeType: 'application/json', text: asked })
  assert.equal(call.request.bodySize, 90)
  assert.deepEqual([call.response.status, call.response.statusText], [200, 'OK'])
  assert.equal(call.response.content.text, answered)
  assert.equal(call.response.content.mimeType, 'application/json')
  assert.deepEqual(
    [call._id, call._rule, call._decision, call._outcome],
    ['ex_a', 'grant 1', 'allow', 'ok'],
  )
  assert.deepEqual([call._masked, call._entries], [2, [1, 3, 4, 5, 6]])
  assert.equal(call._maskings[0].groups[0].at, '/result/*')
  assert.equal(call.serverIPAddress, undefined)
  assert.deepEqual([refused._outcome, refused._reason], ['denied', 'tool_not_granted'])
  assert.deepEqual([refused.response.content.size, refused.request.bodySize], [0, -1])
  assert.deepEqual(
    pages.map(({ _calls, _durationUs, id }: Json) => [id, _calls, _durationUs]),
    [
      ['se_a', 1, 90_061_000_002],
      ['se_b', 0, undefined],
    ],
  )
  assert.deepEqual(_shown, { title: 'Replay', count: 9, entries: '0-8' })
})

test('a call with no end, or an unknown one, has status 0 and says so', async () => {
  const { entries } = await harOf(crashed)
  const [unknown, open] = entries
  assert.deepEqual(
    [unknown._id, unknown._outcome, unknown._reason],
    ['ex_a', 'unknown', 'process_ended'],
  )
  assert.match(unknown.comment, /may have run/)
  assert.equal(unknown.serverIPAddress, '::1')
  assert.deepEqual([open._id, open._outcome, open.response.status], ['ex_c', 'open', 0])
  assert.match(open.comment, /no end/)
})

test('several messages are a stream of events, whose data is the messages line by line', async () => {
  const event = { type: 'response.event', rpcKind: 'notification', bytes: 9 }
  const { entries } = await harOf([
    received(0),
    entry(1, { ...event, seq: 1 }, '{"a":\r\n1}'),
    entry(2, { ...event, seq: 2 }, '{"b":"\xc3\xa9"}'),
    finished(3),
  ])
  const { content, _events } = entries[0].response
  assert.equal(content.mimeType, 'text/event-stream')
  assert.equal(content.text, 'data: {"a":\ndata: 1}\n\ndata: {"b":"\u00e9"}\n\n')
  // Waiting ends with the first message.
  assert.deepEqual([entries[0].timings.wait, entries[0].timings.receive], [1000, 4012.345])
  assert.deepEqual(
    _events.map(({ entry: index }: Json) => index),
    [1, 2],
  )
})

test('a batch is one request, an array, and ends with its last call', async () => {
  const { entries } = await harOf([
    received(0, {}, '{"id":1}'),
    received(1, {}, '{"id":2}'),
    finished(2, { durationUs: 1 }),
    entry(3, { type: 'seal', exchange: null, session: null }),
    finished(4, { outcome: 'error' }),
  ])
  assert.equal(entries.length, 1)
  assert.equal(entries[0].request.postData.text, '[{"id":1},{"id":2}]')
  assert.equal(entries[0].request.bodySize, -1)
  assert.deepEqual(entries[0]._outcomes, ['ok', 'error'])
  assert.equal(entries[0].time, 5012.345)
})

test('exchanges come in the order in which they end, and each is let go then', async () => {
  const two = { session: 'se_c', exchange: 'ex_c' }
  const of = [
    received(0),
    received(1, two),
    finished(2, two),
    entry(3, { type: 'call.dispatched' }),
  ]
  const pieces: string[] = []
  const lines = replay(from(of), { format: 'har', shows: () => true })
  for await (const piece of lines) pieces.push(piece)
  assert.equal(pieces.length, 4, 'opening, one ended, one open, closing')
  assert.ok(pieces[1]?.includes('"_id":"ex_c"') && pieces[2]?.includes('"_id":"ex_a"'))
})

test('a call that is refused after it was received is one request and ends there', async () => {
  const refused = {
    type: 'call.denied',
    outcome: 'denied',
    reason: 'gone',
    code: 'busy',
    status: 503,
  }
  const two = { session: 'se_c', exchange: 'ex_c' }
  const { entries } = await harOf([received(0), entry(1, refused), received(2, two)])
  assert.deepEqual(
    entries.map((one: Json) => [one._id, one._outcome, one.request.bodySize, one.response.status]),
    [
      ['ex_a', 'denied', 90, 503],
      ['ex_c', 'open', 90, 0],
    ],
  )
})

test('what is shown in parts stays one entry up to its end, and what comes behind it says so', async () => {
  const two = { session: 'se_c', exchange: 'ex_c' }
  const event = { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 2 }
  const cut = await harOf([entry(0, event, '{}'), received(1, two), finished(2, two), finished(3)])
  assert.deepEqual(
    cut.entries.map((one: Json) => [one._id, one._outcome, one._entries]),
    [
      ['ex_c', 'ok', [1, 2]],
      ['ex_a', 'ok', [0, 3]],
    ],
  )
  const late = [received(0), finished(1), received(2, two), entry(3, event, '{}'), finished(4, two)]
  const { entries } = await harOf(late)
  assert.deepEqual(
    entries.map((one: Json) => [one._id, one._outcome, one._entries]),
    [
      ['ex_a', 'ok', [0, 1]],
      ['ex_c', 'ok', [2, 4]],
      ['ex_a', undefined, [3]],
    ],
  )
  assert.match(entries[2].comment, /entry before with the same _id/)
})

test('a stream opened by GET and an end by DELETE are told by their methods', async () => {
  const kinds = ['stream', 'end'] as const
  for (const rpcKind of kinds) {
    const { entries } = await harOf([entry(0, { type: 'call.received', rpcKind, bytes: 0 })])
    assert.equal(entries[0].request.method, rpcKind === 'stream' ? 'GET' : 'DELETE')
    assert.equal(entries[0].request.postData, undefined)
  }
})

test('a message that is no UTF-8 comes as base64, and its size is that of its bytes', async () => {
  const event = { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 2 }
  const { entries } = await harOf([received(0), entry(1, event, '\xff\xfe'), finished(2)])
  assert.deepEqual(entries[0].response.content, {
    size: 2,
    mimeType: 'application/json',
    text: '//4=',
    encoding: 'base64',
  })
})

test('times never make a negative or longer whole, whatever the two clocks say', async () => {
  const { entries } = await harOf([
    received(0),
    entry(1, { type: 'call.dispatched', host: '10.0.0.7:8080', attempt: 1 }),
    entry(2, { type: 'response.event', seq: 1 }, '{}'),
    finished(3, { durationUs: 1_500_000 }),
  ])
  assert.deepEqual(entries[0].timings, { blocked: 1000, send: 0, wait: 500, receive: 0 })
  assert.equal(entries[0].serverIPAddress, '10.0.0.7')
})

test('with proofs stand their entries, from which the bytes of the log can be made again', async () => {
  const { entries, _entries } = await harOf(log, proofOf)
  const proven = [...entries.flatMap(({ _proof }: Json) => _proof), ..._entries]
  assert.equal(proven.length, log.length)
  for (const one of proven) {
    const { line } = log[one.entry.index] ?? {}
    assert.equal(canonicalize(one.entry), line?.toString())
    assert.equal(one.proof, (await proofOf(one.entry.index)) ?? null)
  }
})

for (const word of hostile) {
  test(`an archive stays one, whoever says ${JSON.stringify(word)}`, async () => {
    const of = hostileLog(word)
    const text = await textOf(of, proofOf)
    assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u)
    const { entries } = await harOf(of)
    assert.equal(entries.length, 1)
    assert.equal(entries[0]._rule, word.toWellFormed())
  })
}
