/** Client id metadata documents: what a stranger's address may make the gateway do. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { JWK } from 'jose'
import { Agent, fetch as send } from 'undici'
import { Browser } from './browser.fixture.ts'
import { openDesk } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import {
  createGet,
  documentFetch,
  isAllowedHost,
  outsideOnly,
  proveOutsideOnly,
} from './documents.ts'
import type { Fetched } from './documents.ts'
import { authorizeUrl, codeFor, token, verifier } from './flow.fixture.ts'
import { isSpecialUse } from './special-use.ts'

const id = 'https://client.example.com/metadata.json'
const redirectUri = 'http://127.0.0.1:3333/cb'
const good = { client_id: id, client_name: 'Doc', redirect_uris: [redirectUri] }

/** Keys where a client's document should be change nothing of what the document may say. */
const withKeys = (said: object): Partial<Fetched> => ({
  text: JSON.stringify({ ...good, keys: [], ...said }),
})

const refused: readonly [what: string, answer: Partial<Fetched>, clientId?: string][] = [
  ['names another client', { text: JSON.stringify({ ...good, client_id: `${id}x` }) }],
  ['names no client', { text: JSON.stringify({ redirect_uris: [redirectUri] }) }],
  ['redirects to another', { status: 302, text: JSON.stringify(good) }],
  ['is not there', { status: 404, text: JSON.stringify(good) }],
  ['is partial', { status: 206, text: JSON.stringify(good) }],
  ['is over its size', { text: JSON.stringify({ ...good, x: 'x'.repeat(1024 * 1024) }) }],
  ['is no JSON', { text: '<html>' }],
  ['is a list', { text: '[]' }],
  [
    'redirects over plain http',
    { text: JSON.stringify({ ...good, redirect_uris: ['http://client.example.com/cb'] }) },
  ],
  [
    'redirects over plain http and holds keys',
    withKeys({ redirect_uris: ['http://attacker.example/cb', redirectUri] }),
  ],
  [
    'redirects with credentials and holds keys',
    withKeys({ redirect_uris: ['https://me:pw@attacker.example/cb', redirectUri] }),
  ],
  [
    'redirects to a scheme of the system and holds keys',
    withKeys({ redirect_uris: ['ms-msdt:/id', redirectUri], application_type: 'native' }),
  ],
  ['has a very long name and holds keys', withKeys({ client_name: 'Z'.repeat(9000) })],
  [
    'has many redirects and holds keys',
    withKeys({ redirect_uris: Array.from({ length: 500 }, (_, i) => `${redirectUri}?${i}`) }),
  ],
  ['names another client and holds keys', withKeys({ client_id: `${id}x` })],
  ['is a key set', { text: JSON.stringify({ keys: [] }) }],
  [
    'has a wildcard',
    { text: JSON.stringify({ ...good, redirect_uris: ['https://*.example.com/cb'] }) },
  ],
  ['has no redirect', { text: JSON.stringify({ client_id: id }) }],
  ['holds a secret', { text: JSON.stringify({ ...good, client_secret: 'x' }) }],
  [
    'wants to show a secret',
    { text: JSON.stringify({ ...good, token_endpoint_auth_method: 'client_secret_basic' }) },
  ],
  ['lies on a host that is not configured', {}, 'https://client.example.org/metadata.json'],
  ['lies on a host that only ends alike', {}, 'https://evilexample.com/metadata.json'],
  ['lies on another port', {}, 'https://client.example.com:8443/metadata.json'],
  ['lies at an address inside', {}, 'https://127.0.0.1/metadata.json'],
  ['lies at an address inside, of IPv6', {}, 'https://[::1]/metadata.json'],
  ['is of plain http', {}, 'http://client.example.com/metadata.json'],
  ['has a longer name than fits the record', {}, `https://client.example.com/${'x'.repeat(300)}`],
]
for (const [what, answer, clientId = id] of refused) {
  test(`a client whose document ${what} is refused`, async () => {
    let fetches = 0
    const getDocument = async (): Promise<Fetched> => {
      fetches++
      return { status: 200, text: JSON.stringify(good), headers: {}, ...answer }
    }
    const desk = await openDesk({ documentHosts: ['*.example.com'] }, { getDocument })
    try {
      const url = authorizeUrl(desk, clientId, { redirect_uri: redirectUri })
      const end = await new Browser(desk.publicUrl).visit(url)
      assert.equal(end.status, 400, end.text)
      assert.equal(end.headers.get('location'), null)
      assert.equal(fetches, clientId === id ? 1 : 0)
      assert.deepEqual(desk.notes, [])
    } finally {
      await desk.close()
    }
  })
}

test('without hosts of the configuration nothing is fetched, and nothing of it advertised', async () => {
  const getDocument = async (): Promise<Fetched> => assert.fail('it was fetched')
  const desk = await openDesk({}, { getDocument })
  try {
    assert.equal((await new Browser(desk.publicUrl).visit(authorizeUrl(desk, id))).status, 400)
  } finally {
    await desk.close()
  }
})

test('any port of loopback is taken of a document that says nothing of its kind', async () => {
  const getDocument = async (): Promise<Fetched> => {
    return { status: 200, text: JSON.stringify(good), headers: { 'cache-control': 'max-age=60' } }
  }
  const desk = await openDesk({ documentHosts: ['client.example.com'] }, { getDocument })
  try {
    const redirect_uri = 'http://127.0.0.1:50123/cb'
    const browser = new Browser(desk.publicUrl)
    const page = await browser.visit(authorizeUrl(desk, id, { redirect_uri }))
    assert.match(page.text, /described at this address/)
    assert.match(page.text, /client\.example\.com/)
    const end = await browser.press(page, 'allow')
    assert.equal(end.url.port, '50123')
    const found = await fetch(`${desk.publicUrl}/oauth/.well-known/openid-configuration`)
    const metadata = (await found.json()) as Record<string, unknown>
    assert.equal(metadata['client_id_metadata_document_supported'], true)
  } finally {
    await desk.close()
  }
})

const keysAt = 'https://client.example.com/keys.json'
const jwtBearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A client that signs for itself, with keys beside its document. @param keys what lies there. */
async function exchangeSigned(
  keys: (publicKey: JWK) => Partial<Fetched>,
  run: (at: Desk, status: number, asked: readonly string[]) => Promise<void>,
): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k' }
  const asked: string[] = []
  const said = { ...good, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keysAt }
  const getDocument = async ({ href }: URL): Promise<Fetched> => {
    asked.push(href)
    const answer = href === keysAt ? keys(jwk) : { text: JSON.stringify(said) }
    return { status: 200, text: '', headers: { 'cache-control': 'max-age=60' }, ...answer }
  }
  const desk = await openDesk({ documentHosts: ['client.example.com'] }, { getDocument })
  try {
    const code = await codeFor(desk, id)
    const assertion = await new SignJWT({ jti: String(Math.random()) })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(`${desk.publicUrl}/oauth`)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
    const made = await token(desk, {
      grant_type: 'authorization_code',
      client_id: id,
      client_assertion_type: jwtBearerAssertion,
      client_assertion: assertion,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    })
    await run(desk, made.status, asked)
  } finally {
    await desk.close()
  }
}

const noKeys: readonly [what: string, answer: (jwk: JWK) => Partial<Fetched>][] = [
  ['a list of keys', (jwk) => ({ text: JSON.stringify([jwk]) })],
  ['one key', (jwk) => ({ text: JSON.stringify(jwk) })],
  ['keys by name', (jwk) => ({ text: JSON.stringify({ keys: { k: jwk } }) })],
  ['a document of a client', () => ({ text: JSON.stringify({ ...good, client_id: keysAt }) })],
  ['nothing', () => ({ status: 404 })],
  ['a text', () => ({ text: '"keys"' })],
]
for (const [what, answer] of noKeys) {
  test(`a client with ${what} where its keys should be is not believed`, async () => {
    await exchangeSigned(answer, async (_desk, status, asked) => {
      assert.notEqual(status, 200)
      assert.equal(asked.at(-1), keysAt)
    })
  })
}
test('a client that signs with a key of the set its document points to is believed', async () => {
  const answer = (jwk: JWK): Partial<Fetched> => ({ text: JSON.stringify({ keys: [jwk], x: 1 }) })
  await exchangeSigned(answer, async (desk, status, asked) => {
    assert.equal(status, 200)
    assert.deepEqual(asked, [id, keysAt])
    // The same address as a client is a document, and a key set is none.
    const url = authorizeUrl(desk, keysAt, { redirect_uri: redirectUri })
    assert.equal((await new Browser(desk.publicUrl).visit(url)).status, 400)
  })
})
test('what is passed on is decided by what was asked for', async () => {
  const both = { ...good, keys: [{ kty: 'EC' }], extra: 'x', client_secret_expires_at: 0 }
  const get = async (): Promise<Fetched> => ({
    status: 200,
    text: JSON.stringify(both),
    headers: {},
  })
  let keysAddress: string | undefined
  const fetched = documentFetch(
    get,
    ['*'],
    () => 0,
    () => keysAddress,
  )
  const members = async (): Promise<string[]> =>
    Object.keys((await (await fetched(id)).json()) as object)
  for (const other of [undefined, '', 'no address', `${id}x`, keysAt]) {
    keysAddress = other
    const found = await members()
    assert.deepEqual([found.includes('client_id'), found.includes('keys')], [true, false])
  }
  keysAddress = id
  assert.deepEqual(await members(), ['keys'])
})
test('what is no key set is passed on as none', async () => {
  for (const said of [[], {}, 'keys', null, { keys: {} }, { keys: null }, { Keys: [] }]) {
    const get = async (): Promise<Fetched> => {
      return { status: 200, text: JSON.stringify(said), headers: {} }
    }
    const fetched = documentFetch(
      get,
      ['*'],
      () => 0,
      () => keysAt,
    )
    await assert.rejects(fetched(keysAt), { code: 'upstream_bad', facts: { reason: 'keys' } })
  }
})
test('who asks for a key set as if it were a client does not spoil it for whom it is', async () => {
  const get = async (): Promise<Fetched> => ({ status: 200, text: '{"keys":[]}', headers: {} })
  let keysAddress: string | undefined
  const fetched = documentFetch(
    get,
    ['*'],
    () => 0,
    () => keysAddress,
  )
  await assert.rejects(fetched(keysAt), { name: 'Fault' })
  keysAddress = keysAt
  assert.equal((await fetched(keysAt)).status, 200)
})

test('one address has so many documents fetched in a minute', async () => {
  let fetches = 0
  const getDocument = async (): Promise<Fetched> => {
    fetches++
    return { status: 404, text: '', headers: {} }
  }
  const desk = await openDesk({ documentHosts: ['*'] }, { getDocument })
  try {
    for (let i = 0; i < 30; i++) {
      await new Browser(desk.publicUrl).visit(authorizeUrl(desk, `https://a${i}.example.com/x`))
    }
    assert.ok(fetches <= 20, String(fetches))
    assert.ok(fetches >= 10)
  } finally {
    await desk.close()
  }
})

const addresses: readonly [ip: string, isInside: boolean][] = [
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['0.0.0.0', true],
  ['10.1.2.3', true],
  ['100.64.0.1', true],
  ['169.254.169.254', true],
  ['172.16.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['192.0.2.1', true],
  ['198.18.0.1', true],
  ['198.20.0.1', false],
  ['203.0.113.9', true],
  ['224.0.0.1', true],
  ['255.255.255.255', true],
  ['8.8.8.8', false],
  ['93.184.216.34', false],
  ['::', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:8.8.8.8', true],
  ['64:ff9b::7f00:1', true],
  ['fe80::1', true],
  ['fc00::1', true],
  ['fd12::1', true],
  ['ff02::1', true],
  ['2001:db8::1', true],
  ['2001:0:4136:e378::1', true],
  ['2002:7f00:1::', true],
  ['3fff::1', true],
  ['2606:4700:4700::1111', false],
  ['2a00:1450::1', false],
  ['localhost', true],
  ['', true],
]
for (const [ip, isInside] of addresses) {
  test(`${ip || 'nothing'} is ${isInside ? 'not fetched from' : 'somebody else’s'}`, () => {
    assert.equal(isSpecialUse(ip), isInside)
  })
}

test('a host is matched whole, letter by letter but for the star', () => {
  const matches: readonly [pattern: string, host: string, isAllowed: boolean][] = [
    ['client.example.com', 'client.example.com', true],
    ['client.example.com', 'xclient.example.com', false],
    ['client.example.com', 'clientxexample.com', false],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.example.com.evil.test', false],
    ['*', 'anything.test', true],
    ['*', '10.0.0.1', false],
    ['CLIENT.example.com', 'client.example.com', true],
  ]
  for (const [pattern, host, isAllowed] of matches) {
    assert.equal(
      isAllowedHost(new URL(`https://${host}/x`), [pattern]),
      isAllowed,
      `${pattern} ${host}`,
    )
  }
})

test('nothing inside is connected to, whatever name it hides behind', async () => {
  let hits = 0
  const inside = createServer((_req, res) => res.end(String(++hits)))
  inside.on('connection', () => hits++)
  await new Promise<void>((done) => inside.listen(0, '127.0.0.1', done))
  const { port } = inside.address() as AddressInfo
  const get = createGet()
  const agent = new Agent({ connect: { lookup: outsideOnly } })
  try {
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
      await assert.rejects(get(new URL(`https://${host}:${port}/`)), { name: 'Fault' }, host)
    }
    // Without TLS in the way: it is the name that is refused, not the handshake that fails.
    await assert.rejects(send(`http://localhost:${port}/`, { dispatcher: agent }))
    assert.equal(hits, 0)
    await proveOutsideOnly(get)
  } finally {
    inside.close()
    await Promise.all([get.close(), agent.close()])
  }
})
test('a start without that protection fails', async () => {
  const careless = async (): Promise<Fetched> => ({ status: 200, text: '', headers: {} })
  await assert.rejects(proveOutsideOnly(careless), { name: 'Fault', code: 'config_bad' })
  const refusing = async (): Promise<Fetched> => {
    throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  }
  await assert.rejects(proveOutsideOnly(refusing), { name: 'Fault', code: 'config_bad' })
})
