/** Facts of a call as a person reads them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SqlFact } from '../inspect/facts.ts'
import { factDetails, factTitle, factWords, findingWords } from './sql-words.ts'
import { deletion } from './tickets.fixture.ts'

const cases: readonly [name: string, of: Partial<SqlFact>, title: string, words: RegExp][] = [
  ['a deletion', {}, 'DELETE on cards', /^It changes cardholder data\.$/],
  [
    'what could not be read',
    { parsed: false, problem: 'disagreement' },
    'A statement that could not be read (postgresql)',
    /two parsers read it differently.*able to do anything/,
  ],
  [
    'a problem nobody knows',
    { parsed: false, problem: 'new' },
    'A statement that could not be read (postgresql)',
    /it could not be read/,
  ],
  [
    'an export',
    { verb: 'COPY', tables_written: [], writes_cardholder_data: false, exports: true },
    'COPY on cards',
    /It touches cardholder data\.\nIt copies data elsewhere\./,
  ],
  [
    'a function that reaches out',
    { verb: 'SELECT', tables_written: [], tables_read: [], dangerous_functions: ['pg_sleep'] },
    'SELECT',
    /It calls pg_sleep/,
  ],
  ['one of several', { statements: 3, ordinal: 1 }, 'DELETE on cards', /statement 2 of 3/],
  [
    'what does all the rest',
    {
      uses_files: true,
      is_ddl: true,
      is_dcl: true,
      is_dynamic: true,
      changes_session: true,
      locks: true,
      is_transaction: true,
      has_comments: true,
      returns_cardholder_data: true,
    },
    'DELETE on cards',
    /returns.*\n.*files.*\n.*definitions.*\n.*rights.*\n.*procedure.*\n.*session.*\n.*locks.*\n.*transaction.*\n.*comments/,
  ],
]
for (const [name, of, title, words] of cases) {
  test(`${name} is told in words`, () => {
    const fact = { ...deletion, ...of }
    assert.equal(factTitle(fact), title)
    assert.match(factWords(fact).join('\n'), words)
  })
}

test('rows and limits are told where there are any, and long lists are cut', () => {
  const tables = Array.from({ length: 20 }, (_, i) => `t${i}`)
  const of = { ...deletion, tables_written: [], tables_read: tables, where: 'none' as const }
  const details = new Map(factDetails({ ...of, limit: 5 }))
  assert.equal(details.get('Which rows'), 'no condition: every row')
  assert.equal(details.get('At most'), '5')
  assert.match(details.get('Tables read') ?? '', /^t0, .*t11 and 8 more$/)
  assert.equal(new Map(factDetails(of)).get('At most'), 'no limit')
  assert.equal(new Map(factDetails(deletion)).has('At most'), false)
  assert.deepEqual(factDetails({ ...deletion, parsed: false }), [['Dialect', 'postgresql']])
})

test('a finding says what, how sure and where', () => {
  const finding = {
    family: 'sql_injection',
    confidence: 'high',
    at: '/params/arguments/sql',
    what: 'always_true',
  } as const
  const words = 'SQL injection, high confidence (always true), at /params/arguments/sql'
  assert.equal(findingWords(finding), words)
  const card = { ...finding, family: 'card', confidence: 'certain' } as const
  assert.match(findingWords(card), /^a card number on its way to the server, certain/)
})
