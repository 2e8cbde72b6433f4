/**
 * Rules: CEL over the facts of a call.
 *
 *     principal   issuer, subject, name, kind, client, owner: texts; groups, roles: lists of texts
 *     claims      what the token says, by name
 *     connection  name
 *     call        method, kind, tool, name: texts; bytes: int; arguments: as JSON has them
 *     sql         a list with one element for each statement: see `call-parts.ts`
 *     findings    a list: family, confidence, at, what: texts; level: 1 (low) to 4 (certain)
 *     exposure    clear, masked: card numbers shown to the principal in the window
 *     tool        known, read_only, destructive, changed; description: text
 *     time        hour, minute: ints; weekday: "mon" to "sun"; date: "2026-12-31"; now: timestamp
 *     source      ip
 *
 * As in `condition.ts`, what somebody has not got is missing: `has()` asks for it.
 */
import { callTypes, isLasting } from './call-values.ts'
import type { CallValues, Needs } from './call-values.ts'
import { openLanguage } from './language.ts'
import type { Expression, Flaw, Outcome } from './language.ts'
export type { Outcome } from './language.ts'
import type { Memory } from './memory.ts'

const language = openLanguage(
  (on) => {
    for (const [variable, ctor, fields, isList] of callTypes) {
      on.registerType({ name: ctor.name, ctor, fields })
      on.registerVariable(variable, isList ? `list<${ctor.name}>` : ctor.name)
    }
    on.registerVariable('claims', 'map<string, dyn>')
  },
  ['timestamp'],
)

/** What is wrong with the `when` of a rule, in words that follow its name; undefined for a good one. */
export function ruleFlaw(when: string): Flaw | undefined {
  return language.flaw(when)
}

/** A question about calls. */
export interface Question {
  readonly text: string
  /** `sql`, `tool.changed`, `call.arguments`: what it looks at. */
  readonly reads: ReadonlySet<string>
  /** How dear it is to ask, for an order: what is asked once for each statement or principal is 0. */
  readonly price: number
  /** Never throws, but for what making the facts throws. */
  ask(facts: CallValues): Outcome
}

/** A `when` made ready: true where each of `all` is. */
export interface When {
  readonly text: string
  readonly reads: ReadonlySet<string>
  /** In the order of the text. */
  readonly all: readonly Question[]
  /** The parts of each of `all` of which one must be true, as texts. */
  readonly any: readonly (readonly string[])[]
}

/**
 * Compiles the `when` of a rule.
 * @param memory of the rules that are asked together; the facts they are asked about have the same.
 * @param zone of `time`: an IANA name.
 * @throws {Fault} `config_bad` for what `ruleFlaw` finds.
 */
export function compileWhen(when: string, memory: Memory, zone = 'UTC'): When {
  const whole = language.compile(when)
  const parts = whole.all.map((part) => language.compile(part))
  return {
    text: when,
    reads: whole.reads,
    all: parts.map((part) => question(part, memory, zone)),
    any: parts.map(({ any }) => any),
  }
}

/** One part of a `when` by itself, for those who explain. Nothing of it is remembered. */
export interface Part {
  readonly text: string
  readonly reads: ReadonlySet<string>
  /** Its own parts that must all be true, and of which one must be; itself where it has none. */
  readonly all: readonly string[]
  readonly any: readonly string[]
  /** As a question is asked. */
  ask(facts: CallValues): Outcome
}

/** @throws {Fault} `config_bad` as `compileWhen`. */
export function compilePart(part: string, zone = 'UTC'): Part {
  const expression = language.compile(part)
  const needs = needsOf(expression, zone)
  const { all, any, reads, text } = expression
  return { text, reads, all, any, ask: (facts) => expression.evaluate(facts.prepared(needs)) }
}

const dear: ReadonlySet<string> = new Set(['exposure', 'time'])

function question(expression: Expression, memory: Memory, zone: string): Question {
  const { reads, text } = expression
  const needs = needsOf(expression, zone)
  const { needsArguments, roots } = needs
  const [root = '', ...more] = roots.filter(
    (one) => one !== 'claims' || !roots.includes('principal'),
  )
  const fresh = (facts: CallValues): Outcome => expression.evaluate(facts.prepared(needs))
  if (more.length > 0 || !isLasting(root)) {
    const price = needsArguments || roots.some((one) => dear.has(one)) ? 2 : 1
    return { text, reads, price, ask: fresh }
  }
  const number = memory.number()
  return {
    text,
    reads,
    price: 0,
    ask: (facts) => {
      const known = facts.known(root)
      return (known[number] ??= fresh(facts))
    },
  }
}

function needsOf({ reads }: Expression, zone: string): Needs {
  const roots = [...new Set([...reads].map((read) => read.split('.', 1)[0] ?? read))]
  return { roots, zone, needsArguments: reads.has('call.arguments') || reads.has('call') }
}
