import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { decodeJwt } from 'jose'
import { readConfig } from '../config/config.ts'
import { checkCommand } from './check.ts'
import type { CheckReport } from './check.ts'
import { initCommand } from './init.ts'
import { tokenCommand } from './token.ts'
import type { TokenOptions } from './token.ts'

const secret = 'a-secret-of-this-test'
let folder = ''
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function serve(listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function bodyOf(request: IncomingMessage): Promise<{ method: string; id: number }> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString() || '{}')
}

const json = { 'content-type': 'application/json' }

/** A server of the older era: sessions, answers as event streams. */
function legacy(seen: string[]): Listener {
  return async (request, response) => {
    const { method, id } = await bodyOf(request)
    seen.push(`${request.method} ${method} ${request.headers.authorization}`)
    if (request.method === 'DELETE') return response.writeHead(200).end()
    if (method !== 'initialize') return response.writeHead(400, json).end('{"error":1}')
    const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x' } }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's1' })
    response.write(': hello\n\nda')
    response.end(`ta: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
  }
}

const modern: Listener = async (request, response) => {
  const { id } = await bodyOf(request)
  response.writeHead(200, json)
  response.end(
    JSON.stringify({ result: { supportedVersions: ['2026-07-28'] }, jsonrpc: '2.0', id }),
  )
}

function write(connections: string, more = ''): string {
  const file = join(folder, 'sallyport.yaml')
  const text = `data_dir: data
identity: { issuers: [ { name: local, type: local } ] }
connections:
${connections}
${more}`
  writeFileSync(file, text)
  return file
}

async function check(
  config: string,
  env: Record<string, string> = { T: secret },
): Promise<CheckReport> {
  const [out, errors] = [new Sink(), new Sink()]
  const code = await checkCommand({ config, json: true }, out, errors, { env })
  assert.ok(!out.text.includes(secret) && !errors.text.includes(secret))
  const report: CheckReport = JSON.parse(out.text)
  assert.equal(code, report.ok ? 0 : 1)
  return report
}

const found = (report: CheckReport, what: string): string => {
  const one = report.checks.find((each) => each.what === what)
  return `${one?.isGood ? 'ok' : 'FAIL'} ${one?.line ?? '-'} ${one?.message}`
}

const upstreams: readonly [what: string, listener: Listener, told: RegExp][] = [
  [
    'refuses the credential',
    (_, response) => response.writeHead(401).end(secret),
    /^FAIL 5 refuses the gateway's credential \(status 401\)/,
  ],
  [
    'redirects',
    (_, response) => response.writeHead(307, { location: `http://x/?${secret}` }).end(),
    /^FAIL 5 answers with a redirect/,
  ],
  [
    'speaks no MCP',
    (_, response) => response.writeHead(200, json).end(`{"a":"${secret}"}`),
    /^FAIL 5 answers with status 200, but not as an MCP/,
  ],
  [
    'answers no JSON',
    (_, response) => response.writeHead(200, json).end(secret),
    /^FAIL 5 answers with status 200, but not as an MCP/,
  ],
  [
    'is not at this path',
    (_, response) => response.writeHead(404).end(secret),
    /^FAIL 5 answers with status 404, but not as an MCP/,
  ],
  [
    'names a version of odd form',
    (_, response) => response.writeHead(200, json).end(JSON.stringify({ error: 1, id: secret })),
    /^FAIL 5 .*not as an MCP/,
  ],
  ['hangs up', (_, response) => response.destroy(), /^FAIL 5 does not answer \(UND_ERR_SOCKET\)/],
]
for (const [what, listener, told] of upstreams) {
  test(`a server that ${what} is told, with the line of its address`, async () => {
    const url = `${await serve(listener)}/mcp`
    const file = write(
      `  - { name: a,\n      url: "${url}", credential: { type: bearer, value: "\${env:T}" } }`,
    )
    const report = await check(file)
    assert.equal(report.ok, false)
    assert.match(found(report, 'connection a'), told)
  })
}

test('a file with mistakes is told with all of them, and nothing is asked', async () => {
  const seen: string[] = []
  const url = await serve(legacy(seen))
  const report = await check(write(`  - { name: A, url: "${url}" }`, 'policies: []'))
  assert.deepEqual(
    report.mistakes.map(({ line, path }) => `${line} ${path}`),
    ['4 connections[0].name', '5 policies'],
  )
  assert.deepEqual([report.ok, report.checks, seen], [false, [], []])
})

test('a file that is not there is told', async () => {
  const report = await check(join(folder, 'none.yaml'))
  assert.match(report.mistakes[0]?.message ?? '', /cannot be read; make one with "sallyport init"/)
})

test('a secret that is not set is told before anything is sent', async () => {
  const seen: string[] = []
  const url = await serve(legacy(seen))
  const file = write(
    `  - { name: a, url: "${url}", credential: { type: bearer, value: "\${env:T}" } }`,
  )
  assert.match(
    found(await check(file, {}), 'connection a'),
    /^FAIL 4 .*environment variable is not set/,
  )
  assert.deepEqual(seen, [])
})

test('an issuer that is down or publishes no fitting key is told', async () => {
  const issuer = await serve((request, response) => {
    const body = request.url?.endsWith('/jwks')
      ? { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', kid: 'k', alg: 'ES256' }] }
      : { issuer, jwks_uri: `${issuer}/jwks` }
    response.writeHead(200, { ...json, date: new Date(Date.now() - 3_600_000).toUTCString() })
    response.end(JSON.stringify(body))
  })
  const file = write(`  - { name: a, url: "${await serve(modern)}" }`)
  const text = readFileSync(file, 'utf8').replace(
    '[ { name: local, type: local } ]',
    `[ { name: rsa, type: oidc, issuer: "${issuer}", algorithms: [RS256] },
  { name: ec, type: oidc, issuer: "${issuer}/", jwks_uri: "${issuer}/jwks" },
  { name: down, type: oidc, issuer: "http://127.0.0.1:1" } ]`,
  )
  writeFileSync(file, text)
  const report = await check(file)
  assert.match(found(report, 'issuer rsa'), /^FAIL 2 publishes no key for the algorithms RS256/)
  assert.match(found(report, 'issuer ec'), /^ok 3 publishes 1 usable key/)
  assert.match(found(report, 'issuer down'), /^FAIL 4 Tokens of issuer "down" cannot be checked/)
  // The nearest clock is that of the upstream.
  assert.match(found(report, 'clock'), /^ok/)
})

test('a clock that is off is told', async () => {
  const url = await serve(async (request, response) => {
    response.setHeader('date', new Date(Date.now() + 90_000).toUTCString())
    await modern(request, response)
  })
  const report = await check(write(`  - { name: a, url: "${url}" }`))
  assert.match(found(report, 'clock'), /^FAIL - is (89|90) s behind the nearest server asked/)
})

test('too little free space is told', async () => {
  const url = await serve(modern)
  const more = 'record: { free_bytes_min: 4096GiB }'
  const report = await check(write(`  - { name: a, url: "${url}" }`, more))
  assert.match(found(report, 'data folder'), /^FAIL 1 .* no call would be let through$/)
})

test('a good installation passes, each server is asked in its own era, and nothing is left behind', async () => {
  const seen: string[] = []
  const [old, young] = [await serve(legacy(seen)), await serve(modern)]
  const connections = `  - { name: old, url: "${old}/mcp", credential: { type: bearer, value: "\${env:T}" } }
  - { name: young, url: "${young}/mcp" }`
  const report = await check(write(connections))
  assert.deepEqual(
    report.checks.filter(({ isGood }) => !isGood),
    [],
  )
  assert.match(found(report, 'connection old'), /answers MCP 2025-06-18$/)
  assert.match(found(report, 'connection young'), /answers MCP 2026-07-28$/)
  assert.match(found(report, 'issuer local'), /has no key yet/)
  assert.deepEqual(seen, [
    `POST server/discover Bearer ${secret}`,
    `POST initialize Bearer ${secret}`,
    `DELETE undefined Bearer ${secret}`,
  ])
  assert.deepEqual(readdirSync(folder), ['sallyport.yaml'])
})

test('offline nothing is asked, and the text says what was found', async () => {
  const [out, errors] = [new Sink(), new Sink()]
  const file = write('  - { name: a, url: "http://127.0.0.1:1" }')
  assert.equal(await checkCommand({ config: file, offline: true }, out, errors, { env: {} }), 0)
  assert.equal(out.text, 'sallyport.yaml has no mistakes.\n')
  const text = new Sink()
  assert.equal(await checkCommand({ config: file }, text, errors, { env: {} }), 1)
  assert.match(
    text.text,
    /^FAIL {2}connection a {2}does not answer \(ECONNREFUSED\) \(sallyport\.yaml:4:\d+\)$/m,
  )
})

async function init(
  options: Parameters<typeof initCommand>[0],
  input: PassThrough & { isTTY?: boolean } = new PassThrough(),
): Promise<{ code: number; out: string; errors: string }> {
  const [out, errors] = [new Sink(), new Sink()]
  const code = await initCommand(options, input, out, errors)
  return { code, out: out.text, errors: errors.text }
}

test('init never writes over a file', async () => {
  const config = join(folder, 'sallyport.yaml')
  writeFileSync(config, 'mine')
  const { code, errors } = await init({ config, yes: true })
  assert.equal(code, 1)
  assert.match(errors, /is there already; it was not touched/)
  assert.equal(readFileSync(config, 'utf8'), 'mine')
  assert.deepEqual(readdirSync(folder), ['sallyport.yaml'])
})

test('answers that make no valid configuration write nothing', async () => {
  const config = join(folder, 'sallyport.yaml')
  for (const bad of [
    { publicUrl: 'http://mcp.example.com' },
    { connection: 'Has Blanks' },
    { url: 'nonsense' },
    { issuer: 'http://login.example.com' },
    { url: 'http://a/"\n#: x' },
  ]) {
    const { code, errors } = await init({ config, yes: true, ...bad })
    assert.equal(code, 1)
    assert.match(errors, /no valid configuration; nothing was written/)
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('init without questions writes a valid file and the local key', async () => {
  const config = join(folder, 'sallyport.yaml')
  const { code, out } = await init({ config, yes: true, connection: 'shop' })
  assert.equal(code, 0)
  assert.match(out, /Clients connect to http:\/\/localhost:4100\/mcp\/shop/)
  const { config: made } = readConfig(readFileSync(config, 'utf8'), config)
  assert.equal(made.dataDir, join(folder, '.sallyport'))
  assert.ok(existsSync(join(folder, '.sallyport/keys/local-issuer.json')))
})

test('init with an issuer of the company makes no local key', async () => {
  const config = join(folder, 'sallyport.yaml')
  const options = { publicUrl: 'https://mcp.example.com', issuer: 'https://login.example.com/a' }
  assert.equal((await init({ config, yes: true, ...options })).code, 0)
  const { config: made } = readConfig(readFileSync(config, 'utf8'), config)
  const [issuer] = made.identity.issuers
  assert.ok(issuer?.type === 'oidc')
  assert.equal(issuer.issuer, options.issuer)
  assert.deepEqual(issuer.audience, [options.publicUrl])
  assert.ok(!existsSync(join(folder, '.sallyport/keys/local-issuer.json')))
  assert.ok(existsSync(join(folder, '.sallyport/keys/signing.pem')))
})

test('init asks five questions at most, and takes an empty answer as the usual one', async () => {
  const config = join(folder, 'sallyport.yaml')
  const input: PassThrough & { isTTY?: boolean } = new PassThrough()
  input.isTTY = true
  const [out, errors] = [new Sink(), new Sink()]
  const answers = ['http://localhost:4200', 'elsewhere', '', 'http://127.0.0.1:9/mcp', '']
  const running = initCommand({ config }, input, out, errors)
  // Each answer is typed when its question stands there.
  let asked = 0
  const typing = setInterval(() => {
    const shown = errors.text.split('] ').length - 1
    if (shown > asked) input.write(`${answers[asked++]}\n`)
  }, 2)
  assert.equal(await running, 0)
  clearInterval(typing)
  assert.equal(asked, 5)
  const { config: made } = readConfig(readFileSync(config, 'utf8'), config)
  assert.equal(made.publicUrl, 'http://localhost:4200')
  assert.equal(made.listen.gateway.port, 4200)
  assert.equal(made.dataDir, join(folder, 'elsewhere'))
  assert.equal(made.connections[0]?.name, 'first')
})

async function token(
  options: TokenOptions,
): Promise<{ code: number; out: string; errors: string }> {
  const [out, errors] = [new Sink(), new Sink()]
  const code = await tokenCommand(options, out, errors)
  return { code, out: out.text, errors: errors.text }
}

test('a token is refused for wrong values, an unknown connection and where no local issuer is', async () => {
  const config = join(folder, 'sallyport.yaml')
  await init({ config, yes: true })
  const wrong: [TokenOptions, number, RegExp][] = [
    [{ config, subject: 'a', kind: 'robot' }, 2, /person, service or workload/],
    [{ config, subject: 'a', ttl: '25h' }, 2, /from 1s to 24h/],
    [{ config, subject: 'a', ttl: '0s' }, 2, /from 1s to 24h/],
    [{ config, subject: 'a', ttl: 'long' }, 2, /from 1s to 24h/],
    [{ config, subject: '' }, 2, /1 to 256 characters/],
    [{ config, subject: 'a', group: ['b\n'] }, 2, /1 to 256 characters/],
    [{ config, subject: 'a', connection: 'none' }, 1, /no connection of this name. Known: first/],
  ]
  for (const [options, code, told] of wrong) {
    const made = await token(options)
    assert.deepEqual([made.code, made.out], [code, ''])
    assert.match(made.errors, told)
  }
  const other = join(folder, 'other.yaml')
  await init({ config: other, yes: true, issuer: 'https://login.example.com' })
  const made = await token({ config: other, subject: 'a' })
  assert.deepEqual([made.code, made.out], [1, ''])
  assert.match(made.errors, /no issuer of type local/)
})

test('a token without the key file is told', async () => {
  const config = join(folder, 'sallyport.yaml')
  await init({ config, yes: true })
  chmodSync(join(folder, '.sallyport/keys/local-issuer.json'), 0o644)
  await assert.rejects(token({ config, subject: 'a' }), { code: 'secret_missing' })
  rmSync(join(folder, '.sallyport/keys/local-issuer.json'))
  await assert.rejects(token({ config, subject: 'a' }), { code: 'secret_missing' })
})

test('a token says whom it is for, and follows the ports of a gateway that runs', async () => {
  const config = join(folder, 'sallyport.yaml')
  await init({ config, yes: true })
  const made = await token({ config, subject: 'mia', group: ['engineers'], role: ['r'], ttl: '5m' })
  assert.deepEqual([made.code, made.errors], [0, ''])
  const claims = decodeJwt(made.out.trim())
  assert.equal(claims.iss, 'http://localhost:4100/oauth')
  assert.equal(claims.aud, 'http://localhost:4100')
  assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 300)
  assert.deepEqual(
    [claims.sub, claims['groups'], claims['roles'], claims['kind']],
    ['mia', ['engineers'], ['r'], 'person'],
  )
  const text = readFileSync(config, 'utf8')
    .replace(/^public_url:.*$/m, '')
    .replace(':4100', ':0')
  writeFileSync(config, text)
  const where = { gateway: 'http://127.0.0.1:5555', console: 'http://127.0.0.1:5556' }
  writeFileSync(join(folder, '.sallyport/gateway.json'), JSON.stringify(where))
  const moved = decodeJwt((await token({ config, subject: 'mia', connection: 'first' })).out.trim())
  assert.equal(moved.iss, 'http://127.0.0.1:5555/oauth')
  assert.equal(moved.aud, 'http://127.0.0.1:5555/mcp/first')
})
