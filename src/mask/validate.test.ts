/** The validator against tables, against ajv, and against schemas that want to do harm. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { readJson } from '../wire/json.ts'
import { Slot, instanceOf, unchanged } from './instance.ts'
import { OutputSchema } from './validate.ts'
import type { Instance } from './instance.ts'

const limits = { bytesMax: 1 << 24, depthMax: 400 }

function instance(value: unknown): Instance {
  const tree = readJson(Buffer.from(JSON.stringify({ value })), limits)
  return instanceOf(tree, tree.at('value'), unchanged)
}

/** The keywords complained of; `late` when the steps ran out. */
function weigh(schema: unknown, value: unknown, left = 1_000_000): string {
  const run = { left, depth: 0, complaints: undefined }
  const complaints = new OutputSchema(schema).weigh(instance(value), run)
  return complaints === undefined ? 'late' : complaints.map(({ keyword }) => keyword).join(' ')
}
const fits = (schema: unknown, value: unknown): boolean => weigh(schema, value) === ''

const object = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties,
  ...more,
})
const digits = { pattern: '^[0-9]+$' }
const rows: readonly [
  what: string,
  schema: unknown,
  good: readonly unknown[],
  bad: readonly unknown[],
][] = [
  ['true and false', { properties: { a: false, b: true } }, [{ b: 1 }, 7], [{ a: 1 }]],
  ['types', { type: ['integer', 'null'] }, [1, 1.0, null], [1.5, '1', true, [], {}]],
  ['an array is no object', { type: 'object' }, [{}], [[], null]],
  ['characters beyond 16 bits', { maxLength: 2, minLength: 2 }, ['😀😀'], ['😀', '😀😀😀']],
  ['a pattern anywhere', { pattern: 'b' }, ['abc', 7], ['ac']],
  ['a pattern with an escape of ECMA-262', { pattern: '^\\u0034\\d$' }, ['41'], ['51']],
  ['a pattern with look-ahead says nothing', { pattern: '^(?=x)y' }, ['x', 'y'], []],
  ['bounds', { minimum: 2, exclusiveMaximum: 4 }, [2, 3.9], [1, 4]],
  ['multiples', { multipleOf: 5 }, [0, 10], [7]],
  ['a figure as constant', { const: 5 }, [5], [6, '5']],
  [
    'values in a list',
    { enum: ['a', { b: [1] }] },
    ['a', { b: [1] }],
    ['b', { b: [2] }, { b: [1], c: 1 }],
  ],
  ['what must be there', { required: ['a'] }, [{ a: null }, 3], [{}]],
  [
    'what else may be there',
    object({ a: true }, { additionalProperties: digits }),
    [{ a: 'x', b: '1' }],
    [{ b: 'x' }],
  ],
  [
    'patterns of keys',
    { patternProperties: { '^n': digits }, additionalProperties: false },
    [{ n1: '1' }],
    [{ n1: 'x' }, { m: '1' }],
  ],
  [
    'a key pattern that cannot be read',
    { patternProperties: { '(?=x)': true }, additionalProperties: false },
    [{ x: 1 }],
    [],
  ],
  ['names', { propertyNames: digits }, [{ '1': 1 }], [{ a: 1 }]],
  [
    'the first elements and the rest',
    { prefixItems: [true, digits], items: { type: 'null' } },
    [['x', '1', null]],
    [
      ['x', 'y'],
      ['x', '1', 2],
    ],
  ],
  [
    'the same before 2020',
    { items: [true, digits], additionalItems: false },
    [['x', '1']],
    [['x', '1', 2]],
  ],
  ['one of the elements', { contains: digits, maxContains: 1 }, [['a', '1']], [['a'], ['1', '2']]],
  [
    'different elements',
    { uniqueItems: true },
    [[1, '1', { a: 1, b: 2 }]],
    [
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  ['sizes', { minItems: 1, maxProperties: 1 }, [[0], { a: 1 }], [[], { a: 1, b: 2 }]],
  [
    'all, any, one, not',
    {
      allOf: [{ minimum: 1 }],
      anyOf: [{ maximum: 3 }, { minimum: 7 }],
      oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }],
      not: { const: 8 },
    },
    [2, 3, 9],
    [0, 4, 6, 8, 5],
  ],
  [
    'a condition',
    JSON.parse('{"if":{"required":["k"]},"then":{"required":["v"]},"else":{"maxProperties":0}}'),
    [{ k: 1, v: 1 }, {}],
    [{ k: 1 }, { v: 1 }],
  ],
  [
    'what depends',
    { dependentRequired: { a: ['b'] }, dependencies: { c: { required: ['d'] } } },
    [
      { a: 1, b: 1 },
      { c: 1, d: 1 },
    ],
    [{ a: 1 }, { c: 1 }],
  ],
  [
    'references',
    { $ref: '#/$defs/a~1b', $defs: { 'a/b': { $ref: '#n' }, x: { $anchor: 'n', type: 'null' } } },
    [null],
    [1],
  ],
  [
    'references by the own name',
    {
      $id: 'https://x.example/s',
      $ref: 'https://x.example/s#/definitions/n',
      definitions: { n: { type: 'null' } },
    },
    [null],
    [1],
  ],
  ['references to elsewhere say nothing', { $ref: 'https://x.example/other' }, [1, null], []],
  ['a list in a list', { $ref: '#/allOf/1', allOf: [true, { type: 'null' }] }, [null], [1]],
  ['a date', { format: 'date' }, ['2026-11-21', 7], ['2026-21-11', '****-**-**']],
  ['a moment', { format: 'date-time' }, ['2026-11-21T10:00:00Z'], ['2026-11-21']],
  ['an address', { format: 'email' }, ['****1111@x.example'], ['@x', 'a@[track removed]']],
  [
    'a link',
    { format: 'uri' },
    ['https://x.example/?n=****1111', 'http://[::1]/'],
    ['[track removed]', 'x'],
  ],
  [
    'an identifier',
    { format: 'uuid' },
    ['41111111-1111-4111-8111-111111111111'],
    ['********-1111-4111-8111-111111111111'],
  ],
  ['an unknown format says nothing', { format: 'credit-card' }, ['x'], []],
  [
    'strange operands say nothing',
    {
      pattern: 7,
      minimum: 'x',
      enum: 3,
      required: 4,
      properties: [],
      items: 5,
      anyOf: {},
      toString: 1,
      __proto__: 1,
    },
    [1, 'x', {}, []],
    [],
  ],
]
for (const [what, schema, good, bad] of rows) {
  test(`${what}: what fits and what does not`, () => {
    for (const value of good) assert.equal(weigh(schema, value), '', JSON.stringify(value))
    for (const value of bad) assert.notEqual(weigh(schema, value), '', JSON.stringify(value))
  })
}

test('keys of the prototype are keys like any other', () => {
  const schema: unknown = JSON.parse(
    '{"properties":{"__proto__":{"type":"null"}},"required":["constructor"]}',
  )
  assert.equal(fits(schema, JSON.parse('{"__proto__":null,"constructor":1}')), true)
  assert.equal(fits(schema, JSON.parse('{"__proto__":1,"constructor":1}')), false)
  assert.equal(fits(schema, {}), false)
  for (const keyword of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    assert.equal(fits(JSON.parse(`{"${keyword}":3,"properties":{}}`), 3), true)
})

test('a complaint names the slot that it is about, and a bound its limit', () => {
  const slot = new Slot(3)
  const value = new Map<string, Instance>([['n', [slot, 9]]])
  const schema = new OutputSchema(object({ n: { items: { minimum: 100 } } }))
  const run = { left: 1000, depth: 0, complaints: undefined }
  assert.deepEqual(schema.weigh(value, run), [{ at: slot, keyword: 'minimum', limit: 100 }])
  slot.value = 100
  // Of scalars that nobody can change nothing is told, but that it does not fit.
  assert.deepEqual(schema.weigh(value, run), [{ at: value, keyword: 'schema', limit: undefined }])
})

test('what branches complain of is told only where none of them fits', () => {
  const branches = [object({ a: digits }), object({ a: { maxLength: 2 } })]
  const slot = new Slot('****')
  const value = new Map<string, Instance>([['a', slot]])
  const weighed = (schema: unknown): string | undefined => {
    const run = { left: 1000, depth: 0, complaints: undefined }
    return new OutputSchema(schema)
      .weigh(value, run)
      ?.map(({ keyword }) => keyword)
      .join(' ')
  }
  assert.equal(weighed({ anyOf: branches }), 'pattern maxLength anyOf')
  slot.value = '**'
  assert.equal(weighed({ anyOf: branches }), '')
  assert.equal(weighed({ oneOf: branches }), '')
  // What a branch said that was left does not blame anybody for something else.
  assert.equal(weighed({ anyOf: branches, minProperties: 2 }), 'minProperties')
  assert.equal(weighed({ oneOf: branches, minProperties: 2 }), 'minProperties')
  slot.value = '12'
  assert.equal(weighed({ oneOf: branches }), 'oneOf')
})

const harmful: readonly [what: string, schema: unknown, value: unknown][] = [
  ['a reference to itself', { $ref: '#' }, 1],
  [
    'references in a ring',
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    1,
  ],
  ['branches that double', { anyOf: [{ $ref: '#' }, { $ref: '#' }, { $ref: '#' }], not: {} }, 1],
  ['a pattern that backtracks', { pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`],
  ['a pattern of many states', { pattern: `^(${'.{0,90}'.repeat(9)})x$` }, 'a'.repeat(200_000)],
  [
    'a list that goes on',
    { items: { enum: Array.from({ length: 2000 }, (_, i) => `v${i}`) } },
    Array.from({ length: 9000 }, () => 'x'),
  ],
  [
    'nested arrays that must differ',
    { items: { uniqueItems: true } },
    Array.from({ length: 300 }, () => Array.from({ length: 300 }, (_, i) => [i, [i]])),
  ],
]
for (const [what, schema, value] of harmful) {
  test(`${what} costs a bounded time`, () => {
    const began = performance.now()
    weigh(schema, value)
    assert.ok(performance.now() - began < 5000)
  })
}
test('where the steps run out there is no verdict', () => {
  assert.equal(
    weigh(
      { items: { minimum: 0 } },
      Array.from({ length: 1000 }, () => -1),
      500,
    ),
    'late',
  )
  assert.equal(weigh({ pattern: '^x' }, 'x'.repeat(5000), 500), 'late')
  assert.equal(weigh({ not: { $ref: '#' } }, 1, 200), 'late')
})

test('a schema without a keyword that masking could break is known as such', () => {
  const loose = object(
    { a: { type: 'string', format: 'int64', description: 'x' }, b: { items: { type: 'integer' } } },
    { required: ['a'], additionalProperties: false, anyOf: [{ required: ['a'] }, true] },
  )
  assert.equal(new OutputSchema(loose).isTight, false)
  for (const keyword of ['pattern', 'enum', 'const', 'maxLength', 'minimum', 'not', 'if']) {
    assert.equal(
      new OutputSchema(object({ a: { items: { [keyword]: 1 } } })).isTight,
      true,
      keyword,
    )
  }
  assert.equal(new OutputSchema({ properties: { a: { format: 'uuid' } } }).isTight, true)
})

const text = fc.constantFrom('', 'a', 'ab', '12', '123', '1234', '**', '****', 'x1', '😀')
const scalar = fc.oneof(text, fc.integer({ min: -3, max: 12 }), fc.boolean(), fc.constant(null))
const key = fc.constantFrom('a', 'b', 'c', 'n1')
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
}))
const small = fc.integer({ min: 0, max: 4 })
const keys = fc.uniqueArray(key, { maxLength: 2 })
const { schema: anySchema } = fc.letrec<{ schema: unknown }>((tie) => {
  const schemas = fc.array(tie('schema'), { minLength: 1, maxLength: 3 })
  const named = fc.dictionary(key, tie('schema'), { maxKeys: 3 })
  const pattern = fc.constantFrom('^[0-9]+$', '\\*', '^.{2,3}$', '^n', 'b|x')
  const keywords = {
    type: fc.constantFrom('string', 'number', 'integer', 'object', 'array', 'null', 'boolean'),
    enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }),
    const: anyValue,
    pattern,
    minLength: small,
    maxLength: small,
    minimum: small,
    maximum: small,
    exclusiveMinimum: small,
    exclusiveMaximum: small,
    multipleOf: fc.constantFrom(1, 2, 3),
    properties: named,
    patternProperties: fc.dictionary(pattern, tie('schema'), { maxKeys: 2 }),
    additionalProperties: tie('schema'),
    propertyNames: tie('schema'),
    required: keys,
    dependentRequired: fc.dictionary(key, keys, { maxKeys: 2 }),
    dependentSchemas: named,
    minProperties: small,
    maxProperties: small,
    prefixItems: schemas,
    items: tie('schema'),
    contains: tie('schema'),
    minItems: small,
    maxItems: small,
    uniqueItems: fc.boolean(),
    allOf: schemas,
    anyOf: schemas,
    oneOf: schemas,
    not: tie('schema'),
    ...Object.fromEntries(['if', 'then', 'else'].map((keyword) => [keyword, tie('schema')])),
    $ref: fc.constantFrom('#/$defs/d', '#/$defs/e'),
  }
  return {
    schema: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc.boolean(),
      fc
        .subarray(Object.keys(keywords), { maxLength: 4 })
        // ajv 8.20 lets `[]` contain anything beside `prefixItems`.
        .filter((names) => !names.includes('prefixItems') || !names.includes('contains'))
        .chain((names) =>
          fc.record(
            Object.fromEntries(Object.entries(keywords).filter(([name]) => names.includes(name))),
          ),
        ),
    ),
  }
})

/** Undefined where the code that ajv made throws: its notes of what was evaluated have gaps. */
function verdictOf(ask: () => boolean): boolean | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof TypeError) return undefined
    throw error
  }
}

test('it says of every value and schema what ajv says', () => {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, logger: false })
  const leaf = fc.constantFrom({ type: 'string' }, { minimum: 2 }, digits, true, false)
  const verdicts = new Set<boolean>()
  const same = fc.property(anySchema, leaf, leaf, anyValue, (schema, d, e, drawn) => {
    // Objects with a prototype, as ajv wants them.
    const [whole, value]: [object, unknown] = JSON.parse(
      JSON.stringify([{ allOf: [schema], $defs: { d, e } }, drawn]),
    )
    const want = verdictOf(() => ajv.compile(whole)(value))
    fc.pre(want !== undefined)
    verdicts.add(want)
    assert.equal(fits(whole, value), want)
  })
  fc.assert(same, { numRuns: 2500 })
  assert.equal(verdicts.size, 2)
})
