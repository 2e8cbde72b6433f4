/** Whose token it is: the row of the configuration, or why there is none. */
import type { Config } from '../config/config.ts'
import type { EntraIssuerConfig, IssuerConfig } from '../config/types.ts'
import type { IssuerRow } from '../identity/row.ts'
import { consumerTenant, isEntraHost } from './live-entra-words.ts'
import { bad, listed, ok, said } from './live-token-words.ts'
import type { OpenedToken, Step } from './live-token-words.ts'

export interface FoundIssuer {
  readonly step: Step
  readonly row?: IssuerRow
}

/** @param rows by `iss`, as the gateway has them. */
export function findIssuer(
  { claims }: OpenedToken,
  rows: ReadonlyMap<string, IssuerRow>,
  { identity: { issuers } }: Pick<Config, 'identity'>,
): FoundIssuer {
  const { iss } = claims
  const row = typeof iss === 'string' ? rows.get(iss) : undefined
  if (row !== undefined) {
    return { row, step: ok('issuer', `${said(iss)}, which is "${row.name}" (type ${row.type})`) }
  }
  const path = ['identity', 'issuers']
  const wrong = (message: string): FoundIssuer => ({ step: bad('issuer', message, path) })
  if (typeof iss !== 'string') return wrong('it names no issuer (iss)')
  const entra = readEntra(iss, issuers)
  if (entra !== undefined) return wrong(entraWords(entra, issuers))
  const near = [...rows.keys()].find((one) => one.replace(/\/$/, '') === iss.replace(/\/$/, ''))
  if (near !== undefined) {
    return wrong(`${said(iss)} differs from the configured ${near} by the slash at its end`)
  }
  return wrong(`${said(iss)} is none of the issuers configured: ${listed([...rows.keys()])}`)
}

interface EntraIss {
  readonly tenant: string
  readonly version: '1.0' | '2.0'
}

const form = /^https?:\/\/[^?#]+?\/([^/]+)\/(v2\.0\/?)?$/

function readEntra(iss: string, issuers: readonly IssuerConfig[]): EntraIss | undefined {
  const address = URL.parse(iss)
  const own = issuers.filter((one) => one.type === 'entra')
  const isOwn = own.some(
    ({ authority, authorityV1 }) =>
      iss.startsWith(`${authority}/`) || iss.startsWith(`${authorityV1}/`),
  )
  if (address === null || (!isOwn && !isEntraHost(address.hostname))) return undefined
  const [, tenant, suffix] = form.exec(iss.endsWith('/') ? iss : `${iss}/`) ?? []
  if (tenant === undefined) return undefined
  return { tenant, version: suffix === undefined ? '1.0' : '2.0' }
}

function entraWords({ tenant, version }: EntraIss, issuers: readonly IssuerConfig[]): string {
  const own = issuers.filter((one): one is EntraIssuerConfig => one.type === 'entra')
  if (tenant === consumerTenant) {
    return 'it comes from a personal Microsoft account, which anybody can make; sign in with a work account of a tenant that is listed'
  }
  if (own.length === 0) {
    return 'it comes from Microsoft Entra ID, and the file has no issuer of type entra'
  }
  const theirs = own.find(({ tenants }) => tenants.includes(tenant))
  if (theirs === undefined) {
    const known = listed(own.flatMap(({ tenants }) => tenants))
    return `it comes from tenant ${said(tenant)}, which is not listed (tenant: ${known}). Ask for the token at one of these, or add the tenant if its people may come here; guests get tokens of the tenant they are guests of`
  }
  if (theirs.versions.includes(version)) {
    return `it comes from tenant ${tenant}, but of another cloud than ${theirs.authority}; set authority and authority_v1`
  }
  return version === '1.0' ? needsVersion2 : needsVersion1
}

const needsVersion2 =
  'it is a token of version 1.0, and only 2.0 is believed. In the manifest of the application that is the gateway set api.requestedAccessTokenVersion to 2 (accessTokenAcceptedVersion in the older form) and get a new token; or add "1.0" to versions. The endpoint that the client asks does not decide it'
const needsVersion1 =
  'it is a token of version 2.0, and only 1.0 is believed; add "2.0" to versions'
