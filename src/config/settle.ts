/** The last defaults: those which follow from another key. */
import { assert } from '../base/assert.ts'
import type {
  Draft,
  DraftConnection,
  DraftGrant,
  DraftHolds,
  DraftIssuer,
  DraftMasking,
  DraftRoles,
  DraftRule,
  DraftWho,
} from './draft.ts'
import type { FilePlace, HoldsConfig, ProfileConfig, RuleConfig } from './policy-types.ts'
import type { ReadProfile } from './profile.ts'
import type {
  Config,
  ConsoleRoles,
  GrantConfig,
  IssuerConfig,
  MaskConfig,
  WhoConfig,
} from './types.ts'
import { serviceIssuer, serviceIssuerName } from './service-issuer.ts'
import { showHostPort } from './units.ts'

/**
 * @param draft a checked file: every name in it is known.
 * @param profiles by the names connections give them.
 * @param places of its rules.
 */
export function settle(
  { masking, ...draft }: Draft,
  profiles: ReadonlyMap<string, ReadProfile>,
  places: readonly FilePlace[],
): Config {
  const { listen } = draft
  const scheme = listen.tls ? 'https' : 'http'
  const publicUrl = draft.publicUrl ?? `${scheme}://${showHostPort(listen.gateway)}`
  const consoleUrl = draft.console.publicUrl ?? `http://localhost:${listen.console.port}`
  const issuers = draft.identity.issuers.map((issuer) => settleIssuer(issuer, publicUrl))
  const named = identifiers(issuers, draft.identity.signIn)
  const settled = new Map(
    [...profiles].map(([name, profile]) => [name, settleProfile(profile, named)] as const),
  )
  const profileOf = (name: string): ProfileConfig => {
    const profile = settled.get(name)
    assert(profile !== undefined, 'every profile that is named was read')
    return profile
  }
  return {
    ...draft,
    publicUrl,
    console: {
      ...draft.console,
      publicUrl: consoleUrl,
      roles: settleRoles(draft.console.roles, named),
    },
    identity: settleIdentity(draft.identity, issuers, named),
    connections: draft.connections.map((connection) => ({
      ...connection,
      answerBytesMax: connection.answerBytesMax ?? draft.limits.answerBytesMax,
      mask: settleMask(connection, masking),
      profile: profileOf(connection.profile),
    })),
    access: draft.access.map((grant) => settleGrant(grant, named)),
    rules: draft.rules.map((rule, i) => settleRule(rule, places[i], named)),
    holds: settleHolds(draft.holds, named),
  }
}

/** What is masked on delivery when nothing else is said. */
const usualThreshold = 'medium'

/** What `masking` says holds for every connection; a connection's own adds to lists. */
function settleMask({ mask }: DraftConnection, masking: DraftMasking): MaskConfig {
  return {
    ...mask,
    threshold: mask.threshold ?? masking.threshold ?? usualThreshold,
    also: [...new Set([...masking.also, ...mask.also])],
    patterns: [...masking.patterns, ...mask.patterns],
  }
}

function settleProfile(
  { answers, exposureDays, name, otherwise, places, rules, sha256, suspicious }: ReadProfile,
  named: Identifiers,
): ProfileConfig {
  const settled = rules.map((rule, i) => settleRule(rule, places[i], named))
  return { name, sha256, otherwise, suspicious, exposureDays, answers, rules: settled }
}

function settleRule(
  { reviewers, ...rule }: DraftRule,
  place: FilePlace | undefined,
  named: Identifiers,
): RuleConfig {
  return {
    ...rule,
    ...(reviewers && {
      reviewers: reviewers.map(({ quorum, who }) => ({ who: settleWho(who, named), quorum })),
    }),
    place: place ?? { file: '', line: 1, column: 1 },
  }
}

function settleHolds({ emergency, ...holds }: DraftHolds, named: Identifiers): HoldsConfig {
  return { ...holds, ...(emergency && { emergency: settleWho(emergency, named) }) }
}

function settleIssuer(issuer: DraftIssuer, publicUrl: string): IssuerConfig {
  if (issuer.type !== 'local') return issuer
  return {
    ...issuer,
    issuer: issuer.issuer ?? `${publicUrl}/oauth`,
    audience: issuer.audience ?? [publicUrl],
  }
}

/** The file names issuers and sign-ins; a principal carries the identifier of one. */
type Identifiers = (name: string) => readonly string[]

/**
 * The identifiers that principals of an issuer carry. Entra's are one for each tenant, the same for
 * both versions of its tokens.
 */
export function identifiersOf(issuer: IssuerConfig): readonly string[] {
  if (issuer.type !== 'entra') return [issuer.issuer]
  return issuer.tenants.map((tenant) => `${issuer.authority}/${tenant}/v2.0`)
}

function signInIdentifiers(
  signIn: Draft['identity']['signIn'][number],
  issuers: readonly IssuerConfig[],
): readonly string[] {
  const of = (found: IssuerConfig | undefined): readonly string[] =>
    found ? identifiersOf(found) : []
  if (signIn.type === 'oidc') return [signIn.issuer]
  if (signIn.type === 'entra') return [`${signIn.authority}/${signIn.tenant}/v2.0`]
  if (signIn.type === 'accounts') return of(issuers.find(({ type }) => type === 'local'))
  const { sameAs } = signIn
  if (sameAs === undefined) return [signIn.idpIssuer]
  return of(issuers.find(({ name }) => name === sameAs))
}

/** An issuer and a sign-in may share a name: whichever way, they are the same people. */
function identifiers(
  issuers: readonly IssuerConfig[],
  signIns: Draft['identity']['signIn'],
): Identifiers {
  const all = [
    ...issuers.map((issuer) => [issuer.name, identifiersOf(issuer)] as const),
    ...signIns.map((signIn) => [signIn.name, signInIdentifiers(signIn, issuers)] as const),
    [serviceIssuerName, [serviceIssuer]] as const,
  ]
  return (wanted) => [...new Set(all.flatMap(([name, of]) => (name === wanted ? of : [])))]
}

function settleIdentity(
  { scim, signIn, ...rest }: Draft['identity'],
  issuers: readonly IssuerConfig[],
  named: Identifiers,
): Config['identity'] {
  const own = scim && [...issuers, ...signIn].filter(({ name }) => name === scim.issuer)
  const isEntra =
    own?.some((one) => one.type === 'entra' || ('sameAs' in one && one.sameAs)) === true
  const issuer = scim && (named(scim.issuer)[0] ?? '')
  return {
    ...rest,
    issuers,
    signIn: signIn.map((one) => ({ ...one, label: one.label ?? one.name })),
    ...(scim === undefined ? {} : { scim: { ...scim, issuer: issuer ?? '', isEntra } }),
  }
}

function settleGrant({ who, ...grant }: DraftGrant, named: Identifiers): GrantConfig {
  return { ...grant, who: settleWho(who, named) }
}

function settleRoles(roles: DraftRoles, named: Identifiers): ConsoleRoles {
  return Object.fromEntries(
    Object.entries(roles).map(([role, who]) => [role, settleWho(who, named)]),
  )
}

function settleWho({ issuer, ...who }: DraftWho, named: Identifiers): WhoConfig {
  return issuer === undefined ? who : { ...who, issuers: named(issuer) }
}
