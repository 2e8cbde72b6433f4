import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { openRelay, withHeader, withToken } from './relay.ts'
import type { Relay } from './relay.ts'

type Serve = (req: IncomingMessage, res: ServerResponse) => void

async function behindRelay(serve: Serve, use: (relay: Relay, port: number) => Promise<void>) {
  const server = createServer({ requireHostHeader: false }, serve)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const relay = await openRelay()
  try {
    await use(relay, port)
  } finally {
    await relay.close()
    server.closeAllConnections()
    server.close()
  }
}

/** Sends raw bytes and gives back the socket. */
function dial(port: number, raw: string): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.write(raw)
  return socket
}

async function readUntil(socket: Socket, want: string): Promise<string> {
  let seen = ''
  for await (const chunk of socket) {
    seen += String(chunk)
    if (seen.includes(want)) break
  }
  return seen
}

test('a relay without an aim refuses', { timeout: 10_000 }, async () => {
  const relay = await openRelay()
  try {
    assert.equal((await fetch(`http://127.0.0.1:${relay.port}/`)).status, 503)
  } finally {
    await relay.close()
  }
})

test('a server that is gone breaks the connection', { timeout: 10_000 }, async () => {
  const relay = await openRelay()
  relay.aim({ port: 1 })
  try {
    await assert.rejects(fetch(`http://127.0.0.1:${relay.port}/`))
  } finally {
    await relay.close()
  }
})

test(
  'headers arrive in their order and spelling, with the token in the place of another',
  { timeout: 10_000 },
  async () => {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>()
    const serve: Serve = (req, res) => {
      resolve([req.method ?? '', req.url ?? '', ...req.rawHeaders])
      res.end()
    }
    await behindRelay(serve, async (relay, port) => {
      relay.aim({ port, headers: withToken('ours') })
      const lines = ['hOst: evil.example.com', 'X-Twice: 1', 'X-Twice: 2', 'authorization: theirs']
      const socket = dial(relay.port, `DELETE /a?b=c HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      const arrived = await promise
      socket.destroy()
      const sent = ['hOst', 'evil.example.com', 'X-Twice', '1', 'X-Twice', '2']
      const want = ['DELETE', '/a?b=c', ...sent, 'Authorization', 'Bearer ours']
      assert.deepEqual(arrived.slice(0, want.length), want)
      assert.ok(!arrived.includes('theirs'))
    })
  },
)

test('each chunk of an answer passes before the next is written', { timeout: 10_000 }, async () => {
  const open: ServerResponse[] = []
  const serve: Serve = (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
    open.push(res)
  }
  await behindRelay(serve, async (relay, port) => {
    relay.aim({ port })
    const answer = await fetch(`http://127.0.0.1:${relay.port}/`)
    const reader = answer.body?.getReader()
    assert.ok(reader)
    for (const words of ['data: one\n\n', 'data: two\n\n']) {
      open[0]?.write(words)
      const { value } = await reader.read()
      assert.equal(Buffer.from(value ?? []).toString(), words)
    }
    open[0]?.end()
    assert.equal((await reader.read()).done, true)
  })
})

test('a client that goes away ends the request behind the relay', { timeout: 10_000 }, async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const serve: Serve = (_req, res) => {
    res.on('close', resolve)
    res.writeHead(200).write('begun')
  }
  await behindRelay(serve, async (relay, port) => {
    relay.aim({ port })
    const socket = dial(relay.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await readUntil(socket, 'begun')
    socket.destroy()
    await promise
  })
})

test(
  'an answer that breaks off breaks off for the client as well',
  { timeout: 10_000 },
  async () => {
    const serve: Serve = (_req, res) => {
      res.writeHead(200, { 'Content-Length': '100' }).write('short', () => res.destroy())
    }
    await behindRelay(serve, async (relay, port) => {
      relay.aim({ port })
      const answer = await fetch(`http://127.0.0.1:${relay.port}/`)
      await assert.rejects(answer.text())
    })
  },
)

test('a header can be taken away', () => {
  assert.deepEqual(withHeader('origin')(['A', '1', 'Origin', 'x', 'B', '2']), ['A', '1', 'B', '2'])
})

test('a request without Host stays without', { timeout: 10_000 }, async () => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const serve: Serve = (req, res) => {
    resolve(req.headers.host)
    res.end()
  }
  await behindRelay(serve, async (relay, port) => {
    relay.aim({ port })
    const socket = dial(relay.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert.equal(await promise, undefined)
    socket.destroy()
  })
})
