/** The record as an operator and an auditor meet it: searched, replayed, proven, packed, let go. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { answerResult, legacyCall, startBehind } from './house.ts'
import { makeFolder, mintToken, readEntries, run, serve, start, until } from './program.ts'
import { pan } from '../cards.ts'
import type { Ran, Serving } from './program.ts'

interface Installation {
  readonly dir: string
  readonly file: string
  readonly data: string
  readonly token: string
  start(): Promise<Serving>
  /** A command on this installation. */
  ask(...args: string[]): Promise<Ran>
}

const card = pan('4', 16)

async function install(t: TestContext): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  behind.script = (got, res) => {
    answerResult(got, res, `{"content":[{"type":"text","text":"row card_number ${card}"}]}`)
  }
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    remove()
  })
  const file = join(dir, 'sallyport.yaml')
  const data = join(dir, 'data')
  mkdirSync(data)
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: http://127.0.0.1:4100
data_dir: ${data}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url} }]
access: [{ who: { kind: service }, may: { connection: shop } }]
console: { roles: { auditor: { subject: robot } } }
record: { free_bytes_min: 1MiB, origin: log.example/test }
`,
  )
  return {
    dir,
    file,
    data,
    token: await mintToken(data, 'http://127.0.0.1:4100'),
    start: async () => {
      const one = await serve(['-c', file])
      running.push(one)
      return one
    },
    ask: (...args) => run([...args, '-c', file]),
  }
}

async function call({ gateway }: Serving, { token }: Installation, sql: string): Promise<string> {
  const answer = await fetch(`${gateway}/mcp/shop`, {
    method: 'POST',
    body: legacyCall('tools/call', JSON.stringify({ name: 'execute_sql', arguments: { sql } })),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
  })
  assert.equal(answer.status, 200)
  return await answer.text()
}

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => Object(JSON.parse(line)))

async function keyOf(at: Installation): Promise<string> {
  const { code, stdout } = await at.ask('audit', 'key')
  assert.equal(code, 0)
  return stdout.split('\n')[0] ?? ''
}

async function sessionOf(at: Installation): Promise<string> {
  const [first] = jsonLines((await at.ask('sessions', '--json')).stdout)
  return String(first?.['session'])
}

test('what was called is found, replayed in every format, and each look is recorded', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT name FROM customers WHERE town = 7')
  await call(gateway, at, 'DELETE FROM carts')

  const found = await at.ask('search', 'tool:execute_sql table:customers "where town"', '--json')
  assert.equal(found.code, 0, found.stderr)
  const [item, page] = jsonLines(found.stdout)
  assert.equal(item?.['tool'], 'execute_sql')
  assert.match(String(item?.['excerpt']), /FROM customers/)
  assert.equal(page?.['total'], 1)
  const none = await at.ask('search', 'table:nowhere')
  assert.match(none.stdout, /Nothing fits/)

  const session = await sessionOf(at)
  for (const format of ['text', 'jsonl', 'html', 'har', 'cast']) {
    const shown = await at.ask('replay', session, '--format', format, '--proofs')
    assert.equal(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /DELETE FROM carts/, format)
    assert.ok(!shown.stdout.includes(card), `${format} shows a card number`)
  }
  const paced = await at.ask('replay', '--query', 'table:carts', '--speed', '1000', '--idle', '1')
  assert.match(paced.stdout, /DELETE FROM carts/)

  const views = (await readEntries(at.data)).filter(({ type }) => type === 'record.viewed')
  const searches = views.filter(({ what }) => what === 'search')
  assert.equal(searches[0]?.['query'], 'tool:execute_sql table:customers "where town"')
  assert.deepEqual(
    searches.map(({ shown }) => shown),
    [undefined, 1, undefined, 0],
  )
  assert.ok(views.some(({ viewed, what }) => what === 'replay' && viewed === session))
})

const refused: readonly [why: string, args: string[], code: number, words: RegExp][] = [
  ['a query that is none', ['search', 'tool:('], 1, /position|expected|\)/i],
  ['a full card number', ['search', card], 1, /full card number/],
  ['a session that is not there', ['replay', 'se_none'], 1, /no such session/],
  ['no session', ['replay'], 2, /Name sessions/],
  ['a format nobody knows', ['replay', 'x', '--format', 'pdf'], 2, /--format is/],
  ['a speed that is none', ['replay', 'x', '--speed', '0'], 2, /--speed/],
  ['an entry that is not there', ['audit', 'prove', '99999'], 1, /entry|index/i],
  ['an index that is none', ['audit', 'prove', 'x'], 2, /whole number/],
  [
    'two things to hold',
    ['hold', 'place', '--session', 'a', '--principal', 'b', '--reason', 'x'],
    2,
    /Name a/,
  ],
  ['a hold that is not there', ['hold', 'release', 'h', '--reason', 'x'], 1, /no hold/],
  ['a key that is none', ['audit', 'verify', '--key', 'nonsense'], 1, /key/],
]
test('what cannot be answered is refused in words, and a card number is nowhere kept', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  for (const [why, args, code, words] of refused) {
    const said = await at.ask(...args)
    assert.equal(said.code, code, `${why}: ${said.stderr}`)
    assert.match(said.stderr, words, why)
    assert.ok(!said.stderr.includes(card), why)
  }
  await gateway.stop('SIGTERM')
  const files = readdirSync(at.data, { recursive: true, withFileTypes: true })
  for (const each of files.filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(each.parentPath, each.name), 'latin1')
    assert.ok(!bytes.includes(card), `${each.name} holds the card number`)
  }
})

test('a running log is proven, a killed one says what it cannot tell, and its next start mends that', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  const key = await keyOf(at)
  assert.match(key, /^log\.example\/test\+[0-9a-f]{8}\+/)
  const live = await at.ask('audit', 'verify', '--key', key)
  assert.equal(live.code, 0, live.stdout)
  assert.match(live.stdout, /Proven/)
  assert.equal((await run(['audit', 'verify', at.data])).code, 0, 'with the key of the folder')
  await gateway.stop('SIGKILL')
  const dead = await at.ask('audit', 'verify', '--key', key)
  assert.ok(dead.code === 0 || dead.code === 2, dead.stdout)
  const again = await at.start()
  await again.stop('SIGTERM')
  const mended = await at.ask('audit', 'verify', '--key', key, '--json')
  assert.equal(mended.code, 0, mended.stdout)
  assert.equal(Object(JSON.parse(mended.stdout)).verdict, 'proven')

  // An older checkpoint kept elsewhere shows a roll-back.
  const checkpoint = join(at.dir, 'kept')
  cpSync(join(at.data, 'record/w1/checkpoint'), checkpoint)
  const copy = join(at.dir, 'copy')
  cpSync(at.data, copy, { recursive: true })
  const third = await at.start()
  await call(third, at, 'SELECT 2')
  await third.stop('SIGTERM')
  const later = join(at.dir, 'later')
  cpSync(join(at.data, 'record/w1/checkpoint'), later)
  const verified = await at.ask('audit', 'verify', '--key', key, '--checkpoint', checkpoint)
  assert.equal(verified.code, 0, verified.stdout)
  const rolled = await run(['audit', 'verify', copy, '--key', key, '--checkpoint', later])
  assert.equal(rolled.code, 1)
  assert.match(rolled.stdout, /rolled back/)
})

test('a changed record is disproven, and does not start', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  const key = await keyOf(at)
  await gateway.stop('SIGTERM')
  const folder = join(at.data, 'record/w1')
  const kept = readFileSync(join(folder, 'checkpoints.log'))
  // Rolled back to nothing: the log of checkpoints knows better.
  for (const name of readdirSync(join(folder, 'log'))) {
    writeFileSync(join(folder, 'log', name, '0001.seg'), '')
  }
  const said = await at.ask('audit', 'verify', '--key', key)
  assert.equal(said.code, 1)
  await assert.rejects(at.start(), /not the one whose checkpoints were signed/)
  assert.deepEqual(readFileSync(join(folder, 'checkpoints.log')), kept)
})

test('a new signing key is trusted by whoever trusts the old one', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  const old = await keyOf(at)
  const rotated = await at.ask('keys', 'rotate', '--overlap', '0s')
  assert.equal(rotated.code, 0, rotated.stderr)
  await call(gateway, at, 'SELECT 2')
  const fresh = await keyOf(at)
  assert.notEqual(fresh, old)
  await gateway.stop('SIGTERM')
  for (const key of [old, fresh]) {
    const said = await at.ask('audit', 'verify', '--key', key)
    assert.equal(said.code, 0, said.stdout)
  }
  const rewrapped = await at.ask('keys', 'rewrap')
  assert.equal(rewrapped.code, 0, rewrapped.stderr)
  const shown = await at.ask('replay', await sessionOf(at))
  assert.match(shown.stdout, /SELECT 2/, 'bodies open after the key-encryption key changed')
})

test('a pack is proven by its own verifier elsewhere, and a changed digit is seen', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT name FROM customers LIMIT 7')
  const key = await keyOf(at)
  const session = await sessionOf(at)
  const out = join(at.dir, 'pack')
  const packed = await at.ask('audit', 'pack', session, '--out', out)
  assert.equal(packed.code, 0, packed.stderr)
  const proof = join(at.dir, 'one.tlog-proof')
  assert.equal((await at.ask('audit', 'prove', '0', '--out', proof)).code, 0)
  assert.match(readFileSync(proof, 'utf8'), /^c2sp\.org\/tlog-proof@v1\n/)
  const exports = (await readEntries(at.data)).filter(({ type }) => type === 'record.exported')
  assert.deepEqual(
    exports.map(({ what }) => what),
    ['pack', 'proof'],
  )

  const elsewhere = join(at.dir, 'elsewhere')
  cpSync(out, elsewhere, { recursive: true })
  assert.ok(!existsSync(join(elsewhere, 'node_modules')))
  assert.equal(await verifier(elsewhere, '--key', key), 0)
  assert.equal(await verifier(elsewhere), 2, 'without a key of the verifier’s own')
  assert.equal((await run(['audit', 'verify', elsewhere, '--key', key])).code, 0)
  const path = join(elsewhere, 'replay.txt')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('LIMIT 7', 'LIMIT 8'))
  assert.notEqual(readFileSync(path, 'utf8'), text)
  assert.equal(await verifier(elsewhere, '--key', key), 1)
})

function verifier(folder: string, ...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['verify.mjs', ...args], { cwd: folder }, (error) => {
      resolve(error ? Number(error.code) : 0)
    })
  })
}

test('a log is proven over HTTP: its hashes to everybody, its entries to an auditor', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  const key = await keyOf(at)
  const url = `${gateway.console}/log`
  assert.equal((await at.ask('audit', 'verify', '--key', key)).code, 0) // It signs what there is.
  const hashes = await run(['audit', 'verify', url, '--key', key])
  assert.equal(hashes.code, 2, hashes.stdout)
  const entries = await run(['audit', 'verify', url, '--key', key, '--token', at.token])
  assert.equal(entries.code, 0, entries.stdout)
  assert.match(entries.stdout, /calls in 1 sessions/)
  const stranger = await fetch(`${url}/tile/entries/000.p/1`)
  assert.equal(stranger.status, 403)
  const checkpoint = await fetch(`${url}/checkpoint`)
  assert.match(await checkpoint.text(), /^log\.example\/test\n/)
  for (const path of ['/log/../keys/signing.pem', '/log/tile/0/x', '/log/origin', '/log/']) {
    assert.equal((await fetch(`${gateway.console}${path}`)).status, 404, path)
  }
})

test('a witness signs what it has seen, and verify says when', async (t) => {
  const at = await install(t)
  const first = await at.start()
  const key = await keyOf(at)
  await first.stop('SIGTERM')
  const args = ['--listen', '127.0.0.1:0', '--name', 'witness.example', '--log', key]
  const witness = start(['audit', 'witness', ...args, '--state', join(at.dir, 'state')])
  t.after(async () => await witness.stop('SIGKILL'))
  await until(() => witness.output.stdout.includes('\n'))
  const { vkey, witness: url }: { vkey: string; witness: string } = JSON.parse(
    witness.output.stdout,
  )
  const text = readFileSync(at.file, 'utf8')
  const named = `witnesses: [{ url: "${url}", vkey: "${vkey}" }]`
  writeFileSync(
    at.file,
    text.replace('origin: log.example/test', `origin: log.example/test, ${named}`),
  )
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  await until(() => existsSync(join(at.data, 'record/w1/cosigned')), 20_000)
  await gateway.stop('SIGTERM')
  const said = await at.ask('audit', 'verify', '--key', key, '--witness', vkey)
  assert.equal(said.code, 0, said.stdout)
  assert.match(said.stdout, /witness witness\.example saw/)
  assert.equal((await at.ask('audit', 'verify', '--key', key)).code, 0, 'the log names its witness')
})

test('retention tells what is due, and holds are kept and recorded', async (t) => {
  const at = await install(t)
  const gateway = await at.start()
  await call(gateway, at, 'SELECT 1')
  assert.match((await at.ask('retention', 'plan')).stdout, /Nothing is due/)
  const session = await sessionOf(at)
  const placed = await at.ask('hold', 'place', '--session', session, '--reason', 'case 1')
  assert.equal(placed.code, 0, placed.stderr)
  const { id }: { id: string } = JSON.parse(placed.stdout)
  assert.match((await at.ask('hold', 'list')).stdout, new RegExp(`${id}.*${session}.*case 1`))
  assert.equal((await at.ask('hold', 'release', id, '--reason', 'closed')).code, 0)
  assert.equal((await at.ask('hold', 'list')).stdout, '')
  const held = (await readEntries(at.data)).filter(({ type }) => type === 'retention.held')
  assert.deepEqual(
    held.map(({ phase }) => phase),
    ['placed', 'released'],
  )
  const rebuilt = await at.ask('index', 'rebuild')
  assert.equal(rebuilt.code, 0, rebuilt.stderr)
})
