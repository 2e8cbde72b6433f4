/** Conditions of which not everything is known: three values, and what is known settles what it can. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { configOf, factsOf, statement } from './facts.fixture.ts'
import { compileRules } from './rules.ts'

const facts = factsOf([statement({ returns_cardholder_data: true, limit: 5 })])
const exposure = new Set(['exposure'])

function answerTo(when: string, unknown: ReadonlySet<string> = exposure): string {
  const rules = compileRules(configOf(`rules:\n  - { name: a, when: '${when}', effect: hold }`))
  return rules.explain('shop', facts, unknown).rules[0]?.answer ?? ''
}

const asked: readonly [when: string, answer: string][] = [
  ['exposure.clear > 5', 'unknown'],
  ['exposure.clear > 5 && call.tool == "other"', 'false'],
  ['exposure.clear > 5 && call.tool == "execute_sql"', 'unknown'],
  ['exposure.clear > 5 || call.tool == "execute_sql"', 'true'],
  ['exposure.clear > 5 || call.tool == "other"', 'unknown'],
  ['call.kind == "tool" && (exposure.clear > 5 || call.tool == "execute_sql")', 'true'],
  ['call.kind == "tool" && (exposure.clear > 5 && call.tool == "other")', 'false'],
  ['(exposure.clear > 5 && call.tool == "other") || call.kind == "prompt"', 'false'],
  ['(exposure.clear > 5 && call.tool == "other") || call.kind == "tool"', 'true'],
  ['(exposure.clear > 5 || call.tool == "other") && call.kind == "tool"', 'unknown'],
  ['!(exposure.clear > 5)', 'unknown'],
  ['sql.exists(s, s.limit == exposure.clear)', 'unknown'],
  ['exposure.clear > 5 && call.arguments.amount > 1', 'unknown'],
  ['exposure.clear > 5 || call.arguments.amount > 1', 'unknown'],
  ['call.tool == "other" && call.arguments.amount > 1', 'false'],
  ['call.arguments.amount > 1', 'fault'],
]
for (const [when, answer] of asked) {
  test(`where exposure is not known, ${when} is ${answer}`, () => {
    assert.equal(answerTo(when), answer)
  })
}
test('who looks at a whole looks at its parts, and at nothing else', () => {
  const when = 'has(call.arguments.a)'
  assert.equal(answerTo(when, new Set(['call'])), 'unknown')
  assert.equal(answerTo(when, new Set(['call.arguments'])), 'unknown')
  assert.equal(answerTo(when, new Set(['call.bytes', 'callers'])), 'false')
})
test('the parts tell which of them is not known', () => {
  const rules = compileRules(
    configOf(
      `rules:\n  - { name: a, when: 'call.kind == "tool" && (exposure.clear > 5 || call.tool == "x")', effect: hold }`,
    ),
  )
  const [, part] = rules.explain('shop', facts, exposure).rules[0]?.parts ?? []
  assert.deepEqual(
    part?.any?.map(({ answer, text }) => [text, answer]),
    [
      ['exposure.clear > 5', 'unknown'],
      ['call.tool == "x"', 'false'],
    ],
  )
})

type Tree = { readonly op: '&&' | '||'; readonly of: readonly Tree[] } | 'yes' | 'no' | 'unknown'
const leaf = fc.constantFrom<Tree>('yes', 'no', 'unknown')
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({
      op: fc.constantFrom('&&' as const, '||' as const),
      of: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}))
const spelt = {
  yes: 'call.kind == "tool"',
  no: 'call.kind == "task"',
  unknown: 'exposure.clear > 0',
}

function textOf(of: Tree): string {
  return typeof of === 'string' ? spelt[of] : `(${of.of.map(textOf).join(` ${of.op} `)})`
}

/** The value where every unknown leaf has this one. */
function valueOf(of: Tree, unknown: boolean): boolean {
  if (typeof of === 'string') return of === 'unknown' ? unknown : of === 'yes'
  const all = of.of.map((one) => valueOf(one, unknown))
  return of.op === '&&' ? all.every(Boolean) : all.some(Boolean)
}

test('unknown is what may be either: such conditions only grow with what they look at', () => {
  fc.assert(
    fc.property(tree, (of) => {
      const [least, most] = [valueOf(of, false), valueOf(of, true)]
      assert.equal(answerTo(textOf(of)), least === most ? String(least) : 'unknown')
    }),
    { numRuns: 150 },
  )
})
