/** Masked results against the schema of their tool: which form is written, and when none will do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { Fault } from '../base/fault.ts'
import { passesLuhn } from '../cards/luhn.ts'
import { readJson } from '../wire/json.ts'
import { fitting } from './fit.ts'
import { pciDetection } from './detection.ts'
import { createMasker } from './masker.ts'
import { OutputSchema } from './validate.ts'
import type { MaskPlan } from './masker.ts'

const limits = { bytesMax: 1 << 24, depthMax: 100 }
const masker = createMasker({ sealKey: new Uint8Array(32).fill(3) })
const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }
const visa = pan(4, 16)
const last4 = visa.slice(-4)
const stars = (number: string): string => '*'.repeat(number.length - 4) + number.slice(-4)
const passes = (number: string): boolean =>
  passesLuhn(Uint8Array.from(number, Number), number.length)
/** A lead, zeros and the last four, with a one inside where that would pass Luhn. */
function form(lead: string, number = visa): string {
  const zeros = `${lead}${'0'.repeat(number.length - 5)}${number.slice(-4)}`
  return passes(zeros) ? `${zeros.slice(0, 3)}1${zeros.slice(4)}` : zeros
}
const track = `;${visa}=29121010000012300000?`

interface Seen {
  readonly kept: string
  readonly shown: string
}
const message = (value: string, texts: readonly string[]): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"content":[${texts
    .map((text) => `{"type":"text","text":${JSON.stringify(text)}}`)
    .join(',')}],"structuredContent":${value}}}`

/** A whole answer, masked; without a schema by the usual forms. */
function answer(schema: unknown, json: string, reveal: MaskPlan['reveal'] = 'none'): Seen {
  // A Buffer, as bodies are: whoever writes into a slice of it writes into the message.
  const bytes = Buffer.from(json)
  const tree = readJson(bytes, limits)
  const word = (text: string): string => masker.word(text).value
  const fit =
    schema === undefined
      ? undefined
      : fitting({
          tree,
          result: tree.at('result'),
          schema: new OutputSchema(schema),
          reveal,
          word,
        })
  const { kept, shown } = masker.answer(tree, { ...plan, reveal }, 'ada@shop', fit)
  assert.equal(bytes.toString(), json, 'the message itself was written to')
  return {
    kept: Buffer.from(kept.value).toString(),
    shown: Buffer.from(shown.bytes).toString(),
  }
}

/** `structuredContent` as it is delivered, its own bytes. */
function content(schema: unknown, value: string, reveal: MaskPlan['reveal'] = 'none'): string {
  const { shown } = answer(schema, message(value, []), reveal)
  return shown.slice(message('', []).length - 2, -2)
}
const member = (name: string, schema: object): object => ({
  type: 'object',
  properties: { [name]: schema },
})
const text = (more: object): object => ({ type: 'string', ...more })
const whole = (more: object): object => ({ type: 'integer', ...more })

/** Another number with the same last four. */
const twin =
  Array.from(
    { length: 99 },
    (_, i) => `41${visa.slice(2, 10)}${i + 1}`.padEnd(12, '3') + last4,
  ).find(passes) ?? ''

const withheld: readonly [what: string, schema: object, value: object, at: string][] = [
  ['a list of values', member('pan', { enum: [visa] }), { pan: visa }, '/pan'],
  ['a constant', member('pan', { const: visa }), { pan: visa }, '/pan'],
  ['an issuer in the pattern', member('pan', text({ pattern: '^4' })), { pan: visa }, '/pan'],
  [
    'an issuer in the bounds',
    member('pan', whole({ minimum: 4e15, maximum: 5e15 - 1 })),
    { pan: Number(visa) },
    '/pan',
  ],
  [
    'a verification value of certain digits',
    member('cvv', text({ enum: ['737', '738'] })),
    { cvv: '737' },
    '/cvv',
  ],
  ['figures to choose from', member('cvv', { enum: [737, 738] }), { cvv: 737 }, '/cvv'],
  [
    'a track by its pattern',
    member('track2', text({ pattern: '^;' })),
    { track2: track },
    '/track2',
  ],
  [
    'the place in rows',
    member('rows', { items: member('pan', { not: text({ pattern: '^9|\\*|^[1-35-8]0' }) }) }),
    { rows: [{ pan: 'x' }, { pan: visa }] },
    '/rows/*/pan',
  ],
  [
    'values that must differ',
    member('list', { items: { type: 'integer' }, uniqueItems: true }),
    { list: [Number(visa), Number(twin)] },
    '/list/*',
  ],
]
for (const [what, schema, value, at] of withheld) {
  test(`${what}: no masked form fits, so the answer is withheld, and the fault names the place`, () => {
    const place = `/result/structuredContent${at}`
    assert.throws(
      () => answer(schema, message(JSON.stringify(value), [])),
      (fault: unknown) => {
        assert.ok(fault instanceof Fault)
        assert.equal(fault.code, 'mask_failed')
        assert.deepEqual(fault.facts, { reason: 'schema', at: place })
        assert.equal(fault.message.includes(visa), false)
        assert.ok(fault.message.includes(place))
        return true
      },
    )
  })
}

const digits16 = text({ pattern: '^[0-9]{16}$' })
const forms: readonly [what: string, schema: object, value: string, shown: string][] = [
  [
    'a text of any kind',
    member('pan', text({ minLength: 16, maxLength: 16 })),
    `{"pan":"${visa}"}`,
    `{"pan":"${stars(visa)}"}`,
  ],
  ['a text of digits', member('pan', digits16), `{"pan":"${visa}"}`, `{"pan":"${form('9')}"}`],
  [
    'groups of digits',
    member('pan', text({ pattern: '^(\\d{4}[ -]){3}\\d{4}$' })),
    `{"pan":"${grouped(visa, [4, 4, 4, 4], '-')}"}`,
    `{"pan":"${grouped(form('9'), [4, 4, 4, 4], '-')}"}`,
  ],
  [
    'a text that may not begin with 9',
    member('pan', text({ pattern: '^[1-8]\\d+$' })),
    `{"pan":"${visa}"}`,
    `{"pan":"${form('8')}"}`,
  ],
  [
    'an escaped text of digits',
    member('pan', digits16),
    `{"pan":"\\u0034${visa.slice(1)}"}`,
    `{"pan":"${form('9')}"}`,
  ],
  [
    'a number with room above',
    member('pan', whole({ maximum: Number.MAX_SAFE_INTEGER })),
    `{"pan":${visa}}`,
    `{"pan":${form('9')}}`,
  ],
  [
    'a number with less room',
    member('pan', whole({ exclusiveMaximum: 8e15 })),
    `{"pan":${visa}}`,
    `{"pan":${form('7')}}`,
  ],
  [
    'a number between the issuers',
    member('pan', whole({ minimum: 1, maximum: 4999999999999999 })),
    `{"pan":${visa}}`,
    `{"pan":${form('2')}}`,
  ],
  [
    'a number with a point',
    member('pan', whole({ maximum: 8e15 - 1 })),
    `{"pan":${visa}.0}`,
    `{"pan":${form('7')}.0}`,
  ],
  [
    'a verification value of any kind',
    member('cvv', text({ maxLength: 4 })),
    '{"cvv":"7371"}',
    '{"cvv":"***"}',
  ],
  [
    'a verification value of a length',
    member('cvv', text({ minLength: 4 })),
    '{"cvv":"7371"}',
    '{"cvv":"****"}',
  ],
  ['three digits', member('cvv', text({ pattern: '^\\d{3}$' })), '{"cvv":"737"}', '{"cvv":"000"}'],
  ['four digits', member('cvv', text({ pattern: '^\\d{4}$' })), '{"cvv":"7371"}', '{"cvv":"0000"}'],
  [
    'three digits without a zero in front',
    member('cvv', text({ pattern: '^[1-9]\\d\\d$' })),
    '{"cvv":"737"}',
    '{"cvv":"100"}',
  ],
  ['a figure', member('cvv', whole({ maximum: 999 })), '{"cvv":737}', '{"cvv":0  }'],
  [
    'a figure of three digits',
    member('cvv', whole({ minimum: 100 })),
    '{"cvv":7371}',
    '{"cvv":100 }',
  ],
  [
    'a figure above another',
    member('cvv', whole({ exclusiveMinimum: 100 })),
    '{"cvv":735}',
    '{"cvv":101}',
  ],
  [
    'what only the whole object says',
    { not: { required: ['pan'], ...member('pan', text({ pattern: '\\*' })) } },
    `{"pan":"${visa}"}`,
    `{"pan":"${form('9')}"}`,
  ],
  [
    'what one place asks of another',
    {
      ...member('pan', digits16),
      if: member('pan', digits16),
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: member('cvv', text({ pattern: '^\\d{3}$' })),
    },
    `{"pan":"${visa}","cvv":"737"}`,
    `{"pan":"${form('9')}","cvv":"000"}`,
  ],
  [
    'a figure above another, in steps',
    member('cvv', whole({ exclusiveMinimum: 100, multipleOf: 7 })),
    '{"cvv":735}',
    '{"cvv":105}',
  ],
  ['a PIN as a figure', member('pin', whole({ minimum: 1000 })), '{"pin":7371}', '{"pin":1000}'],
  [
    'a PIN block in hex',
    member('pin_block', text({ pattern: '^[0-9A-F]{16}$' })),
    '{"pin_block":"A1B2C3D4E5F60718"}',
    '{"pin_block":"0000000000000000"}',
  ],
  [
    'a track of any kind',
    member('track2', text({ minLength: 1 })),
    `{"track2":"${track}"}`,
    '{"track2":"[track removed]"}',
  ],
  [
    'a track that may be empty',
    member('track2', text({ maxLength: 40, pattern: '^[^\\[]*$' })),
    `{"track2":"${track}"}`,
    '{"track2":""}',
  ],
  [
    'two findings in one text',
    member('pan', text({ pattern: '^\\d{16}, cvv: \\d{3}$' })),
    `{"pan":"${visa}, cvv: 737"}`,
    `{"pan":"${form('9')}, cvv: 000"}`,
  ],
  [
    'JSON in a text of a length',
    member('note', text({ maxLength: 60 })),
    `{"note":"{\\"pan\\":\\"${visa}\\"}"}`,
    `{"note":"{\\"pan\\":\\"${stars(visa)}\\"}"}`,
  ],
  [
    'a link',
    member('link', text({ format: 'uri' })),
    `{"link":"https://x.example/?pan=${visa}"}`,
    `{"link":"https://x.example/?pan=${stars(visa)}"}`,
  ],
  [
    'rows by reference',
    {
      $defs: { row: member('pan', digits16) },
      type: 'object',
      properties: { rows: { type: 'array', items: { $ref: '#/$defs/row' } } },
    },
    `{"rows":[{"pan":"${visa}"},{"pan":"none"}]}`.replace('none', pan(51, 16)),
    `{"rows":[{"pan":"${form('9')}"},{"pan":"${form('9', pan(51, 16))}"}]}`,
  ],
  [
    'a choice of which one fits',
    member('pan', { anyOf: [{ type: 'null' }, digits16, text({ maxLength: 5 })] }),
    `{"pan":"${visa}"}`,
    `{"pan":"${form('9')}"}`,
  ],
  [
    'a choice of exactly one',
    member('pan', { oneOf: [text({ pattern: '^[*0-9]+$' }), text({ pattern: '\\*' })] }),
    `{"pan":"${visa}"}`,
    `{"pan":"${form('9')}"}`,
  ],
  [
    'parts that must all fit',
    member('pan', { allOf: [digits16, { not: { pattern: '^9' } }] }),
    `{"pan":"${visa}"}`,
    `{"pan":"${form('8')}"}`,
  ],
  [
    'a pattern that nobody can read in linear time',
    member('pan', text({ pattern: '^(?=\\d)\\d{16}$' })),
    `{"pan":"${visa}"}`,
    `{"pan":"${stars(visa)}"}`,
  ],
  [
    'what did not fit before',
    member('pan', text({ pattern: '^[0-9]{15}$' })),
    `{"pan":"${visa}"}`,
    `{"pan":"${stars(visa)}"}`,
  ],
  [
    'what did not fit elsewhere',
    { ...member('pan', digits16), required: ['id'] },
    `{"pan":"${visa}"}`,
    `{"pan":"${stars(visa)}"}`,
  ],
]
for (const [what, schema, value, shown] of forms) {
  test(`${what}: the first form that fits is written`, () => {
    assert.equal(content(schema, value), shown)
  })
}

test('a key that may only be a card number has no masked form', () => {
  const schema = { type: 'object', propertyNames: { pattern: '^[0-9]+$' } }
  const json = message(`{"${visa}":{"id":1}}`, [])
  assert.throws(() => answer(schema, json), {
    code: 'mask_failed',
    facts: { reason: 'schema', at: `/result/structuredContent/${stars(visa)}` },
  })
})

test('a text in base64 fits as it is, or not at all', () => {
  const blob = (said: string): string => Buffer.from(said).toString('base64')
  const value = `{"mimeType":"text/plain","blob":"${blob(`${visa} and ${visa}`)}","pan":"${visa}"}`
  const masked = `{"mimeType":"text/plain","blob":"${blob(`${stars(visa)} and ${stars(visa)}`)}","pan":"${form('9')}"}`
  const properties = (schema: object): object => ({ properties: { blob: schema, pan: digits16 } })
  assert.equal(content(properties(text({ format: 'byte' })), value), masked)
  const pinned = properties(text({ const: blob(`${visa} and ${visa}`) }))
  assert.throws(() => content(pinned, value), { code: 'mask_failed' })
})

test('the record gets the same forms as the client', () => {
  const { kept, shown } = answer(member('pan', digits16), message(`{"pan":"${visa}"}`, []))
  assert.equal(kept, shown)
})

test('what is shown in clear needs no form, what is never shown gets one', () => {
  const schema = {
    type: 'object',
    properties: { pan: { const: visa }, cvv: { pattern: '^\\d{3}$' } },
  }
  const { kept, shown } = answer(schema, message(`{"pan":"${visa}","cvv":"737"}`, []), 'pan')
  assert.equal(shown, message(`{"pan":"${visa}","cvv":"000"}`, []))
  assert.equal(kept, message(`{"pan":"${stars(visa)}","cvv":"000"}`, []))
})

test('a schema that nothing can break changes nothing', () => {
  const value = `{"pan":"${visa}","cvv":737}`
  assert.equal(content({ type: 'object', required: ['id'] }, value), content(undefined, value))
})

test('where weighing takes too long the usual forms stand', () => {
  const slow = { $defs: { d: { anyOf: [{ $ref: '#/$defs/d' }, { $ref: '#/$defs/d' }], not: {} } } }
  const schema = {
    ...member('pan', digits16),
    allOf: [{ not: { not: { $ref: '#/$defs/d' } } }],
    ...slow,
  }
  assert.equal(content(schema, `{"pan":"${visa}"}`), `{"pan":"${stars(visa)}"}`)
})

const rowsOf = (pan: object, cvv: object): object => ({
  type: 'object',
  properties: { rows: { type: 'array', items: { type: 'object', properties: { pan, cvv } } } },
})
const tight = rowsOf(digits16, whole({ minimum: 100 }))
const row = `{"pan":"${visa}","cvv":737}`
const fitted = `{"pan":"${form('9')}","cvv":100}`
const usual = `{"pan":"${stars(visa)}","cvv":0  }`
const spaced = (json: string): string => JSON.stringify(JSON.parse(json), null, 2)

const mirrors: readonly [what: string, text: string, shown: string][] = [
  ['the same bytes', `{"rows":[${row}]}`, `{"rows":[${fitted}]}`],
  ['other white space', spaced(`{"rows":[${row}]}`), spaced(`{"rows":[${fitted}]}`)],
  [
    'another order of keys',
    `{"rows":[{"cvv":737,"pan":"${visa}"}]}`,
    `{"rows":[{"cvv":100,"pan":"${form('9')}"}]}`,
  ],
  [
    'other escapes',
    `{"rows":[{"p\\u0061n":"${visa}","cvv":737}]}`,
    `{"rows":[{"p\\u0061n":"${form('9')}","cvv":100}]}`,
  ],
  ['another value beside it', `{"rows":[${row}],"n":1}`, `{"rows":[${usual}],"n":1}`],
  ['only a part of it', `[${row}]`, `[${fitted}]`],
  ['words', `The card is ${visa}.`, `The card is ${stars(visa)}.`],
  ['no JSON after all', `{"rows":[${row}]} and more`, `{"rows":[${usual}]} and more`],
]
for (const [what, said, shown] of mirrors) {
  test(`a text item that repeats the result with ${what} is masked accordingly`, () => {
    const got = answer(tight, message(`{"rows":[${row}]}`, ['first', said]))
    assert.equal(got.shown, message(`{"rows":[${fitted}]}`, ['first', shown]))
  })
}

const ajv = new Ajv2020({
  strict: false,
  validateSchema: false,
  logger: false,
  validateFormats: false,
})

/** A value as it is sent, with what may not be left of it. */
interface Leaf {
  readonly name: string
  readonly json: string
  readonly schema: object
  readonly isSecret: boolean
}
const card = fc
  .tuple(fc.constantFrom('4', '51', '2221', '6011', '3530'), fc.stringMatching(/^[0-9]{11}$/))
  .map(([prefix, fill]) => pan(prefix, 16, fill))
  .filter((number) => new Set(number).size > 3)
const bounds = fc.record(
  {
    minimum: fc.constantFrom(1, 1e15, 3e15, 4e15),
    maximum: fc.constantFrom(2e15, 5e15, 9007199254740991),
    multipleOf: fc.constant(1),
  },
  { requiredKeys: [] },
)
const cardText = (number: string): fc.Arbitrary<object> =>
  fc.constantFrom(
    {},
    digits16,
    text({ pattern: '^([0-9]{4}[ -]?){4}$' }),
    text({ minLength: 16, maxLength: 19 }),
    text({ maxLength: 10 }),
    text({ pattern: '^[1-8]' }),
    text({ pattern: '^4' }),
    text({ pattern: `${number.slice(-4)}$` }),
    { enum: [number, 'none'] },
    { not: text({ pattern: '\\*' }) },
    { oneOf: [text({ pattern: '^[0-9 -]+$' }), { type: 'null' }] },
    { anyOf: [{ const: 'x' }, digits16] },
    { if: { maxLength: 16 }, else: digits16 },
    whole({}),
  )
const leaves: fc.Arbitrary<Leaf> = fc.oneof(
  card.chain((number) =>
    fc
      .tuple(fc.constantFrom([16], [4, 4, 4, 4]), fc.constantFrom(' ', '-'), cardText(number))
      .map(([sizes, by, schema]) => ({
        name: 'pan',
        json: `"${grouped(number, sizes, by)}"`,
        schema,
        isSecret: true,
      })),
  ),
  fc
    .tuple(
      card.filter((n) => n < '9007199254740991'),
      bounds,
    )
    .map(([number, more]) => ({
      name: 'number',
      json: number,
      schema: whole(more),
      isSecret: true,
    })),
  fc
    .tuple(
      fc.integer({ min: 100, max: 9999 }),
      fc.constantFrom(
        {},
        text({ pattern: '^[0-9]{3,4}$' }),
        text({ minLength: 4 }),
        text({ pattern: '^[1-9]' }),
        { enum: ['737'] },
      ),
    )
    .map(([n, schema]) => ({ name: 'cvv', json: `"${n}"`, schema, isSecret: true })),
  fc
    .tuple(
      fc.integer({ min: 200, max: 9999 }),
      fc.constantFrom(
        whole({}),
        whole({ minimum: 100 }),
        whole({ exclusiveMinimum: 99, multipleOf: 5 }),
        whole({ maximum: 5000 }),
      ),
    )
    .map(([n, schema]) => ({ name: 'cvc', json: String(n), schema, isSecret: true })),
  fc
    .tuple(
      fc.constantFrom('"x"', '17', 'null', '"ünï \\u00e9"', '[1, 2]', '{"a":  true}'),
      fc.constantFrom({}, { type: ['string', 'null'] }, { minimum: 5 }),
    )
    .map(([json, schema]) => ({ name: 'note', json, schema, isSecret: false })),
)
/** Rows of the same members, each described on its own or by what all have in common. */
const documents = fc
  .tuple(
    fc.uniqueArray(leaves, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom('items', 'prefixItems', 'allOf', 'anyOf', '$ref', 'contains', 'uniqueItems'),
    fc.boolean(),
  )
  .map(([members, count, way, isClosed]) => {
    const properties = Object.fromEntries(members.map(({ name, schema }) => [name, schema]))
    const one = { type: 'object', properties, ...(isClosed ? { additionalProperties: false } : {}) }
    const ways: Record<string, object> = {
      items: { items: one },
      prefixItems: { prefixItems: [one], items: one },
      allOf: { items: { allOf: [{ type: 'object' }, one] } },
      anyOf: { items: { anyOf: [{ type: 'null' }, one] } },
      $ref: { items: { $ref: '#/$defs/row' } },
      contains: { contains: one },
      uniqueItems: { items: one, uniqueItems: count === 1 },
    }
    const schema = { type: 'object', properties: { rows: ways[way] }, $defs: { row: one } }
    const parts = members.flatMap(({ name, json }, i) => [`${i > 0 ? ', ' : '{ '}"${name}":`, json])
    return { schema, members, count, row: `${parts.join('')} }` }
  })

test('what was valid is valid when it is delivered, or it is withheld; nothing else is touched', () => {
  const verdicts = { fitted: 0, usual: 0, withheld: 0 }
  const holds = fc.property(
    documents,
    fc.boolean(),
    ({ schema, members, count, row }, isMirrored) => {
      const value = `{"rows":[${Array.from({ length: count }, () => row).join(',')}]}`
      const json = message(value, isMirrored ? [value] : [])
      const validate = ajv.compile(schema)
      const isValid = validate(JSON.parse(value))
      const byDefault = answer(undefined, json)
      let got: Seen
      try {
        got = answer(schema, json)
      } catch (error) {
        assert.ok(error instanceof Fault)
        assert.equal(error.facts['reason'], 'schema')
        assert.equal(isValid, true, 'withheld what was not valid anyway')
        verdicts.withheld++
        return
      }
      const textOf = (seen: Seen): string =>
        (JSON.parse(seen.shown) as { result: { content: { text: string }[] } }).result.content[0]
          ?.text ?? ''
      const contentOf = (seen: Seen): unknown =>
        (JSON.parse(seen.shown) as { result: { structuredContent: unknown } }).result
          .structuredContent
      if (!isValid || validate(contentOf(byDefault))) {
        assert.deepEqual(got, byDefault)
        verdicts.usual++
      } else {
        assert.equal(validate(contentOf(got)), true)
        verdicts.fitted++
      }
      const sent = (contentOf(got) as { rows: Record<string, unknown>[] }).rows
      const repeated = isMirrored ? (JSON.parse(textOf(got)) as { rows: typeof sent }).rows : []
      for (const { name, json: secret, isSecret } of members) {
        if (!isSecret) continue
        const digits = secret.replaceAll(/[^0-9]/g, '')
        for (const one of [...sent, ...repeated]) {
          const left = String(one[name]).replaceAll(/[^0-9]/g, '')
          // Two figures of a schema may be the value by chance.
          if (digits.length < 5) assert.ok(left !== digits || /^10+5?$/.test(left))
          else assert.ok(!left.includes(digits.slice(0, -4)) && left.endsWith(digits.slice(-4)))
        }
      }
      const clear = json.split(/(?<=(?:pan|number|cvv|cvc)\\*":)\\*"?[0-9 -]+/)
      let at = 0
      for (const piece of clear) {
        at = got.shown.indexOf(piece, at)
        assert.ok(at >= 0, 'a byte outside of the findings was changed')
        at += piece.length
      }
      assert.equal(at, got.shown.length)
    },
  )
  fc.assert(holds, { numRuns: 1500 })
  for (const count of Object.values(verdicts)) assert.ok(count > 20, JSON.stringify(verdicts))
})

test('what is masked twice is masked once', () => {
  const schema = rowsOf(digits16, text({ pattern: '^[0-9]{3}$' }))
  const once = content(schema, `{"rows":[{"pan":"${visa}","cvv":"737"}]}`)
  assert.equal(content(schema, once), once)
})

test('a number in no range that its column makes a card number is fitted too', () => {
  const other = broken(visa)
  assert.equal(
    content(member('pan', digits16), `{"pan":"${other}"}`),
    `{"pan":"${form('9', other)}"}`,
  )
})
