/** Effective access, line by line, with the grant each line comes from and why it holds or does not. */
import type { GrantConfig } from '../config/types.ts'
import { timeWords } from './change.ts'
import { compileGrant, mayReach } from './grants.ts'
import type { Compiled, Moment } from './grants.ts'
import { windowWords } from './windows.ts'
import type { Bearer } from './who.ts'

/** One grant on one connection. */
export interface AccessLine {
  /** Name of the connection; the grant's pattern where it fits none. */
  readonly connection: string
  /** Name of the grant. */
  readonly grant: string
  readonly isHolding: boolean
  /** Name patterns; all of them missing where the grant gives the whole connection. */
  readonly tools?: readonly string[]
  readonly resources?: readonly string[]
  readonly prompts?: readonly string[]
  readonly methods?: readonly string[]
  readonly reveal: 'none' | 'pan'
  /** What holds, in words: `group payments-engineers`, `from 10.0.0.0/8`. */
  readonly because: readonly string[]
  /** The first condition that does not hold. */
  readonly missing?: string
  /** The line may be another from this moment on, in milliseconds since 1970. */
  readonly until?: number
}

/** One condition of a grant: its words, and whether it holds or the code of what went wrong. */
type Condition = readonly [words: string, holds: boolean, fault?: string | undefined]

/**
 * What each grant of a list is for somebody at a moment: the same conditions as `compileGrants` asks,
 * one by one. Lines come by connection, then in the order of the list; those that do not hold too.
 * @param connections names of all there are.
 * @param of where no address is known, `ip` is empty: grants with networks do not hold then.
 * @throws {Fault} `config_bad` as `compileGrants`.
 */
export function explainAccess(
  list: readonly GrantConfig[],
  bearer: Bearer,
  connections: readonly string[],
  of: Moment,
): AccessLine[] {
  const grants = list.map((grant, index) => compileGrant(grant, index))
  const conditions = new Map(grants.map((grant) => [grant, conditionsOf(grant, bearer, of)]))
  const line = (grant: Compiled, connection: string, first: readonly Condition[]): AccessLine =>
    lineOf(grant, connection, [...first, ...(conditions.get(grant) ?? [])], of)
  const isBound = bearer.connections !== undefined
  const reached = connections.flatMap((connection) => {
    const mine = grants.filter((grant) => grant.connection.matches(connection))
    const key: Condition = ['a key for this connection', mayReach(bearer, connection)]
    return mine.map((grant) => line(grant, connection, isBound ? [key] : []))
  })
  const lost = grants.filter((grant) => !connections.some((name) => grant.connection.matches(name)))
  const isThere: Condition = ['a connection of this name', false]
  return [...reached, ...lost.map((one) => line(one, one.grant.may.connection, [isThere]))]
}

function conditionsOf(
  { expiresMs, grant, networks, who, windows }: Compiled,
  bearer: Bearer,
  { ip, nowMs }: Moment,
): Condition[] {
  const all = who.map((check): Condition => {
    return [check.words, check.holds(bearer), check.fault?.(bearer)]
  })
  if (grant.windows && windows) {
    all.push([`at ${grant.windows.map(windowWords).join(' or ')}`, windows(nowMs).isOpen])
  }
  if (grant.networks && networks) {
    const hint = ip === '' ? 'no address is known' : undefined
    all.push([`from ${grant.networks.join(' or ')}`, networks(ip), hint])
  }
  if (grant.expiresMs !== undefined) {
    all.push([`until ${timeWords(expiresMs)}`, nowMs < expiresMs])
  }
  return all
}

function lineOf(
  { expiresMs, grant, name, reveal, windows }: Compiled,
  connection: string,
  conditions: readonly Condition[],
  { nowMs }: Moment,
): AccessLine {
  const missing = conditions.find(([, holds]) => !holds)
  const { methods, prompts, resources, tools } = grant.may
  const until = Math.min(windows?.(nowMs).untilMs ?? Infinity, expiresMs)
  return {
    connection,
    grant: name,
    isHolding: missing === undefined,
    ...(tools && { tools }),
    ...(resources && { resources }),
    ...(prompts && { prompts }),
    ...(methods && { methods }),
    reveal,
    because: conditions.length === 0 ? ['everybody'] : conditions.flatMap(wordsIfHolding),
    ...(missing && { missing: wordsOf(missing) }),
    ...(until !== Infinity && nowMs < expiresMs ? { until } : {}),
  }
}

function wordsIfHolding([words, holds]: Condition): string[] {
  return holds ? [words] : []
}

function wordsOf([words, , fault]: Condition): string {
  return fault === undefined ? words : `${words} (${fault})`
}
