/** Which rule lets a job of GitHub Actions in, or what of the nearest one does not hold. */
import type { JWTPayload } from 'jose'
import type { GithubIssuerConfig, WorkflowRule } from '../config/types.ts'
import { fitsRule } from '../identity/workflow.ts'
import { bad, ok, said } from './live-token-words.ts'
import type { Step, TokenCase } from './live-token-words.ts'

/** Members of a rule, and where a token has what they are compared with. */
const members: readonly (readonly [member: keyof WorkflowRule, key: string, claim: string])[] = [
  ['repository', 'repository', 'repository'],
  ['repositoryId', 'repository_id', 'repository_id'],
  ['ownerId', 'owner_id', 'repository_owner_id'],
  ['environment', 'environment', 'environment'],
  ['ref', 'ref', 'ref'],
  ['workflow', 'workflow', 'job_workflow_ref'],
  ['runner', 'runner', 'runner_environment'],
  ['events', 'events', 'event_name'],
]

export function workflowStep({ claims, rowPath }: TokenCase, { allow }: GithubIssuerConfig): Step {
  const path = [...rowPath, 'allow']
  const fitting = allow.findIndex((rule) => fitsRule(claims, rule))
  if (fitting >= 0) return ok('workflow', `allow[${fitting}] lets it in`)
  const near = allow
    .map((rule, index) => ({ index, lacking: lacking(claims, rule) }))
    .toSorted((a, b) => a.lacking.length - b.lacking.length)[0]
  if (near === undefined) return bad('workflow', 'allow names no repository at all', path)
  const why = near.lacking.map(([key, claim]) => `${key} (the token has ${said(claims[claim])})`)
  const which = why.join(', ') || 'the whole of it'
  return bad(
    'workflow',
    `no rule lets it in; of allow[${near.index}] does not hold: ${which}`,
    path,
  )
}

/** Each member is tried alone, beside a repository and an event that fit. */
function lacking(
  claims: JWTPayload,
  rule: WorkflowRule,
): readonly (readonly [key: string, claim: string])[] {
  const { event_name: event, repository } = claims
  const fit: WorkflowRule = { repository: String(repository), events: [String(event)] }
  return members.flatMap(([member, key, claim]) => {
    const value = rule[member]
    return value === undefined || fitsRule(claims, { ...fit, [member]: value })
      ? []
      : [[key, claim] as const]
  })
}
