/** What rules that matched ask for together: of reviewers, and of the answer. */
import { isDeepStrictEqual } from 'node:util'
import type { HoldsConfig, ReviewersConfig, RuleConfig } from '../config/policy-types.ts'
import type { WhoConfig } from '../config/types.ts'
import type { HoldTerms, Verdict } from './verdict.ts'

interface Matching {
  readonly rule: RuleConfig
}

/** All reviewers that any rule asks for, the largest quorum of each, the smallest time. */
export function termsOf(matched: readonly Matching[], holds: HoldsConfig): HoldTerms {
  const rules = matched.map(({ rule }) => rule).filter(({ effect }) => effect === 'hold')
  const times = rules.map(({ expiresMs }) => expiresMs ?? holds.expiresMs)
  return {
    reviewers: together(rules.flatMap(({ reviewers }) => reviewers ?? [anyApprover])),
    expiresMs: Math.min(...times, ...(rules.length === 0 ? [holds.expiresMs] : [])),
    needsPasskey: !holds.sessionDecisions || rules.some(({ signature }) => signature === 'passkey'),
  }
}

/** The same with reviewers whom another decision maker names. */
export function moreTerms(
  own: HoldTerms | undefined,
  reviewers: readonly WhoConfig[],
  holds: HoldsConfig,
): HoldTerms {
  const named = reviewers.map((who) => ({ who, quorum: 1 }))
  const more = named.length === 0 ? [anyApprover] : named
  return {
    reviewers: together([...(own?.reviewers ?? []), ...more]),
    expiresMs: own?.expiresMs ?? holds.expiresMs,
    needsPasskey: own?.needsPasskey ?? !holds.sessionDecisions,
  }
}

const anyApprover: ReviewersConfig = { who: {}, quorum: 1 }

/** Those who are named count towards "any approver" as well: one yes is enough for two such rules. */
function together(all: readonly ReviewersConfig[]): readonly ReviewersConfig[] {
  const named: ReviewersConfig[] = []
  let anybody = 0
  for (const { quorum, who } of all) {
    const index = named.findIndex((one) => isDeepStrictEqual(one.who, who))
    const same = named[index]
    if (Object.keys(who).length === 0) anybody = Math.max(anybody, quorum)
    else if (same === undefined) named.push({ who, quorum })
    else named[index] = { who, quorum: Math.max(quorum, same.quorum) }
  }
  const rest = anybody - named.reduce((sum, { quorum }) => sum + quorum, 0)
  return rest > 0 ? [...named, { who: {}, quorum: rest }] : named
}

/** Masked if any rule says so, the smallest limits, every note. */
export function dutiesOf(matched: readonly Matching[]): Verdict['duties'] {
  const rules = matched.map(({ rule }) => rule)
  const rows = smallest(rules.map(({ limit }) => limit?.rows))
  const bytes = smallest(rules.map(({ limit }) => limit?.bytes))
  const notes = rules.flatMap(({ note }) => note ?? [])
  const limit = {
    ...(rows === undefined ? {} : { rows }),
    ...(bytes === undefined ? {} : { bytes }),
  }
  return {
    ...(rules.some(({ mask }) => mask === true) ? { mask: true as const } : {}),
    ...(Object.keys(limit).length > 0 ? { limit } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  }
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
