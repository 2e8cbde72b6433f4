/** Which policy a command works with: the installation's own, or a candidate from a file. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import { readConfig } from '../config/config.ts'
import type { CheckedConfig } from '../config/config.ts'
import type {
  DecisionPointConfig,
  HoldsConfig,
  ProfileConfig,
  RuleConfig,
} from '../config/policy-types.ts'
import type { Config } from '../config/types.ts'
import { positionOf } from '../config/mistakes.ts'
import { readYaml } from '../config/yaml-file.ts'
import { pattern } from '../policy/pattern.ts'
import { compileRules } from '../policy/rules.ts'
import type { Policies, PolicyOf } from '../policy/simulate.ts'
import { isObject } from '../record/unfinished.ts'
import { findConfig } from './installation.ts'
import type { Where } from './installation.ts'

/** What a policy is made of. */
export interface PolicyParts {
  readonly rules: readonly RuleConfig[]
  readonly holds: HoldsConfig
  readonly decisionPoint?: DecisionPointConfig | undefined
  readonly connections: readonly { readonly name: string; readonly profile: ProfileConfig }[]
}

export interface Candidate {
  readonly parts: PolicyParts
  /** It is a configuration of its own: what it does not name is not there. */
  readonly isWhole: boolean
}

/** The configuration that belongs to a data folder: the one named or found, else the demo's. */
export function ownConfig(where: Where, dataDir: string): CheckedConfig | undefined {
  if (where.config !== undefined) return findConfig(where)
  const found = existsSync('sallyport.yaml') ? findConfig(where) : undefined
  if (found?.config.dataDir === dataDir) return found
  const demo = join(dataDir, 'demo', 'sallyport.yaml')
  return existsSync(demo) ? findConfig({ config: demo }) : undefined
}

/** Compiles a policy. The other decision maker it may name is never asked. */
export function policiesOf(parts: PolicyParts): Policies {
  const { connections, decisionPoint, holds } = parts
  const rules = compileRules({ rules: parts.rules, holds, connections })
  const known = new Map(
    connections.map(({ name, profile }): [string, PolicyOf] => {
      const all = [...parts.rules, ...profile.rules]
      const list = all.filter(({ connection: of }) => of === undefined || fits(of, name))
      const { connections: asked } = decisionPoint ?? {}
      const hasPoint = decisionPoint !== undefined && (asked?.some((of) => fits(of, name)) ?? true)
      return [name, { rules, holds, list, profile, hasPoint }]
    }),
  )
  return (connection) => known.get(connection)
}

function fits(of: string, name: string): boolean {
  return pattern(of).matches(name)
}

/** The policy of an installation. */
export function partsOf({ connections, decisionPoint, holds, rules }: Config): PolicyParts {
  return { connections, holds, rules, decisionPoint }
}

/**
 * A candidate: a whole configuration; a profile; or only `rules`, `profile`, `holds` and
 * `decision_point`, which stand in the place of the installation's.
 * @param own the installation's, where there is one.
 * @param recorded names of connections in the record; they have the profile `pci` where no
 *   configuration knows them.
 * @throws {Fault} `config_bad` with every mistake, each with its line and column.
 */
export function candidateOf(
  file: string,
  own: CheckedConfig | undefined,
  recorded: readonly string[],
): Candidate {
  const path = resolve(file)
  const text = textOf(path)
  const read = readYaml(text, 'write its `rules`')
  const keys = 'plain' in read && isObject(read.plain) ? new Set(Object.keys(read.plain)) : none
  if (keys.has('connections') || keys.has('identity') || !('plain' in read)) {
    return { parts: partsOf(readConfig(text, path).config), isWhole: true }
  }
  const names = [
    ...new Set([...(own?.config.connections ?? []).map(({ name }) => name), ...recorded]),
  ]
  const isProfile = ['otherwise', 'suspicious', 'exposure_days'].some((key) => keys.has(key))
  if (isProfile) {
    const profiles = connectionsText(names, () => path)
    const { config } = readConfig([identityText(own), profiles].join('\n'), path)
    const base = own === undefined ? partsOf(config) : partsOf(own.config)
    return { parts: { ...base, connections: config.connections }, isWhole: false }
  }
  const profile = isObject(read.plain) ? read.plain['profile'] : undefined
  const profileOf = (name: string): string =>
    typeof profile === 'string' ? profile : ownProfile(name, own)
  const whole = [
    withoutProfile(
      text,
      profile === undefined ? undefined : positionOf(read.source, [], 'profile'),
    ),
    identityText(own),
    connectionsText(names, profileOf),
  ]
  const { config } = readPart(whole.join('\n'), path)
  const base = own === undefined ? partsOf(config) : partsOf(own.config)
  const parts = {
    connections: config.connections,
    rules: keys.has('rules') ? config.rules : base.rules,
    holds: keys.has('holds') ? config.holds : base.holds,
    decisionPoint: keys.has('decision_point') ? config.decisionPoint : base.decisionPoint,
  }
  return { parts, isWhole: false }
}

const none: ReadonlySet<string> = new Set()

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const message = `There is no file ${path} to read. Name a configuration, a profile, or a file with rules.`
    throw new Fault('config_bad', message, { cause })
  }
}

/** Rules of a profile that lacks its other keys would stand beside those of the profile they came from. */
function readPart(text: string, path: string): CheckedConfig {
  try {
    return readConfig(text, path)
  } catch (error) {
    const isTaken = error instanceof Fault && error.message.includes('a rule of the profile has')
    if (!isTaken) throw error
    const hint = `If ${basename(path)} is a profile of its own, write \`otherwise: allow\` above its rules.`
    throw new Fault('config_bad', `${error.message}\n${hint}`, { cause: error })
  }
}

/** What a configuration must have beside rules; behind the text, so that its lines stay what they are. */
function identityText(own: CheckedConfig | undefined): string {
  const { issuers = [], signIn = [] } = own?.config.identity ?? {}
  const names = new Set([...issuers, ...signIn].map(({ name }) => name))
  const rows = [...names].map((name) => ({ name, type: 'oidc', issuer: `https://${name}.invalid` }))
  const all = rows.length === 0 ? [{ name: 'local', type: 'local' }] : rows
  return `public_url: https://policy.invalid\nidentity: ${JSON.stringify({ issuers: all })}`
}

function connectionsText(names: readonly string[], profileOf: (name: string) => string): string {
  const all = (names.length === 0 ? ['any'] : names).map((name) => {
    return { name, url: 'http://127.0.0.1:9/mcp', profile: profileOf(name) }
  })
  return `connections: ${JSON.stringify(all)}`
}

/** As it is found from another folder. */
function ownProfile(connection: string, own: CheckedConfig | undefined): string {
  const found = own?.config.connections.find(({ name }) => name === connection)?.profile.name
  if (own === undefined || found === undefined) return 'pci'
  return found === 'pci' || found === 'none' ? found : resolve(dirname(own.file), found)
}

/** The line that names the profile becomes a comment: the configuration has it at each connection. */
function withoutProfile(text: string, place: { readonly line: number } | undefined): string {
  if (place === undefined) return text
  const lines = text.split('\n')
  const index = place.line - 1
  if (/^profile:[ \t]*\S+[ \t]*(#.*)?$/.test(lines[index] ?? '')) lines[index] = '#'
  return lines.join('\n')
}
