/** Retention, run or only told: in the gateway every hour, and by `sallyport retention`. */
import { join } from 'node:path'
import { readOrigin } from '../record/read.ts'
import { readHolds } from '../record/holds.ts'
import { dueMonths, remove } from '../record/retention.ts'
import type { DueMonth, RetentionPlace } from '../record/retention.ts'
import { grouped } from '../replay/plain.ts'
import type { RetentionAsked } from './asked.ts'
import type { Desk } from './desk.ts'

/** Takes everything that is due and not held. @returns what is or was due, and whether it went. */
export async function runRetention(
  desk: Desk,
  isDryRun: boolean,
): Promise<(DueMonth & { readonly isGone: boolean })[]> {
  const { clock, dataDir, place, recorder, retention } = desk
  const at = await placeOf(desk)
  const holds = await readHolds(place.disk, dataDir)
  const due = await dueMonths(at, { ...retention, holds }, clock.nowUs())
  const told: (DueMonth & { isGone: boolean })[] = []
  for (const each of due) {
    const isGone = !isDryRun && each.heldBy.length === 0
    if (isGone) {
      const signedSize = await desk.sign()
      const forget = (): Promise<void> => desk.forget(each.month, each.what)
      await remove(each, at, { recorder, reason: 'retention', signedSize, forget })
    }
    told.push({ ...each, isGone })
  }
  return told
}

/** The same as lines. */
export async function retentionLines(asked: RetentionAsked, desk: Desk): Promise<string[]> {
  const told = await runRetention(desk, asked.isDryRun)
  if (asked.format === 'jsonl') return told.map((each) => `${JSON.stringify(each)}\n`)
  if (told.length === 0) return ['Nothing is due.\n']
  return told.map((each) => `${wordsOf(each, asked.isDryRun)}\n`)
}

function wordsOf(each: DueMonth & { readonly isGone: boolean }, isDryRun: boolean): string {
  const { bytes, end, first, heldBy, isGone, month, what } = each
  const size = `entries ${first} to ${end - 1}, ${grouped(bytes)} bytes`
  if (heldBy.length > 0) return `${month}  kept by hold ${heldBy.join(', ')}  ${size}`
  const then =
    what === 'month'
      ? 'verify says "proof only" of them; proofs of later entries stand'
      : 'their queries and outputs cannot be read any more; entries and proofs stand'
  const verb = isGone ? 'is gone' : isDryRun ? 'would go' : 'stays'
  return `${month}  ${what === 'month' ? 'the month' : 'its content'} ${verb}  ${size}\n    ${then}`
}

async function placeOf({ place }: Desk): Promise<RetentionPlace> {
  const { bodyKeys, dir, disk, writer } = place
  const origin = (await readOrigin(place)) ?? ''
  if (!bodyKeys) throw new Error('a desk has the keys of bodies')
  return { disk, folder: join(dir, writer), keys: { ...bodyKeys, disk, origin } }
}
