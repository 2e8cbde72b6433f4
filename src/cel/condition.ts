/**
 * Conditions of `access` and of console roles: CEL over `principal` and `claims`.
 *
 *     principal   issuer, subject, name, kind, client, owner: texts; groups, roles: lists of texts
 *     claims      what the token or the sign-in says, by name; numbers are doubles, as in JSON
 *
 * What a principal has not got (a name, a client, an owner) is missing: asking for it without
 * `has()` is an error, and with an error nothing holds.
 */
import { factsFor, openLanguage } from './language.ts'
import type { Expression, Facts, Flaw, Outcome } from './language.ts'

/** Whom a condition is about. */
export interface Subject {
  readonly issuer: string
  readonly subject: string
  readonly name?: string | undefined
  readonly kind: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly clientId?: string | undefined
  readonly owner?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

const language = openLanguage((on) => {
  const text = 'string'
  const texts = 'list<string>'
  const names = { issuer: text, subject: text, name: text, client: text, owner: text }
  const schema = { ...names, kind: text, groups: texts, roles: texts }
  on.registerVariable({ name: 'principal', schema })
  on.registerVariable('claims', 'map<string, dyn>')
})

/** What is wrong with a condition, in words that follow its name, with line and column; undefined
 *  for a good one. Source: cel-spec, Language Definition. */
export function checkCondition(text: string): string | undefined {
  return language.check(text)
}

/** The same with the place apart. */
export function conditionFlaw(text: string): Flaw | undefined {
  return language.flaw(text)
}

/**
 * Compiles a condition.
 * @returns whether it holds of somebody, or the code of what went wrong; it never throws.
 * @throws {Fault} `config_bad` for what `checkCondition` refuses.
 */
export function compileCondition(text: string): (subject: Subject) => Outcome {
  const expression: Expression = language.compile(text)
  return (subject) => expression.evaluate(factsOf(subject))
}

const known = new WeakMap<Subject, Facts>()

/** A principal is one object for as long as its token is known: its facts are made once. */
function factsOf(subject: Subject): Facts {
  const found = known.get(subject)
  if (found) return found
  const facts = factsFor({ principal: membersOf(subject), claims: subject.claims ?? {} })
  known.set(subject, facts)
  return facts
}

/** A principal by the names that conditions use. What is undefined is missing for `has()` as well. */
export function membersOf({ clientId: client, ...of }: Subject): Readonly<Record<string, unknown>> {
  const { groups, issuer, kind, name, owner, roles, subject } = of
  return { issuer, subject, name, kind, groups, roles, owner, client }
}
