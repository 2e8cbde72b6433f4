import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { broken, grouped, needy, pan, published } from '../../tests/cards.ts'
import { readCard } from './cards.ts'
import { batchesOf, entryOf } from './log.fixture.ts'
import { parseQuery } from './parse.ts'
import { printQuery, withCard } from './query.ts'
import { RecordIndex } from './record-index.ts'
import type { IndexedEntry } from './fold.ts'
import type { Query } from './query.ts'

const startUs = Date.parse('2026-11-30T23:59:50Z') * 1000
const token = (n: number): Buffer => Buffer.from(`token number ${n}....`.slice(0, 17))
const all: Query = { kind: 'all' }
const on = { isReadOnly: false, indexOutputs: false, cardSearch: true }

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-card-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Three calls, a second between two entries: of the first the end falls into the next month. */
function calls(): IndexedEntry[] {
  const said: readonly [call: string, type: string, tokens: number[]][] = [
    ['a', 'call.received', [1]],
    ['b', 'call.received', []],
    ['b', 'response.event', [2, 3]],
    ['b', 'call.finished', []],
    ['c', 'call.denied', [4]],
    ['', 'session.opened', []],
    ['a', 'response.event', [2]],
    ['a', 'response.event', [2, 1]],
    ['a', 'call.finished', []],
  ]
  return said.map(([call, type, tokens], i) => {
    const us = startUs + (i < 6 ? i : i + 10) * 1_000_000
    const exchange = call === '' ? undefined : `ex_${call}`
    const target = { kind: 'tool', name: `tool_${call}` }
    const entry = entryOf(i, us, { type, exchange, target }, { method: 'tools/call' })
    return { ...entry, tokens: () => tokens.map(token) }
  })
}

function filled(dir: string, options = on, sizes = [2]): RecordIndex {
  const index = RecordIndex.open(dir, options)
  for (const batch of batchesOf(calls(), sizes)) index.add([batch])
  return index
}

/** The exchanges that a query finds, in order. */
function exchanges(index: RecordIndex, query: Query): (string | undefined)[] {
  const { items, total } = index.search(query, { order: 'oldest' })
  assert.equal(total, items.length)
  return items.map(({ exchange }) => exchange)
}

for (const sizes of [[1], [2], [9]]) {
  test(`calls are found by the tokens of their messages, in batches of ${sizes[0]}`, (t) => {
    const index = filled(folder(t), on, sizes)
    const found = (n: number, query: Query = all): unknown =>
      exchanges(index, withCard(query, token(n)))
    assert.deepEqual(found(1), ['ex_a'])
    assert.deepEqual(found(2), ['ex_a', 'ex_b'], 'in what was answered later, too')
    assert.deepEqual(found(4), ['ex_c'], 'refused')
    assert.deepEqual(found(5), [])
    assert.deepEqual(found(2, parseQuery('tool:tool_b', startUs)), ['ex_b'])
    assert.deepEqual(found(2, parseQuery('-tool:tool_b call', startUs)), ['ex_a'])
    assert.deepEqual(found(2, parseQuery('tool:tool_b OR tool:tool_c', startUs)), ['ex_b'])
    assert.deepEqual(found(2, parseQuery('to:2026-11-30T23:59:50', startUs)), ['ex_a'])
    const other: Query = { kind: 'not', of: withCard(all, token(2)) }
    assert.ok(exchanges(index, other).includes('ex_c'))
    index.close()
  })
}

test('no token is kept unless that is asked for, and when the setting changes all is made anew', (t) => {
  const dir = folder(t)
  filled(dir).close()
  const without = RecordIndex.open(dir, { isReadOnly: false, indexOutputs: false })
  assert.deepEqual(without.months(), [], 'what was made with tokens is gone')
  for (const batch of batchesOf(calls(), [9])) without.add([batch])
  assert.deepEqual(exchanges(without, withCard(all, token(2))), [])
  assert.equal(exchanges(without, all).length, 4)
  assert.ok(!hasBytes(dir, token(2)))
  without.close()
  const again = RecordIndex.open(dir, on)
  assert.deepEqual(again.months(), [])
  again.close()
})

test('tokens go with the text of their month, and leave no byte', (t) => {
  const dir = folder(t)
  const index = filled(dir)
  assert.ok(hasBytes(dir, token(1)), 'they were there')
  index.forgetText('2026-11')
  for (const n of [1, 2, 3, 4]) {
    assert.deepEqual(exchanges(index, withCard(all, token(n))), [])
    assert.ok(!hasBytes(dir, token(n)), 'in no file')
  }
  assert.equal(exchanges(index, all).length, 4)
  index.close()
})

test('what comes for a month whose text is gone brings no tokens back', (t) => {
  const index = RecordIndex.open(folder(t), on)
  const [first, ...others] = batchesOf(calls(), [6])
  assert.ok(first)
  index.add([first])
  index.forgetText('2026-11')
  index.add(others)
  assert.deepEqual(exchanges(index, withCard(all, token(2))), [])
  index.close()
})

function hasBytes(dir: string, bytes: Buffer): boolean {
  return readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes(bytes))
}

test('no text spells a card: what prints as one is refused', () => {
  const query = withCard(parseQuery('tool:x', 0), token(1))
  assert.equal(query.kind, 'and')
  assert.throws(() => parseQuery(printQuery(query), 0), { code: 'bad_params' })
  assert.throws(() => parseQuery(pan(4, 16), 0), /full card number/)
  assert.equal(withCard(all, token(1)).kind, 'card')
})

const visa = pan(4, 16)
const typed: readonly [what: string, text: string][] = [
  ['as it is', visa],
  ['with blanks around', ` \t${visa} `],
  ['in groups', grouped(visa, [4, 4, 4, 4], ' ')],
  ['with dashes', grouped(visa, [4, 4, 4, 4], '-')],
  ['with odd groups and signs', grouped(visa, [1, 5, 3, 7], ' – ')],
  [
    'in digits of another script',
    visa.replace(/\d/g, (d) => String.fromCodePoint(0x966 + Number(d))),
  ],
  ['in wide digits', visa.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)))],
]
for (const [what, text] of typed) {
  test(`a card number typed ${what} is read`, () => assert.equal(readCard(text), visa))
}
test('numbers of every brand are read', () => {
  for (const [brand, number] of [...published, ...needy])
    assert.equal(readCard(number), number, brand)
})

test('a number without a check digit is read where its issuer has such', () => {
  assert.equal(readCard(broken(pan(62, 16))), broken(pan(62, 16)))
})

const wrong: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['a wrong check digit', broken(visa)],
  ['too few digits', visa.slice(0, 11)],
  ['too many digits', `${visa}${visa}`],
  ['words besides', `card ${visa}`],
  ['two lines', `${visa}\n${visa}`],
  ['one digit over and over', '0'.repeat(16)],
  ['no issuer’s range', pan('1', 16)],
  ['a very long text', `${visa}${' '.repeat(200)}1`],
]
for (const [what, text] of wrong) {
  test(`${what} is no card number`, () => assert.equal(readCard(text), undefined))
}
