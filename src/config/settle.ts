/** The last defaults: those which follow from another key. */
import type {
  Draft,
  DraftConnection,
  DraftGrant,
  DraftIssuer,
  DraftMasking,
  DraftRoles,
  DraftWho,
} from './draft.ts'
import type {
  Config,
  ConnectionConfig,
  ConsoleRoles,
  GrantConfig,
  IssuerConfig,
  MaskConfig,
  WhoConfig,
} from './types.ts'
import { serviceIssuer, serviceIssuerName } from './service-issuer.ts'
import { showHostPort } from './units.ts'

/** @param draft a checked file: every name in it is known. */
export function settle({ masking, ...draft }: Draft): Config {
  const { listen } = draft
  const scheme = listen.tls ? 'https' : 'http'
  const publicUrl = draft.publicUrl ?? `${scheme}://${showHostPort(listen.gateway)}`
  const consoleUrl = draft.console.publicUrl ?? `http://localhost:${listen.console.port}`
  const issuers = draft.identity.issuers.map((issuer) => settleIssuer(issuer, publicUrl))
  const named = identifiers(issuers, draft.identity.signIn)
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
    })),
    access: draft.access.map((grant) => settleGrant(grant, named)),
  }
}

/** What each profile masks on delivery when nothing else is said. */
const profileThresholds: Readonly<Record<ConnectionConfig['profile'], MaskConfig['threshold']>> = {
  pci: 'medium',
}

/** What `masking` says holds for every connection; a connection's own adds to lists. */
function settleMask({ mask, profile }: DraftConnection, masking: DraftMasking): MaskConfig {
  return {
    ...mask,
    threshold: mask.threshold ?? masking.threshold ?? profileThresholds[profile],
    also: [...new Set([...masking.also, ...mask.also])],
    patterns: [...masking.patterns, ...mask.patterns],
  }
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
