import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGains, checkName, compare } from './compare.ts'
import type { Outcome, Status } from './compare.ts'

const one = (status?: Status): Outcome =>
  new Map(status === undefined ? [] : [['s id name', status]])

const lost: readonly [direct: Status, through: Status | undefined][] = [
  ['SUCCESS', 'FAILURE'],
  ['SUCCESS', 'WARNING'],
  ['SUCCESS', 'SKIPPED'],
  ['SUCCESS', 'INFO'],
  ['SUCCESS', undefined],
  ['WARNING', 'FAILURE'],
]
for (const [direct, through] of lost) {
  test(`a check that goes from ${direct} to ${through ?? 'missing'} is lost`, () => {
    const { regressions, gains } = compare(one(direct), one(through))
    assert.deepEqual(regressions, [{ check: 's id name', direct, through: through ?? 'missing' }])
    assert.equal(gains.length, 0)
  })
}

const gained: readonly (Status | undefined)[] = ['FAILURE', 'WARNING', 'SKIPPED', 'INFO', undefined]
for (const direct of gained) {
  test(`a check that goes from ${direct ?? 'missing'} to SUCCESS is a gain`, () => {
    const { regressions, gains } = compare(one(direct), one('SUCCESS'))
    assert.equal(gains.length, 1)
    assert.equal(regressions.length, 0)
  })
}

const other: readonly [direct: Status | undefined, through: Status | undefined][] = [
  [undefined, 'FAILURE'],
  ['FAILURE', undefined],
  ['SKIPPED', 'FAILURE'],
  ['INFO', 'WARNING'],
]
for (const [direct, through] of other) {
  test(`from ${direct ?? 'missing'} to ${through ?? 'missing'} is neither lost nor a gain`, () => {
    const { regressions, gains, others } = compare(one(direct), one(through))
    assert.deepEqual([regressions.length, gains.length, others.length], [0, 0, 1])
  })
}

test('what did not change is not a difference, and is counted', () => {
  const same = new Map([...one('SUCCESS'), ['s b n', 'FAILURE'], ['s c n', 'INFO']])
  const { regressions, gains, others, direct, through } = compare(same, same)
  assert.deepEqual([...regressions, ...gains, ...others], [])
  assert.deepEqual(direct, { passed: 1, failed: 1 })
  assert.deepEqual(through, direct)
})

test('the second check of one name has a name of its own', () => {
  assert.notEqual(checkName('s', 'id', 'n', 0), checkName('s', 'id', 'n', 1))
})

test('a gain that is not listed and a listed gain that is not seen are both named', () => {
  const gain = { server: 'a', suite: '1', scenario: 's', id: 'x' }
  const listed = [
    { ...gain, reason: 'a good one' },
    { ...gain, id: 'y', reason: 'never seen' },
  ]
  const { unlisted, unseen } = checkGains(listed, [gain, gain, { ...gain, suite: '2' }])
  assert.deepEqual(unlisted, [{ ...gain, suite: '2', reason: '' }])
  assert.deepEqual(unseen, [listed[1]])
})
