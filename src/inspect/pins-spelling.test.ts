import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalize } from '../tlog/canonical.ts'
import { readJson } from '../wire/json.ts'
import { spell } from './pins-spelling.ts'

function spelt(text: string, indent = 0): string {
  const tree = readJson(Buffer.from(text), { bytesMax: 1_000_000, depthMax: 500 })
  return spell(tree, tree.root, indent)
}

const same: readonly [what: string, one: string, other: string][] = [
  ['the order of keys', '{"a":1,"b":2}', '{"b":2,"a":1}'],
  ['blanks', '{"a":[1,2]}', ' { "a" : [ 1 , 2 ] } '],
  ['escapes', '"A/é"', String.raw`"\u0041\/\u00e9"`],
  ['the case of half a surrogate’s escape', String.raw`"\ud83d"`, String.raw`"\uD83D"`],
  ['how an integer is written', '[100,1]', '[1e2,1.0]'],
  ['how a fraction is written', '0.5', '5e-1'],
]
for (const [what, one, other] of same) {
  test(`${what} does not count`, () => assert.equal(spelt(one), spelt(other)))
}

const apart: readonly [what: string, one: string, other: string][] = [
  ['one blank in a text', '"a b"', '"a  b"'],
  ['a mark without width', '"ab"', '"a\u200bb"'],
  ['a tag character', '"ab"', '"a\u{e0041}b"'],
  ['composed and decomposed letters', '"\u00e9"', '"e\u0301"'],
  ['the order of elements', '[1,2]', '[2,1]'],
  ['integers beyond 2^53', '9007199254740993', '9007199254740992'],
  ['an integer and its digits as text', '9007199254740993', '"9007199254740993"'],
  ['fractions a double cannot tell apart', '0.1', '0.1000000000000000055'],
  ['numbers beyond every double', '1e400', '1e401'],
  ['numbers below every double', '1e-400', '0'],
  ['half a surrogate pair', String.raw`"\ud83d"`, String.raw`"\ud83e"`],
  ['half a surrogate pair, and its escape as text', String.raw`"\ud83d"`, String.raw`"\\ud83d"`],
  ['nothing and an empty text', 'null', '""'],
  ['a key that an object of JavaScript has', '{"__proto__":1}', '{}'],
]
for (const [what, one, other] of apart) {
  test(`${what} counts`, () => assert.notEqual(spelt(one), spelt(other)))
}

test('what RFC 8785 has a spelling for is spelt as it says', () => {
  const numbers = fc.oneof(fc.integer(), fc.constantFrom(0.5, 1e21, 1e-7, -0, 123.456))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      numbers,
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key.isWellFormed()),
      tie('value'),
      { maxKeys: 5 },
    ),
  }))
  fc.assert(
    fc.property(value, (any) => {
      assert.equal(spelt(JSON.stringify(any)), canonicalize(JSON.parse(JSON.stringify(any))))
      assert.equal(
        spelt(spelt(JSON.stringify(any), 2)),
        canonicalize(JSON.parse(JSON.stringify(any))),
      )
    }),
  )
})

test('the form for people has one member a line', () => {
  assert.equal(spelt('{"b":[1,{}],"a":[]}', 2), '{\n  "a": [],\n  "b": [\n    1,\n    {}\n  ]\n}')
})
