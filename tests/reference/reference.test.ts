/** The fast scanner says what the slow and obvious one says, of texts and of whole messages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createMasker } from '../../src/mask/masker.ts'
import { pciDetection } from '../../src/mask/detection.ts'
import { readJson } from '../../src/wire/json.ts'
import { saidBy } from './compare.ts'
import { answerOf, isEscaped, isOdd, textsIn } from './exclusions.ts'
import { disguised, text } from './generate.ts'
import { message } from './messages.ts'
import { maskMessage, maskText } from './reference.ts'

const careful = createMasker({ sealKey: new Uint8Array(32), isCareful: true })
const quick = createMasker({ sealKey: new Uint8Array(32) })
const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const
/** The same cases each time; for others, and more of them: SALLYPORT_SEED, SALLYPORT_RUNS. */
const seed = Number(process.env['SALLYPORT_SEED'] ?? 4201)
const numRuns = Number(process.env['SALLYPORT_RUNS'] ?? 700)

test('of any text the fast scanner masks what the reference masks', () => {
  let compared = 0
  fc.assert(
    fc.property(fc.oneof(text, disguised), (clear) => {
      if (isOdd(clear)) return
      const answer = answerOf(maskText, clear)
      if (answer === undefined) return
      const { kept, shown } = careful.text(Buffer.from(clear), plan)
      assert.equal(Buffer.from(kept.value).toString(), answer.kept)
      assert.equal(Buffer.from(shown.bytes).toString(), answer.shown)
      compared++
    }),
    { numRuns, seed },
  )
  assert.ok(compared > numRuns / 3, `only ${compared} of ${numRuns} were compared`)
})

test('of any message too, and the quick look hides nothing', () => {
  fc.assert(
    fc.property(message, (clear) => {
      const tree = readJson(Buffer.from(clear), { bytesMax: 1 << 24, depthMax: 128 })
      const seen = careful.answer(tree, plan, 'ada@shop')
      const quickly = quick.answer(tree, plan, 'ada@shop')
      assert.deepEqual(Buffer.from(quickly.kept.value), Buffer.from(seen.kept.value))
      if (isEscaped(clear) || textsIn(clear).some(isOdd)) return
      const answer = answerOf(maskMessage, clear)
      if (answer === undefined) return
      assert.deepEqual(saidBy(Buffer.from(seen.shown.bytes).toString()), saidBy(answer.shown))
    }),
    { numRuns, seed },
  )
})
