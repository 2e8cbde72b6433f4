import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

test('work on one thing is done in order, each after the end of the one before, failed or not', async () => {
  const turns = createTurns()
  const seen: string[] = []
  const first = Promise.withResolvers<void>()
  const work = (name: string, until: Promise<void>) => async (): Promise<void> => {
    seen.push(`${name} begins`)
    await until
    seen.push(`${name} ends`)
    if (name === 'b') throw new Error('b fails')
  }
  const all = ['a', 'b', 'c'].map((name) => turns.take('k', work(name, first.promise)))
  await turns.take('other', work('other', Promise.resolve()))
  assert.ok(!seen.includes('b begins'))
  first.resolve()
  const [a, b, c] = await Promise.allSettled(all)
  assert.deepEqual([a?.status, b?.status, c?.status], ['fulfilled', 'rejected', 'fulfilled'])
  const own = seen.filter((one) => !one.startsWith('other'))
  assert.deepEqual(own, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('no more than a hundred wait for one thing', async () => {
  const turns = createTurns()
  const gate = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 100 }, () => turns.take('k', () => gate.promise))
  await assert.rejects(
    turns.take('k', () => gate.promise),
    { code: 'busy' },
  )
  gate.resolve()
  await Promise.all(waiting)
  await turns.take('k', () => Promise.resolve())
})

test('many may come one after the other without ever being too many', async () => {
  const turns = createTurns()
  let last = turns.take('k', () => Promise.resolve())
  for (let i = 0; i < 300; i++) {
    const next = turns.take('k', () => Promise.resolve())
    await last
    last = next
  }
  await last
})
