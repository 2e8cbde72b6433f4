import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { BadHttp } from './bad.ts'
import { keyOf, makeCertificates, noOpenssl } from './certificates.fixture.ts'
import { listen } from './listener.ts'

const made = noOpenssl === false ? makeCertificates() : undefined
after(() => made?.remove())

const serve = async (): Promise<void> => {}
const start = (certFile: string, key: { reveal(): string }): Promise<unknown> =>
  listen({ host: '127.0.0.1', port: 0, tls: { certFile, key }, serve })

test('bad TLS files are named and stop the listener', { skip: noOpenssl }, async () => {
  assert.ok(made)
  const empty = join(made.folder, 'empty.pem')
  writeFileSync(empty, '')
  const good = keyOf(made.server.key)
  const wrong: readonly [certFile: string, key: { reveal(): string }, message: RegExp][] = [
    [join(made.folder, 'missing.pem'), good, /missing\.pem cannot be read \(ENOENT\)/],
    [empty, good, /empty\.pem holds no PEM certificate/],
    [made.server.key, good, /server\.key holds no PEM certificate/],
    [made.server.cert, keyOf(made.client.key), /server\.pem and its key do not work together/],
    [
      made.server.cert,
      { reveal: () => 'not-a-key' },
      /server\.pem and its key do not work together/,
    ],
  ]
  for (const [certFile, key, message] of wrong) {
    await assert.rejects(start(certFile, key), { name: 'Fault', code: 'config_bad', message })
  }
})

test('no error message repeats the key', { skip: noOpenssl }, async () => {
  assert.ok(made)
  const refused = start(made.server.cert, { reveal: () => 'private-words' })
  await assert.rejects(refused, (error: Error) => !error.message.includes('private-words'))
})

test(
  'calls come in over TLS; a plain one is closed and reported',
  { skip: noOpenssl },
  async (t) => {
    assert.ok(made)
    const bad: BadHttp[] = []
    const reported = Promise.withResolvers<void>()
    const listening = await listen({
      host: '127.0.0.1',
      port: 0,
      tls: { certFile: made.server.cert, key: keyOf(made.server.key) },
      serve: async (incoming) => incoming.begin(200, {}).end(Buffer.from(incoming.source.ip)),
      onBad: (what) => {
        bad.push(what)
        reported.resolve()
      },
    })
    t.after(() => listening.close(0))
    const plain = connect(listening.port, '127.0.0.1')
    plain.on('error', () => {})
    plain.end('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await reported.promise
    assert.deepEqual(
      bad.map((one) => [one.reason, one.status]),
      [['tls', 0]],
    )
    const ca = readFileSync(made.ca)
    const options = { host: '127.0.0.1', port: listening.port, servername: 'localhost', ca }
    const [answer] = await once(get(options), 'response')
    assert.equal(answer.statusCode, 200)
    answer.setEncoding('utf8')
    assert.equal((await once(answer, 'data'))[0], '127.0.0.1')
  },
)
