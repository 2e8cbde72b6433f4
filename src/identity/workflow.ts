/** Which workflow runs are let in: rules over the discrete claims of a GitHub Actions token. */
import type { JWTPayload } from 'jose'
import type { WorkflowRule } from '../config/types.ts'

/**
 * Whether all that a rule names holds. Values are compared as the token has them, letter by letter.
 *
 * `sub` is never looked at: its form changes with the repository's age and settings, and with what a
 * workflow's author writes into the name of an environment. There, and only there, GitHub writes `:`
 * as `%3A`; reading that back would make two environments of one name, of which anybody who may
 * write a workflow could make the second.
 * Source: GitHub docs, "OpenID Connect reference".
 */
export function fitsRule(claims: JWTPayload, rule: WorkflowRule): boolean {
  const is = (name: string, wanted: string | undefined): boolean =>
    wanted === undefined || claims[name] === wanted
  return (
    // A rule about no repository in particular would let in every repository there is.
    (rule.repository !== undefined || rule.repositoryId !== undefined) &&
    is('repository', rule.repository) &&
    is('repository_id', rule.repositoryId) &&
    is('repository_owner_id', rule.ownerId) &&
    is('environment', rule.environment) &&
    is('runner_environment', rule.runner) &&
    isLike(claims['ref'], rule.ref) &&
    (isLike(claims['job_workflow_ref'], rule.workflow) ||
      isLike(claims['workflow_ref'], rule.workflow)) &&
    isEvent(claims['event_name'], rule.events)
  )
}

/** What a pull request brings was written by whoever opened it: such runs must be named. */
function isEvent(event: unknown, named: readonly string[]): boolean {
  if (typeof event !== 'string' || event === '') return false
  return named.length > 0 ? named.includes(event) : !event.startsWith('pull_request')
}

function isLike(value: unknown, wanted: string | undefined): boolean {
  return wanted === undefined || (typeof value === 'string' && isMatch(value, wanted))
}

/** `*` stands for any run of characters. Linear: each part is looked for after the one before. */
export function isMatch(text: string, wanted: string): boolean {
  const [prefix = '', ...rest] = wanted.split('*')
  const suffix = rest.pop()
  if (suffix === undefined) return text === wanted
  const end = text.length - suffix.length
  if (end < prefix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return false
  let from = prefix.length
  for (const part of rest) {
    const found = text.indexOf(part, from)
    if (found < 0 || found + part.length > end) return false
    from = found + part.length
  }
  return true
}
