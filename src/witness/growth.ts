/** What a log's folder shows to a witness: the newest checkpoint, and proofs that lead to it. */
import { derivedFiles } from '../base/derived.ts'
import { reading } from '../record/tree.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { emptyRoot, verifyConsistency } from '../tlog/merkle.ts'
import { splitNote } from '../tlog/note.ts'
import { HashReader, rootOf } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'

/** A checkpoint with its note. */
export interface Shown extends Checkpoint {
  readonly note: string
  /** The signed text: origin, size and root. */
  readonly text: string
}

/**
 * The newest checkpoint in a writer's folder; undefined when there is none of this log. Its
 * signatures are for the witness to check: whoever writes in this folder has the key anyway.
 */
export async function newestIn(folder: string, origin: string): Promise<Shown | undefined> {
  const bytes = await derivedFiles(folder).read('checkpoint')
  const shown = bytes && shownIn(bytes.toString('utf8'))
  return shown?.origin === origin ? shown : undefined
}

/** The checkpoint of a note, unchecked; undefined when it is none. */
export function shownIn(note: string): Shown | undefined {
  try {
    const { text } = splitNote(note)
    const { origin, root, size } = parseCheckpoint(text)
    return { origin, root, size, note, text }
  } catch (error) {
    if (error instanceof Unproven) return undefined
    throw error
  }
}

/**
 * The proof that the tree of `next` begins with the one of `old` leaves, out of the folder's tiles.
 * @returns undefined when they do not prove it just now: one is missing, or was cut by a crash.
 */
export async function proofTo(
  next: Checkpoint,
  old: number,
  folder: string,
): Promise<Buffer[] | undefined> {
  const readTile = reading(derivedFiles(folder))
  try {
    const oldRoot = old === 0 ? emptyRoot : await rootOf(old, readTile)
    const proof = old === 0 ? [] : await new HashReader(next.size, readTile).consistencyProof(old)
    const isProof = verifyConsistency(old, oldRoot, next.size, next.root, proof)
    return isProof ? proof : undefined
  } catch (error) {
    if (error instanceof Unproven) return undefined
    throw error
  }
}
