/**
 * Rules: what is denied, held or allowed, by the facts of a call. A deny wins over a hold, a hold over
 * an allow; where no rule matches, the connection's profile says what is done. Nothing matches by
 * accident in favour of a call: a rule that fails counts as matched if it denies or holds, and as not
 * matched if it allows.
 */
import { createHash } from 'node:crypto'
import { CallValues } from '../cel/call-values.ts'
import { compileWhen } from '../cel/call-facts.ts'
import type { Question, When } from '../cel/call-facts.ts'
import type { CallParts } from '../cel/call-parts.ts'
import { Memory } from '../cel/memory.ts'
import type { Config } from '../config/types.ts'
import type {
  AnswersConfig,
  Effect,
  HoldsConfig,
  ProfileConfig,
  RuleConfig,
} from '../config/policy-types.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { pointFor, stricterOf } from './decision-point.ts'
import type { DecisionPoint } from './decision-point.ts'
import { explainRule } from './explain-rules.ts'
import type { Explained, ExplainedRule } from './explain-rules.ts'
import { pattern } from './pattern.ts'
import { openMethods } from './permit.ts'
import { dutiesOf, termsOf } from './terms.ts'
import type { CallFacts, Matched, Verdict } from './verdict.ts'
import { wallOf } from './wall.ts'

/** What rules are made of. */
export type RulesConfig = Pick<Config, 'rules' | 'holds' | 'decisionPoint'> & {
  readonly connections: readonly { readonly name: string; readonly profile: ProfileConfig }[]
}

export interface Rules {
  /** A promise only where another decision maker is asked. For a connection nobody knows: deny.
   *  @throws what making the facts throws. */
  judge(connection: string, facts: CallFacts): Verdict | Promise<Verdict>
  /**
   * Every rule with its answer. No other decision maker is asked.
   * @param unknown variables whose values are not known: `call.arguments`, `exposure`.
   * @throws what making the facts throws.
   */
  explain(connection: string, facts: CallFacts, unknown?: ReadonlySet<string>): Explained
  /** What is looked for in the answers of a connection. */
  answers(connection: string): AnswersConfig
  /** Whether a call of a connection could have to wait for a person. */
  mayHold(connection: string): boolean
  /** SHA-256 over the rules asked on a connection, hex. */
  revision(connection: string): string
  /** What some rule of a connection looks at: `sql`, `call.arguments`, `tool.changed`. */
  reads(connection: string): ReadonlySet<string>
}

/** A rule made ready. */
export interface Rule {
  readonly config: RuleConfig
  readonly when: When
  /** The parts of `when`, those that cost least first. */
  readonly parts: readonly Question[]
  readonly told: Matched
}

/** Of one connection. */
interface Asked {
  readonly rules: readonly Rule[]
  readonly profile: ProfileConfig
  readonly point: DecisionPoint | undefined
  readonly revision: string
  /** Where no rule matches; and the same for what opens, keeps and lists. */
  readonly nothing: Verdict
  readonly open: Verdict
}

/** Told of a rule that fails, once for each way in which it does. */
export type TellFault = (rule: string, fault: string) => void

/**
 * Compiles the rules of every connection.
 * @param point asks the other decision maker, where the configuration names one.
 * @throws {Fault} `config_bad` for a `when` that `ruleFlaw` refuses.
 */
export function compileRules(
  config: RulesConfig,
  { point, tell = () => undefined }: { point?: DecisionPoint | undefined; tell?: TellFault } = {},
): Rules {
  const memory = new Memory()
  const made = new Map<RuleConfig, Rule>()
  const ruleOf = (rule: RuleConfig): Rule => {
    const known = made.get(rule) ?? compileRule(rule, memory)
    made.set(rule, known)
    return known
  }
  const asked = new Map(
    config.connections.map(({ name, profile }) => {
      const all = [...config.rules, ...profile.rules].filter(
        ({ connection }) => connection === undefined || pattern(connection).matches(name),
      )
      const rules = all.map(ruleOf)
      return [name, askedOf(rules, profile, config, pointFor(config.decisionPoint, name, point))]
    }),
  )
  return new CompiledRules(asked, memory, config.holds, tell)
}

function askedOf(
  rules: readonly Rule[],
  profile: ProfileConfig,
  config: RulesConfig,
  point: DecisionPoint | undefined,
): Asked {
  const revision = revisionOf(rules, profile, config, point !== undefined)
  const silent = (effect: Effect): Verdict => verdictOf([], effect, config.holds, revision)
  const [nothing, open] = [silent(profile.otherwise), silent('allow')]
  return { rules, profile, point, revision, nothing, open }
}

function compileRule(config: RuleConfig, memory: Memory): Rule {
  const when = compileWhen(config.when, memory, config.timezone)
  const parts = when.all.toSorted((a, b) => a.price - b.price)
  const reason = config.reason ?? `Rule ${config.name} matched.`
  return { config, when, parts, told: { rule: config.name, effect: config.effect, reason } }
}

const everything: AnswersConfig = { inspect: 'all', withhold: 'never' }

class CompiledRules implements Rules {
  readonly #asked: ReadonlyMap<string, Asked>
  readonly #memory: Memory
  readonly #holds: HoldsConfig
  readonly #tell: TellFault
  readonly #told = new Set<string>()

  constructor(
    asked: ReadonlyMap<string, Asked>,
    memory: Memory,
    holds: HoldsConfig,
    tell: TellFault,
  ) {
    this.#asked = asked
    this.#memory = memory
    this.#holds = holds
    this.#tell = tell
  }

  answers(connection: string): AnswersConfig {
    return this.#asked.get(connection)?.profile.answers ?? everything
  }

  judge(connection: string, facts: CallFacts): Verdict | Promise<Verdict> {
    const asked = this.#asked.get(connection)
    if (asked === undefined) return unknownConnection
    const own = this.#decide(asked, facts)
    const { point } = asked
    // What is denied stays denied, whatever another decision maker says.
    if (point === undefined || own.effect === 'deny') return own
    return point.ask(facts).then((said) => stricterOf(own, said, this.#holds))
  }

  #decide(asked: Asked, facts: CallFacts): Verdict {
    const values = valuesOf(facts, asked.profile, this.#memory)
    const matched: Matching[] = []
    for (const rule of asked.rules) {
      const outcome = outcomeOf(rule, values)
      if (outcome === false) continue
      if (outcome !== true) this.#tellOnce(rule.config.name, outcome)
      if (outcome === true) matched.push({ rule: rule.config, told: rule.told })
      else if (rule.config.effect !== 'allow') {
        matched.push({ rule: rule.config, told: { ...rule.told, fault: outcome } })
      }
    }
    return this.#verdict(asked, matched, facts)
  }

  #verdict(asked: Asked, matched: readonly Matching[], facts: CallFacts): Verdict {
    // Nobody could as much as connect if what opens a session needed a rule that allows it.
    if (matched.length === 0) return isOpening(facts) ? asked.open : asked.nothing
    return verdictOf(matched, asked.profile.otherwise, this.#holds, asked.revision)
  }

  explain(
    connection: string,
    facts: CallFacts,
    unknown: ReadonlySet<string> = new Set(),
  ): Explained {
    const asked = this.#asked.get(connection)
    if (asked === undefined) return { rules: [], verdict: unknownConnection, possible: ['deny'] }
    const values = valuesOf(facts, asked.profile, this.#memory)
    const rules = asked.rules.map((rule) => explainRule(rule, values, unknown))
    const matching = (isMatched: (rule: ExplainedRule) => boolean): Matching[] =>
      asked.rules.flatMap(({ config: rule, told }, i) => {
        const explained = rules[i]
        if (explained === undefined || !isMatched(explained)) return []
        const { fault } = explained
        return [{ rule, told: fault === undefined ? told : { ...told, fault } }]
      })
    const verdict = this.#verdict(
      asked,
      matching(({ isMatched }) => isMatched),
      facts,
    )
    // Each unknown rule alone, and all of them: whatever else they are lies between.
    const open = rules.filter(({ answer }) => answer === 'unknown')
    const possible = open.map((one) =>
      this.#verdict(
        asked,
        matching((rule) => rule.isMatched || rule === one),
        facts,
      ),
    )
    return { rules, verdict, possible: [...new Set([verdict, ...possible].map((of) => of.effect))] }
  }

  mayHold(connection: string): boolean {
    const { point, profile, rules = [] } = this.#asked.get(connection) ?? {}
    if (point !== undefined || profile?.otherwise === 'hold') return true
    return rules.some(({ config }) => config.effect === 'hold')
  }

  revision(connection: string): string {
    return this.#asked.get(connection)?.revision ?? ''
  }

  reads(connection: string): ReadonlySet<string> {
    const rules = this.#asked.get(connection)?.rules ?? []
    return new Set(rules.flatMap(({ when }) => [...when.reads]))
  }

  #tellOnce(rule: string, fault: string): void {
    const key = `${rule} ${fault}`
    if (!this.#told.has(key)) this.#tell(rule, fault)
    this.#told.add(key) // Rules and codes are few.
  }
}

function isOpening({ call: { method } }: CallFacts): boolean {
  return method === '' || openMethods.has(method)
}

/** A rule that matched, and how it is told. */
interface Matching {
  readonly rule: RuleConfig
  readonly told: Matched
}

/** Whether a rule matches, or the code of what went wrong. As in CEL, what is false on one side of
 *  `&&` outweighs what fails on the other. */
function outcomeOf({ parts }: Pick<Rule, 'parts'>, values: CallValues): boolean | string {
  let fault: string | undefined
  for (const part of parts) {
    const outcome = part.ask(values)
    if ('fault' in outcome) fault ??= outcome.fault
    else if (!outcome.holds) return false
  }
  return fault ?? true
}

const rank = { allow: 0, hold: 1, deny: 2 } as const

/** One decision of the rules that matched. */
function verdictOf(
  matched: readonly Matching[],
  otherwise: Effect,
  holds: HoldsConfig,
  revision: string,
): Verdict {
  const strictest = matched.reduce<Effect>(
    (effect, { rule }) => (rank[rule.effect] > rank[effect] ? rule.effect : effect),
    'allow',
  )
  const effect = matched.length === 0 ? otherwise : strictest
  const order = matched.toSorted((a, b) => rank[b.rule.effect] - rank[a.rule.effect])
  const [first] = order
  const reason = first?.told.reason ?? (effect === 'allow' ? '' : 'No rule allows it.')
  return {
    effect,
    matched: order.map(({ told }) => told),
    reason,
    hold: effect === 'hold' ? termsOf(matched, holds) : undefined,
    duties: dutiesOf(matched),
    revision,
  }
}

const unknownConnection: Verdict = {
  effect: 'deny',
  matched: [],
  reason: 'No rules are known for this connection.',
  hold: undefined,
  duties: {},
  revision: '',
}

function valuesOf(facts: CallFacts, profile: ProfileConfig, memory: Memory): CallValues {
  const parts: CallParts = {
    principal: facts.principal,
    connection: facts.connection,
    call: facts.call,
    sql: facts.sql,
    findings: facts.findings,
    exposure: () => facts.exposure(profile.exposureDays),
    tool: facts.tool,
    time: (zone) => wallOf(zone)(facts.nowMs),
    source: facts.source,
  }
  return new CallValues(parts, memory)
}

/** Comments and places make no other rules; whatever may change a decision does. */
function revisionOf(
  rules: readonly Rule[],
  { exposureDays, otherwise }: ProfileConfig,
  { decisionPoint, holds }: RulesConfig,
  isAsked: boolean,
): string {
  const { expiresMs, sessionDecisions } = holds
  const policy = {
    rules: rules.map(({ config: rule }) => ({ ...rule, place: '' })),
    otherwise,
    exposureDays,
    expiresMs,
    sessionDecisions,
    decisionPoint: isAsked ? (decisionPoint?.url ?? '') : '',
  }
  return createHash('sha256').update(canonicalize(policy)).digest('hex')
}
