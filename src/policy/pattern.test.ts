import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pattern } from './pattern.ts'

const cases: readonly [source: string, name: string, matches: boolean][] = [
  ['delete_user', 'delete_uѕer', false], // Cyrillic ѕ
  ['execute_sql', 'execute_sql ', false],
  ['execute_sql', 'EXECUTE_SQL', false],
  ['exec*', 'exe', false],
  ['a*a', 'a', false],
  ['*b*b*', 'ab', false],
  ['execute_sql', 'execute_sql', true],
  ['*', '', true],
  ['exec*', 'exec', true],
  ['a*a', 'aa', true],
  ['demo://*/data', 'demo://x/y/data', true],
  ['*b*b*', 'bb', true],
]
for (const [source, name, matches] of cases) {
  test(`the pattern ${source} ${matches ? 'takes' : 'refuses'} "${name}"`, () => {
    assert.equal(pattern(source).matches(name), matches)
  })
}

test('a pattern matches what the same pattern as a regular expression matches', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  const same = fc.property(text, name, (source, value) => {
    const model = new RegExp(`^${source.replaceAll('*', '.*')}$`, 's')
    assert.equal(pattern(source).matches(value), model.test(value))
  })
  fc.assert(same, { numRuns: 2000 })
})
