/** What older checkpoints show: changes of the log's key, and what witnesses have seen. */
import { join } from 'node:path'
import { derivedFiles } from '../base/derived.ts'
import { readNotes } from '../record/checkpoints.ts'
import { reading } from '../record/tree.ts'
import { openCheckpoint, parseCheckpoint } from '../tlog/checkpoint.ts'
import { verifierOf } from '../tlog/cosignature.ts'
import { parseVkey, splitNote } from '../tlog/note.ts'
import { inclusionProof } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { RecordPlace } from '../record/read.ts'
import type { OpenedCheckpoint } from '../tlog/checkpoint.ts'
import type { Verifier } from '../tlog/note.ts'
import type { Handover, Witnessed } from './pack-format.ts'
import type { SignedTree } from './prove.ts'

/** An entry `keys.rotated`. */
export interface Rotation {
  readonly index: number
  readonly line: Buffer
  /** The vkey before. */
  readonly from: string
}

/**
 * For each change a checkpoint that the old key has signed and whose tree holds the entry. A change
 * of which there is none is left out: then only who has the new key can verify.
 */
export async function handoversOf(
  { dir, disk, writer }: RecordPlace,
  rotations: readonly Rotation[],
  { checkpoint, hashes }: SignedTree,
): Promise<Handover[]> {
  const found: Handover[] = []
  const waiting = rotations.map((rotation) => ({ rotation, by: verifierIn(rotation.from) }))
  if (waiting.length === 0) return found
  const folder = join(dir, writer)
  const readTile = reading(derivedFiles(folder))
  for await (const { isWhole, note } of readNotes(disk, folder)) {
    const [first] = waiting
    if (!first || !isWhole) break
    const { by, rotation } = first
    const at = by && signedBy(note, checkpoint.origin, by)
    if (at && at.size > checkpoint.size) break
    if (!at || at.size <= rotation.index) continue
    found.push({
      index: rotation.index,
      entry: rotation.line.toString('utf8'),
      checkpoint: note,
      hashes: await inclusionProof(rotation.index, at.size, readTile),
      consistency: await hashes.consistencyProof(at.size),
    })
    waiting.shift()
  }
  return found
}

/** The checkpoint that witnesses have cosigned last; none when there is none, or one that is newer
 *  than the pack's. */
export async function witnessedOf(
  { dir, writer }: RecordPlace,
  { checkpoint, hashes }: SignedTree,
): Promise<Witnessed[]> {
  const note = (await derivedFiles(join(dir, writer)).read('cosigned'))?.toString('utf8')
  if (note === undefined) return []
  const { origin, size } = parseCheckpoint(splitNote(note).text)
  if (origin !== checkpoint.origin || size > checkpoint.size) return []
  return [{ checkpoint: note, consistency: await hashes.consistencyProof(size) }]
}

function verifierIn(vkey: string): Verifier | undefined {
  try {
    return verifierOf(parseVkey(vkey))
  } catch (error) {
    if (error instanceof Unproven) return undefined
    throw error
  }
}

function signedBy(note: string, origin: string, by: Verifier): OpenedCheckpoint | undefined {
  try {
    return openCheckpoint(note, origin, [by])
  } catch (error) {
    if (error instanceof Unproven) return undefined // Another key's: the next one perhaps.
    throw error
  }
}
