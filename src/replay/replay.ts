/**
 * What happened, as it happened: the entries of one session or of several, in the order of the log,
 * with exact times, who and from where, what was asked and answered (masked), what was decided and
 * how it ended.
 */
import { cast } from './cast.ts'
import { har } from './har.ts'
import { html } from './html.ts'
import { jsonl } from './jsonl.ts'
import { pick } from './shown.ts'
import { text } from './text.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Frame, Prove, Shown, Shows } from './shown.ts'

export type ReplayFormat = 'text' | 'jsonl' | 'html' | 'har' | 'cast'

export interface ReplayOptions {
  readonly format: ReplayFormat
  /** Says it of each entry, or names the sessions and exchanges whose entries are shown. */
  readonly shows: Shows
  readonly title?: string | undefined
  /** The name of the log, as its checkpoints bear it. */
  readonly origin?: string | undefined
  /** Our own version, for formats that name who made them. */
  readonly version?: string | undefined
  /** Where proofs are wanted: the tlog-proof of the entry at an index. */
  readonly proof?: Prove | undefined
}

type Write = (shown: AsyncIterable<Shown>, frame: Frame) => AsyncGenerator<string>

const formats: Readonly<Record<ReplayFormat, Write>> = { text, jsonl, html, har, cast }

/**
 * A replay, piece by piece; joined, the pieces are the whole. Each piece ends with a line's end. One
 * entry is in memory at a time (with `har` the calls that are open), besides a line for each session
 * and call.
 * @throws {Fault} `session_unknown` when nothing is shown, before the first piece.
 */
export async function* replay(
  entries: AsyncIterable<RecordedEntry>,
  options: ReplayOptions,
): AsyncGenerator<string> {
  const { format, origin, proof, shows, title, version = '0' } = options
  const frame = { title: title ?? titleOf(shows), origin, version }
  yield* formats[format](pick(entries, shows, proof), frame)
}

function titleOf(shows: Shows): string {
  if (typeof shows === 'function' || shows.size !== 1) return 'Replay'
  const [name = ''] = shows
  return `Replay of ${name}`
}
