/** Masked results against the schema of their tool: which form is written, and when none will do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { Fault } from '../base/fault.ts'
import { passesLuhn } from '../cards/luhn.ts'
import { fits } from '../cards/ranges.ts'
import { readJson } from '../wire/json.ts'
import { fitting } from './fit.ts'
import { createMasker } from './masker.ts'
import { OutputSchema } from './validate.ts'
import type { MaskPlan } from './masker.ts'

const limits = { bytesMax: 1 << 24, depthMax: 100 }
const masker = createMasker({ sealKey: new Uint8Array(32).fill(3) })
const plan: MaskPlan = { reveal: 'none', columns: [], rule: 'test' }
const visa = pan(4, 16)
const last4 = visa.slice(-4)
const form = (lead: string, number = visa): string =>
  `${lead}${'0'.repeat(number.length - 5)}${number.slice(-4)}`
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
  ['a track by its pattern', member('track2', text({ pattern: '^;' })), { track2: track }, '/track2'],
  [
    'the place in rows',
    member('rows', { items: member('pan', { not: text({ pattern: '^9|\\*|[1-35-8]0' }) }) }),
    { rows: [{ pan: 'x' }, { pan: visa }] },
    '/rows/*/pan',
  ],
  [
    'a key that may only be a card number',
    { type: 'object', propertyNames: { pattern: '^[0-9]+$' } },
    { [visa]: { pan: visa } },
    `/${form('*').replaceAll('0', '*').slice(0, 12)}${last4}/pan`,
  ],
  [
    'values that must differ',
    member('list', { items: { type: 'integer' }, uniqueItems: true }),
    { list: [visa, pan(`41${visa.slice(2, 10)}`, 16)].map((n) => Number(same4(n))) },
    '/list/*',
  ],
]
/** Another number with the same last four. */
function same4(number: string): string {
  for (let i = 0; i < 100; i++) {
    const other = `${number.slice(0, 10)}${String(i).padStart(2, '0')}${last4}`
    if (passesLuhn(Uint8Array.from(other, Number), 16)) return other
  }
  return number
}
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
  ['a text of any kind', member('pan', text({ minLength: 16, maxLength: 16 })), `{"pan":"${visa}"}`, `{"pan":"${form('*').replaceAll('0', '*').slice(0, 12)}${last4}"}`],
  ['a text of digits', member('pan', digits16), `{"pan":"${visa}"}`, `{"pan":"${form('9')}"}`],
  ['groups of digits', member('pan', text({ pattern: '^(\\d{4}[ -]){3}\\d{4}$' })), `{"pan":"${grouped(visa, [4, 4, 4, 4], '-')}"}`, `{"pan":"${grouped(form('9'), [4, 4, 4, 4], '-')}"}`],
  ['a text that may not begin with 9', member('pan', text({ pattern: '^[1-8]\\d+$' })), `{"pan":"${visa}"}`, `{"pan":"${form('8')}"}`],
  ['an escaped text of digits', member('pan', digits16), `{"pan":"\\u0034${visa.slice(1)}"}`, `{"pan":"${form('9')}"}`],
  ['a number with room above', member('pan', whole({ maximum: Number.MAX_SAFE_INTEGER })), `{"pan":${visa}}`, `{"pan":${form('9')}}`],
  ['a number with less room', member('pan', whole({ exclusiveMaximum: 8e15 })), `{"pan":${visa}}`, `{"pan":${form('7')}}`],
  ['a number between the issuers', member('pan', whole({ minimum: 1, maximum: 4999999999999999 })), `{"pan":${visa}}`, `{"pan":${form('2')}}`],
  ['a number with a point', member('pan', whole({ maximum: 8e15 - 1 })), `{"pan":${visa}.0}`, `{"pan":${form('7')}.0}`],
  ['a verification value of any kind', member('cvv', text({ maxLength: 4 })), '{"cvv":"7371"}', '{"cvv":"***"}'],
  ['a verification value of a length', member('cvv', text({ minLength: 4 })), '{"cvv":"7371"}', '{"cvv":"****"}'],
  ['three digits', member('cvv', text({ pattern: '^\\d{3}$' })), '{"cvv":"737"}', '{"cvv":"000"}'],
  ['four digits', member('cvv', text({ pattern: '^\\d{4}$' })), '{"cvv":"7371"}', '{"cvv":"0000"}'],
  ['three digits without a zero in front', member('cvv', text({ pattern: '^[1-9]\\d\\d$' })), '{"cvv":"737"}', '{"cvv":"100"}'],
  ['a figure', member('cvv', whole({ maximum: 999 })), '{"cvv":737}', '{"cvv":0  }'],
  ['a figure of three digits', member('cvv', whole({ minimum: 100 })), '{"cvv":7371}', '{"cvv":100 }'],
  ['a figure above another, in steps', member('cvv', whole({ exclusiveMinimum: 100, multipleOf: 7 })), '{"cvv":735}', '{"cvv":105}'],
  ['a PIN as a figure', member('pin', whole({ minimum: 1000 })), '{"pin":7371}', '{"pin":1000}'],
  ['a PIN block in hex', member('pin_block', text({ pattern: '^[0-9A-F]{16}$' })), '{"pin_block":"A1B2C3D4E5F60718"}', '{"pin_block":"0000000000000000"}'],
  ['a track of any kind', member('track2', text({ minLength: 1 })), `{"track2":"${track}"}`, '{"track2":"[track removed]"}'],
  ['a track that may be empty', member('track2', text({ maxLength: 40, pattern: '^[^\\[]*$' })), `{"track2":"${track}"}`, '{"track2":""}'],
  ['two findings in one text', member('pan', text({ pattern: '^\\d{16}, cvv: \\d{3}$' })), `{"pan":"${visa}, cvv: 737"}`, `{"pan":"${form('9')}, cvv: 000"}`],
  ['JSON in a text of a length', member('note', text({ maxLength: 60 })), `{"note":"{\\"pan\\":\\"${visa}\\"}"}`, `{"note":"{\\"pan\\":\\"${form('*').replaceAll('0', '*').slice(0, 12)}${last4}\\"}"}`],
  ['a link', member('link', text({ format: 'uri' })), `{"link":"https://x.example/?pan=${visa}"}`, `{"link":"https://x.example/?pan=${'*'.repeat(12)}${last4}"}`],
  ['rows by reference', { $defs: { row: member('pan', digits16) }, type: 'object', properties: { rows: { type: 'array', items: { $ref: '#/$defs/row' } } } }, `{"rows":[{"pan":"${visa}"},{"pan":"none"}]}`.replace('none', pan(51, 16)), `{"rows":[{"pan":"${form('9')}"},{"pan":"${form('9', pan(51, 16))}"}]}`],
  ['a choice of which one fits', member('pan', { anyOf: [{ type: 'null' }, digits16, text({ maxLength: 5 })] }), `{"pan":"${visa}"}`, `{"pan":"${form('9')}"}`],
  ['a choice of exactly one', member('pan', { oneOf: [text({ pattern: '^[*0-9]+$' }), text({ pattern: '\\*' })] }), `{"pan":"${visa}"}`, `{"pan":"${form('9')}"}`],
  ['parts that must all fit', member('pan', { allOf: [digits16, { not: { pattern: '^9' } }] }), `{"pan":"${visa}"}`, `{"pan":"${form('8')}"}`],
  ['a pattern that nobody can read in linear time', member('pan', text({ pattern: '^(?=\\d)\\d{16}$' })), `{"pan":"${visa}"}`, `{"pan":"${'*'.repeat(12)}${last4}"}`],
  ['what did not fit before', member('pan', text({ pattern: '^[0-9]{15}$' })), `{"pan":"${visa}"}`, `{"pan":"${'*'.repeat(12)}${last4}"}`],
  ['what did not fit elsewhere', { ...member('pan', digits16), required: ['id'] }, `{"pan":"${visa}"}`, `{"pan":"${'*'.repeat(12)}${last4}"}`],
]
for (const [what, schema, value, shown] of forms) {
  test(`${what}: the first form that fits is written`, () => {
    // A digit form that passes Luhn has a one inside.
    const one = (json: string): string => json.replaceAll('000', '00.').replaceAll('.0', '.')
    const got = content(schema, value)
    assert.equal(one(got.replaceAll('9001', '9000')), one(shown))
  })
}

test('no form passes Luhn or lies in the range of an issuer', () => {
  for (const length of [14, 15, 16, 17, 18, 19]) {
    for (const prefix of ['9', '8', '7', '6', '5', '4', '3', '2', '1']) {
      for (const tail of ['0000', '1111', '4242', '9999', '0004', '2089']) {
        const card = Array.from({ length: 1000 }, (_, i) => `4${String(i).padStart(length - 5, '0')}${tail}`)
          .find((number) => passesLuhn(Uint8Array.from(number, Number), length)) ?? ''
        const schema = member('pan', text({ pattern: `^${prefix}[0-9]+$` }))
        if (prefix === '4') continue
        let got = ''
        try {
          got = content(schema, `{"pan":"${card}"}`).slice(8, -2)
        } catch {
          continue // No number that begins so is free of issuers.
        }
        // The original does not begin so: nothing needs to be kept.
        assert.equal(got, `${'*'.repeat(length - 4)}${tail}`)
      }
    }
  }
  for (const [max, number] of [8e15, 6e15, 5e15, 3e15].map((max) => [max, visa] as const)) {
    let got = ''
    try {
      got = content(member('pan', whole({ maximum: max })), `{"pan":${number}}`).slice(7, -1)
    } catch {
      continue
    }
    assert.equal(passesLuhn(Uint8Array.from(got, Number), 16), false)
    assert.equal(fits(got), undefined)
    assert.equal(got.slice(-4), last4)
  }
})
