/** Issuers of type `github-actions`: jobs of workflows, by the repository and environment they run in. */
import type { JWTPayload } from 'jose'
import type { GithubIssuerConfig } from '../config/types.ts'
import { audiencesOf, isSameAudience, isWord, wordAt } from './claims.ts'
import { issuerKeys } from './keys.ts'
import { makePrincipal } from './principal.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import type { IssuerRow, RowParts } from './row.ts'
import { fitsRule } from './workflow.ts'

/** Tokens live minutes; one that lives longer was not made by what we know. */
const lifetimeMaxS = 3600

/** Kept of a token, for conditions and for the record. Never `sub`, whose form is not ours to read. */
const keptClaims = [
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'ref',
  'sha',
  'workflow',
  'workflow_ref',
  'run_id',
  'run_attempt',
  'actor_id',
  'event_name',
  'environment',
  'job_workflow_ref',
  'runner_environment',
] as const

/** The one row of such an issuer. */
export function githubRows(config: GithubIssuerConfig, parts: RowParts): readonly IssuerRow[] {
  const { name, issuer, audience } = config
  return [
    {
      type: 'github-actions',
      name,
      issuer,
      principalIssuer: issuer,
      audience,
      algorithms: ['RS256'],
      isTypeOptional: true,
      lifetimeMaxS,
      keys: issuerKeys(config, parts),
      read: (claims) => read(claims, config),
      subjectOf: () => undefined,
    },
  ]
}

/**
 * `actor` is for people to read and in no principal: a job acts for its repository and environment,
 * whoever pressed the button.
 */
function read(claims: JWTPayload, config: GithubIssuerConfig): Principal {
  const repositoryId = wordAt(claims, 'repository_id')
  const tokenId = wordAt(claims, 'jti')
  if (repositoryId === undefined || !/^\d{1,20}$/.test(repositoryId) || tokenId === undefined) {
    throw refusal('claims', config.name)
  }
  if (isOwnersAudience(claims, config.issuer)) throw refusal('audience', config.name)
  if (!config.allow.some((rule) => fitsRule(claims, rule))) throw refusal('workflow', config.name)
  const { environment } = claims
  // An environment that is no word is not the absence of one.
  if (environment !== undefined && !isWord(environment)) throw refusal('claims', config.name)
  const said = {
    issuer: config.issuer,
    subject: environment === undefined ? repositoryId : `${repositoryId}:${environment}`,
    name: wordAt(claims, 'repository'),
    kind: 'workload',
    groups: Object.freeze([]),
    roles: Object.freeze([]),
    tokenId,
    claims: kept(claims),
  } as const
  return makePrincipal(said, claims)
}

/** A workflow that names no audience gets the URL of its owner: every cloud it signs in to has such
 *  a token, and could send it here. */
function isOwnersAudience(claims: JWTPayload, issuer: string): boolean {
  const { host } = new URL(issuer)
  const site = host === 'token.actions.githubusercontent.com' ? 'github.com' : host
  const prefix = `https://${site}/`
  const owner = wordAt(claims, 'repository_owner')?.toLowerCase()
  return audiencesOf(claims).some((audience) => {
    const text = audience.toLowerCase()
    const isOwner = owner !== undefined && isSameAudience(text, `${prefix}${owner}`)
    return isOwner || (text.startsWith(prefix) && !text.slice(prefix.length).includes('/'))
  })
}

function kept(claims: JWTPayload): Readonly<Record<string, unknown>> {
  const found = keptClaims.flatMap((name) => {
    const word = wordAt(claims, name)
    return word === undefined ? [] : [[name, word] as const]
  })
  return Object.freeze(Object.fromEntries(found))
}
