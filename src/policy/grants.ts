/** Who may do what: the `access` list of the configuration, compiled once. No grant means no. */
import { pattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'

/** What a grant says of its bearer; every condition named must hold. None named means everybody. */
export interface GrantWho {
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  readonly group?: string | undefined
  readonly role?: string | undefined
  readonly kind?: string | undefined
}

/** One line of `access`, as the configuration gives it. */
export interface Grant {
  readonly who: GrantWho
  readonly may: {
    readonly connection: string
    readonly tools?: readonly string[] | undefined
    readonly resources?: readonly string[] | undefined
    readonly prompts?: readonly string[] | undefined
    readonly methods?: readonly string[] | undefined
  }
  readonly reveal?: 'pan' | undefined
}

/** The parts of a principal which grants look at. */
export interface Bearer {
  readonly issuer: string
  readonly subject: string
  readonly kind: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
}

export type Nameable = 'tool' | 'resource' | 'prompt' | 'method'

/** Everything one principal may do on one connection. */
export interface Access {
  /** Names of the grants that hold, for the record: `access[2]`. Never empty. */
  readonly grants: readonly string[]
  readonly reveal: 'none' | 'pan'
  allows(kind: Nameable, name: string): boolean
  /** Whether some resource of this URI template might be readable (RFC 6570, literal prefix only). */
  mayMatchTemplate(template: string): boolean
}

interface Compiled {
  readonly name: string
  readonly who: GrantWho
  readonly connection: Pattern
  readonly names: Readonly<Record<Nameable, readonly Pattern[]>>
  readonly reveal: 'none' | 'pan'
}

const everything: readonly Pattern[] = [pattern('*')]

/**
 * Compiles the `access` list. A grant that names no tools, resources, prompts or methods gives the
 * whole connection; one which names any of them gives these and nothing else.
 * @returns the access of a principal on a connection, or undefined where no grant holds.
 */
export function compileGrants(
  list: readonly Grant[],
): (bearer: Bearer, connection: string) => Access | undefined {
  const compiled = list.map(compile)
  const found = new WeakMap<Bearer, Map<string, Access | undefined>>()
  return (bearer, connection) => {
    // A principal is one object for as long as its token is known, and never changes meanwhile.
    const known = found.get(bearer) ?? new Map<string, Access | undefined>()
    if (known.has(connection)) return known.get(connection)
    const holding = compiled.filter(
      (grant) => grant.connection.matches(connection) && holds(grant.who, bearer),
    )
    const access = holding.length === 0 ? undefined : join(holding)
    found.set(bearer, known.set(connection, access))
    return access
  }
}

function compile({ who, may, reveal }: Grant, index: number): Compiled {
  const named = [may.tools, may.resources, may.prompts, may.methods].some(Boolean)
  const patterns = (list: readonly string[] | undefined): readonly Pattern[] =>
    list ? list.map(pattern) : named ? [] : everything
  return {
    name: `access[${index}]`,
    who,
    connection: pattern(may.connection),
    names: {
      tool: patterns(may.tools),
      resource: patterns(may.resources),
      prompt: patterns(may.prompts),
      method: patterns(may.methods),
    },
    reveal: reveal ?? 'none',
  }
}

/** Whether everything that `who` names holds of a principal. */
export function holds(who: GrantWho, bearer: Bearer): boolean {
  return (
    (who.issuer === undefined || who.issuer === bearer.issuer) &&
    (who.subject === undefined || who.subject === bearer.subject) &&
    (who.kind === undefined || who.kind === bearer.kind) &&
    (who.group === undefined || bearer.groups.includes(who.group)) &&
    (who.role === undefined || bearer.roles.includes(who.role))
  )
}

function join(holding: readonly Compiled[]): Access {
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
