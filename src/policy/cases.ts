/** How a verdict differs from what a case of the policy expects. */
import type { ReviewersConfig } from '../config/policy-types.ts'
import { parseDuration } from '../config/units.ts'
import type { Expected, ExpectedReviewer } from './case-file.ts'
import type { Verdict } from './verdict.ts'

/** How a verdict differs from what a case expects: one line each; none where it is as expected. */
export function differences(
  expect: Expected,
  verdict: Verdict,
  found: readonly { readonly family: string }[],
): string[] {
  const matched = verdict.matched.map(({ rule }) => rule)
  const { duties, hold } = verdict
  const checks: readonly (readonly [what: string, wanted: unknown, is: unknown])[] = [
    ['effect', expect.effect, verdict.effect],
    ['rule', expect.rule, matched[0] ?? ''],
    ['rules', expect.rules?.toSorted(), matched.toSorted()],
    ['expires', expect.expires && parseDuration(expect.expires), hold?.expiresMs],
    ['passkey', expect.passkey, hold?.needsPasskey],
    ['mask', expect.mask, duties.mask === true],
    ['limit', expect.limit, duties.limit],
    ['notes', expect.notes?.toSorted(), (duties.notes ?? []).toSorted()],
    [
      'reviewers',
      expect.reviewers?.map(wantedReviewer).toSorted(),
      hold?.reviewers.map(told).toSorted(),
    ],
    [
      'findings',
      expect.findings?.toSorted(),
      [...new Set(found.map(({ family }) => family))].toSorted(),
    ],
  ]
  const lines = checks.flatMap(([what, wanted, is]) =>
    wanted === undefined || spelled(wanted) === spelled(is)
      ? []
      : [`${what}: expected ${spelled(wanted)}, is ${spelled(is)}`],
  )
  const isReason = expect.reason === undefined || verdict.reason.includes(expect.reason)
  return isReason
    ? lines
    : [
        ...lines,
        `reason: expected to have ${spelled(expect.reason)}, is ${spelled(verdict.reason)}`,
      ]
}

function spelled(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

/** Issuers are left out: the file names them in its own way. */
function told({ quorum, who }: ReviewersConfig): string {
  const { issuers: _, ...said } = who
  return JSON.stringify({ quorum, ...Object.fromEntries(sorted(said)) })
}

function wantedReviewer({ quorum = 1, ...who }: ExpectedReviewer): string {
  return JSON.stringify({ quorum, ...Object.fromEntries(sorted(who)) })
}

function sorted(of: object): [string, unknown][] {
  return Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1))
}
