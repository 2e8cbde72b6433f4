/** Servers that break, stall, lie and go. Real sockets throughout. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Fault } from '../base/fault.ts'
import { event, json, send, serverOf, sse, text, timeouts, upstreamOf } from './server.fixture.ts'

type Break = (socket: Socket, request: string, count: number) => void
const broken: readonly [what: string, answer: Break, code: string, reason: string][] = [
  ['closes without an answer', (s) => s.end(), 'upstream_down', 'reset'],
  ['resets without an answer', (s) => s.resetAndDestroy(), 'upstream_down', 'reset'],
  ['speaks another protocol', (s) => s.end('220 mail.example ESMTP\r\n'), 'upstream_bad', 'http'],
  [
    'sends two lengths',
    (s) => s.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na'),
    'upstream_bad',
    'length',
  ],
  [
    'sends a giant head',
    (s) => s.end(`HTTP/1.1 200 OK\r\na: ${'a'.repeat(40_000)}\r\n\r\n`),
    'upstream_bad',
    'headers',
  ],
  [
    'redirects',
    (s) => s.end('HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:9/x\r\ncontent-length: 0\r\n\r\n'),
    'upstream_bad',
    'redirect',
  ],
  ['says 304', (s) => s.end('HTTP/1.1 304 Not Modified\r\n\r\n'), 'upstream_bad', 'redirect'],
  [
    'promises more than it sends',
    (s) => s.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
    'upstream_bad',
    'cut',
  ],
  ['dies between two chunks', (s) => s.end(`${sse}${event('1')}`), 'upstream_bad', 'cut'],
  [
    'resets in the middle',
    (s) => s.write(`${sse}${event('1')}`, () => s.resetAndDestroy()),
    'upstream_bad',
    'cut',
  ],
  ['breaks its chunks', (s) => s.end(`${sse}${event('1')}zz\r\n`), 'upstream_bad', 'http'],
  [
    'names two types',
    (s) =>
      s.end(
        'HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-type: c/d\r\ncontent-length: 2\r\n\r\n{}',
      ),
    'upstream_bad',
    'content_type',
  ],
  [
    'gives a session id with blanks',
    (s) => s.end(json('{}', 'mcp-session-id: a b\r\n')),
    'upstream_bad',
    'session_id',
  ],
  [
    'gives two session ids',
    (s) => s.end(json('{}', 'mcp-session-id: a\r\nmcp-session-id: b\r\n')),
    'upstream_bad',
    'session_id',
  ],
  [
    'encodes in something unknown',
    (s) => s.end(json('{}', 'content-encoding: x-secret\r\n')),
    'upstream_bad',
    'encoding',
  ],
  [
    'encodes twice',
    (s) => s.end(json(gzipSync(gzipSync('{}')), 'content-encoding: gzip, gzip\r\n')),
    'upstream_bad',
    'encoding',
  ],
  [
    'lies about its encoding',
    (s) => s.end(json('{}', 'content-encoding: gzip\r\n')),
    'upstream_bad',
    'encoding',
  ],
  [
    'cuts its encoding short',
    (s) => s.end(json(gzipSync('{"a":1}').subarray(0, 20), 'content-encoding: gzip\r\n')),
    'upstream_bad',
    'encoding',
  ],
  [
    'switches protocols unasked',
    (s) => s.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    'upstream_down',
    'reset',
  ],
]
for (const [what, answer, code, reason] of broken) {
  test(`a server that ${what} gives ${code}, and the next call works`, async (t) => {
    const server = await serverOf(t, (socket, request, count) => {
      if (count === 1) answer(socket, request, count)
      else socket.write(json('"next"'))
    })
    const upstream = upstreamOf(t, server.url)
    await assert.rejects(send(upstream).then(text), (error: Fault) => {
      assert.equal(error.name, 'Fault')
      assert.deepEqual([error.code, error.facts.reason, error.facts.isSent], [code, reason, true])
      assert.doesNotMatch(error.message, /127\.0\.0\.1|ESMTP|secret/)
      return true
    })
    assert.equal(await text(await send(upstream)), '"next"')
    assert.equal(server.requests.length, 2)
  })
}

test('bytes behind an answer are never taken for the answer to the next call', async (t) => {
  const server = await serverOf(t, (socket, _request, count) => {
    if (count === 1) socket.write(Buffer.concat([json('"first"'), json('"planted"')]))
    else socket.write(json('"second"'))
  })
  const upstream = upstreamOf(t, server.url)
  assert.equal(await text(await send(upstream)), '"first"')
  assert.equal(await text(await send(upstream)), '"second"')
})

test('an answer sent before any request is not taken for one', async (t) => {
  const server = await serverOf(t, (socket) => {
    socket.write(json('"asked"'))
    setTimeout(() => socket.write(json('"planted"')), 20)
  })
  const upstream = upstreamOf(t, server.url)
  assert.equal(await text(await send(upstream)), '"asked"')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(await text(await send(upstream)), '"asked"')
})

test('a server that is not there gives upstream_down, and nothing was sent', async (t) => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  server.close()
  await once(server, 'close')
  const refused = send(upstreamOf(t, `http://127.0.0.1:${port}/?key=hidden`))
  await assert.rejects(refused, (error: Fault) => {
    assert.deepEqual([error.code, error.facts.reason], ['upstream_down', 'refused'])
    assert.equal(error.facts.isSent, false)
    assert.doesNotMatch(error.message, /hidden|127/)
    return true
  })
  await assert.rejects(send(upstreamOf(t, 'http://nowhere.invalid/')), (error: Fault) => {
    return error.code === 'upstream_down' && error.facts.isSent === false
  })
})

const stalls: readonly [what: string, head: string, more: object, reason: string][] = [
  ['says nothing', '', { headersMs: 100 }, 'first_byte'],
  ['stops after half a head', 'HTTP/1.1 200 OK\r\ncontent-', { headersMs: 100 }, 'first_byte'],
  ['says only that it works', 'HTTP/1.1 102 Processing\r\n\r\n', { headersMs: 100 }, 'first_byte'],
  [
    'stops within its answer',
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf',
    { idleMs: 100 },
    'idle',
  ],
  [
    'stops within a stream that may not',
    sse + event('1'),
    { idleMs: 9000, sseIdleMs: 100 },
    'idle',
  ],
  ['takes too long in all', sse + event('1'), { sseIdleMs: 9000, totalMs: 100 }, 'total'],
]
for (const [what, head, more, reason] of stalls) {
  test(`a server that ${what} gives upstream_timeout and is let go`, async (t) => {
    const closed = Promise.withResolvers<void>()
    const server = await serverOf(t, (socket) => {
      socket.once('close', () => closed.resolve())
      socket.write(head)
    })
    const upstream = upstreamOf(t, server.url, { timeouts: { ...timeouts, ...more } })
    await assert.rejects(send(upstream).then(text), (error: Fault) => {
      assert.deepEqual([error.code, error.facts.reason], ['upstream_timeout', reason])
      return true
    })
    await closed.promise
  })
}

test('an answer that drips is held by the total time, though it never stops', async (t) => {
  const server = await serverOf(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n')
    const drip = setInterval(() => socket.write('a'), 20)
    socket.once('close', () => clearInterval(drip))
  })
  const upstream = upstreamOf(t, server.url, { timeouts: { ...timeouts, totalMs: 150 } })
  await assert.rejects(send(upstream).then(text), { code: 'upstream_timeout' })
})

test('an event stream may be silent for longer than other answers', async (t) => {
  const server = await serverOf(t, (socket) => {
    socket.write(sse)
    setTimeout(() => socket.end(`${event('late')}0\r\n\r\n`), 200)
  })
  const upstream = upstreamOf(t, server.url, { timeouts: { ...timeouts, idleMs: 50 } })
  const answer = await send(upstream)
  assert.equal(answer.type, 'sse')
  assert.equal(await text(answer), 'data: late\n\n')
})
