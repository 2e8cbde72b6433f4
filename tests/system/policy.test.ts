/** Rules explained and tried out on what a real gateway recorded: through it, and without it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { after, before, test } from 'node:test'
import { Fault } from '../../src/base/fault.ts'
import { ask } from '../../src/cli/ask.ts'
import { explainCommand } from '../../src/cli/policy-explain.ts'
import type { ExplainOptions } from '../../src/cli/policy-explain.ts'
import { simulateCommand } from '../../src/cli/policy-simulate.ts'
import { pan } from '../cards.ts'
import { answerResult, legacyCall, openHouse } from './house.ts'
import type { House } from './house.ts'

const extra = `
rules:
  - { name: many-cards, when: 'exposure.clear > 5 && call.tool == "execute_sql"', effect: hold }
  - { name: no-shred, when: 'call.tool == "shred"', effect: deny, reason: Nobody shreds. }
  - { name: never, when: 'call.tool == "never"', effect: deny }
holds: { wait: 1s }
`
const dir = mkdtempSync(join(tmpdir(), 'sallyport-policy-'))
let house: House

const call = (name: string, args: object): string =>
  legacyCall('tools/call', JSON.stringify({ name, arguments: args }))

before(async () => {
  const connection = 'cardholder_data: { columns: [pan], tables: [cards] }'
  house = await openHouse({ extra, connection, dataDir: dir })
  house.behind.script = (got, res) => answerResult(got, res, '{"content":[]}')
  const calls = [
    call('execute_sql', { sql: 'SELECT id, pan FROM cards LIMIT 20' }),
    call('execute_sql', { sql: 'SELECT name FROM customers' }),
    call('execute_sql', { sql: `SELECT name FROM customers WHERE pan = '${pan(4, 16)}'` }),
    call('shred', { what: 'all' }),
    call('echo', { message: 'good morning' }),
    call('execute_sql', { sql: 'DELETE FROM cards WHERE id = 1' }),
  ]
  for (const body of calls) await (await house.post(body)).text()
})
after(async () => {
  await house.stop()
  rmSync(dir, { recursive: true, force: true })
})

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

type Row = Readonly<Record<string, unknown>>

const where = (): { config: string } => ({ config: join(dir, 'sallyport.yaml') })

async function simulated(
  policy: string,
  options: {
    from?: string
    to?: string
    connection?: string
    unsure?: boolean
    json?: boolean
  } = {},
): Promise<Ran> {
  const file = join(dir, 'candidate.yaml')
  writeFileSync(file, policy)
  const [out, errors] = [new Sink(), new Sink()]
  const code = await simulateCommand({ ...where(), policy: file, ...options }, { out, errors })
  return { code, out: out.text, errors: errors.text }
}

async function rowsOf(policy: string, more: object = {}): Promise<{ rows: Row[]; totals: Row }> {
  const { out } = await simulated(policy, { json: true, unsure: true, ...more })
  const lines = out.trimEnd().split('\n')
  const all = lines.map((line) => JSON.parse(line) as Row)
  return { rows: all.slice(0, -1), totals: all.at(-1) ?? {} }
}

async function explained(
  of: string,
  options: Partial<ExplainOptions> = {},
  text = '',
): Promise<Ran> {
  const [out, errors] = [new Sink(), new Sink()]
  const input = Readable.from([Buffer.from(text)])
  const code = await explainCommand(of, { ...where(), ...options }, { out, errors, input })
  return { code, out: out.text, errors: errors.text }
}

async function looks(): Promise<Row[]> {
  return (await house.entries()).filter(({ type }) => type === 'record.viewed')
}

async function exchangeOf(tool: string, nth = 0): Promise<string> {
  const all = (await house.entries()).filter(
    ({ target, type }) =>
      (type === 'call.received' || type === 'call.denied') &&
      (target as { name?: string } | null)?.name === tool,
  )
  return String(all[nth]?.['exchange'])
}

const wrong: readonly [what: string, policy: string, says: RegExp][] = [
  [
    'a condition that is none',
    'rules:\n  - { name: x, when: sql.exist(s), effect: deny }',
    /:2:22 .*exist/,
  ],
  ['an unknown key', 'rules: []\nrule: []', /:2:1 .*did you mean "rules"/],
  ['an empty file', '', /is empty/],
  ['no YAML', 'rules: [', /candidate\.yaml:/],
  [
    'a connection nobody has',
    'rules: [{ name: x, when: "true", effect: deny, connection: shp }]',
    /did you mean "shop"/,
  ],
  [
    'rules of the profile once more',
    'rules: [{ name: definitions, when: "true", effect: deny }]',
    /otherwise: allow/,
  ],
  ['a profile that is not there', 'profile: ./nowhere.yaml', /names a file that cannot be read/],
]
for (const [what, policy, says] of wrong) {
  test(`${what}: nothing is simulated, and its place is named`, async () => {
    await assert.rejects(
      () => simulated(policy),
      (error) => error instanceof Fault && error.code === 'config_bad' && says.test(error.message),
    )
  })
}

test('a period that is none is wrong usage', async () => {
  for (const period of [{ from: 'soon' }, { to: '(' }, { from: '2026-01-02', to: '2026-01-01' }]) {
    const { code, errors, out } = await simulated('rules: []', period)
    assert.deepEqual([code, out], [2, ''])
    assert.match(errors, /--from/)
  }
})
test('a connection that the record does not know is told', async () => {
  const of = { code: 'path_unknown', message: /It has: shop\./ }
  await assert.rejects(() => simulated('rules: []', { connection: 'bank' }), of)
})

test('the policy in force changes nothing, though it looks at what the record does not hold', async () => {
  const { rows, totals } = await rowsOf(`identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: "http://127.0.0.1:9/mcp" }]
${extra}`)
  assert.deepEqual(rows, [])
  assert.deepEqual([totals['calls'], totals['same']], [6, 6])
})
test('a stricter rule: each decision that it would change, with who, what and which rule', async () => {
  const { rows, totals } = await rowsOf(`rules:
  - { name: small, when: 'sql.exists(s, s.returns_cardholder_data && s.limit > 10)', effect: hold }
  - { name: no-shred, when: 'call.tool == "shred"', effect: hold }`)
  const told = rows.map(({ principal, rules, tool, was, would }) => {
    return [(principal as { subject: string }).subject, tool, was, would, rules]
  })
  assert.deepEqual(told, [
    ['sam', 'execute_sql', 'allow', 'hold', ['small']],
    ['sam', 'shred', 'deny', 'hold', ['no-shred']],
  ])
  assert.equal(rows[0]?.['exchange'], await exchangeOf('execute_sql'))
  assert.deepEqual([totals['changed'], totals['unsure'], totals['same']], [2, 0, 4])
})
test('arguments are known where nothing of them was masked, and else nobody can tell', async () => {
  const { rows } = await rowsOf(`rules:
  - { name: names, when: 'call.tool == "execute_sql" && call.arguments.sql.contains("FROM customers")', effect: deny }
  - { name: no-shred, when: 'call.tool == "shred"', effect: deny }`)
  assert.deepEqual(
    rows.map(({ cannot_tell: why, outcome, would }) => [outcome, would, why]),
    [
      ['changed', 'deny', undefined],
      ['unsure', ['allow', 'deny'], ['call.arguments.sql.contains("FROM customers")']],
    ],
  )
})
const unknowns: readonly [when: string, unsure: number][] = [
  ['exposure.clear > 3', 5],
  ['exposure.clear > 3 && call.tool == "echo"', 1],
  ['call.tool == "echo" || exposure.clear > 3', 4],
  ['"dba" in principal.roles', 5],
  ['"staff" in principal.groups', 0],
  ['has(claims.tid)', 5],
  ['tool.read_only', 5],
  // The very question that the policy of then asked: the record has its answer.
  ['exposure.clear > 5 && call.tool == "execute_sql"', 0],
]
for (const [when, unsure] of unknowns) {
  test(`of ${when} the record cannot tell ${unsure} times`, async () => {
    const { totals } = await rowsOf(`rules:
  - { name: asked, when: '${when}', effect: deny }
  - { name: no-shred, when: 'call.tool == "shred"', effect: deny }`)
    assert.equal(totals['unsure'], unsure)
  })
}
test('another profile is tried in the place of the one in force', async () => {
  const { rows } = await rowsOf('profile: none # everything\n')
  assert.deepEqual(
    rows.map(({ tool, was, would }) => [tool, was, would]),
    [['execute_sql', 'hold', 'allow']],
  )
  const profile = `otherwise: deny
rules: [{ name: echo, when: 'call.tool == "echo"', effect: allow }]`
  const { totals } = await rowsOf(profile)
  assert.deepEqual([totals['changed'], totals['same']], [4, 2])
})
test('a configuration without the connection denies all its calls, and says so', async () => {
  const { errors, out } = await simulated(`identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: bank, url: "http://127.0.0.1:9/mcp" }]`)
  assert.match(errors, /no connection shop/)
  assert.match(out, /^6 decisions: 5 would change, 1 would not/m)
})
test('only the period and the connection that are asked for', async () => {
  const deny = 'rules: [{ name: all, when: "true", effect: deny }]'
  assert.equal((await rowsOf(deny, { to: '2020-01-01' })).totals['calls'], 0)
  assert.equal((await rowsOf(deny, { from: '-1d', connection: 'shop' })).totals['calls'], 6)
})
test('who simulates is recorded before the first line, and again with how much was shown', async () => {
  const count = (await looks()).length
  await simulated('rules: [{ name: all, when: "true", effect: deny }]', { from: '-7d' })
  const added = (await looks()).slice(count)
  assert.deepEqual(
    added.map(({ shown, what }) => [what, shown]),
    [
      ['policy', undefined],
      ['policy', 5],
    ],
  )
  assert.match(String(added[0]?.['query']), /^simulate .*candidate\.yaml -7d$/)
})

test('an exchange is explained by its facts, and the look is recorded', async () => {
  const id = await exchangeOf('execute_sql', 3)
  const count = (await looks()).length
  const { out } = await explained(id)
  assert.match(out, /Decided then: hold, by .*cardholder-writes/)
  assert.match(out, /matched +hold +cardholder-writes +pci\.yaml:\d+/)
  assert.match(out, /not +hold +cardholder-bulk-read[^\n]*\n +false +sql\.exists\(s, s\.parsed/)
  assert.match(out, /^Verdict: HOLD for a person, rule cardholder-writes/m)
  const [look, ...more] = (await looks()).slice(count)
  assert.deepEqual([look?.['viewed'], more.length], [id, 0])
})
test('what the record does not hold is answered as it was then', async () => {
  const { out } = await explained(await exchangeOf('execute_sql'), { json: true })
  const { rules, verdict } = JSON.parse(out) as { rules: Row[]; verdict: Row }
  const many = rules.find(({ rule }) => rule === 'many-cards')
  assert.deepEqual([many?.['answer'], many?.['isRecorded']], ['false', true])
  assert.deepEqual(verdict['possible'], ['allow'])
})
test('a call that was refused before any rule is told as that', async () => {
  const none = { code: 'path_unknown', message: /no call ex_none on which rules were asked/ }
  await assert.rejects(() => explained('ex_none'), none)
})
test('a message is explained as somebody at a time', async () => {
  const text = call('execute_sql', { sql: 'SELECT pan FROM cards WHERE id = 1' })
  const one = await explained('-', { as: 'eve', exposure: '6' }, text)
  assert.match(one.out, /matched +hold +many-cards +sallyport\.yaml:\d+/)
  assert.match(one.out, /^As eve at /m)
  const other = await explained('-', { as: 'eve', exposure: '5' }, text)
  assert.match(other.out, /Verdict: ALLOW, no rule matched/)
  assert.equal((await explained('-', { at: 'soon' }, text)).code, 2)
  assert.equal((await explained('-', { exposure: 'x' }, text)).code, 2)
})
test('what is no message, no file, no connection is told as that', async () => {
  await assert.rejects(() => explained('-', {}, 'SELECT 1'), Fault)
  await assert.rejects(() => explained('none.json'), { code: 'path_unknown' })
  await assert.rejects(() => explained('-', { connection: 'bank' }, call('echo', {})), {
    message: /The configuration has: shop\./,
  })
})

test('a rule that changed since has no answer in the record for what came before', async () => {
  const file = join(dir, 'sallyport.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('exposure.clear > 5', 'exposure.clear > 6'))
  await ask({ what: 'reload' }, where(), { out: new Sink(), errors: new Sink() })
  const asked = `exposure.clear > 6 && call.tool == "execute_sql"`
  const { totals } = await rowsOf(`rules:
  - { name: many-cards, when: '${asked}', effect: hold }
  - { name: no-shred, when: 'call.tool == "shred"', effect: deny }`)
  assert.equal(totals['unsure'], 3)
})

test('the same without a gateway, and on a folder whose gateway has stopped', async () => {
  const policy = 'rules: [{ name: no-echo, when: \'call.tool == "echo"\', effect: deny }]'
  const live = await simulated(policy)
  await house.gateway.stop('test')
  const alone = await simulated(policy)
  assert.equal(alone.out, live.out)
  assert.match(alone.out, /allow -> deny +sam +shop +echo +no-echo +ex_/)
  assert.match((await explained(await exchangeOf('echo'))).out, /Verdict: ALLOW/)
})
