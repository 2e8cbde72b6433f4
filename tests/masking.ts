/** The masker as the tests use it: one message in, what the client is shown out. */
import { pciDetection } from '../src/mask/detection.ts'
import { createMasker } from '../src/mask/masker.ts'
import { readJson } from '../src/wire/json.ts'
import type { MaskPlan, Masker } from '../src/mask/masker.ts'

const masker: Masker = createMasker({ sealKey: new Uint8Array(32) })
export const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }

/** The message as a client of `plan` gets it. */
export function answer(json: string, by: MaskPlan = plan): string {
  const tree = readJson(Buffer.from(json), { bytesMax: 1 << 26, depthMax: 64 })
  return Buffer.from(masker.answer(tree, by, 'ada@shop').shown.bytes).toString()
}
