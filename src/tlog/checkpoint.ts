/**
 * Checkpoints (C2SP tlog-checkpoint): what a log says of its tree, as the text of a signed note.
 *
 *     <origin>
 *     <size, decimal>
 *     <base64 of the root>
 *     [extension lines]
 */
import { assert } from '../base/assert.ts'
import { openNote } from './note.ts'
import type { OpenedNote, Verifier } from './note.ts'
import { hashBytes } from './sha256.ts'
import { countOf, hasControls, hashOf, isCount } from './spelling.ts'
import { Unproven } from './unproven.ts'

/** A tree at one moment. A checkpoint has no time in it: that it was signed says not when. */
export interface Checkpoint {
  /** The log's name: a URL without scheme and trailing slash. */
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Buffer
}

/** The text of a checkpoint, without extension lines: they are legal, and read in many ways. */
export function formatCheckpoint({ origin, root, size }: Checkpoint): string {
  assert(/^[^\n]+$/.test(origin) && !hasControls(origin), 'an origin is one line')
  assert(isCount(size) && root.length === hashBytes, 'a checkpoint has a size and a root')
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** Whether extension lines are let through; ours has none, other logs' may. */
export interface CheckpointReading {
  readonly extensions: boolean
}

/**
 * The checkpoint in the text of a note. Believe it only when the note was opened.
 * @throws {Unproven} `checkpoint_malformed` when a line is missing or is spelt otherwise than
 *   `formatCheckpoint` does, and for extension lines unless they are asked for.
 */
export function parseCheckpoint(
  text: string,
  reading: CheckpointReading = { extensions: false },
): Checkpoint & { readonly extensions: readonly string[] } {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n')
  const extensions = rest.slice(0, -1)
  const size = countOf(sizeText)
  const root = hashOf(rootText)
  if (!text.endsWith('\n') || rest.length === 0) throw malformed('it has fewer than three lines')
  if (hasControls(text)) throw malformed('it holds control characters')
  if (origin === '' || size === undefined) throw malformed('its origin or its size is not spelt so')
  if (root === undefined) throw malformed('its root is not the base64 of 32 bytes')
  if (extensions.includes('')) throw malformed('a line after its root is empty')
  if (extensions.length > 0 && !reading.extensions) throw malformed('lines follow its root')
  return { origin, size, root, extensions }
}

function malformed(why: string): Unproven {
  return new Unproven('checkpoint_malformed', `This is no checkpoint: ${why}.`)
}

/**
 * Whether a log that signed `last` may sign `next`: it never shrinks, and has one root for a size.
 * Equal sizes and roots are fine. That `next` holds the entries of `last` is for a proof to show.
 */
export function mayFollow(last: Checkpoint, next: Checkpoint): boolean {
  if (last.origin !== next.origin || next.size < last.size) return false
  return next.size > last.size || next.root.equals(last.root)
}

/** A checkpoint whose signature was checked; only `openCheckpoint` makes one. */
class SignedCheckpoint implements Checkpoint {
  readonly #note: OpenedNote
  readonly origin: string
  readonly size: number
  readonly root: Buffer

  constructor(note: OpenedNote, { origin, root, size }: Checkpoint) {
    this.#note = note
    this.origin = origin
    this.size = size
    this.root = root
  }

  /** The note's text and its lines, the log's own and those of witnesses. */
  get note(): OpenedNote {
    return this.#note
  }
}
export type OpenedCheckpoint = SignedCheckpoint

/**
 * The checkpoint of a note which the log itself has signed.
 * @param origin the log that is asked for.
 * @param logs the log's keys: one of them must have signed.
 * @param witnesses keys whose lines are checked as well; whether they suffice is for a policy.
 * @throws {Unproven} as `openNote` and `parseCheckpoint` do; `signature_missing` when only witnesses
 *   signed; `origin_other` when it is another log's.
 */
export function openCheckpoint(
  note: Uint8Array | string,
  origin: string,
  logs: readonly Verifier[],
  witnesses: readonly Verifier[] = [],
  reading?: CheckpointReading,
): OpenedCheckpoint {
  const opened = openNote(note, [...logs, ...witnesses])
  if (!opened.verified.some((line) => logs.some((log) => isOf(line, log)))) {
    const what = 'Witnesses have signed the checkpoint, but no key of the log has'
    throw new Unproven('signature_missing', `${what}; it proves nothing.`)
  }
  const checkpoint = parseCheckpoint(opened.text, reading)
  if (checkpoint.origin !== origin) {
    throw new Unproven(
      'origin_other',
      'The checkpoint is about another log than the one asked for.',
    )
  }
  return new SignedCheckpoint(opened, checkpoint)
}

/** Whether a line is one of this key. */
export function isOf(
  line: { readonly name: string; readonly keyId: string },
  key: { readonly name: string; readonly keyId: string },
): boolean {
  return line.name === key.name && line.keyId === key.keyId
}
