/**
 * A candidate policy over recorded calls: which decisions it would change. Where it looks at what the
 * record has only masked, or not at all, and that could change the outcome, nobody can tell.
 *
 * A rule of the candidate whose question stood word for word in the policy of then has answered
 * already: the record names the rules that matched.
 */
import type { Effect, HoldsConfig, ProfileConfig, RuleConfig } from '../config/policy-types.ts'
import { isObject } from '../record/unfinished.ts'
import type { StoredEntry } from '../record/stored.ts'
import type { Answer, ExplainedPart, ExplainedRule } from './explain-rules.ts'
import { openMethods } from './permit.ts'
import { isJudged, recordedCall } from './recorded-calls.ts'
import type { EntryWithBody, RecordedCall } from './recorded-calls.ts'
import type { Rules } from './rules.ts'

/** A policy as one connection has it. */
export interface PolicyOf {
  readonly rules: Rules
  readonly holds: HoldsConfig
  /** In the order in which they are asked. */
  readonly list: readonly RuleConfig[]
  readonly profile: ProfileConfig
  /** Another decision maker would be asked as well; it is not. */
  readonly hasPoint: boolean
}

/** Undefined for a connection that the policy does not have. */
export type Policies = (connection: string) => PolicyOf | undefined

/** The policy in force, where it is known since which entry. */
export interface InForceSince {
  readonly policies: Policies
  readonly index: number
  /** Names of grants, which the record tells beside those of rules. */
  readonly grants: ReadonlySet<string>
}

export interface Judged {
  readonly call: RecordedCall
  /** One where it is certain, the laxest first. */
  readonly would: readonly Effect[]
  /** The rule that decides, or those of which nobody can tell. */
  readonly rules: readonly string[]
  /** The parts of these rules that look at what is not known. */
  readonly unsure: readonly string[]
}

/** `same`: as it was. `changed`: it would be another. `unsure`: nobody can tell. */
export type Outcome = 'same' | 'changed' | 'unsure'

export function outcomeOf({ call, would }: Judged): Outcome {
  if (!would.includes(call.was)) return 'changed'
  return would.length === 1 ? 'same' : 'unsure'
}

export interface Period {
  /** Microseconds since 1970; `toUs` is the first that is not in it. */
  readonly fromUs: number
  readonly toUs: number
  readonly connection?: string | undefined
}

/**
 * Every recorded call of a period with what the candidate would say, in the order of the record. Holds
 * one call at a time.
 * @param entries of the whole record: what tools were is learnt from before the period.
 */
export async function* simulate(
  entries: AsyncIterable<EntryWithBody>,
  of: { candidate: Policies; inForce?: InForceSince | undefined; period: Period },
): AsyncGenerator<Judged> {
  const tools = new ToolChanges()
  for await (const { call, isMasked } of callsIn(entries, tools)) {
    const { connection, fromUs, toUs } = of.period
    if (call.timeUs < fromUs || call.timeUs >= toUs) continue
    if (connection !== undefined && call.connection !== connection) continue
    const around = { isMasked, isUnchanged: tools.isUnchanged(call.connection ?? '') }
    yield judgeAgain(recordedCall(call, around), of.candidate, of.inForce)
  }
}

/** Each call with whether something was masked in it, which stands in the entries behind it. */
async function* callsIn(
  entries: AsyncIterable<EntryWithBody>,
  tools: ToolChanges,
): AsyncGenerator<{ call: EntryWithBody; isMasked: boolean }> {
  let open: { call: EntryWithBody; isMasked: boolean } | undefined
  for await (const entry of entries) {
    if (open !== undefined) {
      // One call's entries stand together: nothing of another comes between.
      const isBeside = entry.exchange === open.call.exchange && besides.has(entry.type)
      if (isBeside) {
        if (isCallMasked(entry)) open.isMasked = true
        continue
      }
      yield open
      open = undefined
    }
    tools.see(entry)
    if (isJudged(entry)) open = { call: entry, isMasked: false }
  }
  if (open !== undefined) yield open
}

const besides: ReadonlySet<string> = new Set(['mask.applied', 'inspect.found'])

/** Something was masked in the message of the call this entry belongs to. */
export function isCallMasked({ fields, type }: StoredEntry): boolean {
  return type === 'mask.applied' && fields['of'] === 'call'
}

/** On which connections every tool is known to be what it was when it was pinned. */
export class ToolChanges {
  readonly #pinned = new Map<string, boolean>()
  #isWhole: boolean | undefined

  /** @param entry each of the record, from its first. */
  see({ connection, fields: { details }, index, type }: StoredEntry): void {
    this.#isWhole ??= index === 0
    if (type !== 'tool.changed' || connection === undefined || !isObject(details)) return
    const isPinning = details['change'] === 'pinned'
    // What came later than the first list may be a tool that came back as another.
    this.#pinned.set(connection, isPinning && this.#pinned.get(connection) !== false)
  }

  /** Where the record is there from its beginning, what it does not tell of was never pinned. */
  isUnchanged(connection: string): boolean {
    return this.#pinned.get(connection) ?? this.#isWhole === true
  }
}

/** What a candidate says of a recorded call. */
export function judgeAgain(
  call: RecordedCall,
  candidate: Policies,
  inForce: InForceSince | undefined,
): Judged {
  const policy = candidate(call.connection)
  if (policy === undefined) {
    return { call, would: ['deny'], rules: ['(no such connection)'], unsure: [] }
  }
  const { rules } = policy.rules.explain(call.connection, call.facts, call.unknown)
  const settled = rules.map((rule) => ({
    rule,
    answer: settledAnswer(rule, policy, call, inForce),
  }))
  const matched = settled.filter(({ answer, rule }) => {
    return answer === 'true' || (answer === 'fault' && rule.effect !== 'allow')
  })
  const known = [...matched.map(({ rule }) => rule), ...pointSaid(call, policy)]
  const open = settled.filter(({ answer }) => answer === 'unknown').map(({ rule }) => rule)
  const usual = isOpening(call) ? 'allow' : policy.profile.otherwise
  const sure = strictest(known) ?? usual
  const would = new Set([sure, ...open.map((rule) => strictest([...known, rule]) ?? usual)])
  if (would.size === 1) return { call, would: [sure], rules: deciding(known, sure), unsure: [] }
  const doubtful = open.filter((rule) => (strictest([...known, rule]) ?? usual) !== sure)
  return {
    call,
    would: [...would].toSorted((a, b) => rank[a] - rank[b]),
    rules: doubtful.map(({ rule }) => rule),
    unsure: [...new Set(doubtful.flatMap(({ parts }) => unknownTexts(parts)))],
  }
}

/** Enough of a rule to say which of several decides. */
type Said = Pick<ExplainedRule, 'rule' | 'effect'>

const rank = { allow: 0, hold: 1, deny: 2 } as const

function strictest(rules: readonly Said[]): Effect | undefined {
  return rules.reduce<Effect | undefined>(
    (most, { effect }) => (most === undefined || rank[effect] > rank[most] ? effect : most),
    undefined,
  )
}

function deciding(rules: readonly Said[], effect: Effect): string[] {
  return rules.filter((rule) => rule.effect === effect).map(({ rule }) => rule)
}

function isOpening({ facts: { call } }: RecordedCall): boolean {
  return call.method === '' || openMethods.has(call.method)
}

/** Another decision maker is not asked again; what it said then stands, where one is asked still. */
function pointSaid({ deniedBy, matched, was }: RecordedCall, { hasPoint }: PolicyOf): Said[] {
  const rule = 'decision-point'
  const hasSpoken = deniedBy === rule || matched.has(rule)
  return hasPoint && hasSpoken && was !== 'allow' ? [{ rule, effect: was }] : []
}

/** What is unknown may have been answered when the call was made. */
export function settledAnswer(
  { answer, rule }: Pick<ExplainedRule, 'answer' | 'rule'>,
  policy: PolicyOf,
  call: RecordedCall,
  inForce: InForceSince | undefined,
): Answer {
  if (answer !== 'unknown' || inForce === undefined || call.index < inForce.index) return answer
  const then = inForce.policies(call.connection)
  const now = policy.list.find(({ name }) => name === rule)
  const twin = now && then?.list.find((one) => asksTheSame(one, now))
  if (then === undefined || twin === undefined) return answer
  const isSameWindow = policy.profile.exposureDays === then.profile.exposureDays
  if (!isSameWindow && twin.when.includes('exposure')) return answer
  const hasMatched = matchedThen(twin, then.list, call, inForce.grants)
  return hasMatched === undefined ? answer : hasMatched ? 'true' : 'false'
}

/** A rule that fails counts as matched where it denies or holds, and as not matched where it allows. */
function asksTheSame(a: RuleConfig, b: RuleConfig): boolean {
  const isAllow = (rule: RuleConfig): boolean => rule.effect === 'allow'
  return a.when === b.when && a.timezone === b.timezone && isAllow(a) === isAllow(b)
}

/** Undefined where the record does not say. */
function matchedThen(
  twin: RuleConfig,
  list: readonly RuleConfig[],
  { deniedBy, isAllMatched, matched }: RecordedCall,
  grants: ReadonlySet<string>,
): boolean | undefined {
  if (matched.has(twin.name)) return grants.has(twin.name) ? undefined : true
  if (isAllMatched) return false
  // Of a refused call the first of the strictest is recorded: none before it has matched.
  if (deniedBy === 'decision-point') return twin.effect === 'deny' ? false : undefined
  const decided = list.find(({ name }) => name === deniedBy)
  if (decided === undefined) return undefined
  if (rank[twin.effect] !== rank[decided.effect]) {
    return rank[twin.effect] > rank[decided.effect] ? false : undefined
  }
  return list.indexOf(twin) < list.indexOf(decided) ? false : undefined
}

/** The smallest parts that look at what is not known. */
function unknownTexts(parts: readonly ExplainedPart[]): string[] {
  return parts.flatMap(({ all, answer, any, text }) => {
    if (answer !== 'unknown') return []
    const inner = unknownTexts([...(all ?? []), ...(any ?? [])])
    return inner.length > 0 ? inner : [text]
  })
}
