import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Effect } from '../config/policy-types.ts'
import { secretRefsIn } from '../secrets/references.ts'
import { configOf, factsOf, finding, statement } from './facts.fixture.ts'
import { compileRules } from './rules.ts'
import type { Rules } from './rules.ts'
import type { CallFacts, Verdict } from './verdict.ts'

const rules = (list: string, more = ''): Rules => compileRules(configOf(`rules:\n${list}\n${more}`))

/** `judge`, where nobody else is asked. */
function judged(of: Rules, facts: CallFacts = factsOf(), connection = 'shop'): Verdict {
  const verdict = of.judge(connection, facts)
  assert.ok(!(verdict instanceof Promise))
  return verdict
}

const rule = (name: string, when: string, effect: Effect, more = ''): string =>
  `  - { name: ${name}, when: '${when}', effect: ${effect}${more === '' ? '' : `, ${more}`} }`

const failing = 'call.arguments.missing == 1'
const costly = 'call.arguments.l.exists(a, call.arguments.l.exists(b, a == b))'
const long = { l: Array.from({ length: 5000 }, (_, i) => `${i}`) }
const faults: readonly [what: string, when: string, effect: Effect, fault: string][] = [
  ['fails', failing, 'deny', 'no_such_key'],
  ['fails', failing, 'hold', 'no_such_key'],
  ['is no yes or no', 'call.arguments.l', 'deny', 'not_boolean'],
  ['takes too long', costly, 'deny', 'too_costly'],
  ['takes too long', costly, 'hold', 'too_costly'],
]
for (const [what, when, effect, fault] of faults) {
  test(`a rule that ${what} counts as matched where it says ${effect}`, () => {
    const told: string[] = []
    const config = configOf(`rules:\n${rule('broken', when, effect, 'reason: R')}`)
    const of = compileRules(config, { tell: (name, code) => void told.push(`${name} ${code}`) })
    const facts = factsOf()
    const call = { ...facts.call, arguments: () => long }
    for (let i = 0; i < 3; i++) {
      const verdict = judged(of, { ...facts, call })
      assert.equal(verdict.effect, effect)
      assert.deepEqual(verdict.matched, [{ rule: 'broken', effect, reason: 'R', fault }])
    }
    assert.deepEqual(told, [`broken ${fault}`])
  })
}

test('a rule that fails allows nothing', () => {
  const of = rules(`${rule('broken', failing, 'allow', 'mask: true')}`)
  assert.deepEqual(judged(of).matched, [])
  assert.deepEqual(judged(of).duties, {})
})

test('a connection nobody knows is denied', () => {
  assert.equal(judged(rules(rule('a', 'true', 'allow')), factsOf(), 'nowhere').effect, 'deny')
})

test('what the facts cannot be made of is thrown on, not decided', () => {
  const of = rules(rule('a', 'exposure.clear > 3', 'deny'))
  const exposure = (): never => {
    throw new RangeError('lost')
  }
  assert.throws(() => judged(of, factsOf([], { exposure })), RangeError)
})

const ranks: readonly [what: string, effects: readonly Effect[], effect: Effect, first: string][] =
  [
    ['a deny wins over a hold and an allow', ['allow', 'hold', 'deny'], 'deny', 'r2'],
    ['a hold wins over an allow', ['allow', 'hold'], 'hold', 'r1'],
    ['of two the first in the file decides', ['hold', 'hold'], 'hold', 'r0'],
    ['an allow is one', ['allow'], 'allow', 'r0'],
  ]
for (const [what, effects, effect, first] of ranks) {
  test(what, () => {
    const verdict = judged(rules(effects.map((one, i) => rule(`r${i}`, 'true', one)).join('\n')))
    assert.equal(verdict.effect, effect)
    assert.equal(verdict.matched[0]?.rule, first)
    assert.equal(verdict.matched.length, effects.length)
    assert.equal(verdict.hold === undefined, effect !== 'hold')
  })
}

test('a rule for another connection is not asked', () => {
  const of = rules(rule('a', 'true', 'deny', 'connection: "ba*"'))
  assert.equal(judged(of).effect, 'allow')
  assert.equal(judged(of, factsOf(), 'bank').effect, 'deny')
})

test('rules of the configuration come before those of the profile', () => {
  const of = compileRules(
    configOf(`rules:\n${rule('mine', 'true', 'deny', 'reason: Mine.')}`, 'pci'),
  )
  const [found] = [finding({ confidence: 'certain' })]
  const { matched, reason } = judged(of, factsOf([], { findings: [found] }))
  assert.deepEqual(
    matched.map(({ rule: name }) => name),
    ['mine', 'injection'],
  )
  assert.equal(reason, 'Mine.')
})

test('masks, limits and notes of all that matched are joined, the smallest limits', () => {
  const of = rules(
    [
      rule('a', 'true', 'allow', 'mask: true, limit: { rows: 500, bytes: 1KiB }, note: one'),
      rule('b', 'true', 'allow', 'limit: { rows: 50 }, note: two'),
      rule('c', 'false', 'allow', 'limit: { rows: 1, bytes: 1 }, note: three'),
    ].join('\n'),
  )
  assert.deepEqual(judged(of).duties, {
    mask: true,
    limit: { rows: 50, bytes: 1024 },
    notes: ['one', 'two'],
  })
})

const terms: readonly [
  what: string,
  holds: readonly string[],
  reviewers: readonly unknown[],
  expiresMs: number,
][] = [
  ['any approver where nobody is named', [''], [{ who: {}, quorum: 1 }], 900_000],
  ['so many of them', ['quorum: 2'], [{ who: {}, quorum: 2 }], 900_000],
  [
    'the largest quorum of the same people, the shortest time',
    ['reviewers: { role: a }, expires: 5m', 'reviewers: { role: a }, quorum: 2, expires: 1h'],
    [{ who: { role: 'a' }, quorum: 2 }],
    300_000,
  ],
  [
    'all of different people',
    ['reviewers: { role: a }', 'reviewers: { group: b }'],
    [
      { who: { role: 'a' }, quorum: 1 },
      { who: { group: 'b' }, quorum: 1 },
    ],
    900_000,
  ],
  [
    'of several in one rule as well, each with its number',
    ['reviewers: { all: [{ role: a, quorum: 2 }, { group: b }] }, quorum: 1'],
    [
      { who: { role: 'a' }, quorum: 2 },
      { who: { group: 'b' }, quorum: 1 },
    ],
    900_000,
  ],
  [
    'who is named counts as an approver',
    ['', 'reviewers: { role: a }'],
    [{ who: { role: 'a' }, quorum: 1 }],
    900_000,
  ],
  [
    'and more where more are asked for',
    ['quorum: 3', 'reviewers: { role: a }'],
    [
      { who: { role: 'a' }, quorum: 1 },
      { who: {}, quorum: 2 },
    ],
    900_000,
  ],
]
for (const [what, holds, reviewers, expiresMs] of terms) {
  test(`a hold waits for ${what}`, () => {
    const list = holds.map((more, i) => rule(`r${i}`, 'true', 'hold', more)).join('\n')
    const { hold } = judged(rules(list))
    assert.deepEqual(hold, { reviewers, expiresMs, needsPasskey: true })
  })
}

test('a passkey is needed unless sessions may decide and no rule asks for one', () => {
  const sessions = 'holds: { session_decisions: true, expires: 1h }'
  const hold = rule('a', 'true', 'hold')
  assert.equal(judged(rules(hold, sessions)).hold?.needsPasskey, false)
  const strict = rule('b', 'true', 'hold', 'signature: passkey')
  assert.equal(judged(rules(`${hold}\n${strict}`, sessions)).hold?.needsPasskey, true)
  assert.equal(judged(rules(hold, sessions)).hold?.expiresMs, 3_600_000)
})

test('the revision changes with what decides, and with nothing else', () => {
  const of = (text: string, more = ''): string => rules(text, more).revision('shop')
  const usual = of(rule('a', 'true', 'hold'))
  assert.match(usual, /^[0-9a-f]{64}$/)
  assert.equal(of(`# a comment\n\n${rule('a', 'true', 'hold')}`), usual)
  assert.equal(of(rule('a', 'true', 'hold'), 'limits: { stop_grace: 1s }'), usual)
  const others = [
    of(rule('b', 'true', 'hold')),
    of(rule('a', 'false', 'hold')),
    of(rule('a', 'true', 'deny')),
    of(rule('a', 'true', 'hold', 'quorum: 2')),
    of(rule('a', 'true', 'hold'), 'holds: { expires: 1h }'),
    of(rule('a', 'true', 'hold'), 'holds: { session_decisions: true }'),
    of(`${rule('a', 'true', 'hold')}\n${rule('b', 'true', 'hold')}`),
  ]
  assert.equal(new Set([usual, ...others]).size, others.length + 1)
})

const waiting: readonly [what: string, list: string, more: string, mayHold: boolean][] = [
  ['a rule that denies', rule('a', 'true', 'deny'), '', false],
  ['a rule that holds', rule('a', 'false', 'hold'), '', true],
  ['one for another connection', rule('a', 'true', 'hold', 'connection: bank'), '', false],
  [
    'a decision point',
    rule('a', 'true', 'allow'),
    'decision_point: { url: "https://o.example" }',
    true,
  ],
]
for (const [what, list, more, mayHold] of waiting) {
  test(`with ${what} a call ${mayHold ? 'may' : 'never'} has to wait`, () => {
    assert.equal(rules(list, more).mayHold('shop'), mayHold)
  })
}

test('the secrets of a decision point and of notices are among those that are fetched', () => {
  const config = configOf(`
decision_point: { url: "https://opa.example", token: "\${env:OPA}" }
notify:
  - { name: w, type: webhook, url: "https://hooks.example", secret: "\${env:HOOK}" }
  - { name: t, type: teams, url: "\${keyvault:prod/teams}" }
  - { name: m, type: email, host: m.example, username: u, password: "\${file:m.txt}", from: a@b.c, to: [a@b.c] }`)
  assert.deepEqual(
    secretRefsIn(config)
      .map(({ where }) => where)
      .toSorted(),
    ['decision_point.token', 'notify[0].secret', 'notify[1].url', 'notify[2].password'],
  )
})

test('it says what its rules look at', () => {
  const of = rules(
    `${rule('a', 'tool.changed', 'deny')}\n${rule('b', 'call.arguments.x == 1', 'deny', 'connection: bank')}`,
  )
  assert.deepEqual([...of.reads('shop')], ['tool.changed'])
  assert.deepEqual([...of.reads('bank')], ['tool.changed', 'call.arguments'])
})

test('every rule is explained, each with the part that was false', () => {
  const of = rules(
    [
      rule('a', 'sql.exists(s, s.writes) && (tool.known || call.bytes > 5)', 'hold'),
      rule('b', failing, 'deny', 'reason: Why.'),
      rule('c', 'true', 'allow'),
    ].join('\n'),
  )
  const { possible, rules: told, verdict } = of.explain('shop', factsOf())
  assert.deepEqual(verdict, judged(of))
  assert.deepEqual(possible, ['deny'])
  assert.deepEqual(
    told.map(({ answer, fault, isMatched, rule: name }) => [name, answer, fault, isMatched]),
    [
      ['a', 'false', undefined, false],
      ['b', 'fault', 'no_such_key', true],
      ['c', 'true', undefined, true],
    ],
  )
  assert.deepEqual(told[0]?.parts, [
    { text: 'sql.exists(s, s.writes)', answer: 'false' },
    {
      text: 'tool.known || call.bytes > 5',
      answer: 'true',
      any: [
        { text: 'tool.known', answer: 'false' },
        { text: 'call.bytes > 5', answer: 'true' },
      ],
    },
  ])
  assert.deepEqual([told[0]?.place.file, told[0]?.place.line], ['sallyport.yaml', 6])
})

const unknowns: readonly [what: string, list: string, possible: readonly Effect[]][] = [
  [
    'cannot matter where another part is false',
    rule('a', 'call.arguments.x == 1 && false', 'deny'),
    ['allow'],
  ],
  ['may be either', rule('a', 'call.arguments.x == 1', 'deny'), ['allow', 'deny']],
  ['may be either by a member', rule('a', 'exposure.clear > 5', 'hold'), ['allow', 'hold']],
  [
    'cannot matter where a stricter rule matched',
    `${rule('a', 'call.arguments.x == 1', 'hold')}\n${rule('b', 'true', 'deny')}`,
    ['deny'],
  ],
]
for (const [what, list, possible] of unknowns) {
  test(`what is not known ${what}`, () => {
    const explained = rules(list).explain(
      'shop',
      factsOf(),
      new Set(['call.arguments', 'exposure']),
    )
    assert.deepEqual(explained.possible, possible)
  })
}

test('the decision is the strictest of the rules that match, whatever else there is', () => {
  const effects = fc.constantFrom<Effect>('allow', 'hold', 'deny')
  const lists = fc.array(fc.tuple(effects, fc.boolean()), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(lists, fc.boolean(), (list, writes) => {
      const text = list.map(([effect, isOfWrites], i) =>
        rule(`r${i}`, isOfWrites ? 'sql.exists(s, s.writes)' : 'sql.all(s, !s.writes)', effect),
      )
      const of = rules(text.join('\n'))
      const verdict = judged(of, factsOf([statement({ writes })]))
      const matching = list.filter(([, isOfWrites]) => isOfWrites === writes)
      const has = (effect: Effect): boolean => matching.some(([one]) => one === effect)
      assert.equal(verdict.effect, has('deny') ? 'deny' : has('hold') ? 'hold' : 'allow')
      assert.equal(verdict.matched.length, matching.length)
      assert.deepEqual(of.explain('shop', factsOf([statement({ writes })])).verdict, verdict)
    }),
    { numRuns: 30 },
  )
})
