/** Who may do what: the `access` list of the configuration, compiled once. No grant means no. */
import type { GrantConfig } from '../config/types.ts'
import { compileNetworks } from './networks.ts'
import { pattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { compileWho } from './who.ts'
import type { Bearer, Check, Tell } from './who.ts'
import { compileWindows } from './windows.ts'
import type { Opening } from './windows.ts'

export type { Bearer } from './who.ts'

/** One line of `access`, as the configuration gives it. */
export type Grant = GrantConfig

export type Nameable = 'tool' | 'resource' | 'prompt' | 'method'

/** From where and when a call comes. */
export interface Moment {
  /** The client's address, as far as we can know it. */
  readonly ip: string
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** Everything one principal may do on one connection. */
export interface Access {
  /** Names of the grants that hold, for the record: `access[2]`. Never empty. */
  readonly grants: readonly string[]
  readonly reveal: 'none' | 'pan'
  /** The answer may be another from this moment on, in milliseconds since 1970: a window opens or
   *  closes, a grant ends. Missing where time changes nothing. */
  readonly until?: number
  allows(kind: Nameable, name: string): boolean
  /** Whether some resource of this URI template might be readable (RFC 6570, literal prefix only). */
  mayMatchTemplate(template: string): boolean
}

/** A line of `access` made ready: each condition apart, for whoever wants to tell them apart. */
export interface Compiled {
  readonly name: string
  readonly grant: Grant
  readonly connection: Pattern
  readonly who: readonly Check[]
  readonly names: Readonly<Record<Nameable, readonly Pattern[]>>
  readonly reveal: 'none' | 'pan'
  readonly windows: ((nowMs: number) => Opening) | undefined
  readonly networks: ((ip: string) => boolean) | undefined
  readonly expiresMs: number
}

/** What stands for a principal on a connection, as far as neither time nor place changes it. */
interface Standing {
  /** Those whose conditions hold, in the order of the list. */
  readonly holding: readonly Compiled[]
  /** Of those without windows, networks or an end. */
  readonly always: Access | undefined
  readonly isLimited: boolean
  /** Of those that are open just now, by which they are. */
  readonly byOpen: Map<string, Access>
}

/** @returns the access of a principal on a connection; undefined where no grant holds. Of grants with
 *  windows, networks or an end none holds where `of` is missing. */
export type Decide = (bearer: Bearer, connection: string, of?: Moment) => Access | undefined

const everything: readonly Pattern[] = [pattern('*')]
const byOpenMax = 64

/** A grant's name in the record. */
export function grantName({ name }: Grant, index: number): string {
  return name ?? `access[${index}]`
}

/**
 * Compiles the `access` list. A grant that names no tools, resources, prompts or methods gives the
 * whole connection; one which names any of them gives these and nothing else. What somebody is given
 * is worked out once for each principal object and connection; only grants with windows, networks or
 * an end are looked at again for each call.
 * @param tell hears of conditions that fail: such a grant does not hold.
 * @throws {Fault} `config_bad` for a condition, network or time zone that is none.
 */
export function compileGrants(list: readonly Grant[], tell?: Tell): Decide {
  const compiled = list.map((grant, index) => compileGrant(grant, index, tell))
  const found = new WeakMap<Bearer, Map<string, Standing>>()
  return (bearer, connection, of) => {
    // A principal is one object for as long as its token is known, and never changes meanwhile.
    const mine = found.get(bearer) ?? new Map<string, Standing>()
    let standing = mine.get(connection)
    if (!standing) {
      standing = stand(compiled, bearer, connection)
      found.set(bearer, mine.set(connection, standing))
    }
    return standing.isLimited && of ? accessAt(standing, of) : standing.always
  }
}

/** @throws {Fault} `config_bad` as `compileGrants`. */
export function compileGrant(grant: Grant, index: number, tell?: Tell): Compiled {
  const { expiresMs, may, networks, reveal, who, windows } = grant
  const named = [may.tools, may.resources, may.prompts, may.methods].some(Boolean)
  const patterns = (names: readonly string[] | undefined): readonly Pattern[] =>
    names ? names.map(pattern) : named ? [] : everything
  const name = grantName(grant, index)
  return {
    name,
    grant,
    connection: pattern(may.connection),
    who: compileWho(who, name, tell),
    names: {
      tool: patterns(may.tools),
      resource: patterns(may.resources),
      prompt: patterns(may.prompts),
      method: patterns(may.methods),
    },
    reveal: reveal ?? 'none',
    windows: windows && compileWindows(windows),
    networks: networks && compileNetworks(networks),
    expiresMs: expiresMs ?? Infinity,
  }
}

/** Whether a principal may be given anything on a connection: a key of a service account names some. */
export function mayReach({ connections }: Bearer, connection: string): boolean {
  return connections === undefined || connections.includes(connection)
}

function stand(compiled: readonly Compiled[], bearer: Bearer, connection: string): Standing {
  const holding = mayReach(bearer, connection)
    ? compiled.filter(
        (grant) =>
          grant.connection.matches(connection) && grant.who.every((check) => check.holds(bearer)),
      )
    : []
  const always = join(holding.filter((grant) => !isLimited(grant)))
  return { holding, always, isLimited: holding.some(isLimited), byOpen: new Map() }
}

function isLimited({ expiresMs, networks, windows }: Compiled): boolean {
  return windows !== undefined || networks !== undefined || expiresMs !== Infinity
}

function accessAt({ byOpen, holding }: Standing, { ip, nowMs }: Moment): Access | undefined {
  let [key, until] = ['', Infinity]
  for (const { expiresMs, networks, windows } of holding) {
    // What a network keeps out, and what has ended, no time brings back; no number is no time.
    const isPossible = nowMs < expiresMs && (networks === undefined || networks(ip))
    const opening = isPossible ? windows?.(nowMs) : undefined
    if (isPossible) until = Math.min(until, expiresMs, opening?.untilMs ?? Infinity)
    key += isPossible && opening?.isOpen !== false ? '1' : '0'
  }
  const known = byOpen.get(key)
  if (known && (known.until ?? Infinity) === until) return known
  const access = join(
    holding.filter((_, index) => key[index] === '1'),
    until,
  )
  if (!access) return undefined
  if (byOpen.size >= byOpenMax) byOpen.clear()
  byOpen.set(key, access)
  return access
}

function join(holding: readonly Compiled[], until = Infinity): Access | undefined {
  if (holding.length === 0) return undefined
  const names = (kind: Nameable): readonly Pattern[] =>
    holding.flatMap((grant) => grant.names[kind])
  const all: Record<Nameable, readonly Pattern[]> = {
    tool: names('tool'),
    resource: names('resource'),
    prompt: names('prompt'),
    method: names('method'),
  }
  return {
    grants: holding.map((grant) => grant.name),
    reveal: holding.some((grant) => grant.reveal === 'pan') ? 'pan' : 'none',
    ...(until === Infinity ? {} : { until }),
    allows: (kind, name) => all[kind].some((one) => one.matches(name)),
    mayMatchTemplate: (template) => {
      const literal = template.split('{', 1)[0] ?? ''
      return all.resource.some((one) =>
        one.isExact
          ? one.prefix.startsWith(literal)
          : one.prefix.startsWith(literal) || literal.startsWith(one.prefix),
      )
    },
  }
}
