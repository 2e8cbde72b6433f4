/** Anything may be sent, from either side: a clear error, one entry, no leak, and the next call works. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { answerEmpty, answerResult, legacyCall, modernCall, openHouse } from './house.ts'
import type { House, Script } from './house.ts'

let house: House
before(async () => {
  house = await openHouse({
    connection: 'timeouts: { headers: 1s, idle: 500ms, connect: 1s }\n    answer_bytes_max: 1MiB',
    extra: 'limits: { request_bytes_max: 64KiB, refusals_per_minute_max: 10000 }',
  })
})
after(() => house.stop())

/** Something no answer, log or entry may repeat. */
const marker = 'MARKER-7f3a'

interface Refused {
  readonly status: number
  readonly code?: number
}

const { body: call, headers: modern } = modernCall('echo', `{"text":"${marker}"}`)
const legacy = legacyCall('tools/call', '{"name":"echo"}')

const requests: readonly [string, string | Uint8Array, Record<string, string>, Refused][] = [
  ['an empty body', '', {}, { status: 400, code: -32700 }],
  ['broken JSON', `{"jsonrpc":"2.0","${marker}`, {}, { status: 400, code: -32700 }],
  ['a body that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, { status: 400, code: -32700 }],
  ['a byte order mark', `\ufeff${legacy}`, {}, { status: 400, code: -32700 }],
  ['bytes behind the message', `${legacy}${legacy}`, {}, { status: 400, code: -32700 }],
  ['a duplicate key', legacy.replace('"id":1', '"id":1,"i\\u0064":2'), {}, { status: 400 }],
  [
    'a duplicate tool name',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
    {},
    { status: 400 },
  ],
  ['nesting without end', `${'['.repeat(5000)}${']'.repeat(5000)}`, {}, { status: 400 }],
  ['a bare string', `"${marker}"`, {}, { status: 400, code: -32600 }],
  ['an object that is no JSON-RPC', `{"${marker}":1}`, {}, { status: 400, code: -32600 }],
  ['JSON-RPC 1.0', legacy.replace('2.0', '1.0'), {}, { status: 400, code: -32600 }],
  ['a null id', legacy.replace('"id":1', '"id":null'), {}, { status: 400, code: -32600 }],
  [
    'a method that is no string',
    '{"jsonrpc":"2.0","id":1,"method":7}',
    {},
    { status: 400, code: -32600 },
  ],
  ['an empty batch', '[]', {}, { status: 400, code: -32600 }],
  [
    'a batch outside 2025-03-26',
    `[${legacy}]`,
    { 'mcp-protocol-version': '2025-11-25' },
    { status: 400, code: -32600 },
  ],
  ['a batch with a modern element', `[${call}]`, {}, { status: 400, code: -32600 }],
  ['a body over the limit', JSON.stringify(marker.repeat(10_000)), {}, { status: 413 }],
  ['a body of another type', legacy, { 'content-type': 'text/plain' }, { status: 415 }],
  ['a compressed body', gzipSync(legacy), { 'content-encoding': 'gzip' }, { status: 415 }],
  ['a version nobody knows', legacy, { 'mcp-protocol-version': '2019-01-01' }, { status: 400 }],
  [
    'a modern version header without its envelope',
    legacy,
    { 'mcp-protocol-version': '2026-07-28' },
    { status: 400, code: -32602 },
  ],
  [
    'a modern call without its method header',
    call,
    { ...modern, 'mcp-method': '' },
    { status: 400, code: -32020 },
  ],
  [
    'a method header of another method',
    call,
    { ...modern, 'mcp-method': 'tools/list' },
    { status: 400, code: -32020 },
  ],
  [
    'a name header of another tool',
    call,
    { ...modern, 'mcp-name': marker },
    { status: 400, code: -32020 },
  ],
  [
    'a version header of another version',
    call,
    { ...modern, 'mcp-protocol-version': '2025-11-25' },
    { status: 400, code: -32020 },
  ],
  [
    'a session nobody was given',
    legacy,
    { 'mcp-session-id': marker },
    { status: 404, code: -32001 },
  ],
  [
    'an answer nobody waits for',
    '{"jsonrpc":"2.0","id":9,"result":{}}',
    {},
    { status: 400, code: 1403 },
  ],
  ['a foreign origin', legacy, { origin: 'https://evil.example' }, { status: 403 }],
]
for (const [what, body, headers, wanted] of requests) {
  test(`${what} is refused, recorded once, and does not reach the server`, async () => {
    const sent = house.behind.got.length
    const before = (await house.entries()).length
    const answer = await house.post(body, headers)
    const text = await answer.text()
    assert.equal(answer.status, wanted.status, text)
    const { error } = JSON.parse(text) as { error: { code: number; data: { exchange: string } } }
    if (wanted.code !== undefined) assert.equal(error.code, wanted.code, text)
    assert.equal(text.includes(marker), false, 'the answer repeats what was sent')
    assert.equal(house.behind.got.length, sent, 'it reached the server')
    const entries = (await house.entries())
      .slice(before)
      .filter(({ type }) => type === 'call.denied')
    assert.equal(entries.length, 1)
    assert.equal(entries[0]?.['exchange'], error.data.exchange)
    await nextCallWorks()
  })
}

async function nextCallWorks(): Promise<void> {
  house.behind.script = answerEmpty
  const answer = await house.post(modernCall('echo', '{}').body, modernCall('echo', '{}').headers)
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /"result"/)
}

const head = { 'content-type': 'application/json' }
const good = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
const stream = { 'content-type': 'text/event-stream' }
const servers: readonly [string, Script, string][] = [
  ['dies before it answers', (_, res) => void res.destroy(), 'unknown'],
  [
    'dies in the middle of its body',
    (_, res) => {
      res.writeHead(200, { ...head, 'content-length': '99' })
      res.write(good.slice(0, 20))
      setTimeout(() => res.destroy(), 20)
    },
    'unknown',
  ],
  [
    'says a longer length than it sends',
    (_, res) => {
      res.writeHead(200, { ...head, 'content-length': '999' })
      res.end(good)
    },
    'unknown',
  ],
  ['never answers', () => undefined, 'unknown'],
  [
    'stops in the middle',
    (_, res) => {
      res.writeHead(200, head)
      res.write(good.slice(0, 20))
    },
    'unknown',
  ],
  [
    'answers another id',
    (_, res) => {
      res.writeHead(200, head)
      res.end(good.replace('"id":1', '"id":2'))
    },
    'unknown',
  ],
  [
    'answers HTML',
    (_, res) => {
      res.writeHead(500, { 'content-type': 'text/html' })
      res.end(`<pre>${marker}</pre>`)
    },
    'unknown',
  ],
  [
    'answers broken JSON',
    (_, res) => {
      res.writeHead(200, head)
      res.end(`{"${marker}`)
    },
    'unknown',
  ],
  [
    'answers with duplicate keys',
    (_, res) => {
      res.writeHead(200, head)
      res.end(good.replace('"id":1', '"id":1,"id":1'))
    },
    'unknown',
  ],
  [
    'answers 202 to a call',
    (_, res) => {
      res.writeHead(202)
      res.end()
    },
    'unknown',
  ],
  [
    'redirects',
    (_, res) => {
      res.writeHead(307, { location: `http://127.0.0.1/${marker}` })
      res.end()
    },
    'unknown',
  ],
  [
    'refuses the gateway',
    (_, res) => {
      res.writeHead(401, { ...head, 'www-authenticate': marker })
      res.end(`{"error":"${marker}"}`)
    },
    'unknown',
  ],
  [
    'answers more than the limit',
    (_, res) => {
      res.writeHead(200, head)
      res.end(`"${'x'.repeat(2 << 20)}"`)
    },
    'withheld',
  ],
  [
    'answers 100 MB',
    (_, res) => {
      res.writeHead(200, head)
      const block = Buffer.alloc(1 << 20, 0x20)
      let left = 100
      const more = (): void => {
        while (left-- > 0)
          if (!res.write(block)) {
            res.once('drain', more)
            return
          }
        res.end()
      }
      more()
    },
    'withheld',
  ],
  [
    'ends its stream without an answer',
    (_, res) => {
      res.writeHead(200, stream)
      res.end(': nothing\n\n')
    },
    'unknown',
  ],
  [
    'dies in the middle of its stream',
    (_, res) => {
      res.writeHead(200, stream)
      res.write(`data: ${good.slice(0, 9)}`)
      setTimeout(() => res.destroy(), 20)
    },
    'unknown',
  ],
  [
    'streams something that is no message',
    (_, res) => {
      res.writeHead(200, stream)
      res.end(`data: ${marker}\n\n`)
    },
    'unknown',
  ],
]
for (const [what, script, outcome] of servers) {
  test(`a server that ${what} gives a clear error and one end in the record`, async () => {
    house.behind.script = script
    const { body, headers } = modernCall('echo', '{}')
    const answer = await house.post(body, headers)
    const text = await answer.text()
    assert.match(text, /"id":1/, 'the error answers the request')
    assert.match(text, /"error"|"isError":true/)
    assert.equal(text.includes(marker), false, 'the answer repeats what the server said')
    assert.equal(answer.headers.get('www-authenticate'), null)
    const exchange = /ex_[A-Za-z]{24}/.exec(text)?.[0]
    const ends = (await house.entries()).filter(
      (one) => one['exchange'] === exchange && one['type'] === 'call.finished',
    )
    assert.deepEqual(
      ends.map((one) => one['outcome']),
      [outcome],
    )
    await nextCallWorks()
  })
}

test('an answer that is compressed all the same is decoded, masked and passed on plain', async () => {
  house.behind.script = (_, res) => {
    res.writeHead(200, { ...head, 'content-encoding': 'gzip' })
    res.end(gzipSync(good))
  }
  const { body, headers } = modernCall('echo', '{}')
  const answer = await house.post(body, headers)
  assert.equal(await answer.text(), good)
  assert.equal(answer.headers.get('content-encoding'), null)
})

/** Sends bytes on a socket of its own and reads until it is closed. */
function raw(bytes: string, options: { end?: boolean } = {}): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(house.gateway.gatewayUrl)
    const socket = connect(Number(port), '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.write(bytes)
    if (options.end === true) socket.end()
  })
}

const rawCases: readonly [string, string, RegExp][] = [
  ['rubbish instead of HTTP', `${marker}\r\n\r\n`, /^HTTP\/1\.1 400 /],
  [
    'giant headers',
    `GET /mcp/shop HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    /^HTTP\/1\.1 431 /,
  ],
  [
    'two lengths',
    'POST /mcp/shop HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    /^HTTP\/1\.1 400 /,
  ],
]
for (const [what, bytes, wanted] of rawCases) {
  test(`${what} is refused below the level of requests and recorded`, async () => {
    const before = (await house.entries()).length
    const answer = await raw(bytes)
    assert.match(answer, wanted)
    assert.equal(answer.includes(marker), false)
    await nextCallWorks()
    const denied = (await house.entries())
      .slice(before)
      .filter((one) => one['type'] === 'call.denied')
    assert.equal(denied.length, 1)
  })
}

test('a client that closes half of its connection in the middle of a body does no harm', async () => {
  await raw('POST /mcp/shop HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{"json', {
    end: true,
  })
  await nextCallWorks()
})

test('a call whose client leaves is cancelled at the server in the modern era and ends as cancelled', async () => {
  let closed: (() => void) | undefined
  const left = new Promise<void>((resolve) => (closed = resolve))
  house.behind.script = (_, res) => {
    res.on('close', () => closed?.())
    res.writeHead(200, stream)
    res.write('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n')
  }
  const leaving = new AbortController()
  const { body, headers } = modernCall('echo', '{}')
  const staff = await house.token({ subject: 'leaver', groups: ['staff'] })
  const answer = await fetch(house.mcp, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${staff}` },
    signal: leaving.signal,
  })
  const reader = answer.body?.getReader()
  await reader?.read()
  leaving.abort()
  await left
  await nextCallWorks()
  const ends = (await house.entries()).filter((one) => one['outcome'] === 'cancelled')
  assert.equal(ends.length, 1)
})

test('in all of this neither log nor record repeats what was sent or said', async () => {
  assert.equal(house.log().includes(marker), false)
  const metadata = (await house.entries()).map((entry) => JSON.stringify(entry)).join('\n')
  assert.equal(metadata.includes(marker), false)
})

test('a flood of bad requests is answered with 429 and leaves one signed count', async () => {
  const flooded = await openHouse({ extra: 'limits: { refusals_per_minute_max: 5 }' })
  try {
    const statuses = new Map<number, number>()
    for (let i = 0; i < 40; i++) {
      const answer = await flooded.post(legacy, { authorization: 'Bearer bad' })
      await answer.arrayBuffer()
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }
    assert.equal(statuses.get(401), 5)
    assert.equal(statuses.get(429), 35)
    const works = await flooded.post(
      modernCall('echo', '{}').body,
      modernCall('echo', '{}').headers,
    )
    assert.equal(works.status, 200, 'good requests go on')
    await works.arrayBuffer()
    await flooded.gateway.stop('test')
    const entries = await flooded.entries()
    assert.equal(entries.filter((one) => one['type'] === 'auth.refused').length, 5)
    const seals = entries.filter((one) => one['type'] === 'seal')
    const counts = seals.map((one) => one['refused'] as Record<string, number>)
    assert.equal(
      counts.reduce((sum, one) => sum + Object.values(one).reduce((a, b) => a + b, 0), 0),
      35,
    )
    assert.ok(seals.every((one) => one['everyMs'] === 60_000))
  } finally {
    await flooded.behind.close()
  }
})

test('a result is passed on byte for byte where there is nothing to mask', async () => {
  const result =
    '{ "content" : [ ] , "x":1e2,"y":-0, "big":12345678901234567890123, "u":"\\u00e9\\/" }'
  house.behind.script = (got, res) => answerResult(got, res, result)
  const { body, headers } = modernCall('echo', '{}')
  const answer = await house.post(body, headers)
  assert.equal(await answer.text(), `{"jsonrpc":"2.0","id":1,"result":${result}}`)
})
