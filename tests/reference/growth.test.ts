/**
 * No input makes the scanner quadratic. Counted are executions of blocks of code, as V8 counts them
 * for coverage: the same on every machine and at any load, unlike times. What is native is not
 * counted: searches in buffers, regular expressions, WebAssembly.
 */
import assert from 'node:assert/strict'
import { Session } from 'node:inspector/promises'
import { after, before, test } from 'node:test'
import { pan, grouped } from '../cards.ts'
import type { Profiler } from 'node:inspector'

const session = new Session()
session.connect()
/** Counting begins before the sources are compiled, or their blocks are not told apart. */
async function start(): Promise<(bytes: Uint8Array) => void> {
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const { createMasker } = await import('../../src/mask/masker.ts')
  const { pciDetection } = await import('../../src/mask/detection.ts')
  const masker = createMasker({ sealKey: new Uint8Array(32), isCareful: true })
  const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const
  return (bytes) => {
    masker.text(bytes, plan)
  }
}
/** How often blocks of the scanner and masker were executed since the last look. */
async function operations(): Promise<number> {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const counts = (script: Profiler.ScriptCoverage): number =>
    script.functions.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0)
  return result
    .filter(({ url }) => /\/src\/(?:cards|mask|wire)\//.test(url))
    .reduce((sum, script) => sum + counts(script), 0)
}
const visa = pan(4, 16)
const fours = grouped(visa, [4, 4, 4, 4], ' ')
const inputs: readonly string[] = [
  '4',
  '4 ',
  '41 ',
  '411 ',
  '4111 ',
  '4111-',
  '4111 1',
  fours + ' ',
]
let scan: (bytes: Uint8Array) => void
before(async () => {
  scan = await start()
})
after(() => session.disconnect())
for (const piece of inputs) {
  test(`${JSON.stringify(piece)}`, async () => {
    const all: number[] = []
    for (const size of [16, 32, 64, 128]) {
      const bytes = Buffer.from(piece.repeat(Math.ceil((size * 1024) / piece.length)))
      await operations()
      scan(bytes)
      all.push((await operations()) / bytes.length)
    }
    console.log(JSON.stringify(piece), all.map((x) => x.toFixed(1)).join(' '))
    assert.ok(true)
  })
}
