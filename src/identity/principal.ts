/** Who is calling: made from verified claims only. */
import type { JWTPayload } from 'jose'
import type { IssuerConfig, PrincipalKind } from '../config/types.ts'

/** Its identity is (issuer, subject); everything else may change from token to token. */
export interface Principal {
  readonly issuer: string
  readonly subject: string
  /** For people to read; whoever holds the account can choose it. */
  readonly name?: string
  readonly kind: PrincipalKind
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly clientId?: string
  /** `exp` of the token, milliseconds since 1970. */
  readonly expiresAtMs: number
}

const wordsMax = 1000
const wordCharactersMax = 256

/** Whether a text may name somebody: 1 to 256 well-formed characters, none of control. */
export function isWord(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= wordCharactersMax &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  )
}

/** The client a token was given to: `azp` (OpenID Connect), `client_id` (RFC 9068), `appid`. */
export function clientOf(claims: JWTPayload): string | undefined {
  return [claims['azp'], claims['client_id'], claims['appid']].find(isWord)
}

/**
 * @param claims verified, with `sub` a word and `exp` a number.
 * @param row the issuer they came from.
 */
export function toPrincipal(claims: JWTPayload, row: IssuerConfig): Principal {
  const isLocal = row.type === 'local'
  const name = claimAt(claims, isLocal ? 'name' : row.nameClaim)
  const clientId = clientOf(claims)
  return Object.freeze({
    issuer: row.issuer,
    subject: claims.sub ?? '',
    ...(isWord(name) ? { name } : {}),
    kind: isLocal ? localKind(claims) : row.kind === 'auto' ? kindOf(claims) : row.kind,
    groups: wordsOf(claimAt(claims, isLocal ? 'groups' : row.groupsClaim)),
    roles: wordsOf(claimAt(claims, isLocal ? 'roles' : row.rolesClaim)),
    ...(clientId === undefined ? {} : { clientId }),
    expiresAtMs: (claims.exp ?? 0) * 1000,
  })
}

function localKind(claims: JWTPayload): PrincipalKind {
  const kind = claims['kind']
  return kind === 'person' || kind === 'workload' ? kind : 'service'
}

/** A token which a client got for itself has the client as its subject (RFC 9068 §5). Entra and
 *  Auth0 have a word of their own for it. */
function kindOf(claims: JWTPayload): PrincipalKind {
  const clients = [claims['azp'], claims['client_id'], claims['appid']]
  const isApp = claims['idtyp'] === 'app' || claims['gty'] === 'client-credentials'
  return isApp || clients.includes(claims.sub) ? 'service' : 'person'
}

/** A claim by its exact name, or by a JSON pointer (RFC 6901) when the name begins with a slash. */
function claimAt(claims: JWTPayload, name: string): unknown {
  const parts = name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [name]
  let value: unknown = claims
  for (const part of parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}

/** Grants only ever give, so a list we cannot read in full gives nothing rather than a part. */
function wordsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] =
    typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
  return list.length <= wordsMax && list.every(isWord) ? Object.freeze([...new Set(list)]) : []
}
