import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileWhen, ruleFlaw } from './call-facts.ts'
import { CallValues } from './call-values.ts'
import type { CallParts, StatementFact } from './call-parts.ts'
import { Memory } from './memory.ts'

const statement: StatementFact = {
  at: '/sql',
  ordinal: 0,
  statements: 1,
  dialect: 'postgresql',
  parsed: true,
  problem: '',
  verb: 'UPDATE',
  verbs: ['UPDATE'],
  tables_read: ['cards'],
  tables_written: ['cards'],
  columns_read: ['id'],
  columns_written: ['status'],
  columns_returned: { x: ['pan'] },
  where: 'key',
  where_less: false,
  limit: -1,
  functions: ['lower'],
  dangerous_functions: [],
  writes: true,
  is_ddl: false,
  is_dcl: false,
  exports: false,
  uses_files: false,
  is_dynamic: false,
  changes_session: false,
  is_transaction: false,
  locks: false,
  has_comments: false,
  touches_cardholder_data: true,
  writes_cardholder_data: true,
  returns_cardholder_data: false,
}

const usual: CallParts = {
  principal: {
    issuer: 'https://issuer.example',
    subject: 'ada',
    kind: 'person',
    groups: ['engineers'],
    roles: [],
    claims: { tid: 't1', level: 3 },
  },
  connection: 'payments',
  call: {
    method: 'tools/call',
    kind: 'tool',
    name: 'execute_sql',
    bytes: 300,
    arguments: () => ({ sql: 'x', rows: 500, deep: { list: ['a'] } }),
  },
  sql: [statement],
  findings: [{ family: 'shell', confidence: 'high', at: '/params/arguments/x', what: 'pipe' }],
  exposure: () => ({ clear: 12, masked: 400 }),
  tool: { description: 'Runs SQL', isReadOnly: false, isDestructive: true, isChanged: false },
  time: (zone) => ({
    hour: zone === 'UTC' ? 8 : 9,
    minute: 30,
    weekday: 'mon',
    date: '2026-01-05',
    nowMs: Date.UTC(2026, 0, 5, 8, 30),
  }),
  source: { ip: '10.0.0.1' },
}

function ask(when: string, more: Partial<CallParts> = {}, zone?: string): unknown {
  const memory = new Memory()
  const { all } = compileWhen(when, memory, zone)
  const values = new CallValues({ ...usual, ...more }, memory)
  const outcomes = all.map((part) => part.ask(values))
  const first = outcomes.find((one) => 'holds' in one && !one.holds)
  return first ? false : (outcomes.find((one) => 'fault' in one) ?? true)
}

const refused: readonly [what: string, when: string, words: RegExp, at: number | undefined][] = [
  ['nothing', '', /is not right/, 0],
  ['a misspelt fact', 'sql.exists(s, s.touchs_cardholder)', /No such key: touchs_cardholder/, 16],
  ['a misspelt variable', 'sq.exists(s, s.writes)', /Unknown variable: sq/, 0],
  ['a misspelt member', 'true &&\n  tool.chaged', /No such key: chaged/, 15],
  ['a number for a text', 'sql.exists(s, s.verb == 3)', /no such overload/, 14],
  ['a text for a number', 'exposure.clear > "3"', /no such overload/, 0],
  ['no yes or no', 'sql.filter(s, s.writes)', /gives list/, undefined],
  ['a function nobody let in', 'sql.map(s, s.verb) == []', /uses map\(\)/, 0],
  ['a loop in a loop in a loop', loops(3), /takes too long/, undefined],
  ['a pattern out of the call', 'call.name.matches(source.ip)', /write out the pattern/, 0],
  ['a pattern that backtracks', String.raw`call.name.matches(r"(a)\1")`, /none of RE2/, 0],
  ['more text than fits', `true${' '.repeat(2000)}`, /longer than 2000/, undefined],
]

function loops(count: number): string {
  const names = Array.from({ length: count }, (_, i) => `v${i}`)
  const inside = names.map((name) => `${name}.verb == "A"`).join(' && ')
  return names.reduceRight((body, name) => `sql.exists(${name}, ${body})`, inside)
}

for (const [what, when, words, at] of refused) {
  test(`${what} is refused when it is read, with its place`, () => {
    const flaw = ruleFlaw(when)
    assert.match(flaw?.words ?? 'fine', words)
    if (at !== undefined && flaw?.at !== undefined) assert.equal(flaw.at, at)
    assert.throws(() => compileWhen(when, new Memory()), { code: 'config_bad' })
  })
}

const failing: readonly [what: string, when: string, fault: string, more?: Partial<CallParts>][] = [
  ['a missing argument', 'call.arguments.limit > 3', 'no_such_key'],
  ['an inherited member of arguments', 'call.arguments.constructor == 1', 'no_such_key'],
  ['arguments that are a text', 'call.arguments.x', 'no_such_key'],
  ['a missing name', 'principal.name == "x"', 'no_such_key'],
  ['a text for yes or no', 'call.arguments.sql', 'not_boolean'],
  [
    'more arguments than can be looked through',
    'call.arguments.l.exists(a, call.arguments.l.exists(b, a == b))',
    'too_costly',
    { call: { ...usual.call, arguments: () => ({ l: Array.from({ length: 5000 }, String) }) } },
  ],
]
for (const [what, when, fault, more] of failing) {
  test(`${what} fails by a code`, () => {
    assert.equal(ruleFlaw(when), undefined)
    assert.deepEqual(ask(when, more), { fault })
  })
}

const answers: readonly [when: string, holds: boolean][] = [
  // The rule of the design, as it stands there.
  ['sql.exists(s, s.verb in ["UPDATE","DELETE"] && s.touches_cardholder_data)', true],
  ['sql.exists(s, s.verb == "DELETE")', false],
  ['sql.all(s, s.parsed) && size(sql) == 1', true],
  ['sql.exists(s, s.limit < 0 || s.limit > 100)', true],
  ['sql.exists(s, "cards" in s.tables_written && "pan" in s.columns_returned.x)', true],
  ['sql.exists(s, s.tables_read.exists(t, t.endsWith("ards")))', true],
  ['sql.filter(s, s.writes).size() == 1', true],
  ['findings.exists(f, f.family == "shell" && f.level >= 3)', true],
  ['findings.exists(f, f.level > 3)', false],
  ['"engineers" in principal.groups && claims.tid == "t1" && claims.level >= 3', true],
  ['has(principal.owner)', false],
  ['connection.name == "payments" && source.ip.startsWith("10.")', true],
  ['call.tool == "execute_sql" && call.kind == "tool" && call.bytes <= 300', true],
  ['call.arguments.rows > 100 && "a" in call.arguments.deep.list', true],
  ['has(call.arguments.limit) && call.arguments.limit > 3', false],
  ['exposure.clear > 10 && exposure.masked == 400', true],
  ['tool.known && !tool.read_only && tool.destructive && !tool.changed', true],
  ['tool.description.contains("SQL")', true],
  ['time.hour == 8 && time.minute == 30 && !(time.weekday in ["sat", "sun"])', true],
  ['time.date <= "2026-12-31"', true],
  ['time.now < timestamp("2026-01-05T09:00:00Z")', true],
  // What is false on one side outweighs what fails on the other.
  ['call.arguments.limit > 3 && sql.exists(s, s.verb == "DELETE")', false],
  ['call.arguments.limit > 3 || sql.exists(s, s.writes)', true],
]
for (const [when, holds] of answers) {
  test(`${when} is ${String(holds)}`, () => {
    assert.equal(ruleFlaw(when), undefined)
    assert.equal(ask(when), holds)
  })
}

test('where there is nothing, nothing of it holds, and of an unseen tool the worst is assumed', () => {
  const none: Partial<CallParts> = { sql: [], findings: [], tool: undefined }
  assert.equal(ask('sql.exists(s, true)', none), false)
  assert.equal(ask('findings.exists(f, true)', none), false)
  assert.equal(
    ask('!tool.known && tool.destructive && !tool.read_only && !tool.changed', none),
    true,
  )
})

test('a confidence nobody knows counts as the highest, a limit that is no number as the largest', () => {
  const findings = [{ family: 'shell', confidence: 'sure', at: '', what: '' }]
  assert.equal(ask('findings.exists(f, f.level >= 4)', { findings }), true)
  assert.equal(ask('sql.exists(s, s.limit > 100)', { sql: [{ ...statement, limit: NaN }] }), true)
})

test('time is that of the zone which the rule names', () => {
  assert.equal(ask('time.hour == 9', {}, 'Europe/Berlin'), true)
  const memory = new Memory()
  const values = new CallValues(usual, memory)
  for (const [zone, hour] of [
    ['UTC', 8],
    ['Europe/Berlin', 9],
    ['UTC', 8],
  ] as const) {
    const [part] = compileWhen(`time.hour == ${hour}`, memory, zone).all
    assert.deepEqual(part?.ask(values), { holds: true })
  }
})

test('a rule says what it looks at, variables of its loops left out', () => {
  const reads = (when: string): string[] => [...compileWhen(when, new Memory()).reads].toSorted()
  assert.deepEqual(reads('sql.exists(s, s.writes) && tool.changed'), ['sql', 'tool.changed'])
  assert.deepEqual(reads('call.arguments.a.b == 1 || has(claims.x)'), [
    'call.arguments',
    'claims.x',
  ])
  assert.deepEqual(reads('sql.exists(call, call.writes)'), ['sql'])
  assert.deepEqual(reads('true'), [])
})

test('the parts of a rule keep their own text, brackets or not', () => {
  const { all, any } = compileWhen('(tool.changed || tool.known) && !tool.known', new Memory())
  assert.deepEqual(
    all.map(({ text }) => text),
    ['tool.changed || tool.known', '!tool.known'],
  )
  assert.deepEqual(any[0], ['tool.changed', 'tool.known'])
})

test('parts say together what the whole says, whatever brackets and quotes stand in it', () => {
  const whens = [
    '!(tool.changed && tool.known) && call.name.matches("a\\"&&|execute") && true',
    '((call.name == "execute_sql")) && !(tool.changed || !tool.known)',
    "call.name in ['execute_sql', r'&& \\d'] && (sql.exists(s, s.parsed && s.writes) == true)",
    'sql.exists(s, s.verb == "UPDATE" && s.parsed) && -1 < exposure.clear && has(claims.tid)',
  ]
  for (const when of whens) {
    assert.equal(ruleFlaw(when), undefined, when)
    assert.ok(compileWhen(when, new Memory()).all.length > 1)
    assert.equal(ask(when), true, when)
  }
})

test('arguments and exposure are made when a rule looks at them, and once', () => {
  let [made, counted] = [0, 0]
  const parts: CallParts = {
    ...usual,
    call: { ...usual.call, arguments: () => ({ made: ++made }) },
    exposure: () => ({ clear: ++counted, masked: 0 }),
  }
  const memory = new Memory()
  const values = new CallValues(parts, memory)
  const put = (when: string): void => {
    for (const part of compileWhen(when, memory).all) part.ask(values)
  }
  put('call.name == "x" || sql.exists(s, s.writes) || tool.changed')
  assert.deepEqual([made, counted], [0, 0])
  for (let i = 0; i < 3; i++) put('call.arguments.made == 1 && exposure.clear == 1')
  put('call.name == "x"')
  assert.deepEqual([made, counted], [1, 1])
})

test('what makes exposure fail is not taken for an answer', () => {
  const exposure = (): never => {
    throw new RangeError('lost')
  }
  assert.throws(() => ask('exposure.clear > 3', { exposure }), RangeError)
})

test('one statement is asked about once, however often it comes', () => {
  const memory = new Memory()
  const [part] = compileWhen('sql.exists(s, s.writes)', memory).all
  const seen: Partial<StatementFact>[] = []
  const watched = new Proxy(statement, {
    get: (of, key) => {
      seen.push({ verb: String(key) })
      return Reflect.get(of, key) as unknown
    },
  })
  for (let i = 0; i < 3; i++) {
    const before = seen.length
    assert.deepEqual(part?.ask(new CallValues({ ...usual, sql: [watched] }, memory)), {
      holds: true,
    })
    if (i > 0) assert.equal(seen.length, before)
  }
  const other = { ...statement, writes: false }
  assert.deepEqual(part?.ask(new CallValues({ ...usual, sql: [other] }, memory)), { holds: false })
  const both = new CallValues({ ...usual, sql: [other, statement] }, memory)
  assert.deepEqual(part?.ask(both), { holds: true })
})

test('no text whatever throws when it is checked, and a good one never when it is asked', () => {
  const all =
    'sql findings call tool time exposure principal claims . , ( ) [ ] == != && || ! > < "a" 1 true s ' +
    'exists all has size matches filter verb writes arguments changed clear level x - timestamp'
  const words = fc.constantFrom(...all.split(' '))
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(words, { maxLength: 14 }).map((some) => some.join(' ')),
    fc.array(words, { maxLength: 10 }).map((some) => some.join('')),
  )
  fc.assert(
    fc.property(text, fc.jsonValue(), (when, given) => {
      const call = { ...usual.call, arguments: () => given }
      if (ruleFlaw(when) === undefined) ask(when, { call })
    }),
    { numRuns: 500 },
  )
})

test('a part asked alone or together, before or after others, says the same', () => {
  const bits = fc.record({ writes: fc.boolean(), parsed: fc.boolean(), limit: fc.integer() })
  const whens = fc.constantFrom(
    'sql.exists(s, s.writes && !s.parsed)',
    'sql.all(s, s.limit > 5)',
    'sql.exists(s, s.writes) && sql.exists(s, s.parsed)',
  )
  const memory = new Memory()
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 4 }), whens, (some, when) => {
      const sql = some.map((one) => ({ ...statement, ...one }))
      const values = new CallValues({ ...usual, sql }, memory)
      const holds = compileWhen(when, memory).all.every((part) => {
        const outcome = part.ask(values)
        assert.deepEqual(part.ask(values), outcome)
        return 'holds' in outcome && outcome.holds
      })
      const models: Record<string, boolean> = {
        'sql.exists(s, s.writes && !s.parsed)': sql.some((s) => s.writes && !s.parsed),
        'sql.all(s, s.limit > 5)': sql.every((s) => s.limit > 5),
        'sql.exists(s, s.writes) && sql.exists(s, s.parsed)':
          sql.some((s) => s.writes) && sql.some((s) => s.parsed),
      }
      assert.equal(holds, models[when])
    }),
  )
})
