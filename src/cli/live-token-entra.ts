/** What only tokens of Microsoft Entra ID have: tenant, version, object id, groups that are too many. */
import { isGuid, isRecord, wordsOf } from '../identity/claims.ts'
import type { Principal } from '../identity/principal.ts'
import { groupsNamedIn } from './identities.ts'
import { isEntraApp } from './live-token-steps.ts'
import { bad, doubt, listed, ok, said } from './live-token-words.ts'
import type { Step, TokenCase } from './live-token-words.ts'

/** Tenant and version stand in the issuer as well; the claims must say the same. */
export function tenantStep({ claims }: TokenCase): Step {
  const { iss = '', tid, ver } = claims
  const version = iss.endsWith('/v2.0') ? '2.0' : '1.0'
  if (!isGuid(tid) || !iss.includes(`/${tid}/`)) {
    return bad('tenant', `tid is ${said(tid)}, which is not the tenant of its issuer`)
  }
  if (ver !== version) {
    return bad('tenant', `ver is ${said(ver)}, and its issuer is one of version ${version}`)
  }
  const isGuest = claims['acct'] === 1
  const guest = isGuest ? ', as a guest (acct: 1): the tenant of the guest has the last word' : ''
  return ok('tenant', `${tid}, version ${version}${guest}`)
}

/** Who it is: the object id, which `sub` never stands in for. */
export function bearerStep(
  { claims }: TokenCase,
  isRegistered: (subject: string) => boolean,
): Step {
  const { oid } = claims
  if (!isGuid(oid)) {
    return bad('bearer', 'it has no object id (oid), which every access token of Entra has')
  }
  if (!isEntraApp(claims)) return ok('bearer', `person ${oid.toLowerCase()}`)
  const has = wordsOf(claims['roles']).length > 0
  if (has || isRegistered(oid.toLowerCase())) return ok('bearer', `application ${oid}`)
  return bad('bearer', appWithoutRole)
}

const appWithoutRole =
  'it is of an application without a role. Any application of the tenant can get such a token, so it opens nothing: make an app role for applications, give it to this one (its API permissions, Application permissions, "Grant admin consent"), and get a new token'

/** The groups as the token has them; @param seen what the gateway made of it. */
export function entraGroupsStep(
  of: TokenCase,
  seen: { readonly principal?: Principal | undefined; readonly graphTrouble?: string | undefined },
): Step {
  const { claims, config, row, rowPath } = of
  const named = groupsNamedIn(config).filter(isGuid)
  const { groups } = claims
  if (isOverage(claims)) return overageStep(of, named, seen)
  if (groups === undefined) {
    if (named.length === 0) return ok('groups', 'none, and the file names none by id')
    return doubt(
      'groups',
      `it has no groups claim, and the file names ${named.length}. Either the bearer is in none that are sent, or they are not sent: app registration, Token configuration, Add groups claim, "Groups assigned to the application", for Access; then get a new token`,
      ['access'],
    )
  }
  const all: readonly unknown[] = Array.isArray(groups) ? groups : []
  const ids = all.filter(isGuid).map((id) => id.toLowerCase())
  if (ids.length < all.length) {
    const why = `${all.length - ids.length} of ${all.length} are names and are left out: names can be had by renaming a group. Token configuration, groups claim, Access: take "Group ID"`
    return doubt('groups', why, rowPath)
  }
  const used = named.filter((id) => ids.includes(id))
  return ok(
    'groups',
    `${ids.length} ids, of which the file names ${listed(used)}${row.type === 'entra' && ids.length > 150 ? '; above 200 they are left out of the token' : ''}`,
  )
}

function overageStep(
  { row, rowPath }: TokenCase,
  named: readonly string[],
  {
    principal,
    graphTrouble,
  }: { readonly principal?: Principal | undefined; readonly graphTrouble?: string | undefined },
): Step {
  const many = 'they are too many for it (overage)'
  if (row.type !== 'entra' || row.graph === undefined) {
    return bad(
      'groups',
      `${many}, and the issuer has no graph to ask: set graph, or send "Groups assigned to the application" only, or use app roles`,
      [...rowPath, 'graph'],
    )
  }
  if (principal !== undefined) {
    const used = named.filter((id) => principal.groups.includes(id))
    return ok('groups', `${many}; Graph says, of those the file names: ${listed(used)}`)
  }
  const why = graphTrouble ?? 'Graph was not asked, since the token is refused before'
  const path = [...rowPath, 'graph']
  return graphTrouble === undefined
    ? doubt('groups', `${many}; ${why}`, path)
    : bad('groups', `${many}; ${why}`, path)
}

function isOverage(claims: TokenCase['claims']): boolean {
  const names = claims['_claim_names']
  const { hasgroups } = claims
  return (isRecord(names) && 'groups' in names) || hasgroups === true || hasgroups === 'true'
}
