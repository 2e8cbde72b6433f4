/** Issuers of type `local`: tokens of the authorization server inside, and of `sallyport token`. */
import type { JWTPayload } from 'jose'
import { Fault } from '../base/fault.ts'
import type { LocalIssuerConfig, PrincipalKind } from '../config/types.ts'
import { claimAt, clientOf, frozenClaims, isWord, wordAt, wordsOf } from './claims.ts'
import { ownKeys } from './keys.ts'
import { makePrincipal } from './principal.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { dayS } from './row.ts'
import type { IssuerRow, RowParts } from './row.ts'

/** The one row of such an issuer. @throws {Fault} `config_bad` when its key was not handed in. */
export function localRows(config: LocalIssuerConfig, parts: RowParts): readonly IssuerRow[] {
  const { name, issuer, audience } = config
  const { local } = parts
  if (local === undefined || local.issuer !== issuer) {
    const message = `Issuer "${name}" is of type local, but its key is not there. Make it with "sallyport init".`
    throw new Fault('config_bad', message)
  }
  return [
    {
      type: 'local',
      name,
      issuer,
      principalIssuer: issuer,
      audience,
      algorithms: ['ES256'],
      isTypeOptional: false,
      lifetimeMaxS: dayS,
      keys: ownKeys(local),
      read: (claims) =>
        (claims['sp'] === undefined ? readMinted : readGranted)(claims, config, parts),
      subjectOf: () => undefined, // Nobody else signs people in or out with its tokens.
    },
  ]
}

/**
 * A token of the authorization server carries an id and no rights: who that is, stands in the
 * directory, so that what changes there holds for tokens that are out already.
 */
function readGranted(
  claims: JWTPayload,
  { name }: LocalIssuerConfig,
  { directory }: RowParts,
): Principal {
  const { sub = '' } = claims
  if (claims['sp'] !== true || !sub.startsWith('pr_')) throw refusal('claims', name)
  const known = directory?.byId(sub)
  if (known === undefined) throw refusal('principal_unknown', name)
  const said = {
    ...known,
    groups: Object.freeze([...known.groups]),
    roles: Object.freeze([...known.roles]),
    clientId: clientOf(claims),
    tokenId: wordAt(claims, 'jti'),
    signInId: wordAt(claims, 'gid'),
    claims: frozenClaims(known.claims),
  }
  return makePrincipal(said, claims)
}

function readMinted(claims: JWTPayload, { issuer }: LocalIssuerConfig): Principal {
  const name = claimAt(claims, 'name')
  const said = {
    issuer,
    subject: claims.sub ?? '',
    name: isWord(name) ? name : undefined,
    kind: kindOf(claims),
    groups: wordsOf(claimAt(claims, 'groups')),
    roles: wordsOf(claimAt(claims, 'roles')),
    clientId: clientOf(claims),
    tokenId: wordAt(claims, 'jti'),
    claims: frozenClaims(claims, ['groups']),
  }
  return makePrincipal(said, claims)
}

function kindOf(claims: JWTPayload): PrincipalKind {
  const kind = claims['kind']
  return kind === 'person' || kind === 'workload' ? kind : 'service'
}
