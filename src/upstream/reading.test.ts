/** How answers are read: as fast as the reader likes, decoded, cut off. Real sockets throughout. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import {
  closeOf,
  event,
  json,
  send,
  serverOf,
  sse,
  text,
  timeouts,
  upstreamOf,
} from './server.fixture.ts'
import type { Server } from './server.fixture.ts'

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
