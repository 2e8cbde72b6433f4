/** A look at the record: recorded itself, before its first line is read. */
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { realDisk } from '../base/disk.ts'
import type { Masker } from '../mask/masker.ts'
import { share } from '../record/entry.ts'
import { listWriters, readRecord } from '../record/read.ts'
import { replayLines } from '../replay/replay.ts'
import { sessionLines } from '../replay/sessions.ts'
import type { Recorder } from '../record/record.ts'

export type Look =
  | { readonly what: 'sessions'; readonly format: 'text' | 'jsonl' }
  | { readonly what: 'replay'; readonly session: string; readonly format: 'text' | 'jsonl' }

export interface Looking {
  readonly dataDir: string
  readonly recorder: Recorder
  readonly masker: Masker
  /** The user of this machine who asks. */
  readonly by: string
}

/**
 * Records the look, then gives its lines.
 * @throws {Fault} `record_down`, `record_full`: what cannot be recorded is not shown.
 */
export async function look(wanted: Look, looking: Looking): Promise<AsyncIterable<string>> {
  const { dataDir, recorder, masker, by } = looking
  const principal = masker.words({ issuer: 'local', subject: by, kind: 'local' as const })
  const viewed = wanted.what === 'replay' ? masker.word(wanted.session).value : undefined
  const entry = { type: 'record.viewed' as const, what: wanted.what, by: 'cli' as const, viewed }
  await recorder.append('look', share({ principal }), [{ entry }])
  return await started(linesOf(wanted, dataDir))
}

/** The lines of a look that nobody records: only for a copy of a data folder. */
export async function* linesOf(wanted: Look, dataDir: string): AsyncGenerator<string> {
  const dir = join(dataDir, 'record')
  const [writer] = await listWriters(realDisk, dir)
  if (writer === undefined) {
    const message = `There is no record in ${dataDir}. Name the data folder with --data or -c.`
    throw new Fault('path_unknown', message)
  }
  const entries = readRecord({ disk: realDisk, dir, writer })
  if (wanted.what === 'sessions') yield* sessionLines(entries, wanted.format)
  else yield* replayLines(entries, wanted.session, wanted.format)
}

/** Waits for the first line, so that a session nobody knows is told before anything is printed. */
async function started(lines: AsyncGenerator<string>): Promise<AsyncGenerator<string>> {
  const first = await lines.next()
  return (async function* (): AsyncGenerator<string> {
    if (first.done === true) return
    yield first.value
    yield* lines
  })()
}
