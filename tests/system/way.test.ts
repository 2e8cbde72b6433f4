/** The way of a call, from outside: who may, what is sent, what comes back, what stays behind. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { pan } from '../cards.ts'
import { answerEmpty, answerResult, legacyCall, modernCall, openHouse } from './house.ts'
import type { House } from './house.ts'

const secret = 'upstream-credential-4711-abc'
let house: House
before(async () => {
  house = await openHouse({
    connection:
      'credential: { type: bearer, value: "${env:UPSTREAM}" }\n    cardholder_data: { columns: [kk] }',
    env: { UPSTREAM: secret },
    access: `
  - { who: { group: readers }, may: { connection: shop, tools: [read_*] } }
  - { who: { role: fraud }, may: { connection: shop }, reveal: pan }`,
  })
})
after(() => house.stop())

async function as(token: string | undefined, tool = 'read_rows', args = '{}'): Promise<Response> {
  const { body, headers } = modernCall(tool, args)
  const auth: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` }
  return await fetch(house.mcp, {
    method: 'POST',
    body,
    headers: { ...headers, ...auth, 'content-type': 'application/json', cookie: 'c=1' },
  })
}

async function lastEntry(): Promise<Record<string, unknown>> {
  return (await house.entries()).at(-1) ?? {}
}

function unsigned(token: string): string {
  const [, payload = ''] = token.split('.')
  const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  return `${header}.${payload}.`
}

test('no token, and every bad one, gets a 401 with a challenge and one entry that has the reason', async () => {
  const good = await house.token({ subject: 'r', groups: ['readers'] })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const claims = new SignJWT({})
    .setSubject('r')
    .setAudience(house.gateway.config.publicUrl)
    .setIssuedAt()
    .setExpirationTime('5m')
  const foreign = await claims
    .setIssuer('https://elsewhere.example')
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey)
  const [head = '', payload = ''] = good.split('.')
  const hs = Buffer.from('{"alg":"HS256","kid":"k"}').toString('base64url')
  const hmac = `${hs}.${payload}.${createHmac('sha256', 'k').update(`${hs}.${payload}`).digest('base64url')}`
  const bad: readonly [string | undefined, string][] = [
    [undefined, 'missing'],
    ['rubbish', 'malformed'],
    [
      await house.token({ subject: 'r', groups: ['readers'], audience: 'https://other.example' }),
      'audience',
    ],
    [unsigned(good), 'algorithm'],
    [hmac, 'algorithm'],
    [foreign, 'issuer'],
    [`${head}.${payload}.${'A'.repeat(86)}`, 'signature'],
  ]
  for (const [token, reason] of bad) {
    const before = (await house.entries()).length
    const answer = await as(token)
    await answer.arrayBuffer()
    assert.equal(answer.status, 401, reason)
    const challenge = answer.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer .*resource_metadata="/)
    assert.equal(challenge.includes('error="invalid_token"'), token !== undefined)
    const entries = (await house.entries()).slice(before)
    assert.deepEqual(
      entries.map(({ type, reason: why }) => [type, why]),
      [['auth.refused', reason]],
    )
  }
  assert.equal(house.behind.got.length, 0)
})

test('the metadata a challenge names says which issuers are trusted, without a token', async () => {
  const challenge = (await as(undefined)).headers.get('www-authenticate') ?? ''
  const address = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
  const metadata = (await (await fetch(address)).json()) as {
    resource: string
    authorization_servers: string[]
  }
  assert.equal(metadata.resource, house.mcp)
  assert.equal(metadata.authorization_servers.length, 1)
})

test('a principal without a grant gets 403, a tool without a grant is unknown', async () => {
  const stranger = await house.token({ subject: 'x', groups: ['nobody'] })
  const refused = await as(stranger)
  assert.equal(refused.status, 403)
  await refused.arrayBuffer()
  assert.equal((await lastEntry())['reason'], 'no_grant')
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  const unknown = await as(reader, 'write_rows')
  assert.equal(unknown.status, 200)
  assert.match(await unknown.text(), /"code":-32602/)
  assert.equal((await lastEntry())['reason'], 'tool_not_granted')
  assert.equal(house.behind.got.length, 0)
})

test('what is sent is what came, with our credential in place of theirs', async () => {
  house.behind.script = (got, res) => {
    res.setHeader('set-cookie', 'server=1')
    answerResult(got, res, '{"content":[]}')
  }
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  const answer = await as(reader, 'read_rows', '{ "a" : 1e2 }')
  assert.equal(answer.headers.get('set-cookie'), null)
  const got = house.behind.got.at(-1)
  assert.equal(got?.body, modernCall('read_rows', '{ "a" : 1e2 }').body)
  assert.equal(got?.headers.authorization, `Bearer ${secret}`)
  assert.equal(got?.headers.cookie, undefined)
  assert.equal(got?.headers['mcp-name'], 'read_rows')
  assert.equal(got?.headers['accept-encoding'], 'identity')
  assert.equal(got?.rawHeaders.join('\n').includes(reader), false)
})

test('the intent is in the record before the first byte reaches the server, and the answer before it leaves', async () => {
  let seen: unknown[] = []
  house.behind.script = async (got, res) => {
    seen = (await house.entries()).slice(-2).map(({ type }) => type)
    answerResult(got, res, '{"content":[]}')
  }
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  await (await as(reader)).arrayBuffer()
  assert.deepEqual(seen, ['call.received', 'call.dispatched'])
  const types = (await house.entries()).slice(-4).map(({ type }) => type)
  assert.deepEqual(types, ['call.received', 'call.dispatched', 'response.event', 'call.finished'])
})

test('cards come back masked, revealed only by grant, and a CVV never; nothing clear stays behind', async () => {
  const numbers = ['4', '51', '34', '36', '6011', '3528', '62'].map((prefix) =>
    pan(prefix, prefix === '34' ? 15 : prefix === '36' ? 14 : 16),
  )
  const rows = numbers.map((card, i) => ({ id: i, kk: card, cvv: `${731 + i}`, n: 5 }))
  const text = JSON.stringify({ success: true, rows }, null, 2)
  house.behind.script = (got, res) =>
    answerResult(
      got,
      res,
      `{"content":[{"type":"text","text":${JSON.stringify(text)}}],"structuredContent":${JSON.stringify({ rows })}}`,
    )
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  const fraud = await house.token({ subject: 'f', roles: ['fraud'] })
  const masked = await (await as(reader)).text()
  const revealed = await (await as(fraud)).text()
  JSON.parse(masked)
  JSON.parse(revealed)
  for (const [i, card] of numbers.entries()) {
    assert.equal(masked.includes(card), false, `card ${i} is in clear`)
    assert.equal(masked.includes(`*${card.slice(-4)}`), true)
    assert.equal(revealed.includes(card), true, `card ${i} is not revealed`)
    for (const answer of [masked, revealed]) assert.equal(answer.includes(`${731 + i}`), false)
  }
  const bytes = house.allBytes() + house.log()
  for (const card of numbers) assert.equal(bytes.includes(card), false)
  const applied = (await house.entries()).filter(({ type }) => type === 'mask.applied').slice(-2)
  assert.deepEqual(
    applied.map(({ delivered }) => delivered),
    ['masked', 'revealed'],
  )
})

test('a card in the arguments is forwarded as it came and masked in the record', async () => {
  const card = pan('4', 16)
  house.behind.script = answerEmpty
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  await (
    await as(reader, 'read_rows', `{"sql":"select * from cards where kk = '${card}'"}`)
  ).arrayBuffer()
  assert.equal(house.behind.got.at(-1)?.body.includes(card), true)
  assert.equal((house.allBytes() + house.log()).includes(card), false)
})

test('a tool, method, session or program that is named like a card leaves no card behind', async () => {
  const card = pan('51', 16)
  const staff = await house.token({ subject: `${card}`, groups: ['staff'] })
  const auth = { authorization: `Bearer ${staff}`, 'user-agent': card }
  await (
    await house.post(legacyCall('tools/call', `{"name":"${card}"}`, `"${card}"`), auth)
  ).arrayBuffer()
  await (await house.post(legacyCall(card, '{}'), auth)).arrayBuffer()
  await (
    await house.post(legacyCall('ping', '{}'), { ...auth, 'mcp-session-id': card })
  ).arrayBuffer()
  assert.equal((house.allBytes() + house.log()).includes(card), false)
})

test('a server that says the credential of the gateway back is not passed on with it', async () => {
  house.behind.script = (got, res) =>
    answerResult(got, res, `{"content":[{"type":"text","text":"you sent Bearer ${secret}"}]}`)
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  const text = await (await as(reader)).text()
  assert.equal(text.includes(secret), false)
  assert.equal((house.allBytes() + house.log()).includes(secret), false)
})

test('lists show a principal only what it may use, and the rest of the message stays as it was', async () => {
  const list =
    '{"tools":[{"name":"read_a","x-unknown":1e2},{"name":"write_b"}, {"name":"read_c"}],"ttlMs":1,"cacheScope":"public"}'
  house.behind.script = (got, res) => answerResult(got, res, list)
  const reader = await house.token({ subject: 'r', groups: ['readers'] })
  const answer = await house.post(legacyCall('tools/list', '{}'), {
    authorization: `Bearer ${reader}`,
  })
  const wanted =
    '{"tools":[{"name":"read_a","x-unknown":1e2}, {"name":"read_c"}],"ttlMs":1,"cacheScope":"private"}'
  assert.equal(await answer.text(), `{"jsonrpc":"2.0","id":1,"result":${wanted}}`)
})

test('the console answers to its own names and to no other', async () => {
  const { consoleUrl } = house.gateway
  assert.equal((await fetch(`${consoleUrl}/readyz`)).status, 200)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const { port } = new URL(consoleUrl)
    const headers = { host: 'evil.example' }
    const asked = request({ host: '127.0.0.1', port, path: '/metrics', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
  assert.equal(status, 403)
})

test('each received call has exactly one end, and every entry has the six fields', async () => {
  const ends = new Map<unknown, number>()
  for (const entry of await house.entries()) {
    for (const field of [
      'principal',
      'type',
      'time',
      'outcome',
      'source',
      'session',
      'connection',
      'index',
    ]) {
      assert.equal(Object.hasOwn(entry, field), true, `${String(entry['type'])} lacks ${field}`)
    }
    if (entry['type'] === 'call.received') ends.set(entry['exchange'], 0)
    if (entry['type'] === 'call.finished')
      ends.set(entry['exchange'], (ends.get(entry['exchange']) ?? 0) + 1)
  }
  assert.ok(ends.size > 5)
  assert.deepEqual(new Set(ends.values()), new Set([1]))
})
