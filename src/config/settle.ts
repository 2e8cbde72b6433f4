/** The last defaults: those which follow from another key. */
import type { Draft, DraftIssuer } from './draft.ts'
import type { Config, GrantConfig, IssuerConfig } from './types.ts'
import { showHostPort } from './units.ts'

/** @param draft a checked file: every name in it is known. */
export function settle(draft: Draft): Config {
  const { listen } = draft
  const scheme = listen.tls ? 'https' : 'http'
  const publicUrl = draft.publicUrl ?? `${scheme}://${showHostPort(listen.gateway)}`
  const consoleUrl = draft.console.publicUrl ?? `http://localhost:${listen.console.port}`
  const issuers = draft.identity.issuers.map((issuer) => settleIssuer(issuer, publicUrl))
  return {
    ...draft,
    publicUrl,
    console: { publicUrl: consoleUrl },
    identity: { issuers },
    connections: draft.connections.map((connection) => ({
      ...connection,
      answerBytesMax: connection.answerBytesMax ?? draft.limits.answerBytesMax,
    })),
    access: draft.access.map((grant) => settleGrant(grant, issuers)),
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
  const issuer = issuers.find(({ name }) => name === grant.who.issuer)?.issuer
  return issuer === undefined ? grant : { ...grant, who: { ...grant.who, issuer } }
}
