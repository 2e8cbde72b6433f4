/** Which addresses and secrets are taken, TLS, and what `sallyport check` says of them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import { makeCertificates, noOpenssl } from '../listener/certificates.fixture.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { checkNotice } from './check.ts'
import type { CheckParts, NoticeCheck } from './check.ts'
import { consoleUrl, desk, hook, site, ticketOf, webhookSecret } from './site.fixture.ts'

const made = noOpenssl === false ? makeCertificates() : undefined
after(() => made?.remove())

const clock = systemClock()

function secretsOf(env: Readonly<Record<string, string>> = {}): Secrets {
  return createSecrets({ env: { HOOK: webhookSecret, ...env }, clock })
}

function check(
  receivers: readonly NoticeConfig[],
  more: Partial<CheckParts> = {},
): Promise<readonly NoticeCheck[]> {
  const secrets = secretsOf()
  return checkNotice(receivers, {
    secrets,
    clock,
    consoleUrl,
    sends: false,
    tryMs: 10_000,
    ...more,
  })
}

const badAddresses = [
  'http://hooks.example/T0/tokentoken',
  'http://10.0.0.1/tokentoken',
  'ftp://hooks.example/tokentoken',
  'https://user:tokentoken@hooks.example/',
  'https://169.254.169.254/tokentoken',
  'https://metadata.google.internal/tokentoken',
  'hooks.example/tokentoken',
  'javascript:tokentoken',
  '',
]
for (const url of badAddresses) {
  test(`the address ${JSON.stringify(url)} is refused at the start, unseen`, (t) => {
    for (const type of ['slack', 'teams'] as const) {
      const refused = (error: Error): boolean => {
        assert.equal(error.name, 'Fault')
        assert.match(error.message, /notify\[0\]\.url/)
        assert.doesNotMatch(error.message, /tokentoken/)
        return true
      }
      assert.throws(() => desk(t, [{ name: 'chat', type, url }]), refused)
      if (url === '') continue
      const secrets = secretsOf({ URL: url })
      const kept = { name: 'chat', type, url: { from: 'env', name: 'URL' } } as const
      assert.throws(() => desk(t, [kept], { secrets }), refused)
    }
  })
}

test('a secret that is not there is refused at the start', (t) => {
  const url = { from: 'env', name: 'MISSING' } as const
  assert.throws(() => desk(t, [{ name: 'chat', type: 'slack', url }]), { code: 'secret_missing' })
})

test('an address in the configuration is hidden from logs like one that is kept', async (t) => {
  const { url } = await site(t)
  const secrets = secretsOf()
  desk(t, [{ name: 'chat', type: 'slack', url }], { secrets })
  assert.doesNotMatch(secrets.redactText(`failed at ${url}`), /verysecretpath/)
})

test('an address that is kept elsewhere is read anew for each notice', async (t) => {
  const old = await site(t)
  const young = await site(t)
  let url = old.url
  const secrets: Pick<Secrets, 'open' | 'hide'> = {
    hide: () => undefined,
    open: (ref, form, where) => ({
      read: () =>
        createSecrets({ env: { URL: url }, clock })
          .open(ref, form, where)
          .read(),
    }),
  }
  const kept = { name: 'chat', type: 'teams', url: { from: 'env', name: 'URL' } } as const
  const at = desk(t, [kept], { secrets })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await old.came(1)
  url = young.url
  await at.notices.tell({ kind: 'denied', ticket: ticketOf() })
  await young.came(1)
  assert.equal(old.got.length, 1)
  assert.match(young.got[0]?.body ?? '', /AdaptiveCard/)
})

test('Teams answers 202 and Slack 200: both are told', async (t) => {
  const teams = await site(t)
  const slack = await site(t, (response) => void response.writeHead(200).end('ok'))
  const at = desk(t, [
    { name: 'channel', type: 'teams', url: teams.url },
    { name: 'chat', type: 'slack', url: slack.url },
  ])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length === 2)
  assert.ok(at.noted.every(({ type }) => type === 'notice.sent'))
  assert.equal(teams.got[0]?.headers['content-type'], 'application/json')
  assert.match(slack.got[0]?.body ?? '', /"blocks"/)
  assert.equal(slack.got[0]?.headers['webhook-signature'], undefined)
})

async function httpsSite(t: TestContext, bodies: string[]): Promise<number> {
  assert.ok(made)
  const tls = { cert: readFileSync(made.server.cert), key: readFileSync(made.server.key) }
  const server = createHttps(tls, (request, response) => {
    request.on('data', (part: Buffer) => bodies.push(part.toString()))
    request.on('end', () => response.writeHead(204).end())
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => (server.closeAllConnections(), server.close()))
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

test('TLS is verified: authority and name', { skip: noOpenssl }, async (t) => {
  assert.ok(made)
  const bodies: string[] = []
  const port = await httpsSite(t, bodies)
  const ca = readFileSync(made.ca, 'utf8')
  const named = hook(`https://localhost:${port}/x`)
  const wrong: readonly (readonly [NoticeConfig, { ca?: string }])[] = [
    [named, {}],
    [hook(`https://127.0.0.1:${port}/x`), { ca }],
  ]
  for (const [receiver, trust] of wrong) {
    for (const sends of [true, false]) {
      const [found] = await check([receiver], { ...trust, sends })
      assert.equal(found?.isGood, false)
      assert.match(found?.message ?? '', /\(tls\)/)
    }
  }
  assert.deepEqual(bodies, [])
  const [looked] = await check([named], { ca })
  assert.deepEqual([looked?.isGood, bodies.length], [true, 0], 'looking sends nothing')
  const [tried] = await check([named], { ca, sends: true })
  assert.deepEqual([tried?.isGood, bodies.length], [true, 1])
  assert.match(bodies[0] ?? '', /"type":"test"/)
})

test('a check says of each receiver what is wrong, and no address', async (t) => {
  const good = await site(t)
  const gone = await site(t, (response) => void response.writeHead(404).end('no_service'))
  const found = await check(
    [
      { name: 'good', type: 'slack', url: good.url },
      { name: 'gone', type: 'slack', url: gone.url },
      { name: 'nobody', type: 'teams', url: 'http://127.0.0.1:1/secretpath' },
      { name: 'clear', type: 'teams', url: 'http://hooks.example/secretpath' },
      {
        name: 'mail',
        type: 'email',
        host: '127.0.0.1',
        port: 1,
        security: 'none',
        from: 'a@b',
        to: [],
      },
    ],
    { sends: true },
  )
  assert.deepEqual(
    found.map(({ isGood, receiver }) => [receiver, isGood]),
    [
      ['good', true],
      ['gone', false],
      ['nobody', false],
      ['clear', false],
      ['mail', false],
    ],
  )
  assert.match(found[1]?.message ?? '', /status_404.*not in force any more/)
  assert.match(found[2]?.message ?? '', /refused/)
  assert.doesNotMatch(JSON.stringify(found), /secretpath|verysecret/)
})
