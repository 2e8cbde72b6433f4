/**
 * The roll-up of all writers of an installation: a signed note that names the newest checkpoint of
 * each, so that no log can be left out or rolled back by itself.
 *
 *     sallyport/heads/v1
 *     <time, RFC 3339 UTC>
 *     <origin> <size> <base64 of the root>      one line a writer, by name
 */
import { join } from 'node:path'
import { readWhole } from '../base/disk.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { signNote, splitNote } from '../tlog/note.ts'
import { listWriters } from './read.ts'
import type { Disk } from '../base/disk.ts'
import type { CheckpointKeys } from './checkpoints.ts'

const headsTitle = 'sallyport/heads/v1'

/** The note over the checkpoints that are there now, signed by the log of this process. */
export async function signHeads(
  recordDir: string,
  disk: Disk,
  keys: CheckpointKeys,
): Promise<Buffer> {
  const lines: string[] = []
  for (const writer of await listWriters(disk, recordDir)) {
    const folder = join(recordDir, writer)
    if (!(await disk.list(folder)).includes('checkpoint')) continue
    const note = await readWhole(disk, join(folder, 'checkpoint'))
    const { origin, root, size } = parseCheckpoint(splitNote(note).text)
    lines.push(`${origin} ${size} ${root.toString('base64')}\n`)
  }
  const time = new Date().toISOString()
  return Buffer.from(signNote(`${headsTitle}\n${time}\n${lines.join('')}`, keys.signers))
}
