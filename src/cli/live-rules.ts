/**
 * Lines of the file that are well-formed and can never do anything: groups by name where ids come,
 * roles nobody can have, audiences no token names. Nothing is asked for it.
 */
import type { Config, Path } from '../config/config.ts'
import { identifiersOf } from '../config/settle.ts'
import type { IssuerConfig, SignInConfig, WhoConfig } from '../config/types.ts'
import { isGuid } from '../identity/claims.ts'
import { serviceIssuer } from '../identity/service-accounts.ts'
import { wrong } from './live-look.ts'
import type { Look, Seen } from './live-look.ts'

export function ruleLooks(config: Config): Look[] {
  return [...whoLooks(config), ...audienceLooks(config), ...emptyLooks(config)]
}

/** Whoever `who` may be about: what their issuers put into tokens. */
type Source = 'entra' | 'github-actions' | 'other'

function whoLooks(config: Config): Look[] {
  const lines: readonly (readonly [what: string, path: Path, who: WhoConfig])[] = [
    ...config.access.map(
      ({ name, who }, i) => [name ?? `access[${i}]`, ['access', i, 'who'], who] as const,
    ),
    ...Object.entries(config.console.roles).map(
      ([role, who]) => [`role ${role}`, ['console', 'roles', role], who] as const,
    ),
  ]
  return lines.flatMap(([what, path, who]) => {
    const why = flawOf(who, sourcesOf(who, config))
    if (why === undefined) return []
    const look = (): Seen => {
      throw wrong(why.words)
    }
    return [{ what: `rule ${what}`, path: [...path, why.key], look }]
  })
}

function flawOf(
  { group, kind, role }: WhoConfig,
  sources: ReadonlySet<Source>,
): { readonly key: string; readonly words: string } | undefined {
  const isOnly = (one: Source): boolean => sources.size === 1 && sources.has(one)
  if (group !== undefined && isOnly('entra')) {
    if (!isGuid(group)) {
      const words =
        'never holds: Entra names groups by object id, and this is no GUID. Copy "Object Id" from the overview of the group, or use an app role'
      return { key: 'group', words }
    }
    if (group !== group.toLowerCase()) {
      const words = 'never holds: ids of groups are compared in lower case; write it so'
      return { key: 'group', words }
    }
  }
  if (isOnly('github-actions')) {
    const words =
      'never holds: tokens of GitHub Actions carry no group and no role, and are of kind workload; use subject or condition'
    if (group !== undefined) return { key: 'group', words }
    if (role !== undefined) return { key: 'role', words }
    if (kind !== undefined && kind !== 'workload') return { key: 'kind', words }
  }
  return undefined
}

function sourcesOf(who: WhoConfig, { identity }: Config): ReadonlySet<Source> {
  const all = [
    ...identity.issuers.flatMap((one) =>
      identifiersOf(one).map((id) => [id, sourceOf(one)] as const),
    ),
    ...identity.signIn.map((one) => signInSource(one, identity.issuers)),
    [serviceIssuer, 'other'] as const,
  ]
  const { issuers } = who
  const fitting = issuers === undefined ? all : all.filter(([id]) => issuers.includes(id))
  return new Set(fitting.map(([, source]) => source))
}

function sourceOf({ type }: IssuerConfig): Source {
  return type === 'entra' || type === 'github-actions' ? type : 'other'
}

function signInSource(
  one: SignInConfig,
  issuers: readonly IssuerConfig[],
): readonly [id: string, source: Source] {
  if (one.type === 'entra') return [`${one.authority}/${one.tenant}/v2.0`, 'entra']
  if (one.type === 'oidc') return [one.issuer, 'other']
  if (one.type === 'saml') {
    const same = issuers.find(({ name }) => name === one.sameAs)
    // The tokens of that issuer are among the sources already.
    return same === undefined ? [one.idpIssuer, 'other'] : [identifiersOf(same)[0] ?? '', 'entra']
  }
  return ['', 'other']
}

function audienceLooks({ identity }: Config): Look[] {
  return identity.issuers.flatMap((row, index): Look[] => {
    if (row.type !== 'entra' || !row.versions.includes('2.0') || row.audience.some(isGuid)) {
      return []
    }
    const look = (): Seen => {
      throw wrong(
        'names no application id: tokens of version 2.0 carry nothing else in aud. Add "Application (client) ID" of the app registration beside the App ID URI',
      )
    }
    return [
      { what: `audience of ${row.name}`, path: ['identity', 'issuers', index, 'audience'], look },
    ]
  })
}

/** What is allowed, and probably not meant. */
function emptyLooks({ access, connections, console, identity }: Config): Look[] {
  const looks: Look[] = []
  if (access.length === 0 && connections.length > 0) {
    const doubt = 'is empty: nobody may use anything'
    looks.push({ what: 'access', path: ['access'], look: () => ({ doubt }) })
  }
  const isNobody = Object.keys(console.roles).length === 0
  if (isNobody && identity.signIn.length > 0) {
    const doubt = 'are empty: whoever signs in to the console may look at their own page only'
    looks.push({ what: 'console roles', path: ['console', 'roles'], look: () => ({ doubt }) })
  }
  return looks
}
