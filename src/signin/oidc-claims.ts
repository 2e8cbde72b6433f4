/** What verified claims of an ID token prove here: who it is, when they proved it, their groups. */
import type { JWTPayload } from 'jose'
import type { EntraSignInConfig, OidcSignInConfig } from '../config/types.ts'
import { claimAt, frozenClaims, isGuid, isRecord, isWord, wordsOf } from '../identity/claims.ts'
import type { Told } from '../identity/directory.ts'
import type { Proven } from './flows.ts'
import { providerDown, providerRefused } from './provider-faults.ts'
import type { ResolveGroups } from './providers.ts'

export type OidcClaims = JWTPayload & { readonly sub: string }

export interface Came {
  readonly claims: OidcClaims
  /** When we sent the browser there, and now: milliseconds since 1970. */
  readonly askedMs: number
  readonly nowMs: number
  readonly isFresh: boolean
}

const skewMs = 60_000
/** Of the protocol and of one token; nothing a condition of a grant should look at. */
const transient = 'nonce at_hash c_hash s_hash exp iat nbf jti sid aio rh uti aud azp'.split(' ')

/** At any OpenID provider a person is (`iss`, `sub`). @throws {Fault} `refused`. */
export function provenByOidc(config: OidcSignInConfig, came: Came): Proven {
  const { claims } = came
  if (!isWord(claims.sub)) throw providerRefused('subject_form')
  const { groupsClaim, nameClaim, rolesClaim } = config
  const told: Told = {
    issuer: config.issuer,
    subject: claims.sub,
    kind: 'person',
    ...wordsAt(claims, nameClaim),
    groups: wordsOf(claimAt(claims, groupsClaim)),
    roles: wordsOf(claimAt(claims, rolesClaim)),
    claims: frozenClaims(claims, [...transient, groupsClaim, rolesClaim]),
  }
  return provenBy(told, came)
}

/**
 * At Entra a person is (tenant, `oid`): `sub` differs from application to application. Groups are
 * GUIDs; with too many for a token there is a mark in their place, and Graph is asked.
 * @throws {Fault} `refused`; `identity_down` where Graph cannot be asked.
 */
export async function provenByEntra(
  config: EntraSignInConfig,
  came: Came,
  resolve: ResolveGroups | undefined,
): Promise<Proven> {
  const { claims } = came
  const { oid, tid } = claims
  if (!isGuid(tid) || tid.toLowerCase() !== config.tenant) throw providerRefused('tenant_other')
  if (!isGuid(oid)) throw providerRefused('oid_missing')
  const subject = oid.toLowerCase()
  const told: Told = {
    issuer: `${config.authority}/${config.tenant}/v2.0`,
    subject,
    kind: 'person',
    ...wordsAt(claims, 'name'),
    groups: await entraGroups(claims, () => resolved(resolve, config.tenant, subject)),
    roles: wordsOf(claims['roles']),
    claims: frozenClaims(claims, [
      ...transient,
      'groups',
      'roles',
      '_claim_names',
      '_claim_sources',
    ]),
  }
  return provenBy(told, came)
}

async function entraGroups(
  claims: OidcClaims,
  resolve: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const names = claims['_claim_names']
  // The address beside the mark is another service's, and could be anybody's: it is never asked.
  const isOver = (isRecord(names) && Object.hasOwn(names, 'groups')) || claims['hasgroups'] === true
  if (isOver) return await resolve()
  const { groups = [] } = claims
  if (!Array.isArray(groups) || !groups.every(isGuid)) throw providerRefused('groups_not_guids')
  return groups.map((group) => group.toLowerCase())
}

async function resolved(
  resolve: ResolveGroups | undefined,
  tenant: string,
  oid: string,
): Promise<readonly string[]> {
  if (resolve === undefined) throw providerRefused('groups_too_many')
  try {
    return await resolve(tenant, oid)
  } catch (error) {
    throw providerDown('groups_unresolved', error)
  }
}

function provenBy(told: Told, { askedMs, claims, isFresh, nowMs }: Came): Proven {
  const { amr, auth_time: time, iat, sid } = claims
  // OpenID Connect Core §2 demands it, and the library has looked: whoever comes without is refused.
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw providerRefused('issued_missing')
  const provenMs = Math.min(iat * 1000, nowMs)
  const seenMs = typeof time === 'number' && Number.isFinite(time) ? time * 1000 : undefined
  if (seenMs !== undefined && seenMs > nowMs + skewMs) throw providerRefused('auth_time_ahead')
  if (isFresh && seenMs === undefined) throw providerRefused('auth_time_missing')
  if (isFresh && (seenMs ?? 0) < askedMs - skewMs) throw providerRefused('not_fresh')
  return {
    told,
    // Where the provider does not say when it saw them, it was at the latest when it issued this.
    authenticatedMs: Math.min(seenMs ?? provenMs, nowMs),
    provenMs,
    amr: wordsOf(amr),
    ...(isWord(sid) ? { providerSession: sid } : {}),
  }
}

function wordsAt(claims: OidcClaims, nameClaim: string): Pick<Told, 'name' | 'email'> {
  const name = claimAt(claims, nameClaim)
  const { email } = claims
  return { ...(isWord(name) ? { name } : {}), ...(isWord(email) ? { email } : {}) }
}
