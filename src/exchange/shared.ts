/** Who, from where, on what, in which session: what the entries of an exchange or session share. */
import { share } from '../record/entry.ts'
import type { Shared } from '../record/entry.ts'
import type { Session } from '../session/sessions.ts'
import type { Way } from './way.ts'

/** What the entries of one exchange of this request share. */
export function sharedOf(way: Way, exchange: string | undefined): Shared {
  const { known, session, incoming, connectionName } = way
  return share({
    session: session?.id,
    exchange,
    principal: known?.who,
    source: incoming.source,
    connection: known?.connection.name ?? connectionName,
  })
}

/** Whose session it is and from where, as recorded at its opening. One without was never recorded. */
const opened = new WeakMap<Session, Shared>()

export function noteOpened(session: Session, shared: Shared): void {
  opened.set(session, shared)
}

export function openedAs(session: Session): Shared | undefined {
  return opened.get(session)
}
