/**
 * The demo as a newcomer starts it, with the clients people use in front: what each of two
 * identities sees, what the record says of it, and that no card number stays behind anywhere.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { clientKinds, connectClient, inspect, inspectTool } from '../peers/clients.ts'
import type { ClientKind, TestClient } from '../peers/clients.ts'
import { missingServer } from '../peers/servers.ts'
import { filesOf, isAlive, makeFolder, readEntries, run, start, until } from './program.ts'
import type { Running } from './program.ts'

interface Ready {
  readonly gateway: string
  readonly console: string
  readonly connections: Readonly<Record<'shop' | 'everything', string>>
  readonly tokens: Readonly<Record<Role, string>>
  readonly pid: number
}
type Role = 'engineer' | 'analyst'

const skip = missingServer('shop') ?? missingServer('everything') ?? false
const { dir, remove } = makeFolder()
const readyFile = join(dir, 'demo', 'ready.json')
const graceMs = 20_000

let demo: Running
let ready: Ready
const ended: Running[] = []

async function startDemo(): Promise<void> {
  demo = start(['demo', '--data', dir, '--port', '0', '--console-port', '0'])
  await until(() => existsSync(readyFile) || demo.ended !== undefined, 60_000)
  assert.equal(demo.ended, undefined, demo.output.stderr)
  ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready
}

before(async () => {
  if (skip === false) await startDemo()
})
after(async () => {
  if (skip === false) await demo.stop('SIGKILL')
  remove()
})

/** Connects a client as one of the two, closes it whatever happens. */
async function as<T>(
  role: Role,
  connection: 'shop' | 'everything',
  kind: ClientKind,
  use: (client: TestClient) => Promise<T>,
): Promise<T> {
  const client = await connectClient(kind, reach(role, connection))
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

const reach = (role: Role, connection: 'shop' | 'everything'): { url: string; token: string } => ({
  url: ready.connections[connection],
  token: ready.tokens[role],
})

type Row = Record<string, unknown>

/** What the shop's own database says, big numbers as text. */
function fromShop(sql: string): Row[] {
  const db = new DatabaseSync(join(dir, 'demo', 'shop.db'), { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

/** The rows in dbhub's answer to one statement. */
function rowsOf(text: string): Row[] {
  const answer = JSON.parse(text) as { data: { statements: { rows: Row[] }[] } }
  return answer.data.statements.flatMap(({ rows }) => rows)
}

/** Every card number of the shop in the spellings in which it stands there. */
function spellings(): string[] {
  const numbers = fromShop('select distinct pan from cards').map(({ pan }) => String(pan))
  assert.ok(numbers.length > 25)
  return numbers.flatMap((number) => {
    const fours = number.replace(/(\d{4})(?=\d)/g, '$1 ')
    const amex = number.replace(/^(\d{4})(\d{6})/, '$1 $2 ')
    return [number, fours, amex, fours.replaceAll(' ', '-')]
  })
}

/** A security code that a name or a sentence makes one. */
const codeInContext = /(?:cvv2?|cvc2?|security code)(?: is)?["\\':=\s]{1,8}\d{3,4}(?!\d)/i
/** What follows the number on a card's stripe; `track` below is made of it. */
const discretionary = '27121019876543210000'

function assertNoCard(text: string, where: string): void {
  const found = spellings().filter((spelling) => text.includes(spelling))
  assert.equal(found.length, 0, `${where} holds ${found.length} card numbers in clear`)
  assert.doesNotMatch(text, codeInContext, `${where} holds a security code`)
  assert.equal(text.includes(discretionary), false, `${where} holds track data`)
}

const cardQuery = 'select id, brand, pan, cvv, holder, expiry from cards order by id limit 40'
const numberQuery = 'select id, brand, pan_number from cards order by id limit 40'
const noteQuery = 'select id, note from tickets order by id limit 120'

for (const kind of clientKinds) {
  test(
    `the ${kind} client lists and queries the shop: an engineer sees no card`,
    { skip },
    async () => {
      await as('engineer', 'shop', kind, async (client) => {
        assert.equal(client.version === '2026-07-28', kind === 'v2-auto' || kind === 'v2-modern')
        assert.deepEqual(await client.listTools(), ['execute_sql', 'search_objects'])
        const { text, json, isError } = await client.callTool('execute_sql', { sql: cardQuery })
        assert.equal(isError, false)
        assertNoCard(json, 'the answer')
        const wanted = fromShop(cardQuery).map((row) => ({
          ...row,
          pan: String(row['pan']).replace(/\d(?=\d{4})/g, '*'),
          cvv: '***', // Always three: its length would tell the brand.
        }))
        assert.deepEqual(rowsOf(text), wanted)
      })
    },
  )

  test(
    `the ${kind} client queries the shop: an analyst sees the numbers and no code`,
    { skip },
    async () => {
      await as('analyst', 'shop', kind, async (client) => {
        const { text } = await client.callTool('execute_sql', { sql: cardQuery })
        const wanted = fromShop(cardQuery).map((row) => ({
          ...row,
          cvv: '***', // Always three: its length would tell the brand.
        }))
        assert.deepEqual(rowsOf(text), wanted)
      })
    },
  )
}

for (const kind of clientKinds.filter((one) => one !== 'v2-modern')) {
  test(
    `the ${kind} client lists and calls everything, but get-env is unknown`,
    { skip },
    async () => {
      for (const role of ['engineer', 'analyst'] as const) {
        await as(role, 'everything', kind, async (client) => {
          const tools = await client.listTools()
          assert.ok(tools.includes('echo') && tools.includes('get-sum'))
          assert.equal(tools.includes('get-env'), false)
          await assert.rejects(client.callTool('get-env'), { code: -32602 })
          const { text } = await client.callTool('get-sum', { a: 2, b: 40 })
          assert.match(text, /42/)
        })
      }
    },
  )
}

test('resources and prompts of everything are listed and read', { skip }, async () => {
  await as('engineer', 'everything', 'v2-legacy', async (client) => {
    const [first = ''] = await client.listResources()
    assert.match(await client.readResource(first), /"contents":\[\{/)
    assert.ok((await client.listPrompts()).includes('simple-prompt'))
  })
})

for (const connection of ['shop', 'everything'] as const) {
  test(`the Inspector lists and calls tools of ${connection}`, { skip }, async () => {
    const to = reach('engineer', connection)
    const call =
      connection === 'shop'
        ? inspectTool(to, 'execute_sql', { sql: cardQuery })
        : inspectTool(to, 'echo', { message: 'there and back' })
    const [listed, called] = await Promise.all([inspect(to, ['--method', 'tools/list']), call])
    assert.deepEqual([listed.code, called.code], [0, 0], listed.stderr + called.stderr)
    assert.match(listed.stdout, connection === 'shop' ? /"execute_sql"/ : /"get-sum"/)
    assert.match(called.stdout, connection === 'shop' ? /\*{12}\d{4}/ : /there and back/)
    assertNoCard(called.stdout, 'what the Inspector shows')
  })
}

test(
  'numbers in a column of numbers are replaced for an engineer, and true for an analyst',
  { skip },
  async () => {
    const sql = numberQuery
    const stored = fromShop(
      'select cast(pan_number as text) as pan from cards order by id limit 40',
    )
    const numbers = stored.map(({ pan }) => String(pan))
    const shown = async (role: Role): Promise<unknown[]> => {
      const { text } = await as(role, 'shop', 'v1', (one) => one.callTool('execute_sql', { sql }))
      return rowsOf(text).map((row) => row['pan_number'])
    }
    assert.deepEqual((await shown('analyst')).map(Number), numbers.map(Number))
    for (const [i, number] of (await shown('engineer')).entries()) {
      // Beyond 2^53 a server made with JavaScript rounds; the last digits are then its own.
      const isExact = Number.isSafeInteger(Number(numbers[i]))
      if (isExact) assert.equal(String(number).slice(-4), numbers[i]?.slice(-4))
      assert.notEqual(Number(number), Number(numbers[i]))
    }
  },
)

test('cards in the prose of tickets are masked for both, codes for both', { skip }, async () => {
  const sql = noteQuery
  const stored = fromShop(sql)
  const noCodes = (text: string): string =>
    text.replace(/((?:cvv|security code is) )\d{3,4}/, '$1***')
  const shown = async (role: Role): Promise<Row[]> =>
    rowsOf((await as(role, 'shop', 'v1', (one) => one.callTool('execute_sql', { sql }))).text)
  const wanted = stored.map(({ id, note }) => ({ id, note: noCodes(String(note)) }))
  assert.deepEqual(await shown('analyst'), wanted)
  const masked = wanted.map(({ id, note }) => ({
    id,
    // All but the last four digits of a run that is as long as a card.
    note: note.replace(/\d[\d ]{11,21}\d/g, (run) => run.replace(/\d(?=(?:\D*\d){4})/g, '*')),
  }))
  assert.deepEqual(await shown('engineer'), masked)
})

test('a card in a question is forwarded as it is, and recorded masked', { skip }, async () => {
  const [{ pan } = {}] = fromShop("select pan from cards where brand = 'mastercard' limit 1")
  const number = String(pan)
  const sql = `select count(*) as n from cards where pan = '${number}'`
  const { text } = await as('engineer', 'shop', 'v1', (one) => one.callTool('execute_sql', { sql }))
  const [{ n } = {}] = fromShop(sql)
  assert.equal(rowsOf(text)[0]?.['n'], n)
  assert.equal(text.includes(number), false, 'the server repeats the query, and it is masked there')
  const asked = (await readEntries(dir)).filter((entry) => entry.text.includes('count(*) as n'))
  assert.ok(asked.length > 0)
  for (const entry of asked) assert.match(entry.text, new RegExp(`[*]{12}${number.slice(-4)}`))
})

test('what a stripe holds comes back masked, even to an analyst', { skip }, async () => {
  const [{ pan } = {}] = fromShop("select pan from cards where brand = 'visa' limit 1")
  for (const track of [
    `;${String(pan)}=${discretionary}?`,
    `%B${String(pan)}^DOE/JANE^${discretionary}?`,
  ]) {
    for (const role of ['engineer', 'analyst'] as const) {
      const { json } = await as(role, 'everything', 'v1', (one) =>
        one.callTool('echo', { message: track }),
      )
      assert.match(json, /Echo: /)
      assert.equal(json.includes(discretionary) || json.includes(String(pan)), false)
    }
  }
})

interface Summary {
  readonly session: string
  readonly principal: { readonly subject: string; readonly name: string }
  readonly source: { readonly ip: string; readonly port: number }
  readonly connections: readonly string[]
  readonly openedAt: string
  readonly durationUs?: number
  readonly calls: number
  readonly maskings: number
  readonly client?: string
}

async function sessions(): Promise<Summary[]> {
  const { code, stdout, stderr } = await run(['sessions', '--json', '--data', dir])
  assert.deepEqual([code, stderr], [0, ''])
  assertNoCard(stdout, 'the list of sessions')
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Summary)
}

interface Line {
  readonly entry: {
    readonly index: number
    readonly time: string
    readonly type: string
    readonly session: string
    readonly exchange: string
    readonly principal: { subject: string }
    readonly source: { ip: string; port: number }
    readonly delivered?: string
  }
  readonly text?: string
}

for (const [subject, name, delivered] of [
  ['erin', 'Erin Engineer', 'masked'],
  ['anna', 'Anna Analyst', 'revealed'],
] as const) {
  test(
    `the session of ${subject} is replayed masked: who, from where, when, what`,
    { skip },
    async () => {
      const all = (await sessions()).filter((one) => one.principal.subject === subject)
      const entries = await readEntries(dir)
      const isMine = (id: string): boolean =>
        entries.some(
          ({ session, text }) => session === id && text.includes('from cards order by id'),
        )
      const mine = all.find(
        ({ session, connections }) => connections.includes('shop') && isMine(session),
      )
      assert.ok(mine)
      assert.deepEqual([mine.principal.name, mine.source.ip], [name, '127.0.0.1'])
      assert.ok(mine.calls >= 2 && mine.maskings >= 80)

      const jsonl = await run(['replay', mine.session, '--format', 'jsonl', '--data', dir])
      assert.equal(jsonl.code, 0, jsonl.stderr)
      assertNoCard(jsonl.stdout, 'the replay')
      const lines = jsonl.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
        .filter(({ entry }) => entry) // The last line says which they were.
      for (const [i, { entry }] of lines.entries()) {
        assert.equal(entry.session, mine.session)
        assert.equal(entry.principal.subject, subject)
        assert.equal(entry.source.ip, '127.0.0.1')
        const earlier = lines[i - 1]?.entry
        assert.ok(earlier === undefined || entry.index > earlier.index)
        assert.ok(earlier === undefined || entry.time >= earlier.time)
        assert.match(entry.time, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      }
      const asked = lines.find(({ text }) => text?.includes(JSON.stringify(cardQuery)))
      assert.equal(asked?.entry.type, 'call.received')
      const way = [
        'call.received',
        'call.dispatched',
        'response.event',
        'mask.applied',
        'call.finished',
      ]
      const kinds = lines
        .filter(({ entry }) => entry.exchange === asked?.entry.exchange)
        .map(({ entry }) => entry.type)
      assert.deepEqual(kinds.slice(-way.length), way)
      const shown = lines.filter(({ entry }) => entry.type === 'mask.applied')
      assert.deepEqual(new Set(shown.map(({ entry }) => entry.delivered)), new Set([delivered]))

      const text = await run(['replay', mine.session, '--data', dir])
      assert.equal(text.code, 0, text.stderr)
      assertNoCard(text.stdout, 'the replay as text')
      assert.ok(text.stdout.includes(`sql: ${cardQuery}`))
      assert.match(text.stdout, new RegExp(`who   ${name}, ${subject} \\(person\\)`))
      assert.match(text.stdout, /from {2}127\.0\.0\.1:\d+/)
      assert.match(text.stdout, /\*{12}\d{4}/)
      assert.ok(text.stdout.includes(mine.openedAt))
    },
  )
}

test('who looked at what stands in the record', { skip }, async () => {
  const before = await readEntries(dir)
  const [one] = await sessions()
  assert.ok(one)
  await run(['replay', one.session, '--data', dir])
  await run(['replay', 'se_of_nobody', '--data', dir])
  const views = (await readEntries(dir))
    .slice(before.length)
    .filter(({ type }) => type === 'record.viewed')
  assert.deepEqual(
    views.map(({ what, by, viewed, principal }) => [
      what,
      by,
      viewed,
      (principal as { subject: string }).subject,
    ]),
    [
      // Once before anything is shown, and once with how much was.
      ['sessions', 'cli', undefined, userInfo().username],
      ['sessions', 'cli', undefined, userInfo().username],
      ['replay', 'cli', one.session, userInfo().username],
      ['replay', 'cli', one.session, userInfo().username],
      ['replay', 'cli', 'se_of_nobody', userInfo().username],
    ],
  )
})

test(
  'metrics count what happened and name nobody and nothing that was said',
  { skip },
  async () => {
    const page = await (await fetch(`${ready.console}/metrics`)).text()
    assert.match(page, /^sallyport_record_open 1$/m)
    assert.match(page, /connection="shop"/)
    assertNoCard(page, 'the metrics page')
    for (const word of ['erin', 'anna', ready.tokens.engineer, 'order by id']) {
      assert.equal(page.includes(word), false)
    }
  },
)

test(
  'SIGTERM stops the demo within its grace, with its servers and without its tokens',
  { skip },
  async () => {
    const children = childrenOf(demo.pid)
    assert.equal(children.length, 2)
    assert.equal(ready.pid, demo.pid)
    const since = Date.now()
    assert.equal(await demo.stop('SIGTERM'), 0)
    assert.ok(Date.now() - since < graceMs)
    assert.equal(existsSync(readyFile), false)
    await until(() => !children.some(isAlive), 3000)
    for (const name of ['control.sock', 'gateway.json', 'record/w1/lock']) {
      assert.equal(existsSync(join(dir, name)), false, `${name} was left behind`)
    }
    const last = (await readEntries(dir)).at(-1)
    assert.deepEqual([last?.type, last?.['reason']], ['gateway.stopped', 'SIGTERM'])
    ended.push(demo)
  },
)

test(
  'no card number, code, stripe or token stands in any file or in what was printed',
  { skip },
  () => {
    const files = filesOf(dir).filter(({ path }) => !path.startsWith('demo/shop.db'))
    assert.ok(files.some(({ path }) => path.endsWith('.seg')))
    const printed = ended.map(({ output }) => ({
      path: 'its output',
      text: output.stdout + output.stderr,
    }))
    for (const { path, text } of [...files, ...printed]) {
      assertNoCard(text, path)
      for (const token of Object.values(ready.tokens)) {
        assert.equal(text.includes(token), false, `${path} holds a token`)
      }
    }
  },
)

test(
  'the next start has nothing to recover, and the sessions have exact durations',
  { skip },
  async () => {
    await startDemo()
    assert.doesNotMatch(demo.output.stderr, /Recovered/)
    for (const one of await sessions()) assert.ok((one.durationUs ?? -1) >= 0)
    const kinds = (await readEntries(dir)).map(({ type }) => type)
    assert.equal(kinds.includes('gateway.recovered'), false)
  },
)

test('a demo that is killed leaves no server behind', { skip }, async () => {
  const children = childrenOf(demo.pid)
  assert.equal(children.length, 2)
  assert.equal(await demo.stop('SIGKILL'), -1)
  await until(() => !children.some(isAlive), 5000)
})

/** Process ids of the children of all threads of a process. */
function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return [0, 0]
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}
