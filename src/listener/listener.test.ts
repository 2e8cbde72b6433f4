/** Serving, leaving and closing. All of it over real sockets, as bytes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Fault } from '../base/fault.ts'
import type { Incoming } from './incoming.ts'
import { listen } from './listener.ts'
import { echo, head, open, post } from './site.fixture.ts'

test('a client that hangs up in the middle of its body cancels it', async (t) => {
  const failed = Promise.withResolvers<string>()
  const site = await open(t, async (incoming) => {
    await incoming.body(1024).catch((error: Fault) => failed.resolve(error.code))
  })
  const talk = site.dial().say(`${head(10)}\r\nhalf`)
  talk.socket.end()
  assert.equal(await failed.promise, 'cancelled')
  await talk.all()
  assert.deepEqual(site.defects, [])
})

test('a client that hangs up or half-closes while serve works is gone', async (t) => {
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const gone = Promise.withResolvers<Incoming>()
    const site = await open(t, async (incoming) => {
      await incoming.body(1024)
      talk.socket[leave]()
      await once(incoming.gone, 'abort')
      gone.resolve(incoming)
    })
    const talk = site.dial().say(post('hello'))
    const incoming = await gone.promise
    const reply = incoming.begin(200, {})
    await assert.rejects(reply.write(Buffer.from('x')), { name: 'Fault', code: 'cancelled' })
    await assert.rejects(incoming.body(1), { code: 'cancelled' })
    reply.end()
    assert.equal(incoming.gone.aborted, true)
  }
})

test('a half-closed client that reads nothing is gone at once, though bytes still wait for it', async (t) => {
  const code = Promise.withResolvers<string>()
  const site = await open(t, async (incoming) => {
    const reply = incoming.begin(200, {})
    try {
      for (;;) await reply.write(Buffer.alloc(1024 * 1024))
    } catch (error) {
      code.resolve((error as Fault).code)
    }
  })
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await talk.hears(/200 OK/)
  talk.socket.pause().end()
  assert.equal(await code.promise, 'cancelled')
})

test('gone asked for only afterwards has fired already', async (t) => {
  const gone = Promise.withResolvers<boolean>()
  const site = await open(t, async (incoming) => {
    await incoming.body(1024).catch(() => {})
    gone.resolve(incoming.gone.aborted)
  })
  const talk = site.dial().say(`${head(10)}\r\nhalf`)
  talk.socket.end()
  assert.equal(await gone.promise, true)
})

test('gone does not fire for a client that waited for its answer', async (t) => {
  const seen: Incoming[] = []
  const site = await open(t, async (incoming) => {
    seen.push(incoming)
    assert.equal(incoming.gone.aborted, false)
    await echo(incoming)
  })
  const talk = site.dial().say(post('hello'))
  await talk.hears(/hello$/)
  talk.socket.end()
  await talk.all()
  assert.equal(seen[0]?.gone.aborted, false)
})

test('a request that does not wait for the answer before it is not served', async (t) => {
  let served = 0
  const site = await open(t, async (incoming) => {
    served++
    await new Promise((resolve) => setTimeout(resolve, 30))
    await echo(incoming)
  })
  const answer = await site
    .dial()
    .say(post('one') + post('two') + post('three'))
    .all()
  assert.equal(served, 1)
  assert.match(answer, /connection: close[^]*\r\n\r\none$/i)
  assert.deepEqual(
    site.bad.map((one) => one.reason),
    ['pipelined'],
  )
})

test('rubbish behind a good request does not take its answer', async (t) => {
  const site = await open(t, async (incoming) => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    await echo(incoming)
  })
  const answer = await site
    .dial()
    .say(`${post('one')}\x00\x00`)
    .all()
  assert.match(answer, /^HTTP\/1.1 200 [^]*\r\n\r\none$/)
})

test('requests one after the other share a connection', async (t) => {
  const site = await open(t, echo)
  const talk = site.dial()
  for (const word of ['one', 'two', 'three'])
    await talk.say(post(word)).hears(new RegExp(`${word}$`))
  assert.equal(talk.text.match(/HTTP\/1.1 200/g)?.length, 3)
})

test('a request refused without reading its body leaves the connection usable', async (t) => {
  const site = await open(t, async (incoming) => {
    if (incoming.path === '/mcp') incoming.begin(401, {}).end()
    else await echo(incoming)
  })
  const talk = site.dial().say(post('x'.repeat(5000)))
  await talk.hears(/401/)
  await talk.say('GET /other HTTP/1.1\r\nHost: h\r\n\r\n').hears(/200 OK/)
})

test('100-continue is said only when the body is wanted', async (t) => {
  const site = await open(t, async (incoming) => {
    if (incoming.path === '/no') incoming.begin(401, {}).end()
    else await echo(incoming)
  })
  const expect = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`
  const refused = await site.dial().say(expect('/no')).all()
  assert.match(refused, /^HTTP\/1.1 401 [^]*connection: close/i)
  const talk = site.dial().say(expect('/yes'))
  await talk.hears(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
  await talk.say('ok').hears(/HTTP\/1.1 200 OK[^]*ok$/)
})

test('any method and an odd path reach serve as they came', async (t) => {
  const seen: string[] = []
  const site = await open(t, async (incoming) => {
    seen.push(`${incoming.method} ${incoming.path} ${incoming.query}`)
    incoming.begin(405, { allow: 'POST' }).end()
  })
  const talk = site.dial()
  for (const line of ['OPTIONS *', 'DELETE /a%2F../b?x=%00&y?z', 'QUERY http://h/absolute']) {
    const before = talk.text.length
    talk.say(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`)
    while (!talk.text.slice(before).endsWith('\r\n\r\n')) await once(talk.socket, 'data')
  }
  assert.deepEqual(seen, ['OPTIONS * ', 'DELETE /a%2F../b x=%00&y?z', 'QUERY http://h/absolute '])
})

test('HEAD gets the head alone', async (t) => {
  const site = await open(t, async (incoming) => incoming.begin(200, {}).end(Buffer.from('body')))
  const talk = site.dial().say('HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  assert.match(await talk.all(), /content-length: 4\r\n[^]*\r\n\r\n$/)
})

test('an empty answer says its length, and 204 says none', async (t) => {
  const site = await open(t, async (incoming) => {
    incoming.begin(incoming.path === '/204' ? 204 : 202, {}).end()
  })
  const talk = site.dial().say('GET /202 HTTP/1.1\r\nHost: h\r\n\r\n')
  await talk.hears(/^HTTP\/1.1 202 [^]*content-length: 0\r\n[^]*\r\n\r\n$/)
  const last = 'GET /204 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
  assert.doesNotMatch(await site.dial().say(last).all(), /content-length|transfer-encoding/i)
})

test('the head of an event stream leaves at once, each event as it is written', async (t) => {
  const step = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const site = await open(t, async (incoming) => {
    const reply = incoming.begin(200, { 'content-type': 'text/event-stream' })
    await step[0]?.promise
    await reply.write(Buffer.from('data: 1\n\n'))
    await step[1]?.promise
    reply.end()
  })
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await talk.hears(/\r\nTransfer-Encoding: chunked\r\n\r\n$/i)
  step[0]?.resolve()
  await talk.hears(/data: 1\n\n\r\n$/)
  step[1]?.resolve()
  await talk.hears(/\r\n0\r\n\r\n$/)
})

test('a write waits while the client reads nothing, and goes on when it does', async (t) => {
  const chunk = Buffer.alloc(256 * 1024, 97)
  let written = 0
  const done = Promise.withResolvers<void>()
  const site = await open(t, async (incoming) => {
    const reply = incoming.begin(200, {})
    for (let i = 0; i < 100; i++) {
      await reply.write(chunk)
      written += chunk.length
    }
    reply.end()
    done.resolve()
  })
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  talk.socket.pause()
  let before = -1
  while (written !== before || written === 0) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.ok(written < 15_000_000, `${written} bytes were taken in for a client that reads none`)
  talk.socket.resume()
  await done.promise
  await talk.closed
  assert.ok(talk.text.length > 100 * chunk.length)
})

test('a client that takes nothing of an answer for too long is cut off', async (t) => {
  const limits = { writeStallMs: 200 }
  const outcome = Promise.withResolvers<string>()
  const site = await open(
    t,
    async (incoming) => {
      const reply = incoming.begin(200, {})
      for (;;) await reply.write(Buffer.alloc(1024 * 1024))
    },
    { limits, onDefect: (error) => outcome.resolve((error as Fault).code) },
  )
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  talk.socket.pause()
  assert.equal(await outcome.promise, 'cancelled')
})

test('an ended answer that nobody takes does not hold its connection for ever', async (t) => {
  const site = await open(
    t,
    async (incoming) => incoming.begin(200, {}).end(Buffer.alloc(64 * 1024 * 1024)),
    { limits: { writeStallMs: 200 } },
  )
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  talk.socket.pause()
  await once(talk.socket, 'connect')
  await new Promise((resolve) => setTimeout(resolve, 800))
  talk.socket.resume()
  await talk.closed
  assert.ok(talk.text.length < 64 * 1024 * 1024)
})

test('a serve that throws gives 500 without its text, and the next call works', async (t) => {
  const site = await open(t, async (incoming) => {
    if (incoming.path === '/bad') throw new Error('a secret text')
    await echo(incoming)
  })
  const talk = site.dial().say('GET /bad HTTP/1.1\r\nHost: h\r\n\r\n')
  const answer = await talk.hears(/^HTTP\/1.1 500 [^]*\r\n\r\n$/)
  assert.doesNotMatch(answer, /secret/)
  assert.equal(site.defects.length, 1)
  await talk.say(post('next')).hears(/next$/)
})

test('an answer which serve does not end breaks off, so that nobody takes it for whole', async (t) => {
  const site = await open(t, async (incoming) => {
    await incoming.begin(200, {}).write(Buffer.from('half'))
  })
  const answer = await site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n').all()
  assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/)
  assert.equal(site.defects.length, 1)
})

test('connections over the limit are closed unread, and reported', async (t) => {
  const site = await open(t, echo, { limits: { socketsMax: 1 } })
  const first = site.dial().say(post('one'))
  await first.hears(/one$/)
  assert.equal(await site.dial().say(post('two')).all(), '')
  assert.deepEqual(
    site.bad.map((one) => one.reason),
    ['too_many_sockets'],
  )
  await first.say(post('again')).hears(/again$/)
})

test('an idle connection is closed after its time', async (t) => {
  const site = await open(t, echo, { limits: { keepAliveMs: 100 } })
  const talk = site.dial().say(post('one'))
  await talk.hears(/one$/)
  await talk.closed
})

test('closing ends idle connections at once and lets running requests finish', async (t) => {
  const step = Promise.withResolvers<void>()
  const site = await open(t, async (incoming) => {
    if (incoming.path === '/slow') await step.promise
    await echo(incoming)
  })
  const idle = site.dial().say(post('one'))
  await idle.hears(/one$/)
  const silent = site.dial()
  await once(silent.socket, 'connect')
  const running = site.dial().say('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 30))
  const closed = site.listening.close(5000)
  await Promise.all([idle.closed, silent.closed])
  const refused = site.dial()
  await refused.closed
  assert.equal(refused.text, '')
  step.resolve()
  assert.match(await running.all(), /^HTTP\/1.1 200 [^]*connection: close/i)
  await closed
})

test('closing breaks what still runs when the grace is over', async (t) => {
  const lost = Promise.withResolvers<void>()
  const site = await open(t, async (incoming) => {
    incoming.begin(200, { 'content-type': 'text/event-stream' })
    await once(incoming.gone, 'abort')
    lost.resolve()
  })
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await talk.hears(/event-stream/)
  await site.listening.close(50)
  await Promise.all([talk.closed, lost.promise])
})

test('an address that is taken is named, with what to do', async (t) => {
  const site = await open(t, echo)
  const second = listen({ host: '127.0.0.1', port: site.port, serve: echo })
  await assert.rejects(second, (error: Fault) => {
    assert.equal(error.code, 'config_bad')
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${site.port}: another process`))
    return true
  })
})

test('the source is the peer, or what a trusted proxy says', async (t) => {
  const site = await open(
    t,
    async (incoming) => {
      incoming.begin(200, {}).end(Buffer.from(JSON.stringify(incoming.source)))
    },
    { trustedProxies: ['127.0.0.0/8'] },
  )
  const talk = site.dial().say('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await talk.hears(/"ip":"127.0.0.1","port":\d+}$/)
  const proxied = site.dial().say('GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n')
  await proxied.hears(/\{"ip":"203.0.113.5","port":0,"forwarded":"127.0.0.1"\}$/)
})
