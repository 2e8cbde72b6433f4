/** Documents made of parts whose masked form is known, in every spelling JSON has for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pan } from '../../tests/cards.ts'
import { readJson } from '../wire/json.ts'
import { pciDetection } from './detection.ts'
import { createMasker } from './masker.ts'
import type { MaskPlan } from './masker.ts'

type Value = string | number | boolean | null | Value[] | { [key: string]: Value }
/** A value, what it must become, and the digits that may not be left. */
interface Part {
  readonly clear: Value
  readonly masked: Value
  readonly secrets: readonly string[]
}

const limits = { bytesMax: 1 << 24, depthMax: 64 }
const masker = createMasker({ sealKey: new Uint8Array(32) })
const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }
const stars = (number: string): string => '*'.repeat(number.length - 4) + number.slice(-4)
const form = (number: string): number =>
  Number(`9${'0'.repeat(number.length - 5)}${number.slice(-4)}`)
const cut = (number: string, sizes: number[], by: string): string => {
  let at = 0
  return sizes.map((size) => number.slice(at, (at += size))).join(by)
}

const number = fc
  .tuple(
    fc.constantFrom('4', '51', '2221', '6011', '3530', '2200'),
    fc.stringMatching(/^[0-9]{9}$/),
  )
  .map(([prefix, middle]) => pan(prefix + middle, 16))
  // A digit form that passes Luhn has a one inside, which the model leaves out.
  .filter(
    (n) =>
      new Set(n).size > 2 && pan(`9${'0'.repeat(10)}${n.slice(-4, -1)}`.padEnd(15, '0'), 16) !== '',
  )
const words = fc.constantFrom(
  'hello',
  'x',
  '',
  ' ',
  'a\nb',
  '"quoted"',
  'back\\slash',
  'tab\there',
  'zażółć',
  'карта',
  '日本',
  '😀',
  '{',
  '[',
  'in 2024',
  '12 of 345',
  '{not json}',
  '[1, 2',
  '\u00a0',
  'a\u200bb',
  '-',
  '+',
  '\\u0034',
  'C:\\new',
)
const plain: fc.Arbitrary<Part> = fc
  .oneof(words, fc.integer({ min: -99_999, max: 99_999 }), fc.boolean(), fc.constant(null))
  .map((clear) => ({ clear, masked: clear, secrets: [] }))
const grouping = fc.constantFrom<[number[], string]>(
  [[16], ''],
  [[4, 4, 4, 4], ' '],
  [[4, 4, 4, 4], '-'],
  [[4, 4, 4, 4], '\u00a0'],
  [[4, 4, 4, 4], '\u2009'],
)
const inText: fc.Arbitrary<Part> = fc
  .tuple(
    number,
    grouping,
    fc.constantFrom('', 'see ', 'карта ', '"', 'line\n', '('),
    fc.constantFrom('', ' now', '\n', '"', ')', ', thanks', ' спасибо'),
  )
  .map(([n, [sizes, by], before, behind]) => ({
    clear: before + cut(n, sizes, by) + behind,
    masked: before + cut(stars(n), sizes, by) + behind,
    secrets: [n],
  }))
const asNumber: fc.Arbitrary<Part> = number
  .filter((n) => Number(n) < Number.MAX_SAFE_INTEGER)
  .map((n) => ({ clear: Number(n), masked: form(n), secrets: [n] }))
const leaf = fc.oneof({ weight: 3, arbitrary: plain }, inText, asNumber)
const verification: fc.Arbitrary<Part> = fc
  .integer({ min: 100, max: 999 })
  .chain((v) =>
    fc.constantFrom<Part>(
      { clear: String(v), masked: '***', secrets: [] },
      { clear: v, masked: 0, secrets: [] },
    ),
  )
const cardColumn: fc.Arbitrary<Part> = fc
  .stringMatching(/^[1-8][0-9]{15}$/)
  .map((n) => ({ clear: n, masked: stars(n), secrets: [n] }))

const neutral = ['id', 'name', 'note', 'when', 'amount', 'zażółć', 'a"b', 'tab\t'] as const
/** Rows with the same keys in the same order, as databases give them. */
const rows = (cell: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...neutral, 'cvv', 'pan'), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
    )
    .chain(([keys, count]) =>
      fc
        .array(
          fc.tuple(
            ...keys.map((key) =>
              key === 'cvv' ? verification : key === 'pan' ? cardColumn : cell,
            ),
          ),
          { minLength: count, maxLength: count },
        )
        .map((list) => joined(list.map((cells) => record(keys, cells)))),
    )
function record(keys: readonly string[], cells: readonly Part[]): Part {
  const pick = (of: 'clear' | 'masked'): Value =>
    Object.fromEntries(keys.map((key, i) => [key, cells[i]?.[of] ?? null]))
  return { clear: pick('clear'), masked: pick('masked'), secrets: cells.flatMap((c) => c.secrets) }
}
function joined(list: readonly Part[]): Part {
  return {
    clear: list.map((p) => p.clear),
    masked: list.map((p) => p.masked),
    secrets: list.flatMap((p) => p.secrets),
  }
}
/** JSON in a string, in a spelling of its own; escapes in it are told apart by `style`. */
const quoted = (part: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc.tuple(part, fc.constantFrom(0, 2), fc.boolean()).map(([p, indent]) => ({
    clear: JSON.stringify({ inner: p.clear }, null, indent),
    masked: JSON.stringify({ inner: p.masked }, null, indent),
    secrets: p.secrets,
  }))
const tree = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    rows(leaf),
    fc.array(tie('part'), { maxLength: 4 }).map(joined),
    quoted(tie('part')),
    rows(tie('part')),
  ),
})).part

/** Writes JSON with some characters as escapes and some white space, drawn from `seed`. */
function spell(value: Value, seed: () => number): string {
  const gap = (): string => ['', '', ' ', '\n  '][Math.floor(seed() * 4)] ?? ''
  if (typeof value === 'string') {
    const chars = Array.from(value).map((c) => {
      const isEscaped = seed() < 0.05
      if (!isEscaped) return JSON.stringify(c).slice(1, -1)
      return c
        .split('')
        .map((u) => `\\u${u.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('')
    })
    return `"${chars.join('')}"`
  }
  if (Array.isArray(value)) return `[${gap()}${value.map((v) => spell(v, seed)).join(`,${gap()}`)}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([k, v]) => `${JSON.stringify(k)}:${gap()}${spell(v, seed)}`,
    )
    return `{${gap()}${members.join(`,${gap()}`)}${gap()}}`
  }
  return JSON.stringify(value)
}
function draws(seed: number): () => number {
  let state = seed | 1
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}
/** The values of a document with JSON in strings read as well, so that spelling does not count. */
function read(value: unknown): unknown {
  if (typeof value === 'string' && /^[{[]/.test(value)) {
    try {
      return { json: read(JSON.parse(value)) }
    } catch {
      return value
    }
  }
  if (Array.isArray(value)) return value.map(read)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, read(v)]))
}
/** Zero-padded and Luhn-passing forms differ by a one at the fourth digit. */
const alike = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/\b9001(0{8}\d{4})\b/g, '9000$1')

const runs = { numRuns: 400 }
function answer(
  part: Part,
  seed: number,
): { before: Buffer; kept: string; bytes: Uint8Array; count: number } {
  const body = spell({ content: part.clear } as Value, draws(seed))
  const before = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${body}}`)
  const { kept, maskings } = masker.answer(readJson(before, limits), plan, 'x')
  return {
    before,
    kept: Buffer.from(kept.value).toString(),
    bytes: kept.value,
    count: maskings.count,
  }
}

test('every document keeps its shape and becomes what the model says', () => {
  const property = fc.property(tree, fc.nat(), (part, seed) => {
    const { kept } = answer(part, seed)
    const got: unknown = JSON.parse(kept).result.content
    assert.equal(alike(read(got)), alike(read(part.masked)))
    const flat = kept.replaceAll(/[\s\u00a0\u2009-]/g, '')
    for (const secret of part.secrets) assert.ok(!flat.includes(secret), 'a number stands in clear')
  })
  fc.assert(property, runs)
})
test('masking twice is masking once, and the same input gives the same output', () => {
  const property = fc.property(tree, fc.nat(), (part, seed) => {
    const { before, bytes } = answer(part, seed)
    const again = masker.answer(readJson(bytes, limits), plan, 'x')
    assert.deepEqual(Buffer.from(again.kept.value), Buffer.from(bytes))
    const repeated = masker.answer(readJson(Buffer.from(before), limits), plan, 'x')
    assert.deepEqual(Buffer.from(repeated.kept.value), Buffer.from(bytes))
  })
  fc.assert(property, runs)
})
test('outside of digits every byte is the same, where nothing was escaped', () => {
  const property = fc.property(tree, (part) => {
    const before = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(part.clear)}}`)
    if (before.includes('\u00a0') || before.includes('\u2009')) return
    const { kept } = masker.answer(readJson(before, limits), plan, 'x')
    assert.equal(kept.value.length, before.length)
    for (let i = 0; i < before.length; i++) {
      const isDigit = ((before[i] ?? 0) ^ 48) < 10
      if (!isDigit) assert.equal(kept.value[i], before[i])
    }
  })
  fc.assert(property, runs)
})
test('every masking has a pointer that leads to a masked value', () => {
  const property = fc.property(rows(leaf), fc.nat(), (part, seed) => {
    const text = JSON.stringify({ rows: part.clear }, null, seed % 3)
    const before = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text } }))
    const { kept, maskings } = masker.answer(readJson(before, limits), plan, 'x')
    const inner = JSON.parse(JSON.parse(Buffer.from(kept.value).toString()).result.text)
    for (const { at, last4 } of maskings.list()) {
      const [outer, path = ''] = at.split('#')
      assert.equal(outer, '/result/text')
      const keys = path
        .split('/')
        .slice(1)
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
      const value: unknown = keys.reduce((v, key) => v[key], inner)
      assert.match(
        String(value),
        last4 === undefined ? /^(\*{3}|0)$/ : new RegExp(last4.split('').join('.?')),
      )
    }
    const each = maskings.groups().flatMap((g) => g.each)
    assert.equal(each.length, maskings.count)
  })
  fc.assert(property, runs)
})
test('any bytes at all pass through as text without a crash, and without a number', () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map((b) => Buffer.from(b)),
    number.map((n) => Buffer.from(` ${n} `)),
    fc
      .constantFrom(
        '\\u00',
        '\\',
        '"',
        '{"a":"',
        '[1,',
        '\u00ad',
        '\\ud835',
        'cvv',
        ';',
        '=2512',
        '^',
        '%B',
        '~',
      )
      .map((t) => Buffer.from(t)),
  )
  const property = fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
    const { shown } = masker.text(Buffer.concat(chunks), plan)
    const again = masker.text(shown.bytes, plan)
    assert.deepEqual(Buffer.from(again.shown.bytes), Buffer.from(shown.bytes))
  })
  fc.assert(property, { numRuns: 1500 })
})
