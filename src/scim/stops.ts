/** The stops which SCIM itself made: the only ones it may take back. */
import type { Revocation, Revocations } from '../identity/revocations.ts'
import type { Note } from '../record/notes.ts'

export interface OwnStops {
  /** Whether SCIM has stopped this principal, and that is durable in list and record. */
  isStopped(issuer: string, subject: string): boolean
  /** Takes back what SCIM stopped; a stop of anybody else's stays. Recorded before it is done. */
  lift(issuer: string, subject: string): Promise<void>
}

export function ownStops(
  revocations: Pick<Revocations, 'list' | 'lift' | 'unrecorded'>,
  note: Note,
): OwnStops {
  const find = (issuer: string, subject: string): Revocation[] =>
    revocations.list().filter(({ source, target }) => {
      const isOurs = source === 'scim' && target.kind === 'principal'
      return isOurs && target.issuer === issuer && target.subject === subject
    })
  return {
    isStopped(issuer, subject) {
      // One whose entry failed was answered with 500, and is made once more when it is asked again.
      const halfMade = new Set(revocations.unrecorded().map(({ id }) => id))
      return find(issuer, subject).some(({ id }) => !halfMade.has(id))
    },
    async lift(issuer, subject) {
      for (const { id } of find(issuer, subject)) {
        const principal = { issuer, subject, kind: 'person' } as const
        await note('revocation.lifted', { principal }, { id, by: 'scim', source: 'scim' })
        revocations.lift(id)
      }
    },
  }
}
