import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestFilter, responsePick } from './headers.ts'

const kept: readonly string[] = [
  'accept',
  'content-type',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-param-never-heard-of',
]
const stripped: readonly string[] = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-forwarded-for',
  'forwarded',
  'host',
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'content-length',
  'accept-encoding',
  'content-encoding',
  'user-agent',
  'origin',
  'x-anything',
]
const names = (flat: readonly string[]): string[] => flat.filter((_, i) => i % 2 === 0)

for (const name of stripped) {
  test(`the client's ${name} does not go out`, () => {
    assert.deepEqual(requestFilter('shop', [], [])([[name, 'x']]), [])
  })
}

test('what MCP needs goes out, repeated ones repeated', () => {
  const sent = kept.map((name): [string, string] => [name, 'x'])
  assert.deepEqual(names(requestFilter('shop', [], [])(sent)), kept)
  const twice: [string, string][] = [
    ['mcp-name', 'a'],
    ['mcp-name', 'b'],
  ]
  assert.deepEqual(requestFilter('shop', [], [])(twice), ['mcp-name', 'a', 'mcp-name', 'b'])
})

test('a configured header goes out, but not if it is the one of our credential', () => {
  const filter = requestFilter('shop', ['X-Tenant', 'x-api-key'], ['x-api-key'])
  const sent: [string, string][] = [
    ['x-tenant', 't'],
    ['x-api-key', 'stolen'],
  ]
  assert.deepEqual(filter(sent), ['x-tenant', 't'])
})

test('a header named by Connection is for this hop and does not go out', () => {
  const sent: [string, string][] = [
    ['mcp-name', 'a'],
    ['accept', 'x'],
    ['connection', 'close, Mcp-Name'],
  ]
  assert.deepEqual(requestFilter('shop', [], [])(sent), ['accept', 'x'])
})

const forbidden = [
  'Authorization',
  'cookie',
  'host',
  'x-forwarded-for',
  'proxy-anything',
  'set-cookie',
]
for (const name of forbidden) {
  test(`no configuration lets ${name} through`, () => {
    const faulty = { name: 'Fault', code: 'config_bad' }
    assert.throws(() => requestFilter('shop', [name], []), faulty)
    assert.throws(() => responsePick('shop', [name]), faulty)
  })
}

test('of an answer only listed headers come back, and only plain ones of sane length', () => {
  const pick = responsePick('shop', ['x-request-id'])
  const got = pick({
    'content-type': 'application/json',
    'mcp-session-id': 'abc',
    'set-cookie': 'a=b',
    'www-authenticate': 'Bearer',
    server: 'nginx',
    'x-powered-by': 'Express',
    etag: 'W/"1"',
    'x-request-id': ['a', 'b'],
    'cache-control': 'x'.repeat(2000),
    'retry-after': 'sm\u00f8rrebr\u00f8d',
    allow: 'GET\r\nSet-Cookie: a=b',
  })
  assert.deepEqual(got, {
    'content-type': 'application/json',
    'mcp-session-id': 'abc',
    'x-request-id': 'a, b',
  })
})
