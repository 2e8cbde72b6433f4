/** Entries about identities and access: who signed in, what was stopped, what changed. */
import type { Masker } from '../mask/masker.ts'
import { share } from './entry.ts'
import type { Details, NotedType, Source, Who } from './entry.ts'
import type { Recorder } from './record.ts'

/** Who did it, from where, on what; what is unknown is missing. */
export interface About {
  readonly principal?: Who | undefined
  readonly source?: Source | undefined
  readonly connection?: string | undefined
  readonly session?: string | undefined
  readonly exchange?: string | undefined
}

/**
 * Writes one entry; durable when it resolves. Every text in it is masked here, so values may come
 * from outside; a secret or token never stands in one.
 * @throws {Fault} `record_down` or `record_full`: what was to be recorded must not be done then.
 */
export type Note = (type: NotedType, about: About, details: Details) => Promise<void>

export function createNote(
  recorder: Pick<Recorder, 'append'>,
  masker: Pick<Masker, 'words'>,
): Note {
  return async (type, { connection, exchange, principal, session, source }, details) => {
    const who = principal && masker.words<Who>(principal)
    const shared = share({ principal: who, source, connection, session, exchange })
    const entry = { type, details: masker.words<Details>(details) }
    await recorder.append('note', shared, [{ entry }])
  }
}
