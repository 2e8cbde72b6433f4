/**
 * A small draw of the detection corpus (docs/detection.md) through the real command: two corpora,
 * one always the same, one of today. Each has other numbers, words and places than the table's.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { makeCorpus } from '../bench/detect/corpus.ts'
import type { Case } from '../bench/detect/corpus.ts'
import { families } from '../bench/detect/families/all.ts'
import { judge } from '../bench/detect/judge.ts'
import { faultKinds, runOurs } from '../bench/detect/ours.ts'
import type { Ours } from '../bench/detect/ours.ts'
import type { Scene } from '../bench/detect/scene.ts'
import { familyGoal, goals, groups, rate, tallyFamily, tallyGroup } from '../bench/detect/tally.ts'

const casesOfEach = 3
const fixedSeed = 11
const todaysSeed = Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''))
const draw = (seed: number): Case[] => makeCorpus(families, seed, families.length * casesOfEach)

const fixed = draw(fixedSeed)
const today = draw(todaysSeed)
let ours: Ours
before(async () => {
  ours = await runOurs([...fixed, ...today])
})

/** How to see the cases behind a failure. */
const hint = (seed: number, family = ''): string =>
  `npm run bench:detect -- --ours --seed ${seed} --cases ${fixed.length}${family && ` --family "${family}"`} --failures 3`

for (const group of groups) {
  const goal = goals[group]
  const word = group === 'negative' ? `at most ${goal} % touched` : `at least ${goal} % found`
  test(`of the ${group} cases ${word}`, () => {
    const value = rate(tallyGroup(ours.judged, group), group)
    const where = `${value.toFixed(2)} %: ${hint(fixedSeed)}, and with --seed ${todaysSeed}`
    assert.ok(group === 'negative' ? value <= goal : value >= goal, where)
  })
}

test(`each family by itself reaches ${familyGoal} % in the corpus that is always the same`, () => {
  const judged = ours.judged.filter(({ one }) => one.id.startsWith(`${fixedSeed}/`))
  const low = families
    .filter(({ group }) => group !== 'negative')
    .filter((family) => rate(tallyFamily(judged, family), family.group) < familyGoal)
    .map(({ name }) => name)
  assert.deepEqual(low, [], hint(fixedSeed, low.join(';')))
})

test('no family falls to half in the corpus of today', () => {
  // With few cases of each family a bar of 95 % would be crossed by chance, on some days.
  const judged = ours.judged.filter(({ one }) => one.id.startsWith(`${todaysSeed}/`))
  const low = families
    .filter(({ group }) => group !== 'negative')
    .filter((family) => rate(tallyFamily(judged, family), family.group) <= 50)
    .map(({ name }) => name)
  assert.deepEqual(low, [], hint(todaysSeed, low.join(';')))
})

for (const kind of Object.keys(faultKinds) as (keyof typeof faultKinds)[]) {
  test(`of no message it is true that ${faultKinds[kind]}`, () => {
    assert.deepEqual(ours.faults[kind], [])
  })
}

test('a family whose message lacks its secret, or shows it twice, cannot be drawn', () => {
  const lacking = (scene: Scene): string => JSON.stringify({ card: scene.pan().slice(0, 6) })
  const twice = (scene: Scene): string => {
    const cvv = scene.cvv()
    return JSON.stringify({ cvv, count: scene.isIdeal ? scene.secrets[0]?.digits : cvv })
  }
  for (const build of [lacking, twice]) {
    assert.throws(() => makeCorpus([{ name: 'ill', group: 'sad', build }], 1, 1), /well posed/)
  }
})

test('the same seed draws the same corpus, another seed another one', () => {
  assert.deepEqual(draw(fixedSeed), fixed)
  assert.notDeepEqual(
    today.map(({ message }) => message),
    fixed.map(({ message }) => message),
  )
})

/** A case of one family by hand. */
const caseOf = (message: string, secrets: Case['secrets'], keeps: Case['keeps'] = []): Case => ({
  id: 'by hand',
  family: 'by hand',
  group: 'core',
  message,
  secrets,
  keeps,
})
const digits = '9'.repeat(3) + '1234567' + '000000'
const hidden = caseOf(`{"card":"${digits}","n":1}`, [{ kind: 'pan', digits }])
const bad: readonly [what: string, output: string | undefined][] = [
  ['no answer', undefined],
  ['the message itself', hidden.message],
  ['seven digits left', `{"card":"***${digits.slice(3, 10)}******","n":1}`],
  ['digits with spaces', `{"card":"${Array.from(digits).join(' ')}","n":1}`],
  [
    'digits as entities',
    `{"card":"${Array.from(digits, (d) => `&#${48 + Number(d)};`).join('')}","n":1}`,
  ],
  [
    'digits in base64',
    `{"card":"${Buffer.from(`card ${digits} is it`).toString('base64')}","n":1}`,
  ],
  ['digits percent by percent', `{"card":"${Array.from(digits, (d) => `%3${d}`).join('')}","n":1}`],
  [
    'digits of another script',
    `{"card":"${digits.replaceAll(/\d/g, (d) => String.fromCodePoint(0x966 + Number(d)))}","n":1}`,
  ],
  ['digits over two texts', `[{"text":"x ${digits.slice(0, 8)}"},{"text":"${digits.slice(8)}"}]`],
]
for (const [what, output] of bad) {
  test(`the judge does not take ${what} for a masked number`, () => {
    assert.deepEqual(judge(hidden, output).found, [false])
  })
}
test('the judge takes the last four, and the first six, for masked', () => {
  for (const rest of ['000000', digits.slice(0, 6)]) {
    const output = `{"card":"${rest}******${digits.slice(-4)}","n":1}`
    assert.deepEqual(judge(hidden, output), {
      found: [true],
      isUntouched: false,
      isSameShape: true,
      lost: [],
    })
  }
})
test('the judge sees a lost or new member, another type, another width and a lost neighbour', () => {
  const stars = '*'.repeat(16)
  for (const output of [
    `{"card":"${stars}"}`,
    `{"card":"${stars}","n":1,"m":1}`,
    `{"card":"${stars}","n":"1"}`,
    `{"card":"${stars}*","n":1}`,
    `{"card":"${stars}","n":12}`,
    `{"card":${stars},"n":1}`,
  ]) {
    assert.equal(judge(hidden, output).isSameShape, false, output)
  }
  const kept = caseOf(`{"a":"order 77"}`, [], ['order 77'])
  assert.deepEqual(judge(kept, '{"a":"order **"}').lost, ['order 77'])
})
test('a verification value is gone when it stands nowhere by itself', () => {
  const one = caseOf('{"cvv":"417","n":4170}', [{ kind: 'cvv', digits: '417' }])
  assert.deepEqual(judge(one, '{"cvv":"***","n":4170}').found, [true])
  assert.deepEqual(judge(one, '{"cvv": "417","n":4170}').found, [false])
  assert.deepEqual(judge(one, '{"cvv":"***","n":417}').found, [false])
})
