/** What can happen to identities and access: entries with details in place of columns. */
import { canonicalize } from '../tlog/canonical.ts'
import type { Masked } from '../mask/masked.ts'

/** What can happen to identities and access, besides single calls. */
export const notedTypes = [
  /** A stop, durable before anything else of it is told; what it cut; that it was lifted. */
  'principal.revoked',
  'revocation.cut',
  'revocation.lifted',
  /** Somebody signed in to console or authorization server, was refused, or signed out. */
  'signin.accepted',
  'signin.refused',
  'signin.ended',
  /** An account of the gateway's own, a service account or one of its keys, a passkey. */
  'account.changed',
  'passkey.changed',
  /** At the authorization server: a client made known, a person's yes or no, a grant that ended. */
  'client.registered',
  'consent.given',
  'consent.refused',
  'grant.ended',
  'scim.changed',
  /** The configuration by its hash; grants and roles in words, before and after; their review. */
  'config.changed',
  'access.changed',
  'access.reviewed',
  /** What an upstream is shown was renewed, or could not be. */
  'credential.rotated',
  /** Something a person must look at: the break-glass account was used, a token was used twice. */
  'alert.raised',
  /** A held call: what waits, each decision, that it may run, that it ran, how else it ended. */
  'ticket.created',
  'ticket.decided',
  'ticket.approved',
  'ticket.executed',
  'ticket.ended',
  'ticket.reminded',
  /** Somebody looked afterwards at what ran in an emergency. */
  'ticket.reviewed',
  /** A reviewer lets another decide for them, until a date. */
  'delegation.changed',
  /** What inspection saw in a message. */
  'inspect.found',
  /** A tool is not what it was when it was pinned; somebody accepted what it is now. */
  'tool.changed',
  'tool.accepted',
  /** A reviewer was told, or could not be. */
  'notice.sent',
  'notice.failed',
] as const
export type NotedType = (typeof notedTypes)[number]

/** Words, counts and lists of words; what is undefined is left out. */
export type Details = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>

/** An identity or an access right changed, or was used. */
export interface Noted {
  readonly type: NotedType
  readonly details: Masked<Details>
}

/** Canonical, each word cut and well-formed; what is undefined is left out. */
export function detailsText(details: Details): string {
  const kept = Object.entries(details).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, shortened(value)] as const],
  )
  return canonicalize(Object.fromEntries(kept))
}

const detailWordsMax = 100

function shortened(value: NonNullable<Details[string]>): unknown {
  if (typeof value === 'string') return cut(value)
  if (typeof value !== 'object') return value
  const words = value.slice(0, detailWordsMax).map((word) => cut(word))
  const more = value.length - words.length
  return more > 0 ? [...words, `… and ${more} more`] : words
}

/** A word of 256 UTF-16 units at most. */
export function cut(word: string): string {
  const short = word.length > 256 ? `${word.slice(0, 256)}…` : word
  return short.toWellFormed()
}
