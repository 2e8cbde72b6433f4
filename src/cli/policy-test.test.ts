/** The cases of the example and of docs/policy.md run, and what is wrong with cases is told. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { callTypes } from '../cel/call-values.ts'
import { readProfile } from '../config/profile.ts'
import { testCommand } from './policy-test.ts'

const root = resolve(import.meta.dirname, '../..')
const dir = mkdtempSync(join(tmpdir(), 'sallyport-cases-'))
after(() => rmSync(dir, { recursive: true }))

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function run(
  files: readonly string[],
  options: object = {},
): Promise<{ code: number; out: string }> {
  const [out, errors] = [new Sink(), new Sink()]
  const code = await testCommand(files, options, { out, errors })
  return { code, out: out.text }
}

const least = `identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: "http://127.0.0.1:9/mcp", cardholder_data: { columns: [pan], tables: [cards] } }]
`

async function tried(cases: string, config = ''): Promise<{ code: number; out: string }> {
  writeFileSync(join(dir, 'sallyport.yaml'), least + config)
  writeFileSync(join(dir, 'policy-tests.yaml'), cases)
  return await run([join(dir, 'policy-tests.yaml')])
}

const bad: readonly [what: string, text: string, says: RegExp][] = [
  ['no case', 'tests: []', /:1:8 tests must have at least one item/],
  ['no file to speak of', '', /is empty; write its `tests`/],
  ['a list', '- name: x', /must be a mapping/],
  [
    'no expectation',
    'tests:\n  - { name: x, call: { tool: a } }',
    /:2:5 tests\[0\]\.expect is missing/,
  ],
  [
    'no effect of ours',
    'tests:\n  - { name: x, call: { tool: a }, expect: { effect: block } }',
    /:2:53 .*one of "allow", "hold", "deny"/,
  ],
  [
    'a misspelt key',
    'tests:\n  - { name: x, cal: { tool: a }, expect: { effect: deny } }',
    /did you mean "call"/,
  ],
  [
    'neither call nor message',
    'tests:\n  - { name: x, expect: { effect: deny } }',
    /one of `call` and `message`/,
  ],
  [
    'both',
    'tests:\n  - { name: x, call: { tool: a }, message: "{}", expect: { effect: deny } }',
    /one of `call` and `message`/,
  ],
  [
    'a time that is none',
    'tests:\n  - { name: x, at: noon, call: { tool: a }, expect: { effect: deny } }',
    /:2:20 .*2026-11-21T08:30:00Z/,
  ],
  [
    'a misspelt expectation',
    'tests:\n  - { name: x, call: { tool: a }, expect: { effect: deny, rul: a } }',
    /did you mean "rule"/,
  ],
]
for (const [what, text, says] of bad) {
  test(`a file of cases with ${what} is refused, with the place`, async () => {
    await assert.rejects(
      () => tried(text),
      (error) => error instanceof Fault && says.test(error.message),
    )
  })
}
test('a file that is not there is told with what it should be', async () => {
  const of = { code: 'config_bad', message: /Cases stand in policy-tests\.yaml/ }
  await assert.rejects(() => run([join(dir, 'none.yaml')]), of)
})

const failing: readonly [what: string, expect: string, says: RegExp][] = [
  ['another effect', 'effect: allow', /effect: expected "allow", is "hold"/],
  ['another rule', 'effect: hold, rule: a', /rule: expected "a", is "cardholder-writes"/],
  [
    'one rule too few',
    'effect: hold, rules: []',
    /rules: expected \[\], is \["cardholder-writes"\]/,
  ],
  ['another reason', 'effect: hold, reason: because', /reason: expected to have "because"/],
  ['other reviewers', 'effect: hold, reviewers: [{ role: x }]', /reviewers: expected .*role.*x/],
  ['another time', 'effect: hold, expires: 1h', /expires: expected 3600000, is 900000/],
  ['no passkey', 'effect: hold, passkey: false', /passkey: expected false, is true/],
  ['a mask', 'effect: hold, mask: true', /mask: expected true, is false/],
  ['a limit', 'effect: hold, limit: { rows: 1 }', /limit: expected \{"rows":1\}, is nothing/],
  ['notes', 'effect: hold, notes: [a]', /notes: expected \["a"\], is \[\]/],
  ['a finding', 'effect: hold, findings: [shell]', /findings: expected \["shell"\], is \[\]/],
]
for (const [what, expect, says] of failing) {
  test(`a case that expects ${what} fails, and says how it is`, async () => {
    const sql = 'DELETE FROM cards WHERE id = 1'
    const { code, out } = await tried(
      `tests:\n  - { name: x, call: { tool: execute_sql, arguments: { sql: "${sql}" } }, expect: { ${expect} } }`,
    )
    assert.equal(code, 1)
    assert.match(out, /^not ok +x +policy-tests\.yaml:2/m)
    assert.match(out, says)
  })
}
test('a connection that is not there, and what the gateway refuses before, fail as cases', async () => {
  const { code, out } = await tried(`tests:
  - { name: a, connection: bank, call: { tool: t }, expect: { effect: allow } }
  - { name: b, message: "{", expect: { effect: allow } }
  - { name: c, message: { jsonrpc: "2.0", id: 1, method: tools/list }, expect: { effect: allow } }`)
  assert.equal(code, 1)
  assert.match(out, /connection: the configuration has shop/)
  assert.match(out, /refused before any rule is asked/)
  assert.match(out, /^ok +c$/m)
  assert.match(out, /^3 cases: 1 as expected, 2 not\.$/m)
})
test('each line is one object with --json, the last one the sum', async () => {
  await tried('tests: [{ name: a, call: { tool: t }, expect: { effect: deny } }]')
  const { code, out } = await run([join(dir, 'policy-tests.yaml')], { json: true })
  const [first, sum] = out
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  assert.equal(code, 1)
  assert.deepEqual(first, {
    file: 'policy-tests.yaml',
    line: 1,
    name: 'a',
    ok: false,
    differences: ['effect: expected "deny", is "allow"'],
  })
  assert.deepEqual(sum, { ok: false, passed: 0, failed: 1 })
})

test('the cases of the example are as they are expected', async () => {
  const { code, out } = await run([join(root, 'examples/policy-tests.yaml')])
  assert.equal(code, 0, out)
})

const page = readFileSync(join(root, 'docs/policy.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  )

test('the rules and cases of the page go together', async () => {
  const rules = blocks('yaml')
    .filter((text) => text.startsWith('rules:'))
    .map((text) => text.slice('rules:\n'.length))
  const [cases = ''] = blocks('yml')
  assert.ok(rules.length >= 3)
  const { code, out } = await tried(cases, `rules:\n${rules.join('')}`)
  assert.equal(code, 0, out)
})
test('the page lists every rule of the profile, with what it does', () => {
  const { profile } = readProfile('pci', root, { issuers: [], connections: [] })
  assert.ok(profile)
  const told = { deny: 'denies', hold: 'holds', allow: 'notes' }
  const rows = profile.rules.map(({ effect, name }) => `| \`${name}\` | ${told[effect]} |`)
  for (const row of rows) assert.ok(page.includes(row), row)
  assert.equal(page.match(/^\| `[a-z-]+` \| (denies|holds|notes) \|/gm)?.length, rows.length)
})
test('the page lists every variable with its type, and no other', () => {
  const types: Readonly<Record<string, string>> = {
    string: 'text',
    int: 'int',
    bool: 'bool',
    dyn: 'any',
    'list<string>': 'list of texts',
    'map<string, list<string>>': 'map of lists of texts',
    'google.protobuf.Timestamp': 'timestamp',
  }
  const short: Readonly<Record<string, string>> = { sql: 's', findings: 'f' }
  const rows = callTypes.flatMap(([variable, , fields]) =>
    Object.entries(fields).map(([name, type]) => {
      return `| \`${short[variable] ?? variable}.${name}\` | ${types[type] ?? type} |`
    }),
  )
  for (const row of rows) assert.ok(page.includes(row), row)
  assert.equal(page.match(/^\| `[a-z]+\.[a-z_]+` \| /gm)?.length, rows.length)
})
