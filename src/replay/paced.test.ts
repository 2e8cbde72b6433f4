import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { paced } from './paced.ts'
import { replay } from './replay.ts'
import { entry, from, log } from './sample.fixture.ts'
import type { Pace } from './paced.ts'
import type { RecordedEntry } from '../record/read.ts'

/** What is printed and slept, in order. */
async function played(
  of: readonly RecordedEntry[],
  speed: number,
  pace?: Pace,
): Promise<(string | number)[]> {
  const seen: (string | number)[] = []
  const sleep = (ms: number): Promise<void> => {
    seen.push(ms)
    return Promise.resolve()
  }
  const lines = replay(from(of), { format: 'text', shows: () => true })
  for await (const line of paced(lines, speed, sleep, pace)) seen.push(line)
  return seen
}

const sleeps = (seen: readonly (string | number)[]): number[] =>
  seen.filter((one) => typeof one === 'number')

function at(...timesUs: readonly number[]): RecordedEntry[] {
  return timesUs.map((us, i) => {
    const ms = Date.UTC(2026, 10, 21) + Math.floor(us / 1000)
    const rest = String(us % 1000).padStart(3, '0')
    return entry(i, { type: 'seal', time: new Date(ms).toISOString().replace('Z', `${rest}Z`) })
  })
}

for (const speed of [0, -1, NaN, Infinity]) {
  test(`a speed of ${speed} is refused before anything is shown`, async () => {
    await assert.rejects(played(log, speed), { code: 'bad_params' })
  })
}

test('entries come when they came, with who and from where, and the end at once', async () => {
  const seen = await played(log, 1)
  assert.deepEqual(sleeps(seen), [1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000])
  const text = seen.filter((one) => typeof one === 'string')
  const plain = await Array.fromAsync(replay(from(log), { format: 'text', shows: () => true }))
  assert.deepEqual(text, plain)
  assert.equal(typeof seen[0], 'string')
  assert.match(String(seen.at(-2)), /session closed/)
})

test('cut into lines it is the same, and who and from where still come with their entry', async () => {
  const whole = (
    await Array.fromAsync(replay(from(log), { format: 'text', shows: () => true }))
  ).join('')
  const cut = async function* (): AsyncGenerator<string> {
    await Promise.resolve()
    yield* whole.match(/.*\n/g) ?? []
  }
  const seen: (string | number)[] = []
  const sleep = (ms: number): Promise<void> => Promise.resolve(void seen.push(ms))
  for await (const line of paced(cut(), 1, sleep)) seen.push(line)
  assert.equal(seen.filter((one) => typeof one === 'string').join(''), whole)
  assert.equal(sleeps(seen).length, 8)
  for (const [i, one] of seen.entries()) {
    if (typeof one === 'number') assert.match(String(seen[i + 1]), /^(session|no session|2026-)/)
    else if (one.startsWith('session se_b\n')) assert.equal(seen[i - 1], 1000)
  }
})

test('ten times the speed is a tenth of the time', async () => {
  assert.deepEqual(sleeps(await played(log, 10)), Array(8).fill(100))
  assert.deepEqual(sleeps(await played(at(0, 2000), 0.5)), [4])
})

test('what is below a millisecond is not lost', async () => {
  assert.deepEqual(sleeps(await played(at(0, 400, 800, 1200, 3600), 1)), [1, 2])
})

test('a long wait is slept in parts that a timer can hold', async () => {
  const day = 86_400_000_000
  const parts = sleeps(await played(at(0, 30 * day), 1))
  assert.ok(parts.every((ms) => ms <= 3_600_000 && Number.isInteger(ms)))
  assert.equal(
    parts.reduce((sum, ms) => sum + ms, 0),
    (30 * day) / 1000,
  )
})

test('a wait beyond the longest is cut to it, with a line that says so', async () => {
  const seen = await played(at(0, 3_600_000_000, 3_601_000_000), 1, { idleMsMax: 2000 })
  assert.deepEqual(sleeps(seen), [2000, 1000])
  assert.equal(seen[1], '    … 01:00:00.000000 without an entry, cut short\n')
  assert.deepEqual(seen.filter((one) => String(one).startsWith('    …')).length, 1)
})

test('a time within what others said holds nothing back', async () => {
  const texts = async function* (): AsyncGenerator<string> {
    await Promise.resolve()
    yield '2026-11-21T00:00:00.000000Z  seal\n    text: x\n      2027-11-21T00:00:00.000000Z  later\n'
    yield '    2028-11-21T00:00:00.000000Z  later still\n'
  }
  const sleep = (): Promise<void> => assert.fail('nothing is to be waited for')
  assert.equal((await Array.fromAsync(paced(texts(), 1, sleep))).length, 2)
})

test('the sum of all waits is the time that passed, to the millisecond', async () => {
  const gaps = fc.array(fc.nat({ max: 5_000_000 }), { maxLength: 20 })
  const speeds = fc.double({ min: 0.1, max: 50, noNaN: true })
  const sums = fc.asyncProperty(gaps, speeds, async (some, speed) => {
    let us = 0
    const of = at(0, ...some.map((gap) => (us += gap)))
    const total = sleeps(await played(of, speed)).reduce((sum, ms) => sum + ms, 0)
    const exact = us / 1000 / speed
    assert.ok(total <= exact + 0.001 && total > exact - 1.001, `${total} of ${exact}`)
  })
  await fc.assert(sums)
})
