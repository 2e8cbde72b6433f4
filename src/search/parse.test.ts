import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { grouped, pan, published } from '../../tests/cards.ts'
import { Fault } from '../base/fault.ts'
import { compareFields, wordFields } from './fields.ts'
import { depthMax, parseQuery, queryLengthMax, termsMax } from './parse.ts'
import { printQuery } from './query.ts'
import type { Query } from './query.ts'

const nowUs = Date.parse('2026-11-21T12:00:00Z') * 1000
const iso = (us: number): string => new Date(us / 1000).toISOString()

/** What the fault of a bad query carries; `at` is undefined where no place is told. */
function faultOf(text: string): { code: string; at: unknown; reason: unknown; message: string } {
  try {
    parseQuery(text, nowUs)
  } catch (error) {
    assert.ok(error instanceof Fault)
    const { code, facts, message } = error
    return { code, at: facts['position'], reason: facts['reason'], message }
  }
  return assert.fail('the query was taken')
}

const bad: readonly [what: string, text: string, at: number, expected: RegExp][] = [
  ['a quote without its end', 'a "b', 2, /quote has no end/],
  ['a quote that ends in a backslash', '"a\\"', 0, /quote has no end/],
  ['a parenthesis that is not closed', 'a (b OR c', 2, /not closed/],
  ['a parenthesis that was not opened', 'a b)', 3, /not opened/],
  ['an empty pair of parentheses', 'a ()', 3, /is expected here/],
  ['OR at the start', 'OR a', 0, /is expected here/],
  ['OR at the end', 'a OR', 4, /is expected here/],
  ['AND twice', 'a AND AND b', 6, /is expected here/],
  ['NOT of nothing', 'a NOT', 5, /is expected here/],
  ['a minus of nothing', 'a -', 3, /is expected here/],
  ['an unknown field', 'a colour:red', 2, /no field of this name/],
  ['an unknown field that is compared', 'price>5', 0, /no field of this name/],
  ['a field without a value', 'tool:', 5, /value is expected right here/],
  ['a space before the value', 'tool: x', 5, /value is expected right here/],
  ['a comma without a value', 'tool:a,', 7, /value is expected right here/],
  ['an empty value', 'tool:""', 5, /between the quotes/],
  ['two values without a space', 'tool:"a"b', 8, /space or the end/],
  ['a phrase that touches a word', '"a"b', 3, /space or the end/],
  ['a word field that is compared', 'tool>5', 0, /tool has no order/],
  ['a duration without a unit', 'duration>500', 9, /500ms/],
  ['a duration of an unknown unit', 'duration>5y', 9, /500ms/],
  ['a size that is no number', 'bytes>many', 6, /10kb/],
  ['a size with half a byte', 'bytes>0.5', 6, /10kb/],
  ['a count with a unit', 'masked>5kb', 7, /such as 0/],
  ['two figures', 'masked:1,2', 9, /takes one value/],
  ['a month that is none', 'from:2026-13', 5, /takes a time/],
  ['a day that is none', 'from:2026-02-30', 5, /takes a time/],
  ['an hour that is none', 'to:2026-11-21T24:00', 3, /takes a time/],
  ['a time before all times', 'from:-99999w', 5, /takes a time/],
  ['a time that is compared', 'from>2026-11-21', 0, /write from:/],
  ['a star in front', '*foo', 0, /star stands only at the end/],
  ['a star amid a word', 'a f*o', 2, /star stands only at the end/],
  ['nothing but signs', 'a %%', 2, /letter or a digit/],
  ['a phrase of nothing but signs', '"--"', 0, /letter or a digit/],
  ['a star behind a sign', 'a-*', 0, /before the star/],
  ['too many stars', 'tool:a*b*c*d*e*f', 5, /at most 4 stars/],
  ['a control character', 'a \u0000 b', 2, /control characters/],
  ['half a character', 'a \ud800', 2, /half characters/],
  ['too much', 'a '.repeat(1100), queryLengthMax, /at most 2000 characters/],
  ['too many terms', 'a '.repeat(termsMax + 1), termsMax * 2, /at most 64 terms/],
  ['too many values', `tool:${'a,'.repeat(termsMax)}a`, 0, /at most 64 terms/],
  ['too deep', `${'('.repeat(1000)}a`, depthMax, /levels deep/],
  ['too many negations', `${'-'.repeat(1000)}a`, depthMax, /levels deep/],
]
for (const [what, text, at, expected] of bad) {
  test(`a query with ${what} is refused, and the place is told`, () => {
    const fault = faultOf(text)
    assert.match(fault.message, expected)
    assert.deepEqual([fault.code, fault.reason, fault.at], ['bad_params', 'query_bad', at])
    assert.match(fault.message, new RegExp(`at character ${at + 1}:`))
  })
}

test('no message repeats what was typed', () => {
  for (const text of [
    '(zebra',
    'zebra:1',
    '"zebra',
    'tool:zebra,',
    'duration>zebra',
    'from:zebra',
  ]) {
    assert.doesNotMatch(faultOf(text).message, /zebra/)
  }
})

const card = pan('4', 16)
const cards: readonly [how: string, text: string][] = [
  ['alone', card],
  ['amid words', `refund ${card} please`],
  ['in groups', grouped(card, [4, 4, 4, 4], ' ')],
  ['with dashes', grouped(card, [4, 4, 4, 4], '-')],
  ['in a phrase', `"${grouped(card, [4, 4, 4, 4], ' ')}"`],
  ['in phrases side by side', `"${grouped(card, [8, 8], '" "')}"`],
  ['as a value', `tool:${card}`],
  ['as a figure', `bytes>${card}`],
  ['with its month behind it', `${grouped(card, [4, 4, 4, 4], ' ')} 12 29`],
  ['with a number before it', `2026 ${grouped(card, [4, 4, 4, 4], ' ')}`],
  ['as the start of a word', `${card}*`],
  ['in fullwidth digits', card.replace(/\d/g, (d) => String.fromCharCode(0xff10 + Number(d)))],
  ['in Arabic digits', card.replace(/\d/g, (d) => String.fromCharCode(0x0660 + Number(d)))],
  ['in a query that is bad anyway', `(${card}`],
  ...published.map(([brand, number]) => [`of ${brand}`, number] as [string, string]),
]
for (const [how, text] of cards) {
  test(`a card number ${how} is refused and not said again`, () => {
    const fault = faultOf(text)
    assert.deepEqual([fault.code, fault.reason, fault.at], ['bad_params', 'query_card', undefined])
    assert.doesNotMatch(fault.message, /\d{4}/)
  })
}
test('what only looks a little like a card number is taken', () => {
  for (const text of ['1111', `${card.slice(0, 11)}*`, `${card}${card}`, '2026-11-21 10.0.0.1']) {
    parseQuery(text, nowUs)
  }
  parseQuery(`************${card.slice(-4)}`, nowUs)
})

const good: readonly [text: string, plain: string][] = [
  ['', ''],
  ['  \n ', ''],
  ['select', '"select"'],
  ['select cards', '"select" "cards"'],
  ['select AND cards', '"select" "cards"'],
  ['a OR b c', '"a" OR "b" "c"'],
  ['(a OR b) c', '("a" OR "b") "c"'],
  ['a (b c)', '"a" "b" "c"'],
  ['-a', '-"a"'],
  ['NOT a', '-"a"'],
  ['NOT -a', '"a"'],
  ['-(a b)', '-("a" "b")'],
  ['"from cards"', '"from cards"'],
  ['"a \\" b \\\\"', '"a \\" b \\\\"'],
  ['card*', 'card*'],
  ['************1111', '"************1111"'],
  ["o'brien", '"o\'brien"'],
  ['andy ORDER', '"andy" "ORDER"'],
  ['and or not', '"and" "or" "not"'],
  ['tool:x', 'tool:"x"'],
  ['TOOL:x', 'tool:"x"'],
  ['tool=x', 'tool:"x"'],
  ['tool:exec*', 'tool:exec*'],
  ['tool:"exec*"', 'tool:"exec*"'],
  ['tool:**', 'tool:*'],
  ['outcome:ok,"tool error"', 'outcome:"ok","tool error"'],
  ['-tool:x', '-tool:"x"'],
  ['(tool:x)', 'tool:"x"'],
  ['principal:https://issuer.example', 'principal:"https://issuer.example"'],
  ['ip:2001:db8::1', 'ip:"2001:db8::1"'],
  ['duration>500ms', 'duration>500000us'],
  ['duration:>=1.5s', 'duration>=1500000us'],
  ['duration<2m', 'duration<120000000us'],
  ['bytes>=10kb', 'bytes>=10000'],
  ['bytes<1.5MiB', 'bytes<1572864'],
  ['masked>0', 'masked>0'],
  ['masked:3', 'masked=3'],
  ['from:2026-11-01', 'from:2026-11-01T00:00:00.000000Z'],
  ['from:2026-11', 'from:2026-11-01T00:00:00.000000Z'],
  ['to:2026-11', 'to:2026-11-30T23:59:59.999999Z'],
  ['to:2026-11-21', 'to:2026-11-21T23:59:59.999999Z'],
  ['to:2026-11-21T10:00', 'to:2026-11-21T10:00:59.999999Z'],
  ['to:2026-11-21T10:00:05', 'to:2026-11-21T10:00:05.999999Z'],
  ['to:2026-11-21T10:00:05.25', 'to:2026-11-21T10:00:05.259999Z'],
  ['from:2026-11-21T10:00+02:00', 'from:2026-11-21T08:00:00.000000Z'],
  ['from:-7d', 'from:2026-11-14T12:00:00.000000Z'],
  ['from:now', 'from:2026-11-21T12:00:00.000000Z'],
  ['to:-90m', 'to:2026-11-21T10:30:00.000000Z'],
]
for (const [text, plain] of good) {
  test(`${text === '' ? 'nothing' : text} means ${plain}`, () => {
    assert.equal(printQuery(parseQuery(text, nowUs)), plain)
  })
}

test('to: is all of what it names, and from: begins with it', () => {
  const day = parseQuery('from:2026-02-28 to:2026-02-28', nowUs)
  assert.ok(day.kind === 'and')
  const [from, until] = day.of
  assert.ok(from?.kind === 'from' && until?.kind === 'until')
  assert.equal(iso(from.us), '2026-02-28T00:00:00.000Z')
  assert.equal(iso(until.us), '2026-03-01T00:00:00.000Z')
})

const letters = fc.stringMatching(/^[a-zé_'.@$;:%*"\\()<>, -]{1,12}$/)
const text = letters.filter((value) => /[a-zé]/.test(value))
const leaf: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text, isPrefix: fc.constant(false) }),
  fc.record({
    kind: fc.constant('text' as const),
    text: fc.stringMatching(/^[b-z]{1,8}$/),
    isPrefix: fc.constant(true),
  }),
  fc.record({
    kind: fc.constant('word' as const),
    field: fc.constantFrom(...wordFields),
    any: fc.array(
      fc.oneof(
        letters.map((value) => [value]),
        fc.array(fc.stringMatching(/^[a-z:.-]{0,6}$/), { minLength: 2, maxLength: 5 }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    field: fc.constantFrom(...compareFields),
    order: fc.constantFrom('>' as const, '>=' as const, '<' as const, '<=' as const, '=' as const),
    value: fc.nat({ max: 999_999_999_999 }),
  }),
  fc.record({
    kind: fc.constantFrom('from' as const, 'until' as const),
    us: fc.integer({ min: 1, max: nowUs }),
  }),
)
const tree: fc.Arbitrary<Query> = fc.letrec<{ query: Query; group: Query; not: Query }>((tie) => ({
  group: fc
    .record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('query'), { minLength: 2, maxLength: 3 }),
    })
    .filter(({ kind, of }) => of.every((part) => part.kind !== kind)),
  not: tie('query')
    .filter((of) => of.kind !== 'not')
    .map((of) => ({ kind: 'not', of })),
  query: fc.oneof({ maxDepth: 4, withCrossShrink: true }, leaf, tie('group'), tie('not')),
})).query

/** A pattern whose pieces are all there and nothing between them is spelt with one star. */
function plainest(query: Query): Query {
  if (query.kind === 'and' || query.kind === 'or') return { ...query, of: query.of.map(plainest) }
  if (query.kind === 'not') return { ...query, of: plainest(query.of) }
  if (query.kind !== 'word') return query
  const inner = (pattern: readonly string[]): string[] =>
    pattern.filter((piece, i) => piece !== '' || i === 0 || i === pattern.length - 1)
  return { ...query, any: query.any.map(inner) }
}

test('a printed query says the same when it is read again', () => {
  const same = fc.property(tree, (query) => {
    const printed = printQuery(plainest(query))
    fc.pre(printed.length <= queryLengthMax)
    assert.deepEqual(parseQuery(printed, nowUs), structuredClone(plainest(query)))
  })
  fc.assert(same, { numRuns: 2000 })
})

test('whatever is typed is read or refused by a fault', () => {
  const any = fc.property(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[ab()"*:,<>= \\-]{0,40}$/)),
    (typed) => {
      try {
        const printed = printQuery(parseQuery(typed, nowUs))
        assert.equal(printQuery(parseQuery(printed, nowUs)), printed)
      } catch (error) {
        assert.ok(error instanceof Fault, String(error))
      }
    },
  )
  fc.assert(any, { numRuns: 3000 })
})
