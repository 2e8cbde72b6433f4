/** What is looked at in a token of any issuer: kind, times, audience, client, groups and roles. */
import type { Config } from '../config/config.ts'
import { audiencesOf, claimAt, clientOf, isSameAudience, wordsOf } from '../identity/claims.ts'
import { dayS } from '../identity/row.ts'
import { toleranceS } from '../identity/verify.ts'
import { groupsNamedIn } from './identities.ts'
import { isMicrosoftGraph } from './live-entra-words.ts'
import { bad, doubt, listed, ok, said } from './live-token-words.ts'
import type { Step, TokenCase } from './live-token-words.ts'
import { momentText } from './people-desk.ts'

const accessTypes = ['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt']
const idTokenMarks = ['nonce', 'at_hash', 'c_hash', 's_hash']

/** A mark of an ID token; Entra's own has none of the standard's where no nonce was asked for. */
export function kindStep({ claims, header, row }: TokenCase): Step {
  const type = header.typ === undefined ? 'jwt' : String(header.typ).toLowerCase()
  if (!accessTypes.includes(type)) {
    return bad('kind', `it says that it is a ${said(header.typ)}, which is no access token`)
  }
  if (audiencesOf(claims).some(isMicrosoftGraph)) return bad('kind', graphToken)
  const isSilent = row.type === 'entra' && claims['scp'] === undefined && !isEntraApp(claims)
  if (isSilent || idTokenMarks.some((name) => name in claims)) return bad('kind', idToken)
  const { scp } = claims
  if (row.type !== 'entra') return ok('kind', 'an access token')
  return ok(
    'kind',
    scp === undefined
      ? 'an access token that an application got for itself'
      : `an access token of a person, scope ${said(scp)}`,
  )
}

export function isEntraApp({ idtyp, oid, scp, sub }: Readonly<Record<string, unknown>>): boolean {
  return scp === undefined && (idtyp === 'app' || (idtyp === undefined && oid === sub))
}

const graphToken =
  'it is a token for Microsoft Graph. The client asked for a scope of Graph, or for a short scope such as mcp, which Entra takes for one of Graph: ask for "<App ID URI>/mcp". Nobody but Graph can check such a token'
const idToken =
  'it is an ID token: it tells the client who signed in, and opens nothing. Send the access token (access_token of the answer, not id_token)'

export function timeStep({ claims, lifetimeMaxS, nowMs, row }: TokenCase): Step {
  const { exp, iat, nbf } = claims
  const nowS = Math.floor(nowMs / 1000)
  if (typeof exp !== 'number' || typeof iat !== 'number') {
    return bad('time', 'it does not say when it was issued (iat) and when it ends (exp)')
  }
  if (nowS >= exp + toleranceS) {
    return bad('time', `it ended ${ago(nowS - exp)} ago, at ${at(exp)}; get a new one`)
  }
  const fromS = Math.max(iat, typeof nbf === 'number' ? nbf : 0)
  if (fromS > nowS + toleranceS) {
    return bad('time', `it begins at ${at(fromS)}; the clock here says ${at(nowS)}`)
  }
  // More than a day is for clients of Entra that declare cp1, as the gateway has it.
  const declared = [claims['xms_cc']].flat().map((one) => said(one).toLowerCase())
  const isLong = row.type === 'entra' && declared.includes('cp1')
  const maxS = isLong ? lifetimeMaxS : Math.min(lifetimeMaxS, dayS)
  if (exp - iat > maxS) {
    return bad('time', `it is good for ${ago(exp - iat)}, more than any is believed`)
  }
  return ok('time', `good until ${at(exp)}`)
}

/** A moment in seconds since 1970, which need not be one. */
function at(s: number): string {
  return Math.abs(s) < 1e11 ? momentText(s * 1000) : 'no moment there is'
}

function ago(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

/** Every audience must be ours. */
export function audienceStep({ claims, config, resource, row, rowPath }: TokenCase): Step {
  const all = audiencesOf(claims)
  const own = row.audience
  const path = [...rowPath, 'audience']
  const isSame = (a: string, b: string): boolean =>
    isSameAudience(a, b) || (row.type === 'entra' && a.toLowerCase() === b.toLowerCase())
  const isOurs = (one: string): boolean =>
    isSame(one, resource) || own.some((each) => isSame(one, each))
  const believed = listed([...own, resource])
  if (all.length === 0) return bad('audience', 'it names none (aud)')
  const other = all.filter((one) => !isOurs(one))
  if (other.length === 0) return ok('audience', listed(all))
  if (other.length < all.length) {
    return bad(
      'audience',
      `it names ${listed(other)} besides, so whoever that is could send it here; ask for a token for one audience`,
    )
  }
  const { connections, publicUrl } = config
  const there = connections.find(({ name }) =>
    all.some((one) => isSameAudience(one, `${publicUrl}/mcp/${name}`)),
  )
  const has = `it is for ${listed(all)}; believed are ${believed}`
  if (there !== undefined) {
    return bad('audience', `it is for the connection ${there.name} alone; see --connection`)
  }
  const isUri = row.type === 'entra' && all.some((one) => one.includes(':'))
  if (isUri && claims['ver'] === '1.0') {
    return bad(
      'audience',
      `${has}. Tokens of version 1.0 carry the App ID URI as the client wrote it: add it to audience, or set api.requestedAccessTokenVersion to 2`,
      path,
    )
  }
  const ask = row.type === 'entra' ? 'a scope of this application, "<App ID URI>/mcp",' : 'a token'
  return bad(
    'audience',
    `${has}. Let the client ask for ${ask} or, if it is this gateway by another name, add it to audience`,
    path,
  )
}

export function clientStep({ claims, row, rowPath }: TokenCase): Step {
  if (row.type !== 'oidc' && row.type !== 'entra') return ok('client', 'any')
  const name = claims['ver'] === '1.0' ? 'appid' : 'azp'
  const client = row.type === 'entra' ? claims[name] : clientOf(claims)
  const fold = (text: unknown): string =>
    row.type === 'entra' ? String(text).toLowerCase() : String(text)
  const isListed = row.clients.some((one) => fold(one) === fold(client))
  if (row.clients.length === 0) return ok('client', `${said(client)}; clients lets in all`)
  if (isListed) return ok('client', `${said(client)}, which clients lists`)
  return bad(
    'client',
    `it was given to ${said(client)}, and clients lists ${listed(row.clients)}; add it if that program may call here`,
    [...rowPath, 'clients'],
  )
}

/** What the file wants to see of the roles in a token, and what there is. */
export function rolesStep({ claims, config, row, rowPath }: TokenCase): Step {
  const claim = row.type === 'oidc' ? row.rolesClaim : 'roles'
  const roles = wordsOf(claimAt(claims, claim))
  const named = rolesNamedIn(config)
  const path = row.type === 'oidc' ? [...rowPath, 'roles_claim'] : ['access']
  if (roles.length === 0) {
    if (named.length === 0) return ok('roles', 'none, and the file names none')
    const how =
      row.type === 'entra'
        ? 'assign one under Enterprise applications, Users and groups'
        : `let the issuer put them into ${claim}`
    return doubt('roles', `none, and the file names ${listed(named)}; ${how}`, path)
  }
  const used = roles.filter((role) => named.includes(role))
  if (used.length > 0) return ok('roles', `${listed(roles)}; the file names ${listed(used)}`)
  return doubt('roles', `${listed(roles)}, of which no line of access and no role names one`, path)
}

function rolesNamedIn({ access, console }: Config): string[] {
  const whos = [...access.map(({ who }) => who), ...Object.values(console.roles)]
  return [...new Set(whos.flatMap(({ role }) => role ?? []))]
}

/** The groups of any issuer but Entra. */
export function groupsStep({ claims, config, row, rowPath }: TokenCase): Step {
  const claim = row.type === 'oidc' ? row.groupsClaim : 'groups'
  const value = claimAt(claims, claim)
  const named = groupsNamedIn(config)
  const groups = wordsOf(value)
  if (value === undefined && named.length > 0 && row.type === 'oidc') {
    const why = `it has no ${claim}, and the file names ${listed(named)}; let the issuer put them into the access token, or name the claim by groups_claim`
    return doubt('groups', why, [...rowPath, 'groups_claim'])
  }
  const used = groups.filter((group) => named.includes(group))
  return ok('groups', `${groups.length}, of which the file names ${listed(used)}`)
}
