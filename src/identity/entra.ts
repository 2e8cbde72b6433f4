/**
 * Issuers of type `entra`: Microsoft Entra ID, a row for each tenant and version of its tokens.
 *
 * Sources: Microsoft identity platform docs, "Access token claims reference", "Secure applications and
 * APIs by validating claims", "Access tokens", "Optional claims reference".
 */
import type { JWK, JWTPayload } from 'jose'
import type { EntraIssuerConfig } from '../config/types.ts'
import { frozenClaims, isGuid, isWord, wordAt, wordsOf } from './claims.ts'
import { groupsReader } from './entra-groups.ts'
import type { GroupsReader } from './entra-groups.ts'
import { issuerKeys } from './keys.ts'
import type { KeySource } from './keys.ts'
import { makePrincipal } from './principal.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import type { Reason } from './reasons.ts'
import { dayS } from './row.ts'
import type { IssuerRow, RowParts } from './row.ts'

/** Where personal accounts live: anybody can make one. */
const consumerTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Continuous access evaluation makes tokens of up to 28 hours, for clients that declare it. */
const lifetimeMaxS = 28 * 3600

type Version = EntraIssuerConfig['versions'][number]

/** One tenant, one version. */
interface Place {
  readonly config: EntraIssuerConfig
  readonly tenant: string
  readonly version: Version
}

export function entraRows(config: EntraIssuerConfig, parts: RowParts): readonly IssuerRow[] {
  const groups = groupsReader(config, parts)
  return placesOf(config).map((place) => entraRow(place, groups, parts))
}

/** Whose principals are whose, for both versions of tokens: `{authority}/{tenant}/v2.0`. */
function entraIssuer({ authority }: EntraIssuerConfig, tenant: string): string {
  return `${authority}/${tenant}/v2.0`
}

/** Where the keys of an issuer are: one place for each tenant and version. */
export function entraKeySources(config: EntraIssuerConfig): readonly KeySource[] {
  return placesOf(config).map(sourceOf)
}

function placesOf(config: EntraIssuerConfig): readonly Place[] {
  const tenants = config.tenants.filter((tenant) => tenant !== consumerTenant)
  return tenants.flatMap((tenant) =>
    config.versions.map((version) => ({ config, tenant, version })),
  )
}

function sourceOf({ config, tenant, version }: Place): KeySource {
  const isNew = version === '2.0'
  const issuer = isNew ? entraIssuer(config, tenant) : `${config.authorityV1}/${tenant}/`
  const base = isNew ? issuer : `${config.authority}/${tenant}`
  const document = `${base}/.well-known/openid-configuration`
  // An application whose claims are mapped has signing keys of its own, in a document of its own.
  const [appId, ...others] = config.audience.filter(isGuid)
  const hasOwn = appId !== undefined && others.length === 0
  return {
    name: config.name,
    issuer,
    // Of this tenant: the documents of `common` name no issuer that could be compared.
    addresses: [document],
    ...(hasOwn ? { ownAddress: `${document}?appid=${appId}` } : {}),
    isOurs: (key) => isKeyOf(key, tenant, issuer),
  }
}

function entraRow(place: Place, groups: GroupsReader, parts: RowParts): IssuerRow {
  const { config, tenant } = place
  const source = sourceOf(place)
  return {
    type: 'entra',
    name: config.name,
    issuer: source.issuer,
    principalIssuer: entraIssuer(config, tenant),
    audience: config.audience.map((one) => (isGuid(one) ? one.toLowerCase() : one)),
    algorithms: ['RS256'],
    isTypeOptional: true,
    lifetimeMaxS,
    keys: issuerKeys(source, parts),
    read: (claims, nowMs) => read(claims, place, { groups, parts, nowMs }),
    subjectOf: ({ tid, oid }) => (tid === tenant && isGuid(oid) ? oid.toLowerCase() : undefined),
  }
}

/** Entra says of a key which issuer may use it: personal accounts have keys of their own in the
 *  document of every tenant. */
function isKeyOf(key: JWK, tenant: string, issuer: string): boolean {
  const named: unknown = Reflect.get(key, 'issuer')
  if (named === undefined) return true
  return typeof named === 'string' && named.replaceAll('{tenantid}', tenant) === issuer
}

interface Reading {
  readonly groups: GroupsReader
  readonly parts: RowParts
  readonly nowMs: number
}

async function read(claims: JWTPayload, place: Place, reading: Reading): Promise<Principal> {
  const { config, tenant, version } = place
  const refuse = (reason: Reason): never => {
    throw refusal(reason, config.name)
  }
  if (claims['ver'] !== version) refuse('version')
  if (claims['tid'] !== tenant) refuse('tenant')
  const { oid } = claims
  if (!isGuid(oid)) return refuse('claims') // Never `sub`: it is another one for each application.
  const subject = oid.toLowerCase()
  if (isTooLong(claims)) refuse('lifetime')
  const clientId = wordAt(claims, version === '2.0' ? 'azp' : 'appid')
  if (!isClientAllowed(clientId, config.clients)) refuse('client')

  const bearer = bearerOf(claims, subject)
  if (bearer === 'conflict') return refuse('claims')
  if (bearer === 'none') return refuse('type')
  const issuer = entraIssuer(config, tenant)
  const roles = wordsOf(claims['roles'])
  // Without "Assignment required" any application of the tenant gets a token for us: no role in it,
  // and nobody ever asked for it to be let in.
  const isWanted = (): boolean => reading.parts.isRegistered?.(issuer, subject) ?? false
  if (bearer === 'application' && roles.length === 0 && !isWanted()) refuse('role')
  const groups = await reading.groups.read(claims, { tenant, oid: subject, bearer }, reading.nowMs)
  const said = {
    issuer,
    subject,
    name: bearer === 'person' ? nameOf(claims) : wordAt(claims, 'app_displayname'),
    kind: bearer === 'person' ? 'person' : 'service',
    groups,
    roles,
    clientId,
    tokenId: wordAt(claims, 'uti'),
    signInId: wordAt(claims, 'sid'),
    claims: frozenClaims(claims, ['groups', '_claim_names', '_claim_sources', 'hasgroups']),
  } as const
  return makePrincipal(said, claims)
}

/** More than a day is for clients that understand a claims challenge (`cp1`), and for no other. */
function isTooLong({ exp = 0, iat = 0, ...claims }: JWTPayload): boolean {
  const declared = [claims['xms_cc']].flat().filter((one) => typeof one === 'string')
  return exp - iat > dayS && !declared.some((one) => one.toLowerCase() === 'cp1')
}

function isClientAllowed(client: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true
  return allowed.some((one) => one.toLowerCase() === client?.toLowerCase())
}

/**
 * Whose token this is. `scp` stands in tokens of people alone, and in each of them: an ID token of the
 * same application, with the same audience and signature, has none.
 */
function bearerOf(claims: JWTPayload, oid: string): 'person' | 'application' | 'none' | 'conflict' {
  const { idtyp, scp } = claims
  const hasScope = typeof scp === 'string' && scp.trim() !== ''
  if (scp !== undefined && !hasScope) return 'conflict'
  if (idtyp !== undefined && idtyp !== 'app' && idtyp !== 'user') return 'conflict'
  if (idtyp === 'app') return hasScope ? 'conflict' : 'application'
  if (hasScope) return 'person'
  return idtyp === undefined && claims.sub?.toLowerCase() === oid ? 'application' : 'none'
}

/** For people to read: the person, or an administrator of some tenant, can choose it. */
function nameOf(claims: JWTPayload): string | undefined {
  return [claims['name'], claims['preferred_username'], claims['upn'], claims['unique_name']].find(
    isWord,
  )
}
