/** Whom a line of `access` or a console role is about: its conditions, each with its words. */
import { compileCondition } from '../cel/condition.ts'
import type { WhoConfig } from '../config/types.ts'

/** The parts of a principal which grants look at. */
export interface Bearer {
  readonly issuer: string
  readonly subject: string
  readonly name?: string
  readonly kind: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** Client id the token was given to. */
  readonly clientId?: string
  readonly owner?: string
  readonly claims?: Readonly<Record<string, unknown>>
  /** Connections it is for, by name; all that its grants give where it is missing. */
  readonly connections?: readonly string[]
}

/** Told once of each way in which a condition fails: its line of the configuration, and a code. */
export type Tell = (line: string, fault: string) => void

/** One condition: `group payments-engineers`, or `the condition claims.tid == "6f…"`. */
export interface Check {
  readonly words: string
  holds(bearer: Bearer): boolean
  /** The code of what goes wrong when it is asked, if it can go wrong. */
  fault?(bearer: Bearer): string | undefined
}

/**
 * Compiles what is named of somebody, the cheapest first. Without any condition it is everybody.
 * @param line its name, for `tell`.
 * @throws {Fault} `config_bad` for a condition that `checkCondition` refuses.
 */
export function compileWho(who: WhoConfig, line: string, tell: Tell = () => undefined): Check[] {
  const { client, condition, group, issuers, kind, role, subject } = who
  const checks: Check[] = []
  const add = (words: string, holds: Check['holds']): void => void checks.push({ words, holds })
  if (issuers) add(`issuer ${issuers.join(' or ')}`, ({ issuer }) => issuers.includes(issuer))
  if (subject !== undefined) add(`subject ${subject}`, (bearer) => bearer.subject === subject)
  if (kind !== undefined) add(`kind ${kind}`, (bearer) => bearer.kind === kind)
  if (client !== undefined) add(`client ${client}`, ({ clientId }) => clientId === client)
  if (group !== undefined) add(`group ${group}`, ({ groups }) => groups.includes(group))
  if (role !== undefined) add(`role ${role}`, ({ roles }) => roles.includes(role))
  if (condition !== undefined) checks.push(conditionCheck(condition, line, tell))
  return checks
}

function conditionCheck(text: string, line: string, tell: Tell): Check {
  const ask = compileCondition(text)
  const told = new Set<string>()
  return {
    words: `condition ${text.replace(/\s+/g, ' ').trim()}`,
    holds(bearer) {
      const outcome = ask(bearer)
      if ('holds' in outcome) return outcome.holds
      // Codes are few; a condition that fails for everybody is not told for everybody.
      if (!told.has(outcome.fault)) tell(line, outcome.fault)
      told.add(outcome.fault)
      return false
    },
    fault(bearer) {
      const outcome = ask(bearer)
      return 'fault' in outcome ? outcome.fault : undefined
    },
  }
}

const compiled = new WeakMap<WhoConfig, readonly Check[]>()

/** Whether everything that `who` names holds of somebody; compiled once for each `who`. */
export function holds(who: WhoConfig, bearer: Bearer): boolean {
  const checks = compiled.get(who) ?? compileWho(who, 'who')
  compiled.set(who, checks)
  return checks.every((check) => check.holds(bearer))
}

/** What `who` names, in words. */
export function whoWords(who: WhoConfig): string {
  const checks = compileWho(who, 'who')
  return checks.length === 0 ? 'everybody' : checks.map(({ words }) => words).join(', ')
}
