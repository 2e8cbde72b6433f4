import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFilter, parsePath } from './expression.ts'
import type { Filter, Literal, Path, Term } from './expression.ts'
import { matches } from './match.ts'

const refusedFilters: readonly [why: string, text: string][] = [
  ['nothing', ''],
  ['spaces alone', '  '],
  ['an attribute alone', 'userName'],
  ['another operator', 'userName ne "a"'],
  ['presence', 'userName pr'],
  ['or', 'userName eq "a" or userName eq "b"'],
  ['not', 'not (userName eq "a")'],
  ['parentheses', '(userName eq "a")'],
  ['a quote that does not end', 'userName eq "a'],
  ['a quote escaped at the end', 'userName eq "a\\"'],
  ['more behind a value', 'userName eq "a" "b"'],
  ['a word glued to a value', 'userName eq "a"and id eq "b"'],
  ['a value that is a name', 'userName eq bob'],
  ['single quotes', "userName eq 'a'"],
  ['no spaces around eq', 'userName eq"a"'],
  ['an operator glued to the name', 'userNameeq "a"'],
  ['an escape JSON does not have', 'userName eq "\\x41"'],
  ['a control character', 'userName eq "a\nb"'],
  ['half a surrogate', 'userName eq "\\ud800"'],
  ['two sub-attributes', 'name.given.first eq "a"'],
  ['brackets in brackets', 'emails[a[b eq "c"] eq "d"].value eq "e"'],
  ['brackets that do not end', 'emails[type eq "work"'],
  ['empty brackets', 'emails[].value eq "a"'],
  ['SQL', 'userName eq "a"; DROP TABLE scim_user'],
  ['a name that is none', '__proto__ eq "a"'],
  ['a URN without an attribute', 'urn: eq "a"'],
  ['and at the end', 'userName eq "a" and '],
  ['seventeen terms', Array.from({ length: 17 }, () => 'a eq 1').join(' and ')],
  ['a filter of 3000 characters', `userName eq "${'a'.repeat(3000)}"`],
]
for (const [why, text] of refusedFilters) {
  test(`a filter with ${why} is refused`, () => {
    assert.throws(() => parseFilter(text), {
      code: 'bad_request',
      facts: { scimType: 'invalidFilter', status: 400 },
    })
  })
}

test('what a filter holds never stands in its refusal', () => {
  const secret = 'mia@example.com'
  for (const text of [`userName eq "${secret}`, `userName eq ${secret}`, `a eq "${secret}" or b`]) {
    assert.throws(
      () => parseFilter(text),
      (error: Error) => !error.message.includes('mia'),
    )
  }
})

const refusedPaths = [
  '',
  'a.b.c',
  'emails[',
  'emails[type eq "work"]x',
  '..',
  'a b',
  '"a"',
  '__proto__',
  'members[value eq "1"].a.b',
]
for (const text of refusedPaths) {
  test(`the path ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parsePath(text), { facts: { scimType: 'invalidPath', status: 400 } })
  })
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const paths: readonly [text: string, path: Path][] = [
  ['userName', { name: 'userName' }],
  ['name.givenName', { name: 'name', sub: 'givenName' }],
  ['members', { name: 'members' }],
  [
    'emails[type eq "work"].Value',
    { name: 'emails', where: [{ path: { name: 'type' }, equals: 'work' }], sub: 'Value' },
  ],
  ['urn:ietf:params:scim:schemas:core:2.0:User:userName', { name: 'userName' }],
  ['urn:ietf:params:scim:schemas:core:2.0:User:name.givenName', { name: 'name', sub: 'givenName' }],
  [`${enterprise}:department`, { schema: enterprise, name: 'department' }],
  [`${enterprise}:manager.value`, { schema: enterprise, name: 'manager', sub: 'value' }],
  [enterprise, { name: enterprise }],
  ['urn:acme:person:1.0:costCenter', { schema: 'urn:acme:person:1.0', name: 'costCenter' }],
]
for (const [text, path] of paths) {
  test(`the path ${text} is understood`, () => assert.deepEqual(parsePath(text), path))
}

test('a plus and percent signs are characters like any other', () => {
  assert.deepEqual(parseFilter('userName eq "a+b%20c"'), [
    { path: { name: 'userName' }, equals: 'a+b%20c' },
  ])
})

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/)
const literal: fc.Arbitrary<Literal> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.toWellFormed()),
  fc.string({ unit: fc.constantFrom('"', '\\', ' ', ']', '[', 'a', 'and', ' eq '), maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)
const plainPath: fc.Arbitrary<Path> = fc.record(
  { name, sub: name },
  { requiredKeys: ['name'], noNullPrototype: true },
)
const term: fc.Arbitrary<Term> = fc.record(
  { path: plainPath, equals: literal },
  { noNullPrototype: true },
)
const selecting: fc.Arbitrary<Path> = fc.record(
  { name, where: fc.array(term, { minLength: 1, maxLength: 3 }), sub: name },
  { requiredKeys: ['name', 'where'], noNullPrototype: true },
)
const anyTerm: fc.Arbitrary<Term> = fc.oneof(
  term,
  fc.record({ path: selecting, equals: literal }, { noNullPrototype: true }),
  selecting.map(({ name: of, where = [] }) => ({ path: { name: of, where } })),
)
const filter: fc.Arbitrary<Filter> = fc.array(anyTerm, { minLength: 1, maxLength: 4 })

function showPath({ name: of, sub, where }: Path): string {
  const brackets = where === undefined ? '' : `[${showFilter(where)}]`
  return `${of}${brackets}${sub === undefined ? '' : `.${sub}`}`
}
function showFilter(terms: Filter): string {
  const show = ({ equals, path }: Term): string =>
    equals === undefined ? showPath(path) : `${showPath(path)} eq ${JSON.stringify(equals)}`
  return terms.map(show).join(' and ')
}

test('a filter that was written out is read back as it was, whatever its values hold', () => {
  fc.assert(
    fc.property(filter, (terms) => {
      const text = showFilter(terms)
      if (text.length <= 2048) assert.deepEqual(parseFilter(text), terms)
    }),
  )
})

test('no text in a value can make a filter match more than this value', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '" or userName eq "',
      '\\',
      '\\"',
      '" and active eq true and id eq "',
      "' OR 1=1 --",
      '*',
      '%',
    ),
  )
  const property = fc.property(texts, texts, (asked, stored) => {
    const found = matches(
      { userName: stored },
      parseFilter(`userName eq ${JSON.stringify(asked.toWellFormed())}`),
    )
    assert.equal(found, asked.toWellFormed().toLowerCase() === stored.toLowerCase())
  })
  fc.assert(property)
})

test('whatever the text is, it is understood or refused with a fault', () => {
  const pieces = fc.constantFrom(
    'userName',
    ' ',
    'eq',
    'and',
    '"',
    '\\',
    '[',
    ']',
    '.',
    'urn:',
    ':',
    'x',
    '1',
    'null',
    '$ref',
    '(',
  )
  const texts = fc.oneof(
    fc.string(),
    fc.array(pieces).map((all) => all.join('')),
  )
  const property = fc.property(texts, (text) => {
    for (const parse of [parseFilter, parsePath]) {
      try {
        parse(text)
      } catch (error) {
        assert.equal(Reflect.get(Object(error), 'code'), 'bad_request')
      }
    }
  })
  fc.assert(property)
})

const mia = {
  id: 'A1',
  externalId: 'Xy',
  userName: 'Mia@Example.com',
  active: false,
  emails: [
    { type: 'work', value: 'm@work' },
    { type: 'home', value: 'm@home' },
  ],
  manager: { value: '42' },
  tags: ['red', 'blue'],
  [enterprise]: { department: 'Cards' },
}
const answers: readonly [filter: string, isFound: boolean][] = [
  ['USERNAME eq "mia@example.COM"', true],
  ['id eq "A1"', true],
  ['id eq "a1"', false],
  ['externalId eq "xy"', false],
  ['active eq false', true],
  ['active eq "false"', false],
  ['emails[type eq "work"].value eq "M@WORK"', true],
  ['emails[type eq "home"].value eq "m@work"', false],
  ['emails[type eq "work" and value eq "m@home"]', false],
  ['emails[type eq "work" and value eq "m@work"]', true],
  ['emails.value eq "m@home"', true],
  ['emails eq "m@home"', true],
  ['id eq "A1" and manager eq "42"', true],
  ['id eq "A1" and manager eq "43"', false],
  ['tags eq "blue"', true],
  ['tags[value eq "green"]', false],
  [`${enterprise}:department eq "cards"`, true],
  ['nickName eq null', true],
  ['userName eq null', false],
  ['nickName eq ""', false],
]
for (const [text, isFound] of answers) {
  test(`${text} is ${isFound ? '' : 'not '}what Mia is`, () => {
    assert.equal(matches(mia, parseFilter(text)), isFound)
  })
}
