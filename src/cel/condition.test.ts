import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkCondition, compileCondition } from './condition.ts'
import type { Subject } from './condition.ts'
import { stepsMax } from './cost.ts'
import { charactersMax } from './language.ts'

const ada: Subject = {
  issuer: 'https://issuer.example',
  subject: 'ada',
  kind: 'person',
  groups: ['engineers', 'on-call'],
  roles: ['reader'],
  claims: {
    tid: 'tenant-1',
    level: 3,
    isActive: true,
    nothing: null,
    teams: [{ id: 'a', members: ['ada'] }],
    tags: ['x', 'y'],
    text: 'notadmin',
    'x-odd': 1,
  },
}

const refused: readonly [what: string, text: string, words: RegExp][] = [
  ['an empty text', '', /^is not right: .*line 1/],
  ['half an expression', 'claims.tid ==', /^is not right/],
  ['a variable nobody has', 'user.name == "x"', /Unknown variable: user \(line 1, column 1\)/],
  ['a misspelt member', '\nprincipal.grups == []', /No such key: grups \(line 2, column 11\)/],
  ['a number as a whole', 'size(principal.groups)', /gives int, and must give true or false/],
  ['a text as a whole', '"yes"', /gives string/],
  ['kinds that never compare', 'principal.groups == 1', /no such overload/],
  ['a pattern out of a claim', 'claims.a.matches(claims.b)', /write out the pattern/],
  ['a pattern with look-around', 'claims.a.matches("(?=x)y")', /none of RE2/],
  ['a pattern with a back reference', String.raw`claims.a.matches(r"(x)\1")`, /none of RE2/],
  ['a pattern that grows', 'claims.a.matches("((x{30}){30})")', /too large|none of RE2/],
  ['a pattern that is long', `claims.a.matches("${'x'.repeat(301)}")`, /300 characters/],
  ['a function that is not let in', 'b"{}".json() == {}', /uses json\(\)/],
  ['a time', 'timestamp("2026-01-01T00:00:00Z") < timestamp(claims.t)', /uses timestamp\(\)/],
  ['a binding, which could double again and again', 'cel.bind(a, "x", a == a)', /uses bind\(\)/],
  ['a map, likewise', 'claims.l.map(a, [a, a]) == []', /uses map\(\)/],
  ['a sum, likewise', 'claims.a + claims.b == "x"', /uses \+/],
  ['more text than fits', `true${' '.repeat(charactersMax)}`, /longer than 2000/],
  ['deep brackets', `${'('.repeat(500)}true${')'.repeat(500)}`, /maxDepth|too deeply/],
  ['many negations', `${'!'.repeat(1990)}true`, /maxDepth|too deeply|maxAstNodes/],
  ['many nodes', `true${' || true'.repeat(240)}`, /maxAstNodes/],
  [
    'three lists in each other',
    'claims.a.exists(a, claims.b.exists(b, claims.c.exists(c, a == b && b == c)))',
    /takes too long/,
  ],
]
for (const [what, text, words] of refused) {
  test(`${what} is refused when it is read`, () => {
    assert.match(checkCondition(text) ?? 'fine', words)
    assert.throws(() => compileCondition(text), { name: 'Fault', code: 'config_bad' })
  })
}

const failing: readonly [what: string, text: string, fault: string][] = [
  ['a claim that is missing', 'claims.zone == "x"', 'no_such_key'],
  ['a client that is missing', 'principal.client != "x"', 'no_such_key'],
  ['an inherited member', 'claims.constructor == 1', 'no_such_key'],
  ['a prototype', 'claims["__proto__"] == 1', 'no_such_key'],
  ['a text where true or false is asked for', 'claims.text', 'not_boolean'],
  ['a null where true or false is asked for', 'claims.nothing', 'not_boolean'],
  ['a text that is searched as if it were a list', '"admin" in claims.text', 'no_such_overload'],
  [
    'a text asked as if it were a list',
    'claims.text.exists(x, x == "a")',
    'invalid_comprehension_range',
  ],
  ['a list compared by size', 'claims.tags > 1', 'no_such_overload'],
  ['a number that is none', 'int(claims.text) == 1', 'int_conversion_error'],
]
for (const [what, text, fault] of failing) {
  test(`with ${what} a condition does not hold, and says so by a code`, () => {
    assert.equal(checkCondition(text), undefined)
    assert.deepEqual(compileCondition(text)(ada), { fault })
  })
}

const answers: readonly [text: string, holds: boolean][] = [
  ['claims.tid == "tenant-1"', true],
  ['claims.tid == "tenant-2"', false],
  ['claims.level >= 3 && claims.isActive', true],
  ['claims.level == 3.0', true],
  ['claims["x-odd"] == 1', true],
  ['"engineers" in principal.groups', true],
  ['"engineer" in principal.groups', false],
  ['principal.kind in ["service", "workload"]', false],
  ['principal.groups.all(g, g.startsWith("e"))', false],
  ['claims.teams.exists(t, t.id == "a" && "ada" in t.members)', true],
  ['claims.tags.exists_one(t, t == "x")', true],
  ['claims.tags.filter(t, t != "x").size() == 1', true],
  ['has(claims.zone) && claims.zone == "x"', false],
  ['!has(principal.owner)', true],
  ['has(principal.name) ? principal.name == "x" : true', true],
  ['claims.text.matches("^not[a-z]+$")', true],
  ['claims.text.matches("^admin")', false],
  // Only ASCII: U+212A, the Kelvin sign, is no k, and U+0130 no i.
  [String.raw`"\u212a".lowerAscii() == "k"`, false],
  ['"ABC".lowerAscii() == "abc" && "abc".upperAscii() == "ABC"', true],
  // What is wrong on one side does not matter where the other side decides (cel-spec, Logical Operators).
  ['claims.tid == "tenant-1" || claims.zone == "x"', true],
]
for (const [text, holds] of answers) {
  test(`${text} is ${String(holds)}`, () => {
    assert.equal(checkCondition(text), undefined)
    assert.deepEqual(compileCondition(text)(ada), { holds })
  })
}

const hostile: readonly [what: string, text: string, claims: Record<string, unknown>][] = [
  [
    'a pattern on which V8 would never end',
    'claims.a.matches("^(a+)+$")',
    { a: `${'a'.repeat(4000)}!` },
  ],
  [
    'the worst pattern on the longest text',
    'claims.a.matches("(x?){40}y")',
    { a: 'x'.repeat(4096) },
  ],
  [
    'two long lists in each other',
    'claims.a.exists(a, claims.b.exists(b, a == b))',
    {
      a: Array.from({ length: 1500 }, (_, i) => `a${i}`),
      b: Array.from({ length: 1500 }, (_, i) => `b${i}`),
    },
  ],
  [
    'a thousand groups looked up in a thousand',
    'claims.a.exists(a, a in claims.b)',
    {
      a: Array.from({ length: 1000 }, (_, i) => `a${i}`),
      b: Array.from({ length: 1000 }, (_, i) => `b${i}`),
    },
  ],
  ['a text too long for a pattern', 'claims.a.matches("a")', { a: 'b'.repeat(1_000_000) }],
  ['claims nested a thousand deep', 'has(claims.a)', { a: nested(1000) }],
  [
    'a list of a million',
    'claims.a.all(a, a == 1)',
    { a: Array.from({ length: 1_000_000 }, () => 1) },
  ],
]

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

for (const [what, text, claims] of hostile) {
  test(`${what} ends in under a second, and does not hold`, () => {
    const holds = compileCondition(text)
    const began = performance.now()
    const outcome = holds({ ...ada, claims })
    assert.ok(performance.now() - began < 1000, `${performance.now() - began} ms`)
    assert.notDeepEqual(outcome, { holds: true })
  })
}

test('three hundred groups may be looked up in three hundred', () => {
  const groups = Array.from({ length: 300 }, (_, i) => `${i}`.padStart(36, '0'))
  const holds = compileCondition('principal.groups.exists(g, g in claims.groups)')
  assert.deepEqual(holds({ ...ada, groups, claims: { groups: groups.slice(299) } }), {
    holds: true,
  })
})

test('a text too long for a pattern matches none, not even one that would fit', () => {
  const holds = compileCondition('claims.a.matches("b")')
  assert.deepEqual(holds({ ...ada, claims: { a: 'b'.repeat(4096) } }), { holds: true })
  assert.deepEqual(holds({ ...ada, claims: { a: 'b'.repeat(4097) } }), { fault: 'failed' })
})

test('what is refused for its cost is refused before it is begun', () => {
  const long = Array.from({ length: Math.ceil(Math.sqrt(stepsMax)) }, () => 'x')
  const holds = compileCondition('claims.a.all(a, claims.a.all(b, a == b))')
  assert.deepEqual(holds({ ...ada, claims: { a: long } }), { fault: 'too_costly' })
  assert.deepEqual(holds({ ...ada, claims: { a: long.slice(0, 50) } }), { holds: true })
})

test('no text whatever throws when it is checked, and a good one never when it is asked', () => {
  const all =
    'principal claims . , ( ) [ ] { } == != && || ! ? : in "a" 1 1.5 true null a b ' +
    'exists all has size matches groups tags b"x" - * <'
  const words = fc.constantFrom(...all.split(' '))
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(words, { maxLength: 14 }).map((some) => some.join(' ')),
  )
  fc.assert(
    fc.property(text, fc.dictionary(fc.string(), fc.jsonValue()), (condition, claims) => {
      const mistake = checkCondition(condition)
      if (mistake === undefined) compileCondition(condition)({ ...ada, claims })
    }),
    { numRuns: 500 },
  )
})

test('a lookup of any name in any list of names is what the list says', () => {
  const holds = compileCondition(
    'claims.one in principal.groups && !(claims.one in principal.roles)',
  )
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), fc.string(), (groups, roles, one) => {
      const want = groups.includes(one) && !roles.includes(one)
      assert.deepEqual(holds({ ...ada, groups, roles, claims: { one } }), { holds: want })
    }),
  )
})
