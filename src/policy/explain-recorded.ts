/** Why a recorded call was, or would be, let through, held or denied: by the rules of today. */
import { dutiesOf, termsOf } from './terms.ts'
import type { Explained, ExplainedRule } from './explain-rules.ts'
import type { RecordedCall } from './recorded-calls.ts'
import { judgeAgain, settledAnswer } from './simulate.ts'
import type { InForceSince, PolicyOf } from './simulate.ts'

export interface RecordedRule extends ExplainedRule {
  /** The answer is the one that was recorded: what it looked at is not known any more. */
  readonly isRecorded: boolean
}

export interface ExplainedRecorded extends Explained {
  readonly rules: readonly RecordedRule[]
}

/** Every rule with its answer on a recorded call. */
export function explainRecorded(
  call: RecordedCall,
  policy: PolicyOf,
  inForce: InForceSince | undefined,
): ExplainedRecorded {
  const explained = policy.rules.explain(call.connection, call.facts, call.unknown)
  const rules = explained.rules.map((rule): RecordedRule => {
    const answer = settledAnswer({ answer: rule.answer, rule: rule.rule }, policy, call, inForce)
    const isMatched = rule.isMatched || (answer === 'true' && rule.answer === 'unknown')
    return { ...rule, answer, isMatched, isRecorded: answer !== rule.answer }
  })
  const { would } = judgeAgain(call, () => policy, inForce)
  const verdict = verdictOf(rules, policy, explained)
  return { rules, verdict, possible: would }
}

const rank = { allow: 0, hold: 1, deny: 2 } as const

/** The verdict with the answers that were recorded. */
function verdictOf(
  rules: readonly RecordedRule[],
  { holds, list }: PolicyOf,
  { verdict }: Explained,
): Explained['verdict'] {
  if (!rules.some(({ isMatched, isRecorded }) => isRecorded && isMatched)) return verdict
  const order = rules
    .filter(({ isMatched }) => isMatched)
    .toSorted((a, b) => rank[b.effect] - rank[a.effect])
  const [first] = order
  if (first === undefined) return verdict
  const matching = order.flatMap(({ rule }) => {
    const config = list.find(({ name }) => name === rule)
    return config === undefined ? [] : [{ rule: config }]
  })
  return {
    ...verdict,
    effect: first.effect,
    reason: first.reason,
    matched: order.map(({ effect, fault, reason, rule }) => {
      return { rule, effect, reason, ...(fault === undefined ? {} : { fault }) }
    }),
    hold: first.effect === 'hold' ? termsOf(matching, holds) : undefined,
    duties: dutiesOf(matching),
  }
}
