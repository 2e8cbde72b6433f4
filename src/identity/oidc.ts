/** Issuers of type `oidc`: any OpenID provider that makes JWT access tokens. */
import type { JWTPayload } from 'jose'
import type { OidcIssuerConfig, PrincipalKind } from '../config/types.ts'
import { claimAt, clientOf, frozenClaims, isWord, wordAt, wordsOf } from './claims.ts'
import { issuerKeys } from './keys.ts'
import { makePrincipal } from './principal.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { dayS } from './row.ts'
import type { IssuerRow, RowParts } from './row.ts'

/** The one row of such an issuer. */
export function oidcRows(config: OidcIssuerConfig, parts: RowParts): readonly IssuerRow[] {
  const { name, issuer, audience, algorithms } = config
  return [
    {
      type: 'oidc',
      name,
      issuer,
      principalIssuer: issuer,
      audience,
      algorithms,
      isTypeOptional: true,
      lifetimeMaxS: dayS,
      keys: issuerKeys(config, parts),
      read: (claims) => read(claims, config),
      subjectOf: (claims) => (isWord(claims.sub) ? claims.sub : undefined),
    },
  ]
}

function read(claims: JWTPayload, config: OidcIssuerConfig): Principal {
  const clientId = clientOf(claims)
  if (config.clients.length > 0 && (clientId === undefined || !config.clients.includes(clientId))) {
    throw refusal('client', config.name)
  }
  const name = claimAt(claims, config.nameClaim)
  const said = {
    issuer: config.issuer,
    subject: claims.sub ?? '',
    name: isWord(name) ? name : undefined,
    kind: config.kind === 'auto' ? kindOf(claims) : config.kind,
    groups: wordsOf(claimAt(claims, config.groupsClaim)),
    roles: wordsOf(claimAt(claims, config.rolesClaim)),
    clientId,
    tokenId: wordAt(claims, 'jti'),
    signInId: wordAt(claims, 'sid'),
    claims: frozenClaims(claims, [config.groupsClaim]),
  }
  return makePrincipal(said, claims)
}

/** A token which a client got for itself has the client as its subject (RFC 9068 §5). Entra and
 *  Auth0 have a word of their own for it. */
function kindOf(claims: JWTPayload): PrincipalKind {
  const clients = [claims['azp'], claims['client_id'], claims['appid']]
  const isApp = claims['idtyp'] === 'app' || claims['gty'] === 'client-credentials'
  return isApp || clients.includes(claims.sub) ? 'service' : 'person'
}
