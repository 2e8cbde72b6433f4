import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Finding, SqlFact } from '../inspect/facts.ts'
import { configOf, factsOf, finding, statement, unparsed } from './facts.fixture.ts'
import { compileRules } from './rules.ts'
import type { CallFacts, Verdict } from './verdict.ts'

const pci = compileRules(configOf('', 'pci'))

function judged(facts: CallFacts): Verdict {
  const verdict = pci.judge('shop', facts)
  assert.ok(!(verdict instanceof Promise))
  return verdict
}

const ofCards = {
  touches_cardholder_data: true,
  tables_read: ['cards'],
  columns_read: ['pan'],
} as const
const reading = { ...ofCards, returns_cardholder_data: true }
const writing = { ...ofCards, writes: true, writes_cardholder_data: true }

const statements: readonly [
  what: string,
  effect: 'allow' | 'hold' | 'deny',
  rule: string,
  of: SqlFact,
][] = [
  ['a NUL byte', 'deny', 'disguised-sql', unparsed('nul')],
  ['a versioned comment', 'deny', 'disguised-sql', unparsed('versioned_comment')],
  ['ten thousand brackets', 'deny', 'disguised-sql', unparsed('too_deep')],
  ['what is too long to read', 'deny', 'disguised-sql', unparsed('too_slow')],
  [
    'xp_cmdshell',
    'deny',
    'dangerous-functions',
    statement({ functions: ['xp_cmdshell'], dangerous_functions: ['xp_cmdshell'] }),
  ],
  ['COPY … PROGRAM', 'deny', 'server-files', statement({ verb: 'COPY', uses_files: true })],
  ['GRANT', 'deny', 'database-rights', statement({ verb: 'GRANT', is_dcl: true, writes: true })],
  ['what does not parse', 'hold', 'unreadable-sql', unparsed()],
  ['what two parsers read differently', 'hold', 'unreadable-sql', unparsed('disagreement')],
  [
    'an update of other rows from cards',
    'hold',
    'cardholder-writes',
    statement({ ...ofCards, verb: 'UPDATE', verbs: ['UPDATE'], writes: true, where: 'key' }),
  ],
  [
    'COPY of cards to the client',
    'hold',
    'cardholder-export',
    statement({ ...reading, verb: 'COPY', verbs: ['COPY'], exports: true, limit: 10 }),
  ],
  ['all cards', 'hold', 'cardholder-bulk-read', statement(reading)],
  [
    'a hundred and one cards',
    'hold',
    'cardholder-bulk-read',
    statement({ ...reading, limit: 101 }),
  ],
  [
    'cards by a condition that may fit all',
    'hold',
    'cardholder-bulk-read',
    statement({ ...reading, where: 'filter' }),
  ],
  [
    'an update of every row',
    'hold',
    'rows-without-where',
    statement({ verb: 'UPDATE', writes: true, where_less: true }),
  ],
  [
    'TRUNCATE of any table',
    'hold',
    'rows-without-where',
    statement({ verb: 'TRUNCATE', verbs: ['TRUNCATE'], writes: true }),
  ],
  ['DROP', 'hold', 'definitions', statement({ verb: 'DROP', is_ddl: true, writes: true })],
  [
    'a second statement that writes',
    'hold',
    'several-statements',
    statement({ verb: 'INSERT', ordinal: 1, statements: 2, writes: true }),
  ],
  ['DO', 'hold', 'dynamic-sql', statement({ verb: 'DO', is_dynamic: true })],
  ['SET ROLE', 'hold', 'session-changes', statement({ verb: 'SET', changes_session: true })],
  ['LOCK TABLE', 'hold', 'table-locks', statement({ verb: 'LOCK', verbs: ['LOCK'], locks: true })],
  ['a query', 'allow', '', statement()],
  ['nothing', 'allow', '', unparsed('empty')],
  ['ten cards', 'allow', '', statement({ ...reading, limit: 10 })],
  ['a hundred cards', 'allow', '', statement({ ...reading, limit: 100 })],
  ['one card by its key', 'allow', '', statement({ ...reading, where: 'key' })],
  ['counts and sums over cards', 'allow', '', statement(ofCards)],
  [
    'an update of named rows elsewhere',
    'allow',
    '',
    statement({ verb: 'UPDATE', verbs: ['UPDATE'], writes: true, where: 'key' }),
  ],
  ['one of two queries', 'allow', '', statement({ ordinal: 1, statements: 2 })],
  ['BEGIN', 'allow', '', statement({ verb: 'BEGIN', verbs: ['BEGIN'], is_transaction: true })],
]
for (const verb of ['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE', 'TRUNCATE']) {
  test(`pci: ${verb} on cards waits, its rows named or not`, () => {
    for (const where of ['none', 'key'] as const) {
      const verdict = judged(factsOf([statement({ ...writing, verb, verbs: [verb], where })]))
      assert.equal(verdict.effect, 'hold')
      assert.equal(verdict.matched[0]?.rule, 'cardholder-writes')
    }
  })
}

for (const [what, effect, rule, of] of statements) {
  test(`pci: ${what}: ${effect}`, () => {
    // Beside a harmless statement all the same.
    for (const sql of [[of], [statement(), of]]) {
      const verdict = judged(factsOf(sql))
      assert.equal(verdict.effect, effect)
      assert.equal(verdict.matched[0]?.rule ?? '', rule)
      assert.equal(
        verdict.matched.every(({ fault }) => fault === undefined),
        true,
      )
    }
  })
}

const findings: readonly [what: string, effect: 'allow' | 'deny', of: Partial<Finding>][] = [
  ['an injection that is nearly sure', 'deny', { family: 'sql_injection', confidence: 'high' }],
  ['a sure one', 'deny', { family: 'ssrf', confidence: 'certain' }],
  ['one that may be prose', 'allow', { family: 'shell', confidence: 'medium' }],
  ['instructions in a text', 'allow', { family: 'instructions', confidence: 'certain' }],
]
for (const [what, effect, of] of findings) {
  test(`pci: ${what}: ${effect}`, () => {
    assert.equal(judged(factsOf([], { findings: [finding(of)] })).effect, effect)
  })
}

test('pci: a card number on its way to the server is noted, and goes', () => {
  const facts = factsOf([], { findings: [finding({ family: 'card', confidence: 'certain' })] })
  const { duties, effect } = judged(facts)
  assert.equal(effect, 'allow')
  assert.deepEqual(duties, { notes: ['a card number was sent to the server'] })
})

test('pci: a tool that is not what it was waits for a person', () => {
  const pin = { description: '', isReadOnly: true, isDestructive: false, sha256: 'aa' }
  assert.equal(judged(factsOf([], { tool: { ...pin, isChanged: true } })).effect, 'hold')
  assert.equal(judged(factsOf([], { tool: { ...pin, isChanged: false } })).effect, 'allow')
})

test('pci: who was shown too much waits; the count is taken for queries of cards alone', () => {
  const asked: number[] = []
  const shown = (clear: number): Partial<CallFacts> => ({
    exposure: (days) => {
      asked.push(days)
      return { clear, masked: 0 }
    },
  })
  const some = statement({ ...reading, limit: 5 })
  assert.equal(judged(factsOf([statement()], shown(5000))).effect, 'allow')
  assert.deepEqual(asked, [])
  assert.equal(judged(factsOf([some], shown(1000))).effect, 'allow')
  assert.equal(judged(factsOf([some], shown(1001))).matched[0]?.rule, 'exposure-budget')
  assert.deepEqual(asked, [30, 30])
})

test('pci: whatever else is true of it, no write and no export of cardholder data goes', () => {
  const flags = ['exports', 'where_less', 'is_dynamic', 'is_transaction', 'has_comments'] as const
  for (const flag of flags) {
    for (const risky of [writing, { ...ofCards, exports: true }, { ...ofCards, writes: true }]) {
      for (const where of ['none', 'filter', 'key', 'constant'] as const) {
        const { effect } = judged(factsOf([statement({ ...risky, where, limit: 1, [flag]: true })]))
        assert.notEqual(effect, 'allow')
      }
    }
  }
})

test('pci: every rule has a reason which tells what to do', () => {
  for (const { reason } of configOf('', 'pci').connections[0]?.profile.rules ?? []) {
    assert.match(reason ?? '', /\.$/)
    assert.ok((reason ?? '').length <= 250)
  }
})

/* A profile of one's own. */

const folder = mkdtempSync(join(tmpdir(), 'sallyport-profiles-'))
after(() => rmSync(folder, { recursive: true }))

test('where a profile says so, what no rule allows is denied, and sessions open all the same', () => {
  const text = `otherwise: deny
rules:
  - { name: reads, when: 'sql.all(s, !s.writes) && size(sql) > 0', effect: allow }
`
  writeFileSync(join(folder, 'strict.yaml'), text)
  const strict = compileRules(configOf('', './strict.yaml', folder))
  const call = (method: string): CallFacts => {
    const facts = factsOf()
    return { ...facts, call: { ...facts.call, method } }
  }
  const effect = (facts: CallFacts): string => {
    const verdict = strict.judge('shop', facts)
    return verdict instanceof Promise ? 'later' : `${verdict.effect} ${verdict.reason}`
  }
  assert.equal(effect(call('tools/call')), 'deny No rule allows it.')
  assert.equal(effect(factsOf([statement({ writes: true })])), 'deny No rule allows it.')
  assert.equal(effect(factsOf([statement()])), 'allow Rule reads matched.')
  for (const method of ['initialize', 'tools/list', 'ping', '']) {
    assert.equal(effect(call(method)), 'allow ')
  }
})
