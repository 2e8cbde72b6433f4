/** Tokens that are kept: against a naive model, whatever is asked in whatever order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Fault } from '../base/fault.ts'
import type { FreshToken } from '../secrets/kept-token.ts'
import { KeptTokens } from './kept-tokens.ts'

let nowMs = 0
const clock = { nowUs: () => 0, monotonicMs: () => nowMs }
const hide = (): void => {}
const fresh =
  (value: string, livesMs = 3_600_000) =>
  async (): Promise<FreshToken> => ({ value, livesMs })

test('the oldest token goes when there are too many', async () => {
  const tokens = new KeptTokens({ clock, hide, entriesMax: 3 })
  for (const key of ['a', 'b', 'c', 'd']) await tokens.get(key, fresh(`of ${key}`))
  assert.equal(tokens.get('b', fresh('another')), 'of b')
  assert.equal(await tokens.get('a', fresh('another')), 'another')
})

test('a token which nobody else has is not given up because another one was refused', async () => {
  const tokens = new KeptTokens({ clock, hide })
  await tokens.get('a', fresh('one'))
  assert.equal(tokens.refused('a', 'an older one'), true)
  assert.equal(tokens.get('a', fresh('two')), 'one')
  assert.equal(tokens.refused('b', 'one'), false)
  assert.equal(tokens.get('a', fresh('two')), 'one')
})

test('what is refused is given up at most every 5 seconds', async () => {
  nowMs = 0
  const tokens = new KeptTokens({ clock, hide })
  await tokens.get('a', fresh('one'))
  assert.equal(tokens.refused('a', 'one'), true)
  await tokens.get('a', fresh('two'))
  nowMs = 4_999
  assert.equal(tokens.refused('a', 'two'), false)
  assert.equal(tokens.get('a', fresh('three')), 'two')
  nowMs = 5_000
  assert.equal(tokens.refused('a', 'two'), true)
  assert.equal(await tokens.get('a', fresh('three')), 'three')
})

test('a defect is not kept as if it were an answer', async () => {
  nowMs = 0
  const tokens = new KeptTokens({ clock, hide })
  const broken = async (): Promise<FreshToken> => {
    throw new TypeError('a defect')
  }
  await assert.rejects(async () => tokens.get('a', broken), TypeError)
  assert.equal(await tokens.get('a', fresh('one')), 'one')
})

test('a kept token does not show when what keeps it is printed', async () => {
  const tokens = new KeptTokens({ clock, hide })
  await tokens.get('a', fresh('a-token-of-the-test'))
  assert.doesNotMatch(inspect(tokens, { depth: 9, showHidden: true }), /a-token-of-the-test/)
})

test('in any order of asking, failing and waiting, each gets its own key’s token and none that ended', async () => {
  const step = fc.record({
    key: fc.constantFrom('ann', 'bob', 'cem'),
    passMs: fc.constantFrom(0, 1, 1_999, 2_000, 29_999, 30_000, 60_000, 120_000),
    livesMs: fc.constantFrom(1_000, 60_000, 120_000, 3_600_000),
    fails: fc.boolean(),
    refuses: fc.boolean(),
  })
  const model = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    nowMs = 0
    const ends = new Map<string, number>()
    const tokens = new KeptTokens({ clock, hide })
    let count = 0
    for (const { fails, key, livesMs, passMs, refuses } of steps) {
      nowMs += passMs
      const ask = async (): Promise<FreshToken> => {
        if (fails) throw new Fault('secret_missing', 'no')
        const value = `${key} ${++count}`
        ends.set(value, nowMs + livesMs)
        return { value, livesMs }
      }
      try {
        const token = await tokens.get(key, ask)
        assert.ok(token.startsWith(`${key} `))
        assert.ok((ends.get(token) ?? 0) > nowMs)
        if (refuses) tokens.refused(key, token)
      } catch (error) {
        assert.ok(error instanceof Fault)
      }
      await Promise.resolve() // What is renewed behind may come in.
    }
  })
  await fc.assert(model, { numRuns: 200 })
})
