/**
 * The file `cosigned` in a writer's folder: a note of `checkpoints.log` with lines of witnesses. It
 * stands beside `checkpoint`, which is newer and has the log's signatures alone.
 */
import { join } from 'node:path'
import { readWhole, writeWhole } from '../base/disk.ts'
import { openNote, splitNote } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import { shownIn } from './growth.ts'
import type { Disk } from '../base/disk.ts'
import type { Verifier, VerifiedLine } from '../tlog/note.ts'
import type { Shown } from './growth.ts'

const fileName = 'cosigned'
/** While a witness is away its last word is kept beside the others' so long, and no longer. */
const keptSecondsMax = 600

/** What the file holds; undefined when it is not there, or is no checkpoint of this log. */
export async function readCosigned(
  disk: Disk,
  folder: string,
  origin: string,
): Promise<Shown | undefined> {
  if (!(await disk.list(folder)).includes(fileName)) return undefined
  const note = Buffer.from(await readWhole(disk, join(folder, fileName))).toString('utf8')
  const shown = shownIn(note)
  return shown?.origin === origin ? shown : undefined
}

/** Readers see the old file or the new one; a crash leaves one of them. */
export async function writeCosigned(disk: Disk, folder: string, note: string): Promise<void> {
  await writeWhole(disk, join(folder, fileName), Buffer.from(note))
}

/** Lines of these witnesses under a note. @returns none when one of them does not fit. */
export function linesOf(note: string, witnesses: readonly Verifier[]): readonly VerifiedLine[] {
  try {
    return openNote(note, witnesses).verified
  } catch (error) {
    if (error instanceof Unproven) return []
    throw error
  }
}

/** `note` with the lines that `before` has on top of it: both are of one text. */
export function joined(note: string, before: string): string {
  const { lines, text } = splitNote(note)
  const more = splitNote(before).lines.filter(({ keyId, name }) => {
    return !lines.some((line) => line.keyId === keyId && line.name === name)
  })
  return `${text}\n${[...lines, ...more].map(({ line }) => line).join('')}`
}

/**
 * Whether `next` takes the place of `before`: it is not about a smaller tree, and has as many
 * cosignatures. A witness that is away for a moment would else take a quorum away; after ten
 * minutes the newer tree counts more.
 * @param nowSeconds since 1970.
 */
export function mayReplace(
  before: Shown | undefined,
  next: Shown,
  witnesses: readonly Verifier[],
  nowSeconds: number,
): boolean {
  if (!before) return true
  if (next.size < before.size) return false
  const had = linesOf(before.note, witnesses)
  const newest = Math.max(0, ...had.map(({ time }) => time ?? 0))
  return linesOf(next.note, witnesses).length >= had.length || nowSeconds - newest > keptSecondsMax
}
