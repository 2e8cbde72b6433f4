/** What is sent, when, and what comes back. Real sockets throughout. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { Fault } from '../base/fault.ts'
import type { Permit } from '../policy/permit.ts'
import type { Durable } from '../record/durable.ts'
import { intentFor, permitFor } from './evidence.fixture.ts'
import { closeOf, event, json, send, serverOf, sse, text, upstreamOf } from './server.fixture.ts'
import type { ConnectOptions, Outgoing, Upstream } from './upstream.ts'

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
