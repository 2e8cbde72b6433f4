/** `sallyport token`: a token of the local issuer, for a person or a program to try the gateway with. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig, Config, LocalIssuerConfig } from '../config/config.ts'
import { parseDuration } from '../config/units.ts'
import { openLocalIssuer } from '../identity/local.ts'
import { isWord } from '../identity/principal.ts'
import { findConfig, findDataDir } from './installation.ts'
import type { Where } from './installation.ts'

export interface TokenOptions extends Where {
  readonly subject: string
  readonly name?: string | undefined
  /** `person` (usual), `service` or `workload`. */
  readonly kind?: string | undefined
  readonly group?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  /** A connection's name; without it the token is good for all of them. */
  readonly connection?: string | undefined
  /** Good for the console's API and the log, and for nothing else. */
  readonly console?: boolean | undefined
  /** `1h` unless told otherwise; `24h` at most. */
  readonly ttl?: string | undefined
}

const ttlMsMax = 24 * 3_600_000

/**
 * Prints the token alone on `out`.
 * @returns 0; 1 where there is no local issuer or no such connection; 2 for values of wrong form.
 * @throws {Fault} `config_bad`, `secret_missing` as the configuration and the key file deserve.
 */
export async function tokenCommand(
  options: TokenOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const fail = (code: 1 | 2, message: string): number => {
    errors.write(`${message}\n`)
    return code
  }
  const kind = kindOf(options.kind ?? 'person')
  const ttlMs = parseDuration(options.ttl ?? '1h')
  const { subject, name, group = [], role = [] } = options
  if (kind === undefined) return fail(2, '--kind is person, service or workload.')
  if (!(ttlMs >= 1000 && ttlMs <= ttlMsMax)) return fail(2, '--ttl is a time from 1s to 24h.')
  if (![subject, ...(name === undefined ? [] : [name]), ...group, ...role].every(isWord)) {
    return fail(2, 'Subject, name, groups and roles have 1 to 256 characters, none of control.')
  }
  const checked = findConfig(options)
  const dataDir = findDataDir(options)
  const config = asRunning(checked, dataDir)
  const local = config.identity.issuers.find(({ type }) => type === 'local')
  if (local?.type !== 'local') {
    return fail(1, 'The configuration has no issuer of type local; tokens come from its issuers.')
  }
  const audience =
    options.console === true
      ? `${config.publicUrl}/console`
      : audienceOf(options.connection, config, local)
  if (audience === undefined) {
    const names = config.connections.map((connection) => connection.name).join(', ')
    return fail(1, `There is no connection of this name. Known: ${names}.`)
  }
  const clock = systemClock()
  const issuer = await openLocalIssuer({ dataDir, issuer: local.issuer, clock })
  const groups = group.length === 0 ? {} : { groups: group }
  const roles = role.length === 0 ? {} : { roles: role }
  const who = { subject, name, kind, ...groups, ...roles, audience, ttlSeconds: ttlMs / 1000 }
  out.write(`${await issuer.mint(who)}\n`)
  return 0
}

function kindOf(text: string): 'person' | 'service' | 'workload' | undefined {
  return text === 'person' || text === 'service' || text === 'workload' ? text : undefined
}

function audienceOf(
  connection: string | undefined,
  config: Config,
  local: LocalIssuerConfig,
): string | undefined {
  if (connection === undefined) return local.audience[0]
  const isKnown = config.connections.some(({ name }) => name === connection)
  return isKnown ? `${config.publicUrl}/mcp/${connection}` : undefined
}

/** A gateway that runs may have taken other ports than the file names, and its addresses follow
 *  them; where none runs, the file decides. */
function asRunning(checked: CheckedConfig, dataDir: string): Config {
  try {
    const where: unknown = JSON.parse(readFileSync(join(dataDir, 'gateway.json'), 'utf8'))
    const [gateway, console] = [portIn(where, 'gateway'), portIn(where, 'console')]
    return checked.withPorts(gateway, console)
  } catch (error) {
    if (error instanceof Fault) throw error
    return checked.config // No gateway runs here.
  }
}

function portIn(where: unknown, key: string): number {
  const address: unknown =
    typeof where === 'object' && where !== null ? Reflect.get(where, key) : undefined
  const url = new URL(typeof address === 'string' ? address : '')
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}
