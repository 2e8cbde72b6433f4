/** What is not HTTP, too slow or too large. All of it over real sockets, as bytes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { echo, head, never, open, post, tell } from './site.fixture.ts'

const notHttp: readonly [what: string, bytes: string, status: number, reason: string][] = [
  ['rubbish', '\x16\x03\x01\x02rubbish\r\n\r\n', 400, 'syntax'],
  ['a method with control characters', 'PO\x00ST / HTTP/1.1\r\n\r\n', 400, 'syntax'],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'syntax'],
  [
    'a length beside chunks',
    `${head(5)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'syntax',
  ],
  [
    'chunks beside a length',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n',
    400,
    'syntax',
  ],
  ['two lengths', `${head(5)}Content-Length: 6\r\n\r\nhello`, 400, 'syntax'],
  ['a length that is none', 'POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello', 400, 'syntax'],
  ['a negative length', 'POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n', 400, 'syntax'],
  [
    'a coding after chunked',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n',
    400,
    'syntax',
  ],
  ['a blank before the colon', 'POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello', 400, 'syntax'],
  ['a folded header', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 400, 'syntax'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: h\n\n', 400, 'syntax'],
  ['a null in a header', 'GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n', 400, 'syntax'],
  ['a giant header', `GET / HTTP/1.1\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'header_too_large'],
  ['a giant request line', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'header_too_large'],
  [
    'many small headers',
    `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(4000)}\r\n`,
    431,
    'header_too_large',
  ],
  ['CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'connect'],
]
for (const [what, bytes, status, reason] of notHttp) {
  test(`${what} is answered with ${status}, served by nobody, and reported`, async (t) => {
    const site = await open(t, never)
    const answer = await site.dial().say(bytes).all()
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(answer, /\r\nConnection: close\r\n/)
    assert.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code, -32600)
    assert.deepEqual(
      site.bad.map((one) => [one.reason, one.status, one.source.ip]),
      [[reason, status, '127.0.0.1']],
    )
  })
}

test('after any of it the next connection is served', async (t) => {
  const site = await open(t, echo)
  await site.dial().say('rubbish\r\n\r\n').all()
  await site
    .dial()
    .say(post('good'))
    .hears(/\r\n\r\ngood$/)
})

test('broken chunks fail the body, are answered by serve, and end the connection', async (t) => {
  const site = await open(t, tell)
  const start = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
  const answer = await site.dial().say(`${start}zz\r\n`).all()
  assert.match(answer, /^HTTP\/1.1 499 [^]*connection: close[^]*bad_request framing$/i)
})

const quick = { headersMs: 150, requestMs: 300 }

test('a head that drips in too slowly is answered with 408', async (t) => {
  const site = await open(t, never, { limits: quick })
  const talk = site.dial().say('GET / HTTP/1.1\r\n')
  const drip = setInterval(() => talk.say('A: b\r\n'), 40)
  const answer = await talk.all()
  clearInterval(drip)
  assert.match(answer, /^HTTP\/1.1 408 /)
  assert.deepEqual(
    site.bad.map((one) => one.reason),
    ['too_slow'],
  )
})

test('a body that drips in too slowly fails with too_slow, which serve can still answer', async (t) => {
  const site = await open(t, tell, { limits: quick })
  const talk = site.dial().say(`${head(1000)}\r\n`)
  const drip = setInterval(() => talk.say('a'), 40)
  const answer = await talk.all()
  clearInterval(drip)
  assert.match(answer, /^HTTP\/1.1 499 [^]*too_slow body$/)
})

test('a connection that says nothing is closed without a report', async (t) => {
  const site = await open(t, never, { limits: quick })
  await site.dial().all()
  assert.deepEqual(site.bad, [])
})

test('a body declared over the limit fails before it is read', async (t) => {
  const site = await open(t, tell)
  await site
    .dial()
    .say(`${head(1025)}\r\n`)
    .hears(/too_large body$/)
})

test('a chunked body over the limit fails where it goes over, and the connection lives on', async (t) => {
  const site = await open(t, tell)
  const talk = site.dial().say('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let i = 0; i < 3; i++) talk.say(`200\r\n${'a'.repeat(512)}\r\n`)
  await talk.hears(/too_large body$/)
  await talk.say(`0\r\n\r\n${post('next')}`).hears(/\r\n\r\nnext$/)
})

test('a body of just the limit comes through, in pieces or at once', async (t) => {
  const site = await open(t, echo)
  const body = 'x'.repeat(1024)
  await site
    .dial()
    .say(post(body))
    .hears(/\r\nx{1024}$/)
  const talk = site.dial().say(`${head(1024)}\r\n`)
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    talk.say('x'.repeat(256))
  }
  await talk.hears(/\r\ncontent-length: 1024\r\n[^]*\r\nx{1024}$/)
})
