import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { found, sure } from './request.fixture.ts'
import { sqlInjection } from './sql-injection.ts'
import { isWholeStatement, smuggled } from './sql-whole.ts'

const injected: readonly (readonly [what: string, text: string])[] = [
  ['tautology', "' OR '1'='1"],
  ['tautology', "O'Brien' OR 1=1 --"],
  ['tautology', "') OR ('a'='a"],
  ['tautology', '" or "x"="x'],
  ['tautology', '105 OR 1=1'],
  ['tautology', "1'/**/or/**/1=1#"],
  ['tautology', "x' OR 1=1 LIMIT 1 -- -"],
  ['literal', "' or 1--"],
  ['comment_tail', "admin' --"],
  ['comment_tail', "admin'/*"],
  ['union', "' UNION SELECT a, password FROM users --"],
  ['union', '-1 UNION ALL SELECT 1,2,3'],
  ['union', '1e0UNION SELECT a,2 FROM t'],
  ['union', "' /*!50000UNION*/ /*!50000SELECT*/ 1 -- -"],
  ['stacked', "'; DROP TABLE users; --"],
  ['stacked', '1; DELETE FROM users'],
  ['time_delay', "' AND SLEEP(5) --"],
  ['time_delay', "1' WAITFOR DELAY '0:0:5' --"],
  ['boolean', '1 AND (SELECT COUNT(*) FROM users) > 0'],
  ['boolean', "'||(SELECT password FROM users LIMIT 1)||'"],
  ['expression', "'+(SELECT password FROM users LIMIT 1)+'"],
  ['insert', "', (SELECT password FROM users LIMIT 1)) --"],
  ['probing', "' ORDER BY 5--"],
  ['probing', "' HAVING 1=1 --"],
  ['boolean', "x')) AND EXISTS(SELECT 1 FROM users) --"],
  ['file_access', "' INTO OUTFILE '/tmp/x' --"],
  ['catalogue', '(SELECT name FROM sqlite_master LIMIT 1)'],
]
for (const [what, text] of injected) {
  test(`${text} is ${what}`, () => {
    const seen = sqlInjection(text)
    assert.ok(seen?.confidence === 'high' || seen?.confidence === 'certain', JSON.stringify(seen))
    if (what !== 'time_delay') assert.equal(seen.what, what)
  })
}

const literals: readonly string[] = [
  "O'Brien",
  "it's 5 o'clock -- maybe",
  "Guns N' Roses",
  "the boys' or girls' team",
  'select the best, then order by phone',
  'union of states; select one or two',
  '"red shoes" OR "blue shoes"',
  "status = 'open' AND priority = 1",
  "name eq 'x' or age gt 5",
  'a || b && c',
  "5' or 6' tall",
  '5\' 11" -- about',
  "d'accord; c'est bon",
  "x''y",
  '1 or 2 sizes',
  '1 + 1 = 2',
  "L'Oréal & l'eau",
  "print('it' + name + 'or')",
  '-- dashed --',
  '# heading',
  "res.setHeader('Content-Length', String(b.length)) # done",
  "How do I prevent an injection such as ' OR 1=1 -- in my login form?",
]
for (const text of literals) {
  test(`${text} stays one literal`, () => {
    assert.deepEqual(sure(found(text).findings), [])
  })
}

test('doubled quotes are how a literal holds a quote', () => {
  assert.equal(sqlInjection("x'' or ''1''=''1"), undefined)
})

test('encodings are undone: percent once and twice, entities, escapes, wide quotes, base64', () => {
  const text = "x' OR '1'='1' --"
  const once = encodeURIComponent(text).replaceAll("'", '%27')
  for (const value of [
    once,
    encodeURIComponent(once),
    text.replaceAll("'", '&#39;'),
    text.replaceAll("'", '\\u0027'),
    text.replaceAll("'", '＇'),
    Buffer.from(text).toString('base64'),
    once.replaceAll('%20', '+'),
  ]) {
    assert.deepEqual(sure(found(value).findings), ['sql_injection'], value)
  }
})

test('in a text about attacks, a document or a program it is of medium confidence', () => {
  for (const [name, value] of [
    ['text', "How do I prevent an injection such as ' OR 1=1 -- in my login form?"],
    ['content', "const q = 'x'\nrun(\"' OR 1=1 --\")\nconst r = 2\n"],
    ['body', `${'All is well here today. '.repeat(20)}' OR 1=1 --`],
  ] as const) {
    assert.deepEqual(sure(found(value, name).findings), [], name)
    assert.equal(found(value, name).findings[0]?.confidence, 'medium', name)
  }
})

const statements: readonly (readonly [smells: string | undefined, text: string])[] = [
  ['tautology', "SELECT * FROM users WHERE name = '' OR '1'='1'"],
  ['tautology', 'SELECT * FROM t WHERE id = 1 OR 2 > 1'],
  ['tautology', 'SELECT * FROM t WHERE (id = 1 OR id = id)'],
  ['union', 'SELECT a FROM p WHERE id = -1 UNION SELECT password FROM users'],
  ['union', 'SELECT a, b FROM p WHERE id = 1 UNION SELECT NULL, NULL'],
  ['stacked', 'SELECT 1 FROM t WHERE id = 1; DROP TABLE users'],
  ['stacked', "SELECT * FROM t WHERE name = ''; DELETE FROM t WHERE ''=''"],
  ['comment_tail', "SELECT * FROM users WHERE name = 'admin'--' AND password = 'x'"],
  ['time_delay', 'SELECT * FROM t WHERE id = 1 AND SLEEP(5)'],
  ['versioned_comment', 'SELECT id /*!50000, pan */ FROM t'],
  [undefined, "SELECT * FROM t WHERE a = 'x' OR b = 'x'"],
  [undefined, 'SELECT * FROM t WHERE 1=1 AND a = 2'],
  [undefined, "SELECT id, 'a' FROM o UNION ALL SELECT id, 'b' FROM r"],
  [undefined, 'SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3'],
  [undefined, "SELECT * FROM logs WHERE m LIKE '%; DROP TABLE x%' -- all of them"],
  [undefined, '-- one\nSELECT a -- two\nFROM t /* three */ WHERE b = 1'],
  [undefined, 'BEGIN; UPDATE t SET a = 1 WHERE id = 2; COMMIT'],
  [undefined, 'SELECT 1; SELECT 2'],
  [undefined, "SELECT a FROM t WHERE b = 'pg_sleep(5)'"],
  [undefined, "SELECT a || '-' || b FROM t"],
]
for (const [smells, text] of statements) {
  test(`in a statement: ${text}`, () => {
    assert.equal(smuggled(text)?.what, smells)
    assert.ok(isWholeStatement(text, false))
  })
}

test('prose that begins as a statement does is none', () => {
  for (const text of [
    'Select the best one from our list',
    'update the docs',
    'drop by today',
    'With love',
    'create a table of contents',
    'insert coin',
  ]) {
    assert.ok(!isWholeStatement(text, true), text)
  }
})

test('words and figures are never an injection, whatever they are', () => {
  const plain = fc.array(fc.stringMatching(/^[b-mp-z]{1,8}\d{0,3}$/), { maxLength: 8 })
  fc.assert(fc.property(plain, (words) => sqlInjection(words.join(' ')) === undefined))
})

test('any text is judged without a fault', () => {
  const parts = fc.constantFrom(
    "'",
    '"',
    '(',
    ')',
    ' or ',
    ' union select ',
    '--',
    '/*',
    '*/',
    ';',
    '1',
    'a',
    '=',
    '[',
    '`',
    '$$',
    '\\',
    '#',
    '\n',
    ',',
    '@',
    ' case ',
    '0x',
    '.',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 60 }), (list) => {
      sqlInjection(list.join(''))
      smuggled(list.join(''))
    }),
  )
})
