/**
 * The signed checkpoints of one log: all of them in `checkpoints.log`, the newest in `checkpoint`.
 *
 *     checkpoints.log    note | newline | note | newline | …
 *
 * A note is durable in the first before it stands in the second; after a crash the first may end in
 * the middle of a note, which nobody has seen.
 */
import { join } from 'node:path'
import { commitWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { formatCheckpoint, mayFollow, openCheckpoint } from '../tlog/checkpoint.ts'
import { signNote } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { DerivedFiles } from '../base/derived.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { Signer, Verifier } from '../tlog/note.ts'

/** What signs checkpoints, and which keys have signed those that are there. */
export interface CheckpointKeys {
  /** The log's own keys: two while one takes over from the other. */
  readonly signers: readonly Signer[]
  /** Another signature once in a while: post-quantum, with a time. */
  readonly slow: readonly Signer[]
  readonly verifiers: readonly Verifier[]
}

export interface CheckpointPlace {
  readonly disk: Disk
  readonly files: DerivedFiles
  /** The writer's folder. */
  readonly folder: string
  readonly origin: string
  readonly keys: CheckpointKeys
}

const readBytesMax = 65_536

export class Checkpoints {
  readonly #at: CheckpointPlace
  readonly #file: DiskFile
  #end: number
  #last: Checkpoint | undefined

  private constructor(at: CheckpointPlace, file: DiskFile, end: number, last?: Checkpoint) {
    this.#at = at
    this.#file = file
    this.#end = end
    this.#last = last
  }

  /**
   * Opens `checkpoints.log`, cuts off a note that was not written to its end, and checks the newest.
   * @throws {Fault} `record_down` with reason `checkpoint_bad` when no key of ours has signed it.
   */
  static async open(at: CheckpointPlace): Promise<Checkpoints> {
    const { disk, folder } = at
    const path = join(folder, 'checkpoints.log')
    const isThere = (await disk.list(folder)).includes('checkpoints.log')
    const file = isThere ? await disk.open(path, 'write') : await disk.create(path)
    if (!isThere) await disk.syncFolder(folder)
    try {
      const { end, note } = await lastNote(file)
      if (end < (await file.size())) await file.truncate(end)
      const last = note === undefined ? undefined : opened(note, at)
      if (note !== undefined) await at.files.write('checkpoint', Buffer.from(note))
      return new Checkpoints(at, file, end, last)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The newest one; undefined before the first. */
  get last(): Checkpoint | undefined {
    return this.#last
  }

  /**
   * Signs a tree, makes the note durable, and shows it.
   * @param isSlow puts the slow signatures under it as well.
   * @returns the note. @throws {Fault} `record_down`, reason `tree_differs`: it would contradict the
   *   last one, which must never be signed; anything else is the disk's.
   */
  async publish(size: number, root: Buffer, isSlow: boolean): Promise<string> {
    const { files, keys, origin } = this.#at
    const next = { origin, size, root }
    if (this.#last && !mayFollow(this.#last, next)) throw differs()
    const signers = isSlow ? [...keys.signers, ...keys.slow] : keys.signers
    const note = signNote(formatCheckpoint(next), signers)
    const bytes = Buffer.from(`${note}\n`)
    await commitWhole(this.#file, bytes, this.#end)
    // A crash in here leaves the note in the log alone; the next start shows it.
    this.#end += bytes.length
    this.#last = next
    await files.write('checkpoint', Buffer.from(note))
    return note
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** The log contradicts what was signed about it: its files were changed from outside. */
export function differs(): Fault {
  return new Fault(
    'record_down',
    'The record is not the one whose checkpoints were signed: entries were lost or changed since. ' +
      'Nothing was started and nothing repaired. Keep the folder as evidence, run `sallyport audit ' +
      'verify` on it, and restore the record from a copy or begin a new data folder.',
    { facts: { reason: 'tree_differs' } },
  )
}

function opened(note: string, { keys, origin }: CheckpointPlace): Checkpoint {
  try {
    return openCheckpoint(note, origin, keys.verifiers)
  } catch (cause) {
    if (!(cause instanceof Unproven)) throw cause
    throw new Fault(
      'record_down',
      `The newest checkpoint of the record is not one that this gateway signed: ${cause.message} ` +
        'Nothing was started. Run `sallyport audit verify` on the folder; if the signing key was ' +
        'lost, begin a new data folder.',
      { cause, facts: { reason: 'checkpoint_bad' } },
    )
  }
}

/** The last whole note of `checkpoints.log`, and one past its end. */
async function lastNote(file: DiskFile): Promise<{ end: number; note: string | undefined }> {
  const size = await file.size()
  for (let bytes = readBytesMax; ; bytes *= 4) {
    const start = Math.max(0, size - bytes)
    const chunk = Buffer.alloc(size - start)
    await file.read(chunk, start)
    const text = chunk.toString('latin1') // One unit a byte, so that offsets are those of the file.
    const end = noteEnd(text, text.length)
    const before = end === undefined ? undefined : noteEnd(text, end - 2)
    if (start > 0 && before === undefined) continue
    if (end === undefined) return { end: 0, note: undefined }
    const note = chunk.toString('utf8', before ?? 0, end - 1)
    return { end: start + end, note }
  }
}

/** One past the last note that ends at or before `limit`: an empty line behind a signature. */
function noteEnd(text: string, limit: number): number | undefined {
  const dash = Buffer.from('\n— ').toString('latin1')
  for (let at = limit; ;) {
    const gap = text.lastIndexOf('\n\n', at - 2)
    if (gap < 0) return undefined
    const line = text.lastIndexOf('\n', gap - 1)
    if (line >= 0 && text.startsWith(dash, line)) return gap + 2
    at = gap + 1
  }
}

/** A note of `checkpoints.log`; the last one may have been cut short by a crash. */
export interface KeptNote {
  readonly note: string
  readonly isWhole: boolean
}

/** Every note of `checkpoints.log`, in order. What they join to is the file, byte for byte. */
export async function* readNotes(disk: Disk, folder: string): AsyncGenerator<KeptNote> {
  if (!(await disk.list(folder)).includes('checkpoints.log')) return
  const file = await disk.open(join(folder, 'checkpoints.log'), 'read')
  try {
    let rest: Buffer = Buffer.alloc(0)
    for (let at = 0; ;) {
      const chunk = Buffer.alloc(readBytesMax)
      const got = await file.read(chunk, at)
      at += got
      rest = Buffer.concat([rest, chunk.subarray(0, got)])
      for (let end = firstEnd(rest); end !== undefined; end = firstEnd(rest)) {
        yield { note: rest.toString('utf8', 0, end - 1), isWhole: true }
        rest = rest.subarray(end)
      }
      if (got > 0) continue
      if (rest.length > 0) yield { note: rest.toString('utf8'), isWhole: false }
      return
    }
  } finally {
    await file.close()
  }
}

const gap = Buffer.from('\n\n')
const dash = Buffer.from('\n— ')

/** One past the first note in `bytes`: an empty line behind a signature. */
function firstEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(gap); at >= 0; at = bytes.indexOf(gap, at + 1)) {
    const line = bytes.lastIndexOf('\n', at - 1)
    if (line >= 0 && bytes.subarray(line, line + dash.length).equals(dash)) return at + 2
  }
  return undefined
}
