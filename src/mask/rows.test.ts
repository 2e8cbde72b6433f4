import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { readJson } from '../wire/json.ts'
import { pciDetection } from './detection.ts'
import { createMasker } from './masker.ts'
import type { Masker, Masking } from './masker.ts'

const sealKey = new Uint8Array(32)
const hashKey = Uint32Array.of(1, 2)
const careful = createMasker({ sealKey, hashKey, isCareful: true })
const quick = createMasker({ sealKey, hashKey })

interface Said {
  readonly kept: string
  readonly shown: string
  readonly list: readonly Masking[]
  readonly hashes: Int32Array
}
/** What a masker says of a tool result with this text in it. */
function said(by: Masker, text: string): Said {
  const result = { content: [{ type: 'text', text }] }
  const message = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
  const tree = readJson(message, { bytesMax: 1 << 24, depthMax: 64 })
  const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const
  const { kept, shown, maskings } = by.answer(tree, plan, 'ada@shop')
  return {
    kept: Buffer.from(kept.value).toString(),
    shown: Buffer.from(shown.bytes).toString(),
    list: maskings.list(),
    hashes: maskings.hashes(),
  }
}
function mustAgree(text: string): void {
  assert.deepEqual(said(quick, text), said(careful, text), text)
}

const visa = pan(4, 16)
const names =
  'id name city note value text code title label pan card_number card phone order_id amount created_at brand n v fields columns a_b é "q"'.split(
    ' ',
  )
/** Values of a column: each row has one of them. */
const columns = fc.constantFrom<readonly unknown[]>(
  [1, 27, 4096, 12_345_678],
  [12.5, 0, -3, 1e21, 1234567890123],
  ['Ada Winter', 'Grace Summer', 'Card Number', 'Maria Pan', ''],
  [visa, pan(5, 16), pan(37, 15)],
  [visa, broken(visa), 'none on file'],
  [grouped(visa, [4, 4, 4, 4], ' '), `card ${visa} exp 12/27 123`],
  ['2026-01-15T08:30:00Z', '2026-01-15 08:30:00.123+02:00', '2026-01-15T8', visa],
  [true, false, null, 'true'],
  [Number(visa), 7, Number(broken(visa))],
  ['Kraków', '漢字', 'say "hi" \\ there', 'a\nb', visa],
  ['pan', 'card number', 'order id', 'x'],
  ['12', '1234', '123', visa.slice(0, 11), `${visa}0`],
  [{ value: visa }, ['a', visa], [], {}],
  ['x'.repeat(70), 'y', `${'z'.repeat(300)}1`],
)
const tables = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...names), columns), {
      minLength: 1,
      maxLength: 7,
      selector: ([name]) => name,
    }),
    fc.array(fc.array(fc.nat({ max: 12 }), { minLength: 7, maxLength: 7 }), { maxLength: 14 }),
  )
  .map(([head, picks]) =>
    picks.map((pick) =>
      Object.fromEntries(
        head.flatMap(([name, values], i) => {
          const chosen = pick[i] ?? 0
          // Now and then a row has one value less.
          return chosen === 12 ? [] : [[name, values[chosen % values.length]] as const]
        }),
      ),
    ),
  )
const texts = fc
  .tuple(tables, fc.constantFrom(0, 2, '\t'), fc.constantFrom('', 'rows', 'columns'), fc.nat(9))
  .map(([rows, indent, holder, way]) => {
    const value = holder === '' ? rows : { [holder]: rows, count: rows.length }
    const text = JSON.stringify(value, null, indent)
    if (way === 0) return rows.map((row) => JSON.stringify(row)).join('\n')
    if (way === 1) return JSON.stringify({ inner: text })
    if (way === 2) return text.slice(0, Math.floor(text.length * 0.8))
    return way === 3 ? `Found ${text}.` : text
  })

test('in rows of any kind the quick masker finds what the careful one finds', () => {
  fc.assert(fc.property(texts, mustAgree), { numRuns: 1500, seed: 77 })
})

const wrong = broken(visa)
const told: readonly (readonly [what: string, value: unknown])[] = [
  [
    'a name beside a value',
    [
      { id: 1, name: 'x', value: 1 },
      { id: 2, name: 'x', value: 2 },
      { id: 3, name: 'pan', value: wrong },
    ],
  ],
  [
    'two names beside a value',
    [1, 2, 3].map((id) => ({ id, name: id === 3 ? 'pan' : 'x', title: 'y', value: wrong })),
  ],
  [
    'a name in the row before',
    [
      { id: 1, name: 'y' },
      { id: 2, name: 'y' },
      { id: 3, name: 'pan' },
      { id: 4, value: wrong },
    ],
  ],
  [
    'a name in the row before, behind a text that is read',
    [
      { id: 1, name: 'y' },
      { id: 2, name: 'y' },
      { id: 3, name: 'a\nb' },
      { id: 4, name: 'pan' },
      { id: 5, value: wrong },
    ],
  ],
  [
    'names of columns',
    {
      columns: ['id', 'city', 'pan', 'n'].map((name) => ({ type: 'text', name })),
      rows: [
        [1, 'x', wrong, 2],
        [2, 'pan', wrong, 3],
      ],
    },
  ],
]
for (const [what, value] of told) {
  test(`what names a value is not passed over: ${what}`, () => {
    mustAgree(JSON.stringify(value))
    mustAgree(JSON.stringify(value, null, 2))
    if (!what.startsWith('a name in the row before'))
      assert.ok(said(quick, JSON.stringify(value)).list.length > 0)
  })
}
const alike = [-1, 150, 151, 299].map((at) =>
  JSON.stringify(
    Array.from({ length: 300 }, (_, i) => ({
      id: 1000 + i,
      city: i === at ? visa : 'x'.repeat(visa.length),
      note: `Nr. ${i % 10}, ${i === 0 ? visa : 'the same in all messages'}`,
    })),
  ),
)
test('what is known of one message is not taken for another one of the same length', () => {
  for (const same of [alike, alike.map((inner) => JSON.stringify({ inner }))]) {
    const quickly = same.map((text) => said(quick, text))
    const carefully = same.map((text) => said(careful, text))
    assert.deepEqual(quickly, carefully)
  }
})

const row = (i: number, card: string): string =>
  JSON.stringify({ id: i, name: `Customer ${i}`, card_number: card, at: '2026-01-15T08:30:00Z' })
const many = (count: number, cardAt: (i: number) => boolean): string =>
  `[${Array.from({ length: count }, (_, i) => row(i, cardAt(i) ? pan(4, 16, String(i)) : 'none')).join(',\n  ')}]`
const long: readonly (readonly [what: string, text: string])[] = [
  ['a card in each', many(3000, () => true)],
  [
    'nothing but cards',
    JSON.stringify(Array.from({ length: 4000 }, (_, i) => ({ pan: pan(4, 16, String(i)) }))),
  ],
  ['a card in few', many(3000, (i) => i % 501 === 7)],
  ['a card in the last', many(3000, (i) => i === 2999)],
  [
    'a value longer than what the kernel holds',
    `${many(40, () => true).slice(0, -1)},{"id":1,"name":"${'x'.repeat(90_000)}","card_number":"${visa}"},${many(40, () => true).slice(1)}`,
  ],
  ['two lists', `{"a":${many(700, () => true)},"b":${many(700, (i) => i % 9 === 0)}}`],
]
for (const [what, text] of long) {
  test(`long lists are gone through as carefully: ${what}`, () => mustAgree(text))
}
test('the places of cards count the rows that were passed over', () => {
  const { list } = Object(
    said(
      quick,
      many(1200, (i) => i % 400 === 399),
    ),
  )
  const places = list.map(({ at }: { at: string }) => at)
  assert.deepEqual(
    places,
    [399, 799, 1199].map((i) => `/result/content/0/text#/${i}/card_number`),
  )
})
test('texts in base64 between rows change nothing', () => {
  const blob = Buffer.from(
    JSON.stringify([
      { pan: visa, id: 1 },
      { pan: pan(5, 16), id: 2 },
    ]),
  ).toString('base64')
  const rows = Array.from({ length: 9 }, (_, i) => ({
    id: i,
    note: i === 4 ? blob : 'x',
    pan: pan(4, 16, String(i)),
  }))
  mustAgree(JSON.stringify(rows))
})
