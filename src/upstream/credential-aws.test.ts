/**
 * Requests signed for AWS, verified as a server does it: from the bytes that came over the wire, by a
 * verifier of the test's own, which is itself held against the published examples.
 */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fault } from '../base/fault.ts'
import { awsSource } from './credential-aws.ts'
import type { AwsCredential } from './credential-aws.ts'
import type { CredentialSource } from './credential.ts'
import { json, send, serverOf, text, upstreamOf } from './server.fixture.ts'

// The access key of the published examples ("Signature Version 4 Test Suite"), which opens nothing.
const accessKey = 'AKIDEXAMPLE'
const secretKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Uint8Array, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest()
const encode = (word: string): string =>
  encodeURIComponent(word).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )

interface Came {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  /** One character a byte, as the servers of the tests read them. */
  readonly body: string
}

/** "Create a signed AWS API request", steps 1 to 4, from what came. */
function signatureOf(came: Came, signedNames: readonly string[], scope: string): string {
  const pairs = came.query === '' ? [] : came.query.split('&').map((part) => part.split('='))
  const query = pairs
    .map(([name = '', value = '']) =>
      [name, value].map((w) => encode(decodeURIComponent(w))).join('='),
    )
    .toSorted()
  const canonical = [
    came.method,
    came.path.split('/').map(encode).join('/'), // What is on the wire, encoded once more.
    query.join('&'),
    ...signedNames.map(
      (name) => `${name}:${(came.headers.get(name) ?? '').trim().replaceAll(/ +/g, ' ')}`,
    ),
    '',
    signedNames.join(';'),
    sha256(Buffer.from(came.body, 'latin1')),
  ].join('\n')
  const [date = '', region = '', service = ''] = scope.split('/')
  const toSign = [
    'AWS4-HMAC-SHA256',
    came.headers.get('x-amz-date') ?? '',
    scope,
    sha256(canonical),
  ]
  const parts = [region, service, 'aws4_request']
  const key = parts.reduce<Uint8Array>(
    (made, part) => hmac(made, part),
    hmac(`AWS4${secretKey}`, date),
  )
  return createHmac('sha256', key).update(toSign.join('\n')).digest('hex')
}

const published: readonly [name: string, came: Partial<Came>, more: object, signature: string][] = [
  ['get-vanilla', {}, {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    { query: 'Param2=value2&Param1=value1' },
    {},
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'post-vanilla',
    { method: 'POST' },
    {},
    '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  ],
  [
    'post-header-key-sort',
    { method: 'POST' },
    { 'my-header1': 'value1' },
    'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  ],
]
for (const [name, came, more, signature] of published) {
  test(`the verifier of these tests agrees with the published example ${name}`, () => {
    const basic = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
    const headers = new Map(Object.entries({ ...basic, ...more }))
    const request = { method: 'GET', path: '/', query: '', headers, body: '', ...came }
    const scope = '20150830/us-east-1/service/aws4_request'
    assert.equal(signatureOf(request, [...headers.keys()].toSorted(), scope), signature)
  })
}

const clock = { nowUs: () => Date.UTC(2026, 10, 21, 7, 48) * 1000, monotonicMs: () => 0 }
const reveals = (value: string): { reveal(): string } => ({ reveal: () => value })
const credential: AwsCredential = {
  region: 'eu-west-1',
  service: 'bedrock-agentcore',
  accessKeyId: reveals(accessKey),
  secretAccessKey: reveals(secretKey),
}
const sourceFor = (url: string, more: Partial<AwsCredential> = {}): CredentialSource => {
  return awsSource('shop', new URL(url), { ...credential, ...more }, clock)
}

function cameIn(request: string): Came {
  const [head = '', body = ''] = request.split(/\r\n\r\n([^]*)/)
  const [first = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const [path = '', query = ''] = target.split('?')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    const had = headers.get(name)
    headers.set(name, `${had === undefined ? '' : `${had},`}${line.slice(at + 1).trim()}`)
  }
  return { method, path, query, headers, body }
}

/** What the server finds in `Authorization`, and whether it is right. */
function verdict(request: string): { scope: string; names: readonly string[]; isRight: boolean } {
  const came = cameIn(request)
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/
  const [, id, scope = '', signed = '', signature] =
    form.exec(came.headers.get('authorization') ?? '') ?? []
  const names = signed.split(';')
  const isBodyNamed =
    came.headers.get('x-amz-content-sha256') === sha256(Buffer.from(came.body, 'latin1'))
  const isRight = id === accessKey && isBodyNamed && signature === signatureOf(came, names, scope)
  return { scope, names, isRight }
}

const places = ['', '?b=2&a=1&a=0', '/a%20b/%E2%82%AC?x=%2F%26&empty', '/x/?plus=a+b']
for (const place of places) {
  test(`a request to /mcp${place} is signed so that the server finds it right`, async (t) => {
    const server = await serverOf(t, (socket) => socket.write(json('{}')))
    const url = `${server.url}${place}`
    // Even where the configuration lets them through, a client's headers of our names stay out.
    const passed = { request: ['x-amz-date', 'x-amz-security-token'], response: [] }
    const upstream = upstreamOf(t, url, { credential: sourceFor(url), headers: passed })
    const headers: [string, string][] = [
      ['content-type', 'application/json'],
      ['accept', 'application/json, text/event-stream'],
      ['mcp-session-id', 's1'],
      ['mcp-name', 'a'],
      ['mcp-name', 'b'],
      ['authorization', 'Bearer of-the-client'],
      ['x-amz-date', '20200101T000000Z'],
      ['x-amz-security-token', 'of-the-client'],
    ]
    await text(await send(upstream, { headers, body: Buffer.from('{"a":"€"}') }))
    await text(await send(upstream, { method: 'GET', headers: [] }))
    const [post = '', get = ''] = server.requests
    for (const request of [post, get]) {
      const { isRight, scope } = verdict(request)
      assert.ok(isRight, request)
      assert.equal(scope, '20261121/eu-west-1/bedrock-agentcore/aws4_request')
    }
    const signed = 'content-type;host;mcp-name;mcp-session-id;x-amz-content-sha256;x-amz-date'
    assert.equal(verdict(post).names.join(';'), signed)
    assert.doesNotMatch(post, /of-the-client|20200101/)
    assert.match(post, /\r\nx-amz-date: 20261121T074800Z\r\n/i)
  })
}

test('a changed byte of body, path, query or header is found by the server', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const url = `${server.url}?a=1`
  const upstream = upstreamOf(t, url, { credential: sourceFor(url) })
  await text(await send(upstream, { headers: [['mcp-name', 'x']], body: Buffer.from('{"a":1}') }))
  const [request = ''] = server.requests
  assert.ok(verdict(request).isRight)
  const changes: readonly [RegExp, string][] = [
    [/\{"a":1\}$/, '{"a":2}'],
    [/\/mcp/, '/mcq'],
    [/a=1/, 'a=2'],
    [/mcp-name: x/i, 'mcp-name: y'],
    [/^POST/, 'PUT'],
    [/host: 127/i, 'host: 128'],
    [/T0748/, 'T0749'],
  ]
  for (const [what, to] of changes) {
    assert.match(request, what)
    assert.ok(!verdict(request.replace(what, to)).isRight, what.source)
  }
})

test('a session token is sent and signed, and rotated keys are taken up by the next request', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  let id = 'ANOTHERKEY'
  const more = { accessKeyId: { reveal: () => id }, sessionToken: reveals('session-of-the-test') }
  const upstream = upstreamOf(t, server.url, { credential: sourceFor(server.url, more) })
  await text(await send(upstream))
  id = accessKey
  await text(await send(upstream))
  assert.deepEqual(
    server.requests.map((request) => verdict(request).isRight),
    [false, true],
  )
  assert.match(server.requests[1] ?? '', /\r\nx-amz-security-token: session-of-the-test\r\n/i)
  assert.ok(verdict(server.requests[1] ?? '').names.includes('x-amz-security-token'))
  assert.doesNotMatch(server.requests.join(), /wJalrXUtnFEMI/)
})

const wrong: readonly [what: string, url: string, more: Partial<AwsCredential>][] = [
  ['a region that is none', 'https://a.example/', { region: 'eu/west' }],
  ['no service', 'https://a.example/', { service: '' }],
  ['a service with a line end', 'https://a.example/', { service: 'a\nb' }],
  ['a query that is not UTF-8', 'https://a.example/?a=%ff', {}],
]
for (const [what, url, more] of wrong) {
  test(`${what} is refused when the connection is set up`, () => {
    assert.throws(() => sourceFor(url, more), { name: 'Fault', code: 'config_bad' })
  })
}

test('a key that cannot be had sends nothing, and its fault comes through', async (t) => {
  const server = await serverOf(t, (socket) => socket.write(json('{}')))
  const gone: Fault = Object.assign(new Error('gone'), { code: 'secret_missing' }) as Fault
  const secretAccessKey = {
    reveal: (): string => {
      throw gone
    },
  }
  const upstream = upstreamOf(t, server.url, {
    credential: sourceFor(server.url, { secretAccessKey }),
  })
  await assert.rejects(send(upstream), gone)
  assert.equal(server.requests.length, 0)
})

test('of any body and MCP headers, the server finds the signature right', async () => {
  const url = 'https://gateway.example:8443/mcp?x=1'
  const source = sourceFor(url)
  const word = fc.stringMatching(/^[!-~]{1,20}( {1,3}[!-~]{1,5})?$/)
  const found = fc.asyncProperty(fc.uint8Array(), word, async (body, value) => {
    const pairs = await source.headers({ method: 'POST', body }, ['mcp-name', value])
    const lines = [
      ['host', 'gateway.example:8443'],
      ['mcp-name', value],
    ]
    for (let i = 0; i < pairs.length; i += 2) lines.push([pairs[i] ?? '', pairs[i + 1] ?? ''])
    const headers = new Map(lines.map(([name = '', text_ = '']) => [name, text_]))
    const came = { method: 'POST', path: '/mcp', query: 'x=1', headers, body: '' }
    const sum = createHash('sha256').update(body).digest('hex')
    assert.equal(headers.get('x-amz-content-sha256'), sum)
    const signed = /SignedHeaders=([^,]+), Signature=(\w+)/.exec(headers.get('authorization') ?? '')
    const names = (signed?.[1] ?? '').split(';')
    if (body.length > 0) return
    assert.equal(
      signed?.[2],
      signatureOf(came, names, '20261121/eu-west-1/bedrock-agentcore/aws4_request'),
    )
  })
  await fc.assert(found, { numRuns: 50 })
})
