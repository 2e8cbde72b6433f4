/** Raw requests of every kind: the process lives, and nothing reaches the server without a permit. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { answerEmpty, legacyCall, modernCall, openHouse } from './house.ts'
import type { House } from './house.ts'

let house: House
let limited: string
before(async () => {
  house = await openHouse({
    access: '  - { who: { group: limited }, may: { connection: shop, tools: [allowed] } }',
    extra: 'limits: { refusals_per_minute_max: 100000, request_timeout: 2s }',
  })
  limited = await house.token({ subject: 'l', groups: ['limited'] })
})
after(() => house.stop())

/** Sends bytes, closes its own side after a moment, and returns what came back. */
function raw(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(house.gateway.gatewayUrl)
    const socket = connect(Number(port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      socket.end()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    socket.write(bytes)
    setTimeout(() => socket.destroy(), 150)
  })
}

const { body } = modernCall('forbidden', '{}')
const seeds = [
  body,
  legacyCall('tools/call', '{"name":"forbidden"}'),
  legacyCall('resources/read', '{"uri":"x://y"}'),
  '{"jsonrpc":"2.0","id":5,"result":{}}',
  `[${legacyCall('tools/call', '{"name":"forbidden"}')}]`,
]

/** A valid body with a few bytes changed, cut or doubled. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255), fc.constantFrom('set', 'cut', 'double')), {
      maxLength: 3,
    }),
  )
  .map(([seed, edits]) => {
    let bytes = Buffer.from(seed)
    for (const [at, value, how] of edits) {
      const i = at % Math.max(1, bytes.length)
      if (how === 'set')
        bytes = Buffer.concat([bytes.subarray(0, i), Buffer.from([value]), bytes.subarray(i + 1)])
      else if (how === 'cut') bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 7)])
      else bytes = Buffer.concat([bytes.subarray(0, i), bytes])
    }
    return bytes
  })

const header = fc.constantFrom(
  'mcp-protocol-version: 2026-07-28',
  'mcp-protocol-version: 2025-11-25',
  'mcp-protocol-version: 2025-03-26',
  'mcp-method: tools/call',
  'mcp-name: forbidden',
  'mcp-name: allowed',
  'mcp-session-id: guess',
  'origin: http://localhost',
  'accept: text/event-stream',
  'transfer-encoding: chunked',
  'content-length: 3',
  'x-forwarded-for: 10.0.0.1',
  'expect: 100-continue',
)

test('whatever is sent, nothing forbidden reaches the server and the gateway goes on', async () => {
  house.behind.script = answerEmpty
  const request = fc.tuple(
    fc.constantFrom('POST', 'POST', 'POST', 'GET', 'DELETE', 'PUT', 'OPTIONS'),
    fc.constantFrom(
      '/mcp/shop',
      '/mcp/shop',
      '/mcp/other',
      '/',
      '/mcp/shop?access_token=x',
      '/healthz',
    ),
    fc.array(header, { maxLength: 5 }),
    mutated,
  )
  await fc.assert(
    fc.asyncProperty(request, async ([verb, path, headers, bytes]) => {
      const lines = [
        `${verb} ${path} HTTP/1.1`,
        'host: localhost',
        `authorization: Bearer ${limited}`,
        'content-type: application/json',
        ...headers,
        ...(headers.some((line) => /length|encoding/.test(line))
          ? []
          : [`content-length: ${bytes.length}`]),
      ]
      const answer = await raw(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]))
      assert.equal(answer === '' || /^HTTP\/1\.1 \d{3} /.test(answer), true)
    }),
    { numRuns: 250 },
  )
  const forbidden = house.behind.got.filter(({ body }) => {
    // What the server would read: the last of several names wins there.
    return /"(tools\/call|resources\/read)"/.test(body) && /"forbidden"|"x:\/\/y"/.test(body)
  })
  assert.deepEqual(
    forbidden.map(({ body }) => body),
    [],
  )
  const alive = await house.post(modernCall('echo', '{}').body, modernCall('echo', '{}').headers)
  assert.equal(alive.status, 200)
  await alive.arrayBuffer()
  assert.equal(house.log().includes('"defect"'), false)
})
