/**
 * Thousands of lives in bad weather, each run decided by its seed; and breakages that the same model
 * has to find. `SALLYPORT_FAULT_RUNS` and `SALLYPORT_FAULT_SEED` (the first one) choose the runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from './lives.ts'
import { mutants } from './mutants.ts'

const runs = Number(process.env['SALLYPORT_FAULT_RUNS'] ?? 1_200)
const firstSeed = Number(process.env['SALLYPORT_FAULT_SEED'] ?? 1)

test('whatever fails, nothing acknowledged is lost or altered, and nothing else is called done', async (t) => {
  const tally = new Map<string, number>()
  const sums = { lives: 0, told: 0, failed: 0, away: 0 }
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const { away, failed, lives, told } = await run(seed, tally).catch((cause: unknown) => {
      const again = `SALLYPORT_FAULT_RUNS=1 SALLYPORT_FAULT_SEED=${seed}`
      const why = cause instanceof Error ? cause.message : 'not an error'
      throw new Error(`seed ${seed}: ${why}. Again: ${again} node --test ${file}`, { cause })
    })
    sums.lives += lives
    sums.told += told
    sums.failed += failed
    sums.away += away
  }
  const faults = [...tally].map(([kind, times]) => `${kind} ${times}`).toSorted()
  t.diagnostic(
    `${runs} runs, ${sums.lives} lives; appends: ${sums.told} acknowledged, ${sums.failed} failed, ` +
      `${sums.away} turned away, 0 lost; ${faults.join(', ')}`,
  )
  if (runs < 500) return
  for (const kind of kindsSeen.split(','))
    assert.ok((tally.get(kind) ?? 0) > 0, `${kind} never happened`)
  assert.ok(sums.told > runs * 10, 'too little was acknowledged to mean anything')
  assert.ok(sums.failed > runs / 2, 'too little failed to mean anything')
})

const file = 'tests/faults/storm.test.ts'
const kindsSeen =
  'crash,kill,torn sector,slow,close,create,freeBytes,list,makeFolder,open,read,remove,rename,' +
  'syncFolder,truncate,create: ENOSPC,commit: ENOSPC,commit: short,commit: sync EIO,commit: write EIO'

test('the same seed gives the same run', async () => {
  const [one, other] = [new Map<string, number>(), new Map<string, number>()]
  assert.deepEqual(await run(11, one), await run(11, other))
  assert.deepEqual(one, other)
})

/** Runs within which each breakage has to show. */
const searchMax = 150
for (const [what, mutant] of mutants) {
  test(`the model finds it when ${what}`, async (t) => {
    for (let seed = 1; seed <= searchMax; seed++) {
      const found = await run(seed, new Map(), mutant).catch((error: unknown) => error)
      if (!(found instanceof Error)) continue
      t.diagnostic(`seed ${seed}: ${found.message}`)
      return
    }
    assert.fail(`${searchMax} runs did not show it`)
  })
}
