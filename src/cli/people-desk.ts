/** What commands about people, stops and service accounts work on. */
import { isoMicros } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { identifiersOf } from '../config/settle.ts'
import type { IdentityConfig } from '../config/types.ts'
import type { Directory } from '../identity/directory.ts'
import type { Revocation, Revocations, Stop } from '../identity/revocations.ts'
import { serviceIssuer, serviceIssuerName } from '../identity/service-accounts.ts'
import type { ServiceAccounts } from '../identity/service-accounts.ts'
import type { Masker } from '../mask/masker.ts'
import type { Details, NotedType } from '../record/entry.ts'
import { createNote } from '../record/notes.ts'
import type { Recorder } from '../record/record.ts'

/** Takes a stop back, and records it. @returns undefined where there is none of this id. */
export type Lift = (id: string, by: string, reason: string) => Promise<Revocation | undefined>

export interface PeopleDesk {
  readonly clock: Clock
  readonly recorder: Pick<Recorder, 'append'>
  readonly masker: Pick<Masker, 'word' | 'words'>
  readonly directory: Directory
  readonly revocations: Revocations
  readonly serviceAccounts: ServiceAccounts
  readonly stop: Stop
  readonly lift: Lift
  /** By the names of the configuration; empty where there is none to be read. */
  readonly issuers: readonly NamedIssuer[]
  /** Names of connections; undefined where there is no configuration to be read. */
  readonly connections: readonly string[] | undefined
  /** How long a service account's key is good for at most, and where nobody says how long. */
  readonly serviceKeyMs: number
}

/** Where principals come from. */
export interface NamedIssuer {
  /** Of the issuer or the sign-in in the configuration. */
  readonly name: string
  /** What its principals carry. */
  readonly issuer: string
  /** Its subjects are GUIDs, which Entra writes in lower case. */
  readonly isEntra: boolean
}

/** One line a name and identifier: Entra's issuers have one for each tenant. */
export function namedIssuers({ issuers, signIn }: IdentityConfig): readonly NamedIssuer[] {
  const found: NamedIssuer[] = []
  for (const each of issuers) {
    const isEntra = each.type === 'entra'
    for (const issuer of identifiersOf(each)) found.push({ name: each.name, issuer, isEntra })
  }
  const own = issuers.find(({ type }) => type === 'local')
  for (const each of signIn) {
    const { name } = each
    const identified = { name, isEntra: false }
    if (each.type === 'oidc') found.push({ ...identified, issuer: each.issuer })
    else if (each.type === 'entra') {
      found.push({ name, issuer: `${each.authority}/${each.tenant}/v2.0`, isEntra: true })
    } else if (each.type === 'accounts') {
      if (own?.type === 'local') found.push({ ...identified, issuer: own.issuer })
    } else if (each.sameAs === undefined) {
      found.push({ ...identified, issuer: each.idpIssuer })
    } else {
      const same = found.filter((one) => one.name === each.sameAs)
      found.push(...same.map((one) => ({ ...one, name })))
    }
  }
  found.push({ name: serviceIssuerName, issuer: serviceIssuer, isEntra: false })
  const isFirst = ({ issuer, name }: NamedIssuer, at: number): boolean =>
    found.findIndex((one) => one.name === name && one.issuer === issuer) === at
  return found.filter(isFirst)
}

export function nowMsOf({ clock }: Pick<PeopleDesk, 'clock'>): number {
  return Math.floor(clock.nowUs() / 1000)
}

/** Writes an entry in the name of a user of this machine. @throws {Fault} as `Note`. */
export async function noteBy(
  by: string,
  type: NotedType,
  details: Details,
  { masker, recorder }: Pick<PeopleDesk, 'masker' | 'recorder'>,
): Promise<void> {
  const principal = { issuer: 'local', subject: by, kind: 'local' as const }
  await createNote(recorder, masker)(type, { principal }, details)
}

/** A moment for people and for the record: `2026-11-21T07:48:00Z`, with milliseconds where it has
 *  any. */
export function momentText(ms: number): string {
  return isoMicros(ms * 1000).replace(/\.?0+Z$/, 'Z')
}
