/** Why a SAML sign-in is not taken: fixed words for the record, few sentences for the person. */
import { Fault } from '../base/fault.ts'
import type { FaultFacts } from '../base/fault.ts'

/** What the person reads. An attacker learns from it no more than that it did not work. */
const sentences = {
  unverified:
    'Your sign-in could not be verified, so you are not signed in. Start again; if it fails again, tell your administrator when it happened.',
  late: 'Your sign-in took too long or was used before, so you are not signed in. Start again.',
  denied: 'Your identity provider did not sign you in. Start again, or ask its administrator.',
  again: 'Your identity provider has not asked you to sign in for too long. Sign in there anew.',
  down: 'You cannot be signed in for the moment: what this gateway needs to know about you cannot be had. Try again later; if it lasts, tell your administrator.',
} as const

/** The machine's word for why, with the sentence that stands for it. */
const reasons = {
  // the message as it came
  too_large: 'unverified',
  malformed: 'unverified',
  doctype: 'unverified',
  structure: 'unverified',
  encrypted: 'unverified',
  algorithm: 'unverified',
  provider_refused: 'denied',
  // whose it is and whom it is for
  unsolicited: 'unverified',
  other_request: 'unverified',
  destination: 'unverified',
  issuer: 'unverified',
  signature: 'unverified',
  confirmation: 'unverified',
  recipient: 'unverified',
  conditions: 'unverified',
  audience: 'unverified',
  // when
  request_expired: 'late',
  not_yet: 'unverified',
  expired: 'late',
  too_old: 'late',
  replayed: 'late',
  authn_old: 'again',
  not_fresh: 'again',
  // who it says they are
  authn: 'unverified',
  attributes: 'unverified',
  duplicate_attribute: 'unverified',
  subject: 'unverified',
  tenant: 'unverified',
  groups: 'unverified',
  roles: 'unverified',
  overage: 'unverified',
  library: 'unverified',
} as const

export type SamlReason = keyof typeof reasons

/** A `no_identity` fault. @param facts safe values only: field names, counts, words of a list. */
export function refuseSaml(reason: SamlReason, cause?: unknown, facts: FaultFacts = {}): Fault {
  return new Fault('no_identity', sentences[reasons[reason]], {
    cause,
    facts: { ...facts, reason },
  })
}

/**
 * An `identity_down` fault: nobody is at fault who is signing in.
 * @param reason `certificates`: none of the provider's is valid now; `groups_down`: too many groups
 *   for the assertion, and the directory did not answer.
 */
export function samlDown(reason: 'certificates' | 'groups_down', cause?: unknown): Fault {
  return new Fault('identity_down', sentences.down, { cause, facts: { reason } })
}
