/** The last defaults: those which follow from another key. */
import type { Draft, DraftConnection, DraftIssuer, DraftMasking } from './draft.ts'
import type {
  Config,
  ConnectionConfig,
  ConsoleRoles,
  GrantConfig,
  IssuerConfig,
  MaskConfig,
  WhoConfig,
} from './types.ts'
import { showHostPort } from './units.ts'

/** @param draft a checked file: every name in it is known. */
export function settle({ masking, ...draft }: Draft): Config {
  const { listen } = draft
  const scheme = listen.tls ? 'https' : 'http'
  const publicUrl = draft.publicUrl ?? `${scheme}://${showHostPort(listen.gateway)}`
  const consoleUrl = draft.console.publicUrl ?? `http://localhost:${listen.console.port}`
  const issuers = draft.identity.issuers.map((issuer) => settleIssuer(issuer, publicUrl))
  return {
    ...draft,
    publicUrl,
    console: { publicUrl: consoleUrl, roles: settleRoles(draft.console.roles, issuers) },
    identity: { issuers },
    connections: draft.connections.map((connection) => ({
      ...connection,
      answerBytesMax: connection.answerBytesMax ?? draft.limits.answerBytesMax,
      mask: settleMask(connection, masking),
    })),
    access: draft.access.map((grant) => settleGrant(grant, issuers)),
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
  if (issuer.type === 'oidc') return issuer
  return {
    ...issuer,
    issuer: issuer.issuer ?? `${publicUrl}/oauth`,
    audience: issuer.audience ?? [publicUrl],
  }
}

/** The file names an issuer by its name, a principal carries its identifier. */
function settleGrant(grant: GrantConfig, issuers: readonly IssuerConfig[]): GrantConfig {
  return { ...grant, who: settleWho(grant.who, issuers) }
}

function settleRoles(
  { analyst, auditor }: ConsoleRoles,
  issuers: readonly IssuerConfig[],
): ConsoleRoles {
  return {
    ...(analyst === undefined ? {} : { analyst: settleWho(analyst, issuers) }),
    ...(auditor === undefined ? {} : { auditor: settleWho(auditor, issuers) }),
  }
}

function settleWho(who: WhoConfig, issuers: readonly IssuerConfig[]): WhoConfig {
  const issuer = issuers.find(({ name }) => name === who.issuer)?.issuer
  return issuer === undefined ? who : { ...who, issuer }
}
