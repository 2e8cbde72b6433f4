/**
 * The part of the configuration that changes while the gateway runs: who is believed, who may what,
 * who is what on the console, rules with their profiles, and how held calls wait. Everything else is
 * read once; a change of it needs a restart.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/config.ts'
import type { ConsoleRoles, GrantConfig } from '../config/types.ts'
import type { Identity } from '../identity/identify.ts'
import { describeChange } from '../policy/change.ts'
import type { AccessChange } from '../policy/change.ts'
import { describePolicyChange, policyWords } from '../policy/change-rules.ts'
import type { PolicyWords } from '../policy/change-rules.ts'
import type { Decide } from '../policy/grants.ts'
import type { Rules } from '../policy/rules.ts'
import { whoWords } from '../policy/who.ts'
import type { Note } from '../record/notes.ts'

/** What the stations ask; each call goes to what is in force at that moment. */
export interface InForce {
  readonly config: Config
  /** SHA-256 of the file's text. */
  readonly sha256: string
  readonly identity: Identity
  readonly access: Decide
  readonly rules: Rules
}

/** Holds it, and lets it be replaced as a whole. */
export class Live {
  #now: InForce
  constructor(now: InForce) {
    this.#now = now
  }

  get now(): InForce {
    return this.#now
  }

  replace(now: InForce): void {
    this.#now = now
  }

  readonly access: Decide = (...of) => this.#now.access(...of)
  readonly identity: Identity = {
    identify: async (...of) => {
      const { identity } = this.#now
      const principal = await identity.identify(...of)
      // Keys and groups take their time to come: by then others may be believed.
      const { identity: newer } = this.#now
      return newer === identity ? principal : await newer.identify(...of)
    },
    metadata: (...of) => this.#now.identity.metadata(...of),
    challenge: (...of) => this.#now.identity.challenge(...of),
    verifyLogout: (...of) => this.#now.identity.verifyLogout(...of),
    verifyAssertion: (...of) => this.#now.identity.verifyAssertion(...of),
  }
}

/**
 * Parts that differ and need a restart. @returns their names in the file; empty where a change can be
 * taken up.
 */
export function needRestart(before: Config, after: Config): string[] {
  const fixed = (config: Config): Record<string, unknown> => {
    const {
      access: _,
      connections,
      console,
      holds: _holds,
      identity,
      rules: _rules,
      ...rest
    } = config
    const { issuers: _issuers, ...signing } = identity
    const { roles: _roles, ...pages } = console
    const servers = connections.map(({ profile: _profile, ...server }) => server)
    return { ...rest, connections: servers, identity: signing, console: pages }
  }
  const [was, is] = [fixed(before), fixed(after)]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  const differing = names.filter((name) => !isDeepStrictEqual(was[name], is[name]))
  const local = ({ identity }: Config): unknown =>
    identity.issuers.find(({ type }) => type === 'local')
  if (!isDeepStrictEqual(local(before), local(after))) differing.push('identity.issuers (local)')
  return differing
}

/** What is told when it changes. */
interface Said {
  readonly sha256: string
  readonly access: readonly GrantConfig[]
  readonly roles: ConsoleRoles
  readonly policy: PolicyWords
}

export function rulesOf({ config, sha256 }: Pick<InForce, 'config' | 'sha256'>): Said {
  return { sha256, access: config.access, roles: config.console.roles, policy: policyWords(config) }
}

/** Whether a file says what is in force, and its profiles as well. */
export function isSame(now: InForce, config: Config, sha256: string): boolean {
  return now.sha256 === sha256 && isDeepStrictEqual(profilesOf(now.config), profilesOf(config))
}

function profilesOf({ connections }: Config): string[] {
  return connections.map(({ profile }) => profile.sha256)
}

/** Records what changed between two states of the file; durable when it resolves. */
export async function noteChange(
  before: Said | undefined,
  after: Said,
  by: string,
  note: Note,
): Promise<void> {
  const about = { principal: { issuer: 'local', subject: by, kind: 'local' as const } }
  const from = before?.sha256
  if (from !== after.sha256) await note('config.changed', about, { from, to: after.sha256, by })
  const grants = describeChange(before?.access ?? [], after.access)
  const roles = describeRoles(before?.roles ?? {}, after.roles)
  const access = {
    added: [...grants.added, ...roles.added],
    removed: [...grants.removed, ...roles.removed],
    changed: grants.changed,
  }
  if (isAny(access)) await note('access.changed', about, { what: 'access', by, ...access })
  const policy = describePolicyChange(before?.policy ?? {}, after.policy)
  if (isAny(policy)) await note('access.changed', about, { what: 'policy', by, ...policy })
}

function isAny({ added, changed, removed }: AccessChange): boolean {
  return [added, changed, removed].some(({ length }) => length > 0)
}

function describeRoles(
  before: ConsoleRoles,
  after: ConsoleRoles,
): { added: string[]; removed: string[] } {
  const lines = (roles: ConsoleRoles): string[] =>
    Object.entries(roles).map(([role, who]) => `console role ${role}: ${whoWords(who)}`)
  const [was, is] = [lines(before), lines(after)]
  return {
    added: is.filter((line) => !was.includes(line)),
    removed: was.filter((line) => !is.includes(line)),
  }
}

/** What was in force when the gateway ran last; undefined before the first time. */
export function readLast(dataDir: string): Said | undefined {
  try {
    const text = readFileSync(fileOf(dataDir), 'utf8')
    const value: unknown = JSON.parse(text)
    if (!isSaid(value)) return undefined
    checkTold(value)
    return value
  } catch {
    // What is not there or cannot be read is told as new: the record then has too much, not less.
    return undefined
  }
}

/** Kept after its entry is durable: a crash between tells a change twice, never not at all. */
export function keepLast(dataDir: string, rules: Said): void {
  const file = fileOf(dataDir)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify(rules), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'access.json')
}

function isSaid(value: unknown): value is Said {
  if (typeof value !== 'object' || value === null) return false
  return (
    typeof Reflect.get(value, 'sha256') === 'string' &&
    Array.isArray(Reflect.get(value, 'access')) &&
    typeof Reflect.get(value, 'roles') === 'object' &&
    typeof Reflect.get(value, 'policy') === 'object'
  )
}

/** A file that is damaged, or of a version that wrote another form, keeps no gateway from starting. */
function checkTold({ access, policy, roles }: Said): void {
  describeChange(access, [])
  describeRoles(roles, {})
  describePolicyChange(policy, {})
}
