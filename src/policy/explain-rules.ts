/**
 * Each rule with its answer, and which part of its `when` was false: for people who ask why. What is
 * not known stays unknown, unless what is known settles it: `false && unknown` is false, and
 * `true || unknown` is true.
 */
import { compilePart } from '../cel/call-facts.ts'
import type { Outcome, Part, Question } from '../cel/call-facts.ts'
import type { CallValues } from '../cel/call-values.ts'
import type { Effect, FilePlace } from '../config/policy-types.ts'
import type { Rule } from './rules.ts'
import type { Verdict } from './verdict.ts'

/** `unknown`: it looks at something that is not known any more. */
export type Answer = 'true' | 'false' | 'fault' | 'unknown'

/** One rule. */
export interface ExplainedRule {
  readonly rule: string
  readonly effect: Effect
  readonly reason: string
  readonly place: FilePlace
  readonly answer: Answer
  /** The code of what went wrong, where the answer is `fault`. */
  readonly fault?: string
  /** Whether it counts as matched. */
  readonly isMatched: boolean
  /** What must all be true, in the order of the text. */
  readonly parts: readonly ExplainedPart[]
}

export interface ExplainedPart {
  readonly text: string
  readonly answer: Answer
  readonly fault?: string
  /** Of which one must be true; missing where the part has only one. */
  readonly any?: readonly ExplainedPart[]
  /** Of which each must be true; missing where the part has only one, and in `parts` themselves. */
  readonly all?: readonly ExplainedPart[]
}

export interface Explained {
  /** In the order in which they are asked: those of `rules`, then the profile's. */
  readonly rules: readonly ExplainedRule[]
  /** As `judge` gives it, of the rules alone; what is unknown counts as not matched. */
  readonly verdict: Verdict
  /** What it may be, whatever the unknown turns out to be: one effect where it is certain. */
  readonly possible: readonly Effect[]
}

/** @param unknown variables whose values are not known: `call.arguments`, `exposure`. */
export function explainRule(
  rule: Rule,
  values: CallValues,
  unknown: ReadonlySet<string>,
): ExplainedRule {
  const { config, told, when } = rule
  const asking = { values, unknown, part: innerParts(rule) }
  const parts = when.all.map((part, i) => explainPart(part, [], when.any[i] ?? [], asking))
  const { answer, fault } = allOf(parts)
  const isMatched = answer === 'true' || (answer === 'fault' && config.effect !== 'allow')
  const { name, effect, place } = config
  return {
    rule: name,
    effect,
    reason: told.reason,
    place,
    ...said(answer, fault),
    isMatched,
    parts,
  }
}

interface Asking {
  readonly values: CallValues
  readonly unknown: ReadonlySet<string>
  readonly part: (text: string) => Part
}

/** Compiled once for each rule: a simulation asks the same parts of every call. */
const inner = new WeakMap<Rule, Map<string, Part>>()

function innerParts(rule: Rule): (text: string) => Part {
  const known = inner.get(rule) ?? new Map<string, Part>()
  inner.set(rule, known)
  return (text) => {
    const part = known.get(text) ?? compilePart(text, rule.config.timezone)
    known.set(text, part)
    return part
  }
}

function explainPart(
  { ask, reads, text }: Pick<Question, 'ask' | 'reads' | 'text'>,
  all: readonly string[],
  any: readonly string[],
  asking: Asking,
): ExplainedPart {
  const isKnown = !looksAt(reads, asking.unknown)
  const explain = (one: string): ExplainedPart => {
    const part = asking.part(one)
    return explainPart(part, part.all, part.any, asking)
  }
  const each = {
    ...(any.length < 2 ? {} : { any: any.map(explain) }),
    ...(all.length < 2 ? {} : { all: all.map(explain) }),
  }
  if (isKnown) return { text, ...answerOf(ask(asking.values)), ...each }
  if (each.all) return { text, ...allOf(each.all), ...each }
  if (each.any) return { text, ...anyOf(each.any), ...each }
  return { text, answer: 'unknown' }
}

type Names = ReadonlySet<string>
const looked = new WeakMap<Names, WeakMap<Names, boolean>>()

/** Remembered for two sets that come again: a simulation asks the same of every call. */
function looksAt(reads: Names, unknown: Names): boolean {
  const known = looked.get(unknown) ?? new WeakMap<Names, boolean>()
  looked.set(unknown, known)
  const before = known.get(reads)
  if (before !== undefined) return before
  const does = [...reads].some((read) => [...unknown].some((one) => isWithin(read, one)))
  known.set(reads, does)
  return does
}

/** Who looks at `call` looks at `call.arguments`, and who looks at `exposure.clear` at `exposure`. */
function isWithin(a: string, b: string): boolean {
  return `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`)
}

type Said = Pick<ExplainedPart, 'answer' | 'fault'>

/** As CEL joins them: what is false outweighs what fails or is not known. */
function allOf(parts: readonly ExplainedPart[]): Said {
  return joined(parts, 'false', 'true')
}

/** What is true outweighs what fails or is not known. */
function anyOf(parts: readonly ExplainedPart[]): Said {
  return joined(parts, 'true', 'false')
}

/** What is unknown may settle it, so it outweighs what fails. */
function joined(parts: readonly ExplainedPart[], settles: Answer, otherwise: Answer): Said {
  const has = (answer: Answer): boolean => parts.some((part) => part.answer === answer)
  if (has(settles)) return said(settles)
  if (has('unknown')) return said('unknown')
  const failed = parts.find(({ answer }) => answer === 'fault')
  return failed ? said('fault', failed.fault) : said(otherwise)
}

function answerOf(outcome: Outcome): Said {
  if ('fault' in outcome) return said('fault', outcome.fault)
  return said(outcome.holds ? 'true' : 'false')
}

function said(answer: Answer, fault?: string): Said {
  return { answer, ...(fault === undefined ? {} : { fault }) }
}
