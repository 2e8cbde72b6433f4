import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  audiencesOf,
  claimAt,
  frozenClaims,
  isGuid,
  isSameAudience,
  isWord,
  wordsOf,
} from './claims.ts'

const runs = { numRuns: 500 }

test('no word has control characters, lone surrogates, nothing or too much in it', () => {
  for (const value of [
    '',
    'a\n',
    'a\u0085b',
    '\ud800',
    'a'.repeat(257),
    7,
    null,
    undefined,
    ['a'],
  ]) {
    assert.equal(isWord(value), false)
  }
  for (const value of ['a', 'ä ö', '😀', 'a'.repeat(256)]) assert.equal(isWord(value), true)
})

test('a GUID is nothing but a GUID', () => {
  const good = 'AAAAAAAA-0000-4000-8000-00000000abcd'
  assert.equal(isGuid(good), true)
  for (const value of [`${good}\n`, `${good}/x`, `{${good}}`, good.replaceAll('-', ''), '', 7]) {
    assert.equal(isGuid(value), false)
  }
})

test('two audiences are the same when they are equal but for one slash at the end', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '/'), maxLength: 6 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(isSameAudience(a, b), a === b || `${a}/` === b || a === `${b}/`)
    }),
    runs,
  )
})

test('audiences of another form are none', () => {
  for (const aud of [undefined, 7, {}, null, ['a', 7], [['a']]]) {
    assert.deepEqual(audiencesOf({ aud: aud as string }), [])
  }
  assert.deepEqual(audiencesOf({ aud: ['a', 'b'] }), ['a', 'b'])
})

test('a pointer finds what its parts name, and never what is inherited', () => {
  const claims = { a: { 'b/c': { '~d': [1] } }, 'https://x/y': 2 }
  assert.deepEqual(claimAt(claims, '/a/b~1c/~0d'), [1])
  assert.equal(claimAt(claims, '/a/b~1c/~0d/0'), 1)
  assert.equal(claimAt(claims, 'https://x/y'), 2)
  for (const name of ['/a/x', '/a/b~1c/~0d/length2', 'toString', '/a/constructor', '/']) {
    assert.equal(claimAt(claims, name), undefined)
  }
})

test('a list of words is taken in full or not at all', () => {
  assert.deepEqual(wordsOf(['a', 'b', 'a']), ['a', 'b'])
  assert.deepEqual(wordsOf('a'), ['a'])
  for (const value of [['a', 7], ['a', ''], { a: 1 }, 7, null, undefined]) {
    assert.deepEqual(wordsOf(value), [])
  }
})

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen))

test('claims of a usual size are kept as they are, frozen in every part', () => {
  const claims = fc.dictionary(
    fc.string({ maxLength: 10 }).filter((name) => name !== '__proto__'),
    fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
    { maxKeys: 10, noNullPrototype: true },
  )
  fc.assert(
    fc.property(claims, (given) => {
      const text = JSON.stringify(given).replaceAll('"__proto__"', '"proto"')
      const parsed: Record<string, unknown> = JSON.parse(text)
      const kept = frozenClaims(parsed)
      assert.deepEqual(kept, parsed)
      assert.ok(isFrozen(kept))
    }),
    runs,
  )
})

test('a claim that is kept elsewhere is left out at its place alone', () => {
  const claims = { groups: ['a'], realm: { groups: ['b'], x: 1 }, 'realm/groups': 2 }
  assert.deepEqual(frozenClaims(claims, ['groups']), { realm: claims.realm, 'realm/groups': 2 })
  const { realm: _, ...rest } = claims
  assert.deepEqual(frozenClaims(claims, ['/realm/groups']), { ...rest, realm: { x: 1 } })
})
