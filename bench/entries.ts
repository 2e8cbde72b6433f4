/** Whether every call of a run left its entries: a gateway that skipped one has no figures. */
import { join } from 'node:path'
import { realDisk } from '../src/base/disk.ts'
import { listWriters, readRecord } from '../src/record/read.ts'

/** What the load has seen answered, and what must have been masked in it. */
export interface Made {
  calls: number
  cards: number
}

/** The entries of which each call has exactly one. */
const ofEachCall = ['call.received', 'call.dispatched', 'response.event', 'call.finished']

/**
 * Reads the record of a gateway that has ended, from its files, and compares.
 * @param dataDir its data folder.
 * @returns what is missing or too many, in words; empty when all is right.
 */
export async function missingEntries(dataDir: string, made: Made): Promise<string[]> {
  const { types, cards } = await countEntries(join(dataDir, 'record'))
  const wrong: string[] = []
  for (const type of ofEachCall) {
    const written = types.get(type) ?? 0
    if (written !== made.calls) wrong.push(`${made.calls} calls, but ${written} entries ${type}`)
  }
  if (cards !== made.cards) wrong.push(`${made.cards} cards, but ${cards} maskings in the record`)
  return wrong
}

interface Counted {
  readonly types: ReadonlyMap<string, number>
  readonly cards: number
}

async function countEntries(dir: string): Promise<Counted> {
  const types = new Map<string, number>()
  let cards = 0
  for (const writer of await listWriters(realDisk, dir)) {
    for await (const { type, fields } of readRecord({ disk: realDisk, dir, writer })) {
      types.set(type, (types.get(type) ?? 0) + 1)
      if (type === 'mask.applied') cards += maskings(fields['groups'])
    }
  }
  return { types, cards }
}

function maskings(groups: unknown): number {
  if (!Array.isArray(groups)) return 0
  let count = 0
  for (const group of groups) if (Array.isArray(group?.each)) count += group.each.length
  return count
}
