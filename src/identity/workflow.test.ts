import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMatch } from './workflow.ts'

const cases: readonly [wanted: string, text: string, isSo: boolean][] = [
  ['refs/heads/main', 'refs/heads/main', true],
  ['refs/heads/main', 'refs/heads/main2', false],
  ['refs/heads/main', 'refs/heads/Main', false],
  ['refs/heads/*', 'refs/heads/', true],
  ['refs/heads/*', 'refs/tags/v1', false],
  ['*', '', true],
  ['*@refs/heads/main', 'a/b/.github/workflows/x.yml@refs/heads/main', true],
  ['*@refs/heads/main', 'a/b/.github/workflows/x.yml@refs/heads/main/2', false],
  ['a*a', 'a', false],
  ['a*b*a', 'aba', true],
  ['a*bc*bc', 'abc', false],
  ['a**b', 'ab', true],
  ['a.c', 'abc', false],
]
for (const [wanted, text, isSo] of cases) {
  test(`"${wanted}" ${isSo ? 'is' : 'is not'} "${text}"`, () => {
    assert.equal(isMatch(text, wanted), isSo)
  })
}

test('a pattern means what the regular expression for it means', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(letters, text, (wanted, value) => {
      const same = new RegExp(`^${wanted.split('*').join('.*')}$`)
      assert.equal(isMatch(value, wanted), same.test(value))
    }),
    { numRuns: 2_000 },
  )
})
