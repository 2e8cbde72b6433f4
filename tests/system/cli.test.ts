/** The program at the command line, mostly used wrongly: what it says, where, and how it exits. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pan } from '../cards.ts'
import { legacyCall, startBehind } from './house.ts'
import type { Behind } from './house.ts'
import { makeFolder, program, run, serve } from './program.ts'
import type { Ran, Serving } from './program.ts'

const { dir, remove } = makeFolder()
let behind: Behind

before(async () => {
  behind = await startBehind()
  const good = `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url} }]
access: [{ who: { group: staff }, may: { connection: shop } }]
record: { free_bytes_min: 1MiB }
`
  writeFileSync(join(dir, 'good.yaml'), good)
  writeFileSync(join(dir, 'broken.yaml'), 'listen: {\n  gateway: "127.0.0.1:4100\n')
  writeFileSync(
    join(dir, 'bad.yaml'),
    `${good}limits: { stop_grace: soon }\nconection: none\npublic_url: http://gateway.example\n`,
  )
  writeFileSync(join(dir, 'a-file'), '')
})
after(async () => {
  await behind.close()
  remove()
})

/** No stack, no class of an error: what goes wrong outside is told in our own words. */
function assertPlain({ stderr, stdout }: Ran): void {
  assert.doesNotMatch(stderr + stdout, /^ {4}at |Node\.js v|node:internal|\[object/m)
}

const wrong: readonly [what: string, args: string[], code: number, says: RegExp][] = [
  ['no command', [], 2, /Usage: sallyport/],
  ['an unknown command', ['server'], 2, /unknown command 'server'.*--help/s],
  ['an unknown option', ['serve', '--prot', '1'], 2, /unknown option '--prot'.*--help/s],
  ['a port that is none', ['serve', '--port', '70000'], 2, /from 0 to 65535/],
  ['a missing argument', ['replay'], 2, /Name sessions, or find them by --query/],
  ['one argument too many', ['sessions', 'all'], 2, /too many arguments/],
  ['an unknown format', ['replay', 'se_x', '--format', 'xml'], 2, /text, jsonl, html, har or cast/],
  ['a token for nobody', ['token'], 2, /--subject/],
  ['a token for years', ['token', '--subject', 'a', '--ttl', '900d'], 2, /1s to 24h/],
  ['a token of no kind', ['token', '--subject', 'a', '--kind', 'ghost'], 2, /person, service/],
  [
    'a file that is missing',
    ['serve', '-c', 'none.yaml'],
    1,
    /none\.yaml.*sallyport init.*-c FILE/s,
  ],
  ['a folder as file', ['serve', '-c', '.'], 1, /no configuration file .*sallyport init/s],
  [
    'a file as data folder',
    ['serve', '-c', 'good.yaml', '--data', 'a-file'],
    1,
    /a-file \(EEXIST\)/,
  ],
  ['a token without a file', ['token', '-c', 'none.yaml', '--subject', 'a'], 1, /sallyport init/],
  [
    'a token of no connection',
    ['token', '-c', 'good.yaml', '--subject', 'a', '--connection', 'x'],
    1,
    /Known: shop/,
  ],
  [
    'sessions of no record',
    ['sessions', '--data', 'nowhere'],
    1,
    /^There is no record in .*nowhere\. .*--data or -c/,
  ],
  ['sessions of a file', ['sessions', '--data', 'a-file'], 1, /a-file/],
  ['init over a file', ['init', '--yes', '-c', 'good.yaml'], 1, /already.*not touched.*-c FILE/s],
  ['init below a file', ['init', '--yes', '-c', 'i.yaml', '--data', 'a-file/d'], 1, /ENOTDIR/],
  [
    'init with a bad address',
    ['init', '--yes', '-c', 'i.yaml', '--url', 'shop'],
    1,
    /nothing was written.*http/s,
  ],
]

test('wrong uses: exit 2 for the command, 1 for the world, and what to do', async () => {
  for (let i = 0; i < wrong.length; i += 2) {
    const pair = wrong.slice(i, i + 2).map(async ([what, args, code, says]) => {
      const ran = await run(args, { cwd: dir })
      assert.equal(ran.code, code, `${what}: ${ran.stderr}`)
      assert.match(ran.stderr, says, what)
      assert.equal(ran.stdout, '', `${what}: what is no answer goes to standard error`)
      assertPlain(ran)
    })
    await Promise.all(pair)
  }
  assert.equal(existsSync(join(dir, 'i.yaml')), false, 'a refused init leaves no file')
})

test('every command shows an example of its use', async () => {
  const { stdout } = await run(['--help'])
  const commands = [
    ...stdout.matchAll(/^ {2}([a-z-]+)(?: \[options\])?(?: [<[][\w.]+[>\]])? {2,}/gm),
  ]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
  assert.deepEqual(commands, [
    'serve',
    'demo',
    'sessions',
    'search',
    'replay',
    'audit',
    'index',
    'retention',
    'hold',
    'keys',
    'revoke',
    'people',
    'service-account',
    'access',
    'account',
    'tools',
    'policy',
    'saml',
    'reload',
    'exposure',
    'mask',
    'inspect',
    'check',
    'init',
    'token',
  ])
  for (let i = 0; i < commands.length; i += 2) {
    const pair = commands.slice(i, i + 2).map(async (name) => {
      const help = await run([name, '--help'])
      assert.equal(help.code, 0)
      assert.match(help.stdout, new RegExp(`\nExample:\n  sallyport ${name} `))
    })
    await Promise.all(pair)
  }
})

for (const command of ['check', 'serve']) {
  test(`${command} names every mistake of a file with its line and column`, async () => {
    const ran = await run([command, '-c', 'bad.yaml'], { cwd: dir })
    assert.equal(ran.code, 1)
    const said = command === 'check' ? ran.stdout : ran.stderr
    const places = [...said.matchAll(/^bad\.yaml:(\d+):(\d+) (\S+) /gm)].map(
      ([, line, column, key]) => [line, column, key],
    )
    assert.deepEqual(places, [
      ['7', '23', 'limits.stop_grace'],
      ['8', '1', 'conection'],
      ['9', '13', 'public_url'],
    ])
    assertPlain(ran)
  })
}

test('a file that is no YAML is told by its place, as text and as data', async () => {
  const [text, json] = await Promise.all([
    run(['check', '-c', 'broken.yaml'], { cwd: dir }),
    run(['check', '-c', 'broken.yaml', '--json'], { cwd: dir }),
  ])
  assert.deepEqual([text.code, json.code], [1, 1])
  assert.match(text.stdout, /^broken\.yaml:\d+:\d+ \S/)
  const report: { ok: boolean; mistakes: { line: number; message: string }[] } = JSON.parse(
    json.stdout,
  )
  assert.equal(report.ok, false)
  assert.ok(report.mistakes.every(({ line, message }) => line > 0 && message !== ''))
})

test('check asks the server behind a connection; offline it looks at the file alone', async () => {
  const file = join(dir, 'nobody.yaml')
  writeFileSync(
    file,
    readFileSync(join(dir, 'good.yaml'), 'utf8').replace(behind.url, 'http://127.0.0.1:1/mcp'),
  )
  const [live, offline] = await Promise.all([
    run(['check', '-c', file]),
    run(['check', '-c', file, '--offline']),
  ])
  assert.deepEqual([live.code, offline.code], [1, 0], live.stdout + offline.stderr)
  assert.match(live.stdout, /FAIL {2}connection shop .*does not answer.*\(nobody\.yaml:4:\d+\)/)
  assert.match(offline.stdout, /^nobody\.yaml has no mistakes\.\n$/)
})

test('from init to a first call', async (t) => {
  const at = join(dir, 'new')
  mkdirSync(at)
  const made = await run(['init', '--yes', '--connection', 'shop', '--url', behind.url], {
    cwd: at,
  })
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /Next:\n {2}sallyport check.*sallyport serve.*sallyport token/s)
  assert.equal(statSync(join(at, '.sallyport')).mode & 0o777, 0o700)
  const checked = await run(['check', '--offline'], { cwd: at })
  assert.deepEqual([checked.code, checked.stdout], [0, 'sallyport.yaml has no mistakes.\n'])
  const gateway = await serve(['--port', '0', '--console-port', '0'], { cwd: at })
  t.after(() => gateway.stop('SIGKILL'))
  const minted = await run(['token', '--subject', 'you', '--group', 'engineers'], { cwd: at })
  assert.match(minted.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  assert.equal((await callShop(gateway, minted.stdout.trim())).status, 200)
  const stranger = await run(['token', '--subject', 'you', '--group', 'others'], { cwd: at })
  assert.equal((await callShop(gateway, stranger.stdout.trim())).status, 403)
  assert.equal((await callShop(gateway, `${minted.stdout.trim()}x`)).status, 401)
  assert.equal(behind.got.filter(({ body }) => body.includes('from the first call')).length, 1)

  const listed = await run(['sessions'], { cwd: at })
  assert.match(listed.stdout, /^SESSION .*\nse_\w+ .* you .* shop /)
  const unknown = await run(['replay', 'se_nobody'], { cwd: at })
  assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
  assert.match(unknown.stderr, /no such session.*List the sessions/s)
  assert.equal(await gateway.stop('SIGTERM'), 0)
  const alone = await run(['replay', 'se_nobody'], { cwd: at })
  assert.deepEqual([alone.code, alone.stderr], [unknown.code, unknown.stderr])
  const files = [
    'state.sqlite',
    'keys/gateway.key',
    'keys/signing.pem',
    'keys/local-issuer.json',
    'record/w1/origin',
  ]
  for (const name of files) {
    assert.equal(statSync(join(at, '.sallyport', name)).mode & 0o777, 0o600, name)
  }
})

async function callShop({ gateway }: Serving, token: string): Promise<Response> {
  return await fetch(`${gateway}/mcp/shop`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: legacyCall('tools/call', '{"name":"read","arguments":{"a":"from the first call"}}'),
  })
}

test('two gateways on one data folder: the second says who holds it; the first goes on', async (t) => {
  const data = join(dir, 'shared')
  const args = ['-c', join(dir, 'good.yaml'), '--data', data]
  const first = await serve(args)
  t.after(() => first.stop('SIGKILL'))
  const second = await run(['serve', ...args])
  assert.deepEqual([second.code, second.stdout], [1, ''])
  assert.match(
    second.stderr,
    new RegExp(`record is in use: process ${first.pid} holds .*lock.*data folder of its own`, 's'),
  )
  assertPlain(second)
  assert.equal((await fetch(`${first.gateway}/readyz`)).status, 200)
  const listed = await run(['sessions', '--data', data])
  assert.deepEqual([listed.code, listed.stdout], [0, 'No sessions are recorded that fit.\n'])
})

for (const option of ['--port', '--console-port']) {
  test(`${option} that is taken: the address is named, and nothing is left behind`, async (t) => {
    const other = createServer()
    t.after(() => other.close())
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const data = join(dir, `taken${option}`)
    const args = ['serve', '-c', join(dir, 'good.yaml'), '--data', data]
    const ran = await run([...args, option, String(port)])
    assert.deepEqual([ran.code, ran.stdout], [1, ''])
    assert.match(
      ran.stderr,
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: another process`),
    )
    assertPlain(ran)
    assert.equal(existsSync(join(data, 'record', 'w1', 'lock')), false)
  })
}

test('mask: a text, a message, and many messages of which some are bad', async () => {
  const card = pan('4', 16)
  const hidden = `${'*'.repeat(12)}${card.slice(-4)}`
  const lines = [
    JSON.stringify({ id: 1, message: `card ${card} it is` }),
    'no json',
    '',
    JSON.stringify({ id: 'none' }),
    JSON.stringify({ id: [2], message: JSON.stringify({ cvv: '123', n: 1 }) }),
    `{"id":3,"message":"${card}`,
  ]
  const [text, json, many, none] = await Promise.all([
    run(['mask'], { input: `card ${card} it is\n` }),
    run(['mask'], { input: `{ "pan" : "${card}" }` }),
    run(['mask', '--jsonl'], { input: lines.join('\n') }),
    run(['mask'], { input: '' }),
  ])
  assert.deepEqual(text, { code: 0, stdout: `card ${hidden} it is\n`, stderr: '' })
  assert.deepEqual(json, { code: 0, stdout: `{ "pan" : "${hidden}" }`, stderr: '' })
  assert.deepEqual(none, { code: 0, stdout: '', stderr: '' })
  assert.equal(many.code, 1)
  const out = many.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    out.map(({ id, message }) => [id, message]),
    [
      [1, `card ${hidden} it is`],
      [[2], '{"cvv":"***","n":1}'],
    ],
  )
  assert.deepEqual(
    [...many.stderr.matchAll(/line (\d+)/g)].map(([, n]) => n),
    ['2', '4', '6'],
  )
  assert.equal((many.stdout + many.stderr).includes(card), false)
})

test('a reader that has seen enough ends a command quietly', async () => {
  const child = spawn(program, ['mask', '--jsonl'], {
    stdio: 'pipe',
    env: { PATH: '/usr/bin:/bin' },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdout.once('data', () => {
    child.stdout.destroy()
    child.stdin.write(line.repeat(2000))
    child.stdin.end()
  })
  const line = `${JSON.stringify({ id: 1, message: 'nothing in it '.repeat(100) })}\n`
  child.stdin.write(line)
  const [code] = await once(child, 'close')
  assert.deepEqual([code, said], [0, ''])
})
