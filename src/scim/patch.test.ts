import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Attributes } from './attributes.ts'
import { opsOf, readPatch } from './operations.ts'
import { applyPatch } from './patch.ts'
import type { PatchRules } from './patch.ts'

const strict: PatchRules = {
  readOnly: new Set(['id', 'meta', 'groups', 'schemas']),
  required: new Set(['username', 'externalid', 'active']),
  makesMissing: false,
}
const entra: PatchRules = { ...strict, makesMissing: true }
const work = { type: 'work', value: 'a@work', primary: true }
const home = { type: 'home', value: 'a@home' }
const mia: Attributes = {
  userName: 'mia',
  active: true,
  name: { givenName: 'Mia' },
  emails: [work, home],
}

function run(rules: PatchRules, ...operations: unknown[]): Attributes {
  return applyPatch(mia, readPatch({ Operations: operations }), rules)
}

const refused: readonly [what: string, operation: unknown, scimType: string][] = [
  ['no operation at all', 1, 'invalidSyntax'],
  ['another verb', { op: 'move', path: 'a', value: 1 }, 'invalidSyntax'],
  ['no verb', { path: 'a', value: 1 }, 'invalidSyntax'],
  ['a path that is no text', { op: 'add', path: 1, value: 1 }, 'invalidPath'],
  ['a path that is none', { op: 'add', path: 'a..b', value: 1 }, 'invalidPath'],
  ['an add without a value', { op: 'add', path: 'nickName' }, 'invalidValue'],
  ['a replace without a value', { op: 'replace', path: 'nickName' }, 'invalidValue'],
  ['a remove without a path', { op: 'remove' }, 'noTarget'],
  [
    'a remove of the whole schema',
    { op: 'remove', path: 'urn:ietf:params:scim:schemas:core:2.0:User' },
    'noTarget',
  ],
  ['a text for the whole resource', { op: 'replace', value: 'x' }, 'invalidValue'],
  ['a path to the id', { op: 'replace', path: 'id', value: 'x' }, 'mutability'],
  ['a path into meta', { op: 'add', path: 'meta.version', value: 'x' }, 'mutability'],
  ['removing userName', { op: 'remove', path: 'USERNAME' }, 'mutability'],
  ['removing active', { op: 'Remove', path: 'active' }, 'mutability'],
  [
    'a selection that is empty',
    { op: 'replace', path: 'emails[type eq "other"].value', value: 'x' },
    'noTarget',
  ],
  [
    'a text in the place of a value',
    { op: 'replace', path: 'emails[type eq "work"]', value: 'x' },
    'invalidValue',
  ],
  ['a part of a plain value', { op: 'add', path: 'userName.first', value: 'x' }, 'noTarget'],
  ['an attribute twice', { op: 'add', value: { title: 'a', Title: 'b' } }, 'invalidSyntax'],
  [
    'an attribute twice, deeper down',
    { op: 'add', path: 'name', value: { givenName: 'a', GivenName: 'b' } },
    'invalidSyntax',
  ],
  [
    'a prototype as a name',
    { op: 'add', value: JSON.parse('{"__proto__": {"active": true}}') as object },
    'invalidPath',
  ],
  [
    'a prototype deeper down',
    { op: 'add', path: 'x', value: JSON.parse('{"__proto__": 1}') as object },
    'invalidSyntax',
  ],
  [
    '201 values',
    { op: 'add', path: 'roles', value: Array.from({ length: 201 }, (_, i) => i) },
    'invalidValue',
  ],
]
for (const [what, operation, scimType] of refused) {
  test(`a PATCH with ${what} is refused as ${scimType}`, () => {
    assert.throws(() => run(strict, operation), {
      code: 'bad_request',
      facts: { scimType, status: 400 },
    })
  })
}
test('a PATCH without operations, or with 1001, is refused', () => {
  for (const body of [{}, { Operations: [] }, { Operations: {} }]) {
    assert.throws(() => readPatch(body), { facts: { scimType: 'invalidSyntax', status: 400 } })
  }
  const one = { op: 'add', path: 'title', value: 'x' }
  assert.throws(() => readPatch({ Operations: Array.from({ length: 1001 }, () => one) }), {
    code: 'too_large',
  })
  assert.equal(readPatch({ Operations: Array.from({ length: 1000 }, () => one) }).length, 1000)
})

const done: readonly [what: string, operations: unknown[], after: Attributes][] = [
  [
    'the disabling of Entra',
    [{ op: 'Replace', path: 'active', value: 'False' }],
    { ...mia, active: 'False' },
  ],
  [
    'the same without a path',
    [{ op: 'replace', value: { active: false } }],
    { ...mia, active: false },
  ],
  [
    'the same hidden in the schema’s name',
    [{ op: 'replace', value: { 'urn:ietf:params:scim:schemas:core:2.0:User': { active: false } } }],
    { ...mia, active: false },
  ],
  [
    'the same by its full name',
    [{ op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:active', value: false }],
    { ...mia, active: false },
  ],
  [
    'dotted names',
    [{ op: 'replace', value: { 'name.givenName': 'M', 'name.familyName': 'N' } }],
    { ...mia, name: { givenName: 'M', familyName: 'N' } },
  ],
  [
    'an object, which leaves the rest of it',
    [{ op: 'replace', path: 'name', value: { familyName: 'N' } }],
    { ...mia, name: { givenName: 'Mia', familyName: 'N' } },
  ],
  [
    'an extension by a colon',
    [{ op: 'Add', path: 'urn:a:2.0:User:dept', value: 'x' }],
    { ...mia, 'urn:a:2.0:User': { dept: 'x' } },
  ],
  [
    'an extension as an object',
    [{ op: 'add', value: { 'urn:a:2.0:User': { dept: 'x', no: null } } }],
    { ...mia, 'urn:a:2.0:User': { dept: 'x' } },
  ],
  [
    'an extension that becomes empty',
    [
      { op: 'add', path: 'urn:a:2.0:User:dept', value: 'x' },
      { op: 'remove', path: 'urn:a:2.0:User:dept' },
    ],
    mia,
  ],
  [
    'a value chosen by type',
    [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'b' }],
    { ...mia, emails: [{ ...work, value: 'b' }, home] },
  ],
  [
    'a whole value chosen by type',
    [{ op: 'replace', path: 'emails[type eq "home"]', value: { type: 'home', value: 'b' } }],
    { ...mia, emails: [work, { type: 'home', value: 'b' }] },
  ],
  [
    'a part added to a chosen value',
    [{ op: 'add', path: 'emails[type eq "home"]', value: { display: 'H' } }],
    { ...mia, emails: [work, { ...home, display: 'H' }] },
  ],
  ['a value that is there already', [{ op: 'add', path: 'emails', value: [home] }], mia],
  [
    'one more value',
    [{ op: 'add', path: 'emails', value: { type: 'other', value: 'c' } }],
    { ...mia, emails: [work, home, { type: 'other', value: 'c' }] },
  ],
  ['another list', [{ op: 'replace', path: 'emails', value: [home] }], { ...mia, emails: [home] }],
  [
    'an empty list, which is none',
    [{ op: 'replace', path: 'emails', value: [] }],
    omit(mia, 'emails'),
  ],
  ['null, which is nothing', [{ op: 'replace', path: 'name', value: null }], omit(mia, 'name')],
  ['the removal of a list', [{ op: 'remove', path: 'emails' }], omit(mia, 'emails')],
  [
    'the removal of chosen values',
    [{ op: 'remove', path: 'emails[type eq "work"]' }],
    { ...mia, emails: [home] },
  ],
  [
    'the removal of a part of them',
    [{ op: 'remove', path: 'emails[type eq "work"].primary' }],
    { ...mia, emails: [{ type: 'work', value: 'a@work' }, home] },
  ],
  [
    'the removal of what is not there',
    [
      { op: 'remove', path: 'emails[type eq "x"]' },
      { op: 'remove', path: 'title' },
      { op: 'remove', path: 'title.sub' },
    ],
    mia,
  ],
  [
    'the removal of named values, as Entra does it',
    [{ op: 'Remove', path: 'emails', value: [{ $ref: null, value: 'a@home' }] }],
    { ...mia, emails: [work] },
  ],
  [
    'a new primary value, which is the only one',
    [{ op: 'replace', path: 'emails[type eq "home"].primary', value: true }],
    {
      ...mia,
      emails: [
        { ...work, primary: false },
        { ...home, primary: true },
      ],
    },
  ],
  [
    'what only the gateway writes, among others',
    [{ op: 'replace', value: { id: 'x', schemas: [], title: 'T' } }],
    { ...mia, title: 'T' },
  ],
  [
    'names in another case',
    [
      { op: 'REPLACE', path: 'USERNAME', value: 'm' },
      { OP: 'add', Path: 'Emails', VALUE: [] },
    ],
    { ...mia, userName: 'm' },
  ],
]
for (const [what, operations, after] of done) {
  test(`a PATCH does ${what}`, () => assert.deepEqual(run(strict, ...operations), after))
}

test('values are equal whatever the order of their names, and named by all of it or by value', () => {
  const turned = { value: 'a@home', type: 'home' }
  assert.deepEqual(run(strict, { op: 'add', path: 'emails', value: [turned] }), mia)
  const gone = run(strict, { op: 'remove', path: 'emails', value: [turned] })
  assert.deepEqual(gone['emails'], [work])
  const other = { value: 'a@home', type: 'other' }
  assert.deepEqual(run(strict, { op: 'remove', path: 'emails', value: other }), mia)
  assert.deepEqual(run(strict, { op: 'remove', path: 'emails', value: 'a@home' })['emails'], [work])
})

test('with Entra a value that was to be replaced is made where it was missing', () => {
  const after = run(entra, { op: 'Replace', path: 'emails[type eq "other"].value', value: 'c' })
  assert.deepEqual(after['emails'], [work, home, { type: 'other', value: 'c' }])
})

test('what fails in the middle leaves the resource as it was', () => {
  const before = structuredClone(mia)
  assert.throws(() =>
    run(
      strict,
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'x' },
      { op: 'remove' },
    ),
  )
  assert.deepEqual(mia, before)
})

function omit(from: Attributes, name: string): Attributes {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
}

// The model knows plain attributes, parts of objects, and a list chosen from by one word.
type Step = {
  op: 'add' | 'replace' | 'remove'
  at: string
  sub?: string
  type?: string
  value: string
}
const word = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.record(
  {
    op: fc.constantFrom('add', 'replace', 'remove'),
    at: fc.constantFrom('title', 'name', 'emails'),
    sub: fc.constantFrom('value', 'display'),
    type: word,
    value: word,
  },
  { requiredKeys: ['op', 'at', 'value'] },
)

interface Model {
  title: string | undefined
  name: Map<string, string>
  emails: Map<string, string>[]
}

function model(steps: readonly Step[]): Attributes {
  const state: Model = { title: undefined, name: new Map(), emails: [] }
  for (const one of steps) modelStep(state, one)
  const objects = state.emails
    .filter((email) => email.size > 0)
    .map((email) => Object.fromEntries(email))
  return {
    ...(state.title === undefined ? {} : { title: state.title }),
    ...(state.name.size === 0 ? {} : { name: Object.fromEntries(state.name) }),
    ...(objects.length === 0 ? {} : { emails: objects }),
  }
}
function modelStep(state: Model, { at, op, sub = 'value', type = 'a', value }: Step): void {
  const isGone = op === 'remove'
  if (at === 'title') state.title = isGone ? undefined : value
  else if (at === 'name') {
    if (isGone) state.name.delete(sub)
    else state.name.set(sub, value)
  } else {
    const hits = state.emails.filter((email) => email.get('type') === type)
    if (hits.length === 0 && !isGone) {
      const made = new Map([['type', type]])
      state.emails.push(made)
      hits.push(made)
    }
    for (const hit of hits) {
      if (isGone) hit.delete(sub)
      else hit.set(sub, value)
    }
  }
}

test('any run of operations gives what a naive model gives', () => {
  const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const operations = steps.map(({ at, op, sub = 'value', type = 'a', value }) => {
      const path =
        at === 'title' ? at : at === 'name' ? `name.${sub}` : `emails[type eq "${type}"].${sub}`
      return { op, path, ...(op === 'remove' ? {} : { value }) }
    })
    const ops = operations.length === 0 ? [] : readPatch({ Operations: operations })
    assert.deepEqual(applyPatch({}, ops, entra), model(steps))
  })
  fc.assert(property)
})

test('one PATCH of many operations does what many of one do, and none changes its input', () => {
  const property = fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
    const operations = steps.map(({ at, op, value }) => ({
      op,
      path: at,
      ...(op === 'remove' ? {} : { value: at === 'title' ? value : { value } }),
    }))
    const start: Attributes = { emails: [{ value: 'a' }] }
    const all = applyPatch(start, readPatch({ Operations: operations }), entra)
    let single = start
    for (const one of operations)
      single = applyPatch(single, readPatch({ Operations: [one] }), entra)
    assert.deepEqual(all, single)
    assert.deepEqual(start, { emails: [{ value: 'a' }] })
  })
  fc.assert(property)
})

test('a resource that is sent is what an add of it to nothing makes', () => {
  const sent = {
    userName: 'mia',
    roles: [],
    nickName: null,
    emails: [{ $ref: null, value: 'a' }],
    'urn:a:2.0:User': { x: 1 },
  }
  const made = applyPatch({}, opsOf('add', sent), entra)
  assert.deepEqual(made, { userName: 'mia', emails: [{ value: 'a' }], 'urn:a:2.0:User': { x: 1 } })
})
