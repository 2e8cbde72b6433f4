/** Stopping and lifting where no gateway runs: nothing is open that could be cut. */
import { namedBy } from '../exchange/stop.ts'
import type { Stop, Stopped } from '../identity/revocations.ts'
import { noteBy, nowMsOf } from './people-desk.ts'
import type { Lift, PeopleDesk } from './people-desk.ts'

/**
 * In the list first, then in the record: a crash between leaves the stop in force, and the next start
 * of the gateway records it. Lifts are recorded first.
 */
export function createAloneStops(
  desk: Pick<PeopleDesk, 'clock' | 'recorder' | 'masker' | 'revocations'>,
): { readonly stop: Stop; readonly lift: Lift } {
  const { revocations } = desk
  return {
    async stop({ fromMs, ...of }): Promise<Stopped> {
      const madeMs = nowMsOf(desk)
      const revocation = revocations.add({ ...of, madeMs, fromMs: fromMs ?? madeMs })
      const { by, id, reason, source, target } = revocation
      const isPlanned = revocation.fromMs > madeMs
      const planned = isPlanned ? { from: new Date(revocation.fromMs).toISOString() } : {}
      const details = { id, what: target.kind, of: namedBy(target), reason, by, source, ...planned }
      await noteBy(by, 'principal.revoked', details, desk)
      revocations.recorded(id)
      return { revocation, cut: { calls: 0, streams: 0, sessions: 0 } }
    },
    async lift(id, by, reason): ReturnType<Lift> {
      if (!revocations.list().some((one) => one.id === id)) return undefined
      await noteBy(by, 'revocation.lifted', { id, reason, by }, desk)
      return revocations.lift(id)
    },
  }
}
