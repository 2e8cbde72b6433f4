/** Tokens got at an authorization server, and what the MCP server then sees. Real sockets throughout. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import Provider from 'oidc-provider'
import type { Fault } from '../base/fault.ts'
import { makeCertificates, noOpenssl } from '../listener/certificates.fixture.ts'
import { clientId, clientSecret, oauthError, startOAuth } from '../../tests/peers/oauth-fake.ts'
import type { OAuthFake, OAuthFakeOptions } from '../../tests/peers/oauth-fake.ts'
import type { Mishap } from '../../tests/peers/json-fake.ts'
import { oauthSource } from './credential-oauth.ts'
import type { OAuthCredential } from './credential-oauth.ts'
import type { Caller, CredentialSource, HeaderPairs } from './credential.ts'
import { json, send, serverOf, text, upstreamOf } from './server.fixture.ts'
import type { Server } from './server.fixture.ts'
import type { Upstream } from './upstream.ts'

const patience = { tryMs: 1_000, againMs: [5, 5] as const, wishMsMax: 100 }
const reveals = (value: string): { reveal(): string } => ({ reveal: () => value })
const ann: Caller = { key: 'https://idp.example ann', token: () => 'token-of-ann' }
const bob: Caller = { key: 'https://idp.example bob', token: () => 'token-of-bob' }

interface Setting {
  readonly fake: OAuthFake
  readonly source: CredentialSource
  readonly hidden: string[]
  readonly trouble: Fault[]
  /** Moves the clock. */
  readonly pass: (ms: number) => void
}

async function settingOf(
  t: TestContext,
  type: OAuthCredential['type'],
  more: Partial<OAuthCredential> = {},
  options: OAuthFakeOptions = {},
): Promise<Setting> {
  const fake = await startOAuth(options)
  t.after(() => fake.close())
  fake.subjects.set('token-of-ann', 'ann').set('token-of-bob', 'bob')
  const hidden: string[] = []
  const trouble: Fault[] = []
  let nowMs = 0
  const clock = { nowUs: () => Date.now() * 1000, monotonicMs: () => nowMs }
  const { tokenUrl } = fake
  const basic = {
    tokenUrl,
    clientId,
    clientAuth: 'basic',
    clientSecret: reveals(clientSecret),
  } as const
  const means = {
    clock,
    patience,
    hide: (value: string) => hidden.push(value),
    onTrouble: (fault: Fault) => trouble.push(fault),
  }
  const source = oauthSource('shop', { type, ...basic, ...more }, means)
  return { fake, source, hidden, trouble, pass: (ms) => (nowMs += ms) }
}

/** A server that answers each request by a status, and an upstream to it. */
async function shopOf(
  t: TestContext,
  source: CredentialSource,
  statusOf: (request: string, count: number) => number = () => 200,
): Promise<{ server: Server; upstream: Upstream }> {
  const server = await serverOf(t, (socket, request, count) => {
    const status = statusOf(request, count)
    socket.write(json('{}').toString().replace('200 OK', `${status} X`))
  })
  return { server, upstream: upstreamOf(t, server.url, { credential: source }) }
}

function bearerIn(request: string | undefined): string {
  return /\r\nauthorization: Bearer (\S+)\r\n/i.exec(request ?? '')?.[1] ?? ''
}

const shown = async (source: CredentialSource, caller?: Caller): Promise<HeaderPairs> =>
  await source.headers({ method: 'POST', ...(caller === undefined ? {} : { caller }) }, [])

/** Nothing of what was sent to or said by the authorization server. */
function isClean(fault: Fault, fake: OAuthFake): boolean {
  const told = [fault.message, JSON.stringify(fault.facts), inspect(fault, { depth: 9 })].join()
  const basic = Buffer.from(clientSecret).toString('base64').slice(0, 12)
  const values = [clientSecret, basic, 'token-of-ann', 'issued.', fake.origin, 'AADSTS']
  return values.every((value) => !told.includes(value))
}

// What goes wrong at the authorization server

const failures: readonly [what: string, mishap: Mishap, code: string, why: RegExp][] = [
  ['silence', 'silent', 'upstream_down', /did not answer in time/],
  ['half an answer and then silence', 'stalled', 'upstream_down', /did not answer in time/],
  ['a broken connection', 'reset', 'upstream_down', /cannot be reached/],
  ['1 MiB', 'huge', 'secret_missing', /more than 65536 bytes/],
  ['half an answer', 'truncated', 'secret_missing', /holds no access token/],
  ['503', { status: 503, body: {} }, 'upstream_down', /error \(503\)/],
  ['429', { status: 429, body: {} }, 'upstream_down', /too many requests/],
  [
    'invalid_client',
    oauthError(401, 'invalid_client'),
    'secret_missing',
    /client_id and client_secret/,
  ],
  ['invalid_scope', oauthError(400, 'invalid_scope'), 'secret_missing', /give the scope/],
  [
    'a made-up error',
    oauthError(400, `x${clientSecret}`),
    'secret_missing',
    /refuses a token \(400\)/,
  ],
  [
    'an inherited error',
    oauthError(400, 'constructor'),
    'secret_missing',
    /refuses a token \(400\)/,
  ],
  [
    'a token with a line end',
    changed({ access_token: 'a\r\nX: b' }),
    'secret_missing',
    /no access token/,
  ],
  ['no token', changed({ access_token: undefined }), 'secret_missing', /no access token/],
  ['a token of another kind', changed({ token_type: 'DPoP' }), 'secret_missing', /another kind/],
  ['a token without a kind', changed({ token_type: undefined }), 'secret_missing', /another kind/],
  ['a token that has ended', changed({ expires_in: 0 }), 'secret_missing', /without a life/],
  [
    'a token with no time at all',
    changed({ expires_in: 'soon' }),
    'secret_missing',
    /without a life/,
  ],
]
function changed(more: object): Mishap {
  return (answer) => ({ ...answer, body: { ...(answer.body as object), ...more } })
}
for (const [what, mishap, code, why] of failures) {
  test(`${what} from the authorization server sends nothing and tells no secret`, async (t) => {
    const { fake, source } = await settingOf(t, 'client-credentials')
    const { server, upstream } = await shopOf(t, source)
    for (let i = 0; i < 3; i++) fake.once(/token$/, mishap)
    await assert.rejects(send(upstream), (fault: Fault) => {
      assert.equal(fault.code, code)
      assert.match(fault.message, why)
      assert.match(fault.message, /connection "shop".* Nothing was sent\.$/)
      assert.equal(fault.facts['isSent'], false)
      return isClean(fault, fake)
    })
    assert.equal(server.requests.length, 0)
  })
}

test('a redirect of the token endpoint is not followed: secret and token would go along', async (t) => {
  const seen: string[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  t.after(() => (elsewhere.closeAllConnections(), elsewhere.close()))
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
  for (const type of ['client-credentials', 'token-exchange', 'on-behalf-of'] as const) {
    const { fake, source } = await settingOf(t, type)
    fake.once(/token$/, { status: 307, body: {}, headers: { location } })
    await assert.rejects(shown(source, ann), /a redirect, which is not followed/)
    assert.equal(fake.asked.length, 1)
  }
  assert.deepEqual(seen, [])
})

test('after a failure the authorization server is left in peace for 2 seconds', async (t) => {
  const { fake, pass, source } = await settingOf(t, 'client-credentials')
  fake.once(/token$/, oauthError(401, 'invalid_client'))
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => shown(source)))
  assert.ok(all.every(({ status }) => status === 'rejected'))
  pass(1_999)
  await assert.rejects(shown(source), { code: 'secret_missing' })
  assert.equal(fake.asked.length, 1)
  pass(1)
  assert.match((await shown(source))[1] ?? '', /^Bearer issued\./)
})

const unmeant: readonly [what: string, more: Partial<OAuthCredential>, why: RegExp][] = [
  ['over http beyond this machine', { tokenUrl: 'http://as.example/token' }, /over https/],
  ['of a metadata service', { tokenUrl: 'http://169.254.169.254/token' }, /metadata service/],
  ['of a metadata service by name', { tokenUrl: 'https://metadata.google.internal/t' }, /metadata/],
  ['with a password in it', { tokenUrl: 'https://me:hidden@as.example/token' }, /no address/],
  ['that is none', { tokenUrl: 'as.example' }, /no address/],
]
for (const [what, more, why] of unmeant) {
  test(`a token endpoint ${what} is refused when the connection is set up`, async (t) => {
    await assert.rejects(settingOf(t, 'client-credentials', more), (fault: Fault) => {
      assert.match(fault.message, why)
      return fault.code === 'config_bad' && !fault.message.includes('hidden')
    })
  })
}

// Tokens of our own

test('a hundred calls at once take one token, which is hidden and stands in every request', async (t) => {
  const { fake, hidden, source } = await settingOf(t, 'client-credentials', {
    scope: 'orders.read',
    audience: 'shop',
    resource: 'https://shop.example/mcp',
  })
  const { server, upstream } = await shopOf(t, source)
  await Promise.all(Array.from({ length: 100 }, async () => text(await send(upstream))))
  assert.equal(fake.asked.length, 1)
  const [[token = '', issued] = []] = fake.issued
  assert.equal(new Set(server.requests.map(bearerIn)).size, 1)
  assert.equal(bearerIn(server.requests[99]), token)
  assert.deepEqual(issued, {
    principal: 'shared',
    scope: 'orders.read',
    audience: 'shop',
    resource: 'https://shop.example/mcp',
  })
  assert.ok(hidden.includes(token))
  assert.deepEqual(fake.problems, [])
})

test('a token is renewed 60 seconds before its end, behind calls that still have it', async (t) => {
  const { fake, pass, source, trouble } = await settingOf(t, 'client-credentials')
  const first = await shown(source)
  pass(3_539_999)
  assert.deepEqual(source.headers({ method: 'POST' }, []), first)
  assert.equal(fake.asked.length, 1)
  pass(1)
  fake.once(/token$/, oauthError(401, 'invalid_client'))
  assert.deepEqual(source.headers({ method: 'POST' }, []), first) // At once: nobody waits.
  await until(() => trouble.length === 1)
  assert.ok(isClean(trouble[0] as Fault, fake))
  pass(2_000)
  assert.deepEqual(source.headers({ method: 'POST' }, []), first)
  await until(() => fake.issued.size === 2)
  await until(() => second() !== first[1])
  function second(): string | undefined {
    const now = source.headers({ method: 'POST' }, [])
    return now instanceof Promise ? undefined : now[1]
  }
  assert.equal(fake.asked.length, 3)
})

test('a token that has ended is not used, although no new one can be had', async (t) => {
  const { fake, pass, source } = await settingOf(t, 'client-credentials')
  fake.livesS = 100
  await shown(source)
  pass(99_999)
  fake.once(/token$/, oauthError(401, 'invalid_client'))
  assert.ok(!(source.headers({ method: 'POST' }, []) instanceof Promise))
  await until(() => fake.asked.length === 2)
  pass(1)
  fake.once(/token$/, oauthError(401, 'invalid_client'))
  await assert.rejects(async () => shown(source), { code: 'secret_missing' })
})

test('a token whose life is not told is taken for five minutes, less the margin', async (t) => {
  const { fake, pass, source } = await settingOf(t, 'client-credentials')
  fake.livesS = undefined
  const first = await shown(source)
  pass(299_999)
  assert.deepEqual(source.headers({ method: 'POST' }, []), first)
  await until(() => fake.asked.length === 2)
  pass(2_000_000)
  assert.notDeepEqual(await shown(source), first)
})

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setImmediate(done))
}

// What the server refuses

test('a call refused with 401 is not sent again, and the next one has a new token', async (t) => {
  const { fake, source } = await settingOf(t, 'client-credentials')
  const { server, upstream } = await shopOf(t, source, (_, count) => (count === 1 ? 401 : 200))
  assert.equal((await send(upstream)).status, 401)
  assert.equal(server.requests.length, 1)
  assert.equal((await send(upstream)).status, 200)
  assert.notEqual(bearerIn(server.requests[0]), bearerIn(server.requests[1]))
  assert.equal(fake.asked.length, 2)
})

test('what is safe is sent once more with a new token, and only once', async (t) => {
  const { fake, source } = await settingOf(t, 'client-credentials')
  const { server, upstream } = await shopOf(t, source, (_, count) => (count === 2 ? 200 : 401))
  assert.equal((await send(upstream, { safe: true })).status, 200)
  assert.equal(server.requests.length, 2)
  assert.equal(server.requests[1]?.match(/\r\nauthorization:/gi)?.length, 1)
  // It refuses the new one as well: told, and no flood of tokens behind it.
  assert.equal((await send(upstream, { safe: true })).status, 401)
  for (let i = 0; i < 10; i++) assert.equal((await send(upstream)).status, 401)
  assert.equal(fake.asked.length, 2)
  assert.equal(server.requests.length, 13)
})

test('what is safe and was refused is answered so, where no new token can be had', async (t) => {
  const { fake, source } = await settingOf(t, 'client-credentials')
  const { server, upstream } = await shopOf(t, source, () => 401)
  await shown(source)
  fake.once(/token$/, oauthError(401, 'invalid_client'))
  const answer = await send(upstream, { safe: true })
  assert.equal(answer.status, 401)
  assert.equal(await text(answer), '{}')
  assert.equal(server.requests.length, 1)
  assert.equal(fake.asked.length, 2)
})

test('a hundred calls refused at once take one new token', async (t) => {
  const { fake, source } = await settingOf(t, 'client-credentials')
  const [, old] = await shown(source)
  const { upstream } = await shopOf(t, source, (request) =>
    `Bearer ${bearerIn(request)}` === old ? 401 : 200,
  )
  const first = await Promise.all(Array.from({ length: 100 }, () => send(upstream)))
  assert.ok(first.every(({ status }) => status === 401))
  const second = await Promise.all(Array.from({ length: 100 }, () => send(upstream)))
  assert.ok(second.every(({ status }) => status === 200))
  assert.equal(fake.asked.length, 2)
})

// Cancelling and stopping while a token is waited for

test('a call cancelled while its token is waited for is not sent', async (t) => {
  const { fake, source } = await settingOf(t, 'client-credentials')
  const { server, upstream } = await shopOf(t, source)
  fake.once(/token$/, 'silent')
  const abort = new AbortController()
  const waiting = send(upstream, { signal: abort.signal })
  await until(() => fake.asked.length === 1)
  abort.abort()
  await assert.rejects(waiting, (fault: Fault) => {
    return fault.code === 'cancelled' && fault.facts['isSent'] === false
  })
  assert.equal((await send(upstream)).status, 200) // Others who wait for the same token get it.
  assert.equal(server.requests.length, 1)
})

test('what was stopped while its token was waited for is not sent', async (t) => {
  const { source } = await settingOf(t, 'client-credentials')
  const { server, upstream } = await shopOf(t, source)
  const stillMay = (): void => {
    throw new Error('stopped meanwhile')
  }
  await assert.rejects(send(upstream, { stillMay }), /stopped meanwhile/)
  assert.equal(server.requests.length, 0)
})

// Tokens for the caller

for (const type of ['token-exchange', 'on-behalf-of'] as const) {
  test(`${type}: a caller without a token that can be exchanged is refused, and nobody is asked`, async (t) => {
    const { fake, source } = await settingOf(t, type, { scope: 'api://shop/.default' })
    const { server, upstream } = await shopOf(t, source)
    const without: Caller = { key: ann.key, token: () => undefined }
    await shown(source, ann) // What Ann got before is not for her without her token either.
    for (const out of [{}, { caller: without }]) {
      await assert.rejects(send(upstream, out), (fault: Fault) => {
        assert.match(fault.message, /a token got in exchange for your own, and you showed none/)
        assert.equal(fault.facts['reason'], 'credential_caller')
        return fault.code === 'refused'
      })
    }
    assert.equal(fake.asked.length, 1)
    assert.equal(server.requests.length, 0)
  })

  test(`${type}: principals never share a token, however many ask at once`, async (t) => {
    const { fake, source } = await settingOf(t, type, { scope: 'api://shop/.default' })
    const { server, upstream } = await shopOf(t, source)
    const callers = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? ann : bob))
    await Promise.all(
      callers.map(async (caller) => {
        const headers: [string, string][] = [['mcp-name', caller.key.slice(-3)]]
        await text(await send(upstream, { caller, headers }))
      }),
    )
    assert.equal(fake.asked.length, 2)
    for (const request of server.requests) {
      const name = /\r\nmcp-name: (\w+)/i.exec(request)?.[1]
      assert.equal(fake.issued.get(bearerIn(request))?.principal, name)
    }
    assert.deepEqual(fake.problems, [])
  })

  test(`${type}: the caller's token goes to the token endpoint and nowhere else`, async (t) => {
    const { fake, source } = await settingOf(t, type)
    const { server, upstream } = await shopOf(t, source)
    const headers: [string, string][] = [['authorization', 'Bearer token-of-ann']]
    await text(await send(upstream, { caller: ann, headers }))
    assert.doesNotMatch(server.requests.join(), /token-of-ann/)
    const [asked] = fake.asked
    assert.match(asked?.text ?? '', /token-of-ann/)
    assert.doesNotMatch(JSON.stringify([asked?.headers, asked?.path]), /token-of-ann/)
  })

  test(`${type}: another token of the same caller is exchanged for itself`, async (t) => {
    const { fake, source } = await settingOf(t, type)
    fake.subjects.set('stronger-token', 'ann')
    const first = await shown(source, ann)
    const second = await shown(source, { key: ann.key, token: () => 'stronger-token' })
    assert.notDeepEqual(first, second)
    assert.deepEqual(await shown(source, ann), first)
    // The same token under another principal's name is nobody's to share.
    assert.notDeepEqual(await shown(source, { key: bob.key, token: () => 'token-of-ann' }), first)
  })

  test(`${type}: what only the caller can mend is told to the caller`, async (t) => {
    for (const word of ['invalid_grant', 'interaction_required', 'consent_required']) {
      const { fake, source } = await settingOf(t, type)
      fake.once(/token$/, oauthError(400, word, { claims: '{"access_token":{}}' }))
      await assert.rejects(shown(source, ann), (fault: Fault) => {
        assert.equal(fault.code, 'refused')
        assert.match(fault.message, new RegExp(`\\(${word}\\)\\. Nothing was sent`))
        return isClean(fault, fake)
      })
      assert.match((await shown(source, bob))[1] ?? '', /^Bearer issued/) // Bob is not held up.
    }
  })
}

test('a token of another type than asked for is not taken in exchange', async (t) => {
  const { fake, source } = await settingOf(t, 'token-exchange')
  for (const type of [undefined, 'urn:ietf:params:oauth:token-type:id_token', 7]) {
    fake.more = { issued_token_type: type }
    const caller = { key: `${String(type)}`, token: () => 'token-of-ann' }
    await assert.rejects(shown(source, caller), /issued no access token in exchange/)
  }
  fake.more = { issued_token_type: 'urn:ietf:params:oauth:token-type:jwt' }
  assert.match((await shown(source, ann))[1] ?? '', /^Bearer issued/)
})

test(
  'an authorization server whose certificate nobody vouches for is told nothing',
  { skip: noOpenssl },
  async (t) => {
    const made = makeCertificates()
    t.after(() => made.remove())
    const read = (file: string): string => readFileSync(file, 'utf8')
    const tls = { key: read(made.server.key), cert: read(made.server.cert) }
    const { fake, source } = await settingOf(t, 'token-exchange', {}, { tls })
    await assert.rejects(shown(source, ann), { code: 'upstream_down' })
    assert.equal(fake.asked.length, 0)
  },
)

test('what the caller’s token got is given up when refused, although the caller is gone', async (t) => {
  const { source } = await settingOf(t, 'token-exchange')
  let token: string | undefined = 'token-of-ann'
  const { upstream } = await shopOf(t, source, () => ((token = undefined), 401))
  const answer = await send(upstream, { caller: { key: ann.key, token: () => token } })
  assert.equal(answer.status, 401)
})

// Proving who we are

test('the secret may stand in the body, where a server wants it so', async (t) => {
  const { fake, source } = await settingOf(
    t,
    'client-credentials',
    { clientAuth: 'post' },
    { auth: 'post' },
  )
  await shown(source)
  assert.deepEqual(fake.problems, [])
})

const keys: readonly [
  what: string,
  make: () => { privateKey: KeyObject; publicKey: KeyObject },
  alg: string,
][] = [
  ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256'],
  ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256'],
  ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'ES512'],
  ['Ed25519', () => generateKeyPairSync('ed25519'), 'EdDSA'],
]
for (const [what, makePair, alg] of keys) {
  test(`a client proves itself by a key of ${what}, with a new assertion each time`, async (t) => {
    const { privateKey, publicKey } = makePair()
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const more = { clientAuth: 'key', clientSecret: reveals(pem) } as const
    const { fake, hidden, pass, source } = await settingOf(t, 'client-credentials', more, {
      auth: publicKey,
    })
    await shown(source)
    pass(4_000_000)
    await shown(source)
    assert.deepEqual(fake.problems, [])
    const assertions = fake.asked.map(
      ({ text: form }) => new URLSearchParams(form).get('client_assertion') ?? '',
    )
    assert.equal(new Set(assertions.map((one) => decodeJwt(one).jti)).size, 2)
    assert.equal(decodeProtectedHeader(assertions[0] ?? '').alg, alg)
    assert.ok(assertions.every((one) => hidden.includes(one)))
  })
}

const keyless: readonly [what: string, pem: () => string][] = [
  ['no key', () => '-----BEGIN PRIVATE KEY-----\nsecret-of-the-test\n-----END PRIVATE KEY-----'],
  ['a short key', () => pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
  ['a key that agrees and does not sign', () => pemOf(generateKeyPairSync('x25519').privateKey)],
  [
    'a curve nobody asks for',
    () => pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
  ],
]
function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
for (const [what, pem] of keyless) {
  test(`${what} in the place of a client's key is refused, and nothing is sent`, async (t) => {
    const more = { clientAuth: 'key', clientSecret: reveals(pem()) } as const
    const { fake, source } = await settingOf(t, 'client-credentials', more)
    await assert.rejects(shown(source), (fault: Fault) => {
      return fault.code === 'config_bad' && !fault.message.includes('secret-of-the-test')
    })
    assert.equal(fake.asked.length, 0)
  })
}

test('an assertion that got no answer is not sent twice', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const more = { clientAuth: 'key', clientSecret: reveals(pemOf(privateKey)) } as const
  const { fake, source } = await settingOf(t, 'client-credentials', more, { auth: publicKey })
  fake.once(/token$/, { status: 503, body: {} })
  await assert.rejects(shown(source), { code: 'upstream_down' })
  assert.equal(fake.asked.length, 1)
})

test(
  'a certificate beside the key is named in the assertion, as Entra wants it',
  { skip: noOpenssl },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const words = `req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=gateway -keyout ${key} -out ${certificate}`
    execFileSync('openssl', words.split(' '), { stdio: 'ignore' })
    const print = execFileSync('openssl', [
      'x509',
      '-in',
      certificate,
      '-noout',
      '-fingerprint',
      '-sha256',
    ])
    const hex = print.toString().trim().split('=')[1]?.replaceAll(':', '') ?? ''
    const pem = readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8')
    const more = { clientAuth: 'key', clientSecret: reveals(pem) } as const
    const { fake, source } = await settingOf(t, 'on-behalf-of', {
      ...more,
      scope: 'api://x/.default',
    })
    await assert.rejects(shown(source, ann)) // The fake wants a secret; what it was sent is looked at.
    const form = new URLSearchParams(fake.asked[0]?.text)
    const { 'x5t#S256': thumbprint } = decodeProtectedHeader(form.get('client_assertion') ?? '')
    assert.equal(thumbprint, Buffer.from(hex, 'hex').toString('base64url'))
  },
)

test('a rotated client secret is taken up by the next token', async (t) => {
  let now = 'an-old-secret'
  const { fake, pass, source } = await settingOf(t, 'client-credentials', {
    clientSecret: { reveal: () => now },
  })
  await assert.rejects(shown(source), { code: 'secret_missing' })
  now = clientSecret
  pass(2_000)
  await shown(source)
  assert.equal(fake.issued.size, 1)
})

// A real authorization server

for (const clientAuth of ['basic', 'post', 'key'] as const) {
  test(`a real authorization server gives a token to a client by ${clientAuth}`, async (t) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const methods = {
      basic: 'client_secret_basic',
      post: 'client_secret_post',
      key: 'private_key_jwt',
    } as const
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => (server.closeAllConnections(), server.close()))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const own = clientAuth === 'key' ? {} : { client_secret: clientSecret }
    const { privateKey: signing } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'gateway',
          ...own,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
          token_endpoint_auth_method: methods[clientAuth],
          ...(clientAuth === 'key'
            ? {
                jwks: { keys: [publicKey.export({ format: 'jwk' })] },
                token_endpoint_auth_signing_alg: 'ES256',
              }
            : {}),
        },
      ],
      jwks: { keys: [{ ...signing.export({ format: 'jwk' }), use: 'sig' }] },
      scopes: ['orders'],
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    })
    const handle = provider.callback()
    server.on('request', (request, response) => void handle(request, response))
    const clock = { nowUs: () => Date.now() * 1000, monotonicMs: () => performance.now() }
    const secret = clientAuth === 'key' ? pemOf(privateKey) : clientSecret
    const source = oauthSource(
      'shop',
      {
        type: 'client-credentials',
        tokenUrl: `${issuer}/token`,
        clientId: 'gateway',
        clientAuth,
        clientSecret: reveals(secret),
        scope: 'orders',
      },
      { clock, hide: () => {} },
    )
    assert.match((await shown(source))[1] ?? '', /^Bearer \S{20,}$/)
  })
}

test('no token, secret or key shows when a source is printed', async (t) => {
  const { fake, source } = await settingOf(t, 'token-exchange')
  await shown(source, ann)
  const printed = inspect(source, { depth: 20, showHidden: true }) + JSON.stringify(source)
  const [[token = ''] = []] = fake.issued
  for (const value of [token, clientSecret, 'token-of-ann']) assert.ok(!printed.includes(value))
})
