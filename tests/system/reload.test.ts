/** A configuration file that changes while the gateway runs: taken up whole, or not at all. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import type { Clock } from '../../src/base/clock.ts'
import { makeLocalKey, openLocalIssuer } from '../../src/identity/local.ts'
import { makeKey, sign } from '../../src/identity/tokens.fixture.ts'
import { appId, group, personV2, startEntra, tenant } from '../peers/entra-fake.ts'
import { MovedClock, legacyCall, openHouse, startBehind } from './house.ts'
import type { House } from './house.ts'
import { makeFolder, readEntries, run, serve, until } from './program.ts'
import type { Ran, Serving, Told } from './program.ts'

const publicUrl = 'http://127.0.0.1:4100'
const read = legacyCall('tools/call', '{"name":"read","arguments":{}}')

async function post(url: string, token: string): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    body: read,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
  })
}

/* The program. */

interface Installation {
  readonly data: string
  write(access: string, more?: { url?: string; text?: string }): void
  token(group: string): Promise<string>
  serve(): Promise<Serving>
  sallyport(...args: string[]): Promise<Ran>
  entries(type?: RegExp): Promise<Told[]>
}

async function install(t: TestContext): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  const running: Serving[] = []
  t.after(async () => {
    for (const one of running) await one.stop('SIGKILL')
    await behind.close()
    remove()
  })
  const [file, data] = [join(dir, 'sallyport.yaml'), join(dir, 'data')]
  mkdirSync(data)
  await makeLocalKey(data)
  const issuer = `${publicUrl}/oauth`
  const local = await openLocalIssuer({ dataDir: data, issuer, clock: systemClock() })
  return {
    data,
    write: (access, { text = '', url = behind.url } = {}) =>
      writeFileSync(
        file,
        `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: ${publicUrl}
data_dir: ${data}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: "${url}" }]
record: { free_bytes_min: 1MiB }
access: [${access}]
${text}
`,
      ),
    token: (group) =>
      local.mint({
        subject: `of-${group}`,
        kind: 'person',
        groups: [group],
        audience: publicUrl,
        ttlSeconds: 600,
      }),
    serve: async () => {
      const one = await serve(['-c', file])
      running.push(one)
      return one
    },
    sallyport: (...args) => run([...args, '-c', file]),
    // The rules of the profile, told at the first start, have tests of their own.
    entries: async (type = /./) =>
      (await readEntries(data)).filter(
        (one) => type.test(one.type) && detailsOf(one)['what'] !== 'policy',
      ),
  }
}

const staff = '{ name: staff, who: { group: staff }, may: { connection: shop } }'
const guests = '{ name: guests, who: { group: guests }, may: { connection: shop } }'

function detailsOf(entry: Told | undefined): Record<string, unknown> {
  return (entry?.['details'] ?? {}) as Record<string, unknown>
}

test('a changed file is taken up by itself, a bad one changes nothing, and both are recorded', async (t) => {
  const at = await install(t)
  at.write(staff)
  const { gateway } = await at.serve()
  const guest = await at.token('guests')
  const ask = async (): Promise<number> => {
    const answer = await post(`${gateway}/mcp/shop`, guest)
    await answer.text()
    return answer.status
  }
  assert.equal(await ask(), 403)
  at.write(`${staff}, ${guests}`)
  const began = performance.now()
  await until(async () => (await ask()) === 200)
  assert.ok(performance.now() - began < 3500, 'it took too long') // Looked at every two seconds.
  const wanted = /^(config\.changed|access\.changed|call\.received)$/
  const [first, , config, access, ...calls] = await at.entries(wanted)
  assert.deepEqual(
    [config?.type, access?.type, calls.map(({ type }) => type)],
    ['config.changed', 'access.changed', ['call.received']],
    'nobody gets by a grant which the record does not know',
  )
  assert.equal(detailsOf(config)['from'], detailsOf(first)['to'])
  const { added, by, changed, removed } = detailsOf(access)
  assert.deepEqual([by, removed, changed], ['file', [], []])
  assert.match(String(added), /guests: who group guests; connection shop/)

  at.write(`${staff}, {`)
  await until(async () => (await at.entries(/^control\.failed$/)).length === 1)
  const [failed] = await at.entries(/^control\.failed$/)
  assert.deepEqual([failed?.['control'], failed?.['reason']], ['configuration', 'config_bad'])
  assert.equal(await ask(), 200, 'what was good stays in force')
  at.write(`${staff}, ${guests}`)
  await until(async () => (await at.entries(/^control\.restored$/)).length === 1)
  assert.equal((await at.entries(/^(config|access)\.changed$/)).length, 4, 'nothing was changed')
})

test('SIGHUP and the command take it up at once, and say what cannot be', async (t) => {
  const at = await install(t)
  at.write(`${staff}, ${guests}`)
  const running = await at.serve()
  const guest = await at.token('guests')
  const ask = async (): Promise<number> => {
    const answer = await post(`${running.gateway}/mcp/shop`, guest)
    await answer.text()
    return answer.status
  }
  assert.equal(await ask(), 200)
  at.write(staff)
  process.kill(running.pid, 'SIGHUP')
  await until(async () => (await ask()) === 403)
  const told = detailsOf((await at.entries(/^access\.changed$/)).at(-1))
  assert.match(String(told['removed']), /guests/)

  const same = await at.sallyport('reload')
  assert.deepEqual(same, {
    code: 0,
    stdout: 'Nothing changed: this file is in force already.\n',
    stderr: '',
  })
  at.write(`${staff}, ${guests}`, { url: 'http://127.0.0.1:9/mcp', text: 'log: { level: debug }' })
  const fixed = await at.sallyport('reload')
  assert.deepEqual([fixed.code, fixed.stdout], [1, ''])
  assert.match(fixed.stderr, /read at start-up only: log, connections\. Nothing of it was taken/)
  assert.equal(await ask(), 403)
  at.write(`${staff}, { who: { group: guests }, may: { connection: shpo } }`)
  const bad = await at.sallyport('reload')
  // Its own look at the file says as much, before the gateway is asked.
  assert.deepEqual([bad.code, bad.stdout], [1, ''])
  assert.match(bad.stderr, /sallyport\.yaml:\d+/)
  at.write(`${staff}, ${guests}`)
  const good = await at.sallyport('reload')
  // The gateway may have looked at the file by itself meanwhile.
  assert.deepEqual([good.code, /in force/.test(good.stdout), good.stderr], [0, true, ''])
  assert.equal(await ask(), 200)
})

test('what changed while no gateway ran is recorded at the next start, once', async (t) => {
  const at = await install(t)
  at.write(staff)
  await (await at.serve()).stop('SIGTERM')
  const alone = await at.sallyport('reload')
  assert.deepEqual(
    [alone.code, alone.stdout],
    [0, 'No gateway runs here; the next start reads the file.\n'],
  )
  at.write(guests, { text: 'console: { roles: { auditor: { group: audit } } }' })
  for (const life of ['first', 'second']) {
    await (await at.serve()).stop('SIGKILL')
    const changes = (await at.entries(/^access\.changed$/)).map(detailsOf)
    assert.equal(changes.length, 2, `${life} life after it`)
    const { added, by, removed } = changes[1] ?? {}
    assert.equal(by, 'start')
    assert.match(String(added), /guests: .*console role auditor: group audit/)
    assert.match(String(removed), /^staff: /)
  }
})

/* In this process: who is in the middle of a stream when it changes. */

const sse = { 'content-type': 'text/event-stream' }
const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n'

async function openStreaming(
  t: TestContext,
  clock: Clock = systemClock(),
): Promise<{ house: House; origin: string; token: string }> {
  const entra = await startEntra()
  const key = await makeKey('one')
  entra.keys.v2 = [key.jwk]
  const house = await openHouse({
    clock,
    identity: `
  issuers:
    - { name: local, type: local }
    - { name: entra, type: entra, tenant: ${tenant}, audience: ${appId}, authority: "${entra.origin}" }`,
    access: `  - { name: seven, who: { group: ${group(7)} }, may: { connection: shop, tools: [read, list] }, reveal: pan }`,
  })
  t.after(async () => {
    await house.stop()
    await entra.close()
  })
  house.behind.script = (_got, res) => {
    res.writeHead(200, sse)
    const ticking = setInterval(() => res.write(progress), 20)
    res.once('close', () => clearInterval(ticking))
  }
  const claims = personV2(entra.origin, { s: Math.floor(Date.now() / 1000) })
  const token = await sign(key, { ...claims, groups: [group(7)] })
  return { house, origin: entra.origin, token }
}

/** Rewrites the file and has it taken up. */
async function change(house: House, by: (text: string) => string): Promise<void> {
  const file = join(house.dataDir, 'sallyport.yaml')
  const [before, count] = [readFileSync(file, 'utf8'), await changes(house)]
  assert.notEqual(by(before), before)
  writeFileSync(file, by(before))
  process.emit('SIGHUP', 'SIGHUP')
  await until(async () => (await changes(house)) > count)
}

async function changes(house: House): Promise<number> {
  return (await house.entries()).filter(({ type }) => type === 'config.changed').length
}

const sentences = {
  grant_ended: /The grant of this connection has ended/,
  not_believed: /Access was stopped/,
}
type Cut = [what: string, by: (text: string) => string, reason: keyof typeof sentences]
const cuts: readonly Cut[] = [
  ['the grant is gone', (text) => text.replace(/ {2}- \{ name: seven.*\n/, ''), 'grant_ended'],
  [
    'the tool is not in it any more',
    (text) => text.replace('[read, list]', '[list]'),
    'grant_ended',
  ],
  ['reveal is gone', (text) => text.replace(', reveal: pan', ''), 'grant_ended'],
  [
    'it holds for another network',
    (text) => text.replace(', reveal: pan', ', reveal: pan, networks: [10.0.0.0/8]'),
    'grant_ended',
  ],
  [
    'its issuer is gone',
    (text) => text.replace(/ {4}- \{ name: entra.*\n/, '').replace(/^$/m, '# without'),
    'not_believed',
  ],
  [
    'its issuer lets in another client',
    (text) => text.replace('type: entra', 'type: entra, clients: [other]'),
    'not_believed',
  ],
  [
    'its issuer is another audience’s',
    (text) => text.replace(`audience: ${appId}`, 'audience: api://other'),
    'not_believed',
  ],
]
for (const [what, by, reason] of cuts) {
  test(`a stream is cut within a second when ${what}`, { timeout: 15_000 }, async (t) => {
    const { house, token } = await openStreaming(t)
    const reader = (await post(house.mcp, token)).body?.getReader()
    const other = (await house.post(read)).body?.getReader()
    await Promise.all([reader?.read(), other?.read()])
    const reading = restOf(reader)
    await change(house, by)
    const began = performance.now()
    const text = await reading
    assert.ok(performance.now() - began < 1000)
    assert.match(text, sentences[reason])
    assert.equal((await other?.read())?.done, false, 'whom it is not about goes on')
    const ends = (await house.entries()).filter(({ type }) => type === 'call.finished')
    assert.deepEqual(
      ends.map((end) => [end['outcome'], end['reason']]),
      [['unknown', reason]],
    )
    await other?.cancel()
  })
}

const passes: readonly [what: string, by: (text: string) => string][] = [
  ['a comment came', (text) => `${text}# as before\n`],
  ['another grant came', (text) => text.replace('access:\n', `access:\n  - ${guests}\n`)],
  ['the grant gives more', (text) => text.replace('[read, list]', '[read, list, more]')],
  [
    'an issuer came',
    (text) =>
      text.replace(
        'issuers:\n',
        'issuers:\n    - { name: more, type: oidc, issuer: "http://127.0.0.1:9/x" }\n',
      ),
  ],
]
for (const [what, by] of passes) {
  test(`a stream goes on when ${what}`, async (t) => {
    const { house, token } = await openStreaming(t)
    const reader = (await post(house.mcp, token)).body?.getReader()
    await reader?.read()
    await change(house, by)
    for (let i = 0; i < 20; i++) assert.equal((await reader?.read())?.done, false)
    await reader?.cancel()
  })
}

test(
  'a stream whose token expired meanwhile goes on unless its grant is gone',
  { timeout: 15_000 },
  async (t) => {
    const clock = new MovedClock(Date.now())
    const { house, token } = await openStreaming(t, clock)
    const reader = (await post(house.mcp, token)).body?.getReader()
    await reader?.read()
    clock.pass(5000 * 1000)
    assert.equal((await post(house.mcp, token)).status, 401)
    await change(house, (text) => text.replace('type: entra', 'type: entra, clients: []'))
    for (let i = 0; i < 20; i++) assert.equal((await reader?.read())?.done, false)
    await change(house, (text) => text.replace(/ {2}- \{ name: seven.*\n/, ''))
    assert.match(await restOf(reader), sentences.grant_ended)
  },
)

async function restOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<string> {
  let text = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) return text
    text += Buffer.from(value ?? []).toString()
  }
}
