/** Looks at what is kept and files of proof that leave it, by people at the console. */
import type { Masker } from '../mask/masker.ts'
import { share } from './entry.ts'
import type { Who } from './entry.ts'
import type { About } from './notes.ts'
import type { Recorder } from './record.ts'

export interface LookedAt {
  /** A held call with its masked arguments; the file which proves its decisions. */
  readonly what: 'ticket' | 'proof'
  readonly by: 'console' | 'api'
  readonly ticket: string
}

/**
 * Writes one entry; durable when it resolves. Nothing is shown before.
 * @throws {Fault} `record_down` or `record_full`: what cannot be recorded is not shown.
 */
export type Look = (about: About, at: LookedAt) => Promise<void>

export function createLook(
  recorder: Pick<Recorder, 'append'>,
  masker: Pick<Masker, 'word' | 'words'>,
): Look {
  return async ({ connection, exchange, principal, session, source }, { by, ticket, what }) => {
    const who = principal && masker.words<Who>(principal)
    const shared = share({ principal: who, source, connection, session, exchange })
    const viewed = masker.word(ticket)
    const entry =
      what === 'ticket'
        ? { type: 'record.viewed' as const, what, by, viewed: viewed.value, shown: 1 }
        : { type: 'record.exported' as const, what, by, query: viewed, entries: 1, bodies: 0 }
    await recorder.append('note', shared, [{ entry }])
  }
}
