/** Real sockets throughout; most servers here are written by hand, to do what no server should. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Fault } from '../base/fault.ts'
import { keyOf, makeCertificates, noOpenssl } from '../listener/fixture.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import type { Answer } from './answer.ts'
import { intentFor, permitFor } from './fixture.ts'
import { connect } from './upstream.ts'
import type { ConnectOptions, Outgoing, Upstream } from './upstream.ts'

const timeouts = { connectMs: 1000, headersMs: 5000, idleMs: 5000 }

interface Server {
  readonly url: string
  /** Head and body of each request, as text. */
  readonly requests: string[]
  readonly sockets: Socket[]
}

/** Answers each request by hand: `answer` writes what it likes. */
async function serverOf(
  t: TestContext,
  answer: (socket: Socket, request: string, count: number) => void,
): Promise<Server> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    let waiting = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (data: string) => {
      waiting += data
      const end = waiting.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(waiting)?.[1] ?? 0)
      if (end < 0 || waiting.length < end + 4 + length) return
      const request = waiting
      waiting = ''
      requests.push(request)
      answer(socket, request, requests.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { url: `http://127.0.0.1:${address.port}/mcp`, requests, sockets }
}

function upstreamOf(t: TestContext, url: string, more: Partial<ConnectOptions> = {}): Upstream {
  const credential = { type: 'none' } as const
  const upstream = connect({
    name: 'shop',
    url,
    credential,
    timeouts,
    answerBytesMax: 100_000,
    ...more,
  })
  t.after(() => upstream.close())
  return upstream
}

function send(upstream: Upstream, out: Partial<Outgoing> = {}): Promise<Answer> {
  const signal = new AbortController().signal
  const body = Buffer.from('{}')
  const full: Outgoing = { digest: 'd', method: 'POST', headers: [], body, signal, ...out }
  return upstream.send(full, permitFor('d'), intentFor('d'))
}

const text = async (answer: Answer): Promise<string> =>
  Buffer.from(await answer.bytes(200_000)).toString('latin1')
const json = (body: string | Buffer, more = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}`),
    Buffer.from(`content-length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ])
const event = (data: string): string => {
  const bytes = `data: ${data}\n\n`
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`
}
const sse =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

/** Waits for the end of a connection, in whatever way it came. */
function closeOf(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

// Evidence

test('without evidence for this very request nothing is sent', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const upstream = upstreamOf(t, server.url)
  const signal = new AbortController().signal
  const out: Outgoing = { digest: 'd', method: 'POST', headers: [], signal }
  const refused = { name: 'Fault', code: 'refused' }
  await assert.rejects(upstream.send(out, permitFor('other'), intentFor('d')), refused)
  await assert.rejects(upstream.send(out, permitFor('d'), intentFor('other')), refused)
  const permit = permitFor('d')
  await text(await upstream.send(out, permit, intentFor('d')))
  await assert.rejects(upstream.send(out, permit, intentFor('d')), refused)
  assert.equal(server.requests.length, 1)
})

test('look-alikes of permit and receipt do not compile', () => {
  const wrong = (upstream: Upstream, out: Outgoing, permit: Permit, intent: Durable): void => {
    const likePermit = { covers: () => true, spend: () => {}, grants: [] }
    const likeIntent = { covers: () => true }
    const pending = Promise.resolve(intent)
    // @ts-expect-error a literal is no permit
    void upstream.send(out, likePermit, intent)
    // @ts-expect-error a literal is no receipt
    void upstream.send(out, permit, likeIntent)
    // @ts-expect-error a receipt is no permit
    void upstream.send(out, intent, intent)
    // @ts-expect-error a permit is no receipt
    void upstream.send(out, permit, permit)
    // @ts-expect-error a receipt nobody awaited is none
    void upstream.send(out, permit, pending)
    // @ts-expect-error nothing goes without either
    void upstream.send(out)
  }
  assert.equal(typeof wrong, 'function')
})

// Broken servers

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

// Reading

/** A server that sends `total` bytes as fast as it may; `sent` counts what its socket took. */
async function flood(t: TestContext, total: number): Promise<Server & { sent: () => number }> {
  let sent = 0
  const chunk = Buffer.alloc(64 * 1024, 97)
  const server = await serverOf(t, (socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${total}\r\n\r\n`,
    )
    const pour = (): void => {
      while (sent < total && !socket.destroyed) {
        sent += chunk.length
        if (!socket.write(chunk)) {
          socket.once('drain', pour)
          return
        }
      }
    }
    pour()
  })
  return { ...server, sent: () => sent }
}

/** What a count comes to rest at: unchanged for six looks, since the machine may be busy. */
const steady = async (count: () => number): Promise<number> => {
  let before = -1
  for (let same = 0; same < 6 || before === 0;) {
    same = before === count() ? same + 1 : 0
    before = count()
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  return before
}

test('100 MB wait at the server until somebody reads, and idle time does not run meanwhile', async (t) => {
  const total = 1600 * 64 * 1024
  const server = await flood(t, total)
  const upstream = upstreamOf(t, server.url, { timeouts: { ...timeouts, idleMs: 150 } })
  const answer = await send(upstream)
  const taken = await steady(server.sent)
  assert.ok(taken < 16_000_000, `${taken} bytes were taken for a reader who reads nothing`)
  await new Promise((resolve) => setTimeout(resolve, 300))
  let read = 0
  for await (const chunk of answer.body) read += chunk.length
  assert.equal(read, total)
})

test('a whole read over its limit fails and cuts the server off', async (t) => {
  const server = await flood(t, 1600 * 64 * 1024)
  const answer = await send(upstreamOf(t, server.url))
  await assert.rejects(answer.bytes(1_000_000), { name: 'Fault', code: 'answer_too_large' })
  const taken = await steady(server.sent)
  assert.ok(taken < 16_000_000)
  assert.equal(server.sockets[0]?.destroyed, true)
})

test('a whole read of just the limit succeeds, of one byte more it fails', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('x'.repeat(300_000))))
  const upstream = upstreamOf(t, server.url)
  assert.equal((await (await send(upstream)).bytes(300_000)).length, 300_000)
  await assert.rejects((await send(upstream)).bytes(299_999), { code: 'answer_too_large' })
})

test('leaving the loop, or discarding, cuts the server off', async (t) => {
  for (const leave of ['break', 'discard'] as const) {
    const server = await flood(t, 1600 * 64 * 1024)
    const answer = await send(upstreamOf(t, server.url))
    if (leave === 'discard') answer.discard()
    else for await (const chunk of answer.body) if (chunk.length > 0) break
    const [socket] = server.sockets
    assert.ok(socket)
    await closeOf(socket)
  }
})

test('what was read before a break is not lost, and then the break is told', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(sse + event('1')))
  const answer = await send(upstreamOf(t, server.url))
  const got: string[] = []
  await assert.rejects(
    async () => {
      for await (const chunk of answer.body) {
        got.push(Buffer.from(chunk).toString())
        server.sockets[0]?.destroy()
      }
    },
    { code: 'upstream_bad' },
  )
  assert.deepEqual(got, ['data: 1\n\n'])
})

// Encodings

const plain = JSON.stringify({ text: 'x'.repeat(50_000) })
const encoders: readonly [name: string, encode: (text: string) => Buffer][] = [
  ['gzip', (it) => gzipSync(it)],
  ['deflate', (it) => deflateSync(it)],
  ['br', (it) => brotliCompressSync(it)],
  ['zstd', (it) => zstdCompressSync(it)],
]
for (const [name, encode] of encoders) {
  const encoded = (it: string): Buffer => json(encode(it), `content-encoding: ${name}\r\n`)

  test(`an answer in ${name} is decoded, and nothing says that it was not plain`, async (t) => {
    const server = await serverOf(t, (socket) => socket.write(encoded(plain)))
    const answer = await send(upstreamOf(t, server.url))
    assert.equal(await text(answer), plain)
    assert.deepEqual(answer.headers, { 'content-type': 'application/json' })
    assert.match(server.requests[0] ?? '', /\r\naccept-encoding: identity\r\n/i)
  })

  test(`a bomb in ${name} stops at the limit`, async (t) => {
    const server = await serverOf(t, (socket) => socket.write(encoded('0'.repeat(20_000_000))))
    const answer = await send(upstreamOf(t, server.url))
    let read = 0
    await assert.rejects(
      async () => {
        for await (const chunk of answer.body) read += chunk.length
      },
      { code: 'answer_too_large' },
    )
    assert.ok(read <= 100_000)
  })
}

test('a compressed event stream is decoded event by event', async (t) => {
  const { createGzip, constants } = await import('node:zlib')
  const server = await serverOf(t, (socket) => {
    socket.write(sse.replace('\r\n\r\n', '\r\ncontent-encoding: gzip\r\n\r\n'))
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
    gzip.on('data', (part: Buffer) => {
      socket.write(`${part.length.toString(16)}\r\n`)
      socket.write(part)
      socket.write('\r\n')
    })
    gzip.write('data: 1\n\n')
  })
  const answer = await send(upstreamOf(t, server.url))
  for await (const chunk of answer.body) {
    assert.equal(Buffer.from(chunk).toString(), 'data: 1\n\n')
    break
  }
})

test('a reader of a compressed answer who waits makes the server wait', async (t) => {
  const rows = Array.from({ length: 100_000 }, (_, i) => `${(i * 2_654_435_761) % 4_294_967_296}`)
  const part = gzipSync(rows.join('\n'))
  let sent = 0
  const server = await serverOf(t, (socket) => {
    const type = 'content-type: application/json\r\ncontent-encoding: gzip\r\n'
    socket.write(`HTTP/1.1 200 OK\r\n${type}content-length: ${part.length * 60}\r\n\r\n`)
    const pour = (): void => {
      if (sent++ < 60 && !socket.destroyed) socket.write(part, pour)
    }
    pour()
  })
  const answer = await send(upstreamOf(t, server.url, { answerBytesMax: 100_000_000 }))
  const taken = await steady(() => sent)
  assert.ok(taken < 50, `${taken} of 60 parts were taken for a reader who reads nothing`)
  let read = 0
  for await (const chunk of answer.body) read += chunk.length
  assert.equal(read, 60 * rows.join('\n').length)
})

// Cancelling and closing

test('a signal that has fired sends nothing', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const cancelled = send(upstreamOf(t, server.url), { signal: AbortSignal.abort() })
  await assert.rejects(cancelled, { name: 'Fault', code: 'cancelled' })
  assert.equal(server.requests.length, 0)
})

test('a signal that fires destroys the request, before and within the answer', async (t) => {
  for (const head of ['', sse + event('1')]) {
    const arrived = Promise.withResolvers<Socket>()
    const server = await serverOf(t, (socket) => {
      socket.write(head)
      arrived.resolve(socket)
    })
    const abort = new AbortController()
    const result = send(upstreamOf(t, server.url), { signal: abort.signal }).then(text)
    const rejected = assert.rejects(result, (error: Fault) => {
      return error.code === 'cancelled' && error.facts.isSent === true
    })
    const socket = await arrived.promise
    await new Promise((resolve) => setTimeout(resolve, 30))
    abort.abort()
    await rejected
    await closeOf(socket)
  }
})

test('a request cancelled while it waits for a socket is never sent', async (t) => {
  const arrived = Promise.withResolvers<Socket>()
  const server = await serverOf(t, (socket) => arrived.resolve(socket))
  const upstream = upstreamOf(t, server.url, { socketsMax: 1 })
  const first = send(upstream)
  const socket = await arrived.promise
  const abort = new AbortController()
  const second = send(upstream, { signal: abort.signal })
  abort.abort()
  await assert.rejects(second, (error: Fault) => error.facts.isSent === false)
  socket.write(json('"one"'))
  assert.equal(await text(await first), '"one"')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(server.requests.length, 1)
})

test('closing breaks what runs, and nothing is sent afterwards', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const server = await serverOf(t, () => arrived.resolve())
  const upstream = upstreamOf(t, server.url)
  const running = send(upstream)
  const broke = assert.rejects(running, { name: 'Fault', code: 'stopping' })
  await arrived.promise
  await upstream.close()
  await broke
  await assert.rejects(send(upstream), { code: 'stopping' })
})

// Once and only once

test('a request whose kept connection just closed is sent again only if that is safe', async (t) => {
  for (const safe of [false, true]) {
    const server = await serverOf(t, (socket, _request, count) => {
      if (count === 2) socket.destroy()
      else socket.write(json(`"${count}"`))
    })
    const upstream = upstreamOf(t, server.url)
    await text(await send(upstream))
    const second = send(upstream, { safe }).then(text)
    if (safe) assert.equal(await second, '"3"')
    else await assert.rejects(second, { code: 'upstream_down' })
    assert.equal(server.requests.length, safe ? 3 : 2)
  }
})

test('a safe request is sent again once, not for ever, and not after a byte of answer', async (t) => {
  const closing = await serverOf(t, (socket) => socket.destroy())
  await assert.rejects(send(upstreamOf(t, closing.url), { safe: true }), { code: 'upstream_down' })
  assert.equal(closing.requests.length, 2)
  const cutting = await serverOf(t, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n'),
  )
  await assert.rejects(send(upstreamOf(t, cutting.url), { safe: true }).then(text))
  assert.equal(cutting.requests.length, 1)
})

test('a call never stands in line behind an open stream', async (t) => {
  const server = await serverOf(t, (socket, request) => {
    socket.write(request.startsWith('GET') ? sse + event('1') : json('{}'))
  })
  const upstream = upstreamOf(t, server.url, { socketsMax: 3 })
  const signal = new AbortController().signal
  const stream: Outgoing = { digest: 'd', method: 'GET', headers: [], signal }
  for (let i = 0; i < 2; i++) {
    const answer = await upstream.send(stream, permitFor('d'), intentFor('d'))
    assert.equal(answer.type, 'sse')
  }
  assert.equal(await text(await send(upstream)), '{}')
  assert.equal(server.sockets.length, 3)
})

// What stands in requests and answers

test('the server sees its own name and our credential, and nothing of the client but MCP', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const reveal = (): string => 'our-own'
  const upstream = upstreamOf(t, `${server.url}?a=b`, {
    credential: { type: 'bearer', value: { reveal } },
  })
  const headers: [string, string][] = [
    ['host', 'gateway.example'],
    ['authorization', 'Bearer of-the-client'],
    ['cookie', 'session=of-the-client'],
    ['proxy-authorization', 'Basic of-the-client'],
    ['x-forwarded-for', '203.0.113.5'],
    ['x-real-ip', '203.0.113.5'],
    ['accept-encoding', 'gzip'],
    ['content-length', '999'],
    ['transfer-encoding', 'chunked'],
    ['content-type', 'application/json'],
    ['mcp-param-region', '=?base64?TcO8?='],
  ]
  await text(await send(upstream, { headers, body: Buffer.from('{"a":1}') }))
  const request = server.requests[0] ?? ''
  assert.doesNotMatch(request, /of-the-client|203\.0\.113|gateway\.example|gzip|999|chunked/)
  assert.match(request, /^POST \/mcp\?a=b HTTP\/1.1\r\nhost: 127\.0\.0\.1:\d+\r\n/i)
  assert.match(request, /\r\nauthorization: Bearer our-own\r\n/i)
  assert.match(request, /\r\nmcp-param-region: =\?base64\?TcO8\?=\r\n/i)
  assert.match(request, /\r\ncontent-length: 7\r\n([^]*\r\n)?\r\n\{"a":1\}$/i)
})

test('the client sees neither cookies nor challenges nor the name of the server software', async (t) => {
  const more =
    'set-cookie: a=b\r\nwww-authenticate: Basic\r\nserver: x\r\netag: "1"\r\nmcp-session-id: s1\r\n'
  const server = await serverOf(t, (socket) => socket.write(json('{}', more)))
  const answer = await send(upstreamOf(t, server.url))
  await text(answer)
  assert.deepEqual(answer.headers, { 'content-type': 'application/json', 'mcp-session-id': 's1' })
})

test('a credential that goes bad stops the call before it is sent, and spends no permit', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  let now = 'good'
  const value = { reveal: () => now }
  const upstream = upstreamOf(t, server.url, { credential: { type: 'bearer', value } })
  now = 'bad\r\n'
  const permit = permitFor('d')
  const out: Outgoing = {
    digest: 'd',
    method: 'POST',
    headers: [],
    signal: new AbortController().signal,
  }
  await assert.rejects(upstream.send(out, permit, intentFor('d')), { code: 'secret_missing' })
  assert.equal(server.requests.length, 0)
  now = 'good'
  await text(await upstream.send(out, permit, intentFor('d')))
})

const kinds: readonly [what: string, head: string, type: string, body: string][] = [
  ['202', 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n', 'none', ''],
  [
    '202 with a body all the same',
    'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
    'none',
    '',
  ],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'none', ''],
  ['an empty 200', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 'none', ''],
  [
    'JSON with a charset',
    'HTTP/1.1 400 Bad\r\ncontent-type: Application/JSON; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}',
    'json',
    '{}',
  ],
  [
    'an error page',
    'HTTP/1.1 500 Oh\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n<>',
    'other',
    '<>',
  ],
  ['something untyped', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', 'other', '{}'],
  [
    'a head after 1xx ones',
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${json('{}').toString()}`,
    'json',
    '{}',
  ],
]
for (const [what, head, type, body] of kinds) {
  test(`${what} is of type ${type}, and its connection is kept`, async (t) => {
    const server = await serverOf(t, (socket) => socket.write(head))
    const upstream = upstreamOf(t, server.url)
    for (let i = 0; i < 2; i++) {
      const answer = await send(upstream)
      assert.equal(answer.type, type)
      assert.equal(await text(answer), body)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal(server.sockets.length, 1)
  })
}

test('GET and DELETE carry no body', async (t) => {
  const server = await serverOf(t, (socket) =>
    socket.write('HTTP/1.1 405 No\r\nallow: POST\r\ncontent-length: 0\r\n\r\n'),
  )
  const upstream = upstreamOf(t, server.url)
  for (const method of ['GET', 'DELETE'] as const) {
    const signal = new AbortController().signal
    const out: Outgoing = {
      digest: 'd',
      method,
      headers: [['accept', 'text/event-stream']],
      signal,
    }
    const answer = await upstream.send(out, permitFor('d'), intentFor('d'))
    assert.deepEqual([answer.status, answer.headers], [405, { allow: 'POST' }])
  }
  assert.doesNotMatch(server.requests.join(''), /transfer-encoding/i)
})

const wrong: readonly [what: string, more: Partial<ConnectOptions>][] = [
  ['another scheme', { url: 'ftp://a.example/' }],
  ['no URL', { url: 'a.example' }],
  ['a password in the URL', { url: 'http://me:hidden@a.example/' }],
  ['a TLS file that is not there', { tls: { caFile: '/nowhere/ca.pem' } }],
  ['a certificate without a key', { tls: { certFile: new URL(import.meta.url).pathname } }],
  ['a header that never passes', { headers: { request: ['cookie'], response: [] } }],
]
for (const [what, more] of wrong) {
  test(`a connection with ${what} is refused when it is set up`, (t) => {
    assert.throws(
      () => upstreamOf(t, 'https://a.example/', more),
      (error: Fault) => error.code === 'config_bad' && !error.message.includes('hidden'),
    )
  })
}

// TLS

const made = noOpenssl === false ? makeCertificates() : undefined
after(() => made?.remove())

test(
  'TLS: a private authority, a client certificate and a server name',
  { skip: noOpenssl },
  async (t) => {
    assert.ok(made)
    const seen: IncomingHttpHeaders[] = []
    const server = createHttps(
      {
        cert: readFileSync(made.server.cert),
        key: readFileSync(made.server.key),
        ca: readFileSync(made.ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        seen.push(request.headers)
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => (server.closeAllConnections(), server.close()))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const url = `https://127.0.0.1:${port}/mcp`
    const client = { certFile: made.client.cert, key: keyOf(made.client.key) }
    const refused: readonly [string, Partial<ConnectOptions>][] = [
      ['an unknown authority', { tls: { ...client, serverName: 'upstream.test' } }],
      ['another name', { tls: { ...client, caFile: made.ca, serverName: 'other.test' } }],
      ['no client certificate', { tls: { caFile: made.ca, serverName: 'upstream.test' } }],
    ]
    for (const [what, more] of refused) {
      await assert.rejects(send(upstreamOf(t, url, more)), (error: Fault) => {
        assert.equal(error.code, 'upstream_down', what)
        // A server that wants a certificate says so only after the handshake, or just hangs up.
        const reasons = what === 'no client certificate' ? ['tls', 'reset'] : ['tls']
        assert.ok(reasons.includes(String(error.facts.reason)), what)
        return true
      })
    }
    assert.equal(seen.length, 0)
    const tls = { ...client, caFile: made.ca, serverName: 'upstream.test' }
    const answer = await send(upstreamOf(t, url, { tls }))
    assert.equal(await text(answer), '{}')
    assert.equal(seen[0]?.host, `127.0.0.1:${port}`)
  },
)
