/** Calls found by a full card number, which itself is kept nowhere. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { grouped, pan } from '../cards.ts'
import { answerResult, legacyCall, startBehind } from './house.ts'
import { makeFolder, mintToken, readEntries, run, serve } from './program.ts'
import type { Ran, Serving } from './program.ts'

const visa = pan('4', 16)
const amex = pan('37', 15)
const asked = pan('51', 16)
const unseen = pan('4', 16, '918273645')
const all = [visa, amex, asked, unseen]

interface Installation {
  readonly data: string
  readonly running: Serving[]
  start(): Promise<Serving>
  call(gateway: Serving, sql: string): Promise<void>
  /** `sallyport search --card` with this line on standard input. */
  find(line: string, ...args: string[]): Promise<Ran>
  ask(...args: string[]): Promise<Ran>
}

/** A shop whose rows have two cards, one a row: `sql` names which. */
async function install(t: TestContext, cardSearch: true | undefined): Promise<Installation> {
  const { dir, remove } = makeFolder()
  const behind = await startBehind()
  behind.script = (got, res) => {
    const text = got.body.includes('amex') ? amex : `the card ${grouped(visa, [4, 4, 4, 4], ' ')}`
    answerResult(got, res, `{"content":[{"type":"text","text":"${text}"}]}`)
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
  const setting = cardSearch === undefined ? '' : `, card_search: ${cardSearch}`
  writeFileSync(
    file,
    `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: http://127.0.0.1:4100
data_dir: ${data}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${behind.url}, profile: none }]
access: [{ who: { kind: service }, may: { connection: shop } }]
log: { level: debug }
record: { free_bytes_min: 1MiB, origin: log.example/test${setting} }
`,
  )
  const token = await mintToken(data, 'http://127.0.0.1:4100')
  return {
    data,
    running,
    start: async () => {
      const one = await serve(['-c', file])
      running.push(one)
      return one
    },
    call: async ({ gateway }, sql) => {
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
      await answer.text()
    },
    find: (line, ...args) => {
      return run(['search', '--card', '--json', ...args, '-c', file], { input: `${line}\n` })
    },
    ask: (...args) => run([...args, '-c', file]),
  }
}

/** How its items begin, and the total. */
function found({ code, stderr, stdout }: Ran): { excerpts: string[]; total: unknown } {
  assert.equal(code, 0, stderr)
  const lines = stdout.trim().split('\n')
  const objects = lines.map((line): Record<string, unknown> => Object(JSON.parse(line)))
  const excerpts = objects.slice(0, -1).map(({ excerpt }) => String(excerpt))
  return { excerpts, total: objects.at(-1)?.['total'] }
}

/** No file below the folder holds one of the numbers, nor what a command or gateway has said. */
function assertNowhere({ data, running }: Installation, said: readonly Ran[]): void {
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
  for (const each of files.filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(each.parentPath, each.name), 'latin1')
    for (const card of all) assert.ok(!bytes.includes(card), `${each.name} holds a card number`)
  }
  const words = [...said, ...running.map(({ output }) => output)]
  for (const { stderr, stdout } of words) {
    for (const card of all) assert.ok(!`${stdout}${stderr}`.includes(card), 'it was said')
  }
}

test('calls are found by a full number in any spelling, with a gateway and without one', async (t) => {
  const at = await install(t, true)
  const gateway = await at.start()
  await at.call(gateway, 'SELECT * FROM visa')
  await at.call(gateway, 'SELECT * FROM amex')
  await at.call(gateway, `DELETE FROM amex WHERE n = '${asked}'`)
  const said: Ran[] = []
  const find = async (line: string, ...args: string[]): Promise<string[]> => {
    const ran = await at.find(line, ...args)
    said.push(ran)
    return found(ran).excerpts
  }
  const [spaced, dashed] = [' ', '-'].map((sign) => grouped(visa, [4, 4, 4, 4], sign))
  for (const line of [`${visa} `, spaced ?? '', dashed ?? '']) {
    const excerpts = await find(line)
    assert.equal(excerpts.length, 1, 'one call was answered with it')
    assert.match(excerpts[0] ?? '', /FROM visa/)
  }
  assert.equal((await find(amex)).length, 2)
  assert.match((await find(amex, 'table:amex delete'))[0] ?? '', /DELETE/)
  assert.match((await find(asked))[0] ?? '', /DELETE/, 'by what was asked, too')
  assert.deepEqual(await find(unseen), [])
  assert.deepEqual(await find(visa, 'table:amex'), [])

  await gateway.stop('SIGTERM')
  assert.equal((await find(amex)).length, 2, 'without a gateway')
  const views = (await readEntries(at.data)).filter(({ type }) => type === 'record.viewed')
  const queries = views.map(({ query }) => query)
  assert.equal(queries[0], `card ending ${visa.slice(-4)}`)
  assert.ok(queries.includes(`card ending ${amex.slice(-4)} table:amex delete`))
  assertNowhere(at, said)
  const verified = await at.ask('audit', 'verify')
  assert.equal(verified.code, 0, verified.stdout)
})

test('it is off unless it is turned on, and then nothing is searched for', async (t) => {
  const at = await install(t, undefined)
  const gateway = await at.start()
  await at.call(gateway, 'SELECT * FROM visa')
  const running = await at.find(visa)
  await gateway.stop('SIGTERM')
  const alone = await at.find(visa)
  for (const { code, stderr, stdout } of [running, alone]) {
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /is off.*record\.card_search/)
  }
  const looks = (await readEntries(at.data)).filter(({ type }) => type === 'record.viewed')
  assert.deepEqual(looks, [])
  assertNowhere(at, [running, alone])
})

const none: readonly [what: string, line: string, args: string[], words: RegExp][] = [
  ['nothing', '', [], /no card number/],
  ['words', 'the one from yesterday', [], /no card number/],
  [
    'a wrong check digit',
    visa.slice(0, -1) + String((Number(visa.at(-1)) + 1) % 10),
    [],
    /no card/,
  ],
  ['a number too short', visa.slice(0, -4), [], /no card number/],
  ['two numbers', `${visa} ${amex}`, [], /no card number/],
  ['a number as an argument', visa, [visa], /does not belong on the command line/],
]
test('what is no card number is refused, and one on the command line is too', async (t) => {
  const at = await install(t, true)
  const gateway = await at.start()
  await at.call(gateway, 'SELECT * FROM visa')
  const said: Ran[] = []
  for (const [what, line, args, words] of none) {
    const ran = await at.find(line, ...args)
    said.push(ran)
    assert.equal(ran.code, 2, what)
    assert.match(ran.stderr, words, what)
    assert.equal(ran.stdout, '', what)
  }
  await gateway.stop('SIGTERM')
  const looks = (await readEntries(at.data)).filter(({ type }) => type === 'record.viewed')
  assert.deepEqual(looks, [])
  assertNowhere(at, said)
})
