/** Texts with tables for tests: what is to be masked stands between `«` and `»`. */
import assert from 'node:assert/strict'
import { pciDetection } from '../src/mask/detection.ts'
import { createMasker } from '../src/mask/masker.ts'
import { readJson } from '../src/wire/json.ts'
import type { MaskPlan } from '../src/mask/masker.ts'

const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }
// The careful scanner alone: what the quick look must not miss has its own tests.
const masker = createMasker({ sealKey: new Uint8Array(32).fill(7), isCareful: true })
const limits = { bytesMax: 1 << 26, depthMax: 64 }

/** The text as a client sees it, when it lies in so many JSON strings one in the other. */
export function shownAt(levels: number, text: string): string {
  let json = JSON.stringify({ text })
  for (let level = 1; level < levels; level++) json = JSON.stringify({ text: json })
  const { shown } = masker.answer(readJson(Buffer.from(json), limits), plan, 'ada@shop')
  let out: string = Buffer.from(shown.bytes).toString()
  for (let level = 0; level < levels; level++) out = String(JSON.parse(out).text)
  return out
}

const marked = /«([^»]*)»/g

/** Stars for all digits but the last four of a long number, `***` for any other value. */
function masked(value: string): string {
  let digits = value.replaceAll(/\D/g, '').length
  if (digits < 12) return '***'
  return value.replaceAll(/\d/g, (digit) => (digits-- > 4 ? '*' : digit))
}

/** Asserts that a text loses what is marked in it and nothing else, in one to three strings. */
export function assertMasked(text: string): void {
  const expected = text.replaceAll(marked, (_, value: string) => masked(value))
  for (const levels of [1, 2, 3])
    assert.equal(shownAt(levels, text.replaceAll(marked, '$1')), expected, `${levels} deep`)
}
